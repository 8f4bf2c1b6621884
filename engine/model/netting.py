"""How a venue that keeps one position per symbol counts money: at average cost.

More of the same side is averaged in; less realises at the average; what goes through zero begins
anew at its own price. Positions of ours that share a symbol each keep their own price, so that the
venue's money and ours part as soon as one of several is reduced, and meet again when all are
closed. `Net` knows by how much: what is beyond that is no arithmetic.
"""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.side import Side

DIGITS = Decimal("1e-12")
"""Less than this is left over from divisions."""


class Net(Struct, frozen=True):
    """What a venue has of a symbol for all of ours together (values in the settle currency)."""

    size: Decimal = ZERO
    """Signed: above zero it is long."""
    cost: Decimal = ZERO
    """What it was entered for, at average cost; never below zero."""
    gap: Decimal = ZERO
    """What the venue has realised so far, less what our positions have."""
    told: bool = False
    """Whether the venue itself said the cost when something was settled."""

    @property
    def side(self) -> Side:
        """BUY for a long one."""
        return Side.BUY if self.size > ZERO else Side.SELL

    @property
    def is_over(self) -> bool:
        """Whether nothing is held and nothing is owed to our count: there is nothing to
        remember.
        """
        return not self.size and abs(self.gap) < DIGITS

    def after(
        self, instrument: Instrument, side: Side, size: Decimal, value: Decimal
    ) -> tuple["Net", Decimal]:
        """The same after an execution of a size for a value; and what that realised."""
        if not self.size or self.side is side:
            return replace(self, size=self.size + size * side.sign, cost=self.cost + value), ZERO
        held = abs(self.size)
        closed = min(held, size)
        entered = _part(self.cost, closed, held)
        left = _part(value, closed, size)
        made = instrument.profit(self.side, closed, entered, left)
        cost = value - left if size > held else self.cost - entered
        return replace(
            self, size=self.size + size * side.sign, cost=cost, told=self.told and size < held
        ), made

    def before(self, instrument: Instrument, side: Side, size: Decimal, value: Decimal) -> "Net":
        """The same as it was before such an execution, as nearly as that can be told."""
        held = abs(self.size) if self.side is side else ZERO
        gone = min(size, held)
        net = self
        if gone:
            cost = max(self.cost - _part(value, gone, size), ZERO) if gone < held else ZERO
            net = replace(self, size=self.size - gone * side.sign, cost=cost)
        return (
            net
            if gone == size
            else net.after(
                instrument, side.opposite, size - gone, value - _part(value, gone, size)
            )[0]
        )

    def beside(self, made: Decimal, ours: Decimal) -> "Net":
        """The same once the venue has realised so much, and our positions so much."""
        return replace(self, gap=self.gap + made - ours)

    def costing(self, instrument: Instrument, cost: Decimal) -> "Net":
        """The same where the venue says what the holding was entered for: what it will realise
        less, it has realised before.
        """
        before = instrument.profit(self.side, abs(self.size), self.cost, ZERO)
        after = instrument.profit(self.side, abs(self.size), cost, ZERO)
        return replace(self, cost=cost, gap=self.gap + before - after, told=True)


def _part(value: Decimal, size: Decimal, of: Decimal) -> Decimal:
    return value if size == of else value * size / of
