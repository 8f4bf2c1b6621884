"""The account has a little less than our books say: a fee that nobody told, coins that the owner
took. What is proved leaves all the same.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.model import intent as i
from tests.support.world import BTC, World, play

D = Decimal
pytestmark = pytest.mark.hazard("H74")


def test_what_is_proved_is_closed_and_the_rest_waits(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        world.exchange.ledger.cash["BTC"] -= D("0.001")
        world.engine.reconcile()
        await world.wait(2)
        assert (await world.ask(i.ClosePosition(id="x", position=position.id))).ok
        await world.until(lambda: world.held == 0, 60)
        assert "HELD_BACK" in world.told()

    play(tale, tmp_path)


def test_what_is_proved_is_protected(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5")
        for stop in world.resting:
            world.exchange.cancel(stop.client_order_id, world.clock.now())
        world.exchange.ledger.cash["BTC"] -= D("0.001")
        world.engine.reconcile()
        await world.until(lambda: [order.size for order in world.resting] == [D("0.499")], 60)
        assert world.position().protection.value != "venue", "a part of it has no stop"
        world.price(BTC, "50000")
        await world.until(lambda: world.held == 0, 60)

    play(tale, tmp_path)
