"""How fast the venue is when nothing is crossed: `python tests/bench/matching.py [--quotes
200000]`.

Quotes per second through `Exchange.on_tick` alone, and through `PaperVenue.feed` with an engine
listening, against the number of stops and of trailing stops that rest far away. The price climbs in
waves, so that trailing stops are lifted all the time.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.clock import Clock
from engine.exchange import Delay, Exchange, Faults
from engine.model.order import Order, OrderType, Role, Trail
from engine.model.quote import Quote, Tick
from engine.model.side import Side
from engine.venues.paper import PaperVenue
from engine.venues.profiles import instrument_for, load_profile

RESTING = (1, 100, 1_000, 10_000)
ROUNDS = 5
START = Decimal(60_000)
TICK = Decimal("0.1")


def quotes(count: int) -> list[Quote]:
    """Waves of 50 ticks on a slow climb."""
    made = []
    for n in range(count):
        bid = START + TICK * (n // 200 + abs(n % 100 - 50))
        made.append(Quote("BTC/USD", n * 4_000_000, bid, Decimal(1), bid + TICK, Decimal(1)))
    return made


def exchange(resting: int, *, trailing: bool) -> Exchange:
    """An account with so many exits far below the market."""
    profile = replace(load_profile("kraken-futures"), max_open_orders=max(RESTING))
    venue = Exchange(
        profile, [instrument_for(profile, "BTC/USD", TICK)], {"USD": Decimal(10) ** 12}, "USD"
    )
    venue.on_tick(quotes(1)[0])
    for n in range(resting):
        order = Order(
            f"C{n}",
            "",
            "BTC/USD",
            Side.SELL,
            OrderType.STOP,
            Role.STOP,
            Decimal("0.001"),
            trigger=Decimal(40_000 - n),
        )
        if trailing:
            fraction = Decimal("0.4") + Decimal(n) / 100_000
            trail = Trail(amount=Decimal(20_000 + n)) if n % 2 else Trail(fraction=fraction)
            order = replace(order, type=OrderType.TRAILING_STOP, trigger=None, trail=trail)
        venue.submit(order, 0)
    venue.forget_changes()
    assert len(venue.orders) == resting
    return venue


def rate(feed: Callable[[Tick], None], market: list[Quote]) -> float:
    """Quotes per second, the middle one of some rounds."""
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for quote in market:
            feed(quote)
        rates.append(len(market) / (time.perf_counter() - began))
    return statistics.median(rates)


def placing(resting: int) -> float:
    """Microseconds to place one stop among so many."""
    began = time.perf_counter()
    exchange(resting, trailing=False)
    return (time.perf_counter() - began) / resting * 1e6


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quotes", type=int, default=200_000)
    market = quotes(parser.parse_args().quotes)
    clock = Clock(asyncio.get_running_loop(), 0)
    print(
        f"{'resting':>8} {'stops':>12} {'trailing':>12} {'paper venue':>12}   quotes/s;"
        f" {'placing':>8} us each"
    )
    for resting in RESTING:
        figures = [
            rate(exchange(resting, trailing=trailing).on_tick, market) for trailing in (False, True)
        ]
        venue = PaperVenue(
            exchange(resting, trailing=True),
            clock,
            seed=1,
            delay=Delay(0, 0),
            timeout=1,
            faults=Faults(),
        )
        await venue.connect(lambda _: None, lambda _: None)
        figures.append(rate(venue.feed, market))
        await venue.close()
        venue.shut_down()
        print(
            f"{resting:>8,} "
            + " ".join(f"{figure:>12,.0f}" for figure in figures)
            + f" {placing(resting):>23.1f}"
        )


if __name__ == "__main__":
    asyncio.run(main())
