"""Whether a text shows any part of a secret: twenty characters in a row are enough, in the clear or in base64.

A set of every run of twenty characters of every secret, held against every such run of the text: linear in both.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

WINDOW = 20
_RUN = re.compile(rf"[^\s\"'<>(){{}}\[\],;]{{{WINDOW},}}")


class Canaries:
    """Secrets to look for. One shorter than a window is looked for as a whole."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {form for secret in secrets if secret for form in _forms(secret)}
        self._short = frozenset(secret for secret in known if _RUN.search(secret) is None)
        self._windows = frozenset(
            window for secret in known for run in _RUN.findall(secret) for window in _windows(run)
        )

    def __len__(self) -> int:
        return len(self._short) + len(self._windows)

    def shown_in(self, text: str) -> list[str]:
        """What a text shows of them, each with what stands before it: for the report of a failed test."""
        found = [secret[:8] for secret in self._short if secret in text]
        for form in {text, unquote(text)}:
            hits = (run for run in _RUN.finditer(form) if not self._windows.isdisjoint(_windows(run[0])))
            found += [form[max(0, hit.start() - 120) : hit.start() + 12] for hit in hits]
        return found


def _forms(secret: str) -> Iterator[str]:
    yield secret
    encoded = secret.encode(errors="surrogatepass")
    yield base64.b64encode(encoded).decode().rstrip("=")
    yield base64.urlsafe_b64encode(encoded).decode().rstrip("=")


def _windows(text: str) -> Iterator[str]:
    return (text[start : start + WINDOW] for start in range(len(text) - WINDOW + 1))
