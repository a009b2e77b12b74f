"""What can happen to a token, as it is put into a world before the doors are tried.

One scenario, one cause; but what the issuer can answer is answered in one scenario, to as many tokens.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from emulators.faults import Answer, Fault, Reset
from emulators.keyvault.access import DataAction
from tests.credentials.certificates import PEM_CONTENT_TYPE, PKCS12_CONTENT_TYPE, Certified
from tests.diagnosis.corpora import answers
from tests.effects.partners import CREDENTIAL, Partner

type Scenario = Callable[[Partner], object]

ECHO = "1.AXcanary-that-an-answer-repeats-canary"
"""A secret in an answer where none belongs: in an error's text, in half a JSON, in a header."""

_CERTIFIED = Certified.new("canary")


def _echoing(status: int) -> Answer:
    error = {"code": ECHO, "message": f"the value {ECHO} is wrong", "innererror": {"code": ECHO}}
    said = {"error": error if status != 400 else "invalid_grant", "error_description": ECHO, "correlation_id": ECHO}
    return Answer(status, {"location": f"https://127.0.0.1:1/{ECHO}", "x-ms-echo": ECHO}, said)


ANSWERS: dict[str, Fault] = {
    **{f"{status} that repeats a secret": _echoing(status) for status in (302, 400, 401, 403, 404, 409, 429, 500)},
    "JSON cut in a token": Answer(200, {"content-type": "application/json"}, f'{{"refresh_token": "{ECHO}'.encode()),
    "200 of another form": Answer(200, body={"value": [ECHO], "access_token": [ECHO], "id": ECHO}),
    "HTML": Answer(200, {"content-type": "text/html"}, f"<html>{ECHO}</html>".encode()),
    "a reset": Reset(),
    "a reset after the effect": Reset(after_effect=True),
}
REFUSALS: dict[str, Fault] = {row.reason: Answer(row.status, row.headers, row.body) for row in answers()}


def rotated(partner: Partner) -> None:
    partner.put("contoso")


def by_certificate(partner: Partner, *, content_type: str = PKCS12_CONTENT_TYPE) -> None:
    value = _CERTIFIED.pkcs12() if content_type == PKCS12_CONTENT_TYPE else _CERTIFIED.pem()
    partner.vault.state.put("app", value, content_type=content_type, managed=True)
    partner.world.entra.add_certificate(partner.client_id, _CERTIFIED.certificate.public_bytes(Encoding.PEM))
    partner.put("contoso", tags=partner.tags() | {"client-credential": "certificate:app"})


def by_managed_identity(partner: Partner) -> None:
    partner.put("contoso", tags=partner.tags() | {"client-credential": "managed-identity"})


def malformed(partner: Partner) -> None:
    partner.put("contoso", value=f"{partner.consent()}\n and more")


def a_key_for_a_client_secret(partner: Partner) -> None:
    partner.vault.state.put(CREDENTIAL, _CERTIFIED.pem())
    partner.put("contoso")


def half_a_certificate(partner: Partner) -> None:
    partner.vault.state.put("app", _CERTIFIED.pem()[:900], content_type=PEM_CONTENT_TYPE, managed=True)
    partner.put("contoso", tags=partner.tags() | {"client-credential": "certificate:app"})


def expired_client_secret(partner: Partner) -> None:
    partner.world.entra.expire_client_secret(partner.client_id)
    partner.put_some(3)


def a_value_in_the_tags(partner: Partner) -> None:
    """Somebody pasted the token where the tenant belongs."""
    token = partner.consent()
    partner.vault.state.put("contoso", token, tags=partner.tags() | {"tenant-id": token[:250]})


def no_right_to(action: DataAction) -> Scenario:
    def denied(partner: Partner) -> None:
        partner.put("contoso")
        partner.vault.access.deny(partner.world.job.object_id, [action])

    return denied


def issuer_says(answers: Mapping[str, Fault], *, path: str) -> Scenario:
    """Each answer to a token that is named for it, of a tenant, an app and a client secret of its own."""

    def answered(partner: Partner) -> None:
        for number, (name, answer) in enumerate(answers.items()):
            tenant, own = str(uuid.uuid4()), Partner.new(partner.world, credential=f"app-{number}")
            token = partner.world.entra.consent(tenant_id=tenant, client_id=own.client_id, user=own.user)
            own.put(re.sub(r"[\W_]+", "-", name), value=token, tags=own.tags(tenant_id=tenant))
            partner.world.entra_faults.fail_next(answer, path=f"^/{tenant}/.*{path}", times=None)

    return answered


def vault_says(answer: Fault) -> Scenario:
    """Once to each kind of request, so that one run meets it when it reads, the next when it writes."""

    def answered(partner: Partner) -> None:
        partner.put("contoso")
        for method in ("GET", "PUT", "PATCH"):
            partner.vault.faults.fail_next(answer, method=method, path="^/secrets/contoso")

    return answered


def identity_says(answer: Fault) -> Scenario:
    def answered(partner: Partner) -> None:
        partner.put("contoso")
        partner.world.identity_faults.fail_next(answer, times=4)

    return answered


def ingestion_says(answer: Fault) -> Scenario:
    """To the first requests of a run; what gets no answer is sent again, and each time takes its time."""

    def answered(partner: Partner) -> None:
        partner.put("contoso")
        partner.world.monitor.faults.fail_next(answer, times=4)

    return answered


def dying(partner: Partner) -> None:
    partner.put("contoso", redeemed=timedelta(days=85))
    partner.world.entra.revoke(partner.vault.state.current("contoso").value)
    partner.vault.state.put(CREDENTIAL, "contoso client secret of the tests", expires_on=datetime.now(UTC))


SCENARIOS: dict[str, Scenario] = {
    "rotated": rotated,
    "rotated by a certificate": by_certificate,
    "rotated by a PEM": lambda partner: by_certificate(partner, content_type=PEM_CONTENT_TYPE),
    "by a managed identity": by_managed_identity,
    "a malformed token": malformed,
    "a key where the client secret belongs": a_key_for_a_client_secret,
    "half a certificate": half_a_certificate,
    "an expired client secret": expired_client_secret,
    "a token pasted into a tag": a_value_in_the_tags,
    "a dying token": dying,
    **{f"no right to {action.name}": no_right_to(action) for action in DataAction if action.name in
       ("READ_METADATA", "GET_SECRET", "SET_SECRET", "UPDATE")},
    "refused for every reason": issuer_says(REFUSALS, path="/token$"),
    "the token endpoint answers otherwise": issuer_says(ANSWERS, path="/token$"),
    "discovery answers otherwise": issuer_says(ANSWERS, path="openid-config"),
    **{f"the vault: {name}": vault_says(answer) for name, answer in ANSWERS.items()},
    **{f"the identity endpoint: {name}": identity_says(answer) for name, answer in ANSWERS.items()},
    **{f"ingestion: {name}": ingestion_says(answer) for name, answer in ANSWERS.items()},
}  # fmt: skip
