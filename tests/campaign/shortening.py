"""From a story that breaks a promise to a short one that still does: leave out whatever is not needed for it.

One part after the other is left out or made plainer, as long as the story still ends badly; nothing is drawn anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.campaign.play import PromiseBroken, play
from tests.campaign.story import Break, Meanwhile, Run, Step, Story, Trouble


def shortened(story: Story) -> tuple[Story, str] | None:
    """The shortest story that is found, and what it breaks; None for one that breaks nothing this time."""
    found = _broken_by(story)
    if found is None:
        return None
    promise = found.partition(":")[0]
    while (shorter := next(_still_broken(story, promise), None)) is not None:
        story, found = shorter
    return story, found


def _still_broken(story: Story, promise: str) -> Iterator[tuple[Story, str]]:
    for candidate in _plainer(story):
        found = _broken_by(candidate)
        if found is not None and found.startswith(promise):
            yield candidate, found


def _broken_by(story: Story) -> str | None:
    try:
        play(story)
    except PromiseBroken as broken:
        return str(broken)
    return None


def _plainer(story: Story) -> Iterator[Story]:
    for steps in _fewer(story.steps):
        yield replace(story, steps=steps)
    for number, step in enumerate(story.steps):
        for plainer in _plainer_step(step):
            yield replace(story, steps=(*story.steps[:number], plainer, *story.steps[number + 1 :]))
    if len(story.tokens) > 1:
        for tokens in _fewer(story.tokens):
            yield replace(story, tokens=tokens)
    if story.tokens != ("due",):
        yield replace(story, tokens=("due",) * len(story.tokens))


def _plainer_step(step: Step) -> Iterator[Step]:
    if not isinstance(step, Run):
        return
    for troubles in _fewer(step.troubles):
        yield replace(step, troubles=troubles)
    for number, trouble in enumerate(step.troubles):
        for plainer in _plainer_trouble(trouble):
            yield replace(step, troubles=(*step.troubles[:number], plainer, *step.troubles[number + 1 :]))
    if step.bursts:
        yield from (replace(step, bursts=bursts) for bursts in _fewer(step.bursts))
        yield from (replace(step, bursts=bursts) for bursts in _smaller(step.bursts))
    plain = (replace(step, force=False), replace(step, hurried=False), replace(step, many=2))
    yield from (plainer for plainer in plain if plainer != step)


def _plainer_trouble(trouble: Trouble) -> Iterator[Trouble]:
    if trouble.skip:
        yield replace(trouble, skip=0)
    if isinstance(trouble, Meanwhile) and trouble.at_once:
        yield replace(trouble, at_once=False)
    if isinstance(trouble, Break) and trouble.times > 1:
        yield from (replace(trouble, times=times) for times in (1, 3, 6) if times < trouble.times)


def _fewer[T](parts: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    for number in range(len(parts)):
        yield (*parts[:number], *parts[number + 1 :])


def _smaller(bursts: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for number, burst in enumerate(bursts):
        if burst > 1:
            yield (*bursts[:number], burst - 1, *bursts[number + 1 :])
