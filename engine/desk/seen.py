"""What you saw is what you send: an intent that says which picture of the market its trader saw is
refused where the market is not that any more.

The rule is asked when the desk decides, with the price that the desk has then. It bounds what an
order means that is told by the market (join, improve, market): at most `ladder.drift` ticks from
what was painted.
"""

from decimal import Decimal

from engine.desk.context import SECOND, Context
from engine.model import intent as i
from engine.model.codes import RefusalCode
from engine.model.money import ZERO
from engine.model.order import OrderType
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.side import Side


def refusal(ctx: Context, intent: i.AnyIntent) -> Refusal | None:
    """Why what was seen does not hold any more; None where it does, or where nothing was said."""
    seen = intent.seen
    if seen is None:
        return None
    rules, instrument = ctx.rules.ladder, ctx.state.instruments.get(seen.symbol)
    if instrument is None:
        return Refusal(RefusalCode.UNKNOWN_SYMBOL, seen.symbol, ", ".join(ctx.state.instruments))
    # a picture of a later time is another engine's
    age = abs(ctx.now - seen.at) / SECOND / ctx.board.speed
    if age > rules.max_age:
        return Refusal(RefusalCode.PICTURE_OLD, f"{age:.1f} s", f"{rules.max_age:g} s")
    quote = ctx.quote(seen.symbol)
    if quote is None:
        return Refusal(RefusalCode.NO_PRICE, seen.symbol)
    moved = max(abs(quote.bid - seen.bid), abs(quote.ask - seen.ask)) / instrument.tick
    if moved > rules.drift:
        bound = f"{rules.drift} (ladder.drift)"
        return Refusal(RefusalCode.MARKET_MOVED, f"{moved.normalize():f} ticks", bound)
    return _crossing(ctx, intent, quote)


def _crossing(ctx: Context, intent: i.AnyIntent, quote: Quote) -> Refusal | None:
    """A limit that crosses by more than the spread is no limit that somebody meant."""
    side, price = _limit(ctx, intent)
    if side is None or price is None:
        return None
    best = quote.ask if side is Side.BUY else quote.bid
    if (price - best) * side.sign > max(quote.ask - quote.bid, ZERO):
        return Refusal(RefusalCode.WOULD_CROSS, f"{price:f}", f"{best:f}")
    return None


def _limit(ctx: Context, intent: i.AnyIntent) -> tuple[Side | None, Decimal | None]:
    """Side and price of the limit that an intent asks for."""
    if isinstance(intent, i.OpenBracket) and intent.type is OrderType.LIMIT:
        return intent.side, intent.price
    if isinstance(intent, i.LeaveAt):
        position = ctx.state.positions.get(intent.position)
        return (None if position is None else position.exits_by), intent.price
    if isinstance(intent, i.AmendOrder):
        order = ctx.state.orders.get(intent.order)
        if order is not None and order.type is OrderType.LIMIT:
            return order.side, intent.price
    return None, None
