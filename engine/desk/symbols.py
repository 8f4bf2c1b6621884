"""What the settings say of one symbol (`[symbols."BTC/USD"]`): its entries' bounds, and what an
entry gets that does not say otherwise.
"""

from msgspec.structs import replace

from engine.desk.context import Context, nanoseconds
from engine.desk.rules import SymbolRules
from engine.model.intent import Away, Default, OpenBracket
from engine.model.order import OrderType, Trail


def with_defaults(ctx: Context, intent: OpenBracket) -> OpenBracket:
    """The intent with the symbol's default stop, target, trail and lifetime in place of what it
    neither names nor declines.
    """
    own = ctx.rules.of(intent.symbol)
    stop, target, trail, lifetime = intent.stop, intent.target, intent.trail, intent.expires_in
    if stop is None and own.stop is not None and _open(intent, Default.STOP):
        stop = Away(own.stop)
    if target is None and own.target is not None and _open(intent, Default.TARGET):
        target = Away(own.target)
    if trail is None and own.trail is not None and _open(intent, Default.TRAIL):
        trail = Trail(fraction=own.trail, after=own.trail_after)
    rests = intent.type is not OrderType.MARKET
    if (
        lifetime is None
        and rests
        and own.entry_lifetime is not None
        and _open(intent, Default.EXPIRY)
    ):
        lifetime = nanoseconds(own.entry_lifetime)
    return replace(intent, stop=stop, target=target, trail=trail, expires_in=lifetime)


def _open(intent: OpenBracket, what: Default) -> bool:
    return what not in intent.without


def taken(asked: OpenBracket, given: OpenBracket, own: SymbolRules) -> str:
    """Which defaults an entry got, in words; empty for none."""
    told = []
    if given.stop is not asked.stop and own.stop is not None:
        told.append(f"stop {own.stop:.2%}")
    if given.target is not asked.target and own.target is not None:
        told.append(f"target {own.target:.2%}")
    if given.trail is not asked.trail and own.trail is not None:
        told.append(f"trail {own.trail:.2%}")
    if given.expires_in != asked.expires_in and own.entry_lifetime is not None:
        told.append(f"expires in {own.entry_lifetime:g} s")
    return ", ".join(told)


def key(symbol: str, field: str) -> str:
    """A symbol's setting, as the settings file writes it."""
    return f'symbols."{symbol}".{field}'
