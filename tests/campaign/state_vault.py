"""The real Key Vault adapter over the emulator's state, without a wire: only the SDK's client is replaced.

Retries, paging, order and the translation of errors are the product's own (`rotation.keyvault`); what the client
raises is what the SDK raises for the same answer, which `test_ports_over_state` compares with the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from emulators.keyvault import errors
from emulators.keyvault.access import AccessPolicy, DataAction
from emulators.keyvault.app import RESOURCE, STATUSES
from emulators.keyvault.secret import Changes, SecretVersion
from emulators.keyvault.state import VaultState
from emulators.keyvault.throttle import Throttle
from rotation.keyvault import KeyVault
from rotation.pace import Clock, Deadlines
from rotation.token import is_managed
from tests.campaign.faults import ERROR_STATUS, RETRY_AFTER_SECONDS, THROTTLED_STATUS, Broken, Fault
from tests.campaign.gate import Gate
from tests.campaign.journal import CREDENTIAL, DISABLE, LIST, LOOK, READ, RETAG, STORE, VERSIONS, Request

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

PAGE = 5
PATIENCE_SECONDS = 8.0  # the read timeout of `rotation.keyvault`


@dataclass(slots=True, kw_only=True)
class EmulatedVault:
    """One vault with its levers; with `twice` every page of its list shows a secret twice."""

    url: str
    state: VaultState
    throttle: Throttle
    job: str
    credential: str
    access: AccessPolicy = field(default_factory=AccessPolicy)
    twice: bool = False


class StateVault(KeyVault):
    """Key Vault as the job of one run sees it; `identity` and `is_unleased` are for `StateClient`."""

    def __init__(
        self,
        vault: EmulatedVault,
        gate: Gate,
        *,
        run: int,
        clock: Clock,
        identity: TokenCredential | None = None,
        is_unleased: Callable[[], bool] = lambda: False,
    ) -> None:
        self.url = vault.url
        self._deadline = Deadlines.none(clock)
        self.client = StateClient(vault, gate, run, identity=identity, is_unleased=is_unleased)
        self._client: Any = self.client


class StateClient:
    """What `rotation.keyvault` uses of the SDK's SecretClient, for one run.

    `in_hand` are the tokens that this run has redeemed and not let go of: reading one of them is looking again.
    `identity` is asked until it has given a token, which is kept, as the SDK does; `is_unleased` says whether the run
    has lost its lease.
    """

    def __init__(
        self,
        vault: EmulatedVault,
        gate: Gate,
        run: int,
        *,
        identity: TokenCredential | None = None,
        is_unleased: Callable[[], bool] = lambda: False,
    ) -> None:
        self._vault = vault
        self._gate = gate
        self._run = run
        self._identity = identity
        self._is_unleased = is_unleased
        self._is_known = False
        self.names: dict[str, str] = {}
        self.in_hand: set[str] = set()

    def list_properties_of_secrets(self) -> Pages:
        return Pages(self._page)

    def _page(self, after: str) -> tuple[list[SimpleNamespace], str | None]:
        request = Request(run=self._run, kind=LIST)

        def listed() -> list[SecretVersion]:
            rest = [each for each in self._vault.state.latest() if each.name.lower() > after]
            return rest[: PAGE + 1]

        def noting(request: Request, listed: list[SecretVersion]) -> Request:
            managed = tuple(each.name for each in listed[:PAGE] if is_managed(each.tags or {}))
            return replace(request, names=managed)

        found = self._send(request, DataAction.READ_METADATA, listed, noting=noting)
        link = f"{self._vault.url}/secrets?after={found[PAGE - 1].name.lower()}" if len(found) > PAGE else None
        again = found[:1] if self._vault.twice else []
        return [_properties(each) for each in [*found[:PAGE], *again]], link

    def list_properties_of_secret_versions(self, name: str) -> Pages:
        def page(_: str) -> tuple[list[SimpleNamespace], str | None]:
            request = Request(run=self._run, kind=VERSIONS, name=name)
            found = self._send(request, DataAction.READ_METADATA, lambda: self._vault.state.versions(name))
            order = 1 if len(self._gate.journal.events) % 2 else -1  # the service promises none: both are met
            return [_properties(each) for each in found[::order]], None

        return Pages(page)

    def get_secret(self, name: str, version: str | None = None) -> SimpleNamespace:
        kind = CREDENTIAL if name == self._vault.credential else LOOK if name in self.in_hand else READ

        def read() -> SecretVersion:
            state = self._vault.state
            found = state.version(name, version) if version else state.current(name)
            if not found.enabled:
                raise errors.SecretDisabledError
            return found

        request = Request(run=self._run, kind=kind, name=name, version=version or "", unleased=self._is_unleased())
        found = self._send(request, DataAction.GET_SECRET, read)
        self.names[found.value] = name
        return _bundle(found)

    def set_secret(
        self,
        name: str,
        value: str,
        *,
        enabled: bool,
        tags: Mapping[str, str],
        content_type: str | None,
        expires_on: datetime | None,
    ) -> SimpleNamespace:
        def store() -> SecretVersion:
            return self._vault.state.put(
                name, value, enabled=enabled, tags=tags, content_type=content_type, expires_on=expires_on
            )

        request = Request(run=self._run, kind=STORE, name=name, value=value)
        return _bundle(self._send(request, DataAction.SET_SECRET, store, create=True))

    def update_secret_properties(
        self,
        name: str,
        version: str | None = None,
        *,
        tags: Mapping[str, str] | None = None,
        enabled: bool | None = None,
    ) -> SimpleNamespace:
        request = Request(run=self._run, kind=DISABLE if tags is None else RETAG, name=name, version=version or "")
        changes = Changes(tags=tags, enabled=enabled)
        return _bundle(
            self._send(request, DataAction.UPDATE, lambda: self._vault.state.update(name, version or None, changes))
        )

    def _send[T](
        self,
        request: Request,
        action: DataAction,
        call: Callable[[], T],
        *,
        create: bool = False,
        noting: Callable[[Request, T], Request] = lambda request, _: request,
    ) -> T:
        def carried_out() -> T:
            self._vault.throttle.take(create=create)
            self._vault.access.require(self._vault.job, action)
            return call()

        if self._identity is not None and not self._is_known:
            self._identity.get_token(f"{RESOURCE}/.default")
            self._is_known = True
        try:
            return self._gate.request(request, carried_out, patience=PATIENCE_SECONDS, noting=noting)
        except errors.VaultError as refusal:
            _refuse(STATUSES[refusal.code], refusal.inner or refusal.code, getattr(refusal, "retry_after", None))
        except Broken as broken:
            _break(broken.fault)


class Pages:
    """The SDK's ItemPaged, as far as it is used: pages one by one, each with the link to the next."""

    def __init__(self, page: Callable[[str], tuple[list[SimpleNamespace], str | None]]) -> None:
        self._page = page
        self.continuation_token: str | None = None

    def by_page(self, continuation_token: str | None = None) -> Pages:
        self.continuation_token = continuation_token
        return self

    def __iter__(self) -> Iterator[list[SimpleNamespace]]:
        return self

    def __next__(self) -> list[SimpleNamespace]:
        page, self.continuation_token = self._page((self.continuation_token or "").partition("after=")[2])
        return page


def _properties(version: SecretVersion) -> SimpleNamespace:
    return SimpleNamespace(
        name=version.name,
        version=version.version,
        enabled=version.enabled,
        tags=dict(version.tags) if version.tags is not None else None,
        content_type=version.content_type,
        created_on=version.created.replace(microsecond=0),  # as on the wire
        updated_on=version.updated.replace(microsecond=0),
        expires_on=version.expires_on and version.expires_on.replace(microsecond=0),
        managed=version.managed,
    )


def _bundle(version: SecretVersion) -> SimpleNamespace:
    return SimpleNamespace(name=version.name, value=version.value, properties=_properties(version))


def _refuse(status: int, code: str, retry_after: float | None = None) -> NoReturn:
    """Raise what the SDK raises for an answer of this status; its own reading of the body is left out."""
    error = HttpResponseError(f"({code})")
    error.status_code = status
    error.error = SimpleNamespace(code=code, innererror=None)  # type: ignore[assignment]
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    error.response = SimpleNamespace(headers=headers)
    raise error


def _break(fault: Fault) -> NoReturn:
    match fault:
        case Fault.THROTTLED:
            _refuse(THROTTLED_STATUS, "Throttled")
        case Fault.THROTTLED_UNTIL:
            _refuse(THROTTLED_STATUS, "Throttled", RETRY_AFTER_SECONDS)
        case Fault.ERROR:
            _refuse(ERROR_STATUS, "")
        case Fault.REFUSED:
            raise ServiceRequestError(fault)
        case Fault.TIMEOUT:
            raise ServiceResponseTimeoutError(fault)
        case _:
            raise ServiceResponseError(fault)
