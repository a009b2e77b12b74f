"""Tags in, a record or every fault of it out."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.clouds import CHINA, GLOBAL, US_GOVERNMENT
from rotation.credential_ref import CredentialKind, CredentialRef
from rotation.reason import Reason, Severity
from rotation.remembered import LastFailure
from rotation.token import InvalidRecord, Thresholds, is_managed, timestamp
from tests.core.records import FAILURES, NOW, TAGS, VERSION, last_failures, moments, record_of, token_of


def faults_of(more: dict[str, str]) -> tuple[str, ...]:
    record = record_of(more)
    assert isinstance(record, InvalidRecord), record
    return record.faults


def test_what_an_operator_must_write_is_enough() -> None:
    token = token_of()
    assert token.tenant_id == TAGS["tenant-id"]
    assert token.client_id == TAGS["client-id"]
    assert token.credentials == (CredentialRef(CredentialKind.SECRET, "contoso-app"),)
    assert token.scopes == ("https://api.partnercenter.microsoft.com/user_impersonation",)
    assert (token.cloud, token.thresholds) == (GLOBAL, Thresholds(7, 90, 30))
    assert (token.label, token.paused_until, token.account_id) == ("", None, None)
    assert (token.redeemed_at, token.last_failure, token.ignored) == (None, None, ())


def test_every_tag_has_its_meaning() -> None:
    token = token_of(
        {
            "scopes": "https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/User.Read",
            "cloud": "global",
            "rotate-after-days": "3",
            "inactivity-days": "60",
            "label": "Contoso Ltd",
            "paused-until": "2027-04-01",
            "account-id": "uid.utid",
            "redeemed-at": "2027-03-01T08:00:00Z",
            "last-failure": f"token_revoked;2;2027-03-08;2027-03-09;{VERSION}",
        }
    )
    assert token.scopes == ("https://graph.microsoft.com/Mail.Read", "https://graph.microsoft.com/User.Read")
    assert token.thresholds == Thresholds(3, 60, 28)
    assert (token.label, token.paused_until, token.account_id) == ("Contoso Ltd", date(2027, 4, 1), "uid.utid")
    assert token.redeemed_at == datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
    first, last = date(2027, 3, 8), date(2027, 3, 9)
    assert token.last_failure == LastFailure(Reason.TOKEN_REVOKED, 2, first, last, VERSION)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        *(("tenant-id", value) for value in ("", " ", "common", "organizations", "consumers", "contoso", "a b.com")),
        *(
            ("tenant-id", value)
            for value in ("11111111-2222-3333-4444", "-a.com", "a..com", "https://a.com", "a.com/x")
        ),
        *(("tenant-id", value) for value in ("a.com\nb.com", "con\u017foto.com", "\u212aontoso.com", "\ud800.com")),
        *(("client-id", value) for value in ("", "contoso", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeeg", "\u0661" * 36)),
        *(("client-credential", value) for value in ("", "contoso-app", "secret:", "secret:a b", "secret:a/b", "x:y")),
        *(
            ("client-credential", value)
            for value in ("secret:a,b", "managed-identity:x", "Secret:a", "secret:" + "a" * 128)
        ),
        *(("cloud", value) for value in ("mars", "usgov", "china", "global,china")),
        *(("scopes", value) for value in ("https://a.com/x https://b.com/x", "a\x00b", "\ud800", 'a"b', "a\\b", "ä")),
        *(
            (tag, value)
            for tag in ("rotate-after-days", "inactivity-days")
            for value in ("0", "-1", "3651", "1.5", "x")
        ),
        *(("rotate-after-days", value) for value in ("\u0667", "0000071234", "9" * 5000, "1e1", "1_0", "+7")),
        *(("paused-until", value) for value in ("tomorrow", "2027-02-30", "01.02.2027", "2027-01-31T00:00:00Z", "0")),
    ],
)
def test_a_tag_that_cannot_be_used_is_named(tag: str, value: str) -> None:
    (fault,) = faults_of({tag: value})
    assert fault.startswith(f"{tag} ")
    assert len(value) < 14 or value not in fault


def test_every_fault_of_a_record_is_said_at_once() -> None:
    wrong = dict.fromkeys(
        ("tenant-id", "client-id", "client-credential", "cloud", "inactivity-days", "paused-until"), "?"
    )
    assert [fault.split()[0] for fault in faults_of(wrong)] == [
        "cloud", "tenant-id", "client-id", "client-credential", "inactivity-days", "paused-until",
    ]  # fmt: skip


@pytest.mark.parametrize(("rotate_after", "inactivity"), [("90", "90"), ("91", "90"), ("5", "5")])
def test_a_token_that_would_be_due_when_it_is_dead_is_a_fault(rotate_after: str, inactivity: str) -> None:
    (fault,) = faults_of({"rotate-after-days": rotate_after, "inactivity-days": inactivity})
    assert fault.startswith("rotate-after-days ")
    assert "inactivity-days" in fault


@pytest.mark.parametrize(("inactivity", "warn"), [("90", 30), ("60", 26), ("14", 3), ("9", 1), ("8", 0)])
def test_a_short_window_warns_in_its_last_half_at_most(inactivity: str, warn: int) -> None:
    assert token_of({"inactivity-days": inactivity}).thresholds.warn_before_days == warn


@pytest.mark.parametrize(
    "tenant", ["contoso.com", "CONTOSO.onmicrosoft.com", "a-b.example.co", TAGS["tenant-id"].upper()]
)
def test_a_tenant_is_a_guid_or_a_domain_in_any_case(tenant: str) -> None:
    token = token_of({"tenant-id": f" {tenant} "})
    assert token.tenant_id == tenant.lower()
    assert token.has_tenant_guid == ("." not in tenant)


def test_a_client_credential_is_the_same_secret_in_any_case() -> None:
    assert token_of({"client-credential": "secret:Contoso-App"}).credentials == token_of().credentials


def test_several_client_credentials_keep_their_order_and_each_its_kind() -> None:
    client_id = "AAAAAAAA-0000-4000-8000-00000000000a"
    named = f"secret:new, certificate:app,managed-identity , managed-identity:{client_id},secret:new"

    credentials = token_of({"client-credential": named}).credentials

    assert [str(ref) for ref in credentials] == [
        "secret:new", "certificate:app", "managed-identity", f"managed-identity:{client_id.lower()}",
    ]  # fmt: skip


@pytest.mark.parametrize("scopes", ["", " ", "openid profile offline_access", "offline_access"])
def test_without_a_scope_of_its_own_a_token_is_for_partner_center(scopes: str) -> None:
    assert token_of({"scopes": scopes}).scopes == (GLOBAL.partner_center_scope,)


def test_scopes_that_msal_adds_are_stripped() -> None:
    assert token_of({"scopes": "openid https://graph.microsoft.com/.default offline_access"}).scopes == (
        "https://graph.microsoft.com/.default",
    )


def test_the_cloud_is_the_vaults_unless_the_vault_is_in_none() -> None:
    at_china = record_of(vault_cloud=CHINA)
    elsewhere = record_of({"cloud": " USGov "}, vault_cloud=None)
    assert not isinstance(at_china, InvalidRecord)
    assert not isinstance(elsewhere, InvalidRecord)
    assert (at_china.cloud, at_china.scopes) == (CHINA, (CHINA.partner_center_scope,))
    assert (elsewhere.cloud, elsewhere.scopes) == (US_GOVERNMENT, (US_GOVERNMENT.partner_center_scope,))


@pytest.mark.parametrize(
    "value", ["", "yesterday", "2027-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "\ud800", "9" * 500]
)
def test_a_redemption_date_that_cannot_be_read_counts_as_missing_and_is_named(value: str) -> None:
    token = token_of({"redeemed-at": value})
    assert token.redeemed_at is None
    assert token.ignored == ("redeemed-at is not a timestamp and counts as missing",)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "token_revoked",
        f"token_revoked;1;2027-03-09;2027-03-09;{VERSION};more",
        f"no_such_reason;1;2027-03-09;2027-03-09;{VERSION}",
        f"token_revoked;0;2027-03-09;2027-03-09;{VERSION}",
        f"token_revoked;one;2027-03-09;2027-03-09;{VERSION}",
        f"token_revoked;{'9' * 5000};2027-03-09;2027-03-09;{VERSION}",
        f"token_revoked;1;2027-03-32;2027-03-09;{VERSION}",
        *(f"{reason};1;2027-03-09;2027-03-09;{VERSION}" for reason in Reason if reason.severity is Severity.NONE),
    ],
)
def test_a_failure_that_cannot_be_read_counts_as_missing_and_is_named(value: str) -> None:
    token = token_of({"last-failure": value})
    assert token.last_failure is None
    assert token.ignored == ("last-failure is not of its form and counts as missing",)


@given(last_failures(NOW))
def test_a_failure_reads_back_as_it_was_written(failure: LastFailure) -> None:
    assert LastFailure.parse(str(failure)) == failure
    assert token_of({"last-failure": str(failure)}).last_failure == failure
    assert len(str(failure)) <= 256  # Azure Key Vault: the longest value of a tag


def test_the_form_of_the_failure_is_a_contract() -> None:
    failure = LastFailure(FAILURES[0], 3, date(2027, 3, 1), date(2027, 3, 4), VERSION)
    assert str(failure) == f"token_expired;3;2027-03-01;2027-03-04;{VERSION}"


@given(moments)
def test_a_timestamp_reads_back_to_the_second(moment: datetime) -> None:
    assert token_of({"redeemed-at": timestamp(moment)}).redeemed_at == moment.replace(microsecond=0)


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_any_moment_is_written_in_utc_as_rfc_3339_says(moment: datetime) -> None:
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        return
    assert len(timestamp(moment)) == len("2027-03-10T12:00:00Z")
    assert len(timestamp(moment, timespec="milliseconds")) == len("2027-03-10T12:00:00.000Z")
    assert datetime.fromisoformat(timestamp(moment)) == in_utc.replace(microsecond=0)


@pytest.mark.parametrize("value", ["", "none", "token-rotation-2", "somebody-else"])
def test_a_secret_without_our_tag_is_not_ours(value: str) -> None:
    assert not is_managed({"managed-by": value})
    assert not is_managed({})


@pytest.mark.parametrize("value", ["token-rotation", "Token-Rotation", " token-rotation "])
def test_a_slip_of_the_hand_in_the_tag_takes_no_token_out_of_care(value: str) -> None:
    assert is_managed({"managed-by": value})


def test_a_label_keeps_what_can_be_printed() -> None:
    assert token_of({"label": "Contoso\x1b[31m Ltd\n\u202e\u200b"}).label == "Contoso[31m Ltd"
