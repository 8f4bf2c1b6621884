"""What the venue does by itself: it fires triggers, matches orders against a market, settles, and
tells of it.
"""

from decimal import Decimal

from msgspec.structs import replace

from engine.exchange.book import Book
from engine.exchange.funding import Payment
from engine.exchange.orders import Orders
from engine.model import report as r
from engine.model.account import add_cash
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import FeeCurrency, Instrument, Kind
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Status, TimeInForce
from engine.model.side import Side

AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
SELF_TRADE = "Self trade prevention"
"""Why an order ended that would have met another one of its own account."""


class Matching(Orders):
    """One account, its books, and everything that happens to its orders."""

    def _affordable(self, order: Order, price: Decimal, size: Decimal) -> Decimal:
        """What an account without credit can pay for, of `size` at `price`."""
        instrument, name = self.instruments[order.symbol], order.client_order_id
        if not instrument.moves_coins(order.leverage):
            return size
        if order.side is Side.SELL:
            return (
                size
                if instrument.can_short
                else min(size, max(self.ledger.free(instrument.base, name), ZERO))
            )
        fee = ZERO
        if instrument.fee_currency is FeeCurrency.QUOTE:
            fee = instrument.fees_at(self.ledger.volume(order.touched_at)).taker
        means = max(self.ledger.free(instrument.quote, name), ZERO) / (price * (1 + fee))
        return min(size, self.reducible(order) + means)

    def _match(self, book: Book, touched: list[str], now: int) -> None:
        """Triggers first, then what waits for a taker's rest, then resting limits: the stop wins
        over the target.
        """
        for name in touched:
            order = self.orders.get(name)
            if order is not None:
                self._trigger(book, order, now)
        for name in [
            n
            for n in self._unfilled
            if n in self.orders and self.orders[n].symbol == book.instrument.symbol
        ]:
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
        if reached is not None and book.print is not None:
            reached = order.side.worse_of(reached, book.print)
        if offset is not None and reached is not None:
            price = max(book.instrument.round_price(reached + offset), book.instrument.tick)
        fired = replace(order, triggered=True, price=price)
        self.put(fired)
        self._tell(r.Triggered(order.client_order_id, now))
        self._take(book, fired, now)

    def _take(self, book: Book, order: Order, now: int) -> None:
        """Take what is offered within the limit; what is left rests, waits for the next quote, or
        is cancelled.
        """
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
        """Walk the levels until `wanted` is taken or nothing is offered; whether the money ran out
        first.
        """
        name = order.client_order_id
        for price, size in book.offered(order.side, order.price):
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
        """End what would trade with itself before a level of the book is reached, or behind the
        last for None; whether the taker is over.
        """
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

    def _fill(
        self, book: Book, order: Order, price: Decimal, size: Decimal, now: int, *, maker: bool
    ) -> None:
        """One execution: the ledger, the order, and the report."""
        if order.reduce_only:
            size = min(size, self.reducible(order))
            if size <= ZERO:
                self._cancel_rest(order, now, "EOrder:Reduce only:No position exists")
                return
        held = self.ledger.held(book.instrument, order.leverage) if book.strict else None
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
        if held is not None and held * order.side.sign < book.instrument.min_size:
            after = self.ledger.held(book.instrument, order.leverage)
            if after * order.side.sign > ZERO:
                self._opened(order, order.side, now)
        self._cancel_reducing(book.instrument.symbol, now)

    def _book(self, instrument: Instrument, fill: Fill, leverage: Decimal | None) -> None:
        """Settle a fill, and what opening on margin costs beside its fee."""
        before = self.ledger.on_margin(fill.symbol)
        self.ledger.book(instrument, fill, self.rate, leverage)
        lending = self.lending
        if lending is None or instrument.kind is not Kind.SPOT or instrument.moves_coins(leverage):
            return
        holding = self.ledger.holdings[fill.symbol]
        turned = before * holding.size <= ZERO
        opened = abs(holding.size) if turned else abs(holding.size) - abs(before)
        if opened > ZERO:
            if turned and lending.every:
                holding.rolls_at = fill.at + lending.every
                self.rolls_at = min(self.rolls_at, holding.rolls_at)
                self._next = min(self._next, self.rolls_at)
            value = instrument.value(opened, fill.price)
            self._charge(fill.symbol, value, lending.opening, fill.at)

    def _charge(self, symbol: str, value: Decimal, rate: Decimal, at: int) -> None:
        """Take what lending costs: no report tells it, the money does."""
        instrument, amount = self.instruments[symbol], -value * rate
        self.ledger.cash = add_cash(self.ledger.cash, instrument.settle, amount)
        holding = self.ledger.holdings[symbol]
        entry = instrument.average_price(abs(holding.size), holding.value)
        self.funding.paid.append(Payment(symbol, instrument.settle, amount, rate, entry, at))

    def _opened(self, order: Order, side: Side, now: int) -> None:
        """Hear that an account which was flat in a candle's symbol holds something now."""

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
        fee, currency = self.ledger.fee(
            instrument, side, size, price, now, maker=maker, leverage=leverage
        )
        liquidity = Liquidity.MAKER if maker else Liquidity.TAKER
        fill = Fill(
            self._id("T"), name, instrument.symbol, side, price, size, fee, currency, liquidity, now
        )
        self._book(instrument, fill, leverage)
        self.standing.moved.add(instrument.symbol)
        self.fills.append(fill)
        self.new_fills.append(fill)
        return fill

    def _cancel_reducing(self, symbol: str, now: int) -> None:
        """Reduce-only orders have nothing left to do once nothing is held on the other side."""
        over: dict[str, int] = {}
        for waiting in self._reducing.get(symbol, {}).values():
            if waiting and self.reducible(self.orders[next(iter(waiting))]) <= ZERO:
                over.update(waiting)
        for name in sorted(over, key=over.__getitem__):
            self._cancel_rest(self.orders[name], now, "EOrder:Reduce only:No position exists")


def _meets(taker: Order, other: Order, price: Decimal | None) -> bool:
    """Whether another order of the account rests where a taker arrives before it reaches the level
    at `price`; for None, within its bound.
    """
    if other.symbol != taker.symbol or other.side is taker.side or other.price is None:
        return False
    if not (other.triggered or other.type is OrderType.LIMIT):
        return False
    if price is not None:
        return (price - other.price) * taker.side.sign > ZERO
    return taker.price is None or (taker.price - other.price) * taker.side.sign >= ZERO
