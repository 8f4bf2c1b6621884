"""A venue's line that does as it is told: the other side of the gateway, with a limit model of its
own that punishes what is too much.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from engine.clock import SECOND, Clock, run_virtual
from engine.gateway import Gateway, GatewayRules
from engine.gateway.listener import Listener
from engine.model import limits
from engine.model import report as r
from engine.model.instrument import Instrument
from engine.model.order import Order, OrderType, Role
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.request import Amend, Cancel, Lane, Query, Request, Submit, subject
from engine.model.side import Side
from engine.venues.profiles import load_profile
from tests.support.gates import open_gate
from tests.support.world import BTC, START, D


class Line:
    """Carries requests; `answers` says how the next ones go: None is well, an exception is raised
    after a second.
    """

    name, live = "line", False

    def __init__(self, clock: Clock, profile: Profile) -> None:
        self.clock = clock
        self.profile = profile
        self.model = profile.limit_model()
        self.carried: list[Request] = []
        self.times: list[int] = []
        self.on_the_line: list[str] = []
        self.most = 0
        self.refused = 0
        self.delay = SECOND // 100
        self.answers: deque[Exception | None] = deque()

    async def instruments(self) -> tuple[Instrument, ...]:
        return ()

    async def connect(
        self, on_report: Callable[[r.VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        return None

    async def close(self) -> None:
        return None

    async def send(self, request: Request) -> tuple[r.VenueReport, ...]:
        now = self.clock.now()
        assert subject(request) not in self.on_the_line, "two requests about one thing at once"
        # a microsecond of rounding is forgiven
        if limits.wait(self.model, request, now, {}) > 1_000:
            self.refused += 1
        limits.spend(self.model, request, now)
        self.carried.append(request)
        self.times.append(now)
        self.on_the_line.append(subject(request))
        self.most = max(self.most, len(self.on_the_line))
        failure = self.answers.popleft() if self.answers else None
        try:
            await self.clock.sleep(self.delay)
        finally:
            self.on_the_line.remove(subject(request))
        if failure is not None:
            raise failure
        match request:
            case Submit(order=order):
                return (r.Accepted(order.client_order_id, "V", now),)
            case Cancel(client_order_id=name):
                return (r.Cancelled(name, None, "", now),)
            case _:
                return ()


class Office:
    """A gateway, its line, and all that it told."""

    def __init__(
        self, profile: str = "kraken-spot", rules: GatewayRules | None = None, reserve: float = 0.0
    ) -> None:
        self.clock = Clock(asyncio.get_running_loop(), START)
        self.line = Line(self.clock, load_profile(profile))
        self.reports: list[r.VenueReport] = []
        self.troubles: list[tuple[str, str]] = []
        self.limited: list[str] = []
        self.on_picture: Callable[[], None] = lambda: None
        self.reserve = reserve
        self.deaths: list[BaseException] = []
        self._tasks: set[asyncio.Task[None]] = set()
        listener = Listener(
            self.reports.append,
            lambda code, text: self.troubles.append((code, text)),
            self.limited.append,
            self._picture,
        )
        self.gateway = Gateway(
            self.line,
            rules or GatewayRules(delay=0.0),
            self.clock,
            Random(1),
            self._spawn,
            listener,
            lambda: dict.fromkeys((BTC, "rest", "derivatives"), self.reserve),
            lambda: self.reserve,
            open_gate(),
        )

    def _picture(self) -> None:
        self.on_picture()

    def _spawn(self, _: str, work: Coroutine[Any, Any, None]) -> object:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = task.exception()
        if error is not None:
            self.deaths.append(error)

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep(int(seconds * SECOND))

    async def idle(self, seconds: float = 600) -> None:
        """Until nothing waits and nothing is on the line."""
        end = self.clock.now() + int(seconds * SECOND)
        while not self.gateway.idle:
            assert self.clock.now() < end, self.gateway.lanes
            await self.wait(0.01)

    @property
    def names(self) -> list[str]:
        return [subject(request) for request in self.line.carried]


def in_office(tale: Callable[[Office], Coroutine[Any, Any, None]], **terms: Any) -> None:
    """Tell a story about a gateway under virtual time."""

    async def main() -> None:
        office = Office(**terms)
        await tale(office)
        office.gateway.close()

    run_virtual(main())


def submit(name: str, lane: Lane = Lane.ENTRY, *, deadline: int | None = None) -> Submit:
    role = Role.ENTRY if lane is Lane.ENTRY else Role.STOP
    return Submit(
        Order(
            name,
            "P",
            BTC,
            Side.BUY,
            OrderType.LIMIT,
            role,
            D(1),
            price=D(60_000),
            deadline=deadline,
        ),
        lane,
    )


def amend(name: str, lane: Lane = Lane.PROTECT, touched_at: int = 0) -> Amend:
    return Amend(name, BTC, lane, trigger=D(1), touched_at=touched_at)


def cancel(name: str, lane: Lane = Lane.CANCEL, touched_at: int = 0) -> Cancel:
    return Cancel(name, BTC, lane, touched_at=touched_at)


def query(name: str) -> Query:
    return Query(name, BTC)
