"""A vault that refuses, hangs or answers nonsense: a reason each, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulators.faults import Answer, Fault, Hang
from emulators.keyvault.access import DataAction
from emulators.serve import listen, url_of
from emulators.world import World
from rotation.outcome import Kind, VaultFault
from rotation.ports import VaultError
from rotation.reason import Reason
from rotation.report import RunReport
from rotation.token_endpoint import NoAnswerError, TokenEndpoints
from tests.effects.job import SOON, Job, job_in, outcome
from tests.effects.partners import DUE, Partner, values_of


def deny(cloud: World, action: DataAction) -> None:
    cloud.vault.access.deny(cloud.job.object_id, [action])


def fault_of(report: RunReport) -> VaultFault:
    (found,) = report.vault_faults
    return found


def test_without_read_metadata_the_vault_is_a_problem(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    deny(cloud, DataAction.READ_METADATA)

    report = job.run()

    assert fault_of(report).reason is Reason.VAULT_DENIED
    assert "the vault answered 403 (ForbiddenByRbac)" in fault_of(report).message
    assert (report.complete, [problem.reason for problem in report.problems]) == (False, [Reason.VAULT_DENIED])


def test_without_get_secret_nothing_is_redeemed_and_the_problem_is_one(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put_some(5)
    deny(cloud, DataAction.GET_SECRET)

    report = job.run()

    assert report.counts == {Kind.FAILED: 5}
    assert [(problem.reason, problem.tokens) for problem in report.problems] == [(Reason.VAULT_DENIED, 5)]
    assert cloud.entra_log.counts() == {}


def test_without_set_secret_one_token_is_redeemed_and_the_vault_is_closed(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put_some(5)
    deny(cloud, DataAction.SET_SECRET)

    report = job.run()

    assert report.counts == {Kind.STRANDED: 1, Kind.DEFERRED: 4}
    assert cloud.entra_log.count("redeem") == 1
    assert cloud.vault.log.count("store") == 3
    assert [(p.reason, p.tokens) for p in report.problems] == [(Reason.STRANDED_TOKEN, 5)]


def test_a_store_that_the_vault_finds_wrong_strands_one_token_soon_and_stops_no_other(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put("contoso", redeemed=DUE * 2)  # the most urgent one, in this run and in the next
    partner.put_some(3)
    cloud.vault.faults.fail_next(
        Answer(400, body={"error": {"code": "BadParameter"}}), method="PUT", times=None, path="contoso"
    )

    report = job.run()

    assert report.counts == {Kind.STRANDED: 1, Kind.ROTATED: 3}
    assert cloud.vault.log.count("store") == 3 + 3
    assert "the vault answered 400 (BadParameter)" in outcome(report, "contoso").message


def test_without_update_a_token_is_rotated_and_the_permission_asked_for(
    cloud: World, partner: Partner, job: Job
) -> None:
    for _ in range(2):
        partner.put("contoso")
        cloud.vault.state.age(DUE)
    deny(cloud, DataAction.UPDATE)

    report = job.run()

    told = outcome(report, "contoso")
    assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.DISABLE_FAILED, Reason.VAULT_DENIED))
    assert Reason.VAULT_DENIED in [problem.reason for problem in report.problems]


@pytest.mark.parametrize("code", [50173, 70000, 90033])
def test_without_update_a_failure_is_told_at_once_and_why_it_cannot_be_remembered(
    cloud: World, partner: Partner, job: Job, code: int
) -> None:
    partner.put("contoso")
    deny(cloud, DataAction.UPDATE)
    cloud.entra.fail_next_with(code)

    report = job.run()

    assert outcome(report, "contoso").kind is Kind.FAILED
    assert Reason.VAULT_DENIED in [problem.reason for problem in report.problems]


NOT_ANSWERS: dict[str, tuple[Fault, Reason]] = {
    "404": (Answer(404), Reason.SECRET_DELETED),
    "429": (Answer(429), Reason.VAULT_THROTTLED),
    "500": (Answer(500), Reason.VAULT_UNAVAILABLE),
    "503": (Answer(503), Reason.VAULT_UNAVAILABLE),
    "HTML": (Answer(200, body=b"<html>"), Reason.VAULT_UNAVAILABLE),
    "HTML that says JSON": (Answer(200, {"content-type": "application/json"}, b"<html>"), Reason.VAULT_UNAVAILABLE),
    "truncated": (Answer(200, {"content-type": "application/json"}, b'{"value": "1.A'), Reason.VAULT_UNAVAILABLE),
    "an empty object": (Answer(200, body={}), Reason.VAULT_UNAVAILABLE),
    "a list": (Answer(200, body=[1]), Reason.VAULT_UNAVAILABLE),
    "without end": (Answer(200, {"content-type": "application/json"}, b"[" * 200_000), Reason.VAULT_UNAVAILABLE),
    "400": (Answer(400), Reason.UNCLASSIFIED),
    "a redirect": (Answer(302, {"location": "https://127.0.0.1:1/"}), Reason.UNCLASSIFIED),
    "401 without a challenge": (Answer(401), Reason.VAULT_DENIED),
    "403 of a firewall": (
        Answer(403, body={"error": {"code": "Forbidden", "innererror": {"code": "ForbiddenByFirewall"}}}),
        Reason.VAULT_DENIED,
    ),
    "403 of somebody on the way": (Answer(403, body=b"<html>Go away"), Reason.VAULT_UNAVAILABLE),
}


@pytest.mark.parametrize("answer", NOT_ANSWERS)
def test_a_version_that_cannot_be_read_is_not_redeemed(cloud: World, partner: Partner, job: Job, answer: str) -> None:
    token = partner.put("contoso")
    fault, reason = NOT_ANSWERS[answer]
    cloud.vault.faults.fail_next(fault, path="^/secrets/contoso/", times=None)

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, reason)
    assert cloud.entra_log.counts() == {}
    assert values_of(cloud.vault, "contoso") == [token]


def test_a_vault_that_never_answers_is_given_up(cloud: World, partner: Partner) -> None:
    partner.put("contoso")
    cloud.vault.faults.fail_next(Hang(), times=None)

    with job_in(cloud, read_seconds=SOON) as job:
        report = job.run()

    assert fault_of(report).reason is Reason.VAULT_UNAVAILABLE
    assert cloud.vault.log.count("list") == 3


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where nobody listens: it is bound, so that nobody else can have it meanwhile."""
    with listen() as bound:
        yield url_of(bound)


def test_a_vault_that_is_not_there_leaves_the_other_one_alone(cloud: World, partner: Partner, nowhere: str) -> None:
    partner.put("contoso")

    with job_in(cloud, vault_urls=[nowhere, cloud.vault.url]) as job:
        report = job.run()

    assert (fault_of(report).vault, fault_of(report).reason) == (nowhere, Reason.VAULT_UNAVAILABLE)
    assert report.counts == {Kind.ROTATED: 1}


def test_nothing_at_the_vaults_address_is_no_secrets_fault(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.vault.faults.fail_next(Answer(404, body={"error": {"code": "NotFound"}}), path="/secrets$", times=None)

    report = job.run()

    assert fault_of(report).reason is Reason.VAULT_UNAVAILABLE
    assert [problem.reason for problem in report.problems] == [Reason.VAULT_UNAVAILABLE]


@pytest.mark.parametrize("pause", ["\xb2", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_a_pause_that_is_no_number_is_not_waited_for_and_breaks_nothing(
    cloud: World, partner: Partner, job: Job, pause: str
) -> None:
    partner.put("contoso")
    cloud.vault.faults.fail_next(Answer(503, {"Retry-After": pause}), method="GET", path="/secrets/contoso")

    assert job.rotate("contoso").kind is Kind.ROTATED
    assert job.turned.slept == [0.5]


def test_a_trusted_file_that_goes_away_is_no_fault_of_the_program(
    partner: Partner, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.put("contoso")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/authority.pem")

    with pytest.raises(VaultError, match="OSError") as raised:
        job.vaults[0].read("contoso")
    assert raised.value.reason is Reason.VAULT_UNAVAILABLE
    with pytest.raises(NoAnswerError):
        TokenEndpoints(connections=1).document("https://127.0.0.1:1/openid-configuration")


def test_a_vault_whose_certificate_is_not_trusted_is_not_asked(
    cloud: World, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")

    with pytest.raises(VaultError, match="certificate is not trusted"):
        job.vaults[0].read("contoso")

    assert cloud.vault.log.counts() == {}


@pytest.mark.parametrize("status", [400, 403])
def test_an_identity_that_gets_no_token_is_not_blamed_on_the_vault(cloud: World, partner: Partner, status: int) -> None:
    partner.put("contoso")
    cloud.identity_faults.fail_next(Answer(status, body={"message": "no"}), times=None)

    with job_in(cloud, vault_urls=[cloud.vault.url]) as job:
        fault = fault_of(job.run("contoso"))

    assert fault.reason is Reason.VAULT_DENIED
    assert "the job's own identity got no token" in fault.message
