"""What the auditor judges at each step: exits against what is held, fills against orders, alerts
that excuse, and bounds.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.state import CLOSED_POSITIONS, ENDED_ORDERS, EXECUTIONS, State
from engine.exchange import Exchange
from engine.model.alert import Alert
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Position, Protection
from engine.model.quote import Quote
from engine.model.request import Lane
from engine.model.side import Side
from engine.rehearsal.auditor import Auditor, exits
from engine.venues.profiles import instrument_for, load_profile

pytestmark = pytest.mark.hazard("H109")

D = Decimal
SECOND = 1_000_000_000
BTC = "BTC/USD"


class Step(Struct):
    """What one message led to."""

    events: tuple[e.AnyEvent, ...]
    failure: str = ""


class Records:
    """An auditor with no venue, handed the events of one account."""

    def __init__(self, profile: str = "kraken-spot") -> None:
        self.now = SECOND
        self.auditor = Auditor()
        self.instrument = instrument_for(load_profile(profile), BTC, D("0.1"))
        self.auditor.quoted(Quote(BTC, self.now, D(60_000), D(1), D(60_001), D(1)))
        self.state = State("test", "USD")
        self.count = 0
        self.book(e.InstrumentListed(self.now, self.instrument))

    def book(self, *events: e.AnyEvent) -> None:
        for event in events:
            self.auditor._book(event)

    def planned(self, name: str = "P1", **terms: Any) -> None:
        position = Position(name, BTC, Side.BUY, created_at=self.now, settle="USD", **terms)
        self.book(e.PositionPlanned(self.now, position, e.Plan(name, None, None, None)))

    def order(
        self,
        name: str,
        size: str,
        role: Role = Role.STOP,
        position: str = "P1",
        *,
        accepted: bool = True,
        **terms: Any,
    ) -> Order:
        side = Side.BUY if role is Role.ENTRY else Side.SELL
        kind, trigger = (
            (OrderType.STOP, D(50_000)) if role is Role.STOP else (OrderType.MARKET, None)
        )
        order = Order(name, position, BTC, side, kind, role, D(size), trigger=trigger, **terms)
        self.book(e.OrderSubmitted(self.now, order, Lane.PROTECT))
        if accepted:
            self.book(e.OrderAccepted(self.now, name, "V"))
        return order

    def fill(
        self, order: str, size: str, side: Side = Side.SELL, position: str = "P1"
    ) -> e.OrderFilled:
        self.count += 1
        fill = Fill(
            f"T{self.count}",
            order,
            BTC,
            side,
            D(60_000),
            D(size),
            D(0),
            "USD",
            Liquidity.TAKER,
            self.now,
            position,
        )
        return e.OrderFilled(self.now, fill, D(0))

    def entered(self, size: str = "0.5", position: str = "P1") -> None:
        self.planned(position)
        name = f"entry {position}"
        self.order(name, size, Role.ENTRY, position)
        self.book(self.fill(name, size, Side.BUY, position))

    def exits(self, position: str = "P1") -> list[str]:
        """What is said of the exits of a position."""
        return [
            invariant
            for invariant, _ in exits.closing(
                self.auditor.books.of[position],
                self.auditor.books,
                self.auditor.orders,
                self.auditor.prices,
                self.auditor.alerts,
            )
        ]

    def heard(self) -> list[str]:
        return [violation.invariant for violation in self.auditor.violations]

    def told(self, code: str, target: str) -> None:
        self.book(e.AlertRaised(self.now, Alert(code, "x", "", self.now, target=target)))


# Exits


@pytest.mark.parametrize(
    ("sizes", "found"),
    [(("0.5",), []), (("0.51",), ["3 exits"]), (("0.3", "0.3"), ["3 exits"]), (("0.2", "0.3"), [])],
)
def test_exits_that_work_close_no_more_than_is_held(
    sizes: tuple[str, ...], found: list[str]
) -> None:
    records = Records()
    records.entered()
    for number, size in enumerate(sizes):
        records.order(f"S{number}", size)
    assert records.exits() == found
    records.told("OVER_CLOSED", "P1")
    assert records.exits() == []


def test_the_venue_keeps_what_is_reduce_only_from_it_where_the_position_is_alone() -> None:
    records = Records("kraken-futures")
    records.entered()
    records.order("S", "0.9", reduce_only=True)
    assert records.exits() == []
    records.entered("0.1", "P2")
    assert records.exits() == ["3 exits"]
    records.book(e.PositionClosed(1, "P2", "", None, None))
    assert records.exits() == []
    records.entered("0.1", "P3")
    records.book(e.CancelAsked(1, "S", Lane.CANCEL, ""))
    assert records.exits() == [], "it is being cancelled: nobody can make it smaller"


@pytest.mark.parametrize("only", [True, False])
def test_closes_that_work_are_no_more_than_what_is_held(only: bool) -> None:
    records = Records("kraken-futures")
    records.entered()
    records.order("C", "0.5", Role.CLOSE, reduce_only=only)
    assert records.exits() == []
    records.order("D", "0.1", Role.CLOSE, reduce_only=only)
    assert records.exits() == ([] if only else ["3 exits", "3 closing"])


def test_one_reduce_only_among_closes_bounds_them_at_the_venue() -> None:
    records = Records("kraken-futures")
    records.entered()
    records.order("C", "0.5", Role.CLOSE, reduce_only=True)
    records.order("D", "0.1", Role.CLOSE)
    assert records.exits() == []


def test_what_rests_is_judged_by_side_and_kind_though_another_is_excused() -> None:
    """Coins of a position that something else closed, and beside them a loan whose exits are too
    many.
    """
    found = replace(load_profile("kraken-spot"), margin_leverage=D(1))
    exchange = Exchange(
        found, (instrument_for(found, BTC, D("0.1")),), {"USD": D(1_000_000)}, "USD"
    )
    auditor = Auditor()
    auditor.watch(exchange, SECOND)

    def placed(name: str, position: str, side: Side, size: str, role: Role, **terms: Any) -> None:
        kind = OrderType.STOP if "trigger" in terms else OrderType.MARKET
        exchange.submit(
            Order(
                client_order_id("test", name, "leg", 1),
                position,
                BTC,
                side,
                kind,
                role,
                D(size),
                **terms,
            ),
            SECOND,
        )

    exchange.on_tick(Quote(BTC, SECOND, D(60_000), D(10), D("60000.1"), D(10)))
    placed("a", "A", Side.BUY, "1", Role.ENTRY)
    placed("b", "B", Side.SELL, "0.5", Role.ENTRY, leverage=D(2))
    placed("c", "A", Side.SELL, "0.9", Role.STOP, trigger=D(50_000))
    for name in ("d", "e"):
        placed(name, "B", Side.BUY, "0.4", Role.STOP, trigger=D(70_000), leverage=D(2))
    assert [order.side for order in exchange.orders.values()] == [Side.SELL, Side.BUY, Side.BUY]
    auditor._book(e.AlertRaised(SECOND, Alert("OVER_CLOSED", "A", "", SECOND, target="A")))
    assert [
        code for code, _ in exits.resting(BTC, auditor.witness, auditor.books, auditor.alerts)
    ] == ["3 symbol"]


def test_what_is_called_over_and_holds_something_is_abandoned() -> None:
    records = Records()
    records.entered()
    records.book(e.PositionClosed(1, "P1", "", None, None))
    assert records.exits() == ["4 abandoned"]
    small = Records()
    small.entered("0.00001")
    small.book(e.PositionClosed(1, "P1", "", None, None))
    assert small.exits() == []


def test_of_what_something_else_closed_only_exits_that_surely_work_are_judged() -> None:
    records = Records()
    records.entered()
    records.order("S", "0.5")
    sold = replace(records.fill("", "0.2").fill, position="P1")
    records.book(e.HoldingAdjusted(records.now, sold))
    assert records.exits() == ["3 exits"]
    records.book(e.CancelAsked(1, "S", Lane.CANCEL, ""))
    assert records.exits() == []
    records.book(e.CancelRefused(1, "S", "no"))
    assert records.exits() == ["3 exits"]
    records.order("more", "0.1", Role.ENTRY)
    records.book(e.OutcomeUnknown(1, "more", "submit", "?", 2))
    assert records.exits() == [], "what is held is not known either"
    pending = Records()
    pending.entered()
    pending.book(e.HoldingAdjusted(1, sold))
    pending.order("S", "0.5", accepted=False)
    assert pending.exits() == []


# Fills


@pytest.mark.parametrize(("size", "found"), [("0.5", []), ("0.51", ["2 filled"])])
def test_an_order_fills_for_no_more_than_was_asked_for(size: str, found: list[str]) -> None:
    records = Records()
    records.planned()
    records.order("E", "0.7", Role.ENTRY)
    records.book(records.fill("E", "0.2", Side.BUY), records.fill("E", size, Side.BUY))
    assert records.heard() == found


def test_what_an_amend_asks_for_may_fill_and_what_somebody_was_told_of_too() -> None:
    records = Records()
    records.planned()
    records.order("E", "0.5", Role.ENTRY)
    records.book(
        e.AmendAsked(1, "E", Lane.ENTRY, D("0.9"), None, None), records.fill("E", "0.9", Side.BUY)
    )
    assert records.heard() == []
    other = Records()
    other.planned()
    other.order("E", "0.5", Role.ENTRY)
    other.told("ILLEGAL_REPORT", "E")
    other.book(other.fill("E", "0.9", Side.BUY))
    assert "2 filled" not in other.heard()


def test_an_order_that_is_recovered_is_known_and_may_be_so_again() -> None:
    records = Records()
    records.entered()
    stop = Order("S", "P1", BTC, Side.SELL, OrderType.STOP, Role.STOP, D("0.5"), trigger=D(1))
    records.book(e.OrderRecovered(1, stop, 0), e.OrderAccepted(1, "S", "V"))
    assert records.auditor.orders.known["S"].is_working
    assert [one.name for one in records.auditor.orders.exits("P1", Side.SELL)] == ["S"]
    records.book(e.OrderSubmitted(1, stop, Lane.PROTECT))
    assert records.heard() == ["7 ids"]


# Alerts


def judged(records: Records) -> list[str]:
    """What is said of protection when something touches the position."""
    records.auditor.check(
        Step((e.StopMoved(records.now, "P1", None, ""),)), records.state, records.now
    )
    found = [invariant for invariant in records.heard() if invariant.startswith("4 ")]
    records.auditor.violations.clear()
    return found


@pytest.mark.parametrize(
    ("code", "target", "excused"),
    [
        ("NAKED", "P1", True),
        ("PARTIAL_STOP", "P1", True),
        ("NAKED", "P2", False),
        ("STOP_LATE", "P1", False),
    ],
)
def test_a_standing_alert_about_the_position_excuses_and_nothing_else_does(
    code: str, target: str, excused: bool
) -> None:
    records = Records()
    records.entered()
    records.told("SOMETHING", "P1")
    records.told(code, target)
    records.told("SOMETHING", "P2")
    assert judged(records) == ([] if excused else ["4 protection"])
    records.book(e.AlertCured(records.now, f"{code}:{target}"))
    assert judged(records) == ["4 protection"]


def test_an_alert_that_was_read_excuses_only_where_it_stands_until_it_is_cured() -> None:
    records = Records()
    records.entered()
    records.told("NAKED", "P1")
    records.book(e.AlertAcknowledged(records.now, "NAKED:P1"))
    assert judged(records) == []
    records.told("FOREIGN_ORDER", "X")
    records.book(
        e.AlertAcknowledged(records.now, "FOREIGN_ORDER:X"),
        e.AlertAcknowledged(records.now, "NOTHING:X"),
    )
    assert list(records.auditor.alerts) == ["NAKED:P1"]


def test_a_desk_that_says_better_than_it_is_lies_though_somebody_is_told() -> None:
    records = Records()
    records.entered()
    records.told("NAKED", "P1")
    claim = Position(
        "P1", BTC, Side.BUY, 1, "USD", entry_size=D("0.5"), protection=Protection.PARTIAL
    )
    records.state.positions["P1"] = claim
    assert judged(records) == ["4 claimed"]
    records.state.positions["P1"] = replace(claim, protection=Protection.NAKED)
    assert judged(records) == []


def test_what_nothing_touches_is_looked_at_once_a_second() -> None:
    records = Records()
    records.state.positions["PX"] = Position("PX", BTC, Side.BUY, 1, "USD")
    found = []
    for moment in (10 * SECOND, 11 * SECOND - 1, 11 * SECOND, 11 * SECOND + 1):
        records.auditor.check(Step(()), records.state, moment)
        found.append(len(records.heard()))
        records.auditor.violations.clear()
    assert found == [1, 0, 1, 0]
    assert records.auditor.checked == 4


def test_what_is_naked_without_a_touch_is_told_after_a_moment() -> None:
    records = Records()
    records.entered()
    records.told("NAKED", "P1")
    records.state.positions["P1"] = Position("P1", BTC, Side.BUY, 1, "USD", entry_size=D("0.5"))
    records.book(e.AlertCured(records.now, "NAKED:P1"))
    found = []
    for moment in (0, 2_499_999_999, 2_500_000_000):
        records.auditor._looked_at = 0
        records.auditor.check(Step(()), records.state, 10 * SECOND + moment)
        found.append(len(records.heard()))
    assert found == [0, 0, 1]


# As a whole


@pytest.mark.parametrize(("over", "found"), [(0, []), (1, ["10 bounds"] * 3)])
def test_collections_are_within_their_bounds(over: int, found: list[str]) -> None:
    records = Records()
    order = records.order("S", "1")
    position = Position("P", BTC, Side.BUY, 1, "USD")
    records.state.ended |= {f"O{number}": order for number in range(ENDED_ORDERS + over)}
    records.state.closed |= {
        f"P{number}": replace(position, closed_at=number + 1)
        for number in range(CLOSED_POSITIONS + over + 1)
    }
    records.state.executions |= dict.fromkeys(f"T{number}" for number in range(EXECUTIONS + over))
    records.auditor.bounds(records.state, 7)
    assert records.heard() == found
    assert {violation.at for violation in records.auditor.violations} <= {7}
    assert records.auditor.checked == 1


def test_no_task_outlives_the_engine_and_the_journal_tells_the_running_state() -> None:
    records = Records()
    records.auditor.tasks(0, 7)
    records.auditor.replay(records.state, State("test", "USD"), 8, "the journal")
    assert records.heard() == []
    records.auditor.tasks(1, 9)
    records.auditor.replay(records.state, State("test", "EUR"), 10, "the journal")
    records.auditor.unsaid(11)
    assert [(one.invariant, one.at) for one in records.auditor.violations] == [
        ("10 tasks", 9),
        ("8 replay", 10),
        ("9 orders", 11),
    ]
    assert records.auditor.checked == 4


def test_what_a_journal_brings_is_not_judged_and_what_comes_after_is() -> None:
    records = Records()
    fill = records.fill("nobody", "1")
    records.auditor.begin((e.InstrumentListed(1, records.instrument), fill))
    assert records.heard() == []
    assert records.auditor.books.strange == []
    records.book(fill)
    assert records.heard() == ["2 filled"]


@pytest.mark.parametrize(("size", "over"), [("0.5", False), ("0.4", True), ("0.3", True)])
def test_an_order_that_is_made_as_small_as_what_it_filled_is_filled(size: str, over: bool) -> None:
    records = Records()
    records.planned()
    records.order("E", "0.9", Role.ENTRY)
    records.book(records.fill("E", "0.4", Side.BUY), e.OrderAmended(1, "E", D(size), None, None))
    known = records.auditor.orders.known["E"]
    assert (known.is_open, known.size) == (not over, max(D(size), D("0.4")))
    assert ("P1" in records.auditor.orders.of) is not over
    assert records.heard() == []


def test_a_price_guards_for_a_minute_where_nothing_else_is_said() -> None:
    records = Records()
    prices = records.auditor.prices
    assert (prices.is_fresh(BTC, 61 * SECOND), prices.is_fresh(BTC, 61 * SECOND + 1)) == (
        True,
        False,
    )


def test_what_is_bare_again_is_bare_from_then_on() -> None:
    records = Records()
    records.entered()
    records.state.positions["P1"] = Position("P1", BTC, Side.BUY, 1, "USD")

    def looked(second: int) -> int:
        records.auditor.quoted(Quote(BTC, second * SECOND, D(60_000), D(1), D(60_001), D(1)))
        records.auditor.check(Step(()), records.state, second * SECOND)
        return len([invariant for invariant in records.heard() if invariant.startswith("4 ")])

    assert looked(10) == 0
    records.order("S", "0.5", Role.CLOSE)
    records.book(records.fill("S", "0.5"))
    assert looked(11) == 0
    records.order("E", "0.5", Role.ENTRY)
    records.book(records.fill("E", "0.5", Side.BUY))
    assert looked(12) == 0
    assert looked(14) == 0
    assert looked(15) == 1


def test_an_order_that_has_ended_is_kept_by_the_desk_as_long_as_there_is_room() -> None:
    records = Records()
    records.planned()
    order = records.order("S", "0.5")
    records.book(e.OrderCancelled(1, "S", ""))
    state = State("test", "USD")
    found = records.auditor.orders
    assert [invariant for invariant, _ in found.differing("S", state)] == ["2 one place"]
    state.ended |= {f"O{number}": order for number in range(ENDED_ORDERS)}
    assert list(found.differing("S", state)) == []
    assert list(found.differing("never", state)) == []


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ({}, []),
        ({"filled": D("0.1")}, ["2 terms"]),
        ({"size": D(1)}, ["2 terms"]),
        ({"trigger": D(1)}, ["2 terms"]),
        ({"status": Status.PENDING}, ["2 terms"]),
        ({"filled": D(9)}, ["2 terms", "2 filled"]),
    ],
    ids=str,
)
def test_the_desk_says_of_an_order_what_its_events_say(
    terms: dict[str, Any], found: list[str]
) -> None:
    records = Records()
    records.planned()
    order = replace(records.order("S", "0.5"), status=Status.OPEN)
    state = State("test", "USD", orders={"S": replace(order, **terms)})
    assert [invariant for invariant, _ in records.auditor.orders.differing("S", state)] == found
    ended = State("test", "USD", ended={"S": order})
    assert [invariant for invariant, _ in records.auditor.orders.differing("S", ended)] == [
        "2 one place"
    ]
    both = State("test", "USD", orders={"S": order}, ended={"S": order})
    assert [invariant for invariant, _ in records.auditor.orders.differing("S", both)] == [
        "2 one place"
    ]
