"""What a ladder is drawn from: prints, volume at price, and where our orders stand in the queue.

Theory of the queue. When the venue confirms a limit order, all that stands at its price is ahead of
it. A trade at the price serves those who were there first. A cancel may be of somebody ahead or
behind; nobody tells which, so it is taken to be behind. Only when less stands at the price than is
estimated to be ahead, somebody ahead must have gone. So the estimate never says too little, as far
as levels and trades are told. A venue that shows our own order in its levels makes it larger by
that order until the first trade.
"""

from collections import deque
from decimal import Decimal

from msgspec import Struct

from engine.desk import Board, State
from engine.model.money import ZERO
from engine.model.order import Order, OrderType
from engine.model.quote import BookShown, Trade
from engine.model.report import Accepted, Amended, VenueReport
from engine.model.side import Side
from engine.runtime.history import History
from engine.venues.protocol import Shows, Venue

TAPE = 200
"""Prints of a symbol that are kept, the newest."""
PRICES = 20_000
"""Prices of a symbol whose volume is kept; those that traded first are forgotten first."""
DEEP = 1_000
"""Levels a side that are looked through for the price of an order."""
OVER = 100
"""Places in queues of orders that are over, kept until somebody looks: a robot may never do."""


class QueuePlace(Struct, frozen=True):
    """Where a resting limit order of ours stands."""

    order: str
    """Client order id."""
    ahead: Decimal | None
    """Size estimated to be served before it; None where nobody has seen its queue."""
    total: Decimal | None
    """What the book shows at its price; None where nobody can see."""


class _Waiting:
    """One of our limit orders."""

    __slots__ = ("ahead", "price", "side", "size", "symbol")

    def __init__(self, order: Order, price: Decimal, ahead: Decimal | None) -> None:
        self.symbol, self.side, self.size = order.symbol, order.side, order.size
        self.price, self.ahead = price, ahead


class _Prints:
    """What was traded of one symbol."""

    __slots__ = ("tape", "volume")

    def __init__(self) -> None:
        self.tape: deque[Trade] = deque(maxlen=TAPE)
        self.volume: dict[Decimal, Decimal] = {}


class Markets:
    """Everything that is known of the markets beside their best prices."""

    def __init__(self, state: State, board: Board, venue: Venue, history: History) -> None:
        self._board = board
        self._history = history
        self._venue = venue if isinstance(venue, Shows) else None
        self.serial = 0
        """Of the last picture of a book that was told."""
        self.tells_trades = False
        """Whether a feed tells trades at all."""
        self._state = state
        self._prints: dict[str, _Prints] = {}
        self._waiting: dict[str, _Waiting] = {}

    def listen(self) -> None:
        """Hear the trades that the venue hears, from its next connection on."""
        self.tells_trades = self._venue is not None and self._venue.hear_trades(self.trade)

    def look(self, symbol: str, count: int) -> BookShown | None:
        """The book for somebody who looks at it: at most `count` levels a side; None before the
        first price.
        """
        self.serial += 1
        if self._venue is not None:
            self._venue.follow(symbol)
        return self._book(symbol, count)

    def _book(self, symbol: str, count: int) -> BookShown | None:
        shown = None if self._venue is None else self._venue.book(symbol, count)
        quote = self._board.quote(symbol)
        if quote is None or (shown is not None and shown.deep):
            return shown
        if shown is not None and (shown.bids[0][0], shown.asks[0][0]) == (quote.bid, quote.ask):
            return shown
        bids, asks = ((quote.bid, quote.bid_size),), ((quote.ask, quote.ask_size),)
        return BookShown(quote.at, bids, asks, deep=False)

    def trade(self, trade: Trade) -> None:
        """Somebody traded: count it, and serve the queues that it reaches."""
        self._history.trade(trade)
        here = self._prints.get(trade.symbol)
        if here is None:
            here = self._prints[trade.symbol] = _Prints()
        here.tape.append(trade)
        volume = here.volume
        volume[trade.price] = volume.get(trade.price, ZERO) + trade.size
        if len(volume) > PRICES:
            del volume[next(iter(volume))]
        for waiting in self._waiting.values() if self._waiting else ():
            if waiting.symbol == trade.symbol and trade.taker is not waiting.side:
                _serve(waiting, trade)

    def hear(self, report: VenueReport) -> None:
        """A limit order of ours joins a queue when the venue confirms it, and again when a change
        costs it its place: another price, or more size.
        """
        if not isinstance(report, Accepted | Amended):
            return
        order = self._state.orders.get(report.client_order_id)
        if order is None or order.type is not OrderType.LIMIT:
            return
        price, known = order.price, self._waiting.get(report.client_order_id)
        if isinstance(report, Amended):
            price = report.price if report.price is not None else price
            if known is not None and known.price == price and report.size <= known.size:
                known.size = report.size
                return
        if price is not None:
            self._join(order, price)

    def _join(self, order: Order, price: Decimal) -> None:
        if len(self._waiting) > len(self._state.orders) + OVER:
            self._forget()
        self._waiting[order.client_order_id] = _Waiting(
            order, price, self._displayed(order.symbol, order.side, price)
        )

    def _forget(self) -> None:
        """Keep only the orders that are still open."""
        for name in [name for name in self._waiting if name not in self._state.orders]:
            del self._waiting[name]

    def _displayed(self, symbol: str, side: Side, price: Decimal) -> Decimal | None:
        shown = self._book(symbol, DEEP)
        return None if shown is None else shown.displayed(side, price)

    # What is told

    def tape(self, symbol: str) -> tuple[Trade, ...]:
        """The last prints, oldest first."""
        here = self._prints.get(symbol)
        return () if here is None else tuple(here.tape)

    def volume(self, symbol: str) -> dict[Decimal, Decimal]:
        """Size traded at each price since the session began."""
        here = self._prints.get(symbol)
        return {} if here is None else here.volume

    def queues(self, symbol: str, shown: BookShown | None) -> tuple[QueuePlace, ...]:
        """Where our limit orders of a symbol stand now."""
        self._forget()
        found = []
        for order in self._state.orders.values():
            if order.symbol != symbol or order.type is not OrderType.LIMIT or not order.is_working:
                continue
            if order.client_order_id not in self._waiting and order.price is not None:
                self._join(order, order.price)  # confirmed before this process listened
            found.append(self._place(order.client_order_id, shown))
        return tuple(found)

    def _place(self, name: str, shown: BookShown | None) -> QueuePlace:
        waiting = self._waiting[name]
        total = None if shown is None else shown.displayed(waiting.side, waiting.price)
        if total is not None and (waiting.ahead is None or total < waiting.ahead):
            waiting.ahead = total
        return QueuePlace(name, waiting.ahead, total)


def _serve(waiting: _Waiting, trade: Trade) -> None:
    """A trade at the price serves who was there first; one beyond it leaves nobody ahead."""
    if trade.price == waiting.price:
        if waiting.ahead is not None:
            waiting.ahead = max(waiting.ahead - trade.size, ZERO)
    elif (waiting.price - trade.price) * waiting.side.sign > ZERO:
        waiting.ahead = ZERO
