"""An issuer that answers anything but tokens: each answer has a reason, and nothing is lost, sent elsewhere or hung."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest

from emulators.faults import Answer, Fault, Hang, Reset
from emulators.requests_log import RequestLog
from emulators.serve import listen, url_of
from emulators.world import TENANT_ID, World
from rotation.clouds import US_GOVERNMENT
from rotation.outcome import Kind, Outcome
from rotation.problem import Problem
from rotation.reason import Reason
from rotation.token_endpoint import Answer as Answered
from rotation.token_endpoint import NoAnswerError, TokenEndpoints
from tests.effects.job import SOON, Job, job_in, outcome
from tests.effects.partners import Partner, current, tags_of, values_of

DAY = timedelta(days=1)
HTML = Answer(200, {"content-type": "text/html"}, b"<html><title>Captive portal</title></html>")
NOT_ANSWERS: dict[str, tuple[Fault, Reason]] = {
    "a page of HTML": (HTML, Reason.ISSUER_UNAVAILABLE),
    "a page of HTML with 400": (Answer(400, body=b"<html>"), Reason.ISSUER_UNAVAILABLE),
    "truncated JSON": (Answer(200, body=b'{"access_token": "eyJ0'), Reason.ISSUER_UNAVAILABLE),
    "JSON that is no object": (Answer(200, body=["refresh_token"]), Reason.ISSUER_UNAVAILABLE),
    "JSON without end": (Answer(200, body=b"[" * 200_000), Reason.ISSUER_UNAVAILABLE),
    "nothing at all": (Answer(200), Reason.ISSUER_UNAVAILABLE),
    "bytes": (Answer(200, body=b"\xff\xfe\x00"), Reason.ISSUER_UNAVAILABLE),
    "429": (Answer(429), Reason.THROTTLED),
    "429 in JSON": (Answer(429, {"Retry-After": "60"}, {"error": "too_many_requests"}), Reason.THROTTLED),
    "500": (Answer(500), Reason.ISSUER_UNAVAILABLE),
    "500 in JSON": (Answer(500, body={"error": "server_error"}), Reason.ISSUER_UNAVAILABLE),
    "503": (Answer(503, {"Retry-After": "60"}), Reason.ISSUER_UNAVAILABLE),
    "a redirect": (Answer(302, {"location": "https://127.0.0.1:1/elsewhere"}), Reason.ISSUER_UNAVAILABLE),
    "a redirect in JSON": (Answer(307, {"location": "https://127.0.0.1:1/"}, {}), Reason.ISSUER_UNAVAILABLE),
    "a reset": (Reset(), Reason.ISSUER_UNAVAILABLE),
}
every_answer = pytest.mark.parametrize("answer", NOT_ANSWERS)


def assert_only_the_failure_is_new(cloud: World, token: str, told: Outcome) -> None:
    assert values_of(cloud.vault, "contoso") == [token]
    assert cloud.entra.is_redeemable(token)
    assert current(cloud.vault, "contoso").enabled
    assert tags_of(cloud.vault, "contoso")["last-failure"].startswith(f"{told.reason};1;")


@every_answer
def test_a_redemption_that_is_not_answered_has_a_reason(cloud: World, partner: Partner, job: Job, answer: str) -> None:
    token = partner.put("contoso")
    fault, reason = NOT_ANSWERS[answer]
    cloud.entra_faults.fail_next(fault, method="POST", times=None)

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, reason)
    assert_only_the_failure_is_new(cloud, token, told)


@every_answer
def test_a_discovery_that_is_not_answered_has_a_reason_and_redeems_nothing(
    cloud: World, partner: Partner, job: Job, answer: str
) -> None:
    token = partner.put("contoso")
    fault, reason = NOT_ANSWERS[answer]
    cloud.entra_faults.fail_next(fault, path="openid-configuration", times=None)

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, reason)
    assert cloud.entra_log.count("redeem") == 0
    assert_only_the_failure_is_new(cloud, token, told)


@every_answer
def test_a_discovery_that_passes_is_asked_for_again(cloud: World, partner: Partner, job: Job, answer: str) -> None:
    partner.put("contoso")
    cloud.entra_faults.fail_next(NOT_ANSWERS[answer][0], path="openid-configuration")
    job.rotate("contoso")

    assert job.rotate("contoso", force=True).kind is Kind.ROTATED


@pytest.mark.parametrize("path", ["openid-configuration", "/token$"])
def test_an_issuer_that_never_answers_is_given_up(cloud: World, partner: Partner, path: str) -> None:
    token = partner.put("contoso")
    cloud.entra_faults.fail_next(Hang(), path=path, times=None)

    with job_in(cloud, read_seconds=SOON) as job:
        told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.ISSUER_UNAVAILABLE)
    assert "did not answer (ReadTimeout)" in told.message
    assert_only_the_failure_is_new(cloud, token, told)


def test_an_issuer_that_is_not_there_is_given_up(cloud: World, partner: Partner) -> None:
    token = partner.put("contoso")
    bound = listen()
    address = url_of(bound)
    bound.close()

    with job_in(cloud, authority=address) as job:
        told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.ISSUER_UNAVAILABLE)
    assert_only_the_failure_is_new(cloud, token, told)


def test_an_issuer_whose_certificate_is_not_trusted_gets_nothing(cloud: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    endpoints = TokenEndpoints(connections=1)

    with pytest.raises(NoAnswerError, match="SSLError"):
        endpoints.document(f"{cloud.entra_url}/{TENANT_ID}/v2.0/.well-known/openid-configuration")

    endpoints.close()
    assert cloud.entra_log.counts() == {}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another host, which must hear nothing."""

    url: str
    log: RequestLog


@pytest.fixture
def elsewhere(cloud: World) -> Elsewhere:
    return Elsewhere(cloud.vaults[1].url, cloud.vaults[1].log)


def discovery(cloud: World, **changed: str) -> Mapping[str, str]:
    tenant = f"{cloud.entra_url}/{TENANT_ID}"
    return {
        "issuer": f"{tenant}/v2.0",
        "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{tenant}/oauth2/v2.0/token",
    } | changed


@pytest.mark.parametrize("endpoint", ["{elsewhere}/token", "http://127.0.0.1/token", "{elsewhere}\\@{issuer}/token"])
def test_a_token_endpoint_on_another_host_gets_nothing(
    cloud: World, partner: Partner, job: Job, elsewhere: Elsewhere, endpoint: str
) -> None:
    token = partner.put("contoso")
    address = endpoint.format(elsewhere=elsewhere.url, issuer=cloud.entra_url.removeprefix("https://"))
    body = discovery(cloud, token_endpoint=address)
    cloud.entra_faults.fail_next(Answer(200, body=body), path="openid-configuration", times=None)

    told = job.run("contoso").tokens[0]

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.ISSUER_UNAVAILABLE)
    assert elsewhere.log.requests == ()
    assert cloud.entra_log.count("redeem") == 0
    assert_only_the_failure_is_new(cloud, token, told)


def test_a_tenant_of_another_national_cloud_is_said_to_be_one(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    body = discovery(cloud, token_endpoint=f"{US_GOVERNMENT.authority}/{TENANT_ID}/oauth2/v2.0/token")
    cloud.entra_faults.fail_next(Answer(200, body=body), path="openid-configuration", times=None)

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.MISCONFIGURED)
    assert "the tenant is in the cloud usgov" in told.message
    assert "AADSTS90038" in told.message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("path", ["/token$", "openid-configuration"])
def test_a_redirect_to_another_host_is_not_followed(
    cloud: World, partner: Partner, job: Job, elsewhere: Elsewhere, status: int, path: str
) -> None:
    partner.put("contoso")
    cloud.entra_faults.fail_next(Answer(status, {"location": f"{elsewhere.url}/token"}), path=path, times=None)

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.ISSUER_UNAVAILABLE)
    assert elsewhere.log.requests == ()


@pytest.mark.parametrize("body", [{}, {"token_endpoint": 5}, {"token_endpoint": None}, {"issuer": []}, {"a": {"b": 1}}])
def test_a_discovery_document_of_no_known_form_redeems_nothing(
    cloud: World, partner: Partner, job: Job, body: object
) -> None:
    token = partner.put("contoso")
    cloud.entra_faults.fail_next(Answer(200, body=body), path="openid-configuration", times=None)

    told = job.rotate("contoso")

    assert told.kind is Kind.FAILED
    assert told.reason in (Reason.ISSUER_UNAVAILABLE, Reason.UNCLASSIFIED)
    assert cloud.entra_log.count("redeem") == 0
    assert_only_the_failure_is_new(cloud, token, told)


def test_a_tenant_that_the_issuer_does_not_know_is_misconfigured(partner: Partner, job: Job) -> None:
    partner.put("contoso", tags=partner.tags() | {"tenant-id": "fabrikam.onmicrosoft.com"})

    report = job.run()

    told = outcome(report, "contoso")
    assert (told.kind, told.reason) == (Kind.FAILED, Reason.MISCONFIGURED)
    assert "AADSTS90002" in told.message
    assert [problem.subject for problem in report.problems] == [f"{partner.client_id} in fabrikam.onmicrosoft.com"]


@pytest.mark.parametrize(
    "refresh_token",
    ["", " ", "two\nlines", "with space", "x" * (24 * 1024 + 1), "caf\u00e9", "\ud800", 7, None, []],
)
def test_a_refresh_token_that_cannot_be_one_is_not_stored(
    cloud: World, partner: Partner, job: Job, refresh_token: object
) -> None:
    token = partner.put("contoso")
    body = {"access_token": "opaque", "token_type": "Bearer", "refresh_token": refresh_token}
    cloud.entra_faults.fail_next(Answer(200, body=body), method="POST")

    told = job.rotate("contoso")

    assert (told.kind, told.reason) == (Kind.FAILED, Reason.NO_NEW_TOKEN)
    assert_only_the_failure_is_new(cloud, token, told)


@pytest.mark.parametrize("field", ["access_token", "id_token", "client_info"])
@pytest.mark.parametrize("junk", ["a.b.c", "....", "e30", "bm8.bm8.bm8", 7, None, {}, "\u00e9.\u00e9.\u00e9"])
def test_what_cannot_be_read_of_an_answer_is_unknown_and_not_wrong(
    cloud: World, partner: Partner, job: Job, field: str, junk: object
) -> None:
    partner.put("contoso")
    body = {"access_token": "opaque", "token_type": "Bearer", "refresh_token": partner.consent(), field: junk}
    cloud.entra_faults.fail_next(Answer(200, body=body), method="POST")

    told = job.rotate("contoso")

    if field != "access_token" or isinstance(junk, str):
        assert (told.kind, told.warnings) == (Kind.ROTATED, ())
    else:
        assert told.kind is Kind.FAILED


def test_what_breaks_the_fetching_thread_is_heard_by_those_that_wait() -> None:
    endpoints = TokenEndpoints(connections=16)

    def ask(_: int) -> Answered:
        return endpoints.document(f"https://{64 * 'a'}.example/openid-configuration")  # no DNS label is that long

    with ThreadPoolExecutor(4) as pool:
        for asked in [pool.submit(ask, number) for number in range(4)]:
            with pytest.raises((NoAnswerError, ValueError)):
                asked.result(timeout=60)
    endpoints.close()


def test_a_problem_of_the_issuer_is_one_and_tells_its_cloud(cloud: World, partner: Partner, job: Job) -> None:
    partner.put_some(3)
    cloud.entra_faults.fail_next(Answer(503), method="POST", times=None)
    job.run()

    tomorrow = job.run(later=DAY)

    assert [short(problem) for problem in tomorrow.problems] == [(Reason.ISSUER_UNAVAILABLE, "global", 3)]


def short(problem: Problem) -> tuple[Reason, str, int]:
    return problem.reason, problem.subject, problem.tokens
