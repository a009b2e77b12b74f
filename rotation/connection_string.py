"""Whether a text is a connection string of a storage account, as "Configure Azure Storage connection strings" has it.

Pure, and says nothing of the text itself, which holds a key. What it opens is left to the storage SDK.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode

_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_SUFFIX = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)
_BLOB_ENDPOINT = re.compile(r"https?://[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+)?/?", re.IGNORECASE)
_DEVELOPMENT = {"USEDEVELOPMENTSTORAGE": "true"}


def connection_string_fault(text: str) -> str | None:
    """Why this is no connection string that opens a blob service, or None."""
    parts = [part.partition("=") for part in text.rstrip(";").split(";")]
    if not text.isascii() or not text.isprintable() or not all(name and separator for name, separator, _ in parts):
        return "is not of the form AccountName=...;AccountKey=..."
    values = {name.upper(): value for name, _, value in parts}
    if values == _DEVELOPMENT:
        return None
    return _credential_fault(values) or _endpoint_fault(values)


def _credential_fault(values: dict[str, str]) -> str | None:
    key = values.get("ACCOUNTKEY")
    if key is None or "ACCOUNTNAME" not in values:
        return None if values.get("SHAREDACCESSSIGNATURE") else "has no AccountName with AccountKey"
    try:
        return None if b64decode(key, validate=True) else "has an empty AccountKey"
    except binascii.Error:
        return "has an AccountKey that is cut or wrapped"


def _endpoint_fault(values: dict[str, str]) -> str | None:
    endpoint = values.get("BLOBENDPOINT")
    if endpoint is not None:
        return (
            None if _BLOB_ENDPOINT.fullmatch(endpoint) else "has a BlobEndpoint that is not of the form https://<host>"
        )
    if not _ACCOUNT.fullmatch(values.get("ACCOUNTNAME", "")):
        return "has an AccountName that none can be"
    if values.get("DEFAULTENDPOINTSPROTOCOL", "https") not in ("http", "https"):
        return "has a DefaultEndpointsProtocol that is neither https nor http"
    return None if _SUFFIX.fullmatch(values.get("ENDPOINTSUFFIX", "x")) else "has an EndpointSuffix that is none"
