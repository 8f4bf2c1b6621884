"""What is left to close and what is said of it: arithmetic over what is ours and what the venue
shows.
"""

import asyncio
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.account.summary import HeldPosition, Summary
from engine.clock import SECOND, Clock
from engine.emergency.budget import Budget
from engine.emergency.gathering import Gathering
from engine.emergency.holding import Holding, Left, tradable
from engine.emergency.ours import Ours
from engine.exchange import Delay, Exchange, Faults
from engine.model.books import Books
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.instrument import Instrument
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.side import Side
from engine.venues.paper import PaperVenue
from engine.venues.parts import Holdings, Row, Working
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH

D = Decimal
AT = 1_790_000_000 * SECOND
EUR = "BTC/EUR"
pytestmark = [pytest.mark.hazard("H73")]


class Heap:
    """An account as its venue shows it, and what of it is ours."""

    def __init__(
        self,
        profile: str = "kraken-spot",
        symbols: Iterable[str] = (BTC,),
        *,
        lost: bool = False,
        rounding: str = "0",
    ) -> None:
        self.profile = load_profile(profile)
        self.instruments: dict[str, Instrument] = {
            one: instrument_for(self.profile, one, D("0.1")) for one in symbols
        }
        self.positions: list[HeldPosition] = []
        self.baseline: dict[str, Decimal] = {}
        self.withheld: dict[str, Decimal] = {}
        self.fills: list[Fill] = []
        self.balances: dict[str, Decimal] = {}
        self.net: dict[str, Decimal] = {}
        self.all_of: Collection[str] = ()
        self.currencies: Collection[str] = ("USD",)
        self.counts = True
        self.lost = lost
        self.rounding = D(rounding)

    def ours(
        self, size: str, side: Side = Side.BUY, symbol: str = BTC, leverage: Decimal | None = None
    ) -> None:
        name = f"P{len(self.positions)}"
        self.positions.append(
            HeldPosition(id=name, symbol=symbol, side=side, size=D(size), leverage=leverage)
        )

    def traded(self, size: str, side: Side = Side.BUY, who: str = "web", symbol: str = BTC) -> None:
        name = f"T{len(self.fills)}"
        self.fills.append(
            Fill(
                name,
                who,
                symbol,
                side,
                D(60_000),
                D(size),
                D(0),
                "USD",
                Liquidity.TAKER,
                AT + 9 * SECOND,
            )
        )

    def gathering(self) -> Gathering:
        loop = asyncio.new_event_loop()
        clock = Clock(loop, AT)
        loop.close()
        newest = client_order_id("main", "i", "leg", 5)
        known = Summary(
            account="main",
            newest_order=newest,
            at=AT,
            positions=tuple(self.positions),
            baseline=self.baseline,
            withheld=self.withheld,
        )
        ours = Ours("main", None if self.lost else known, None)
        ours.take(self.fills)
        exchange = Exchange(self.profile, tuple(self.instruments.values()), {"USD": D(1)}, "USD")
        self.venue = PaperVenue(
            exchange, clock, seed=1, delay=Delay(0, 0), timeout=SECOND, faults=Faults()
        )
        gathering = Gathering(
            self.venue.parts(),
            ours,
            Budget(self.profile.limit_model(0.0), clock, AT),
            clock,
            lambda _: None,
        )
        gathering.holdings = Holdings(AT, self.balances, self.net)
        gathering._quotes = {
            one: Quote(
                one,
                AT,
                D(3_000 if one == ETH else 60_000),
                D(1),
                D(3_000 if one == ETH else 60_000),
                D(1),
            )
            for one in self.instruments
        }
        return gathering

    def holding(self) -> Holding:
        holding = Holding(
            self.gathering(), self.instruments, self.rounding, self.all_of, self.currencies
        )
        holding.counts = self.counts
        return holding

    def lefts(self) -> list[Left]:
        return self.holding().lefts()

    def left(self, symbol: str = BTC, *, on_margin: bool = False) -> Left:
        (found,) = [
            one for one in self.lefts() if one.symbol == symbol and one.on_margin is on_margin
        ]
        return found


def parts_of(left: Left) -> dict[str, Decimal]:
    """What is not zero of a symbol."""
    told: dict[str, Any] = {
        name: getattr(left, name)
        for name in ("ours", "closable", "dust", "beyond", "alone", "missing")
    }
    return {name: size for name, size in told.items() if size}


# Coins


def test_what_is_ours_is_closable_and_the_owners_part_is_left_alone() -> None:
    heap = Heap()
    heap.ours("0.4")
    heap.baseline, heap.balances = {"BTC": D(1)}, {"BTC": D("1.4")}
    left = heap.left()
    assert parts_of(left) == {"ours": D("0.4"), "closable": D("0.4"), "alone": D(1)}
    assert (left.value, left.side) == (D(24_000), Side.SELL)
    assert heap.holding().books("BTC") == Books(D("0.4"), D(0), D(1))


def test_what_the_heap_lacks_is_the_owners_once_a_picture_counts_and_nobodys_before() -> None:
    heap = Heap()
    heap.ours("0.4")
    heap.baseline, heap.balances = {"BTC": D(1)}, {"BTC": D("0.6")}
    left = heap.left()
    assert parts_of(left) == {"ours": D("0.4"), "closable": D("0.4"), "alone": D("0.6")}
    assert heap.holding().books("BTC").baseline == D("0.2")
    heap.counts = False
    assert parts_of(heap.left()) == {"ours": D("0.4"), "alone": D("0.6"), "missing": D("0.4")}
    heap.balances = {"BTC": D("1.3")}
    assert heap.left().closable == D("0.3"), "no more than lies beyond the owner's part"


def test_when_even_ours_is_lacking_only_what_is_there_is_closed() -> None:
    heap = Heap()
    heap.ours("0.4")
    heap.baseline, heap.balances = {"BTC": D(1)}, {"BTC": D("0.3")}
    assert parts_of(heap.left()) == {
        "ours": D("0.4"),
        "closable": D("0.3"),
        "alone": D("0.3"),
        "missing": D("0.1"),
    }


@pytest.mark.parametrize(("held", "closable"), [("1.386", "0.4"), ("1.38", "0.38")])
def test_a_lack_within_the_rounding_is_none(held: str, closable: str) -> None:
    heap = Heap(rounding="0.01")
    heap.ours("0.4")
    heap.baseline, heap.balances = {"BTC": D(1)}, {"BTC": D(held)}
    heap.counts = False
    assert heap.left().closable == D(closable)


def test_what_others_bought_is_left_alone_and_what_nobody_bought_is_unattributable() -> None:
    heap = Heap()
    heap.ours("0.4")
    heap.balances = {"BTC": D("1.4")}
    heap.traded("0.7")
    assert parts_of(heap.left()) == {
        "ours": D("0.4"),
        "closable": D("0.4"),
        "alone": D("0.7"),
        "beyond": D("0.3"),
    }
    heap.traded("0.9")
    assert parts_of(heap.left()) == {"ours": D("0.4"), "closable": D("0.4"), "alone": D(1)}
    heap.fills.clear()
    heap.traded("0.7", Side.SELL)
    assert heap.left().beyond == D(1), "who sold explains nothing that is there"


def test_of_money_nothing_is_left_over() -> None:
    heap = Heap()
    heap.balances, heap.baseline = {"BTC": D(3)}, {"BTC": D(1)}
    heap.currencies = ("USD", "BTC")
    assert heap.lefts() == []
    heap.currencies = ("USD",)
    assert parts_of(heap.left()) == {"alone": D(1), "beyond": D(2)}


def test_without_a_summary_what_our_executions_do_not_prove_is_the_owners() -> None:
    heap = Heap(lost=True)
    heap.traded("0.4", who=client_order_id("main", "i", "leg", 1))
    heap.balances = {"BTC": D("1.4")}
    left = heap.left()
    assert (left.ours, left.closable, left.beyond) == (D("0.4"), D("0.4"), D(1))
    assert heap.holding().books("BTC") == Books(D("0.4"), D(0), D(1))


def test_all_of_a_symbol_is_closed_where_the_operator_says_so() -> None:
    heap = Heap()
    heap.ours("0.4")
    heap.baseline, heap.balances, heap.all_of = {"BTC": D(1)}, {"BTC": D("1.5")}, (BTC,)
    assert parts_of(heap.left()) == {"ours": D("1.5"), "closable": D("1.5")}
    assert heap.holding().books("BTC") == Books(D("1.5"), D(0), D(0))


def test_two_symbols_of_one_coin_share_the_heap_in_order() -> None:
    heap = Heap(symbols=(BTC, EUR))
    heap.ours("0.4")
    heap.ours("0.3", symbol=EUR)
    heap.balances = {"BTC": D("0.5")}
    heap.currencies = ("USD", "EUR")
    assert parts_of(heap.left(BTC)) == {"ours": D("0.4"), "closable": D("0.4")}
    assert parts_of(heap.left(EUR)) == {"ours": D("0.3"), "closable": D("0.1"), "missing": D("0.2")}
    heap.all_of = (EUR,)
    heap.balances = {"BTC": D("1.5")}
    assert heap.left(EUR).closable == D("1.1")
    assert heap.left(BTC).closable == D("0.4")


def test_what_another_engine_of_ours_bought_is_closable_once_and_what_it_owes_is_bought_back() -> (
    None
):
    heap = Heap(symbols=(BTC, EUR))
    heap.balances, heap.baseline, heap.withheld = (
        {"BTC": D("2.4")},
        {"BTC": D(2)},
        {"BTC": D("0.4")},
    )
    assert [(left.symbol, left.closable, left.beyond) for left in heap.lefts()] == [
        (BTC, D("0.4"), D(0))
    ]
    assert heap.holding().books("BTC") == Books(D("0.4"), D(0), D(2))
    heap.balances, heap.baseline, heap.withheld = (
        {"BTC": D("-0.4")},
        {"BTC": D(0)},
        {"BTC": D("-0.4")},
    )
    assert heap.left().closable == D("-0.4")


def test_all_of_one_symbol_takes_the_whole_heap_of_its_coin() -> None:
    heap = Heap(symbols=(BTC, EUR))
    heap.ours("0.3", symbol=EUR)
    heap.baseline, heap.balances, heap.all_of = {"BTC": D(1)}, {"BTC": D("1.5")}, (EUR,)
    heap.currencies = ("USD", "EUR")
    assert heap.left(EUR).closable == D("1.5")
    assert heap.holding().books("BTC") == Books(D("1.5"), D(0), D(0))
    assert [left.symbol for left in heap.lefts()] == [EUR], (
        "nothing of it is left alone, or nobody's"
    )


def test_all_of_an_empty_heap_leaves_what_is_short_as_it_is() -> None:
    heap = Heap()
    heap.ours("0.4", Side.SELL)
    heap.balances, heap.all_of = {"BTC": D(0)}, (BTC,)
    assert heap.left().ours == D("-0.4")


def test_what_was_sold_beyond_ours_is_a_short_only_where_coins_are_lent() -> None:
    heap = Heap(symbols=(BTC, ETH))
    heap.traded("0.4", Side.SELL, who=client_order_id("main", "i", "leg", 9))
    heap.baseline, heap.balances = {"BTC": D(1)}, {"BTC": D("0.6")}
    lending = heap.holding()
    lending.lends = True
    assert [(left.symbol, left.short, left.closable) for left in lending.lefts() if left.short] == [
        (BTC, D("-0.4"), D(0))
    ]
    assert all(not left.short for left in heap.lefts())
    heap.balances = {"BTC": D("-0.1")}
    heap.baseline = {}
    lending = heap.holding()
    lending.lends = True
    (left,) = [left for left in lending.lefts() if left.symbol == BTC]
    assert (left.closable, left.short) == (D("-0.1"), D("-0.3")), "what the account owes is proved"
    heap.fills.clear()
    heap.traded("0.00001", Side.SELL, who=client_order_id("main", "i", "leg", 9))
    heap.balances = {"BTC": D("0.99999")}
    heap.baseline = {"BTC": D(1)}
    lending = heap.holding()
    lending.lends = True
    assert all(not left.short for left in lending.lefts()), "a part of a fee"


def test_what_the_operator_sold_short_is_bought_back_and_what_was_oversold_is_not() -> None:
    heap = Heap()
    heap.ours("0.4", Side.SELL)
    heap.balances = {"BTC": D("-0.4")}
    left = heap.left()
    assert (left.closable, left.side) == (D("-0.4"), Side.BUY)
    assert heap.holding().books("BTC") == Books(D(0), D("0.4"), D(0))
    heap.baseline, heap.balances = {"BTC": D(1)}, {"BTC": D("0.6")}
    assert heap.left().closable == D("-0.4")
    over = Heap()
    over.traded("0.4", Side.SELL, who=client_order_id("main", "i", "leg", 9))
    over.baseline, over.balances = {"BTC": D(1)}, {"BTC": D("0.6")}
    assert over.left().closable == 0
    lent = Heap()
    lent.ours("0.4", Side.SELL, leverage=D(2))
    lent.traded("0.4", Side.SELL, who=client_order_id("main", "i", "leg", 9))
    lent.baseline, lent.balances = {"BTC": D(1)}, {"BTC": D("0.6")}
    assert lent.left().closable == 0, "a loan is no coin that was sold"


def test_what_is_worth_most_comes_first_and_then_by_name() -> None:
    heap = Heap(symbols=(BTC, ETH))
    heap.ours("0.01")
    heap.ours("9", symbol=ETH)
    heap.balances = {"BTC": D("0.01"), "ETH": D(9)}
    assert [left.symbol for left in heap.lefts() if not left.on_margin] == [ETH, BTC]
    heap.positions, heap.balances = [], {"BTC": D(1), "ETH": D(1)}
    assert [left.symbol for left in heap.lefts()] == [BTC, ETH]


def test_the_books_of_a_coin_are_of_that_coin_alone() -> None:
    heap = Heap(symbols=(BTC, ETH))
    heap.ours("0.4")
    heap.ours("9", symbol=ETH)
    heap.baseline, heap.balances = {"BTC": D(1), "ETH": D(2)}, {"BTC": D("1.4"), "ETH": D(11)}
    assert heap.holding().books("BTC") == Books(D("0.4"), D(0), D(1))
    assert heap.holding().books("ETH") == Books(D(9), D(0), D(2))
    heap.all_of = (ETH,)
    assert heap.holding().books("BTC").baseline == D(1)
    assert heap.left(BTC).alone == D(1)


def test_what_is_below_the_least_order_is_dust_and_what_is_beyond_it_too() -> None:
    heap = Heap()
    least = heap.instruments[BTC].min_size
    heap.ours(str(least - heap.instruments[BTC].lot))
    heap.balances = {"BTC": 2 * (least - heap.instruments[BTC].lot)}
    left = heap.left()
    assert (left.closable, left.dust, left.beyond) == (D(0), left.ours, D(0))


@pytest.mark.parametrize(
    ("size", "stuck"), [("0.1", True), ("0.00083334", True), ("0.00083333", False)]
)
def test_what_is_worth_a_hundred_orders_is_no_dust_though_the_least_order_is_larger(
    size: str, stuck: bool
) -> None:
    heap = Heap()
    raised = replace(heap.instruments[BTC], min_size=D(2), min_cost=D("0.5"))
    heap.instruments[BTC] = raised
    heap.ours(size)
    heap.balances = {"BTC": D(size)}
    left = heap.left()
    assert left.closable == D(0)
    assert (left.stuck, left.dust) == ((D(size), D(0)) if stuck else (D(0), D(size)))


def test_a_part_of_a_lot_is_dust() -> None:
    heap = Heap()
    lot = heap.instruments[BTC].lot
    heap.ours(str(1 + lot / 2))
    heap.balances = {"BTC": 1 + lot / 2}
    assert parts_of(heap.left()) == {"ours": 1 + lot / 2, "closable": D(1), "dust": lot / 2}


def test_an_order_is_tradable_from_the_least_size_and_cost_on() -> None:
    one = replace(
        instrument_for(load_profile("kraken-spot"), BTC, D("0.1")),
        min_size=D("0.1"),
        min_cost=D(10),
        lot=D("0.01"),
    )
    assert tradable(one, D("0.1"), None)
    assert not tradable(one, D("0.09"), None)
    assert tradable(one, D("0.1"), D(100))
    assert not tradable(one, D("0.1"), D(99))
    assert not tradable(replace(one, min_size=D(0)), D(0), None)


# Contracts


@pytest.mark.parametrize(
    ("ours", "net", "told"),
    [
        ("0.4", "0.4", {"ours": "0.4", "closable": "0.4"}),
        ("0.4", "0.3", {"ours": "0.4", "closable": "0.3", "missing": "0.1"}),
        ("0.4", "0.6", {"ours": "0.4", "closable": "0.4", "beyond": "0.2"}),
        ("0.4", "-0.1", {"ours": "0.4", "missing": "0.4", "beyond": "-0.1"}),
        ("0.4", "0", {"ours": "0.4", "missing": "0.4"}),
        ("0", "0.2", {"beyond": "0.2"}),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_of_a_contract_what_is_ours_and_there_is_closable(
    ours: str, net: str, told: dict[str, str], sign: int
) -> None:
    heap = Heap("kraken-futures")
    heap.ours(ours, Side.BUY if sign > 0 else Side.SELL)
    heap.net = {BTC: sign * D(net)}
    left = heap.left(on_margin=True)
    assert parts_of(left) == {name: sign * D(size) for name, size in told.items()}
    assert heap.holding().books(BTC) == Books(
        D(ours) if sign > 0 else D(0), D(ours) if sign < 0 else D(0), D(0)
    )


def test_of_a_contract_what_lay_there_or_others_traded_is_left_alone() -> None:
    heap = Heap("kraken-futures")
    heap.ours("0.4")
    heap.baseline, heap.net = {BTC: D("0.1")}, {BTC: D("0.8")}
    heap.traded("0.2")
    assert parts_of(heap.left(on_margin=True)) == {
        "ours": D("0.4"),
        "closable": D("0.4"),
        "alone": D("0.3"),
        "beyond": D("0.1"),
    }
    assert heap.holding().books(BTC).baseline == D("0.1")
    heap.all_of = (BTC,)
    assert parts_of(heap.left(on_margin=True)) == {"ours": D("0.8"), "closable": D("0.8")}


def test_without_a_summary_what_others_traded_explains_no_contract() -> None:
    heap = Heap("kraken-futures", lost=True)
    heap.net = {BTC: D("0.8")}
    heap.traded("0.8")
    assert parts_of(heap.left(on_margin=True)) == {"beyond": D("0.8")}


# What is gathered


def test_the_parts_make_a_picture_as_old_as_the_oldest_and_count_only_when_all_are_there() -> None:
    gathering = Heap().gathering()
    assert (gathering.picture(), gathering.asked_at()) == (None, 0)
    mine = client_order_id("main", "i", "leg", 1)
    order = Order(
        mine, "", BTC, Side.SELL, OrderType.STOP, Role.STOP, D(1), trigger=D(1), filled=D("0.4")
    )
    rows = (
        Row("V1", mine, BTC, order, "stop"),
        Row("V2", "web", BTC, order, "theirs"),
        Row("V3", mine, BTC, None, "?"),
    )
    gathering.working = Working(AT - 5, rows)
    assert gathering.asked_at() == 0
    gathering.fills_at = AT - 9
    assert gathering.asked_at() == AT - 9
    picture = gathering.picture()
    assert picture is not None
    assert (picture.as_of, picture.orders) == (AT - 5, (replace(order, filled=D(0)),))
    assert [row.venue_order_id for row in gathering.rows()] == ["V1", "V3"]
    assert [row.venue_order_id for row in gathering.foreign()] == ["V2"]
    gathering.complaints["prices"] = "?"
    assert gathering.asked_at() == AT - 9
    gathering.complaints["executions"] = "no answer"
    assert gathering.asked_at() == 0
    gathering.drop(mine)
    assert [row.venue_order_id for row in gathering.working.rows] == ["V2"]
