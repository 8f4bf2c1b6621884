"""What was found by attacking the desk, each as the smallest story that showed it."""

import pytest
from msgspec.structs import replace

from engine.desk.state import CLOSED_POSITIONS, STANDING_ALERTS
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import OrderType, Status
from engine.model.request import QueryAccount, Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, D, Story


@pytest.mark.hazard("H16")
def test_a_picture_of_the_very_moment_of_a_fill_may_lack_it() -> None:
    story = Story("kraken-futures")
    story.opened("0.5")
    story.now += SECOND
    story.ask(i.Flatten(id="f"))
    close, stop = story.order("close"), story.order("stop")
    cash = dict(story.state.cash)
    story.fill(close)
    story.cancelled(stop)
    story.picture(cash, net={BTC: D("0.5")}, as_of=story.now)
    assert not story.state.positions, "nothing was adopted"
    assert "DIFFERENCE" not in story.told()


@pytest.mark.hazard("H04")
def test_a_late_fill_of_what_is_forgotten_is_told_and_changes_nothing() -> None:
    story = Story(cash="100000000")
    story.buy("0.2", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.1")
    story.cancelled(entry)
    late = story.fill_of(entry, "0.1")
    for _ in range(CLOSED_POSITIONS + 2):
        story.now += 1
        for position in list(story.state.positions.values()):
            story.ask(i.ClosePosition(id=story.name(), position=position.id))
        for order in story.orders("stop"):
            story.cancelled(order)
        for order in story.orders("close"):
            story.fill(order)
        story.opened("0.1", stop=None)
    seq = len(story.state.executions)
    story.tell(r.Filled(late, story.now))
    assert len(story.state.executions) == seq
    assert "UNKNOWN_ORDER" in story.standing()
    assert story.sent(QueryAccount)
    story.replays()


@pytest.mark.hazard("H07")
def test_a_fill_that_contradicts_an_ended_order_leaves_no_doubt_that_nothing_ends() -> None:
    story = Story()
    story.buy("0.5")
    entry = story.order("entry")
    odd = replace(story.fill_of(entry, "0.1"), side=Side.SELL)
    story.fill(entry)
    story.tell(r.Filled(odd, story.now))
    assert "ILLEGAL_REPORT" in story.told()
    assert not story.state.doubts, "no answer about an ended order would settle it"
    story.replays()


@pytest.mark.hazard("H07")
@pytest.mark.parametrize("change", [{"side": Side.SELL}, {"symbol": ETH}])
def test_a_fill_that_contradicts_its_order_is_not_booked(change: dict[str, object]) -> None:
    story = Story()
    story.buy("0.5")
    entry = story.order("entry")
    story.accept(entry)
    sent = len(story.sent(Submit))
    story.tell(r.Filled(replace(story.fill_of(entry), **change), story.now))
    assert "ILLEGAL_REPORT" in story.standing()
    assert not story.position().is_open
    assert len(story.sent(Submit)) == sent


@pytest.mark.hazard("H48")
def test_a_stop_entry_whose_limit_was_jumped_is_told_until_it_is_over() -> None:
    story = Story()
    story.buy("0.1", type=OrderType.STOP, trigger=D(61_000))
    entry = story.order("entry")
    story.accept(entry)
    story.price(BTC, "65000")
    story.tell(r.Triggered(entry.client_order_id, story.now))
    assert "STOP_LIMIT_JUMPED" not in story.standing()
    story.wait(10)
    assert "STOP_LIMIT_JUMPED" in story.standing()
    story.cancelled(story.now_of(entry))
    assert "STOP_LIMIT_JUMPED" not in story.standing()


def test_a_close_that_its_bound_would_make_too_small_has_a_nearer_one() -> None:
    story = Story("binance-spot")
    story.opened("0.00084", stop=None)
    story.price(BTC, "5960")
    assert story.ask(i.ClosePosition(id="c", position=story.position().id)).ok
    assert story.order("close").price == D("5952.4"), "5 dollars for 0.00084"


@pytest.mark.hazard("H62")
def test_alerts_that_nobody_reads_have_a_bound_and_critical_ones_stay() -> None:
    story = Story()
    story.opened(stop=None)
    for _ in range(STANDING_ALERTS + 20):
        story.buy("0.01", type=OrderType.LIMIT, price=D(59_000))
        story.rejected(
            next(order for order in story.orders("entry") if order.status is Status.PENDING)
        )
    assert len(story.state.alerts) <= STANDING_ALERTS
    assert "NAKED" in story.standing()


@pytest.mark.hazard("H62")
def test_a_position_waits_once_for_the_same_moment() -> None:
    story = Story()
    story.buy("0.5", type=OrderType.LIMIT, price=D(59_000), expires_in=86_400 * SECOND)
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.1", price="59000")
    for number in range(300):
        story.ask(i.Annotate(id=f"n{number}", position=story.position().id, note=str(number)))
    assert len(story.desk._wakes) < 20


def test_an_amend_below_what_has_filled_leaves_nothing_to_fill() -> None:
    story = Story()
    story.buy("0.1", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.05")
    story.now += 1
    story.tell(r.Amended(entry.client_order_id, D("0.01"), D(60_000), None, story.now))
    known = story.now_of(entry)
    assert (known.status, known.remaining) == (Status.FILLED, D(0))


@pytest.mark.hazard("H66")
def test_the_receipt_counts_orders_that_ended_not_requests() -> None:
    story = Story()
    story.buy("0.1", type=OrderType.LIMIT, price=D(59_000))
    entry = story.order("entry")
    story.accept(entry)
    story.ask(i.Flatten(id="f"))
    story.tell(r.CancelRejected(entry.client_order_id, "EOrder:busy", story.now))
    story.tell(r.Found(replace(entry, status=Status.OPEN, venue_order_id="V"), (), story.now))
    story.wait(3)
    story.cancelled(story.now_of(entry))
    assert story.state.flatten is not None
    assert story.state.flatten.cancelled == 1
