"""A price that can't be one moves nothing."""

from pathlib import Path

import pytest

from engine.model.quote import Quote
from tests.support.world import BTC, D, World, play


@pytest.mark.hazard("H54")
@pytest.mark.parametrize(
    ("bid", "ask"),
    [("NaN", "60000"), ("60000", "Infinity"), ("0", "60000"), ("-1", "60000"), ("60001", "60000")],
)
def test_a_price_that_makes_no_sense_is_ignored_and_told_once(
    bid: str, ask: str, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        position = await world.opened()
        before = world.engine.board.quote(BTC)
        for _ in range(3):
            world.engine.hearing.quote(Quote(BTC, world.clock.now(), D(bid), D(1), D(ask), D(1)))
        assert world.engine.board.quote(BTC) == before
        assert world.engine.hearing.bad_quotes == {BTC: 3}
        assert (
            len(
                [
                    notice
                    for notice in world.engine.view().notices
                    if "makes no sense" in notice.text
                ]
            )
            == 1
        )
        assert not world.state.positions[position.id].closing

    play(tale, tmp_path)
