"""The venue itself: it hears the market, answers requests, keeps its limits and its margin.

Synchronous and deterministic: time is a parameter, ids come from a counter. What it refuses, it
refuses in Kraken's words.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from heapq import heappop

from engine.exchange.answers import Answers
from engine.exchange.book import SHARE, Book
from engine.exchange.candles import Bar, Point
from engine.exchange.funding import Lending, Payment
from engine.exchange.orders import NEVER
from engine.model import report as r
from engine.model.account import add_cash
from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE, ZERO
from engine.model.order import TRIGGERED, Order, OrderType, Status
from engine.model.profile import Profile
from engine.model.quote import Candle, Depth, Quote, Tick, Trade
from engine.model.side import Side

SECOND = 1_000_000_000


class Exchange(Answers):
    """One account at one venue."""

    def __init__(
        self,
        profile: Profile,
        instruments: Iterable[Instrument],
        cash: Mapping[str, Decimal],
        currency: str,
    ) -> None:
        super().__init__(profile, instruments, cash, currency)
        self._margin_at = 0

    def fund(self, rate: Decimal, now: int) -> None:
        """From now on perpetuals pay funding: a fraction of the value per hour, from longs to
        shorts.
        """
        self.funding.rate, self.funding.due = rate, self.funding.next_at(now)
        self._next = min(self._next, self.funding.due)

    def lend(self, lending: Lending) -> None:
        """From now on what is held on margin of spot pairs costs this."""
        self.lending = lending

    # What happens in the market

    def on_tick(self, tick: Tick) -> None:
        """The next thing that the market says. Raises KeyError for a symbol that is not traded
        here.
        """
        self.standing.moved.add(tick.symbol)
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

    def _publish(self, quote: Quote) -> None:
        for listener in self.on_quote:
            listener(quote)

    def _trade(self, trade: Trade) -> None:
        """Triggers first, then what the print itself serves, then what rests at the quote around
        it.
        """
        book = self.books[trade.symbol]
        touched, made = [], None
        if not book.quoted:
            book.strict = False
            made = book.derive(trade.at, trade.price, trade.size)
            touched = book.on_quote(made, made=True, fresh=True) or []
        touched += book.on_trade(trade)
        book.print = trade.price
        for name in touched:
            order = self.orders.get(name)
            if order is not None:
                self._trigger(book, order, trade.at)
        book.print = None
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
            size = book.instrument.round_size(
                min(book.share(name, trade) - served[order.side], order.remaining)
            )
            if size > ZERO:
                served[order.side] += size
                if not book.quoted:
                    # the quote around the print shows the same size once more
                    book.take(order.side, size, trade.at)
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
            self.candles.add(candle)
            self.advance(candle.at)

    # Time

    def next_due(self) -> int | None:
        """When `advance` has something to do; None where nothing waits for a time."""
        due, expiry = self.candles.due, self._expiry()
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
        """Play what is due, in order of time: the rest of candles, expiries; and once a second the
        margin.
        """
        while True:
            price, expiry = self.candles.next() if self.candles else None, self._expiry()
            due = None if price is None else price[1].at
            if expiry is not None and expiry <= now and (due is None or expiry <= due):
                self._expire(heappop(self._expiries)[1], now)
            elif price is not None and price[1].at <= now:
                self._play(*price)
            else:
                break
        for hour in self.funding.hours(now):
            self._fund(hour)
        if now >= self.rolls_at:
            self._roll_over(now)
        self._next = min(
            at for at in (due, expiry, self.funding.due, self.rolls_at) if at is not None
        )
        self.candles.latest = max(self.candles.latest, now)
        if now - self._margin_at >= SECOND:
            self._margin_at = now
            self._check_margin(now)

    def _fund(self, at: int) -> None:
        """One hour's funding of all that is held of derivatives; no report tells it, the money
        does.
        """
        for symbol, holding in self.ledger.holdings.items():
            instrument, mark = self.instruments[symbol], self.mid(symbol)
            if holding.size and mark is not None and instrument.kind is not Kind.SPOT:
                amount = instrument.funding(holding.size, mark, self.funding.rate)
                self.ledger.cash = add_cash(self.ledger.cash, instrument.settle, amount)
                self.funding.paid.append(
                    Payment(symbol, instrument.settle, amount, self.funding.rate, mark, at)
                )

    def _roll_over(self, now: int) -> None:
        """Charge what lending has cost up to now."""
        lending, self.rolls_at = self.lending, NEVER
        if lending is None:
            return
        for symbol, holding in self.ledger.holdings.items():
            while holding.size and 0 < holding.rolls_at <= now:
                self._charge(symbol, holding.value, lending.rollover, holding.rolls_at)
                holding.rolls_at += lending.every
            if holding.size and holding.rolls_at:
                self.rolls_at = min(self.rolls_at, holding.rolls_at)

    def _expire(self, name: str, now: int) -> None:
        order = self.orders[name]
        self._end(order, Status.EXPIRED, now, "expired")
        self._tell(r.Expired(name, order.filled, now))

    def _play(self, bar: Bar, point: Point) -> None:
        """The next price of a candle."""
        symbol = bar.candle.symbol
        self.candles.go(bar, point)
        book = self.books[symbol]
        book.strict = True
        self.standing.moved.add(symbol)
        quote = book.derive(point.at, point.price, bar.candle.volume * SHARE)
        touched = book.on_quote(quote, made=True, fresh=point.ends_leg)
        self.candles.playing = bar
        self._match(book, touched or [], point.at)
        self.candles.playing = None
        self._publish(quote)

    def _opened(self, order: Order, side: Side, now: int) -> None:
        """An account that was flat holds something now: that turns the path of a candle."""
        stop = order.type in TRIGGERED and order.type is not OrderType.TAKE_PROFIT
        self.candles.entered(
            order.symbol, side, now, rested_since=order.created_at if stop else None
        )

    # Margin

    @property
    def leveraged(self) -> bool:
        """Whether anything is held on margin, so that it must be watched."""
        if any(holding.size for holding in self.ledger.holdings.values()):
            return True
        return min(self.ledger.cash.values(), default=ZERO) < ZERO

    def _check_margin(self, now: int) -> None:
        """Liquidate when the equity no longer keeps what is leveraged."""
        if not self.leveraged:
            return
        _, needed = self.standing.margin()
        if not needed or self.standing.equity() >= needed:
            return
        for order in list(self.orders.values()):
            if order.client_order_id in self.orders:
                self._cancel_rest(order, now, "Liquidation")
        for book in self.books.values():
            self._liquidate(book, now)

    def _liquidate(self, book: Book, now: int) -> None:
        """Close what is held on margin, coins that were sold short, and coins that were bought on
        credit: like any taker, level by level. What the book does not offer waits for the next look
        at the margin.
        """
        instrument = book.instrument
        book.refill(now)
        closed = [(self.ledger.on_margin(instrument.symbol), instrument.max_leverage)]
        if instrument.kind is Kind.SPOT:
            coins = self.ledger.held(instrument)
            on_credit = self.ledger.cash.get(instrument.quote, ZERO) < ZERO
            closed.append((coins if coins < ZERO or on_credit else ZERO, ONE))
        for held, leverage in closed:
            left, side = abs(held), Side.SELL if held > ZERO else Side.BUY
            for price, size in list(book.offered(side, None)) if left else ():
                part = min(size, left)
                book.take(side, part, now)
                fill = self._settle(
                    instrument, "", side, part, price, now, maker=False, leverage=leverage
                )
                self._tell(r.Liquidated(instrument.symbol, fill, now))
                left -= part
                if not left:
                    break


def _differs(one: Quote, other: Quote) -> bool:
    return (one.bid, one.bid_size, one.ask, one.ask_size) != (
        other.bid,
        other.bid_size,
        other.ask,
        other.ask_size,
    )
