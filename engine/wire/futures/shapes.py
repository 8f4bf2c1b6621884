"""What Kraken Futures says of orders and executions over REST: the keys and types of its real
replies.

`quantity` is what has not filled, as recorded (ccxt#23469); only `orders/status` tells the whole
size.
"""

from decimal import Decimal
from typing import Any

from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import TRIGGERED, Order, OrderType, Status
from engine.model.side import Side
from engine.wire.futures.market import uid
from engine.wire.futures.orders import STOPPED, status_of
from engine.wire.futures.products import Product
from engine.wire.futures.times import iso, milliseconds
from engine.wire.terms import Terms

Json = dict[str, Any]
ACCOUNT = uid("account")
SIGNALS = {"mark": "mark_price", "last": "last_price", "spot": "spot_price", "index": "spot_price"}
HISTORIC = {"lmt": "Limit", "post": "Post", "ioc": "IoC", "fok": "FoK", "mkt": "Market"}
LISTED = {"stp": "stop", "take_profit": "take_profit", "trailing_stop": "trailing_stop"}
"""What open orders that wait for a trigger are called."""


def waits(order: Order) -> bool:
    """Whether the order has not become one yet: its trigger was not touched."""
    return order.type in TRIGGERED and not order.triggered


def kind_of(order: Order, terms: Terms) -> str:
    """The type once it is in the book: triggers become limits, or market orders."""
    if order.type in TRIGGERED:
        return (
            "ioc"
            if order.price is None and (order.trail is None or order.trail.limit is None)
            else "lmt"
        )
    return "ioc" if terms.kind in ("mkt", "") else terms.kind


def trigger_side(order: Order) -> str:
    """`above` or `below`: from where the trigger is touched."""
    rises = (order.side is Side.BUY) is not (order.type is OrderType.TAKE_PROFIT)
    return "above" if rises else "below"


def order_json(order: Order, terms: Terms, product: Product) -> Json:
    """An order in an event."""
    told: Json = {
        "orderId": order.client_order_id,
        "cliOrdId": terms.client or None,
        "type": kind_of(order, terms),
        "symbol": product.name,
        "side": order.side.value,
        "quantity": order.remaining,
        "filled": order.filled,
        "limitPrice": order.price,
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.created_at),
        "lastUpdateTimestamp": iso(order.touched_at or order.created_at),
    }
    if order.trigger is not None:
        told["stopPrice"] = order.trigger
    return told


def trigger_json(order: Order, terms: Terms, product: Product, level: Decimal | None) -> Json:
    """An order that waits, in an event."""
    return {
        "uid": order.client_order_id,
        "clientId": terms.client or None,
        "type": kind_of(order, terms),
        "symbol": product.name,
        "side": order.side.value,
        "quantity": order.remaining,
        "limitPrice": order.price,
        "triggerPrice": level,
        "triggerSide": f"trigger_{trigger_side(order)}",
        "triggerSignal": SIGNALS.get(terms.trigger, "mark_price"),
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.created_at),
        "lastUpdateTimestamp": iso(order.touched_at or order.created_at),
        "startTime": None,
    }


def _body(order: Order, terms: Terms, product: Product, level: Decimal | None) -> Json:
    if waits(order):
        return {"orderTrigger": trigger_json(order, terms, product, level)}
    return {"order": order_json(order, terms, product)}


def placed(order: Order, terms: Terms, product: Product, level: Decimal | None) -> Json:
    """The event of an order that rests, or waits."""
    told: Json = {**_body(order, terms, product, level), "type": "PLACE"}
    return told if waits(order) else {**told, "reducedQuantity": None}


def cancelled(order: Order, terms: Terms, product: Product, level: Decimal | None) -> Json:
    """The event of an order that ends by a request."""
    return {"uid": order.client_order_id, **_body(order, terms, product, level), "type": "CANCEL"}


def rejected(order: Order, terms: Terms, product: Product, reason: str) -> Json:
    """The event of an order that was not taken."""
    return {
        "uid": order.client_order_id,
        "reason": reason,
        **_body(order, terms, product, order.trigger),
        "type": "REJECT",
    }


def edited(old: Order, new: Order, terms: Terms, product: Product) -> Json:
    """The event of an order that was changed."""
    return {
        "old": order_json(old, terms, product),
        "new": order_json(new, terms, product),
        "reducedQuantity": None,
        "type": "EDIT",
    }


def executed(fill: Fill, prior: Order, terms: Terms, product: Product) -> Json:
    """The event of an execution; `prior` is the order before it."""
    return {
        "executionId": fill.execution_id,
        "price": fill.price,
        "amount": fill.size,
        "orderPriorEdit": None,
        "orderPriorExecution": order_json(prior, terms, product),
        "takerReducedQuantity": None,
        "type": "EXECUTION",
    }


def listed(
    order: Order, terms: Terms, product: Product, level: Decimal | None, *, sized: bool = True
) -> Json:
    """A row of openorders; without `sized`, a trigger that was not touched tells no `unfilledSize`
    (nautilus_trader#4492).
    """
    waiting = waits(order)
    row: Json = {
        "order_id": order.client_order_id,
        "symbol": product.name,
        "side": order.side.value,
        "orderType": LISTED[terms.kind]
        if waiting and terms.kind in LISTED
        else kind_of(order, terms),
        "unfilledSize": order.remaining,
        "receivedTime": iso(order.created_at),
        "status": "partiallyFilled" if order.filled else "untouched",
        "filledSize": order.filled,
        "reduceOnly": order.reduce_only,
        "lastUpdateTime": iso(order.touched_at or order.created_at),
    }
    if waiting and not sized:
        del row["unfilledSize"]
    if terms.client:
        row["cliOrdId"] = terms.client
    if order.price is not None:
        row["limitPrice"] = order.price
    if waiting:
        row |= {
            "stopPrice": level,
            "triggerSignal": "spot" if terms.trigger == "index" else terms.trigger,
        }
    return row


def state(order: Order, terms: Terms, product: Product, level: Decimal | None) -> Json:
    """A row of orders/status."""
    told: Json = {
        "type": "TRIGGER_ORDER" if waits(order) else "ORDER",
        "orderId": order.client_order_id,
        "cliOrdId": terms.client or None,
        "symbol": product.name,
        "side": order.side.value,
        "quantity": order.size,
        "filled": order.filled,
        "limitPrice": order.price,
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.created_at),
        "lastUpdateTimestamp": iso(order.closed_at or order.touched_at or order.created_at),
    }
    if waits(order):
        told["priceTriggerOptions"] = {
            "triggerPrice": level,
            "triggerSide": f"TRIGGER_{trigger_side(order).upper()}",
            "triggerSignal": SIGNALS.get(terms.trigger, "mark_price").upper(),
        }
        told["triggerTime"] = None
    status, reason = _standing(order, terms)
    error = status_of(order.reason)[1] if status == "REJECTED" else None
    return {"order": told, "status": status, "updateReason": reason, "error": error}


def unsure(row: Json) -> Json:
    """An order that executed, as it is told before its executions are (ccxt#28210)."""
    return {
        **row,
        "order": {**row["order"], "filled": ZERO},
        "status": "CANCELLED",
        "updateReason": "CANCELLED_BY_USER",
    }


def _standing(order: Order, terms: Terms) -> tuple[str, str | None]:
    match order.status:
        case Status.REJECTED:
            return "REJECTED", None
        case Status.FILLED:
            return "FULLY_EXECUTED", "FULL_FILL"
        case Status.CANCELLED | Status.EXPIRED:
            return "CANCELLED", ended_by(order, terms).upper()
        case _ if waits(order):
            return "TRIGGER_PLACED", None
        case _:
            return "ENTERED_BOOK", "PARTIAL_FILL" if order.filled else None


BY_REQUEST = "User requested"
ENDED = (
    (BY_REQUEST, "cancelled_by_user"),
    ("Liquidation", "liquidation"),
    ("Immediate or cancel", "ioc_order_failed_because_it_would_not_be_executed"),
    ("EOrder:Fill or kill", "ioc_order_failed_because_it_would_not_be_executed"),
    ("EOrder:Reduce only", "would_not_reduce_position"),
    ("EOrder:Insufficient", "not_enough_margin"),
    ("expired", "contract_expired"),
)


def ended_by(order: Order, _: Terms) -> str:
    """Why an order ended before it had filled, in the stream's words."""
    return next(
        (told for begin, told in ENDED if order.reason.startswith(begin)), "cancelled_by_user"
    )


def fill_row(fill: Fill, terms: Terms, product: Product) -> Json:
    """A row of fills; a liquidation belongs to no order of the account's."""
    row: Json = {
        "fill_id": fill.execution_id,
        "symbol": product.name,
        "side": fill.side.value,
        "order_id": order_of(fill),
        "size": fill.size,
        "price": fill.price,
        "fillTime": iso(fill.at),
        "fillType": fill_type(fill),
    }
    if terms.client:
        row["cliOrdId"] = terms.client
    return row


def order_of(fill: Fill) -> str:
    """The order of an execution; one of its own for a liquidation."""
    return fill.client_order_id or uid(f"liquidation {fill.execution_id}")


def fill_type(fill: Fill) -> str:
    """`maker`, `taker`, or that the exchange did it."""
    if not fill.client_order_id:
        return "liquidation"
    return "maker" if fill.liquidity is Liquidity.MAKER else "taker"


def historic(order: Order, terms: Terms, product: Product, filled: Decimal) -> Json:
    """An order in the history, when `filled` of it had filled."""
    return {
        "uid": order.client_order_id,
        "accountUid": ACCOUNT,
        "tradeable": product.name,
        "direction": order.side.value.title(),
        "quantity": f"{order.size - filled:f}",
        "filled": f"{filled:f}" if filled else "0",
        "timestamp": milliseconds(order.created_at),
        "limitPrice": "" if order.price is None else f"{order.price:f}",
        "orderType": HISTORIC.get(kind_of(order, terms), "Limit"),
        "clientId": terms.client,
        "reduceOnly": order.reduce_only,
        "lastUpdateTimestamp": milliseconds(order.touched_at or order.created_at),
    }


def historic_trigger(order: Order, terms: Terms, product: Product, level: Decimal | None) -> Json:
    """An order that waited for its trigger, in the history."""
    told = historic(order, terms, product, ZERO)
    told.pop("filled")
    signal = SIGNALS.get(terms.trigger, "mark_price").replace("_", " ").title().replace(" ", "")
    options = {
        "triggerPrice": f"{level or ZERO:f}",
        "triggerSignal": signal,
        "triggerSide": trigger_side(order).title(),
    }
    return told | {"accountId": "1", "triggerOptions": options}


def is_stop(terms: Terms) -> bool:
    """Whether its trigger can be edited."""
    return terms.kind in STOPPED
