"""The outlets of an engine: which lines of its record go where, and what stands while they can't.

Which lines go out says the table of `engine.model.telling`, or `notify.outside`.
"""

import asyncio
from functools import partial
from pathlib import Path

from engine.desk import Decision
from engine.model.codes import AlertCode
from engine.model.telling import goes_outside
from engine.model.view import Notice
from engine.model.view.outlets import Tried
from engine.outlets.metrics import Counted, Metrics
from engine.outlets.outlet import Outlet
from engine.outlets.relay import Relay, relay_of
from engine.outlets.scrape import serve
from engine.outlets.scripts import Scripts
from engine.outlets.spool import Line, Spool
from engine.outlets.ways import tried, ways_of
from engine.runtime import Engine
from engine.setup.sections import Settings


class Outlets:
    """All of them."""

    def __init__(self, settings: Settings, engine: Engine, folder: Path) -> None:
        """Make those that the settings ask for. What is to outlive this process is kept in
        `folder`. Raises OutletError.
        """
        self._account = settings.account.name
        self._wanted = settings.notify.outside
        self._ways = ways_of(settings)
        self._session = f"{engine.journal.id[:8]}-{engine.clock.wall()}"
        """Begins the names of this session's lines: numbers alone begin anew with each, and so does
        the time of a recording.
        """
        self._engine = engine
        self.lines = [
            Outlet(
                way.name,
                partial(way.send, self._account),
                self._trouble,
                Spool(folder / f"outlet-{way.name}.jsonl"),
            )
            for way in self._ways
        ]
        made = relay_of(settings)
        self._relay: Relay | None = None
        if made is not None:
            self._relay = Relay(made, engine, folder / "nats.json", self._trouble)
        self._port = settings.outlets.metrics
        self._scripts_port = settings.outlets.websocket
        self._scripts = None if self._scripts_port is None else Scripts(engine, folder)
        counted: list[Counted] = [*self.lines]
        if self._scripts is not None:
            counted.append(self._scripts)
        if self._relay is not None:
            counted.append(self._relay)
        self._metrics = None if self._port is None else Metrics(engine, counted)

    def start(self) -> None:
        """Hear the record, and send."""
        if self.lines:
            self._engine.teller.hear = self.hear
        for outlet in self.lines:
            self._engine.tasks.spawn(f"outlet {outlet.name}", outlet.run())
        if self._relay is not None:
            self._engine.tasks.spawn("outlet nats", self._relay.run())
        if self._metrics is not None and self._port is not None:
            serving = serve(self._metrics, self._port, self._trouble)
            self._engine.tasks.spawn("metrics", serving)
        if self._scripts is not None and self._scripts_port is not None:
            telling = self._scripts.serve(self._scripts_port, self._trouble)
            self._engine.tasks.spawn("websocket", telling)

    def decided(self, decision: Decision, now: int) -> None:
        """A decision of the desk was applied."""
        if self._metrics is not None:
            self._metrics.decided(decision, now)

    def hear(self, notice: Notice) -> None:
        """Take one line of the record; never waits."""
        if goes_outside(notice.kind, self._wanted):
            line = Line(f"{self._session}-{notice.seq}", self._engine.clock.wall(), notice)
            for outlet in self.lines:
                outlet.put(line)

    async def test(self) -> tuple[Tried, ...]:
        """Send a test each way, past whatever waits."""
        ways = [*self._ways]
        if self._relay is not None:
            ways.append(self._relay.jet)
        return await tried(ways, self._account)

    async def rest(self, seconds: float) -> None:
        """Wait until everything that was told has arrived, for at most so many seconds."""
        resting = [outlet.rest(seconds) for outlet in self.lines]
        if self._relay is not None:
            resting.append(self._relay.rest(seconds))
        await asyncio.gather(*resting)

    def _trouble(self, name: str, why: str) -> None:
        """An alert, or its end."""
        self._engine.trouble(AlertCode.OUTLET_FAILING, name, why)
