"""Nothing that opens leaves before it is written down; what protects does not wait for a disk; and
deaths are told.
"""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from engine.clock import SECOND, run_virtual
from engine.journal import Journal
from engine.model import intent as i
from engine.rehearsal.simulation.power import Disk, FaultyJournal, Power
from engine.runtime import Engine, Hooks
from tests.support.world import BTC, D, World


class OnDisk(World):
    """A world whose journal lies on a disk that may fail or dawdle."""

    def make(self) -> Engine:
        self.disk = Disk()
        journal = FaultyJournal.open(
            self.home / "journal.sqlite", "world", "story", now=self.clock.now(), inline=True
        )
        journal.equip(self.disk, Power(), self.clock)
        return Engine(
            self.settings,
            self.venue,
            journal,
            self.clock,
            self.seed,
            inline=True,
            hooks=Hooks(decided=self._decided),
        )


def tell(
    tale: Callable[[OnDisk], Coroutine[Any, Any, None]], home: Path, *, ends: bool = True
) -> None:
    async def main() -> None:
        world = OnDisk(home)
        await world.open()
        await tale(world)
        if ends:
            await world.wait(1)
            await world.end()

    run_virtual(main())


@pytest.mark.hazard("H02")
@pytest.mark.hazard("H03")
def test_an_entry_leaves_only_once_it_is_durable(tmp_path: Path) -> None:
    async def tale(world: OnDisk) -> None:
        world.disk.delay = 5 * SECOND
        assert (await world.buy("0.5")).ok
        await world.wait(4.5)
        assert world.engine.gateway.statistics.submit == 0
        assert not world.resting
        world.disk.delay = 0
        await world.until(lambda: world.engine.gateway.statistics.submit > 0)

    tell(tale, tmp_path)


@pytest.mark.hazard("H63")
def test_while_the_journal_fails_entries_stop_exits_work_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    async def tale(world: OnDisk) -> None:
        one, two = await world.opened("0.5"), await world.opened("0.3")
        world.disk.fails = True
        await world.ask(i.Annotate(id="n", position=one.id, note="x"))
        await world.wait(0.2)
        assert "JOURNAL_FAILING:journal" in world.state.alerts
        assert world.engine.view().journal_failing == "the disk is full"
        refused = await world.buy("0.1")
        assert "ENTRIES_BLOCKED" in [refusal.code for refusal in refused.refusals]
        assert (await world.ask(i.MoveStop(id="m", position=two.id, stop=i.At(D(59_900))))).ok
        assert (await world.ask(i.ClosePosition(id="c", position=one.id))).ok
        await world.until(lambda: one.id in world.state.closed, 10)
        assert world.held == world.state.positions[two.id].size
        assert any(order.trigger == D(59_900) for order in world.resting), (
            "the venue's stop has moved"
        )
        durable = len(list(world.engine.journal.events()))
        assert durable < world.state.seq
        world.disk.fails = False
        await world.wait(1)
        assert "JOURNAL_FAILING:journal" not in world.state.alerts
        world.engine.save()
        assert world.engine.journal.waiting == 0
        assert (await world.buy("0.1")).ok

    tell(tale, tmp_path)


@pytest.mark.hazard("H42")
@pytest.mark.hazard("H63")
def test_a_flatten_ends_while_the_journal_fails(tmp_path: Path) -> None:
    async def tale(world: OnDisk) -> None:
        for _ in range(3):
            await world.opened("0.2")
        world.disk.fails = True
        await world.ask(i.Flatten(id="f"))
        await world.until(
            lambda: world.state.flatten is not None and world.state.flatten.ended_at is not None, 20
        )
        assert world.held == 0
        assert not world.resting
        world.disk.fails = False

    tell(tale, tmp_path)


@pytest.mark.hazard("H70")
def test_who_loses_the_lease_only_looks_on(tmp_path: Path) -> None:
    async def tale(world: OnDisk) -> None:
        position = await world.opened("0.5")
        other = Journal.open(
            world.home / "journal.sqlite",
            "world",
            "another console",
            now=world.clock.now(),
            inline=True,
        )
        other.claim("another console", world.clock.now())
        sent = world.engine.gateway.statistics.submit
        for number in range(3):
            await world.ask(i.Annotate(id=f"n{number}", position=position.id, note=str(number)))
        assert world.engine.read_only
        assert any("took over" in notice.text for notice in world.engine.view().notices)
        await world.buy("0.1")
        await world.wait(2)
        assert world.engine.gateway.statistics.submit == sent
        other.close()
        await world.engine.close()
        world.venue.shut_down()

    tell(tale, tmp_path, ends=False)


@pytest.mark.hazard("H12")
def test_a_task_that_dies_is_told_and_blocks_entries(tmp_path: Path) -> None:
    async def tale(world: OnDisk) -> None:
        async def dies() -> None:
            raise RuntimeError("out of luck")

        world.engine.tasks.spawn("luck", dies())
        await world.wait(0.1)
        assert "out of luck" in world.state.alerts["TASK_DIED:luck"].detail
        refused = await world.buy("0.1")
        assert "ENTRIES_BLOCKED" in [refusal.code for refusal in refused.refusals]
        assert (await world.ask(i.Resume(id="r", reason="TASK_DIED"))).ok
        assert (await world.buy("0.1")).ok
        world.price(BTC, "60000")

    tell(tale, tmp_path)
