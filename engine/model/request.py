"""What leaves the process, as data. The desk says it; the gateway decides when."""

from decimal import Decimal
from enum import IntEnum

from msgspec import Struct

from engine.model.order import Order


class Lane(IntEnum):
    """Order of the gateway's queue: the lower goes first."""

    EMERGENCY = 0
    """Flatten, repair of an over-close."""
    PROTECT = 1
    """Exits: stops placed and amended, closes."""
    CANCEL = 2
    FOLLOW = 3
    """A stop that works already follows the price: an improvement that may wait, for a guard
    follows anyway.
    """
    ENTRY = 4
    QUERY = 5


SPENDS_RESERVE = frozenset({Lane.EMERGENCY, Lane.PROTECT, Lane.CANCEL})
"""Lanes that may take the last tokens."""


class Submit(Struct, frozen=True, gc=False, tag="submit"):
    """Place an order."""

    order: Order
    lane: Lane


class Amend(Struct, frozen=True, gc=False, tag="amend"):
    """Change size, price or trigger of a working order; None leaves that as it is."""

    client_order_id: str
    symbol: str
    lane: Lane
    venue_order_id: str | None = None
    size: Decimal | None = None
    """The new total size, fills included."""
    price: Decimal | None = None
    trigger: Decimal | None = None
    touched_at: int = 0
    """When the order was created or last amended: some venues charge by its age."""


class Cancel(Struct, frozen=True, gc=False, tag="cancel"):
    """Cancel a working order."""

    client_order_id: str
    symbol: str
    lane: Lane
    venue_order_id: str | None = None
    touched_at: int = 0


class Query(Struct, frozen=True, gc=False, tag="query"):
    """Ask for one order by its client order id."""

    client_order_id: str
    symbol: str
    lane: Lane = Lane.QUERY


class QueryAccount(Struct, frozen=True, gc=False, tag="query_account"):
    """Ask for open orders, recent executions and balances."""

    since: int
    """Executions from this time on (nanoseconds)."""
    lane: Lane = Lane.QUERY
    on_margin: bool = False
    """Whether what a spot venue holds on margin is asked for, too: it is one question more. A
    derivatives venue tells it anyway.
    """


Request = Submit | Amend | Cancel | Query | QueryAccount


def subject(request: Request) -> str:
    """What a request is about: requests on the same thing leave one after the other."""
    match request:
        case Submit(order=order):
            return order.client_order_id
        case QueryAccount():
            return "account"
        case _:
            return request.client_order_id


def symbol_of(request: Request) -> str:
    """The symbol of a request; empty for the whole account."""
    match request:
        case Submit(order=order):
            return order.symbol
        case QueryAccount():
            return ""
        case _:
            return request.symbol
