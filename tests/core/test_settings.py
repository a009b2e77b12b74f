"""The environment as one value, or every fault of it in one message that repeats no value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.settings import AzureCliIdentity, Settings
from rotation.token import Thresholds
from tests.core.environments import (
    ENDPOINT,
    LEAST,
    PASTED,
    STORAGE,
    TRIPLE,
    URL,
    faults_of,
    faults_or_none,
    first_word,
    settings_of,
)


def test_one_vault_is_enough_and_everything_else_has_a_default() -> None:
    assert settings_of() == Settings(
        key_vault_urls=(URL,),
        rotation_schedule="0 17 */6 * * *",
        thresholds=Thresholds(7, 90, 30),
        max_concurrency=16,
        writes_per_second=29.0,
        run_time_limit_seconds=480,
        authority_overrides={},
        identity=AzureCliIdentity(),
        identity_authority=None,
        telemetry=None,
        lease_storage=None,
    )


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
def test_a_blank_setting_is_one_that_is_not_set(blank: str) -> None:
    names = ("ROTATION_SCHEDULE", "ROTATE_AFTER_DAYS", "MAX_CONCURRENCY", "AUTHORITY_OVERRIDES", *TRIPLE, *STORAGE)
    assert settings_of(**dict.fromkeys((*names, "AZURE_AUTHORITY_HOST"), blank)) == settings_of()


def test_every_setting_is_read() -> None:
    settings = settings_of(
        KEY_VAULT_URLS=f" {URL}/ , https://FABRIKAM.vault.azure.net:8443 ,",
        ROTATION_SCHEDULE="0 0 3 * * mon",
        ROTATE_AFTER_DAYS="5",
        INACTIVITY_DAYS="60",
        WARN_BEFORE_DAYS="20",
        MAX_CONCURRENCY="4",
        WRITES_PER_SECOND="2.5",
        RUN_TIME_LIMIT_SECONDS="60",
        AUTHORITY_OVERRIDES="global=https://127.0.0.1:8443/, china=https://login.contoso.cn",
        AZURE_AUTHORITY_HOST="login.contoso.com",
    )
    assert settings.key_vault_urls == (URL, "https://fabrikam.vault.azure.net:8443")
    assert settings.rotation_schedule == "0 0 3 * * mon"
    assert settings.thresholds == Thresholds(5, 60, 20)
    assert (settings.max_concurrency, settings.writes_per_second, settings.run_time_limit_seconds) == (4, 2.5, 60)
    assert settings.authority_overrides == {"global": "https://127.0.0.1:8443", "china": "https://login.contoso.cn"}
    assert settings.identity_authority == "https://login.contoso.com"


WRONG = {
    "KEY_VAULT_URLS": "contoso-tokens",
    "ROTATION_SCHEDULE": "daily",
    "ROTATE_AFTER_DAYS": "weekly",
    "INACTIVITY_DAYS": "0",
    "WARN_BEFORE_DAYS": "-1",
    "MAX_CONCURRENCY": "many",
    "WRITES_PER_SECOND": "fast",
    "RUN_TIME_LIMIT_SECONDS": "600",
    "AUTHORITY_OVERRIDES": "global",
    "AZURE_CLIENT_ID": TRIPLE["AZURE_CLIENT_ID"],
    "AZURE_AUTHORITY_HOST": "http://login.contoso.com",
    "AzureWebJobsStorage__credential": "systemassigned",
    "AzureWebJobsStorage": "contosorotation",
}


def test_every_fault_is_said_at_once_and_names_its_setting() -> None:
    assert [first_word(fault) for fault in faults_of(WRONG)] == list(WRONG)


def test_a_vault_is_required() -> None:
    (fault,) = faults_of({})
    assert fault.startswith("KEY_VAULT_URLS is missing")
    assert "https://<name>.vault.azure.net" in fault


@pytest.mark.parametrize(
    "name", [*WRONG, *STORAGE[1:2], *STORAGE[3:], "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT"]
)
def test_a_secret_in_the_wrong_setting_is_not_repeated(name: str) -> None:
    refused = faults_or_none({**LEAST, **ENDPOINT, name: PASTED})
    taken = {"IDENTITY_ENDPOINT", "AZURE_CLIENT_ID"}  # whatever stands there may be right
    assert (refused is None) == (name in taken)
    assert PASTED not in f"{refused} {refused!r}"


@pytest.mark.parametrize(
    "url",
    [
        "http://contoso.vault.azure.net", "contoso.vault.azure.net", "https://", "https:///x", "https://a b.net",
        "https://contoso.vault.azure.net/secrets", "https://contoso.vault.azure.net?x=1", "https://contoso.net?",
        "https://contoso.vault.azure.net#x", "https://contoso.net#", "https://user@contoso.net", "https://@contoso.net",
        "https://user:pass@contoso.net", "https://contoso.net:0", "https://contoso.net:99999", "https://contoso.net:",
        "https://contoso.net:x", "https://cont\noso.net", "https://contoso.net\\@evil.net", "https://[::1", "ftp://a.net",
        "https://contöso.net", "https://contoso.net.", "https://.net", "https://-", "\ud800",
    ],
)  # fmt: skip
def test_only_an_https_origin_is_an_address(url: str) -> None:
    (vault,) = faults_of({"KEY_VAULT_URLS": f"{URL},{url}"})
    (override,) = faults_of({**LEAST, "AUTHORITY_OVERRIDES": f"global={url}"})
    assert vault.startswith("KEY_VAULT_URLS, entry 2, ")
    assert override.startswith("AUTHORITY_OVERRIDES, entry 1, ")


@pytest.mark.parametrize(
    "url", [URL, "https://127.0.0.1:40123", "https://localhost", "https://[::1]:8443", "HTTPS://A.net/"]
)
def test_an_https_origin_is_an_address(url: str) -> None:
    assert settings_of(KEY_VAULT_URLS=url).key_vault_urls == (url.lower().rstrip("/"),)


def test_the_port_that_https_means_anyway_makes_no_other_host() -> None:
    settings = settings_of(
        KEY_VAULT_URLS="https://contoso-vault.vault.azure.net:443/",
        AUTHORITY_OVERRIDES="china=https://login.contoso.example:443",
    )
    assert settings.key_vault_urls == ("https://contoso-vault.vault.azure.net",)
    assert settings.authority_overrides == {"china": "https://login.contoso.example"}


def test_a_vault_that_is_named_twice_is_a_fault() -> None:
    (fault,) = faults_of({"KEY_VAULT_URLS": f"{URL},{URL.upper().replace('HTTPS', 'https')}/"})
    assert "twice" in fault


@pytest.mark.parametrize("overrides", ["mars=https://a.net", "global", "=https://a.net", "global=https://a.net=x"])
def test_an_override_is_of_a_known_cloud(overrides: str) -> None:
    (fault,) = faults_of({**LEAST, "AUTHORITY_OVERRIDES": overrides})
    assert "global, usgov, china" in fault


def test_a_cloud_that_is_overridden_twice_is_a_fault() -> None:
    (fault,) = faults_of({**LEAST, "AUTHORITY_OVERRIDES": "global=https://a.net,global=https://b.net"})
    assert fault.startswith("AUTHORITY_OVERRIDES ")
    assert "twice" in fault


@pytest.mark.parametrize(("rotate", "inactivity", "warn"), [("60", "90", "30"), ("59", "89", "30"), ("7", "30", "23")])
def test_days_that_would_make_a_healthy_token_warn_are_a_fault(rotate: str, inactivity: str, warn: str) -> None:
    days = {"ROTATE_AFTER_DAYS": rotate, "INACTIVITY_DAYS": inactivity, "WARN_BEFORE_DAYS": warn}
    (fault,) = faults_of({**LEAST, **days})
    assert all(name in fault for name in days)
    a_day_less = str(int(rotate) - 1)
    assert settings_of(**{**days, "ROTATE_AFTER_DAYS": a_day_less}).thresholds.rotate_after_days == int(a_day_less)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("MAX_CONCURRENCY", "1", "64"),
        ("WRITES_PER_SECOND", "1", "1000"),
        ("RUN_TIME_LIMIT_SECONDS", "10", "480"),
    ],
)
def test_a_number_has_its_limits(name: str, low: str, high: str) -> None:
    for value in (low, high):
        assert getattr(settings_of(**{name: value}), name.lower()) == float(value)
    for value in ("0", "-1", "1001", "nan", "inf", "1,5", "0x10", "9" * 5000, "\ud800"):
        (fault,) = faults_of({**LEAST, name: value})
        assert fault.startswith(f"{name} ")


def test_an_authority_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert settings_of(REQUESTS_CA_BUNDLE=str(tmp_path)).key_vault_urls
    faults = faults_of(
        {"KEY_VAULT_URLS": "https://contoso-vault.vault.azure.net", "REQUESTS_CA_BUNDLE": "/no/such.pem"}
    )
    assert faults == ("REQUESTS_CA_BUNDLE names a file that does not exist",)


@given(
    st.dictionaries(
        st.sampled_from([*WRONG, *TRIPLE, *ENDPOINT, *STORAGE]), st.text(st.characters(exclude_categories=()))
    )
)
def test_any_environment_gives_settings_or_named_faults(environ: Mapping[str, str]) -> None:
    refused = faults_or_none(environ)
    assert refused is None or all(first_word(fault) in {*WRONG, *TRIPLE, *STORAGE} for fault in refused.faults)
