"""A paper account, opened by the last exit."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from engine.account import added
from engine.clock import Clock
from engine.model.instrument import Instrument
from engine.model.profile import Profile
from engine.setup.sections import Settings
from engine.venues.parts import PartedVenue
from engine.venues.protocol import NotSentError

REFRESH = 0.5


def _traded(settings: Settings, folder: Path, profile: Profile, now: int) -> Sequence[Instrument]:
    """What the account trades, as its settings say, and what was added to that."""
    from engine.setup import factories

    market = settings.market
    if market.source == "recorded":
        files = [Path(name) for name in market.files]
        return factories.recorded(profile, files, market.reading).instruments
    # what an exchange trades is not asked in an emergency: its symbols are told by the settings
    model = market.model if market.source == "simulated" else {}
    symbols = dict.fromkeys((*market.symbols, *added.read(folder)))
    return factories.simulated(profile, symbols, market.seed, now, model).instruments


@asynccontextmanager
async def opened_paper(
    settings: Settings, folder: Path, clock: Clock
) -> AsyncIterator[PartedVenue]:
    """A paper account on the prices that it remembers: no market moves here, so they stand, and are
    quoted anew all the time.
    """
    from engine.exchange import Store
    from engine.setup import factories

    market, account = settings.market, settings.account
    profile = factories.profile(account.profile, account.limits)
    instruments = _traded(settings, folder, profile, clock.now())
    store = Store(folder / "paper.sqlite")
    paper = factories.paper(
        profile,
        instruments,
        account.cash,
        account.currency,
        clock,
        market.seed,
        settings.paper,
        store=store,
    )

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
    """Look whether a paper account can be read, without taking it from whoever has it. Raises
    NotSentError.

    The account is written once something happens in it. Without it, and without orders and
    executions, it is as it was opened.
    """
    path = folder / "paper.sqlite"
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)
        try:
            row = database.execute(
                "SELECT length(body) FROM fact WHERE name = 'account'"
            ).fetchone()
            used = database.execute(
                "SELECT EXISTS (SELECT 1 FROM orders) OR EXISTS (SELECT 1 FROM fills)"
            ).fetchone()[0]
        finally:
            database.close()
    except sqlite3.Error as error:
        raise NotSentError(f"paper account {path}: it can't be read: {error}") from error
    if used and (row is None or not row[0]):
        raise NotSentError(f"paper account {path}: there is no account in it")
