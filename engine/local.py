"""An engine in this process for a console: home, lock, market, venue, journal, control socket; opened in order and closed in order."""

import asyncio
import contextlib
import os
import time
from contextlib import AsyncExitStack, suppress
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from engine.backing import backing
from engine.clock import SECOND
from engine.control import ControlError, ControlServer, HandedOver, HandOver, Line, RemoteSession
from engine.desk.desk import Decision
from engine.home import Holder, Home
from engine.journal import Journal
from engine.model.intent import AnyIntent
from engine.model.quote import Candle
from engine.model.refusal import Refusal
from engine.model.secrets import of_url
from engine.model.view import Answer, Preview, View
from engine.opening import Told
from engine.outlets import log
from engine.outlets.log import Log
from engine.outlets.notify import notifier_of
from engine.runtime import Engine
from engine.session import Session
from engine.session.establish import establish
from engine.session.identity import Identity, check_key, fingerprint, resolve
from engine.session.keeper import Keeper
from engine.session.lock import Lock, myself
from engine.session.pen import HomePermit, LeasePermit, boottime
from engine.session.records import Records
from engine.settings import Settings
from engine.starting import Opening
from engine.taking import PenHeldError, Wanted, take
from engine.venues.live.keys import find
from engine.venues.protocol import VenueError

HAND_OVER = 2 * SECOND
"""How long, at most, whoever asks for the account waits for what is on the line."""
LET_GO = 10.0
"""Seconds that a holder has to close once it has agreed to hand over."""
LOOK = 0.25
"""Seconds between two looks at whether somebody let go, or answers."""


LAST_NOTICE = 1.0
"""Seconds that notifications get when the session closes: the alert about the end itself is among them."""


class LocalSession:
    """The session of the process that holds the account, and of one that held it: then it looks on."""

    def __init__(self, settings: Settings, home: Home, wanted: Wanted | None = None, identity: Identity | None = None) -> None:
        """`identity` is written down where home or journal say nothing yet; without one neither is touched."""
        self._settings = settings
        self._home = home
        self._wanted = wanted or Wanted()
        self._identity = identity
        self._journal: Journal | None = None
        self._closing: asyncio.Task[None] | None = None
        self._asked_by = ""
        """Who asked for the account; empty where nobody did."""
        self._leaving: asyncio.Task[None] | None = None
        self._beyond: RemoteSession | None = None
        """The line to whoever has it now."""

    async def open(self, told: Told = lambda question, why: None) -> None:
        """Build the world and the engine, recover, and begin to answer. Whatever fails or is cancelled is closed again."""
        settings, home = self._settings, self._home
        opening = self._opening()

        def waits(question: str, why: str) -> None:
            opening.waits(question, why)
            told(question, why)

        pen = self._pen()  # first: the socket of whoever has the account is not replaced
        async with AsyncExitStack() as opened:
            self.control = ControlServer(opening, home.control, self.hand_over)
            await self.control.start()
            opened.push_async_callback(self.control.close)
            self._backing = backing(settings, home)
            await self._backing.open(waits)
            opened.push_async_callback(self._backing.close, read_only=True)
            clock = self._backing.clock
            sent = boottime()
            opening.reaches("journal")
            journal = self._journal = await self._open_journal(pen, clock.now())
            self._establish(journal, clock.now())
            opening.reaches("desk")
            self._make_engine(journal, pen, sent)
            opened.push_async_callback(self.engine.close)
            self._log = Log(home.log, [*secrets_of(settings), *self._backing.secrets])
            opened.callback(self._log.close)
            self._tell_others()
            opening.reaches("recovery")
            await self.engine.start()
            opening.reaches("prices")
            await self._backing.begin(self.engine.tasks.spawn)
            self.control.serve(self)
            opened.pop_all()

    def _opening(self) -> Opening:
        account = self._settings.account
        return Opening(account.name, account.venue, account.currency, time.time_ns(), live=account.venue != "paper")

    def _make_engine(self, journal: Journal, pen: Lock, sent: int) -> None:
        """The engine on what was opened. `sent` is when the lease was last known to be ours (boot time, nanoseconds)."""
        clock, venue, loop = self._backing.clock, self._backing.venue, asyncio.get_running_loop()

        def complain(text: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                loop.call_soon_threadsafe(self.engine.complain, text)

        records = Records(self._home.folder)
        with suppress(OSError):  # a full disk: the last exit does without the room
            records.reserve()
        self._keeper = Keeper(self._home.folder, complain)
        permit = LeasePermit(pen, clock.now(), sent, clock.speed) if journal.shared else HomePermit(pen, clock.now(), clock.speed)
        self.engine = Engine(
            self._settings, venue, journal, clock, seed=time.time_ns(), looking=venue.live, permit=permit, summary=self._keeper.offer, records=records
        )
        if isinstance(permit, LeasePermit):
            journal.keep(permit, boottime, self.engine.lose, self._wanted_by)
        for symbol, pace in self._backing.paces.items():
            self.engine.board.set_pace(symbol, pace)
        self.engine.progress = self._backing.progress

    def _pen(self) -> Lock:
        """The lock of the home, which whoever opens a session has taken. Raises PenHeldError where somebody else has."""
        holder = None if self._home.pen is not None else self._home.hold(time.time_ns())
        if self._home.pen is None:
            assert holder is not None
            raise PenHeldError(f"account {self._settings.account.name}: {holder.text} holds it")
        return self._home.pen

    async def _open_journal(self, pen: Lock, now: int) -> Journal:
        """The journal, with a lease that is ours. Raises JournalError, PenHeldError."""
        settings = self._settings
        journal = Journal.open(settings.journal.url or self._home.journal, settings.account.name, pen.me.text, now=now, me=pen.me)
        try:
            await take(journal, pen.me, now, pen.before, self._wanted)
        except BaseException:
            journal.close(1.0)
            raise
        return journal

    def _establish(self, journal: Journal, now: int) -> None:
        """See that journal and home say what the account is, before anything is claimed or sent. Closes the journal where they differ."""
        if self._identity is None:
            return
        key = next(iter(self._backing.secrets), "")
        try:
            check_key(self._identity, key)
            establish(self._home.folder, journal, replace(self._identity, fingerprint=fingerprint(key)), now)
        except BaseException:
            journal.close()
            raise

    def _tell_others(self) -> None:
        """The log, and notifications where the settings ask for them. Raises NotifyError."""
        engine, written = self.engine, self._log
        for notice in engine.notices:  # said while it opened, before anybody listened
            written.noticed(notice)
        notifier = self._notifier = notifier_of(self._settings, lambda text: engine.teller.say("notify_failed", "bad", text, line=text))

        def decided(decision: Decision, _: int) -> None:
            written.decided(decision, engine.state)

        engine.hooks.decided = decided
        if notifier is not None:
            engine.teller.hear = notifier.hear
            engine.tasks.spawn("notifications", notifier.run())

    # The session

    @property
    def read_only(self) -> bool:
        """Whether somebody took the account over, or was handed it."""
        return self.engine.read_only or self._leaving is not None

    @property
    def holder(self) -> str:
        """Who has the account, where it is not us any more."""
        return (self.engine.winner if self.engine.read_only else self._asked_by) or "another process"

    def view(self) -> View:
        """Everything, now; of an account that somebody else has, what stood when it went, or what its holder shows."""
        if self._beyond is not None:
            return self._beyond.view()
        view = self.engine.view()
        return replace(view, holder=self.holder) if self.read_only else view

    def preview(self, intent: AnyIntent) -> Preview:
        """What the intent would do."""
        return self.engine.preview(intent)

    async def ask(self, intent: AnyIntent) -> Answer:
        """Ask for it."""
        if self.read_only:
            return Answer(intent.id, (Refusal("READ_ONLY", self.holder),))
        return await self.engine.ask(intent)

    def candles(self, symbol: str, interval: int, count: int) -> tuple[Candle, ...]:
        """The last candles of a symbol."""
        return self.engine.candles(symbol, interval, count)

    def equity(self, count: int) -> tuple[tuple[int, Decimal], ...]:
        """The last samples of the equity."""
        return self.engine.equity(count)

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Raise or cure an alert of the console's own."""
        self.engine.trouble(code, subject, text)

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
        """Somebody asks for the account: stop entries, finish what is on the line (two seconds at most), then close in order and look on.

        The answer comes at once; that it is done shows the lock, which is free then.
        """
        if self.read_only:
            return HandedOver(ok=False, text=f"{self.holder} holds the account")
        self._wanted_by(who)
        return HandedOver(ok=True, text=f"process {os.getpid()} lets go of the account: {self._asked_by} asked for it")

    async def _hand_over(self, who: str) -> None:
        await self.engine.hand_over(who, int(HAND_OVER * self._backing.clock.speed))
        asyncio.get_running_loop().call_later(0.1, self._leave)  # the answer goes first

    def _leave(self) -> None:
        if self._leaving is None and self._closing is None:
            self._leaving = asyncio.get_running_loop().create_task(self._look_on(), name="look on")

    async def _look_on(self) -> None:
        """Close everything but the eyes: the view stays as it was until the new holder shows its own."""
        self._closing = asyncio.get_running_loop().create_task(self._close())
        try:
            await asyncio.shield(self._closing)
        except Exception as error:
            self.engine.complain(f"the engine did not close in order: {error}")
        while self._beyond is None:
            with contextlib.suppress(ControlError):
                self._beyond = await RemoteSession.open(self._home.control, self._home.holder().text, read_only=True)
            await asyncio.sleep(LOOK)

    async def close(self) -> None:
        """Once, in order: stop answering, stop trading, remember the market, let go of the home."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closing)
        if self._leaving is not None:
            self._leaving.cancel()
            await asyncio.gather(self._leaving, return_exceptions=True)
        if self._beyond is not None:
            await self._beyond.close()

    async def _close(self) -> None:
        if self._notifier is not None:
            await self._notifier.rest(LAST_NOTICE)
        await self.control.close()
        await self.engine.close(0 if self._asked_by else 3 * SECOND)
        await self._backing.close(read_only=self.engine.read_only)
        self._keeper.close()
        self._log.close()
        self._home.let_go()


def secrets_of(settings: Settings) -> list[str]:
    """Whatever the settings lead to that must never be written."""
    found = [os.environ.get(settings.outlets.notify or "", ""), settings.notify.address or ""]
    return found + of_url(settings.journal.url)


def redacted(settings: Settings, home: Home, text: str) -> str:
    """The text without the account's secrets: those of the settings, and its key."""
    secrets = secrets_of(settings)
    if settings.account.venue != "paper":
        with contextlib.suppress(VenueError, OSError):
            found = find(settings.account.name, home.folder)
            secrets += [found.key, found.secret]
    return log.redacted(text, secrets)


def note(settings: Settings, home: Home, event: str, text: str, level: str = "ERROR") -> None:
    """Write one line to the account's log beside the session's own: before it opens, or when the screen fails."""
    log.note(home.log, event, redacted(settings, home, text), level)


async def open_session(settings: Settings, folder: Path | None = None, wanted: Wanted | None = None, told: Told | None = None) -> Session:
    """The engine of this process, or, where another one of this machine holds the account, a line to look on by.

    `wanted` says whether the holder is asked for it; `told` hears which question the opening waits for (the log says so in any case).
    Raises PenHeldError where somebody has it who can't be looked at from here, or who does not hand it over; IdentityError where the
    settings say something else than the account is, before anything is created.
    """
    resolved = resolve(settings, folder, True, new=True)
    home, wanted = Home.of(settings.account.name, folder), wanted or Wanted()
    holder = home.hold(time.time_ns())
    if holder is not None and wanted.take_over:
        holder = await _ask_for(settings.account.name, home, holder)
    if holder is not None:
        try:
            return await RemoteSession.open(home.control, holder.text, read_only=True)
        except ControlError as error:
            raise ControlError(
                f"account {settings.account.name}: {holder.text} holds it and does not answer; `flatout flatten --yes` works all the same"
            ) from error

    def waits(question: str, why: str) -> None:
        if why:
            note(settings, home, "opening-waits", f"{question}: {why}", "WARNING")
        if told is not None:
            told(question, why)

    session = LocalSession(settings, home, wanted, resolved.identity)
    try:
        await session.open(waits)
    except BaseException:
        session.give_up()
        home.let_go()
        raise
    return session


async def _ask_for(account: str, home: Home, holder: Holder) -> Holder | None:
    """Ask the holder on this machine for the account and take the lock once it is free; who has it, if somebody was faster."""
    try:
        line = await Line.open(home.control)
        try:
            answer = await line.put(HandOver(myself(time.time_ns()).text), HandedOver)
        finally:
            await line.close()
    except ControlError as error:
        raise PenHeldError(
            f"account {account}: {holder.text} was asked and does not answer; end that process, or `flatout flatten --yes`, which does"
        ) from error
    assert isinstance(answer, HandedOver)
    if not answer.ok:
        raise PenHeldError(f"account {account}: {holder.text} does not hand it over: {answer.text}")
    until = time.monotonic() + LET_GO
    while (found := home.hold(time.time_ns())) is not None and found.instance == holder.instance and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(LOOK)  # nothing tells when another process lets go
    if found is not None and found.instance == holder.instance:
        raise PenHeldError(f"account {account}: {holder.text} agreed to hand it over, and has not let go of it in {LET_GO:g} s")
    return found
