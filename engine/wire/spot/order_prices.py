"""Prices of orders, which may be relative to the last one."""

import re
from collections.abc import Mapping
from decimal import Decimal

from engine.model.money import ZERO
from engine.model.order import Trail
from engine.model.side import Side
from engine.wire.spot.errors import invalid
from engine.wire.spot.fields import DIGITS
from engine.wire.spot.pairs import Pair

LIMITED = frozenset({"limit", "iceberg"})
TWO_PRICES = frozenset({"stop-loss-limit", "take-profit-limit"})
RELATIVE = re.compile(rf"([+\-#]?)([0-9]{{1,{DIGITS}}}(?:\.[0-9]{{1,{DIGITS}}})?)(%?)")


def level(text: str, name: str, side: Side, pair: Pair, reference: Decimal | None) -> Decimal:
    """A price that may be relative to the last one: `+5`, `-1%`, `#10`. Raises OrderError."""
    match = RELATIVE.fullmatch(text)
    if match is None:
        raise invalid(name)
    sign, digits, percent = match.groups()
    if not sign:
        if percent:
            raise invalid(name)
        return Decimal(digits)
    if reference is None:
        raise invalid(name)
    distance = reference * Decimal(digits) / 100 if percent else Decimal(digits)
    away = distance if sign == "+" or (sign == "#" and side is Side.SELL) else -distance
    return pair.instrument.round_price(reference + away)


def offset(text: str, name: str) -> tuple[Decimal, bool]:
    """A signed distance, and whether it is a percentage. Raises OrderError."""
    match = RELATIVE.fullmatch(text)
    if match is None or not match.group(1):
        raise invalid(name)
    value = Decimal(match.group(2))
    return (-value if match.group(1) == "-" else value), bool(match.group(3))


def prices_of(
    fields: Mapping[str, str], kind: str, side: Side, pair: Pair, reference: Decimal | None
) -> tuple[Decimal | None, Decimal | None, Trail | None]:
    """Limit, trigger and trail of an order. Raises OrderError."""
    first, second = fields.get("price", ""), fields.get("price2", "")
    if kind in ("market", "settle-position"):
        return None, None, None
    if first in ("", "0"):
        raise invalid("price")
    if kind.startswith("trailing"):
        return None, None, _trail(first, second, kind, side, pair, reference)
    price = level(first, "price", side, pair, reference)
    if kind in LIMITED:
        return price, None, None
    if kind not in TWO_PRICES:
        return None, price, None
    if second in ("", "0"):
        raise invalid("price2")
    if second[0] in "+-#":  # relative to the trigger
        return level(second, "price2", side, pair, price), price, None
    return level(second, "price2", side, pair, reference), price, None


def _trail(
    first: str, second: str, kind: str, side: Side, pair: Pair, reference: Decimal | None
) -> Trail:
    distance, percent = offset(first, "price")
    if distance <= ZERO:
        raise invalid("price")
    limit = None
    if kind == "trailing-stop-limit":
        limit, relative = offset(second, "price2")
        if relative:
            if reference is None:
                raise invalid("price2")
            limit = reference * limit / 100
    elif second not in ("", "0"):
        raise invalid("price2")
    try:
        return (
            Trail(fraction=distance / 100, limit=limit)
            if percent
            else Trail(amount=distance, limit=limit)
        )
    except ValueError:
        raise invalid("price") from None


def told_back(fields: Mapping[str, str], name: str, pair: Pair) -> str:
    """A price as it is told back: relative ones as they were, others with the pair's digits."""
    text = fields.get(name, "")
    if text in ("", "0") or fields.get("ordertype") in ("market", "settle-position"):
        return "0"
    match = RELATIVE.fullmatch(text)
    if match is None:
        raise invalid(name)
    sign, digits, percent = match.groups()
    return (
        f"{sign}{Decimal(digits):.4f}%"
        if percent
        else f"{sign}{Decimal(digits):.{pair.price_decimals}f}"
    )
