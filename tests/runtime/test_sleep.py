"""A process that was stopped, a laptop that slept, a clock that jumped: the venue is asked before
anything else is done.
"""

import asyncio
from pathlib import Path

import pytest

from engine.clock import SECOND, Clock, run_virtual
from engine.desk import events as e
from engine.model import intent as i
from tests.support.world import BTC, START, World, play


@pytest.mark.hazard("H71")
def test_after_a_hang_the_venue_is_asked_before_anything_else(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened(stop=i.Away(world.settings.rules.risk.max_slippage))
        count = len(world.events)
        world.clock.hang(90 * SECOND)
        world.price(BTC, "50000")
        first = [type(event) for event in world.events[count:]]
        assert first.index(e.AccountAsked) < first.index(e.EntriesBlocked) + 2
        assert e.OrderSubmitted not in first[: first.index(e.AccountAsked)]
        assert "SLEPT" in world.state.blocks
        assert "SLEPT:clock" in world.state.alerts
        refused = await world.buy("0.1")
        assert "ENTRIES_BLOCKED" in [refusal.code for refusal in refused.refusals]
        await world.until(lambda: "SLEPT" not in world.state.blocks, 20)
        assert "SLEPT:clock" not in world.state.alerts
        await world.until(lambda: not world.state.positions, 20)

    play(tale, tmp_path)


@pytest.mark.hazard("H71")
def test_a_clock_that_went_on_while_the_loop_slept_is_caught_up_with() -> None:
    async def main() -> None:
        wall = START
        clock = Clock(asyncio.get_running_loop(), START, wall=lambda: wall)
        assert clock.drift() == 0
        rang: list[int] = []
        clock.call_at(START + SECOND, lambda: rang.append(clock.now()))
        wall += 3_600 * SECOND
        assert clock.drift() == 3_600 * SECOND
        clock.catch_up(clock.drift())
        assert clock.now() == wall
        await asyncio.sleep(1.1)
        assert len(rang) == 1, "a timer is as far away as it was"
        clock.catch_up(-5 * SECOND)
        assert clock.now() >= wall, "time never goes back"

    run_virtual(main())


@pytest.mark.hazard("H71")
@pytest.mark.parametrize(("jump", "word"), [(600, "ahead"), (-600, "back")])
def test_a_jump_of_the_machines_clock_is_told_and_asked_about_once(
    tmp_path: Path, jump: int, word: str
) -> None:
    async def main() -> None:
        world = World(tmp_path)
        offset = 0
        world.clock = world.venue._clock = Clock(
            asyncio.get_running_loop(), START, wall=lambda: clock_now() + offset
        )
        plain = Clock(asyncio.get_running_loop(), START)

        def clock_now() -> int:
            return plain.now()

        await world.open()
        offset = jump * SECOND
        before = len(world.seen(e.AccountAsked))
        await world.wait(70)
        (told,) = [
            event.alert for event in world.seen(e.AlertRaised) if event.alert.code == "SLEPT"
        ]
        assert word in told.detail
        assert len(world.seen(e.AccountAsked)) > before
        await world.until(lambda: "SLEPT" not in world.state.blocks)
        await world.end()

    run_virtual(main())


@pytest.mark.hazard("H71")
@pytest.mark.parametrize(("stall", "slept"), [(0.1, False), (8.0, True)])
def test_a_market_that_is_played_fast_is_not_slept_through(
    tmp_path: Path, stall: float, slept: bool
) -> None:
    """At a thousand times its speed, a tenth of a second on a busy machine is a minute and a half
    of the market's.
    """

    async def main() -> None:
        world = World(tmp_path)
        world.clock = world.venue._clock = Clock(asyncio.get_running_loop(), START, speed=1_000.0)
        await world.open()
        asked = len(world.seen(e.AccountAsked))
        world.clock.hang(int(stall * SECOND))
        await asyncio.sleep(0.005)
        assert ("SLEPT" in world.told()) is slept, (
            "entries are blocked and exits wait for a picture after each hiccup"
        )
        assert (len(world.seen(e.AccountAsked)) > asked) is slept
        await world.engine.close()

    run_virtual(main())
