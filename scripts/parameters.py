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


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Print the parameters; exit code 1 when one without a default has no value."""
    document = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    missing = []
    for parameter, given in list(document["parameters"].items()):
        place = PLACE.fullmatch(given["value"])
        if place is None:
            continue
        text = environ.get(place["name"]) or place["default"]
        if text is None:
            missing.append(place["name"])
        elif text:
            given["value"] = typed(text, like=place["default"])
        else:
            del document["parameters"][parameter]  # the template's own default
    if missing:
        print(f"parameters: set {', '.join(missing)}", file=sys.stderr)
        return 1
    print(json.dumps(document, indent=2))
    return 0


def typed(text: str, *, like: str | None) -> str | int | bool:
    """A number or a truth value where the default is one: the CLI does not make them from text, as azd does."""
    if like in ("true", "false"):
        return text.lower() == "true"
    return int(text) if re.fullmatch(r"-?\d+", like or "") else text


if __name__ == "__main__":
    sys.exit(main())
