"""Sizes, places, trails and targets of a command in the terms of intents."""

from collections.abc import Sequence
from decimal import ROUND_UP, Context, Decimal

from engine.grammar import tree as t
from engine.grammar.around import Around
from engine.grammar.parser import parse
from engine.grammar.prices import HUNDRED, Told, variable
from engine.grammar.wrong import wrong
from engine.model.intent import (
    At,
    Away,
    Base,
    EquityRisk,
    EquityShare,
    InR,
    Notional,
    PartialTarget,
    Place,
    Risk,
    RiskUnits,
    Size,
    Ticks,
    Worth,
)
from engine.model.money import ONE
from engine.model.order import Trail

_UP = Context(prec=28, rounding=ROUND_UP)


def size(around: Around, node: t.Size | t.AnyPrice) -> Size:
    """How much an entry is."""
    match node:
        case t.Amount(value=value):
            return Base(value)
        case t.Cost(value=value):
            return Notional(value)
        case t.AtRisk(value=value, unit="$"):
            return Risk(value)
        case t.AtRisk(value=value, unit="%"):
            return EquityRisk(value / HUNDRED)
        case t.AtRisk(value=value):
            return RiskUnits(value)
        case t.Share(value=value):
            return EquityShare(value / HUNDRED)
        case t.Preset():
            return _preset(around, node)
        case t.Variable():
            found = variable(around, node)
            if isinstance(found, t.Price | t.Anchored):
                text = f"@{node.name} is a price, and no size"
                raise wrong(node.span.start, node.span.end, text)
            return size(around, found)
        case t.Anchored() | t.Price():
            raise wrong(node.span.start, node.span.end, "this is a price, and no size")


def _preset(around: Around, node: t.Preset) -> Size:
    if not 1 <= node.digit <= len(around.presets):
        known = f"there are {len(around.presets)}" if around.presets else "none is set"
        text = f"no size is preset {node.digit}: {known} in console.presets"
        raise wrong(node.span.start, node.span.end, text)
    line = parse(f"buy {around.presets[node.digit - 1]} stop 1%", around.vocabulary).line
    command = line.commands[0] if line is not None else None
    if not isinstance(command, t.Enter) or isinstance(command.size, t.Preset):
        text = f"console.presets: {around.presets[node.digit - 1]!r} is no size"
        raise wrong(node.span.start, node.span.end, text)
    return size(around, command.size)


def distance(node: t.Distance) -> Place:
    """A distance from the entry. Its sign says nothing: a stop's is to the losing side, a target's
    to the winning one.
    """
    value = abs(node.value)
    match node.unit:
        case "%":
            return Away(value / HUNDRED)
        case "t":
            return Ticks(value)
        case "r":
            return InR(value)
        case "$":
            return Worth(value)


def place(told: Told, node: t.Place) -> Place:
    """Where a stop or a target is to stand, or a rule begins."""
    return distance(node) if isinstance(node, t.Distance) else At(told.price(node))


def trail(told: Told, node: t.Following) -> Trail:
    """A trail, and from which gain on it follows."""
    far, span = node.distance, node.distance.span
    begins = None if node.after is None else distance(node.after)
    if far.unit == "%":
        if abs(far.value) >= HUNDRED:
            raise wrong(span.start, span.end, "a trail is below 100%")
        return Trail(fraction=abs(far.value) / HUNDRED, begins=begins)
    if far.unit == "t":
        return Trail(amount=abs(far.value) * told.tick, begins=begins)
    raise wrong(span.start, span.end, "a trail's distance is in % or t (ticks)")


Targets = tuple[tuple[PartialTarget, ...], Place | None]
"""Targets of parts, and that of the rest."""


def targets(legs: Sequence[t.Leg], places: Sequence[Place], whole: Decimal | None) -> Targets:
    """What leaves where. `whole` is the size that parts by amount are parts of; None where it is
    not known.
    """
    partials: list[PartialTarget] = []
    left = ONE
    for index, (leg, where) in enumerate(zip(legs, places, strict=True)):
        last, part = index == len(legs) - 1, leg.part
        takes_rest = part is None or part.kind == "rest"
        share = left if takes_rest or part is None else _share_of(part, whole)
        if share > left:
            raise wrong(leg.span.start, leg.span.end, "the parts up to here are more than all")
        if share == left:
            if not last:
                text = "this target takes all that is left: name a part"
                raise wrong(leg.span.start, leg.span.end, text)
            return tuple(partials), where
        left -= share
        partials.append(PartialTarget(where, share))
    return tuple(partials), None


def _share_of(part: t.Part, whole: Decimal | None) -> Decimal:
    if part.kind == "half":
        return Decimal("0.5")
    assert part.value is not None
    if part.kind == "share":
        return part.value / HUNDRED
    if whole is None:
        text = "a part by amount needs a size by amount: name it in %"
        raise wrong(part.span.start, part.span.end, text)
    return _share_by_amount(part, whole)


def _share_by_amount(part: t.Part, whole: Decimal) -> Decimal:
    assert part.value is not None
    if part.value > whole:
        text = f"{part.value:f} is more than the {whole:f} that there are"
        raise wrong(part.span.start, part.span.end, text)
    # rounded up, so that the share of the whole is never a lot too small
    return min(_UP.divide(part.value, whole), ONE)


def to_close(part: t.Part | None, held: Decimal) -> tuple[Decimal, Decimal | None]:
    """Which fraction of what is held a close takes, or which size: what is said as a size is that,
    whatever is held by then.
    """
    if part is None or part.kind == "rest":
        return ONE, None
    if part.kind == "amount":
        _share_of(part, held)
        return ONE, part.value
    return _share_of(part, held), None
