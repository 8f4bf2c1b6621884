"""What is traded: grids, minimums, fees, contract and margin of one symbol at one venue."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from engine.model.money import DOWN, NEAREST, ONE, UP, ZERO, on_grid
from engine.model.side import Side


class Kind(StrEnum):
    """How a contract pays."""

    SPOT = "spot"
    """The base currency itself changes hands."""
    LINEAR = "linear"
    """A perpetual or future whose profit is paid in the quote currency."""
    INVERSE = "inverse"
    """A perpetual or future of fixed quote value whose profit is paid in the base currency."""


class FeeCurrency(StrEnum):
    """The currency in which a venue takes its fee."""

    QUOTE = "quote"
    RECEIVED = "received"
    """The currency that the fill brings in: the base for a buy, the quote for a sell (spot only).
    """


class FeeTier(Struct, frozen=True, gc=False):
    """Fee rates from a traded volume on."""

    volume: Decimal
    """30-day volume in the reporting currency from which this tier holds."""
    maker: Decimal
    """Fraction of the notional for a fill that rested in the book: 0.0025 is 0.25 %."""
    taker: Decimal
    """Fraction of the notional for a fill that took from the book."""


LEAST_LOAN = Decimal(2)
"""Leverage by which what is on margin can be closed anywhere, also where it was opened by somebody
who may borrow more than we.
"""


class Instrument(Struct, frozen=True, gc=False):
    """One tradable symbol. Prices are in quote per base; sizes in base (spot) or contracts
    (derivatives).
    """

    symbol: str
    base: str
    quote: str
    kind: Kind
    tick: Decimal
    """Smallest step of a price."""
    lot: Decimal
    """Smallest step of a size."""
    min_size: Decimal
    min_cost: Decimal
    """Smallest notional of an order, in the quote currency."""
    fee_tiers: tuple[FeeTier, ...]
    """Ascending by volume; the first one starts at zero."""
    fee_currency: FeeCurrency = FeeCurrency.QUOTE
    contract_size: Decimal = ONE
    """Base per contract (linear) or quote per contract (inverse); one for spot."""
    max_leverage: Decimal = ONE
    """One means: no borrowing; a spot instrument above one can be sold short on margin."""
    maintenance_margin: Decimal = ZERO
    """Fraction of the notional below which the venue liquidates."""

    def __post_init__(self) -> None:
        for name in ("tick", "lot", "contract_size"):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or value <= ZERO:
                raise ValueError(
                    f"instrument {self.symbol}: {name} is {value}; it must be above zero"
                )
        if not self.fee_tiers:
            raise ValueError(f"instrument {self.symbol}: no fee tier; at least one is needed")

    @property
    def settle(self) -> str:
        """The currency in which profit is paid."""
        return self.base if self.kind is Kind.INVERSE else self.quote

    @property
    def can_short(self) -> bool:
        """Whether more may be sold than is held."""
        return self.kind is not Kind.SPOT or self.max_leverage > ONE

    @property
    def closing_leverage(self) -> Decimal:
        """What an order names that closes what is on margin of a spot pair, whoever opened it."""
        return max(self.max_leverage, LEAST_LOAN)

    def moves_coins(self, leverage: Decimal | None) -> bool:
        """Whether what is traded at this leverage is paid for and delivered: spot, and nothing
        borrowed.

        What isn't is held by the venue as a contract: netted by symbol, its profit paid in the
        settle currency, no balance touched before.
        """
        return self.kind is Kind.SPOT and (leverage is None or leverage <= ONE)

    def fees_at(self, volume: Decimal) -> FeeTier:
        """The tier that holds at a 30-day `volume`."""
        return next(
            (tier for tier in reversed(self.fee_tiers) if volume >= tier.volume), self.fee_tiers[0]
        )

    def round_size(self, size: Decimal) -> Decimal:
        """`size` down to the lot: rounding never increases risk."""
        return on_grid(size, self.lot, DOWN)

    def round_price(self, price: Decimal) -> Decimal:
        """`price` to the nearest tick."""
        return on_grid(price, self.tick, NEAREST)

    def round_stop(self, price: Decimal, exits_by: Side) -> Decimal:
        """A stop's trigger on the tick, never further from the entry: up for a stop that sells,
        down for one that buys.
        """
        return on_grid(price, self.tick, UP if exits_by is Side.SELL else DOWN)

    def round_bound(self, price: Decimal, side: Side) -> Decimal:
        """A worst acceptable price on the tick, never worse than asked: down for a buy, up for a
        sell.
        """
        return on_grid(price, self.tick, DOWN if side is Side.BUY else UP)

    def notional(self, size: Decimal, price: Decimal) -> Decimal:
        """What `size` at `price` is worth in the quote currency."""
        if self.kind is Kind.INVERSE:
            return size * self.contract_size
        return size * self.contract_size * price

    def value(self, size: Decimal, price: Decimal) -> Decimal:
        """What `size` at `price` is worth in the settle currency."""
        if self.kind is Kind.INVERSE:
            return size * self.contract_size / price
        return size * self.contract_size * price

    def size_for(self, notional: Decimal, price: Decimal) -> Decimal:
        """The size, not yet rounded, whose notional at `price` is `notional` (quote currency)."""
        if self.kind is Kind.INVERSE:
            return notional / self.contract_size
        return notional / (price * self.contract_size)

    def size_price(self, size: Decimal) -> Decimal:
        """The lowest price at which `size` reaches the smallest notional (quote per base; not
        rounded).
        """
        return self.min_cost / (size * self.contract_size)

    def average_price(self, size: Decimal, value: Decimal) -> Decimal:
        """The price at which `size` is worth `value` (settle currency): the inverse of `value`."""
        if size == ZERO or value == ZERO:
            return ZERO
        if self.kind is Kind.INVERSE:
            return size * self.contract_size / value
        return value / (size * self.contract_size)

    def funding(self, held: Decimal, price: Decimal, rate: Decimal) -> Decimal:
        """What one payment at `rate` brings whoever holds a signed size, below zero for what it
        costs (settle currency).
        """
        sign = (held > ZERO) - (held < ZERO)
        return -sign * self.value(abs(held), price) * rate

    def profit(
        self, side: Side, size: Decimal, entry_value: Decimal, exit_value: Decimal
    ) -> Decimal:
        """Gross profit in the settle currency of `size` bought and sold for those values, entered
        on `side`.
        """
        if size == ZERO:
            return ZERO
        gain = exit_value - entry_value
        rises_with_price = (side is Side.BUY) is not (self.kind is Kind.INVERSE)
        return gain if rises_with_price else -gain
