"""Azure Key Vault behind the Vault port, through Microsoft's SDK.

The identity needs four data actions on secrets and no more: `readMetadata` (list), `getSecret` (read), `setSecret`
(store) and `update` (tags, disabling), each `Microsoft.KeyVault/vaults/secrets/<name>/action`.

The SDK's own retries are off: its retry of a PUT writes a second version (seen with 4.12.0), and a persistent 500
costs eleven seconds in them. What may be repeated is repeated here, briefly; `store` and `retag` are sent once, and
what follows is decided by who looks again first.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.keyvault.secrets import SecretClient
from requests.adapters import HTTPAdapter

from rotation.clouds import cloud_of_vault
from rotation.keyvault_errors import translated
from rotation.pace import Clock, Deadlines
from rotation.ports import Deadline, ListedSecret, ListedVersion, NewVersion, SecretVersion, VaultError
from rotation.reason import TRANSIENT, Reason
from rotation.secret_value import SecretValue

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.paging import ItemPaged
    from azure.keyvault.secrets import KeyVaultSecret, SecretProperties

API_VERSION = "7.6"  # has all that is used here; the SDK's own default is newer than the national clouds
CONNECT_SECONDS, READ_SECONDS = 4.0, 8.0
_ATTEMPTS = 3
_HTTPS = 443
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 10.0


class KeyVault:
    """One Key Vault. Safe for several threads; raises VaultError and nothing else."""

    def __init__(
        self,
        url: str,
        credential: TokenCredential,
        *,
        clock: Clock,
        connections: int,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.url = url.rstrip("/")
        self._deadline: Deadline = Deadlines.none(clock)
        session = requests.Session()
        session.mount("https://", HTTPAdapter(pool_maxsize=connections))
        self._client = SecretClient(
            self.url,
            credential,
            api_version=API_VERSION,
            # Only a host that no cloud owns (an emulator, a private cloud) cannot match the audience that its
            # challenge names.
            verify_challenge_resource=cloud_of_vault(self.url) is not None,
            retry_total=0,
            permit_redirects=False,
            transport=RequestsTransport(session=session, connection_timeout=connect_seconds, read_timeout=read_seconds),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def within(self, deadline: Deadline) -> KeyVault:
        """The same vault, which sends nothing again and asks for no further page once the deadline is over."""
        bound = copy.copy(self)
        bound._deadline = deadline  # noqa: SLF001 - of its own class
        return bound

    def secrets(self) -> Iterator[ListedSecret]:
        """List every secret; the next page is fetched when it is asked for."""
        return self._walk(self._client.list_properties_of_secrets, _listed)

    def versions(self, name: str) -> tuple[ListedVersion, ...]:
        """List every version of a secret, the newest first; the service promises no order."""
        walked = self._walk(lambda: self._client.list_properties_of_secret_versions(name), _listed_version)
        return tuple(sorted(walked, key=lambda version: version.created_on, reverse=True))

    def _walk[T](
        self, listing: Callable[[], ItemPaged[SecretProperties]], form: Callable[[SecretProperties], T]
    ) -> Iterator[T]:
        """Walk a list page by page. A link carries the job's token: never to another host, and never in a circle."""
        page, link = self._patiently(partial(_page, listing, form, None))
        seen: set[str] = set()
        while True:
            yield from page
            if link is None:
                return
            if not translated(partial(same_origin, link, self.url)):
                raise VaultError(Reason.VAULT_UNAVAILABLE, "its list goes on at another host; that was not followed")
            if link in seen:
                raise VaultError(Reason.VAULT_UNAVAILABLE, "its list goes round in circles")
            if self._deadline.is_over():
                raise VaultError(Reason.OUT_OF_TIME, "its list was not read to the end in time")
            seen.add(link)
            page, link = self._patiently(partial(_page, listing, form, link))

    def read(self, name: str, version: str | None = None) -> SecretVersion:
        """Read one version, the current one by default."""
        return self._patiently(lambda: _version(self._client.get_secret(name, version)))

    def store(self, new: NewVersion) -> str:
        """Write a new version, sending the request once."""
        return translated(lambda: self._store(new))

    def _store(self, new: NewVersion) -> str:
        stored = self._client.set_secret(
            new.name,
            new.value.reveal(),
            enabled=new.enabled,
            tags=dict(new.tags),
            content_type=new.content_type,
            expires_on=new.expires_on,
        )
        return _known(stored.properties.version)

    def retag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Replace all tags of exactly this version, sending the request once."""
        translated(lambda: self._client.update_secret_properties(name, version, tags=dict(tags)))

    def disable(self, name: str, version: str) -> None:
        """Disable exactly this version."""
        self._patiently(lambda: self._client.update_secret_properties(name, version, enabled=False))

    def _patiently[T](self, call: Callable[[], T]) -> T:
        """Call what may be repeated without harm, up to three times, while there is time and the failure may pass."""
        wait = _FIRST_WAIT_SECONDS
        for _ in range(_ATTEMPTS - 1):
            try:
                return translated(call)
            except VaultError as error:
                pause = min(error.retry_after or wait, _LONGEST_WAIT_SECONDS)
                if error.reason not in TRANSIENT or not self._deadline.pause(pause):
                    raise
                wait *= 2
        return translated(call)


def _known[T](value: T | None) -> T:
    """What the service always sends and the SDK types as optional. Raises ValueError when it is missing after all."""
    if value is None:
        raise ValueError("a field that Key Vault always sends is missing")
    return value


def same_origin(one: str, other: str) -> bool:
    """Whether two https addresses are of the same host and port; the service's own links name port 443."""
    return not set("\\@") & {*one, *other} and _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (_HTTPS if parts.scheme == "https" else None)


def _page[T](
    listing: Callable[[], ItemPaged[SecretProperties]], form: Callable[[SecretProperties], T], link: str | None
) -> tuple[list[T], str | None]:
    pages = listing().by_page(continuation_token=link)
    page = [form(each) for each in next(pages)]
    return page, getattr(
        pages, "continuation_token", None
    )  # of azure-core's PageIterator, which it types as an iterator


def _listed(properties: SecretProperties) -> ListedSecret:
    return ListedSecret(
        name=_known(properties.name),
        enabled=bool(properties.enabled),
        tags=properties.tags or {},
        created_on=_known(properties.created_on),
        expires_on=properties.expires_on,
        holds_certificate=bool(properties.managed),
    )


def _listed_version(properties: SecretProperties) -> ListedVersion:
    return ListedVersion(
        version=_known(properties.version),
        enabled=bool(properties.enabled),
        tags=properties.tags or {},
        created_on=_known(properties.created_on),
        updated_on=_known(properties.updated_on),
    )


def _version(secret: KeyVaultSecret) -> SecretVersion:
    return SecretVersion(
        name=_known(secret.name),
        version=_known(secret.properties.version),
        value=SecretValue(_known(secret.value)),
        enabled=bool(secret.properties.enabled),
        tags=secret.properties.tags or {},
        content_type=secret.properties.content_type,
        expires_on=secret.properties.expires_on,
        holds_certificate=bool(secret.properties.managed),
    )
