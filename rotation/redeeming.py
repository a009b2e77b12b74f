"""Steps 3 and 4 of a rotation: redeem with the client credentials that the tags name, and check the answer.

Nothing is written here. Reading is left to `rotate`, storing to `storing`, the wire to the issuer's adapter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from rotation.credential_ref import CredentialRef
from rotation.outcome import Ended, Kind
from rotation.ports import ClientProof, ClientProofError, Grant, Issuer, Redemption, RedemptionError
from rotation.reason import Reason, Unit
from rotation.secret_value import RefreshToken
from rotation.token import ManagedToken, resource_of


class Credentials(Protocol):
    """The client credentials that one token may be redeemed with, and whom to tell of how far it got."""

    def candidates(self) -> tuple[CredentialRef, ...]:
        """Those worth trying now, in order: the one that the issuer accepted in this run, or all that are named."""

    def proof(self, ref: CredentialRef) -> ClientProof:
        """What it proves itself with. Raises ClientProofError."""

    def refused(self, ref: CredentialRef, reason: Reason, message: str) -> None:
        """The issuer refused it, or it cannot be had."""

    def accepted(self, ref: CredentialRef) -> None:
        """The issuer accepted it."""

    def stored(self) -> None:
        """The vault stored a new version."""


type Obstacle = Callable[[], Ended | None]
"""Why nothing more may be started now: the time is over, or the lease is lost. None while something may be."""


def redeem(
    value: RefreshToken, token: ManagedToken, credentials: Credentials, *, issuer: Issuer, obstacle: Obstacle
) -> tuple[Redemption, CredentialRef]:
    """Step 3: the answer, and the credential that was accepted.

    Raises Ended for an obstacle, and when no credential that the tags name leads to an answer with tokens.

    How often a grant is redeemed is decided here: once, and once more only where no answer came at all. A refused
    client credential leaves the refresh token as it was, and the next one is tried.
    """
    fault = value.fault()
    if fault is not None:
        raise Ended(Kind.FAILED, Reason.TOKEN_MALFORMED, f"{fault}; it was not sent to the issuer")
    refusals: list[tuple[CredentialRef, ClientProofError | RedemptionError]] = []
    for ref in credentials.candidates():
        _unless(obstacle)  # reading it may take its time
        try:
            redemption = _redeem_with(credentials.proof(ref), value, token, issuer, obstacle)
        except (ClientProofError, RedemptionError) as error:
            if error.reason.unit is not Unit.CREDENTIAL:
                raise Ended(Kind.FAILED, error.reason, error.message) from error
            credentials.refused(ref, error.reason, error.message)
            refusals.append((ref, error))
        else:
            credentials.accepted(ref)
            return redemption, ref
    first, refusal = refusals[0]
    raise Ended(Kind.FAILED, refusal.reason, refusal.message, subject=str(first)) from refusal


def _redeem_with(
    proof: ClientProof, value: RefreshToken, token: ManagedToken, issuer: Issuer, obstacle: Obstacle
) -> Redemption:
    grant = Grant(
        refresh_token=value,
        cloud=token.cloud,
        tenant_id=token.tenant_id,
        client_id=token.client_id,
        client_proof=proof,
        scopes=token.scopes,
        secret_id=f"{token.vault}/secrets/{token.name}",
        unless=partial(_unless, obstacle),  # discovery and the proof may take their time too
    )
    _unless(obstacle)
    try:
        return issuer.redeem(grant)
    except RedemptionError as error:
        if error.answered or obstacle() is not None:
            raise
    return issuer.redeem(grant)


def _unless(obstacle: Obstacle) -> None:
    late = obstacle()
    if late is not None:
        raise late


def check(token: ManagedToken, redemption: Redemption) -> RefreshToken:
    """Step 4. The new refresh token. Raises Ended for an answer that is for somebody else, or has none."""
    changed = _what_changed(token, redemption)
    if changed is not None:
        raise Ended(Kind.FAILED, Reason.IDENTITY_CHANGED, f"the answer is for another {changed}; it was not stored")
    if redemption.refresh_token is None:
        raise Ended(Kind.FAILED, Reason.NO_NEW_TOKEN, "the answer has no refresh token; nothing was stored")
    fault = redemption.refresh_token.fault()
    if fault is not None:
        raise Ended(
            Kind.FAILED, Reason.NO_NEW_TOKEN, f"the answer's refresh token is unusable: {fault}; it was not stored"
        )
    return redemption.refresh_token


def _what_changed(token: ManagedToken, redemption: Redemption) -> str | None:
    if token.account_id and redemption.account_id and token.account_id != redemption.account_id:
        return "account"
    if token.has_tenant_guid and redemption.tenant_id and token.tenant_id != redemption.tenant_id.lower():
        return "tenant"
    resource = resource_of(token.scopes[0]).rstrip("/").lower()
    audience = (redemption.audience or "").rstrip("/").lower()
    if "://" in audience and resource and audience != resource:  # a GUID names no address
        return "audience"
    return None
