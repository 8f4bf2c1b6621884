"""An order as Kraken describes it, with two prices whose meaning its type says."""

from decimal import Decimal

from msgspec.structs import replace

from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role, Status
from engine.model.side import Side

TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "iceberg": OrderType.LIMIT,
    "stop-loss": OrderType.STOP,
    "stop-loss-limit": OrderType.STOP_LIMIT,
    "take-profit": OrderType.TAKE_PROFIT,
    "take-profit-limit": OrderType.TAKE_PROFIT,
    "trailing-stop": OrderType.STOP,
    "trailing-stop-limit": OrderType.STOP_LIMIT,
    "settle-position": OrderType.MARKET,
}


def above_zero(text: str) -> Decimal | None:
    """A price; None for zero, for nothing, and for one that is relative."""
    if not text or text[0] in "+-#" or text.endswith("%"):
        return None
    found = Decimal(text)
    return found if found > ZERO else None


# over 40 lines: one line for each field that is told, twice
def order_from_fields(
    client: str,
    identity: str,
    symbol: str,
    side: Side,
    kind: str,
    size: Decimal,
    *,
    first: str,
    second: str,
    stop: str,
    filled: Decimal,
    value: Decimal,
    status: Status,
    reduce_only: bool,
    created_at: int,
    foreign: bool,
    reason: str,
    known: Order | None,
    leverage: Decimal | None,
) -> Order:
    """An order from Kraken's two prices: the limit of a limit order, the trigger and the limit of
    the others.
    """
    type_ = TYPES.get(kind, OrderType.LIMIT)
    price, trigger = above_zero(first), None
    if kind.startswith(("stop-loss", "take-profit", "trailing")):
        trigger = above_zero(stop) if kind.startswith("trailing") else price
        price = above_zero(second)
    told = Order(
        client,
        "",
        symbol,
        side,
        type_,
        Role.ENTRY,
        size,
        price=price,
        trigger=trigger,
        reduce_only=reduce_only,
        leverage=leverage,
        status=status,
        filled=filled,
        value=value,
        venue_order_id=identity,
        created_at=created_at,
        touched_at=created_at,
        foreign=foreign,
        reason=reason,
    )
    return told if known is None else _kept(known, told)


def _kept(known: Order, told: Order) -> Order:
    """An order of ours as it is told now: a close with a bound is sent as a limit, and a stop of
    ours keeps its kind.
    """
    return replace(
        known,
        venue_order_id=told.venue_order_id,
        size=told.size,
        price=told.price
        if told.price is not None
        else known.price
        if known.type is OrderType.MARKET
        else None,
        trigger=told.trigger,
        filled=told.filled,
        value=told.value,
        status=told.status,
        reason=told.reason,
    )
