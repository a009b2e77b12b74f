"""Try what was deployed: one run of the timer's function, one test notification, the state of every receiver.

azd runs this after each deployment, with the outputs of infra/main.bicep in the environment; `azd hooks run postdeploy`
runs it again, which does no harm. It needs the Azure CLI, signed in, and the standard library of Python 3.9 or later.
Whatever fails, the last thing it prints is what only a person can do: confirm the e-mail addresses.

The function is started the documented way ("Manually run a non HTTP-triggered function"): with the app's master key,
which goes from the CLI's output into one header over https. It is in no command line, no file and no message.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

FUNCTION = "rotate_on_schedule"

OUTPUTS = ("AZURE_RESOURCE_GROUP", "AZURE_FUNCTION_APP_NAME", "AZURE_FUNCTION_APP_URL", "ACTION_GROUP_NAME")
"""Of infra/main.bicep; azd hands them over as environment variables."""

ATTEMPTS, PAUSE_SECONDS, ANSWER_SECONDS = 12, 15.0, 60
"""A deployment replaces the instances: for a few minutes the host may answer 404, 502 or 503, or not at all."""

NOT_UP_YET = frozenset({404, 500, 502, 503, 504})
BEHIND_A_DOOR = frozenset({301, 302, 303, 307, 308, 401, 403})
ACCEPTED = 202

CONFIRM = """\
===========================================================================
  EACH NEW E-MAIL ADDRESS MUST CONFIRM ITS PASSCODE WITHIN 30 MINUTES.
  UNTIL IT HAS, AZURE SENDS IT NOTHING, AND SAYS SO NOWHERE.
  LOOK FOR A MAIL FROM azure-noreply@microsoft.com, IN THE SPAM TOO.
  TOO LATE? SAVE THE ACTION GROUP AGAIN: azd provision --no-state
===========================================================================
An address that was confirmed in this tenant before, for any action group, need not do it again."""


class StepError(Exception):
    """A step did not succeed; the text says why, and how to mend it."""


class Receiver(NamedTuple):
    """Somebody whom the action group mails: an address, or the members of a role."""

    kind: str  # the CLI's words: email, armrole
    name: str
    target: str
    status: str


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the header with the key goes to the function app alone."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Answer None: the redirection becomes an HTTPError."""


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Do every step, whatever became of the one before. Exit code 0; 1 when one failed; 2 without azd's outputs."""
    missing = [name for name in OUTPUTS if not environ.get(name)]
    if missing:
        print(
            f"postdeploy: {', '.join(missing)} not set. Run it through azd: azd hooks run postdeploy", file=sys.stderr
        )
        return 2
    group, app, url, action_group = (environ[name] for name in OUTPUTS)
    failures = []
    receivers: list[Receiver] = []
    pause = float(environ.get("POSTDEPLOY_PAUSE_SECONDS", PAUSE_SECONDS))
    steps: list[tuple[str, Iterable[str]]] = [
        (f"One run of {FUNCTION}", _leave(environ) or _start(url, group, app, pause)),
        ("Who is told", _list(receivers, group, action_group, hide="CI" in environ)),
        ("A test notification", _notify(receivers, group, action_group)),
    ]
    for title, lines in steps:
        print(f"\n{title}")
        try:
            for line in lines:
                print(f"  {line}", flush=True)
        except StepError as error:
            failures.append(title)
            print(f"  FAILED: {error}", flush=True)
    if failures:
        print(f"\nThe deployment itself is done. Failed: {'; '.join(failures)}. Try again: azd hooks run postdeploy")
    print(f"\n{CONFIRM}", flush=True)
    return 1 if failures else 0


def _leave(environ: Mapping[str, str]) -> list[str]:
    """Why the function is not started by hand; empty when nothing speaks against it."""
    if not environ.get("HTTP_AUTH_CLIENT_ID"):
        return []
    return ["not started: Entra ID is in front of the app (HTTP_AUTH_CLIENT_ID). The timer starts it by itself."]


def _start(url: str, group: str, app: str, pause: float) -> Iterator[str]:
    if not url.startswith("https://"):
        raise StepError(f"AZURE_FUNCTION_APP_URL is {url}: the key is sent over https alone")
    keys = az("functionapp", "keys", "list", "--resource-group", group, "--name", app)
    request = urllib.request.Request(  # noqa: S310 - https, see above
        f"{url.rstrip('/')}/admin/functions/{FUNCTION}",
        data=json.dumps({"input": ""}).encode(),
        headers={"Content-Type": "application/json", "x-functions-key": str(keys.get("masterKey", ""))},
        method="POST",
    )
    why = ""
    for attempt in range(1, ATTEMPTS + 1):
        status, why = _answer(request)
        if status == ACCEPTED:
            yield "accepted: it runs now, without waiting for its schedule."
            yield (
                "What it finds reaches the workbook in about five minutes "
                "and the receivers in about a quarter of an hour."
            )
            return
        if status in BEHIND_A_DOOR:
            raise StepError(
                f"{why}. Entra ID or a private network is in front of the app, or the key was renewed this minute. "
                "The timer starts its function by itself, at the times in ROTATION_SCHEDULE"
            )
        if status not in NOT_UP_YET:
            raise StepError(f"{why}, which is not expected here")
        if attempt < ATTEMPTS:
            yield f"{why}: the host is not up yet; again in {pause:.0f} seconds ({attempt} of {ATTEMPTS})"
            time.sleep(pause)
    raise StepError(f"{why}, {ATTEMPTS} times. The portal says why: function app {app}, Diagnose and solve problems")


def _answer(request: urllib.request.Request) -> tuple[int, str]:
    """The status and a word for it; 503 when nobody answered."""
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=ANSWER_SECONDS) as response:
            return response.status, f"HTTP {response.status}"
    except urllib.error.HTTPError as error:
        return error.code, f"HTTP {error.code}"
    except OSError as error:
        return 503, f"no answer ({type(error).__name__})"


def _list(receivers: list[Receiver], group: str, action_group: str, *, hide: bool) -> Iterator[str]:
    shown = az("monitor", "action-group", "show", "--resource-group", group, "--name", action_group)
    receivers += (
        Receiver("email", each["name"], each["emailAddress"], each.get("status") or "NotSpecified")
        for each in shown.get("emailReceivers") or []
    )
    receivers += (
        Receiver("armrole", each["name"], each["roleId"], "by role, no passcode")
        for each in shown.get("armRoleReceivers") or []
    )
    if not receivers:
        raise StepError("nobody. Give addresses: azd env set ALERT_EMAILS ops@contoso.example, then: azd provision")
    for receiver in receivers:
        # the log of a pipeline may be public
        target = "(an address)" if hide and receiver.kind == "email" else receiver.target
        yield f"{receiver.kind:8} {receiver.name}  {target}  {receiver.status}"


def _notify(receivers: list[Receiver], group: str, action_group: str) -> Iterator[str]:
    if not receivers:
        raise StepError("not sent: there is nobody to send it to")
    actions: list[str] = []
    for receiver in receivers:
        actions += ["--add-action", receiver.kind, receiver.name, receiver.target, "usecommonalertschema"]
    sent = az(
        *("monitor", "action-group", "test-notifications", "create", "--alert-type", "logalertv2"),
        *("--resource-group", group, "--action-group", action_group, *actions),
    )
    states = {each.get("Name"): each for each in sent.get("actionDetails") or []}
    refused = []
    for receiver in receivers:
        state = states.get(receiver.name, {})
        status = state.get("Status") or "no answer"
        if status != "Succeeded":
            refused.append(receiver.name)
        yield f"{receiver.name}: {' '.join(filter(None, (status, state.get('SubState'), state.get('Detail'))))}"
    if refused:
        raise StepError(f"not sent to {', '.join(refused)}: look at the action group {action_group} in the portal")
    yield "Sent means that Azure took it. Whether it arrived, only the mailbox knows: the subject has the word Test."


def az(*arguments: str) -> Mapping[str, Any]:
    """What one command of the Azure CLI answers. Raises StepError with the CLI's own last words."""
    program = shutil.which("az")
    if program is None:
        raise StepError("the Azure CLI was not found: https://aka.ms/azure-cli")
    done = subprocess.run([program, *arguments, "--output", "json"], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise StepError(f"az {' '.join(arguments[:3])}: {said}")
    try:
        answer: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise StepError(f"az {' '.join(arguments[:3])}: no JSON came back") from None
    return answer


if __name__ == "__main__":
    sys.exit(main())
