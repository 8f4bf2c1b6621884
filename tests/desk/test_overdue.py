"""Pictures that contradict what was told of an order: for half a minute that is a view which lags,
after that the order itself is asked about, however old the view says that it is.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.looks import IDLE, due_at
from engine.desk.reconcile import OVERDUE
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, Status
from engine.model.request import Cancel, Query
from tests.support.world import SECOND, Story

D = Decimal
HALF = OVERDUE // SECOND
BOTH_SIDES = pytest.mark.parametrize(("seconds", "asked"), [(HALF - 1, False), (HALF, True)])


def guarded() -> tuple[Story, Order]:
    """A position whose stop rests at the venue."""
    story = Story()
    story.opened("0.5")
    stop = story.order("stop")
    assert stop.status is Status.OPEN
    return story, stop


def later(story: Story, seconds: int, orders: tuple[Order, ...]) -> None:
    """A picture so much later, which counts for no moment after the stop was placed."""
    placed = story.now
    story.now += seconds * SECOND
    story.picture(orders=orders, as_of=placed - 1)


@pytest.mark.hazard("H17")
@BOTH_SIDES
def test_a_stop_that_is_not_listed_is_asked_about(seconds: int, asked: bool) -> None:
    story, stop = guarded()
    later(story, seconds, ())
    assert ([one.client_order_id for one in story.sent(Query)] == [stop.client_order_id]) is asked
    if asked:
        gone = replace(stop, status=Status.CANCELLED, reason="by the venue")
        story.tell(r.Found(gone, (), story.now))
        assert not story.now_of(stop).is_open
        story.wait(2)
        assert story.order("stop").client_order_id != stop.client_order_id, "it is placed again"


@pytest.mark.hazard("H17")
def test_that_an_acknowledged_order_is_not_known_is_believed_when_views_can_not_lag() -> None:
    story, stop = guarded()
    placed = story.now
    later(story, HALF, ())
    for _ in range(3):
        story.tell(r.Absent(stop.client_order_id, story.now))
        story.now += 5 * SECOND
    assert story.now_of(stop).is_open
    story.now = placed + 61 * SECOND
    for _ in range(2):
        story.tell(r.Absent(stop.client_order_id, story.now))
        story.now += 5 * SECOND
    assert not story.now_of(stop).is_open
    assert story.order("stop").client_order_id != stop.client_order_id, "it is placed again"


@pytest.mark.hazard("H35")
@BOTH_SIDES
def test_a_stop_that_was_amended_and_is_listed_as_before_is_asked_about(
    seconds: int, asked: bool
) -> None:
    story, stop = guarded()
    story.ask(i.MoveStop(id="m", position=stop.position, stop=i.At(D("59500"))))
    story.amended(stop)
    assert story.now_of(stop).trigger == D("59500")
    later(story, seconds, (stop,))
    assert bool(story.sent(Query)) is asked
    if asked:
        story.tell(r.Found(replace(stop, status=Status.OPEN), (), story.now))
        assert story.now_of(stop).amend_pending, "it is moved again"
        (told,) = (one for one in story.seen(e.AlertRaised) if one.alert.code == "AMEND_REFUSED")
        assert told.alert.detail.endswith("not made: the venue has 0.5 at 59400")


@pytest.mark.hazard("H34")
@BOTH_SIDES
def test_a_stop_that_was_said_to_be_cancelled_and_rests_is_cancelled(
    seconds: int, asked: bool
) -> None:
    story, stop = guarded()
    story.cancelled(stop)
    later(story, seconds, (stop, *story.orders("stop")))
    assert (stop.client_order_id in [one.client_order_id for one in story.sent(Cancel)]) is asked


@pytest.mark.hazard("H43")
def test_what_a_stream_alone_has_called_closed_is_compared_as_soon_as_something_that_is_open() -> (
    None
):
    story, stop = guarded()
    story.fill(stop, price="59000")
    assert not story.state.positions
    story.now += SECOND
    story.picture(as_of=story.now - 2 * SECOND)
    pause = 60 * SECOND
    assert due_at(story.ctx) == story.now + pause
    story.picture()
    assert due_at(story.ctx) == story.now + IDLE * pause
