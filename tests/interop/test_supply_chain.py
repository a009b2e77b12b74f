"""The real pip-audit and cyclonedx-py behind `make audit` and `make sbom`, with a vulnerability service on loopback."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulators.serve import Site, listen, serving, url_of
from supply_chain.audit import CLEAN, FAULTY, FOUND, UNREACHABLE

CHECKOUT = Path(__file__).parents[2]
PYTHON = CHECKOUT / ".cache" / "audit" / "bin" / "python"
DIGEST = "sha256:" + "0123456789abcdef" * 4
OLD = {
    "id": "GHSA-0000-0000-0001",
    "aliases": ["CVE-2026-1"],
    "summary": "an old fault",
    "affected": [
        {
            "package": {"name": "contoso-library", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.3"}]}],
        }
    ],
}


@dataclass(slots=True)
class Service:
    """As https://google.github.io/osv.dev/post-v1-query/: what is known of a version, and which were asked for."""

    url: str = ""
    known: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    async def answer(self, request: Request) -> JSONResponse:
        query = json.loads(await request.body())
        name, version = query["package"]["name"], query["version"]
        self.asked.add(f"{name}=={version}")
        vulnerabilities = self.known.get((name, version), [])
        return JSONResponse({"vulns": vulnerabilities} if vulnerabilities else {})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    bound, service = listen(), Service(known={("contoso-library", "1.2"): [OLD]})
    service.url = f"{url_of(bound, scheme='http')}/v1/query"
    with serving([Site(bound, Starlette(routes=[Route("/v1/query", service.answer, methods=["POST"])]), None)]):
        yield service


def ran(module: str, *args: str | Path) -> subprocess.CompletedProcess[str]:
    assert PYTHON.exists(), "the tools are missing: run make audit once"
    command = [PYTHON, "-m", f"supply_chain.{module}", *args]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def audited(url: str, *locks: Path, accepted: Path | None = None) -> subprocess.CompletedProcess[str]:
    options = ("--accepted", accepted) if accepted else ()
    return ran("audit", *locks, *options, "--osv-url", url)


def pinned(folder: Path, version: str) -> Path:
    lock = folder / "requirements.txt"
    lock.write_text(f"contoso-library=={version} ; sys_platform == 'win32' --hash={DIGEST}\n", encoding="utf-8")
    return lock


def test_every_pin_of_every_platform_is_asked_for(service: Service) -> None:
    ended = audited(service.url, *sorted(CHECKOUT.glob("requirements*.txt")))
    assert (ended.returncode, ended.stderr) == (CLEAN, "")
    assert len(service.asked) == int(ended.stdout.split()[0]) > 100
    assert any(each.startswith("colorama==") for each in service.asked), "for Windows alone"


def test_a_version_with_a_known_vulnerability_fails_and_a_good_one_does_not(service: Service, tmp_path: Path) -> None:
    bad = audited(service.url, pinned(tmp_path, "1.2"))
    assert bad.returncode == FOUND
    assert "KNOWN     contoso-library 1.2  CVE-2026-1, GHSA-0000-0000-0001  fixed in 1.3" in bad.stdout
    assert audited(service.url, pinned(tmp_path, "1.3")).returncode == CLEAN


def test_it_passes_once_it_is_accepted_with_a_reason(service: Service, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.toml"
    entry = 'id = "CVE-2026-1"\npackage = "contoso-library"\nreason = "unused"\naccepted = 2026-11-21\n'
    accepted.write_text(f"[[finding]]\n{entry}review = 2999-01-01\n", encoding="utf-8")
    ended = audited(service.url, pinned(tmp_path, "1.2"), accepted=accepted)
    assert ended.returncode == CLEAN
    assert "until 2999-01-01: unused" in ended.stdout


def test_a_pin_without_a_hash_fails_before_anybody_is_asked(service: Service, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("contoso-library==1.3\n", encoding="utf-8")
    assert audited(service.url, lock).returncode == FAULTY
    assert service.asked == set()


def test_a_service_that_is_not_there_is_told_apart(service: Service, tmp_path: Path) -> None:
    nowhere = service.url.replace("/v1/query", "/nothing-here")
    for url in (nowhere, "http://127.0.0.1:9/v1/query"):
        ended = audited(url, pinned(tmp_path, "1.3"))
        assert ended.returncode == UNREACHABLE
        assert ended.stdout.startswith("NOT ASKED pip-audit got no answer")


def test_the_bill_is_the_same_every_time_and_lists_what_is_deployed(tmp_path: Path) -> None:
    bills = [tmp_path / "first.json", tmp_path / "second.json"]
    for bill in bills:
        assert ran("sbom", CHECKOUT / "requirements.txt", bill).stdout == f"{bill}\n"
    assert bills[0].read_bytes() == bills[1].read_bytes()
    content = json.loads(bills[0].read_text(encoding="utf-8"))
    assert content["metadata"]["component"]["name"] == "token-rotation"
    assert {"msal", "azure-keyvault-secrets"} <= {each["name"] for each in content["components"]}
    assert "pytest" not in bills[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["contoso-library==1.3", f"contoso-library>=1.3 --hash={DIGEST}"])
def test_there_is_no_bill_of_what_is_not_pinned(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"{line}\n", encoding="utf-8")
    ended = ran("sbom", lock, tmp_path / "bill.json")
    assert ended.returncode == 1
    assert "requirements.txt, line 1: 'contoso-library" in ended.stderr
