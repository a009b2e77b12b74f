"""The cloud of one measurement, in a process of its own, so that no contender is charged for it.

`python -m bench.site SPEC` fills the world that the specification (JSON) asks for and prints the environment to run in,
one line of JSON; for the line that it then reads it prints what arrived, and ends. How that is read is left to
`measuring`.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bench.spec import APP_SECRET, WorldSpec
from emulators.faults import Delay
from emulators.world import CLIENT_ID, TENANT_ID, EmulatedVault, World

_CLIENT_SECRET = "contoso-made-up-client-secret"
_MORE_THAN_A_WEEK, _YEAR, _INACTIVITY = timedelta(days=8), timedelta(days=365), timedelta(days=90)
_THROTTLED = 429


def fill(world: World, spec: WorldSpec) -> None:
    """Put the tokens of the specification into the vaults; those that are due were redeemed eight days ago."""
    now = datetime.now(UTC)
    world.entra.register_app(TENANT_ID, CLIENT_ID, secrets=[_CLIENT_SECRET])
    for vault in world.vaults:
        vault.state.put(APP_SECRET, _CLIENT_SECRET, expires_on=now + _YEAR)
    for number in range(spec.due):
        for _ in range(1 + spec.settled):
            _put(world, world.vaults[number % spec.vaults], f"due-{number:06}", redeemed=now - _MORE_THAN_A_WEEK)
    for vault in world.vaults:
        vault.state.age(_MORE_THAN_A_WEEK)
    for number in range(spec.fresh):
        _put(world, world.vaults[number % spec.vaults], f"fresh-{number:06}", redeemed=now)


def _put(world: World, vault: EmulatedVault, name: str, *, redeemed: datetime) -> None:
    account = world.entra.add_user(TENANT_ID, name)  # each its own, as partners are: a cache of tokens keeps them all
    tags = {
        "managed-by": "token-rotation",
        "tenant-id": TENANT_ID,
        "client-id": CLIENT_ID,
        "client-credential": f"secret:{APP_SECRET}",
        "label": f"Contoso {name}",
        "redeemed-at": redeemed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "account-id": f"{account.object_id}.{account.tenant_id}",
    }
    value = world.entra.consent(tenant_id=TENANT_ID, client_id=CLIENT_ID, user=account)
    vault.state.put(name, value, tags=tags, expires_on=redeemed + _INACTIVITY)


def _slow_down(world: World, spec: WorldSpec) -> None:
    world.entra.latency = spec.issuer_seconds
    for vault in world.vaults:
        vault.throttle.enabled = spec.limited
        vault.faults.fail_next(Delay(spec.vault_seconds), times=None)


def arrived(world: World, *, since: datetime) -> Mapping[str, object]:
    """Requests by kind, how many were throttled, how many versions were stored and within how many seconds."""
    requests = [one for log in (world.entra_log, *(vault.log for vault in world.vaults)) for one in log.requests]
    created = [version.created for vault in world.vaults for version in vault.state.latest()]
    stored = [moment for moment in created if moment > since]
    return {
        "requests": Counter(request.kind for request in requests),
        "throttled": sum(request.status == _THROTTLED for request in requests),
        "stored": len(stored),
        "storing_seconds": (max(stored) - min(stored)).total_seconds() if stored else 0.0,
    }


def main() -> None:
    """Serve one world."""
    spec = WorldSpec(**json.loads(sys.argv[1]))
    with World.open(vaults=spec.vaults, telemetry=spec.telemetry) as world:
        fill(world, spec)
        _slow_down(world, spec)
        print(json.dumps(world.environment()), flush=True)
        since, cpu_seconds = datetime.now(UTC), time.process_time()
        if sys.stdin.readline():
            cpu_seconds = time.process_time() - cpu_seconds
            print(json.dumps({**arrived(world, since=since), "site_cpu_seconds": cpu_seconds}), flush=True)


if __name__ == "__main__":
    main()
