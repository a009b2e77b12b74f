"""The deploy guide is walked through: what it names is there. The walk finds each kind of fault in a broken copy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.infra.guide import AZD, FENCE, MADE_ON_THE_WAY, Checkout, faults

CHECKOUT = Checkout(Path(__file__).resolve().parents[2])
GUIDE = CHECKOUT.text("docs/deploy.md")


@pytest.mark.parametrize("page", ["docs/deploy.md", "docs/cost.md", "SECURITY.md"])
def test_everything_that_the_page_names_is_there(page: str) -> None:
    assert faults(CHECKOUT.text(page), CHECKOUT, page=page) == []


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("$ azd up\n", "$ azd upp\n", "azd has no command upp"),
        ("$ azd down\n", "$ azd down --purge\n", "azd down has no --purge"),
        ("$ azd down\n", "$ azd down --force\n", "azd down has no --force"),
        (
            '--all --assignee "${JOB:?}"',
            '--all --assignee "$JOB"',
            "az role assignment list takes everybody when JOB is empty: ${JOB:?}",
        ),
        (
            '--role "${ROLE:?}" --scope',
            '--role "$ROLE" --scope',
            "az role assignment delete takes everybody when ROLE is empty: ${ROLE:?}",
        ),
        ("deploy rotation --from", "deploy --from", "azd deploy needs a service for --from-package"),
        ("az keyvault recover --name", "az keyvault recover --vault", "az keyvault recover has no --vault"),
        (
            "$(az ad signed-in-user show --query id",
            "$(az ad signed-in show --query id",
            "az has no command ad signed-in show",
        ),
        (
            "--file token.txt --encoding utf-8 --output none",
            "--file token.txt --encoding utf-8",
            "az keyvault secret set prints the value that it stored: --output none",
        ),
        ("az role definition create", "az role definitions create", "az has no command role definitions create"),
        ("make check", "make chekc", "the Makefile has no target chekc"),
        ("-m rotation status\n", "-m rotation state\n", "the command line has no state"),
        ("rotate --dry-run", "rotate --what-if", "rotation rotate has no --what-if"),
        ("/api/rotate", "/api/rotation", "the app has no POST /api/rotation"),
        ("get-value EGRESS_ADDRESS", "get-value EGRESS_IP", "no output EGRESS_IP"),
        ("env set PRIVATE_NETWORKING", "env set PRIVATE_NETWORK", "no variable PRIVATE_NETWORK"),
        ("`LOG_RETENTION_DAYS`", "`LOG_RETENTION`", "nothing is called LOG_RETENTION"),
        ("export APP_ID=", "export APP=", "$APP_ID is never set"),
        ("scripts/prepackage.py", "scripts/package.py", "no file scripts/package.py"),
        ("(cost.md)", "(costs.md)", "no file behind the link costs.md"),
        ("runbook.md#vault_denied", "runbook.md#vault_closed", "no heading behind the link runbook.md#vault_closed"),
    ],
)
def test_the_walk_finds_what_is_not_there(good: str, bad: str, said: str) -> None:
    assert good in GUIDE
    assert said in faults(GUIDE.replace(good, bad, 1), CHECKOUT)


def test_every_variable_of_the_parameters_is_explained() -> None:
    choices = GUIDE.partition("## Choices")[2].partition("### ")[0]
    asked_by_azd = {"AZURE_ENV_NAME", "AZURE_LOCATION"}
    assert [name for name in sorted(CHECKOUT.variables - asked_by_azd) if f"`{name}`" not in choices] == []


def test_the_pipeline_and_the_hooks_use_commands_that_the_walk_knows() -> None:
    texts = [CHECKOUT.text(name) for name in (".github/workflows/deploy.yml", "scripts/postdeploy.py")]
    assert "azd provision --no-prompt" in texts[0]
    assert "--no-state" in texts[1]
    assert {"--no-prompt", "--no-state"} <= AZD["provision"]


def test_git_ignores_what_is_made_on_the_way_some_of_which_is_secret() -> None:
    """A `git add .` half-way through the guide must not take a refresh token along."""
    made = {each[0] for each in re.finditer(MADE_ON_THE_WAY.pattern, GUIDE)}
    ignored = {line.lstrip("/") for line in CHECKOUT.text(".gitignore").splitlines()}
    assert {"token.txt", "app-secret.txt", "key-header.txt"} <= made
    assert made - {"main.parameters.json"} <= ignored


@pytest.mark.parametrize("page", ["README.md", "docs/deploy.md"])
def test_whoever_deploys_may_tag_a_token_afterwards(page: str) -> None:
    first = next(each["body"] for each in FENCE.finditer(CHECKOUT.text(page)) if "azd up" in each["body"])
    assert "azd env set OPERATOR_PRINCIPAL_ID" in first.partition("azd up")[0]


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "docs/deploy.md", "docs/runbook.md"])
def test_whoever_restores_something_is_told_to_provision_without_state(page: str) -> None:
    """`azd up` and `azd provision` skip the deployment when neither template nor parameters changed."""
    said = re.findall(r"[^.|]*\b(?:restores|puts? back|is put back)\b[^.|]*", CHECKOUT.text(page))
    assert [each for each in said if "azd provision --no-state" not in each] == []
