"""Money at the venue: balances, derivative holdings, fees by tier, what is reserved and what is free."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec import Struct

from engine.model.account import add_cash, worth
from engine.model.fill import Fill
from engine.model.instrument import FeeCurrency, FeeTier, Instrument, Kind
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.side import Side


class Holding(Struct):
    """A net derivative position: signed size, and what it was entered for (settle currency, always positive)."""

    size: Decimal = ZERO
    value: Decimal = ZERO


class Ledger:
    """One account."""

    def __init__(self, cash: Mapping[str, Decimal], currency: str) -> None:
        self.cash: dict[str, Decimal] = {name: amount for name, amount in cash.items() if amount}
        self.currency = currency
        self.holdings: dict[str, Holding] = {}
        self.volume = ZERO
        """Traded so far, in quote currency: it picks the fee tier."""

    def fee(self, instrument: Instrument, side: Side, size: Decimal, price: Decimal, *, maker: bool) -> tuple[Decimal, str]:
        """What a fill costs, and in which currency."""
        tier: FeeTier = instrument.fees_at(self.volume)
        rate = tier.maker if maker else tier.taker
        if instrument.kind is Kind.SPOT and instrument.fee_currency is FeeCurrency.RECEIVED and side is Side.BUY:
            return size * rate, instrument.base
        return instrument.value(size, price) * rate, instrument.settle

    def book(self, instrument: Instrument, fill: Fill) -> None:
        """Settle a fill."""
        self.cash = add_cash(self.cash, fill.fee_currency, -fill.fee)
        self.volume += instrument.notional(fill.size, fill.price)
        sign = fill.side.sign
        if instrument.kind is Kind.SPOT:
            self.cash = add_cash(self.cash, instrument.base, fill.size * sign)
            self.cash = add_cash(self.cash, instrument.quote, -fill.size * fill.price * sign)
            return
        holding = self.holdings.setdefault(instrument.symbol, Holding())
        value = instrument.value(fill.size, fill.price)
        side = Side.BUY if holding.size > ZERO else Side.SELL
        if holding.size == ZERO or side is fill.side:
            holding.size, holding.value = holding.size + fill.size * sign, holding.value + value
            return
        closed = min(abs(holding.size), fill.size)
        entered = holding.value * closed / abs(holding.size)
        left = value * closed / fill.size
        self.cash = add_cash(self.cash, instrument.settle, instrument.profit(side, closed, entered, left))
        holding.size += fill.size * sign
        holding.value = holding.value - entered if closed < fill.size or holding.size else ZERO
        if closed < fill.size:  # through zero: the rest opens the other side
            holding.value = value - left

    def held(self, instrument: Instrument) -> Decimal:
        """Signed holding of a symbol."""
        if instrument.kind is Kind.SPOT:
            return self.cash.get(instrument.base, ZERO)
        holding = self.holdings.get(instrument.symbol)
        return ZERO if holding is None else holding.size

    def equity(self, instruments: Mapping[str, Instrument], price: Callable[[str], Decimal | None]) -> Decimal:
        """Everything, in the reporting currency, as far as it has a price."""
        rate = rates(instruments, price)
        total, _ = worth(self.cash, self.currency, rate)
        for symbol, holding in self.holdings.items():
            mark = price(symbol)
            if not holding.size or mark is None:
                continue
            instrument = instruments[symbol]
            side = Side.BUY if holding.size > ZERO else Side.SELL
            size = abs(holding.size)
            profit = instrument.profit(side, size, holding.value, instrument.value(size, mark))
            total += profit * (rate(instrument.settle, self.currency) or ZERO)
        return total

    def margin(self, instruments: Mapping[str, Instrument], price: Callable[[str], Decimal | None]) -> tuple[Decimal, Decimal]:
        """What leveraged holdings need to be opened, and to be kept (reporting currency)."""
        rate = rates(instruments, price)
        initial, maintenance = ZERO, ZERO
        borrowed: set[str] = set()
        for symbol, instrument in instruments.items():
            held, mark = self.held(instrument), price(symbol)
            if not held or mark is None:
                continue
            if instrument.kind is Kind.SPOT:
                if held > ZERO or instrument.base in borrowed:
                    continue
                borrowed.add(instrument.base)
            notional = instrument.notional(abs(held), mark) * (rate(instrument.quote, self.currency) or ZERO)
            initial += notional / instrument.max_leverage
            maintenance += notional * instrument.maintenance_margin
        return initial, maintenance


def rates(instruments: Mapping[str, Instrument], price: Callable[[str], Decimal | None]) -> Callable[[str, str], Decimal | None]:
    """Conversion by the venue's own spot books: direct, or the inverse."""

    def rate(base: str, quote: str) -> Decimal | None:
        if base == quote:
            return Decimal(1)
        direct = price(f"{base}/{quote}")
        if direct is not None:
            return direct
        inverse = price(f"{quote}/{base}")
        if inverse is not None:
            return 1 / inverse
        for symbol, instrument in instruments.items():  # a derivative's mark serves where no spot book does
            if instrument.kind is not Kind.SPOT and (instrument.base, instrument.quote) == (base, quote):
                return price(symbol)
        return None

    return rate


def reserved(order: Order, instrument: Instrument) -> tuple[str, Decimal]:
    """What a resting spot order keeps from others: base for a sell, quote with the fee for a buy."""
    if order.side is Side.SELL:
        return instrument.base, order.remaining
    price = order.price or order.trigger or ZERO
    return instrument.quote, order.remaining * price * (1 + instrument.fee_tiers[0].taker)
