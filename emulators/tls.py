"""A certificate authority of the moment and one loopback certificate under it. Leaves listening to `serve`.

The product verifies TLS always; it trusts this authority the way an operator behind an inspecting proxy trusts theirs:
through `REQUESTS_CA_BUNDLE`, an environment variable of the requests library.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import trustme

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LoopbackTls:
    """A server-side TLS context for loopback and the file that a client must trust to accept it."""

    context: ssl.SSLContext
    authority_file: Path

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Make a fresh authority and certificate; only the authority's public certificate is written, to `folder`."""
        authority = trustme.CA(organization_name="contoso loopback")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(LOOPBACK, "localhost").configure_cert(context)
        authority_file = folder / "loopback-authority.pem"
        authority.cert_pem.write_to_path(str(authority_file))
        return cls(context, authority_file)
