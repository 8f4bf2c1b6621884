"""Candles of the time before a session, for its charts: public questions, asked one after the other
with a pause, because nothing waits for them.
"""

from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal

from engine.clock import SECOND, Clock
from engine.model.quote import Bar
from engine.venues.protocol import OutcomeUnknownError

LENGTHS = (60 * SECOND, 3_600 * SECOND)
"""Of the bars that are asked for."""
COUNT = 720
"""Bars of each length."""
WRONG = (AttributeError, KeyError, IndexError, TypeError, ValueError, ArithmeticError)
"""What reading an answer raises that is none."""
PAUSE = SECOND
"""Between two questions."""


def bar(at: int, figures: Iterable[object]) -> Bar | None:
    """A bar of its time (ns) and of open, high, low, close, volume as they were told; None for one
    that can't be.
    """
    try:
        opened, high, low, close, volume = (Decimal(str(figure)) for figure in figures)
    except (ArithmeticError, ValueError):
        return None
    told = (opened, high, low, close, volume)
    if not all(figure.is_finite() for figure in told) or volume < 0:
        return None
    return (at, *told) if 0 < low <= min(opened, close) <= max(opened, close) <= high else None


async def asked(
    ask: Callable[[int, int], Awaitable[Iterable[Bar | None]]], clock: Clock
) -> dict[int, list[Bar]]:
    """Bars by their length: `ask` is told a length and the time from which on (ns). Raises
    VenueError.
    """
    found = {}
    for length in LENGTHS:
        try:
            bars = await ask(length, clock.now() - COUNT * length)
        except WRONG as error:
            raise OutcomeUnknownError(f"candles that make no sense: {error!r}") from error
        found[length] = sorted(one for one in bars if one is not None)
        await clock.sleep(PAUSE)
    return found
