"""As much of a blob service as a lease needs, overheard: who is given no other answer may write and lease anything.

What a real one answers is in `tests/interop`; here is only what may be said of a key, a SAS, or an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulators.faults import FaultLayer, Faults
from emulators.overheard import Overheard
from emulators.serve import Site, listen, serving, url_of

ACCOUNT_KEY = "Y2FuYXJ5LW9mLXRoZS1zdG9yYWdlLWFjY291bnQta2V5"
SIGNATURE = "canaryOfTheSharedAccessSignature0123456789"


def by_key(url: str) -> str:
    """A connection string with the account's key."""
    return f"AccountName=contosorotation;AccountKey={ACCOUNT_KEY};BlobEndpoint={url}"


def by_sas(url: str) -> str:
    """A connection string with a shared access signature."""
    return f"BlobEndpoint={url};SharedAccessSignature=sv=2021-12-02&ss=b&srt=co&sp=rwc&sig={SIGNATURE}"


@contextmanager
def served_blobs(overheard: Overheard, faults: Faults) -> Iterator[str]:
    """Serve it for the length of a block."""

    def answered(_: Request) -> Response:
        dated = {"etag": '"1"', "last-modified": "Sat, 21 Nov 2026 07:00:00 GMT", "x-ms-lease-id": "a-lease"}
        return Response(status_code=201, headers=dated)

    app = Starlette(routes=[Route("/{path:path}", answered, methods=["GET", "PUT"])])
    bound = listen()
    with serving([Site(bound, overheard.layer(FaultLayer(app, faults)), None)]):
        yield url_of(bound, scheme="http")
