"""Ticks are delivered when it is time, and nobody starves meanwhile."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine.clock import SECOND, Clock, run_virtual
from engine.market import play
from engine.model.quote import Tick, Trade

D = Decimal


def trades(*seconds: float) -> list[Trade]:
    return [Trade("A/B", round(at * SECOND), D(10), D(1), None) for at in seconds]


def test_virtual_time_moves_to_each_tick() -> None:
    async def story() -> list[tuple[int, int]]:
        clock = Clock(asyncio.get_running_loop(), start=0)
        seen: list[tuple[int, int]] = []
        await play(trades(1, 1, 2.5, 3600), clock, lambda tick: seen.append((tick.at, clock.now())))
        return seen

    assert all(at == now for at, now in run_virtual(story()))


def test_what_others_have_to_do_comes_between_the_ticks_in_its_turn() -> None:
    async def story() -> list[str]:
        clock = Clock(asyncio.get_running_loop(), start=0)
        seen: list[str] = []

        async def other() -> None:
            await clock.sleep_until(2 * SECOND)
            seen.append("other")

        task = asyncio.create_task(other())
        await play(trades(1, 3, 4), clock, lambda tick: seen.append(str(tick.at // SECOND)))
        await task
        return seen

    assert run_virtual(story()) == ["1", "other", "3", "4"]


def test_it_stops_after_until() -> None:
    async def story() -> list[int]:
        seen: list[int] = []
        clock = Clock(asyncio.get_running_loop(), start=0)
        await play(
            trades(1, 2, 3), clock, lambda tick: seen.append(tick.at // SECOND), until=2 * SECOND
        )
        return seen

    assert run_virtual(story()) == [1, 2]


async def test_in_real_time_late_ticks_leave_room_for_others() -> None:
    clock = Clock(asyncio.get_running_loop(), start=10 * SECOND)
    delivered, turns = 0, 0

    def deliver(_: Tick) -> None:
        nonlocal delivered
        delivered += 1

    task = asyncio.create_task(play(trades(*[1.0] * 100_000), clock, deliver))
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    assert delivered == 100_000
    assert turns >= 5


async def test_in_real_time_a_tick_waits_for_its_time() -> None:
    clock = Clock(asyncio.get_running_loop(), start=0, speed=100)
    late: list[int] = []
    await play(trades(1, 2, 3), clock, lambda tick: late.append(clock.now() - tick.at))
    assert len(late) == 3
    assert all(-SECOND // 100 <= by < 50 * SECOND for by in late)


async def test_it_can_be_cancelled_while_it_waits_and_while_it_is_late() -> None:
    def endless() -> Iterator[Tick]:
        while True:
            yield from trades(1)

    for start, source in ((0, iter(trades(3600))), (10, endless())):
        clock = Clock(asyncio.get_running_loop(), start=start * SECOND)
        task = asyncio.create_task(play(source, clock, lambda _: None))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
