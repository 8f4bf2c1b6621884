"""Playing a story: a market, a paper venue, and an engine that is killed and started again, under virtual time; all of it audited.

When the story is over the faults end, everything has time to settle, and the end is judged: ours equals the venue's, one key makes it
flat, the journal tells the state, and no task is left.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

from msgspec import Struct, field
from msgspec.structs import replace

from engine import assembly
from engine.clock import SECOND, Clock, run_virtual
from engine.desk.desk import Decision
from engine.desk.events import IntentTaken
from engine.desk.evolve import evolve
from engine.desk.state import State, decode_state
from engine.exchange import Faults
from engine.model import intent as i
from engine.model.instrument import Instrument
from engine.model.order import Order, OrderType, Role, Trail
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.report import VenueReport
from engine.model.side import Side
from engine.rehearsal.auditor import Auditor, Violation
from engine.runtime import Engine, Hooks, decode
from engine.settings import AccountSettings, Settings, with_values
from engine.simulation import draw
from engine.simulation import story as s
from engine.simulation.power import Disk, FaultyJournal, Line, Power
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
LENT = Decimal(3)
"""The leverage of what is to be held on margin."""
CALM = 400 * SECOND
"""How long everything may take to settle."""
ACCOUNT = "simulation"
MEMORY = Path("/dev/shm")  # noqa: S108 - where there is one, journals of stories need no real disk


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


def play(story: s.Story, home: Path | None = None) -> Outcome:
    """Tell a story; `home` keeps the journal where one is given."""
    place = home or Path(tempfile.mkdtemp(prefix="flatout-story-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        return run_virtual(_Player(story, place).main())
    finally:
        if home is None:
            shutil.rmtree(place, ignore_errors=True)


@cache
def _blank_journal() -> bytes:
    """An empty journal, so that not every story has to migrate one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        FaultyJournal.open(path, ACCOUNT, "simulation", now=START, inline=True).close()
        return path.read_bytes()


class _Player:
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
        self.auditor = Auditor()

    def fail(self, invariant: str, detail: str) -> None:
        self.auditor.findings.fail(self.clock.now(), invariant, detail)

    # The world

    async def main(self) -> Outcome:
        self._open_world()
        await self._boot()
        for number, step in enumerate(self.story.steps):
            await self._take(step)
            if self.power.off:
                await self._reboot()
            self.keys = number + 1
        await self._end()
        self.outcome.violations = self.auditor.violations
        self.outcome.checked = self.auditor.checked
        return self.outcome

    def _open_world(self) -> None:
        self.clock = Clock(asyncio.get_running_loop(), START)
        profile = load_profile(self.story.profile)
        self.instruments: dict[str, Instrument] = {symbol: instrument_for(profile, symbol, TICK) for symbol in PRICES}
        own = {name: Decimal(amount) / 1_000 for name, amount in self.story.coins.items()}
        cash = {"USD": CASH, **own}
        account = AccountSettings(name=ACCOUNT, currency="USD", cash=cash, profile=self.story.profile)
        values = {
            "protection.policy": self.story.policy,
            "risk.cool_down": 5.0,
            "journal.snapshot_every": 150,
            "paper.margin": self.story.margin,
        }
        self.settings = with_values(Settings(account=account), values, "story")
        self.venue: PaperVenue = assembly.paper(
            profile, self.instruments.values(), cash, "USD", self.clock, self.story.seed, self.settings.paper, faults=self.story.faults
        )
        self.exchange = self.venue.exchange
        self.exchange.on_report.append(self._heard)
        self.exchange.on_quote.append(self.auditor.quoted)
        self.auditor.watch(self.exchange, START)
        (self.home / "journal.sqlite").write_bytes(_blank_journal())
        self._quote()

    def _heard(self, report: VenueReport) -> None:
        """The venue's own word."""
        self.outcome.counts[f"venue {type(report).__name__}"] += 1

    async def _boot(self) -> None:
        journal = FaultyJournal.open(self.home / "journal.sqlite", ACCOUNT, "simulation", now=self.clock.now(), inline=True)
        journal.equip(self.disk, self.power, self.clock)
        if journal.lease is None:
            journal.claim("simulation", self.clock.now())
        self.journal = journal
        self.line = Line(self.venue, self.power)
        self.engine = Engine(
            self.settings, self.line, journal, self.clock, self.story.seed + self.power.cuts, inline=True, hooks=Hooks(decided=self._decided)
        )
        self.auditor.begin(decode(stored.body) for stored in journal.events())
        await self.engine.start()

    def _decided(self, decision: Decision, now: int) -> None:
        if self.power.off:
            return
        outcome = self.outcome
        outcome.decisions += 1
        for event in decision.events:
            outcome.counts[type(event).__name__] += 1
            if isinstance(event, IntentTaken):
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
            while "STARTING" in self.engine.state.blocks and not self.power.off:
                await self._wait(250)
            for intent in list(self.asked):
                if intent.id not in self.engine.state.answers and not self.power.off:
                    await self._ask(intent)
            await self._wait(1_500)

    def _judge_limits(self) -> None:
        """Invariant 6: the venue had no reason to refuse a request for its limits."""
        faults = self.story.faults
        late = faults.delay is not None or any(isinstance(step, s.Hang) for step in self.story.steps)  # beyond what the limits allow for
        limited = self.engine.gateway.statistics.rate_limited_by_venue
        forgot = any(isinstance(step, s.Disk) and step.does == "fails" for step in self.story.steps)  # what was spent could not be written down
        if limited and not late and not forgot and faults.rate_limit_storm is None and not self.outcome.crashes:
            self.fail("6 limits", f"the venue refused {limited} requests for its limits")

    # Prices and time

    def _quote(self) -> None:
        for symbol, price in self.prices.items():
            size = Decimal(4)
            if self.story.wanders:
                wander = Decimal(self.random.randint(-3, 3)) / 10_000
                self.prices[symbol] = price = self.instruments[symbol].round_price(price * (1 + wander))
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

    async def _take(self, step: s.AnyStep) -> None:
        match step:
            case s.Wait(ms=ms, silent=silent):
                await self._wait(ms, silent=silent)
            case s.Move(symbol=symbol, bp=bp):
                self.prices[symbol] = self.instruments[symbol].round_price(self.prices[symbol] * (1 + Decimal(bp) / 10_000))
                self._quote()
            case s.Disk(does=does, ms=ms):
                self.disk.fails, self.disk.delay = does == "fails", ms * MS
            case s.Hang(ms=ms):
                self.clock.hang(ms * MS)
            case s.Crash(at=at, count=count):
                self.power.arm(at, count)
            case s.Restart():
                await self._restart()
            case s.External():
                self._meddle(step)
            case s.Resolve(action=action):
                await self._resolve(action)
            case s.Mash(count=count):
                await self._mash(count)
            case _:
                await self._operate(step)

    async def _mash(self, count: int) -> None:
        """Keys in a row, some of them a moment apart."""
        for _ in range(count):
            self.pressed += 1
            await self._operate(draw.key(self.random))
            await self._wait(self.random.choice((0, 0, 1, 30)))
            if self.power.off:
                return

    async def _restart(self) -> None:
        await self.engine.close()
        if len(self.engine.tasks):
            self.fail("10 tasks", f"{len(self.engine.tasks)} tasks outlived the engine")
        self.journal.unplug()
        self._judge_limits()
        await self._boot()

    def _meddle(self, step: s.External) -> None:
        self.meddled = True
        side, size, lent = Side(step.side), Decimal(step.size) / 1_000, LENT if step.lent else None
        at_market = step.kind == "market"
        away = 1 - Decimal(step.away) / 10_000 * side.sign
        price = None if at_market else self.instruments[step.symbol].round_price(self.prices[step.symbol] * away)
        kind = OrderType.MARKET if at_market else OrderType.LIMIT
        self.venue.external(Order(f"external-{self.keys}", "", step.symbol, side, kind, Role.ENTRY, size, price=price, leverage=lent))

    async def _resolve(self, action: str) -> None:
        for number, alert in enumerate(list(self.engine.state.alerts.values())):
            if alert.code in ("DIFFERENCE", "UNKNOWN_ORDER", "FOREIGN_ORDER"):
                settlement = i.Settlement(action)
                await self._ask(i.Resolve(id=f"{self._key()}.{number}", subject=alert.target or alert.subject, action=settlement))

    def _level(self, position: Position, bp: int, sign: int) -> i.At:
        price = self.prices[position.symbol] * (1 + sign * position.side.sign * Decimal(bp) / 10_000)
        return i.At(self.instruments[position.symbol].round_price(price))

    async def _operate(self, step: s.AnyStep) -> None:
        """A key that the operator presses."""
        key = self._key()
        match step:
            case s.Open():
                intent = self._bracket(step, key)
                for _ in range(step.presses):
                    await self._ask(intent)
            case s.CancelAll(foreign=foreign):
                await self._ask(i.CancelAll(id=key, foreign=foreign))
            case s.CancelEntry(which=which):
                orders = list(self.engine.state.orders)
                if orders:
                    await self._ask(i.CancelOrder(id=key, order=orders[which % len(orders)]))
            case s.Flatten(presses=presses):
                for number in range(presses):
                    await self._ask(i.Flatten(id=f"{key}.{number}"))
            case s.Mode(to=to):
                await self._mode(to, key)
            case s.Reconcile():
                await self._ask(i.Reconcile(id=key))
            case s.Close() | s.MoveStop() | s.MoveTarget() | s.Trail() | s.BreakEven() | s.Reverse():
                position = self._position(step.which)
                if position is not None:
                    await self._ask(self._about(step, position, key))

    async def _mode(self, to: str, key: str) -> None:
        if to == "pause":
            await self._ask(i.Pause(id=key))
        elif to == "halt":
            await self._ask(i.Halt(id=key))
        else:
            reasons = [*self.engine.state.blocks, *(["HALTED"] if self.engine.state.halted else [])]
            for number, reason in enumerate(reasons):
                await self._ask(i.Resume(id=f"{key}.{number}", reason=reason))

    def _about(self, step: s.Close | s.MoveStop | s.MoveTarget | s.Trail | s.BreakEven | s.Reverse, position: Position, key: str) -> i.AnyIntent:
        name = position.id
        match step:
            case s.Close(percent=percent):
                return i.ClosePosition(id=key, position=name, part=Decimal(percent) / 100)
            case s.MoveStop(bp=bp):
                return i.MoveStop(id=key, position=name, stop=None if bp is None else self._level(position, bp, -1), reason="as the story goes")
            case s.MoveTarget(bp=bp):
                return i.MoveTarget(id=key, position=name, target=None if bp is None else self._level(position, bp, 1))
            case s.Trail(bp=bp):
                return i.SetTrail(id=key, position=name, trail=None if bp is None else Trail(fraction=Decimal(bp) / 10_000))
            case s.BreakEven():
                return i.BreakEven(id=key, position=name)
            case s.Reverse():
                return i.Reverse(id=key, position=name)

    def _bracket(self, step: s.Open, key: str) -> i.OpenBracket:
        side = Side(step.side)
        price, instrument = self.prices[step.symbol], self.instruments[step.symbol]
        toward = -1 if step.kind == "limit" else 1
        level = instrument.round_price(price * (1 + toward * side.sign * Decimal(step.away) / 10_000))

        def away(bp: int | None) -> i.Away | None:
            return None if bp is None else i.Away(Decimal(bp) / 10_000)

        return i.OpenBracket(
            id=key,
            symbol=step.symbol,
            side=side,
            size=i.Base(Decimal(step.size) / 1_000),
            type=OrderType(step.kind),
            price=level if step.kind == "limit" else None,
            trigger=level if step.kind == "stop" else None,
            stop=away(step.stop),
            target=away(step.target),
            trail=None if step.trail is None else Trail(fraction=Decimal(step.trail) / 10_000),
            expires_in=None if step.expires_ms is None else step.expires_ms * MS,
            leverage=LENT if step.lent else None,
        )

    # The end

    async def _end(self) -> None:
        """Everything works again; now it has to come right."""
        self.power.disarm()
        self.disk.fails, self.disk.delay = False, 0
        self.venue.faults = Faults(disconnect=replace(self.story.faults.disconnect, lasts=0) if self.story.faults.disconnect else None)
        self.keys += 1
        if self.meddled:
            await self._reconcile("meddled")
            await self._ask(i.CancelAll(id=f"{self._key()}.foreign", foreign=True))
        await self._settle()
        if self.auditor.violations:
            await self._close()
            return
        await self._flatten()
        await self._close()

    def _moving(self) -> list[str]:
        """What is still under way."""
        engine, state = self.engine, self.engine.state
        engine.save()
        found = [f"doubt about {name}" for name in state.doubts]
        found.extend(
            f"{order.role} {order.client_order_id} {order.status}"
            for order in state.orders.values()
            if order.role is Role.CLOSE or not order.is_working or order.in_doubt or order.amend_pending or order.cancel_pending
        )
        if not engine.gateway.idle:
            found.append(f"requests on the line, waiting {sum(engine.gateway.lanes.values())}")
        if "STARTING" in state.blocks:
            found.append("recovery")
        if self.journal.waiting:
            found.append(f"{self.journal.waiting} batches to be written")
        return found

    async def _settle(self) -> None:
        deadline = self.clock.now() + CALM
        quiet = 0
        while quiet < 8:
            await self._wait(500)
            moving = self._moving()
            quiet = 0 if moving else quiet + 1
            if self.clock.now() > deadline:
                self.fail("0 settles", ", ".join(moving))
                return
        await self._compare("settled")

    async def _compare(self, when: str) -> None:
        """Ask the venue while nothing happens, and judge."""
        for _ in range(5):
            before = len(self.exchange.fills)
            await self._wait(6_000, silent=True)
            await self._reconcile(when)
            await self._wait(1_000, silent=True)
            if len(self.exchange.fills) == before and not self._moving():  # a report that was late may have led to more
                break
        self._judge(when)
        if when == "settled":
            held = [p for p in self.engine.state.positions.values() if p.is_open]
            self.outcome.held = {p.symbol: p.signed_size for p in held}
            self.outcome.ended = len(self.engine.state.closed)

    async def _reconcile(self, when: str) -> None:
        """Until the venue has answered."""
        await self._ask(i.Reconcile(id=f"{self._key()}.{when}"))
        asked_at = self.clock.now()
        while self.engine.state.reconciled_at <= asked_at and self.clock.now() < asked_at + CALM:
            await self._wait(1_000, silent=True)

    def _judge(self, when: str) -> None:
        """What must hold at rest."""
        state, now = self.engine.state, self.clock.now()
        averaged = self.meddled or when != "flat"  # of several entries, the venue averages what was closed
        self.auditor.against(state, self.exchange.picture(now, 0), now, averaged=averaged)
        self.auditor.bounds(state, now)
        told = any(alert.code == "DIFFERENCE" for alert in state.alerts.values())
        if told and not self.meddled:
            texts = [alert.text for alert in state.alerts.values() if alert.code == "DIFFERENCE"]
            self.fail("9 differences", f"{when}: nobody else traded, and yet: {texts}")

    async def _flatten(self) -> None:
        """One key, and it is flat."""
        began = self.clock.now()
        await self._resolve("forget")
        await self._ask(i.Flatten(id=f"{self._key()}.flatten"))
        flatten = self.engine.state.flatten
        while flatten is None or flatten.ended_at is None:
            await self._wait(250)
            if self.clock.now() > began + CALM:
                alerts = [alert.text for alert in self.engine.state.alerts.values()]
                self.fail("0 flat", f"not flat after {CALM // SECOND} s: {alerts}, positions {list(self.engine.state.positions)}")
                return
            flatten = self.engine.state.flatten
        self.outcome.seconds_to_flat = (flatten.ended_at - began) / SECOND
        await self._compare("flat")
        ours = [name for name, order in self.exchange.orders.items() if not order.foreign]
        if ours:
            self.fail("0 flat", f"the venue still has {ours}")
        net = self.exchange.picture(self.clock.now(), 0).net
        if any(net.values()) and not self.meddled:
            self.fail("0 flat", f"the venue still holds {net}")

    async def _close(self) -> None:
        await self.engine.close()
        if len(self.engine.tasks):
            self.fail("10 tasks", f"{len(self.engine.tasks)} tasks outlived the engine")
        self._judge_limits()
        self._replay()
        self.venue.shut_down()
        self.outcome.requests = self.line.sent
        self.outcome.counts["commits"] += self.disk.commits
        self.outcome.counts["failed commits"] += self.disk.failures

    def _replay(self) -> None:
        """Invariant 8: from the newest snapshot, and from zero."""
        now = self.clock.now()
        journal = FaultyJournal.open(self.home / "journal.sqlite", ACCOUNT, "simulation", now=now, read_only=True)
        loaded = journal.load()
        fresh = State(ACCOUNT, "USD")
        state = fresh if loaded.snapshot is None else decode_state(loaded.snapshot)
        for stored in loaded.events:
            evolve(state, decode(stored.body))
        self.auditor.replay(self.engine.state, state, now, "the newest snapshot")
        state = State(ACCOUNT, "USD")
        for stored in journal.events():
            evolve(state, decode(stored.body))
        self.auditor.replay(self.engine.state, state, now, "the journal from zero")
        journal.close()
