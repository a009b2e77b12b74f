"""Every answer of the corpus gives its reason over the product's own way, and leaves nothing of itself behind."""

from __future__ import annotations

import logging
import re
import traceback
from collections import Counter

import pytest

from rotation.reason import Reason
from tests.diagnosis.corpora import CORRELATION_ID, KEPT_SECRET, Answer, answers
from tests.diagnosis.wire import Wire

_GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
OUR_WORDS = re.compile(
    rf"the issuer refused: HTTP \d{{3}}, ([a-z_]{{1,64}}|no error code)(, AADSTS[1-9]\d{{0,8}}){{0,10}}"
    rf"(, correlation id {_GUID})?(, the tenant's window was \d{{1,4}} days without use)?"
    r"|https://127\.0\.0\.1:\d+ answered something that is not the JSON of a token endpoint \(HTTP \d{3}\)"
)


@pytest.mark.parametrize("answer", answers(), ids=lambda answer: answer.name)
def test_an_answer_gives_its_reason_in_our_words_alone(
    wire: Wire, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    refused = wire.refused(answer.status, answer.body, answer.headers)
    assert refused.reason is answer.reason
    assert refused.answered
    assert OUR_WORDS.fullmatch(refused.message)
    assert KEPT_SECRET not in "".join(traceback.format_exception(refused)) + caplog.text + repr(refused)


def test_the_corpus_is_as_large_as_it_says_and_no_answer_is_there_twice() -> None:
    assert len(answers()) >= 100
    assert max(Counter(answer.name for answer in answers()).values()) == 1
    said = {answer.reason for answer in answers()}
    assert said >= {reason for reason in Reason if reason.value.startswith(("token_", "client_credential_e"))} - {
        Reason.CLIENT_CREDENTIAL_EXPIRING
    }


def test_the_message_names_the_window_that_the_text_of_an_expiry_shows(wire: Wire) -> None:
    body = {"error": "invalid_grant", "error_codes": [700082], "error_description": "unused for 14.00:00:00."}
    assert wire.refused(400, body).message.endswith("AADSTS700082, the tenant's window was 14 days without use")


def test_the_message_carries_what_support_asks_for(wire: Wire) -> None:
    body = {"error": "invalid_grant", "error_codes": [50173], "correlation_id": CORRELATION_ID}
    expected = f"the issuer refused: HTTP 400, invalid_grant, AADSTS50173, correlation id {CORRELATION_ID}"
    assert wire.refused(400, body).message == expected
