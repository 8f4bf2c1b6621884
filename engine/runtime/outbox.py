"""The way out: a decision becomes a batch of the journal, and its requests go to the gateway once
that batch is durable.

While the journal fails, exits, stops and cancels leave without waiting for it; entries wait. Once
another process holds the account, nothing leaves any more, and what waited is told as not sent.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from engine.clock import Clock
from engine.desk import Decision, State, codec
from engine.desk import events as e
from engine.desk.evolve import evolve
from engine.gateway import Gateway
from engine.journal import Batch, Journal, LeaseLostError
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Request, Submit
from engine.records import LAG, Unwritten, batch
from engine.records.read_models import PositionRow
from engine.runtime.snapshots import Snapshots
from engine.runtime.summaries import Summaries

SAMPLES = frozenset({e.AccountAsked, e.Reconciled})
"""Events that are written with the next ones: a crash loses nothing with them that the next sample
would not say.
"""
SAMPLES_AT_ONCE = 200


class Outbox:
    """Holds what was decided until it may leave."""

    def __init__(
        self,
        journal: Journal,
        gateway: Gateway,
        state: State,
        booked: Callable[[str], None],
        clock: Clock,
        *,
        inline: bool,
        snapshot_every: int,
        summaries: Summaries | None,
        snapshots: Snapshots,
    ) -> None:
        """`booked` hears the name of a last exit's mark once it is durable; `inline`: the journal
        writes in this thread; `snapshot_every` is in events, and of the state; `snapshots` are of
        positions.
        """
        self.failing = ""
        """Why the journal can't write; empty while it can."""
        self._journal = journal
        self._gateway = gateway
        self._state = state
        self._booked = booked
        self._snapshot_every = snapshot_every
        self._snapshot_seq = state.seq
        self._summaries = summaries
        self._snapshots = snapshots
        self._clock = clock
        self._inline = inline
        self._unwritten = Unwritten()
        self._unwritten.begin(state)
        self._catching_up: asyncio.TimerHandle | None = None
        self._held: deque[tuple[int, tuple[Request, ...]]] = deque()
        self._marks: deque[tuple[int, str]] = deque()
        """Marks that are booked once a batch is durable."""
        self._unsaved = False
        self._closed = False

    @property
    def lost(self) -> LeaseLostError | None:
        """Why the journal is somebody else's now; None while it is ours."""
        return self._journal.lost

    @property
    def waiting(self) -> bool:
        """Whether requests wait until what they follow from is durable."""
        return bool(self._held)

    def write(self, decision: Decision, now: int) -> None:
        """Journal a decision; its requests leave when that is durable. Raises LeaseLostError where
        somebody else has the account by now.
        """
        requests = decision.requests
        number = self._journal.append(
            self._batch(decision, now), waited_for=bool(requests) or decision.answer is not None
        )
        if self._summaries is not None:
            self._summaries.journaled(number, decision.events)
        questions = tuple(
            request for request in requests if isinstance(request, Query | QueryAccount)
        )
        if questions:
            self._gateway.enqueue(questions)  # they change nothing: they need not wait for the disk
        if len(questions) < len(requests):
            self._held.append(
                (number, tuple(request for request in requests if request not in questions))
            )
            if self.failing:
                self.release_exits()
        kinds = set(map(type, decision.events))
        if e.MarkBooked in kinds:
            self._marks.append((number, next(reversed(self._state.booked_marks))))
        self._unsaved = self._unsaved or not kinds <= SAMPLES
        if self._state.seq - self._snapshot_seq >= self._snapshot_every:
            self._snapshot_seq = self._state.seq
            self._journal.save_snapshot(self._state.seq, now, codec.save(self._state))
        if self._unwritten and self._catching_up is None and not self._closed:
            self._catching_up = self._clock.call_at(now + LAG, self._catch_up)

    def _catch_up(self) -> None:
        """Write the rows that lag."""
        self._catching_up = None
        if self._journal.lost is None:
            orders, positions = self._unwritten.take(self._state)
            now = self._clock.now()
            told = self._snapshots.take(_ids(positions), now, others=False)
            stale = self._snapshots.stale_before(now) if told else 0
            rows = Batch(orders=orders, positions=positions, snapshots=told, stale_before=stale)
            self._journal.append(rows, waited_for=False)
            if self._inline:
                self._journal.flush()

    def _batch(self, decision: Decision, now: int) -> Batch:
        # also while earlier requests still wait: they leave later than they were written
        told = bool(decision.requests) or not self._gateway.idle
        made = batch(
            decision,
            self._state,
            self._gateway.levels_after(decision.requests) if told else (),
            codec.encode,
            self._unwritten,
        )
        sampled = e.Sampled in map(type, decision.events)
        if not (sampled or made.positions):
            return made
        taken = self._snapshots.take(_ids(made.positions), now, others=sampled)
        return replace(made, snapshots=taken, stale_before=self._snapshots.stale_before(now))

    def durable(self, number: int) -> None:
        """Everything up to a batch is on disk: what it asked for may leave."""
        ready: list[Request] = []
        while self._held and self._held[0][0] <= number:
            ready.extend(self._held.popleft()[1])
        if ready and not self._closed:
            self._gateway.enqueue(ready)
        if self._summaries is not None and not self._closed:
            self._summaries.durable(number)
        while self._marks and self._marks[0][0] <= number:
            self._booked(self._marks.popleft()[1])

    def release_exits(self) -> None:
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
            self._gateway.enqueue(ready)

    def save_if_due(self) -> None:
        """With a journal that writes in this thread: write what waits, unless that is nothing but a
        few samples.
        """
        if self._unsaved or self._journal.waiting > SAMPLES_AT_ONCE:
            self._unsaved = False
            self._journal.flush()

    def fall_silent(self) -> tuple[Request, ...]:
        """Somebody else has the account: forget what waits, here and in the gateway, and
        return it.
        """
        if self._summaries is not None:
            self._summaries.cancel()
        unsent = (
            *self._gateway.fall_silent(),
            *(request for _, held in self._held for request in held),
        )
        self._held.clear()
        return unsent

    def close(self) -> None:
        """Pass on nothing any more."""
        self._closed = True
        if self._catching_up is not None:
            self._catching_up.cancel()

    def end_journal(self, now: int) -> None:
        """Write the rows that lag and the counters, and a snapshot if the journal has all of the
        state, then close it.
        """
        orders, positions = self._unwritten.take(self._state)
        self._journal.append(
            Batch(orders=orders, positions=positions, levels=self._gateway.levels())
        )
        if self._state.seq == self._journal.last_seq and self._state.seq > self._snapshot_seq:
            self._journal.save_snapshot(self._state.seq, now, codec.save(self._state))
        self._journal.close()


def _ids(rows: Iterable[PositionRow]) -> list[str]:
    """The positions whose rows are written."""
    return [position.id for position, _, _ in rows]


def not_sent(requests: Iterable[Request], state: State, now: int) -> list[e.AnyEvent]:
    """Apply to `state`, and return, that requests never left: nobody waits for them. Not written:
    the journal is the other one's.
    """
    text = "not sent: the pen was lost"
    events: list[e.AnyEvent] = []
    for request in requests:
        match request:
            case Submit(order=order) if order.client_order_id in state.orders:
                events.append(e.OrderRejected(now, order.client_order_id, text))
            case Amend(client_order_id=name) if name in state.orders:
                events.append(e.AmendRefused(now, name, text))
            case Cancel(client_order_id=name) if name in state.orders:
                events.append(e.CancelRefused(now, name, text))
            case _:
                continue
        evolve(state, events[-1])
    return events
