"""Every reason an outcome or a problem can have: one closed list with severity, unit and what the operator does.

The codes are a public contract: alerts, the runbook, tags and reports key on them. Severity is a constant of the
reason, so that an alert never changes rule while it is open. Which answer of the issuer gives which reason is left to
`aadsts`.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Self


class Severity(StrEnum):
    """How bad: access is lost or will be within a week, rotation is impeded, nothing is lost, nothing to say."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    NONE = "none"


class Unit(Enum):
    """What one problem with this reason is about: all outcomes with the same unit are one problem."""

    TOKEN = "token"  # noqa: S105 - the name of a unit, not a password
    CREDENTIAL = "credential"
    CLIENT = "client"
    CLIENT_AND_TENANT = "client and tenant"
    VAULT = "vault"
    ISSUER = "issuer"
    NONE = "none"


_CRITICAL, _ERROR, _WARNING, _ = Severity


class Reason(StrEnum):
    """A reason code with its `severity`, its `unit` and the `action` that ends it."""

    severity: Severity
    unit: Unit
    action: str

    def __new__(cls, code: str, severity: Severity = Severity.NONE, unit: Unit = Unit.NONE, action: str = "") -> Self:
        """Make a member; its attributes never change."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.severity, member.unit, member.action = severity, unit, action
        return member

    # Access is lost, or will be within a week.
    TOKEN_EXPIRED = (
        "token_expired", _CRITICAL, Unit.TOKEN,
        "Consent again with the same account. If the tenant's window is under 90 days, lower rotate-after-days.",
    )  # fmt: skip
    TOKEN_REVOKED = (
        "token_revoked", _CRITICAL, Unit.TOKEN,
        "Consent again with the same account, and ask who reset its password or revoked its sessions.",
    )  # fmt: skip
    TOKEN_REJECTED = (
        "token_rejected", _CRITICAL, Unit.TOKEN,
        "Consent again with the same account; the issuer refuses this token without saying why.",
    )  # fmt: skip
    TOKEN_MALFORMED = (
        "token_malformed", _CRITICAL, Unit.TOKEN,
        "Restore the previous version of the secret: this value is cut, wrapped or not a refresh token.",
    )  # fmt: skip
    REDIRECT_TYPE_SPA = (
        "redirect_type_spa", _CRITICAL, Unit.CLIENT,
        "In the app registration, move the redirect URI from Single-page application to Web, then consent again.",
    )  # fmt: skip
    SIGN_IN_FREQUENCY = (
        "sign_in_frequency", _CRITICAL, Unit.TOKEN,
        "Exclude the account from the Conditional Access sign-in frequency policy, then consent again.",
    )  # fmt: skip
    MFA_REQUIRED = (
        "mfa_required", _CRITICAL, Unit.TOKEN,
        "Consent again with MFA. If this returns every few weeks, turn off 'remember MFA on trusted devices'.",
    )  # fmt: skip
    CONSENT_REQUIRED = (
        "consent_required", _CRITICAL, Unit.CLIENT_AND_TENANT,
        "Grant admin consent for the app in that tenant; create the service principal where it is missing.",
    )  # fmt: skip
    APP_NOT_IN_TENANT = (
        "app_not_in_tenant", _CRITICAL, Unit.CLIENT_AND_TENANT,
        "Check the tags client-id and tenant-id; if they are right, the tenant has not consented or disabled the app.",
    )  # fmt: skip
    BLOCKED_BY_POLICY = (
        "blocked_by_policy", _CRITICAL, Unit.TOKEN,
        "Exclude the account from the policy named in the sign-in log; consent a device-code token anew in a browser.",
    )  # fmt: skip
    ACCOUNT_UNUSABLE = (
        "account_unusable", _CRITICAL, Unit.TOKEN,
        "Enable, unblock or assign the account that consented, or consent again with another one.",
    )  # fmt: skip
    CLIENT_CREDENTIAL_EXPIRED = (
        "client_credential_expired", _CRITICAL, Unit.CREDENTIAL,
        "Add a new client secret to the app registration and store it in the vault; the refresh tokens are alive.",
    )  # fmt: skip
    CLIENT_CREDENTIAL_INVALID = (
        "client_credential_invalid", _CRITICAL, Unit.CREDENTIAL,
        "Store the right client secret (its value, not its id) or certificate; a new one takes some minutes to spread.",
    )  # fmt: skip
    CLIENT_CREDENTIAL_MISSING = (
        "client_credential_missing", _CRITICAL, Unit.CREDENTIAL,
        "Create or enable the secret or certificate that the tag client-credential names, in the same vault.",
    )  # fmt: skip
    IDENTITY_CHANGED = (
        "identity_changed", _CRITICAL, Unit.TOKEN,
        "Consent again with the right account, or remove the tag account-id if the new account is meant to stay.",
    )  # fmt: skip
    STRANDED_TOKEN = (
        "stranded_token", _CRITICAL, Unit.VAULT,
        "Make the vault writable and run again: Entra still accepts the token that is stored.",
    )  # fmt: skip
    EXPIRES_WITHIN_WEEK = (
        "expires_within_week", _CRITICAL, Unit.TOKEN,
        "Mend what keeps it from being rotated today, or consent again.",
    )  # fmt: skip

    # Rotation is impeded, access goes on.
    MISCONFIGURED = (
        "misconfigured", _ERROR, Unit.CLIENT_AND_TENANT,
        "Check the tags tenant-id, client-id, cloud and scopes: the issuer knows no such tenant, or no such request.",
    )  # fmt: skip
    NO_NEW_TOKEN = (
        "no_new_token", _ERROR, Unit.TOKEN,
        "Consent again with offline_access: the issuer gives no new refresh token, and the stored one keeps ageing.",
    )  # fmt: skip
    VAULT_DENIED = (
        "vault_denied", _ERROR, Unit.VAULT,
        "Give the job's identity readMetadata, getSecret, setSecret and update on the vault; check its firewall.",
    )  # fmt: skip
    INVALID_RECORD = (
        "invalid_record", _ERROR, Unit.TOKEN,
        "Correct the secret's tags as the message says; until then it is not rotated.",
    )  # fmt: skip
    TAGS_LOST = (
        "tags_lost", _ERROR, Unit.TOKEN,
        "Put the tags of the previous version back: a new one was stored without. After 14 days this is told no more.",
    )  # fmt: skip
    SECRET_DELETED = (
        "secret_deleted", _ERROR, Unit.TOKEN,
        "Recover the deleted secret, or leave it deleted to retire the token.",
    )  # fmt: skip

    # Nothing is lost.
    VAULT_UNAVAILABLE = (
        "vault_unavailable", _WARNING, Unit.VAULT,
        "Nothing yet: the next run tries again. If it lasts, check the vault's address, DNS and network rules.",
    )  # fmt: skip
    VAULT_THROTTLED = (
        "vault_throttled", _WARNING, Unit.VAULT,
        "Nothing yet: the next run tries again. If it lasts, find what else uses the vault or lower WRITES_PER_SECOND.",
    )  # fmt: skip
    LEASE_UNAVAILABLE = (
        "lease_unavailable", _WARNING, Unit.VAULT,
        "Check AzureWebJobsStorage and the job's role there; tokens are rotated meanwhile, but runs may overlap.",
    )  # fmt: skip
    ISSUER_UNAVAILABLE = (
        "issuer_unavailable", _WARNING, Unit.ISSUER,
        "Nothing yet: the next run tries again. If it lasts, check the service's health and the job's way to it.",
    )  # fmt: skip
    THROTTLED = (
        "throttled", _WARNING, Unit.CLIENT_AND_TENANT,
        "Nothing yet: the next run tries again. If it lasts, look for another program that redeems as the same app.",
    )  # fmt: skip
    UNCLASSIFIED = (
        "unclassified", _WARNING, Unit.TOKEN,
        "Look the code up in the identity platform's error reference, and report it to us so that it gets a name.",
    )  # fmt: skip
    EXPIRING = (
        "expiring", _WARNING, Unit.TOKEN,
        "See why it is not rotated (paused, failing, deferred) before its last week begins.",
    )  # fmt: skip
    CLIENT_CREDENTIAL_EXPIRING = (
        "client_credential_expiring", _WARNING, Unit.CREDENTIAL,
        "Add a new client secret to the app registration and store it in the vault before this one ends.",
    )  # fmt: skip
    MFA_MISSING = (
        "mfa_missing", _WARNING, Unit.TOKEN,
        "Consent again with MFA: Partner Center refuses calls whose token was issued without it.",
    )  # fmt: skip
    TAGS_DROPPED = (
        "tags_dropped", _WARNING, Unit.TOKEN,
        "Remove a tag you do not need: Key Vault allows 15, and the job's own no longer fit.",
    )  # fmt: skip
    CONCURRENT_WRITE = (
        "concurrent_write", _WARNING, Unit.TOKEN,
        "See that the newest version is the one you mean, with its tags, and enabled; disable what you do not mean.",
    )  # fmt: skip
    DISABLE_FAILED = (
        "disable_failed", _WARNING, Unit.TOKEN,
        "Nothing yet: a superseded version stays enabled until the next rotation disables it.",
    )  # fmt: skip

    # Why a token was rotated, skipped or deferred.
    DUE = "due"
    NEVER_REDEEMED = "never_redeemed"
    FORCED = "forced"
    RETRY = "retry"
    NOT_DUE = "not_due"
    PAUSED = "paused"
    DISABLED = "disabled"
    SUPERSEDED = "superseded"
    OUT_OF_TIME = (
        "out_of_time",
        Severity.NONE,
        Unit.NONE,
        "Run again, or wait for the next run: it goes on where this one stopped.",
    )
    LEASE_HELD = ("lease_held", Severity.NONE, Unit.NONE, "Wait until the other run has finished.")
    BREAKER_OPEN = (
        "breaker_open",
        Severity.NONE,
        Unit.NONE,
        "Mend the problem that opened the breaker; this token was not tried.",
    )


TRANSIENT = frozenset(
    {
        Reason.VAULT_UNAVAILABLE,
        Reason.VAULT_THROTTLED,
        Reason.ISSUER_UNAVAILABLE,
        Reason.THROTTLED,
        Reason.UNCLASSIFIED,
    }
)
"""Reasons that usually pass by themselves: tried again in every run, and a problem only when they last two days."""

TOKEN_IS_DEAD = frozenset(
    reason
    for reason in Reason
    if reason.severity is Severity.CRITICAL
    and reason.unit is Unit.TOKEN
    and reason not in (Reason.EXPIRES_WITHIN_WEEK, Reason.IDENTITY_CHANGED)  # the stored token still opens what it did
)
"""Reasons that already say that this one token opens nothing; that its days run out adds nothing to them."""
