"""What a client said of an order that the matching engine has no word for."""

from decimal import Decimal

import msgspec
from msgspec import Struct

from engine.model.order import Order


class Terms(Struct, frozen=True):
    """What a client said that the matching engine has no word for: kept in the order's label, and
    stored with it.
    """

    client: str = ""
    """The client's own order id; the matching engine goes by the exchange's."""
    kind: str = ""
    """The order type in the exchange's words."""
    userref: int | None = None
    flags: tuple[str, ...] = ()
    trigger: str = "last"
    price: str = "0"
    """As it is told back, which may be relative."""
    price2: str = "0"
    close: tuple[str, str, str] | None = None
    """Type, price and second price of the order that each fill brings."""
    display: Decimal | None = None
    primary: str = ""
    """The order whose fill brought this one."""
    leverage: str = "none"
    in_force: str = "GTC"
    starts_at: int = 0
    """When it was to begin (nanoseconds); zero: at once."""
    prevention: str = ""
    """Which order ends where this one would meet another of its account; empty where the exchange
    does not ask.
    """
    user: bool = True
    """Whether somebody asked for it, rather than the exchange."""


def terms_of(order: Order) -> Terms:
    """What the client said of an order."""
    return msgspec.json.decode(order.label, type=Terms) if order.label else Terms(user=False)
