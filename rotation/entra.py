"""Microsoft Entra ID behind the Issuer port: redeem a refresh token through MSAL, and read the answer.

A redemption is one request with a fresh MSAL application (its token cache would keep every token and is searched one
by one). How an answer is classified is left to `aadsts`, how often a token is redeemed to `redeeming`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping

import msal

from rotation.aadsts import classify, inactivity_window
from rotation.client_assertion import IdentityToken, msal_client_credential
from rotation.clouds import CLOUDS, Cloud
from rotation.ports import Grant, Redemption, RedemptionError
from rotation.reason import Reason
from rotation.secret_value import RefreshToken
from rotation.token_endpoint import Answer, ForeignEndpointError, MsalHttpClient, NoAnswerError, TokenEndpoints

_ERROR = re.compile(r"[a-z_]{1,64}")
_CORRELATION_ID = re.compile(r"[0-9a-fA-F-]{36}")
_ACCOUNT_ID = re.compile(r"[\x21-\x7e]{3,256}")  # what a tag holds: a redeemed token must not fail to be stored for it
_NO_AADSTS_NUMBER, _MOST_NUMBERS = 10**9, 10


class Entra:
    """The token endpoints of every cloud. Safe for several threads; raises what the port says and nothing else."""

    def __init__(
        self, endpoints: TokenEndpoints, *, authority_overrides: Mapping[str, str], identity_token: IdentityToken
    ) -> None:
        self._endpoints = endpoints
        self._identity_token = identity_token
        self._overrides = dict(authority_overrides)

    def authority(self, cloud: Cloud) -> str:
        """The authority that redeems for a cloud: its own, or what AUTHORITY_OVERRIDES says."""
        return self._overrides.get(cloud.name, cloud.authority)

    def redeem(self, grant: Grant) -> Redemption:
        """Redeem once (RFC 6749 section 6). `from None`: MSAL's frames hold the values of the request."""
        authority = self.authority(grant.cloud)
        http = MsalHttpClient(self._endpoints, authority, unless=grant.unless)
        try:
            self._request(grant, authority, http)
        except NoAnswerError as error:
            message = f"{authority} did not answer ({error.kind})"
            raise RedemptionError(Reason.ISSUER_UNAVAILABLE, message, answered=False) from None
        except ForeignEndpointError as error:
            raise _foreign(authority, error.origin) from None
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, msal.exceptions.MsalError):
            # MSAL gave up on the discovery document, in a form of its own: the answer to that request says why.
            raise _refused(http.answer, authority) from None
        if http.answer is None or http.answer.body is None or not http.answer.accepted:
            raise _refused(http.answer, authority)
        return _redemption(http.answer.body)

    def _request(self, grant: Grant, authority: str, http: MsalHttpClient) -> None:
        application = msal.ConfidentialClientApplication(
            grant.client_id,
            authority=f"{authority}/{grant.tenant_id}",
            client_credential=msal_client_credential(
                grant.client_proof, cloud=grant.cloud, identity_token=self._identity_token
            ),
            http_client=http,
            instance_discovery=False,  # the authority is out of our own table or the operator's settings
        )
        application.acquire_token_by_refresh_token(grant.refresh_token.reveal(), scopes=list(grant.scopes))


def _foreign(authority: str, origin: str) -> RedemptionError:
    """A tenant of another national cloud is sent there; anything else that names another host is not believed."""
    other = next((cloud.name for cloud in CLOUDS.values() if cloud.authority == origin), None)
    if other is None:
        message = f"{authority} names a token endpoint on another host; nothing was sent there"
        return RedemptionError(Reason.ISSUER_UNAVAILABLE, message)
    message = f"{authority} says that the tenant is in the cloud {other}: a token never crosses clouds (AADSTS90038)"
    return RedemptionError(Reason.MISCONFIGURED, message)


def _refused(answer: Answer | None, authority: str) -> RedemptionError:
    if answer is None or answer.body is None:
        status = f" (HTTP {answer.status})" if answer else ""
        reason = classify(status=answer.status, error=None) if answer else Reason.ISSUER_UNAVAILABLE
        message = f"{authority} answered something that is not the JSON of a token endpoint{status}"
        return RedemptionError(Reason.ISSUER_UNAVAILABLE if reason is Reason.UNCLASSIFIED else reason, message)
    error = _matching(_ERROR, answer.body.get("error"))
    numbers = _numbers(answer.body.get("error_codes"))
    reason = classify(
        status=answer.status, error=error, suberror=_matching(_ERROR, answer.body.get("suberror")), numbers=numbers
    )
    correlation_id = _matching(_CORRELATION_ID, answer.body.get("correlation_id"))
    said = [f"HTTP {answer.status}", error or "no error code", *(f"AADSTS{number}" for number in numbers)]
    said += [f"correlation id {correlation_id}"] if correlation_id else []
    window = inactivity_window(numbers, answer.body.get("error_description"))
    said += [f"the tenant's window was {window} days without use"] if window else []
    return RedemptionError(reason, f"the issuer refused: {', '.join(said)}")


def _redemption(body: Mapping[str, object]) -> Redemption:
    """The answer's own words. The access token is read, not trusted: only to notice what is wrong."""
    access, identity = _claims(body.get("access_token")), _claims(body.get("id_token"))
    refresh_token = body.get("refresh_token")
    methods = access.get("amr")
    return Redemption(
        refresh_token=RefreshToken(refresh_token) if isinstance(refresh_token, str) else None,
        account_id=_account_id(body.get("client_info")),
        tenant_id=_text(access.get("tid")) or _text(identity.get("tid")),
        audience=_text(access.get("aud")),
        authentication_methods=frozenset(map(str, methods)) if isinstance(methods, list) else None,
    )


def _account_id(client_info: object) -> str | None:
    """`uid.utid`, the home account; None when the answer does not say."""
    account = _decoded(client_info)
    uid, utid = _text(account.get("uid")), _text(account.get("utid"))
    return _matching(_ACCOUNT_ID, f"{uid}.{utid}") if uid and utid else None


def _claims(token: object) -> Mapping[str, object]:
    """The payload of a JWT (RFC 7519), unverified; empty for a token of another form."""
    parts = token.split(".") if isinstance(token, str) else []
    return _decoded(parts[1]) if len(parts) == 3 else {}  # noqa: PLR2004 - RFC 7515 section 7.1


def _decoded(text: object) -> Mapping[str, object]:
    if not isinstance(text, str):
        return {}
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _matching(form: re.Pattern[str], value: object) -> str | None:
    """A value of a known form; whatever else the issuer sent there stays out of every message."""
    return value if isinstance(value, str) and form.fullmatch(value) else None


def _numbers(codes: object) -> tuple[int, ...]:
    """What can be AADSTS numbers; a list of anything else says nothing, in no message either."""
    listed = codes if isinstance(codes, list) else []
    possible = (code for code in listed if isinstance(code, int) and not isinstance(code, bool))
    return tuple(code for code in possible if 0 < code < _NO_AADSTS_NUMBER)[:_MOST_NUMBERS]
