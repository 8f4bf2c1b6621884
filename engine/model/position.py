"""A position: what one bracket has bought and sold, what protects it, and its profit from its fills alone."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct

from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.order import Trail
from engine.model.side import Side


class Protection(StrEnum):
    """What stands between a position and an unbounded loss."""

    VENUE = "venue"
    """A working stop rests at the exchange for the full size."""
    GUARDED = "guarded"
    """This process watches the price and will close."""
    PARTIAL = "partial"
    """A stop works for less than the size, and nothing watches the rest."""
    NAKED = "naked"
    """Neither."""


class Goal(Struct, frozen=True):
    """A target at which a part of a position leaves."""

    price: Decimal
    part: Decimal
    """Fraction of what was entered."""


class Position(Struct, frozen=True):
    """One bracket from its first decision to its last fill. It is open while `size` is above zero.

    Sizes are net of fees taken in the base currency; values are in the settle currency of the instrument.
    """

    id: str
    symbol: str
    side: Side
    """BUY is long, SELL is short."""
    created_at: int
    settle: str
    label: str = ""
    opened_at: int | None = None
    closed_at: int | None = None
    entry_size: Decimal = ZERO
    entry_value: Decimal = ZERO
    exit_size: Decimal = ZERO
    exit_value: Decimal = ZERO
    fees: dict[str, Decimal] = {}
    """Paid so far, by currency, exactly as the venue took them."""
    fee_value: Decimal = ZERO
    """The fees that can be valued in the settle currency, valued at the price of their own fill."""
    stop: Decimal | None = None
    """Where it is to be closed at a loss: the tighter of the operator's and the trail's."""
    initial_stop: Decimal | None = None
    target: Decimal | None = None
    """Where all that is left leaves."""
    goals: tuple[Goal, ...] = ()
    """Targets of parts, the nearest first, those that were reached among them."""
    taken: Decimal = ZERO
    """How much left at targets so far; counted only where there are goals."""
    trail: Trail | None = None
    trailing: bool = False
    """Whether the trail has begun to follow."""
    best: Decimal | None = None
    """Best exit price since the trail was set, as of the last event."""
    closing: Decimal = ZERO
    """How much the desk has been told to close and has not closed yet."""
    closing_since: int | None = None
    close_reason: str = ""
    last_exit: str = ""
    """The role of the exit order that filled last; empty before, and after a liquidation."""
    attempts: int = 0
    """Close orders sent since the closing began."""
    misses: int = 0
    """Those of them that met the market and missed its price: the next may take a worse one."""
    unfilled: int = 0
    """Close orders in a row that ended without a fill, whatever for."""
    versions: int = 0
    """Exit orders decided so far: the next one's id comes from it."""
    protection: Protection = Protection.NAKED
    protection_since: int = 0
    naked_ns: int = 0
    """Nanoseconds spent NAKED or PARTIAL, up to `protection_since`."""
    stop_refusals: int = 0
    retry_at: int | None = None
    """When a refused stop is tried again."""
    through_since: int | None = None
    """Since when the price is through the stop while the venue's stop has not fired."""
    leverage: Decimal | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    """Extremes of the mark while open, as of the last sample."""
    dust: bool = False
    """What is left is below what the venue can trade."""
    note: str = ""
    tags: tuple[str, ...] = ()

    @property
    def size(self) -> Decimal:
        """What is held, without sign; negative if more was closed than opened."""
        return self.entry_size - self.exit_size

    @property
    def signed_size(self) -> Decimal:
        """What is held: positive long, negative short."""
        return self.size * self.side.sign

    @property
    def is_open(self) -> bool:
        """Whether the venue holds anything for it."""
        return self.size != ZERO

    @property
    def exits_by(self) -> Side:
        """The side of the orders that close it."""
        return self.side.opposite

    def entry_price(self, instrument: Instrument) -> Decimal:
        """Average price of its entry fills."""
        return instrument.average_price(self.entry_size, self.entry_value)

    def exit_price(self, instrument: Instrument) -> Decimal | None:
        """Average price of its exit fills; None before the first."""
        return instrument.average_price(self.exit_size, self.exit_value) if self.exit_size else None

    def _matched(self, size: Decimal, of: Decimal, value: Decimal) -> Decimal:
        return value if size == of else value * size / of

    def gross_profit(self, instrument: Instrument) -> Decimal:
        """Profit of what was both opened and closed, at average cost, before fees (settle currency).

        Exact for a closed position: no division takes part.
        """
        closed = min(self.entry_size, self.exit_size)
        if closed == ZERO:
            return ZERO
        return instrument.profit(
            self.side,
            closed,
            self._matched(closed, self.entry_size, self.entry_value),
            self._matched(closed, self.exit_size, self.exit_value),
        )

    def realised_profit(self, instrument: Instrument) -> Decimal:
        """Gross profit less all fees paid so far (settle currency)."""
        return self.gross_profit(instrument) - self.fee_value

    def unrealised_profit(self, instrument: Instrument, price: Decimal) -> Decimal:
        """Profit of what is still held if it were closed at `price`, before the exit's fee (settle currency)."""
        if self.size == ZERO:
            return ZERO
        held = abs(self.size)
        if self.size < ZERO:  # over-closed: the excess is a position of the other side
            excess_value = self.exit_value - self._matched(self.entry_size, self.exit_size, self.exit_value)
            return instrument.profit(self.side.opposite, held, excess_value, instrument.value(held, price))
        cost = self.entry_value - self._matched(min(self.entry_size, self.exit_size), self.entry_size, self.entry_value)
        return instrument.profit(self.side, held, cost, instrument.value(held, price))

    def risk_to(self, instrument: Instrument, stop: Decimal, size: Decimal | None = None) -> Decimal:
        """What closing `size` (all of it where None) at `stop` would lose against the entry, before fees; a gain is negative."""
        held = self.size if size is None else size
        entry = self.entry_price(instrument)
        if held <= ZERO or entry == ZERO:
            return ZERO
        return -instrument.profit(self.side, held, instrument.value(held, entry), instrument.value(held, stop))

    def initial_risk(self, instrument: Instrument) -> Decimal | None:
        """One R: what the whole entry would have lost at the first stop; None without one."""
        if self.initial_stop is None or self.entry_size == ZERO:
            return None
        risk = self.risk_to(instrument, self.initial_stop, self.entry_size)
        return risk if risk > ZERO else None

    def r_multiple(self, instrument: Instrument, profit: Decimal) -> Decimal | None:
        """`profit` (settle currency) in units of the initial risk."""
        risk = self.initial_risk(instrument)
        return profit / risk if risk else None

    def excursions(self, instrument: Instrument) -> tuple[Decimal, Decimal]:
        """Maximum adverse and favourable excursion per unit, in price: both zero or above."""
        entry = self.entry_price(instrument)
        if entry == ZERO or self.lowest is None or self.highest is None:
            return ZERO, ZERO
        below, above = max(entry - self.lowest, ZERO), max(self.highest - entry, ZERO)
        return (below, above) if self.side is Side.BUY else (above, below)

    def naked_until(self, now: int) -> int:
        """Nanoseconds spent without protection, up to `now`."""
        if self.is_open and self.protection in (Protection.NAKED, Protection.PARTIAL):
            return self.naked_ns + now - self.protection_since
        return self.naked_ns

    def goals_left(self, instrument: Instrument, within: Decimal | None = None) -> list[tuple[Decimal, Decimal]]:
        """Price and size of each goal that is not reached, the nearest first: never more in all than `within`.

        Without it they share what is held and not being closed.

        A goal's size is its part of the entry on the lot, less what left at it; what left anywhere else shortens the furthest first.
        """
        left, reached, found = max(self.size - self.closing, ZERO) if within is None else within, self.taken, []
        for goal in self.goals:
            size = instrument.round_size(self.entry_size * goal.part)
            done = min(size, reached)
            reached -= done
            open_ = min(size - done, left)
            left -= open_
            if open_ > ZERO:
                found.append((goal.price, open_))
        return found

    def tighter(self, one: Decimal | None, other: Decimal | None) -> Decimal | None:
        """The stop that loses less of two: the higher for a long, the lower for a short."""
        if one is None or other is None:
            return other if one is None else one
        return max(one, other) if self.side is Side.BUY else min(one, other)

    def exchanged(self, fill: Fill, stand_in: Fill, instrument: Instrument, fee_value: Decimal) -> dict[str, Any]:
        """The fields that change when `fill` takes the place of a stand-in on its side, for `msgspec.structs.replace`."""
        net = abs(fill.base_change(instrument, self.leverage))
        size = net - stand_in.size
        value = instrument.value(net, fill.price) - instrument.value(stand_in.size, stand_in.price)
        changed: dict[str, Any] = {
            "fees": {**self.fees, fill.fee_currency: self.fees.get(fill.fee_currency, ZERO) + fill.fee},
            "fee_value": self.fee_value + fee_value,
        }
        if fill.side is self.side:
            changed.update(entry_size=self.entry_size + size, entry_value=self.entry_value + value)
        else:
            changed.update(exit_size=self.exit_size + size, exit_value=self.exit_value + value)
        return changed

    def accumulate(self, fill: Fill, instrument: Instrument, fee_value: Decimal) -> dict[str, Decimal | int | dict[str, Decimal]]:
        """The fields that `fill` changes, for `msgspec.structs.replace`."""
        size = abs(fill.base_change(instrument, self.leverage))
        value = instrument.value(size, fill.price)
        fees = {**self.fees, fill.fee_currency: self.fees.get(fill.fee_currency, ZERO) + fill.fee}
        changed: dict[str, Decimal | int | dict[str, Decimal]] = {"fees": fees, "fee_value": self.fee_value + fee_value}
        if fill.side is self.side:
            changed.update(entry_size=self.entry_size + size, entry_value=self.entry_value + value)
            if self.opened_at is None:
                changed["opened_at"] = fill.at
        else:
            changed.update(exit_size=self.exit_size + size, exit_value=self.exit_value + value)
        return changed
