"""`Engine`: the parts of a running engine, how they are joined, and how they are opened and closed
in order.

One message at a time goes through the desk (`inbox`, `decider`); what it decides is journaled as
one batch, and its requests go to the gateway once the batch is durable (`outbox`). Start-up is
recovery: load, ask the venue, reconcile, then accept entries.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random

from engine.account.beat import Beat
from engine.account.records import Records
from engine.account.summary import Summary
from engine.clock import SECOND, Clock
from engine.desk import (
    LOOKING,
    Board,
    Desk,
    Listed,
    Message,
    Reconcile,
    Restarted,
    Trouble,
    Views,
    books_of,
)
from engine.gate import Evidence, Gate
from engine.gateway import Gateway, Listener
from engine.journal import Journal, JournalError
from engine.model.codes import AlertCode
from engine.model.ids import account_prefix
from engine.model.intent import AnyIntent
from engine.model.view import Answer, Notice, Preview, View
from engine.records import state_of
from engine.runtime.decider import Decider, Hooks
from engine.runtime.hearing import Hearing
from engine.runtime.heartbeat import BeatingPermit, Heartbeat
from engine.runtime.history import History
from engine.runtime.inbox import Inbox
from engine.runtime.markets import Markets
from engine.runtime.marks import Marks
from engine.runtime.outbox import Outbox
from engine.runtime.overview import Overview
from engine.runtime.reserve import Reserve
from engine.runtime.snapshots import Snapshots
from engine.runtime.stream import Stream
from engine.runtime.summaries import Summaries
from engine.runtime.tasks import Tasks
from engine.runtime.teller import Teller
from engine.setup.sections import Settings
from engine.venues.protocol import Venue, Walks

LIVE_LAG = 5.0
"""Seconds by which a live venue's views may be late, unless `account.lag` says otherwise."""
OVER = frozenset({AlertCode.LEASE_WANTED, AlertCode.OUTLET_FAILING})
"""Alerts that end with the process: whoever starts has the account, and tries each outlet anew."""


class Engine:
    """Custody of one account."""

    def __init__(
        self,
        settings: Settings,
        venue: Venue,
        journal: Journal,
        clock: Clock,
        seed: int,
        *,
        inline: bool = False,
        looking: bool = False,
        hooks: Hooks | None = None,
        summary: Callable[[Summary], None] | None = None,
        permit: BeatingPermit | None = None,
        records: Records | None = None,
    ) -> None:
        """`inline`: the journal writes in this thread. `looking`: entries wait for `:live`. `seed`:
        of the pauses between retries.
        """
        account, every = settings.account, settings.journal.snapshot_every
        self.settings, self.venue, self.journal, self.clock = settings, venue, journal, clock
        self.hooks = hooks or Hooks()
        self._inline, self._looking, self._closed = inline, looking, False
        self.teller, self.board, self.history = Teller(clock), Board(clock.now()), History()
        self.state = state_of(journal, account.name, account.currency, self.complain)
        self.teller.begin(self.state)
        self.stream = Stream(journal, self.state)
        self.desk = Desk(self.state, settings.rules_at(live=venue.live), venue.profile, self.board)
        self.views = Views(self.desk, venue.name, live=venue.live)
        self.markets = Markets(self.state, self.board, venue, self.history)
        self.inbox = Inbox(patient=not inline)
        self.permit = permit or Beat(clock.speed)
        self.reserve = Reserve(self.state, clock)
        self.board.speed = clock.speed
        self.board.leaves_after = self.reserve.leaves_after
        self.gate = self._make_gate()
        self.marks = Marks(records, journal, self.state, self.gate, clock, self.inbox)
        self._connect(seed, every, summary)

    def _connect(self, seed: int, every: int, summary: Callable[[Summary], None] | None) -> None:
        """Make the parts that hear, decide and send, and connect them."""
        journal, clock = self.journal, self.clock
        self.hearing = self._make_hearing()
        self.tasks = Tasks(self.hearing.task_died)
        self.gateway = self.reserve.gateway = self.hearing.gateway = self._make_gateway(seed)
        self.summaries = (
            None
            if summary is None
            else Summaries(journal, self.state, self.gateway.levels, clock, summary)
        )
        self.outbox = self._make_outbox(every)
        self.decider = Decider(
            self.desk,
            self.gate,
            self.outbox,
            self.teller,
            self.history,
            self.inbox,
            clock,
            self.hooks,
        )
        self.heartbeat = Heartbeat(
            clock,
            self.desk,
            self.permit,
            self.gate.evidence,
            self.inbox,
            self.marks.look,
            self.decider,
        )
        self.inbox.serve(self.decider.decide, self.heartbeat.notice_gap, self._decided)
        self.overview = Overview(
            self.views, self.gateway, self.reserve, self.outbox, self.heartbeat, clock
        )

    def _make_outbox(self, every: int) -> Outbox:
        return Outbox(
            self.journal,
            self.gateway,
            self.state,
            self.marks.forget,
            self.clock,
            inline=self._inline,
            snapshot_every=every,
            summaries=self.summaries,
            snapshots=Snapshots(self.views, self.settings.journal.position_days),
        )

    def _make_hearing(self) -> Hearing:
        return Hearing(
            self.venue.name,
            self.state,
            self.views,
            self.gate,
            self.board,
            self.history,
            self.markets,
            self.marks,
            self.teller,
            self.clock,
            self.post,
            self.inbox.hear,
        )

    def _make_gate(self) -> Gate:
        account, profile, state = self.settings.account, self.venue.profile, self.state
        lag = account.lag if account.lag is not None else LIVE_LAG if self.venue.live else 0.0
        evidence = Evidence(
            account_prefix(account.name), int(lag * SECOND), self.clock.now(), profile.rounding
        )
        return Gate(
            evidence,
            self.permit,
            state.instruments.get,
            lambda asset: books_of(state, asset, self.board.confirmed),
            self.reserve.affordable,
        )

    def _make_gateway(self, seed: int) -> Gateway:
        heard, reserve = self.hearing, self.reserve
        listener = Listener(
            heard.report, heard.trouble, heard.rate_limited, heard.ask_picture, heard.unanswered
        )
        jitter = Random(seed)  # noqa: S311 - nobody gains by guessing when a retry comes
        rules, spawn = self.settings.gateway, self.tasks.spawn
        return Gateway(
            self.venue,
            rules,
            self.clock,
            jitter,
            spawn,
            listener,
            reserve.costs,
            reserve.at_most,
            self.gate,
        )

    # Life

    async def start(self) -> None:
        """Recover: say what the venue trades, connect, ask for the account. Entries are accepted
        once that is answered.
        """
        self.journal.start(self._durable, self.decider.journal_trouble)
        self.gateway.restore(self.journal.levels())
        self.history.load(self.journal)
        instruments = await self.venue.instruments()
        self.gate.evidence.list(instruments)
        self.post(Listed(instruments))
        self.gate.evidence.seed(self.state.orders.values(), self.state.executions)
        last = self.journal.tail(1)
        self.post(Restarted(last[0].at if last else 0))
        self.marks.witness()
        for alert in [alert for alert in self.state.alerts.values() if alert.code in OVER]:
            self.post(Trouble(alert.code, alert.subject, "", blocks=True))
        if self._looking:
            name = self.settings.account.name
            self.post(
                Trouble(LOOKING, name, f"entries wait for :live and its name, {name}", blocks=True)
            )
        if isinstance(self.venue, Walks):
            self.venue.watch(self.board.levels)
        self.markets.listen()
        await self.venue.connect(self.hearing.report, self.hearing.quote)
        self.heartbeat.start()

    async def close(self, patience: int = 3 * SECOND) -> None:
        """Stop in order: take no more, finish what is on the line (at most `patience` nanoseconds),
        write down everything, let go of the venue.
        """
        if self._closed:
            return
        self.inbox.settle()
        self._stop_hearing()
        await self._finish(patience)
        await self._hang_up()
        self.inbox.end()
        if self.read_only or self.outbox.failing:
            self.journal.close(1.0)
            return
        self.outbox.end_journal(self.clock.now())
        if self.summaries is not None:
            with suppress(JournalError):  # what was committed before is in the home all the same
                self.summaries.tell()

    async def flattened(self, patience: int) -> None:
        """Until a flatten that is under way has ended, or after so many nanoseconds: who leaves in
        the middle of one leaves positions without the stops that it has cancelled.
        """
        until = self.clock.now() + patience
        while (
            (flatten := self.state.flatten) is not None
            and flatten.ended_at is None
            and not self.read_only
            and self.clock.now() < until
        ):
            await self.clock.sleep(SECOND // 10)

    async def abandon(self) -> None:
        """What a crash leaves: tasks gone, nothing finished, nothing written that was not durable.
        For rehearsals and tests.
        """
        self._stop_hearing()
        self.inbox.end()
        await self._hang_up()

    async def hand_over(self, who: str, patience: int) -> None:
        """Somebody asks for the pen: say so, let no entry leave any more, finish what is on the
        line (at most `patience` nanoseconds).
        """
        text = "entries stop, what is on the line is finished, then it is handed over"
        self.post(Trouble(AlertCode.LEASE_WANTED, who, text, blocks=True))
        self.gateway.no_entries = f"the account is handed over to {who}"
        self.gateway.pump()
        await self._finish(patience)

    def _stop_hearing(self) -> None:
        self._closed = True
        for part in (self.hearing, self.outbox, self.heartbeat):
            part.close()

    async def _finish(self, patience: int) -> None:
        """Until nothing is on the line, or the time is up."""
        until = self.clock.now() + patience
        while not self.gateway.idle and not self.read_only and self.clock.now() < until:
            await self.clock.sleep(SECOND // 10)

    async def _hang_up(self) -> None:
        self.teller.close()
        self.gateway.close()
        self.heartbeat.stop()
        if self.summaries is not None:
            self.summaries.cancel()
        await self.venue.close()
        await self.tasks.close()

    # Messages

    def post(self, message: Message) -> None:
        """Hand the desk a message. It is decided before this returns, unless one is being decided
        already.
        """
        self.inbox.post(message)

    async def ask(self, intent: AnyIntent) -> Answer:
        """Decide an intent; returns its answer as soon as there is one. Outcomes follow as
        notices.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.inbox.post(intent, answer)
        return await answer

    def reconcile(self) -> None:
        """Ask the venue for the account."""
        self.post(Reconcile())

    def _durable(self, number: int) -> None:
        """Everything up to a batch is on disk: its requests leave, and whoever waits is told."""
        self.outbox.durable(number)
        self.stream.wake()

    def _decided(self) -> None:
        """What waited has been decided, or its turn of the loop is over."""
        if self._inline and not self.inbox:
            self.outbox.save_if_due()
        self.heartbeat.set_timer()

    # Supervision

    @property
    def read_only(self) -> bool:
        """Whether another process has the account."""
        return self.decider.read_only

    @property
    def winner(self) -> str:
        """Which process has it, where that is known."""
        return self.decider.winner

    def lose(self, why: str, winner: str = "") -> None:
        """The pen is lost, to `winner` where that is known."""
        self.decider.lose(why, winner)

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Raise an alert of a console's, or cure it with an empty `text`; entries are not
        blocked.
        """
        self.post(Trouble(code, subject, text, blocks=False))

    def save(self) -> None:
        """With an inline journal, write down what waits now."""
        if self._inline:
            self.journal.flush()

    # What is told

    def complain(self, text: str) -> None:
        """Say that something beside the desk failed."""
        self.teller.complain(text)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was said so far, the newest last."""
        return self.teller.notices

    def view(self) -> View:
        """Everything, now."""
        return self.overview.view(self.notices)

    def preview(self, intent: AnyIntent) -> Preview:
        """What the intent would do, without doing it."""
        return self.overview.preview(intent)
