"""A bearer token that was accepted once is looked at again each time: its key, and its time."""

from __future__ import annotations

import time

import pytest

from emulators.bearer import BearerVerifier, InvalidBearer, PublicKeys
from emulators.entra.tokens import SigningKey
from tests.waiting import wait_until

VAULT = "https://vault.azure.net"
KEY = SigningKey()


def token(*, seconds: float = 60) -> str:
    return KEY.sign({"aud": VAULT, "oid": "contoso", "nbf": time.time() - 1, "exp": time.time() + seconds})


def refused(verifier: BearerVerifier, given: str) -> bool:
    try:
        verifier.verify(given)
    except InvalidBearer:
        return True
    return False


def test_it_is_good_as_long_as_its_key_is_published() -> None:
    published: PublicKeys = {KEY.kid: KEY.public}
    verifier, given = BearerVerifier(lambda: published, VAULT), token()
    assert [verifier.verify(given)["oid"] for _ in range(2)] == ["contoso"] * 2

    published = {}

    with pytest.raises(InvalidBearer, match="does not publish"):
        verifier.verify(given)


def test_it_is_good_until_it_expires() -> None:
    verifier, given = BearerVerifier(lambda: {KEY.kid: KEY.public}, VAULT), token(seconds=2)
    assert verifier.verify(given)["oid"] == "contoso"

    wait_until(lambda: refused(verifier, given))


def test_more_tokens_than_are_remembered_are_good() -> None:
    verifier = BearerVerifier(lambda: {KEY.kid: KEY.public}, VAULT)
    given = [token(seconds=60 + number) for number in range(100)]

    assert {verifier.verify(each)["oid"] for each in (*given, *given)} == {"contoso"}
