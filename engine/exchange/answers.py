"""What the venue is asked, and what it answers."""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.exchange.admission import refusal, refused_change, senseless
from engine.exchange.archive import ArchiveError
from engine.exchange.matching import Matching
from engine.model import limits
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.instrument import Kind
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Status
from engine.model.request import Amend, Cancel, Query, QueryAccount, Request, Submit

FIXED_COST = 1.0
"""What Kraken spot counts for an order or a change even where it refuses to look at it."""


class RateLimit(Struct, frozen=True):
    """The venue did not look at the request."""

    text: str


class Answers(Matching):
    """Answers requests of one account."""

    def handle(
        self, request: Request, now: int, refuse: str = ""
    ) -> tuple[r.VenueReport, ...] | RateLimit:
        """One request, counted against the limits.

        With `refuse`, an order is refused for that reason whatever it is.
        """
        request = self._aged(request)
        if limits.wait(self.limits, request, now, {}):
            if self.profile.limits == "kraken-spot" and isinstance(request, Submit | Amend):
                symbol = request.order.symbol if isinstance(request, Submit) else request.symbol
                self.limits.counter(symbol).spend(FIXED_COST, now)
            counter = "EAPI" if isinstance(request, Query | QueryAccount) else "EOrder"
            return RateLimit(f"{counter}:Rate limit exceeded")
        limits.spend(self.limits, request, now)
        match request:
            case Submit(order=order):
                return (self.refuse(order, refuse, now) if refuse else self.submit(order, now),)
            case Amend():
                return (self.amend(request, now),)
            case Cancel():
                return (self.cancel(request.client_order_id, now, request.venue_order_id),)
            case Query():
                return (self.find(request.client_order_id, now),)
            case QueryAccount():
                return (self.picture(now, request.since),)

    def _aged(self, request: Request) -> Request:
        """Costs go by the venue's own idea of an order's age."""
        if isinstance(request, Amend | Cancel):
            order = self.orders.get(request.client_order_id)
            return replace(request, touched_at=0 if order is None else order.touched_at)
        return request

    def new_order_id(self) -> str:
        """The next id of our own; an order that comes without one gets it."""
        return self._id("O")

    def submit(self, order: Order, now: int) -> r.Accepted | r.Rejected:
        """Take an order in, and match what can be matched at once."""
        text = refusal(self, order, now)
        if text:
            return self.refuse(order, text, now)
        name, venue_id = order.client_order_id, order.venue_order_id or self.new_order_id()
        # Kraken's ids are unique over open orders only: a used one begins anew
        self.ended.pop(name, None)
        self._executions.pop(name, None)
        taken = replace(
            order,
            status=Status.OPEN,
            venue_order_id=venue_id,
            created_at=now,
            touched_at=now,
            filled=ZERO,
            value=ZERO,
        )
        self.put(taken)
        accepted = r.Accepted(name, venue_id, now)
        self._tell(accepted)
        self._enter(taken, now)
        return accepted

    def _enter(self, order: Order, now: int, best: Decimal | None = None) -> None:
        """Into the book: matched at once as far as possible; a trigger that the market is through
        already fires.
        """
        book = self.books[order.symbol]
        self.candles.latest = max(self.candles.latest, now)
        if order.triggered or order.type in (OrderType.MARKET, OrderType.LIMIT):
            self._take(book, order, now)
            return
        self.wait(order, best)
        touched = book.touched()
        if touched:
            self._match(book, touched, now)

    def refuse(self, order: Order, text: str, now: int) -> r.Rejected:
        """Refuse an order for a reason of its own. What is known under its id already stays
        known.
        """
        name = order.client_order_id
        if name not in self.orders and name not in self.ended:
            self._keep_ended(replace(order, status=Status.REJECTED, reason=text, closed_at=now))
        return r.Rejected(name, text, now, duplicate=name in self.orders)

    def amend(self, request: Amend, now: int) -> r.Amended | r.AmendRejected:
        """Change a working order in place."""
        order = self.orders.get(request.client_order_id)
        if order is None:
            return r.AmendRejected(request.client_order_id, "EOrder:Unknown order", now)
        size = order.size if request.size is None else request.size
        price = order.price if request.price is None else request.price
        trigger = order.trigger if request.trigger is None else request.trigger
        text = senseless(request)
        if text:
            return r.AmendRejected(order.client_order_id, text, now)
        changed = replace(
            order, size=max(size, order.filled), price=price, trigger=trigger, touched_at=now
        )
        text = refused_change(self, order, changed, now)
        if text:
            return r.AmendRejected(order.client_order_id, text, now)
        said = r.Amended(order.client_order_id, changed.size, price, trigger, now)
        self._tell(said)
        if changed.remaining:
            self._change(order, changed, now)
        else:
            self._cancel_rest(changed, now, "amended below what had filled")
        return said

    def _change(self, order: Order, changed: Order, now: int) -> None:
        """Only a smaller size keeps its place in the queue; a trailing stop keeps the best price
        that it has seen.
        """
        book, name = self.books[order.symbol], order.client_order_id
        ahead, trail = book.queue_of(name), book.trail_of(name)
        book.forget(name)
        if ahead is not None and changed.price == order.price and changed.size <= order.size:
            book.join(name, ahead)
        self.put(changed)
        self._enter(changed, now, None if trail is None else trail[0])

    def cancel(
        self, name: str, now: int, venue_order_id: str | None = None
    ) -> r.Cancelled | r.CancelRejected:
        """End a working order; by the venue's id where ours is none."""
        order = self.orders.get(name)
        if order is None and venue_order_id is not None:
            order = next(
                (o for o in self.orders.values() if o.venue_order_id == venue_order_id), None
            )
        if order is None:
            return r.CancelRejected(name, "EOrder:Unknown order", now, gone=True)
        self._end(order, Status.CANCELLED, now, "User requested")
        said = r.Cancelled(order.client_order_id, order.filled, "User requested", now)
        self._tell(said)
        return said

    def find(self, name: str, now: int) -> r.Found | r.Absent:
        """One order by its client order id, with its executions. Raises ArchiveError where only the
        archive knows.
        """
        order = self.orders.get(name) or self.ended.get(name)
        if order is not None and (not order.filled or name in self._executions):
            return r.Found(order, tuple(self._executions.get(name, ())), now)
        if order is None and self.archive is not None:
            order = self.archive.order(name)
        if order is None:
            return r.Absent(name, now)
        return r.Found(
            order, () if self.archive is None else self.archive.executions_of(order), now
        )

    def picture(self, now: int, since: int) -> r.Picture:
        """The whole account at one moment; it says so where older executions can't be told."""
        recent: list[Fill] = []
        for fill in reversed(self.fills):
            if fill.at < since:
                break
            recent.append(fill)
        recent.reverse()
        if len(recent) == self.fills.maxlen:
            try:
                recent = self._archived(since, recent)
            except ArchiveError:
                since = recent[0].at + 1  # others of the same moment may be forgotten
                recent = [fill for fill in recent if fill.at >= since]
        on_margin = {symbol: self.ledger.on_margin(symbol) for symbol in self.instruments}
        net = {
            symbol: size
            for symbol, size in on_margin.items()
            if size or self.instruments[symbol].kind is not Kind.SPOT
        }
        held = {symbol: holding for symbol, holding in self.ledger.holdings.items() if holding.size}
        entered = {
            symbol: self.instruments[symbol].average_price(abs(one.size), one.value)
            for symbol, one in held.items()
        }
        lent = frozenset(fill.execution_id for fill in recent if self._is_lent(fill))
        return r.Picture(
            now,
            tuple(self.orders.values()),
            tuple(recent),
            dict(self.ledger.cash),
            net,
            now,
            since,
            entered,
            lent,
        )

    def _is_lent(self, fill: Fill) -> bool:
        """Whether an execution of a spot market changed what is on margin, and moved no coins."""
        instrument = self.instruments.get(fill.symbol)
        if instrument is None or instrument.kind is not Kind.SPOT:
            return False
        order = self.orders.get(fill.client_order_id) or self.ended.get(fill.client_order_id)
        return order is not None and not instrument.moves_coins(order.leverage)

    def _archived(self, since: int, recent: list[Fill]) -> list[Fill]:
        """With the executions that memory has let go of. Raises ArchiveError."""
        if self.archive is None:
            raise ArchiveError("nothing keeps them")
        known = {fill.execution_id for fill in recent}
        return [
            fill for fill in self.archive.executions_since(since) if fill.execution_id not in known
        ] + recent
