"""Who signed in, and how, is recorded once and watched from then on; what an answer does not say is unknown."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest

from emulators.faults import Answer
from emulators.world import TENANT_ID, World
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.credentials.certificates import PKCS12_CONTENT_TYPE, Certified
from tests.credentials.product import Product, put_behind, told
from tests.effects.partners import CREDENTIAL, Partner, tags_of


def test_the_account_is_recorded_by_the_first_run_and_watched_by_the_next(
    cloud: World, partner: Partner, product: Product, certified: Certified
) -> None:
    cloud.entra.add_certificate(partner.client_id, certified.public_pem)
    partner.vault.state.put("app", certified.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)
    (name,) = put_behind(partner, "certificate:app", tenant_id="contoso.onmicrosoft.com")
    product.run()
    recorded = tags_of(partner.vault, name)["account-id"]
    cloud.age(timedelta(days=8))
    cloud.entra.answer_next(account=cloud.entra.add_user(TENANT_ID, "somebody-else"))

    assert told(product.run()) == [(Reason.IDENTITY_CHANGED, name, 1)]

    assert recorded == f"{partner.user.object_id}.{TENANT_ID}"
    assert tags_of(partner.vault, name)["account-id"] == recorded


@pytest.mark.parametrize(
    ("claims", "warned"),
    [({}, False), ({"amr": "mfa"}, False), ({"amr": ["pwd", "mfa"]}, False), ({"amr": []}, True), (None, False)],
    ids=repr,
)
def test_an_answer_that_does_not_say_how_somebody_signed_in_is_not_warned_about(
    cloud: World, partner: Partner, product: Product, claims: dict[str, object] | None, *, warned: bool
) -> None:
    access = "opaque" if claims is None else jwt.encode(claims, "x" * 32, algorithm="HS256")
    body = {"access_token": access, "refresh_token": partner.consent(), "token_type": "Bearer"}
    cloud.entra_faults.fail_next(Answer(200, body=body), method="POST")
    put_behind(partner, f"secret:{CREDENTIAL}")

    report = product.run()

    assert report.counts == {Kind.ROTATED: 1}
    assert [problem.reason for problem in report.problems] == [Reason.MFA_MISSING] * warned
