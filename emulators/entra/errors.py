"""The refusals of the token endpoint: which AADSTS number means what, with which `error` and HTTP status. No behaviour.

Numbers and meanings are those of "Microsoft Entra authentication and authorization error codes", `error` and `suberror`
those that the service is reported to send with them; the sentences are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Refusal:
    """One AADSTS code: the OAuth error that it travels under (RFC 6749, section 5.2), its HTTP status, its meaning."""

    code: int
    error: str
    status: int
    suberror: str
    text: str


class EntraError(Exception):
    """A request that Entra refuses. Never holds a token or a secret."""

    def __init__(self, code: int, text: str | None = None, *, error: str | None = None) -> None:
        refusal = REFUSALS[code]
        self.code = code
        self.error = error or refusal.error
        self.suberror = refusal.suberror
        self.status = refusal.status
        self.text = text or refusal.text
        super().__init__(f"AADSTS{code}: {self.text}")


type _Group = tuple[str, int, str, Mapping[int, str]]

_GRANT: tuple[_Group, ...] = (
    (
        "invalid_grant",
        400,
        "bad_token",
        {
            70000: "The grant is not one that was issued here.",
            70008: "The authorization code or refresh token is too old or was not used for too long; sign in again.",
            700082: "The refresh token was not used for too long and has expired.",
            700084: "The refresh token belongs to a single-page application, lives for one day and is past it.",
            70043: "A sign-in frequency policy has ended the life of the refresh token.",
            50173: "The grant was revoked; a fresh sign-in is needed.",
            50089: "The sign-in flow behind the grant is no longer valid.",
            50132: "The session behind the grant is no longer valid.",
            50133: "The session behind the grant ended with a password change or expiry.",
            50085: "The refresh token needs a sign-in with the identity provider of the account.",
        },
    ),
    (
        "invalid_grant",
        400,
        "",
        {
            9002313: "The request is malformed or invalid.",
            900144: "The request body lacks a required parameter.",
            90014: "A required field of the request is missing.",
            50034: "The account does not exist in the tenant.",
            50057: "The account is disabled.",
            50053: "The account is locked, or the address of the caller is regarded as malicious.",
            50055: "The password of the account has expired.",
            50144: "The directory password of the account has expired.",
            50020: "The account of another identity provider is not known in this tenant.",
            50014: "The guest account is not yet usable in this tenant.",
            51004: "The account is not in the directory.",
            50105: "The account is not assigned to the application.",
            50135: "The account is at risk and its password must change.",
            50177: "An account that passes through from elsewhere cannot answer an external challenge.",
            90072: "The account of another identity provider must first be added to this tenant.",
        },
    ),
)
_INTERACTION: tuple[_Group, ...] = (
    (
        "interaction_required",
        400,
        "basic_action",
        {
            50072: "The account must enrol for multifactor authentication.",
            50074: "Strong authentication is required and was not done.",
            50076: "Multifactor authentication is required since a change by the administrator or a new place.",
            50078: "The multifactor authentication of this grant has expired by policy.",
            50079: "The account must set up multifactor authentication.",
            50158: "An external security challenge was not met.",
        },
    ),
    (
        "invalid_grant",
        400,
        "message_only",
        {
            53000: "Conditional Access asks for a compliant device.",
            53001: "Conditional Access asks for a domain-joined device.",
            53002: "Conditional Access asks for an approved application.",
            53003: "Conditional Access does not allow a token to be issued.",
            53004: "Proof-up is blocked: the risk is too high.",
            53011: "The account is blocked: there is a risk in its home tenant.",
            530003: "Conditional Access asks for a managed device.",
            530032: "A security policy of the tenant blocks the request.",
            530034: "Security defaults block the delegated administrator.",
            530035: "Security defaults block the request.",
            50097: "Device authentication is required.",
            50129: "The device is not workplace joined.",
            50131: "A Conditional Access condition on the device or place is not met.",
            50005: "The platform of the device is not supported by Conditional Access.",
            500021: "Tenant restrictions deny access to this tenant.",
            500022: "Tenant restrictions of the home tenant deny access to this tenant.",
            500212: "Cross-tenant access settings of the home tenant block the account.",
            500213: "Cross-tenant access settings of the resource tenant block the account.",
        },
    ),
)
_CONSENT: tuple[_Group, ...] = (
    (
        "invalid_grant",
        400,
        "consent_required",
        {
            65001: "Nobody has consented to this use of the application by this account for this resource.",
            65004: "The user declined to consent to the application.",
            90008: "The application must ask at least for the permission to sign in and read the profile.",
            90094: "An administrator must consent.",
            90095: "An administrator must consent, and has been asked to.",
        },
    ),
    (
        "invalid_client",
        400,
        "",
        {
            65005: "The application asks for a resource that its registration does not list.",
            650052: "The organisation has no service principal for a service that the application needs.",
            650054: "The application asks for a permission that no longer exists.",
            650056: "The application is misconfigured, or its permissions were never consented to.",
        },
    ),
    (
        "invalid_resource",
        400,
        "",
        {
            500011: "The resource has no service principal in the tenant.",
            650057: "The application asks for a resource that is not among its requested permissions.",
        },
    ),
    (
        "unauthorized_client",
        400,
        "",
        {
            90099: "The application is not authorised in the customer's tenant by its partner.",
            7000229: "The application has no service principal in the tenant.",
            1000031: "The application cannot be used at this time; an administrator must allow it.",
            700016: "The application was not found in the tenant.",
            7000112: "The application is disabled.",
            70001: "The application is not supported here.",
        },
    ),
)
_CLIENT: tuple[_Group, ...] = (
    (
        "invalid_client",
        401,
        "",
        {
            7000222: "The client secret has expired.",
            7000215: "The client secret is not one of the application's.",
            70002: "The client could not be validated.",
            7000218: "The request carries neither a client secret nor a client assertion.",
            700024: "The client assertion is outside its valid time range.",
            700025: "The client is public and must not present a credential.",
            700027: "The client assertion could not be verified.",
            700030: "The certificate of the client is not valid.",
            50012: "The client assertion was not accepted.",
            50048: "The subject of the client assertion is not its issuer.",
            70021: "No federated identity credential matches the assertion.",
            700211: "No federated identity credential matches the issuer of the assertion.",
            700212: "No federated identity credential matches the audience of the assertion.",
            700213: "No federated identity credential matches the subject of the assertion.",
        },
    ),
)
_REQUEST: tuple[_Group, ...] = (
    (
        "invalid_request",
        400,
        "",
        {
            90038: "The tenant belongs to another national cloud.",
            900382: "Confidential clients are not supported across clouds.",
            900432: "Confidential clients are not supported across clouds.",
            28000: "The scope names more than one resource.",
            28002: "The scope is not valid for an access token.",
            9001023: "The grant type is not served by the common or consumers endpoint.",
            50194: "The application is not multi-tenant; the common endpoint is not for it.",
            901002: "The resource parameter is not supported.",
        },
    ),
    ("invalid_tenant", 400, "", {90002: "The tenant was not found in this cloud."}),
    ("invalid_instance", 400, "", {50049: "The authority is unknown or not valid."}),
    (
        "invalid_scope",
        400,
        "",
        {
            70011: "The scope is not valid.",
            1002012: "A client credentials request takes the scope <resource>/.default and nothing else.",
        },
    ),
    ("unsupported_grant_type", 400, "", {70003: "The grant type is not supported."}),
)
_SERVICE: tuple[_Group, ...] = (
    (
        "temporarily_unavailable",
        503,
        "",
        {
            50033: "A transient error of the service.",
            50087: "A transient error during sign-in.",
            90006: "The service is temporarily unavailable.",
            90012: "The request took too long.",
            90024: "The service is temporarily busy.",
            90033: "The service is temporarily unavailable.",
            80002: "The password validation on premises timed out.",
            80005: "An unforeseen answer from the authentication agent on premises.",
        },
    ),
    ("temporarily_unavailable", 429, "", {90055: "Too many requests."}),
    ("invalid_grant", 400, "", {50196: "The client repeats the same request in a loop."}),
)


def _table(*parts: tuple[_Group, ...]) -> Mapping[int, Refusal]:
    rows = (
        Refusal(code, error, status, suberror, text)
        for part in parts
        for error, status, suberror, texts in part
        for code, text in texts.items()
    )
    return MappingProxyType({row.code: row for row in rows})


REFUSALS: Mapping[int, Refusal] = _table(_GRANT, _INTERACTION, _CONSENT, _CLIENT, _REQUEST, _SERVICE)
"""Every AADSTS code that the emulator can answer with, by number."""
