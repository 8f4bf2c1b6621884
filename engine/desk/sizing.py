"""From what was asked to what can be sent: typed sizes into lots, places into ticks, bounds into prices."""

from decimal import Decimal

from engine.desk.context import Context
from engine.model.instrument import Instrument
from engine.model.intent import At, Base, Notional, OpenBracket, Place, Risk, Size
from engine.model.money import ONE, ZERO
from engine.model.order import OrderType
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.side import Side


def usable(value: Decimal) -> bool:
    """Whether a number that somebody typed can be calculated with: finite, above zero, and of a sane magnitude."""
    return value.is_finite() and value > ZERO and abs(value.adjusted()) <= 18


def reference_price(intent: OpenBracket, quote: Quote) -> Decimal:
    """The price at which the entry is expected to fill."""
    if intent.type is OrderType.LIMIT and intent.price is not None:
        return min(intent.price, quote.ask) if intent.side is Side.BUY else max(intent.price, quote.bid)
    if intent.type is OrderType.STOP and intent.trigger is not None:
        return intent.trigger
    return quote.ask if intent.side is Side.BUY else quote.bid


def stop_price(place: Place, entry: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """Where a stop stands, on the tick, never further from the entry than asked."""
    price = place.price if isinstance(place, At) else side.opposite.worse(entry, place.fraction)
    return instrument.round_stop(price, side.opposite)


def target_price(place: Place, entry: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """Where a target stands, on the tick, never nearer than asked."""
    price = place.price if isinstance(place, At) else side.worse(entry, place.fraction)
    return instrument.round_stop(price, side.opposite) if side is Side.BUY else instrument.round_stop(price, Side.BUY)


def loss_per_unit(instrument: Instrument, side: Side, entry: Decimal, stop: Decimal) -> Decimal:
    """What one unit of size loses between entry and stop, both taker fees included (settle currency)."""
    entered, left = instrument.value(ONE, entry), instrument.value(ONE, stop)
    fees = (entered + left) * instrument.fee_tiers[0].taker
    return -instrument.profit(side, ONE, entered, left) + fees


def base_size(ctx: Context, instrument: Instrument, size: Size, side: Side, entry: Decimal, stop: Decimal | None) -> Decimal | Refusal:
    """The size in lots, rounded down; a refusal where it can't be told."""
    if not usable(size.amount):
        return Refusal("NOT_A_NUMBER", str(size.amount), "a size above zero")
    match size:
        case Base(amount):
            return instrument.round_size(amount)
        case Notional(amount):
            return instrument.round_size(instrument.size_for(amount, entry))
        case Risk(amount):
            if stop is None:
                return Refusal("PRICE_MISSING", "risk", "a stop: the risk is what is lost there")
            loss = loss_per_unit(instrument, side, entry, stop)
            if loss <= ZERO:
                return Refusal("STOP_WRONG_SIDE", f"{stop}", f"the entry at {entry}")
            rate = ctx.board.rate(instrument.settle, ctx.state.currency)
            if rate is None:
                return Refusal("NO_RATE", instrument.settle, ctx.state.currency)
            return instrument.round_size(amount / (loss * rate))


def break_even_price(instrument: Instrument, side: Side, entry: Decimal, taker: Decimal) -> Decimal:
    """The exit price at which a trade ends at zero after an entry and an exit at the rate `taker`, on the tick, rounded to our favour.

    Linear and spot: entry * (1 + f) / (1 - f) for a long, the inverse fraction for a short. Inverse contracts pay 1/price, so the same
    holds with the roles of the fractions exchanged, to first order; the rounding covers the rest.
    """
    exact = entry * (1 + taker) / (1 - taker) if side is Side.BUY else entry * (1 - taker) / (1 + taker)
    return instrument.round_stop(exact, Side.SELL if side is Side.BUY else Side.BUY)
