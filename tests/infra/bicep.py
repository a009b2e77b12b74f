"""Reads Bicep files: what they declare, what they use, which resources and modules they hold.

A reader, no compiler: types and properties of resources are for Bicep itself, and for its type data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


def text(node: Node) -> str:
    """The source of a node."""
    return (node.text or b"").decode()


def literal(node: Node | None) -> str | None:
    """The content of a string without interpolation."""
    if node is None or node.type != "string":
        return None
    parts = node.named_children
    return "".join(text(part) for part in parts) if all(part.type == "string_content" for part in parts) else None


def descendants(node: Node, *types: str) -> Iterator[Node]:
    """Every node of these types under a node, itself included, in the order of the source."""
    if node.type in types:
        yield node
    for child in node.named_children:
        yield from descendants(child, *types)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declared name. `value` is the last part of it: a default, an expression or a body."""

    kind: str
    name: str
    node: Node
    decorators: tuple[Node, ...]

    @property
    def value(self) -> Node | None:
        last = self.node.named_children[-1]
        return None if last.type in {"type", "identifier"} else last

    @property
    def source(self) -> str:
        """The type and version of a resource, the path of a module."""
        return literal(next(descendants(self.node, "string"))) or ""

    @property
    def body(self) -> Node:
        """The object of a resource or module, inside its loop or condition."""
        node = self.node.named_children[-1]
        while node.type in {"for_statement", "if_statement"}:
            node = node.named_children[-1]
        return node

    @property
    def is_existing(self) -> bool:
        return self.kind == "resource" and b" existing = " in (self.node.text or b"").split(b"{")[0]

    @property
    def is_conditional(self) -> bool:
        return any(child.type == "if_statement" for child in self.node.named_children)


def properties(body: Node) -> dict[str, Node]:
    """The properties of an object, by name; one whose name is computed goes by its source."""
    pairs = [child.named_children for child in body.named_children if child.type == "object_property"]
    return {literal(key) or text(key): value for key, value in ((pair[0], pair[-1]) for pair in pairs)}


def at(body: Node, path: str) -> Node:
    """The value at a path such as `properties.subnets.0.name`. Raises KeyError with the path when it is not there."""
    node = body
    for name in path.split("."):
        found = dict(enumerate(node.named_children)).get(int(name)) if name.isdigit() else properties(node).get(name)
        if found is None:
            raise KeyError(path)
        node = found
    return node


@dataclass(frozen=True)
class BicepFile:
    """One parsed file."""

    path: Path

    @cached_property
    def root(self) -> Node:
        return _PARSER.parse(self.path.read_bytes()).root_node

    @cached_property
    def declarations(self) -> tuple[Declaration, ...]:
        found, decorators = list[Declaration](), tuple[Node, ...]()
        for node in self.root.named_children:
            if node.type == "decorators":
                decorators = tuple(node.named_children)
                continue
            if kind := _KINDS.get(node.type):
                found.append(Declaration(kind, text(node.named_children[0]), node, decorators))
            decorators = ()
        return tuple(found)

    def named(self, *kinds: str) -> dict[str, Declaration]:
        """The declarations of these kinds, by name."""
        return {each.name: each for each in self.declarations if each.kind in kinds}

    def resources(self, resource_type: str) -> dict[str, Declaration]:
        """The resources of a type that are made here, by name."""
        found = self.named("resource").items()
        return {name: each for name, each in found if each.source.partition("@")[0] == resource_type}

    def calls(self, *functions: str) -> Iterator[Node]:
        """Every call of one of these functions."""
        for call in descendants(self.root, "call_expression"):
            if text(call.named_children[0]) in functions:
                yield call


def files(infra: Path) -> dict[str, BicepFile]:
    """Every Bicep file of a folder, by its path in it."""
    paths = sorted(infra.rglob("*.bicep"))
    return {path.relative_to(infra).as_posix(): BicepFile(path) for path in paths}
