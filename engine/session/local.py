"""An engine in this process for a console: home, lock, market, venue, journal, control socket;
opened in order and closed in order.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

from msgspec.structs import replace

from engine.account.home import Home
from engine.account.identity import Identity, check_key, fingerprint
from engine.account.keeper import Keeper
from engine.account.lock import Lock
from engine.account.pen import HomePermit, LeasePermit, boottime
from engine.account.records import Records
from engine.clock import SECOND
from engine.desk import Decision
from engine.journal import Journal
from engine.model.codes import RefusalCode
from engine.model.counts import counted
from engine.model.intent import AnyIntent
from engine.model.played import Replay as Replaying
from engine.model.refusal import Refusal
from engine.model.view import Answer, View
from engine.outlets import Outlets
from engine.runtime import Engine, Log
from engine.session import replaying
from engine.session.attached import AttachedSession
from engine.session.client import ControlError
from engine.session.establish import establish
from engine.session.hosting import SessionServer
from engine.session.messages import MAJOR, MINOR, Done, End, HandedOver, Query, QueryError, Welcome
from engine.session.messages import Told as Answered
from engine.session.notes import secrets_of
from engine.session.queries import Queries
from engine.session.recalling import recalled
from engine.session.remembering import Remembering
from engine.session.server import ControlServer
from engine.session.starting import STEPS, Opening, Stepped
from engine.session.taking import PASSES_ON, PenHeldError, Wanted, take
from engine.setup.environments import Environment, environment_of
from engine.setup.questions import Told
from engine.setup.sections import Settings

FLATTEN = 20 * SECOND
"""Nanoseconds that a flatten under way has before whoever leaves is gone."""
HAND_OVER = 2 * SECOND
"""How long, at most, whoever asks for the account waits for what is on the line."""
LOOK = 0.25
"""Seconds between two looks at whether somebody let go, or answers."""
LAST_NOTICE = 1.0
"""Seconds that outlets get when the session closes: the alert about the end itself is among
them.
"""


class LocalSession:
    """The session of the process that holds the account, and of one that held it: then it
    looks on.
    """

    def __init__(
        self,
        settings: Settings,
        home: Home,
        wanted: Wanted | None = None,
        identity: Identity | None = None,
        environment: Environment | None = None,
    ) -> None:
        """`identity` is written down where home or journal say nothing yet; without one neither is
        touched. A drill brings its own `environment`.
        """
        self._settings = settings
        self._home = home
        self._wanted = wanted or Wanted()
        self._passes_on = settings.journal.failover == "automatic"
        self._identity = identity
        self._brought = environment
        self._journal: Journal | None = None
        self._closing: asyncio.Task[None] | None = None
        self.stepped: Stepped = lambda step, of, name: None
        """Hears of each step of the opening."""
        self._asked_by = ""
        """Who asked for the account; empty where nobody did."""
        self._leaving: asyncio.Task[None] | None = None
        self._beyond: AttachedSession | None = None
        """The line to whoever has it now."""
        self.when_told_to_end: Callable[[], None] | None = None
        """Called when a console asks for the end; None where this process is a console itself."""

    async def open(self, told: Told = lambda question, why: None) -> None:
        """Build the world and the engine, recover, and begin to answer. Whatever fails or is
        cancelled is closed again.
        """
        settings, home = self._settings, self._home
        account, live = settings.account, settings.account.venue != "paper"
        opening = Opening(account.name, account.venue, account.currency, time.time_ns(), live=live)

        def waits(question: str, why: str) -> None:
            opening.waits(question, why)
            told(question, why)

        pen = self._pen()  # first: the socket of whoever has the account is not replaced
        async with AsyncExitStack() as opened:
            await self._open_doors(opening, opened)
            self._environment = self._brought or environment_of(settings, home)
            await self._environment.open(waits)
            opened.push_async_callback(self._environment.close, read_only=True)
            sent = boottime()
            opening.reaches("journal")
            now = self._environment.clock.now()
            journal = self._journal = await self._open_journal(pen, now)
            self._establish(journal, now)
            opening.reaches("desk")
            self._make_engine(journal, pen, sent)
            opened.push_async_callback(self.engine.close)
            self._log = Log(home.log, [*secrets_of(settings), *self._environment.secrets])
            opened.callback(self._log.close)
            self._tell_others()
            opening.reaches("recovery")
            heard = await recalled(self.engine, self._environment, home.folder, waits)
            await self.engine.start()
            opening.reaches("prices")
            self._remembering = Remembering(self.engine, self._environment, home.folder)
            await self._remembering.begin(heard)
            self._queries = Queries(self.engine, self.view, self._outlets.test, heard)
            self.control.serve(self)
            opened.pop_all()

    async def _open_doors(self, opening: Opening, opened: AsyncExitStack) -> None:
        opening.stepped = self.stepped
        opening.reaches(STEPS[0])
        self.control = ControlServer(
            opening, self._home.control, self.hand_over, self._told_to_end, self.say
        )
        await self.control.start()
        opened.push_async_callback(self.control.close)
        self._consoles = SessionServer(
            self.control, self._home.session, has_screen=lambda: self.when_told_to_end is None
        )
        await self._consoles.start()
        opened.push_async_callback(self._consoles.close)

    def _make_engine(self, journal: Journal, pen: Lock, sent: int) -> None:
        """The engine on what was opened. `sent` is when the lease was last known to be ours (boot
        time, nanoseconds).
        """
        clock, venue = self._environment.clock, self._environment.venue
        loop = asyncio.get_running_loop()

        def complain(text: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                loop.call_soon_threadsafe(self.engine.complain, text)

        records = Records(self._home.folder)
        with suppress(OSError):  # a full disk: the last exit does without the room
            records.reserve()
        self._keeper = Keeper(self._home.folder, complain)
        permit = (
            LeasePermit(pen, clock.now(), sent, clock.speed, passes_on=self._passes_on)
            if journal.shared
            else HomePermit(pen, clock.now(), clock.speed)
        )
        self.engine = Engine(
            self._settings,
            venue,
            journal,
            clock,
            seed=time.time_ns(),
            looking=venue.live,
            permit=permit,
            summary=self._keeper.offer,
            records=records,
        )
        if isinstance(permit, LeasePermit):
            journal.keep(permit, boottime, self.engine.lose, self._wanted_by)
        replaying.tell_of_prices(self._environment, self.engine)

    def _pen(self) -> Lock:
        """The lock of the home, which whoever opens a session has taken. Raises PenHeldError where
        somebody else has.
        """
        holder = None if self._home.pen is not None else self._home.hold(time.time_ns())
        if self._home.pen is None:
            assert holder is not None
            raise PenHeldError(f"account {self._settings.account.name}: {holder.text} holds it")
        return self._home.pen

    async def _open_journal(self, pen: Lock, now: int) -> Journal:
        """The journal, with a lease that is ours. Raises JournalError, PenHeldError."""
        settings = self._settings
        journal = Journal.open(
            settings.journal.url or self._home.journal,
            settings.account.name,
            name := pen.me.text + PASSES_ON * self._passes_on,
            now=now,
            me=pen.me,
        )
        try:
            await take(journal, pen.me, now, pen.before, self._wanted, name)
        except BaseException:
            journal.close(1.0)
            raise
        return journal

    def _establish(self, journal: Journal, now: int) -> None:
        """See that journal and home say what the account is, before anything is claimed or sent.
        Closes the journal where they differ.
        """
        if self._identity is None:
            return
        key = next(iter(self._environment.secrets), "")
        try:
            check_key(self._identity, key)
            establish(
                self._home.folder,
                journal,
                replace(self._identity, fingerprint=fingerprint(key)),
                now,
            )
        except BaseException:
            journal.close()
            raise

    def _tell_others(self) -> None:
        """The log, and outlets where the settings ask for them. Raises OutletError."""
        engine, written = self.engine, self._log
        for notice in engine.notices:  # said while it opened, before anybody listened
            written.noticed(notice)
        self._outlets = Outlets(self._settings, engine, self._home.folder)

        def decided(decision: Decision, now: int) -> None:
            written.decided(decision, engine.state)
            self._outlets.decided(decision, now)

        engine.hooks.decided = decided
        self._outlets.start()

    # The session

    @property
    def read_only(self) -> bool:
        """Whether somebody took the account over, or was handed it."""
        return self.engine.read_only or self._leaving is not None

    @property
    def holder(self) -> str:
        """Who has the account, where it is not us any more."""
        return (
            self.engine.winner if self.engine.read_only else self._asked_by
        ) or "another process"

    def view(self) -> View:
        """Everything, now; of an account that somebody else has, what stood when it went, or what
        its holder shows.
        """
        if self._beyond is not None:
            return self._beyond.view()
        view = self.engine.view()
        return replace(view, holder=self.holder) if self.read_only else view

    async def ask(self, intent: AnyIntent) -> Answer:
        """Ask for it."""
        if self.read_only:
            return Answer(intent.id, (Refusal(RefusalCode.READ_ONLY, self.holder),))
        replaying.play_on(self._environment)
        return await self.engine.ask(intent)

    def hello(self) -> Welcome:
        """This process, or whoever has the account by now."""
        if self._beyond is not None:
            return self._beyond.hello()
        account, live = self._settings.account, self.engine.venue.live
        me = (self.read_only, os.getpid())
        return Welcome(MAJOR, MINOR, account.name, account.venue, live, *me)

    async def query(self, query: Query) -> Answered:
        """Answer it from here; of an account that somebody else has, as its holder does."""
        if self._beyond is not None:
            return await self._beyond.query(query)
        if self._closing is not None:
            raise QueryError("the session is closing: ask again")
        if isinstance(query, Replaying):
            return replaying.answer(query, self._environment, self.read_only)
        return await self._queries.answer(query)

    def silent_for(self) -> float:
        """Never: it is this process."""
        return 0.0 if self._beyond is None else self._beyond.silent_for()

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Raise or cure an alert of the console's own."""
        self.engine.trouble(code, subject, text)

    @property
    def consoles(self) -> int:
        return self._consoles.consoles

    async def take(self) -> str:
        """This process has the account, or somebody else has it for good."""
        return f"{self.holder} holds the account" if self.read_only else ""

    async def end(self, *, alone: bool = False) -> str:
        return "the engine is this process: leaving ends it"

    def _told_to_end(self, asked: End) -> Done:
        if self.when_told_to_end is None:
            return Done(ok=False, text="this engine is part of a console: leave it there")
        others, left = self.consoles - 1, self.engine.view().open
        if asked.alone and others > 0:
            return Done(ok=False, text=f"{counted(others, 'other console')} attached: it goes on")
        if asked.alone and left:
            return Done(ok=False, text=f"{counted(left, 'thing')} open: it goes on")
        self.when_told_to_end()
        return Done(ok=True, text="the engine ends in order; stops at the venue stay")

    def say(self, kind: str, text: str) -> None:
        """Write a line of the record about consoles; while it opens there is no record."""
        if self.control.session is self:
            self.engine.teller.say(kind, "bad" if kind == "trouble" else "plain", text)

    def give_up(self) -> None:
        """After an opening that failed: leave the lease to whoever comes next."""
        if self._journal is not None:
            self._journal.close(1.0)

    # Handing over

    def _wanted_by(self, who: str) -> None:
        """The row of the shared lease says that somebody asks for it."""
        if not self._asked_by:
            self._asked_by = who
            self.engine.tasks.spawn(f"hand over to {who}", self._hand_over(who))

    async def hand_over(self, who: str) -> HandedOver:
        """Somebody asks for the account: stop entries, finish what is on the line (two seconds at
        most), then close in order and look on.

        The answer comes at once; that it is done shows the lock, which is free then.
        """
        if self.read_only:
            return HandedOver(ok=False, text=f"{self.holder} holds the account")
        self._wanted_by(who)
        return HandedOver(
            ok=True,
            text=f"process {os.getpid()} lets go of the account: {self._asked_by} asked for it",
        )

    async def _hand_over(self, who: str) -> None:
        await self.engine.hand_over(who, int(HAND_OVER * self._environment.clock.speed))
        asyncio.get_running_loop().call_later(0.1, self._leave)  # the answer goes first

    def _leave(self) -> None:
        if self._leaving is None and self._closing is None:
            self._leaving = asyncio.get_running_loop().create_task(self._look_on(), name="look on")

    async def _look_on(self) -> None:
        """Close everything but the eyes: the view stays as it was until the new holder shows its
        own.
        """
        self._closing = asyncio.get_running_loop().create_task(self._close())
        try:
            await asyncio.shield(self._closing)
        except Exception as error:
            self.engine.complain(f"the engine did not close in order: {error}")
        while self._beyond is None:
            with contextlib.suppress(ControlError):
                self._beyond = await AttachedSession.open(
                    self._home.session, self._home.holder().text
                )
            await asyncio.sleep(LOOK)

    async def close(self) -> None:
        """Once, in order: stop answering, stop trading, remember the market, let go of the home."""
        self._closing = self._closing or asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closing)
        if self._leaving is not None:
            self._leaving.cancel()
            await asyncio.gather(self._leaving, return_exceptions=True)
        if self._beyond is not None:
            await self._beyond.close()

    async def _close(self) -> None:
        patience = 0 if self._asked_by else int(FLATTEN * self._environment.clock.speed)
        await self.engine.flattened(patience)
        await self._outlets.rest(LAST_NOTICE)
        await self._consoles.close("handed over" if self._asked_by else "the engine ends in order")
        await self.control.close()
        await self.engine.close(0 if self._asked_by else 3 * SECOND)
        await self._environment.close(read_only=self.engine.read_only)
        self._remembering.close()
        self._keeper.close()
        self._log.close()
        self._home.let_go()
