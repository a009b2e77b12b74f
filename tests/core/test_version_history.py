"""Who wrote which version, and what a store has covered, read from a list that only has tags, dates and ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rotation.ports import ListedVersion
from rotation.version_history import Meanwhile
from tests.core.versions import LABELLED, history, version


def covered(*oldest_first: ListedVersion, before: str = "before", known: tuple[str, ...] = ()) -> list[str]:
    return [each.version for each in history(*oldest_first, before=before, known=known).covered()]


def meanwhile(*oldest_first: ListedVersion, known: tuple[str, ...] = ()) -> Meanwhile:
    """What was done, where both the look and the store had the label and nothing else."""
    return history(*oldest_first, known=known).meanwhile(looked=LABELLED, stored=LABELLED)


BEFORE, OURS = version("before", -9000, redeemed=-9001), version("ours", 2, redeemed=0)


def test_a_re_consent_since_we_looked_is_covered_with_or_without_copied_tags() -> None:
    assert covered(BEFORE, version("theirs", 1), OURS) == ["theirs"]
    assert covered(BEFORE, version("theirs", 1, redeemed=-9001), OURS) == ["theirs"]
    assert covered(BEFORE, version("theirs", 1, redeemed=-9500), OURS) == ["theirs"]


def test_the_version_of_a_run_beside_ours_is_not() -> None:
    beside = history(BEFORE, version("beside", 1, redeemed=0.5), OURS)

    assert (beside.covered(), [each.version for each in beside.since]) == ([], ["beside"])


def test_what_operators_disabled_and_what_is_known_already_is_not() -> None:
    assert covered(BEFORE, version("theirs", 1, enabled=False), OURS) == []
    assert covered(BEFORE, version("theirs", 1), OURS, known=("before", "theirs")) == []
    assert covered(BEFORE, version("theirs", 1), version("again", 1), OURS, known=("before", "theirs")) == ["again"]


def test_a_re_consent_that_a_run_beside_ours_has_redeemed_is_covered_by_its_successor() -> None:
    """Also where that run, or one after it, has disabled it: what it gave is what was consented last."""
    beside = version("beside", 1.5, redeemed=1.25)

    assert covered(BEFORE, version("theirs", 1), beside, OURS) == ["beside", "theirs"]
    assert covered(BEFORE, version("theirs", 1, enabled=False), beside, OURS) == ["beside"]
    assert covered(BEFORE, version("theirs", 1), version("beside", 1.5, redeemed=0.5), OURS) == ["theirs"]


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


@pytest.mark.parametrize("source", [(), (version("source", -9000, enabled=False),)])
def test_what_a_run_redeemed_is_not_what_it_covered(source: tuple[ListedVersion, ...]) -> None:
    """The clocks may differ; but the run settled, so that nothing older is enabled."""
    assert covered(*source, BURIED, DIED, OURS, before="died") == []


def test_a_re_consent_that_a_later_one_has_replaced_is_not_put_on_top_of_it() -> None:
    later = version("later", -50)

    assert covered(SOURCE, BURIED, DIED, later, OURS, before="later") == []
    assert covered(SOURCE, BURIED, DIED, version("later", -50, enabled=False), BEFORE_OURS, OURS, before="run") == []


def put_back(name: str, minutes: float, source: str, over: str = "cover") -> ListedVersion:
    return version(name, minutes, tags={**LABELLED, "put-back": f"{source} {over}"})


THEIRS, BETWEEN, COPY = version("theirs", -30), version("later", -29), put_back("before", -28, "theirs")


def test_what_was_consented_while_a_run_put_another_back_is_covered_by_that() -> None:
    """The run died then: it had no time to find the later one, nor to disable anything."""
    assert covered(SOURCE, THEIRS, BETWEEN, COPY, OURS) == ["later"]
    assert covered(SOURCE, THEIRS, COPY, OURS) == []
    assert covered(SOURCE, BETWEEN, version("theirs", -28.5), COPY, OURS) == []
    assert covered(SOURCE, THEIRS, replace(BETWEEN, enabled=False), COPY, OURS) == []
    assert covered(SOURCE, replace(THEIRS, enabled=False), BETWEEN, COPY, OURS) == [], "it had"


@pytest.mark.parametrize("said", [{}, {"redeemed-at": "2026-11-21T05:46:00Z"}])
def test_what_the_copy_lies_on_is_a_run_s_though_it_may_not_say_so(said: dict[str, str]) -> None:
    """An operator's 15 tags leave no room for the job's own."""
    cover = version("cover", -29, tags={**LABELLED, **said})

    assert covered(SOURCE, THEIRS, cover, COPY, OURS) == []


def test_what_was_put_back_does_not_come_up_again_though_nothing_could_be_disabled() -> None:
    cover, copy = version("cover", -29.5, redeemed=-31), put_back("copy", -29, "theirs")
    last = version("before", -20, redeemed=-21)

    assert covered(SOURCE, THEIRS, cover, last, OURS) == ["theirs"]
    assert covered(SOURCE, THEIRS, cover, copy, last, OURS) == []
    assert (
        covered(SOURCE, THEIRS, BETWEEN, put_back("copy", -28, "theirs"), put_back("before", -20, "later"), OURS) == []
    )


@pytest.mark.parametrize("source", ["theirs", "before", "nowhere", ""])
def test_who_copies_the_tags_of_what_was_put_back_has_consented_after_it(source: str) -> None:
    copy, copied = put_back("copy", -28, "theirs"), put_back("before", -27, source)

    assert covered(SOURCE, THEIRS, BETWEEN, copy, copied, OURS) == []


def test_of_two_runs_of_one_second_each_is_a_run() -> None:
    """Without milliseconds the second would be taken for somebody who copied the tags of the first."""
    first, last = version("first", -10.2, redeemed=-11), version("before", -9, redeemed=-10.5)

    assert covered(SOURCE, first, version("second", -9.9, redeemed=-11 + 0.02 / 60), last, OURS) == []
    assert covered(SOURCE, first, version("copied", -9.9, redeemed=-11), last, OURS) == ["copied"]


def test_an_ordinary_history_covers_nothing_and_disables_all_but_two() -> None:
    ordinary = history(version("a", -30000, redeemed=-30001), version("b", -20000), BEFORE, OURS)

    assert (ordinary.covered(), ordinary.since, ordinary.last_consents) == ([], [], [])
    assert [each.version for each in ordinary.superseded] == ["b", "a"]
    assert ordinary.meanwhile(looked=LABELLED, stored=LABELLED) == Meanwhile()


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
    theirs = replace(BURIED, tags={"label": "theirs", "redeemed-at": "copied"})
    beneath = history(SOURCE, theirs, DIED, OURS, before="died")
    changed, on_top = {"label": "changed"}, {"label": "changed", "redeemed-at": "copied"}

    assert beneath.tags_on_top(theirs, stored=LABELLED, now=LABELLED) == theirs.tags
    assert beneath.tags_on_top(theirs, stored=LABELLED, now=changed) == on_top
    assert beneath.tags_on_top(theirs, stored=changed, now=changed) == on_top


def test_a_re_consent_without_tags_gets_those_that_somebody_has_put_back_on_ours() -> None:
    theirs, adopted = version("theirs", 1, tags={}), replace(OURS, updated_on=OURS.updated_on + timedelta(seconds=1))

    assert history(BEFORE, theirs, OURS).tags_on_top(theirs, stored=LABELLED, now=LABELLED) == {}
    assert history(BEFORE, theirs, adopted).tags_on_top(theirs, stored=LABELLED, now=LABELLED) == LABELLED


# ---- what was done meanwhile

RETAGGED = {"label": "Contoso Ltd"}
OFF, TAGGED = replace(BEFORE, enabled=False), replace(BEFORE, tags={**BEFORE.tags, **RETAGGED})
BESIDE, LATER = version("beside", 1, redeemed=0.5), version("later", 1.5, redeemed=1.25)


def test_what_was_done_to_the_version_before_ours_is_to_be_done_to_ours() -> None:
    assert meanwhile(OFF, OURS) == Meanwhile(disabled=True)
    assert meanwhile(TAGGED, OURS) == Meanwhile(tags=RETAGGED)
    assert meanwhile(replace(TAGGED, enabled=False), OURS) == Meanwhile(tags=RETAGGED, disabled=True)


def test_what_was_done_to_ours_counts_for_more() -> None:
    retagged = version("ours", 2, redeemed=0, tags={"label": "later"}, touched=True)
    disabled = version("ours", 2, redeemed=0, enabled=False, touched=True)

    assert meanwhile(TAGGED, retagged) == Meanwhile()
    assert meanwhile(OFF, retagged) == Meanwhile(disabled=True)
    assert meanwhile(TAGGED, disabled) == Meanwhile(tags=RETAGGED, disabled=True)


@pytest.mark.parametrize(("before", "in_doubt"), [(BEFORE, False), (OFF, True), (TAGGED, True)])
def test_ours_stands_when_somebody_confirmed_it_and_what_they_did_before_is_told(
    before: ListedVersion, *, in_doubt: bool
) -> None:
    """They enabled it, or put back the tags that it had: the list does not say which."""
    assert meanwhile(before, version("ours", 2, redeemed=0, touched=True)) == Meanwhile(in_doubt=in_doubt)


def test_runs_beside_ours_may_have_disabled_the_version_before_it() -> None:
    assert meanwhile(OFF, BESIDE, LATER, OURS) == Meanwhile(in_doubt=True)
    assert meanwhile(BEFORE, BESIDE, LATER, OURS) == Meanwhile()


def test_no_run_disables_the_newest_of_the_others() -> None:
    """Their re-consent, or what a run beside ours has stored: an operator did that."""
    assert meanwhile(BEFORE, version("theirs", 1, enabled=False), OURS) == Meanwhile(disabled=True)
    assert meanwhile(BEFORE, replace(BESIDE, enabled=False), OURS) == Meanwhile(disabled=True)
    of_one_second = (version("theirs", 1, enabled=False), BESIDE)
    assert meanwhile(BEFORE, *of_one_second, OURS).disabled
    assert meanwhile(BEFORE, *reversed(of_one_second), OURS).disabled


def test_tags_of_a_run_beside_ours_that_are_not_ours_are_told() -> None:
    assert meanwhile(BEFORE, version("beside", 1, redeemed=0.5, tags=RETAGGED), OURS) == Meanwhile(in_doubt=True)


# ---- one second


def test_the_last_re_consents_of_one_second_are_not_told_apart() -> None:
    one, other = version("before", -2), version("other", -2)

    for order in ((one, other), (other, one)):
        crowded = history(version("old", -90), *order, OURS)
        assert {each.version for each in crowded.last_consents} == {"before", "other"}
        assert [each.version for each in crowded.superseded] == ["old"]
    assert history(one, other, version("later", -1), OURS).last_consents == []


def test_the_one_that_was_current_minutes_later_was_the_last() -> None:
    one, other = version("before", -9), version("other", -9)

    decided = history(other, one, OURS)

    assert (decided.last_consents, decided.superseded) == ([], [other])
