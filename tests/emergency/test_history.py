"""A last exit after a day of trading: what was opened and closed before is booked, whatever numbers
its orders had.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.account.summary import Summary
from engine.emergency import Emergency
from engine.model import intent as i
from engine.model.side import Side
from tests.support.world import SECOND, World, play

D = Decimal
pytestmark = pytest.mark.hazard("H113")


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
@pytest.mark.parametrize("side", list(Side))
def test_orders_that_ended_before_the_summary_are_not_counted_again(
    tmp_path: Path, profile: str, side: Side
) -> None:
    if profile == "kraken-spot" and side is Side.SELL:
        pytest.skip("on cash nothing is sold short at an exchange")

    async def tale(world: World) -> None:
        kept: list[Summary] = []
        world.summary = kept.append
        await world.restart()
        for turn in range(3):
            position = await world.opened("0.3", side=side)
            await world.ask(
                i.MoveStop(
                    id=f"m{turn}", position=position.id, stop=i.Away(D("0.02")), reason="wider"
                )
            )
            await world.wait(1)
            await world.ask(i.ClosePosition(id=f"c{turn}", position=position.id))
            await world.until(lambda: not world.state.positions, 30)
        await world.opened("0.2", side=side)
        await world.wait(2)
        await world.engine.abandon()
        world.engine.journal.close(0)
        said: list[str] = []
        venue = world.venue.beside(99)
        await Emergency(venue, "world", world.clock, said.append, kept[-1]).flatten()
        assert world.held == 0
        assert not world.resting
        assert not [line for line in said if "unattributable" in line or "our books" in line], said
        venue.shut_down()
        await world.clock.sleep(SECOND)
        await world.open()

    play(tale, tmp_path, profile=profile)
