"""Making a failing story smaller: what can be left out, is; the seed stays, so that what is left
fails in the same way.
"""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from engine.exchange import Faults
from engine.rehearsal.simulation.story import Story

Fails = Callable[[Story], bool]


def shrink(story: Story, fails: Fails, tries: int = 400) -> Story:
    """The smallest story found that still fails, within so many tries. ValueError if it does not
    fail in the first place.
    """
    if not fails(story):
        raise ValueError(
            f"the story of seed {story.seed} does not fail: there is nothing to shrink"
        )
    left = tries
    while True:
        for smaller in _smaller(story):
            if left <= 0:
                return story
            left -= 1
            if fails(smaller):
                story = smaller
                break
        else:
            return story


def _smaller(story: Story) -> Iterator[Story]:
    """Without a run of steps, the longest first; then without one fault."""
    length = len(story.steps)
    size = length // 2
    while size:
        for start in range(0, length - size + 1, size):
            yield replace(story, steps=story.steps[:start] + story.steps[start + size :])
        size //= 2
    if story.coins:
        yield replace(story, coins={})
    none = Faults()
    for name in Faults.__struct_fields__:
        if getattr(story.faults, name) != getattr(none, name):
            yield replace(story, faults=replace(story.faults, **{name: getattr(none, name)}))
