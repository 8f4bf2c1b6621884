"""What a trader wished as what can be calculated with: a price told by another one, a size told by
the equity, a distance told by money.
"""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk import places, totals
from engine.desk.context import Context
from engine.desk.places import Basis, UntoldError
from engine.desk.sizing import base_size, usable
from engine.model.codes import RefusalCode
from engine.model.figures import ExpectedEntry
from engine.model.instrument import Instrument
from engine.model.intent import (
    Anchor,
    Anchored,
    EquityRisk,
    EquityShare,
    Notional,
    OpenBracket,
    Risk,
    RiskUnits,
)
from engine.model.money import ZERO
from engine.model.order import OrderType
from engine.model.place import Away, InR, Place, Worth
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.side import Side


def anchored(intent: OpenBracket, quote: Quote, instrument: Instrument) -> OpenBracket | Refusal:
    """The entry with its limit or trigger as a price, on the tick."""
    told = intent.anchored
    if told is None or (intent.price, intent.trigger) != (None, None):
        return intent
    price = anchor_price(told, intent.side, quote, instrument.tick)
    if not usable(price):
        return Refusal(RefusalCode.NOT_A_NUMBER, f"price {price:f}", "a number above zero")
    if intent.type is OrderType.STOP:
        return replace(intent, trigger=instrument.round_price(price))
    return replace(intent, price=instrument.round_bound(price, intent.side))


def anchor_price(told: Anchored, side: Side, quote: Quote, tick: Decimal) -> Decimal:
    """A price told by another one, as the market stands."""
    buys = side is Side.BUY
    base = {
        Anchor.BID: quote.bid,
        Anchor.ASK: quote.ask,
        Anchor.MID: quote.mid,
        Anchor.JOIN: quote.bid if buys else quote.ask,
        Anchor.IMPROVE: _improved(side, quote, tick),
    }[told.anchor]
    return base * (1 + told.fraction) + told.ticks * tick


def _improved(side: Side, quote: Quote, tick: Decimal) -> Decimal:
    """One tick better than the best of its own side, and never at the other side's."""
    if side is Side.BUY:
        return max(quote.bid, min(quote.bid + tick, quote.ask - tick))
    return min(quote.ask, max(quote.ask - tick, quote.bid + tick))


def in_money(ctx: Context, intent: OpenBracket, instrument: Instrument) -> OpenBracket | Refusal:
    """The entry with a size by the equity, or by units of risk, as a size by money."""
    size, account = intent.size, ctx.state.currency
    if not isinstance(size, EquityRisk | EquityShare | RiskUnits):
        return intent
    if not usable(size.amount):
        return Refusal(RefusalCode.NOT_A_NUMBER, str(size.amount), "a size above zero")
    if isinstance(size, RiskUnits):
        unit = ctx.rules.risk.unit
        if unit is None:
            return Refusal(
                RefusalCode.PRICE_MISSING, "size in units of risk", "the setting risk.unit"
            )
        return replace(intent, size=Risk(size.amount * unit))
    equity, _ = totals.equity(ctx)
    if equity <= ZERO:
        return Refusal(
            RefusalCode.INSUFFICIENT_FUNDS, "a share of the equity", f"{equity:f} {account}"
        )
    if isinstance(size, EquityRisk):
        return replace(intent, size=Risk(size.amount * equity))
    rate = ctx.board.rate(instrument.quote, account)
    if not rate:
        return Refusal(RefusalCode.NO_RATE, instrument.quote, account)
    return replace(intent, size=Notional(size.amount * equity / rate))


def stop_at_distance(
    ctx: Context, intent: OpenBracket, entry: ExpectedEntry
) -> OpenBracket | Refusal:
    """The entry with a stop by money as a distance: what fills of it only in part has the stop
    where all of it would have it.
    """
    stop = intent.stop
    if not isinstance(stop, InR | Worth):
        return intent
    if isinstance(intent.size, Risk):
        return Refusal(
            RefusalCode.PLACE_UNKNOWN, "the stop", "a size by risk needs it as a price, % or ticks"
        )
    size = base_size(ctx, entry, intent.size, None)
    if isinstance(size, Refusal):
        return size
    if size <= ZERO:
        return intent
    try:
        told = places.of_entry(ctx, entry, size, None).loss(stop)
    except UntoldError as error:
        return Refusal(RefusalCode.PLACE_UNKNOWN, error.value, error.bound)
    return replace(intent, stop=_distance(told, entry.price))


def gains_at_distance(intent: OpenBracket, basis: Basis, entry: Decimal) -> OpenBracket:
    """The entry with targets and rules by money as distances; those by R stay, because R grows with
    what fills. Raises UntoldError.
    """

    def fixed(place: Place) -> Place:
        return _distance(basis.gain(place), entry) if isinstance(place, Worth) else place

    trail, rule = intent.trail, intent.break_even
    return replace(
        intent,
        target=None if intent.target is None else fixed(intent.target),
        partials=tuple(replace(one, place=fixed(one.place)) for one in intent.partials),
        trail=(
            trail
            if trail is None or trail.begins is None
            else replace(trail, begins=fixed(trail.begins))
        ),
        break_even=None if rule is None else replace(rule, after=fixed(rule.after)),
    )


def _distance(place: Place, entry: Decimal) -> Place:
    price = getattr(place, "price", entry)
    return Away(abs(price - entry) / entry)
