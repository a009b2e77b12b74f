"""The address of a service: `https://<host>`, with a port at most. One spelling of it, and what is none."""

from __future__ import annotations

import re

_HTTPS, _LAST_PORT = 443, 65535
_ORIGIN = re.compile(
    r"https://([a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?", re.ASCII | re.IGNORECASE
)


def origin(url: str) -> str:
    """One spelling of an address: a trailing slash and the port that https means anyway make no other host of it."""
    return url.rstrip("/").removesuffix(f":{_HTTPS}")


def is_https_origin(url: str) -> bool:
    """Whether it is an address, and one that is reached encrypted."""
    found = _ORIGIN.fullmatch(url)
    return found is not None and 0 < int(found["port"] or _HTTPS) <= _LAST_PORT
