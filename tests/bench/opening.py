"""What it costs to open a position, with 20 and with 400 open: `python -m tests.bench.opening
[--runs 5] [--against COMMIT]`.

CPU time from the intent until the stop rests, in one process: desk, gateway, paper venue, journal
(inline). Two shapes: all positions in one symbol, and each in a symbol of its own, whose coins are
paid for where the venue is a spot market. Between two openings the price moves a little. This
version and an older one are run in turns; told are medians, and the cost at 400 over the cost at
20.
"""

import argparse
import asyncio
import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from statistics import median

SIZES = (20, 400)
MORE = 40
"""Openings that are timed at each size."""
SHAPES = (
    ("futures, one symbol", "kraken-futures", False),
    ("futures, many symbols", "kraken-futures", True),
    ("spot, many symbols", "kraken-spot", True),
)


async def measure(profile: str, home: Path, *, many: bool) -> dict[str, float]:
    """Milliseconds of CPU per opening at each size."""
    from engine.model.intent import Away, Base, OpenBracket
    from engine.model.side import Side
    from tests.bench.world import START, World, quote, temporary

    del temporary
    from engine.clock import Clock

    most = SIZES[-1] + MORE
    symbols = [f"C{number}/USD" for number in range(most if many else 1)]
    world = World(
        Clock(asyncio.get_running_loop(), START), home, symbols, profile=profile, inline=True
    )
    for symbol in symbols:
        world.venue.feed(quote(symbol, START, Decimal(60_000)))
    await world.recovered()
    taken: list[float] = []
    for number in range(most):
        symbol = symbols[number % len(symbols)]
        for step in range(3):
            moved = Decimal((number * 7 + step * 3) % 11 - 5)
            world.venue.feed(quote(symbol, world.clock.now(), Decimal(60_000) + moved))
        intent = OpenBracket(
            id=f"b{number}",
            symbol=symbol,
            side=Side.BUY,
            size=Base(Decimal("0.01")),
            stop=Away(Decimal("0.1")),
        )
        began = time.process_time()
        answer = await world.engine.ask(intent)
        await world.clock.sleep(10**7)
        taken.append((time.process_time() - began) * 1000)
        assert answer.ok, answer.refusals
        position = world.engine.state.positions[answer.created]
        assert position.protection.value == "venue", position.protection
    await world.close()
    return {str(size): median(taken[size : size + MORE]) for size in SIZES}


def child(words: list[str]) -> None:
    """One measurement, told as JSON."""
    from engine.clock import run_virtual
    from tests.bench.world import temporary

    with temporary() as folder:
        print(json.dumps(run_virtual(measure(words[0], Path(folder), many=words[1] == "many"))))


def main() -> None:
    """The table."""
    from tests.bench.alternated import BEFORE, alternated

    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--against", default=BEFORE)
    words = parser.parse_args()
    print(f"CPU per opening, ms; medians of {words.runs} runs in turns; old is {words.against}\n")
    print(
        f"{'':<24}{'old at 20':>11}{'old at 400':>12}{'400/20':>8}{'now at 20':>11}{'now at 400':>12}{'400/20':>8}"
    )
    for name, profile, many in SHAPES:
        old, now = alternated(
            words.against, Path(__file__), [profile, "many" if many else "one"], words.runs
        )
        few, lots = map(str, SIZES)
        line = "".join(
            f"{told[few]:>11.2f}{told[lots]:>12.2f}{told[lots] / told[few]:>8.2f}"
            for told in (old, now)
        )
        print(f"{name:<24}{line}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3 and not sys.argv[1].startswith("-"):
        child(sys.argv[1:])
    else:
        main()
