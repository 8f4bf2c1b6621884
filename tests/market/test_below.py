"""What a simulated market tells below its best prices: repeatable, on the grid, worse than the best
and no more than was assumed before it told anything.
"""

from decimal import Decimal
from itertools import islice, pairwise

import pytest

from engine.market import SimulatedMarket
from engine.model.money import is_on_grid
from engine.model.quote import Quote
from engine.model.side import Side

D = Decimal
SECOND = 1_000_000_000
SYMBOLS = ["BTC/USD", "ETH/USD", "SOL/USD", "DOGE/USD", "ADA/BTC", "NEW/COIN"]


def quotes(symbol: str, count: int = 200) -> list[Quote]:
    market = SimulatedMarket(7, [symbol])
    return list(islice((tick for tick in market if isinstance(tick, Quote)), count))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_levels_are_on_the_grid_worse_than_the_best_and_in_order(symbol: str) -> None:
    market = SimulatedMarket(7, [symbol])
    tick, lot, below = market.ticks[symbol], market.lots[symbol], market.below(symbol)
    for quote in quotes(symbol):
        for side, best in ((Side.BUY, quote.bid), (Side.SELL, quote.ask)):
            told = list(below.levels(side, quote))
            prices = [best, *(price for price, _ in told)]
            assert all((a - b) * side.sign > 0 for a, b in pairwise(prices))
            assert all(is_on_grid(price, tick) and price > 0 for price in prices)
            assert all(size > 0 and is_on_grid(size, lot) for _, size in told)
            assert all(abs(price / best - 1) < D("0.003") for price, _ in told)


def test_the_same_seed_tells_the_same_and_another_another() -> None:
    quote = quotes("BTC/USD", 1)[0]
    told = [
        list(SimulatedMarket(seed, ["BTC/USD"]).below("BTC/USD").levels(Side.BUY, quote))
        for seed in (7, 7, 8)
    ]
    assert told[0] == told[1] != told[2]
    assert len(told[0]) > 5


def test_the_book_stands_still_while_the_best_moves_and_changes_with_time() -> None:
    below = SimulatedMarket(7, ["BTC/USD"]).below("BTC/USD")
    quote = Quote("BTC/USD", 0, D("62000.0"), D(1), D("62000.1"), D(1))
    moved = Quote("BTC/USD", SECOND // 10, D("61999.0"), D(3), D("61999.1"), D(1))
    there = dict(below.levels(Side.BUY, quote))
    then = dict(below.levels(Side.BUY, moved))
    kept = [price for price in there if price in then and there[price] == then[price]]
    assert len(kept) >= len(then) - 3, "as far as both tell"
    later = Quote("BTC/USD", 60 * SECOND, D("62000.0"), D(1), D("62000.1"), D(1))
    assert dict(below.levels(Side.BUY, later)) != there


@pytest.mark.parametrize("symbol", ["BTC/USD", "ETH/USD", "SOL/USD"])
def test_no_more_is_told_than_was_assumed_before(symbol: str) -> None:
    """Ten levels of one basis point, each with the size at the best: so it was."""
    below, told, before = SimulatedMarket(7, [symbol]).below(symbol), D(0), D(0)
    for quote in quotes(symbol, 2_000)[::20]:
        told += sum((size for _, size in below.levels(Side.BUY, quote)), D(0))
        before += 9 * quote.bid_size
    assert before / 4 < told < before
