"""The stage of a story: a market, a paper venue, and an engine on it that is started, killed and
started again.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

from msgspec import Struct, field

from engine.account import summary as summaries
from engine.account.records import Records
from engine.account.summary import Summary
from engine.clock import SECOND, Clock
from engine.desk import Decision, codec
from engine.desk import events as e
from engine.model import intent as i
from engine.model.codes import BlockCode
from engine.model.instrument import Instrument
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.report import VenueReport
from engine.model.rules import REHEARSED
from engine.rehearsal.auditor import Auditor, Violation
from engine.rehearsal.simulation import story as s
from engine.rehearsal.simulation.power import Disk, FaultyJournal, Line, Power, ProcessClock
from engine.runtime import Engine, Hooks
from engine.setup import factories
from engine.setup.sections import AccountSettings, Settings
from engine.setup.settings import with_values
from engine.venues.paper import PaperVenue
from engine.venues.profiles import instrument_for, load_profile

START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z."""
MS = SECOND // 1000
PRICES = {"BTC/USD": Decimal(60_000), "ETH/USD": Decimal(3_000)}
TICK = Decimal("0.1")
CASH = Decimal(1_000_000)
STEP = 250 * MS
"""Between two prices."""
ACCOUNT = "simulation"


class Outcome(Struct):
    """What a story came to."""

    violations: list[Violation] = field(default_factory=list)
    checked: int = 0
    intents: int = 0
    decisions: int = 0
    crashes: int = 0
    seconds_to_flat: float | None = None
    held: dict[str, Decimal] = field(default_factory=dict)
    """By symbol, once everything had settled and before the last key."""
    ended: int = 0
    """Positions closed by then."""
    requests: int = 0
    """Sent by the last process."""
    counts: Counter[str] = field(default_factory=Counter)
    """What happened, by kind: fills, faults, alerts."""


@cache
def blank_journal() -> bytes:
    """An empty journal, so that not every story has to migrate one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        FaultyJournal.open(path, ACCOUNT, "simulation", now=START, inline=True).close()
        return path.read_bytes()


def _fails(step: s.AnyStep) -> bool:
    return isinstance(step, s.Disk) and step.does == "fails"


class Stage:
    """One account and the process that has custody of it."""

    def __init__(self, story: s.Story, home: Path) -> None:
        self.story = story
        self.home = home
        self.random = Random(story.seed)  # noqa: S311 - to be repeated from a seed
        self.outcome = Outcome()
        self.power = Power()
        self.disk = Disk()
        self.prices = dict(PRICES)
        self.keys = self.pressed = 0
        self.asked: list[i.AnyIntent] = []
        self.meddled = False
        """Whether somebody else traded on the account."""
        self.unexplained = False
        """Whether there may be orders and holdings of ours that the journal does not know: then the
        operator closes them at the end.
        """
        self.jumped = 0
        """By how much the machine's clock was set forward (nanoseconds)."""
        self.processes = 1
        """So many have traded on the account, at once or one after the other."""
        self.copy: bytes = blank_journal()
        """The journal when somebody copied it last."""
        self.auditor = Auditor()

    def fail(self, invariant: str, detail: str) -> None:
        self.auditor.findings.fail(self.clock.now(), invariant, detail)

    # The world

    def _open_world(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def wall() -> int:
            return START + round((loop.time() - began) * SECOND) + self.jumped

        self.clock = Clock(loop, START, wall=wall)
        profile = load_profile(self.story.profile)
        self.instruments: dict[str, Instrument] = {
            symbol: instrument_for(profile, symbol, TICK) for symbol in PRICES
        }
        self.own = {name: Decimal(amount) / 1_000 for name, amount in self.story.coins.items()}
        cash = {"USD": CASH, **self.own}
        account = AccountSettings(
            name=ACCOUNT, currency="USD", cash=cash, profile=self.story.profile
        )
        values = {
            "protection.policy": self.story.policy,
            "risk.cool_down": 5.0,
            "journal.snapshot_every": 150,
            "paper.margin": self.story.margin,
        }
        self.settings = with_values(Settings(account=account, risk=REHEARSED), values, "story")
        self.venue: PaperVenue = factories.paper(
            profile,
            self.instruments.values(),
            cash,
            "USD",
            self.clock,
            self.story.seed,
            self.settings.paper,
            faults=self.story.faults,
        )
        self.exchange = self.venue.exchange
        self.exchange.on_report.append(self._heard)
        self.exchange.on_quote.append(self.auditor.quoted)
        self.auditor.watch(self.exchange, START)
        (self.home / "journal.sqlite").write_bytes(blank_journal())
        self._quote()

    def _heard(self, report: VenueReport) -> None:
        """The venue's own word."""
        self.outcome.counts[f"venue {type(report).__name__}"] += 1

    async def _boot(self) -> None:
        self.engine, self.journal, self.line = self._process(
            "journal.sqlite", self.power, self.disk, self.venue, self._decided
        )
        self.auditor.begin(codec.decode(stored.body) for stored in self.journal.events())
        await self.engine.start()

    def _process(
        self,
        name: str,
        power: Power,
        disk: Disk,
        venue: PaperVenue,
        decided: Callable[[Decision, int], None] | None,
    ) -> tuple[Engine, FaultyJournal, Line]:
        """A process on the account: an engine with this journal, on a disk, at a line and with a
        power supply of its own.
        """
        journal = FaultyJournal.open(
            self.home / name, ACCOUNT, "simulation", now=self.clock.now(), inline=True
        )
        clock = ProcessClock(self.clock, power)
        journal.equip(disk, power, clock)
        if journal.lease is None:
            journal.claim("simulation", self.clock.now())
        line = Line(venue, power)
        seed = self.story.seed + self.power.cuts + self.processes - 1
        hooks = Hooks(decided=decided)
        watched = decided is not None and any(
            isinstance(step, s.LastExit | s.Lose) for step in self.story.steps
        )
        records = Records(self.home) if watched else None
        engine = Engine(
            self.settings,
            line,
            journal,
            clock,
            seed,
            inline=True,
            hooks=hooks,
            summary=self._keep if watched else None,
            records=records,
        )
        return engine, journal, line

    def _keep(self, summary: Summary) -> None:
        summaries.write(self.home, summary)

    def _decided(self, decision: Decision, now: int) -> None:
        if self.power.off:
            return
        outcome = self.outcome
        outcome.decisions += 1
        for event in decision.events:
            outcome.counts[type(event).__name__] += 1
            if isinstance(event, e.IntentTaken):
                outcome.intents += 1
        self.auditor.check(decision, self.engine.state, now)

    async def _reboot(self) -> None:
        """After a crash: everything that was in memory is gone."""
        self.outcome.crashes += 1
        await self.engine.abandon()
        if len(self.engine.tasks):
            self.fail("10 tasks", f"{len(self.engine.tasks)} tasks outlived a crash")
        self.journal.unplug()
        self._judge_limits()
        self.power.on()
        await self._boot()
        if self.story.insists:
            while BlockCode.STARTING in self.engine.state.blocks and not self.power.off:
                await self._wait(250)
            for intent in list(self.asked):
                if intent.id not in self.engine.state.answers and not self.power.off:
                    await self._ask(intent)
            await self._wait(1_500)

    def _judge_limits(self) -> None:
        """Invariant 6: the venue had no reason to refuse a request for its limits."""
        steps, faults = self.story.steps, self.story.faults
        # beyond what the limits allow for
        late = faults.delay is not None or any(
            isinstance(step, s.Hang | s.Pause | s.Jump) for step in steps
        )
        limited = self.engine.gateway.statistics.rate_limited_by_venue
        forgot = any(_fails(step) for step in steps)  # what was spent could not be written down
        # each counts only what it sends itself
        excused = late or forgot or faults.rate_limit_storm is not None or self.processes > 1
        if limited and not excused and not self.outcome.crashes:
            self.fail("6 limits", f"the venue refused {limited} requests for its limits")

    # Prices and time

    def _quote(self) -> None:
        for symbol, price in self.prices.items():
            size = Decimal(4)
            if self.story.wanders:
                wander = Decimal(self.random.randint(-3, 3)) / 10_000
                self.prices[symbol] = price = self.instruments[symbol].round_price(
                    price * (1 + wander)
                )
                size = Decimal(self.random.choice((1, 5, 20)))
            self.venue.feed(Quote(symbol, self.clock.now(), price, size, price + TICK, size))

    async def _wait(self, ms: int, *, silent: bool = False) -> None:
        end = self.clock.now() + ms * MS
        while True:
            left = end - self.clock.now()
            await self.clock.sleep(min(max(left, 0), STEP))
            if self.power.off or left <= 0:
                return
            if not silent and left > STEP // 2:
                self._quote()

    # What is asked

    def _position(self, which: int) -> Position | None:
        held = list(self.engine.state.positions.values())
        return held[which % len(held)] if held else None

    async def _ask(self, intent: i.AnyIntent) -> None:
        self.asked.append(intent)
        answer = await self.engine.ask(intent)
        for refusal in answer.refusals:
            self.outcome.counts[f"refused {refusal.code}"] += 1

    def _key(self) -> str:
        return f"k{self.keys}.{self.pressed}"

    async def _restart(self) -> None:
        await self.engine.close()
        if len(self.engine.tasks):
            self.fail("10 tasks", f"{len(self.engine.tasks)} tasks outlived the engine")
        self.journal.unplug()
        self._judge_limits()
        await self._boot()
