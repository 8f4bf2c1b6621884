"""The keys that an operator presses, as intents."""

from decimal import Decimal

from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import intent as i
from engine.model.instrument import Instrument
from engine.model.order import OrderType, Trail
from engine.model.position import Position
from engine.model.side import Side
from engine.rehearsal.simulation import story as s

MS = SECOND // 1000
HALF = Decimal("0.5")
LENT = Decimal(3)
"""The leverage of what is to be held on margin."""

Change = s.Close | s.LeaveAt | s.MoveStop | s.MoveTarget | s.Trail | s.BreakEven | s.Reverse


def about(
    step: Change, key: str, position: Position, price: Decimal, instrument: Instrument
) -> i.AnyIntent:
    """A key about a position, while the market is at `price`."""
    name = position.id

    def level(bp: int, sign: int) -> i.At:
        return i.At(
            instrument.round_price(price * (1 + sign * position.side.sign * Decimal(bp) / 10_000))
        )

    match step:
        case s.Close(percent=percent):
            return i.ClosePosition(id=key, position=name, part=Decimal(percent) / 100)
        case s.LeaveAt(percent=percent, bp=bp, improves=improves):
            told = i.Anchored(i.Anchor.IMPROVE if improves else i.Anchor.JOIN)
            return i.LeaveAt(
                id=key,
                position=name,
                part=Decimal(percent) / 100,
                price=None if bp is None else level(bp, 1).price,
                anchored=told if bp is None else None,
            )
        case s.MoveStop(bp=bp):
            stop = None if bp is None else level(bp, -1)
            return i.MoveStop(id=key, position=name, stop=stop, reason="as the story goes")
        case s.MoveTarget(bp=bp):
            return i.MoveTarget(id=key, position=name, target=None if bp is None else level(bp, 1))
        case s.Trail(bp=bp):
            trail = None if bp is None else Trail(fraction=Decimal(bp) / 10_000)
            return i.SetTrail(id=key, position=name, trail=trail)
        case s.BreakEven():
            return i.BreakEven(id=key, position=name)
        case s.Reverse():
            return i.Reverse(id=key, position=name)


def bracket(step: s.Open, key: str, price: Decimal, instrument: Instrument) -> i.OpenBracket:
    """An entry with its stop, target and trail, while the market is at `price`."""
    side = Side(step.side)
    toward = -1 if step.kind == "limit" else 1
    level = instrument.round_price(price * (1 + toward * side.sign * Decimal(step.away) / 10_000))

    def away(bp: int | None) -> i.Away | None:
        return None if bp is None else i.Away(Decimal(bp) / 10_000)

    plain = i.OpenBracket(
        id=key,
        symbol=step.symbol,
        side=side,
        size=i.Base(Decimal(step.size) / 1_000),
        type=OrderType(step.kind),
        price=level if step.kind == "limit" else None,
        trigger=level if step.kind == "stop" else None,
        stop=away(step.stop),
        target=away(step.target),
        partials=(i.PartialTarget(i.Away(Decimal(step.target) / 20_000), HALF),)
        if step.half and step.target
        else (),
        trail=None if step.trail is None else Trail(fraction=Decimal(step.trail) / 10_000),
        expires_in=None if step.expires_ms is None else step.expires_ms * MS,
        leverage=LENT if step.lent else None,
    )
    return _by_r(plain) if step.by_r and step.stop else plain


def _by_r(plain: i.OpenBracket) -> i.OpenBracket:
    """The same entry with its gains told in R, as a template has them."""
    once, twice = i.InR(Decimal(1)), i.InR(Decimal(2))
    trail = None if plain.trail is None else replace(plain.trail, begins=once)
    return replace(
        plain,
        target=None if plain.target is None else twice,
        partials=tuple(replace(one, place=once) for one in plain.partials),
        break_even=i.BreakEvenRule(once, ticks=2),
        trail=trail,
    )
