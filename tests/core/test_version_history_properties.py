"""Whatever a list of versions says and however many runs overlap: what is young or current is never given up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from rotation.ports import ListedVersion
from rotation.version_history import VersionHistory
from tests.core.versions import LABELLED, history, version

SECONDS = st.integers(0, 3)
VERSIONS = st.lists(
    st.builds(
        lambda second, redeemed, enabled, touched: (second, redeemed, enabled, touched),
        SECONDS, st.one_of(st.none(), SECONDS), st.booleans(), st.booleans(),
    ),
    max_size=6,
)  # fmt: skip


@given(drawn=VERSIONS, before=SECONDS, ours=SECONDS, order=st.randoms(use_true_random=False))
def test_the_order_of_a_list_within_a_second_says_nothing_and_nothing_young_is_superseded(
    drawn: list[tuple[int, int | None, bool, bool]], before: int, ours: int, order: Random
) -> None:
    others = [
        version(str(n), second / 60, redeemed=None if redeemed is None else redeemed / 60, enabled=on, touched=touched)
        for n, (second, redeemed, on, touched) in enumerate(drawn)
    ]
    listed = [*others, version("before", before / 60), version("ours", ours / 60, redeemed=ours / 60)]
    said = []
    for _ in range(2):
        order.shuffle(listed)
        made = history(*sorted(listed, key=lambda each: each.created_on))
        assert all(each.created_on < made.before.created_on for each in made.superseded)
        assert made.superseded == [each for each in made.superseded if each in others and each.enabled]
        groups = (made.superseded, made.last_consents, made.covered())
        said.append(([set(map(id, group)) for group in groups], made.meanwhile(looked=LABELLED, stored=LABELLED)))
    assert said[0] == said[1]


@dataclass(slots=True)
class Vault:
    """Versions in the order in which they were written, with dates cut to the second; `runs` take one step a turn."""

    seconds: int = 0
    versions: list[ListedVersion] = field(default_factory=lambda: [version("first", 0)])
    looked: dict[int, str] = field(default_factory=dict)
    stored: dict[int, str] = field(default_factory=dict)

    def step(self, run: int) -> None:
        """The next of a run's three steps: look, store, settle."""
        if run not in self.looked:
            self.looked[run] = self.versions[-1].version
        elif run not in self.stored:
            self.stored[run] = f"version {len(self.versions)}"
            moment = self.seconds / 60
            self.versions.append(version(self.stored[run], moment, redeemed=moment))
        else:
            self._settle(self.looked.pop(run), self.stored.pop(run))

    def _settle(self, before: str, ours: str) -> None:
        listed = tuple(sorted(self.versions, key=lambda each: each.created_on, reverse=True))
        made = VersionHistory.of(listed, before, ours=ours)
        assert made is not None
        if made.since and self.versions[-1].version != ours:
            return
        assert not made.meanwhile(looked=LABELLED, stored=LABELLED).disabled, "no operator did anything"
        superseded = {each.version for each in made.superseded}
        self.versions = [
            replace(each, enabled=each.enabled and each.version not in superseded) for each in self.versions
        ]


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from((0, 1, 400))), min_size=4, max_size=12))
def test_however_many_runs_overlap_none_takes_what_another_disabled_for_an_operator_s_act(
    turns: list[tuple[int, int, int]],
) -> None:
    vault = Vault()
    for run, steps, seconds in turns:
        vault.seconds += seconds
        for _ in range(steps):
            vault.step(run)
            assert vault.versions[-1].enabled
