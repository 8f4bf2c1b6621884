"""Any account that a dead engine may leave, at random: the venue's truth is the only judge."""

from random import Random

import pytest
from msgspec.structs import replace

from engine.account.summary import Summary
from engine.clock import SECOND
from engine.exchange import Faults
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.side import Side
from tests.support.scene import BTC, ETH, D, Scene, play

OWN = D(2)


def disturb(scene: Scene, random: Random, derivatives: bool) -> Summary | None:
    """A random account; the summary that its engine left."""
    now, clock = scene.clock.now(), scene.clock
    stop = random.choice(["50000", "59500", None])
    scene.hold(random.choice(["1", "0.4"]), stop=stop, days=random.choice([0, 0, 400]))
    if random.random() < 0.4:
        scene.hold("3", symbol=ETH, stop=random.choice(["2000", None]))
    if random.random() < 0.4:
        scene.rest(
            scene.place(Side.BUY, "0.5", Role.ENTRY, price=random.choice(["40000", "59990"]))
        )
    if random.random() < 0.4:
        scene.foreign(
            Side.SELL if derivatives else Side.BUY, "0.2", price="90000" if derivatives else "30000"
        )
    if random.random() < 0.5:  # an order on the wire: an entry, or a close
        # an engine does not close what its stop still holds
        buys = random.random() < 0.5 or stop is not None
        side, role, size = (Side.BUY, Role.ENTRY, "0.7") if buys else (Side.SELL, Role.CLOSE, "0.4")
        reduce_only = derivatives and not buys
        late = Order(
            scene.name(),
            "P",
            BTC,
            side,
            OrderType.MARKET,
            role,
            D(size),
            reduce_only=reduce_only,
            deadline=now + 4 * SECOND,
            touched_at=now,
        )
        scene.rest(late, venue_order_id=None, in_doubt=True, deadline=late.deadline)
        if random.random() < 0.7:
            clock.call_at(now + random.randrange(1, 3 * SECOND), lambda: scene.arrive(late))
    told = scene.summary()
    if random.random() < 0.2:  # the home is behind: a disk was full
        extra = scene.place(Side.BUY, "0.3", Role.ENTRY)
        assert extra.filled == D("0.3")
    if random.random() < 0.5:  # the price falls through the stops while the exit works
        size = random.choice(["0.02", "1000"])

        def fall() -> None:
            scene.bids[BTC], scene.sizes[BTC] = "59000", size
            scene.venue.feed(Quote(BTC, clock.now(), D(59000), D(size), D("59000.1"), D(size)))
            scene.sizes[BTC] = "1000"

        clock.call_at(now + random.randrange(1, 5 * SECOND), fall)
    return told


def once(seed: int, *, derivatives: bool) -> None:
    random = Random(seed)
    lag = random.choice([0, 0, 3, 20])
    faults = Faults(rest_lag=lag * SECOND)
    lossy = (
        Faults(rest_lag=lag * SECOND, lose_reply=0.1, lose_request=0.05)
        if random.random() < 0.4
        else faults
    )
    own = D(0) if derivatives else random.choice([D(0), OWN])

    async def tale(scene: Scene) -> None:
        scene.venue._remember()
        summary = disturb(scene, random, derivatives)
        scene.venue._random, scene.venue.faults = Random(seed), lossy
        if summary is not None and random.random() < 0.3:
            summary = replace(summary, counters=())
        result = await scene.exit(summary)
        told = (seed, scene.held, result.lines)
        if not derivatives:
            assert scene.held >= own, told
            assert scene.exchange.ledger.cash.get("ETH", D(0)) >= 0, told
        else:
            assert scene.held >= 0, told
        if result.flat:
            assert scene.held == own, told
            eth = (
                scene.exchange.ledger.on_margin(ETH)
                if derivatives
                else scene.exchange.ledger.cash.get("ETH", D(0))
            )
            assert eth == 0, told
            assert all(order.foreign for order in scene.resting), told
        else:
            assert any("NOT FLAT" in line for line in result.lines), told

    play(
        tale,
        profile="kraken-futures" if derivatives else "kraken-spot",
        faults=faults,
        coins=str(own),
        tier=random.choice(["starter", "pro"]),
    )


@pytest.mark.hazard("H73")
@pytest.mark.hazard("H113")
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("derivatives", [False, True])
def test_nothing_is_sold_twice_and_flat_is_flat(seed: int, derivatives: bool) -> None:
    once(seed, derivatives=derivatives)
