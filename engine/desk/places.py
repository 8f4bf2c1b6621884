"""Places that are told by what the trade ends with (R, money) as prices.

A bracket's places are told twice by the same arithmetic: before the entry, for the card and the
checks, as it is expected to fill; and with each fill of the entry, as it filled. What the operator
asks of an open position is told as that stands.
"""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.desk.context import Context
from engine.desk.sizing import target_price
from engine.model import figures
from engine.model.figures import ExpectedEntry, PositionMoney
from engine.model.instrument import Instrument
from engine.model.intent import OpenBracket, PartialTarget
from engine.model.money import ZERO
from engine.model.order import Trail
from engine.model.place import At, BreakEvenRule, InR, Place, Worth
from engine.model.position import Position


class UntoldError(ValueError):
    """A place that no price can be told for; `value` and `bound` are a refusal's."""

    def __init__(self, value: str, bound: str) -> None:
        super().__init__(f"{value}: {bound}")
        self.value, self.bound = value, bound


class Basis(Struct, frozen=True, gc=False):
    """What a trade's money is told from."""

    position: Position
    money: PositionMoney
    instrument: Instrument
    taker: Decimal
    one_r: Decimal | None
    rate: Decimal | None
    """Account currency for one of the settle currency."""

    def gain(self, place: Place) -> Place:
        """Where the trade is in profit by so much. Raises UntoldError."""
        return self._told(place, 1)

    def loss(self, place: Place) -> Place:
        """Where the trade is at a loss of so much. Raises UntoldError."""
        return self._told(place, -1)

    def _told(self, place: Place, sign: int) -> Place:
        match place:
            case InR(multiple):
                if self.one_r is None:
                    raise UntoldError(f"{multiple:f}r", "1R is the loss at the first stop; set one")
                amount = multiple * self.one_r
            case Worth(wanted):
                if not self.rate:
                    raise UntoldError(f"{wanted:f}", f"no price converts {self.instrument.settle}")
                amount = wanted / self.rate
            case _:
                return place
        price = figures.price_for(
            self.position, self.money, self.instrument, self.taker, amount * sign
        )
        if price is None:
            raise UntoldError(f"{amount:f} {self.instrument.settle}", "no price comes to that")
        return At(price)

    def trail(self, trail: Trail) -> Trail:
        """The same trail, from a price on. Raises UntoldError."""
        if trail.begins is None:
            return trail
        entry = self.position.entry_price(self.instrument)
        side = self.position.side
        return replace(
            trail,
            begins=At(target_price(self.gain(trail.begins), entry, side, self.instrument)),
        )

    def rule(self, rule: BreakEvenRule) -> BreakEvenRule:
        """The same rule, from a price on. Raises UntoldError."""
        return replace(rule, after=self.gain(rule.after))

    def partials(self, partials: tuple[PartialTarget, ...]) -> tuple[PartialTarget, ...]:
        """The same targets of parts, at prices. Raises UntoldError."""
        return tuple(replace(one, place=self.gain(one.place)) for one in partials)


def of_position(ctx: Context, position: Position) -> Basis:
    """What an open position's places are told from."""
    instrument = ctx.instrument(position)
    money = ctx.state.money_of(position.id)
    return Basis(
        position,
        money,
        instrument,
        ctx.rates(instrument).taker,
        figures.one_r(position, money, instrument),
        ctx.board.rate(instrument.settle, ctx.state.currency),
    )


def of_entry(ctx: Context, entry: ExpectedEntry, size: Decimal, stop: Decimal | None) -> Basis:
    """What an entry's places are told from, if it fills as expected."""
    position, money = entry.filled(size)
    unit = None if stop is None else entry.risk(size, stop)
    return Basis(
        position,
        money,
        entry.instrument,
        entry.rates.taker,
        unit if unit is not None and unit > ZERO else None,
        ctx.board.rate(entry.instrument.settle, ctx.state.currency),
    )


def told(intent: OpenBracket, basis: Basis) -> OpenBracket:
    """A bracket with its targets and rules at prices. Raises UntoldError."""
    return replace(
        intent,
        target=None if intent.target is None else basis.gain(intent.target),
        partials=basis.partials(intent.partials),
        trail=None if intent.trail is None else basis.trail(intent.trail),
        break_even=None if intent.break_even is None else basis.rule(intent.break_even),
    )
