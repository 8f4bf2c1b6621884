"""Flatten: block, cancel, close what the fills left, ask the venue, until it says flat; then a
receipt.
"""

from decimal import Decimal

import pytest

from engine.desk import events as e
from engine.desk.flatten import REASON
from engine.desk.messages import Restarted
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Cancel, Lane, QueryAccount, Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal


def _busy() -> Story:
    """A long, a short on another symbol, and an entry that rests."""
    story = Story()
    story.opened("0.5", label="swing")
    story.opened("2", symbol=ETH, side=Side.SELL, price="3000")
    story.buy("0.1", symbol=BTC, type=OrderType.LIMIT, price=D(59_000))
    story.accept(story.order("entry"))
    return story


def _let_go(story: Story) -> None:
    for order in list(story.state.orders.values()):
        if order.cancel_pending:
            story.cancelled(order)


@pytest.mark.hazard("H42")
def test_everything_is_cancelled_closed_and_confirmed() -> None:
    story = _busy()
    assert story.ask(i.Flatten(id="f")).ok
    assert REASON in story.state.blocks
    assert {cancel.lane for cancel in story.sent(Cancel)} == {Lane.EMERGENCY}
    assert len(story.sent(Cancel)) == 3
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert {line.symbol: line.state for line in view.lines} == {
        BTC: "cancelling",
        ETH: "cancelling",
    }
    _let_go(story)
    closes = {order.symbol: (order.side, order.size) for order in story.orders("close")}
    assert closes == {BTC: (Side.SELL, D("0.5")), ETH: (Side.BUY, D("2"))}
    assert {submit.lane for submit in story.sent(Submit)[-2:]} == {Lane.EMERGENCY}
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert {line.state for line in view.lines} == {"closing"}
    story.fill(story.orders("close")[0])
    story.fill(story.order("close"), price="3000")
    assert isinstance(story.requests[-1], QueryAccount)
    story.now += SECOND
    story.picture()
    assert REASON not in story.state.blocks
    receipt = story.seen(e.FlattenEnded)[-1].receipt
    assert receipt[0] == "the venue says flat: 2 positions closed, 3 orders cancelled, in 1.0 s"
    assert receipt[1].startswith("swing BTC/USD: 0.5 closed at 60,000")
    assert "FLATTENED" in story.standing()
    story.replays()


@pytest.mark.hazard("H47")
def test_an_entry_that_fills_meanwhile_is_closed_too() -> None:
    story = _busy()
    entry = story.order("entry")
    story.ask(i.Flatten(id="f"))
    story.fill(entry, "0.1", "59000")
    assert not [order for order in story.orders("stop") if order.position == entry.position], (
        "no stop: it is closed at once"
    )
    _let_go(story)
    for close in story.orders("close"):
        story.fill(close, price="3000" if close.symbol == ETH else "59000")
    story.now += SECOND
    story.picture()
    assert not story.state.positions
    assert story.seen(e.FlattenEnded)[-1].receipt[0].startswith("the venue says flat: 3 positions")
    sold = sum(
        (
            fill.fill.size
            for fill in story.seen(e.OrderFilled)
            if fill.fill.side is Side.SELL and fill.fill.symbol == BTC
        ),
        D(0),
    )
    assert sold == D("0.6")


def test_a_fill_after_everything_was_closed_begins_again() -> None:
    story = Story("kraken-futures")
    story.buy("0.5", type=OrderType.LIMIT, price=D(60_000), stop=None)
    entry = story.order("entry")
    story.accept(entry)
    story.ask(i.Flatten(id="f"))
    fill = story.fill_of(entry)
    story.cancelled(entry, filled="0.5")
    assert story.state.doubts, "the venue says that it filled: the order is not over"
    story.picture()
    assert REASON in story.state.blocks
    story.tell(r.Filled(fill, story.now))
    close = story.order("close")
    assert close.size == D("0.5")
    story.fill(close)
    story.now += SECOND
    story.picture()
    assert REASON not in story.state.blocks


@pytest.mark.hazard("H42")
def test_pressing_again_and_again_is_harmless() -> None:
    story = _busy()
    answers = [story.ask(i.Flatten(id=f"f{count}")) for count in range(10)]
    assert all(answer.ok for answer in answers)
    assert answers[1].text == "a flatten is under way already"
    assert len(story.sent(Cancel)) == 3
    assert len(story.seen(e.FlattenBegan)) == 1


def test_a_refused_cancel_is_asked_about_and_tried_again() -> None:
    story = Story()
    story.opened("0.5")
    story.ask(i.Flatten(id="f"))
    stop = story.order("stop")
    story.tell(r.CancelRejected(stop.client_order_id, "EService:Busy", story.now))
    assert "CANCEL_REFUSED" in story.standing()
    assert story.order("stop").in_doubt
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert view.lines[0].state.startswith("asking the venue what became")
    story.wait(0.3)
    theirs = story.order("stop")
    known = {**_fields(theirs), "in_doubt": False, "cancel_pending": False}
    story.tell(r.Found(Order(**known), (), story.now))  # type: ignore[arg-type]
    assert len(story.sent(Cancel)) == 2
    story.cancelled(stop)
    assert story.order("close").size == D("0.5")


def _fields(order: Order) -> dict[str, object]:
    return {name: getattr(order, name) for name in order.__struct_fields__}


def test_an_old_picture_does_not_say_flat_and_what_the_venue_still_holds_is_closed() -> None:
    story = Story("kraken-futures")
    story.opened(stop=None)
    story.now += SECOND
    story.ask(i.Flatten(id="f"))
    story.fill(story.order("close"))
    story.picture(as_of=story.now - 2)
    assert REASON in story.state.blocks
    story.now += SECOND
    story.picture(net={BTC: D("0.5")})
    assert REASON in story.state.blocks
    (adopted,) = story.orders("close")
    assert (adopted.side, adopted.size) == (Side.SELL, D("0.5"))
    story.fill(adopted)
    story.wait(3)
    assert len(story.sent(QueryAccount)) >= 3, "it asks again"
    story.picture(net={})
    assert REASON not in story.state.blocks
    assert "DIFFERENCE" not in story.standing()


def test_a_failed_close_is_repeated_until_flat() -> None:
    story = Story("kraken-futures")
    story.opened(stop=None)
    story.ask(i.Flatten(id="f"))
    for _ in range(6):
        story.rejected(story.order("close"), "EService:Unavailable")
        story.wait(31)
    assert story.order("close").price == D(59_400), "nothing was wrong with the price"
    assert "CLOSE_STUCK" in story.standing()
    story.fill(story.order("close"))
    story.now += SECOND
    story.picture()
    assert REASON not in story.state.blocks


def test_dust_and_foreign_orders_are_on_the_receipt() -> None:
    story = Story()
    story.buy("0.001", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.00001")
    story.cancelled(entry)
    foreign = Order(
        "theirs",
        "",
        ETH,
        Side.BUY,
        OrderType.LIMIT,
        Role.ENTRY,
        D(1),
        price=D(2000),
        venue_order_id="X1",
        status=Status.OPEN,
        foreign=True,
    )
    story.picture(orders=(foreign,))
    story.now += SECOND
    story.ask(i.Flatten(id="f"))
    story.now += SECOND
    story.picture(orders=(foreign,))
    receipt = story.seen(e.FlattenEnded)[-1].receipt
    assert receipt[1:] == (
        "BTC/USD: 0.00001 is below what the venue trades and stays",
        "ETH/USD: an order that is not ours was left alone (X1)",
    )
    assert not story.sent(Cancel)


def test_flatten_clears_a_reversal() -> None:
    story = Story("kraken-futures")
    position = story.opened(stop=None)
    story.ask(i.Reverse(id="r", position=position.id))
    story.ask(i.Flatten(id="f"))
    assert not story.state.reverses
    story.fill(story.order("close"))
    assert not story.state.orders


def test_nothing_to_flatten_still_asks_the_venue() -> None:
    story = Story()
    story.ask(i.Flatten(id="f"))
    assert isinstance(story.requests[-1], QueryAccount)
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert view.lines == ()
    story.now += SECOND
    story.picture()
    assert story.seen(e.FlattenEnded)
    view = story.views.flatten(story.ctx)
    assert view is not None
    assert view.receipt[0].startswith("the venue says flat: 0 positions")


def test_a_halted_desk_still_flattens() -> None:
    story = Story("kraken-futures")
    story.opened(stop=None)
    story.ask(i.Halt(id="h"))
    story.ask(i.Flatten(id="f"))
    assert story.order("close").size == D("0.5")


@pytest.mark.hazard("H109")
def test_a_picture_from_before_this_process_began_says_nothing() -> None:
    story = Story()
    # a journal that was lost knows of no order, and the view lags by a minute
    story.tell(Restarted())
    story.ask(i.Flatten(id="f"))
    story.now += SECOND
    story.picture(as_of=story.now - 60 * SECOND)
    assert story.seen(e.FlattenEnded) == []
    story.wait(10)
    assert len(story.sent(QueryAccount)) >= 3
    story.picture(as_of=story.now - SECOND)
    assert len(story.seen(e.FlattenEnded)) == 1
