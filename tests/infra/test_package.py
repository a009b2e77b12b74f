"""The package that azd uploads: made by the hook's script, and imported with nothing else on the path."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
ISOLATED = [sys.executable, "-I", "-S", "-B"]
"""Python without its site-packages, and leaving no bytecode behind: what is imported is the package or Python."""

IMPORT = """
import json, sys
sys.path[:0] = sys.argv[1:]
import function_app
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print(json.dumps([[each.get_function_name() for each in function_app.app.get_functions()], [f for f in files if f]]))
"""


def prepackage(checkout: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(checkout / "scripts" / "prepackage.py"), "--to", str(folder)]
    return subprocess.run(script, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def staged(worker_id: str) -> Path:
    """Kept between runs, as azd keeps it between deployments; one for each worker that runs at the same time."""
    folder = CHECKOUT / ".cache" / "package" / worker_id
    done = prepackage(CHECKOUT, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the script reads, to be spoilt."""
    for name in ("function_app.py", "host.json", "requirements.txt"):
        shutil.copy2(CHECKOUT / name, tmp_path / name)
    for name in ("rotation", "scripts"):
        shutil.copytree(CHECKOUT / name, tmp_path / name)
    return tmp_path


def test_the_functions_load_with_the_package_alone_on_the_path(staged: Path) -> None:
    app = staged / "app"
    paths = [str(app), str(app / ".python_packages" / "lib" / "site-packages")]
    done = subprocess.run([*ISOLATED, "-c", IMPORT, *paths], capture_output=True, text=True, check=True, timeout=60)
    functions, files = json.loads(done.stdout)
    assert sorted(functions) == ["rotate", "rotate_on_schedule", "status"]
    own = subprocess.run([*ISOLATED, "-c", "import os; print(os.__file__)"], capture_output=True, text=True, check=True)
    pythons = str(Path(own.stdout).parent)
    assert [file for file in files if not file.startswith((str(app), pythons))] == []


def test_nothing_ships_but_the_app_and_its_packages(staged: Path) -> None:
    app = staged / "app"
    assert {each.name for each in app.iterdir()} == {
        "function_app.py", "host.json", "requirements.txt", "rotation", ".python_packages",
    }  # fmt: skip
    assert not (app / "rotation" / "cli").exists()
    assert not (app / "rotation" / "__main__.py").exists()
    assert not list(app.rglob("__pycache__"))


def test_compiled_packages_are_those_of_linux_and_python_3_13(staged: Path) -> None:
    compiled = [each.name for each in (staged / "app").rglob("*") if each.suffix in (".so", ".pyd", ".dylib")]
    assert compiled
    assert [name for name in compiled if not re.search(r"\.(cpython-313-x86_64-linux-gnu|abi3)\.so$", name)] == []


def test_the_same_lock_is_installed_once(staged: Path) -> None:
    again = prepackage(CHECKOUT, staged)
    assert "as before, requirements.txt has not changed" in again.stdout


def test_what_somebody_removed_from_the_packages_is_installed_again(staged: Path, tmp_path: Path) -> None:
    shutil.copytree(staged, tmp_path / "copy")
    shutil.rmtree(next((tmp_path / "copy" / "packages").glob("msal-*.dist-info")))
    done = prepackage(CHECKOUT, tmp_path / "copy")
    assert "(installed)" in done.stdout


@pytest.mark.parametrize(
    ("good", "bad"), [(r"sha256:[0-9a-f]{8}", "sha256:00000000"), (r" \\\n +--hash=sha256:[0-9a-f]{64}", "")]
)
def test_a_wrong_hash_or_none_stages_nothing(checkout: Path, good: str, bad: str) -> None:
    lock = checkout / "requirements.txt"
    lock.write_text(re.sub(good, bad, lock.read_text(encoding="utf-8")), encoding="utf-8")
    (checkout / "out" / "app").mkdir(parents=True)  # of an earlier deployment
    done = prepackage(checkout, checkout / "out")
    assert done.returncode == 1
    assert "nothing was staged" in done.stderr
    assert not (checkout / "out" / "app").exists()


def test_a_marker_in_the_lock_is_refused_because_pip_would_ask_the_wrong_machine(checkout: Path) -> None:
    lock = checkout / "requirements.txt"
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text.replace("msal==1", "msal ; sys_platform == 'win32' ==1"), encoding="utf-8")
    done = prepackage(checkout, checkout / "out")
    assert done.returncode == 1
    assert "environment markers: msal ; sys_platform == 'win32'" in done.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "held").touch()
    done = prepackage(CHECKOUT, tmp_path / "held")
    assert done.returncode == 1
    assert done.stderr.startswith(f"prepackage: {tmp_path / 'held'}")
    assert "enable long paths" in done.stderr


def test_a_file_that_cannot_be_copied_is_named_and_half_a_package_is_not_left(staged: Path, checkout: Path) -> None:
    shutil.copytree(staged, checkout / "out")
    (checkout / "rotation" / "gone.py").symlink_to("nowhere.py")
    done = prepackage(checkout, checkout / "out")
    assert done.returncode == 1
    assert done.stderr.startswith(f"prepackage: {checkout / 'out' / 'app' / 'rotation' / 'gone.py'}: ")
    assert not (checkout / "out" / "app").exists()


def test_a_file_left_in_the_stage_does_not_ship(staged: Path) -> None:
    stray = staged / "app" / "rotation" / "stray.py"
    stray.write_text("", encoding="utf-8")
    prepackage(CHECKOUT, staged)
    assert not stray.exists()


def test_azd_uploads_the_stage_as_it_is() -> None:
    project = yaml.safe_load((CHECKOUT / "azure.yaml").read_text(encoding="utf-8"))
    service = project["services"]["rotation"]
    assert (service["host"], service["language"], service["remoteBuild"]) == ("function", "python", False)
    assert service["dist"] == ".package/app"
    assert service["hooks"] == {"prepackage": hook("scripts/prepackage.py")}


def hook(script: str, **more: bool) -> dict[str, dict[str, object]]:
    # PowerShell forgets the exit code of a program that a script called last
    windows = f"python {script}; exit $LASTEXITCODE"
    return {
        "posix": {"shell": "sh", "run": f"python3 {script}", **more},
        "windows": {"shell": "pwsh", "run": windows, **more},
    }


def test_azd_shows_what_the_script_after_a_deployment_prints() -> None:
    """It discards what a service's hook prints, and what one prints that is not interactive (azure-dev issue 9073)."""
    project = yaml.safe_load((CHECKOUT / "azure.yaml").read_text(encoding="utf-8"))
    assert project["hooks"] == {"postdeploy": hook("scripts/postdeploy.py", interactive=True)}
