"""How a position stood at a moment."""

from decimal import Decimal

from msgspec import Struct


class PositionSnapshot(Struct, frozen=True, gc=False):
    """What the journal keeps of a position once a minute and at each change. Money is in
    `currency`, what the position settles in.
    """

    at: int
    """Nanoseconds since 1970 UTC."""
    position: str
    symbol: str
    side: str
    size: Decimal
    """Zero once it is closed."""
    entry: Decimal | None
    mark: Decimal | None
    """The price at which it could be closed; None while none is known."""
    unrealised: Decimal | None
    """Before the exit's fee."""
    stop: Decimal | None
    """Where the working stop or the guard stands."""
    at_stop: Decimal | None
    """Net if that stop fills at its price; None where it is unbounded."""
    protection: str
    currency: str
