"""`azure.yaml` and `host.json` by schema, each with the faults that it is there for.

The schemas are ours, and narrower than the published ones: azd and the Functions host ignore a word that they do not
know, and a hook or a setting that is misspelt would be gone without a word.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM = CHECKOUT / ".cache" / "linters" / "bin" / "check-jsonschema"


def validate(file: Path) -> subprocess.CompletedProcess[str]:
    if not PROGRAM.exists():
        pytest.skip("AZURE.YAML AND HOST.JSON WERE NOT VALIDATED: run make infra")
    schema = Path(__file__).parent / "schemas" / f"{file.stem}.schema.json"
    command = [str(PROGRAM), "--schemafile", str(schema), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("file", ["azure.yaml", "host.json"])
def test_the_file_is_what_its_schema_says(file: str) -> None:
    done = validate(CHECKOUT / file)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "good", "bad", "said"),
    [
        ("azure.yaml", "remoteBuild: false", "remoteBuilds: false", "remoteBuilds"),
        ("azure.yaml", "remoteBuild: false", "remoteBuild: never", "'never' is not of type 'boolean'"),
        ("azure.yaml", "  postdeploy: #", "  afterdeploy: #", "afterdeploy"),
        ("azure.yaml", "      prepackage:\n", "      beforepackage:\n", "beforepackage"),
        ("azure.yaml", "interactive: true", "interactiv: true", "interactiv"),
        ("azure.yaml", "host: function", "host: functions", "'functions' is not one of"),
        ("azure.yaml", '">= 1', '"1', "does not match"),
        ("azure.yaml", "      posix: { shell: sh,", "      linux: { shell: sh,", "linux"),
        ("host.json", '"telemetryMode"', '"telemetrymode"', "telemetrymode"),
        ("host.json", '"OpenTelemetry"', '"ApplicationInsights"', "is not one of"),
        ("host.json", '"00:15:00"', '"15 minutes"', "does not match"),
        ("host.json", '"[4.*, 5.0.0)"', '"4"', "does not match"),
    ],
)
def test_a_broken_copy_is_refused(tmp_path: Path, file: str, good: str, bad: str, said: str) -> None:
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    assert good in text
    (tmp_path / file).write_text(text.replace(good, bad, 1), encoding="utf-8")
    done = validate(tmp_path / file)
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
