"""One blob whose lease can be had: what the storage account does with the few requests of `rotation.blob_lease`.

Source: "Lease Blob" and "Put Blob" (Azure Storage REST API). That the service itself does so too is shown on Azurite,
in `tests/interop`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from requests import PreparedRequest

_METADATA = "x-ms-meta-"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a status, headers, and a JSON object or nothing."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None


@dataclass(slots=True)
class LeaseBlob:
    """The blob and its container, which the first request of all makes. `monotonic` is the service's clock."""

    monotonic: Callable[[], float]
    container: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    lease_id: str = ""
    _etag: int = 0
    _until: float = 0.0

    @property
    def is_leased(self) -> bool:
        """Whether somebody holds the lease."""
        return bool(self.lease_id) and self.monotonic() < self._until

    def break_lease(self) -> None:
        """Somebody ends the lease, whoever has it: `az storage blob lease break`."""
        self.lease_id = ""

    def answer(self, request: PreparedRequest) -> Answer:
        """What the service answers."""
        url, headers = str(request.url), request.headers
        if "restype=container" in url:
            self.container = True
            return self._said(201)
        if "comp=lease" in url:
            return self._lease(headers)
        if request.method == "HEAD":
            return self._said(200, {_METADATA + name: text for name, text in self.metadata.items()})
        return self._put(headers)

    def _put(self, headers: Mapping[str, str]) -> Answer:
        if not self.container:
            return _refused(404, "ContainerNotFound")
        if self.is_leased:
            return _refused(412, "LeaseIdMissing")
        self.metadata = {
            name.lower().removeprefix(_METADATA): str(text)
            for name, text in headers.items()
            if name.lower().startswith(_METADATA)
        }
        self._etag += 1
        return self._said(201)

    def _lease(self, headers: Mapping[str, str]) -> Answer:
        if headers["x-ms-lease-action"] == "acquire":
            return self._acquire(headers["x-ms-proposed-lease-id"], headers["If-Match"])
        if headers["x-ms-lease-id"] != self.lease_id:
            return _refused(409, "LeaseIdMismatchWithLeaseOperation")
        ends = headers["x-ms-lease-action"] == "release"
        self._until = 0.0 if ends else self._lasting()
        return self._said(200)

    def _acquire(self, lease_id: str, etag: str) -> Answer:
        if etag != self._etag_now():
            return _refused(412, "ConditionNotMet")
        if self.is_leased and lease_id != self.lease_id:
            return _refused(409, "LeaseAlreadyPresent")
        self.lease_id, self._until = lease_id, self._lasting()
        return self._said(201)

    def _lasting(self) -> float:
        return self.monotonic() + 15

    def _etag_now(self) -> str:
        return f'"0x{self._etag}"'

    def _said(self, status: int, headers: Mapping[str, str] | None = None) -> Answer:
        about = {"ETag": self._etag_now(), "Last-Modified": "Sat, 21 Nov 2026 07:00:00 GMT"}
        return Answer(status, {**about, "x-ms-lease-id": self.lease_id, **(headers or {})})


def _refused(status: int, code: str) -> Answer:
    return Answer(status, {"x-ms-error-code": code})
