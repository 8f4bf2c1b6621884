"""How the last exit sends: paid from its budget, judged by the gate, marked before it leaves, and
followed to its end by id.

Nothing is assumed of a request whose answer is missing: it may have happened until its id says
otherwise, or until the parts of a picture that were asked for after it could no longer arrive do
not list it.
"""

import asyncio
from collections.abc import Callable, Collection
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.emergency.budget import Budget
from engine.emergency.gathering import Gathering
from engine.emergency.marking import Marker
from engine.gate import Admitted, Gate
from engine.model import report as r
from engine.model.ids import LAST_EXIT, client_order_id
from engine.model.money import plain
from engine.model.order import Order, Role, Status, TimeInForce
from engine.model.request import Cancel, Lane, Query, Request, Submit
from engine.venues.protocol import NotSentError, RateLimitedError, RefusedError, Venue, VenueError

DEADLINE = 4 * SECOND
"""No exchange that we know refuses one so far away; after it an order can't arrive any more."""
LATE = 2 * SECOND
"""Added to a deadline before an order that nobody lists counts as never arrived."""
NO_DEADLINE = 6 * SECOND
"""For venues and orders without one."""
CHEAP = 3
"""So many questions by the venue's own id go unanswered before the dearer one is tried."""
AN_ORDER = "an order"
ASKED = 5
"""Questions about one order in a row."""
PAUSE = SECOND // 4
ANSWER = 12.0
"""Seconds after which an answer counts as none, whatever the venue's own patience."""


class Fate(StrEnum):
    """What became of an order."""

    REFUSED = "refused"
    HELD = "held"
    """The gate did not let it leave."""
    UNKNOWN = "unknown"
    RESTS = "rests"


class Sent(Struct):
    """An order of ours whose end is not known."""

    order: Order
    ends_at: int
    """After this it can't arrive any more (nanoseconds)."""
    looks: int = 0
    """How often it was asked about."""
    again: int = 0
    """When it is worth a question again."""


class Sender:
    """Sends for one run."""

    def __init__(
        self,
        venue: Venue,
        account: str,
        gate: Gate,
        budget: Budget,
        gathering: Gathering,
        marker: Marker | None,
        clock: Clock,
        lag: int,
        say: Callable[[str], None],
    ) -> None:
        self.unresolved: dict[str, Sent] = {}
        self.ended: dict[str, Order] = {}
        """Orders as they ended, of those that were asked about."""
        self.last_action = clock.now()
        """When the venue last got something to do."""
        self.cancelled = self.closed = 0
        self.refusals: dict[str, str] = {}
        """By symbol: the venue's last words against a close, or the gate's."""
        self._venue = venue
        self._account = account
        self._gate = gate
        self._budget = budget
        self._told = gathering
        self._ours = gathering.ours
        self._marker = marker
        self._clock = clock
        self._lag = lag
        self._say = say
        self._began = clock.now()
        self._number = 0
        self._waited: dict[str, int] = {}
        self._own: set[str] = set()
        self._unheard = 0
        """Questions about an order that were not answered, in a row."""

    def name(self, symbol: str) -> str:
        """The id of the next order: unique to this run, and of the last exit for whoever
        finds it.
        """
        self._number += 1
        return client_order_id(
            self._account, f"emergency-{self._began}", symbol, LAST_EXIT + self._number
        )

    async def submit(self, order: Order) -> Fate:
        """Send an order and learn what became of it."""
        request = Submit(order, Lane.EMERGENCY)
        await self._budget.leave(request)
        paced = self._gate.pace.until(order)[1] - self._clock.now()
        if 0 < paced <= SECOND:  # sooner than a stop could be put back and taken away again
            await self._clock.sleep(paced)
        now = self._clock.now()
        if self._venue.profile.deadline:
            order = replace(order, deadline=now + DEADLINE)
            request = Submit(order, Lane.EMERGENCY)
        verdict = self._gate.admit(request, now, self._waited.get(order.position))
        if not isinstance(verdict, Admitted):
            self._waited.setdefault(order.position, now)
            self.refusals.setdefault(order.symbol, verdict.text)
            return Fate.HELD
        if verdict.on_our_books:
            self._say(f"{order.symbol}: no picture counts; sent on our books")
        self._waited.pop(order.position, None)
        self._say(
            f"{order.role.value} {order.side} {plain(order.size)} {order.symbol}{_level(order)}"
        )
        self._gate.leaves(request, now)
        self._ours.sends(order.client_order_id)
        self._own.add(order.client_order_id)
        if self._marker is not None:
            self._marker.sends(order)
        self.unresolved[order.client_order_id] = Sent(order, order.deadline or now + NO_DEADLINE)
        return self._fate(order, await self._send(request))

    def _fate(self, order: Order, reports: tuple[r.VenueReport, ...] | None) -> Fate:
        name = order.client_order_id
        if reports is None:
            return Fate.UNKNOWN if name in self.unresolved else Fate.REFUSED
        for report in reports:
            if isinstance(report, r.Rejected) and not report.duplicate:
                self.unresolved.pop(name, None)
                self.refusals[order.symbol] = report.text
                self._say(f"{order.symbol}: refused: {report.text}")
                return Fate.REFUSED
        self.closed += order.role is Role.CLOSE
        return Fate.RESTS

    async def cancel(self, order: Order) -> bool | None:
        """Ask for an order's end; whether the venue says that it is gone. None where the gate did
        not let the request leave.
        """
        touched = order.touched_at or order.created_at
        request = Cancel(
            order.client_order_id, order.symbol, Lane.EMERGENCY, order.venue_order_id, touched
        )
        await self._budget.leave(request)
        if not isinstance(verdict := self._gate.admit(request, self._clock.now()), Admitted):
            self.refusals.setdefault(order.symbol, verdict.text)
            return None
        self._say(f"cancel {order.role.value} {order.side} {plain(order.size)} {order.symbol}")
        self._gate.leaves(request, self._clock.now())
        reports = await self._send(request)
        gone = any(
            isinstance(one, r.Cancelled) or (isinstance(one, r.CancelRejected) and one.gone)
            for one in reports or ()
        )
        self.cancelled += any(isinstance(one, r.Cancelled) for one in reports or ())
        return gone

    async def end_of(self, order: Order, urgent: int = 0) -> Order | None:
        """Ask by id until an order has ended; as it ended, or None where that is not known yet.

        `urgent` is for how long (nanoseconds) nothing else is worth asking while no answer comes:
        no stop may protect its coins.
        """
        name, until = order.client_order_id, self._clock.now() + urgent
        self.unresolved.setdefault(name, Sent(order, self._clock.now()))
        self.ended.pop(name, None)
        attempt = 0
        while True:
            found = await self.look(order)
            if name in self.ended:
                return self.ended[name]
            attempt += 1
            if (
                attempt >= ASKED
                if found is not None
                else attempt > 1 and self._clock.now() >= until
            ):
                return None  # it works still; or it is asked about again once that may tell more
            await self._clock.sleep(PAUSE * min(attempt, ASKED - 1))

    async def settle(self, symbol: str) -> None:
        """Ask once about each order of a symbol that is in doubt."""
        for sent in list(self.unresolved.values()):
            if sent.order.symbol == symbol:
                await self.look(sent.order)

    async def doubts(self, listed: Collection[str]) -> None:
        """Ask by id about orders that no view lists, each as often as it may be worth it."""
        for name, sent in list(self.unresolved.items()):
            if name not in listed and self._clock.now() >= sent.again:
                sent.looks += 1
                await self.look(sent.order)
                now, settled = self._clock.now(), sent.ends_at + LATE + self._lag
                sent.again = max(
                    now + (SECOND << min(sent.looks, 3)),
                    settled if now < settled and name not in self._own else 0,
                )

    def worth_waiting(self) -> int:
        """When the next question about an order in doubt is worth asking; the time now where none
        waits.
        """
        return min((sent.again for sent in self.unresolved.values()), default=self._clock.now())

    async def look(self, order: Order) -> Order | None:
        """Ask once about an order by id: as the venue has it now, or None where it does not say."""
        found = await self._told.ask(
            AN_ORDER, lambda: self._told.parts.look(order, self._told.pay), 1
        )
        if isinstance(found, r.Absent):
            self._absent(found)
            return None
        if found is not None:
            self._unheard = 0
            self._gate.hear(found, self._clock.now())
            self._ours.take(found.fills)
            self.found(found.order)
            return found.order
        if AN_ORDER in self._told.complaints:
            self._unheard += 1
            if self._unheard % CHEAP:  # a lost answer: the same question costs half of a query
                return None
        request = Query(order.client_order_id, order.symbol, Lane.EMERGENCY)
        await self._budget.leave(request)
        for report in await self._send(request, quiet=True) or ():
            if isinstance(report, r.Found):
                self.found(report.order)
                return report.order
            if isinstance(report, r.Absent):
                self._absent(report)
        return None

    async def is_open(self, order: Order) -> bool | None:
        """Ask by id whether an order rests, whatever the lists say; None where nobody answers."""
        name = order.client_order_id
        self.unresolved[name] = Sent(order, order.touched_at)
        found = await self.look(order)
        self.unresolved.pop(name, None)
        if found is not None:
            return found.is_open
        return False if name in self.ended else None

    def _absent(self, report: r.Absent) -> None:
        """The venue does not know an order that can't be on its way any more: it never arrived, or
        ended as the executions say.
        """
        sent = self.unresolved.get(report.client_order_id)
        if sent is not None and report.at > sent.ends_at + LATE + self._lag:
            self._over(sent, report.at)

    def _over(self, sent: Sent, at: int) -> None:
        """An order is proved to have ended, with the executions that are listed."""
        name = sent.order.client_order_id
        filled = self._ours.filled(name)
        status = Status.FILLED if filled >= sent.order.size else Status.CANCELLED
        ended = replace(
            sent.order,
            filled=max(filled, sent.order.filled),
            status=status,
            size=max(filled, sent.order.size),
        )
        self._gate.hear(r.Found(ended, self._ours.fills_of(name), at), self._clock.now())
        self.found(ended)

    def found(self, order: Order) -> None:
        """An order, as the venue has it. One that rests is in no doubt; a close of ours never
        rests.
        """
        self._ours.tell(order)
        if not order.is_open:
            self.ended[order.client_order_id] = order
        if not order.is_open or order.time_in_force is TimeInForce.GTC:
            self.unresolved.pop(order.client_order_id, None)

    def resolve(self) -> None:
        """Settle what the parts of the picture prove: not listed, and asked for after it could
        still arrive, is over.
        """
        working = self._told.working
        if working is None or self._told.fills_at is None:
            return
        listed = {
            self._ours.name_of(row.client_order_id, row.venue_order_id) for row in working.rows
        }
        self.rests(listed)
        asked = min(working.asked_at, self._told.fills_at)
        for name, sent in list(self.unresolved.items()):
            filled = self._ours.filled(name)
            if name not in listed and (
                filled >= sent.order.size or asked > sent.ends_at + LATE + self._lag
            ):
                self._over(sent, asked)

    def rests(self, listed: Collection[str]) -> None:
        """Orders that are listed rest, and are in no doubt; a close of this exit never rests."""
        for name, sent in list(self.unresolved.items()):
            if name in listed and sent.order.time_in_force is TimeInForce.GTC:
                del self.unresolved[name]

    def is_in_doubt(self, symbol: str) -> bool:
        """Whether anything of ours in a symbol may still fill, or may have."""
        return any(sent.order.symbol == symbol for sent in self.unresolved.values())

    async def _send(
        self, request: Request, *, quiet: bool = False
    ) -> tuple[r.VenueReport, ...] | None:
        """One request; None where its outcome is not known."""
        if not isinstance(request, Query):
            self.last_action = self._clock.now()
        try:
            async with asyncio.timeout(self._clock.seconds(int(ANSWER * SECOND))):
                reports = await self._venue.send(request)
        except (RateLimitedError, NotSentError) as error:
            if isinstance(error, RateLimitedError):
                self._budget.refused_request(request)
            self._never_left(request, str(error), quiet=quiet)
            return None
        except (RefusedError, VenueError, TimeoutError) as error:
            self._failed(request, str(error) or "no answer in time", quiet=quiet)
            return None
        except (
            Exception
        ) as error:  # an answer that our own code can't read: what became of it is asked by id
            self._failed(request, f"{type(error).__name__}: {error}", quiet=quiet)
            return None
        now = self._clock.now()
        if not isinstance(request, Query):
            self.last_action = now
        for report in reports:
            self._gate.hear(report, now)
            if isinstance(report, r.Found):
                self._ours.take(report.fills)
        return reports

    def _never_left(self, request: Request, text: str, *, quiet: bool) -> None:
        """The request provably did nothing."""
        if not quiet:
            self._say(f"{type(request).__name__.lower()}: {text}")
        if isinstance(request, Submit):
            self.refusals[request.order.symbol] = text
            self.unresolved.pop(request.order.client_order_id, None)
            self._gate.hear(
                r.Rejected(request.order.client_order_id, text, self._clock.now()),
                self._clock.now(),
            )

    def _failed(self, request: Request, text: str, *, quiet: bool) -> None:
        if not quiet:
            self._say(f"{type(request).__name__.lower()}: {text}")
        if isinstance(request, Submit):
            self._gate.hear(
                r.Unknown(request.order.client_order_id, "submit", text, self._clock.now()),
                self._clock.now(),
            )


def _level(order: Order) -> str:
    if order.trigger is not None:
        return f" at {plain(order.trigger)}"
    return " at any price" if order.price is None else f", at worst {plain(order.price)}"
