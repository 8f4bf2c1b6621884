"""Price moves on demand, over any source."""

from decimal import Decimal

import pytest

from engine.market import ScriptedMoves, SimulatedMarket
from engine.model.money import is_on_grid
from engine.model.quote import Candle, Depth, Level, Quote, Tick, Trade
from engine.model.side import Side

D = Decimal

STEPS = {"A/B": D("0.5"), "C/D": D("0.01")}


def quote(at: int, bid: str = "100", ask: str = "100.5", symbol: str = "A/B") -> Quote:
    return Quote(symbol, at, D(bid), D(1), D(ask), D(1))


def bids(market: ScriptedMoves) -> list[D]:
    return [tick.bid for tick in market if isinstance(tick, Quote)]


def test_a_move_is_even_in_the_logarithm_and_stays() -> None:
    market = ScriptedMoves([quote(at) for at in (0, 10, 15, 20, 99)], STEPS)
    market.move("A/B", D("-0.19"), over=10, at=10)
    assert bids(market) == [D(100), D(100), D(90), D(81), D(81)]


def test_a_move_over_no_time_is_a_jump() -> None:
    market = ScriptedMoves([quote(9), quote(10), quote(11)], STEPS)
    market.move("A/B", D("0.1"), over=0, at=10)
    assert bids(market) == [D(100), D(110), D(110)]


def test_moves_add_up() -> None:
    market = ScriptedMoves([quote(0), quote(20), quote(40)], STEPS)
    market.move("A/B", D("0.1"), over=0, at=10)
    market.move("A/B", D("-0.5"), over=0, at=30)
    assert bids(market) == [D(100), D(110), D(55)]


def test_other_symbols_are_untouched() -> None:
    ticks: list[Tick] = [quote(5, "1.001", "1.002", symbol="C/D")]
    market = ScriptedMoves(ticks, STEPS)
    market.move("A/B", D("-0.5"), over=0, at=0)
    assert list(market) == ticks


def test_every_kind_of_tick_is_moved_onto_the_grid() -> None:
    ticks: list[Tick] = [
        Trade("A/B", 1, D(101), D(1), Side.BUY),
        Candle("A/B", 1, D(100), D(104), D(98), D(102), D(5), 60),
        Depth("A/B", 1, (Level(Side.BUY, D(100), D(1)),), snapshot=True),
    ]
    market = ScriptedMoves(ticks, STEPS)
    market.move("A/B", D("-0.5"), over=0, at=0)
    assert list(market) == [
        Trade("A/B", 1, D("50.5"), D(1), Side.BUY),
        Candle("A/B", 1, D(50), D(52), D(49), D(51), D(5), 60),
        Depth("A/B", 1, (Level(Side.BUY, D(50), D(1)),), snapshot=True),
    ]


def test_the_spread_never_closes_and_the_price_never_vanishes() -> None:
    market = ScriptedMoves([quote(1)], STEPS)
    market.move("A/B", D("-0.99999"), over=0, at=0)
    (tick,) = market
    assert isinstance(tick, Quote)
    assert (tick.bid, tick.ask) == (D("0.5"), D(1))


@pytest.mark.parametrize(
    ("symbol", "fraction", "over"),
    [("X/Y", "0.1", 0), ("A/B", "-1", 0), ("A/B", "NaN", 0), ("A/B", "0.1", -1)],
)
def test_a_move_that_makes_no_sense_is_refused(symbol: str, fraction: str, over: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        ScriptedMoves([], STEPS).move(symbol, D(fraction), over, 0)


def test_a_crash_of_the_simulation_survives_a_restart() -> None:
    simulated = SimulatedMarket(7, ["BTC/USD"])
    market = ScriptedMoves(simulated, simulated.ticks)
    market.move("BTC/USD", D("-0.12"), over=20_000_000_000, at=5_000_000_000)
    stream = iter(market)
    before = next(stream)
    while before.at < 15_000_000_000:
        before = next(stream)

    resumed = SimulatedMarket(7, ["BTC/USD"])
    resumed.resume(simulated.state())
    again = ScriptedMoves(resumed, resumed.ticks)
    again.resume(market.state())
    for _, went_on, expected in zip(range(500), again, stream, strict=False):
        assert went_on == expected
        if isinstance(went_on, Quote):
            assert went_on.bid < went_on.ask
            assert is_on_grid(went_on.bid, D("0.1"))
    assert isinstance(went_on, Quote | Trade)
    assert went_on.at > 25_000_000_000
    price = went_on.bid if isinstance(went_on, Quote) else went_on.price
    assert abs(price / D(54_560) - 1) < D("0.02")
