"""What is ours of an account: the summary, and what executions say on top of it, told by ids."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.account.summary import EXECUTIONS, HeldPosition, OpenOrder, Summary
from engine.emergency.ours import Ours, from_summary
from engine.model.fill import Fill, Liquidity
from engine.model.ids import LAST_EXIT, client_order_id
from engine.model.mark import Mark, MarkedOrder
from engine.model.order import Order, OrderType, Role, Status
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND

D = Decimal
AT = 1_790_000_000 * SECOND
SPOT = instrument_for(load_profile("kraken-spot"), BTC, D("0.1"))
FUTURE = instrument_for(load_profile("kraken-futures"), BTC, D("0.1"))
pytestmark = [pytest.mark.hazard("H73")]


def name(number: int) -> str:
    return client_order_id("main", "intent", "leg", number)


NEWEST = name(10)


def summary(**terms: Any) -> Summary:
    return Summary(**{"account": "main", "newest_order": NEWEST, "at": AT, **terms})


def held(size: str, side: Side = Side.BUY, **terms: Any) -> HeldPosition:
    return HeldPosition(**{"id": "P1", "symbol": BTC, "side": side, "size": D(size), **terms})


def resting(order: str, filled: str = "0", **terms: Any) -> OpenOrder:
    defaults: dict[str, Any] = {
        "client_order_id": order,
        "venue_order_id": "V1",
        "symbol": BTC,
        "side": Side.SELL,
        "role": Role.STOP,
        "size": D("0.5"),
        "filled": D(filled),
    }
    return OpenOrder(**defaults | terms)


def fill(
    execution: str, order: str, size: str, side: Side = Side.BUY, at: int = AT, symbol: str = BTC
) -> Fill:
    return Fill(
        execution, order, symbol, side, D(60_000), D(size), D(0), "USD", Liquidity.TAKER, at
    )


def told(order: str, filled: str, **terms: Any) -> Order:
    one = Order(order, "", BTC, Side.SELL, OrderType.MARKET, Role.CLOSE, D("0.5"), filled=D(filled))
    return replace(one, **terms)


def size(ours: Ours, *, on_margin: bool = False) -> Decimal:
    return ours.size(SPOT, on_margin=on_margin)


def test_what_the_summary_holds_is_ours_by_symbol_side_and_kind() -> None:
    positions = (
        held("0.4"),
        held("0.1", Side.SELL),
        held("3", symbol=ETH),
        held("0.2", leverage=D(2)),
    )
    ours = Ours("main", summary(positions=positions), None)
    assert size(ours) == D("0.3")
    assert size(ours, on_margin=True) == D("0.2")
    assert ours.positions == positions
    assert ours.symbols == (BTC, ETH)


def test_without_a_summary_every_execution_with_our_prefix_counts() -> None:
    ours = Ours("main", None, None)
    ours.take(
        (
            fill("T1", name(1), "0.4", at=1),
            fill("T2", name(2), "0.1", Side.SELL),
            fill("T3", "web", "9"),
        )
    )
    assert (ours.since, ours.positions, ours.symbols) == (0, (), (BTC,))
    assert size(ours) == D("0.3")
    assert ours.baseline("BTC") is None
    ours.take((fill("T1", name(1), "0.4", at=1),))
    assert size(ours) == D("0.3"), "told twice"


def test_executions_are_read_from_a_while_before_the_summary() -> None:
    assert Ours("main", summary(), None).since == AT - 90 * SECOND
    assert Ours("main", summary(at=5), None).since == 0


def test_the_baseline_is_the_summarys_and_nothing_where_it_lists_none() -> None:
    ours = Ours("main", summary(baseline={"BTC": D(2)}), None)
    assert (ours.baseline("BTC"), ours.baseline("ETH")) == (D(2), D(0))


def test_an_execution_counts_unless_the_summary_names_it() -> None:
    ours = Ours("main", summary(executions=("T1",)), None)
    ours.take(
        (fill("T1", name(3), "0.4"), fill("T2", name(3), "0.1", at=1), fill("T3", name(99), "0.2"))
    )
    assert size(ours) == D("0.3")


@pytest.mark.parametrize(("named", "counts"), [(EXECUTIONS, False), (EXECUTIONS - 1, True)])
def test_what_is_older_than_all_that_a_full_summary_names_was_booked_long_ago(
    named: int, counts: bool
) -> None:
    names = ("T1", *(f"N{number}" for number in range(1, named)))
    ours = Ours("main", summary(executions=names), None)
    ours.take((fill("T1", name(3), "0.4", at=AT), fill("T2", name(3), "0.1", at=AT - 1)))
    assert size(ours) == (D("0.1") if counts else 0)
    ours.take((fill("T3", name(3), "0.2", at=AT),))
    assert size(ours) == (D("0.3") if counts else D("0.2")), (
        "of the same moment as the oldest that is named"
    )


def test_of_an_open_order_counts_what_the_summary_does_not_name() -> None:
    stop = name(4)
    ours = Ours(
        "main",
        summary(positions=(held("0.5"),), orders=(resting(stop, "0.1"),), executions=("T1",)),
        None,
    )
    ours.take(
        (fill("T1", stop, "0.1", Side.SELL, at=AT), fill("T2", stop, "0.2", Side.SELL, at=AT + 1))
    )
    assert size(ours) == D("0.3")


def test_what_an_order_says_that_it_filled_counts_before_its_executions_are_listed() -> None:
    stop = name(4)
    ours = Ours("main", summary(positions=(held("0.5"),), orders=(resting(stop, "0.1"),)), None)
    ours.tell(told(stop, "0.3"))
    assert size(ours) == D("0.3")
    ours.take((fill("T2", stop, "0.2", Side.SELL, at=AT + 1),))
    assert size(ours) == D("0.3"), "the same, listed"
    ours.tell(told(stop, "0.2"))
    assert ours.filled(stop) == D("0.3"), "an older view takes nothing back"
    ours.tell(told(stop, "0.3", side=Side.SELL, leverage=D(2)))
    assert size(ours) == D("0.3"), "what was lent is no coin: only the listed ones count"


def test_what_an_old_order_says_is_in_the_summary_and_what_a_new_one_says_is_not() -> None:
    ours = Ours("main", summary(positions=(held("0.9"),), executions=("T1",)), None)
    ours.tell(told(name(3), "0.2", created_at=AT))
    assert size(ours) == D("0.9")
    ours.tell(told(name(12), "0.2", created_at=AT + 1))
    assert size(ours) == D("0.7")
    ours.tell(told(name(13), "0.2", created_at=AT + 1))
    ours.take((fill("T1", name(13), "0.2", Side.SELL),))
    assert size(ours) == D("0.7"), "some of it is booked: it is not new"
    ours.tell(told("web", "0.2", created_at=AT + 1))
    ours.tell(told(name(14), "0.2", created_at=AT + 1, symbol=ETH))
    assert size(ours) == D("0.7")


def test_an_order_of_a_last_exit_is_new_where_its_mark_stands_or_this_one_sent_it() -> None:
    exits = [client_order_id("main", "exit", "close", LAST_EXIT + number) for number in range(3)]
    orders = (MarkedOrder(exits[0], BTC, Side.SELL, D(1), 1),)
    mark = Mark(intent="i", instance="x", pid=1, began_at=1, beat_at=1, orders=orders)
    ours = Ours("main", summary(positions=(held("9"),)), mark)
    ours.sends(exits[1])
    for number, one in enumerate(exits):
        ours.tell(told(one, str(number + 1), created_at=AT - 1))
    assert size(ours) == D(6), (
        "1 and 2 were sold; the 3 of an exit that is booked are in the summary"
    )


def test_what_is_known_of_an_order_is_the_larger_of_what_it_says_and_what_is_listed() -> None:
    ours = Ours("main", None, None)
    assert ours.filled("x") == 0
    ours.take((fill("T1", "x", "0.2"), fill("T2", "y", "0.7")))
    assert ours.filled("x") == D("0.2")
    assert [one.execution_id for one in ours.fills_of("x")] == ["T1"]
    ours.tell(told("x", "0.5"))
    assert ours.filled("x") == D("0.5")


def test_an_order_is_ours_by_prefix_by_the_summary_or_by_the_venues_id() -> None:
    adopted = resting("adopted", venue_order_id="V7")
    ours = Ours("main", summary(orders=(adopted, resting("none", venue_order_id=None))), None)
    assert ours.is_ours(name(1))
    assert ours.is_ours("adopted")
    assert ours.is_ours("", "V7")
    assert not ours.is_ours("web", "V8")
    assert not ours.is_ours("", "")
    assert ours.name_of("", "V7") == "adopted"
    assert ours.name_of("web", "V7") == "web"
    assert ours.name_of("", "V8") == ""


def test_executions_are_read_from_when_the_account_was_last_compared() -> None:
    assert Ours("main", summary(compared_at=AT - 1_000 * SECOND), None).since == AT - 1_090 * SECOND
    assert Ours("main", summary(compared_at=AT + SECOND), None).since == AT - 90 * SECOND, (
        "a clock was set back"
    )
    orders = (MarkedOrder(name(1), BTC, Side.SELL, D(1), AT - 50 * SECOND),)
    mark = Mark(intent="i", instance="x", pid=1, began_at=1, beat_at=1, orders=orders)
    assert Ours("main", summary(compared_at=AT - 1_000 * SECOND), mark).since == AT - 1_090 * SECOND


def test_what_another_engine_of_ours_did_counts_once() -> None:
    ours = Ours(
        "main", summary(executions=("T1",), strange=("T2",), withheld={"BTC": D("0.4")}), None
    )
    ours.take((fill("T1", name(1), "0.1"), fill("T2", name(2), "0.4"), fill("T3", name(3), "0.2")))
    assert size(ours) == D("0.2"), "what is booked, and what is withheld, is told apart from it"
    assert (ours.withheld("BTC"), ours.withheld("ETH")) == (D("0.4"), D(0))
    assert Ours("main", None, None).withheld("BTC") == D(0)


@pytest.mark.parametrize("which", ["executions", "strange"])
def test_what_a_full_list_no_longer_names_was_known_long_ago(which: str) -> None:
    names = tuple(f"N{number}" for number in range(EXECUTIONS))
    ours = Ours("main", summary(**{which: names}), None)
    ours.take(
        (
            fill("N0", name(1), "9", at=AT - 5),
            fill("T1", name(2), "0.1", at=AT - 6),
            fill("T2", name(3), "0.2", at=AT - 5),
        )
    )
    assert size(ours) == D("0.2")
    ours = Ours("main", summary(executions=names[:250], strange=names[250:]), None)
    ours.take((fill("N0", name(1), "9", at=AT - 5), fill("T1", name(2), "0.1", at=AT - 6)))
    assert size(ours) == D("0.1"), "neither list is full"


def test_what_moved_no_coins_is_a_loan() -> None:
    ours = Ours("main", summary(), None)
    ours.take((fill("T1", "web", "0.4", at=AT + 1), fill("T2", name(11), "0.1")), frozenset({"T1"}))
    ours.take((), frozenset({"T2"}))
    assert ours.borrows
    assert ours.foreign(SPOT, on_margin=True) == D("0.4")
    assert (size(ours), size(ours, on_margin=True)) == (D(0), D("0.1"))


def test_a_loan_of_somebody_else_is_none_of_ours() -> None:
    ours = Ours("main", summary(), None)
    ours.take((fill("T1", "web", "0.4", at=AT + 1),), frozenset({"T1"}))
    assert not ours.borrows


@pytest.mark.parametrize(("leverage", "borrows"), [(None, False), (D(1), False), (D("1.5"), True)])
def test_a_position_above_one_is_a_loan(leverage: Decimal | None, borrows: bool) -> None:
    assert Ours("main", summary(positions=(held("1", leverage=leverage),)), None).borrows is borrows


def test_what_others_traded_counts_since_the_summary_and_by_symbol() -> None:
    ours = Ours("main", summary(), None)
    ours.take(
        (
            fill("T1", "web", "0.4", at=AT),
            fill("T2", "web", "0.2", at=AT + 1),
            fill("T3", "web", "0.1", Side.SELL, at=AT + 2),
            fill("T4", "web", "7", at=AT + 2, symbol=ETH),
            fill("T5", name(11), "9", at=AT + 2),
        )
    )
    assert ours.foreign(SPOT, on_margin=False) == D("0.1")
    assert ours.foreign(SPOT, on_margin=True) == 0
    assert ours.foreign(FUTURE, on_margin=True) == D("0.1")
    alone = Ours("main", None, None)
    alone.take((fill("T1", "web", "0.4", at=1),))
    assert alone.foreign(SPOT, on_margin=False) == D("0.4")


def test_the_last_execution_is_the_last_of_ours() -> None:
    ours = Ours("main", None, None)
    assert ours.last_fill_at == 0
    ours.take(
        (
            fill("T1", name(1), "1", at=5),
            fill("T2", name(1), "1", at=9),
            fill("T3", "web", "1", at=20),
        )
    )
    assert ours.last_fill_at == 9


def test_symbols_are_those_of_positions_orders_and_executions_of_ours() -> None:
    ours = Ours(
        "main", summary(positions=(held("1"),), orders=(resting("adopted", symbol=ETH),)), None
    )
    ours.take((fill("T1", name(1), "1", symbol="A/B"), fill("T2", "web", "1", symbol="C/D")))
    assert ours.symbols == (BTC, ETH, "A/B")


def test_an_order_of_the_summary_reads_as_it_was() -> None:
    known = resting("S", "0.1", trigger=D(50_000), deadline=7, touched_at=3)
    one = from_summary(known, summary(positions=(held("1", leverage=D(3)), held("1", symbol=ETH))))
    assert (one.client_order_id, one.venue_order_id, one.symbol, one.side, one.role) == (
        "S",
        "V1",
        BTC,
        Side.SELL,
        Role.STOP,
    )
    assert (one.size, one.filled, one.trigger, one.type, one.status) == (
        D("0.5"),
        D("0.1"),
        D(50_000),
        OrderType.STOP,
        Status.OPEN,
    )
    assert (one.leverage, one.reduce_only, one.deadline, one.touched_at, one.created_at) == (
        D(3),
        True,
        7,
        3,
        3,
    )
    plain = from_summary(
        replace(known, trigger=None, venue_order_id=None),
        summary(positions=(held("1", symbol=ETH, leverage=D(3)),)),
    )
    assert (plain.type, plain.status, plain.leverage, plain.reduce_only) == (
        OrderType.LIMIT,
        Status.PENDING,
        None,
        False,
    )
    coins = from_summary(known, summary(positions=(held("1", leverage=D(1)),)))
    assert (coins.leverage, coins.reduce_only) == (D(1), False)


def test_what_is_older_than_all_that_the_summary_names_was_booked_long_ago() -> None:
    """It names only the newest: the oldest of these is the line, not the newest."""
    names = tuple(f"T{number}" for number in range(EXECUTIONS))
    ours = Ours("main", summary(positions=(held("0.4"),), executions=names), None)
    ours.take(
        fill(one, name(1), "0.01", at=AT - 1000 + number) for number, one in enumerate(names[:3])
    )
    assert size(ours) == D("0.4")
    ours.take((fill("OLD", name(2), "0.2", at=AT - 1001),))
    assert size(ours) == D("0.4"), "it was booked before"
    ours.take((fill("NEW", name(3), "0.2", at=AT - 999),))
    assert size(ours) == D("0.6"), "it is between two that are booked, and is not: listed late"
