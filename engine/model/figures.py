"""The definition of every figure that is shown or that a limit is judged by. Pure arithmetic over
fills, rates and prices.

Amounts of one position are in the settle currency of its instrument; prices are quote per base. Who
shows a figure takes it from here, through the view: nothing else computes one.

    net(p)       gross of what was closed + gross of the rest at p - fees paid
                 - taker rate x value of the rest at p + funding so far
    1R           -net(first stop) of the whole entry: its own fees, and the exit at the taker rate
                 that held when it was decided
    at stop      net(working stop); unbounded without one, or for what it does not cover
    R            net(mark) / 1R
    MAE, MFE     lowest and highest net(mark) / 1R
    break-even   where the rest alone ends at zero: its entry fees, its exit fee, its funding
"""

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from engine.model.fill import Fill
from engine.model.instrument import FeeCurrency, Instrument
from engine.model.money import ZERO
from engine.model.position import Position
from engine.model.report import FeesTold
from engine.model.side import Side

NEAR = Decimal("0.01")
"""Of a tier's rate: a paid rate within this is that tier's. Venues round fees to their own grid,
and small fills show it.
"""
RATE_GRID = Decimal("0.000001")
"""Of a paid rate that is no tier's."""
VENUE = "venue"
"""The source of a rate that the venue told for this account."""
ASSUMED = "assumed"
"""The source of a rate that is only the profile's first tier."""


class PositionMoney(Struct, frozen=True, gc=False):
    """What a position's figures need beside its fills."""

    entry_fees: Decimal = ZERO
    """Of the fees paid, those of the entries, valued when paid."""
    exit_rate: Decimal = ZERO
    """The taker rate when the entry was decided: 1R is fixed for life, whatever the rate becomes.
    """
    funding: Decimal = ZERO
    """What funding and loans paid so far, below zero for what they cost."""
    rest_funding: Decimal = ZERO
    """Of it, the share of what is still held."""
    lowest: Decimal | None = None
    """Lowest net seen; None before the first price."""
    highest: Decimal | None = None


class Paid(Struct, frozen=True, gc=False):
    """The rates of our own last fills in a symbol; None before the first of a kind."""

    maker: Decimal | None = None
    taker: Decimal | None = None


class FeeRates(Struct, frozen=True, gc=False):
    """What fees cost, as fractions of the value, and where that is known from."""

    maker: Decimal
    taker: Decimal
    maker_source: str
    source: str
    """Of the taker rate: venue, last fill, 30-day volume, or assumed."""


class Traded(Struct, frozen=True, gc=False):
    """Sums over positions of one symbol, in its settle currency."""

    realised: Decimal = ZERO
    """Gross profit of what was closed."""
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    trades: int = 0
    r: Decimal = ZERO
    """Sum of their R; those without a first stop have none."""

    def plus(self, other: "Traded", sign: int = 1) -> "Traded":
        """Both together; with a sign of -1, less the other."""
        return Traded(
            self.realised + sign * other.realised,
            self.fees + sign * other.fees,
            self.funding + sign * other.funding,
            self.trades + sign * other.trades,
            self.r + sign * other.r,
        )


class Sums(Struct, frozen=True, gc=False):
    """What one symbol or the whole account came to, in the account's currency."""

    realised: Decimal = ZERO
    """Gross profit of closed size."""
    unrealised: Decimal = ZERO
    """Gross profit of held size at the mark."""
    fees: Decimal = ZERO
    """Paid, as a positive amount, each valued when it was paid."""
    funding: Decimal = ZERO
    """What funding and loans paid, below zero for what they cost."""
    exit_fees: Decimal = ZERO
    """What closing all that is held would cost now, as a positive amount."""

    @property
    def result(self) -> Decimal:
        """Realised, unrealised and funding, less the fees paid."""
        return self.realised + self.unrealised - self.fees + self.funding

    def plus(self, other: "Sums", sign: int = 1) -> "Sums":
        """Both together; with a sign of -1, less the other."""
        return Sums(
            self.realised + sign * other.realised,
            self.unrealised + sign * other.unrealised,
            self.fees + sign * other.fees,
            self.funding + sign * other.funding,
            self.exit_fees + sign * other.exit_fees,
        )


class Period(Struct, frozen=True, gc=False):
    """What a day, a session or everything is measured from, in the account's currency."""

    began_at: int
    equity: Decimal
    """At its start; moves with deposits and withdrawals."""
    peak: Decimal
    """Highest equity since."""
    fall: Decimal = ZERO
    """Deepest fall from a peak so far, as an amount."""
    symbols: dict[str, Sums] = {}
    """By symbol, what each had come to at its start, without exit fees."""
    trades: dict[str, tuple[int, Decimal]] = {}
    """By symbol, closed positions before it and the sum of their R."""
    funding: Decimal = ZERO
    """Of everything, also of what no symbol is known for."""

    def sampled(self, equity: Decimal) -> "Period":
        """The same after one more look at the equity."""
        peak = max(self.peak, equity)
        return Period(
            self.began_at,
            self.equity,
            peak,
            max(self.fall, peak - equity),
            self.symbols,
            self.trades,
            self.funding,
        )

    def rebased(self, amount: Decimal) -> "Period":
        """The same after money came or went that no trade made."""
        return Period(
            self.began_at,
            self.equity + amount,
            self.peak + amount,
            self.fall,
            self.symbols,
            self.trades,
            self.funding,
        )


# One position


def net(
    position: Position, money: PositionMoney, instrument: Instrument, price: Decimal, taker: Decimal
) -> Decimal:
    """What the whole trade ends with if the rest closes at `price` now, both fees and the funding
    included (settle currency).
    """
    rest = position.unrealised_profit(instrument, price) - exit_fee(
        position, instrument, price, taker
    )
    return position.gross_profit(instrument) - position.fee_value + rest + money.funding


def ended(position: Position, money: PositionMoney, instrument: Instrument) -> Decimal:
    """What a closed position came to: gross, less its fees, with its funding."""
    return position.gross_profit(instrument) - position.fee_value + money.funding


def exit_fee(position: Position, instrument: Instrument, price: Decimal, taker: Decimal) -> Decimal:
    """What closing the rest at `price` costs in fees."""
    held = abs(position.size)
    return instrument.value(held, price) * taker if held else ZERO


def one_r(position: Position, money: PositionMoney, instrument: Instrument) -> Decimal | None:
    """One R: what the whole entry would have lost at its first stop, both fees included; None
    without a stop, or with one that gains.
    """
    stop = position.initial_stop
    if stop is None or position.entry_size == ZERO:
        return None
    loss = -_whole(position, money, instrument, stop)
    return loss if loss > ZERO else None


def _whole(
    position: Position, money: PositionMoney, instrument: Instrument, price: Decimal
) -> Decimal:
    left = instrument.value(position.entry_size, price)
    gross = instrument.profit(position.side, position.entry_size, position.entry_value, left)
    return gross - money.entry_fees - left * money.exit_rate


def multiple(amount: Decimal | None, of: Decimal | None) -> Decimal | None:
    """An amount in R; None where either is not known."""
    return None if amount is None or not of else amount / of


def uncovered(
    position: Position, working: Decimal, stop: Decimal | None, *, watched: bool
) -> Decimal:
    """How much of a position no stop covers: all of it without a stop, nothing where this process
    watches the price.
    """
    if position.size <= ZERO:
        return ZERO
    if stop is None:
        return position.size
    return ZERO if watched else max(position.size - working, ZERO)


def break_even(
    position: Position, money: PositionMoney, instrument: Instrument, taker: Decimal
) -> Decimal | None:
    """The price at which the rest alone ends at zero, on the tick, in our favour; None where no
    price does.
    """
    size = position.size
    if size <= ZERO or position.entry_size == ZERO:
        return None
    share = size / position.entry_size
    cost, paid = position.entry_value * share, money.entry_fees * share - money.rest_funding
    rises = position.side.sign if instrument.settle == instrument.quote else -position.side.sign
    # rises * (value - cost) - taker * value - paid = 0
    value = (cost * rises + paid) / (rises - taker)
    if value <= ZERO:
        return None
    return instrument.round_stop(instrument.average_price(size, value), position.exits_by)


def price_for(
    position: Position,
    money: PositionMoney,
    instrument: Instrument,
    taker: Decimal,
    amount: Decimal,
) -> Decimal | None:
    """The price at which the whole trade ends with `amount` (settle currency), not rounded; None
    where no price does.
    """
    if position.size <= ZERO:
        return None
    earned = position.gross_profit(instrument) - position.fee_value + money.funding
    rises = position.side.sign if instrument.settle == instrument.quote else -position.side.sign
    # earned + rises * (value - cost) - taker * value = amount
    value = (amount - earned + rises * position.cost) / (rises - taker)
    return instrument.average_price(position.size, value) if value > ZERO else None


def excursions(
    position: Position, money: PositionMoney, instrument: Instrument
) -> tuple[Decimal | None, Decimal | None]:
    """MAE and MFE in R: the lowest and the highest net over 1R."""
    unit = one_r(position, money, instrument)
    return multiple(money.lowest, unit), multiple(money.highest, unit)


def seen(money: PositionMoney, *nets: Decimal) -> tuple[Decimal, Decimal]:
    """Lowest and highest net once these were seen, too."""
    known = [*nets, *(amount for amount in (money.lowest, money.highest) if amount is not None)]
    return min(known), max(known)


class ExpectedEntry(Struct, frozen=True, gc=False):
    """An entry that has not filled yet, as it is expected to fill."""

    instrument: Instrument
    side: Side
    price: Decimal
    maker: bool
    """Whether it rests until somebody takes it."""
    leverage: Decimal | None
    rates: FeeRates

    def filled(self, size: Decimal) -> tuple[Position, PositionMoney]:
        """The position that it becomes if all of it fills so."""
        instrument, rate = self.instrument, self.rates.maker if self.maker else self.rates.taker
        received = (
            instrument.fee_currency is FeeCurrency.RECEIVED
            and self.side is Side.BUY
            and instrument.moves_coins(self.leverage)
        )
        fee = instrument.value(size, self.price) * rate
        held = size - size * rate if received else size
        position = Position(
            id="",
            symbol=instrument.symbol,
            side=self.side,
            created_at=0,
            settle=instrument.settle,
            entry_size=held,
            entry_value=instrument.value(held, self.price),
            fee_value=fee,
            leverage=self.leverage,
        )
        return position, PositionMoney(entry_fees=fee, exit_rate=self.rates.taker)

    def net(self, size: Decimal, price: Decimal, *, maker: bool = False) -> Decimal:
        """What the trade ends with if all of it fills so and leaves at `price` (settle
        currency).
        """
        position, money = self.filled(size)
        return net(
            position, money, self.instrument, price, self.rates.maker if maker else self.rates.taker
        )

    def risk(self, size: Decimal, stop: Decimal) -> Decimal:
        """Risk on the card: what it loses at its stop; below zero for a gain."""
        return -self.net(size, stop)

    def size_of(self, risk: Decimal, stop: Decimal) -> Decimal:
        """The largest lot multiple that loses no more than `risk` at `stop` (settle currency); zero
        where a lot gains there.
        """
        lot = self.instrument.lot
        unit = self.risk(lot, stop)
        if unit <= ZERO:
            return ZERO
        size = self.instrument.round_size(risk / unit * lot)
        return max(size - lot, ZERO) if size and self.risk(size, stop) > risk else size


# Fees


def paid_rate(instrument: Instrument, fill: Fill, fee_value: Decimal) -> Decimal | None:
    """The rate that a fill paid: that of the tier which it is nearly, else its own; None where the
    fee was not told, or had no value.

    A fee of zero where every tier has one was not told: a rate that is too low would make each risk
    look smaller than it is.
    """
    value = instrument.value(fill.size, fill.price)
    rate = fee_value / value if value > ZERO else ZERO
    kinds = [
        tier.maker if fill.liquidity.value == "maker" else tier.taker
        for tier in instrument.fee_tiers
    ]
    if not rate and ZERO not in kinds:
        return None
    nearest = min(kinds, key=lambda known: abs(known - rate))
    return nearest if abs(nearest - rate) <= abs(nearest) * NEAR else rate.quantize(RATE_GRID)


def fee_rates(
    instrument: Instrument, paid: Paid, volume: Decimal | None, told: FeesTold | None = None
) -> FeeRates:
    """The rates that fees are computed with: what the venue says that this account pays.

    Else those of our own last fills, else those of the tier of the account's volume, else those of
    the first tier, assumed.
    """
    if told is not None:
        return FeeRates(told.maker, told.taker, VENUE, VENUE)
    tier = instrument.fees_at(volume or ZERO)
    source = ASSUMED if volume is None else "30-day volume"
    maker, taker = (tier.maker, source), (tier.taker, source)
    if paid.maker is not None:
        maker = (paid.maker, "last fill")
    if paid.taker is not None:
        taker = (paid.taker, "last fill")
    return FeeRates(maker[0], taker[0], maker[1], taker[1])


# Periods


def since(now: Mapping[str, Sums], began: Mapping[str, Sums]) -> dict[str, Sums]:
    """By symbol, what came since a period's start; exit fees are those of now."""
    return {name: sums.plus(began.get(name, Sums()), -1) for name, sums in now.items()}
