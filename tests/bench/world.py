"""A world to measure in: a paper venue with generous limits and no delays, an engine on a real
journal on disk.
"""

import os
import tempfile
import time
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from statistics import median

from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.exchange import Delay, Exchange, Faults, Store
from engine.journal import Journal
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.runtime import Engine, Hooks
from engine.setup.sections import AccountSettings, Settings
from engine.setup.settings import with_values
from engine.venues.paper import PaperVenue
from engine.venues.profiles import instrument_for, load_profile

START = 1_767_225_600 * SECOND
TICK = Decimal("0.1")


def generous(name: str) -> Profile:
    """A profile whose limits never bind: what is measured is us, not the venue's patience."""
    options = {"burst": "100000000", "per_second": "100000000"}
    return replace(
        load_profile(name), limits="token-bucket", limit_options=options, max_open_orders=1_000_000
    )


def settings() -> Settings:
    """Bounds that never bind."""
    base = Settings(
        account=AccountSettings(name="bench", currency="USD", cash={"USD": Decimal("1e12")})
    )
    wide = {
        "risk.max_positions": 1_000_000,
        "risk.max_open_risk": 1_000,
        "risk.max_exposure": 1_000_000,
        "risk.losing_streak": 0,
    }
    more = {"risk.daily_loss": None, "risk.max_drawdown": None, "gateway.in_flight": 100_000}
    return with_values(base, {**wide, **more}, "bench")


class World:
    """Venue and engine."""

    def __init__(
        self,
        loop_clock: Clock,
        home: Path,
        symbols: Iterable[str],
        *,
        profile: str = "kraken-futures",
        inline: bool,
        store: bool = False,
        rules: Settings | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self.clock = loop_clock
        self.profile = generous(profile)
        self.settings = settings() if rules is None else rules
        instruments = tuple(instrument_for(self.profile, symbol, TICK) for symbol in symbols)
        self.exchange = Exchange(self.profile, instruments, self.settings.account.cash, "USD")
        self.store = Store(home / "paper.sqlite") if store else None
        self.venue = PaperVenue(
            self.exchange,
            loop_clock,
            seed=1,
            delay=Delay(0, 0),
            timeout=2 * SECOND,
            faults=Faults(),
            store=self.store,
        )
        journal = Journal.open(
            home / "journal.sqlite", "bench", "bench", now=loop_clock.now(), inline=inline
        )
        self.engine = Engine(
            self.settings, self.venue, journal, loop_clock, 1, inline=inline, hooks=hooks
        )

    async def recovered(self) -> None:
        """Start, and wait until entries are taken."""
        await self.engine.start()
        while self.engine.state.blocks or not self.engine.state.cash:
            await self.clock.sleep(SECOND // 100)

    async def close(self) -> None:
        """The end."""
        await self.engine.close()
        self.venue.shut_down()


def quote(symbol: str, at: int, bid: Decimal) -> Quote:
    """A quote with plenty displayed."""
    return Quote(symbol, at, bid, Decimal(1_000_000), bid + TICK, Decimal(1_000_000))


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder on a real disk."""
    return tempfile.TemporaryDirectory(prefix="flatout-bench-")


def fsync_time(folder: str) -> float:
    """This machine's own time to make 300 bytes durable: the median of 200, in microseconds."""
    taken = []
    with (Path(folder) / "fsync").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 300)
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e6)
    return median(taken)
