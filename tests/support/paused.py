"""Fail-over under virtual time: the engine that holds the account is stopped after any one of its
steps, as by SIGSTOP, while world, database and the engine that stands by go on; later it wakes. What
happened at the exchange judges.

A step is what an event loop calls for the holder between two awaits: so to stop after each is to
stop at each await.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from engine.account.lock import Lock
from engine.account.pen import LeasePermit
from engine.clock import SECOND, VirtualLoop
from engine.journal import Journal
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import OrderType
from engine.model.quote import Quote
from engine.model.request import Amend, Cancel, Request, Submit
from engine.model.side import Side
from engine.runtime import Engine
from engine.session.taking import DEADLINE, TTL
from engine.venues.paper import PaperVenue
from tests.support.world import BTC, World

RENEWED = 2 * SECOND
"""Between two renewals of the lease."""
HELD_BY: ContextVar[bool] = ContextVar("held_by", default=False)
"""Whether it is the holder's process that does something."""
D = Decimal


class StoppableLoop(VirtualLoop):
    """A loop in which one process can be stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        """Of the holder, so far."""
        self.stop_after: int | None = None
        self.stopped: Callable[[], None] = lambda: None
        """Called once it was stopped."""
        self.is_stopped = False
        self._held: list[tuple[Callable[[], object], Context]] = []

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]  # passed on as it came
        context = context or copy_context()
        return super().call_soon(self._of(callback, args, context), context=context)

    def call_at(  # type: ignore[override]  # passed on as it came
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        context = context or copy_context()
        if not context.get(HELD_BY):
            return super().call_at(when, callback, *args, context=context)
        found: list[asyncio.TimerHandle] = []

        def due() -> None:
            # one that was cancelled after it was due, as the others that are held, is not called
            if not found[0].cancelled():
                callback(*args)

        found.append(super().call_at(when, self._of(due, (), context), context=context))
        return found[0]

    def _of(self, callback: Any, args: tuple[Any, ...], context: Context) -> Any:
        if not context.get(HELD_BY):
            return lambda: callback(*args)

        def step() -> None:
            if self.is_stopped:
                self._held.append((step, context))
                return
            self.steps += 1
            callback(*args)
            if self.steps == self.stop_after:
                self.is_stopped = True
                self.stopped()

        return step

    def go_on(self) -> None:
        """SIGCONT."""
        self.is_stopped = False
        held, self._held = self._held, []
        for step, context in held:
            super().call_soon(step, context=context)


class Line:
    """One process's line to the exchange: what left arrives, whatever becomes of the process."""

    def __init__(self, venue: PaperVenue, world: Context) -> None:
        self._venue, self._world = venue, world
        self.name, self.live, self.profile = venue.name, venue.live, venue.profile
        self.sent: list[tuple[int, Request]] = []

    async def instruments(self) -> Any:
        return await self._venue.instruments()

    async def connect(
        self, on_report: Callable[[r.VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        loop, mine = asyncio.get_running_loop(), copy_context()

        def hear(report: r.VenueReport) -> None:
            loop.call_soon(on_report, report, context=mine)

        def price(quote: Quote) -> None:
            loop.call_soon(on_quote, quote, context=mine)

        await self._outside(self._venue.connect(hear, price))

    async def send(self, request: Request) -> tuple[r.VenueReport, ...]:
        found: tuple[r.VenueReport, ...] = await self._outside(self._carried(request))
        return found

    async def _carried(self, request: Request) -> tuple[r.VenueReport, ...]:
        self.sent.append((self._venue._clock.now(), request))
        return await self._venue.send(request)

    async def close(self) -> None:
        await self._venue.close()

    async def _outside(self, work: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.get_running_loop().create_task(work, context=self._world.copy())
        task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        return await asyncio.shield(task)


class FailOver:
    """One story: the holder trades, is stopped after a step for a time, and wakes."""

    def __init__(
        self, folder: Path, profile: str, stop_after: int | None, lasts: float, *, drop: bool
    ) -> None:
        """`lasts`: seconds of the stop; `drop`: the price falls through the stops meanwhile."""
        self.folder, self.profile, self.lasts, self.drop = folder, profile, lasts, drop
        self._stop_after = stop_after
        self.renewed = 0
        self.asked: dict[str, Decimal] = {}
        self.fills: list[Any] = []
        self.took_over = 0
        """When the other engine took the account; zero where it did not."""
        self.first_step = self.steps = 0

    async def play(self) -> None:
        """All of it; what must not be is an AssertionError."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, StoppableLoop)
        self.loop = loop
        (self.folder / "first").mkdir()
        (self.folder / "second").mkdir()
        self.world = world = World(self.folder, self.profile)
        world.exchange.on_report.append(self._filled)
        neutral = copy_context()
        self.line = Line(world.venue, neutral)
        world.price(BTC, "60000")
        feeding = loop.create_task(self._feed())
        standing_by = loop.create_task(self._stand_by())
        holder = copy_context()
        holder.run(HELD_BY.set, True)
        self.ready = asyncio.Event()
        trading = loop.create_task(self._hold(), context=holder)
        await self.ready.wait()
        self.first_step = loop.steps
        if self._stop_after is not None:
            loop.stop_after = loop.steps + self._stop_after
        stopping = loop.create_future()
        loop.stopped = lambda: stopping.set_result(None)
        await asyncio.wait({trading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        self.steps, loop.stop_after = loop.steps - self.first_step, None
        if stopping.done():
            await asyncio.sleep(self.lasts / 2)
            if self.drop:
                world.price(BTC, "57000")
            await asyncio.sleep(self.lasts / 2)
            loop.go_on()
        await asyncio.sleep(25)
        await self._judge()
        for task in (feeding, standing_by, trading):
            task.cancel()
        await asyncio.gather(feeding, standing_by, trading, return_exceptions=True)
        await self._end()

    def _engine(self, name: str, line: Line) -> Engine:
        world, folder = self.world, self.folder / name
        now = world.clock.now()
        self.journal = Journal.open(
            self.folder / "journal.sqlite", "world", name, now=now, inline=True
        )
        if self.journal.lease is None:
            self.journal.claim(name, now)
        lock = Lock.take(folder, now)
        assert isinstance(lock, Lock)
        permit = LeasePermit(lock, now, now, boottime=world.clock.now, passes_on=True)
        engine = Engine(
            world.settings, line, self.journal, world.clock, 7, inline=True, permit=permit
        )
        lease = self.journal.lease
        assert lease is not None
        asyncio.get_running_loop().create_task(
            self._renew(engine, self.journal, permit, lease.epoch)
        )
        return engine

    async def _renew(
        self, engine: Engine, journal: Journal, permit: LeasePermit, epoch: int
    ) -> None:
        """As `engine.journal.keeper`, whose thread stands still with its process."""
        while not permit.lost:
            sent = self.world.clock.now()
            await asyncio.sleep(0.01)  # the way to the database
            held = journal.held_by()
            if held.epoch != epoch:
                permit.lose("another engine took the lease", held.holder)
                engine.lose("another engine took the lease", held.holder)
                return
            self.renewed = sent
            await asyncio.sleep(0.01)
            permit.renewed(sent)
            await self.world.clock.sleep(RENEWED)

    async def _hold(self) -> None:
        """The first engine, and what a person asks of it."""
        self.first = await self._opened("first", self.line)
        self.ready.set()
        name = await self._buy("a", "0.5")
        await self._ask(i.MoveStop(id="m", position=name, stop=i.At(D("59500"))))
        await self._buy("b", "0.3")
        await self._ask(i.ClosePosition(id="c", position=name, part=D("0.5")))
        await asyncio.sleep(1)
        await self._ask(i.ClosePosition(id="d", position=name))
        await asyncio.sleep(1)

    async def _opened(self, name: str, line: Line) -> Engine:
        engine = self._engine(name, line)
        await engine.start()
        while "STARTING" in engine.state.blocks:  # noqa: ASYNC110 - a test may look again
            await asyncio.sleep(0.01)
        return engine

    async def _ask(self, intent: i.AnyIntent) -> Any:
        late = self.world.clock.now() + 3 * SECOND
        return await self.first.ask(replace(intent, not_after=late))

    async def _buy(self, name: str, size: str) -> str:
        self.asked[name] = D(size)
        answer = await self._ask(
            i.OpenBracket(
                id=name, symbol=BTC, side=Side.BUY, size=i.Base(D(size)), stop=i.Away(D("0.01")),
                target=i.Away(D("0.02")),
            )
        )  # fmt: skip
        await asyncio.sleep(0.5)
        return str(answer.created)

    async def _feed(self) -> None:
        """The market: the price of a second ago is said again."""
        while True:
            await asyncio.sleep(1)
            quote = self.world.exchange.books[BTC].quote
            assert quote is not None
            self.world.venue.feed(replace(quote, at=self.world.clock.now()))

    async def _stand_by(self) -> None:
        """The other engine takes a lease that stands still for as long as `standing_by` says."""
        seen, moved = self.renewed, self.world.clock.now()
        while True:
            await asyncio.sleep(0.25)
            now = self.world.clock.now()
            if self.renewed != seen:
                seen, moved = self.renewed, now
            if seen and now - moved >= TTL + DEADLINE:
                break
        self.took_over = self.world.clock.now()
        self.second = await self._opened("second", Line(self.world.venue.beside(8), copy_context()))

    def _filled(self, report: r.VenueReport) -> None:
        if isinstance(report, r.Filled):
            self.fills.append(report.fill)

    # What must hold

    async def _judge(self) -> None:
        entered, running = Counter[Decimal](), D(0)
        seen: set[str] = set()
        for fill in self.fills:
            if fill.execution_id in seen:
                continue
            seen.add(fill.execution_id)
            running += fill.size if fill.side is Side.BUY else -fill.size
            assert running >= 0, f"more sold than bought: {running}"
            entered[fill.size] += fill.side is Side.BUY
        for size, count in entered.items():
            assert count <= 1, f"{size} was bought {count} times"
        held = self.world.held
        assert held == running
        stops = [one for one in self.world.resting if one.type is OrderType.STOP]
        guarded = sum((one.remaining for one in stops), D(0))
        assert guarded == held, f"{held} is held, stops for {guarded} rest"
        if self.took_over:
            late = [
                request
                for at, request in self.line.sent
                if at >= self.took_over and isinstance(request, Submit | Amend | Cancel)
            ]
            assert late == [], f"the engine that lost the account sent {late}"
            assert self.first.read_only
        else:
            assert not self.first.read_only

    async def _end(self) -> None:
        for engine in (self.first, *([self.second] if self.took_over else ())):
            await engine.abandon()
            engine.journal.close(0)
        self.world.venue.shut_down()


def run(
    folder: Path, profile: str, stop_after: int | None, lasts: float = 20.0, *, drop: bool = False
) -> FailOver:
    """Play one; returns it."""
    story = FailOver(folder, profile, stop_after, lasts, drop=drop)
    with asyncio.Runner(loop_factory=StoppableLoop) as runner:
        runner.run(story.play())
    return story
