"""Ticks from a source, each delivered when the clock says it is time."""

import asyncio
from collections.abc import Callable, Iterable

from engine.clock import Clock
from engine.model.quote import Tick

SLICE = 0.002
"""Seconds for which late ticks may be delivered before the rest of the loop gets its turn."""


async def play(
    source: Iterable[Tick], clock: Clock, deliver: Callable[[Tick], None], until: int | None = None
) -> None:
    """Deliver each tick at its time, up to and including `until` (ns); returns when the source
    ends. Cancel to stop.

    Late ticks are not dropped: they are delivered as fast as the loop's other work allows. What the
    source raises comes out here.
    """
    loop = asyncio.get_running_loop()
    pause_at = loop.time() + SLICE
    for tick in source:
        if until is not None and tick.at > until:
            return
        if not clock.skip_to(tick.at):
            # Under virtual time somebody else is due first; they must run however late this tick
            # is.
            if clock.virtual or clock.now() < tick.at:
                await clock.sleep_until(tick.at)
                pause_at = loop.time() + SLICE
            elif loop.time() >= pause_at:
                await asyncio.sleep(0)
                pause_at = loop.time() + SLICE
        deliver(tick)
