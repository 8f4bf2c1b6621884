"""From what was asked to what can be sent: typed sizes into lots, places into ticks, bounds into
prices.
"""

from decimal import Decimal

from engine.desk.context import Context
from engine.model.codes import RefusalCode
from engine.model.figures import ExpectedEntry
from engine.model.instrument import Instrument
from engine.model.intent import Base, Notional, OpenBracket, Risk, Size
from engine.model.money import ZERO
from engine.model.order import OrderType
from engine.model.place import At, Away, Place, Ticks
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.side import Side


def usable(value: Decimal) -> bool:
    """Whether a number that somebody typed can be calculated with: finite, above zero, and of a
    sane magnitude.
    """
    return value.is_finite() and value > ZERO and abs(value.adjusted()) <= 18


def reference_price(intent: OpenBracket, quote: Quote) -> Decimal:
    """The price at which the entry is expected to fill."""
    if intent.type is OrderType.LIMIT and intent.price is not None:
        return (
            min(intent.price, quote.ask)
            if intent.side is Side.BUY
            else max(intent.price, quote.bid)
        )
    if intent.type is OrderType.STOP and intent.trigger is not None:
        return intent.trigger
    return quote.ask if intent.side is Side.BUY else quote.bid


def stop_price(place: Place, entry: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """Where a stop stands, on the tick, never further from the entry than asked. A place by what
    the trade ends with is told by `places.Worthwhile` first.
    """
    return instrument.round_stop(_placed(place, entry, side.opposite, instrument), side.opposite)


def target_price(place: Place, entry: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """Where a target stands, on the tick, never nearer than asked."""
    price = _placed(place, entry, side, instrument)
    return (
        instrument.round_stop(price, side.opposite)
        if side is Side.BUY
        else instrument.round_stop(price, Side.BUY)
    )


def _placed(place: Place, entry: Decimal, towards: Side, instrument: Instrument) -> Decimal:
    """A place as a price; a distance goes where a buyer (or a seller) would pay worse."""
    if isinstance(place, At):
        return place.price
    if isinstance(place, Away):
        return towards.worse(entry, place.fraction)
    if isinstance(place, Ticks):
        return entry + place.count * instrument.tick * towards.sign
    raise ValueError(f"{place} is told by what the trade ends with, not by its entry")


def base_size(
    ctx: Context, entry: ExpectedEntry, size: Size, stop: Decimal | None
) -> Decimal | Refusal:
    """The size in lots, rounded down; a refusal where it can't be told. A risk is what is lost at
    the stop, both fees included.
    """
    instrument = entry.instrument
    if not usable(size.amount):
        return Refusal(RefusalCode.NOT_A_NUMBER, str(size.amount), "a size above zero")
    match size:
        case Base(amount):
            return instrument.round_size(amount)
        case Notional(amount):
            return instrument.round_size(instrument.size_for(amount, entry.price))
        case Risk(amount):
            if stop is None:
                return Refusal(
                    RefusalCode.PRICE_MISSING, "risk", "a stop: the risk is what is lost there"
                )
            if entry.risk(instrument.lot, stop) <= ZERO:
                return Refusal(
                    RefusalCode.STOP_WRONG_SIDE, f"{stop}", f"the entry at {entry.price}"
                )
            rate = ctx.board.rate(instrument.settle, ctx.state.currency)
            if rate is None:
                return Refusal(RefusalCode.NO_RATE, instrument.settle, ctx.state.currency)
            return entry.size_of(amount / rate, stop)
        case _:
            raise ValueError(f"{size} is told by the equity: `wishes.in_money` first")
