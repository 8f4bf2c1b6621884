"""One symbol at the venue: what the market shows, what our own orders wait for, and what a taker
gets.

What can be known, and what is assumed:

- *Quotes.* A taker gets the best price up to the displayed size. Beyond it the book is assumed to
  go on one basis point (at least a tick) worse per level with the same size, ten levels deep. What
  our own orders took is not there again before that side of the quote changes, or a second has
  passed. A market order without a bound goes on with the quotes that follow. A resting limit fills
  at its own price once the opposite best reaches it, up to the size displayed there.
- *Trades.* A print through a resting limit fills it, up to the print's size, which is shared out
  once. A print at the limit first serves the queue: what was displayed at that price when the order
  joined; for a price that was deeper in the book then, or below a truncated book, what is displayed
  there when it is first seen. A queue that nobody has seen is not an empty one: prints at the limit
  fill nothing then. Where a symbol has nothing but trades, each of them makes a quote around
  itself, and no queue is ever seen.
- *Depth.* A taker walks the real levels; resting limits as with quotes. So it is where a market
  tells what stands below its quotes (`below`): one of our own making.
- *Candles* fill only where a symbol has shown nothing better. They become a path over four prices:
  the open, the extreme that is worse for what is held, the other one, the close (`candles` says
  more); a spread of two basis points (at least two ticks) around each, a tenth of the volume as
  size of each leg: a candle without volume trades nothing. The path stops at each price at which
  an order acts. Limits fill only when the price goes strictly through them.
- *Stops* are touched by the last trade, where that is what the venue watches, and always by the
  quote on which they would fill: a sell stop by a bid at or below, a buy stop by an ask at or
  above. One that a print fires fills nowhere better than that print. Where one update touches a
  stop and a limit, the stop is first.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from engine.exchange.levels import Levels
from engine.exchange.path import around, first
from engine.exchange.shown import Below, assumed, queue, told
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.order import Order, OrderType
from engine.model.quote import BookShown, Depth, Quote, Trade
from engine.model.side import Side
from engine.model.triggers import Direction, Thresholds, TrailingThresholds

SHARE = Decimal("0.1")
"""Of a candle's volume, displayed at each of its four prices."""
REFILL = 1_000_000_000
"""Nanoseconds after which a side that still shows the same is taken to have been filled up again.
"""

Names = list[str]


class Book:
    """The market and our orders in one symbol."""

    def __init__(self, instrument: Instrument, *, by_last: bool = True) -> None:
        self.instrument = instrument
        self.by_last = by_last
        """Whether stops watch the last trade (where false, only the quotes)."""
        self.quote: Quote | None = None
        self.last: Decimal | None = None
        self.strict = False
        """Whether the price comes from a candle: limits fill only when it goes through them."""
        self.quoted = False
        """Whether quotes or depth were seen: trades and candles make no quotes then."""
        self.traded = False
        """Whether trades were seen since it was opened: candles make no quotes then."""
        self._taken = {Side.BUY: ZERO, Side.SELL: ZERO}
        self._taken_at = 0
        self._levels = Levels()
        self.below: Below | None = None
        """What the market tells below its quotes; None where it tells nothing of that."""
        self.print: Decimal | None = None
        """The print that is firing triggers: a displayed price that is better is disproved."""
        self._made = False
        """Whether the quote was made up around a price: what it displays is nobody's queue."""
        self._ahead: dict[str, Decimal | None] = {}
        self._unseen: dict[str, None] = {}
        """Resting limits of which nobody has seen yet what is ahead of them."""
        self._buys: Thresholds[str] = Thresholds(Direction.FALLING)
        self._sells: Thresholds[str] = Thresholds(Direction.RISING)
        self._prices: dict[str, tuple[Side, Decimal]] = {}
        self._buy_stops: Thresholds[str] = Thresholds(Direction.RISING)
        self._sell_stops: Thresholds[str] = Thresholds(Direction.FALLING)
        self._buy_profits: Thresholds[str] = Thresholds(Direction.FALLING)
        self._sell_profits: Thresholds[str] = Thresholds(Direction.RISING)
        self._buy_trails: TrailingThresholds[str] = TrailingThresholds(Direction.RISING)
        self._sell_trails: TrailingThresholds[str] = TrailingThresholds(Direction.FALLING)

    # The market

    def on_quote(self, quote: Quote, *, made: bool = False, fresh: bool = False) -> Names | None:
        """Keep a quote; `made` up around a price, and `fresh`, or with what is left of the last
        one.

        The triggers that it touches; None, at the cost of a few comparisons, where nothing at all
        is crossed.
        """
        taken = self._taken
        if taken[Side.BUY] or taken[Side.SELL]:
            self._refill(quote, made=made, fresh=fresh)
        self.quote, self._made = quote, made
        if self._unseen:
            self._see_queues()
        return self._crossed(quote.bid, quote.ask)

    def _refill(self, quote: Quote, *, made: bool, fresh: bool) -> None:
        """What we took is there again on a side that says something new."""
        last = self.quote
        if made and not fresh:
            return
        fresh = fresh or last is None or quote.at - self._taken_at >= REFILL
        if fresh or last is None or (last.ask, last.ask_size) != (quote.ask, quote.ask_size):
            self._taken[Side.BUY] = ZERO
        if fresh or last is None or (last.bid, last.bid_size) != (quote.bid, quote.bid_size):
            self._taken[Side.SELL] = ZERO

    def touched(self) -> Names | None:
        """The triggers that the market is through as it stands: for an order that was
        placed there.
        """
        return None if self.quote is None else self._crossed(self.quote.bid, self.quote.ask)

    def _crossed(self, bid: Decimal, ask: Decimal) -> Names | None:
        touched: Names | None = None
        nearest = self._sell_stops.nearest
        if nearest is not None and bid <= nearest:
            touched = self._sell_stops.crossed(bid)
        nearest = self._buy_stops.nearest
        if nearest is not None and ask >= nearest:
            touched = [*(touched or ()), *self._buy_stops.crossed(ask)]
        if self._sell_trails.nearest is not None:
            fired = self._sell_trails.follow(bid)
            if fired:
                touched = [*(touched or ()), *fired]
        if self._buy_trails.nearest is not None:
            fired = self._buy_trails.follow(ask)
            if fired:
                touched = [*(touched or ()), *fired]
        return self._rest(bid, ask, touched)

    def _rest(self, bid: Decimal, ask: Decimal, touched: Names | None) -> Names | None:
        """Take-profits; and whether a resting limit is reached (an empty list then)."""
        nearest = self._sell_profits.nearest
        if nearest is not None and bid >= nearest:
            touched = [*(touched or ()), *self._sell_profits.crossed(bid)]
        nearest = self._buy_profits.nearest
        if nearest is not None and ask <= nearest:
            touched = [*(touched or ()), *self._buy_profits.crossed(ask)]
        if touched is None:
            nearest = self._buys.nearest
            if nearest is not None and ask <= nearest:
                return []
            nearest = self._sells.nearest
            if nearest is not None and bid >= nearest:
                return []
        return touched

    def on_trade(self, trade: Trade) -> Names:
        """A print: the triggers that it touches as the last price."""
        self.last = price = trade.price
        self.traded = True
        if not self.by_last:
            return []
        touched = [*self._sell_stops.crossed(price), *self._buy_stops.crossed(price)]
        touched += self._sell_trails.follow(price) + self._buy_trails.follow(price)
        return touched + self._sell_profits.crossed(price) + self._buy_profits.crossed(price)

    def derive(self, at: int, price: Decimal, size: Decimal) -> Quote:
        """A quote around a price that came without one."""
        bid, ask = around(self.instrument.tick, price)
        return Quote(self.instrument.symbol, at, bid, size, ask, size)

    def waiting(self, rises: bool) -> tuple[Decimal | None, Decimal | None]:
        """The next bid and ask at which one of our orders acts; a limit only once the price is
        through it.
        """
        tick = self.instrument.tick
        if rises:
            limit, trails = self._sells.nearest, self._buy_trails.nearest
            bids = (None if limit is None else limit + tick, self._sell_profits.nearest)
            asks = (self._buy_stops.nearest, trails)
            return first(min, bids), first(min, asks)
        limit, trails = self._buys.nearest, self._sell_trails.nearest
        asks = (None if limit is None else limit - tick, self._buy_profits.nearest)
        return first(max, (self._sell_stops.nearest, trails)), first(max, asks)

    def on_depth(self, depth: Depth) -> Quote | None:
        """Keep levels; the best quote where both sides show one."""
        return self._levels.apply(self.instrument.symbol, depth)

    def offered(self, side: Side, bound: Decimal | None) -> Iterator[tuple[Decimal, Decimal]]:
        """Prices and sizes that a taker on `side` gets now, best first, within `bound`."""
        quote = self.quote
        if quote is None:
            return
        taken = self._taken[side]
        for shown, size in self._ladder(side, quote):
            price = shown if self.print is None else side.worse_of(shown, self.print)
            if bound is not None and (price > bound if side is Side.BUY else price < bound):
                return
            free = size - taken
            taken = max(taken - size, ZERO)
            if free > ZERO:
                yield price, free

    def depth(self, side: Side, count: int) -> list[tuple[Decimal, Decimal]]:
        """Up to `count` prices and sizes of one side of the book, best first: BUY for the bids."""
        return (
            []
            if self.quote is None
            else list(islice(self._ladder(side.opposite, self.quote), count))
        )

    def shown(self, count: int) -> BookShown | None:
        """What the market itself tells of its book, at most `count` levels a side: nothing that is
        assumed below the best, and no size of a quote that was made up around a price.
        """
        quote, levels = self.quote, self._levels
        if quote is None:
            return None
        if levels.known(Side.BUY) or levels.known(Side.SELL):
            bids, asks = levels.best(Side.BUY, count), levels.best(Side.SELL, count)
            return BookShown(levels.at, bids, asks, deep=True)
        if self.below is not None and not self._made:
            bids, asks = (tuple(islice(told(one, quote, self.below), count)) for one in Side)
            return BookShown(quote.at, bids, asks, deep=True)
        bid, ask = (ZERO, ZERO) if self._made else (quote.bid_size, quote.ask_size)
        return BookShown(quote.at, ((quote.bid, bid),), ((quote.ask, ask),), deep=False)

    def _ladder(self, side: Side, quote: Quote) -> Iterator[tuple[Decimal, Decimal]]:
        other = side.opposite
        if self._levels.known(other):
            return self._levels.ladder(other)
        if self.below is not None and not self._made:
            return told(other, quote, self.below)
        return assumed(other, quote, self.instrument.tick)

    def take(self, side: Side, size: Decimal, now: int) -> None:
        """One of ours took this much of what is displayed."""
        self._taken[side] += size
        self._taken_at = now

    def refill(self, now: int) -> None:
        """A second after we last took, what we took is there again; of a candle only with its next
        price.
        """
        if not self.strict and now - self._taken_at >= REFILL:
            self._taken[Side.BUY] = self._taken[Side.SELL] = ZERO

    def displayed(self, side: Side) -> Decimal:
        """What is left for a resting order on `side` that the opposite best has reached."""
        if self.quote is None:
            return ZERO
        size = self.quote.ask_size if side is Side.BUY else self.quote.bid_size
        return max(size - self._taken[side], ZERO)

    # Our orders

    def rest(self, order: Order, best: Decimal | None = None) -> None:
        """An order waits: for its trigger, or at its limit. `best` is what a trailing stop has seen
        already.
        """
        name = order.client_order_id
        buys = order.side is Side.BUY
        if order.triggered or order.type is OrderType.LIMIT:
            assert order.price is not None
            if name not in self._ahead:
                self._ahead[name] = self._queue(order.side, order.price)
            if self._ahead[name] is None:
                self._unseen[name] = None
            self._prices[name] = (order.side, order.price)
            (self._buys if buys else self._sells).set(name, order.price)
        elif order.type is OrderType.TRAILING_STOP and order.trail is not None:
            start = best or self.mark(order.side.opposite)
            if start is not None:
                (self._buy_trails if buys else self._sell_trails).add(name, order.trail, start)
        elif order.trigger is not None:
            if order.type is OrderType.TAKE_PROFIT:
                (self._buy_profits if buys else self._sell_profits).set(name, order.trigger)
            else:
                (self._buy_stops if buys else self._sell_stops).set(name, order.trigger)

    def _queue(self, side: Side, price: Decimal) -> Decimal | None:
        """What is displayed at a price before we join it; None where nobody can see that: deeper
        than what is displayed, or where nothing is.
        """
        if self._levels.known(side):
            return self._levels.queue(side, price)
        if self.quote is None or self._made:
            return None
        return queue(side, price, self.quote, self.below)

    def _see_queues(self) -> None:
        """What is ahead of a limit is told by the first quote that shows its price as the best, or
        the first depth that reaches it.
        """
        for name in list(self._unseen):
            ahead = self._queue(*self._prices[name])
            if ahead is not None:
                self._ahead[name] = ahead
                del self._unseen[name]

    def queue_of(self, name: str) -> Decimal | None:
        """What is ahead of a resting limit, as far as known."""
        return self._ahead.get(name)

    def join(self, name: str, ahead: Decimal) -> None:
        """Put a resting limit back where it stood in its queue."""
        self._ahead[name] = ahead

    def forget(self, name: str) -> None:
        """An order waits no longer."""
        for waiting in (
            self._buys,
            self._sells,
            self._buy_stops,
            self._sell_stops,
            self._buy_profits,
            self._sell_profits,
        ):
            waiting.discard(name)
        self._buy_trails.discard(name)
        self._sell_trails.discard(name)
        self._prices.pop(name, None)
        self._ahead.pop(name, None)
        self._unseen.pop(name, None)

    def trail_of(self, name: str) -> tuple[Decimal, Decimal] | None:
        """The best price that a trailing stop has seen, and where it fires now."""
        for trails in (self._sell_trails, self._buy_trails):
            best, level = trails.best(name), trails.level(name)
            if best is not None and level is not None:
                return best, level
        return None

    def reached(self) -> list[str]:
        """Resting limits that the opposite best has reached, best price first."""
        quote = self.quote
        if quote is None:
            return []
        names = self._buys.crossed(quote.ask) + self._sells.crossed(quote.bid)
        if not self.strict:
            return names
        through = []
        for name in names:
            side, price = self._prices[name]
            if price > quote.ask if side is Side.BUY else price < quote.bid:
                through.append(name)
            else:
                (self._buys if side is Side.BUY else self._sells).set(name, price)
        return through

    def printed(self, trade: Trade) -> Names:
        """Resting limits that a print reaches, the best price first; they go on waiting."""
        names = self._buys.crossed(trade.price) + self._sells.crossed(trade.price)
        for name in names:
            side, price = self._prices[name]
            (self._buys if side is Side.BUY else self._sells).set(name, price)
        return [name for name in names if self._prices[name][0] is not trade.taker]

    def share(self, name: str, trade: Trade) -> Decimal:
        """What of a print is left for an order once the queue ahead of it is served: nothing where
        nobody has seen that queue.
        """
        _, price = self._prices[name]
        if price != trade.price:
            return trade.size
        ahead = self._ahead.get(name)
        if ahead is None:
            return ZERO
        self._ahead[name] = max(ahead - trade.size, ZERO)
        return max(trade.size - ahead, ZERO)

    def mark(self, side: Side) -> Decimal | None:
        """The best price that one who holds `side` could leave at."""
        if self.quote is None:
            return self.last
        return self.quote.bid if side is Side.BUY else self.quote.ask

    @property
    def mid(self) -> Decimal | None:
        """Half way between bid and ask."""
        return self.last if self.quote is None else self.quote.mid
