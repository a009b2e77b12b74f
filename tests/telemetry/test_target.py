"""The two settings of Application Insights: what is one, what is a fault, and that no fault shows what was written."""

from __future__ import annotations

import pytest
from azure.monitor.opentelemetry.exporter._connection_string_parser import ConnectionStringParser

from rotation.settings import Settings, SettingsError
from rotation.telemetry_target import EntraAuthentication, TelemetryTarget

KEY = "11112222-3333-4444-5555-666677778888"
ENDPOINT = "https://westeurope-5.in.applicationinsights.azure.com"
ONLY_KEY = f"InstrumentationKey={KEY}"
AUDIENCE = "AADAudience=https://monitor.azure.us"
PORTALS = (
    f"InstrumentationKey={KEY};IngestionEndpoint={ENDPOINT}/;"
    f"LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.com/;ApplicationId={KEY}"
)
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
AUTHENTICATION = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"


def target_of(connection: str = "", authentication: str = "") -> TelemetryTarget | None:
    environ = {
        "KEY_VAULT_URLS": "https://contoso.vault.azure.net",
        CONNECTION: connection,
        AUTHENTICATION: authentication,
    }
    return Settings.from_environ(environ).telemetry


def test_without_a_connection_string_there_is_no_telemetry() -> None:
    assert target_of() is None
    assert target_of(authentication="Authorization=AAD") is None


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        (PORTALS, f"InstrumentationKey={KEY};IngestionEndpoint={ENDPOINT}"),
        (ONLY_KEY, f"InstrumentationKey={KEY};IngestionEndpoint=https://dc.services.visualstudio.com"),
        (f" instrumentationkey={KEY.upper()};IngestionEndpoint={ENDPOINT}", f"{ONLY_KEY};IngestionEndpoint={ENDPOINT}"),
        (f"{ONLY_KEY};EndpointSuffix=ai.contoso.com", f"{ONLY_KEY};IngestionEndpoint=https://dc.ai.contoso.com"),
        (f"{ONLY_KEY};EndpointSuffix=b.com;Location=east", f"{ONLY_KEY};IngestionEndpoint=https://east.dc.b.com"),
        (f"{ONLY_KEY};IngestionEndpoint={ENDPOINT};{AUDIENCE}", f"{ONLY_KEY};IngestionEndpoint={ENDPOINT};{AUDIENCE}"),
    ],
)  # fmt: skip
def test_a_connection_string_is_read_and_the_exporter_takes_what_is_made_of_it(text: str, needed: str) -> None:
    target = target_of(text)
    assert target is not None
    assert target.connection_string == needed
    assert ConnectionStringParser(needed).endpoint == needed.split(";")[1].partition("=")[2]


@pytest.mark.parametrize(
    "text",
    [
        "contoso",
        f"InstrumentationKey={KEY};",
        f"InstrumentationKey={KEY};IngestionEndpoint",
        f"InstrumentationKey={KEY};IngestionEndpoint=a=b",
        f"IngestionEndpoint={ENDPOINT}/",
        f"InstrumentationKey=not-a-guid;IngestionEndpoint={ENDPOINT}",
        f"InstrumentationKey={KEY};IngestionEndpoint=http://contoso.example",
        f"InstrumentationKey={KEY};IngestionEndpoint=contoso.example",
        f"InstrumentationKey={KEY};IngestionEndpoint={ENDPOINT};Authorization=AAD",
    ],
)
def test_a_connection_string_of_another_form_is_a_fault_that_does_not_show_it(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        target_of(text)
    (fault,) = refused.value.faults
    assert fault.startswith(f"{CONNECTION} is not of the form InstrumentationKey=")
    assert KEY not in fault
    assert "contoso" not in fault


@pytest.mark.parametrize("text", [f"InstrumentationKey={KEY};", "a=b=c", f"InstrumentationKey={KEY};Authorization=x"])
def test_what_the_exporter_would_not_take_from_the_environment_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the variable too, whatever it is given."""
    monkeypatch.setenv(CONNECTION, text)
    with pytest.raises(ValueError, match="Invalid"):
        ConnectionStringParser(ONLY_KEY)
    with pytest.raises(SettingsError):
        target_of(text)


@pytest.mark.parametrize(
    ("text", "client_id"),
    [
        ("Authorization=AAD", None),
        (f"ClientId={KEY};Authorization=AAD", KEY),
        (f"authorization=AAD;clientid={KEY}", KEY),
    ],
)
def test_an_authentication_string_says_who_sends(text: str, client_id: str | None) -> None:
    target = target_of(PORTALS, text)
    assert target is not None
    assert target.authentication == EntraAuthentication(client_id)


@pytest.mark.parametrize(
    "text",
    [
        "AAD",
        "Authorization=aad",
        f"ClientId={KEY}",
        "ClientId=contoso;Authorization=AAD",
        "Authorization=AAD;Secret=x",
        "Authorization=AAD;",
    ],
)
def test_an_authentication_string_of_another_form_is_a_fault_that_does_not_show_it(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        target_of(PORTALS, text)
    assert refused.value.faults == (
        f"{AUTHENTICATION} is neither Authorization=AAD nor ClientId=<GUID>;Authorization=AAD",
    )


def test_both_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        target_of("contoso", "contoso")
    assert [fault.split()[0] for fault in refused.value.faults] == [CONNECTION, AUTHENTICATION]


def test_a_connection_string_is_not_printed_with_the_settings() -> None:
    assert KEY not in repr(target_of(PORTALS))
