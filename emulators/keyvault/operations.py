"""The operations of the service on secrets: address, data action, effect on a vault. Leaves callers and HTTP to `app`.

After "Azure Key Vault REST API reference, Secrets". Lists are ordered by their keys: secrets by name, versions by id
and so not by age, as the recordings of the service show.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.routing import compile_path

from emulators.keyvault import wire
from emulators.keyvault.access import DataAction
from emulators.keyvault.errors import SecretDisabledError
from emulators.keyvault.state import VaultState
from emulators.keyvault.wire import Dialect, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that passed the checks of its caller."""

    state: VaultState
    dialect: Dialect
    path: str
    query: Mapping[str, str]
    name: str
    version: str | None
    body: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """`kind` is its word in the request log; `create` counts against the smaller service limit.

    `run` answers the body, or None where the service answers without one.
    """

    kind: str
    method: str
    path: str
    action: DataAction
    run: Callable[[Call], Json | None]
    create: bool = False


def _list(call: Call) -> Json:
    after, size = wire.page_start(call.query.get("$skiptoken")), wire.page_size(call.query.get("maxresults"))
    latest = call.state.latest(after=after, at_most=size + 1)  # one more than fits says that another page follows
    lines = [(each.name, call.dialect.item(each, version_id=False)) for each in latest]
    return _page(call, lines)


def _versions(call: Call) -> Json:
    lines = [(each.version, call.dialect.item(each, version_id=True)) for each in call.state.versions(call.name)]
    return _page(call, sorted(lines, key=lambda line: line[0]))


def _list_deleted(call: Call) -> Json:
    deletions = call.state.deletions()
    lines = [(each.latest.name, call.dialect.deleted(each, version_id=False)) for each in deletions]
    return _page(call, lines)


def _read(call: Call) -> Json:
    version = call.state.current(call.name) if call.version is None else call.state.version(call.name, call.version)
    if not version.enabled:
        raise SecretDisabledError
    return call.dialect.bundle(version, value=True)


def _store(call: Call) -> Json:
    given = wire.changes(call.body)
    stored = call.state.put(
        call.name,
        wire.value(call.body),
        tags=given.tags,
        content_type=given.content_type,
        enabled=given.enabled is not False,
        not_before=given.not_before,
        expires_on=given.expires_on,
    )
    return call.dialect.bundle(stored, value=True)


def _update(call: Call) -> Json:
    return call.dialect.bundle(call.state.update(call.name, call.version, wire.changes(call.body)))


def _delete(call: Call) -> Json:
    return call.dialect.deleted(call.state.delete(call.name))


def _read_deleted(call: Call) -> Json:
    return call.dialect.deleted(call.state.deleted(call.name))


def _recover(call: Call) -> Json:
    return call.dialect.bundle(call.state.recover(call.name))


def _purge(call: Call) -> None:
    call.state.purge(call.name)


def _backup(call: Call) -> Json:
    return {"value": call.state.backup(call.name)}


def _restore(call: Call) -> Json:
    return call.dialect.bundle(call.state.restore(wire.value(call.body)))


def _page(call: Call, lines: Sequence[tuple[str, Json]]) -> Json:
    """The page that the query asks for: what comes after its marker now, whatever has changed since the page before."""
    size = wire.page_size(call.query.get("maxresults"))
    keys = [key.lower() for key, _ in lines]
    start = bisect_right(keys, wire.page_start(call.query.get("$skiptoken")))
    end = start + size
    marker = keys[end - 1] if end < len(keys) else None
    return call.dialect.page([item for _, item in lines[start:end]], call.path, marker, size)


# The first that fits wins; the SDK asks for the current version with an empty id, and so with a slash at the end.
OPERATIONS = (
    Operation("list", "GET", "/secrets", DataAction.READ_METADATA, _list),
    Operation("restore", "POST", "/secrets/restore", DataAction.RESTORE, _restore, create=True),
    Operation("store", "PUT", "/secrets/{name}", DataAction.SET_SECRET, _store, create=True),
    Operation("delete", "DELETE", "/secrets/{name}", DataAction.DELETE, _delete),
    Operation("versions", "GET", "/secrets/{name}/versions", DataAction.READ_METADATA, _versions),
    Operation("backup", "POST", "/secrets/{name}/backup", DataAction.BACKUP, _backup),
    Operation("read", "GET", "/secrets/{name}", DataAction.GET_SECRET, _read),
    Operation("read", "GET", "/secrets/{name}/", DataAction.GET_SECRET, _read),
    Operation("read", "GET", "/secrets/{name}/{version}", DataAction.GET_SECRET, _read),
    Operation("update", "PATCH", "/secrets/{name}", DataAction.UPDATE, _update),
    Operation("update", "PATCH", "/secrets/{name}/", DataAction.UPDATE, _update),
    Operation("update", "PATCH", "/secrets/{name}/{version}", DataAction.UPDATE, _update),
    Operation("list_deleted", "GET", "/deletedsecrets", DataAction.READ_METADATA, _list_deleted),
    Operation("read_deleted", "GET", "/deletedsecrets/{name}", DataAction.READ_METADATA, _read_deleted),
    Operation("purge", "DELETE", "/deletedsecrets/{name}", DataAction.PURGE, _purge),
    Operation("recover", "POST", "/deletedsecrets/{name}/recover", DataAction.RECOVER, _recover),
)
_ADDRESSES = tuple((operation.method, compile_path(operation.path)[0], operation.kind) for operation in OPERATIONS)


def kind_of(method: str, path: str) -> str:
    """The kind of the operation behind an address; `unknown` for one that the vault does not have."""
    for operation_method, address, kind in _ADDRESSES:
        if operation_method == method and address.fullmatch(path):
            return kind
    return "unknown"
