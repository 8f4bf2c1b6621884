"""How a venue counts the money of what is on margin, all of a symbol together: a derivative at
average cost, the loans of a spot pair the oldest first.

More of the same side is averaged in, or is one loan more; less realises at the average, or at what
the oldest loans cost; what goes through zero begins anew at its own price. Positions of ours that
share a symbol each keep their own price, so that the venue's money and ours part as soon as one of
several is reduced, and meet again when all are closed. `Net` knows by how much: what is beyond that
is no arithmetic.
"""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.model.instrument import Instrument, Kind
from engine.model.money import ZERO
from engine.model.side import Side

DIGITS = Decimal("1e-12")
"""Less than this is left over from divisions."""


class Loan(Struct, frozen=True, gc=False):
    """What was taken on margin at one price of a spot pair, as far as it is not paid back."""

    size: Decimal
    """Without a sign."""
    cost: Decimal
    """Settle currency."""


class Net(Struct, frozen=True, gc=False):
    """What a venue has of a symbol for all of ours together (values in the settle currency)."""

    size: Decimal = ZERO
    """Signed: above zero it is long."""
    cost: Decimal = ZERO
    """What it was entered for; never below zero."""
    gap: Decimal = ZERO
    """What the venue has realised so far, less what our positions have."""
    told: bool = False
    """Whether the venue itself said the cost when something was settled."""
    loans: tuple[Loan, ...] = ()
    """Of a spot pair: what is held, the oldest first. They come to `size` and `cost`."""

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
        lends = instrument.kind is Kind.SPOT
        if not self.size or self.side is side:
            loans = _with(self.loans, Loan(size, value)) if lends else ()
            more = replace(
                self, size=self.size + size * side.sign, cost=self.cost + value, loans=loans
            )
            return more, ZERO
        held = abs(self.size)
        closed = min(held, size)
        kept = _without(self.loans, closed)
        entered = self.cost - _cost(kept) if lends else _part(self.cost, closed, held)
        left = _part(value, closed, size)
        made = instrument.profit(self.side, closed, entered, left)
        cost = value - left if size > held else self.cost - entered
        if lends and size > held:
            kept = (Loan(size - held, cost),)
        return replace(
            self,
            size=self.size + size * side.sign,
            cost=cost,
            told=self.told and size < held,
            loans=kept,
        ), made

    def before(self, instrument: Instrument, side: Side, size: Decimal, value: Decimal) -> "Net":
        """The same as it was before such an execution, as nearly as that can be told: what was
        opened last is gone, and what was paid back is the oldest again.
        """
        held = abs(self.size) if self.side is side else ZERO
        gone = min(size, held)
        net = self
        if gone:
            kept = _without(self.loans[::-1], gone)[::-1]
            cost = max(self.cost - _part(value, gone, size), ZERO) if gone < held else ZERO
            cost = _cost(kept) if self.loans else cost
            net = replace(self, size=self.size - gone * side.sign, cost=cost, loans=kept)
        if gone == size:
            return net
        net, _ = net.after(instrument, side.opposite, size - gone, value - _part(value, gone, size))
        return replace(net, loans=net.loans[-1:] + net.loans[:-1])

    def beside(self, made: Decimal, ours: Decimal) -> "Net":
        """The same once the venue has realised so much, and our positions so much."""
        return replace(self, gap=self.gap + made - ours)

    def costing(self, instrument: Instrument, cost: Decimal) -> "Net":
        """The same where the venue says what the holding was entered for: what it will realise
        less, it has realised before.
        """
        before = instrument.profit(self.side, abs(self.size), self.cost, ZERO)
        after = instrument.profit(self.side, abs(self.size), cost, ZERO)
        return replace(self.entered_for(cost), gap=self.gap + before - after, told=True)

    def entered_for(self, cost: Decimal) -> "Net":
        """The same where the holding has cost something else than was thought; of several loans the
        newest has, as far as it can.
        """
        if not self.loans:
            return replace(self, cost=cost)
        *older, newest = self.loans
        rest = cost - _cost(older)
        if rest > ZERO or not older:
            return replace(self, cost=cost, loans=(*older, Loan(newest.size, rest)))
        loans = [Loan(loan.size, _part(cost, loan.size, abs(self.size))) for loan in older]
        last = Loan(newest.size, cost - _cost(loans))
        return replace(self, cost=cost, loans=(*loans, last))


def _part(value: Decimal, size: Decimal, of: Decimal) -> Decimal:
    return value if size == of else value * size / of


def _cost(loans: Iterable[Loan]) -> Decimal:
    return sum((loan.cost for loan in loans), ZERO)


def _with(loans: tuple[Loan, ...], more: Loan) -> tuple[Loan, ...]:
    """One loan more; at the price of the last one it is as if it were a part of that."""
    if loans and loans[-1].cost * more.size == more.cost * loans[-1].size:
        last = loans[-1]
        return (*loans[:-1], Loan(last.size + more.size, last.cost + more.cost))
    return (*loans, more)


def _without(loans: tuple[Loan, ...], size: Decimal) -> tuple[Loan, ...]:
    """What is left once so much, from the first on, is paid back."""
    for index, loan in enumerate(loans):
        if size < loan.size:
            rest = loan.cost - _part(loan.cost, size, loan.size)
            return (Loan(loan.size - size, rest), *loans[index + 1 :])
        size -= loan.size
    return ()
