"""The simulated market: repeatable, resumable, and on its grid."""

from decimal import Decimal
from itertools import islice, pairwise

import msgspec
import pytest

from engine.market import MarketError, SimulatedMarket, SimulationSettings
from engine.model.money import is_on_grid
from engine.model.quote import Quote, Trade
from engine.model.side import Side

D = Decimal

SYMBOLS = ["BTC/USD", "ETH/USD", "DOGE/USD", "ADA/BTC", "PI_XBTUSD", "NEW/COIN"]
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def ticks(market: SimulatedMarket, count: int) -> list[Quote | Trade]:
    return list(islice(market, count))


def test_the_same_seed_gives_the_same_ticks() -> None:
    first, again, other = (
        ticks(SimulatedMarket(seed, SYMBOLS, START), 5_000) for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


def test_a_symbol_goes_its_way_whatever_the_others_are() -> None:
    alone = ticks(SimulatedMarket(7, ["ETH/USD"], START), 500)
    among = [
        tick
        for tick in islice(SimulatedMarket(7, SYMBOLS, START), 10_000)
        if tick.symbol == "ETH/USD"
    ]
    assert among[:500] == alone


@pytest.mark.parametrize("count", [0, 1, 997, 5_000])
def test_a_resumed_market_goes_on_exactly(count: int) -> None:
    market = SimulatedMarket(7, SYMBOLS, START)
    ticks(market, count)
    kept = market.state()
    resumed = SimulatedMarket(1, SYMBOLS)
    resumed.resume(kept)
    assert ticks(resumed, 3_000) == ticks(market, 3_000)


def test_a_market_resumed_later_goes_on_from_its_last_prices() -> None:
    market = SimulatedMarket(7, ["BTC/USD"], START)
    ticks(market, 1_000)
    later = START + 86_400 * SECOND
    resumed = SimulatedMarket(7, ["BTC/USD"])
    resumed.resume(market.state(), at=later)
    went_on, expected = ticks(resumed, 500), ticks(market, 500)
    assert went_on[0].at == later
    shift = later - expected[0].at
    assert went_on == [msgspec.structs.replace(tick, at=tick.at + shift) for tick in expected]


def test_a_state_that_was_damaged_is_refused() -> None:
    with pytest.raises(ValueError, match="truncated"):
        SimulatedMarket(7, ["BTC/USD"]).resume({"BTC/USD": "{"})


def test_time_never_goes_back_and_ends_at_until() -> None:
    until = START + 600 * SECOND
    times = [tick.at for tick in SimulatedMarket(7, SYMBOLS, START, until=until)]
    assert times == sorted(times)
    assert times[0] > START
    assert until - 30 * SECOND < times[-1] <= until


def test_every_tick_is_on_the_grid_and_every_trade_at_the_touch() -> None:
    market = SimulatedMarket(
        3, SYMBOLS, START, SimulationSettings(volatility=0.5, jumps_per_day=5_000)
    )
    quotes: dict[str, Quote] = {}
    for tick in ticks(market, 30_000):
        step, lot = market.ticks[tick.symbol], market.lots[tick.symbol]
        if isinstance(tick, Quote):
            assert 0 < tick.bid < tick.ask
            assert min(tick.bid_size, tick.ask_size) > 0
            assert is_on_grid(tick.bid, step)
            assert is_on_grid(tick.ask, step)
            assert is_on_grid(tick.bid_size, lot)
            quotes[tick.symbol] = tick
        elif tick.symbol in quotes:
            touch = quotes[tick.symbol]
            assert tick.price == (touch.ask if tick.taker is Side.BUY else touch.bid)
            assert 0 < tick.size <= (touch.ask_size if tick.taker is Side.BUY else touch.bid_size)


def test_rates_volatility_and_start_prices_are_as_asked() -> None:
    settings = SimulationSettings(
        volatility=0.02, jumps_per_day=0, rates={"BTC/USD": 20.0}, prices={"X/Y": D("1.2345")}
    )
    seen = list(
        SimulatedMarket(5, ["BTC/USD", "X/Y"], START, settings, until=START + 3_600 * SECOND)
    )
    quotes = [tick for tick in seen if isinstance(tick, Quote)]
    fast = [quote for quote in quotes if quote.symbol == "BTC/USD"]
    slow = [quote for quote in quotes if quote.symbol == "X/Y"]
    assert 10 < len(fast) / 3_600 < 40
    assert 2.5 < len(slow) / 3_600 < 10
    assert abs(slow[0].mid / D("1.2345") - 1) < D("0.01")
    moves = [float(later.mid / earlier.mid) - 1 for earlier, later in pairwise(fast)]
    assert 0.2 < sum(move**2 for move in moves) / (0.02**2 / 24) < 5


def test_a_start_price_below_its_step_is_refused() -> None:
    with pytest.raises(MarketError, match="below two ticks"):
        SimulatedMarket(
            1, ["X/Y"], settings=SimulationSettings(prices={"X/Y": D("0.5")}, ticks={"X/Y": D(1)})
        )


@pytest.mark.parametrize(
    "settings", [{"volatility": -1}, {"quotes_per_second": 0}, {"prices": {"X": "NaN"}}, {"odd": 1}]
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, SimulationSettings)
