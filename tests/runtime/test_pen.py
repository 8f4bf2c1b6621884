"""An engine that loses the pen, or is asked for it: what still leaves, what is told, what nobody
waits for any longer.
"""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from engine.account.lock import Lock
from engine.account.pen import LeasePermit
from engine.clock import run_virtual
from engine.desk import events as e
from engine.gate import Standing
from engine.journal import Journal
from engine.model import intent as i
from engine.model.order import OrderType
from engine.runtime import Engine, Hooks
from tests.runtime.test_supervision import Attended, attend
from tests.support.world import BTC, ETH, SECOND, D, codes


class Leased(Attended):
    """A world whose engine holds the lease of a shared journal; who renews it is the test."""

    def make(self) -> Engine:
        engine = super().make()
        lock = Lock.take(self.home, self.clock.now())
        assert isinstance(lock, Lock)
        self.permit = LeasePermit(lock, self.clock.now(), self.clock.now(), boottime=self.clock.now)
        return Engine(
            self.settings,
            self.line,
            engine.journal,
            self.clock,
            self.seed,
            inline=True,
            hooks=Hooks(decided=self._decided),
            permit=self.permit,
        )

    async def renewed(self, seconds: float) -> None:
        """Time goes by, and the lease is renewed."""
        for _ in range(int(seconds)):
            self.permit.renewed(self.clock.now())
            await self.wait(1)


def lease(tale: Callable[[Leased], Coroutine[Any, Any, None]], home: Path) -> None:
    """Tell a story in such a world."""

    async def main() -> None:
        world = Leased(home)
        await world.open()
        await tale(world)
        await end(world)

    run_virtual(main())


pytestmark = pytest.mark.hazard("H76")
LIMIT = OrderType.LIMIT


def taken(world: Attended) -> Journal:
    """Somebody else takes the lease, past us."""
    other = Journal.open(
        world.home / "journal.sqlite",
        "world",
        "process 7 on other",
        now=world.clock.now(),
        inline=True,
    )
    other.claim("process 7 on other", world.clock.now())
    return other


async def end(world: Attended, other: Journal | None = None) -> None:
    await world.engine.close()
    world.venue.shut_down()
    if other is not None:
        other.close()


def test_an_exit_that_finds_the_lease_gone_does_not_leave(tmp_path: Path) -> None:
    """The commit of the exit itself finds it: as the journal fails, exits would not wait for it."""

    async def tale(world: Attended) -> None:
        position = await world.opened("0.5")
        other = taken(world)
        sent = len(world.line.heard)
        await world.ask(i.ClosePosition(id="x", position=position.id))
        await world.wait(30)
        assert len(world.line.heard) == sent, "not even an exit"
        assert world.engine.read_only
        await end(world, other)

    attend(tale, tmp_path, ends=False)


def test_what_waits_when_the_pen_is_lost_ends_as_not_sent(tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        position = await world.opened("0.5")
        world.line.cut = True
        answer = await world.buy("0.1", symbol=ETH, type=LIMIT, price=D(2900))
        await world.ask(i.ClosePosition(id="x", position=position.id))
        await world.wait(0.2)
        sent = len(world.line.heard)
        world.engine.lose("epoch 2", "process 7 on other")
        world.line.cut = False
        await world.wait(60)
        assert len(world.line.heard) == sent
        assert world.engine.gateway.idle, "nothing waits"
        ended = {event.order: event.text for event in world.seen(e.OrderRejected)}
        assert "not sent: the pen was lost" in ended.values()
        assert [
            row for row in world.engine.view().orders if row.order.position == answer.created
        ] == [], "none of it is shown as on its way"
        await end(world)

    attend(tale, tmp_path, ends=False)


def test_who_loses_the_pen_is_told_by_whom_and_decides_nothing_more(tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        await world.opened("0.5")
        world.engine.lose("epoch 2", "process 7 on other")
        (alert,) = [alert for alert in world.engine.view().alerts if alert.code == "LEASE_LOST"]
        assert (
            alert.text
            == "process 7 on other holds the account now, nothing leaves from here any more:"
            " epoch 2"
        )
        assert alert.stands
        assert alert in [event.alert for event in world.seen(e.AlertRaised)], (
            "the log and the notifier hear it"
        )
        assert any("process 7 on other" in notice.text for notice in world.engine.view().notices)
        decided, stored = world.engine.state.seq, world.engine.journal.last_seq
        assert codes([await world.buy("0.1")]) == {"READ_ONLY"}
        world.price(BTC, "50000")
        await world.wait(30)
        assert world.engine.state.seq == decided, "what it would do is not even thought"
        assert world.engine.journal.last_seq == stored
        await end(world)

    attend(tale, tmp_path, ends=False)


def test_whoever_is_asked_for_the_pen_sends_no_entry_any_more_and_finishes_what_is_on_the_line(
    tmp_path: Path,
) -> None:
    async def tale(world: Attended) -> None:
        position = await world.opened("0.5")
        await world.ask(i.ClosePosition(id="x", position=position.id))
        world.line.cut = True
        await world.buy("0.1", symbol=ETH, type=LIMIT, price=D(2900))
        await world.wait(0.01)
        world.line.cut = False
        before = len(world.opening())
        await world.engine.hand_over("the last exit", 2 * SECOND)
        assert len(world.opening()) == before, "the entry that waited does not leave"
        assert codes([await world.buy("0.1")]) == {"ENTRIES_BLOCKED"}
        assert world.engine.gateway.idle
        (alert,) = [alert for alert in world.engine.view().alerts if alert.code == "LEASE_WANTED"]
        assert "the last exit asks for the account" in alert.text
        await world.engine.close()
        held = Journal.open(
            world.home / "journal.sqlite", "world", "reader", now=1, read_only=True
        ).held_by()
        assert held.holder == "", "it is left free"
        await world.open()
        assert "LEASE_WANTED" not in world.state.blocks, "whoever starts has it"
        assert not [
            alert
            for alert in world.engine.view().alerts
            if alert.code == "LEASE_WANTED" and alert.stands
        ]
        await end(world)

    attend(tale, tmp_path, ends=False)


def test_a_line_that_never_answers_is_waited_for_no_longer_than_was_said(tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        position = await world.opened("0.5")
        world.line.cut = True
        await world.ask(i.ClosePosition(id="x", position=position.id))
        began = world.clock.now()
        await world.engine.hand_over("the last exit", 2 * SECOND)
        assert not world.engine.gateway.idle
        assert world.clock.now() - began <= 2 * SECOND + SECOND // 5
        await end(world)

    attend(tale, tmp_path, ends=False)


def test_while_the_database_is_silent_exits_leave_and_entries_do_not(tmp_path: Path) -> None:
    async def tale(world: Leased) -> None:
        position = await world.opened("0.5")
        await world.renewed(20)
        assert world.permit.check(world.clock.now()) is Standing.HELD
        await world.wait(9)
        assert world.permit.check(world.clock.now()) is Standing.ORPHANED
        before = len(world.opening())
        await world.buy("0.1")
        await world.wait(2)
        assert len(world.opening()) == before, (
            "nothing opens while nobody can say who has the account"
        )
        await world.ask(i.ClosePosition(id="x", position=position.id))
        await world.until(lambda: world.held == 0, 10)

    lease(tale, tmp_path)


def test_after_a_sleep_nothing_leaves_before_the_lease_was_renewed_again(tmp_path: Path) -> None:
    async def tale(world: Leased) -> None:
        position = await world.opened("0.5")
        await world.renewed(5)
        sent = len(world.line.heard)
        world.clock.hang(90 * SECOND)
        await world.ask(i.ClosePosition(id="x", position=position.id))
        await world.wait(20)
        assert len(world.line.heard) == sent, "somebody may have been let in while we slept"
        await world.renewed(20)
        await world.until(lambda: not world.state.positions, 20)

    lease(tale, tmp_path)


def test_a_sleeper_whose_lease_was_taken_sends_nothing_for_good(tmp_path: Path) -> None:
    async def tale(world: Leased) -> None:
        position = await world.opened("0.5")
        await world.renewed(5)
        sent = len(world.line.heard)
        world.clock.hang(90 * SECOND)
        await world.ask(i.ClosePosition(id="x", position=position.id))
        await world.wait(1.5)
        decided = world.state.seq
        world.permit.lose("epoch 2", "process 7 on other")
        await world.wait(60)
        assert len(world.line.heard) == sent
        assert world.state.seq - decided < 20, (
            "what may not leave is not decided again and again until the beat comes"
        )
        assert world.engine.read_only, "the beat finds it"
        assert any("process 7 on other" in alert.text for alert in world.engine.view().alerts)

    lease(tale, tmp_path)
