"""One symbol at the venue: what the market shows, what our own orders wait for, and what a taker gets.

What can be known, and what is assumed:

- *Quotes.* A taker gets the best price up to the displayed size. Beyond it the book is assumed to go on one basis point (at least a tick) worse
  per level with the same size, ten levels deep. What our own orders took is not there again before the next quote of that side. A resting limit
  fills at its own price once the opposite best reaches it, up to the size displayed there.
- *Trades.* A print through a resting limit fills it, up to the print's size. A print at the limit first serves the queue that was displayed at that
  price when the order joined.
- *Depth.* A taker walks the real levels; resting limits as with quotes.
- *Candles* fill only where a symbol has nothing better. They become four prices: the open, the extreme that is worse for what is held, the other
  one, the close; a spread of two basis points around each, a tenth of the volume as size. Limits fill only when the price goes through them.
- *Stops* are touched by the last trade and by the quote on which they would fill: a sell stop by a bid at or below, a buy stop by an ask at or above.
  Where one update touches a stop and a limit, the stop is first.
"""

from collections.abc import Iterator
from decimal import Decimal

from engine.model.instrument import Instrument
from engine.model.money import NEAREST, ZERO, on_grid
from engine.model.order import Order, OrderType
from engine.model.quote import Candle, Depth, Quote, Trade
from engine.model.side import Side
from engine.model.triggers import Direction, Thresholds, TrailingThresholds

STEP = Decimal("0.0001")
"""Assumed distance between levels beyond the displayed best."""
LEVELS = 10
HALF_SPREAD = Decimal("0.0001")
"""Assumed around a price that comes without a quote."""
SHARE = Decimal("0.1")
"""Of a candle's volume, displayed at each of its four prices."""

Names = list[str]


class Book:
    """The market and our orders in one symbol."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.quote: Quote | None = None
        self.last: Decimal | None = None
        self.strict = False
        """Whether the price comes from a candle: limits fill only when it goes through them."""
        self.quoted = False
        """Whether quotes or depth were seen: trades and candles make no quotes then."""
        self._taken = {Side.BUY: ZERO, Side.SELL: ZERO}
        self._levels: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
        self._ahead: dict[str, Decimal] = {}
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

    def on_quote(self, quote: Quote) -> Names | None:
        """Keep a quote. The triggers that it touches; None, at the cost of a few comparisons, where nothing at all is crossed."""
        self.quote = quote
        taken = self._taken
        if taken[Side.BUY] or taken[Side.SELL]:
            taken[Side.BUY] = taken[Side.SELL] = ZERO
        return self._crossed(quote.bid, quote.ask)

    def touched(self) -> Names | None:
        """The triggers that the market is through as it stands: for an order that was placed there."""
        return None if self.quote is None else self._crossed(self.quote.bid, self.quote.ask)

    def _crossed(self, bid: Decimal, ask: Decimal) -> Names | None:
        touched: Names | None = None
        nearest = self._sell_stops.nearest
        if nearest is not None and bid <= nearest:
            touched = self._sell_stops.crossed(bid)
        nearest = self._buy_stops.nearest
        if nearest is not None and ask >= nearest:
            touched = [*(touched or ()), *self._buy_stops.crossed(ask)]
        if self._sell_trails:
            fired = self._sell_trails.follow(bid)
            if fired:
                touched = [*(touched or ()), *fired]
        if self._buy_trails:
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
        self.last = trade.price
        touched = [*self._sell_stops.crossed(trade.price), *self._buy_stops.crossed(trade.price)]
        touched += self._sell_trails.follow(trade.price) + self._buy_trails.follow(trade.price)
        return touched + self._sell_profits.crossed(trade.price) + self._buy_profits.crossed(trade.price)

    def derive(self, at: int, price: Decimal, size: Decimal) -> Quote:
        """A quote around a price that came without one."""
        tick = self.instrument.tick
        half = max(on_grid(price * HALF_SPREAD, tick, NEAREST), tick)
        bid = max(price - half, tick)
        return Quote(self.instrument.symbol, at, bid, size, price + half, size)

    def expand(self, candle: Candle, held: Decimal) -> list[Quote]:
        """The four prices of a candle, at even distances in its interval."""
        low_first = candle.close >= candle.open if held == ZERO else held > ZERO
        extremes = (candle.low, candle.high) if low_first else (candle.high, candle.low)
        step = candle.interval // 4
        prices = (candle.open, *extremes, candle.close)
        return [self.derive(candle.at + index * step, price, candle.volume * SHARE) for index, price in enumerate(prices)]

    def on_depth(self, depth: Depth) -> Quote | None:
        """Keep levels; the best quote where both sides show one."""
        if depth.snapshot:
            self._levels = {Side.BUY: {}, Side.SELL: {}}
        for level in depth.levels:
            if level.size:
                self._levels[level.side][level.price] = level.size
            else:
                self._levels[level.side].pop(level.price, None)
        bids, asks = self._levels[Side.BUY], self._levels[Side.SELL]
        if not bids or not asks:
            return None
        bid, ask = max(bids), min(asks)
        if bid > ask:
            return None  # crossed for a moment, between two messages of one change
        return Quote(self.instrument.symbol, depth.at, bid, bids[bid], ask, asks[ask])

    def offered(self, side: Side, bound: Decimal | None) -> Iterator[tuple[Decimal, Decimal]]:
        """Prices and sizes that a taker on `side` gets now, best first, within `bound`."""
        quote = self.quote
        if quote is None:
            return
        taken = self._taken[side]
        for price, size in self._ladder(side, quote):
            if bound is not None and (price > bound if side is Side.BUY else price < bound):
                return
            free = size - taken
            taken = max(taken - size, ZERO)
            if free > ZERO:
                yield price, free

    def _ladder(self, side: Side, quote: Quote) -> Iterator[tuple[Decimal, Decimal]]:
        levels = self._levels[side.opposite]
        if levels:
            yield from sorted(levels.items(), reverse=side is Side.SELL)
            return
        best, size = (quote.ask, quote.ask_size) if side is Side.BUY else (quote.bid, quote.bid_size)
        step = max(on_grid(best * STEP, self.instrument.tick, NEAREST), self.instrument.tick)
        for level in range(LEVELS):
            price = best + step * level * side.sign
            if price <= ZERO:
                return
            yield price, size

    def take(self, side: Side, size: Decimal) -> None:
        """A taker on `side` took this much of what is displayed."""
        self._taken[side] += size

    def displayed(self, side: Side) -> Decimal:
        """What is left for a resting order on `side` that the opposite best has reached."""
        if self.quote is None:
            return ZERO
        size = self.quote.ask_size if side is Side.BUY else self.quote.bid_size
        return max(size - self._taken[side], ZERO)

    # Our orders

    def rest(self, order: Order, best: Decimal | None = None) -> None:
        """An order waits: for its trigger, or at its limit."""
        name = order.client_order_id
        buys = order.side is Side.BUY
        if order.triggered or order.type is OrderType.LIMIT or order.type is OrderType.MARKET:
            assert order.price is not None
            (self._buys if buys else self._sells).set(name, order.price)
            self._prices[name] = (order.side, order.price)
            self._ahead.setdefault(name, self._queue(order.side, order.price))
        elif order.type is OrderType.TRAILING_STOP and order.trail is not None:
            start = best if best is not None else self.mark(order.side.opposite)
            (self._buy_trails if buys else self._sell_trails).add(name, order.trail, start or order.trigger or ZERO)
        elif order.trigger is not None:
            if order.type is OrderType.TAKE_PROFIT:
                (self._buy_profits if buys else self._sell_profits).set(name, order.trigger)
            else:
                (self._buy_stops if buys else self._sell_stops).set(name, order.trigger)

    def _queue(self, side: Side, price: Decimal) -> Decimal:
        """What is displayed at a price before we join it."""
        levels = self._levels[side]
        if levels:
            return levels.get(price, ZERO)
        if self.quote is None:
            return ZERO
        best, size = (self.quote.bid, self.quote.bid_size) if side is Side.BUY else (self.quote.ask, self.quote.ask_size)
        return size if best == price else ZERO

    def forget(self, name: str) -> None:
        """An order waits no longer."""
        for waiting in (self._buys, self._sells, self._buy_stops, self._sell_stops, self._buy_profits, self._sell_profits):
            waiting.discard(name)
        self._buy_trails.discard(name)
        self._sell_trails.discard(name)
        self._prices.pop(name, None)
        self._ahead.pop(name, None)

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

    def printed(self, trade: Trade) -> list[tuple[str, Decimal]]:
        """Resting limits that a print serves, and how much each gets."""
        left, served = trade.size, []
        names = self._buys.crossed(trade.price) + self._sells.crossed(trade.price)
        for name in names:
            side, price = self._prices[name]
            (self._buys if side is Side.BUY else self._sells).set(name, price)
            if trade.taker is side or left <= ZERO:
                continue
            if price == trade.price:
                ahead = min(self._ahead.get(name, ZERO), left)
                self._ahead[name] = self._ahead.get(name, ZERO) - ahead
                left -= ahead
            if left > ZERO:
                served.append((name, left))
        return served

    def mark(self, side: Side) -> Decimal | None:
        """The best price that one who holds `side` could leave at."""
        if self.quote is None:
            return self.last
        return self.quote.bid if side is Side.BUY else self.quote.ask

    @property
    def mid(self) -> Decimal | None:
        """Half way between bid and ask."""
        return self.last if self.quote is None else self.quote.mid
