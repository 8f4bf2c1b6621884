"""Numbers as a trader reads them. Money and prices arrive as Decimal and leave as text; nothing is
computed on the way.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

SECOND = 1_000_000_000
NONE = "—"
"""Shown where a number is not known: never a zero."""

_COINS = frozenset({"BTC", "XBT", "ETH"})


@lru_cache(maxsize=512)
def decimals(step: Decimal) -> int:
    """How many decimals the grid `step` has."""
    exponent = step.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def fixed(value: Decimal, places: int) -> str:
    """`value` with thousands separators and exactly `places` decimals; minus zero is zero."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return f"{abs(rounded) if rounded == 0 else rounded:,.{places}f}"


def price(value: Decimal | None, tick: Decimal) -> str:
    """A price on its grid; one that is off it (an average) is rounded to the grid's decimals."""
    return NONE if value is None else fixed(value, decimals(tick))


def exact(value: Decimal | None, tick: Decimal) -> str:
    """A price that must not be rounded, such as a stop: the grid's decimals, or as many as
    it has.
    """
    if value is None:
        return NONE
    return fixed(value, max(decimals(tick), decimals(value)))


def size(value: Decimal, lot: Decimal) -> str:
    """A size on its grid; a fine grid's trailing zeros are dropped down to three decimals."""
    places = max(decimals(lot), decimals(value))
    if places > 3:
        places = max(3, decimals(value))
    return fixed(value, places)


def _places(currency: str) -> int:
    return 6 if currency in _COINS else 2


def money(value: Decimal | None, currency: str = "") -> str:
    """An amount: two decimals, six for a coin."""
    return NONE if value is None else fixed(value, _places(currency))


def signed(value: Decimal | None, currency: str = "") -> str:
    """A profit or loss with its sign as ▲ or ▼; what rounds to nothing has none."""
    if value is None:
        return NONE
    text = fixed(abs(value), _places(currency))
    if not text.strip("0.,"):
        return text
    return ("▲" if value > 0 else "▼") + text


def cost(value: Decimal | None, currency: str = "") -> str:
    """What was or would be paid, as `−68.31`; what comes back has a plus."""
    if value is None:
        return NONE
    text = fixed(abs(value), _places(currency))
    return text if not text.strip("0.,") else f"{'−' if value > 0 else '+'}{text}"


def at_stop(value: Decimal | None, *, unbounded: bool, currency: str = "") -> str:
    """What a stop leaves: `−787.19`, with a plus where it leaves a gain; UNBOUNDED without one."""
    return "UNBOUNDED" if unbounded else cost(None if value is None else -value, currency)


def tone(value: Decimal | None) -> str:
    """The tone that goes with a sign."""
    if value is None or value == 0:
        return "dim"
    return "up" if value > 0 else "down"


def multiple(value: Decimal | None) -> str:
    """Units of R with sign and two decimals."""
    return "" if value is None else f"{fixed(value, 2)}" if value < 0 else f"+{fixed(value, 2)}"


def percent(fraction: Decimal | None, places: int = 2) -> str:
    """A fraction as a signed percentage."""
    if fraction is None:
        return ""
    return f"{'+' if fraction > 0 else ''}{fixed(fraction * 100, places)}%"


def plain_percent(fraction: Decimal) -> str:
    """A fraction as a percentage without needless zeros: 0.008 is `0.8%`."""
    text = format((fraction * 100).normalize(), "f")
    return f"{text}%"


def lasted(nanoseconds: int) -> str:
    """A duration in its two largest units."""
    seconds = max(nanoseconds, 0) // SECOND
    for unit, name, lower, below in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if seconds >= unit:
            return f"{seconds // unit}{name}{seconds % unit // lower}{below}"
    return f"{seconds}s"


def short(nanoseconds: int) -> str:
    """A delay: milliseconds below ten seconds, then as `lasted`."""
    return (
        f"{max(nanoseconds, 0) // 1_000_000}ms"
        if nanoseconds < 10 * SECOND
        else lasted(nanoseconds)
    )


def clock(at: int) -> str:
    """The time of day, UTC."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%H:%M:%S")


def stamp(at: int) -> str:
    """Date and time, UTC."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
