"""The last exit, step by step: ask the engine, follow another exit, prove that it can act, end a
hung holder, close, say how it ended.

Exit codes: 0 the venue says flat by evidence, 1 it does not (each line says what is left), 2 it
can't be tried (no key, no account).
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from engine.account import summary as summaries
from engine.account.home import Home, HomeError
from engine.account.lock import INSTANCE, Holder, Lock
from engine.account.lock import read as read_lock
from engine.account.mark import Mark
from engine.account.pen import AlwaysPermit, HomePermit, PenError
from engine.account.summary import Summary
from engine.clock import SECOND, Clock
from engine.emergency import asking, holder
from engine.emergency.asking import Asked
from engine.emergency.closing import Result
from engine.emergency.flat import SECONDS, close_account
from engine.emergency.marking import BEAT, Marker
from engine.emergency.opening import lag_of, opened
from engine.emergency.paper import can_read_paper
from engine.emergency.permits import ExitPermit
from engine.setup.sections import Settings
from engine.venues.live.keys import KeysError
from engine.venues.parts import PartedVenue
from engine.venues.protocol import OutcomeUnknownError, RefusedError, VenueError

FLAT, NOT_FLAT, UNUSABLE = 0, 1, 2
REACHED = 45.0
"""Seconds that the venue gets to answer at all before the exit says that it can't be reached."""
TURNS, TURN = 12, 0.25
"""How often, and after how many seconds, it looks again who holds an account that changes hands."""
YOUNG = 2.0
"""Seconds after its lock was taken in which an engine may have no socket yet."""
HANDED = 4.0
"""Seconds that a holder has to close which has said that it hands the account over."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked of one run."""

    settings: Settings
    folder: Path
    """The account's home; it need not exist."""
    label: str
    """Account, venue, and LIVE or PAPER: begins each line."""
    all_of: Collection[str] = ()
    any_price: bool = False
    seconds: float = SECONDS


class LastExit:
    """One run for one account."""

    def __init__(self, wanted: Wanted, out: Callable[[str], None]) -> None:
        self._wanted = wanted
        self._out = out
        self._intent = f"exit-{INSTANCE}-{time.time_ns()}"
        self._marker: Marker | None = None
        self._paper = wanted.settings.account.venue == "paper"
        self._told: dict[str, None] = {}
        self._answers = False
        """Whether the holder answers, though it does not flatten: then it is asked for the pen
        before it is ended.
        """

    def say(self, line: str) -> None:
        """One line, for the person and for whoever follows."""
        if self._marker is not None:
            self._marker.tells(line)
        with contextlib.suppress(OSError, ValueError):  # a terminal that is gone stops nothing
            self._out(f"{self._wanted.label}: {line}")

    async def run(self) -> int:
        """To the end; the exit code. Raises nothing."""
        try:
            return await self._run()
        except KeysError as error:
            self.say(f"no key: {error}")
            return UNUSABLE
        except (
            Exception
        ) as error:  # no traceback, ever: whoever reads this needs to know what is left
            self.say(f"NOT FLAT: {type(error).__name__}: {error}")
            self.say("nobody watches this now: look at it at the venue")
            return NOT_FLAT

    async def _run(self) -> int:
        if not self._wanted.folder.is_dir():
            code = await self._directly(None, None)
            return NOT_FLAT if code is None else code
        for _ in range(TURNS):
            found = self._take()
            if isinstance(found, Lock) or found is None:
                code = await self._directly(found, None)
                return NOT_FLAT if code is None else code
            if holder.is_exit(found):
                self.say(f"another last exit is at work ({found.text}): following it")
                mark = await holder.follow(self._wanted.folder, found, self.say)
                if mark is not None:
                    return self._ended(mark)
                self.say("it has stopped moving: taking over")
            elif not found.is_dead and await self._asked(found):
                return FLAT
            code = await self._directly(None, found)
            if code is not None:
                return code
            await asyncio.sleep(TURN)
        self.say("NOT FLAT: other processes took the account again and again")
        return NOT_FLAT

    def _take(self) -> Lock | Holder | None:
        try:
            return holder.take(self._wanted.folder)
        except (PenError, OSError) as error:
            self.say(f"the account's lock can't be taken: {error}")
            return None

    def _ended(self, mark: Mark) -> int:
        self.say("it says flat" if mark.outcome == "flat" else "it says NOT FLAT")
        return FLAT if mark.outcome == "flat" else NOT_FLAT

    # The engine

    @property
    def _socket(self) -> Path:
        try:
            return Home(self._wanted.folder, create=False).control
        except (HomeError, OSError):
            return self._wanted.folder / "control.sock"

    async def _asked(self, found: Holder) -> bool:
        """Whether the engine has made the account flat, by its receipt for this intent."""
        socket, asked_at = self._socket, time.time_ns()
        young = YOUNG - (asked_at - found.since) / SECOND
        asked = await asking.ask(socket, self._intent, self.say, min(young, YOUNG))
        if asked is Asked.FLAT:
            return True
        if (
            asked not in (Asked.NOBODY, Asked.OPENING)
            and await asking.withdraw(socket, self._intent)
            and asked is Asked.SILENT
        ):
            self.say("the engine is slow, and has taken it all the same")
            asked = await asking.follow(socket, self._intent, self.say, asked_at)
            if asked is Asked.FLAT:
                return True
        words = {
            Asked.NOBODY: "no engine listens",
            Asked.SILENT: "the engine does not answer",
            Asked.OPENING: "the engine does not get open",
        }
        if asked in words:
            self.say(words[asked])
        self._answers = asked not in words
        self.say("going to the venue directly")
        return False

    async def _free(self, seconds: float) -> Lock | None:
        """The pen, if it becomes free in time."""
        until = time.monotonic() + seconds
        while True:
            lock = holder.taken(self._wanted.folder)
            if lock is not None or time.monotonic() > until:
                return lock
            await asyncio.sleep(0.1)

    # The venue

    async def _directly(self, lock: Lock | None, other: Holder | None) -> int | None:
        """Past the engine; None where another last exit has the account by now."""
        try:
            if self._paper:
                can_read_paper(self._wanted.folder)
                return await self._on_paper(lock, other)
            clock = Clock(asyncio.get_running_loop())
            async with self._reached(clock) as venue:
                return await self._fenced(venue, clock, lock, other)
        except KeysError:
            raise
        except VenueError as error:
            kept = f"; {other.text} was not ended" if other is not None else ""
            self.say(f"NOT FLAT: the venue can't be reached: {error}{kept}")
            return NOT_FLAT
        finally:
            if lock is not None:
                lock.release()

    async def _on_paper(self, lock: Lock | None, other: Holder | None) -> int | None:
        pen = lock or await self._end(other)
        if pen is None:
            return self._not_ended()
        clock = Clock(asyncio.get_running_loop())
        try:
            async with opened(self._wanted.settings, self._wanted.folder, clock, ()) as venue:
                return await self._close(venue, clock, pen, coins=True)
        finally:
            pen.release()

    async def _fenced(
        self, venue: PartedVenue, clock: Clock, lock: Lock | None, other: Holder | None
    ) -> int | None:
        pen = lock
        if other is not None:
            pen = await self._end(other)
            if pen is None and self._not_ended() is None:
                return None
        try:
            return await self._close(
                venue,
                clock,
                pen,
                coins=pen is not None or (other is None and not self._may_be_held()),
            )
        finally:
            if pen is not None:
                pen.release()

    def _may_be_held(self) -> bool:
        """Whether somebody may hold the account though its lock could not be looked at: a disk that
        became read-only.
        """
        found = read_lock(self._wanted.folder)
        return found.pid > 0 and not found.is_dead

    def _not_ended(self) -> int | None:
        """Nobody was ended: None where the account changes hands just now, to another last exit;
        else that coins are not sold.
        """
        found = read_lock(self._wanted.folder)
        if holder.is_exit(found) or found.is_dead:
            return None
        self.say("NOT FLAT: another process may still send for this account; coins are not sold")
        return NOT_FLAT

    async def _end(self, other: Holder | None) -> Lock | None:
        """The pen, after the holder has let go of it or was ended."""
        if other is None:
            return holder.taken(self._wanted.folder)
        pen = await self._free(0.0)
        if pen is None and self._answers and await asking.hand_over(self._socket, "the last exit"):
            self.say(f"{other.text} hands the account over")
            pen = await self._free(HANDED)
        if pen is None:
            holder.end(self._wanted.folder, self.say)
            # also of one that could not be proved because it was just ending, by another last
            # exit's hand
            pen = await self._free(1.0)
        return pen

    @asynccontextmanager
    async def _reached(self, clock: Clock) -> AsyncIterator[PartedVenue]:
        """The live venue, once it has answered the decisive part of a picture: nobody is ended for
        an exit that can't act.
        """
        summary = self._summary()
        symbols: list[str] = []
        if summary is not None:
            symbols = [position.symbol for position in summary.positions] + [
                order.symbol for order in summary.orders
            ]
        until, pause = time.monotonic() + REACHED, 0.5
        async with contextlib.AsyncExitStack() as stack:
            while True:
                try:
                    venue = await stack.enter_async_context(
                        opened(self._wanted.settings, self._wanted.folder, clock, symbols)
                    )
                    await venue.parts().holdings(_free_of_charge, on_margin=False)
                    break
                except (KeysError, RefusedError):
                    raise
                except (VenueError, TimeoutError) as error:
                    await stack.aclose()
                    self._once(f"the venue does not answer: {error}")
                    if time.monotonic() > until:
                        raise OutcomeUnknownError(str(error)) from error
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 4.0)
            yield venue

    def _summary(self) -> Summary | None:
        """The home's summary, if it is of this account: a folder that was copied here tells of
        another one.
        """
        found, name = summaries.read(self._wanted.folder), self._wanted.settings.account.name
        if found is None or found.account == name:
            return found
        self._once(f"the home's summary is of account {found.account}: it is not believed")
        return None

    def _once(self, line: str) -> None:
        if line not in self._told:
            self._told[line] = None
            self.say(line)

    async def _close(
        self, venue: PartedVenue, clock: Clock, pen: Lock | None, *, coins: bool
    ) -> int:
        wanted, account = self._wanted, self._wanted.settings.account
        if wanted.folder.is_dir():
            self._marker = Marker(wanted.folder, self._intent, INSTANCE, os.getpid(), self.say)
            self._marker.begin()
        permit = ExitPermit(
            HomePermit(pen, clock.now()) if pen is not None else AlwaysPermit(clock.now())
        )
        beating = asyncio.get_running_loop().create_task(self._beat(permit, clock))
        outcome = Result(False, ())
        try:
            outcome = await close_account(
                venue,
                account.name,
                clock,
                self.say,
                summary=self._summary(),
                permit=permit,
                lag=lag_of(account),
                marker=self._marker,
                all_of=wanted.all_of,
                any_price=wanted.any_price,
                coins=coins,
                currency=account.currency,
                seconds=wanted.seconds,
            )
            for line in outcome.lines:
                self.say(line)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            if self._marker is not None:
                self._marker.end("flat" if outcome.flat else "not flat")
        return FLAT if outcome.flat else NOT_FLAT

    async def _beat(self, permit: ExitPermit, clock: Clock) -> None:
        """Say that we live: in the lock, in the mark, and to the gate."""
        while True:
            permit.beat(clock.now(), clock.now() + int(BEAT * SECOND))
            if self._marker is not None:
                self._marker.beat()
            await asyncio.sleep(BEAT)


async def _free_of_charge(name: str, cost: float) -> None:
    """The first question is asked whatever the counters say: it decides whether anybody may be
    ended.
    """
    del name, cost


async def last_exit(wanted: Wanted, out: Callable[[str], None]) -> int:
    """Bring an account to flat, whatever stands in the way; the exit code."""
    return await LastExit(wanted, out).run()
