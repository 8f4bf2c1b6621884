"""What the venue refuses before it takes an order or a change of one, in Kraken's words; an empty
text admits.

Open orders keep balances from each other; they keep no margin: that is looked at when an order
comes in.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec.structs import replace

from engine.exchange.ledger import reserved
from engine.exchange.matching import Matching
from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE, ZERO, is_on_grid
from engine.model.order import TRIGGERED, Order, OrderType
from engine.model.request import Amend
from engine.model.side import Side

Rule = Callable[[Matching, Order, Instrument, int], str]


def refusal(venue: Matching, order: Order, now: int) -> str:
    """Why a new order is refused: the first rule that it breaks."""
    instrument = venue.instruments.get(order.symbol)
    if instrument is None:
        return "EQuery:Unknown asset pair"
    return next((text for rule in NEW if (text := rule(venue, order, instrument, now))), "")


def refused_change(venue: Matching, order: Order, changed: Order, now: int) -> str:
    """Why an amend is refused; `order` is as it works, `changed` as it would."""
    if not venue.profile.amend:
        return "EGeneral:Unknown method"
    if order.trigger != changed.trigger and (order.triggered or order.trigger is None):
        return "EOrder:Order not editable"
    if (order.price is None) != (changed.price is None):
        return "EGeneral:Invalid arguments:price"
    instrument = venue.instruments[order.symbol]
    return next((text for rule in CHANGED if (text := rule(venue, changed, instrument, now))), "")


def senseless(request: Amend) -> str:
    """Why no order can be like this, whatever it was."""
    for name, value in (
        ("volume", request.size),
        ("price", request.price),
        ("price", request.trigger),
    ):
        if value is not None and not (value.is_finite() and value > ZERO):
            return f"EGeneral:Invalid arguments:{name}"
    return ""


def _in_time(venue: Matching, order: Order, _: Instrument, now: int) -> str:
    if order.deadline is not None and now > order.deadline:
        return "EService:Deadline elapsed"
    if order.expires_at is not None and order.expires_at <= now:
        return "EGeneral:Invalid arguments:expiretm"
    if order.client_order_id in venue.orders:
        return "EOrder:Invalid arguments:cl_ord_id is in use by an open order"
    return ""


def _complete(_venue: Matching, order: Order, _instrument: Instrument, _now: int) -> str:
    needs_price = order.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    needs_trigger = order.type in TRIGGERED and order.type is not OrderType.TRAILING_STOP
    if (needs_price and order.price is None) or (needs_trigger and order.trigger is None):
        return "EGeneral:Invalid arguments:price"
    if order.type is OrderType.TRAILING_STOP and order.trail is None:
        return "EGeneral:Invalid arguments:price"
    return ""


def _on_grids(_venue: Matching, order: Order, instrument: Instrument, _now: int) -> str:
    if not is_on_grid(order.size, instrument.lot):
        return "EGeneral:Invalid arguments:volume"
    if any(
        level is not None and not is_on_grid(level, instrument.tick)
        for level in (order.price, order.trigger)
    ):
        return "EOrder:Tick size check failed"
    return ""


def _large_enough(venue: Matching, order: Order, instrument: Instrument, _now: int) -> str:
    if order.size < instrument.min_size:
        return "EOrder:Order minimum not met"
    price = _reference(venue, order)
    if price is not None and instrument.notional(order.size, price) < instrument.min_cost:
        return "EOrder:Cost minimum not met"
    return ""


def _room(venue: Matching, order: Order, _instrument: Instrument, _now: int) -> str:
    return (
        "EOrder:Orders limit exceeded"
        if venue.open_in(order.symbol) >= venue.profile.max_open_orders
        else ""
    )


def _post_only(venue: Matching, order: Order, _instrument: Instrument, _now: int) -> str:
    if not order.post_only or order.type is not OrderType.LIMIT or order.price is None:
        return ""
    best = venue.books[order.symbol].mark(order.side.opposite)
    crosses = best is not None and (best - order.price) * order.side.sign <= ZERO
    return "EOrder:Post only order" if crosses else ""


def _reduce_only(venue: Matching, order: Order, _instrument: Instrument, _now: int) -> str:
    return (
        "EOrder:Reduce only:No position exists"
        if order.reduce_only and venue.reducible(order) <= ZERO
        else ""
    )


def _lends(_venue: Matching, order: Order, instrument: Instrument, _now: int) -> str:
    borrows = instrument.kind is Kind.SPOT and not instrument.moves_coins(order.leverage)
    return "EOrder:Margin allowance exceeded" if borrows and not instrument.can_short else ""


def _affordable(venue: Matching, order: Order, instrument: Instrument, _now: int) -> str:
    price = _reference(venue, order)
    if price is None:
        return "EService:Market in cancel_only mode"
    if instrument.moves_coins(order.leverage):
        currency, needed = reserved(replace(order, price=price), instrument, venue.opening(order))
        if needed <= venue.ledger.free(currency, order.client_order_id):
            return ""
        if instrument.max_leverage <= ONE or _on_hand(venue, order, instrument):
            return "EOrder:Insufficient funds"
    return "" if order.reduce_only else _margin(venue, order, instrument, price)


def _on_hand(venue: Matching, order: Order, instrument: Instrument) -> bool:
    """Whether a spot order is to be served from what is held, which others keep from it: no credit
    stands in for that.
    """
    if order.side is Side.BUY:
        return True
    free = venue.ledger.free(instrument.base, order.client_order_id)
    return min(venue.reducible(order), order.remaining) > max(free, ZERO)


def _margin(venue: Matching, order: Order, instrument: Instrument, price: Decimal) -> str:
    """Whether the equity carries what the order would open."""
    equity = venue.standing.equity()
    used, _ = venue.standing.margin()
    leverage = min(order.leverage or instrument.max_leverage, instrument.max_leverage)
    opening = venue.opening(order)
    rate = venue.rate(instrument.quote, venue.ledger.currency)
    if not opening or (
        rate is not None and used + instrument.notional(opening, price) * rate / leverage <= equity
    ):
        return ""
    return (
        "EOrder:Insufficient funds"
        if instrument.moves_coins(order.leverage)
        else "EOrder:Insufficient margin"
    )


def _reference(venue: Matching, order: Order) -> Decimal | None:
    """The price that an order is valued at before it trades."""
    return order.price or order.trigger or venue.books[order.symbol].mark(order.side.opposite)


NEW: tuple[Rule, ...] = (
    _in_time,
    _complete,
    _on_grids,
    _large_enough,
    _room,
    _post_only,
    _lends,
    _reduce_only,
    _affordable,
)
CHANGED: tuple[Rule, ...] = (_on_grids, _large_enough, _post_only, _affordable)
