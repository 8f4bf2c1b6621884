"""The equity that a chart shows goes on while the engine runs, and is the one that the journal
keeps.
"""

from pathlib import Path

from tests.support.world import BTC, World, play


def test_samples_of_the_equity_come_as_they_are_taken_and_again_after_a_restart(
    tmp_path: Path,
) -> None:
    async def tale(world: World) -> None:
        before = world.engine.history.equity(100)
        await world.opened()
        world.price(BTC, "61000")
        await world.wait(30)
        seen = world.engine.history.equity(100)
        assert len(seen) > len(before) + 1
        assert seen[-1][1] > seen[0][1], "the price rose while it was held"
        world.engine.save()
        assert seen == tuple(
            (row["at"], row["amount"]) for row in world.engine.journal.rows("equity")
        )
        await world.restart()
        assert world.engine.history.equity(100)[: len(seen)] == seen

    play(tale, tmp_path)
