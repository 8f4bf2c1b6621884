"""A last exit that is booked, at its edges: whose executions close what, and when the mark
is done.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.messages import Marked
from engine.model import intent as i
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.mark import MarkedOrder
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Position
from engine.model.side import Side
from engine.venues.profiles import load_profile
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT
pytestmark = [pytest.mark.hazard("H73")]


def sent(story: Story, number: int = 1, size: str = "0.5", **terms: Any) -> MarkedOrder:
    name = client_order_id("test", "emergency", BTC, number)
    return MarkedOrder(name, BTC, terms.pop("side", Side.SELL), D(size), story.now, **terms)


def executed(story: Story, order: MarkedOrder, size: str) -> Fill:
    story.count += 1
    name, side = order.client_order_id, order.side
    return Fill(
        f"X{story.count}",
        name,
        BTC,
        side,
        D(59_900),
        D(size),
        D(0),
        "USD",
        Liquidity.TAKER,
        story.now,
    )


def resting(order: MarkedOrder, kind: OrderType = OrderType.STOP) -> Order:
    return Order(
        order.client_order_id,
        "",
        BTC,
        order.side,
        kind,
        Role.ENTRY,
        order.size,
        trigger=D(57_000),
        reduce_only=True,
        status=Status.OPEN,
        venue_order_id="V9",
    )


def booked(story: Story) -> list[tuple[str, str, Decimal]]:
    """Execution id, position and size of what the last exit closed."""
    return [
        (one.fill.execution_id, one.fill.position or "", one.fill.size)
        for one in story.seen(e.PositionLiquidated)
    ]


def marked(story: Story, *orders: MarkedOrder) -> None:
    story.tell(Marked("one", orders))
    story.now += SECOND


def two(story: Story) -> tuple[Position, Position]:
    """Positions of which the first was decided later and filled earlier."""
    answer = story.buy("0.2", type=LIMIT, price=D(59_000))
    late = next(order for order in story.orders("entry") if order.position == answer.created)
    story.accept(late)
    story.now += SECOND
    first = story.opened("0.3", stop=None)
    story.now += SECOND
    story.fill(late, price="59000")
    return first, story.state.positions[late.position]


def test_the_parts_are_named_so_that_a_repeat_is_known_and_the_oldest_goes_first() -> None:
    story = Story()
    first, second = two(story)
    order = sent(story)
    marked(story, order)
    fill = executed(story, order, "0.4")
    story.picture(fills=(fill,), orders=())
    name = fill.execution_id
    assert booked(story) == [(name, first.id, D("0.3")), (f"{name}/1", second.id, D("0.1"))]


def test_an_execution_that_the_first_takes_whole_leaves_the_others_alone() -> None:
    story = Story()
    first, _ = two(story)
    order = sent(story)
    marked(story, order)
    fill = executed(story, order, "0.3")
    story.picture(fills=(fill,), orders=())
    assert booked(story) == [(fill.execution_id, first.id, D("0.3"))]


def test_what_it_sold_of_coins_closes_no_loan_and_what_it_closed_of_a_loan_no_coins() -> None:
    story = Story(load_profile("kraken-spot"))
    coins = story.opened("0.2", stop=None)
    story.now += SECOND
    lent = story.opened("0.3", stop=None, leverage=D(2))
    plain, margin = sent(story, 1), sent(story, 2, leverage=D(2))
    marked(story, plain, margin)
    one, other = executed(story, margin, "0.1"), executed(story, plain, "0.2")
    story.picture(fills=(one, other), orders=())
    assert booked(story) == [
        (one.execution_id, lent.id, D("0.1")),
        (other.execution_id, coins.id, D("0.2")),
    ]


def test_a_purchase_closes_no_long() -> None:
    story = Story("kraken-futures")
    story.opened("0.5", stop=None)
    order = sent(story, side=Side.BUY)
    marked(story, order)
    story.picture(fills=(executed(story, order, "0.5"),), orders=())
    assert not booked(story)


def test_a_position_that_only_wants_something_is_neither_closed_nor_protected() -> None:
    story = Story("kraken-futures")
    story.buy("0.2", type=LIMIT, price=D(59_000))
    story.accept(story.order("entry"))
    story.now += SECOND
    held = story.opened("0.5", stop=None)
    close, stop = sent(story, 1), sent(story, 2, stop=True)
    marked(story, close, stop)
    fill = executed(story, close, "0.1")
    story.picture(fills=(fill,), orders=(resting(stop),))
    assert booked(story) == [(fill.execution_id, held.id, D("0.1"))]
    known = story.state.order(stop.client_order_id)
    assert known is not None
    assert known.position == held.id


def test_a_stop_protects_the_oldest_of_its_side_by_when_it_was_filled() -> None:
    story = Story("kraken-futures")
    first, _ = two(story)
    stop = sent(story, stop=True)
    marked(story, stop)
    story.picture(orders=(resting(stop),))
    (event,) = story.seen(e.OrderRecovered)
    assert (event.order.position, event.order.touched_at, event.version) == (first.id, story.now, 0)


def test_a_stop_that_could_close_nothing_is_not_taken_up() -> None:
    story = Story("kraken-futures")
    story.opened("0.5", stop=None)
    stop = sent(story, stop=True, side=Side.BUY)
    marked(story, stop)
    story.picture(orders=(resting(stop),))
    assert not story.seen(e.OrderRecovered)


def test_a_stop_is_taken_up_once_and_a_close_that_rests_is_none() -> None:
    story = Story("kraken-futures")
    story.opened("0.5", stop=None)
    close, stop = sent(story, 1), sent(story, 2, stop=True)
    marked(story, close, stop)
    for _ in range(2):
        story.picture(orders=(resting(close, OrderType.MARKET), resting(stop)))
    assert [one.order.client_order_id for one in story.seen(e.OrderRecovered)] == [
        stop.client_order_id
    ]


def test_a_picture_as_old_as_the_newest_order_of_the_mark_books_nothing() -> None:
    story = Story("kraken-futures")
    old, new = sent(story, 1), replace(sent(story, 2), at=story.now + 5 * SECOND)
    story.tell(Marked("one", (old, new)))
    story.now += 5 * SECOND
    story.picture(orders=())
    assert story.state.marked
    story.now += 1
    story.picture(orders=())
    assert not story.state.marked
    assert "EMERGENCY_EXIT" not in story.state.blocks


def test_one_of_two_closes_that_still_rests_keeps_the_mark() -> None:
    story = Story("kraken-futures")
    one, other = sent(story, 1), sent(story, 2)
    marked(story, one, other)
    story.picture(orders=(resting(other, OrderType.MARKET),))
    assert story.state.marked


def test_entries_stay_closed_while_something_differs_and_open_once_nothing_does() -> None:
    story = Story("kraken-futures")
    story.opened("0.5", stop=None)
    order = sent(story)
    marked(story, order)
    story.picture(orders=(), net={BTC: D("0.1")})
    assert not story.state.marked
    assert "EMERGENCY_EXIT" in story.state.blocks
    story.now += SECOND
    story.picture(orders=(), net={BTC: D("0.1")})
    assert "EMERGENCY_EXIT" in story.state.blocks
    story.now += SECOND
    story.picture(orders=(), net={BTC: D("0.5")})
    assert "EMERGENCY_EXIT" not in story.state.blocks, (
        "nothing differs any more, and entries wait for ever"
    )


def test_entries_that_the_operator_has_opened_are_not_opened_again() -> None:
    story = Story("kraken-futures")
    order = sent(story)
    marked(story, order)
    assert story.ask(i.Resume(id="r", reason="EMERGENCY_EXIT")).ok
    opened = len(story.seen(e.EntriesAllowed))
    story.picture(orders=())
    assert not story.state.marked
    assert len(story.seen(e.EntriesAllowed)) == opened


def test_a_mark_with_more_orders_is_another_and_one_that_is_known_is_told_once() -> None:
    story = Story("kraken-futures")
    one, other = sent(story, 1), sent(story, 2)
    for orders in ((one,), (one,), (one, other), (other,)):
        story.tell(Marked(f"m/{len(orders)}", orders))
    assert [event.orders for event in story.seen(e.MarkFound)] == [(one,), (one, other)]
    assert len(story.seen(e.EntriesBlocked)) == len(
        {event.code for event in story.seen(e.EntriesBlocked)}
    )
    assert "a last exit sent 1 order;" in next(
        event.alert.detail
        for event in story.seen(e.AlertRaised)
        if event.alert.code == "EMERGENCY_EXIT"
    )


def test_an_execution_in_what_is_not_held_closes_nothing_else() -> None:
    story = Story("kraken-futures")
    story.opened("0.5", stop=None)
    order = replace(sent(story), symbol=ETH)
    marked(story, order)
    fill = replace(executed(story, order, "0.5"), symbol=ETH)
    story.picture(fills=(fill, replace(fill, execution_id="gone", symbol="GONE/USD")), orders=())
    assert not booked(story)
