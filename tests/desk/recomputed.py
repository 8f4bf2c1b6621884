"""Every figure again, from fills, prices and payments alone. It imports no arithmetic of the
engine: only who bought what, at which price and fee.

Cash flows and holdings are all it knows: what a trade came to is what came in less what went out,
and what the rest would bring.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

F = Fraction
NOTHING = F(0)
ALIKE = F(1, 10**12)
"""Division of Decimals has 28 digits."""


@dataclass
class Deal:
    """One position: its flows in the settle currency, and what it holds."""

    symbol: str
    sign: int
    taker: Fraction
    coins: bool
    """Whether fees may be taken in the coins themselves."""
    flow: Fraction = NOTHING
    """What came in less what went out, fees in money included."""
    held: Fraction = NOTHING
    """Signed."""
    fees: Fraction = NOTHING
    entered: Fraction = NOTHING
    entry_cost: Fraction = NOTHING
    """Of the entries alone: size held by their price, without any fee."""
    entry_fees: Fraction = NOTHING
    exits: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    funding: Fraction = NOTHING
    first_stop: Fraction | None = None
    lowest: Fraction | None = None
    highest: Fraction | None = None

    def fill(self, sign: int, size: Decimal, price: Decimal, fee: Decimal, in_coins: bool) -> None:
        amount, at = F(size), F(price)
        got = amount * sign - (F(fee) if in_coins else 0)
        self.flow -= amount * sign * at + (0 if in_coins else F(fee))
        self.held += got
        paid = F(fee) * at if in_coins else F(fee)
        self.fees += paid
        if sign == self.sign:
            self.entered += abs(got)
            self.entry_cost += abs(got) * at
            self.entry_fees += paid
        else:
            self.exits.append((abs(got), at))

    def net(self, price: Decimal | Fraction) -> Fraction:
        return (
            self.flow + self.held * F(price) - abs(self.held) * F(price) * self.taker + self.funding
        )

    def see(self, price: Decimal) -> None:
        now = self.net(price)
        self.lowest = now if self.lowest is None else min(self.lowest, now)
        self.highest = now if self.highest is None else max(self.highest, now)

    def realised(self) -> Fraction:
        """Gross of what was closed, at the average price of the entries."""
        left = sum((size for size, _ in self.exits), F(0))
        came = sum((size * at for size, at in self.exits), F(0))
        return (came - self.entry_cost * left / self.entered) * self.sign if left else F(0)

    def unrealised(self, price: Decimal) -> Fraction:
        return (
            self.held * F(price) - self.sign * self.entry_cost * abs(self.held) / self.entered
            if self.held
            else F(0)
        )

    def one_r(self) -> Fraction | None:
        """What all of the entry would have lost at its first stop."""
        if self.first_stop is None:
            return None
        loss = self.entry_cost * self.sign - self.entered * self.sign * self.first_stop
        loss += self.entry_fees + self.entered * self.first_stop * self.taker
        return loss if loss > 0 else None


def close(one: Decimal | None, other: Fraction | None, within: Fraction = ALIKE) -> bool:
    """Whether a figure of the engine is what it is here."""
    if one is None or other is None:
        return one is None and other is None
    return abs(F(one) - other) <= within
