"""Running a scenario: a world (market and venue), an engine in it that may be stopped and crashed,
a script, and a report.

With `speed = "max"` everything runs under virtual time and in one thread: the same scenario and
seed give the same report to the byte.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from engine.clock import SECOND, run_virtual
from engine.desk import Decision, State, codec
from engine.desk import events as e
from engine.journal import Journal
from engine.model.codes import BlockCode, RefusalCode
from engine.model.intent import AnyIntent, OpenBracket
from engine.model.quote import Candle, Quote, Tick, Trade
from engine.model.refusal import Refusal
from engine.model.view import Answer
from engine.records import replay, state_of
from engine.rehearsal.auditor import Auditor
from engine.rehearsal.scenario import acting, report, worlds
from engine.rehearsal.scenario.actions import Action
from engine.rehearsal.scenario.ending import Ending
from engine.rehearsal.scenario.expectations import judge
from engine.rehearsal.scenario.lines import Lines
from engine.rehearsal.scenario.scenario_settings import settings_of
from engine.rehearsal.scenario.script import Script
from engine.runtime import Engine, Hooks
from engine.setup.questions import answered

RECOVERY = 15 * SECOND
"""How long a script waits for a restarted engine to have asked the venue."""
Progress = Callable[[float], None]


class Run:
    """One run of a script."""

    def __init__(self, script: Script, home: Path, progress: Progress | None = None) -> None:
        self.script = script
        self.home = home
        self.auditor: Auditor
        self.tally = report.Tally()
        self.refusals: list[dict[str, Any]] = []
        self.expectations: list[dict[str, Any]] = []
        self.labels: dict[str, str] = {}
        """From a label in the script to the id of its position."""
        self.unreached: list[int] = []
        self._progress = progress
        self._settings = settings_of(script, home)
        self.world = worlds.world(script, self._settings, home)
        self._intents: dict[str, str] = {}
        self._doubts: set[str] = set()
        self._begin_at = 0
        self._restarting = asyncio.Lock()
        self._ending = Ending(self.world, self._settings.account.lag, script.faults.rest_lag)
        self._opened = 0
        """Engines so far."""

    async def main(self) -> dict[str, Any]:
        """The whole run; the report."""
        began = time.perf_counter()
        await self.world.open()
        self.clock = self.world.clock
        self._lines = Lines(self.script.templates, self.clock)
        self.auditor = self.world.audited(self._settings)
        await self._open_engine()
        self._begin_at = self.engine.state.seq
        feed = asyncio.get_running_loop().create_task(self._play())
        script = asyncio.get_running_loop().create_task(self._act())
        try:
            await asyncio.wait({feed, script}, return_when=asyncio.FIRST_COMPLETED)
            if script.done():
                script.result()
            await feed
            async with self._restarting:  # a new engine is never left half opened
                script.cancel()
        finally:
            for task in (feed, script):
                task.cancel()
            await asyncio.gather(feed, script, return_exceptions=True)
        if not script.cancelled():
            script.result()
        ended_at = self.clock.now()
        await self._ending.settle(self.engine, self.auditor)
        told = self._report(ended_at, time.perf_counter() - began)
        await self._close()
        told["invariants"] = self._invariants()
        return told

    # The engine

    async def _open_engine(self) -> None:
        account = self._settings.account.name
        virtual = self.clock.virtual
        journal = Journal.open(
            self.home / "journal.sqlite",
            account,
            "flatout run",
            now=self.clock.now(),
            inline=virtual,
        )
        self._opened += 1
        if journal.lease is None:
            journal.claim("flatout run", self.clock.now())
        self.engine = Engine(
            self._settings,
            self.world.venue,
            journal,
            self.clock,
            self.script.seed,
            inline=virtual,
            hooks=Hooks(decided=partial(self._decided, self._opened)),
        )
        for symbol, pace in self.world.paces.items():
            self.engine.board.set_pace(symbol, pace)
            self.auditor.prices.set_pace(symbol, pace)
        self.auditor.begin(codec.decode(stored.body) for stored in journal.events())
        # as a console does: a lost reply ends no run
        await answered("what is traded", self.world.venue.instruments, lambda *_: None)
        await self.engine.start()

    async def _restart(self, *, crash: bool) -> None:
        self._count()
        async with self._restarting:
            if crash:
                await self.engine.abandon()
                self.engine.journal.close(0)
            else:
                await self.engine.close()
            self.auditor.tasks(len(self.engine.tasks), self.clock.now())
            await self._open_engine()
        await self._recovered()

    async def _recovered(self) -> None:
        """The script goes on once the engine takes entries again, or says why it does not."""
        deadline = self.clock.now() + RECOVERY
        while BlockCode.STARTING in self.engine.state.blocks and self.clock.now() < deadline:
            await self.clock.sleep(SECOND // 100)

    def _count(self) -> None:
        statistics = self.engine.gateway.statistics
        for name in (
            "submit",
            "amend",
            "cancel",
            "query",
            "retried",
            "unknown",
            "rate_limited_by_venue",
        ):
            self.tally.statistics[name] = self.tally.statistics.get(name, 0) + getattr(
                statistics, name
            )
        low = statistics.tokens_low_water
        if low is not None:
            self.tally.low_water = (
                low if self.tally.low_water is None else min(low, self.tally.low_water)
            )

    async def _close(self) -> None:
        now = self.clock.now()
        await self.engine.close()
        self.auditor.tasks(len(self.engine.tasks), now)
        self._replay(now)
        self.world.shut_down()

    def _replay(self, now: int) -> None:
        """Invariant 8: from the newest snapshot, and from zero."""
        journal = Journal.open(
            self.home / "journal.sqlite",
            self._settings.account.name,
            "flatout run",
            now=now,
            read_only=True,
        )
        account = self._settings.account
        state = state_of(journal, account.name, account.currency, self.engine.complain)
        self.auditor.replay(self.engine.state, state, now, "the newest snapshot")
        state = replay(State(account.name, account.currency), journal.events())
        self.auditor.replay(self.engine.state, state, now, "the journal from zero")
        journal.close()

    # The market and the script

    async def _play(self) -> None:
        tally, bar = self.tally, self._progress

        def deliver(tick: Tick) -> None:
            kind = type(tick)
            if kind is Quote:
                tally.quotes += 1
            elif kind is Trade:
                tally.trades += 1
            elif kind is Candle:
                tally.candles += 1
            else:
                tally.depths += 1
            tally.last = tick.at
            if tally.first is None:
                tally.first = tick.at
            if bar is not None and not (tally.quotes + tally.trades + tally.candles) % 2_000:
                bar(self._done())

        await self.world.play(deliver)

    def _done(self) -> float:
        if self.script.until is not None and self.tally.last is not None:
            return min((self.tally.last - self.world.start) / max(self.script.until, 1), 1.0)
        return self.world.recorded.progress if self.world.recorded is not None else 0.0

    async def _act(self) -> None:
        await self._recovered()
        await self.world.begun()
        self.unreached = [action.index for action in self.script.actions]
        for action in self.script.actions:
            await self.clock.sleep_until(self.world.start + action.at)
            self.unreached.remove(action.index)
            await self._do(action)

    async def _do(self, action: Action) -> None:
        match action.what:
            case "restart":
                await self._restart(crash=False)
            case "crash":
                await self._restart(crash=True)
            case "external":
                await self.world.external(acting.external(action))
            case "market":
                fraction, over = acting.move(action)
                self.world.move(action, fraction, over)
            case "do":
                await self._line(action)
            case "expect":
                outcome = judge(action, self.engine, self.labels, self.refusals)
                self.expectations.append({"at": report.iso(self.clock.now()), **outcome})
            case _:
                await self._ask(action)

    async def _ask(self, action: Action) -> None:
        intents = acting.intents(
            action,
            self.labels,
            self.engine.state,
            f"do{action.index}.{self._begin_at}",
            templates=self.script.templates,
            now=self.clock.now(),
        )
        if not intents:
            self._refused(
                Refusal(RefusalCode.UNKNOWN_POSITION, action.about or action.symbol),
                action.label or action.about,
            )
        for intent in intents:
            self._intents[intent.id] = action.label or action.about
            answer: Answer = await self.engine.ask(intent)
            if action.what == "open" and action.label and answer.ok:
                self.labels[action.label] = answer.created

    async def _line(self, action: Action) -> None:
        """A line of the command line. What the desk refuses is told with its decision; what the
        line itself can't do, here.
        """
        told, line = len(self.refusals), str(action.terms["line"])

        async def ask(intent: AnyIntent) -> Answer:
            self._intents[intent.id] = action.label
            answer: Answer = await self.engine.ask(intent)
            if isinstance(intent, OpenBracket) and action.label and answer.ok:
                self.labels[action.label] = answer.created
            return answer

        key = f"do{action.index}.{self._begin_at}"
        why = await self._lines.carry(line, key, action.label, self.engine, self.world.symbols, ask)
        if why and len(self.refusals) == told:
            self._declined("LINE", line, "", why, action.label)

    def _refused(self, refusal: Refusal, label: str) -> None:
        self._declined(refusal.code, refusal.value, refusal.bound, refusal.text, label)

    def _declined(self, code: str, value: str, bound: str, text: str, label: str) -> None:
        row = {"code": code, "value": value, "bound": bound, "text": text, "label": label}
        self.refusals.append({"at": report.iso(self.clock.now()), **row})

    def _decided(self, engine: int, decision: Decision, now: int) -> None:
        if engine != self._opened:
            self.auditor.outlived(decision, now)
            return
        self.tally.messages += 1
        for event in decision.events:
            if isinstance(event, e.IntentTaken) and not event.answer.ok:
                for refusal in event.answer.refusals:
                    self._refused(refusal, self._intents.get(event.intent.id, ""))
            elif isinstance(event, e.OutcomeUnknown):
                self._doubts.add(event.order)
        for name in [name for name in self._doubts if name not in self.engine.state.doubts]:
            self._doubts.discard(name)
            self.tally.resolved += 1
        self._ending.decided(decision, now)
        self.auditor.check(decision, self.engine.state, now)

    # The end

    def _report(self, ended_at: int, seconds: float) -> dict[str, Any]:
        engine, script = self.engine, self.script
        self._count()
        engine.save()
        return {
            "scenario": script.name,
            "seed": script.seed,
            "venue": f"{script.account.venue}:{self._settings.account.profile}",
            "ended_at": report.iso(ended_at),
            "orders": report.orders(engine.journal),
            "fills": report.fills(engine.journal),
            "positions": report.positions(engine.journal, engine.state, ended_at),
            "account": report.account(
                engine.views.account(engine.views.context(self.clock.now())), engine.state
            ),
            "alerts": report.alerts(engine.journal),
            "refusals": self.refusals,
            "requests": report.requests(self.tally),
            "invariants": {},
            "expectations": self.expectations,
            "unreached": self.unreached,
            "market": report.market(self.tally, self.world.recorded),
            "wall": report.wall(self.tally, seconds),
        }

    def _invariants(self) -> dict[str, Any]:
        violations = [
            {"at": report.iso(v.at), "invariant": v.invariant, "detail": v.detail}
            for v in self.auditor.violations
        ]
        return {"checked": self.auditor.checked, "violations": violations}


def execute(script: Script, home: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Run a script in a home; returns the report. Raises ScenarioError or MarketError."""
    run = Run(script, home, progress)
    if script.market.speed is None and script.account.venue == "paper":
        return run_virtual(run.main())
    return asyncio.run(run.main())
