"""An engine whose disk dawdles or fails, whose lease is taken, whose tasks die: what leaves for the
venue, what is told, what is left behind.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from engine.clock import run_virtual
from engine.desk import Wake
from engine.desk import events as e
from engine.desk.codec import decode
from engine.exchange import Faults
from engine.journal import Journal
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import OrderType
from engine.model.position import Protection
from engine.model.report import VenueReport
from engine.model.request import Amend, Cancel, Lane, Request, Submit, subject
from engine.rehearsal.simulation.power import Disk, FaultyJournal, Line, Power
from engine.runtime import Engine, Hooks
from engine.venues.protocol import NotSentError
from tests.support.world import BTC, ETH, SECOND, D, World, codes

LIMIT = OrderType.LIMIT


class Heard(Struct):
    """What reached the venue."""

    request: Request
    durable: bool
    """Whether the journal held the decision at that moment."""


class Watched(Line):
    """A line that notes what passes; it can be cut, and its code can fail."""

    def __init__(self, world: "Attended", power: Power) -> None:
        super().__init__(world.venue, power)
        self._world = world
        self.heard: list[Heard] = []
        self.cut = False
        self.broken = False

    async def send(self, request: Request) -> tuple[VenueReport, ...]:
        """As its parent."""
        if self.cut:
            raise NotSentError("the cable is out")
        if isinstance(request, Submit | Cancel | Amend):
            self.heard.append(Heard(request, self._world.is_written(request)))
            if self.broken:
                self.broken = False
                raise RuntimeError("the client's code is broken")
        return await super().send(request)


class Attended(World):
    """A world whose disk, line and power can be taken away."""

    def make(self) -> Engine:
        self.disk, self.power = Disk(), Power()
        self.line = Watched(self, self.power)
        self.journal = FaultyJournal.open(
            self.home / "journal.sqlite", "world", "story", now=self.clock.now(), inline=True
        )
        self.journal.equip(self.disk, self.power, self.clock)
        return Engine(
            self.settings,
            self.line,
            self.journal,
            self.clock,
            self.seed,
            inline=True,
            hooks=Hooks(decided=self._decided),
        )

    def is_written(self, request: Request) -> bool:
        """Whether the file tells that this was decided."""
        for stored in self.journal.events():
            match decode(stored.body), request:
                case e.OrderSubmitted(order=order), Submit() if order.client_order_id == subject(
                    request
                ):
                    return True
                case (e.CancelAsked(order=name), Cancel()) | (
                    e.AmendAsked(order=name),
                    Amend(),
                ) if name == subject(request):
                    return True
                case _:
                    continue
        return False

    def opening(self) -> list[Submit]:
        """The entries that reached the venue."""
        submits = [heard.request for heard in self.line.heard if isinstance(heard.request, Submit)]
        return [submit for submit in submits if not submit.order.is_exit]

    async def power_fails(self) -> None:
        """The process is gone and another one begins: what was not on the disk is lost."""
        self.power.cut()
        await self.engine.abandon()
        self.journal.unplug()
        await self.open()


Tale = Callable[[Attended], Coroutine[Any, Any, None]]


def attend(tale: Tale, home: Path, *, ends: bool = True, **terms: Any) -> None:
    """Tell a story in such a world; one that ends, ends in order."""

    async def main() -> None:
        world = Attended(home, **terms)
        await world.open()
        await tale(world)
        if ends:
            await world.wait(1)
            world.engine.save()
            assert world.journal.waiting == 0, "all of it is written"
            await world.end()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others, "no task is left"

    run_virtual(main())


# Written, then sent


@pytest.mark.hazard("H02")
@pytest.mark.parametrize("delay", [0, SECOND // 10, SECOND])
def test_whatever_reaches_the_venue_is_in_the_journal_by_then(delay: int, tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        world.disk.delay = delay
        position = await world.opened("0.5")
        await world.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
        resting = await world.buy("0.2", symbol=ETH, type=LIMIT, price=D(2900))
        await world.wait(3)
        (order,) = world.state.orders_for(resting.created)
        await world.ask(i.CancelOrder(id="c", order=order.client_order_id))
        await world.ask(i.ClosePosition(id="x", position=position.id))
        await world.until(lambda: not world.state.positions)
        world.disk.delay = 0
        await world.wait(2)
        assert {type(heard.request) for heard in world.line.heard} == {Submit, Cancel, Amend}
        assert [heard.request for heard in world.line.heard if not heard.durable] == []

    attend(tale, tmp_path)


@pytest.mark.hazard("H02")
def test_an_entry_waits_for_a_slow_disk_and_then_leaves_once(tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        world.disk.delay = 2 * SECOND
        answer = await world.buy("0.5")
        assert answer.ok
        await world.wait(1.9)
        assert world.opening() == []
        assert world.held == 0
        await world.wait(0.2)
        world.disk.delay = 0
        await world.wait(5)
        assert [submit.order.position for submit in world.opening()] == [answer.created]
        assert world.held == D("0.5")

    attend(tale, tmp_path)


@pytest.mark.hazard("H03")
@pytest.mark.parametrize("price", [None, D(59_900)])
def test_a_crash_before_the_commit_leaves_nothing_at_the_venue(
    price: object, tmp_path: Path
) -> None:
    async def tale(world: Attended) -> None:
        world.disk.delay = 2 * SECOND
        terms = {} if price is None else {"type": LIMIT, "price": price}
        assert (await world.buy("0.5", **terms)).ok
        await world.wait(1)
        await world.power_fails()
        assert not world.resting
        assert world.held == 0
        assert not world.state.positions
        assert not world.state.orders
        await world.wait(10)
        assert not world.resting
        assert not world.told() & {"DIFFERENCE", "UNKNOWN_ORDER", "UNKNOWN_OUTCOME"}
        assert (await world.buy("0.1")).ok

    attend(tale, tmp_path)


# The disk fails


@pytest.mark.hazard("H63")
def test_while_the_journal_fails_entries_are_refused_and_it_is_told_until_it_is_over(
    tmp_path: Path,
) -> None:
    async def tale(world: Attended) -> None:
        position = await world.opened("0.5")
        world.disk.fails = True
        await world.ask(i.Annotate(id="n", position=position.id, note="written later"))
        await world.wait(0.2)
        view = world.engine.view()
        assert view.journal_failing == "the disk is full"
        assert (view.mode, [reason.code for reason in view.reasons]) == (
            "REDUCING",
            ["JOURNAL_FAILING"],
        )
        assert [alert.code for alert in view.alerts if alert.stands] == ["JOURNAL_FAILING"]
        sent = len(world.opening())
        for _ in range(3):
            assert codes([await world.buy("0.1")]) == {"ENTRIES_BLOCKED"}
            await world.wait(5)
        assert len(world.opening()) == sent
        assert codes([await world.ask(i.Resume(id="r", reason="JOURNAL_FAILING"))]) == {
            "NOT_RESUMABLE"
        }
        world.disk.fails = False
        await world.until(lambda: "JOURNAL_FAILING" not in world.state.blocks, 2)
        assert world.engine.view().journal_failing == ""
        assert "JOURNAL_FAILING:journal" not in world.state.alerts
        assert (await world.buy("0.1")).ok

    attend(tale, tmp_path)


@pytest.mark.hazard("H63")
def test_while_the_journal_fails_exits_stops_and_cancels_leave_at_once(tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        closed, moved = await world.opened("0.5"), await world.opened("0.3")
        resting, filling = (
            await world.buy("1", symbol=ETH, type=LIMIT, price=D(2900)),
            await world.buy("2", symbol=ETH, type=LIMIT, price=D(2990)),
        )
        await world.wait(1)
        world.disk.fails = True
        await world.ask(i.ClosePosition(id="x", position=closed.id))
        await world.ask(i.MoveStop(id="m", position=moved.id, stop=i.At(D(59_900))))
        (order,) = world.state.orders_for(resting.created)
        await world.ask(i.CancelOrder(id="c", order=order.client_order_id))
        await world.until(lambda: closed.id in world.state.closed, 2)
        assert world.held == D("0.3")
        assert [order.trigger for order in world.resting if order.symbol == BTC] == [D(59_900)]
        await world.until(lambda: resting.created not in world.state.positions, 2)
        world.price(ETH, "2980")
        await world.until(
            lambda: world.state.positions[filling.created].protection is Protection.VENUE, 2
        )
        assert {order.position for order in world.resting} == {moved.id, filling.created}
        late = [heard for heard in world.line.heard if not heard.durable]
        assert len(late) >= 4, "they did not wait"
        world.disk.fails = False
        await world.wait(1)
        assert world.journal.waiting == 0
        assert all(world.is_written(heard.request) for heard in late)

    attend(tale, tmp_path)


@pytest.mark.hazard("H63")
def test_the_guard_closes_while_the_journal_fails(tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        world.venue.faults = Faults(reject_stop=1.0)
        answer = await world.buy("0.5")
        await world.until(lambda: "STOP_REFUSED" in world.told())
        assert world.position().protection is Protection.GUARDED
        world.disk.fails = True
        world.price(BTC, "59400")
        await world.until(lambda: world.held == 0, 2)
        assert world.journal.waiting > 0, "before it was written"
        world.disk.fails = False
        await world.wait(5)
        assert world.state.closed[answer.created].close_reason == "stop (guard)"
        assert not world.resting

    attend(tale, tmp_path)


@pytest.mark.hazard("H63")
@pytest.mark.parametrize(("seconds", "left"), [(3, 1), (6, 0)])
def test_an_entry_decided_as_the_disk_failed_waits_for_it_and_is_never_late(
    seconds: float, left: int, tmp_path: Path
) -> None:
    async def tale(world: Attended) -> None:
        world.disk.fails = True
        answer = await world.buy("0.5")
        assert answer.ok, "nobody knew yet"
        await world.wait(seconds)
        assert "JOURNAL_FAILING" in world.state.blocks
        assert world.opening() == []
        world.disk.fails = False
        await world.wait(3)
        assert len(world.opening()) == left
        assert world.held == left * D("0.5")
        assert (answer.created in world.state.positions) is bool(left)

    attend(tale, tmp_path)


@pytest.mark.hazard("H63")
def test_a_disk_that_comes_and_goes_loses_nothing(tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        position = await world.opened("0.5")
        for turn in range(6):
            world.disk.fails = turn % 2 == 0
            await world.ask(i.Annotate(id=f"n{turn}", position=position.id, note=f"turn {turn}"))
            await world.wait(1)
            assert ("JOURNAL_FAILING" in world.state.blocks) is world.disk.fails
        await world.power_fails()
        assert world.state.positions[position.id].note == "turn 5"
        raised = [
            event for event in world.seen(e.AlertRaised) if event.alert.code == "JOURNAL_FAILING"
        ]
        assert len(raised) == 3

    attend(tale, tmp_path)


# Whatever else blocks entries


@pytest.mark.hazard("H45")
@pytest.mark.parametrize("trouble", ["BREAKER", "DISCONNECTED", "JOURNAL_FAILING", "TASK_DIED"])
def test_what_blocks_entries_lets_every_exit_through_to_the_venue(
    trouble: str, tmp_path: Path
) -> None:
    async def tale(world: Attended) -> None:
        closed, moved = await world.opened("0.5"), await world.opened("0.3")
        resting = await world.buy("1", symbol=ETH, type=LIMIT, price=D(2900))
        await world.wait(1)
        (order,) = world.state.orders_for(resting.created)
        await _begin(world, trouble)
        await world.until(lambda: trouble in world.state.blocks)
        assert codes([await world.buy("0.1")]) == {"ENTRIES_BLOCKED"}
        assert (await world.ask(i.ClosePosition(id="x", position=closed.id))).ok
        assert (await world.ask(i.MoveStop(id="m", position=moved.id, stop=i.At(D(59_900))))).ok
        assert (await world.ask(i.CancelOrder(id="c", order=order.client_order_id))).ok
        assert codes([await world.buy("0.1")]) == {"ENTRIES_BLOCKED"}
        world.line.cut = False
        await world.until(lambda: world.held == D("0.3"), 10)
        await world.until(lambda: [resting.trigger for resting in world.resting] == [D(59_900)], 10)
        world.disk.fails = False
        await world.until(lambda: closed.id in world.state.closed, 60)

    attend(tale, tmp_path)


async def _begin(world: Attended, trouble: str) -> None:
    match trouble:
        case "BREAKER":
            world.line.cut = True
            for _ in range(6):
                await world.buy("0.1")
                await world.wait(1)
        case "DISCONNECTED":
            world.venue._tell_trouble("the stream broke")
        case "JOURNAL_FAILING":
            world.disk.fails = True
            await world.ask(i.Pause(id="p"))
            await world.ask(i.Resume(id="r"))
        case "TASK_DIED":
            world.line.broken = True
            await world.buy("0.1")


# Somebody else holds the account


@pytest.mark.hazard("H70")
def test_who_loses_the_lease_falls_silent(tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        position = await world.opened("0.5")
        other = Journal.open(
            world.home / "journal.sqlite",
            "world",
            "another program",
            now=world.clock.now(),
            inline=True,
        )
        assert other.lease is None, "it is ours"
        other.claim("another program", world.clock.now())
        stored = len(list(other.events()))
        await world.ask(i.Annotate(id="n", position=position.id, note="the first to notice"))
        assert world.engine.read_only
        assert "another program" in world.engine.view().notices[-1].text
        sent = len(world.line.heard)
        await world.buy("0.1")
        await world.ask(i.ClosePosition(id="x", position=position.id))
        await world.wait(120)
        assert len(world.line.heard) == sent, "the other one acts now"
        assert len(list(other.events())) == stored, "and writes alone"
        await world.engine.close()
        world.venue.shut_down()
        assert other.held_by().holder == "another program"
        other.close()

    attend(tale, tmp_path, ends=False)


# Tasks


@pytest.mark.hazard("H12")
def test_a_request_whose_task_dies_is_told_blocks_entries_and_is_asked_about(
    tmp_path: Path,
) -> None:
    async def tale(world: Attended) -> None:
        position = await world.opened("0.5")
        world.line.broken = True
        await world.buy("0.3")
        await world.until(lambda: "TASK_DIED" in world.state.blocks)
        (alert,) = [alert for alert in world.state.alerts.values() if alert.code == "TASK_DIED"]
        assert "the client's code is broken" in alert.detail
        assert any(
            "a part of the engine died" in notice.text for notice in world.engine.view().notices
        )
        assert codes([await world.buy("0.1")]) == {"ENTRIES_BLOCKED"}
        assert (await world.ask(i.ClosePosition(id="c", position=position.id))).ok
        await world.until(lambda: world.held == 0)
        await world.until(lambda: not world.state.doubts, 60)
        assert (await world.ask(i.Resume(id="r", reason="TASK_DIED"))).ok
        assert (await world.buy("0.1")).ok

    attend(tale, tmp_path)


@pytest.mark.hazard("H12")
@pytest.mark.parametrize("crash", [False, True])
def test_after_the_end_no_task_is_left(crash: bool, tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        async def for_ever() -> None:
            await asyncio.get_running_loop().create_future()

        world.engine.tasks.spawn("market", for_ever())
        for _ in range(5):
            await world.buy("0.1")
        assert len(world.engine.tasks) == 6
        await (world.engine.abandon() if crash else world.engine.close())
        assert len(world.engine.tasks) == 0
        world.journal.close()
        world.venue.shut_down()

    attend(tale, tmp_path, ends=False)


@pytest.mark.hazard("H12")
@pytest.mark.parametrize("crash", [False, True])
def test_after_the_end_nothing_is_decided_and_nothing_leaves(crash: bool, tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        await world.buy("0.1")
        gone, stop = world.engine, next(order for order in world.state.orders.values())
        await (gone.abandon() if crash else gone.close())
        decided, heard = gone.state.seq, len(world.line.heard)
        gone.hearing.rate_limited("an answer that came late")
        gone.post(Wake())
        gone.gateway.enqueue([Cancel(stop.client_order_id, BTC, Lane.CANCEL)])
        late = gone.tasks.spawn("late", world.clock.sleep(SECOND))
        with pytest.raises(ConnectionError, match="the engine has ended"):
            await gone.ask(i.Flatten(id="late"))
        await world.clock.sleep(3 * SECOND)
        assert gone.state.seq == decided
        assert len(world.line.heard) == heard, "nothing reached the venue"
        assert late.cancelled()
        world.journal.close()
        world.venue.shut_down()

    attend(tale, tmp_path, ends=False)


def test_what_the_venue_asks_for_itself_is_charged_and_is_no_message(tmp_path: Path) -> None:
    async def tale(world: Attended) -> None:
        decided, free = (
            world.engine.state.seq,
            {level.name: level.free for level in world.engine.gateway.levels()},
        )
        world.engine.hearing.report(r.Charged("rest", 3.0, world.clock.now()))
        assert {level.name: level.free for level in world.engine.gateway.levels()}[
            "rest"
        ] == pytest.approx(free.get("rest", 15.0) - 3, abs=0.1)
        assert world.engine.state.seq == decided

    attend(tale, tmp_path)
