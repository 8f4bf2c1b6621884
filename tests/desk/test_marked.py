"""What a last exit did while the engine hung or was gone is booked by its ids, and nothing is sold
again.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk.messages import Marked, Restarted
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.intent import ClosePosition
from engine.model.mark import MarkedOrder
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import QueryAccount, Submit
from engine.model.side import Side
from tests.support.world import BTC, SECOND, Story, codes

D = Decimal
pytestmark = [pytest.mark.hazard("H73")]


def sold(story: Story, size: str = "0.5", number: int = 1, *, stop: bool = False) -> MarkedOrder:
    return MarkedOrder(
        client_order_id("test", "emergency", BTC, number),
        BTC,
        Side.SELL,
        D(size),
        story.now,
        stop=stop,
    )


def fill_of(
    story: Story, order: MarkedOrder, size: str, price: str = "59900", fee: str = "2"
) -> Fill:
    story.count += 1
    return Fill(
        f"X{story.count}",
        order.client_order_id,
        BTC,
        order.side,
        D(price),
        D(size),
        D(fee),
        "USD",
        Liquidity.TAKER,
        story.now,
    )


def test_its_fills_close_the_positions_of_the_symbol_oldest_first() -> None:
    story = Story()
    first = story.opened("0.3", label="first")
    story.opened("0.2", label="second")
    order = sold(story, "0.4")
    story.tell(Marked("one", (order,)))
    assert codes([story.buy()]) == {"ENTRIES_BLOCKED"}
    story.now += SECOND
    fill = fill_of(story, order, "0.4")
    cash = {"USD": D(1_000_000) - D("0.5") * 60_000 + D("0.4") * 59_900 - 2, "BTC": D("0.1")}
    before = len(story.sent(Submit))
    story.picture(cash, orders=(), fills=(fill,))
    assert {
        position.label: position.size
        for position in story.state.positions.values()
        if position.size
    } == {"second": D("0.1")}
    assert story.state.cash == cash
    assert story.state.positions.get(first.id, story.state.closed.get(first.id)) is not None
    assert "DIFFERENCE" not in story.standing()
    assert not story.state.marked
    assert len(story.sent(Submit)) == before, "nothing is sold again"
    story.picture(cash, orders=(), fills=(fill,))
    assert story.state.cash == cash, "once"
    story.replays()


def test_what_our_own_close_did_is_booked_before_what_the_last_exit_shared_out() -> None:
    """The engine had closed the older position and hung before it heard so; the last exit closed
    the rest.
    """
    story = Story()
    older = story.opened("0.2", label="older")
    story.opened("0.3", label="younger")
    story.ask(ClosePosition(id="c", position=older.id))
    # the stop keeps the coins, and goes first
    if not any(order.role is Role.CLOSE for order in story.state.orders.values()):
        stop = next(order for order in story.state.orders.values() if order.position == older.id)
        story.cancelled(stop)
    close = next(order for order in story.state.orders.values() if order.role is Role.CLOSE)
    order = sold(story, "0.3")
    story.tell(Marked("one", (order,)))
    story.now += SECOND
    fills = (fill_of(story, order, "0.3"), story.fill_of(close, "0.2", "59900"))
    before = len(story.sent(Submit))
    story.picture(
        {"USD": D(1_000_000) - D("0.5") * 60_000 + D("0.5") * 59_900 - 2, "BTC": D(0)},
        orders=(),
        fills=fills,
    )
    assert [position.size for position in story.state.positions.values() if position.size] == []
    assert "OVER_CLOSED" not in story.standing()
    assert len(story.sent(Submit)) == before, "nothing is bought back that nobody sold twice"
    story.replays()


def test_executions_are_asked_for_from_before_its_first_order() -> None:
    story = Story()
    story.opened("0.5")
    story.state.last_fill_at = story.now + 3_600 * SECOND
    order = sold(story)
    story.tell(Marked("one", (order,)))
    story.tell(Restarted())
    assert story.sent(QueryAccount)[-1].since == order.at - 60 * SECOND


def test_a_stop_that_was_put_back_protects_the_position() -> None:
    story = Story("kraken-futures")
    position = story.opened("0.5", stop=None)
    order = sold(story, "0.5", stop=True)
    story.tell(Marked("one", (order,)))
    story.now += SECOND
    resting = Order(
        order.client_order_id,
        "",
        BTC,
        Side.SELL,
        OrderType.STOP,
        Role.ENTRY,
        D("0.5"),
        trigger=D(57_000),
        reduce_only=True,
        status=Status.OPEN,
        venue_order_id="V9",
        created_at=story.now,
    )
    story.picture(orders=(resting,))
    known = story.state.order(order.client_order_id)
    assert known is not None
    assert (known.position, known.role, known.is_working) == (position.id, Role.STOP, True)
    assert "SECOND_ENGINE" not in story.told()
    assert "UNEXPLAINED" not in story.told()


def test_a_mark_is_booked_once_and_entries_open_when_nothing_differs() -> None:
    story = Story()
    story.opened("0.5")
    order = sold(story)
    story.tell(Marked("one", (order,)))
    story.now += SECOND
    cash = {"USD": D(1_000_000) - 30_000 + D("0.5") * 59_900 - 2, "BTC": D(0)}
    story.picture(cash, orders=(), fills=(fill_of(story, order, "0.5"),))
    assert "EMERGENCY_EXIT" not in story.state.blocks
    assert "EMERGENCY_EXIT" in story.standing(), "somebody is told"
    story.tell(Marked("one", (order,)))
    assert not story.state.marked


def test_a_mark_whose_close_still_rests_is_not_done() -> None:
    story = Story("kraken-futures")
    story.opened("0.5", stop=None)
    order = sold(story)
    story.tell(Marked("one", (order,)))
    story.now += SECOND
    resting = Order(
        order.client_order_id,
        "",
        BTC,
        Side.SELL,
        OrderType.MARKET,
        Role.ENTRY,
        D("0.5"),
        reduce_only=True,
        status=Status.OPEN,
        venue_order_id="V9",
    )
    story.picture(orders=(resting,))
    assert story.state.marked
    assert "EMERGENCY_EXIT" in story.state.blocks


def test_what_its_orders_report_before_they_are_booked_is_no_alarm() -> None:
    story = Story()
    story.opened("0.5")
    order = sold(story)
    story.tell(Marked("one", (order,)))
    asked = len(story.sent(QueryAccount))
    story.now += SECOND
    story.tell(r.Filled(fill_of(story, order, "0.5"), story.now))
    assert "UNKNOWN_ORDER" not in story.told(), "the mark names it"
    stranger = client_order_id("test", "emergency", BTC, 2)
    story.tell(r.Cancelled(stranger, D(0), "", story.now))
    assert "UNKNOWN_ORDER" in story.standing(), "no mark names this one"
    assert len(story.sent(QueryAccount)) > asked


def test_an_entry_that_filled_unheard_is_booked_before_what_closed_it() -> None:
    """The engine died with its entry on the way: the last exit closed what it bought, and one
    picture tells both.
    """
    story = Story()
    assert story.buy(stop=None).ok
    (entry,) = story.state.orders.values()
    order = sold(story, "0.5")
    story.tell(Marked("one", (order,)))
    story.now += SECOND
    story.count += 1
    bought = Fill(
        "E1",
        entry.client_order_id,
        BTC,
        Side.BUY,
        D(60_000),
        entry.size,
        D(0),
        "USD",
        Liquidity.TAKER,
        story.now,
    )
    cash = {
        "USD": D(1_000_000) - entry.size * 60_000 + D("0.5") * 59_900 - 2,
        "BTC": entry.size - D("0.5"),
    }
    story.picture(cash, orders=(), fills=(bought, fill_of(story, order, "0.5")))
    assert sum(position.size for position in story.state.positions.values()) == entry.size - D(
        "0.5"
    ), "a position that was sold is held by our books"
    story.replays()


def test_executions_by_the_machines_time_do_not_blind_a_market_of_another_time() -> None:
    """A recorded day is played: the last exit sold years later, and pictures of that day are judged
    all the same.
    """
    story = Story()
    story.opened("0.5", stop=None)
    order = sold(story)
    story.tell(Marked("one", (order,)))
    story.now += SECOND
    fill = replace(fill_of(story, order, "0.5"), at=story.now + 365 * 86_400 * SECOND)
    cash = {"USD": D(1_000_000) - 30_000 + D("0.5") * 59_900 - 2, "BTC": D(0)}
    story.picture(cash, orders=(), fills=(fill,))
    assert not [position for position in story.state.positions.values() if position.size]
    story.now += SECOND
    story.picture(cash | {"BTC": D(3)}, orders=(), fills=(fill,))
    assert "DIFFERENCE" in story.standing(), (
        "nothing is judged before the last execution, which is a year away"
    )
    story.replays()
