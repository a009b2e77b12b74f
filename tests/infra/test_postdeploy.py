"""After a deployment: over the Functions runtime and a stand-in of the Azure CLI, as azd runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from emulators.functions_host import FunctionsHost
from emulators.serve import Site, listen, serving, url_of
from emulators.tls import LoopbackTls
from tests.infra.azure_cli import MASTER_KEY, SUBSCRIPTION, AzureCli
from tests.infra.guide import FENCE

CHECKOUT = Path(__file__).resolve().parents[2]
ADDRESS, ROLE = "night-watch@contoso.example", "749f88d5-cbae-40b8-bcfc-e573ddc772fa"


@pytest.fixture
def cli(tmp_path: Path) -> AzureCli:
    folder = tmp_path / "bin"
    folder.mkdir()
    stand_in = AzureCli(folder)
    stand_in.knows(emails={"night": ADDRESS}, roles={"monitoring": ROLE})
    return stand_in


@pytest.fixture
def fired(tmp_path: Path) -> Path:
    return tmp_path / "fired"


@pytest.fixture
def outputs(tmp_path: Path, fired: Path) -> Iterator[dict[str, str]]:
    """What azd hands over, while a function app runs whose timer leaves a file."""
    app = tmp_path / "app"
    app.mkdir()
    source = f"""\
        import pathlib
        import azure.functions as func

        app = func.FunctionApp()

        @app.timer_trigger(schedule="0 0 3 * * *", arg_name="timer")
        def rotate_on_schedule(timer: func.TimerRequest) -> None:
            pathlib.Path({str(fired)!r}).write_text("fired")
        """
    (app / "function_app.py").write_text(dedent(source), encoding="utf-8")
    tls, bound = LoopbackTls.create(tmp_path), listen()
    with FunctionsHost.start(app) as host, serving([Site(bound, host.admin_app(MASTER_KEY), tls.context)]):
        yield {
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            "AZURE_RESOURCE_GROUP": "rg-contoso",
            "AZURE_FUNCTION_APP_NAME": "func-contoso",
            "AZURE_FUNCTION_APP_URL": url_of(bound),
            "ACTION_GROUP_NAME": "ag-contoso",
            "SSL_CERT_FILE": str(tls.authority_file),
        }


def postdeploy(cli: AzureCli, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name in ("SYSTEMROOT", "TMPDIR")}
    surroundings = {**own, "PATH": str(cli.folder), "POSTDEPLOY_PAUSE_SECONDS": "0", **environ}
    script = [sys.executable, str(CHECKOUT / "scripts" / "postdeploy.py")]
    return subprocess.run(script, env=surroundings, capture_output=True, text=True, check=False, timeout=60)


def test_the_timer_runs_once_and_each_receiver_gets_a_test(
    cli: AzureCli, outputs: Mapping[str, str], fired: Path
) -> None:
    done = postdeploy(cli, outputs)
    assert (done.returncode, done.stderr) == (0, "")
    assert fired.read_text(encoding="utf-8") == "fired"
    assert "night: Succeeded" in done.stdout
    assert "monitoring: asked for" in done.stdout
    assert f"email    night  {ADDRESS}  Enabled" in done.stdout


def test_the_passcodes_are_said_in_capitals_and_last_with_room_for_what_azd_draws(
    cli: AzureCli, outputs: Mapping[str, str]
) -> None:
    done = postdeploy(cli, outputs)
    loud = "EACH NEW E-MAIL ADDRESS MUST CONFIRM ITS PASSCODE WITHIN 30 MINUTES"
    assert loud in done.stdout
    assert "Succeeded" not in done.stdout.partition(loud)[2]
    assert done.stdout.endswith("\n" * 4)


def test_the_guide_shows_what_it_prints(cli: AzureCli, outputs: Mapping[str, str]) -> None:
    guide = (CHECKOUT / "docs" / "deploy.md").read_text(encoding="utf-8")
    shown = next(each["body"] for each in FENCE.finditer(guide) if each["body"].startswith("One run of"))
    cli.knows(emails={"email-xwz2k4": "ops@contoso.example"})
    printed = postdeploy(cli, outputs).stdout.lstrip("\n")
    assert printed.startswith(shown.removesuffix("  ...\n"))


def test_the_clis_own_default_subscription_is_never_asked(cli: AzureCli, outputs: Mapping[str, str]) -> None:
    postdeploy(cli, outputs)
    asked = [call[call.index("--subscription") + 1] for call in cli.calls]
    assert asked == [SUBSCRIPTION] * 3


def test_the_master_key_is_in_no_command_line_and_no_output(cli: AzureCli, outputs: Mapping[str, str]) -> None:
    done = postdeploy(cli, outputs)
    assert MASTER_KEY not in done.stdout + done.stderr
    assert not any(MASTER_KEY in argument for call in cli.calls for argument in call)


def test_running_it_again_does_no_harm(cli: AzureCli, outputs: Mapping[str, str]) -> None:
    assert postdeploy(cli, outputs).returncode == postdeploy(cli, outputs).returncode == 0


def test_a_pipelines_log_does_not_get_the_addresses(cli: AzureCli, outputs: Mapping[str, str]) -> None:
    cli.knows(emails={"night": ADDRESS}, sent={"night": f"Failed for {ADDRESS.title()}"})
    done = postdeploy(cli, {**outputs, "CI": "true"})
    assert ADDRESS not in (done.stdout + done.stderr).lower()
    assert "email    night  (an address)  Enabled" in done.stdout
    assert "night: Failed for (an address)" in done.stdout


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"emails": {}}, "azd env set ALERT_EMAILS"),
        ({"emails": {"night": ADDRESS}, "sent": {"night": "Failed"}}, "not sent to night"),
        ({"emails": {"night": ADDRESS}, "refuses": ["monitor", "action-group"]}, "AuthorizationFailed"),
        ({"emails": {"night": ADDRESS}, "refuses": ["functionapp", "keys"]}, "az functionapp keys list: ERROR: (Auth"),
        ({"roles": {"monitoring": ROLE}, "bad_roles": [ROLE]}, "(NotSupportedArmRole)"),
    ],
)
def test_a_step_that_fails_says_how_to_mend_it_and_stops_no_other(
    cli: AzureCli, outputs: Mapping[str, str], state: Mapping[str, Any], said: str
) -> None:
    cli.knows(**state)
    done = postdeploy(cli, outputs)
    assert done.returncode == 1
    assert said in done.stdout
    assert said in done.stderr  # which is what azd shows of a hook that failed
    assert "Try again: azd hooks run postdeploy" in done.stderr
    assert "MUST CONFIRM ITS PASSCODE" in done.stdout


def test_a_role_that_cannot_be_mailed_does_not_keep_the_addresses_from_their_test(
    cli: AzureCli, outputs: Mapping[str, str]
) -> None:
    cli.knows(emails={"night": ADDRESS}, roles={"monitoring": ROLE}, bad_roles=[ROLE])
    done = postdeploy(cli, outputs)
    assert "night: Succeeded" in done.stdout
    assert "(NotSupportedArmRole)" in done.stdout
    assert "FAILED: not sent to monitoring:" in done.stdout


def test_the_services_other_word_for_sent_is_sent(cli: AzureCli, outputs: Mapping[str, str]) -> None:
    cli.knows(emails={"night": ADDRESS}, sent={"night": "Completed"})
    assert postdeploy(cli, outputs).returncode == 0


def test_keys_that_the_host_cannot_read_yet_are_asked_for_again(
    cli: AzureCli, outputs: Mapping[str, str], fired: Path
) -> None:
    cli.knows(emails={"night": ADDRESS}, keys_after=2)
    done = postdeploy(cli, outputs)
    assert (done.returncode, fired.exists()) == (0, True)
    assert (
        "az functionapp keys list: ERROR: Operation returned an invalid status 'Bad Request': the host" in done.stdout
    )
    assert "html" not in done.stdout


def test_keys_that_nobody_may_read_are_not_waited_for(cli: AzureCli, outputs: Mapping[str, str]) -> None:
    cli.knows(emails={"night": ADDRESS}, refuses=["functionapp", "keys"])
    postdeploy(cli, outputs)
    assert [call[:3] for call in cli.calls].count(["functionapp", "keys", "list"]) == 1


def test_a_host_that_does_not_come_up_is_given_time_and_then_named(
    cli: AzureCli, outputs: Mapping[str, str], fired: Path
) -> None:
    nobody = listen()
    nowhere = url_of(nobody)
    nobody.close()
    done = postdeploy(cli, {**outputs, "AZURE_FUNCTION_APP_URL": nowhere})
    assert done.returncode == 1
    assert "(11 of 12)" in done.stdout
    assert "function app func-contoso, Diagnose and solve problems" in done.stdout
    assert not fired.exists()


def test_the_key_goes_nowhere_without_tls(cli: AzureCli, outputs: Mapping[str, str]) -> None:
    done = postdeploy(cli, {**outputs, "AZURE_FUNCTION_APP_URL": "http://127.0.0.1:9"})
    assert "over https alone" in done.stdout
    assert ["functionapp", "keys", "list"] not in [call[:3] for call in cli.calls]


def test_a_door_in_front_of_the_app_is_named_and_the_key_goes_no_further(
    cli: AzureCli, outputs: Mapping[str, str], tmp_path: Path
) -> None:
    tls, bound = LoopbackTls.create(tmp_path / "bin"), listen()
    sign_in = SignIn()
    with serving([Site(bound, sign_in, tls.context)]):
        away = {"AZURE_FUNCTION_APP_URL": url_of(bound), "SSL_CERT_FILE": str(tls.authority_file)}
        done = postdeploy(cli, {**outputs, **away})
    assert "HTTP 302. Entra ID or a private network is in front" in done.stdout
    assert sign_in.asked == ["/admin/functions/rotate_on_schedule"]


def test_behind_entra_id_the_function_is_left_to_its_timer(
    cli: AzureCli, outputs: Mapping[str, str], fired: Path
) -> None:
    done = postdeploy(cli, {**outputs, "HTTP_AUTH_CLIENT_ID": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"})
    assert done.returncode == 0
    assert "not started: Entra ID is in front of the app" in done.stdout
    assert not fired.exists()


class SignIn:
    """Redirects, as built-in authentication does, to a page where nobody may see the key."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        start = {"type": "http.response.start", "status": 302, "headers": [(b"location", b"/login")]}
        for message in (start, {"type": "http.response.body", "body": b""}):
            await send(message)


def test_without_azds_outputs_it_says_how_it_is_run(cli: AzureCli) -> None:
    done = postdeploy(cli, {"AZURE_RESOURCE_GROUP": "rg-contoso"})
    assert done.returncode == 2
    assert "ACTION_GROUP_NAME not set. Run it through azd: azd hooks run postdeploy" in done.stderr


def test_without_the_azure_cli_it_says_where_to_get_it(cli: AzureCli, outputs: Mapping[str, str]) -> None:
    (cli.folder / "az").unlink()
    done = postdeploy(cli, outputs)
    assert done.returncode == 1
    assert "https://aka.ms/azure-cli" in done.stdout


def test_the_function_that_it_starts_is_the_timers() -> None:
    source = (CHECKOUT / "scripts" / "postdeploy.py").read_text(encoding="utf-8")
    with FunctionsHost.start(CHECKOUT) as host:
        assert host.function(source.partition('FUNCTION = "')[2].partition('"')[0]).type == "timerTrigger"
