"""What a chart draws of our own doing: executions at their price and time, and where the stop of an
open position stood.
"""

from decimal import Decimal
from pathlib import Path

from engine.model import intent as i
from engine.model.order import Trail
from engine.model.side import Side
from engine.records import courses
from tests.support.world import BTC, World, play


def test_executions_and_the_path_of_a_stop_are_read_from_the_journal(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened()
        first = position.stop
        await world.wait(5)
        moved = await world.ask(
            i.MoveStop(id="higher", position=position.id, stop=i.At(Decimal("59500.0")))
        )
        assert moved.ok
        await world.wait(5)
        world.engine.save()
        journal, held = world.engine.journal, list(world.engine.state.positions.values())
        fills = courses.executions(journal, BTC, 0)
        assert [(one.side, one.position) for one in fills] == [(Side.BUY, position.id)]
        assert fills[0].size == position.size
        told = courses.stops(journal, held, BTC)
        assert [one.stop for one in told] == [first, Decimal("59500.0")]
        assert told[0].at < told[1].at
        assert not any(one.trailed for one in told)
        assert courses.stops(journal, held, BTC, told[1].at) == told[:1], "as it was then"
        assert courses.stops(journal, held, "ETH/USD") == ()
        assert courses.executions(journal, BTC, fills[0].at + 1) == ()
        trailed = await world.ask(
            i.SetTrail(id="trail", position=position.id, trail=Trail(fraction=Decimal("0.001")))
        )
        assert trailed.ok, trailed
        world.price(BTC, "61000")
        await world.wait(5)
        world.engine.save()
        assert courses.stops(journal, held, BTC)[-1].trailed

    play(tale, tmp_path)
