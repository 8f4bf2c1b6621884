"""A line that loses every request: what one cause makes unknown is a few lines of the record, and
not one for each request (H92).
"""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.exchange import Faults
from engine.model.order import OrderType
from tests.support.world import World, play

D = Decimal


@pytest.mark.hazard("H92")
@pytest.mark.parametrize(("count", "lines"), [(3, 3), (20, 4)])
def test_many_outcomes_that_become_unknown_at_once_are_told_together(
    count: int, lines: int, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        world.venue.faults = Faults(lose_request=1.0)
        for number in range(count):
            assert (await world.buy("0.01", type=OrderType.LIMIT, price=D(50_000 - number))).ok
        await world.wait(8)
        told = [notice.text for notice in world.engine.view().notices if notice.kind == "unknown"]
        assert len(told) == lines
        if count > lines:
            assert (
                told[-1]
                == f"UNKNOWN for 2 s: {count - 3} more requests of the same moment; the venue is"
                " being asked"
            )
        world.venue.faults = Faults()
        await world.until(lambda: not world.state.doubts, 120)

    play(tale, tmp_path, profile="kraken-futures", values={"risk.max_positions": 50})
