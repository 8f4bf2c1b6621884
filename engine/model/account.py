"""Cash in several currencies, and what it is worth in one."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from engine.model.money import ZERO

Rate = Callable[[str, str], Decimal | None]
"""From a currency to another: units of the second for one of the first; None where no price is
known.
"""


def worth(cash: Mapping[str, Decimal], currency: str, rate: Rate) -> tuple[Decimal, frozenset[str]]:
    """The sum of `cash` in `currency`, and the currencies left out because no rate is known."""
    total, left_out = ZERO, set()
    for name, amount in cash.items():
        if not amount:
            continue
        price = rate(name, currency)
        if price is None:
            left_out.add(name)
        else:
            total += amount * price
    return total, frozenset(left_out)


def add_cash(cash: Mapping[str, Decimal], currency: str, amount: Decimal) -> dict[str, Decimal]:
    """`cash` with `amount` of `currency` more (or, negative, less)."""
    return {**cash, currency: cash.get(currency, ZERO) + amount}
