"""What the venue does by itself: it fires triggers, matches orders against a market, settles, and tells of it."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from heapq import heappush
from typing import Protocol

from msgspec.structs import replace

from engine.exchange.book import Book
from engine.exchange.ledger import Ledger, rates, reserved
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import FeeCurrency, Instrument
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Status, TimeInForce
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.side import Side

NEVER = 1 << 63
REMEMBERED = 20_000
"""Executions and ended orders kept in memory where nothing else keeps them."""
REMEMBERED_BESIDE_STORE = 1_000
"""The same where a store keeps them all."""
AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
SELF_TRADE = "Self trade prevention"
"""Why an order ended that would have met another one of its own account."""


class ArchiveError(Exception):
    """The archive can't be read now."""


class Archive(Protocol):
    """Where ended orders and executions are kept that memory has let go of. Each question raises ArchiveError."""

    def order(self, name: str) -> Order | None:
        """An order by its client order id."""
        ...

    def executions_of(self, order: Order) -> tuple[Fill, ...]:
        """The executions of one order, oldest first."""
        ...

    def executions_since(self, at: int) -> tuple[Fill, ...]:
        """All executions from a time on (nanoseconds), oldest first."""
        ...


class Matching:
    """One account, its books, and everything that happens to its orders."""

    def __init__(
        self,
        profile: Profile,
        instruments: Iterable[Instrument],
        cash: Mapping[str, Decimal],
        currency: str,
    ) -> None:
        self.profile = profile
        by_last = profile.triggers[0] == "last"
        self.books = {instrument.symbol: Book(instrument, by_last=by_last) for instrument in instruments}
        self.instruments = {symbol: book.instrument for symbol, book in self.books.items()}
        self.ledger = Ledger(cash, currency)
        self.orders: dict[str, Order] = {}
        self.ended: dict[str, Order] = {}
        self.fills: deque[Fill] = deque(maxlen=REMEMBERED)
        self.archive: Archive | None = None
        self.count = 0
        """Of everything that was given an id."""
        self.on_report: list[Callable[[r.VenueReport], None]] = []
        self.on_quote: list[Callable[[Quote], None]] = []
        self.prevents: Callable[[Order], str] | None = None
        """Which of two orders of the account ends where the first would meet the second: cancel-newest, cancel-oldest or cancel-both."""
        self.changed: dict[str, None] = {}
        """Client order ids that changed since they were last stored."""
        self.new_fills: list[Fill] = []
        self.expires: dict[str, int] = {}
        self._expiries: list[tuple[int, str]] = []  # a heap; what is no longer in `expires` is passed over
        self._next = NEVER  # nothing is due before
        self._unfilled: dict[str, None] = {}
        self._executions: dict[str, list[Fill]] = {}
        self._open: dict[str, int] = {}
        self._reducing: dict[str, dict[str, None]] = {}

    def keep_beside(self, archive: Archive) -> None:
        """Remember less: `archive` keeps everything."""
        self.archive = archive
        self.fills = deque(self.fills, maxlen=REMEMBERED_BESIDE_STORE)

    @property
    def unstored(self) -> bool:
        """Whether anything happened since it was last stored; an execution may concern no order."""
        return bool(self.changed or self.new_fills)

    def forget_changes(self) -> None:
        """What changed is stored, or nobody stores it."""
        self.changed.clear()
        self.new_fills.clear()

    # Orders in, orders out

    def put(self, order: Order) -> None:
        """Hold an order as open, new or changed, with what it keeps from the others."""
        name, symbol = order.client_order_id, order.symbol
        if name not in self.orders:
            self._open[symbol] = self._open.get(symbol, 0) + 1
            if order.expires_at is not None:
                self.expires[name] = order.expires_at
                heappush(self._expiries, (order.expires_at, name))
                self._next = min(self._next, order.expires_at)
            if order.reduce_only:
                self._reducing.setdefault(symbol, {})[name] = None
        self.orders[name] = order
        self.changed[name] = None
        instrument = self.instruments[symbol]
        if instrument.moves_coins(order.leverage):
            self.ledger.hold(name, *reserved(order, instrument, self.opening(order)))

    def take_up(self, order: Order, executions: Iterable[Fill], best: Decimal | None, ahead: Decimal | None) -> None:
        """Go on with an order that was stored: where it stood, with what it has seen."""
        name = order.client_order_id
        self.put(order)
        del self.changed[name]
        self._executions[name] = list(executions)
        if ahead is not None:
            self.books[order.symbol].join(name, ahead)
        self.wait(order, best)

    def wait(self, order: Order, best: Decimal | None = None) -> None:
        """Let an order rest: in its book, or, without a bound, until there is something to take."""
        if order.price is None and (order.triggered or order.type is OrderType.MARKET):
            self._unfilled[order.client_order_id] = None
        else:
            self.books[order.symbol].rest(order, best)

    def _end(self, order: Order, status: Status, now: int, reason: str) -> None:
        name = order.client_order_id
        if self.orders.pop(name, None) is not None:
            self._open[order.symbol] -= 1
        self.expires.pop(name, None)
        self._unfilled.pop(name, None)
        self._reducing.get(order.symbol, {}).pop(name, None)
        self.ledger.release(name)
        self.books[order.symbol].forget(name)
        self._keep_ended(replace(order, status=status, closed_at=now, reason=reason))

    def _keep_ended(self, order: Order) -> None:
        self.ended[order.client_order_id] = order
        self.changed[order.client_order_id] = None
        most = REMEMBERED if self.archive is None else REMEMBERED_BESIDE_STORE
        while len(self.ended) > most:
            oldest = next((name for name in self.ended if self.archive is None or name not in self.changed), None)
            if oldest is None:
                break  # all of them still wait for the store
            del self.ended[oldest]
            self._executions.pop(oldest, None)

    def end_unbegun(self, order: Order, now: int) -> None:
        """An order that was to begin later is cancelled before."""
        self._cancel_rest(order, now, "User requested")

    def _cancel_rest(self, order: Order, now: int, text: str) -> None:
        self._end(order, Status.CANCELLED, now, text)
        self._tell(r.Cancelled(order.client_order_id, order.filled, text, now))

    # What is held and what it allows

    def open_in(self, symbol: str) -> int:
        """How many orders are open in a symbol."""
        return self._open.get(symbol, 0)

    def mid(self, symbol: str) -> Decimal | None:
        """The price that an account is valued at."""
        book = self.books.get(symbol)
        return None if book is None else book.mid

    def rate(self, currency: str, into: str) -> Decimal | None:
        """Units of `into` for one of `currency`, by the venue's own books."""
        return rates(self.instruments, self.mid)(currency, into)

    def reducible(self, order: Order) -> Decimal:
        """How much of what is held an order of its side would reduce."""
        held = self.ledger.held(self.instruments[order.symbol], order.leverage)
        return max(-held * order.side.sign, ZERO)

    def opening(self, order: Order) -> Decimal:
        """What an order would open beyond what it reduces."""
        return max(order.remaining - self.reducible(order), ZERO)

    def _affordable(self, order: Order, price: Decimal, size: Decimal) -> Decimal:
        """What an account without credit can pay for, of `size` at `price`."""
        instrument, name = self.instruments[order.symbol], order.client_order_id
        if not instrument.moves_coins(order.leverage):
            return size
        if order.side is Side.SELL:
            return size if instrument.can_short else min(size, max(self.ledger.free(instrument.base, name), ZERO))
        fee = ZERO
        if instrument.fee_currency is FeeCurrency.QUOTE:
            fee = instrument.fees_at(self.ledger.volume(order.touched_at)).taker
        means = max(self.ledger.free(instrument.quote, name), ZERO) / (price * (1 + fee))
        return min(size, self.reducible(order) + means)

    # Matching

    def _match(self, book: Book, touched: list[str], now: int) -> None:
        """Triggers first, then what waits for a taker's rest, then resting limits: the stop wins over the target."""
        for name in touched:
            order = self.orders.get(name)
            if order is not None:
                self._trigger(book, order, now)
        for name in [n for n in self._unfilled if n in self.orders and self.orders[n].symbol == book.instrument.symbol]:
            if name in self.orders:
                self._take(book, self.orders[name], now)
        for name in book.reached():
            order = self.orders.get(name)
            if order is None or order.price is None:
                continue
            size = book.instrument.round_size(min(order.remaining, book.displayed(order.side)))
            if size > ZERO:
                book.take(order.side, size, now)
                self._fill(book, order, order.price, size, now, maker=True)
            order = self.orders.get(name)
            if order is not None:
                book.rest(order)

    def _trigger(self, book: Book, order: Order, now: int) -> None:
        price, offset = order.price, None if order.trail is None else order.trail.limit
        reached = book.mark(order.side.opposite)
        if offset is not None and reached is not None:
            price = max(book.instrument.round_price(reached + offset), book.instrument.tick)
        fired = replace(order, triggered=True, price=price)
        self.put(fired)
        self._tell(r.Triggered(order.client_order_id, now))
        self._take(book, fired, now)

    def _take(self, book: Book, order: Order, now: int) -> None:
        """Take what is offered within the limit; what is left rests, waits for the next quote, or is cancelled."""
        book.refill(now)
        wanted = order.remaining
        if order.reduce_only:
            wanted = min(wanted, self.reducible(order))
        if order.time_in_force is TimeInForce.FOK and not self._whole(book, order, wanted):
            self._cancel_rest(order, now, "EOrder:Fill or kill")
            return
        short = self._sweep(book, order, wanted, now)
        left = self.orders.get(order.client_order_id)
        if left is None:
            return
        bounded = left.price is not None
        if left.reduce_only and book.instrument.round_size(self.reducible(left)) <= ZERO:
            self._cancel_rest(left, now, "EOrder:Reduce only:No position exists")
        elif short:
            self._cancel_rest(left, now, "EOrder:Insufficient funds")
        elif left.time_in_force in AT_ONCE or (bounded and left.type is OrderType.MARKET):
            self._cancel_rest(left, now, "Immediate or cancel")
        else:
            self.wait(left)

    def _whole(self, book: Book, order: Order, wanted: Decimal) -> bool:
        """Whether all of an order is offered, and could be paid for at the worst of the prices."""
        for price, size in book.offered(order.side, order.price):
            wanted -= size
            if wanted <= ZERO:
                return self._affordable(order, price, order.remaining) >= order.remaining
        return False

    def _sweep(self, book: Book, order: Order, wanted: Decimal, now: int) -> bool:
        """Walk the levels until `wanted` is taken or nothing is offered; whether the money ran out first."""
        name = order.client_order_id
        for price, size in list(book.offered(order.side, order.price)):
            part = book.instrument.round_size(min(size, wanted))
            if part <= ZERO:
                continue
            if self._meets_own(order, price, now):
                return False
            payable = book.instrument.round_size(self._affordable(self.orders[name], price, part))
            if payable > ZERO:
                book.take(order.side, payable, now)
                self._fill(book, self.orders[name], price, payable, now, maker=False)
                wanted -= payable
            if name not in self.orders or wanted <= ZERO:
                return False
            if payable < part:
                return True
        if wanted > ZERO:
            self._meets_own(order, None, now)
        return False

    def _meets_own(self, order: Order, price: Decimal | None, now: int) -> bool:
        """End what would trade with itself before a level of the book is reached, or behind the last for None; whether the taker is over."""
        if self.prevents is None:
            return False
        for own in [other for other in self.orders.values() if _meets(order, other, price)]:
            how = self.prevents(order)
            if how in ("cancel-oldest", "cancel-both"):
                self._cancel_rest(own, now, SELF_TRADE)
            if how != "cancel-oldest":
                self._cancel_rest(self.orders[order.client_order_id], now, SELF_TRADE)
                return True
        return False

    def _fill(self, book: Book, order: Order, price: Decimal, size: Decimal, now: int, *, maker: bool) -> None:
        """One execution: the ledger, the order, and the report."""
        if order.reduce_only:
            size = min(size, self.reducible(order))
            if size <= ZERO:
                self._cancel_rest(order, now, "EOrder:Reduce only:No position exists")
                return
        fill = self._settle(
            book.instrument,
            order.client_order_id,
            order.side,
            size,
            price,
            now,
            maker=maker,
            leverage=order.leverage,
        )
        self._executions.setdefault(order.client_order_id, []).append(fill)
        filled = order.filled + size
        status = Status.FILLED if filled == order.size else Status.PARTIALLY_FILLED
        done = replace(order, filled=filled, value=order.value + size * price, status=status)
        if status is Status.FILLED:
            self._end(done, Status.FILLED, now, "")
        else:
            self.put(done)
        self._tell(r.Filled(fill, now))
        self._cancel_reducing(book.instrument.symbol, now)

    def _settle(
        self,
        instrument: Instrument,
        name: str,
        side: Side,
        size: Decimal,
        price: Decimal,
        now: int,
        *,
        maker: bool,
        leverage: Decimal | None = None,
    ) -> Fill:
        """One execution in the books of the account."""
        fee, currency = self.ledger.fee(instrument, side, size, price, now, maker=maker, leverage=leverage)
        liquidity = Liquidity.MAKER if maker else Liquidity.TAKER
        fill = Fill(self._id("T"), name, instrument.symbol, side, price, size, fee, currency, liquidity, now)
        self.ledger.book(instrument, fill, self.rate, leverage)
        self.fills.append(fill)
        self.new_fills.append(fill)
        return fill

    def _cancel_reducing(self, symbol: str, now: int) -> None:
        """Reduce-only orders have nothing left to do once nothing is held on the other side."""
        waiting = self._reducing.get(symbol)
        if not waiting:
            return
        for name in list(waiting):
            if self.reducible(self.orders[name]) <= ZERO:
                self._cancel_rest(self.orders[name], now, "EOrder:Reduce only:No position exists")

    # Telling

    def _tell(self, report: r.VenueReport) -> None:
        for listener in self.on_report:
            listener(report)

    def _id(self, kind: str) -> str:
        """An id in Kraken's form, from a counter: the same history gives the same ids."""
        self.count += 1
        text = blake2b(f"{kind}{self.count}".encode(), digest_size=11).hexdigest().upper()[:17]
        return f"{kind}{text[:5]}-{text[5:10]}-{text[10:16]}"


def _meets(taker: Order, other: Order, price: Decimal | None) -> bool:
    """Whether another order of the account rests where a taker arrives before it reaches the level at `price`; for None, within its bound."""
    if other.symbol != taker.symbol or other.side is taker.side or other.price is None:
        return False
    if not (other.triggered or other.type is OrderType.LIMIT):
        return False
    if price is not None:
        return (price - other.price) * taker.side.sign > ZERO
    return taker.price is None or (taker.price - other.price) * taker.side.sign >= ZERO
