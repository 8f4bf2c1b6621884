"""What Kraken spot makes of the executions of one taker order over REST: one row, unless
`consolidate_taker` says otherwise.

Documented for TradesHistory, QueryOrders and ClosedOrders with default true (read 2026-11); the
stream has no such option and tells each execution. The id of a merged row is not documented. Here
it is one that no stream has told.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import Struct

from engine.model.fill import Fill, Liquidity
from engine.wire.spot.errors import invalid


class Told(Struct, frozen=True):
    """One row of REST: an execution, or all that one order took."""

    name: str
    fills: tuple[Fill, ...]
    """Oldest first; never empty."""

    @property
    def at(self) -> int:
        """The time of the latest of them."""
        return self.fills[-1].at

    @property
    def size(self) -> Decimal:
        """In the base currency."""
        return sum((fill.size for fill in self.fills), Decimal(0))

    @property
    def cost(self) -> Decimal:
        """In the quote currency."""
        return sum((fill.size * fill.price for fill in self.fills), Decimal(0))

    @property
    def fee(self) -> Decimal:
        """In the currency of the fee."""
        return sum((fill.fee for fill in self.fills), Decimal(0))


def consolidates(fields: Mapping[str, str]) -> bool:
    """Whether a question wants a taker's executions as one. Raises OrderError."""
    text = fields.get("consolidate_taker", "true").lower()
    if text not in ("true", "false", "1", "0", ""):
        raise invalid("consolidate_taker")
    return text not in ("false", "0")


def merged_name(order: str) -> str:
    """The id of what an order took as one: executions and orders count together, so that no
    execution has it.
    """
    return f"T{order[1:]}"


def told(fills: Iterable[Fill], *, together: bool) -> list[Told]:
    """Executions as rows, oldest first; `together`: those that one order took are one row."""
    rows: dict[str, list[Fill]] = {}
    for fill in fills:
        merges = together and fill.liquidity is Liquidity.TAKER and fill.client_order_id
        rows.setdefault(
            merged_name(fill.client_order_id) if merges else fill.execution_id, []
        ).append(fill)
    return [
        Told(name if len(found) > 1 else found[0].execution_id, tuple(found))
        for name, found in rows.items()
    ]
