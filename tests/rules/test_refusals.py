"""Every refusal that the desk can give is given by a story, with the value and the bound."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.desk.desk import Pulse, Trouble
from engine.desk.rules import RiskRules, Rules
from engine.model import intent as i
from engine.model.order import OrderType, Trail
from engine.model.refusal import REFUSALS
from engine.model.side import Side
from engine.model.view import Answer

D = Decimal
SECOND = 1_000_000_000
Make = Callable[..., Any]
GIVEN: set[str] = set()
ELSEWHERE = {"READ_ONLY"}
"""Given by the session, not by the desk."""


def refused(answer: Answer, code: str) -> None:
    codes = [refusal.code for refusal in answer.refusals]
    assert code in codes, codes
    assert all(refusal.text for refusal in answer.refusals)
    GIVEN.update(codes)


LIMIT, STOP = OrderType.LIMIT, OrderType.STOP

ENTRIES: list[tuple[str, dict[str, Any]]] = [
    ("UNKNOWN_SYMBOL", {"symbol": "NO/SUCH"}),
    ("NOT_A_NUMBER", {"size": i.Base(D("NaN"))}),
    ("NOT_A_NUMBER", {"size": i.Base(D("-1"))}),
    ("NOT_A_NUMBER", {"stop": i.At(D(0))}),
    ("NOT_A_NUMBER", {"stop": i.Away(D(2))}),
    ("NO_PRICE", {"symbol": "XRP/BTC"}),
    ("SIZE_BELOW_MINIMUM", {"size": i.Base(D("0.00001"))}),
    ("COST_BELOW_MINIMUM", {"symbol": "ETH/USD", "size": i.Base(D("0.002")), "type": LIMIT, "price": D(200), "stop": None}),
    ("PRICE_MISSING", {"type": LIMIT}),
    ("PRICE_MISSING", {"type": STOP}),
    ("PRICE_MISSING", {"size": i.Risk(D(100)), "stop": None}),
    ("STOP_WRONG_SIDE", {"stop": i.At(D(61_000))}),
    ("STOP_WRONG_SIDE", {"size": i.Risk(D(100)), "stop": i.At(D(70_000))}),
    ("TARGET_WRONG_SIDE", {"target": i.At(D(59_000))}),
    ("TRIGGER_WRONG_SIDE", {"type": STOP, "trigger": D(59_000), "stop": None}),
    ("LIMIT_TOO_FAR", {"type": LIMIT, "price": D(30_000), "stop": None}),
    ("CANNOT_SHORT", {"side": Side.SELL, "stop": None, "profile": "binance-spot"}),
    ("LEVERAGE_TOO_HIGH", {"leverage": D(50)}),
    ("MAX_ORDER_NOTIONAL", {"size": i.Base(D(1000))}),
    ("INSUFFICIENT_FUNDS", {"size": i.Base(D(18))}),
    ("MAX_OPEN_RISK", {"size": i.Base(D(15)), "stop": i.Away(D("0.5"))}),
]


@pytest.mark.parametrize(("code", "terms"), ENTRIES)
def test_an_entry_is_refused(code: str, terms: dict[str, Any], story: Make) -> None:
    s = story(terms.pop("profile", "kraken-spot")) if "profile" in terms else story()
    refused(s.buy(**terms), code)
    assert not s.state.positions
    assert not s.state.orders
    s.replays()


BOUNDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("STOP_REQUIRED", {"require_stop": True}, {"stop": None}),
    ("BOOK_SHARE", {"max_book_share": D("0.01")}, {}),
    ("MAX_TRADE_RISK", {"max_trade_risk": D("0.00001")}, {}),
    ("MAX_ORDER_NOTIONAL", {"max_order_notional": D(1000)}, {}),
    ("MAX_POSITION_NOTIONAL", {"max_position": D("0.01")}, {}),
    ("MAX_EXPOSURE", {"max_exposure": D("0.01")}, {}),
    ("MAX_POSITIONS", {"max_positions": 0}, {}),
    ("SLIPPAGE", {"max_slippage": D("0.0000001")}, {}),
]


@pytest.mark.parametrize(("code", "bounds", "terms"), BOUNDS)
@pytest.mark.hazard("H25")
def test_a_bound_is_named(code: str, bounds: dict[str, Any], terms: dict[str, Any], story: Make) -> None:
    refused(story(rules=Rules(risk=RiskRules(**bounds))).buy(**terms), code)


def test_a_stop_inside_the_spread_would_fire_at_once(story: Make) -> None:
    s = story()
    s.price("BTC/USD", "60000", "60010")
    refused(s.buy(stop=i.At(D(60_005))), "STOP_WOULD_FIRE")


def test_a_stale_price_sizes_nothing(story: Make) -> None:
    s = story()
    s.now += 31 * SECOND
    refused(s.buy(), "STALE_PRICE")


def test_blocked_and_halted(story: Make) -> None:
    s = story()
    assert s.ask(i.Pause(id="p")).ok
    refused(s.buy(), "ENTRIES_BLOCKED")
    assert s.ask(i.Resume(id="r")).ok
    assert s.ask(i.Halt(id="h")).ok
    refused(s.buy(), "HALTED")
    assert s.ask(i.Resume(id="r2", reason="HALTED")).ok
    assert s.buy().ok
    refused(s.ask(i.Resume(id="r3")), "NOTHING_TO_DO")
    s.tell(Trouble("BREAKER", "venue", "down", blocks=True))
    refused(s.ask(i.Resume(id="r4", reason="BREAKER")), "NOT_RESUMABLE")
    s.tell(Trouble("BREAKER", "venue", "", blocks=True))
    assert "BREAKER" not in s.state.blocks


def test_an_opposite_position_is_reversed_or_closed_first(story: Make) -> None:
    s = story()
    s.opened()
    refused(s.buy(side=Side.SELL, stop=None), "OPPOSITE_POSITION")


def test_too_many_orders_for_the_venue(story: Make) -> None:
    s = story("kraken-spot", Rules(risk=RiskRules(max_positions=100)))
    for _ in range(59):
        s.buy("0.01", type=LIMIT, price=D(59_000))
    refused(s.buy("0.01", type=LIMIT, price=D(59_000)), "TOO_MANY_OPEN_ORDERS")


def test_a_rate_is_needed(story: Make) -> None:
    s = story()
    del s.board._pairs[("BTC", "USD")]
    s.price("XRP/BTC", "0.5", "0.6")
    refused(s.buy("1000", symbol="XRP/BTC", size=i.Risk(D(10)), type=LIMIT, price=D("0.5")), "NO_RATE")


def test_moving_a_stop(story: Make) -> None:
    s = story()
    refused(s.ask(i.MoveStop(id="a", position="none", stop=None)), "UNKNOWN_POSITION")
    p = s.opened()
    for name, price, code in (
        ("b", "59500.05", "STOP_OFF_TICK"),
        ("c", "60001", "STOP_WOULD_FIRE"),
        ("d", "58000", "STOP_LOOSER"),
        ("e", "NaN", "NOT_A_NUMBER"),
    ):
        refused(s.ask(i.MoveStop(id=name, position=p.id, stop=i.At(D(price)))), code)
    refused(s.ask(i.MoveStop(id="f", position=p.id, stop=None)), "STOP_LOOSER")
    refused(s.ask(i.BreakEven(id="h", position=p.id)), "STOP_WOULD_FIRE")
    for name in ("MoveTarget", "SetTrail", "BreakEven", "Reverse"):
        intent = {
            "MoveTarget": i.MoveTarget(id=f"x{name}", position="no", target=None),
            "SetTrail": i.SetTrail(id=f"x{name}", position="no", trail=None),
            "BreakEven": i.BreakEven(id=f"x{name}", position="no"),
            "Reverse": i.Reverse(id=f"x{name}", position="no"),
        }[name]
        refused(s.ask(intent), "UNKNOWN_POSITION")
    refused(s.ask(i.MoveTarget(id="t1", position=p.id, target=i.At(D(59_000)))), "TARGET_WRONG_SIDE")
    refused(s.ask(i.MoveTarget(id="t2", position=p.id, target=i.At(D("Infinity")))), "NOT_A_NUMBER")


def test_a_stop_beyond_liquidation(story: Make) -> None:
    s = story("kraken-futures", rules=Rules(risk=RiskRules(max_order=D(50), max_position=D(50), max_exposure=D(50))), cash="3000")
    p = s.opened("0.5", leverage=D(20))
    bound = s.ctx.liquidation(p)
    assert bound == D("54545.6")  # (0.5 * 60000 - 2999.95) / (0.5 * 0.99), on the tick
    beyond = i.MoveStop(id="m", position=p.id, stop=i.At(D("54000")), reason="room")
    refused(s.ask(beyond), "STOP_BEYOND_LIQUIDATION")
    assert story().ctx.liquidation(story().opened()) is None, "nothing is borrowed for a spot long"


def test_closing(story: Make) -> None:
    s = story()
    refused(s.ask(i.ClosePosition(id="a", position="none")), "UNKNOWN_POSITION")
    p = s.opened("0.001")
    refused(s.ask(i.ClosePosition(id="b", position=p.id, part=D(2))), "NOT_A_NUMBER")
    refused(s.ask(i.ClosePosition(id="c", position=p.id, part=D("0.001"))), "PART_TOO_SMALL")
    assert s.ask(i.ClosePosition(id="d", position=p.id)).ok
    refused(s.ask(i.ClosePosition(id="e", position=p.id)), "ALREADY_CLOSING")
    refused(s.ask(i.Reverse(id="f", position=p.id)), "ALREADY_CLOSING")
    s.cancelled(s.order("stop"))
    s.fill(s.order("close"), price="60000")
    refused(s.ask(i.ClosePosition(id="g", position=p.id)), "NOTHING_LEFT")
    assert s.ask(i.ClosePosition(id="d", position=p.id)).repeated


def test_reversing(story: Make) -> None:
    s = story("binance-spot")
    p = s.opened()
    refused(s.ask(i.Reverse(id="a", position=p.id)), "CANNOT_SHORT")
    s = story()
    p = s.opened()
    s.ask(i.Pause(id="p"))
    refused(s.ask(i.Reverse(id="b", position=p.id)), "ENTRIES_BLOCKED")


def test_orders(story: Make) -> None:
    s = story()
    refused(s.ask(i.CancelOrder(id="a", order="none")), "UNKNOWN_ORDER")
    refused(s.ask(i.AmendOrder(id="b", order="none", price=D(1))), "UNKNOWN_ORDER")
    refused(s.ask(i.CancelAll(id="c")), "NOTHING_TO_DO")
    refused(s.ask(i.CancelSymbol(id="d", symbol="NO/SUCH")), "UNKNOWN_SYMBOL")
    s.buy(type=LIMIT, price=D(59_000), stop=None)
    entry = s.order("entry")
    refused(s.ask(i.AmendOrder(id="e", order=entry.client_order_id, price=D(58_000))), "PENDING")
    s.accept(entry)
    refused(s.ask(i.AmendOrder(id="f", order=entry.client_order_id, price=D("58000.05"))), "NOT_A_NUMBER")
    assert s.ask(i.CancelOrder(id="g", order=entry.client_order_id)).ok
    refused(s.ask(i.CancelOrder(id="h", order=entry.client_order_id)), "PENDING")


def test_in_doubt(story: Make) -> None:
    from engine.model import report as r

    s = story()
    s.buy(type=LIMIT, price=D(59_000), stop=None)
    name = s.order("entry").client_order_id
    s.tell(r.Unknown(name, "submit", "no answer", s.now))
    refused(s.ask(i.CancelOrder(id="a", order=name)), "IN_DOUBT")
    refused(s.ask(i.AmendOrder(id="b", order=name, price=D(58_000))), "IN_DOUBT")


def test_alerts_and_notes(story: Make) -> None:
    s = story()
    refused(s.ask(i.Acknowledge(id="a", alert="none")), "UNKNOWN_ALERT")
    refused(s.ask(i.Annotate(id="b", position="none", note="x")), "UNKNOWN_POSITION")
    p = s.opened(stop=None)
    assert s.ask(i.Annotate(id="c", position=p.id, note="x", tags=("y",))).ok
    key = next(key for key in s.state.alerts if key.startswith("NAKED"))
    assert s.ask(i.Acknowledge(id="d", alert=key)).ok
    assert s.state.alerts[key].stands, "CRITICAL stands until it is cured"


def test_a_venue_that_cannot_amend(story: Make) -> None:
    s = story("binance-spot")
    s.buy(type=LIMIT, price=D(59_000), stop=None)
    entry = s.order("entry")
    s.accept(entry)
    refused(s.ask(i.AmendOrder(id="a", order=entry.client_order_id, price=D(58_000))), "NOTHING_TO_DO")


def test_trail_without_a_price(story: Make) -> None:
    s = story()
    p = s.opened()
    s.board._symbols["BTC/USD"].quote = None
    trail = Trail(fraction=D("0.01"))
    refused(s.ask(i.SetTrail(id="a", position=p.id, trail=trail)), "NO_PRICE")
    refused(s.ask(i.MoveStop(id="b", position=p.id, stop=i.At(D(59_900)))), "NO_PRICE")
    s.tell(Pulse())


def test_every_code_is_given_by_somebody() -> None:
    """Runs last in this file: what no story above produced has no business in the table."""
    assert set(REFUSALS) - GIVEN - ELSEWHERE == set()
