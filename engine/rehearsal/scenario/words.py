"""How people write durations, percentages and numbers in a scenario; what can't be read is an error
that names the place.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from engine.model import trade_words
from engine.model.place import At, Away, Place

T = TypeVar("T")

SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": 86_400 * SECOND,
}
LONGEST = 10 * 366 * 86_400 * SECOND
"""Ten years: longer than any market that is played."""
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)")


class ScenarioError(Exception):
    """The scenario is unusable; the text names file, key, value and what is allowed."""


def duration(value: object, key: str) -> int:
    """Nanoseconds from `1h30m`, `250ms`, or a plain number of seconds."""
    found: Decimal | None = None
    if (
        isinstance(value, int | Decimal)
        and not isinstance(value, bool)
        and Decimal(value).is_finite()
        and value >= 0
    ):
        found = Decimal(value) * SECOND
    elif isinstance(value, str) and value and _PART.sub("", value.replace(" ", "")) == "":
        found = sum(
            (Decimal(part) * _UNITS[unit] for part, unit in _PART.findall(value)), Decimal(0)
        )
    if found is not None and found <= LONGEST:
        return int(found)
    raise ScenarioError(f"{key} is {value!r}; expected a duration such as 30s, 1h30m or 250ms")


def number(value: object, key: str) -> Decimal:
    """An exact number from text, an integer or a TOML float (kept as it was written)."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            found = Decimal(value)
        except InvalidOperation:
            found = Decimal("NaN")
        if found.is_finite() and (not found or abs(found.adjusted()) <= 18):
            return found
    raise ScenarioError(f"{key} is {value!r}; expected a number")


def fraction(value: object, key: str) -> Decimal:
    """A fraction of one from `50%`, or from a plain number."""
    if isinstance(value, str) and value.strip().endswith("%"):
        return number(value.strip()[:-1].strip(), key) / 100
    return number(value, key)


def place(value: object, key: str) -> Place:
    """A price, or a distance from the entry: a percentage, `40t` (ticks), `2r` or `300$`."""
    if isinstance(value, str) and value.strip().endswith("%"):
        return Away(abs(fraction(value, key)))
    if isinstance(value, str) and (value.strip()[-1:].lower() in ("t", "r") or "$" in value):
        return written(trade_words.place, value, key)
    return At(number(value, key))


def written(read: Callable[[str], T], value: object, key: str) -> T:
    """A text as the fields of a ticket and templates take it."""
    try:
        return read(text(value, key))
    except trade_words.WordsError as error:
        raise ScenarioError(f"{key} is {value!r}; {error}") from error


def text(value: object, key: str) -> str:
    """A piece of text."""
    if isinstance(value, str):
        return value
    raise ScenarioError(f"{key} is {value!r}; expected text")


def texts(value: object, key: str) -> tuple[str, ...]:
    """A list of texts, or one of them."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple):
        return tuple(text(item, key) for item in value)
    raise ScenarioError(f"{key} is {value!r}; expected text, or a list of texts")


def positive(value: object, key: str) -> Decimal:
    """A number above zero."""
    found = number(value, key)
    if found > 0:
        return found
    raise ScenarioError(f"{key} is {value!r}; expected a number above zero")


def choice(value: object, key: str, allowed: tuple[str, ...]) -> str:
    """One of a few words."""
    if isinstance(value, str) and value in allowed:
        return value
    raise ScenarioError(f"{key} is {value!r}; allowed: {', '.join(allowed)}")


def flag(value: object, key: str) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise ScenarioError(f"{key} is {value!r}; expected true or false")
