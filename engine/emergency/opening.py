"""The account's venue without an engine: live from its keys, paper from its file. What only paper
needs is imported only for paper.
"""

import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.emergency.paper import opened_paper
from engine.setup.sections import AccountSettings, Settings
from engine.venues.live.keys import find
from engine.venues.parts import PartedVenue
from engine.venues.profiles import load_profile

TIMEOUT = 5.0
"""Seconds that one answer gets; the engine may be more patient than somebody who presses the last
button.
"""
LIVE_LAG = 5.0
"""Seconds by which a live venue's views may lag, where the settings say nothing."""


def lag_of(account: AccountSettings) -> int:
    """Nanoseconds by which the views of an account's venue may lag."""
    told = getattr(account, "lag", None)
    seconds = told if told is not None else 0.0 if account.venue == "paper" else LIVE_LAG
    return int(seconds * SECOND)


@asynccontextmanager
async def opened(
    settings: Settings, folder: Path, clock: Clock, symbols: Iterable[str]
) -> AsyncIterator[PartedVenue]:
    """The venue of an account. Opening a paper account takes it away from whoever has it: the
    holder must have been ended.

    Raises KeysError, VenueError or StoreError.
    """
    if settings.account.venue == "paper":
        async with opened_paper(settings, folder, clock) as venue:
            yield venue
        return
    live = _live(settings, folder, clock, symbols)
    try:
        await live.open()
        yield live
    finally:
        with contextlib.suppress(Exception):
            await live.close()


def _live(settings: Settings, folder: Path, clock: Clock, symbols: Iterable[str]):  # type: ignore[no-untyped-def]  # its class imports ccxt
    from engine.venues.live import nonces
    from engine.venues.live.account import Where
    from engine.venues.live.dialects import dialect

    account = settings.account
    profile = load_profile(account.profile)
    if account.limits:
        profile = replace(profile, limit_options={**profile.limit_options, **account.limits})
    wanted = tuple(dict.fromkeys((*settings.market.symbols, *symbols)))
    timeout = min(settings.gateway.timeout, TIMEOUT)
    kept = folder / nonces.FILE if folder.is_dir() else None
    where = Where(
        account.name, wanted, account.rest, account.ws, timeout, lenient=True, nonces=kept
    )
    return dialect(account.venue)(profile, where, find(account.name, folder), clock)
