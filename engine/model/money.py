"""Exact arithmetic on money: Decimal in, Decimal out, on a venue's grid."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Context, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)

DOWN = ROUND_DOWN
UP = ROUND_UP
NEAREST = ROUND_HALF_EVEN

_EXACT = Context(prec=60, traps=[])
"""Enough digits that a count of steps is never itself rounded; what is beyond even these is on no
grid.
"""


def on_grid(value: Decimal, step: Decimal, rounding: str = DOWN) -> Decimal:
    """`value` moved to a multiple of `step`: toward zero (`DOWN`), away from it (`UP`) or to the
    `NEAREST`.
    """
    return _EXACT.divide(value, step).to_integral_value(rounding) * step


def is_on_grid(value: Decimal, step: Decimal) -> bool:
    """Whether `value` is a whole multiple of `step`."""
    return _EXACT.remainder(value, step) == ZERO


def grouped(value: Decimal) -> str:
    """The same for people: `62,100.5`."""
    text = plain(value)
    whole, point, rest = text.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{rest}"


def plain(value: Decimal) -> str:
    """`value` without exponent and without trailing zeros: `0.5`, `62100`, `0.00002853`."""
    if value == ZERO:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
