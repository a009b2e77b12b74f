"""The workflows: by GitHub's schema, actionlint and zizmor, and what they may do. Each check is shown a fault, too."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
WORKFLOWS = Path(".github", "workflows")
PROGRAMS = CHECKOUT / ".cache" / "linters" / "bin"
LINTERS = {
    "schema": ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    "timeouts": ["check-jsonschema", "--builtin-schema", "custom.github-workflows-require-timeout"],
    "actionlint": ["actionlint", "-shellcheck=", "-pyflakes="],
    "zizmor": ["zizmor", "--offline", "--quiet"],
}


def lint(linter: str, checkout: Path) -> subprocess.CompletedProcess[str]:
    program, *options = LINTERS[linter]
    if not (PROGRAMS / program).exists():
        pytest.skip(f"THE WORKFLOWS WERE NOT LINTED by {linter}: run make infra")
    files = [str(each.relative_to(checkout)) for each in sorted((checkout / WORKFLOWS).glob("*.yml"))]
    command = [str(PROGRAMS / program), *options, *files]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=60)


def workflow(name: str) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load((CHECKOUT / WORKFLOWS / name).read_text(encoding="utf-8"))
    return content


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(CHECKOUT / WORKFLOWS, tmp_path / WORKFLOWS)
    (tmp_path / ".git").mkdir()  # actionlint looks for the project
    return tmp_path


@pytest.mark.parametrize("linter", LINTERS)
def test_no_linter_finds_fault(linter: str) -> None:
    done = lint(linter, CHECKOUT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("linter", "good", "bad"),
    [
        ("schema", "runs-on: ubuntu-24.04", "run-on: ubuntu-24.04"),
        ("timeouts", "    timeout-minutes: 15\n", ""),
        ("actionlint", "needs: [what-if, tests]", "needs: [what-if, test]"),
        ("actionlint", "github.event_name != 'pull_request'", "github.event_nam != 'pull_request'"),
        ("zizmor", "  pull_request:\n", "  pull_request_target:\n"),
        ("zizmor", "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7"),
        ("zizmor", "        with:\n          persist-credentials: false\n", ""),
        (
            "zizmor",
            "    permissions:\n      contents: read # the checkout\n    uses:",
            "    permissions: write-all\n    uses:",
        ),
        ("zizmor", '--location "$AZURE_LOCATION"', '--location "${{ github.event.pull_request.title }}"'),
    ],
)
def test_each_linter_finds_the_fault_that_it_is_there_for(copy: Path, linter: str, good: str, bad: str) -> None:
    file = copy / WORKFLOWS / "deploy.yml"
    text = file.read_text(encoding="utf-8")
    assert good in text
    file.write_text(text.replace(good, bad), encoding="utf-8")
    assert lint(linter, copy).returncode != 0


@pytest.mark.parametrize("name", ["ci.yml", "deploy.yml"])
def test_actions_are_named_by_commit_and_say_which_version_that_is(name: str) -> None:
    text = (CHECKOUT / WORKFLOWS / name).read_text(encoding="utf-8")
    uses = re.findall(r"uses: (.+)$", text, re.MULTILINE)
    foreign = [each for each in uses if not each.startswith("./")]
    assert foreign
    assert [each for each in foreign if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_every_job_names_its_permissions_and_only_deploy_yml_may_sign_in() -> None:
    for name in ("ci.yml", "deploy.yml"):
        content = workflow(name)
        assert content["permissions"] == {}
        for title, job in content["jobs"].items():
            signs_in = name == "deploy.yml" and title in ("what-if", "deploy")
            assert job["permissions"] == {"contents": "read"} | ({"id-token": "write"} if signs_in else {})


def test_a_fork_gets_nothing_that_is_signed_for() -> None:
    jobs = workflow("deploy.yml")["jobs"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in jobs["what-if"]["if"]
    assert jobs["deploy"]["if"] == "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"
    assert (jobs["what-if"]["environment"], jobs["deploy"]["environment"]) == ("plan", "production")
    assert jobs["deploy"]["needs"] == ["what-if", "tests"]


def test_every_address_is_masked_before_anything_else_is_run_that_knows_it() -> None:
    """GitHub masks the value of a secret; of a list of addresses each is printed alone."""
    steps = [step for job in workflow("deploy.yml")["jobs"].values() for step in job.get("steps", ())]
    told = [step["run"] for step in steps if "ALERT_EMAILS" in step.get("env", {})]
    assert len(told) == 2
    for run in told:
        first = ["bash", "-e", "-c", run.splitlines()[0]]
        environ = {"PATH": os.environ["PATH"], "ALERT_EMAILS": "ops@contoso.example, duty@contoso.example"}
        done = subprocess.run(first, env=environ, capture_output=True, text=True, check=True)
        assert done.stdout == "::add-mask::ops@contoso.example\n::add-mask::duty@contoso.example\n"


def test_the_pipeline_runs_targets_that_the_makefile_has() -> None:
    targets = workflow("ci.yml")["jobs"]["make"]["strategy"]["matrix"]["target"]
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    assert [each for each in targets if not re.search(rf"^{each}:.*##", makefile, re.MULTILINE)] == []


def test_the_pipeline_runs_all_that_must_pass_before_a_change_lands() -> None:
    sections = set(re.findall(r"^section make (\w+)$", (CHECKOUT / ".ci" / "run").read_text("utf-8"), re.MULTILINE))
    assert sections
    assert sections | {"audit", "sbom"} <= set(workflow("ci.yml")["jobs"]["make"]["strategy"]["matrix"]["target"])


def test_the_pipeline_hands_over_every_variable_of_the_parameters() -> None:
    parameters = (CHECKOUT / "infra" / "main.parameters.json").read_text(encoding="utf-8")
    content = workflow("deploy.yml")
    given = content["env"] | content["jobs"]["what-if"]["steps"][-1]["env"]
    assert set(given) == set(re.findall(r"\$\{(\w+)", parameters))
