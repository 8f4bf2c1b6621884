"""A candle is a path over its four prices: what it crosses acts at its own price, and the entry's
own candle gives nothing favourable that the path does not prove.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.model.order import OrderType, Trail
from engine.model.side import Side

if TYPE_CHECKING:
    from tests.exchange.conftest import Open, Venue

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
hazard = pytest.mark.hazard("H124")


@pytest.fixture
def flat(at: Open) -> Venue:
    """A futures account without a position, at a price of 10,000."""
    venue = at("kraken-futures", "BTC/USD", USD="1000000")
    venue.candle("10000", "10000", "10000", "10000", "1000")
    return venue.later(60)


def held(venue: Venue, side: Side) -> Venue:
    """The account holds one contract; then the next candle may come."""
    venue.submit(side, "1")
    return venue.later(60)


@hazard
@pytest.mark.parametrize(
    ("side", "trigger", "candle"),
    [
        (BUY, "9950", ("10000", "10010", "9500", "9600")),
        (SELL, "10050", ("10000", "10500", "9990", "10400")),
    ],
)
def test_a_stop_fills_at_its_own_price_and_not_at_the_extreme(
    flat: Venue, side: Side, trigger: str, candle: tuple[str, str, str, str]
) -> None:
    held(flat, side)
    order = flat.stop(side.opposite, "1", trigger, reduce_only=True)
    flat.candle(*candle, "1000")
    flat.later(60)
    assert flat.traded(order) == [(D(1), D(trigger))]


@hazard
@pytest.mark.parametrize(
    ("side", "trigger", "opened", "filled"),
    [(BUY, "9950", "9900", "9899"), (SELL, "10050", "10100", "10101")],
)
def test_where_the_open_is_beyond_a_stop_already_it_fills_at_the_open(
    flat: Venue, side: Side, trigger: str, opened: str, filled: str
) -> None:
    held(flat, side)
    order = flat.stop(side.opposite, "1", trigger, reduce_only=True)
    far = str(int(opened) - 300 * side.sign)
    low, high = sorted((opened, far), key=int)
    flat.candle(opened, high, low, far, "1000")
    flat.later(60)
    assert flat.traded(order) == [(D(1), D(filled))]


@hazard
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_take_profit_fills_at_its_own_price(flat: Venue, side: Side) -> None:
    held(flat, side)
    trigger = str(10000 + 40 * side.sign)
    order = flat.submit(
        side.opposite, "1", OrderType.TAKE_PROFIT, trigger=trigger, reduce_only=True
    )
    flat.candle("10000", "10300", "9700", "10000", "1000")
    flat.later(60)
    assert flat.traded(order) == [(D(1), D(trigger))]


@hazard
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_trailing_stop_follows_to_the_extreme_and_fills_where_it_stands(
    flat: Venue, side: Side
) -> None:
    held(flat, side)
    order = flat.submit(
        side.opposite,
        "1",
        OrderType.TRAILING_STOP,
        trail=Trail(amount=D(100)),
        reduce_only=True,
    )
    best, back = str(10000 + 500 * side.sign), "10000"
    low, high = sorted((best, back), key=int)
    flat.candle("10000", high, low, back, "1000")
    flat.later(60)
    half = (D(best) * D("0.0001")).quantize(D("0.1"))
    assert flat.traded(order) == [(D(1), D(best) - (half + 100) * side.sign)]


@hazard
@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_stop_is_first_where_a_candle_reaches_stop_and_target(flat: Venue, side: Side) -> None:
    held(flat, side)
    sign = side.sign
    stop = flat.stop(side.opposite, "1", str(10000 - 50 * sign), reduce_only=True)
    target = flat.limit(side.opposite, "1", str(10000 + 50 * sign), reduce_only=True)
    flat.candle("10000", "10500", "9500", "10000", "1000")
    flat.later(60)
    assert (flat.status(stop), flat.status(target)) == ("filled", "cancelled")
    assert flat.traded(stop) == [(D(1), D(10000 - 50 * sign))]


@hazard
def test_what_others_watch_is_not_stepped_over(flat: Venue) -> None:
    held(flat, BUY)
    asked = iter([D("10123.4")])
    level = next(asked)
    flat.exchange.candles.watched.append(lambda _, rises: (level if rises else None, None))
    flat.candle("10000", "10500", "10000", "10400", "1000")
    flat.later(60)
    assert level in [quote.bid for quote in flat.quotes]


@hazard
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_limit_that_entered_sees_the_worse_extreme_and_the_close_but_not_the_better_one(
    flat: Venue, side: Side
) -> None:
    sign = side.sign
    entry = flat.limit(side, "1", str(10000 - 50 * sign))
    better, worse, close = 10000 + 300 * sign, 10000 - 90 * sign, 10000 - 10 * sign
    flat.candle("10000", str(max(better, worse)), str(min(better, worse)), str(close), "1000")
    while not flat.fills(entry):
        flat.later(1)
    near = flat.limit(side.opposite, "0.5", str(10000 - 30 * sign), reduce_only=True)
    far = flat.limit(side.opposite, "0.5", str(10000 + 100 * sign), reduce_only=True)
    flat.later(59)
    assert (flat.status(near), flat.status(far)) == ("filled", "open")


@hazard
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_stop_that_entered_is_stopped_first_and_then_sees_the_extreme_that_it_led_to(
    flat: Venue, side: Side
) -> None:
    sign = side.sign
    flat.stop(side, "2", str(10000 + 50 * sign))
    better, worse = 10000 + 300 * sign, 10000 - 300 * sign
    close = 10000 + 100 * sign
    flat.candle("10000", str(max(better, worse)), str(min(better, worse)), str(close), "1000")
    while not flat.fills():
        flat.later(1)
    stop = flat.stop(side.opposite, "1", str(10000 - 200 * sign), reduce_only=True)
    target = flat.limit(side.opposite, "1", str(10000 + 250 * sign), reduce_only=True)
    flat.later(59)
    assert (flat.status(stop), flat.status(target)) == ("filled", "filled")
    assert flat.fills(stop)[0].at < flat.fills(target)[0].at


@hazard
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_market_entry_within_a_candle_gets_nothing_of_the_better_extreme(
    flat: Venue, side: Side
) -> None:
    sign = side.sign
    better, worse = 10000 + 300 * sign, 10000 - 300 * sign
    flat.candle("10000", str(max(better, worse)), str(min(better, worse)), "10000", "1000")
    flat.later(5).submit(side, "1")
    target = flat.limit(side.opposite, "1", str(10000 + 100 * sign), reduce_only=True)
    flat.later(55)
    assert flat.status(target) == "open"
    mids = [quote.mid for quote in flat.quotes]
    assert D(worse) in mids
    assert D(better) not in mids


@hazard
@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_entry_at_the_open_sees_all_of_the_candle(flat: Venue, side: Side) -> None:
    sign = side.sign
    better, worse = 10000 + 300 * sign, 10000 - 30 * sign
    flat.candle("10000", str(max(better, worse)), str(min(better, worse)), "10000", "1000")
    flat.later(0.2).submit(side, "1")
    target = flat.limit(side.opposite, "1", str(10000 + 100 * sign), reduce_only=True)
    flat.later(59)
    assert flat.traded(target) == [(D(1), D(10000 + 100 * sign))]


@hazard
def test_a_position_from_before_keeps_the_better_extreme_when_it_is_added_to(flat: Venue) -> None:
    held(flat, BUY)
    added = flat.limit(BUY, "1", "9950")
    target = flat.limit(SELL, "1", "10200", reduce_only=True)
    flat.candle("10000", "10300", "9940", "10000", "1000")
    flat.later(60)
    assert (flat.status(added), flat.status(target)) == ("filled", "filled")


def test_stops_on_the_way_show_no_more_than_is_left_of_the_leg(flat: Venue) -> None:
    orders = [flat.limit(BUY, "4", price) for price in ("9990", "9980", "9970")]
    flat.candle("10000", "10000", "9960", "9960", "60")  # 6 at each of its prices
    flat.later(60)
    assert [sum(size for size, _ in flat.traded(order)) for order in orders] == [4, 4, 4]
    first, second = flat.fills(orders[0]), flat.fills(orders[1])
    assert [fill.size for fill in first] == [4]
    assert [fill.size for fill in second] == [2, 2]


def test_prices_on_the_way_come_at_their_time_and_are_rested_at(flat: Venue) -> None:
    begin = flat.now
    held(flat, BUY)
    begin = flat.now
    flat.stop(SELL, "0.5", "9949", reduce_only=True)
    flat.candle("10000", "10000", "9900", "9900", "1000")
    flat.later(60)
    seconds = [(quote.at - begin) / 10**9 for quote in flat.quotes if quote.at >= begin]
    assert seconds == [0, 7.5, 15, 30, 45]
