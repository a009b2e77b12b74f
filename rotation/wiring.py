"""The one place that knows everything: real adapters from settings, and the two things that every door offers.

Nothing is built at import; every invocation opens its own application and closes it. What a door shows is the door's.
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from azure.identity import AzureCliCredential, ClientSecretCredential, ManagedIdentityCredential

from rotation.blob_lease import BlobLease, by_connection_string, by_identity
from rotation.clouds import CLOUDS, GLOBAL, cloud_of_vault
from rotation.crew import Progress, no_progress
from rotation.entra import Entra
from rotation.federation import ManagedIdentities
from rotation.keyvault import KeyVault
from rotation.lease import ProcessLease
from rotation.pace import Clock, Deadlines, never
from rotation.plan import RunRequest
from rotation.ports import Lease, Sink
from rotation.report import RunReport, Trigger
from rotation.run import Limits, NoSink, Ports
from rotation.settings import (
    AzureCliIdentity,
    ClientSecretIdentity,
    ManagedIdentity,
    Settings,
    StorageConnection,
    StorageService,
)
from rotation.status import status
from rotation.status_report import StatusReport
from rotation.telemetry_target import EntraAuthentication, TelemetryTarget
from rotation.telling import told_run
from rotation.token_endpoint import TokenEndpoints

_FINISH_SECONDS = 120  # on top of 480 to start: the platform grants about ten minutes when it replaces an instance
_PATIENCE: Mapping[str, Any] = {"connection_timeout": 4, "read_timeout": 8, "retry_total": 1}  # it would wait minutes
_CLI_SECONDS = 15
_HTTP_START_SECONDS, _HTTP_FINISH_SECONDS = 110, 50  # HTTP is cut at 230: "Azure Functions scale and hosting"
_STATUS_SECONDS = 150  # of the same 230; nothing has to be finished after it

# All log an answer that they cannot parse: of the identity endpoint, the token in it included, and of the storage
# account, as a local of a traceback (seen with azure-identity 1.27.0, MSAL 1.39.0 and azure-storage-blob 12.31.1). What
# failed is told by us, without the answer.
_QUIETER = {
    "azure.identity": logging.ERROR,
    "msal.managed_identity": logging.INFO,
    "azure.storage.blob._generated": logging.INFO,
}

_logger = logging.getLogger(__name__)


type JobCredential = ClientSecretCredential | ManagedIdentityCredential | AzureCliCredential


@dataclass(frozen=True, slots=True)
class Application:
    """The wired product: what a timer, an HTTP route or a command calls."""

    settings: Settings
    ports: Ports
    open_sink: Callable[[str], AbstractContextManager[Sink]]

    def rotate(
        self,
        request: RunRequest,
        *,
        now: datetime,
        progress: Progress = no_progress,
        stopped: Callable[[], bool] = never,
        trace_parent: str = "",
    ) -> RunReport:
        """Carry out a run and tell it, under `trace_parent` if there is one. Raises what `run.run` raises."""
        if self.settings.lease_storage is None and not request.dry_run:
            _tell_of_process_lease()
        limits, run_id = _limits(self.settings, request.trigger), str(uuid.uuid4())
        with self.open_sink(trace_parent) as sink:
            ports = replace(self.ports, sink=sink)
            return told_run(request, ports, limits, run_id=run_id, now=now, progress=progress, stopped=stopped)

    def status(self, *, now: datetime) -> StatusReport:
        """List every vault and say how each token is; a vault that cannot be listed is a fault of the report."""
        deadlines = Deadlines.from_now(self.ports.clock, start_seconds=_STATUS_SECONDS, finish_seconds=0)
        return status(self.ports.vaults, defaults=self.settings.thresholds, deadlines=deadlines, now=now)


@contextmanager
def application(environ: Mapping[str, str]) -> Iterator[Application]:
    """Build the product from an environment for the length of a block. Raises SettingsError, nothing contacted."""
    settings = Settings.from_environ(environ)
    clock = Clock()
    for library, level in _QUIETER.items():
        logging.getLogger(library).setLevel(level)
    with ExitStack() as stack:
        credential = _job_credential(settings)
        stack.callback(credential.close)
        endpoints = TokenEndpoints(connections=settings.max_concurrency)
        stack.callback(endpoints.close)
        vaults = [
            KeyVault(url, credential, clock=clock, connections=settings.max_concurrency)
            for url in settings.key_vault_urls
        ]
        for vault in vaults:
            stack.callback(vault.close)
        job = settings.identity
        default_client_id = job.client_id if isinstance(job, ManagedIdentity) else None
        identities = ManagedIdentities(default_client_id=default_client_id)
        stack.callback(identities.close)
        issuer = Entra(endpoints, authority_overrides=settings.authority_overrides, identity_token=identities.token)
        ports = Ports(vaults=vaults, issuer=issuer, lease=_lease(settings, credential, stack), clock=clock)
        yield Application(settings, ports, functools.partial(_sink, settings, credential))


@contextmanager
def _sink(settings: Settings, job: JobCredential, trace_parent: str) -> Iterator[Sink]:
    target = settings.telemetry
    if target is None:
        _say_that_the_log_is_all()
        yield NoSink()
        return
    from rotation.telemetry import Telemetry  # noqa: PLC0415 - slow to import, and not needed where telemetry is off

    with (
        _publisher(target, settings, job) as credential,
        Telemetry(target.connection_string, credential, trace_parent=trace_parent) as telemetry,
    ):
        yield telemetry


def _publisher(
    target: TelemetryTarget, settings: Settings, job: JobCredential
) -> AbstractContextManager[JobCredential | None]:
    """Who sends the telemetry: the job, or the managed identity that the settings name for that alone."""
    match settings.identity, target.authentication:
        case _, None:
            return nullcontext(None)
        case ManagedIdentity(own), EntraAuthentication(str(other)) if other != own:
            return ManagedIdentityCredential(client_id=other, **_PATIENCE)
        case _:
            return nullcontext(job)


@functools.cache
def _say_that_the_log_is_all() -> None:
    """Once a process: every invocation would say it."""
    _logger.info("rotation.telemetry_off: APPLICATIONINSIGHTS_CONNECTION_STRING is not set, the log is all there is")


def _lease(settings: Settings, job: JobCredential, stack: ExitStack) -> Lease:
    """The one lease of every door, and of whatever else writes tokens; nothing is contacted before it is taken."""
    match settings.lease_storage:
        case None:
            return ProcessLease()
        case StorageConnection(connection_string):
            logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)  # its DEBUG shows queries, and so a SAS
            return BlobLease(lambda: by_connection_string(connection_string.reveal()))
        case StorageService(uri, identity):
            credential = job
            if identity is not None:
                credential = ManagedIdentityCredential(client_id=identity.client_id, **_PATIENCE)
                stack.callback(credential.close)
            return BlobLease(lambda: by_identity(uri, credential))


@functools.cache
def _tell_of_process_lease() -> None:
    """Once in a process, and not at all where only a status or a dry run was asked for."""
    _logger.info(
        "rotation.lease_in_process AzureWebJobsStorage is not set: only runs of this process exclude each other"
    )


def _limits(settings: Settings, trigger: Trigger) -> Limits:
    by_http = trigger is Trigger.HTTP
    return Limits(
        thresholds=settings.thresholds,
        concurrency=settings.max_concurrency,
        writes_per_second=settings.writes_per_second,
        start_seconds=min(settings.run_time_limit_seconds, _HTTP_START_SECONDS)
        if by_http
        else settings.run_time_limit_seconds,
        finish_seconds=_HTTP_FINISH_SECONDS if by_http else _FINISH_SECONDS,
    )


def _job_credential(settings: Settings) -> JobCredential:
    """Who the job is, said by the settings and by nothing else: a chain of guesses would follow a stray variable."""
    match settings.identity:
        case ClientSecretIdentity(tenant_id, client_id, client_secret):
            authority = settings.identity_authority or _cloud_authority(settings)
            return ClientSecretCredential(
                tenant_id,
                client_id,
                client_secret.reveal(),
                authority=authority,
                disable_instance_discovery=authority not in {cloud.authority for cloud in CLOUDS.values()},
                **_PATIENCE,
            )
        case ManagedIdentity(client_id):
            return ManagedIdentityCredential(client_id=client_id, **_PATIENCE)
        case AzureCliIdentity():
            return AzureCliCredential(process_timeout=_CLI_SECONDS)


def _cloud_authority(settings: Settings) -> str:
    cloud = cloud_of_vault(settings.key_vault_urls[0]) or GLOBAL
    return cloud.authority
