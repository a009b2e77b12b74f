"""Who wrote which version, and what a store has covered, read from a list that only has tags, dates and ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rotation.ports import ListedVersion
from rotation.version_history import VersionHistory

NOW = datetime(2026, 11, 21, 6, 17, tzinfo=UTC)
LABELLED = {"label": "Contoso"}


def version(name: str, minutes: float, *, redeemed: float | None = None, enabled: bool = True) -> ListedVersion:
    """A version written some minutes after now; `redeemed` is when its token was, or is said to have been."""
    tags = {} if redeemed is None else {"redeemed-at": f"{NOW + timedelta(minutes=redeemed):%Y-%m-%dT%H:%M:%SZ}"}
    moment = NOW + timedelta(minutes=minutes)
    return ListedVersion(version=name, enabled=enabled, tags=LABELLED | tags, created_on=moment)


def history(*oldest_first: ListedVersion, before: str) -> VersionHistory:
    by_name = {each.version: each for each in oldest_first}
    return VersionHistory(tuple(reversed(oldest_first)), "ours", by_name[before])


def covered(*oldest_first: ListedVersion, before: str = "before", since: datetime | None = None) -> list[str]:
    return [each.version for each in history(*oldest_first, before=before).covered(since)]


BEFORE, OURS = version("before", -9000, redeemed=-9001), version("ours", 2, redeemed=0)


def test_a_re_consent_since_we_looked_is_covered_with_or_without_copied_tags() -> None:
    assert covered(BEFORE, version("theirs", 1), OURS) == ["theirs"]
    assert covered(BEFORE, version("theirs", 1, redeemed=-9001), OURS) == ["theirs"]
    assert covered(BEFORE, version("theirs", 1, redeemed=-9500), OURS) == ["theirs"]


def test_the_version_of_a_run_beside_ours_is_not() -> None:
    beside = history(BEFORE, version("beside", 1, redeemed=0.5), OURS, before="before")

    assert (beside.covered(None), beside.written_meanwhile) == ([], True)


def test_what_operators_disabled_and_what_is_known_already_is_not() -> None:
    assert covered(BEFORE, version("theirs", 1, enabled=False), OURS) == []
    assert covered(BEFORE, version("theirs", 1), OURS, since=NOW + timedelta(minutes=1)) == []


BEFORE_OURS = version("run", -48, redeemed=-49)
SOURCE, BURIED, DIED = version("source", -9000), version("buried", -99), version("died", -98, redeemed=-100)


def test_a_re_consent_under_the_version_of_a_run_that_died_is_covered() -> None:
    assert covered(SOURCE, BURIED, DIED, OURS, before="died") == ["buried"]


def test_it_is_found_over_a_second_run_that_died_too() -> None:
    second = version("second", -48, redeemed=-50)

    assert covered(SOURCE, BURIED, DIED, second, OURS, before="second") == ["buried"]


def test_what_was_redeemed_is_not_covered_by_it_though_nothing_could_be_disabled() -> None:
    assert covered(SOURCE, version("redeemed", -101), DIED, OURS, before="died") == []


@pytest.mark.parametrize("minutes", [-100, -98])
def test_a_re_consent_in_the_second_of_the_redemption_or_of_the_store_was_covered(minutes: int) -> None:
    """Both dates are cut to the second: in doubt, no re-consent is left beneath."""
    assert covered(SOURCE, version("buried", minutes), DIED, OURS, before="died") == ["buried"]


@pytest.mark.parametrize("enabled", [True, False])
def test_what_was_put_back_in_the_second_of_the_store_is_not_beneath_it(enabled: bool) -> None:  # noqa: FBT001
    beneath, put_back = version("buried", -98, enabled=enabled), version("put back", -98)

    assert covered(SOURCE, beneath, DIED, put_back, BEFORE_OURS, OURS, before="run") == []


@pytest.mark.parametrize("source", [(), (version("source", -9000, enabled=False),)])
def test_what_a_run_redeemed_is_not_what_it_covered(source: tuple[ListedVersion, ...]) -> None:
    """The clocks may differ; but the run settled, so that nothing older is enabled."""
    assert covered(*source, BURIED, DIED, OURS, before="died") == []


def test_a_re_consent_that_a_later_one_has_replaced_is_not_put_on_top_of_it() -> None:
    later = version("later", -50)

    assert covered(SOURCE, BURIED, DIED, later, OURS, before="later") == []
    assert covered(SOURCE, BURIED, DIED, version("later", -50, enabled=False), BEFORE_OURS, OURS, before="run") == []


def test_an_ordinary_history_covers_nothing_and_disables_all_but_two() -> None:
    ordinary = history(version("a", -30000, redeemed=-30001), version("b", -20000), BEFORE, OURS, before="before")

    assert ordinary.covered(None) == []
    assert [each.version for each in ordinary.superseded] == ["b", "a"]
    assert (ordinary.written_meanwhile, ordinary.crowded) == (False, False)


class Counted(dict[str, str]):
    """Tags that count how often they are read, all together."""

    reads = 0

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        Counted.reads += 1
        return super().get(key, default)


def test_a_history_of_years_is_gone_through_a_few_times_and_not_for_each_of_its_versions() -> None:
    Counted.reads = 0
    weeks = [version(str(n), n * 10080, redeemed=n * 10080 - 1, enabled=n > 496) for n in range(500)]
    counted = [replace(each, tags=Counted(each.tags)) for each in weeks]

    assert covered(*counted, before="498") == []
    assert Counted.reads < 4 * len(weeks)


def test_a_re_consent_goes_up_with_its_tags_unless_they_were_changed_on_top_of_it() -> None:
    beneath = history(SOURCE, BURIED, DIED, OURS, before="died")
    theirs, changed = {"label": "theirs", "redeemed-at": "copied"}, {"label": "changed"}

    assert beneath.tags_on_top(theirs, BURIED.created_on, new=LABELLED, now=LABELLED).tags == theirs
    on_top = beneath.tags_on_top(theirs, BURIED.created_on, new=LABELLED, now=changed)
    assert on_top.tags == {"label": "changed", "redeemed-at": "copied"}
    retagged = beneath.tags_on_top(theirs, BURIED.created_on, new=changed, now=changed)
    assert retagged.tags == {"label": "changed", "redeemed-at": "copied"}


def test_a_version_in_the_second_of_the_one_before_ours_crowds_it() -> None:
    same_second = version("beside", -9000, redeemed=-9001, enabled=False)

    assert history(BEFORE, same_second, OURS, before="before").crowded
