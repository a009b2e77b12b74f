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
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

FUNCTION = "rotate_on_schedule"

OUTPUTS = (
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_RESOURCE_GROUP",
    "AZURE_FUNCTION_APP_NAME",
    "AZURE_FUNCTION_APP_URL",
    "ACTION_GROUP_NAME",
)
"""azd's own subscription, which need not be the CLI's, and outputs of infra/main.bicep: azd hands them over."""

ATTEMPTS, PAUSE_SECONDS, ANSWER_SECONDS = 12, 15.0, 60
"""A deployment replaces the instances: for a few minutes the host may answer 404, 502 or 503, or not at all."""

FINAL = re.compile("AuthorizationFailed|NotFound|doesn't exist|az login|misspelled")
"""In the CLI's words: waiting does not help. What else it says of the keys may come from a host that cannot reach its
storage yet, by a role assigned minutes ago: `Bad Request`, or a whole page of HTML (azure-cli issue 20892)."""

SENT = frozenset({"Succeeded", "Completed"})
"""How the test notification of one receiver ends when it went out ("Action Groups", REST reference, examples)."""

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

ROOM = "\n" * 4
"""During `azd up`, azd 1.31 draws its table over the last three lines of the screen until the hook ends."""


class StepError(Exception):
    """A step did not succeed; the text says why, and how to mend it."""


class CliError(StepError):
    """The Azure CLI refused a command; the text has what it said."""


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
    subscription, group, app, url, action_group = (environ[name] for name in OUTPUTS)
    where = ("--subscription", subscription, "--resource-group", group)
    failures = []
    receivers: list[Receiver] = []
    pause = float(environ.get("POSTDEPLOY_PAUSE_SECONDS", PAUSE_SECONDS))
    steps: list[tuple[str, Iterable[str]]] = [
        (f"One run of {FUNCTION}", _leave(environ) or _start(url, where, app, pause)),
        ("Who is told", _list(receivers, where, action_group)),
        ("A test notification", _notify(receivers, where, action_group)),
    ]
    for title, lines in steps:
        print(f"\n{title}")
        try:
            for line in lines:
                print(f"  {_shown(line, receivers, environ)}", flush=True)
        except StepError as error:
            why = _shown(str(error), receivers, environ)
            failures.append(f"{title}: {why}")
            print(f"  FAILED: {why}", flush=True)
    if failures:  # once more, where azd looks when a hook has failed
        said = ["The deployment itself is done. FAILED:", *failures, "Try again: azd hooks run postdeploy"]
        print("", *said, sep="\n", file=sys.stderr, flush=True)
    print(f"\n{CONFIRM}{ROOM}", flush=True)
    return 1 if failures else 0


def _shown(text: str, receivers: Iterable[Receiver], environ: Mapping[str, str]) -> str:
    """The text; in a pipeline, whose log may be public, without anybody's address."""
    if "CI" not in environ:
        return text
    addresses = {each.target for each in receivers if each.kind == "email"}
    addresses.update(filter(None, map(str.strip, environ.get("ALERT_EMAILS", "").split(","))))
    for address in addresses:
        text = re.sub(re.escape(address), "(an address)", text, flags=re.IGNORECASE)
    return text


def _leave(environ: Mapping[str, str]) -> list[str]:
    """Why the function is not started by hand; empty when nothing speaks against it."""
    if not environ.get("HTTP_AUTH_CLIENT_ID"):
        return []
    return ["not started: Entra ID is in front of the app (HTTP_AUTH_CLIENT_ID). The timer starts it by itself."]


def _start(url: str, where: tuple[str, ...], app: str, pause: float) -> Iterator[str]:
    if not url.startswith("https://"):
        raise StepError(f"AZURE_FUNCTION_APP_URL is {url}: the key is sent over https alone")
    why = ""
    for attempt in range(1, ATTEMPTS + 1):
        status, why = _ask(url, where, app)
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


def _ask(url: str, where: tuple[str, ...], app: str) -> tuple[int, str]:
    """The status of one attempt and a word for it; 503 when there is no key yet, or nobody answered."""
    try:
        key = str(az("functionapp", "keys", "list", *where, "--name", app).get("masterKey") or "")
    except CliError as error:
        if FINAL.search(str(error)):
            raise
        return 503, str(error)
    if not key:
        return 503, "no master key"
    return _answer(
        urllib.request.Request(  # noqa: S310 - https, as the caller has seen to
            f"{url.rstrip('/')}/admin/functions/{FUNCTION}",
            data=json.dumps({"input": ""}).encode(),
            headers={"Content-Type": "application/json", "x-functions-key": key},
            method="POST",
        )
    )


def _answer(request: urllib.request.Request) -> tuple[int, str]:
    """The status and a word for it; 503 when nobody answered."""
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=ANSWER_SECONDS) as response:
            return response.status, f"HTTP {response.status}"
    except urllib.error.HTTPError as error:
        return error.code, f"HTTP {error.code}"
    except OSError as error:
        return 503, f"no answer ({type(error).__name__})"


def _list(receivers: list[Receiver], where: tuple[str, ...], action_group: str) -> Iterator[str]:
    shown = az("monitor", "action-group", "show", *where, "--name", action_group)
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
        yield f"{receiver.kind:8} {receiver.name}  {receiver.target}  {receiver.status}"


def _notify(receivers: list[Receiver], where: tuple[str, ...], action_group: str) -> Iterator[str]:
    """One request, of which Azure takes few; when it is refused, one for the addresses: a role may be the reason."""
    if not receivers:
        raise StepError("not sent: there is nobody to send it to")
    emails = [each for each in receivers if each.kind == "email"]
    asked = receivers
    try:
        states = _send(asked, where, action_group)
    except CliError as error:
        if emails in ([], receivers):
            raise
        yield f"with the roles in ALERT_ROLE_IDS it was refused, so once more without: {error}"
        asked = emails
        states = _send(asked, where, action_group)
    refused = []
    for receiver in receivers:
        state = states.get(receiver.name, {})
        # of a role, which stands for many addresses, the reference promises no state of its own
        untold = "asked for" if receiver.kind == "armrole" and receiver in asked else "not sent"
        status = state.get("Status") or untold
        if status not in (*SENT, "asked for"):
            refused.append(receiver.name)
        yield f"{receiver.name}: {' '.join(filter(None, (status, state.get('SubState'), state.get('Detail'))))}"
    if refused:
        raise StepError(f"not sent to {', '.join(refused)}: look at the action group {action_group} in the portal")
    yield "Sent means that Azure took it. Whether it arrived, only the mailbox knows: the subject has the word Test."


def _send(asked: list[Receiver], where: tuple[str, ...], action_group: str) -> dict[str, Mapping[str, str]]:
    """Ask for the test of these receivers; what became of each, by its name."""
    actions = [
        word for each in asked for word in ("--add-action", each.kind, each.name, each.target, "usecommonalertschema")
    ]
    sent = az(
        *("monitor", "action-group", "test-notifications", "create", "--alert-type", "logalertv2"),
        *(*where, "--action-group", action_group, *actions),
    )
    return {each["Name"]: each for each in sent.get("actionDetails") or []}


def az(*arguments: str) -> Mapping[str, Any]:
    """What one command of the Azure CLI answers. Raises CliError with the line that it marks as the error."""
    program = shutil.which("az")
    if program is None:
        raise StepError("the Azure CLI was not found: https://aka.ms/azure-cli")
    done = subprocess.run([program, *arguments, "--output", "json"], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        said = next((line for line in lines if line.startswith("ERROR:")), lines[-1])  # HTML may follow it
        raise CliError(f"az {' '.join(arguments[:3])}: {said}")
    try:
        answer: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise CliError(f"az {' '.join(arguments[:3])}: no JSON came back") from None
    return answer


if __name__ == "__main__":
    sys.exit(main())
