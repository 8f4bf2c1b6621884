"""How a file is to be read, as far as somebody said so: `--as "binance-klines ms BTC/JPY 1m"`."""

import re

from msgspec import Struct

from engine.market.formats import FORMATS, GENERIC
from engine.market.layout import MarketError
from engine.market.naming import INTERVALS, SECOND
from engine.market.shapes import SHAPES
from engine.market.times import UNITS

NAMES = sorted(
    {*(known.name for known in FORMATS), *(name for name, *_ in GENERIC), *SHAPES, "tradingview"}
)
"""Formats by what `--as` calls them."""
INTERVAL = re.compile(r"(\d{1,4})(s|m|h|d|w)")


class Reading(Struct, frozen=True):
    """What was said; None is told from the file."""

    format: str | None = None
    unit: str | None = None
    symbol: str | None = None
    interval: int | None = None
    """Nanoseconds of a candle."""


def reading(words: str) -> Reading:
    """What the words of `--as` say, in any order. Raises MarketError naming what is allowed."""
    found: dict[str, str | int] = {}
    for word in re.split(r"[\s,]+", words.strip()):
        if not word:
            continue
        lasts = INTERVAL.fullmatch(word)
        if word in UNITS:
            key: str = "unit"
            value: str | int = word
        elif "/" in word and len(word) <= 64:
            key, value = "symbol", word.upper()
        elif lasts and int(lasts.group(1)):
            key, value = "interval", int(lasts.group(1)) * INTERVALS[lasts.group(2)] * SECOND
        elif word in NAMES:
            key, value = "format", word
        else:
            raise MarketError(
                f"--as {word!r} is not known; allowed are a unit of times (s, ms, us, ns), a symbol"
                " such as BTC/JPY, a candle's interval such as 1m, and a format:"
                f" {', '.join(NAMES)}"
            )
        if key in found:
            raise MarketError(f"--as says {key} twice: {found[key]} and {word}")
        found[key] = value
    return Reading(**found)  # type: ignore[arg-type]


NOTHING = Reading()
