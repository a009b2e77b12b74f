"""Microsoft's recordings of the real Key Vault, as data. Leaves replaying them to `replay`.

They are YAML with tags for Python objects; the loader drops the tags and never builds an object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from tests.interop import fetch


class _WithoutTags(yaml.CSafeLoader):
    """The safe loader, for which a Python tag is no tag."""


def _untagged(loader: _WithoutTags, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


_WithoutTags.add_multi_constructor("tag:yaml.org,2002:python/", _untagged)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as it was recorded: without its token, which the recorder leaves out."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: the service's as recorded, or the emulator's."""

    status: int
    headers: Mapping[str, str]
    body: Any  # JSON, or None where there was none


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what the service answered."""

    ask: Ask
    reply: Reply


def paths() -> list[Path]:
    """Every recording, fetched where it is not there yet."""
    return sorted((fetch.tests_folder(fetch.RECORDINGS) / "recordings").glob("*.yaml"))


def exchanges(recording: Path) -> list[Exchange]:
    """What was said in one recording, in order."""
    loaded = yaml.load(recording.read_bytes(), Loader=_WithoutTags)  # noqa: S506  # a safe loader
    return [Exchange(_ask(each["request"]), _reply(each["response"])) for each in loaded["interactions"]]


def _ask(recorded: Mapping[str, Any]) -> Ask:
    address = urlsplit(recorded["uri"])
    return Ask(recorded["method"], address.path, tuple(parse_qsl(address.query)), recorded["body"])


def _reply(recorded: Mapping[str, Any]) -> Reply:
    headers = {name.lower(): _joined(value) for name, value in recorded["headers"].items()}
    return Reply(recorded["status"]["code"], headers, parsed((recorded["body"] or {}).get("string")))


def parsed(body: str | None) -> Any:
    """The JSON of a body; None where there is none."""
    return json.loads(body) if body else None


def _joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
