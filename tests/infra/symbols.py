"""What a compiler would say first: names that nobody declared or uses, modules that are called wrongly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tree_sitter import Node

from tests.infra.bicep import BicepFile, Declaration, descendants, files, literal, properties, text

FUNCTIONS = {
    "contains", "empty", "environment", "filter", "guid", "join", "last", "loadJsonContent",
    "loadTextContent", "replace", "resourceGroup", "resourceId", "split", "string", "subscription",
    "subscriptionResourceId", "tenant", "toLower", "trim", "union", "uniqueString",
}  # fmt: skip
"""Those that we use, of "Bicep functions" in the Bicep documentation; a new one is added when it is looked up there."""

BINDS = {"lambda_expression", "for_statement"}
BEGINS_WITH_A_NAME = BINDS | {
    "parameter_declaration", "variable_declaration", "resource_declaration", "module_declaration", "output_declaration",
    "call_expression", "object_property",
}  # fmt: skip


def faults(infra: Path) -> list[str]:
    """Every fault of every file, each with its file and, where it has one, its line."""
    everything = files(infra)
    found = [fault for name, file in everything.items() for fault in _faults_of(name, file)]
    return found + list(_unused_outputs(everything))


def _faults_of(name: str, file: BicepFile) -> Iterator[str]:
    for fault in (*_syntax(file.root), *_names(file), *_places(file), *_modules(file), *_loaded(file)):
        yield f"{name}: {fault}"


def _line(node: Node) -> int:
    return node.start_point[0] + 1


def _syntax(node: Node) -> Iterator[str]:
    if node.type == "ERROR" or node.is_missing:
        yield f"line {_line(node)} cannot be parsed"
        return
    for child in node.children:
        yield from _syntax(child)


def _names(file: BicepFile) -> Iterator[str]:
    declared = file.named("param", "var", "resource", "module")
    used = list(_used(file.root, frozenset()))
    for node in used:
        if text(node) not in declared:
            yield f"line {_line(node)} uses {text(node)}, which is declared nowhere"
    for call in descendants(file.root, "call_expression"):
        function = call.named_children[0]
        if function.type == "identifier" and not _decorates(call) and text(function) not in FUNCTIONS:
            yield f"line {_line(call)} calls {text(function)}, which is no function known here"
    names = {text(node) for node in used}
    for each in declared.values():
        if each.name not in names and (each.kind in {"param", "var"} or each.is_existing):
            yield f"{each.kind} {each.name} is used nowhere"


def _decorates(call: Node) -> bool:
    return call.parent is not None and call.parent.type == "decorator"


def _used(node: Node, local: frozenset[str]) -> Iterator[Node]:
    """The identifiers under a node that stand for a declared name."""
    if node.type == "identifier" and text(node) not in local:
        yield node
    if node.type in {"identifier", "decorators", "type"}:
        return
    children = node.named_children
    if node.type in BINDS:
        local |= {text(each) for each in descendants(children[0], "identifier", "loop_variable", "loop_enumerator")}
    computed = node.type == "object_property" and children[0].type == "string"
    for child in children[1:] if node.type in BEGINS_WITH_A_NAME and not computed else children:
        yield from _used(child, local)


def _places(file: BicepFile) -> Iterator[str]:
    """What says where a resource or module is deployed: its name, its parent, and from a subscription its group."""
    from_a_subscription = b"targetScope = 'subscription'" in (file.root.text or b"")
    for each in file.named("resource", "module").values():
        given = properties(each.body)
        needed = {
            "name": True,
            "scope": each.kind == "module" and from_a_subscription,
            "parent": each.kind == "resource" and each.source.count("/") > 1,
        }
        yield from (
            f"{each.kind} {each.name} has no {name}" for name, is_so in needed.items() if is_so and name not in given
        )


def _modules(file: BicepFile) -> Iterator[str]:
    modules = file.named("module")
    for module in modules.values():
        path = file.path.parent / module.source
        if not path.is_file():
            yield f"module {module.name} is {module.source}, which does not exist"
            continue
        yield from _parameters(module, BicepFile(path))
    for name, output, node in _outputs_used(file):
        target = file.path.parent / modules[name].source if name in modules else None
        if target is not None and target.is_file() and output not in BicepFile(target).named("output"):
            yield f"line {_line(node)} reads the output {output} of module {name}, which has none of that name"


def _parameters(module: Declaration, target: BicepFile) -> Iterator[str]:
    declared = target.named("param")
    body = properties(module.body)
    given = properties(body["params"]) if "params" in body else {}
    for name in given.keys() - declared.keys():
        yield f"module {module.name} is given {name}, which it does not take"
    for name, parameter in declared.items():
        if parameter.value is None and name not in given:
            yield f"module {module.name} is not given {name}, which it needs"


def _outputs_used(file: BicepFile) -> Iterator[tuple[str, str, Node]]:
    for node in descendants(file.root, "member_expression"):
        inner, output = node.named_children[0], node.named_children[-1]
        if inner.type == "member_expression" and text(inner.named_children[-1]) == "outputs":
            yield text(next(descendants(inner, "identifier"))), text(output), node


def _unused_outputs(everything: dict[str, BicepFile]) -> Iterator[str]:
    used = set[tuple[Path, str]]()
    for file in everything.values():
        modules = file.named("module")
        used |= {
            ((file.path.parent / modules[module].source).resolve(), output)
            for module, output, _ in _outputs_used(file)
            if module in modules
        }
    for name, file in everything.items():
        for output in file.named("output"):
            if name != "main.bicep" and (file.path.resolve(), output) not in used:
                yield f"{name}: output {output} is used nowhere"


def _loaded(file: BicepFile) -> Iterator[str]:
    """Files that are loaded exist; of a JSON file that is a table of names, every name that is used exists."""
    for call in file.calls("loadTextContent", "loadJsonContent"):
        source = literal(next(descendants(call, "string"))) or ""
        if not (file.path.parent / source).is_file():
            yield f"line {_line(call)} loads {source}, which does not exist"
    tables = {
        each.name: file.path.parent / (literal(next(descendants(each.value, "string"))) or "")
        for each in file.named("var").values()
        if each.value is not None and text(each.value).startswith("loadJsonContent(")
    }
    for node in descendants(file.root, "member_expression"):
        table, name = tables.get(text(node.named_children[0])), text(node.named_children[-1])
        if table is not None and table.is_file() and name not in json.loads(table.read_text(encoding="utf-8")):
            yield f"line {_line(node)} reads {text(node)}, which {table.name} does not have"
