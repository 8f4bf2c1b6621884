"""Money at the venue: balances, what is held on margin, fees by tier, what is held back for orders
and what is free.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec import Struct

from engine.model.account import add_cash, worth
from engine.model.fill import Fill
from engine.model.instrument import FeeCurrency, Instrument, Kind
from engine.model.money import ONE, ZERO
from engine.model.order import Order
from engine.model.side import Side

Price = Callable[[str], Decimal | None]
"""From a symbol to its mid price; None where there is none."""
Rate = Callable[[str, str], Decimal | None]
DAY = 86_400_000_000_000
VOLUME_DAYS = 30


class Loan(Struct, frozen=True):
    """What was opened on margin by one execution, as far as it still stands: size without a sign,
    and what it was entered for (settle currency).
    """

    size: Decimal
    value: Decimal


class Holding(Struct):
    """A net position in a derivative, or in a spot pair on margin: signed size, and what it was
    entered for (settle currency, always positive).
    """

    size: Decimal = ZERO
    value: Decimal = ZERO
    leverage: Decimal | None = None
    """What its last opening order asked for; the instrument's highest where None."""
    rolls_at: int = 0
    """When the next rollover of what is lent is charged, nanoseconds; zero: never."""
    loans: tuple[Loan, ...] = ()
    """Of a spot pair: what it consists of, the oldest first."""

    def open(
        self,
        instrument: Instrument,
        side: Side,
        size: Decimal,
        leverage: Decimal | None,
        price: Decimal,
    ) -> None:
        """Hold more of a side, at a price."""
        value = instrument.value(size, price)
        self.size, self.value = self.size + size * side.sign, self.value + value
        self.leverage = leverage
        if instrument.kind is Kind.SPOT:
            self.loans = (*self.loans, Loan(size, value))

    def close(self, instrument: Instrument, size: Decimal) -> Decimal:
        """Hold less, by no more than is held; returns what that was entered for: at the average, of
        a spot pair the first loan first.
        """
        lends, held = instrument.kind is Kind.SPOT, abs(self.size)
        entered = self._pay_back(size) if lends else self.value * size / held
        if size == held:
            entered = self.value
        self.size -= size.copy_sign(self.size)
        self.value -= entered
        return entered

    def _pay_back(self, size: Decimal) -> Decimal:
        entered, loans = ZERO, list(self.loans)
        while loans and size:
            first = loans.pop(0)
            part = min(first.size, size)
            value = first.value if part == first.size else first.value * part / first.size
            entered, size = entered + value, size - part
            if part < first.size:
                loans.insert(0, Loan(first.size - part, first.value - value))
        self.loans = tuple(loans)
        return entered


class Ledger:
    """One account."""

    def __init__(self, cash: Mapping[str, Decimal], currency: str) -> None:
        self.cash: dict[str, Decimal] = {name: amount for name, amount in cash.items() if amount}
        self.currency = currency
        self.holdings: dict[str, Holding] = {}
        self.volumes: dict[int, Decimal] = {}
        """Traded per day since 1970, in the reporting currency; the last 30 days."""
        self._holds: dict[str, tuple[str, Decimal]] = {}
        self._held_back: dict[str, Decimal] = {}

    # What orders keep from each other

    def hold(self, name: str, currency: str, amount: Decimal) -> None:
        """Keep `amount` for an order, instead of what was kept for it before."""
        self.release(name)
        if amount:
            self._holds[name] = (currency, amount)
            self._held_back[currency] = self._held_back.get(currency, ZERO) + amount

    def release(self, name: str) -> None:
        """Keep nothing for an order any more."""
        currency, amount = self._holds.pop(name, ("", ZERO))
        if amount:
            self._held_back[currency] -= amount

    def free(self, currency: str, name: str = "") -> Decimal:
        """What no other order than `name` keeps."""
        free = self.cash.get(currency, ZERO) - self._held_back.get(currency, ZERO)
        kept, amount = self._holds.get(name, ("", ZERO))
        return free + amount if kept == currency else free

    # Fills

    def volume(self, now: int) -> Decimal:
        """Traded in the 30 days before `now`, in the reporting currency: it picks the fee tier."""
        oldest = now // DAY - VOLUME_DAYS
        return sum((amount for day, amount in self.volumes.items() if day > oldest), ZERO)

    def fee(
        self,
        instrument: Instrument,
        side: Side,
        size: Decimal,
        price: Decimal,
        now: int,
        *,
        maker: bool,
        leverage: Decimal | None = None,
    ) -> tuple[Decimal, str]:
        """What a fill costs, and in which currency."""
        tier = instrument.fees_at(self.volume(now))
        rate = tier.maker if maker else tier.taker
        if (
            instrument.moves_coins(leverage)
            and instrument.fee_currency is FeeCurrency.RECEIVED
            and side is Side.BUY
        ):
            return size * rate, instrument.base
        return instrument.value(size, price) * rate, instrument.settle

    def book(
        self, instrument: Instrument, fill: Fill, rate: Rate, leverage: Decimal | None = None
    ) -> None:
        """Settle a fill."""
        self.cash = add_cash(self.cash, fill.fee_currency, -fill.fee)
        self._count(
            instrument.notional(fill.size, fill.price)
            * (rate(instrument.quote, self.currency) or ZERO),
            fill.at // DAY,
        )
        sign = fill.side.sign
        if instrument.moves_coins(leverage):
            self.cash = add_cash(self.cash, instrument.base, fill.size * sign)
            self.cash = add_cash(self.cash, instrument.quote, -fill.size * fill.price * sign)
            return
        holding = self.holdings.setdefault(instrument.symbol, Holding())
        if instrument.kind is Kind.SPOT and holding.size and not holding.loans:
            # of an account whose file has only the sum
            holding.loans = (Loan(abs(holding.size), holding.value),)
        side = Side.BUY if holding.size > ZERO else Side.SELL
        if holding.size == ZERO or side is fill.side:
            holding.open(instrument, fill.side, fill.size, leverage, fill.price)
            return
        closed = min(abs(holding.size), fill.size)
        entered = holding.close(instrument, closed)
        left = instrument.value(closed, fill.price)
        self.cash = add_cash(
            self.cash, instrument.settle, instrument.profit(side, closed, entered, left)
        )
        if closed < fill.size:  # through zero: the rest opens the other side
            holding.open(instrument, fill.side, fill.size - closed, leverage, fill.price)

    def _count(self, amount: Decimal, day: int) -> None:
        self.volumes[day] = self.volumes.get(day, ZERO) + amount
        for old in [old for old in self.volumes if old <= day - VOLUME_DAYS]:
            del self.volumes[old]

    # What it is worth

    def held(self, instrument: Instrument, leverage: Decimal | None = None) -> Decimal:
        """Signed holding of a symbol, as what is traded at this leverage is held: as coins, or on
        margin.
        """
        if instrument.moves_coins(leverage):
            return self.cash.get(instrument.base, ZERO)
        return self.on_margin(instrument.symbol)

    def exposure(self, instrument: Instrument) -> Decimal:
        """Signed: coins, and what is held on margin."""
        on_margin = self.on_margin(instrument.symbol)
        return self.held(instrument) + on_margin if instrument.kind is Kind.SPOT else on_margin

    def on_margin(self, symbol: str) -> Decimal:
        """Signed holding of a derivative, or of a spot pair that was traded at a leverage."""
        holding = self.holdings.get(symbol)
        return ZERO if holding is None else holding.size

    def equity(self, instruments: Mapping[str, Instrument], price: Price) -> Decimal:
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

    def margin(
        self, instruments: Mapping[str, Instrument], price: Price
    ) -> tuple[Decimal, Decimal]:
        """What leveraged holdings need to be opened, and to be kept (reporting currency)."""
        rate = rates(instruments, price)
        initial, maintenance = lent_in_cash(self.cash, self.currency, instruments, rate)
        for symbol, holding in self.holdings.items():
            instrument, mark = instruments[symbol], price(symbol)
            if not holding.size or mark is None:
                continue
            notional = instrument.notional(abs(holding.size), mark) * (
                rate(instrument.quote, self.currency) or ZERO
            )
            initial += notional / (holding.leverage or instrument.max_leverage)
            maintenance += notional * instrument.maintenance_margin
        return initial, maintenance


def lent_in_cash(
    cash: Mapping[str, Decimal], into: str, instruments: Mapping[str, Instrument], rate: Rate
) -> tuple[Decimal, Decimal]:
    """What money and coins that were borrowed need to be opened, and to be kept."""
    initial, maintenance = ZERO, ZERO
    for currency, amount in cash.items():
        if amount < ZERO:
            lender = _lender(instruments, currency)
            borrowed = -amount * (rate(currency, into) or ZERO)
            initial += borrowed / (ONE if lender is None else lender.max_leverage)
            maintenance += borrowed * (ZERO if lender is None else lender.maintenance_margin)
    return initial, maintenance


def _lender(instruments: Mapping[str, Instrument], currency: str) -> Instrument | None:
    """The spot instrument on whose margin a currency was borrowed."""
    spot = [i for i in instruments.values() if i.kind is Kind.SPOT and i.max_leverage > ONE]
    return next(
        (i for i in spot if currency == i.base),
        next((i for i in spot if currency == i.quote), None),
    )


def rates(instruments: Mapping[str, Instrument], price: Price) -> Rate:
    """Conversion by the venue's own spot books: direct, or the inverse."""

    def rate(base: str, quote: str) -> Decimal | None:
        if base == quote:
            return ONE
        direct = price(f"{base}/{quote}")
        if direct is not None:
            return direct
        inverse = price(f"{quote}/{base}")
        if inverse is not None:
            return 1 / inverse
        for (
            symbol,
            instrument,
        ) in (
            instruments.items()
        ):  # another spelling, or a derivative's mark, serves where no spot book does
            if (instrument.base, instrument.quote) == (base, quote):
                return price(symbol)
        return None

    return rate


def reserved(order: Order, instrument: Instrument, opening: Decimal) -> tuple[str, Decimal]:
    """What a resting spot order keeps from others.

    Base for a sell; for a buy quote, with the fee, for the part that covers no short.
    """
    if order.side is Side.SELL:
        return instrument.base, order.remaining
    price = order.price or order.trigger or ZERO
    fee = instrument.fee_tiers[0].taker if instrument.fee_currency is FeeCurrency.QUOTE else ZERO
    return instrument.quote, opening * price * (1 + fee)
