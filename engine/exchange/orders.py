"""The orders of one account: how they are held, what they keep of it, how they end."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from heapq import heappush

from msgspec.structs import replace

from engine.exchange.archive import Archive
from engine.exchange.book import Book
from engine.exchange.candles import Candles
from engine.exchange.funding import Funding, Lending
from engine.exchange.ledger import Ledger, rates, reserved
from engine.exchange.standing import Standing
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Status
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.side import Side

NEVER = 1 << 63
REMEMBERED = 20_000
"""Executions and ended orders kept in memory where nothing else keeps them."""
REMEMBERED_BESIDE_STORE = 1_000
"""The same where a store keeps them all."""


class Orders:
    """One account, its books and its orders."""

    # over 40 lines: all that an account is made of
    def __init__(
        self,
        profile: Profile,
        instruments: Iterable[Instrument],
        cash: Mapping[str, Decimal],
        currency: str,
    ) -> None:
        self.profile = profile
        self.limits = profile.limit_model()
        by_last = profile.triggers[0] == "last"
        self._by_last = by_last
        self.books = {one.symbol: Book(one, by_last=by_last) for one in instruments}
        self.instruments = {symbol: book.instrument for symbol, book in self.books.items()}
        self.ledger = Ledger(cash, currency)
        self.standing = Standing(self.ledger, self.instruments, self.mid, self.rate)
        self.orders: dict[str, Order] = {}
        self.ended: dict[str, Order] = {}
        self.fills: deque[Fill] = deque(maxlen=REMEMBERED)
        self.archive: Archive | None = None
        self.count = 0
        """Of everything that was given an id."""
        self.on_report: list[Callable[[r.VenueReport], None]] = []
        self.on_quote: list[Callable[[Quote], None]] = []
        self.prevents: Callable[[Order], str] | None = None
        """Which of two orders of the account ends where the first would meet the second:
        cancel-newest, cancel-oldest or cancel-both.
        """
        self.changed: dict[str, None] = {}
        """Client order ids that changed since they were last stored."""
        self.new_fills: list[Fill] = []
        self.storing: tuple[dict[str, None], list[Fill]] = ({}, [])
        """Of both, what is being stored just now."""
        self.expires: dict[str, int] = {}
        self._expiries: list[tuple[int, str]] = []  # a heap; what `expires` lacks is passed over
        self._next = NEVER  # nothing is due before
        self.candles = Candles(
            lambda name: self.ledger.exposure(self.instruments[name]), self.books
        )
        self.funding = Funding()
        self.lending: Lending | None = None
        """What margin of spot pairs costs; nothing where None."""
        self.rolls_at = 0
        """When the next rollover is charged; zero: it is to be looked for."""
        self._unfilled: dict[str, None] = {}
        self._executions: dict[str, list[Fill]] = {}
        self._open: dict[str, int] = {}
        self._reducing: dict[str, dict[tuple[Side, bool], dict[str, int]]] = {}
        """By symbol, and by what they reduce: reduce-only orders, with numbers that rise as they
        came.
        """
        self._reducers = 0

    def list(self, instrument: Instrument) -> None:
        """Trade this, too, from now on; what is listed already stays as it is."""
        if instrument.symbol not in self.books:
            self.books[instrument.symbol] = Book(instrument, by_last=self._by_last)
            self.instruments[instrument.symbol] = instrument

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

    def begin_storing(self) -> None:
        """What changed so far is being stored; what changes from now on is not."""
        self.storing = (self.changed, self.new_fills)
        self.changed, self.new_fills = {}, []

    def end_storing(self, *, done: bool) -> None:
        """What was being stored is, or has to be stored again."""
        (changed, fills), self.storing = self.storing, ({}, [])
        if not done:
            self.changed = changed | self.changed
            self.new_fills = fills + self.new_fills

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
                self._reducers += 1
                self._reducing.setdefault(symbol, {}).setdefault(self._reduces(order), {})[name] = (
                    self._reducers
                )
        self.orders[name] = order
        self.changed[name] = None
        instrument = self.instruments[symbol]
        if instrument.moves_coins(order.leverage):
            self.ledger.hold(name, *reserved(order, instrument, self.opening(order)))

    def take_up(
        self, order: Order, executions: Iterable[Fill], best: Decimal | None, ahead: Decimal | None
    ) -> None:
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
        if order.reduce_only:
            self._reducing.get(order.symbol, {}).get(self._reduces(order), {}).pop(name, None)
        self.ledger.release(name)
        self.books[order.symbol].forget(name)
        self._keep_ended(replace(order, status=status, closed_at=now, reason=reason))

    def _is_stored(self, name: str) -> bool:
        """Whether the archive has an order as it is, or there is none to have it."""
        return self.archive is None or not (name in self.changed or name in self.storing[0])

    def _keep_ended(self, order: Order) -> None:
        self.ended[order.client_order_id] = order
        self.changed[order.client_order_id] = None
        most = REMEMBERED if self.archive is None else REMEMBERED_BESIDE_STORE
        while len(self.ended) > most:
            oldest = next((name for name in self.ended if self._is_stored(name)), None)
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

    def _reduces(self, order: Order) -> tuple[Side, bool]:
        """What a reduce-only order reduces: all of one kind find the same there."""
        return order.side, self.instruments[order.symbol].moves_coins(order.leverage)

    def _tell(self, report: r.VenueReport) -> None:
        for listener in self.on_report:
            listener(report)

    def _id(self, kind: str) -> str:
        """An id in Kraken's form, from a counter: the same history gives the same ids."""
        self.count += 1
        text = blake2b(f"{kind}{self.count}".encode(), digest_size=11).hexdigest().upper()[:17]
        return f"{kind}{text[:5]}-{text[5:10]}-{text[10:16]}"
