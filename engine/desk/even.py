"""The break-even rule: once a trade is worth so much, its stop goes to break-even. It fires once,
and never loosens a stop.

The rule waits on the board as a price, like a target; restarts and crashes lose nothing, because
the price stands in the position. Each fill of the entry tells it anew, until it fired or the
operator has moved the stop beyond it.
"""

from decimal import Decimal

from engine.desk.context import Context, Events
from engine.desk.events import BreakEvenSet, StopMoved
from engine.desk.places import Basis
from engine.desk.sizing import target_price
from engine.model import figures
from engine.model.figures import ExpectedEntry
from engine.model.intent import OpenBracket
from engine.model.money import ZERO
from engine.model.place import BreakEvenAt, BreakEvenRule
from engine.model.position import Position


def of_entry(
    intent: OpenBracket, entry: ExpectedEntry, size: Decimal
) -> tuple[Decimal, Decimal | None]:
    """Where an entry's rule would fire if it fills as expected, and where its stop would go; the
    entry has its places as prices.
    """
    rule, side, instrument = intent.break_even, intent.side, entry.instrument
    assert rule is not None
    at = target_price(rule.after, entry.price, side, instrument)
    even = figures.break_even(*entry.filled(size), instrument, entry.rates.taker)
    return at, None if even is None else even + rule.ticks * instrument.tick * side.sign


def entered(ctx: Context, position: Position, rule: BreakEvenRule, basis: Basis) -> Events:
    """An entry filled: the rule is told against what is held now. Raises UntoldError."""
    instrument = basis.instrument
    place = basis.gain(rule.after)
    at = target_price(place, position.entry_price(instrument), position.side, instrument)
    told = BreakEvenAt(at, rule.ticks)
    if told != position.even:
        yield BreakEvenSet(ctx.now, position.id, told, by="entry")


def stands_at(ctx: Context, position: Position, ticks: int) -> Decimal:
    """Break-even and ticks beyond it; from the entry price where no price is break-even."""
    instrument = ctx.instrument(position)
    money, rates = ctx.state.money_of(position.id), ctx.rates(instrument)
    found = figures.break_even(position, money, instrument, rates.taker)
    even = found or position.entry_price(instrument)
    return even + ticks * instrument.tick * position.side.sign


def fire(ctx: Context, position: Position) -> Events:
    """The price reached what the rule waits for. Where the stop would fire at once, it waits for a
    price at which it would not.
    """
    rule, mark = position.even, ctx.mark(position)
    if rule is None or position.closing >= position.size:
        return
    sign, tick = position.side.sign, ctx.instrument(position).tick
    stop = stands_at(ctx, position, rule.ticks)
    if mark is None or (mark - stop) * sign <= ZERO:
        later = BreakEvenAt(stop + tick * sign, rule.ticks)
        yield BreakEvenSet(ctx.now, position.id, later, by="later")
        return
    yield BreakEvenSet(ctx.now, position.id, None, by="fired")
    if position.stop != stop and position.tighter(position.stop, stop) == stop:
        yield StopMoved(ctx.now, position.id, stop, by="rule", reason="break-even rule")
