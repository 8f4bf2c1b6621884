"""What happens at the venue while nobody listens: said until the venue has told of it."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk.messages import Pulse, Restarted
from engine.model import report as r
from engine.model.order import OrderType
from engine.model.request import QueryAccount
from tests.support.world import SECOND, Story, World, play

D = Decimal


def rested() -> Story:
    """An entry rests at the venue; it may fill at any time."""
    story = Story()
    assert story.buy("0.5", type=OrderType.LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    return story


def lost_and_back(story: Story) -> int:
    """The line broke for two seconds; when it was back."""
    story.tell(r.Disconnected("the stream broke", story.now))
    story.now += 2 * SECOND
    story.tell(r.Connected(story.now))
    return story.now


def pulses(story: Story, seconds: int) -> None:
    for _ in range(seconds):
        story.now = max(story.now, story.desk.next_pulse(story.now + SECOND))
        story.tell(Pulse())


@pytest.mark.hazard("H86")
def test_what_the_gap_of_a_line_hid_is_an_alert_until_the_venue_has_told_it() -> None:
    story = rested()
    back = lost_and_back(story)
    assert "UNHEARD" not in story.standing(), "the answer is a moment away as a rule"
    pulses(story, 2)
    assert "UNHEARD" in story.standing()
    story.picture(as_of=back - 1)
    assert "UNHEARD" in story.standing(), "a view of before the line was back tells nothing"
    story.picture(as_of=back)
    assert "UNHEARD" not in story.standing()
    pulses(story, 3)
    assert "UNHEARD" not in story.standing()


def test_a_lagging_view_is_asked_again_until_it_has_seen_the_gap() -> None:
    story = rested()
    back = lost_and_back(story)
    before = len(story.sent(QueryAccount))
    story.picture(as_of=back - 1)
    pulses(story, 2)
    assert len(story.sent(QueryAccount)) > before


def test_a_gap_in_which_nothing_of_ours_rested_is_none() -> None:
    story = Story()
    lost_and_back(story)
    pulses(story, 3)
    assert "UNHEARD" not in story.standing()


@pytest.mark.hazard("H86")
def test_an_engine_that_starts_again_says_that_it_has_not_heard_yet() -> None:
    story = rested()
    story.now += SECOND
    story.tell(Restarted())
    pulses(story, 2)
    assert "UNHEARD" in story.standing()
    story.picture(as_of=story.now)
    assert "UNHEARD" not in story.standing()


@pytest.mark.hazard("H30")
def test_an_entry_that_was_on_its_way_at_a_restart_is_an_alert_until_it_is_known() -> None:
    story = Story()
    assert story.buy("0.5").ok
    entry = story.order("entry")
    story.now += SECOND
    story.tell(Restarted())
    assert "UNKNOWN_OUTCOME" in story.standing()
    story.accept(entry)
    story.fill(entry)
    assert "UNKNOWN_OUTCOME" not in story.standing()


@pytest.mark.parametrize(("seconds", "told"), [(4, False), (600, True)])
@pytest.mark.parametrize("crash", [False, True])
def test_a_gap_without_an_engine_is_told_where_something_was_open(
    seconds: int, told: bool, crash: bool, tmp_path: Path
) -> None:
    """A terminal hung up: the next one that opens says how long nobody watched."""

    async def tale(world: World) -> None:
        await world.wait(30)
        await world.restart()
        assert "UNWATCHED" not in world.told(), "nothing was open"
        await world.opened()
        if crash:
            await world.engine.abandon()
            world.engine.journal.close(0)
        else:
            await world.engine.close()
        await world.clock.sleep(seconds * SECOND)
        await world.open()
        assert ("UNWATCHED" in world.told()) is told

    play(tale, tmp_path)
