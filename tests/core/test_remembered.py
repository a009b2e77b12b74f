"""What a rotation leaves behind: what no list shows by itself, with the day since when, in a form that is read back."""

from __future__ import annotations

from datetime import date

import pytest

from rotation.reason import Reason
from rotation.remembered import LastWarning

MONDAY, NEXT_MONDAY = date(2026, 11, 16), date(2026, 11, 23)
MFA, DISABLE, DROPPED = Reason.MFA_MISSING, Reason.DISABLE_FAILED, Reason.TAGS_DROPPED


@pytest.mark.parametrize(
    ("before", "warnings", "reasons", "since"),
    [
        ((), (MFA,), (MFA,), NEXT_MONDAY),
        ((MFA,), (MFA,), (MFA,), MONDAY),
        ((MFA,), (DISABLE,), (DISABLE,), NEXT_MONDAY),
        ((), (MFA, DROPPED, MFA, DISABLE), (MFA, DISABLE), NEXT_MONDAY),
    ],
)
def test_what_goes_on_is_as_old_as_it_is(
    before: tuple[Reason, ...], warnings: tuple[Reason, ...], reasons: tuple[Reason, ...], since: date
) -> None:
    previous = LastWarning(before, MONDAY) if before else None
    left = LastWarning.after(previous, warnings, today=NEXT_MONDAY)
    assert left == LastWarning(reasons, since)
    assert LastWarning.parse(str(left)) == left


@pytest.mark.parametrize("warnings", [(), (DROPPED,), (Reason.VAULT_DENIED,)])
def test_what_a_list_or_the_next_run_shows_by_itself_is_not_kept(warnings: tuple[Reason, ...]) -> None:
    assert LastWarning.after(LastWarning((MFA,), MONDAY), warnings, today=NEXT_MONDAY) is None


@pytest.mark.parametrize(
    "text", ["", "mfa_missing", "mfa_missing;monday", "token_revoked;2026-11-16", ";2026-11-16", "a;b;c"]
)
def test_what_is_not_of_the_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        LastWarning.parse(text)
