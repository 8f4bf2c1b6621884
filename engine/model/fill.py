"""One execution of one of our orders."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from engine.model.instrument import Instrument, Kind
from engine.model.money import ZERO
from engine.model.side import Side


class Liquidity(StrEnum):
    """Who was there first."""

    MAKER = "maker"
    TAKER = "taker"


class Fill(Struct, frozen=True, gc=False):
    """An execution as the venue reported it. Idempotent on `execution_id`."""

    execution_id: str
    client_order_id: str
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    fee: Decimal
    """Positive is paid, negative is a rebate."""
    fee_currency: str
    liquidity: Liquidity
    at: int
    position: str = ""

    def __post_init__(self) -> None:
        for name in ("price", "size"):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or value <= ZERO:
                raise ValueError(
                    f"execution {self.execution_id}: {name} is {value}; it must be above zero"
                )
        if not self.fee.is_finite():
            raise ValueError(
                f"execution {self.execution_id}: fee is {self.fee}; it must be a number"
            )

    def part(self, name: str, size: Decimal, position: str) -> "Fill":
        """A share of it that closes one of several positions; fees are split by size."""
        return replace(
            self, execution_id=name, size=size, fee=self.fee * size / self.size, position=position
        )

    def base_change(self, instrument: Instrument, leverage: Decimal | None = None) -> Decimal:
        """Signed change of what is held at this leverage, net of a fee that was taken from the
        coins.
        """
        change = self.size * self.side.sign
        if instrument.moves_coins(leverage) and self.fee_currency == instrument.base:
            change -= self.fee
        return change

    def change_of(self, currency: str, instrument: Instrument) -> Decimal:
        """Signed change of what the account has of a currency, where coins change hands."""
        if instrument.kind is not Kind.SPOT:
            return ZERO
        change = -self.fee if self.fee_currency == currency else ZERO
        if instrument.base == currency:
            change += self.size * self.side.sign
        if instrument.quote == currency:
            change -= self.size * self.price * self.side.sign
        return change

    def fee_value(self, instrument: Instrument) -> Decimal | None:
        """The fee in the settle currency, valued at the fill's own price; None for a third
        currency.
        """
        if self.fee_currency == instrument.settle:
            return self.fee
        if self.fee_currency == instrument.base:
            return self.fee * self.price
        if self.fee_currency == instrument.quote:
            return self.fee / self.price
        return None
