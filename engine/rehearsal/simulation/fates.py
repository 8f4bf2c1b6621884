"""What befalls a process from outside: its machine, its journal, its owner, others on the account,
and the last exit.
"""

import asyncio
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from engine.account import summary as summaries
from engine.account.pen import AlwaysPermit
from engine.clock import SECOND, Clock
from engine.emergency import close_account
from engine.emergency.marking import Marker
from engine.model.codes import BlockCode
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from engine.rehearsal.simulation import keys
from engine.rehearsal.simulation import story as s
from engine.rehearsal.simulation.power import Disk, Power
from engine.rehearsal.simulation.stage import ACCOUNT, MS, STEP, Stage, blank_journal
from engine.venues.paper import PaperVenue

ASKED = 3_000
"""Milliseconds that the command waits for a word of the engine before it acts."""
RECOVERY = 15 * SECOND
"""How long a second process may take to hear of the account."""


async def last_exit(venue: PaperVenue, clock: Clock, home: Path, number: int) -> bool:
    """Close everything of ours past the engine, as the command does from the account's home;
    whether it says flat.

    The seam to `engine.emergency`: this is all that a story knows of it.
    """
    marker = Marker(home, f"last exit {number}", f"story {number}", 0, lambda _: None)
    marker.begin()
    summary, lag = summaries.read(home), venue.faults.rest_lag
    result = await close_account(
        venue,
        ACCOUNT,
        clock,
        lambda _: None,
        summary=summary,
        permit=AlwaysPermit(clock.now()),
        lag=lag,
        marker=marker,
        currency="USD",
    )
    marker.end("flat" if result.flat else "not flat")
    return result.flat


class Fates(Stage):
    """A stage on which more happens than trades and crashes."""

    # What befalls it

    async def _befall(
        self, step: s.Pause | s.Jump | s.Withdraw | s.Backup | s.Lose | s.Second | s.LastExit
    ) -> None:
        """What happens to the process, its machine, its journal and its account."""
        match step:
            case s.Pause(ms=ms):
                self.power.stop()
                await self._wait(ms)
                self.power.go()
            case s.Jump(ms=ms):
                self.jumped += ms * MS
            case s.Withdraw(currency=currency, percent=percent):
                self._withdraw(currency, percent)
            case s.Backup():
                self.copy = self._copied()
            case s.Lose(back=back):
                self.power.cut()
                self.meddled = self.unexplained = True
                for suffix in ("", "-wal", "-shm"):
                    (self.home / f"journal.sqlite{suffix}").unlink(missing_ok=True)
                (self.home / "journal.sqlite").write_bytes(self.copy if back else blank_journal())
            case s.Second():
                await self._second(step)
            case s.LastExit(beside=beside):
                await self._last_exit(beside)

    def _copied(self) -> bytes:
        """The journal as it is on the disk."""
        place = self.home / "copy.sqlite"
        place.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(self.home / "journal.sqlite")) as journal,
            closing(sqlite3.connect(place)) as copy,
        ):
            journal.backup(copy)
        return place.read_bytes()

    def _withdraw(self, currency: str, percent: int) -> None:
        """Of what was there before the first session, as far as no order keeps it."""
        left = self.own.get(currency, ZERO) * percent / 100
        taken = min(left, max(self.exchange.ledger.free(currency), ZERO))
        if taken > ZERO:
            self.meddled = True
            self.own[currency] -= taken
            self.venue.withdraw(currency, taken)

    async def _second(self, step: s.Second) -> None:
        """Another process, beside the first."""
        self.meddled = self.unexplained = True
        self.processes += 1
        name, power = f"journal-{self.processes}.sqlite", Power()
        (self.home / name).write_bytes(blank_journal())
        venue = self.venue.beside(self.story.seed + self.processes)
        engine, journal, _ = self._process(name, power, Disk(), venue, None)
        await engine.start()
        deadline = self.clock.now() + RECOVERY
        while (
            BlockCode.STARTING in engine.state.blocks
            and self.clock.now() < deadline
            and not self.power.off
        ):
            await self._wait(250)
        opened = s.Open(step.symbol, step.side, step.size)
        await engine.ask(
            keys.bracket(
                opened,
                f"{self._key()}.second",
                self.prices[step.symbol],
                self.instruments[step.symbol],
            )
        )
        await self._wait(step.ms)
        await engine.close()
        journal.unplug()
        venue.shut_down()

    async def _last_exit(self, beside: str) -> None:
        """Past the engine, which is dead, or hears of it once it wakes up."""
        self.meddled = self.unexplained = True
        self.processes += 1
        if beside == "dead":
            self.power.cut()
            await self.engine.abandon()
        else:
            self.power.stop()
            await self._wait(ASKED)
        venue = self.venue.beside(self.story.seed + self.processes)
        closing_all = asyncio.get_running_loop().create_task(
            last_exit(venue, self.clock, self.home, self.processes)
        )
        while not closing_all.done():
            await self.clock.sleep(STEP)
            self._quote()
        flat = closing_all.result()
        self.outcome.counts["last exit flat" if flat else "last exit not flat"] += 1
        if flat:
            self.auditor.claimed_flat("the last exit", self.clock.now())
        venue.shut_down()
        if beside == "stopped":
            self.power.go()

    def _meddle(self, step: s.External) -> None:
        self.meddled = True
        side, size, lent = (
            Side(step.side),
            Decimal(step.size) / 1_000,
            keys.LENT if step.lent else None,
        )
        at_market = step.kind == "market"
        away = 1 - Decimal(step.away) / 10_000 * side.sign
        price = (
            None
            if at_market
            else self.instruments[step.symbol].round_price(self.prices[step.symbol] * away)
        )
        kind = OrderType.MARKET if at_market else OrderType.LIMIT
        self.venue.external(
            Order(
                f"external-{self.keys}",
                "",
                step.symbol,
                side,
                kind,
                Role.ENTRY,
                size,
                price=price,
                leverage=lent,
            )
        )
