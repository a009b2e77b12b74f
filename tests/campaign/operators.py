"""Everybody beside the job: operators at the portal or a shell, and the administrator of the tenant who revokes.

Each act is done on the emulators' state directly and noted in the ledger. An act that the service would refuse at that
moment (to tag what is deleted, to recover what is there) does nothing, and is not noted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emulators.entra.directory import User
from emulators.entra.state import EntraState
from emulators.keyvault.errors import VaultError
from emulators.keyvault.state import VaultState
from rotation.tagging import operator_tags
from rotation.token import JOB_TAGS, OUR_TAGS
from tests.campaign.ledger import Ledger, Meant


def nothing() -> None:
    """For a world whose clock goes by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operators:
    """`later` is called before and after each act: a vault's dates have seconds, and who acts in one is not told apart.

    `is_decidable`: whether anything else tells who came first there; of who copies the job's own tags nothing does.
    `observe` hears of each act that was done, by name and token.
    """

    vault: VaultState
    entra: EntraState
    tenant_id: str
    client_id: str
    client_credential: str
    ledger: Ledger
    later: Callable[[], None] = nothing
    is_decidable: bool = True
    observe: Callable[[str, str], None] = lambda _act, _name: None
    accounts: dict[str, User] = field(default_factory=dict)

    def begin(
        self, name: str, *, tags: Mapping[str, str] | None = None, content_type: str | None = None, **job_tags: str
    ) -> str:
        """Put a new token under care; `job_tags` (`redeemed_at`) as an earlier run would have left them."""
        self.accounts[name] = self.entra.add_user(self.tenant_id, f"account-of-{name}")
        meant = Meant(consents=[], tags=self.tags() | dict(tags or {}), content_type=content_type)
        self.ledger.tokens[name] = meant
        written = meant.tags | {tag.replace("_", "-"): text for tag, text in job_tags.items()}
        return self._sign_in(name, written, content_type)

    def tags(self) -> dict[str, str]:
        """The tags with which somebody puts a token under care."""
        return {
            "managed-by": "token-rotation",
            "tenant-id": self.tenant_id,
            "client-id": self.client_id,
            "client-credential": self.client_credential,
        }

    def re_consent(self, name: str) -> None:
        """Somebody signs in again and stores the new token with the tags that the token had."""
        meant = self.ledger.tokens[name]
        self._act("re-consent", name, lambda: self._write(name, meant.tags, meant.content_type))

    def re_consent_untagged(self, name: str) -> None:
        """The same through the portal: a new version has no tags."""
        self._act("re-consent without tags", name, lambda: self._write(name, {}, None))

    def re_consent_copying_tags(self, name: str) -> None:
        """The same by a script that copies every tag of the version before, the job's own too."""
        meant = self.ledger.tokens[name]

        def copy() -> None:
            tags = self._tags(name)
            copied = {tag: text for tag, text in tags.items() if tag in JOB_TAGS}
            self._write(name, operator_tags(tags), meant.content_type, copied)

        self._act("re-consent with copied tags", name, copy)

    def retag(self, name: str) -> None:
        """Somebody changes a tag of their own and adds one, on the version that is current at that moment."""
        number = str(len(self.ledger.tokens[name].acts))
        self._act("retag", name, lambda: self._retag(name, {"label": f"Contoso {number}", f"ticket-{number}": "4711"}))

    def adopt(self, name: str) -> None:
        """Somebody puts back the tags that say that the token is under care."""
        self._act("adopt", name, lambda: self._retag(name, self.tags()))

    def release(self, name: str) -> None:
        """Somebody takes the token out of care, as the message of lost tags says."""
        self._act("release", name, lambda: self._retag(name, {"managed-by": "none"}))

    def disable(self, name: str) -> None:
        """Hands off: the version that is current at that moment is disabled."""
        self._act("disable", name, lambda: self._enable(name, enabled=False))

    def enable(self, name: str) -> None:
        """The current version is enabled again."""
        self._act("enable", name, lambda: self._enable(name, enabled=True))

    def delete(self, name: str) -> None:
        """The secret is deleted, recoverable."""

        def delete() -> None:
            self.vault.delete(name)
            self.ledger.tokens[name].deleted = True

        self._act("delete", name, delete)

    def restore(self, name: str) -> None:
        """The deleted secret is recovered, with all of its versions."""

        def recover() -> None:
            self.vault.recover(name)
            self.ledger.tokens[name].deleted = False

        self._act("restore", name, recover)

    def revoke(self, name: str) -> None:
        """The account's sign-ins up to now are revoked."""
        self._act("revoke", name, lambda: self.entra.revoke(self.accounts[name]))

    def _act(self, act: str, name: str, do: Callable[[], object]) -> None:
        self.later()
        try:
            do()
        except VaultError:
            return
        self.ledger.tokens[name].acts.append(act)
        self.observe(act, name)
        self.later()

    def _sign_in(self, name: str, tags: Mapping[str, str], content_type: str | None) -> str:
        value = self.entra.consent(tenant_id=self.tenant_id, client_id=self.client_id, user=self.accounts[name])
        self.ledger.secrets.add(value)
        written = self.vault.put(name, value, tags=tags or None, content_type=content_type)
        self.ledger.tokens[name].consented(value, written.created)
        is_undated = self.later is nothing
        self.ledger.undated |= {value} if is_undated else set()
        self.ledger.undecided |= (
            {value} if is_undated and not (self.is_decidable and JOB_TAGS.isdisjoint(tags)) else set()
        )
        return value

    def _write(
        self, name: str, tags: Mapping[str, str], content_type: str | None, more: Mapping[str, str] | None = None
    ) -> None:
        self.vault.current(name)  # a deleted name takes no new version: nobody signs in for nothing
        self._sign_in(name, {**tags, **(more or {})}, content_type)
        meant = self.ledger.tokens[name]
        meant.left_care = not tags and (meant.is_managed or meant.left_care)
        meant.tags, meant.content_type, meant.enabled = dict(tags), content_type, True
        meant.overwritten.clear()

    def _retag(self, name: str, changed: Mapping[str, str]) -> None:
        theirs = operator_tags(self._tags(name)) | dict(changed)
        current = self.vault.current(name)
        ours = {tag: text for tag, text in self._tags(name).items() if tag in JOB_TAGS}
        self.vault.retag(name, {**theirs, **ours}, current.version)
        meant = self.ledger.tokens[name]
        meant.tags = theirs
        meant.left_care = meant.left_care and not theirs.keys() & OUR_TAGS
        _stands(meant, "tags")

    def _enable(self, name: str, *, enabled: bool) -> None:
        current = self.vault.current(name)
        (self.vault.enable if enabled else self.vault.disable)(name, current.version)
        meant = self.ledger.tokens[name]
        meant.enabled = enabled
        _stands(meant, "enabled")

    def _tags(self, name: str) -> dict[str, str]:
        return dict(self.vault.current(name).tags or {})


def _stands(meant: Meant, what: str) -> None:
    """What is done now counts, unless a re-consent beneath is still to come up with what it had."""
    if "consent" not in meant.overwritten:
        meant.overwritten.discard(what)


ACTS: Mapping[str, Callable[[Operators, str], None]] = {
    "re-consent": Operators.re_consent,
    "re-consent without tags": Operators.re_consent_untagged,
    "re-consent with copied tags": Operators.re_consent_copying_tags,
    "retag": Operators.retag,
    "adopt": Operators.adopt,
    "release": Operators.release,
    "disable": Operators.disable,
    "enable": Operators.enable,
    "delete": Operators.delete,
    "restore": Operators.restore,
    "revoke": Operators.revoke,
}
"""Every act by its name; each takes the operators and the name of a token."""
