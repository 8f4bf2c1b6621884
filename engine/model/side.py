"""Buy and sell, with their arithmetic."""

from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """The direction of an order or of a position's entry."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    def worse(self, price: Decimal, by: Decimal) -> Decimal:
        """`price` made worse for one who trades on this side, by the fraction `by`: up for a buy,
        down for a sell.
        """
        return price * (1 + by) if self is Side.BUY else price * (1 - by)

    def worse_of(self, one: Decimal, other: Decimal) -> Decimal:
        """The price that is worse for one who trades on this side: the higher for a buy."""
        return max(one, other) if self is Side.BUY else min(one, other)
