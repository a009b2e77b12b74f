"""A stand-in for the Azure CLI: a program `az` for PATH that knows three commands, and keeps what it was called with.

It emulates the CLI at its command line, from its reference ("az functionapp keys list", "az monitor action-group show",
"az monitor action-group test-notifications create"): what is spelt otherwise is refused with exit code 2, as the CLI's
own parser does. Unlike the CLI it insists on `--subscription`: the CLI's own default may be another one than azd's.
Its answers have the shape of the REST references ("Action Groups", "Web Apps - List Host Keys"), not what the script
under test would like: a test notification names a `SubState` and a `Detail` only where there is one.
"""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

MASTER_KEY = "contoso-master-key"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"

NO_STORAGE_YET = """\
WARNING: noise before the cause
ERROR: Operation returned an invalid status 'Bad Request'
Content: <!DOCTYPE html>
<html><head><title>Runtime Error</title></head>
</html>"""
"""What the CLI says while the host cannot read its keys (azure-cli issue 20892)."""

BAD_ROLE = "ERROR: (NotSupportedArmRole) The ARM role is not supported.\nCode: NotSupportedArmRole"

PROGRAM = """#!{python}
import argparse, json, pathlib, sys

state = json.loads(pathlib.Path({state!r}).read_text())
with open({log!r}, "a+") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
    log.seek(0)
    calls = [json.loads(line)[:3] for line in log]

parser = argparse.ArgumentParser(prog="az", allow_abbrev=False)
parser.add_argument("--subscription", choices=[{subscription!r}], required=True)
parser.add_argument("--resource-group", required=True)
parser.add_argument("--output", choices=["json"], required=True)
words = [each for each in sys.argv[1:] if not each.startswith("-")]
if sys.argv[1:4] == ["functionapp", "keys", "list"]:
    parser.add_argument("--name", required=True)
    parser.parse_args(sys.argv[4:])
    if calls.count(sys.argv[1:4]) <= state["keys_after"]:
        sys.exit({no_storage_yet!r})
    answer = {{"functionKeys": {{}}, "masterKey": state["master_key"], "systemKeys": {{}}}}
elif sys.argv[1:4] == ["monitor", "action-group", "show"]:
    parser.add_argument("--name", required=True)
    parser.parse_args(sys.argv[4:])
    answer = state["action_group"]
elif sys.argv[1:5] == ["monitor", "action-group", "test-notifications", "create"]:
    parser.add_argument("--action-group", required=True)
    parser.add_argument("--alert-type", choices=["logalertv2"], required=True)
    parser.add_argument("--add-action", nargs="+", action="append")
    actions = parser.parse_args(sys.argv[5:]).add_action
    for kind, name, target, schema in actions:
        assert kind in ("email", "armrole") and schema == "usecommonalertschema"
        if target in state["bad_roles"]:
            sys.exit({bad_role!r})
    answer = {{"state": "Complete", "actionDetails": [
        {{"MechanismType": "Email", "Name": name, "SendTime": "2026-11-21T09:00:00.0000000+00:00",
         "Status": state["sent"].get(name, "Succeeded")}}
        for kind, name, _, _ in actions if kind == "email"
    ]}}
else:
    sys.exit("ERROR: '" + " ".join(sys.argv[1:]) + "' is misspelled or not recognized by the system.")
if state["refuses"] and sys.argv[1:3] == state["refuses"]:
    print("WARNING: noise before the cause", file=sys.stderr)
    sys.exit("ERROR: (AuthorizationFailed) The client does not have authorization")
print(json.dumps(answer))
"""


class AzureCli:
    """A folder for PATH with `az` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state, self._log = folder / "state.json", folder / "calls.jsonl"
        program = folder / "az"
        fixed = {"subscription": SUBSCRIPTION, "no_storage_yet": NO_STORAGE_YET, "bad_role": BAD_ROLE}
        program.write_text(
            PROGRAM.format(python=sys.executable, state=str(self._state), log=str(self._log), **fixed), encoding="utf-8"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.knows()

    def knows(
        self,
        *,
        emails: Mapping[str, str] | None = None,
        roles: Mapping[str, str] | None = None,
        sent: Mapping[str, str] | None = None,
        bad_roles: Iterable[str] = (),
        refuses: Iterable[str] = (),
        keys_after: int = 0,
    ) -> None:
        """Set the state.

        Receivers by name, and how their test ends; roles that cannot be mailed; the first two words of a command to
        refuse; how often the keys cannot be had first.
        """
        group = {
            "emailReceivers": [
                {"name": name, "emailAddress": address, "status": "Enabled", "useCommonAlertSchema": True}
                for name, address in (emails or {}).items()
            ],
            "armRoleReceivers": [{"name": name, "roleId": role} for name, role in (roles or {}).items()],
        }
        state = {
            "master_key": MASTER_KEY,
            "keys_after": keys_after,
            "action_group": group,
            "sent": sent or {},
            "bad_roles": list(bad_roles),
            "refuses": list(refuses),
        }
        self._state.write_text(json.dumps(state), encoding="utf-8")

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call, in order."""
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]
