"""How people write sizes, places, targets, trails, rules and expiries, in a template and in the
fields of a ticket. What can't be read is an error that says what would be.

    size      0.25 · 5000$ · notional 5% · risk 0.5% · risk 300$ · risk 0.5u
    place     61,250 · 0.5% · 40t · 2r · 300$          (a sign changes nothing: the side is known)
    targets   1r 50%, 2r rest
    trail     0.4% after 2r
    be        after 1r +2t
    price     62,000 · bid · ask-2t · mid+0.1% · join
    expire    90s · 10m · 1h30m · 16:30 (UTC)
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from engine.model.intent import (
    Anchor,
    Anchored,
    Base,
    EquityRisk,
    EquityShare,
    Notional,
    PartialTarget,
    Risk,
    RiskUnits,
    Size,
)
from engine.model.money import ONE, ZERO
from engine.model.order import Trail
from engine.model.place import At, Away, BreakEvenRule, InR, Place, Ticks, Worth

HUNDRED = Decimal(100)
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
LONGEST = 366 * DAY
MOST = 4
"""Targets of one template or ticket."""
_NUMBER = re.compile(
    r"(?:\d+|[1-9]\d{0,2}(?:,\d{3})+|\d{1,3}(?:_\d{3})+)?(?:\.\d+)?(?<=\d)", re.ASCII
)
"""Commas stand only before whole thousands: `1,5` is refused, because it means 1.5 to one reader
and 15 to another; `0,500` is one half or 500.
"""
_TIMES = {"k": Decimal(1000)}
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": DAY}
_PART = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_ANCHORED = re.compile(r"([a-z]+)\s*(?:([+-])\s*([\d.,_]+)\s*(t|%))?")
_RULE = re.compile(r"(?:after\s+)?([^\s+]+)(?:\s*\+\s*(\d+)\s*t)?")


class WordsError(ValueError):
    """What was written can't be read; the text says what could be."""


def number(text: str) -> Decimal:
    """A number above zero, such as 62,250.5, 62_250.5 or 5k. Raises WordsError."""
    cleaned = text.strip()
    times = ONE
    if cleaned[-1:].lower() in _TIMES and _NUMBER.fullmatch(cleaned[:-1]):
        times, cleaned = _TIMES[cleaned[-1].lower()], cleaned[:-1]
    if not _NUMBER.fullmatch(cleaned):
        raise WordsError(f"{text.strip()!r} is not a number such as 1,234.5")
    value = Decimal(cleaned.replace(",", "").replace("_", "")) * times
    if value <= ZERO:
        raise WordsError(f"{text.strip()!r} is not above zero")
    return value


def fraction(text: str) -> Decimal:
    """A fraction of one, from `50%`. Raises WordsError."""
    cleaned = text.strip()
    if not cleaned.endswith("%"):
        raise WordsError(f"{cleaned!r} is not a percentage such as 50%")
    return number(cleaned[:-1]) / HUNDRED


def place(text: str) -> Place:
    """A price, or a distance: per cent, ticks, R or money. Raises WordsError."""
    cleaned = text.strip().lower()
    bare = cleaned.lstrip("+-−").strip()
    unit = bare[-1:]
    try:
        if unit == "%":
            return Away(fraction(bare))
        if unit == "t":
            return Ticks(number(bare[:-1]))
        if unit == "r":
            return InR(number(bare[:-1]))
        if "$" in (unit, bare[:1]):
            return Worth(number(bare.strip("$")))
        if bare == cleaned:
            return At(number(bare))
    except WordsError as error:
        raise WordsError(f"{text.strip()!r} is no place; {PLACES} ({error})") from error
    raise WordsError(f"{text.strip()!r} is no place; {PLACES}")


PLACES = "expected a price (61250), a percentage (0.5%), ticks (40t), R (2r) or money (300$)"


def size(text: str) -> Size:
    """A size by base, money, equity or risk. Raises WordsError."""
    word, _, rest = text.strip().lower().partition(" ")
    amount = rest.strip()
    try:
        if word == "risk":
            if amount.endswith("%"):
                return EquityRisk(fraction(amount))
            if amount.endswith("u"):
                return RiskUnits(number(amount[:-1]))
            return Risk(number(amount.strip("$")))
        if word == "notional":
            return (
                EquityShare(fraction(amount))
                if amount.endswith("%")
                else Notional(number(amount.strip("$")))
            )
        whole = text.strip()
        return Notional(number(whole.strip("$"))) if "$" in whole else Base(number(whole))
    except WordsError as error:
        raise WordsError(f"{text.strip()!r} is no size; {SIZES} ({error})") from error


SIZES = "expected 0.25, 5000$, notional 5%, risk 0.5%, risk 300$ or risk 0.5u"


def targets(written: Sequence[str]) -> tuple[tuple[PartialTarget, ...], Place | None]:
    """Targets of parts, and where the rest leaves: `1r 50%`, `2r rest`; the nearest comes first.
    Raises WordsError.
    """
    if len(written) > MOST:
        raise WordsError(f"{len(written)} targets; at most {MOST}")
    partials: list[PartialTarget] = []
    left = ONE
    for index, leg in enumerate(written):
        where, part = _leg(leg)
        last = index == len(written) - 1
        if part is None and not last:
            raise WordsError(f"{leg.strip()!r} takes all, and more targets follow; {TARGETS}")
        if part is None or part == left:
            if not last:
                raise WordsError(f"nothing is left after {leg.strip()!r}; {TARGETS}")
            return tuple(partials), where
        left -= part
        if left < ZERO:
            raise WordsError(f"the parts up to {leg.strip()!r} are more than all; {TARGETS}")
        partials.append(PartialTarget(where, part))
    return tuple(partials), None


TARGETS = 'expected targets such as "1r 50%" and "2r rest", the nearest first'


def _leg(text: str) -> tuple[Place, Decimal | None]:
    """A place and its part; None for all that is left."""
    part, separator, where = text.partition("@")
    words = [where, part] if separator else text.split()
    if not 1 <= len(words) <= 2:
        raise WordsError(f"{text.strip()!r} is no target; {TARGETS}")
    if separator and not part.strip().endswith("%"):
        raise WordsError(f"{text.strip()!r} is no target of a part such as 50%@1%")
    said = words[1].strip().lower() if len(words) == 2 else "rest"
    if said in ("rest", "all"):
        return place(words[0]), None
    try:
        share = Decimal("0.5") if said == "half" else fraction(said)
    except WordsError as error:
        raise WordsError(f"{text.strip()!r} is no target; {TARGETS} ({error})") from error
    return place(words[0]), None if share == ONE else share


def legs(text: str) -> tuple[tuple[PartialTarget, ...], Place | None]:
    """Targets on one line, with commas between them: `1r 50%, 2r rest`. Also `50%@1% 2%`. Raises
    WordsError.
    """
    if "@" in text:
        return targets(text.split())
    return targets(split_legs(text))


def split_legs(text: str) -> list[str]:
    """The targets of one line; a comma within a number has no blank behind it."""
    return [leg.strip() for leg in re.split(r",\s+|;", text.strip()) if leg.strip()]


def trail(text: str) -> Trail:
    """A trail's distance, and the gain from which it follows: `0.4% after 2r`. Raises
    WordsError.
    """
    distance, separator, after = text.strip().lower().partition("after")
    begins = place(after) if separator else None
    wanted = place(distance)
    try:
        if isinstance(wanted, Away):
            return Trail(fraction=wanted.fraction, begins=begins)
        if isinstance(wanted, At):
            return Trail(amount=wanted.price, begins=begins)
    except ValueError as error:
        raise WordsError(str(error)) from error
    raise WordsError(f"{text.strip()!r} is no trail; expected 0.4%, or 0.4% after 2r")


def rule(text: str) -> BreakEvenRule:
    """The gain from which the stop goes to break-even, and ticks beyond it: `after 1r +2t`. Raises
    WordsError.
    """
    found = _RULE.fullmatch(text.strip().lower())
    if found is None:
        raise WordsError(f"{text.strip()!r} is no rule; expected after 1r, or after 1r +2t")
    return BreakEvenRule(place(found[1]), int(found[2] or 0))


def price(text: str) -> Decimal | Anchored:
    """A price, or one told by another: `ask-2t`. Raises WordsError."""
    cleaned = text.strip().lower()
    found = _ANCHORED.fullmatch(cleaned)
    if found is None:
        return number(cleaned)
    word, sign, amount, unit = found.groups()
    if word not in [anchor.value for anchor in Anchor]:
        raise WordsError(f"{word!r} is no price; expected a number, {', '.join(Anchor)}")
    away = ZERO if amount is None else number(amount) * (-1 if sign == "-" else 1)
    return Anchored(
        Anchor(word),
        ticks=away if unit == "t" else ZERO,
        fraction=away / HUNDRED if unit == "%" else ZERO,
    )


def duration(text: str) -> int:
    """Nanoseconds from 90s, 10m or 1h30m. Raises WordsError."""
    cleaned = text.strip().lower().replace(" ", "")
    if cleaned and not _PART.sub("", cleaned):
        found = sum((Decimal(part) * _UNITS[unit] for part, unit in _PART.findall(cleaned)), ZERO)
        if ZERO < found <= LONGEST:
            return int(found)
    raise WordsError(f"{text.strip()!r} is no time; expected 90s, 10m, 1h30m or 16:30")


def expiry(text: str, now: int) -> int:
    """Nanoseconds from `now` (nanoseconds since 1970) until a duration is over, or until a time of
    the day, UTC, comes next. Raises WordsError.
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return duration(text)
    wanted = (int(found[1]) * 60 + int(found[2])) * 60 * SECOND
    return (wanted - now % DAY - 1) % DAY + 1
