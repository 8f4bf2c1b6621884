"""Questions of the opening: asked again after a lost reply, because they change nothing; only a
refusal ends the opening.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeVar

from engine.venues.protocol import NotSentError, OutcomeUnknownError, RateLimitedError

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before a question is asked again; the last one for ever."""
Told = Callable[[str, str], None]
"""Hears which question the opening waits for, and why it has no answer yet; nothing where it was
just asked.
"""
T = TypeVar("T")


def again(why: object, pause: float) -> str:
    """What is said while a question waits to be asked again."""
    return f"{why}; asked again in {pause:g} s"


async def answered(question: str, ask: Callable[[], Awaitable[T]], told: Told) -> T:
    """Ask until there is an answer, with growing pauses; `told` hears of each failure.

    An exchange that is down, a lost reply and a rate limit are waited out for as long as it takes:
    the person sees what is waited for, and may leave. Raises what `ask` raises otherwise:
    RefusedError and KeysError are the venue's last word.
    """
    for attempt in count():
        try:
            told(question, "")
            return await ask()
        except (OutcomeUnknownError, NotSentError, RateLimitedError) as error:
            pause = PAUSES[min(attempt, len(PAUSES) - 1)]
            told(question, again(error, pause))
            await asyncio.sleep(pause)
    raise AssertionError("unreachable")
