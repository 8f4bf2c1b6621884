"""What the engine tells its home after each commit: the account in short, kept outside the journal
(custody.md, sections 4 and 5).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from engine.account.summary import EXECUTIONS, HeldPosition, OpenOrder, Summary
from engine.clock import SECOND, Clock
from engine.desk import State, books_of
from engine.desk import events as e
from engine.journal import Journal
from engine.model.instrument import Kind
from engine.model.limits import Level
from engine.model.order import Order, Role
from engine.model.position import Position

PAUSE = SECOND // 10
"""Between two summaries at least; the newest is never left out."""


class Summaries:
    """Makes a summary once a commit is durable, a few times a second at most.

    The seq, its hash and the newest order are those of what is durable: a home must never know what
    the journal does not. Positions and orders are what the engine knows at that moment, which may
    be a few events more.

    An engine that has not compared the account even once, as with a journal that was lost, knows
    nothing of it and says nothing: what the home knew before stays, and where it knew nothing the
    last exit goes by every execution.
    """

    def __init__(
        self,
        journal: Journal,
        state: State,
        levels: Callable[[], tuple[Level, ...]],
        clock: Clock,
        write: Callable[[Summary], None],
    ) -> None:
        self._journal, self._state, self._levels, self._clock, self._write = (
            journal,
            state,
            levels,
            clock,
            write,
        )
        orders = (*state.ended.values(), *state.orders.values())
        self._newest = (
            max(orders, key=lambda order: order.created_at).client_order_id if orders else ""
        )
        self._submitted: deque[tuple[int, str]] = deque()
        self._last = 0
        self._timer: asyncio.TimerHandle | None = None

    def journaled(self, number: int, events: Iterable[e.AnyEvent]) -> None:
        """A batch was queued: remember which order it submitted last, until it is durable."""
        newest = ""
        for event in events:
            if isinstance(event, e.OrderSubmitted):
                newest = event.order.client_order_id
        if newest:
            self._submitted.append((number, newest))

    def durable(self, number: int) -> None:
        """Batches up to `number` are on disk: write a summary now, or as soon as the pause
        is over.
        """
        while self._submitted and self._submitted[0][0] <= number:
            self._newest = self._submitted.popleft()[1]
        if self._timer is not None:
            return
        due = self._last + PAUSE
        if self._clock.now() >= due:
            self.tell()
        else:
            self._timer = self._clock.call_at(due, self.tell)

    def tell(self) -> None:
        """Write a summary of what is durable now, if the account is known at all."""
        self.cancel()
        self._last = self._clock.now()
        if self._state.cash:
            self._write(self._summary())

    def cancel(self) -> None:
        """Forget that one is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _summary(self) -> Summary:
        state, ends = self._state, self._journal.durable
        bases = {
            instrument.base
            for instrument in state.instruments.values()
            if instrument.kind is Kind.SPOT
        } - {state.currency}
        left = [name for name in state.cash if name in bases] + list(
            dict.fromkeys((*state.elsewhere, *state.dust))
        )
        return Summary(
            account=state.account,
            journal=self._journal.id,
            seq=ends.seq,
            hash=ends.hash.hex(),
            newest_order=self._newest,
            executions=tuple(islice(reversed(state.executions), EXECUTIONS)),
            strange=tuple(islice(reversed(state.strange), EXECUTIONS)),
            withheld=dict(state.withheld),
            at=self._clock.now(),
            compared_at=state.reconciled_at,
            positions=tuple(
                _held(position, state) for position in state.positions.values() if position.is_open
            ),
            orders=tuple(_open(order, state) for order in state.orders.values()),
            baseline={name: books_of(state, name).baseline for name in left},
            counters=self._levels(),
        )


def _held(position: Position, state: State) -> HeldPosition:
    return HeldPosition(
        id=position.id,
        symbol=position.symbol,
        side=position.side,
        size=position.size,
        leverage=position.leverage,
        adopted=_is_adopted(position, state),
        stop=position.stop,
        opened_at=position.opened_at or 0,
    )


def _is_adopted(position: Position, state: State) -> bool:
    """Whether no order of ours bought it. The operator may have written over its note; what was
    adopted has cost no fee and has no entry.
    """
    if position.note == "adopted":
        return True
    if any(position.fees.values()):
        return False
    ours = (*state.orders_for(position.id), *state.ended_for(position.id))
    return not any(order.role is Role.ENTRY for order in ours)


def _open(order: Order, state: State) -> OpenOrder:
    return OpenOrder(
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        symbol=order.symbol,
        side=order.side,
        role=order.role,
        size=order.size,
        filled=order.filled,
        trigger=order.trigger,
        deadline=order.deadline,
        touched_at=order.touched_at,
        in_doubt=order.in_doubt or order.client_order_id in state.doubts,
    )
