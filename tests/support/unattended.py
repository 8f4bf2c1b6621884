"""Days of `flatout serve` that nobody looks at, on paper under virtual time: positions come and go,
the line breaks, stops are refused, and the server of the webhook is down for hours, also when the
engine ends. What was told is held against what the journal has.
"""

import asyncio
import gc
import json
import os
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.account.home import Home
from engine.clock import SECOND, Clock
from engine.desk import codec
from engine.desk import events as e
from engine.exchange import Faults
from engine.exchange.faults import Interval
from engine.model import intent as i
from engine.model.side import Side
from engine.model.telling import goes_outside, kind_of
from engine.session.local import LocalSession
from engine.setup.environments import PaperEnvironment
from engine.setup.sections import Settings
from engine.setup.settings import load
from engine.venues.paper import PaperVenue
from tests.support.outlet import Outlet
from tests.support.patient import wait_for_commits_of

HOUR = 3_600
DAY = 24 * HOUR
START = 1_790_000_000 * SECOND
SYMBOL = "BTC/USD"


class FaultyVenue(PaperVenue):
    """The line breaks, answers are lost, stops are refused."""

    def __init__(self, *args: Any, **terms: Any) -> None:
        faults = Faults(
            lose_reply=0.02,
            duplicate_report=0.1,
            reject_stop=0.1,
            disconnect=Interval(5 * HOUR * SECOND, 40 * SECOND),
        )
        super().__init__(*args, **terms | {"faults": faults})


class Days(PaperEnvironment):
    """A paper account whose time begins where the engine before ended."""

    VENUE = FaultyVenue

    def __init__(self, settings: Settings, home: Home, start: int) -> None:
        super().__init__(settings, home)
        self._start = start

    def _clock(self) -> Clock:
        return Clock(asyncio.get_running_loop(), self._start)


class Measured(Struct, frozen=True):
    """One day's end."""

    day: float
    objects: int
    """That the garbage collector knows."""
    rss: int
    log: int
    journal: int
    """Bytes of the files."""
    events: int
    snapshots: int
    """Rows of `position_snapshots`."""
    told: int
    posts: int


class Unattended:
    """The days, one engine after the other."""

    def __init__(self, folder: Path, server: Outlet) -> None:
        self.folder, self.server = folder, server
        self.settings = load(
            None,
            [
                "account.name=alone",
                f'market.symbols=["{SYMBOL}"]',
                "market.model={quotes_per_second=0.2, trades_per_second=0.02}",
                "journal.position_days=1",
                "risk.price_age=600",
                "risk.max_open_risk=5",
                f"notify.webhook={server.hook}",
                'notify.outside=["default", "warning"]',
            ],
        ).settings
        self.measured: list[Measured] = []
        self.dropped = 0
        self._elapsed = 0
        self._asked = 0

    async def play(self, seconds: int, each: int) -> None:
        """So many seconds, an engine for each stretch of `each`. The server is down in the last
        sixth of a stretch, and comes back after the first sixth of the next one.
        """
        while self._elapsed < seconds:
            session = await self._open()
            try:
                await self._stretch(session, each)
            finally:
                lines = session._outlets.lines
                await session.close()
            self.dropped += sum(outlet.dropped for outlet in lines)
            self._measure()
        self.server.down = False
        session = await self._open()
        await asyncio.sleep(120)
        await session.close()

    async def _open(self) -> LocalSession:
        home = Home.of("alone", self.folder)
        assert home.hold(START) is None
        environment = Days(self.settings, home, START + self._elapsed * SECOND)
        session = LocalSession(self.settings, home, environment=environment)
        await session.open()
        wait_for_commits_of(session)
        return session

    async def _stretch(self, session: LocalSession, each: int) -> None:
        step = each // 24
        for number in range(24):
            self.server.down = (number < 4 and self._elapsed > 0) or number >= 20
            await self._trade(session)
            await asyncio.sleep(step)
            self._elapsed += step

    async def _trade(self, session: LocalSession) -> None:
        self._asked += 1
        held = [one for one in session.view().positions if one.size]
        if len(held) >= 3:
            await session.ask(i.ClosePosition(id=f"c{self._asked}", position=held[0].id))
            return
        await session.ask(
            i.OpenBracket(
                id=f"o{self._asked}",
                symbol=SYMBOL,
                side=Side.BUY,
                size=i.Base(Decimal("0.01")),
                stop=i.Away(Decimal("0.006")),
            )
        )

    def _measure(self) -> None:
        gc.collect()
        home = self.folder / "alone"
        rss = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        [(events, snapshots)] = self.ask(
            "SELECT (SELECT COUNT(*) FROM event), (SELECT COUNT(*) FROM position_snapshots)"
        )
        self.measured.append(
            Measured(
                self._elapsed / DAY,
                len(gc.get_objects()),
                rss * os.sysconf("SC_PAGE_SIZE"),
                sum(path.stat().st_size for path in home.glob("flatout.log*")),
                sum(path.stat().st_size for path in home.glob("journal.sqlite*")),
                events,
                snapshots,
                len(self.told()),
                len(self.server.posts),
            )
        )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the journal's file says."""
        with closing(sqlite3.connect(self.folder / "alone" / "journal.sqlite")) as connection:
            return list(connection.execute(query))

    # What must hold

    def told(self) -> dict[str, dict[str, Any]]:
        """What arrived, by its id: repeats are the same."""
        found: dict[str, dict[str, Any]] = {}
        for text in self.server.told:
            body = json.loads(text)
            assert found.setdefault(body["id"], body) == body
        return found

    def alerts(self) -> list[tuple[str, int]]:
        """Every alert of the journal that is to be told outside: its kind and when it was raised."""
        found = []
        for (body,) in self.ask("SELECT body FROM event WHERE kind = 'alert-raised' ORDER BY seq"):
            event = codec.decode(body)
            assert isinstance(event, e.AlertRaised)
            kind = kind_of(event.alert.code)
            if goes_outside(kind, self.settings.notify.outside):
                found.append((kind, event.at))
        return found

    def missing(self) -> list[tuple[str, int]]:
        """The alerts that never arrived."""
        arrived = sorted((body["event"], body["at"]) for body in self.told().values())

        def is_told(kind: str, at: int) -> bool:
            # a line that is down is told once it has lasted for 3 s
            return any(event == kind and at <= told <= at + 4 * SECOND for event, told in arrived)

        return [
            (kind, at)
            for kind, at in self.alerts()
            if not is_told(kind, at)
            # of a stop that is refused one line tells, and not also that of its order
            and not (kind in ("rejected", "amend_refused") and is_told("stop_refused", at))
        ]
