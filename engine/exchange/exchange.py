"""The venue itself: it takes orders, matches them against a market, keeps the account's truth and tells what happened.

Synchronous and deterministic: time is a parameter, ids come from a counter. What it refuses, it refuses in Kraken's words.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace

from engine.exchange.book import Book
from engine.exchange.ledger import Ledger, rates, reserved
from engine.model import limits
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument, Kind
from engine.model.money import ZERO, is_on_grid
from engine.model.order import Order, OrderType, Status, TimeInForce
from engine.model.profile import Profile
from engine.model.quote import Candle, Depth, Quote, Tick, Trade
from engine.model.request import Amend, Cancel, Query, QueryAccount, Request, Submit
from engine.model.side import Side

REMEMBERED = 20_000
"""Executions and ended orders kept in memory; a store keeps them all."""
SECOND = 1_000_000_000


class RateLimit(Struct, frozen=True):
    """The venue did not look at the request."""

    text: str


class Exchange:
    """One account at one venue."""

    def __init__(self, profile: Profile, instruments: Iterable[Instrument], cash: Mapping[str, Decimal], currency: str) -> None:
        self.profile = profile
        self.books = {instrument.symbol: Book(instrument) for instrument in instruments}
        self.instruments = {symbol: book.instrument for symbol, book in self.books.items()}
        self.ledger = Ledger(cash, currency)
        self.orders: dict[str, Order] = {}
        self.ended: dict[str, Order] = {}
        self.fills: deque[Fill] = deque(maxlen=REMEMBERED)
        self.limits = profile.limit_model()
        self.count = 0
        """Of everything that was given an id."""
        self.on_report: list[Callable[[r.VenueReport], None]] = []
        self.on_quote: list[Callable[[Quote], None]] = []
        self.changed: dict[str, None] = {}
        """Client order ids that changed since they were last stored."""
        self.new_fills: list[Fill] = []
        self.expires: dict[str, int] = {}
        self._unfilled: dict[str, None] = {}
        self._derived: deque[Quote] = deque()
        self._margin_at = 0

    # What happens in the market

    def on_tick(self, tick: Tick) -> None:
        """The next thing that the market says."""
        if type(tick) is Quote:
            self.books[tick.symbol].quoted = True
            self._quote(tick)
        elif type(tick) is Trade:
            self._trade(tick)
        elif type(tick) is Depth:
            book = self.books[tick.symbol]
            book.quoted = True
            quote = book.on_depth(tick)
            if quote is not None and (book.quote is None or _differs(quote, book.quote)):
                self._quote(quote)
        elif type(tick) is Candle:
            book = self.books[tick.symbol]
            if not book.quoted and book.last is None:
                book.strict = True
                self._derived.extend(book.expand(tick, self.ledger.held(book.instrument)))
                self.advance(tick.at)

    def _quote(self, quote: Quote) -> None:
        book = self.books[quote.symbol]
        touched = book.on_quote(quote)
        if touched is not None or self._unfilled:
            self._match(book, touched or [], quote.at)
        for listener in self.on_quote:
            listener(quote)

    def _trade(self, trade: Trade) -> None:
        book = self.books[trade.symbol]
        touched = book.on_trade(trade)
        for name, size in book.printed(trade):
            order = self.orders.get(name)
            if order is not None and order.price is not None:
                self._fill(book, order, order.price, min(size, order.remaining), trade.at, maker=True)
        if touched:
            self._match(book, touched, trade.at)
        if not book.quoted:
            self._quote(book.derive(trade.at, trade.price, trade.size))

    @property
    def leveraged(self) -> bool:
        """Whether anything is held on margin, so that it must be watched."""
        if any(holding.size for holding in self.ledger.holdings.values()):
            return True
        return any(amount < ZERO for amount in self.ledger.cash.values())

    def next_due(self) -> int | None:
        """When `advance` has something to do."""
        due = [self._derived[0].at] if self._derived else []
        due.extend(self.expires.values())
        return min(due, default=None)

    def advance(self, now: int) -> None:
        """Play what is due: the rest of candles, expiries, and once a second the margin."""
        while self._derived and self._derived[0].at <= now:
            self._quote(self._derived.popleft())
        for name in [name for name, at in self.expires.items() if at <= now]:
            order = self.orders.get(name)
            if order is not None:
                self._end(order, Status.EXPIRED, now, "expired")
                self._tell(r.Expired(name, order.filled, now))
        if now - self._margin_at >= SECOND:
            self._margin_at = now
            self._check_margin(now)

    # What is asked

    def handle(self, request: Request, now: int) -> tuple[r.VenueReport, ...] | RateLimit:
        """One request, counted against the limits."""
        request = self._aged(request)
        if limits.wait(self.limits, request, now, {}):
            if isinstance(request, Submit | Amend):
                limits.spend(self.limits, request, now)  # Kraken counts the fixed part even of what it refuses
            words = "EAPI:Rate limit exceeded" if isinstance(request, Query | QueryAccount) else "EOrder:Rate limit exceeded"
            return RateLimit(words)
        limits.spend(self.limits, request, now)
        match request:
            case Submit(order=order):
                return (self.submit(order, now),)
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

    def _refusal(self, order: Order, now: int) -> str:  # noqa: C901, PLR0911 - one line per rule of the venue
        instrument = self.instruments.get(order.symbol)
        if instrument is None:
            return "EQuery:Unknown asset pair"
        if order.deadline is not None and now > order.deadline:
            return "EService:Deadline elapsed"
        if order.client_order_id in self.orders:
            return "EOrder:Invalid arguments:cl_ord_id is in use by an open order"
        if not is_on_grid(order.size, instrument.lot):
            return "EGeneral:Invalid arguments:volume"
        for price in (order.price, order.trigger):
            if price is not None and not is_on_grid(price, instrument.tick):
                return "EOrder:Tick size check failed"
        if order.size < instrument.min_size:
            return "EOrder:Order minimum not met"
        book = self.books[order.symbol]
        reference = order.price or order.trigger or book.mark(order.side.opposite)
        if reference is not None and instrument.notional(order.size, reference) < instrument.min_cost:
            return "EOrder:Cost minimum not met"
        if sum(1 for other in self.orders.values() if other.symbol == order.symbol) >= self.profile.max_open_orders:
            return "EOrder:Orders limit exceeded"
        if order.post_only and order.type is OrderType.LIMIT and self._crosses(book, order):
            return "EOrder:Post only order"
        if order.reduce_only and self._reducible(order) <= ZERO:
            return "EOrder:Reduce only:No position exists"
        return self._unaffordable(order, instrument, book)

    def _crosses(self, book: Book, order: Order) -> bool:
        best = book.mark(order.side.opposite)
        return best is not None and order.price is not None and (best - order.price) * order.side.sign <= ZERO

    def _reducible(self, order: Order) -> Decimal:
        held = self.ledger.held(self.instruments[order.symbol])
        return max(-held * order.side.sign, ZERO)

    def _unaffordable(self, order: Order, instrument: Instrument, book: Book) -> str:
        price = order.price or order.trigger or book.mark(order.side.opposite)
        if price is None:
            return "EService:Market in cancel_only mode"
        if instrument.kind is Kind.SPOT:
            currency, needed = reserved(replace(order, price=price), instrument)
            free = self.ledger.cash.get(currency, ZERO)
            for other in self.orders.values():
                if self.instruments[other.symbol].kind is Kind.SPOT:
                    kept, amount = reserved(other, self.instruments[other.symbol])
                    free -= amount if kept == currency else ZERO
            if needed <= free:
                return ""
            if instrument.max_leverage <= 1 or (order.side is Side.BUY and order.leverage is None):
                return "EOrder:Insufficient funds"
        if order.reduce_only:
            return ""
        equity = self.ledger.equity(self.instruments, self._mid)
        used, _ = self.ledger.margin(self.instruments, self._mid)
        leverage = min(order.leverage or instrument.max_leverage, instrument.max_leverage)
        reducing = min(self._reducible(order), order.size)
        notional = instrument.notional(order.size - reducing, price)
        rate = self._rate(instrument.quote)
        if rate is None or used + notional * rate / leverage > equity:
            return "EOrder:Insufficient margin" if instrument.kind is not Kind.SPOT else "EOrder:Insufficient funds"
        return ""

    def _mid(self, symbol: str) -> Decimal | None:
        book = self.books.get(symbol)
        return None if book is None else book.mid

    def _rate(self, currency: str) -> Decimal | None:
        return rates(self.instruments, self._mid)(currency, self.ledger.currency)

    def submit(self, order: Order, now: int) -> r.Accepted | r.Rejected:
        """Take an order in, and match what can be matched at once."""
        text = self._refusal(order, now)
        if text:
            return self.refuse(order, text, now)
        name, venue_id = order.client_order_id, self._id("O")
        taken = replace(order, status=Status.OPEN, venue_order_id=venue_id, created_at=now, touched_at=now, filled=ZERO, value=ZERO)
        self.orders[name] = taken
        self.changed[name] = None
        if taken.expires_at is not None:
            self.expires[name] = taken.expires_at
        accepted = r.Accepted(name, venue_id, now)
        self._tell(accepted)
        book = self.books[order.symbol]
        if order.type in (OrderType.MARKET, OrderType.LIMIT):
            self._take(book, taken, now)
        else:
            self._await_trigger(book, taken, now)
        return accepted

    def _await_trigger(self, book: Book, order: Order, now: int) -> None:
        """A trigger that the market is through already fires at once."""
        book.rest(order)
        touched = book.touched()
        if touched:
            self._match(book, touched, now)

    def amend(self, request: Amend, now: int) -> r.Amended | r.AmendRejected:
        """Change a working order in place."""
        order = self.orders.get(request.client_order_id)
        if order is None:
            return r.AmendRejected(request.client_order_id, "EOrder:Unknown order", now)
        instrument = self.instruments[order.symbol]
        if not self.profile.amend:
            return r.AmendRejected(order.client_order_id, "EGeneral:Unknown method", now)
        size = order.size if request.size is None else request.size
        price = order.price if request.price is None else request.price
        trigger = order.trigger if request.trigger is None else request.trigger
        text = ""
        if any(level is not None and not is_on_grid(level, instrument.tick) for level in (price, trigger)):
            text = "EOrder:Tick size check failed"
        elif size < instrument.min_size or not is_on_grid(size, instrument.lot):
            text = "EOrder:Order minimum not met"
        elif order.triggered and request.trigger is not None:
            text = "EOrder:Order not editable"
        else:
            del self.orders[order.client_order_id]
            text = self._unaffordable(replace(order, size=size, price=price, trigger=trigger), instrument, self.books[order.symbol])
            self.orders[order.client_order_id] = order
        if text:
            return r.AmendRejected(order.client_order_id, text, now)
        return self._amended(order, size, price, trigger, now)

    def _amended(self, order: Order, size: Decimal, price: Decimal | None, trigger: Decimal | None, now: int) -> r.Amended:
        book = self.books[order.symbol]
        name = order.client_order_id
        done = replace(order, size=max(size, order.filled), price=price, trigger=trigger, touched_at=now)
        said = r.Amended(name, done.size, price, trigger, now)
        self._tell(said)
        book.forget(name)
        self.orders[name] = done
        self.changed[name] = None
        if done.filled >= done.size:
            self._end(done, Status.CANCELLED, now, "amended below what had filled")
            self._tell(r.Cancelled(name, done.filled, "amended below what had filled", now))
        elif done.type is OrderType.LIMIT or done.triggered:
            self._take(book, done, now)
        else:
            self._await_trigger(book, done, now)
        return said

    def refuse(self, order: Order, text: str, now: int) -> r.Rejected:
        """Refuse an order for a reason of its own."""
        self._keep_ended(replace(order, status=Status.REJECTED, reason=text, closed_at=now))
        return r.Rejected(order.client_order_id, text, now)

    def cancel(self, name: str, now: int, venue_order_id: str | None = None) -> r.Cancelled | r.CancelRejected:
        """End a working order; by the venue's id where ours is none."""
        order = self.orders.get(name)
        if order is None and venue_order_id is not None:
            order = next((o for o in self.orders.values() if o.venue_order_id == venue_order_id), None)
        if order is None:
            return r.CancelRejected(name, "EOrder:Unknown order", now, gone=True)
        self._end(order, Status.CANCELLED, now, "User requested")
        said = r.Cancelled(order.client_order_id, order.filled, "User requested", now)
        self._tell(said)
        return said

    def find(self, name: str, now: int) -> r.Found | r.Absent:
        """One order by its client order id, with its executions."""
        order = self.orders.get(name) or self.ended.get(name)
        if order is None:
            return r.Absent(name, now)
        fills = tuple(fill for fill in self.fills if fill.client_order_id == name) if order.filled else ()
        return r.Found(order, fills, now)

    def picture(self, now: int, since: int) -> r.Picture:
        """The whole account at one moment."""
        recent = []
        for fill in reversed(self.fills):
            if fill.at < since:
                break
            recent.append(fill)
        net = {symbol: self.ledger.held(i) for symbol, i in self.instruments.items() if i.kind is not Kind.SPOT}
        return r.Picture(now, tuple(self.orders.values()), tuple(reversed(recent)), dict(self.ledger.cash), net, now, since)

    # Matching

    def _match(self, book: Book, touched: list[str], now: int) -> None:
        """Triggers first, then what waits for a taker's rest, then resting limits: the stop wins over the target."""
        for name in touched:
            order = self.orders.get(name)
            if order is not None:
                self._trigger(book, order, now)
        for name in [n for n in self._unfilled if n in self.orders and self.orders[n].symbol == book.instrument.symbol]:
            self._take(book, self.orders[name], now)
        for name in book.reached():
            order = self.orders.get(name)
            if order is None or order.price is None:
                continue
            size = min(order.remaining, book.displayed(order.side))
            if size > ZERO:
                book.take(order.side, size)
                self._fill(book, order, order.price, size, now, maker=True)
            order = self.orders.get(name)
            if order is not None:
                book.rest(order)

    def _trigger(self, book: Book, order: Order, now: int) -> None:
        fired = replace(order, triggered=True)
        self.orders[order.client_order_id] = fired
        self.changed[order.client_order_id] = None
        self._tell(r.Triggered(order.client_order_id, now))
        self._take(book, fired, now)

    def _take(self, book: Book, order: Order, now: int) -> None:
        """Take what is offered within the limit; what is left rests, waits for the next quote, or is cancelled."""
        name = order.client_order_id
        wanted = order.remaining
        if order.reduce_only:
            wanted = min(wanted, self._reducible(order))
        if order.time_in_force is TimeInForce.FOK and sum((s for _, s in book.offered(order.side, order.price)), ZERO) < wanted:
            self._cancel_rest(order, now, "EOrder:Fill or kill")
            return
        for price, size in list(book.offered(order.side, order.price)):
            part = book.instrument.round_size(min(size, wanted))
            if part <= ZERO:
                break
            book.take(order.side, part)
            self._fill(book, self.orders[name], price, part, now, maker=False)
            wanted -= part
            if wanted <= ZERO or name not in self.orders:
                break
        left = self.orders.get(name)
        if left is None:
            return
        if left.reduce_only and self._reducible(left) <= ZERO:
            self._cancel_rest(left, now, "Reduce only")
        elif left.price is not None and left.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            self._cancel_rest(left, now, "Immediate or cancel")
        elif left.price is None:
            self._unfilled[name] = None
        else:
            book.rest(left)

    def _cancel_rest(self, order: Order, now: int, text: str) -> None:
        self._end(order, Status.CANCELLED, now, text)
        self._tell(r.Cancelled(order.client_order_id, order.filled, text, now))

    def _fill(self, book: Book, order: Order, price: Decimal, size: Decimal, now: int, *, maker: bool) -> None:
        """One execution: the ledger, the order, and the report."""
        if order.reduce_only:
            size = min(size, self._reducible(order))
            if size <= ZERO:
                self._cancel_rest(order, now, "Reduce only")
                return
        instrument = book.instrument
        fee, currency = self.ledger.fee(instrument, order.side, size, price, maker=maker)
        liquidity = Liquidity.MAKER if maker else Liquidity.TAKER
        fill = Fill(self._id("T"), order.client_order_id, order.symbol, order.side, price, size, fee, currency, liquidity, now)
        self.ledger.book(instrument, fill)
        self.fills.append(fill)
        self.new_fills.append(fill)
        filled = order.filled + size
        status = Status.FILLED if filled == order.size else Status.PARTIALLY_FILLED
        done = replace(order, filled=filled, value=order.value + size * price, status=status)
        self.orders[order.client_order_id] = done
        self.changed[order.client_order_id] = None
        if status is Status.FILLED:
            self._end(done, Status.FILLED, now, "")
        self._tell(r.Filled(fill, now))

    def _end(self, order: Order, status: Status, now: int, reason: str) -> None:
        name = order.client_order_id
        self.orders.pop(name, None)
        self.expires.pop(name, None)
        self._unfilled.pop(name, None)
        self.books[order.symbol].forget(name)
        self._keep_ended(replace(order, status=status, closed_at=now, reason=reason))

    def _keep_ended(self, order: Order) -> None:
        self.ended[order.client_order_id] = order
        self.changed[order.client_order_id] = None
        while len(self.ended) > REMEMBERED:
            del self.ended[next(iter(self.ended))]

    def _check_margin(self, now: int) -> None:
        """Liquidate when the equity no longer keeps what is leveraged."""
        _, needed = self.ledger.margin(self.instruments, self._mid)
        if not needed or self.ledger.equity(self.instruments, self._mid) >= needed:
            return
        for order in list(self.orders.values()):
            self._end(order, Status.CANCELLED, now, "Liquidation")
            self._tell(r.Cancelled(order.client_order_id, order.filled, "Liquidation", now))
        for symbol, book in self.books.items():
            held = self.ledger.held(book.instrument)
            if book.quote is None or not held or (book.instrument.kind is Kind.SPOT and held > ZERO):
                continue
            side = Side.SELL if held > ZERO else Side.BUY
            price = book.quote.bid if side is Side.SELL else book.quote.ask
            fee, currency = self.ledger.fee(book.instrument, side, abs(held), price, maker=False)
            fill = Fill(self._id("T"), "", symbol, side, price, abs(held), fee, currency, Liquidity.TAKER, now)
            self.ledger.book(book.instrument, fill)
            self.fills.append(fill)
            self.new_fills.append(fill)
            self._tell(r.Liquidated(symbol, fill, now))

    # Telling

    def _tell(self, report: r.VenueReport) -> None:
        for listener in self.on_report:
            listener(report)

    def _id(self, kind: str) -> str:
        """An id in Kraken's form, from a counter: the same history gives the same ids."""
        self.count += 1
        text = blake2b(f"{kind}{self.count}".encode(), digest_size=11).hexdigest().upper()[:17]
        return f"{kind}{text[:5]}-{text[5:10]}-{text[10:16]}"


def _differs(one: Quote, other: Quote) -> bool:
    return (one.bid, one.bid_size, one.ask, one.ask_size) != (other.bid, other.bid_size, other.ask, other.ask_size)


