"""The auditor's records: a desk whose state is tampered with after an honest day is found out,
field by field.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec import Struct
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.state import ENDED_ORDERS, State
from engine.exchange import Exchange
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Protection
from engine.model.quote import Quote
from engine.model.side import Side
from engine.rehearsal.auditor import Auditor
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, SECOND, Story

pytestmark = pytest.mark.hazard("H109")

D = Decimal


class Step(Struct):
    """What one message led to."""

    events: tuple[e.AnyEvent, ...]
    failure: str = ""


class Day:
    """A desk with one protected position, and an auditor that has followed it from the
    first event.
    """

    def __init__(self, profile: str = "kraken-spot") -> None:
        self.story = Story(profile)
        self.position = self.story.opened("0.5").id
        self.stop = self.story.order("stop").client_order_id
        self.auditor = Auditor()
        for quote in self.story.board.quotes():
            self.auditor.quoted(quote)
        self.auditor.begin(self.story.events)

    @property
    def state(self) -> State:
        return self.story.state

    def touched(self) -> set[str]:
        """What the auditor says once events have touched order, position and money, and changed
        nothing.
        """
        now = self.story.now = self.story.now + SECOND
        nothing = (
            e.QuestionAsked(now, self.stop, now),
            e.StopCrossed(now, self.position, None),
            e.Financed(now, "USD", D(0)),
        )
        self.auditor.check(Step(nothing), self.state, now)
        return {violation.invariant for violation in self.auditor.violations}


def _order(**changes: object) -> Callable[[Day], None]:
    def tamper(day: Day) -> None:
        day.state.orders[day.stop] = replace(day.state.orders[day.stop], **changes)

    return tamper


def _position(**changes: object) -> Callable[[Day], None]:
    def tamper(day: Day) -> None:
        day.state.positions[day.position] = replace(day.state.positions[day.position], **changes)

    return tamper


def _twice(day: Day) -> None:
    day.state.ended[day.stop] = day.state.orders[day.stop]


def _ended(day: Day) -> None:
    day.state.ended[day.stop] = day.state.orders.pop(day.stop)


def _forgotten(day: Day) -> None:
    del day.state.orders[day.stop]


def _paid(day: Day) -> None:
    day.state.cash["USD"] += D("0.01")


def _fees(day: Day) -> None:
    day.state.totals = replace(day.state.totals, fees={"USD": D(1)})


def _financing(day: Day) -> None:
    day.state.totals = replace(day.state.totals, financing={"USD": D(1)})


def _realised(day: Day) -> None:
    day.state.totals = replace(day.state.totals, realised={"USD": D(1)})


def _invented(day: Day) -> None:
    day.state.positions["P2"] = replace(day.state.positions[day.position], id="P2")


def _dropped(day: Day) -> None:
    del day.state.positions[day.position]


TAMPERED: dict[str, tuple[Callable[[Day], None], str]] = {
    "another trigger": (_order(trigger=D(1)), "2 terms"),
    "another size": (_order(size=D(1)), "2 terms"),
    "another status": (_order(status=Status.PENDING), "2 terms"),
    "filled a little": (_order(filled=D("0.1")), "2 terms"),
    "in two places": (_twice, "2 one place"),
    "ended": (_ended, "2 one place"),
    "forgotten": (_forgotten, "2 one place"),
    "a larger position": (_position(entry_size=D(1)), "1 size"),
    "a cheaper position": (_position(entry_value=D(1)), "5 values"),
    "a fee less": (_position(fee_value=D(-1)), "5 values"),
    "another fee": (_position(fees={"USD": D(1)}), "5 fees"),
    "better protected": (_position(protection=Protection.VENUE), ""),
    "a position that nobody opened": (_invented, "1 size"),
    "a position that is gone": (_dropped, "1 size"),
    "more money": (_paid, "5 cash"),
    "more fees": (_fees, "5 fees"),
    "more profit": (_realised, "5 realised"),
    "more financing": (_financing, "5 financing"),
}


@pytest.mark.parametrize("what", TAMPERED)
@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_what_is_tampered_with_is_found(what: str, profile: str) -> None:
    day = Day(profile)
    assert day.touched() == set()
    tamper, invariant = TAMPERED[what]
    tamper(day)
    assert day.touched() == ({invariant} if invariant else set())


def test_a_claim_that_is_better_than_the_orders_is_found() -> None:
    day = Day()
    day.auditor.orders.known[day.stop].status = Status.PENDING
    assert "4 claimed" in day.touched()


def test_an_execution_counts_once() -> None:
    day = Day()
    filled = next(event for event in day.story.events if isinstance(event, e.OrderFilled))
    day.auditor.check(Step((filled,)), day.state, day.story.now)
    assert {"1 executions", "2 filled"} <= {
        violation.invariant for violation in day.auditor.violations
    }


def test_an_execution_belongs_to_a_position() -> None:
    day = Day()
    filled = next(event for event in day.story.events if isinstance(event, e.OrderFilled))
    lost = replace(filled, fill=replace(filled.fill, execution_id="T-x", position="P-none"))
    day.auditor.check(Step((lost,)), day.state, day.story.now)
    assert "1 executions" in {violation.invariant for violation in day.auditor.violations}


def test_an_order_is_submitted_once() -> None:
    day = Day()
    sent = next(event for event in day.story.events if isinstance(event, e.OrderSubmitted))
    day.auditor.check(Step((sent,)), day.state, day.story.now)
    assert "7 ids" in {violation.invariant for violation in day.auditor.violations}


def test_what_has_ended_ends_for_good() -> None:
    day = Day()
    now = day.story.now
    day.auditor.check(
        Step((e.OrderCancelled(now, day.stop, ""), e.OrderExpired(now, day.stop))), day.state, now
    )
    assert "2 transitions" in {violation.invariant for violation in day.auditor.violations}


def test_a_fill_of_what_is_not_ours_is_found() -> None:
    day = Day()
    filled = next(event for event in day.story.events if isinstance(event, e.OrderFilled))
    strange = replace(
        filled, fill=replace(filled.fill, execution_id="T-x", client_order_id="nobody")
    )
    day.auditor.check(Step((strange,)), day.state, day.story.now)
    assert "2 filled" in {violation.invariant for violation in day.auditor.violations}


def test_the_whole_is_judged_too() -> None:
    day = Day()
    now = day.story.now
    day.auditor.replay(day.state, State("test", "USD"), now, "nothing")
    day.state.ended.update({str(n): day.state.orders[day.stop] for n in range(ENDED_ORDERS + 1)})
    day.auditor.bounds(day.state, now)
    day.auditor.tasks(1, now)
    day.auditor.unsaid(now)
    assert [violation.invariant for violation in day.auditor.violations] == [
        "8 replay",
        "10 bounds",
        "10 tasks",
        "9 orders",
    ]


def test_an_honest_whole_is_let_pass() -> None:
    day = Day()
    now = day.story.now
    day.auditor.replay(day.state, day.state, now, "itself")
    day.auditor.bounds(day.state, now)
    day.auditor.tasks(0, now)
    assert day.auditor.violations == []
    assert day.auditor.checked == 3


def test_what_the_venue_liquidated_is_held_no_more() -> None:
    profile = load_profile("kraken-futures")
    exchange = Exchange(
        profile, (instrument_for(profile, BTC, D("0.1")),), {"USD": D(10_000)}, "USD"
    )
    auditor = Auditor()
    auditor.watch(exchange, 0)
    exchange.on_quote.append(auditor.quoted)
    exchange.on_tick(Quote(BTC, SECOND, D(60_000), D(100), D("60000.1"), D(100)))
    exchange.submit(Order("o", "P1", BTC, Side.BUY, OrderType.MARKET, Role.ENTRY, D(1)), SECOND)
    auditor.claimed_flat("somebody", SECOND)
    assert [violation.invariant for violation in auditor.violations] == ["12 flat"]
    exchange.on_tick(Quote(BTC, 5 * SECOND, D(50_500), D(100), D("50500.1"), D(100)))
    exchange.advance(7 * SECOND)
    assert not exchange.picture(7 * SECOND, 0).net.get(BTC)
    auditor.claimed_flat("somebody", 7 * SECOND)
    assert len(auditor.violations) == 1
