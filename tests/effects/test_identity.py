"""An answer for somebody else, or without what was asked for, is not stored, and moves no date."""

from __future__ import annotations

import base64
import json
import uuid

import pytest

from emulators.faults import Answer
from emulators.world import TENANT_ID, World
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.effects.job import Job, outcome
from tests.effects.partners import Partner, current, tags_of, values_of

ANOTHER_TENANT = "99999999-2222-3333-4444-555555555555"


def assert_untouched(cloud: World, token: str, tags: dict[str, str]) -> None:
    """The same one version, with nothing but the failure in its tags."""
    assert values_of(cloud.vault, "contoso") == [token]
    now = tags_of(cloud.vault, "contoso")
    assert {name: value for name, value in now.items() if name != "last-failure"} == tags
    assert current(cloud.vault, "contoso").enabled


def test_another_account_is_not_stored(cloud: World, partner: Partner, job: Job) -> None:
    tags = partner.tags(account_id=f"{partner.user.object_id}.{TENANT_ID}")
    token = partner.put("contoso", tags=tags)
    cloud.entra.answer_next(account=cloud.entra.add_user(TENANT_ID, "somebody-else"))

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.IDENTITY_CHANGED)
    assert "another account" in told.message
    assert_untouched(cloud, token, tags)


def test_the_first_account_is_taken_as_it_is(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso", redeemed=None)
    other = cloud.entra.add_user(TENANT_ID, "somebody-else")
    cloud.entra.answer_next(account=other)

    assert job.rotate("contoso").kind is Kind.ROTATED

    assert tags_of(cloud.vault, "contoso")["account-id"] == f"{other.object_id}.{TENANT_ID}"


@pytest.mark.parametrize("uid", ["x" * 300, "two\nlines", "\u00e9", ""])
def test_an_account_that_no_tag_can_hold_is_not_recorded(cloud: World, partner: Partner, job: Job, uid: str) -> None:
    partner.put("contoso", redeemed=None)
    client_info = base64.urlsafe_b64encode(json.dumps({"uid": uid, "utid": TENANT_ID}).encode()).decode()
    body = {"access_token": "opaque", "refresh_token": partner.consent(), "client_info": client_info}
    cloud.entra_faults.fail_next(Answer(200, body=body), method="POST")

    assert job.rotate("contoso").kind is Kind.ROTATED

    assert "account-id" not in tags_of(cloud.vault, "contoso")


def test_another_tenant_is_not_stored(cloud: World, partner: Partner, job: Job) -> None:
    tags = partner.tags()
    token = partner.put("contoso", tags=tags)
    cloud.entra.answer_next(tenant_id=ANOTHER_TENANT)

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.IDENTITY_CHANGED)
    assert "another tenant" in told.message
    assert_untouched(cloud, token, tags)


def test_a_domain_is_not_compared_with_the_tenant_of_the_answer(partner: Partner, job: Job) -> None:
    partner.put("contoso", tags=partner.tags() | {"tenant-id": "contoso.onmicrosoft.com"})

    assert job.rotate("contoso").kind is Kind.ROTATED


def test_a_tenant_in_capitals_is_the_same_tenant(partner: Partner, job: Job) -> None:
    partner.put("contoso", tags=partner.tags() | {"tenant-id": TENANT_ID.upper()})

    assert job.rotate("contoso").kind is Kind.ROTATED


def test_another_audience_is_not_stored(cloud: World, partner: Partner, job: Job) -> None:
    tags = partner.tags()
    token = partner.put("contoso", tags=tags)
    cloud.entra.answer_next(audience="https://graph.microsoft.com")

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.IDENTITY_CHANGED)
    assert "another audience" in told.message
    assert_untouched(cloud, token, tags)


@pytest.mark.parametrize("audience", [str(uuid.UUID(int=7)), "https://API.partnercenter.microsoft.com/"])
def test_an_audience_that_is_the_same_in_another_form_is_stored(
    cloud: World, partner: Partner, job: Job, audience: str
) -> None:
    partner.put("contoso")
    cloud.entra.answer_next(audience=audience)

    assert job.rotate("contoso").kind is Kind.ROTATED


@pytest.mark.parametrize("scope", ["https://graph.microsoft.com/.default", "https://management.azure.com//.default"])
def test_another_resource_is_redeemed_for_as_its_tag_says(partner: Partner, job: Job, scope: str) -> None:
    partner.put("contoso", value=partner.consent(scope=f"{scope} offline_access"), tags=partner.tags(scopes=scope))

    told = job.rotate("contoso")

    assert (told.kind, told.message) == (Kind.ROTATED, "")


@pytest.mark.parametrize("refresh_token", ["absent", "empty"])
def test_an_answer_without_a_refresh_token_stores_nothing(
    cloud: World, partner: Partner, job: Job, refresh_token: str
) -> None:
    tags = partner.tags()
    token = partner.put("contoso", tags=tags)
    cloud.entra.answer_next(refresh_token="absent" if refresh_token == "absent" else "empty")

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.NO_NEW_TOKEN)
    assert_untouched(cloud, token, tags)


def test_a_sign_in_without_mfa_is_rotated_and_warned_about(partner: Partner, job: Job) -> None:
    partner.put("contoso", value=partner.consent(mfa=False))

    report = job.run()

    told = outcome(report, "contoso")
    assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.MFA_MISSING,))
    assert [problem.reason for problem in report.problems] == [Reason.MFA_MISSING]


def test_a_sign_in_with_mfa_is_not_warned_about(partner: Partner, job: Job) -> None:
    partner.put("contoso")

    assert job.rotate("contoso").warnings == ()
