"""What is in a vault and is no token to redeem: disabled, deleted, malformed, unmanaged, tagged wrongly."""

from __future__ import annotations

import pytest

from emulators.faults import Answer
from emulators.world import World
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.effects.job import Job, outcome
from tests.effects.partners import Partner, values_of


def test_a_secret_that_was_deleted_after_it_was_redeemed_is_not_written(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put("contoso")
    deleted = {"error": {"code": "Conflict", "message": "no", "innererror": {"code": "ObjectIsDeletedButRecoverable"}}}
    cloud.vault.faults.fail_next(Answer(409, body=deleted), method="PUT")

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.SECRET_DELETED)
    assert cloud.vault.log.count("store") == 1


def test_two_writers_at_the_same_moment_strand_nothing(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.vault.faults.fail_next(Answer(409, body={"error": {"code": "Conflict", "message": "no"}}), method="PUT")

    assert job.rotate("contoso").kind is Kind.ROTATED
    assert cloud.vault.log.count("store") == 2


def test_a_disabled_secret_is_left_alone(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.vault.state.disable("contoso")

    told = job.rotate("contoso", force=True)

    assert (told.kind, told.reason) == (Kind.SKIPPED, Reason.DISABLED)
    assert cloud.vault.log.count("read") == 0
    assert cloud.entra_log.counts() == {}


def test_a_value_that_is_no_text_at_all_is_not_sent(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    version = cloud.vault.state.current("contoso").version
    body = {"id": f"{cloud.vault.url}/secrets/contoso/{version}", "value": "\ud800", "tags": partner.tags()}
    answer = Answer(200, body=body | {"attributes": {"enabled": True}})
    cloud.vault.faults.fail_next(answer, path="^/secrets/contoso/", times=None)

    told = job.rotate("contoso")

    assert told.reason is Reason.TOKEN_MALFORMED
    assert cloud.entra_log.counts() == {}


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "\n",
        "1.AAAA\n",
        "1.AAAA BBBB",
        "x" * (24 * 1024 + 1),
        "caf\u00e9",
        "\x00",
        '{"token": 1}',
    ],
)
def test_a_value_that_cannot_be_a_token_is_not_even_sent(cloud: World, partner: Partner, job: Job, value: str) -> None:
    partner.put("contoso", value=value)

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.TOKEN_MALFORMED)
    assert "it was not sent" in told.message
    assert cloud.entra_log.counts() == {}
    assert values_of(cloud.vault, "contoso") == [value]


def test_a_token_of_24_kilobytes_is_sent(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso", value="1." + "A" * (24 * 1024 - 2))

    assert job.rotate("contoso").reason in (Reason.TOKEN_MALFORMED, Reason.TOKEN_REJECTED)
    assert cloud.entra_log.count("redeem") == 1


def test_an_unmanaged_secret_is_never_read(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso", tags={"managed-by": "somebody-else"})
    cloud.vault.state.put("certificate", partner.consent(), tags=partner.tags(), managed=True)

    report = job.run()

    assert report.counts == {}
    assert cloud.vault.log.count("read") == 0


def test_wrong_tags_name_each_fault_and_touch_nobody_else(partner: Partner, job: Job) -> None:
    partner.put("contoso", tags=partner.tags() | {"tenant-id": "common", "rotate-after-days": "soon"})
    partner.put("fabrikam")

    report = job.run()

    told = outcome(report, "contoso")
    assert (told.kind, told.reason) == (Kind.FAILED, Reason.INVALID_RECORD)
    assert "tenant-id" in told.message
    assert "rotate-after-days" in told.message
    assert outcome(report, "fabrikam").kind is Kind.ROTATED
