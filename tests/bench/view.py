"""What one look at everything costs: `python -m tests.bench.view [--runs 5] [--against COMMIT]`.

200 positions in 20 symbols with their stops, and limits besides until 2,000 orders are open. CPU of
`Engine.view()`, in ms: when nothing has changed since the last look, when one position has (its
stop was moved), and when a price has moved, of one symbol and of all. This version and an older one
are run in turns.
"""

import argparse
import asyncio
import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from statistics import median

SYMBOLS, POSITIONS, ORDERS, LOOKS = 20, 200, 2_000, 15
CASES = ("nothing changed", "one position changed", "one price moved", "all prices moved")


async def measure(home: Path) -> dict[str, float]:
    """Milliseconds by case."""
    from engine.clock import Clock
    from engine.desk import checks
    from engine.model.intent import At, Away, Base, MoveStop, OpenBracket
    from engine.model.order import OrderType
    from engine.model.side import Side
    from tests.bench.world import START, World, quote

    symbols = [f"C{number}/USD" for number in range(SYMBOLS)]
    world = World(Clock(asyncio.get_running_loop(), START), home, symbols, inline=True)
    price = Decimal(60_000)

    def move(names: list[str], by: int) -> None:
        for name in names:
            world.venue.feed(quote(name, world.clock.now(), price + by))

    move(symbols, 0)
    await world.recovered()
    # set up without the checks, whose cost once rose with what is open
    bounds, checks.CHECKS = checks.CHECKS, ()
    for number in range(ORDERS):
        symbol = symbols[number % SYMBOLS]
        kind, at = (
            (OrderType.MARKET, None) if number < POSITIONS else (OrderType.LIMIT, Decimal(50_000))
        )
        intent = OpenBracket(
            id=f"b{number}",
            symbol=symbol,
            side=Side.BUY,
            size=Base(Decimal("0.01")),
            type=kind,
            price=at,
            stop=Away(Decimal("0.1")),
        )
        answer = await world.engine.ask(intent)
        assert answer.ok, answer.refusals
        await world.clock.sleep(10**6)
        if number % 100 == 0:
            move(symbols, 0)
    checks.CHECKS = bounds
    view, engine = world.engine.view, world.engine
    held = [row for row in view().positions if row.protection.value == "venue"]
    assert (len(held), len(view().orders)) == (POSITIONS, ORDERS)
    taken: dict[str, list[float]] = {case: [] for case in CASES}
    for look in range(1, LOOKS + 1):
        for case in CASES:
            if case == "one position changed":
                moved = MoveStop(
                    id=f"m{look}", position=held[look].id, stop=At(Decimal(54_000 + look))
                )
                assert (await engine.ask(moved)).ok
                await world.clock.sleep(10**6)
            elif case != "nothing changed":
                move(
                    symbols[:1] if case == "one price moved" else symbols,
                    look % 7 + (case == "all prices moved"),
                )
            began = time.process_time()
            view()
            taken[case].append((time.process_time() - began) * 1000)
            view()
    await world.close()
    return {case: median(times) for case, times in taken.items()}


def child() -> None:
    """One measurement, told as JSON."""
    from engine.clock import run_virtual
    from tests.bench.world import temporary

    with temporary() as folder:
        print(json.dumps(run_virtual(measure(Path(folder)))))


def main() -> None:
    """The table."""
    from tests.bench.alternated import BEFORE, alternated

    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--against", default=BEFORE)
    words = parser.parse_args()
    old, now = alternated(words.against, Path(__file__), ["child"], words.runs)
    print(
        f"view() at {POSITIONS} positions and {ORDERS:,} orders, CPU ms; medians of {words.runs}"
        f" runs in turns; old is {words.against}\n"
    )
    for case in CASES:
        print(f"{case:<24}{old[case]:>10.2f}{now[case]:>10.2f}{old[case] / now[case]:>8.1f} times")


if __name__ == "__main__":
    if sys.argv[1:] == ["child"]:
        child()
    else:
        main()
