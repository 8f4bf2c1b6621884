"""The auditor's parts by themselves: what protects, what a venue takes, what fills come to, and
what must agree at rest.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.state import State, Totals
from engine.model.alert import Alert
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument, Kind
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Position, Protection
from engine.model.quote import Quote
from engine.model.report import Picture
from engine.model.request import Lane
from engine.model.side import Side
from engine.rehearsal.auditor import rest
from engine.rehearsal.auditor.books import Book, Books
from engine.rehearsal.auditor.cover import RANK, cover
from engine.rehearsal.auditor.findings import MOST, Findings
from engine.rehearsal.auditor.orders import Orders
from engine.rehearsal.auditor.prices import Prices
from engine.venues.profiles import instrument_for, load_profile

pytestmark = pytest.mark.hazard("H109")

D = Decimal
SECOND = 1_000_000_000
BTC = "BTC/USD"
SPOT = instrument_for(load_profile("kraken-spot"), BTC, D("0.1"))
FUTURE = instrument_for(load_profile("kraken-futures"), BTC, D("0.1"))


def quiet(invariant: str, detail: str) -> None:
    raise AssertionError(f"{invariant}: {detail}")


# Protection


def stops(*sizes: str, **terms: Any) -> Orders:
    """Exits of one position, accepted by the venue."""
    orders = Orders(quiet)
    for number, size in enumerate(sizes):
        defaults: dict[str, Any] = {"trigger": D(50_000)}
        order = Order(
            f"S{number}", "P1", BTC, Side.SELL, OrderType.STOP, Role.STOP, D(size), **defaults
        )
        order = replace(order, **terms)
        orders.take_in(e.OrderSubmitted(1, order, Lane.PROTECT))
        orders.take_in(e.OrderAccepted(1, order.client_order_id, "V"))
    return orders


def bought(size: str = "0.5", **terms: Any) -> Book:
    return replace(Book("P1", BTC, Side.BUY, "USD", None, bought=D(size)), **terms)


def judged(book: Book, orders: Orders, *, halted: bool = False, fresh: bool = True) -> Protection:
    return cover(book, SPOT, orders, halted=halted, fresh=fresh)


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        (("0.5",), Protection.VENUE),
        (("0.6",), Protection.VENUE),
        (("0.4",), Protection.PARTIAL),
        (("0.1", "0.5"), Protection.VENUE),
        (("0.5", "0.1"), Protection.VENUE),
        (("0.3", "0.3"), Protection.PARTIAL),
        ((), Protection.NAKED),
    ],
)
def test_one_stop_that_works_for_every_lot_protects(
    sizes: tuple[str, ...], found: Protection
) -> None:
    assert judged(bought(), stops(*sizes)) is found


def test_a_part_of_a_lot_needs_no_stop() -> None:
    assert judged(bought(str(D("0.5") + SPOT.lot / 2)), stops("0.5")) is Protection.VENUE


@pytest.mark.parametrize(
    "terms",
    [{"trigger": None}, {"role": Role.TARGET}, {"side": Side.BUY}, {"position": "P2"}],
    ids=str,
)
def test_only_a_stop_of_its_own_on_the_other_side_protects(terms: dict[str, Any]) -> None:
    assert judged(bought(), stops("0.5", **terms)) is Protection.NAKED


def test_a_stop_that_the_venue_has_not_confirmed_or_that_filled_protects_nothing() -> None:
    orders = Orders(quiet)
    order = Order("S", "P1", BTC, Side.SELL, OrderType.STOP, Role.STOP, D("0.5"), trigger=D(1))
    orders.take_in(e.OrderSubmitted(1, order, Lane.PROTECT))
    assert judged(bought(), orders) is Protection.NAKED
    orders.take_in(e.OrderAccepted(1, "S", "V"))
    orders.take_in(e.OrderFilled(1, fill("T", "0.2", Side.SELL, order="S"), D(0)))
    assert judged(bought(), orders) is Protection.PARTIAL


def test_what_is_being_closed_whole_is_guarded_and_a_part_is_not() -> None:
    assert judged(bought(closing=D("0.5")), stops()) is Protection.GUARDED
    assert judged(bought(closing=D("0.4")), stops()) is Protection.NAKED
    assert judged(bought(closing=D("0.5")), stops(), halted=True, fresh=False) is Protection.GUARDED


@pytest.mark.parametrize(
    ("halted", "fresh", "guards"), [(False, True, True), (True, True, False), (False, False, False)]
)
@pytest.mark.parametrize("watched", [{"stop": D(1)}, {"trailing": True}], ids=["a stop", "a trail"])
def test_a_guard_needs_a_desk_that_may_act_and_a_fresh_price(
    halted: bool, fresh: bool, guards: bool, watched: dict[str, Any]
) -> None:
    found = judged(bought(**watched), stops(), halted=halted, fresh=fresh)
    assert found is (Protection.GUARDED if guards else Protection.NAKED)


def test_from_the_worst_to_the_best() -> None:
    assert sorted(RANK, key=lambda one: RANK[one]) == [
        Protection.NAKED,
        Protection.PARTIAL,
        Protection.GUARDED,
        Protection.VENUE,
    ]
    assert len(set(RANK.values())) == 4


# Prices


def quoted(bid: str = "60000", at: int = 0, oldest: int = 10) -> Prices:
    prices = Prices(oldest)
    prices.quoted(Quote(BTC, at, D(bid), D(1), D(bid) + 1, D(1)))
    return prices


def test_a_price_is_fresh_up_to_its_age_or_three_paces_where_that_is_longer() -> None:
    prices = quoted()
    assert (prices.is_fresh(BTC, 10), prices.is_fresh(BTC, 11), prices.is_fresh("ETH/USD", 0)) == (
        True,
        False,
        False,
    )
    prices.set_pace(BTC, 3)
    assert not prices.is_fresh(BTC, 11)
    prices.set_pace(BTC, 4)
    assert (prices.is_fresh(BTC, 12), prices.is_fresh(BTC, 13)) == (True, False)


def test_a_venue_takes_whole_lots_from_its_least_size_and_cost_on() -> None:
    one = replace(SPOT, lot=D("0.1"), min_size=D("0.2"), min_cost=D(100))
    prices = quoted("100")
    assert not prices.takes(one, D("0.05"))
    assert not prices.takes(one, D("0.29"))
    assert not prices.takes(one, D("0.99"))
    assert prices.takes(one, D(1))
    assert prices.takes(one, D("1.1"), D("1.1"))
    assert not prices.takes(one, D("1.09"), D("1.1"))
    assert not prices.takes(replace(one, min_size=D(0), min_cost=D(0)), D("0.05"))
    unpriced = Prices(10)
    assert unpriced.takes(one, D("0.2"))
    assert not unpriced.takes(one, D("0.19"))


# Findings


def test_a_thousand_findings_are_kept_and_no_more() -> None:
    findings = Findings()
    for number in range(1_001):
        findings.fail(number, "x", "y")
    assert (MOST, len(findings.violations), findings.violations[-1].at) == (1_000, 1_000, 999)


# Money by fills


def fill(
    execution: str,
    size: str,
    side: Side = Side.BUY,
    price: str = "60000",
    fee: str = "0",
    order: str = "o",
    currency: str = "USD",
) -> Fill:
    return Fill(
        execution, order, BTC, side, D(price), D(size), D(fee), currency, Liquidity.TAKER, 1, "P1"
    )


def books(
    instrument: Instrument = SPOT, side: Side = Side.BUY, leverage: Decimal | None = None
) -> Books:
    found = Books()
    found.take_in(e.InstrumentListed(1, instrument))
    found.take_in(e.CashReported(1, {"USD": D(100_000)}))
    position = Position("P1", BTC, side, created_at=1, settle=instrument.settle, leverage=leverage)
    found.take_in(e.PositionPlanned(1, position, e.Plan("i", None, None, None)))
    return found


def test_coins_change_hands_for_their_price_and_fees_are_taken_where_they_are_told() -> None:
    found = books()
    found.filled(fill("T1", "0.5", fee="10"), D(99), Role.ENTRY)
    assert found.cash == {"USD": D(100_000) - 30_000 - 10, "BTC": D("0.5")}
    found.filled(
        fill("T2", "0.2", Side.SELL, "70000", fee="0.001", currency="BTC"), D(99), Role.STOP
    )
    assert found.cash == {"USD": D(69_990) + 14_000, "BTC": D("0.299")}
    book = found.of["P1"]
    assert (book.bought, book.bought_value) == (D("0.5"), D(30_000))
    assert (book.sold, book.sold_value) == (D("0.201"), D(14_070))
    assert (book.size, book.signed) == (D("0.299"), D("0.299"))
    assert book.fees == found.fees == {"USD": D(10), "BTC": D("0.001")}
    assert book.fee_value == D(10) + D("0.001") * 70_000, "not what the desk says"
    assert found.lent == set()


def test_a_fee_in_coins_makes_a_purchase_smaller() -> None:
    found = books()
    found.filled(fill("T1", "0.5", fee="0.1", currency="BTC"), D(0), Role.ENTRY)
    assert found.of["P1"].bought == D("0.4")
    assert found.cash["BTC"] == D("0.4")


def test_a_fee_in_a_third_currency_is_worth_what_the_desk_says() -> None:
    found = books()
    found.filled(fill("T1", "0.5", fee="3", currency="KFEE"), D(7), Role.ENTRY)
    assert (found.of["P1"].fee_value, found.cash["KFEE"]) == (D(7), D(-3))


@pytest.mark.parametrize(("side", "profit"), [(Side.BUY, "2000"), (Side.SELL, "-2000")])
def test_a_contract_pays_its_profit_at_average_cost_and_moves_no_coins(
    side: Side, profit: str
) -> None:
    found = books(FUTURE, side)
    found.filled(fill("T1", "0.3", side, "60000"), D(0), Role.ENTRY)
    found.filled(fill("T2", "0.1", side, "64000"), D(0), Role.ENTRY)
    assert found.cash == {"USD": D(100_000)}
    found.filled(fill("T3", "0.2", side.opposite, "71000"), D(0), Role.STOP)
    assert found.cash == {"USD": D(100_000) + D(profit)}
    assert found.lent == {"USD"}
    assert found.of["P1"].signed == (D("0.2") if side is Side.BUY else D("-0.2"))
    found.take_in(e.PositionClosed(2, "P1", "stop", None, None))
    assert found.realised == {"P1": D(profit)}


def test_an_inverse_contract_is_worth_more_the_lower_the_price() -> None:
    inverse = replace(FUTURE, kind=Kind.INVERSE, contract_size=D(1))
    found = books(inverse)
    found.filled(fill("T1", "100", price="50"), D(0), Role.ENTRY)
    found.filled(fill("T2", "100", Side.SELL, "100"), D(0), Role.STOP)
    book = found.of["P1"]
    assert (book.bought_value, book.sold_value) == (D(2), D(1))
    assert book.gross(inverse=True) == D(1)
    assert book.gross(inverse=False) == D(-1)
    assert found.cash[inverse.settle] == (D(1) if inverse.settle != "USD" else D(100_001))


def test_nothing_is_earned_before_something_is_closed() -> None:
    assert bought(bought_value=D(9)).gross(inverse=False) == 0
    assert replace(bought("0"), sold=D(1), sold_value=D(9)).gross(inverse=False) == 0


def test_spot_on_leverage_is_no_coin_and_at_one_it_is() -> None:
    assert not books(leverage=D(2)).moves_coins(books(leverage=D(2)).of["P1"])
    assert books(leverage=D(1)).moves_coins(books(leverage=D(1)).of["P1"])
    assert not books(FUTURE).moves_coins(books(FUTURE).of["P1"])


def test_what_is_to_be_closed_falls_with_each_close_and_never_beyond_what_is_held() -> None:
    found = books()
    found.filled(fill("T1", "0.5"), D(0), Role.ENTRY)
    found.take_in(e.ClosingBegan(1, "P1", D("0.5"), "operator"))
    found.filled(fill("T2", "0.2", Side.SELL), D(0), Role.CLOSE)
    assert found.of["P1"].closing == D("0.3")
    found.filled(fill("T3", "0.1", Side.SELL), D(0), Role.STOP)
    assert found.of["P1"].closing == D("0.2"), "what a stop sold is not there to close"
    found.filled(fill("T4", "0.3", Side.SELL), D(0), Role.CLOSE)
    assert found.of["P1"].closing == 0
    found.take_in(e.ClosingBegan(1, "P1", D("0.5"), "operator"))
    found.take_in(e.DustLeft(1, "P1", dust=True))
    assert found.of["P1"].closing == 0


def test_a_fill_after_the_end_opens_the_book_again() -> None:
    found = books()
    found.filled(fill("T1", "0.5"), D(0), Role.ENTRY)
    found.take_in(e.PositionClosed(2, "P1", "stop", None, None))
    assert (found.of["P1"].over, found.realised) == (True, {"P1": D(0)})
    found.filled(fill("T2", "0.1"), D(0), Role.ENTRY)
    assert (found.of["P1"].over, found.realised) == (False, {})


def test_what_was_adjusted_liquidated_or_recovered_is_marked_so() -> None:
    for event in (
        e.HoldingAdjusted(1, fill("T1", "0.5")),
        e.PositionLiquidated(1, fill("T1", "0.5"), D(0), by="last exit"),
        e.OrderRecovered(1, Order("S", "P1", BTC, Side.SELL, OrderType.STOP, Role.STOP, D(1)), 0),
    ):
        found = books()
        assert found.take_in(event) == "P1"
        assert found.of["P1"].adjusted
    venue = books()
    venue.take_in(e.PositionLiquidated(1, fill("T1", "0.5", Side.SELL), D(0)))
    assert not venue.of["P1"].adjusted
    assert venue.of["P1"].sold == D("0.5")


def test_financing_and_what_is_elsewhere_are_added_up() -> None:
    found = books()
    for amount in (D(5), D(-2)):
        found.take_in(e.Financed(1, "USD", amount))
        found.take_in(e.LeftElsewhere(1, BTC, amount))
    assert (found.cash["USD"], found.financing, found.elsewhere) == (
        D(100_003),
        {"USD": D(3)},
        {BTC: D(3)},
    )


# What the desk says of money


def said(found: Books, cash: dict[str, str], **totals: dict[str, Decimal]) -> list[str]:
    state = State(
        "test",
        "USD",
        cash={name: D(amount) for name, amount in cash.items()},
        totals=Totals(**totals),
    )
    return [invariant for invariant, _ in found.money(state)]


def test_money_must_be_equal_and_what_was_divided_nearly_so() -> None:
    found = books()
    assert said(found, {"USD": "100000"}) == []
    assert said(found, {"USD": "100000.0000001"}) == ["5 cash"]
    assert said(found, {"USD": "100000", "EUR": "1"}) == ["5 cash"]
    assert said(found, {}) == []
    found.lent.add("USD")
    assert said(found, {"USD": "100000.000001"}) == []
    assert said(found, {"USD": "99999.999998"}) == ["5 cash"]


def test_totals_must_be_equal_and_profit_nearly_so() -> None:
    found = books()
    found.filled(fill("T1", "0.5", fee="10"), D(0), Role.ENTRY)
    found.filled(fill("T2", "0.5", Side.SELL, "60100"), D(0), Role.STOP)
    found.take_in(e.PositionClosed(2, "P1", "stop", None, None))
    found.take_in(e.Financed(1, "USD", D(3)))
    cash = {"USD": "100043", "BTC": "0"}
    exact = {"fees": {"USD": D(10)}, "financing": {"USD": D(3)}, "realised": {"USD": D(40)}}
    assert said(found, cash, **exact) == []
    assert said(found, cash, **exact | {"realised": {"USD": D("40.000001")}}) == []
    assert said(found, cash, **exact | {"realised": {"USD": D("40.000002")}}) == ["5 realised"]
    assert said(found, cash, **exact | {"fees": {"USD": D("10.0000001")}}) == ["5 fees"]
    assert said(found, cash, **exact | {"financing": {}}) == ["5 financing"]
    found.filled(fill("T2", "0.1"), D(0), Role.ENTRY)
    found.filled(replace(fill("T9", "0.1"), position="P9"), D(0), Role.ENTRY)
    assert said(found, {}, **exact | {"realised": {}}) == ["1 executions", "1 executions"]
    assert said(found, {}, **exact | {"realised": {}}) == [], "said once"


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ({}, []),
        ({"entry_size": D("0.6")}, ["1 size"]),
        ({"entry_value": D("30000.000001")}, []),
        ({"entry_value": D("30000.000002")}, ["5 values"]),
        ({"exit_value": D(1)}, ["5 values"]),
        ({"fee_value": D(11)}, ["5 values"]),
        ({"fees": {"USD": D(11)}}, ["5 fees"]),
        ({"fees": {"USD": D(10), "EUR": D(1)}}, ["5 fees"]),
        ({"fees": {}}, ["5 fees"]),
    ],
)
def test_what_the_desk_says_of_a_position_is_what_its_fills_say(
    terms: dict[str, Any], found: list[str]
) -> None:
    ours = books()
    ours.filled(fill("T1", "0.5", fee="10"), D(0), Role.ENTRY)
    claim = Position(
        "P1",
        BTC,
        Side.BUY,
        1,
        "USD",
        entry_size=D("0.5"),
        entry_value=D(30_000),
        fee_value=D(10),
        fees={"USD": D(10)},
    )
    for where in ("positions", "closed"):
        state = State("test", "USD", **{where: {"P1": replace(claim, **terms)}})  # type: ignore[arg-type] # by name
        assert [invariant for invariant, _ in ours.differing("P1", state)] == found


def test_a_position_that_the_desk_does_not_know_must_be_over_or_empty() -> None:
    ours, state = books(), State("test", "USD")
    assert list(ours.differing("P1", state)) == []
    assert list(ours.differing("P2", state)) == []
    ours.filled(fill("T1", "0.5"), D(0), Role.ENTRY)
    assert [invariant for invariant, _ in ours.differing("P1", state)] == ["1 size"]
    ours.take_in(e.PositionClosed(2, "P1", "stop", None, None))
    assert list(ours.differing("P1", state)) == []


# At rest


def alerts(*keys: str) -> dict[str, Alert]:
    return {key: Alert(key.split(":")[0], key.split(":")[1], "", 1) for key in keys}


def pictured(
    *orders: Order, balances: dict[str, str] | None = None, net: dict[str, str] | None = None
) -> Picture:
    held = {name: D(amount) for name, amount in (balances or {}).items()}
    return Picture(
        1, orders, (), held, {name: D(amount) for name, amount in (net or {}).items()}, 1
    )


def test_at_rest_orders_are_the_same_on_the_same_terms() -> None:
    ours = stops("0.5")
    here = Order(
        "S0",
        "P1",
        BTC,
        Side.SELL,
        OrderType.STOP,
        Role.STOP,
        D("0.5"),
        trigger=D(50_000),
        status=Status.OPEN,
        venue_order_id="V",
    )
    state = State("test", "USD", orders={"S0": here})

    def found(*theirs: Order, of: State = state, unknown: tuple[str, ...] = ()) -> list[str]:
        return [
            invariant for invariant, _ in rest.orders(ours, of, pictured(*theirs), set(unknown))
        ]

    assert found(here) == []
    assert found(here, replace(here, client_order_id="web", foreign=True)) == []
    assert found(here, replace(here, client_order_id="FOx")) == ["9 orders"]
    assert found(here, replace(here, client_order_id="FOx"), unknown=("FOx",)) == []
    assert found() == ["9 orders"]
    assert found(here, of=State("test", "USD")) == ["9 orders", "9 orders"]
    for terms in (
        {"size": D(1)},
        {"filled": D("0.1")},
        {"trigger": D(1)},
        {"side": Side.BUY},
        {"symbol": "ETH/USD"},
    ):
        assert found(replace(here, **terms)) == ["9 terms"]


def test_at_rest_contracts_are_the_venues_or_somebody_was_told() -> None:
    found = books(FUTURE)
    found.filled(fill("T1", "0.5"), D(0), Role.ENTRY)
    found.take_in(e.LeftElsewhere(1, BTC, D("0.1")))

    def said_of(net: str, *keys: str) -> list[str]:
        return [
            invariant
            for invariant, _ in rest.holdings(
                found, quoted(), alerts(*keys), pictured(net={BTC: net})
            )
        ]

    assert said_of("0.6") == []
    assert said_of("0.5") == ["1 net"]
    assert said_of("0.5", f"DIFFERENCE:{BTC}") == []
    found.filled(fill("T2", "0.7", Side.SELL), D(0), Role.CLOSE)
    assert said_of("-0.1") == ["1 over-closed"]
    assert said_of("-0.1", f"DIFFERENCE:{BTC}") == []


def test_at_rest_coins_are_no_contract_and_a_rest_that_nobody_trades_is_no_over_close() -> None:
    found = books()
    found.filled(fill("T1", "0.5"), D(0), Role.ENTRY)
    assert list(rest.holdings(found, quoted(), {}, pictured())) == []
    found.filled(fill("T2", "0.50001", Side.SELL), D(0), Role.CLOSE)
    assert list(rest.holdings(found, quoted(), {}, pictured())) == []
    found.filled(fill("T3", "0.1", Side.SELL), D(0), Role.CLOSE)
    assert [invariant for invariant, _ in rest.holdings(found, quoted(), {}, pictured())] == [
        "1 over-closed"
    ]
    assert list(rest.holdings(found, quoted(), alerts("DIFFERENCE:BTC"), pictured())) == []


def test_at_rest_money_is_the_venues_within_its_rounding_or_somebody_was_told() -> None:
    found = books(FUTURE)

    def said_of(
        theirs: str, *keys: str, desk: str = "100000", rounding: str = "0", averaged: bool = False
    ) -> list[str]:
        state = State("test", "USD", cash={"USD": D(desk)})
        picture = pictured(balances={"USD": theirs})
        return [
            invariant
            for invariant, _ in rest.money(
                found, state, alerts(*keys), picture, D(rounding), averaged=averaged
            )
        ]

    assert said_of("100000") == []
    assert said_of("100001") == ["5 ledger", "5 ledger"]
    assert said_of("100000", desk="100001") == ["5 ledger"]
    assert said_of("100001", "DIFFERENCE:USD") == []
    assert said_of("100001", f"DIFFERENCE:{BTC}") == []
    assert said_of("100001", "DIFFERENCE:EUR") == ["5 ledger", "5 ledger"]
    found.take_in(e.InstrumentListed(1, replace(FUTURE, symbol="ETH/USD")))
    assert said_of("100001", f"DIFFERENCE:{BTC}") == [], "one of those that are settled in it"
    assert said_of("100100.1", rounding="0.001") == []
    assert said_of("100100.2", rounding="0.001") == ["5 ledger", "5 ledger"]
    assert said_of("100001", averaged=True) == ["5 ledger", "5 ledger"]
    found.lent.add("USD")
    assert said_of("100000.000001") == []
    assert said_of("100000.000002") == ["5 ledger", "5 ledger"]
    assert said_of("100001", averaged=True) == []
    empty = State("test", "USD")
    assert (
        list(rest.money(found, empty, {}, pictured(balances={"USD": "5"}), D(0), averaged=False))
        == []
    )


def test_a_close_of_a_part_takes_from_what_is_to_be_closed() -> None:
    found = books()
    found.filled(fill("T1", "0.5"), D(0), Role.ENTRY)
    found.take_in(e.ClosingBegan(1, "P1", D("0.2"), "operator"))
    found.filled(fill("T2", "0.1", Side.SELL), D(0), Role.CLOSE)
    assert found.of["P1"].closing == D("0.1")
    found.filled(fill("T3", "0.1", Side.SELL), D(0), Role.STOP)
    assert found.of["P1"].closing == D("0.1"), "a stop was not asked to"
