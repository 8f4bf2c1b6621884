"""The account's venue without an engine: live from its keys, paper from its file. What only paper needs is imported only for paper."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.settings import AccountSettings, Settings
from engine.venues.live.keys import find
from engine.venues.parts import PartedVenue
from engine.venues.profiles import load_profile
from engine.venues.protocol import NotSentError

TIMEOUT = 5.0
"""Seconds that one answer gets; the engine may be more patient than somebody who presses the last button."""
LIVE_LAG = 5.0
"""Seconds by which a live venue's views may lag, where the settings say nothing."""
REFRESH = 0.5


def lag_of(account: AccountSettings) -> int:
    """Nanoseconds by which the views of an account's venue may lag."""
    told = getattr(account, "lag", None)
    seconds = told if told is not None else 0.0 if account.venue == "paper" else LIVE_LAG
    return int(seconds * SECOND)


@asynccontextmanager
async def opened(settings: Settings, folder: Path, clock: Clock, symbols: Iterable[str]) -> AsyncIterator[PartedVenue]:
    """The venue of an account. Opening a paper account takes it away from whoever has it: the holder must have been ended.

    Raises KeysError, VenueError or StoreError.
    """
    if settings.account.venue == "paper":
        async with _paper(settings, folder, clock) as venue:
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
    from engine.venues.live.dialects import dialect
    from engine.venues.live.venue import Where

    account = settings.account
    profile = load_profile(account.profile)
    if account.limits:
        profile = replace(profile, limit_options={**profile.limit_options, **account.limits})
    wanted = tuple(dict.fromkeys((*settings.market.symbols, *symbols)))
    timeout = min(settings.gateway.timeout, TIMEOUT)
    kept = folder / nonces.FILE if folder.is_dir() else None
    where = Where(account.name, wanted, account.rest, account.ws, timeout, lenient=True, nonces=kept)
    return dialect(account.venue)(profile, where, find(account.name, folder), clock)


@asynccontextmanager
async def _paper(settings: Settings, folder: Path, clock: Clock) -> AsyncIterator[PartedVenue]:
    """A paper account on the prices that it remembers: no market moves here, so they stand, and are quoted anew all the time."""
    from engine import assembly
    from engine.exchange import Store

    market, account = settings.market, settings.account
    profile = assembly.profile(account.profile, account.limits)
    if market.source == "recorded":
        instruments = assembly.recorded(profile, [Path(name) for name in market.files]).instruments
    else:  # what an exchange trades is not asked in an emergency: its symbols are told by the settings
        model = market.model if market.source == "simulated" else {}
        instruments = assembly.simulated(profile, market.symbols, market.seed, clock.now(), model).instruments
    store = Store(folder / "paper.sqlite")
    paper = assembly.paper(profile, instruments, account.cash, account.currency, clock, market.seed, settings.paper, store=store)

    async def stand() -> None:
        while True:
            for book in list(paper.exchange.books.values()):
                if book.quote is not None:
                    paper.feed(replace(book.quote, at=clock.now()))
            await asyncio.sleep(REFRESH)

    store.restore(paper.exchange, clock.now())
    standing = asyncio.get_running_loop().create_task(stand())
    try:
        yield paper
    finally:
        standing.cancel()
        await asyncio.gather(standing, return_exceptions=True)
        await paper.close()
        paper.shut_down()


def can_read_paper(folder: Path) -> None:
    """Look whether a paper account can be read, without taking it from whoever has it. Raises NotSentError.

    The account is written once something happens in it. Without it, and without orders and executions, it is as it was opened.
    """
    path = folder / "paper.sqlite"
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)
        try:
            row = database.execute("SELECT length(body) FROM fact WHERE name = 'account'").fetchone()
            used = database.execute("SELECT EXISTS (SELECT 1 FROM orders) OR EXISTS (SELECT 1 FROM fills)").fetchone()[0]
        finally:
            database.close()
    except sqlite3.Error as error:
        raise NotSentError(f"paper account {path}: it can't be read: {error}") from error
    if used and (row is None or not row[0]):
        raise NotSentError(f"paper account {path}: there is no account in it")
