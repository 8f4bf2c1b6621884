"""A price that a person wants to be told of."""

from decimal import Decimal

from msgspec import Struct

from engine.model.money import grouped


class PriceAlert(Struct, frozen=True, gc=False):
    """Told once, when the market is there: a rise once the bid is at the price, a fall once the ask
    is.
    """

    id: str
    symbol: str
    price: Decimal
    rises: bool
    """Whether it waits for the price to come from below."""
    set_at: int
    number: int
    """What people call it, #15 for short; orders and price alerts are counted together."""
    text: str = ""
    """What the person wrote to it."""

    @property
    def words(self) -> str:
        """The price that it waits for, as the command line writes it."""
        return f"{'>' if self.rises else '<'} {grouped(self.price)}"

    @property
    def told(self) -> str:
        """The same, with what the person wrote to it."""
        return f"{self.words}: {self.text}" if self.text else self.words
