"""A console with a price ladder over a real engine on a paper venue, whose book is told by hand."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace
from textual.pilot import Pilot

from engine.clock import SECOND
from engine.journal import Journal
from engine.model.intent import AnyIntent
from engine.model.order import Order
from engine.model.quote import Depth, Level, Trade
from engine.model.request import Amend, Submit
from engine.model.rules import LadderRules
from engine.model.side import Side
from engine.model.templates import Templates, TemplateSettings
from engine.model.view import Answer, View
from engine.runtime import Engine, Hooks
from engine.session import Session
from engine.session.messages import Welcome
from engine.setup.filling import filled
from tests.support.painted import screen_text
from tests.support.told import Bystander, ToldWorld
from tests.support.world import BTC
from tui.app import FlatoutApp
from tui.options import ConsoleOptions
from tui.panes.ladder import LadderPane

D = Decimal
TICK = D("0.1")
TEMPLATES = Templates(
    {"scalp": TemplateSettings(stop="0.5%", targets=("1r 50%", "2r rest"))}, {BTC: "scalp"}
)


class Holder(Bystander):
    """A session that can be live, read-only, or silent."""

    def __init__(self, world: ToldWorld) -> None:
        super().__init__(world)
        self.live = False
        self.silent = 0.0
        self.asked: list[AnyIntent] = []

    def view(self) -> View:
        view = super().view()
        return replace(view, account=replace(view.account, live=self.live))

    async def ask(self, intent: AnyIntent) -> Answer:
        self.asked.append(intent)
        return await super().ask(intent)

    def hello(self) -> Welcome:
        return replace(super().hello(), live=self.live)

    def silent_for(self) -> float:
        return self.silent


class LadderWorld(ToldWorld):
    """A world that remembers what the desk asks of the venue."""

    def __init__(self, *args: Any, **terms: Any) -> None:
        super().__init__(*args, **terms)
        self.requests: list[object] = []

    def make(self) -> Engine:
        """An engine on the venue itself: a line between them would hide its books."""
        journal = Journal.open(
            self.home / "journal.sqlite", "world", "story", now=self.clock.now(), inline=True
        )
        journal.claim("story", self.clock.now())
        return Engine(
            self.settings, self.venue, journal, self.clock, self.seed,
            inline=True, hooks=Hooks(decided=self._noted),
        )  # fmt: skip

    def _noted(self, decision: Any, now: int) -> None:
        super()._noted(decision, now)
        self.requests.extend(decision.requests)


class LadderStage:
    """All of it."""

    def __init__(
        self, world: LadderWorld, app: FlatoutApp, pilot: Pilot[None], session: Holder
    ) -> None:
        self.world, self.app, self.pilot, self.session = world, app, pilot, session

    @property
    def pane(self) -> LadderPane:
        return cast(LadderPane, self.app.main.board.panes["ladder"])

    @property
    def armed(self) -> bool:
        return self.pane.ladder.arming.armed

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def lines(self) -> str:
        """What the ladder shows, whatever toast stands over it."""
        shown = self.pane.shown
        return "\n".join("".join(text for text, _ in line) for line in shown)

    @property
    def said(self) -> str:
        return "".join(text for line in self.app.main.last.shown for text, _ in line)

    @property
    def asked(self) -> list[AnyIntent]:
        """What reached the engine."""
        return self.session.asked

    @property
    def sent(self) -> list[Order]:
        """Entries that the desk let through, in order."""
        return [one.order for one in self._requests(Submit) if not one.order.is_exit]

    @property
    def amends(self) -> list[Amend]:
        return self._requests(Amend)

    def _requests(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.world.requests if isinstance(one, kind)]

    def book(self, bid: Decimal, *, levels: int = 60, spread: int = 1, size: str = "2") -> None:
        """A book with a level at each tick, the best bid at `bid`."""
        rows = [Level(Side.BUY, bid - n * TICK, D(size)) for n in range(levels)]
        rows += [Level(Side.SELL, bid + (n + spread) * TICK, D(size)) for n in range(levels)]
        self.world.venue.feed(Depth(BTC, self.world.clock.now(), tuple(rows), snapshot=True))

    def trade(self, price: Decimal, size: str = "1") -> None:
        self.world.venue.feed(Trade(BTC, self.world.clock.now(), price, D(size), Side.SELL))

    async def rest(self, seconds: float = 0.15) -> None:
        await asyncio.sleep(seconds)
        await self.pilot.pause()

    async def until(self, so: Callable[[], object], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not so():
            assert time.monotonic() < end, f"it never became so; said: {self.said}\n{self.text}"
            self.fresh()
            await self.rest(0.05)

    def fresh(self) -> None:
        """Tell the prices that stand once more, so that they are not old."""
        for book in self.world.exchange.books.values():
            if book.quote is not None and book.instrument.symbol != BTC:
                self.world.venue.feed(replace(book.quote, at=self.world.clock.now()))
        quote = self.world.exchange.books[BTC].quote
        if quote is not None:
            level = Level(Side.BUY, quote.bid, quote.bid_size + 1)
            self.world.venue.feed(Depth(BTC, self.world.clock.now(), (level,), snapshot=False))

    async def press(self, *keys: str) -> None:
        """Press keys, each at a picture of its own."""
        for key in keys:
            self.fresh()
            await self.seen()
            await self.pilot.press(key)
            await self.rest(0.2)

    async def seen(self) -> None:
        """Wait until the picture on the screen is of the market as it is."""
        quote = self.world.exchange.books[BTC].quote
        assert quote is not None

        def so() -> bool:
            picture = self.pane.ladder.pictures.at(time.monotonic())
            return picture is not None and picture.seen.bid == quote.bid

        await self.until(so)

    async def arm(self) -> None:
        await self.press("A")
        assert self.armed, self.said


@asynccontextmanager
async def ladder_stage(
    home: Path,
    size: tuple[int, int] = (120, 40),
    values: dict[str, Any] | None = None,
    rules: LadderRules | None = None,
    presets: tuple[str, ...] = ("0.1", "0.25", "5000$", "risk 0.5%"),
    templates: Templates = TEMPLATES,
    fps: float = 20,
) -> AsyncIterator[LadderStage]:
    """Open all of it, with the ladder listening; everything is closed again."""
    # a busy machine is late: what is tried here is not how fast it is
    patient = {"ladder.max_age": 30.0, "risk.price_age": 30.0, "risk.sizing_age": 30.0}
    world = LadderWorld(home, "kraken-futures", speed=1.0, values={**patient, **(values or {})})
    await world.open()
    session = Holder(world)

    async def open_session() -> Session:
        return session

    options = ConsoleOptions(
        home=home, fps=fps, ladder=replace(rules or LadderRules(), max_age=30.0), presets=presets, templates=templates,
        filled=filled(templates, time.time_ns),
    )  # fmt: skip
    app = FlatoutApp(open_session, options)
    try:
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.3)
            stage = LadderStage(world, app, pilot, session)
            stage.book(D(60_000))
            await stage.until(lambda: app.main.board.focus_symbol == BTC)
            app.main.board.listen("ladder")
            await stage.until(lambda: stage.pane.ladder.best() is not None)
            yield stage
        assert world.failures == []
    finally:
        await world.engine.close(int(SECOND))
        world.venue.shut_down()
