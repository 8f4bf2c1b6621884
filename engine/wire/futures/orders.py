"""Orders as Kraken Futures is asked for them: parameters in, an order and its terms out; or what is
wrong.

Source of names, statuses and reasons: Kraken API centre, Futures REST, send order and edit order,
read 2026-11.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from msgspec import Struct

from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role, TimeInForce, Trail
from engine.model.side import Side
from engine.wire.futures.products import Product, Products
from engine.wire.futures.times import nanoseconds
from engine.wire.terms import Terms
from engine.wire.world import World

Fields = Mapping[str, str]
TYPES = {
    "lmt": OrderType.LIMIT,
    "post": OrderType.LIMIT,
    "ioc": OrderType.LIMIT,
    "fok": OrderType.LIMIT,
    "mkt": OrderType.MARKET,
    "stp": OrderType.STOP,
    "take_profit": OrderType.TAKE_PROFIT,
    "trailing_stop": OrderType.TRAILING_STOP,
}
AT_ONCE = frozenset({"ioc", "fok", "mkt"})
"""Types that never rest."""
STOPPED = frozenset({"stp", "take_profit"})
SIGNALS = frozenset({"mark", "index", "spot", "last"})
UNITS = frozenset({"PERCENT", "QUOTE_CURRENCY"})
PROTECTION = Decimal("0.01")
"""A market order takes no price further than this from the best one."""
COLLAR = 10
"""A limit that crosses may be this many times the mark price, or that part of it."""
LONGEST = 100
DIGITS = 20
"""Before or after the point: no more are looked at."""
DEVIATIONS = Decimal("0.1"), Decimal(50)
"""Percent."""
STATUSES = (
    ("EOrder:cl_ord_id", "clientOrderIdAlreadyExist", "CLIENT_ORDER_ID_IN_USE"),
    ("EService:Deadline elapsed", "wouldProcessAfterSpecifiedTime", ""),
    ("EService:Market in cancel_only", "marketSuspended", "MARKET_SUSPENDED"),
    ("EService:Market in post_only", "marketIsPostOnly", "MARKET_IS_POST_ONLY"),
    ("EGeneral:Invalid arguments:volume", "invalidSize", "INVALID_QUANTITY"),
    ("EGeneral:Invalid arguments:price", "invalidPrice", "INVALID_PRICE"),
    ("EOrder:Tick size", "invalidPrice", "INVALID_PRICE"),
    ("EOrder:Order minimum", "invalidSize", "INVALID_QUANTITY"),
    ("EOrder:Cost minimum", "invalidSize", "INVALID_QUANTITY"),
    ("EOrder:Orders limit", "tooManySmallOrders", "SMALL_ORDER_LIMIT_EXCEEDED"),
    ("EOrder:Post only", "postWouldExecute", "POST_WOULD_EXECUTE"),
    ("EOrder:Reduce only", "wouldNotReducePosition", "WOULD_NOT_REDUCE_POSITION"),
    ("EOrder:Insufficient", "insufficientAvailableFunds", "INSUFFICIENT_MARGIN"),
    ("EOrder:Fill or kill", "iocWouldNotExecute", "IOC_WOULD_NOT_EXECUTE"),
    ("Immediate or cancel", "iocWouldNotExecute", "IOC_WOULD_NOT_EXECUTE"),
)
"""From how the matching engine's text begins to the status and the reason."""


class RequestError(Exception):
    """The whole request is refused: `{"result": "error", "error": ...}`."""


class OrderError(Exception):
    """The order is: a status, and the reason of its event."""

    def __init__(self, status: str, reason: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.reason = reason


class Wanted(Struct, frozen=True):
    """An order that makes sense; whether it is taken is for the matching engine to say."""

    order: Order
    terms: Terms
    product: Product


def status_of(text: str) -> tuple[str, str]:
    """What the matching engine's words are here: status and reason."""
    return next(
        ((status, reason) for begin, status, reason in STATUSES if text.startswith(begin)),
        ("invalidSize", "INVALID_QUANTITY"),
    )


def number(fields: Fields, name: str) -> Decimal | None:
    """A parameter that is a number; None where it is missing. Raises RequestError."""
    text = fields.get(name, "")
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise RequestError(f"invalidArgument: {name}") from None
    if not found.is_finite() or abs(found.adjusted()) > DIGITS:
        raise RequestError(f"invalidArgument: {name}")
    return found


def integer(fields: Fields, name: str) -> int | None:
    """A parameter that is a count or a time; None where it is missing. Raises RequestError."""
    text = fields.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise RequestError(f"invalidArgument: {name}")
    return int(text) if text else None


def price(fields: Fields, name: str) -> Decimal | None:
    """A parameter that is a price. Raises RequestError, OrderError."""
    found = number(fields, name)
    if found is not None and found <= ZERO:
        raise OrderError("invalidPrice", "INVALID_PRICE")
    return found


def flag(fields: Fields, name: str) -> bool:
    """A parameter that is true or false. Raises RequestError."""
    text = fields.get(name, "false").lower()
    if text not in ("true", "false", ""):
        raise RequestError(f"invalidArgument: {name}")
    return text == "true"


def deadline(fields: Fields, now: int) -> int | None:
    """Until when the request may be carried out. Raises RequestError, OrderError."""
    text = fields.get("processBefore", "")
    if not text:
        return None
    at = nanoseconds(text)
    if at is None:
        raise RequestError("invalidArgument: processBefore")
    if at < now:
        raise OrderError("wouldProcessAfterSpecifiedTime")
    return at


def _product(fields: Fields, products: Products) -> Product:
    """What an order is about. Raises RequestError."""
    if any(not fields.get(name) for name in ("orderType", "symbol", "side", "size")):
        raise RequestError("requiredArgumentMissing")
    product = products.find(fields["symbol"])
    if product is None:
        raise RequestError("contractNotFound")
    return product


def parse(
    fields: Fields, products: Products, world: World, leverage: Mapping[str, Decimal]
) -> Wanted:
    """Parameters of sendorder. Raises RequestError, OrderError."""
    product, kind = _product(fields, products), fields["orderType"]
    if kind not in TYPES:
        raise OrderError("invalidOrderType")
    if fields["side"] not in ("buy", "sell"):
        raise OrderError("invalidSide")
    side, size = Side(fields["side"]), number(fields, "size")
    if size is None or size <= ZERO:
        raise OrderError("invalidSize", "INVALID_QUANTITY")
    client = fields.get("cliOrdId", "")
    if len(client) > LONGEST:
        raise OrderError("clientOrderIdTooLong", "CLIENT_ORDER_ID_TOO_LONG")
    limit, trigger, trail = _prices(fields, kind, side, product, world)
    signal = fields.get("triggerSignal", "") or world.profile.triggers[0]
    if signal not in SIGNALS:
        raise RequestError("invalidArgument: triggerSignal")
    at_once = {"ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
    order = Order(
        "-",
        "",
        product.symbol,
        side,
        OrderType.STOP_LIMIT if kind == "stp" and limit is not None else TYPES[kind],
        Role.ENTRY,
        size,
        price=limit,
        trigger=trigger,
        trail=trail,
        time_in_force=at_once.get(kind, TimeInForce.GTC),
        post_only=kind == "post",
        reduce_only=flag(fields, "reduceOnly"),
        leverage=leverage.get(product.symbol),
        deadline=deadline(fields, world.now()),
    )
    _within(order, product, world)
    return Wanted(order, Terms(client=client, kind=kind, trigger=signal), product)


def _prices(
    fields: Fields, kind: str, side: Side, product: Product, world: World
) -> tuple[Decimal | None, Decimal | None, Trail | None]:
    limit, trigger = price(fields, "limitPrice"), price(fields, "stopPrice")
    best = world.exchange.books[product.symbol].mark(side.opposite)
    if kind == "mkt":
        return (
            None
            if best is None
            else product.instrument.round_bound(side.worse(best, PROTECTION), side),
            None,
            None,
        )
    if kind == "trailing_stop":
        return None, None, _trail(fields, side, product, world)
    if kind in STOPPED:
        if trigger is None:
            raise RequestError("requiredArgumentMissing")
        offset = _offset(fields, trigger)
        if offset is not None and limit is not None:
            raise OrderError("invalidPrice", "LIMIT_PRICE_SET_AS_ABSOLUTE_AND_RELATIVE")
        return (
            limit if offset is None else product.instrument.round_price(trigger + offset),
            trigger,
            None,
        )
    if limit is None:
        raise RequestError("requiredArgumentMissing")
    return limit, None, None


def _offset(fields: Fields, trigger: Decimal) -> Decimal | None:
    """How far from its trigger the limit of an order is, signed."""
    value, unit = number(fields, "limitPriceOffsetValue"), fields.get("limitPriceOffsetUnit", "")
    if value is None and not unit:
        return None
    if value is None or unit not in UNITS:
        raise OrderError("invalidPrice", "LIMIT_PRICE_OFFSET_MUST_HAVE_VALUE_AND_UNIT")
    return trigger * value / 100 if unit == "PERCENT" else value


def _trail(fields: Fields, side: Side, product: Product, world: World) -> Trail:
    deviation, unit = (
        number(fields, "trailingStopMaxDeviation"),
        fields.get("trailingStopDeviationUnit", ""),
    )
    if deviation is None or unit not in UNITS:
        raise RequestError("requiredArgumentMissing")
    mark = world.exchange.books[product.symbol].mark(side.opposite)
    if mark is None:
        raise OrderError(
            "marketSuspended",
            "NO_REFERENCE_PRICE_AVAILABLE_FOR_CALCULATING_TRAILING_STOP_TRIGGER_PRICE",
        )
    limit = _offset(fields, mark)
    least, most = DEVIATIONS if unit == "PERCENT" else (product.instrument.tick, mark)
    if deviation < least:
        raise OrderError("invalidPrice", "TRAILING_STOP_MAX_DEVIATION_TOO_SMALL")
    if deviation > most:
        raise OrderError("invalidPrice", "TRAILING_STOP_MAX_DEVIATION_TOO_LARGE")
    return (
        Trail(fraction=deviation / 100, limit=limit)
        if unit == "PERCENT"
        else Trail(amount=deviation, limit=limit)
    )


def _within(order: Order, product: Product, world: World) -> None:
    """Against fat fingers: limits far through the market, and positions beyond what is allowed."""
    exchange = world.exchange
    mark = exchange.mid(order.symbol)
    if order.type is OrderType.LIMIT and order.price is not None and mark is not None:
        buys = order.side is Side.BUY
        if order.price >= mark * COLLAR if buys else order.price <= mark / COLLAR:
            raise OrderError("outsidePriceCollar", "PRICE_COLLAR")
    held = exchange.ledger.held(product.instrument)
    if not order.reduce_only and abs(held + order.size * order.side.sign) > max(
        product.most, abs(held)
    ):
        raise OrderError("maxPositionViolation", "MAX_POSITION_EXCEEDED")
