"""Where telemetry goes and as whom: the two texts in which Application Insights says it, read and checked.

Pure. No fault repeats a value. Sources: "Connection strings in Application Insights"; "Microsoft Entra authentication
for Application Insights", environment variable configuration. What the exporter's own parser refuses is refused here
too, since it would only say so in the middle of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rotation.credential_ref import GUID
from rotation.origin import is_https_origin, origin

_EVERYWHERE = "https://dc.services.visualstudio.com"


@dataclass(frozen=True, slots=True)
class EntraAuthentication:
    """The sender proves who it is; `client_id` picks a user-assigned managed identity."""

    client_id: str | None


@dataclass(frozen=True, slots=True)
class TelemetryTarget:
    """An Application Insights resource; without `authentication` its key is enough."""

    connection_string: str = field(repr=False)
    authentication: EntraAuthentication | None


def connection_of(text: str) -> str:
    """The connection string with nothing in it but what is needed, its address in one spelling. Raises ValueError."""
    pairs = _pairs(text)
    key = pairs.get("instrumentationkey", "").lower()
    endpoint = pairs.get("ingestionendpoint") or _of_suffix(pairs)
    by_key = pairs.get("authorization", "ikey").lower() == "ikey"
    if not (GUID.fullmatch(key) and is_https_origin(endpoint) and by_key):
        raise ValueError(
            "is not of the form InstrumentationKey=<GUID>;IngestionEndpoint=https://<host>/: copy it from the resource"
        )
    audience = pairs.get("aadaudience")
    needed = f"InstrumentationKey={key};IngestionEndpoint={origin(endpoint)}"
    return f"{needed};AADAudience={audience}" if audience else needed


def authentication_of(text: str) -> EntraAuthentication:
    """Who the sender is. Raises ValueError."""
    pairs = _pairs(text)
    client_id = pairs.get("clientid")
    known = pairs.keys() <= {"authorization", "clientid"} and pairs.get("authorization") == "AAD"
    if not known or not (client_id is None or GUID.fullmatch(client_id)):
        raise ValueError("is neither Authorization=AAD nor ClientId=<GUID>;Authorization=AAD")
    return EntraAuthentication(client_id)


def _of_suffix(pairs: Mapping[str, str]) -> str:
    suffix, location = pairs.get("endpointsuffix"), pairs.get("location")
    if not suffix:
        return _EVERYWHERE
    return f"https://{location}.dc.{suffix}" if location else f"https://dc.{suffix}"


def _pairs(text: str) -> Mapping[str, str]:
    """The pairs by lower-case name; none at all when one of them is not a name, one equals sign and a value."""
    pairs = [pair.split("=") for pair in text.split(";")]
    if any(len(pair) != len(("name", "value")) for pair in pairs):
        return {}
    return {name.lower(): value for name, value in pairs}
