"""`flatout record`: live prices into files, with a line that says how it goes."""

import asyncio
import contextlib
import signal
import time
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console

from engine.clock import Clock
from engine.looking import seen
from engine.outlets.recording import Recording
from engine.settings import PROFILES, Settings
from engine.venues.protocol import VenueError
from tui.common import Common
from tui.opening import settings_of
from tui.saying import say

FIRST = 30.0
"""Seconds for the first price to come."""


def record(common: Common, name: str, symbols: tuple[str, ...], output: Path, minutes: float | None) -> int:
    """Until told to stop, or for some minutes; the exit code."""
    settings = settings_of(common).settings
    account, market = replace(settings.account, venue=name, profile=PROFILES[name]), replace(settings.market, symbols=symbols)
    settings = replace(settings, account=account, market=market)
    try:
        recording = Recording(output)
        try:
            asyncio.run(_record(settings, recording, minutes))
        finally:
            recording.close()
    except (VenueError, ValueError, OSError, TimeoutError) as error:
        say(f"flatout record: {error or 'no price came'}", err=True)
        return 2
    say(f"{recording.quotes} quotes in {recording.paths[0]}, {recording.trades} trades in {recording.paths[1]}")
    return 0


async def _record(settings: Settings, recording: Recording, minutes: float | None) -> None:
    loop, symbols = asyncio.get_running_loop(), settings.market.symbols
    venue = seen(settings).prices(Clock(loop))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    console = Console(stderr=True)
    began = time.monotonic()
    try:
        await venue.hear_prices(recording.quote, recording.trade)
        with console.status("waiting for the first price") as status:
            while not stop.is_set():
                spent = time.monotonic() - began
                if minutes is not None and spent >= minutes * 60:
                    break
                if not recording.quotes and spent > FIRST:
                    raise TimeoutError(f"{settings.account.venue} told no price of {', '.join(symbols)} in {FIRST:g} s")
                if recording.quotes:
                    status.update(f"{recording.quotes} quotes, {recording.trades} trades in {spent:.0f} s; ctrl-c ends it")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.25)
    finally:
        await venue.close()
