"""How a position stood is kept at each change, and once a minute between."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from engine.clock import SECOND
from engine.model import intent as i
from tests.support.world import BTC, World, play

MINUTE = 60 * SECOND
DAY = 1440 * MINUTE


def rows(world: World) -> list[dict[str, object]]:
    world.engine.save()
    return list(world.engine.journal.rows("position_snapshots"))


def test_it_says_what_the_console_shows(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5")
        await world.wait(2)
        [view] = world.engine.view().positions
        last = rows(world)[-1]
        assert (last["position"], last["symbol"], last["side"]) == (view.id, BTC, "buy")
        assert (last["size"], last["protection"]) == (view.size, view.protection.value)
        assert (last["stop"], last["at_stop"]) == (view.stop, view.at_stop)
        assert last["mark"] is not None
        assert isinstance(last["unrealised"], Decimal)

    play(tale, tmp_path)


def test_each_change_and_each_minute_and_the_end(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        await world.wait(2)
        before = len(rows(world))
        stop = world.position().stop
        assert stop is not None
        await world.ask(i.MoveStop(id="m", position=position.id, stop=i.At(stop + 10)))
        await world.wait(2)
        moved = rows(world)
        assert len(moved) > before
        assert moved[-1]["stop"] == stop + 10
        await world.wait(600)
        times = [row["at"] for row in rows(world)[len(moved) :]]
        assert 9 <= len(times) <= 11
        gaps = [
            later - earlier
            for earlier, later in pairwise(times)
            if isinstance(later, int) and isinstance(earlier, int)
        ]
        assert all(MINUTE <= gap <= MINUTE + 11 * SECOND for gap in gaps)
        await world.ask(i.ClosePosition(id="c", position=position.id))
        await world.until(lambda: position.id in world.state.closed)
        end = rows(world)[-1]
        assert (end["size"], end["stop"], end["at_stop"]) == (0, None, None)
        count = len(rows(world))
        await world.wait(180)
        assert len(rows(world)) == count, "what is closed is told no more"

    play(tale, tmp_path)


def test_what_is_older_than_the_days_that_are_kept_goes(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5")
        await world.wait(120)
        before = rows(world)
        world.clock.hang(DAY + 60 * SECOND)
        await world.wait(90)
        after = rows(world)
        assert before
        assert after
        assert not {row["at"] for row in before} & {row["at"] for row in after}

    play(tale, tmp_path, values={"journal.position_days": 1})
