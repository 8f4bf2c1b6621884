"""Time to flat in simulated seconds, from the key to the venue's word, against the best that the
venue's limits allow.

    python -m tests.bench.flatten

The best possible: nothing is lost or late, each request leaves as soon as the venue's own model
admits it, and each takes one round trip.
"""

import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import quantiles

from engine.clock import SECOND, run_virtual
from engine.exchange import Delay, Faults, Interval
from engine.model import intent as i
from engine.model import limits
from engine.model.order import Order, OrderType, Role
from engine.model.profile import Profile
from engine.model.request import Cancel, Lane, QueryAccount, Request, Submit
from engine.model.side import Side
from tests.bench.world import generous
from tests.support.world import BTC, ETH, World

D = Decimal
DELAY = Delay(40_000_000, 40_000_000)
RUNS = 40
FAULTS: dict[str, Faults] = {
    "nothing fails": Faults(),
    "replies and requests are lost": Faults(lose_reply=0.1, lose_request=0.05),
    "reports are doubled and late": Faults(duplicate_report=0.3, reorder_reports=0.3),
    "the line breaks": Faults(disconnect=Interval(6 * SECOND, 2 * SECOND)),
    "a rate-limit storm": Faults(rate_limit_storm=Interval(30 * SECOND, 5 * SECOND)),
    "all of it": Faults(
        lose_reply=0.1,
        lose_request=0.05,
        duplicate_report=0.3,
        reorder_reports=0.3,
        disconnect=Interval(12 * SECOND, 2 * SECOND),
        rate_limit_storm=Interval(30 * SECOND, 5 * SECOND),
    ),
}


def best(world: World) -> float:
    """Seconds that a flatten takes if only the venue's limits and the way there cost time."""
    model, now = world.profile.limit_model(), world.clock.now()
    limits.restore(model, limits.levels(world.exchange.limits, now), now)
    cancels: list[Request] = [
        Cancel(order.client_order_id, order.symbol, Lane.EMERGENCY, touched_at=order.touched_at)
        for order in world.state.orders.values()
        if not world.profile.reduce_only or not order.is_exit
    ]
    closes: list[Request] = []
    for position in world.state.positions.values():
        if position.size:
            order = Order(
                "x",
                position.id,
                position.symbol,
                position.exits_by,
                OrderType.MARKET,
                Role.CLOSE,
                position.size,
            )
            closes.append(Submit(order, Lane.EMERGENCY))
    at, trip = now, DELAY.p50
    for batch in (cancels, closes, [QueryAccount(0, Lane.EMERGENCY)]):
        last = at
        for request in batch:
            leaves = at + limits.wait(model, request, at, {})
            limits.spend(model, request, leaves)
            last = max(last, leaves)
            at = max(at, leaves)
        at = last + (trip if batch else 0)
    return (at - now) / SECOND


def once(profile: str | Profile, positions: int, faults: Faults, seed: int) -> tuple[float, float]:
    """One flatten of so many positions: seconds it took, and the best possible."""

    async def main() -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as folder:
            rules: dict[str, object] = {
                f"risk.{name}": D(50) for name in ("max_exposure", "max_position", "max_open_risk")
            }
            rules |= {"risk.max_positions": 60, "risk.daily_loss": D(1)}
            world = World(
                Path(folder),
                profile,
                delay=DELAY,
                cash="10000000",
                values=rules,
                seed=seed,
                faults=faults,
            )
            world.venue.faults = Faults()
            await world.open()
            for number in range(positions):
                await world.opened(
                    "0.1", symbol=BTC if number % 2 else ETH, stop=i.Away(D("0.02")), side=Side.BUY
                )
                # as long as the venue's limits need
                await world.wait(30 if profile == "kraken-spot" else 2)
            await world.wait(120)
            world.venue.faults = faults
            # whatever comes and goes begins now
            world.venue._began = world.clock.now() - 60 * SECOND
            fastest, began = best(world), world.clock.now()
            await world.ask(i.Flatten(id="flatten"))
            await world.until(
                lambda: (
                    world.state.flatten is not None and world.state.flatten.ended_at is not None
                ),
                900,
            )
            flatten = world.state.flatten
            assert flatten is not None
            assert flatten.ended_at is not None
            assert world.held == 0
            taken = (flatten.ended_at - began) / SECOND
            world.venue.faults = Faults()
            await world.engine.close()
            world.venue.shut_down()
            return taken, fastest

    return run_virtual(main())


def main(runs: int, say: Callable[[str], None] = print) -> None:
    """The table."""
    say(
        f"{'venue':<20}{'positions':>10} "
        f" {'faults':<32}{'best':>8}{'p50':>8}{'p99':>8}{'p50/best':>10}"
    )
    cases: list[tuple[str, str | Profile, int]] = [
        ("kraken-spot", "kraken-spot", 5),
        ("kraken-futures", "kraken-futures", 20),
        ("futures, no limits", generous("kraken-futures"), 50),
    ]
    for title, profile, positions in cases:
        for name, faults in FAULTS.items():
            found = [
                once(profile, positions, faults, seed)
                for seed in range(runs if positions < 20 else max(2, runs // 4))
            ]
            taken = sorted(seconds for seconds, _ in found)
            fastest = found[0][1]
            p50, p99 = (
                taken[len(taken) // 2],
                quantiles(taken, n=100)[98] if len(taken) > 1 else taken[0],
            )
            say(
                f"{title:<20}{positions:>10} "
                f" {name:<32}{fastest:>8.2f}{p50:>8.2f}{p99:>8.2f}{p50 / max(fastest, 0.001):>10.1f}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
