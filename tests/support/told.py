"""A console under Textual's pilot over a real engine on a paper venue, and a web server on loopback
that hears its webhook.

What is told is seen where a person would: the toasts and the bell of the screen, the record that
`L` shows, what was posted.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from engine.clock import SECOND
from engine.journal import Journal
from engine.model.intent import AnyIntent
from engine.model.report import VenueReport
from engine.model.request import Amend, Cancel, Request, Submit
from engine.model.view import Answer, Notice, View
from engine.outlets import Outlets
from engine.rehearsal.simulation.power import Line, Power
from engine.runtime import Engine, Hooks
from engine.session import Query, Session, Told, Welcome
from engine.session.messages import MAJOR, MINOR
from engine.session.queries import Queries
from tests.support.idle import watch_messages
from tests.support.outlet import Outlet
from tests.support.painted import paint_when_read, screen_text
from tests.support.world import World
from tui.app import FlatoutApp
from tui.options import ConsoleOptions
from tui.record import record
from tui.toasts import Toast

watch_messages()
paint_when_read()

SPEED = 2.0
"""How much faster than the machine the world runs: fast enough to wait for what is told late, slow
enough for a busy machine.
"""

Reply = Callable[[Request], tuple[VenueReport, ...]]
"""What the venue says to a request instead of its own answer; may raise VenueError."""


class Scripted(Line):
    """A line to the venue whose next answers may be another's."""

    def __init__(self, world: World) -> None:
        super().__init__(world.venue, Power())
        self.next: dict[type, Reply] = {}
        """By kind of request; used once."""

    async def send(self, request: Request) -> tuple[VenueReport, ...]:
        """As its parent, unless a word is waiting."""
        reply = self.next.pop(type(request), None)
        return await super().send(request) if reply is None else reply(request)


class Bystander:
    """A session in this process over the world's engine."""

    read_only = False

    def __init__(self, world: "ToldWorld") -> None:
        self._world = world

    def view(self) -> View:
        return self._world.engine.view()

    async def ask(self, intent: AnyIntent) -> Answer:
        return await self._world.engine.ask(intent)

    def hello(self) -> Welcome:
        account = self._world.settings.account
        return Welcome(
            MAJOR, MINOR, account.name, account.venue, live=False, read_only=False, pid=0
        )

    async def query(self, query: Query) -> Told:
        return await Queries(self._world.engine, self.view).answer(query)

    def silent_for(self) -> float:
        return 0.0

    def trouble(self, code: str, subject: str, text: str) -> None:
        self._world.engine.trouble(code, subject, text)

    async def take(self) -> str:
        return ""

    async def end(self, *, alone: bool = False) -> str:
        return "the world ends by itself"

    async def close(self) -> None:
        """The world ends by itself."""


class ToldWorld(World):
    """A world whose venue may be given words, and whose record goes to a webhook."""

    line: Scripted

    def make(self) -> Engine:
        journal = Journal.open(
            self.home / "journal.sqlite", "world", "story", now=self.clock.now(), inline=True
        )
        if journal.lease is None:
            journal.claim("story", self.clock.now())
        self.line = Scripted(self)
        return Engine(
            self.settings,
            self.line,
            journal,
            self.clock,
            self.seed,
            inline=True,
            hooks=Hooks(decided=self._noted),
        )

    def _noted(self, decision: Any, _: int) -> None:
        self.events.extend(decision.events)
        if decision.failure:
            self.failures.append(decision.failure)


class Theatre:
    """The running console, the world behind it, and whoever is outside."""

    def __init__(
        self, world: ToldWorld, app: FlatoutApp, pilot: Pilot[None], outlet: Outlet
    ) -> None:
        self.world = world
        self.app = app
        self.pilot = pilot
        self.outlet = outlet
        self.toasts: list[tuple[str, str]] = []
        """Text and tone of each toast, in order."""
        self.rings = 0
        """Bells that reached the terminal's driver."""
        add = app.main.toasts.add

        def added(text: str, tone: str, now: float) -> None:
            self.toasts.append((text, tone))
            add(text, tone, now)

        app.main.toasts.add = added  # type: ignore[method-assign]
        bell = app.bell

        def rang() -> None:
            self.rings += 1
            bell()

        app.bell = rang  # type: ignore[method-assign]
        self.mark()

    def mark(self) -> None:
        """Forget what was told so far."""
        self._from = self.world.engine.notices[-1].seq if self.world.engine.notices else 0
        self.toasts.clear()
        self.rings = 0
        self._posted = len(self.outlet.told)

    @property
    def lines(self) -> list[Notice]:
        """The lines of the record since the mark, newest first, as `L` shows them."""
        return [notice for notice in record(self.world.engine.view()) if notice.seq > self._from]

    @property
    def stood_still(self) -> bool:
        """Whether the machine was too busy for this process: then the engine tells that, too, and
        holds exits back.
        """
        return any(
            "stood still" in notice.text or "nobody looked" in notice.text
            for notice in self.world.engine.notices
        )

    @property
    def posted(self) -> list[dict[str, Any]]:
        """What the webhook was told since the mark."""
        return [json.loads(text) for text in self.outlet.told[self._posted :]]

    @property
    def text(self) -> str:
        """Everything on the screen."""
        return screen_text(self.app)

    @property
    def shown(self) -> tuple[Toast, ...]:
        """The toasts that stand."""
        return self.app.main.toasts.toasts

    async def until(self, true: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until something is so, in the machine's own seconds, while prices stay fresh."""
        end = asyncio.get_running_loop().time() + seconds
        while not true():
            assert asyncio.get_running_loop().time() < end, (
                f"it never became so; told: {[line.text for line in self.lines]}\n{self.text}"
            )
            await self.rest(0.05)

    async def shows(self, words: str) -> None:
        """Wait until the screen has these words: a busy machine paints late."""
        await self.until(lambda: words in self.text)

    async def rest(self, seconds: float) -> None:
        """Let the machine's own seconds go by while prices stay fresh."""
        await self.world.wait(seconds * self.world.clock.speed)
        await self.pilot.pause()

    async def settle(self) -> None:
        """Let the console paint, the bell ring out and the webhook hear."""
        await self.rest(1.2)

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)
        await self.rest(0.1)


def submit(reply: Callable[[Submit], VenueReport]) -> Reply:
    """A reply to an order."""

    def said(request: Request) -> tuple[VenueReport, ...]:
        assert isinstance(request, Submit)
        return (reply(request),)

    return said


def change(reply: Callable[[Amend | Cancel], VenueReport]) -> Reply:
    """A reply to a change or a cancellation."""

    def said(request: Request) -> tuple[VenueReport, ...]:
        assert isinstance(request, Amend | Cancel)
        return (reply(request),)

    return said


@asynccontextmanager
async def theatre(
    home: Path,
    profile: str = "kraken-spot",
    size: tuple[int, int] = (120, 40),
    values: dict[str, Any] | None = None,
    speed: float = SPEED,
) -> AsyncIterator[Theatre]:
    """Open all of it; everything is closed again."""
    outlet = Outlet()
    hook = {
        "notify.webhook": f"http://somebody:hunter2-of-ours@127.0.0.1:{outlet.server_port}/told"
    }
    world = ToldWorld(home, profile, speed=speed, values={**hook, **(values or {})})
    await world.open()
    Outlets(world.settings, world.engine, home).start()

    async def open_session() -> Session:
        return Bystander(world)

    app = FlatoutApp(open_session, ConsoleOptions(home=home, fps=20))
    try:
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.3)
            stage = Theatre(world, app, pilot, outlet)
            await stage.rest(0.2)
            stage.mark()
            yield stage
        assert world.failures == []
    finally:
        await world.engine.close(int(SECOND))
        world.venue.shut_down()
        await asyncio.to_thread(outlet.shutdown)
        outlet.server_close()
