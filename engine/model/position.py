"""A position: what one bracket has bought and sold, what protects it, and its profit from its fills
alone.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct

from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.order import Trail
from engine.model.place import BreakEvenAt
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


class Goal(Struct, frozen=True, gc=False):
    """A target at which a part of a position leaves."""

    price: Decimal
    part: Decimal
    """Fraction of what was entered."""


LIMIT = "limit"
"""Why something left that left at a limit."""


class LimitExit(Struct, frozen=True, gc=False):
    """A part of a position that leaves at a price or better, and at no other."""

    id: str
    """Of the intent that asked for it."""
    number: int
    """What people call it, #15 for short; it is counted with orders and price alerts."""
    price: Decimal
    left: Decimal
    """How much has still to leave at it."""
    orders: tuple[str, ...] = ()
    """The orders that served it at the venue, the last one in the end."""
    missed: int = 0
    """Times in a row that it was reached, watched here, and nothing filled."""
    after: int = 0
    """Until then it waits before it is tried again."""


class Position(Struct, frozen=True, gc=False):
    """One bracket from its first decision to its last fill. It is open while `size` is above zero.

    Sizes are net of fees taken in the base currency; values are in the settle currency of the
    instrument.
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
    """Targets of parts: those that were reached in front, then the others, the nearest first."""
    taken: Decimal = ZERO
    """How much left at targets so far; counted only where there are goals."""
    limits: tuple[LimitExit, ...] = ()
    """What leaves at a limit; it goes before targets where both can't have all."""
    trail: Trail | None = None
    trailing: bool = False
    """Whether the trail has begun to follow."""
    best: Decimal | None = None
    """Best exit price since the trail was set, as of the last event."""
    even: BreakEvenAt | None = None
    """From where its stop goes to break-even; None without such a rule, and once it fired."""
    closing: Decimal = ZERO
    """How much the desk has been told to close and has not closed yet."""
    closing_at: Decimal | None = None
    """The worst price of what is being closed for a limit; None where closes have a bound of their
    own.
    """
    closing_for: str = ""
    """The limit exit that it is being closed for."""
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
        return self.entry_size != self.exit_size

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
        """Profit of what was both opened and closed, at average cost, before fees (settle
        currency).

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
        """Profit of what is still held if it were closed at `price`, before the exit's fee (settle
        currency).
        """
        if self.size == ZERO:
            return ZERO
        held = abs(self.size)
        if self.size < ZERO:  # over-closed: the excess is a position of the other side
            return instrument.profit(
                self.side.opposite, held, self.excess_value, instrument.value(held, price)
            )
        return instrument.profit(self.side, held, self.cost, instrument.value(held, price))

    @property
    def cost(self) -> Decimal:
        """Of what it was entered for, the share of what is still held (settle currency)."""
        return self.entry_value - self._matched(
            min(self.entry_size, self.exit_size), self.entry_size, self.entry_value
        )

    @property
    def excess_value(self) -> Decimal:
        """What was closed beyond what was held came to (settle currency)."""
        return self.exit_value - self._matched(self.entry_size, self.exit_size, self.exit_value)

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

    @property
    def free(self) -> Decimal:
        """What is held, is not being closed, and leaves at no limit."""
        limits = sum((size for _, size in self.limits_left()), ZERO)
        return max(self.size - self.closing, ZERO) - limits

    def limits_left(self, within: Decimal | None = None) -> list[tuple[LimitExit, Decimal]]:
        """Each limit exit that something is left for, the nearest first: never more in all than
        `within`, or than what is held and not being closed.
        """
        left, found = max(self.size - self.closing, ZERO) if within is None else within, []
        for one in sorted(self.limits, key=lambda one: one.price * self.side.sign):
            # what is being closed for it is among `closing` already
            asked = one.left - (self.closing if one.id == self.closing_for else ZERO)
            size = min(max(asked, ZERO), left)
            left -= size
            if size > ZERO:
                found.append((one, size))
        return found

    def goals_open(self, instrument: Instrument) -> list[tuple[Goal, Decimal]]:
        """Each goal with the size that has not left at it, in their order: its part of the entry on
        the lot, less what left at targets, which the first ones count first.
        """
        reached, found = self.taken, []
        for goal in self.goals:
            size = instrument.round_size(self.entry_size * goal.part)
            done = min(size, reached)
            reached -= done
            found.append((goal, size - done))
        return found

    def goals_left(
        self, instrument: Instrument, within: Decimal | None = None
    ) -> list[tuple[Decimal, Decimal]]:
        """Price and size of each goal that is not reached, the nearest first: never more in all
        than `within`.

        Without it they share what is held and not being closed. What left anywhere else than at
        targets shortens the furthest first.
        """
        left, found = self.free if within is None else within, []
        waiting = self.goals_open(instrument)
        for goal, size in sorted(waiting, key=lambda one: one[0].price * self.side.sign):
            open_ = min(size, left)
            left -= open_
            if open_ > ZERO:
                found.append((goal.price, open_))
        return found

    def tighter(self, one: Decimal | None, other: Decimal | None) -> Decimal | None:
        """The stop that loses less of two: the higher for a long, the lower for a short."""
        if one is None or other is None:
            return other if one is None else one
        return max(one, other) if self.side is Side.BUY else min(one, other)

    def exchanged(
        self, fill: Fill, stand_in: Fill, instrument: Instrument, fee_value: Decimal
    ) -> dict[str, Any]:
        """The fields that change when `fill` takes the place of a stand-in on its side, for
        `msgspec.structs.replace`.
        """
        net = abs(fill.base_change(instrument, self.leverage))
        size = net - stand_in.size
        value = instrument.value(net, fill.price) - instrument.value(stand_in.size, stand_in.price)
        changed: dict[str, Any] = {
            "fees": {
                **self.fees,
                fill.fee_currency: self.fees.get(fill.fee_currency, ZERO) + fill.fee,
            },
            "fee_value": self.fee_value + fee_value,
        }
        if fill.side is self.side:
            changed.update(entry_size=self.entry_size + size, entry_value=self.entry_value + value)
        else:
            changed.update(exit_size=self.exit_size + size, exit_value=self.exit_value + value)
        return changed

    def accumulate(
        self, fill: Fill, instrument: Instrument, fee_value: Decimal
    ) -> dict[str, Decimal | int | dict[str, Decimal]]:
        """The fields that `fill` changes, for `msgspec.structs.replace`."""
        size = abs(fill.base_change(instrument, self.leverage))
        value = instrument.value(size, fill.price)
        fees = {**self.fees, fill.fee_currency: self.fees.get(fill.fee_currency, ZERO) + fill.fee}
        changed: dict[str, Decimal | int | dict[str, Decimal]] = {
            "fees": fees,
            "fee_value": self.fee_value + fee_value,
        }
        if fill.side is self.side:
            changed.update(entry_size=self.entry_size + size, entry_value=self.entry_value + value)
            if self.opened_at is None:
                changed["opened_at"] = fill.at
        else:
            changed.update(exit_size=self.exit_size + size, exit_value=self.exit_value + value)
        return changed
