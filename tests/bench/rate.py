"""`python -m tests.bench.rate [SECONDS] [TIER]`: trails that move every second, over the wire, and
everything flattened in the middle.

Two positions trail prices that rise by more than the trail's step each second, at both venues, with
the tier's real counters. Wanted: the venue refuses nothing for its limits, and the flatten is
through as fast as ever.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.desk import Decision
from engine.journal import Journal
from engine.model import intent as i
from engine.model.order import Trail
from engine.model.quote import Quote
from engine.model.side import Side
from engine.runtime import Engine, Hooks
from engine.setup.sections import Settings
from tests.support.exchange import SYMBOLS, serving

SECOND = 1_000_000_000
RISE = Decimal("1.0007")
"""A second: above the step of a trail, 0.0005."""
PRICES = (Decimal(62_000), Decimal(2_650))
SIZES = (Decimal("0.1"), Decimal(1))


class Result(Struct):
    """What one venue saw."""

    seconds: float
    moves: int
    sent: dict[str, int]
    refused: int
    cancelled_and_closed: str
    seconds_to_flat: float
    alerts: list[str]


def rising(symbols: tuple[str, ...], start: int) -> Iterator[Quote]:
    """Prices that go up, four times a second, for ever."""
    for step in range(1 << 30):
        for symbol, first in zip(symbols, PRICES, strict=True):
            bid = (first * RISE ** (Decimal(step) / 4)).quantize(Decimal("0.1"))
            yield Quote(
                symbol,
                start + step * SECOND // 4,
                bid,
                Decimal(5),
                bid + Decimal("0.1"),
                Decimal(5),
            )


async def measure(venue: str, tier: str, seconds: float) -> Result:
    """One venue."""
    symbols = SYMBOLS[venue]
    limits = {"tier": tier} if venue == "kraken" else {}
    counts: Counter[str] = Counter()

    def decided(decision: Decision, _: int) -> None:
        counts.update(type(event).__name__ for event in decision.events)
        counts.update(
            f"alert {event.alert.code}"
            for event in decision.events
            if isinstance(event, e.AlertRaised)
        )

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        async with serving(
            venue, limits=limits, ticks=lambda start: rising(symbols, start)
        ) as exchange:
            live, clock = exchange.venue(home), exchange.clock
            journal = Journal.open(home / "journal.sqlite", "main", "bench", now=clock.now())
            engine = Engine(
                replace(Settings(), account=exchange.account()),
                live,
                journal,
                clock,
                1,
                hooks=Hooks(decided=decided),
            )
            await engine.start()
            while "STARTING" in engine.state.blocks or len(engine.board.quotes()) < len(symbols):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            began = clock.now()
            await _open(engine, symbols, "first")
            await _until(engine, began, seconds / 2)
            await engine.ask(i.Flatten(id="flat"))
            while engine.state.flatten is None or engine.state.flatten.ended_at is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            flatten = engine.state.flatten
            assert flatten.ended_at is not None
            await _open(engine, symbols, "second")
            await _until(engine, began, seconds)
            log = exchange.server.world.log
            refused = [
                entry
                for entry in log
                if "limit" in entry.outcome.lower() and "exceed" in entry.outcome.lower()
            ]
            sent = Counter(entry.path.rsplit("/", 1)[-1] for entry in log)
            await engine.close()
            return Result(
                (clock.now() - began) / SECOND,
                counts["TrailFollowed"],
                dict(sent),
                len(refused) + engine.gateway.statistics.rate_limited_by_venue,
                flatten.receipt[0] if flatten.receipt else "",
                (flatten.ended_at - flatten.began_at) / SECOND,
                sorted(name for name in counts if name.startswith("alert ")),
            )


async def _open(engine: Engine, symbols: tuple[str, ...], name: str) -> None:
    """A trail in each symbol; an entry that found no room within its deadline is asked for
    again.
    """
    for symbol, size in zip(symbols, SIZES, strict=True):
        for attempt in count():
            terms = i.OpenBracket(
                id=f"{name}-{symbol}-{attempt}",
                symbol=symbol,
                side=Side.BUY,
                size=i.Base(size),
                trail=Trail(fraction=Decimal("0.002")),
            )
            answer = await engine.ask(terms)
            assert answer.ok, answer.refusals
            while any(position.size == 0 for position in engine.state.positions_in(symbol)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            if engine.state.positions_in(symbol):
                break


async def _until(engine: Engine, began: int, seconds: float) -> None:
    await asyncio.sleep(max(0.0, seconds - (engine.clock.now() - began) / SECOND))


async def both(tier: str, seconds: float) -> list[Result]:
    """Both venues beside each other."""
    return list(
        await asyncio.gather(
            measure("kraken", tier, seconds), measure("krakenfutures", tier, seconds)
        )
    )


def main() -> None:
    """Run, and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    tier = sys.argv[2] if len(sys.argv) > 2 else "starter"
    print(
        f"two trails that move every second for {seconds:.0f} s, a flatten in the middle (Kraken"
        f" spot: tier {tier})"
    )
    for venue, result in zip(
        ("kraken", "krakenfutures"), asyncio.run(both(tier, seconds)), strict=True
    ):
        print(f"  {venue}")
        print(f"    moves of the trails {result.moves}, requests {result.sent}")
        print(f"    refused for a limit {result.refused}, alerts {result.alerts}")
        print(f"    flatten: {result.seconds_to_flat:.2f} s, {result.cancelled_and_closed}")


if __name__ == "__main__":
    main()
