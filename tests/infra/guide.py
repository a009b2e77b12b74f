"""A walk through a guide: whether each command, option, variable, output, file and heading that it names is there.

Commands of the repository are held to the repository; those of azd and the Azure CLI to what their references list,
which is written down here, because neither program can be had where the tests run.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

AZD: Mapping[str, set[str]] = {
    "auth login": {"--client-id", "--tenant-id", "--federated-credential-provider"},
    "deploy": {"--from-package", "--no-prompt"},
    "down": set(),
    "env get-value": set(),
    "env new": {"--location", "--subscription"},
    "env set": set(),
    "hooks run": {"--service"},
    "package": {"--output-path"},
    "provision": {"--preview", "--no-state", "--no-prompt"},
    "up": set(),
}
"""azd 1.31, `azd help`. Of `down`, `--purge` and `--force` are left out on purpose: the one is of no use with purge
protection, and without the other azd asks before it deletes a group that it did not make."""

WITH_A_SERVICE = {"--from-package"}
"""Options of `azd deploy` that are refused without the name of a service."""

AZ: Mapping[str, set[str]] = {
    "account get-access-token": {"--scope"},
    "account set": {"--subscription"},
    "account show": set(),
    "ad app create": {"--display-name", "--sign-in-audience"},
    "ad app federated-credential create": {"--id", "--parameters"},
    "ad app federated-credential delete": {"--id", "--federated-credential-id"},
    "ad app federated-credential list": {"--id"},
    "ad signed-in-user show": set(),
    "ad sp create": {"--id"},
    "ad sp update": {"--id", "--set"},
    "deployment sub create": {"--location", "--template-file", "--parameters"},
    "functionapp keys list": {"--resource-group", "--name"},
    "functionapp keys set": set(),
    "functionapp list-flexconsumption-locations": set(),
    "group create": {"--name", "--location"},
    "keyvault list": set(),
    "keyvault list-deleted": {"--resource-type"},
    "keyvault recover": {"--name"},
    "keyvault secret list-versions": {"--vault-name", "--name"},
    "keyvault secret set": {"--vault-name", "--name", "--file", "--encoding", "--tags"},
    "keyvault secret set-attributes": {"--vault-name", "--name", "--tags"},
    "keyvault secret show": {"--vault-name", "--name"},
    "keyvault show": {"--name"},
    "login": set(),
    "provider register": {"--namespace", "--wait"},
    "rest": {"--method", "--url", "--body"},
    "role assignment create": {"--assignee", "--role", "--scope"},
    "role assignment delete": {"--assignee", "--ids", "--role", "--scope"},
    "role assignment list": {"--all", "--assignee", "--role", "--scope"},
    "role definition create": {"--role-definition"},
    "role definition delete": {"--name"},
}
"""Azure CLI, its reference; `--output` and `--query` go with each."""

AZDS_OWN = {"AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID"}
PIPELINES_OWN = {"PLAN_CLIENT_ID", "DEPLOY_CLIENT_ID"}
PLACEHOLDERS = {"PLAN_APP_ID", "PRODUCTION_APP_ID", "NAME", "VALUE"}
MADE_ON_THE_WAY = re.compile(
    r"(parameters|federated-credential|github|what-if|http-app)\.json|(token|app-secret|key-header|headers)\.txt|before\.zip"
)
COMMAND = re.compile(r"(?<![\w./-])(?P<program>azd|az) (?=(?P<rest>[a-z][^\n`|;&]*))")
FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a guide may name."""

    folder: Path

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    @property
    def variables(self) -> set[str]:
        """What infra/main.parameters.json reads from the environment."""
        return set(re.findall(r"\$\{(\w+)", self.text("infra/main.parameters.json")))

    @property
    def outputs(self) -> set[str]:
        return set(re.findall(r"^output (\w+) ", self.text("infra/main.bicep"), re.MULTILINE))

    @property
    def settings(self) -> set[str]:
        return set(json.loads(self.text("local.settings.sample.json"))["Values"])

    @property
    def targets(self) -> set[str]:
        return set(re.findall(r"^([a-z-]+):.*?## ", self.text("Makefile"), re.MULTILINE))

    def options(self, *sources: str) -> set[str]:
        return {option for name in sources for option in re.findall(r'"(--[a-z-]+)"', self.text(name))}

    def headings(self, name: str) -> set[str]:
        titles = re.findall(r"^#+ (.+)$", self.text(name), re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def faults(guide: str, checkout: Checkout, *, page: str = "docs/deploy.md") -> list[str]:
    """What the guide names and is not there, in the order of kinds; links start from where the page is."""
    shown = "\n".join(match["body"] for match in FENCE.finditer(guide) if match["kind"] == "console")
    prose = FENCE.sub("", guide)
    code = re.findall(r"`([^`\n]+)`", prose)
    said = shown.replace("\\\n", " ") + "\n" + "\n".join(code)
    return [
        *_foreign_commands(said),
        *_own_commands(said, checkout),
        *_variables(said, code, shown, checkout),
        *_files(said, checkout),
        *_links(prose, checkout, checkout.folder / page),
    ]


def _foreign_commands(said: str) -> Iterator[str]:
    for match in COMMAND.finditer(said):
        known, free = (AZD, set[str]()) if match["program"] == "azd" else (AZ, {"--output", "--query"})
        words = re.match(r"(?:[a-z][a-z-]*(?: |$))+", match["rest"] + " ")
        verbs = words[0].split() if words else []
        names = [" ".join(verbs[:length]) for length in range(len(verbs), 0, -1)]
        command = next((name for name in names if name in known), None)
        if command is None:
            yield f"{match['program']} has no command {' '.join(verbs)}"
            continue
        if command == "keyvault secret set" and "--file" in match["rest"] and "--output none" not in match["rest"]:
            yield "az keyvault secret set prints the value that it stored: --output none"
        if command.startswith("role assignment "):
            unguarded = re.findall(r'--(?:assignee|role|scope) "\$(\w+)"', match["rest"])
            yield from (f"az {command} takes everybody when {name} is empty: ${{{name}:?}}" for name in unguarded)
        given = set(re.findall(r"(?<=\s)--[a-z-]+", _outside_of_nested(match["rest"])))
        if command == "deploy" and given & WITH_A_SERVICE and command == " ".join(verbs):
            yield f"azd deploy needs a service for {' '.join(sorted(given & WITH_A_SERVICE))}"
        yield from (f"{match['program']} {command} has no {option}" for option in sorted(given - known[command] - free))


def _outside_of_nested(rest: str) -> str:
    """The command without what it runs in `$(...)`, which is a command of its own; up to where it is nested itself."""
    cleaned = re.sub(r"\$\([^()]*(?:\([^()]*\)[^()]*)*\)", "", rest)
    return cleaned.partition(")")[0]


def _own_commands(said: str, checkout: Checkout) -> Iterator[str]:
    for target in re.findall(r"(?:^|[$`\s])make ([a-z-]+)", said):
        if target not in checkout.targets:
            yield f"the Makefile has no target {target}"
    doors = ("rotation/cli/rotate.py", "rotation/cli/status.py", "rotation/cli/app.py")
    for line in re.findall(r"-m rotation ([^\n]*)", said):
        command, *words = shlex.split(line.partition("|")[0])
        if not (checkout.folder / "rotation" / "cli" / f"{command}.py").is_file():
            yield f"the command line has no {command}"
        options = {word for word in words if word.startswith("--")}
        yield from (f"rotation {command} has no {option}" for option in sorted(options - checkout.options(*doors)))
    for method, route in re.findall(r"curl -X (\w+) [^\n]*?/api/(\w+)", said):
        if f'@app.route("{route}", methods=["{method}"])' not in checkout.text("function_app.py"):
            yield f"the app has no {method} /api/{route}"


def _variables(said: str, code: list[str], shown: str, checkout: Checkout) -> Iterator[str]:
    outputs, variables = checkout.outputs, checkout.variables
    yield from (
        f"no output {name}" for name in re.findall(r"azd env get-value (\w+)", said) if name not in outputs | AZDS_OWN
    )
    yield from (
        f"no variable {name}" for name in re.findall(r"azd env set (\w+)", said) if name not in variables | PLACEHOLDERS
    )
    known = outputs | variables | checkout.settings | AZDS_OWN | PIPELINES_OWN
    words = [word for each in code for word in re.findall(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$", each)]
    yield from (f"nothing is called {word}" for word in words if word not in known)
    made = set(re.findall(r"\b([A-Za-z_]+)=(?=[\"$\w])", shown)) | set(re.findall(r"\bfor (\w+) in", shown))
    yield from (f"${name} is never set" for name in re.findall(r"\$\{?([A-Za-z_]\w+)", shown) if name not in made)


def _files(said: str, checkout: Checkout) -> Iterator[str]:
    paths = re.findall(r"(?<![\w./\"-])((?:[\w.-]+/)*[\w.-]+\.(?:py|bicep|json|md|txt|yml|yaml))\b", said)
    for path in paths:
        if not MADE_ON_THE_WAY.fullmatch(path) and not (checkout.folder / path).exists():
            yield f"no file {path}"


def _links(prose: str, checkout: Checkout, page: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in link:
            continue
        file, _, heading = link.partition("#")
        target = (page.parent / file).resolve() if file else page.resolve()
        if not target.is_file():
            yield f"no file behind the link {link}"
        elif heading and heading not in checkout.headings(str(target.relative_to(checkout.folder.resolve()))):
            yield f"no heading behind the link {link}"
