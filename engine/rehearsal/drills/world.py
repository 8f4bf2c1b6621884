"""The session in which a drill happens: a paper account in a home of its own, a market that the
script moves, a venue that it makes fail, and the judge beside it.
"""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from engine.account.home import Home
from engine.clock import SECOND, Clock
from engine.model import intent as i
from engine.model.codes import BlockCode
from engine.model.order import Order, OrderType, Role
from engine.model.position import Protection
from engine.model.report import Filled, VenueReport
from engine.model.view import Answer
from engine.rehearsal.drills.drill import SYMBOL, Drill, DrillError, Fault
from engine.rehearsal.drills.grade import Grade, Wrong, graded
from engine.rehearsal.drills.judge import Judge, truth_of
from engine.rehearsal.drills.venue import DrillVenue
from engine.session.local import LocalSession
from engine.setup.accounts import asked as identity_of
from engine.setup.environments import PaperEnvironment
from engine.setup.sections import AccountSettings, MarketSettings, Settings

ACCOUNT = "drill"
LOOK = 0.02
"""Seconds between two looks of the judge."""
STEADY = 1.5
"""Seconds for which the goal must be met: a moment is not enough."""
LATE = 10 * SECOND
"""How late a price can be that is told on a busy machine."""
ONCE = frozenset({"move", "foreign"})
"""What happens, rather than lasts."""
AWAY = Decimal("0.003")
"""How far the market leaves an entry that filled in part, as a fraction."""
READY = 20.0
"""Seconds that the start position gets to be as the drill wants it."""
MODEL: dict[str, str | float | dict[str, str | float]] = {
    "volatility": 0.01, "jumps_per_day": 0.0, "quotes_per_second": 8.0,
}  # fmt: skip
"""A quiet market: what moves it is the script."""
CALM = {"require_stop": False, "naked_blocks": False, "max_open_risk": Decimal(1)}
"""Bounds that would refuse a drill's start: one begins without a stop."""


def settings_of(drill: Drill, own: Settings) -> Settings:
    """The settings of a drill: the same for everybody but for the person's own console."""
    base = Settings()
    return replace(
        base,
        account=AccountSettings(name=ACCOUNT),
        market=MarketSettings(
            symbols=(SYMBOL,), seed=drill.seed, model={**MODEL, "depth": drill.depth}
        ),
        risk=replace(base.risk, **CALM),
        console=own.console,
        commands=own.commands,
    )


class DrillEnvironment(PaperEnvironment):
    """A paper account whose market and venue the script has in hand."""

    VENUE = DrillVenue
    SPEED: ClassVar[float] = 1.0
    """How much faster than the wall its time goes; tests have less time than people."""

    def _clock(self) -> Clock:
        return Clock(asyncio.get_running_loop(), time.time_ns(), self.SPEED)

    def move(self, fraction: Decimal, over: float) -> None:
        """Move the price by a fraction, over so many seconds; at once: also of prices that are
        late.
        """
        assert self._source is not None
        at = self.clock.now() if over else self.clock.now() - LATE
        self._source.ticks.move(SYMBOL, fraction, int(over * SECOND), at)


class Told(Struct, frozen=True):
    """How far a drill is, for the screen. Seconds."""

    phase: str
    """ready, quiet (it has begun, and nothing is wrong yet), emergency, or over."""
    since: float
    """Since the phase began."""
    left: float
    """Until it is over, whatever happens."""
    met: bool
    """Whether the goal is met now."""


class DrillSession(LocalSession):
    """The person's session; it counts what helps nothing."""

    def __init__(self, drill: Drill, settings: Settings, home: Home) -> None:
        self._stage = DrillEnvironment(settings, home)
        super().__init__(settings, home, identity=identity_of(settings), environment=self._stage)
        self.drill = drill
        self.judge = Judge()
        self.wrong: list[Wrong] = []
        self.grade: Grade | None = None
        """What came of it, once it is over."""
        self.over: Callable[[Grade], None] = lambda _: None
        """Called with the grade."""
        self._phase, self._phase_at = "ready", 0
        self._left = False
        """Whether the market has left an entry that filled in part."""
        self._struck = False
        """Whether the first fault has begun."""
        self._playing: asyncio.Task[None] | None = None

    @property
    def venue(self) -> DrillVenue:
        """Where orders go."""
        assert isinstance(self._stage.venue, DrillVenue)
        return self._stage.venue

    def now(self) -> int:
        """The drill's time."""
        return self._stage.clock.now()

    # Before

    async def prepare(self) -> None:
        """Open what the drill begins with, and wait until it is there. Raises TimeoutError and
        DrillError.
        """
        async with asyncio.timeout(READY):
            while self._blocked():  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(LOOK)
            self.venue.set("refuse-stops", on=self.drill.start.refused)
            if self.drill.start.rest is not None:
                self.venue.exchange.on_report.append(self._leave_behind)
            answer = await super().ask(self.drill.start.intent())
            if answer.refusals:
                raise DrillError("; ".join(refusal.text for refusal in answer.refusals))
            while not self._stands():  # noqa: ASYNC110 - the venue's truth tells nobody
                await asyncio.sleep(LOOK)
            if self.drill.start.halted:
                await super().ask(i.Halt(id="drill-halt"))

    def _leave_behind(self, report: VenueReport) -> None:
        """With the first fill of an entry that is to fill in part the market leaves it: what is
        left of it rests.
        """
        if isinstance(report, Filled) and not self._left:
            self._left = True
            self.venue.skips = 1  # the market has the next price ready already, unmoved
            self._stage.move(AWAY * self.drill.start.side.sign, 0)

    def _blocked(self) -> bool:
        return BlockCode.STARTING in self.engine.state.blocks or not self.view().feeds

    def _stands(self) -> bool:
        """Whether what the drill begins with is held, at the venue and in our books."""
        truth, start = truth_of(self.venue.exchange, SYMBOL), self.drill.start
        ours = [p for p in self.view().positions if p.size == abs(truth.held)]
        if not ours or bool(truth.entries) is (start.rest is None):
            return False
        if start.stop is None:
            return True
        if start.refused:
            return ours[0].protection is Protection.GUARDED
        return not truth.bare and ours[0].protection is Protection.VENUE

    # While it lasts

    def begin(self) -> None:
        """The briefing was read."""
        if self._playing is None:
            self._enter("quiet")
            self._playing = asyncio.get_running_loop().create_task(self._play(), name="drill")

    def told(self) -> Told:
        """How far it is."""
        since = (self.now() - self._phase_at) / SECOND if self._phase_at else 0.0
        left = max(self.drill.limit - since, 0.0) if self._phase == "emergency" else 0.0
        return Told(self._phase, since, left, self.judge.met(self.drill.goal) is not None)

    def _enter(self, phase: str) -> None:
        self._phase, self._phase_at = phase, self.now()

    async def _play(self) -> None:
        clock, began = self._stage.clock, self.now()
        for fault in self.drill.faults:
            self.engine.tasks.spawn("drill fault", self._fault(fault, began))
        while self.grade is None:
            now = self.now()
            if not self.judge.began and self._struck:
                self.judge.begin(now)
                self._enter("emergency")
            self._look(now)
            await clock.sleep(int(LOOK * SECOND))

    def _look(self, now: int) -> None:
        venue = self.venue
        if venue.spent:
            venue.spend()
        judge = self.judge
        judge.hear(truth_of(venue.exchange, SYMBOL), now, takes=venue.takes_closes(SYMBOL))
        met = judge.met(self.drill.goal) if judge.began else None
        steady = met is not None and now - met >= STEADY * SECOND
        steady = steady and now - judge.began >= self.drill.least * SECOND
        if steady or (judge.began and now - judge.began >= self.drill.limit * SECOND):
            self.finish()

    async def _fault(self, fault: Fault, began: int) -> None:
        clock, venue = self._stage.clock, self.venue
        await clock.sleep_until(began + int(fault.second * SECOND))
        match fault.what:
            case "move":
                self._stage.move(fault.move, fault.lasts)
            case "foreign":
                venue.external(self._foreign(fault))
            case _:
                venue.set(fault.what, on=True)
        self._struck = True
        if fault.what not in ONCE:
            await clock.sleep(int(fault.lasts * SECOND))
            venue.set(fault.what, on=False)

    def _foreign(self, fault: Fault) -> Order:
        """An order that another program with the same account places."""
        return Order(
            client_order_id=f"other-{fault.second:g}",
            position="",
            symbol=SYMBOL,
            side=fault.side,
            type=OrderType.MARKET,
            role=Role.ENTRY,
            size=fault.size,
            foreign=True,
        )

    def finish(self) -> None:
        """It is over: met, too late, or given up."""
        if self.grade is not None:
            return
        now = self.now()
        self.judge.end(now)
        trip = self._settings.paper.delay_p50
        self.grade = graded(self.drill, self.judge, tuple(self.wrong), time.time_ns(), trip)
        self._enter("over")
        self.over(self.grade)

    # What the person does

    async def ask(self, intent: i.AnyIntent) -> Answer:
        """Ask for it, and count what helps nothing."""
        again = isinstance(intent, i.Flatten) and self._flattens()
        answer = await super().ask(intent)
        if self.judge.began and self.grade is None:
            if answer.refusals:
                why = "; ".join(refusal.text for refusal in answer.refusals)
                self.helped_nothing(f"refused: {why}")
            elif again:
                self.helped_nothing("asked to flatten while a flatten was under way")
            elif isinstance(intent, i.OpenBracket | i.Reverse):
                self.helped_nothing("opened more while the emergency lasted")
        return answer

    def _flattens(self) -> bool:
        flatten = self.view().flatten
        return flatten is not None and flatten.ended_at is None

    def helped_nothing(self, text: str) -> None:
        """A key or a wish that helped nothing."""
        if self.judge.began and self.grade is None:
            self.wrong.append(Wrong(self.now(), text))

    async def close(self) -> None:
        """Leave; a drill that was not over is graded as it stood."""
        if self._playing is not None:
            self.finish()
            self._playing.cancel()
            await asyncio.gather(self._playing, return_exceptions=True)
        await super().close()
