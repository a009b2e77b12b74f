"""What an answer of the token endpoint means: from status, `error`, `suberror` and AADSTS numbers to a Reason.

In this order: the HTTP status, then the numbers and `suberror` as far as they stay inside the class of `error`, then
the default of `error`. Never the text, which is translated, and whose wording is nobody's contract. All of it is one
table, `RULES`. Sources: RFC 6749 section 5.2; "Microsoft Entra authentication and authorization error codes" (read
2026-11); for `suberror` the constants of Microsoft's own MSAL libraries; forms seen in public are named in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rotation.reason import Reason

_UNAUTHORIZED, _BAD_REQUEST = 401, 400
_LONGEST_WINDOW_DAYS = 3650

# The form of a .NET TimeSpan with days, alone among the letters around it: 90.00:00:00.
_TIMESPAN = re.compile(r"(?<![0-9A-Za-z.:+-])([0-9]{1,4})\.[0-9]{2}:[0-9]{2}:[0-9]{2}(?![0-9:Z+-])")
_INACTIVE = 700082

# 700023 is not among them: one page of Microsoft's says a scope, another an assertion's audience; `error` says which.
_NUMBERS: Mapping[Reason, tuple[int, ...]] = {
    Reason.THROTTLED: (90055, 50196),
    Reason.ISSUER_UNAVAILABLE: (
        50033, 50087, 90006, 90012, 90024, 90033, 80002, 80005, 40008, 40010, 50000, 50086, 50166, 70012, 80001, 80014,
        90036, 90061, 90090, 90091, 90092,
    ),
    Reason.CLIENT_CREDENTIAL_EXPIRED: (7000222,),
    Reason.APP_NOT_IN_TENANT: (700016, 7000112, 700011),
    Reason.ACCOUNT_UNUSABLE: (
        50034, 50057, 50053, 50055, 50144, 50020, 50014, 51004, 50105, 50135, 50177, 90072, 16000, 16003, 50056, 50125,
        50197, 54000, 80012, 90084, 500208, 500341, 500571,
    ),
    Reason.BLOCKED_BY_POLICY: (
        53000, 53001, 53002, 53003, 53004, 53011, 530003, 530032, 530034, 530035, 50097, 50129, 50131, 50005,
        500021, 500022, 500212, 500213, 50002, 50127, 50155, 50170, 50178, 50187, 53010, 90123, 135011, 700003,
        1000104,
    ),
    Reason.REDIRECT_TYPE_SPA: (700084, 9002327),
    Reason.SIGN_IN_FREQUENCY: (70043, 70044),
    Reason.TOKEN_EXPIRED: (700082, 70008, 700081),
    Reason.TOKEN_REVOKED: (50173, 50089, 50132, 50133, 50085, 50139),
    Reason.MFA_REQUIRED: (50072, 50074, 50076, 50078, 50079, 50158, 50161, 700020),
    Reason.CONSENT_REQUIRED: (
        65001, 65004, 65005, 650052, 650054, 650056, 650057, 90008, 90093, 90094, 90095, 90099, 500011, 500014,
        7000229, 1000031, 9002341,
    ),
    Reason.MISCONFIGURED: (
        70001, 90002, 90038, 900382, 900432, 70011, 28002, 9001023, 50194, 901002, 28000, 28003, 50001, 50049, 50050,
        50059, 50128, 50146, 501461, 65002, 70003, 90009, 90019, 90027, 90043, 90051, 90124, 90130, 700005, 700022,
        900023, 1002012, 7000012, 9002332, 70000121,
    ),
    Reason.CLIENT_CREDENTIAL_INVALID: (
        7000215, 70002, 7000218, 700024, 700025, 700027, 700030, 50012, 50048, 70021, 700211, 700212, 700213, 50027,
        700021, 700229, 7002137, 7002138,
    ),
    Reason.TOKEN_MALFORMED: (9002313, 900144, 90014),
    Reason.TOKEN_REJECTED: (70000,),
}  # fmt: skip

_SERVICE = frozenset({Reason.THROTTLED, Reason.ISSUER_UNAVAILABLE})  # nothing was judged: possible beside any `error`
_APP = _SERVICE | {Reason.APP_NOT_IN_TENANT, Reason.CONSENT_REQUIRED, Reason.MISCONFIGURED}
_CLIENT = _APP | {Reason.CLIENT_CREDENTIAL_EXPIRED, Reason.CLIENT_CREDENTIAL_INVALID}
_ACCOUNT = frozenset({Reason.ACCOUNT_UNUSABLE, Reason.BLOCKED_BY_POLICY, Reason.MFA_REQUIRED})
_TOKEN = frozenset(
    {
        Reason.REDIRECT_TYPE_SPA,
        Reason.SIGN_IN_FREQUENCY,
        Reason.TOKEN_EXPIRED,
        Reason.TOKEN_REVOKED,
        Reason.TOKEN_REJECTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The table. Every row is proven by a test that fails without it.

    `statuses`: what an HTTP status says before anything else. `refusals`: the statuses with which the issuer refuses;
    under any other one an unknown `error` came from somebody on the way. `numbers`: what AADSTS numbers say; of several
    the reason that stands first wins: first what was never judged, then what must be mended before anything else can
    be, last what says no more than `error`. `suberrors`: the same of `suberror`, where no number says more. `inside`:
    the reasons that belong to each `error`: what contradicts it does not win. `unknown`: those that any other `error`
    leaves possible. `errors`: what each `error` means by itself.
    """

    statuses: Mapping[range, Reason]
    refusals: frozenset[int]
    numbers: Mapping[Reason, tuple[int, ...]]
    suberrors: Mapping[str, Reason]
    inside: Mapping[str, frozenset[Reason]]
    unknown: frozenset[Reason]
    errors: Mapping[str, Reason]


RULES = Rules(
    statuses={
        range(300, 400): Reason.ISSUER_UNAVAILABLE,  # the token endpoint never redirects
        range(407, 408): Reason.ISSUER_UNAVAILABLE,  # a proxy wants to know who we are
        range(408, 409): Reason.ISSUER_UNAVAILABLE,  # the request did not arrive in time
        range(429, 430): Reason.THROTTLED,  # RFC 6585 section 4
        range(500, 600): Reason.ISSUER_UNAVAILABLE,  # RFC 9110 section 15.6
    },
    refusals=frozenset({_BAD_REQUEST, _UNAUTHORIZED}),  # RFC 6749 section 5.2
    numbers=_NUMBERS,
    suberrors={
        "bad_token": Reason.TOKEN_REJECTED,
        "token_expired": Reason.SIGN_IN_FREQUENCY,  # by a policy on its lifetime, not by inactivity
        "basic_action": Reason.MFA_REQUIRED,
        "additional_action": Reason.BLOCKED_BY_POLICY,
        "message_only": Reason.BLOCKED_BY_POLICY,
        "protection_policy_required": Reason.BLOCKED_BY_POLICY,
        "device_authentication_failed": Reason.BLOCKED_BY_POLICY,
        "consent_required": Reason.CONSENT_REQUIRED,
        "user_password_expired": Reason.ACCOUNT_UNUSABLE,
        "client_mismatch": Reason.MISCONFIGURED,
    },
    inside={
        "invalid_grant": _APP | _ACCOUNT | _TOKEN | {Reason.TOKEN_MALFORMED},
        "interaction_required": _APP | _ACCOUNT | _TOKEN,
        "login_required": _APP | _ACCOUNT | _TOKEN,
        "consent_required": _APP | _ACCOUNT,
        "user_password_expired": _SERVICE | _ACCOUNT,
        "unauthorized_client": _CLIENT | _ACCOUNT,
        "invalid_request": _CLIENT | _ACCOUNT | {Reason.REDIRECT_TYPE_SPA},
        "invalid_client": _CLIENT,
        "invalid_scope": _APP,
        "invalid_resource": _APP,
        "unsupported_grant_type": _APP,
        "invalid_tenant": _APP,
        "invalid_instance": _APP,
        "temporarily_unavailable": _SERVICE,
        "server_error": _SERVICE,
    },
    unknown=_CLIENT | _ACCOUNT | _TOKEN,
    errors={
        "invalid_grant": Reason.TOKEN_REJECTED,
        "interaction_required": Reason.MFA_REQUIRED,
        "login_required": Reason.TOKEN_REJECTED,
        "consent_required": Reason.CONSENT_REQUIRED,
        "user_password_expired": Reason.ACCOUNT_UNUSABLE,
        "unauthorized_client": Reason.APP_NOT_IN_TENANT,
        "invalid_request": Reason.MISCONFIGURED,
        "invalid_client": Reason.CLIENT_CREDENTIAL_INVALID,
        "invalid_scope": Reason.MISCONFIGURED,
        "invalid_resource": Reason.CONSENT_REQUIRED,
        "unsupported_grant_type": Reason.MISCONFIGURED,
        "invalid_tenant": Reason.MISCONFIGURED,
        "invalid_instance": Reason.MISCONFIGURED,
        "temporarily_unavailable": Reason.ISSUER_UNAVAILABLE,
        "server_error": Reason.ISSUER_UNAVAILABLE,
    },
)
"""The table in force."""

DEFAULT_OF_ERROR = RULES.errors
"""What each `error` means when nothing says more."""

REASON_OF_NUMBER = {number: reason for reason, own in RULES.numbers.items() for number in own}
"""Every AADSTS number that has a reason of its own."""


def classify(
    *, status: int, error: str | None, suberror: str | None = None, numbers: Iterable[int] = (), rules: Rules = RULES
) -> Reason:
    """The reason of a refusal. Unknown is `unclassified`, never a dead token; the order of `numbers` says nothing."""
    for statuses, reason in rules.statuses.items():
        if status in statuses:
            return reason
    possible = rules.inside.get(error or "", rules.unknown)
    told = set(numbers)
    by_number = next((reason for reason, own in rules.numbers.items() if reason in possible and told & {*own}), None)
    if by_number not in (None, Reason.TOKEN_REJECTED):
        return by_number
    by_suberror = rules.suberrors.get(suberror or "")
    if by_suberror in possible:
        return by_suberror
    otherwise = Reason.UNCLASSIFIED if status in rules.refusals else Reason.ISSUER_UNAVAILABLE
    return by_number or rules.errors.get(error or "", otherwise)


def inactivity_window(numbers: Iterable[int], description: object) -> int | None:
    """Days without use after which this tenant lets a refresh token die, as AADSTS700082 says it; None without it.

    The one thing that is ever taken from a text, and only its digits: every language leaves `90.00:00:00` as it is.
    """
    if _INACTIVE not in numbers or not isinstance(description, str):
        return None
    found = {int(days) for days in _TIMESPAN.findall(description)}
    days = found.pop() if len(found) == 1 else 0
    return days if 1 <= days <= _LONGEST_WINDOW_DAYS else None
