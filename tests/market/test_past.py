"""What a chart shows of the time before a session began."""

from decimal import Decimal
from itertools import pairwise

from engine.market import SimulatedMarket
from engine.market.past import HOUR, MINUTE, recalled
from engine.model.money import is_on_grid
from engine.model.quote import Candle, Quote, Trade

D = Decimal
SECOND = 1_000_000_000
START = 1_700_000_123 * SECOND


def test_a_simulation_has_a_past_that_ends_where_it_begins() -> None:
    market = SimulatedMarket(7, ["BTC/USD"], START)
    past = market.past("BTC/USD")
    minutes, hours = past[MINUTE], past[HOUR]
    assert len(minutes) >= 1_440
    assert len(hours) == 720
    assert minutes[-1][0] + MINUTE == START // MINUTE * MINUTE
    assert hours[-1][0] + HOUR == minutes[0][0]
    assert minutes[-1][4] == 62_000, "the price that the simulation begins with"
    for bars, length in ((minutes, MINUTE), (hours, HOUR)):
        for at, opened, high, low, close, volume in bars:
            assert low <= min(opened, close) <= max(opened, close) <= high
            assert all(is_on_grid(price, D("0.1")) for price in (opened, high, low, close))
            assert volume > 0
            assert at % length == 0
        assert all(b[0] - a[0] == length and a[4] == b[1] for a, b in pairwise(bars))


def test_the_past_is_the_same_for_the_same_seed() -> None:
    again = [SimulatedMarket(seed, ["BTC/USD"], START).past("BTC/USD") for seed in (7, 7, 8)]
    assert again[0] == again[1] != again[2]


def test_a_simulation_that_goes_on_makes_no_past_up() -> None:
    market = SimulatedMarket(7, ["BTC/USD"], START)
    next(market)
    resumed = SimulatedMarket(7, ["BTC/USD", "ETH/USD"], START)
    resumed.resume(market.state())
    assert resumed.past("BTC/USD") == {}
    assert resumed.past("ETH/USD") != {}


def test_a_recording_tells_what_came_before_the_place_where_it_begins() -> None:
    ticks = (
        Quote("A/B", 0, D(9), D(1), D(10), D(1)),
        Trade("C/D", SECOND, D(5), D(2), None),
        Candle("E/F", 0, D(1), D(4), D(1), D(2), D(7), MINUTE),
        Quote("A/B", 3 * SECOND, D(11), D(1), D(12), D(1)),
        Quote("A/B", 60 * SECOND, D(99), D(1), D(99), D(1)),
    )
    past = recalled(ticks, 60 * SECOND)
    assert past["A/B"][MINUTE] == [(0, D(9), D(11), D(9), D(11), D(0))]
    assert past["C/D"][SECOND] == [(SECOND, D(5), D(5), D(5), D(5), D(2))]
    assert past["E/F"][MINUTE] == [(0, D(1), D(4), D(1), D(2), D(7))]
    assert past["E/F"][SECOND] == []
