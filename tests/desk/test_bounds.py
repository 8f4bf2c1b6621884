"""What counts for a bound, what is rounded before it is judged, and what no bound, lockout or
trouble ever stops.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.desk import events as e
from engine.desk.messages import Trouble
from engine.desk.rules import RiskRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import OrderType, Role, Trail
from engine.model.request import Amend, Cancel, Lane, Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, Story, codes

D = Decimal
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP


def _bounded(**bounds: Any) -> Story:
    return Story(rules=Rules(risk=RiskRules(max_drawdown=None, **bounds)))


# H24, H25: what is held and what is on its way counts

Taken = Callable[[Story, str, str], None]


def _held(story: Story, symbol: str, size: str) -> None:
    price = str(story.board.quote(symbol).bid)  # type: ignore[union-attr] # both have a price
    story.opened(size, price, symbol=symbol)


def _on_its_way(story: Story, symbol: str, size: str) -> None:
    assert story.buy(size, symbol=symbol).ok


def _resting(story: Story, symbol: str, size: str) -> None:
    best = story.board.quote(symbol).bid  # type: ignore[union-attr] # both have a price
    assert story.buy(size, symbol=symbol, type=LIMIT, price=best - 10).ok
    story.accept(story.order("entry"))


def _half_filled(story: Story, symbol: str, size: str) -> None:
    _resting(story, symbol, size)
    story.fill(story.order("entry"), str(D(size) / 2), str(story.order("entry").price))


def _in_doubt(story: Story, symbol: str, size: str) -> None:
    _on_its_way(story, symbol, size)
    story.tell(r.Unknown(story.order("entry").client_order_id, "submit", "no answer", story.now))


def _being_closed(story: Story, symbol: str, size: str) -> None:
    _held(story, symbol, size)
    assert story.ask(i.ClosePosition(id="x", position=story.position().id)).ok


TAKEN: dict[str, Taken] = {
    "held": _held,
    "on its way": _on_its_way,
    "resting": _resting,
    "half filled": _half_filled,
    "in doubt": _in_doubt,
    "being closed": _being_closed,
}


@pytest.mark.hazard("H24")
@pytest.mark.hazard("H25")
@pytest.mark.parametrize("taken", TAKEN)
def test_what_a_symbol_holds_and_awaits_counts_for_its_bound(taken: str) -> None:
    story = _bounded(max_position=D("0.06"))  # 60,000 of a million: one bitcoin
    TAKEN[taken](story, BTC, "0.5")
    assert codes([story.buy("0.51")]) == {"MAX_POSITION_NOTIONAL"}
    assert story.buy("0.49").ok
    assert codes([story.buy("0.1")]) == {"MAX_POSITION_NOTIONAL"}, "and so does that one"
    assert story.buy("10", symbol=ETH).ok, "another symbol has its own"


@pytest.mark.hazard("H24")
@pytest.mark.hazard("H25")
@pytest.mark.parametrize("taken", TAKEN)
def test_what_other_symbols_hold_and_await_counts_for_the_exposure(taken: str) -> None:
    story = _bounded(max_exposure=D("0.06"))
    TAKEN[taken](story, ETH, "10")
    assert codes([story.buy("0.51")]) == {"MAX_EXPOSURE"}
    assert story.buy("0.49").ok
    assert codes([story.buy("0.1")]) == {"MAX_EXPOSURE"}, "and so does that one"


@pytest.mark.hazard("H24")
def test_what_has_ended_counts_no_more() -> None:
    story = _bounded(max_position=D("0.06"), max_exposure=D("0.06"))
    _resting(story, BTC, "1")
    assert codes([story.buy("0.1")]) == {"MAX_POSITION_NOTIONAL", "MAX_EXPOSURE"}
    entry = story.order("entry")
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    assert codes([story.buy("0.1")]) == {"MAX_POSITION_NOTIONAL", "MAX_EXPOSURE"}, (
        "asked for is not done"
    )
    story.cancelled(entry)
    assert story.buy("0.9").ok


@pytest.mark.hazard("H24")
def test_shorts_add_to_the_exposure_and_nothing_is_netted() -> None:
    story = _bounded(max_exposure=D("0.06"))
    story.opened("10", "3000", symbol=ETH, side=Side.SELL)
    assert codes([story.buy("0.51")]) == {"MAX_EXPOSURE"}
    assert story.buy("0.49").ok


# H20, H55: a price must be fresh to be calculated with


@pytest.mark.hazard("H20")
@pytest.mark.hazard("H55")
@pytest.mark.parametrize("size", [i.Base(D("0.5")), i.Notional(D(1000)), i.Risk(D(100))])
def test_no_size_is_calculated_from_a_stale_price(size: i.Size) -> None:
    story = _bounded()
    story.now += 30 * SECOND
    assert story.buy(size=size).ok, "just fresh enough"
    story.now += 1
    sent = len(story.requests)
    assert codes([story.buy(size=size)]) == {"STALE_PRICE"}
    assert len(story.requests) == sent
    story.price(BTC, "60000")
    assert story.buy(size=size).ok


# H22: judged as it will be sent, not as it was typed


@pytest.mark.hazard("H22")
@pytest.mark.parametrize(
    ("side", "kind", "entry", "stop"),
    [
        (Side.BUY, LIMIT, D("59900.0"), D("59899.95")),
        (Side.BUY, STOP, D("60100.0"), D("60099.95")),
        (Side.SELL, LIMIT, D("60100.0"), D("60100.05")),
        (Side.SELL, STOP, D("59900.0"), D("59900.05")),
    ],
)
def test_a_stop_that_lands_on_its_entry_by_rounding_is_refused(
    side: Side, kind: OrderType, entry: Decimal, stop: Decimal
) -> None:
    story = _bounded()
    terms = {"price": entry} if kind is LIMIT else {"trigger": entry}
    answer = story.buy(side=side, type=kind, stop=i.At(stop), **terms)
    assert codes([answer]) == {"STOP_WRONG_SIDE"}
    assert answer.refusals[0].value == f"{entry:f}", "told as it would stand"
    assert not story.orders("entry")
    a_tick_away = stop - D("0.1") * side.sign
    assert story.buy(side=side, type=kind, stop=i.At(a_tick_away), **terms).ok


@pytest.mark.hazard("H22")
@pytest.mark.parametrize(("side", "stop"), [(Side.BUY, D("60000.05")), (Side.SELL, D("60000.05"))])
def test_a_stop_that_rounding_brings_up_to_the_market_is_refused(side: Side, stop: Decimal) -> None:
    story = _bounded()
    story.price(
        BTC,
        "60000.1" if side is Side.BUY else "59999.9",
        "60000.2" if side is Side.BUY else "60000.0",
    )
    assert codes([story.buy(side=side, stop=i.At(stop))]) == {"STOP_WOULD_FIRE"}


@pytest.mark.hazard("H22")
@pytest.mark.parametrize("side", list(Side))
def test_a_distance_smaller_than_a_tick_is_no_distance(side: Side) -> None:
    story = _bounded()
    price = D(59_900) if side is Side.BUY else D(60_100)
    answer = story.buy(side=side, type=LIMIT, price=price, stop=i.Away(D("0.000001")))
    assert codes([answer]) == {"STOP_WRONG_SIDE"}


@pytest.mark.hazard("H22")
@pytest.mark.parametrize(
    ("side", "entry", "asked", "stands"),
    [
        (Side.BUY, D(59_900), D("59900.04"), D("59900.1")),
        (Side.SELL, D(60_100), D("60099.96"), D("60099.9")),
    ],
)
def test_rounding_never_brings_a_target_back_to_its_entry(
    side: Side, entry: Decimal, asked: Decimal, stands: Decimal
) -> None:
    story = _bounded()
    assert codes([story.buy(side=side, type=LIMIT, price=entry, target=i.At(entry))]) == {
        "TARGET_WRONG_SIDE"
    }
    assert codes(
        [story.buy(side=side, type=LIMIT, price=entry, target=i.At(entry - (asked - entry)))]
    ) == {"TARGET_WRONG_SIDE"}
    assert story.buy(side=side, type=LIMIT, price=entry, target=i.At(asked)).ok
    story.accept(story.order("entry"))
    story.fill(story.order("entry"), price=str(entry))
    assert story.position().target == stands
    assert (stands - entry) * side.sign > 0


@pytest.mark.hazard("H22")
def test_what_was_judged_is_what_is_sent() -> None:
    story = _bounded()
    story.opened(stop=i.At(D("59400.04")), target=i.At(D("61200.04")))
    assert (story.position().stop, story.position().target) == (D("59400.1"), D("61200.1"))
    assert story.order("stop").trigger == D("59400.1")


# H33: one close wins


@pytest.mark.hazard("H33")
@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures", "binance-spot"])
def test_a_second_close_is_told_that_the_first_one_is_under_way(profile: str) -> None:
    story = Story(profile)
    position = story.opened()
    assert story.ask(i.ClosePosition(id="1", position=position.id)).ok
    sent = len(story.requests)
    for name, part in (("2", D(1)), ("3", D("0.5"))):
        assert codes([story.ask(i.ClosePosition(id=name, position=position.id, part=part))]) == {
            "ALREADY_CLOSING"
        }
    assert len(story.requests) == sent
    story.holds()


# H27, H45: exits, stops and cancels pass everything


def _daily_loss(story: Story) -> None:
    story.price(BTC, "56000")
    story.wait(61)


def _losing_streak(story: Story) -> None:
    lost = story.opened("1", "3000", symbol=ETH, stop=i.Away(D("0.05")))
    story.fill(
        next(order for order in story.state.orders_for(lost.id) if order.is_exit), price="2850"
    )


def _trouble(code: str) -> Callable[[Story], None]:
    return lambda story: void(story.tell(Trouble(code, "venue", "it fails", blocks=True)))


def void(_: object) -> None:
    """Nothing of interest."""


LOCKED: dict[str, Callable[[Story], None]] = {
    "DAILY_LOSS": _daily_loss,
    "DRAWDOWN": _daily_loss,
    "LOSING_STREAK": _losing_streak,
    "BREAKER": _trouble("BREAKER"),
    "JOURNAL_FAILING": _trouble("JOURNAL_FAILING"),
    "TASK_DIED": _trouble("TASK_DIED"),
    "DISCONNECTED": lambda story: void(story.tell(r.Disconnected("the stream broke", story.now))),
    "SLEPT": _trouble("SLEPT"),
    "PAUSED": lambda story: void(story.ask(i.Pause(id="pause"))),
}


def _locked(code: str) -> tuple[Story, str]:
    """A desk with a position and a resting entry that may not enter any more."""
    bounds: dict[str, Any] = {
        "daily_loss": D("0.01") if code == "DAILY_LOSS" else None,
        "max_drawdown": D("0.01") if code == "DRAWDOWN" else None,
        "losing_streak": 1,
    }
    story = Story("kraken-futures", Rules(risk=RiskRules(**bounds)))
    story.wait(1)
    position = story.opened("5", stop=i.Away(D("0.1")))
    assert story.buy("1", symbol=ETH, type=LIMIT, price=D(2900)).ok
    story.accept(story.order("entry"))
    LOCKED[code](story)
    assert code in story.state.blocks
    assert "ENTRIES_BLOCKED" in codes([story.buy("0.1")])
    return story, position.id


@pytest.mark.hazard("H27")
@pytest.mark.hazard("H45")
@pytest.mark.parametrize("code", LOCKED)
def test_a_close_passes_every_lockout(code: str) -> None:
    story, position = _locked(code)
    assert story.ask(i.ClosePosition(id="x", position=position)).ok
    close = story.sent(Submit)[-1]
    assert (close.order.role, close.order.size, close.lane) == (Role.CLOSE, D(5), Lane.PROTECT)


@pytest.mark.hazard("H27")
@pytest.mark.hazard("H45")
@pytest.mark.parametrize("code", LOCKED)
def test_a_stop_is_moved_under_every_lockout(code: str) -> None:
    story, position = _locked(code)
    assert story.ask(i.MoveStop(id="x", position=position, stop=i.At(D(55_000)))).ok
    amend = story.sent(Amend)[-1]
    assert (amend.trigger, amend.lane) == (D(55_000), Lane.PROTECT)


@pytest.mark.hazard("H27")
@pytest.mark.hazard("H45")
@pytest.mark.parametrize("code", LOCKED)
def test_an_entry_is_cancelled_under_every_lockout(code: str) -> None:
    story, _ = _locked(code)
    entry = story.order("entry")
    assert story.ask(i.CancelOrder(id="x", order=entry.client_order_id)).ok
    cancel = story.sent(Cancel)[-1]
    assert (cancel.client_order_id, cancel.lane) == (entry.client_order_id, Lane.CANCEL)


@pytest.mark.hazard("H27")
@pytest.mark.hazard("H45")
@pytest.mark.parametrize("code", LOCKED)
def test_a_stop_is_placed_and_tried_again_under_every_lockout(code: str) -> None:
    story, _ = _locked(code)
    entry = story.order("entry")
    story.fill(entry, price="2900")
    stop = next(
        order for order in story.state.orders_for(entry.position) if order.role is Role.STOP
    )
    story.rejected(stop)
    story.wait(1.1)
    again = next(
        order for order in story.state.orders_for(entry.position) if order.role is Role.STOP
    )
    assert again.client_order_id != stop.client_order_id
    assert story.sent(Submit)[-1].lane is Lane.PROTECT


@pytest.mark.hazard("H27")
@pytest.mark.hazard("H45")
@pytest.mark.parametrize("code", LOCKED)
def test_everything_is_flattened_under_every_lockout(code: str) -> None:
    story, position = _locked(code)
    assert story.ask(i.Flatten(id="x")).ok
    close = next(order for order in story.state.orders_for(position) if order.role is Role.CLOSE)
    assert close.size == D(5)
    assert story.order("entry").cancel_pending


# H41: the stop wins


@pytest.mark.hazard("H41")
@pytest.mark.parametrize(
    ("side", "trigger", "target", "gap", "filled", "stop", "both"),
    [
        (Side.BUY, D(60_100), D(60_300), "60500", "60400", D(60_350), "60320"),
        (Side.SELL, D(59_900), D(59_700), "59500", "59600", D(59_650), "59680"),
    ],
)
def test_where_one_price_crosses_both_the_stop_wins(
    side: Side, trigger: Decimal, target: Decimal, gap: str, filled: str, stop: Decimal, both: str
) -> None:
    """A gap fills a stop entry beyond its target, and the trail begins between that and the price:
    the next one lies between the two.
    """
    story = Story()
    assert story.buy(
        side=side, type=STOP, trigger=trigger, target=i.At(target), trail=Trail(amount=D(50))
    ).ok
    entry = story.order("entry")
    story.accept(entry)
    story.price(BTC, gap)
    story.fill(entry, price=filled)
    assert (story.position().stop, story.position().target) == (stop, target)
    assert not story.position().closing
    story.price(BTC, both)
    assert story.position().closing == D("0.5")
    assert story.position().close_reason == "stop (guard)"
    assert len(story.seen(e.ClosingBegan)) == 1
