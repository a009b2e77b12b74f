"""The settings: the environment as one frozen value, read in one place, with every fault of it in one message.

What they mean to a run is in `run.Limits`; who is built from them is in `wiring`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rotation.clouds import CLOUDS
from rotation.connection_string import connection_string_fault
from rotation.origin import is_https_origin, origin
from rotation.schedule_expression import schedule_fault
from rotation.secret_value import ClientSecret, SecretValue
from rotation.telemetry_target import TelemetryTarget, authentication_of, connection_of
from rotation.token import Thresholds

DEFAULT_SCHEDULE = "0 17 */6 * * *"
_BLOB_SERVICE = re.compile(r"(https://[^/]+)(/[a-z0-9]{3,24})?/?")
_TENANT = re.compile(r"[0-9a-zA-Z.-]{1,253}")
_TRIPLE = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET")


class SettingsError(Exception):
    """The settings cannot be used; `faults` names each fault, its setting and the mend."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(faults))


@dataclass(frozen=True, slots=True)
class ClientSecretIdentity:
    """The job is a service principal with a client secret."""

    tenant_id: str
    client_id: str
    client_secret: ClientSecret


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The job is the managed identity of where it runs; `client_id` picks a user-assigned one."""

    client_id: str | None


@dataclass(frozen=True, slots=True)
class AzureCliIdentity:
    """The job is whoever is signed in with the Azure CLI."""


type JobIdentity = ClientSecretIdentity | ManagedIdentity | AzureCliIdentity


@dataclass(frozen=True, slots=True)
class StorageConnection:
    """A storage account by its connection string, with a key or a SAS."""

    connection_string: SecretValue


@dataclass(frozen=True, slots=True)
class StorageService:
    """A storage account by the address of its blob service; without an `identity` it is the job's own that opens it."""

    blob_service_uri: str
    identity: ManagedIdentity | None


type LeaseStorage = StorageConnection | StorageService


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the environment says. Ages in days, limits in seconds."""

    key_vault_urls: tuple[str, ...]
    rotation_schedule: str
    thresholds: Thresholds
    max_concurrency: int
    writes_per_second: float
    run_time_limit_seconds: int
    authority_overrides: Mapping[str, str]
    identity: JobIdentity
    identity_authority: str | None
    telemetry: TelemetryTarget | None
    lease_storage: LeaseStorage | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the environment. Raises SettingsError with every fault at once; nothing is contacted."""
        reader = _Reader(environ)
        settings = cls(
            key_vault_urls=reader.vault_urls(),
            rotation_schedule=reader.schedule(),
            thresholds=reader.thresholds(),
            max_concurrency=reader.number("MAX_CONCURRENCY", 16, low=1, high=64, parse=int),
            writes_per_second=reader.number("WRITES_PER_SECOND", 29.0, low=1.0, high=1000.0, parse=float),
            run_time_limit_seconds=reader.number("RUN_TIME_LIMIT_SECONDS", 480, low=10, high=480, parse=int),
            authority_overrides=reader.authority_overrides(),
            identity=reader.identity(),
            identity_authority=reader.identity_authority(),
            telemetry=reader.telemetry(),
            lease_storage=reader.lease_storage(),
        )
        reader.check_authority_file()
        if reader.faults:
            raise SettingsError(reader.faults)
        return settings


class _Reader:
    """Reads one setting after the other and collects the faults. None repeats a value: it may be a secret."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def items(self, name: str) -> list[str]:
        return [item.strip() for item in self.text(name).split(",") if item.strip()]

    def vault_urls(self) -> tuple[str, ...]:
        urls = [origin(url) for url in self.items("KEY_VAULT_URLS")]
        if not urls:
            self.faults.append(
                "KEY_VAULT_URLS is missing: set it to https://<name>.vault.azure.net; several with commas"
            )
        for position, url in enumerate(urls, start=1):
            if not is_https_origin(url):
                self.faults.append(f"KEY_VAULT_URLS, entry {position}, is not of the form https://<host>")
        if len({url.lower() for url in urls}) < len(urls):
            self.faults.append("KEY_VAULT_URLS names a vault twice: remove one")
        return tuple(url.lower() for url in urls)

    def schedule(self) -> str:
        expression = self.text("ROTATION_SCHEDULE") or DEFAULT_SCHEDULE
        fault = schedule_fault(expression)
        if fault is not None:
            self.faults.append(f"ROTATION_SCHEDULE {fault}: write six fields in UTC, such as {DEFAULT_SCHEDULE}")
        return expression

    def thresholds(self) -> Thresholds:
        days = {"low": 1, "high": 3650}
        rotate_after = self.number("ROTATE_AFTER_DAYS", 7, **days, parse=int)
        inactivity = self.number("INACTIVITY_DAYS", 90, **days, parse=int)
        warn_before = self.number("WARN_BEFORE_DAYS", 30, **days, parse=int)
        if rotate_after >= inactivity - warn_before:
            self.faults.append(
                f"ROTATE_AFTER_DAYS ({rotate_after}) must be under INACTIVITY_DAYS less WARN_BEFORE_DAYS "
                f"({inactivity} - {warn_before}): else a healthy token would warn"
            )
        return Thresholds(rotate_after, inactivity, warn_before)

    def number[T: (int, float)](self, name: str, default: T, *, low: T, high: T, parse: Callable[[str], T]) -> T:
        text = self.text(name)
        if not text:
            return default
        try:
            value = parse(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            self.faults.append(f"{name} is not a number from {low} to {high}")
            return default
        return value

    def authority_overrides(self) -> Mapping[str, str]:
        overrides = {}
        for position, item in enumerate(self.items("AUTHORITY_OVERRIDES"), start=1):
            cloud, _, authority = (part.strip() for part in item.partition("="))
            if cloud not in CLOUDS or not is_https_origin(authority):
                known = ", ".join(CLOUDS)
                self.faults.append(
                    f"AUTHORITY_OVERRIDES, entry {position}, is not <cloud>=https://<host> with a cloud of {known}"
                )
            if cloud in overrides:
                self.faults.append(f"AUTHORITY_OVERRIDES names a cloud twice, in entry {position} again: remove one")
            overrides[cloud] = origin(authority)
        return overrides

    def identity(self) -> JobIdentity:
        client_id, tenant_id = self.text("AZURE_CLIENT_ID"), self.text("AZURE_TENANT_ID")
        client_secret = ClientSecret(self.text("AZURE_CLIENT_SECRET"))
        given = [name for name in _TRIPLE if self.text(name)]
        if len(given) == len(_TRIPLE):
            if not _TENANT.fullmatch(tenant_id):
                self.faults.append("AZURE_TENANT_ID is neither a GUID nor a verified domain")
            return ClientSecretIdentity(tenant_id, client_id, client_secret)
        if self.text("IDENTITY_ENDPOINT") and given in ([], ["AZURE_CLIENT_ID"]):
            return ManagedIdentity(client_id or None)
        if given:
            missing = " and ".join(name for name in _TRIPLE if name not in given)
            self.faults.append(f"{' and '.join(given)} without {missing}: set all three or none")
        return AzureCliIdentity()

    def telemetry(self) -> TelemetryTarget | None:
        connection = self._parsed("APPLICATIONINSIGHTS_CONNECTION_STRING", connection_of)
        authentication = self._parsed("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", authentication_of)
        return TelemetryTarget(connection, authentication) if connection else None

    def _parsed[T](self, name: str, parse: Callable[[str], T]) -> T | None:
        """What a text says, None when there is none; the ValueError of `parse` is a fault."""
        try:
            return parse(self.text(name)) if self.text(name) else None
        except ValueError as error:
            self.faults.append(f"{name} {error}")
            return None

    def check_authority_file(self) -> None:
        """A wrong path would fail at the first connection only, in the words of a library."""
        path = self.text("REQUESTS_CA_BUNDLE")
        if path and not Path(path).exists():
            self.faults.append("REQUESTS_CA_BUNDLE names a file that does not exist")

    def identity_authority(self) -> str | None:
        authority = self.text("AZURE_AUTHORITY_HOST")
        if not authority:
            return None
        authority = authority if "://" in authority else f"https://{authority}"
        if not is_https_origin(authority):
            self.faults.append("AZURE_AUTHORITY_HOST is not of the form https://<host>")
        return origin(authority)

    def lease_storage(self) -> LeaseStorage | None:
        """The host's own storage account: where both forms are given, the host takes the connection string too."""
        connection_string, uri = self.text("AzureWebJobsStorage"), self.text("AzureWebJobsStorage__blobServiceUri")
        identity = self._storage_identity()
        if connection_string:
            fault = connection_string_fault(connection_string)
            if fault is not None:
                self.faults.append(
                    f"AzureWebJobsStorage {fault}: copy it whole from the storage account's access keys, "
                    "or use AzureWebJobsStorage__blobServiceUri"
                )
            return StorageConnection(SecretValue(connection_string))
        if not uri:
            return None
        found = _BLOB_SERVICE.fullmatch(uri)
        if found is None or not is_https_origin(found[1]):
            self.faults.append(
                "AzureWebJobsStorage__blobServiceUri is not of the form https://<account>.blob.core.windows.net"
            )
        return StorageService(uri.rstrip("/"), identity)

    def _storage_identity(self) -> ManagedIdentity | None:
        kind, client_id = self.text("AzureWebJobsStorage__credential"), self.text("AzureWebJobsStorage__clientId")
        if kind.lower() not in ("", "managedidentity"):
            self.faults.append("AzureWebJobsStorage__credential is not managedidentity: set it to that, or remove it")
        if client_id and not kind:
            self.faults.append(
                "AzureWebJobsStorage__clientId without AzureWebJobsStorage__credential: "
                "set that to managedidentity, or remove both"
            )
        return ManagedIdentity(client_id or None) if kind else None
