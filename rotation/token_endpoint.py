"""The wire to the token endpoints: what MSAL is given as its HTTP client. Knows nothing of reasons.

MSAL builds the request and proves the app's identity; the answer's values never reach it. It keeps tokens in a cache,
logs a body that it cannot parse, and puts it into the exception (seen with 1.39.0); so the answer is parsed here and
kept for the caller, and MSAL is handed a stand-in that says no more than whether the request was accepted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from rotation.single_flight import SingleFlight

CONNECT_SECONDS, READ_SECONDS = 5.0, 15.0
_NEEDED = frozenset({
    "issuer", "authorization_endpoint", "token_endpoint", "device_authorization_endpoint",
    "error", "suberror", "error_codes", "error_description", "correlation_id",
})  # fmt: skip
_LASTING = frozenset({200, 400, 404})  # a document, or the refusal of a tenant that there is not
_ACCEPTED = json.dumps({"access_token": "kept from MSAL", "token_type": "Bearer"})
_REFUSED = json.dumps({"error": "refused", "error_description": "kept from MSAL"})


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What came back: the status, and the JSON object of the body, or None when it was none. Never printed."""

    status: int
    body: Mapping[str, object] | None

    @property
    def accepted(self) -> bool:
        """Whether this is a success (RFC 6749 section 5.1): a captive portal answers 200 and JSON too."""
        return self.status == requests.codes.ok and isinstance((self.body or {}).get("access_token"), str)


@dataclass(frozen=True, slots=True)
class HandedOn:
    """The answer as MSAL sees it: the shape it asks of an HTTP response."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """MSAL calls this for a 5xx; the caller has the status already."""


class NoAnswerError(Exception):
    """Nothing came back: no connection, no trusted certificate, or no answer in time; `kind` is the failure's class."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class ForeignEndpointError(Exception):
    """The discovery document names a token endpoint outside its own authority: nothing was sent to that `origin`."""

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self.origin = origin


class TokenEndpoints:
    """Connections to the authorities, and their discovery documents, each fetched once however many threads ask."""

    def __init__(
        self, *, connections: int, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
    ) -> None:
        self._timeouts = (connect_seconds, read_seconds)
        self._session = requests.Session()
        self._session.mount("https://", HTTPAdapter(pool_maxsize=connections))
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # two tenants share no state
        self._documents = SingleFlight[str, Answer](lasts=_lasts)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def document(self, url: str) -> Answer:
        """A discovery document. The first thread that asks fetches it, the others wait. Raises NoAnswerError."""
        return self._documents.get(url, lambda: _what_is_needed(self.send("GET", url)))

    def send(
        self, method: str, url: str, *, data: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request, one answer. Raises NoAnswerError."""
        try:
            response = self._session.request(
                method, url, data=data, headers=headers, timeout=self._timeouts, allow_redirects=False
            )
        except OSError as error:  # every failure of requests is one, and so is a certificate file that went away
            raise NoAnswerError(type(error).__name__) from None
        try:
            body = json.loads(response.content)  # RFC 8259 section 8.1, whatever charset a header claims
        except (ValueError, RecursionError):
            body = None
        return Answer(response.status_code, body if isinstance(body, dict) else None)


def _lasts(document: Answer) -> bool:
    """What passes is asked for again by the next redemption."""
    return document.body is not None and document.status in _LASTING


def _what_is_needed(answer: Answer) -> Answer:
    """A document without what nobody reads: it is kept for the whole run, and many tenants have one each."""
    if answer.body is None:
        return answer
    return Answer(answer.status, {name: value for name, value in answer.body.items() if name in _NEEDED})


class MsalHttpClient:
    """The HTTP client of one MSAL application, which makes one redemption; `answer` is what its last request got.

    `unless` raises what keeps a redemption from being sent.
    """

    def __init__(self, endpoints: TokenEndpoints, authority: str, *, unless: Callable[[], None]) -> None:
        self._endpoints = endpoints
        self._unless = unless
        self._origin = urlsplit(authority)[:2]
        self.answer: Answer | None = None

    def get(self, url: str, **_: object) -> HandedOn:
        """Discovery. MSAL needs the document itself; of anything else it would make a part of its exception."""
        self.answer = self._endpoints.document(url)
        document = self.answer.body if self.answer.status == requests.codes.ok else None
        return HandedOn(self.answer.status, json.dumps(document or {}), {})

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], **_: object) -> HandedOn:
        """The redemption. The refresh token goes to the authority that the token is of, or nowhere."""
        if urlsplit(url)[:2] != self._origin:
            raise ForeignEndpointError("://".join(urlsplit(url)[:2]))
        self._unless()
        self.answer = None
        self.answer = self._endpoints.send("POST", url, data=data, headers=headers)
        # Always a 200 for MSAL: it would keep a 400 for a minute and raise for a 500.
        return HandedOn(requests.codes.ok, _ACCEPTED if self.answer.accepted else _REFUSED, {})

    def close(self) -> None:
        """The connections are not this client's to close."""
