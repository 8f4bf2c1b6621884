"""The venue itself: it hears the market, answers requests, keeps its limits and its margin.

Synchronous and deterministic: time is a parameter, ids come from a counter. What it refuses, it refuses in Kraken's
words.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from heapq import heappop

from msgspec import Struct
from msgspec.structs import replace

from engine.exchange.admission import refusal, refused_change, senseless
from engine.exchange.book import SHARE, Book
from engine.exchange.candles import Candles
from engine.exchange.funding import Funding, Payment
from engine.exchange.matching import NEVER, ArchiveError, Matching
from engine.model import limits
from engine.model import report as r
from engine.model.account import add_cash
from engine.model.fill import Fill
from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE, ZERO
from engine.model.order import Order, OrderType, Status
from engine.model.profile import Profile
from engine.model.quote import Candle, Depth, Quote, Tick, Trade
from engine.model.request import Amend, Cancel, Query, QueryAccount, Request, Submit
from engine.model.side import Side

SECOND = 1_000_000_000
FIXED_COST = 1.0
"""What Kraken spot counts for an order or a change even where it refuses to look at it."""


class RateLimit(Struct, frozen=True):
    """The venue did not look at the request."""

    text: str


class Exchange(Matching):
    """One account at one venue."""

    def __init__(
        self,
        profile: Profile,
        instruments: Iterable[Instrument],
        cash: Mapping[str, Decimal],
        currency: str,
    ) -> None:
        super().__init__(profile, instruments, cash, currency)
        self.limits = profile.limit_model()
        self.funding = Funding()
        self._candles = Candles()
        self._margin_at = 0

    def fund(self, rate: Decimal, now: int) -> None:
        """From now on perpetuals pay funding: a fraction of the value per hour, from longs to shorts."""
        self.funding.rate, self.funding.due = rate, self.funding.next_at(now)
        self._next = min(self._next, self.funding.due)

    # What happens in the market

    def on_tick(self, tick: Tick) -> None:
        """The next thing that the market says. Raises KeyError for a symbol that is not traded here."""
        if tick.at >= self._next:
            self.advance(tick.at)
        if type(tick) is Quote:
            book = self.books[tick.symbol]
            if not book.quoted:
                self._real_prices(book)
            touched = book.on_quote(tick)
            if touched is not None or self._unfilled:
                self._match(book, touched or [], tick.at)
            for listener in self.on_quote:
                listener(tick)
        elif type(tick) is Trade:
            self._trade(tick)
        elif type(tick) is Depth:
            self._depth(tick)
        elif type(tick) is Candle:
            self._candle(tick)

    def _real_prices(self, book: Book) -> None:
        """From now on this symbol needs no quotes made up for it."""
        book.quoted, book.strict = True, False

    def _derived(self, book: Book, quote: Quote) -> None:
        self._match(book, book.on_quote(quote, derived=True) or [], quote.at)
        self._publish(quote)

    def _publish(self, quote: Quote) -> None:
        for listener in self.on_quote:
            listener(quote)

    def _trade(self, trade: Trade) -> None:
        """Triggers first, then what the print itself serves, then what rests at the quote around it."""
        book = self.books[trade.symbol]
        touched, made = [], None
        if not book.quoted:
            book.strict = False
            made = book.derive(trade.at, trade.price, trade.size)
            touched = book.on_quote(made, derived=True) or []
        touched += book.on_trade(trade)
        for name in touched:
            order = self.orders.get(name)
            if order is not None:
                self._trigger(book, order, trade.at)
        self._print(book, trade)
        if made is not None:
            self._match(book, [], trade.at)
            self._publish(made)

    def _print(self, book: Book, trade: Trade) -> None:
        """Share a print out among the limits that it reaches."""
        served = {Side.BUY: ZERO, Side.SELL: ZERO}
        for name in book.printed(trade):
            order = self.orders.get(name)
            if order is None or order.price is None:
                continue
            size = book.instrument.round_size(min(book.share(name, trade) - served[order.side], order.remaining))
            if size > ZERO:
                served[order.side] += size
                if not book.quoted:
                    book.take(order.side, size, trade.at)  # the quote around the print shows the same size once more
                self._fill(book, order, order.price, size, trade.at, maker=True)

    def _depth(self, depth: Depth) -> None:
        book = self.books[depth.symbol]
        if not book.quoted:
            self._real_prices(book)
        quote, last = book.on_depth(depth), book.quote
        if quote is None:
            return
        touched = book.on_quote(quote)
        if touched is not None or self._unfilled:
            self._match(book, touched or [], quote.at)
        if last is None or _differs(quote, last):
            self._publish(quote)

    def _candle(self, candle: Candle) -> None:
        book = self.books[candle.symbol]
        if not book.quoted and not book.traded:
            self._candles.add(candle)
            self.advance(candle.at)

    # Time

    def next_due(self) -> int | None:
        """When `advance` has something to do; None where nothing waits for a time."""
        due, expiry = self._candles.due, self._expiry()
        if due is None or expiry is None:
            return due if expiry is None else expiry
        return min(due, expiry)

    def _expiry(self) -> int | None:
        while self._expiries:
            at, name = self._expiries[0]
            if self.expires.get(name) == at:
                return at
            heappop(self._expiries)
        return None

    def advance(self, now: int) -> None:
        """Play what is due, in order of time: the rest of candles, expiries; and once a second the margin."""
        while True:
            due, expiry = self._candles.due, self._expiry()
            if expiry is not None and expiry <= now and (due is None or expiry <= due):
                self._expire(heappop(self._expiries)[1], now)
            elif due is not None and due <= now:
                self._play_candle()
            else:
                break
        for hour in self.funding.hours(now):
            self._fund(hour)
        self._next = min(at for at in (due, expiry, self.funding.due, NEVER) if at is not None)
        if now - self._margin_at >= SECOND:
            self._margin_at = now
            self._check_margin(now)

    def _fund(self, at: int) -> None:
        """One hour's funding of all that is held of derivatives; no report tells it, the money does."""
        for symbol, holding in self.ledger.holdings.items():
            instrument, mark = self.instruments[symbol], self.mid(symbol)
            if holding.size and mark is not None and instrument.kind is not Kind.SPOT:
                amount = instrument.funding(holding.size, mark, self.funding.rate)
                self.ledger.cash = add_cash(self.ledger.cash, instrument.settle, amount)
                self.funding.paid.append(Payment(symbol, instrument.settle, amount, self.funding.rate, mark, at))

    def _expire(self, name: str, now: int) -> None:
        order = self.orders[name]
        self._end(order, Status.EXPIRED, now, "expired")
        self._tell(r.Expired(name, order.filled, now))

    def _play_candle(self) -> None:
        candle, at, price = self._candles.pop(lambda symbol: self.ledger.exposure(self.instruments[symbol]))
        book = self.books[candle.symbol]
        if book.quoted or book.traded:
            return
        book.strict = True
        self._derived(book, book.derive(at, price, candle.volume * SHARE))

    # What is asked

    def handle(self, request: Request, now: int, refuse: str = "") -> tuple[r.VenueReport, ...] | RateLimit:
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
        self.ended.pop(name, None)  # Kraken's ids are unique over open orders only: a used one begins anew
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
        """Into the book: matched at once as far as possible; a trigger that the market is through already fires."""
        book = self.books[order.symbol]
        if order.triggered or order.type in (OrderType.MARKET, OrderType.LIMIT):
            self._take(book, order, now)
            return
        self.wait(order, best)
        touched = book.touched()
        if touched:
            self._match(book, touched, now)

    def refuse(self, order: Order, text: str, now: int) -> r.Rejected:
        """Refuse an order for a reason of its own. What is known under its id already stays known."""
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
        changed = replace(order, size=max(size, order.filled), price=price, trigger=trigger, touched_at=now)
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
        """Only a smaller size keeps its place in the queue; a trailing stop keeps the best price that it has seen."""
        book, name = self.books[order.symbol], order.client_order_id
        ahead, trail = book.queue_of(name), book.trail_of(name)
        book.forget(name)
        if ahead is not None and changed.price == order.price and changed.size <= order.size:
            book.join(name, ahead)
        self.put(changed)
        self._enter(changed, now, None if trail is None else trail[0])

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
        """One order by its client order id, with its executions. Raises ArchiveError where only the archive knows."""
        order = self.orders.get(name) or self.ended.get(name)
        if order is not None and (not order.filled or name in self._executions):
            return r.Found(order, tuple(self._executions.get(name, ())), now)
        if order is None and self.archive is not None:
            order = self.archive.order(name)
        if order is None:
            return r.Absent(name, now)
        return r.Found(order, () if self.archive is None else self.archive.executions_of(order), now)

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
        net = {symbol: size for symbol, size in on_margin.items() if size or self.instruments[symbol].kind is not Kind.SPOT}
        return r.Picture(now, tuple(self.orders.values()), tuple(recent), dict(self.ledger.cash), net, now, since)

    def _archived(self, since: int, recent: list[Fill]) -> list[Fill]:
        """With the executions that memory has let go of. Raises ArchiveError."""
        if self.archive is None:
            raise ArchiveError("nothing keeps them")
        known = {fill.execution_id for fill in recent}
        return [fill for fill in self.archive.executions_since(since) if fill.execution_id not in known] + recent

    # Margin

    @property
    def leveraged(self) -> bool:
        """Whether anything is held on margin, so that it must be watched."""
        if any(holding.size for holding in self.ledger.holdings.values()):
            return True
        return any(amount < ZERO for amount in self.ledger.cash.values())

    def _check_margin(self, now: int) -> None:
        """Liquidate when the equity no longer keeps what is leveraged."""
        if not self.leveraged:
            return
        _, needed = self.ledger.margin(self.instruments, self.mid)
        if not needed or self.ledger.equity(self.instruments, self.mid) >= needed:
            return
        for order in list(self.orders.values()):
            if order.client_order_id in self.orders:
                self._cancel_rest(order, now, "Liquidation")
        for book in self.books.values():
            self._liquidate(book, now)

    def _liquidate(self, book: Book, now: int) -> None:
        """Close what is held on margin, coins that were sold short, and coins that were bought on credit, at the best price."""
        instrument, quote = book.instrument, book.quote
        if quote is None:
            return
        closed = [(self.ledger.on_margin(instrument.symbol), instrument.max_leverage)]
        if instrument.kind is Kind.SPOT:
            coins = self.ledger.held(instrument)
            on_credit = self.ledger.cash.get(instrument.quote, ZERO) < ZERO
            closed.append((coins if coins < ZERO or on_credit else ZERO, ONE))
        for held, leverage in closed:
            if held:
                side = Side.SELL if held > ZERO else Side.BUY
                price = quote.bid if side is Side.SELL else quote.ask
                fill = self._settle(instrument, "", side, abs(held), price, now, maker=False, leverage=leverage)
                self._tell(r.Liquidated(instrument.symbol, fill, now))


def _differs(one: Quote, other: Quote) -> bool:
    return (one.bid, one.bid_size, one.ask, one.ask_size) != (other.bid, other.bid_size, other.ask, other.ask_size)
