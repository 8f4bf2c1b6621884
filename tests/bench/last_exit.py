"""Time from the call of the last exit to provably flat, in simulated seconds, against the best
possible, by tier.

    python -m tests.bench.last_exit [RUNS]

The best possible: the decisive parts, the cancel of the stop with its question (coins only), the
close, then two pictures that were asked for later than the close plus the configured lag; each
leaves as soon as the venue's own model admits it, each takes one round trip, nothing fails.
"""

import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from statistics import quantiles

from engine.clock import SECOND, run_virtual
from engine.exchange import Faults
from engine.model import limits
from engine.model.order import Order, OrderType, Role
from engine.model.profile import Profile
from engine.model.request import Cancel, Lane, Query, Request, Submit
from engine.model.side import Side
from engine.venues.paper_parts import costs
from tests.support.scene import BTC, ETH, D, Scene

RUNS = 30
TRIP = 20_000_000
FAULTS: dict[str, tuple[Faults, int]] = {
    "nothing fails": (Faults(), 0),
    "views may lag 5 s": (Faults(), 5),
    "a tenth of the answers is lost": (Faults(lose_reply=0.1), 0),
}
CASES = (
    ("kraken-spot", "starter"),
    ("kraken-spot", "intermediate"),
    ("kraken-spot", "pro"),
    ("kraken-futures", ""),
)


Held = Sequence[tuple[str, Decimal, str, int]]
"""What is to be closed: symbol, size, its stop's id (empty where none rests), and when the venue
last heard of that stop.
"""


class Best:
    """Sends one thing after the other, each as soon as the model admits it."""

    def __init__(self, profile: Profile, levels: tuple[limits.Level, ...], now: int) -> None:
        self.model = profile.limit_model()
        self.now = self.began = now
        limits.restore(self.model, levels, now)

    def pay(self, counter: str, cost: float) -> None:
        found = self.model.counter(counter)
        self.now += found.wait(cost, self.now, 0.0)
        found.spend(cost, self.now)
        self.now += TRIP

    def send(self, request: Request) -> None:
        self.now += limits.wait(self.model, request, self.now, {})
        limits.spend(self.model, request, self.now)
        self.now += TRIP


def best(
    profile: Profile,
    levels: tuple[limits.Level, ...],
    now: int,
    held: Held,
    lag: float,
    *,
    streams: bool = False,
) -> float:
    """Seconds of the best possible exit from an account that holds `held`, with its counters at
    `levels`.

    With `streams` an engine that runs does it: its streams tell it how each order ends and what was
    executed, so it asks for balances and open orders alone, and once.
    """
    one, (counter, holdings, orders, executions) = Best(profile, levels, now), costs(profile)
    if not streams:
        one.pay(counter, holdings)
        one.pay(counter, orders)
    for symbol, size, stop, touched_at in held:
        if stop:
            one.send(Cancel(stop, symbol, Lane.EMERGENCY, touched_at=touched_at))
            if not profile.derivatives and not streams:
                one.send(Query(stop, symbol, Lane.EMERGENCY))
        one.send(
            Submit(
                Order("x", "", symbol, Side.SELL, OrderType.MARKET, Role.CLOSE, size),
                Lane.EMERGENCY,
            )
        )
    one.now += int(lag * SECOND)
    for cost in (holdings, orders) if streams else (holdings, orders, executions) * 2:
        one.pay(counter, cost)
    return (one.now - one.began) / SECOND


def of_scene(scene: Scene, lag: int) -> float:
    """The same for a scene."""
    now, held = scene.clock.now(), []
    for position in scene.positions:
        stop = next((order for order in scene.resting if order.symbol == position.symbol), None)
        known = (stop.client_order_id, stop.touched_at) if stop is not None else ("", 0)
        held.append((position.symbol, position.size, *known))
    return best(scene.profile, limits.levels(scene.exchange.limits, now), now, held, lag)


def once(profile: str, tier: str, faults: Faults, lag: int, seed: int) -> tuple[float, float]:
    """One exit: seconds it took, and the best possible."""

    async def main() -> tuple[float, float]:
        random = Random(seed)
        scene = Scene(profile, tier=tier or "pro", coins="0")
        scene.hold("1")
        scene.hold("3", symbol=ETH, stop="2000")
        await scene.clock.sleep(random.randrange(20, 400) * SECOND)
        for name in ("derivatives",) if scene.profile.derivatives else ("rest", BTC, ETH):
            counter = scene.exchange.limits.counter(name)
            counter.settle(scene.clock.now())
            counter.spend(counter.capacity * random.random() * 0.6, scene.clock.now())
        scene.venue._random, scene.venue.faults = random, faults
        fastest, began = of_scene(scene, lag), scene.clock.now()
        result = await scene.exit(scene.summary(), lag=lag * SECOND)
        taken = (scene.clock.now() - began) / SECOND
        assert scene.held == D(0)
        assert result.flat, result.lines
        return taken, fastest

    return run_virtual(main())


def top(values: list[float]) -> float:
    """The 99th percentile."""
    return quantiles(values, n=100)[98] if len(values) > 1 else values[0]


def main(runs: int, say: Callable[[str], None] = print) -> None:
    """The table."""
    say(
        f"{'venue':<16}{'tier':<14}{'faults':<32}{'best p50':>9}{'p50':>8}{'p99':>8}{'ratio p50':>11}{'p99':>7}"
    )
    for profile, tier in CASES:
        for name, (faults, lag) in FAULTS.items():
            found = [once(profile, tier, faults, lag, seed) for seed in range(runs)]
            taken, ratios = (
                sorted(one for one, _ in found),
                sorted(one / fastest for one, fastest in found),
            )
            middle, fastest = len(found) // 2, sorted(one for _, one in found)[len(found) // 2]
            row = f"{fastest:>9.2f}{taken[middle]:>8.2f}{top(taken):>8.2f}{ratios[middle]:>11.2f}{top(ratios):>7.2f}"
            say(f"{profile:<16}{tier or '-':<14}{name:<32}{row}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
