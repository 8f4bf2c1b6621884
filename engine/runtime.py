"""`Engine`: opens the rooms, owns every task, runs the loop, closes in order.

One message at a time goes through the desk; what it decides is journaled as one batch; its requests go to the gateway once the batch is
durable. While the journal fails, exits leave without waiting for it, and entries stay blocked. Start-up is recovery: load, ask the venue,
reconcile, then accept entries.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Protocol, cast

from msgspec import Struct
from msgspec.structs import replace

from engine.bookkeeping import batch
from engine.books import books
from engine.clock import SECOND, Clock
from engine.desk import codec, doubts
from engine.desk.board import Board
from engine.desk.context import LOOKING
from engine.desk.desk import (
    Crossed,
    Decision,
    Desk,
    Listed,
    Marked,
    Message,
    Overdue,
    Pulse,
    RateLimited,
    Reconcile,
    Restarted,
    SetBack,
    Slept,
    Trouble,
)
from engine.desk.desk import Wake as WakeUp
from engine.desk.events import AccountAsked, AmendRefused, AnyEvent, CancelRefused, MarkBooked, OrderRejected, Reconciled
from engine.desk.evolve import evolve
from engine.desk.previews import preview
from engine.desk.reports import is_repeat
from engine.desk.state import State
from engine.desk.truth import asks_for_margin
from engine.desk.views import Views
from engine.evidence import Books, Evidence
from engine.gate import Gate, Permit, Standing
from engine.gateway import Gateway
from engine.gateway.gateway import Listener
from engine.journal import Batch, Journal, JournalError, LeaseLostError
from engine.market import CandleRing
from engine.model.ids import account_prefix
from engine.model.intent import AnyIntent, Flatten, Intent
from engine.model.order import Order
from engine.model.quote import Candle, Quote
from engine.model.refusal import Refusal
from engine.model.report import Charged, KeyShared, Noticed, Picture, VenueReport
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Request, Submit
from engine.model.view import Answer, LaneView, LimitView, Notice, Preview, PreviewLine, View
from engine.replay import state_of
from engine.reserve import leaves_after, reserve
from engine.session.beat import GAP, Beat
from engine.session.records import Records
from engine.session.summary import Summary
from engine.session.witness import set_back
from engine.settings import Settings
from engine.summaries import Summaries
from engine.tasks import Tasks
from engine.telling import Teller
from engine.venues.protocol import Venue

TURN = 0.002
"""Seconds of work per turn of the loop, so that the screen stays alive."""
EQUITY = 2_000
"""Samples of the equity at hand for the chart."""

SAMPLES = frozenset({AccountAsked, Reconciled})
"""Events that are written with the next ones: a crash loses nothing with them that the next sample would not say."""
SLEPT = 5 * SECOND
"""A beat that is later than this was slept through."""
LIVE_LAG = 5.0
"""Seconds by which a live venue's views may be late, unless `account.lag` says otherwise."""
DEAREST = 10.0
"""No venue that we know charges more for cancelling or placing one order."""
SAMPLES_AT_ONCE = 200


class BeatingPermit(Permit, Protocol):
    """A permit that the engine's beat keeps alive."""

    lost: str
    """Why it was lost; empty while it was not."""
    winner: str
    """Who has it instead, where that is known."""

    def beat(self, now: int, due: int) -> Standing:
        """The beat came; the next one is due then (nanoseconds)."""
        ...


class Hooks(Struct):
    """What a caller may listen to."""

    decided: Callable[[Decision, int], None] | None = None
    """Each decision with its time, after it was applied."""


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
        self.settings = settings
        self.venue = venue
        self.journal = journal
        self.clock = clock
        self.hooks = hooks or Hooks()
        self.tasks = Tasks(self._task_died)
        self.board = Board(clock.now())
        self.teller = Teller(clock)
        self.state = self._load()
        self.teller.begin(self.state)
        self.desk = Desk(self.state, settings.rules_at(live=venue.live), venue.profile, self.board)
        self.views = Views(self.desk, venue.name, live=venue.live)
        self.permit = permit or Beat(clock.speed)
        lag = settings.account.lag if settings.account.lag is not None else LIVE_LAG if venue.live else 0.0
        evidence = Evidence(account_prefix(settings.account.name), int(lag * SECOND), clock.now(), venue.profile.rounding)
        self.gate = Gate(evidence, self.permit, self.state.instruments.get, self._books, self._affordable)
        listener = Listener(self.report, self._trouble, self._rate_limited, self._ask_picture, self._unanswered)
        jitter = Random(seed)  # noqa: S311 - nobody gains by guessing when a retry comes
        self.gateway = Gateway(venue, settings.gateway, clock, jitter, self.tasks.spawn, listener, self.reserve, self._reserve_at_most, self.gate)
        self.board.leaves_after = self._leaves_after
        self.quotes = 0
        self.bad_quotes: dict[str, int] = {}
        self.journal_failing = ""
        self.progress: Callable[[], float] | None = None
        """How far a recorded market has been played."""
        self.connected = False
        self._summaries = None if summary is None else Summaries(journal, self.state, self.gateway.levels, clock, summary)
        self._inline = inline
        self._looking = looking
        self._inbox: deque[tuple[Message, asyncio.Future[Answer] | None]] = deque()
        self._draining = False
        self._held: deque[tuple[int, tuple[Request, ...]]] = deque()
        self._records = records
        self._booked: deque[tuple[int, str]] = deque()
        """Marks that are booked once a batch is durable."""
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._unsaved = False
        self._beat: asyncio.TimerHandle | None = None
        self._beat_at = 0
        self._drift = 0
        self._equity: deque[tuple[int, Decimal]] = deque(maxlen=EQUITY)
        self._candles: dict[str, tuple[CandleRing, CandleRing]] = {}
        self._snapshot_seq = self.state.seq
        self._reserved: tuple[int, int, Mapping[str, float]] = (-1, 0, {})
        self._lag = 0
        self._closed = False
        self.read_only = False
        self.winner = ""
        """Who has the pen, once it was lost."""

    def _load(self) -> State:
        """The state that the journal tells."""
        account = self.settings.account
        return state_of(self.journal, account.name, account.currency, self.complain)

    # Life

    async def start(self) -> None:
        """Recover: say what the venue trades, connect, ask for the account. Entries are accepted once that is answered."""
        self.journal.start(self._durable, self._journal_trouble)
        self.gateway.restore(self.journal.levels())
        for point in self.journal.rows("equity", newest=EQUITY):
            self._equity.append((cast(int, point["at"]), cast(Decimal, point["amount"])))
        instruments = await self.venue.instruments()
        self.gate.evidence.list(instruments)
        self.post(Listed(instruments))
        self.gate.evidence.seed(self.state.orders.values(), self.state.executions)
        self.post(Restarted())
        self._witness()
        for alert in [alert for alert in self.state.alerts.values() if alert.code == "LEASE_WANTED"]:
            self.post(Trouble(alert.code, alert.subject, "", blocks=True))  # whoever starts has it
        if self._looking:
            text = f"entries wait for :live and its name, {self.settings.account.name}"
            self.post(Trouble(LOOKING, self.settings.account.name, text, blocks=True))
        await self.venue.connect(self.report, self.quote)
        self._next_beat(self.clock.now() + SECOND)

    def _witness(self) -> None:
        """What the home knows beside the journal is heard before anything is sent."""
        if self._records is None:
            return
        journal = self.journal
        behind = set_back(self._records.summary, journal.last_seq, journal.hash_at, journal.knows_order, journal.id)
        if behind:
            self.post(SetBack(behind))
        self._look_for_mark()

    def _look_for_mark(self) -> None:
        """A last exit may have been at work: while we were gone, or while we hung."""
        mark = None if self._records is None else self._records.changed_mark()
        if mark is None or not mark.orders:
            return
        if mark.name in self.state.booked_marks:
            self._forget_mark(mark.name)
            return
        now = self.clock.now()
        orders = tuple(replace(order, at=min(order.at, now)) for order in mark.orders)  # the machine's time; a recorded market has another one
        for order in orders:
            self.gate.evidence.act(order.client_order_id, order.at)
        self.gate.evidence.void("a last exit was at work here", now)
        self.gate.blind = True
        self._inbox.appendleft((Marked(mark.name, orders), None))  # before whatever was asked meanwhile
        self.post(Reconcile())

    def _forget_mark(self, name: str) -> None:
        if self._records is not None:
            with suppress(OSError):  # it is booked: the next look finds it so
                self._records.clear_mark(name)

    def _next_beat(self, at: int) -> None:
        self._beat_at = at
        self._beat = self.clock.call_at(at, self._pulse)
        match self.permit.beat(self.clock.now(), at):
            case Standing.VOID:
                self.gate.evidence.void("this process stood still", self.clock.now())
            case Standing.LOST:
                self._lose_lease(self.permit.lost, self.permit.winner)
            case _:
                pass

    def reconcile(self) -> None:
        """Ask the venue for the account."""
        self.post(Reconcile())

    def save(self) -> None:
        """With an inline journal, write down what waits now."""
        if self._inline:
            self.journal.flush()

    async def close(self, patience: int = 3 * SECOND) -> None:
        """Stop in order: take no more, finish what is on the line (at most `patience` nanoseconds), write down everything, let go of the venue."""
        if self._closed:
            return
        self._closed = True
        await self._finish(patience)
        await self._hang_up()
        if self.read_only or self.journal_failing:
            self.journal.close(1.0)
            return
        self.journal.append(Batch(levels=self.gateway.levels()))
        if self.state.seq == self.journal.last_seq and self.state.seq > self._snapshot_seq:
            self.journal.save_snapshot(self.state.seq, self.clock.now(), codec.save(self.state))
        self.journal.close()
        if self._summaries is not None:
            with suppress(JournalError):  # what was committed before is in the home all the same
                self._summaries.tell()

    async def _finish(self, patience: int) -> None:
        """Until nothing is on the line, or the time is up."""
        until = self.clock.now() + patience
        while not self.gateway.idle and not self.read_only and self.clock.now() < until:
            await self.clock.sleep(SECOND // 10)

    async def hand_over(self, who: str, patience: int) -> None:
        """Somebody asks for the pen: say so, let no entry leave any more, finish what is on the line (at most `patience` nanoseconds)."""
        text = "entries stop, what is on the line is finished, then it is handed over"
        self.post(Trouble("LEASE_WANTED", who, text, blocks=True))
        self.gateway.no_entries = f"the account is handed over to {who}"
        self.gateway.pump()
        await self._finish(patience)

    async def abandon(self) -> None:
        """What a crash leaves: tasks gone, nothing finished, nothing written that was not durable. For rehearsals and tests."""
        self._closed = True
        await self._hang_up()

    async def _hang_up(self) -> None:
        self.teller.close()
        self.gateway.close()
        for handle in (self._timer, self._beat):
            if handle is not None:
                handle.cancel()
        if self._summaries is not None:
            self._summaries.cancel()
        await self.venue.close()
        await self.tasks.close()

    def _pulse(self) -> None:
        """Once a second: how late the loop runs, and whatever the desk does by time alone."""
        self._lag = max(0, self.clock.now() - self._beat_at)
        self._wake_up()
        self._watch_clock()
        self._look_for_mark()
        now = self.clock.now()
        self._next_beat(max(self._beat_at, now) + self._pace())
        if self.desk.needs_pulse(now):
            self.post(Pulse())

    def _watch_clock(self) -> None:
        """The machine's clock may have gone on while the loop stood still."""
        drift = self.clock.drift()
        if abs(drift - self._drift) < SLEPT:
            return
        self.clock.catch_up(drift)
        self._drift, self._beat_at = self.clock.drift(), self.clock.now()
        way = "ahead" if drift > 0 else "back"
        self.gate.evidence.void("the machine's clock jumped", self.clock.now())
        self.post(Slept(f"the machine's clock went {way} by {abs(drift) / SECOND:.0f} s"))

    def _wake_up(self) -> None:
        """Before anything is decided: was the last beat slept through?"""
        now = self.clock.now()
        late = (now - self._beat_at) / max(self.clock.speed, 1.0)  # of the machine's time: a recorded market runs faster than it stands still
        if self._beat is None or self._closed or late <= GAP:
            return
        self.gate.evidence.void("this process stood still", now)
        self._look_for_mark()
        if late > SLEPT:
            text = f"nobody looked for {late / SECOND:.0f} s"
            self._beat_at = now
            self._inbox.appendleft((Slept(text), None))

    def _pace(self) -> int:
        """A second; under virtual time until there is something to do: a quiet month is not two million idle beats."""
        if not self.clock.virtual:
            return SECOND
        now = self.clock.now()
        return max(self.desk.next_pulse(now) - now, SECOND)

    # Messages in

    def post(self, message: Message, answer: asyncio.Future[Answer] | None = None) -> None:
        """Hand the desk a message. It is decided before this returns, unless one is being decided already."""
        self._inbox.append((message, answer))
        self._drain()

    def report(self, report: VenueReport) -> None:
        """What the venue said."""
        if isinstance(report, Charged):
            self.gateway.charge(report.counter, report.cost)
            return
        if isinstance(report, KeyShared | Noticed):
            if not self._closed:
                self.post(Trouble(report.code, report.subject or self.settings.account.name, report.text, blocks=False))
            return
        self.gate.hear(report, self.clock.now())
        if isinstance(report, Picture) and self.state.marked and not self.gate.evidence.good:
            report = self._before_the_mark(report)
        if not self._closed and not is_repeat(self.state, report):
            self.post(report)

    def _before_the_mark(self, picture: Picture) -> Picture:
        """A picture that may lack what a last exit did is taken for as old as that: the mark is not done with it."""
        newest = max(order.at for order in self.state.marked.values())
        return replace(picture, as_of=min(picture.as_of, newest))

    def quote(self, quote: Quote) -> None:
        """A price: the board keeps it; only what it crosses becomes a message."""
        self.quotes += 1
        if not quote.is_sane:
            self._bad_quote(quote)
            return
        crossed = self.board.on_quote(quote)
        if crossed:
            self.post(Crossed(quote.symbol, tuple(crossed)))
        rings = self._candles.get(quote.symbol)
        if rings is None:
            rings = self._candles[quote.symbol] = (
                CandleRing(quote.symbol),
                CandleRing(quote.symbol, base=60 * SECOND),
            )
        for ring in rings:
            ring.add(quote.at, quote.bid)

    def _bad_quote(self, quote: Quote) -> None:
        """A price that can't be one moves nothing: it is counted, and told once per symbol."""
        self.bad_quotes[quote.symbol] = self.bad_quotes.get(quote.symbol, 0) + 1
        if self.bad_quotes[quote.symbol] == 1:
            self.complain(f"a price of {quote.symbol} makes no sense and is ignored: {quote.bid} / {quote.ask}")

    async def ask(self, intent: AnyIntent) -> Answer:
        """Decide an intent; returns its answer as soon as there is one. Outcomes follow as notices."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.post(intent, answer)
        return await answer

    def _drain(self) -> None:
        """Decide what waits: one message at a time, a few milliseconds at most."""
        if self._draining:
            return
        self._draining = True
        self._wake_up()
        began = time.perf_counter()
        try:
            while self._inbox:
                message, waiting = self._inbox.popleft()
                self._decide(message, waiting)
                if not self._inline and self._inbox and time.perf_counter() - began > TURN:
                    asyncio.get_running_loop().call_soon(self._drain)
                    break
        finally:
            self._draining = False
        if self._inline and not self._inbox and (self._unsaved or self.journal.waiting > SAMPLES_AT_ONCE):
            self._unsaved = False
            self.journal.flush()
        self._set_timer()

    def _decide(self, message: Message, waiting: asyncio.Future[Answer] | None) -> None:
        now = self.clock.now()
        if self.read_only and not isinstance(message, Trouble):  # somebody else decides: what we would do is not even thought
            if waiting is not None and not waiting.done():
                waiting.set_result(self._answer(message, None))
            return
        message = self._in_time(message)
        decision = self.desk.handle(message, now)
        if decision.events:
            self._journal(decision, now)
            self.teller.decided(decision.events)
        if waiting is not None and not waiting.done():
            waiting.set_result(self._answer(message, decision))
        if decision.failure and not isinstance(message, Trouble):
            self._inbox.append((Trouble("TASK_DIED", "desk", decision.failure, blocks=True), None))
        if isinstance(message, Intent) and decision.answer is not None and decision.answer.ok:
            self._by_hand(message)
        if self.hooks.decided is not None:
            self.hooks.decided(decision, now)

    def _answer(self, message: Message, decision: Decision | None) -> Answer:
        """The answer to an intent. What the journal refused because the account is somebody else's by now has not been accepted."""
        name = message.id if isinstance(message, Intent) else ""
        if self.read_only or decision is None:
            return Answer(name, (Refusal("READ_ONLY", self.winner or "another process"),))
        return decision.answer or Answer(name)

    def _by_hand(self, intent: Intent) -> None:
        """The operator's hand begins the pace of a position anew."""
        names = list(self.state.positions) if isinstance(intent, Flatten) else [getattr(intent, "position", "")]
        for name in names:
            self.gate.pace.relieve(name)

    def _in_time(self, message: Message) -> Message:
        """An intent that carries a deadline is looked at by the machine's own clock, directly before it is decided."""
        if not isinstance(message, Intent) or message.not_after is None:
            return message
        late = self.clock.wall() - message.not_after
        return Overdue(message, late) if late > 0 else message

    # Out to the journal, and from there to the gateway

    def _journal(self, decision: Decision, now: int) -> None:
        requests = decision.requests
        if self.read_only:
            return
        try:
            number = self.journal.append(self._batch(decision, now))
        except LeaseLostError as error:
            self._lose_lease(str(error), error.winner, requests)
            return
        if self._summaries is not None:
            self._summaries.journaled(number, decision.events)
        questions = tuple(request for request in requests if isinstance(request, Query | QueryAccount))
        if questions:
            self.gateway.enqueue(questions)  # they change nothing: they need not wait for the disk
        if len(questions) < len(requests):
            self._held.append((number, tuple(request for request in requests if request not in questions)))
            if self.journal_failing:
                self._release_exits()
        if any(type(event) is MarkBooked for event in decision.events):
            self._booked.append((number, next(reversed(self.state.booked_marks))))
        self._unsaved = self._unsaved or any(type(event) not in SAMPLES for event in decision.events)
        if self.state.seq - self._snapshot_seq >= self.settings.journal.snapshot_every:
            self._snapshot_seq = self.state.seq
            self.journal.save_snapshot(self.state.seq, now, codec.save(self.state))

    def _batch(self, decision: Decision, now: int) -> Batch:
        told = bool(decision.requests) or not self.gateway.idle  # also while earlier requests still wait: they leave later than they were written
        return batch(decision, self.state, now, self.gateway.levels_after(decision.requests) if told else (), codec.encode)

    def _durable(self, number: int) -> None:
        """Everything up to a batch is on disk: what it asked for may leave."""
        ready: list[Request] = []
        while self._held and self._held[0][0] <= number:
            ready.extend(self._held.popleft()[1])
        if ready and not self._closed:
            self.gateway.enqueue(ready)
        if self._summaries is not None and not self._closed:
            self._summaries.durable(number)
        while self._booked and self._booked[0][0] <= number:
            self._forget_mark(self._booked.popleft()[1])

    def _release_exits(self) -> None:
        """The journal fails: exits, stops, cancels and questions don't wait for it. Entries do."""
        kept: deque[tuple[int, tuple[Request, ...]]] = deque()
        ready: list[Request] = []
        for number, requests in self._held:
            ready.extend(request for request in requests if request.lane is not Lane.ENTRY)
            entries = tuple(request for request in requests if request.lane is Lane.ENTRY)
            if entries:
                kept.append((number, entries))
        self._held = kept
        if ready:
            self.gateway.enqueue(ready)

    def _journal_trouble(self, text: str) -> None:
        if self.journal.lost is not None:
            self._lose_lease(str(self.journal.lost), self.journal.lost.winner)
            return
        self.journal_failing = text
        self.post(Trouble("JOURNAL_FAILING", "journal", text, blocks=True))
        if text:
            self._release_exits()

    def lose(self, why: str, winner: str = "") -> None:
        """The pen is lost, to `winner` where that is known."""
        self._lose_lease(why, winner)

    def _lose_lease(self, text: str, winner: str = "", decided: Iterable[Request] = ()) -> None:
        """Another program holds the account now: nothing leaves any more, and this one only looks on."""
        if self.read_only:
            return
        self.read_only, self.winner = True, winner
        if self._summaries is not None:
            self._summaries.cancel()
        unsent = (*self.gateway.fall_silent(), *(request for _, held in self._held for request in held), *decided)
        self._held.clear()
        asyncio.get_running_loop().call_soon(self._not_sent, unsent)  # told after what is being decided now
        self.post(Trouble("LEASE_LOST", winner or "another program", text, blocks=True))

    def _not_sent(self, requests: Iterable[Request]) -> None:
        """What was decided and has not left never will: nobody waits for it. Not written: the journal is the other one's."""
        now, text = self.clock.now(), "not sent: the pen was lost"
        events: list[AnyEvent] = []
        for request in requests:
            match request:
                case Submit(order=order) if order.client_order_id in self.state.orders:
                    events.append(OrderRejected(now, order.client_order_id, text))
                case Amend(client_order_id=name) if name in self.state.orders:
                    events.append(AmendRefused(now, name, text))
                case Cancel(client_order_id=name) if name in self.state.orders:
                    events.append(CancelRefused(now, name, text))
                case _:
                    continue
            evolve(self.state, events[-1])
        self.teller.decided(events)
        if events and self.hooks.decided is not None:
            self.hooks.decided(Decision(tuple(events), ()), now)

    # Supervision

    def _task_died(self, name: str, error: BaseException) -> None:
        if self._closed:
            self.complain(f"a task died: {name}: {type(error).__name__}: {error}")
        else:
            self.post(Trouble("TASK_DIED", name, f"{type(error).__name__}: {error}", blocks=True))

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Raise an alert of a console's, or cure it with an empty `text`; entries are not blocked."""
        self.post(Trouble(code, subject, text, blocks=False))

    def _trouble(self, code: str, text: str) -> None:
        self.post(Trouble(code, "venue", text, blocks=True))

    def _rate_limited(self, text: str) -> None:
        self.post(RateLimited(text))

    def _unanswered(self, text: str) -> None:
        """While the account recovers, its state is what everything waits for."""
        if "STARTING" in self.state.blocks:
            self.teller.say(
                "said", "busy", f"recovering: waiting for the account's state at {self.venue.name}: {text}; asked again", line="recovering"
            )

    def _set_timer(self) -> None:
        if self.read_only:
            return
        if self._beat is not None and self.clock.virtual:
            soon = self.clock.now() + self._pace()
            if soon < self._beat_at:  # something came up that is to be looked at before the next beat
                self._beat.cancel()
                self._next_beat(soon)
        at = self.desk.next_wake()
        if at == self._timer_at and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None and not self._closed:
            self._timer_at = at
            self._timer = self.clock.call_at(max(at, self.clock.now()), self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.post(WakeUp())

    def _reserve_at_most(self) -> float:
        """What the reserve can't exceed, without summing it."""
        return DEAREST * (len(self.state.orders) + len(self.state.positions) + 1)

    def reserve(self) -> Mapping[str, float]:
        """Tokens per counter that flattening everything would cost now: each open order cancelled, each position closed, the venue's word."""
        now, seq = self.clock.now(), self.state.seq
        if self._reserved[0] == seq and now - self._reserved[1] < SECOND // 10:
            return self._reserved[2]
        costs = reserve(self.state, self.gateway.model, now)
        self._reserved = (seq, now, costs)
        return costs

    def _leaves_after(self, entry: Order) -> int | None:
        """Nanoseconds until the venue's limits let an entry leave beside the reserve; None: not soon."""
        return leaves_after(self.state, self.gateway.model, self.gateway.is_sent, entry, self.clock.now())

    def _books(self, asset: str) -> Books:
        return books(self.state, asset, self.board.confirmed)

    def _affordable(self, cancel: Cancel) -> bool:
        return self.gateway.affordable(cancel)

    def _ask_picture(self) -> None:
        """The gate waits for the venue's word: it is asked as urgently as what waits."""
        since = doubts.since(self.views.context(self.clock.now()))
        self.gateway.enqueue((QueryAccount(since, Lane.EMERGENCY, asks_for_margin(self.state)),))

    # What is told

    def complain(self, text: str) -> None:
        """Say that something beside the desk failed."""
        self.teller.say("trouble", "bad", text)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was said so far, the newest last."""
        return self.teller.notices

    def view(self) -> View:
        """Everything, now."""
        now = self.clock.now()
        ctx = self.views.context(now)
        mode, reasons = self.views.mode(ctx)
        flatten_cost = self.reserve()
        return View(
            at=now,
            account=self.views.account(ctx),
            mode=mode,
            reasons=reasons,
            positions=self.views.positions(ctx),
            orders=self.views.orders(ctx),
            alerts=self.views.alerts(ctx),
            closed=self.views.closed(ctx),
            limits=tuple(
                LimitView(level, min(flatten_cost.get(level.name, 0.0), level.capacity), flatten_cost.get(level.name, 0.0))
                for level in self.gateway.levels()
            ),
            lanes=tuple(LaneView(lane.name, count) for lane, count in self.gateway.lanes.items()),
            breaker=self.gateway.breaker.state,
            feeds=self.views.feeds(ctx),
            lag=self._lag,
            connected="DISCONNECTED" not in self.state.blocks,
            journal_failing=self.journal_failing,
            flatten=self.views.flatten(ctx),
            notices=self.notices,
            truth=self.views.truth(ctx),
            progress=None if self.progress is None else self.progress(),
        )

    def preview(self, intent: AnyIntent) -> Preview:
        """What the intent would do, without doing it."""
        told = preview(self.views.context(self.clock.now()), intent)
        return replace(told, lines=(*told.lines, *self._tokens())) if isinstance(intent, Flatten) else told

    def _tokens(self) -> list[PreviewLine]:
        """What a flatten needs of each of the venue's counters, against what is free."""
        needed = self.reserve()
        lines = []
        for level in self.gateway.levels():
            cost = needed.get(level.name, 0.0)
            if cost:
                tone = "plain" if cost <= level.free else "bad"
                lines.append(PreviewLine(f"tokens {level.name}", f"{cost:.0f} needed", f"{level.free:.0f} of {level.capacity:.0f} free", tone))
        return lines

    def candles(self, symbol: str, interval: int, count: int) -> tuple[Candle, ...]:
        """The last candles of a symbol, oldest first; the interval in nanoseconds."""
        rings = self._candles.get(symbol)
        if rings is None:
            return ()
        fine, coarse = rings
        return (coarse if interval >= 60 * SECOND and interval % (60 * SECOND) == 0 else fine).last(interval, count)

    def equity(self, count: int) -> tuple[tuple[int, Decimal], ...]:
        """The last samples of the equity, oldest first."""
        return tuple(self._equity)[-count:]
