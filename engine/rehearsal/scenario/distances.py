"""Where stops, targets and trails are to go, as a scenario says it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.model import trade_words
from engine.model.order import Trail
from engine.model.place import Place
from engine.rehearsal.scenario.words import ScenarioError, fraction, number, place, written


def is_off(value: object) -> bool:
    """Whether somebody said that there is to be none; zero is a number, and a wrong one."""
    return value is False or (isinstance(value, str) and value.strip().lower() in ("off", "none"))


def wanted(terms: Mapping[str, Any], where: str) -> Place | None:
    """Where a stop or target is to go: `to`, `price`, `stop` or `target`; `off` removes it."""
    for key in ("to", "price", "stop", "target"):
        if key in terms:
            return None if is_off(terms[key]) else place(terms[key], f"{where}.{key}")
    raise ScenarioError(
        f"{where}.to is missing; expected a price, a percentage of the entry, 40t, 2r, 300$, or off"
    )


def trail_of(terms: Mapping[str, Any], where: str) -> Trail | None:
    """A trail's distance in price or per cent; `off` stops it."""
    distance = terms.get("distance")
    if is_off(distance) or terms.get("on") is False:
        return None
    if distance is None:
        raise ScenarioError(
            f"{where}.distance is missing; expected a price distance, a percentage, or off"
        )
    if isinstance(distance, str) and "after" in distance:
        return written(trade_words.trail, distance, f"{where}.distance")
    after, begins = _after(terms.get("after"), f"{where}.after")
    try:
        if isinstance(distance, str) and distance.strip().endswith("%"):
            share = fraction(distance, f"{where}.distance")
            return Trail(fraction=share, after=after, begins=begins)
        amount = number(distance, f"{where}.distance")
        return Trail(amount=amount, after=after, begins=begins)
    except ValueError as error:
        raise ScenarioError(f"{where}.distance is {distance!r}; {error}") from error


def _after(value: object, where: str) -> tuple[Decimal | None, Place | None]:
    """The gain from which a trail follows: a fraction of the entry, or a place."""
    if value is None:
        return None, None
    found = place(value, where) if isinstance(value, str) and "%" not in value else None
    if found is None or not isinstance(value, str) or value.strip()[-1:].isdigit():
        return fraction(value, where), None
    return None, found


def ticks_of(terms: Mapping[str, Any], where: str) -> int:
    """How many ticks beyond break-even a stop goes; none where nothing is said."""
    found = number(terms.get("ticks", 0), f"{where}.ticks")
    if found < 0 or found % 1:
        raise ScenarioError(f"{where}.ticks is {found}; expected a whole number from 0 up")
    return int(found)
