"""What an answer of the token endpoint means: from status, `error`, `suberror` and AADSTS numbers to a Reason.

In this order: the HTTP status, then `error` with `suberror`, then the numbers as a refinement, then the default of
`error`. Never the text, which is translated, and whose wording is nobody's contract. Numbers: "Microsoft Entra
authentication and authorization error codes" (read 2026-08); `error` values: RFC 6749 section 5.2 and the same page.
"""

from __future__ import annotations

from collections.abc import Iterable

from rotation.reason import Reason, Unit

_NUMBERS: dict[Reason, tuple[int, ...]] = {
    Reason.TOKEN_EXPIRED: (700082, 70008),
    Reason.TOKEN_REVOKED: (50173, 50089, 50132, 50133, 50085),
    Reason.TOKEN_REJECTED: (70000,),
    Reason.TOKEN_MALFORMED: (9002313, 900144, 90014),
    Reason.REDIRECT_TYPE_SPA: (700084,),
    Reason.SIGN_IN_FREQUENCY: (70043,),
    Reason.MFA_REQUIRED: (50072, 50074, 50076, 50078, 50079, 50158),
    Reason.CONSENT_REQUIRED: (
        65001, 65004, 65005, 650052, 650054, 650056, 650057, 90008, 90094, 90095, 90099, 500011, 7000229, 1000031,
    ),
    Reason.APP_NOT_IN_TENANT: (700016, 7000112),
    Reason.BLOCKED_BY_POLICY: (
        53000, 53001, 53002, 53003, 53004, 53011, 530003, 530032, 530034, 530035, 50097, 50129, 50131, 50005,
        500021, 500022, 500212, 500213,
    ),
    Reason.ACCOUNT_UNUSABLE: (50034, 50057, 50053, 50055, 50144, 50020, 50014, 51004, 50105, 50135, 50177, 90072),
    Reason.CLIENT_CREDENTIAL_EXPIRED: (7000222,),
    Reason.CLIENT_CREDENTIAL_INVALID: (
        7000215, 70002, 7000218, 700024, 700025, 700027, 700030, 50012, 50048, 70021, 700211, 700213,
    ),
    Reason.MISCONFIGURED: (70001, 90002, 90038, 900382, 900432, 70011, 28002, 9001023, 50194, 901002),
    Reason.ISSUER_UNAVAILABLE: (50033, 50087, 90006, 90012, 90024, 90033, 80002, 80005),
    Reason.THROTTLED: (90055, 50196),
}  # fmt: skip

REASON_OF_NUMBER = {number: reason for reason, numbers in _NUMBERS.items() for number in numbers}
"""Every AADSTS number that has a reason of its own."""

DEFAULT_OF_ERROR = {
    "invalid_grant": Reason.TOKEN_REJECTED,
    "interaction_required": Reason.MFA_REQUIRED,
    "consent_required": Reason.CONSENT_REQUIRED,
    "unauthorized_client": Reason.APP_NOT_IN_TENANT,
    "invalid_client": Reason.CLIENT_CREDENTIAL_INVALID,
    "invalid_scope": Reason.MISCONFIGURED,
    "invalid_request": Reason.MISCONFIGURED,
    "unsupported_grant_type": Reason.MISCONFIGURED,
    "invalid_tenant": Reason.MISCONFIGURED,
    "invalid_resource": Reason.CONSENT_REQUIRED,
    "temporarily_unavailable": Reason.ISSUER_UNAVAILABLE,
    "server_error": Reason.ISSUER_UNAVAILABLE,
}
"""What each `error` means when no number says more."""

_SUBERRORS = {"consent_required": Reason.CONSENT_REQUIRED, "client_mismatch": Reason.MISCONFIGURED}


def classify(*, status: int, error: str | None, suberror: str | None = None, numbers: Iterable[int] = ()) -> Reason:
    """The reason of a refusal. Unknown is `unclassified`, never a dead token."""
    if status == 429:  # noqa: PLR2004 - RFC 6585 section 4
        return Reason.THROTTLED
    if status >= 500:  # noqa: PLR2004 - RFC 9110 section 15.6
        return Reason.ISSUER_UNAVAILABLE
    refined = [REASON_OF_NUMBER[number] for number in numbers if number in REASON_OF_NUMBER]
    return next(
        (reason for reason in refined if _fits(reason, error)),
        _SUBERRORS.get(suberror or "", DEFAULT_OF_ERROR.get(error or "", Reason.UNCLASSIFIED)),
    )


def _fits(reason: Reason, error: str | None) -> bool:
    """Whether a number's reason stays inside the class of `error`: a client's fault never passes for the token's."""
    if reason is Reason.TOKEN_MALFORMED:  # with invalid_request the request is wrong
        return error == "invalid_grant"
    return error != "invalid_client" or reason.unit is not Unit.TOKEN
