"""An immediate order that the venue took and tells no more of: the stream lags, or is deaf."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk.messages import Wake
from engine.desk.rules import RequestRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import OrderType, Status
from engine.model.request import Query
from tests.support.world import SECOND, Story

D = Decimal


def woken(story: Story, seconds: int) -> None:
    """So much time goes by, and nothing is told."""
    until = story.now + seconds * SECOND
    while (at := story.desk.next_wake()) is not None and at <= until:
        story.now = max(story.now, at)
        story.tell(Wake())
    story.now = until


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
@pytest.mark.hazard("H16")
def test_an_entry_that_was_taken_and_of_which_no_fill_is_told_is_asked_about(profile: str) -> None:
    story = Story(profile)
    assert story.buy("0.5").ok
    entry = story.order("entry")
    story.accept(entry)
    woken(story, 1)
    assert not story.sent(Query), "the fill is a moment away as a rule"
    assert "UNKNOWN_OUTCOME" not in story.standing()
    woken(story, 3)
    assert [query.client_order_id for query in story.sent(Query)][:1] == [entry.client_order_id]
    assert "UNKNOWN_OUTCOME" in story.standing(), "what it filled has no stop"
    fill = story.fill_of(entry, "0.5")
    theirs = replace(story.now_of(entry), status=Status.FILLED, filled=D("0.5"))
    story.tell(r.Found(theirs, (fill,), story.now))
    assert story.position().size > 0
    assert story.order("stop").size == story.position().size
    assert "UNKNOWN_OUTCOME" not in story.standing()


def test_a_close_of_which_nothing_is_told_is_asked_about() -> None:
    story = Story()
    position = story.opened("0.5")
    story.ask(i.ClosePosition(id="c", position=position.id))
    for stop in story.orders("stop"):
        story.cancelled(stop)
    close = story.order("close")
    story.accept(close)
    woken(story, 3)
    assert close.client_order_id in [query.client_order_id for query in story.sent(Query)]


def test_what_may_rest_is_left_alone() -> None:
    story = Story()
    assert story.buy("0.5", type=OrderType.LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    woken(story, 30)
    assert not story.sent(Query)


def test_one_that_the_venue_says_is_open_is_not_asked_about_without_a_pause() -> None:
    story = Story()
    assert story.buy("0.5").ok
    entry = story.order("entry")
    story.accept(entry)
    for _ in range(10):
        asked = len(story.sent(Query))
        woken(story, 1)
        if len(story.sent(Query)) > asked:
            story.tell(r.Found(replace(story.now_of(entry)), (), story.now))
    assert 1 < len(story.sent(Query)) <= 5


def test_that_the_venue_does_not_list_what_it_took_is_not_believed_while_its_views_may_lag() -> (
    None
):
    story = Story("kraken-futures", Rules(requests=RequestRules(late=60.0)))
    assert story.buy("0.5").ok
    entry = story.order("entry")
    story.accept(entry)
    for _ in range(40):
        woken(story, 1)
        story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.now_of(entry).is_open
    assert "UNKNOWN_OUTCOME" in story.standing()
    story.fill(story.now_of(entry), "0.5")
    assert story.order("stop").size == D("0.5")
    assert "UNKNOWN_OUTCOME" not in story.standing()
