"""Print infra/main.parameters.json as the Azure CLI wants it, with the values of this environment.

azd fills in `${NAME=default}` itself. Who deploys or asks what a deployment would change without azd runs
`python scripts/parameters.py > parameters.json`, and hands the file over with `--parameters @parameters.json`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[1] / "infra" / "main.parameters.json"
PLACE = re.compile(r"\$\{(?P<name>\w+)(?:=(?P<default>.*))?\}")

TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})
FALSE = frozenset({"0", "f", "F", "false", "False", "FALSE"})
"""What azd takes for a truth value, which is what Go's `strconv.ParseBool` does: one environment means one thing."""


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Print the parameters; exit code 1 when one without a default has no value, or one has a value of no use."""
    document = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    faults = []
    for parameter, given in list(document["parameters"].items()):
        place = PLACE.fullmatch(given["value"])
        if place is None:
            continue
        text = environ.get(place["name"]) or place["default"]
        if text is None:
            faults.append(f"set {place['name']}")
        elif text:
            try:
                given["value"] = typed(text, like=place["default"])
            except ValueError as error:
                faults.append(f"{place['name']} is {text!r}: {error}")
        else:
            del document["parameters"][parameter]  # the template's own default
    if faults:
        print(*(f"parameters: {fault}" for fault in faults), sep="\n", file=sys.stderr)
        return 1
    print(json.dumps(document, indent=2))
    return 0


def typed(text: str, *, like: str | None) -> str | int | bool:
    """A number or a truth value where the default is one: the CLI does not make them from text, as azd does.

    Raises ValueError for a word that is neither: a closed door must not be open because somebody wrote `yes`.
    """
    if like in ("true", "false"):
        if text not in TRUE | FALSE:
            raise ValueError("say true or false")
        return text in TRUE
    if not re.fullmatch(r"-?\d+", like or ""):
        return text
    if not re.fullmatch(r"[-+]?\d+", text, re.ASCII):
        raise ValueError("say a whole number")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
