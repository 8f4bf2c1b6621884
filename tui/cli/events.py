"""`flatout events`: the event stream, from the engine that runs or from the journal."""

import asyncio
import contextlib
import sys

import click

from engine.account.home import Home
from engine.account.running import running
from engine.inspection import looking
from engine.journal import JournalError
from engine.model.happening import Happening, Stretch, as_json, time_of
from engine.session import QueryError
from engine.session.client import ControlError, Line
from engine.session.messages import MOST_WAIT, Events, EventsTold
from engine.setup.accounts import Resolved
from tui.cli.chosen import account_of
from tui.cli.common import Common
from tui.cli.output import say
from tui.plain import plain

DONE, UNUSABLE = 0, 2
NEWEST = 100
"""Events that are told where nobody says where to begin."""
AT_ONCE = 500
"""Events of one answer."""
PATIENCE = MOST_WAIT + 5.0
"""Seconds that an engine gets to answer."""
LOOK = 0.5
"""Seconds between two looks into a journal that no engine writes."""


class Source:
    """The account's events: by the engine where one runs, else by its journal. One that starts or
    ends meanwhile changes nothing but who is asked.
    """

    def __init__(self, resolved: Resolved) -> None:
        self._resolved = resolved
        self._line: Line | None = None

    async def after(self, seq: int | None, most: int, *, wait: bool) -> Stretch:
        """The events after a number; with `wait`, nothing may take seconds to come. Raises
        JournalError.
        """
        told = await self._asked(Events(seq, most, MOST_WAIT if wait else 0.0))
        if told is not None:
            return Stretch(told.events, told.last)
        resolved = self._resolved
        if resolved.settings.journal.url is None:
            path = resolved.folder / "journal.sqlite"
            if not path.exists():
                raise JournalError(f"{resolved.label()}: no journal is here; name another --home")
        found = looking.happenings(resolved.settings, resolved.folder, seq, most)
        if wait and not found.events:
            await asyncio.sleep(LOOK)
        return found

    async def _asked(self, question: Events) -> EventsTold | None:
        """The engine's answer; None where none answers."""
        try:
            if self._line is None:
                if running(self._resolved.folder) is None:
                    return None
                control = Home(self._resolved.folder, create=False).control
                self._line = await Line.open(control, PATIENCE)
            return await self._line.put(question, EventsTold)
        except (ControlError, QueryError):
            await self.close()
            return None

    async def close(self) -> None:
        """Hang up."""
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(ControlError):
                await line.close()


async def _tell(source: Source, start: int | None, *, follow: bool, in_json: bool) -> None:
    after = None if start is None else max(start - 1, 0)
    try:
        while True:
            most = NEWEST if after is None else AT_ONCE
            told = await source.after(after, most, wait=follow and after is not None)
            for one in told.events:
                say(as_json(one) if in_json else _line(one))
            if not follow and len(told.events) < most:
                return
            after = told.last
    finally:
        await source.close()


def _line(one: Happening) -> str:
    return (
        f"{one.seq:>8}  {time_of(one.at)}  {one.topic.value:<10} {one.symbol:<9} {plain(one.text)}"
    )


@click.command("events")
@click.option("--follow", "-f", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option("--json", "in_json", is_flag=True, help="A line of JSON per event.")
@click.option(
    "--from",
    "start",
    type=click.IntRange(min=0),
    metavar="SEQ",
    help="Begin with this number; without it, with the newest 100.",
)
@click.pass_obj
def command(common: Common, follow: bool, in_json: bool, start: int | None) -> None:
    """Print what changed orders, positions, protection, money and alerts, numbered: by the
    account's engine, or, where none runs, by its journal. Sends nothing.

    Exit codes: 0 told, 2 unusable.
    """
    resolved = account_of(common, command="events")
    try:
        asyncio.run(_tell(Source(resolved), start, follow=follow, in_json=in_json))
    except KeyboardInterrupt:
        sys.exit(DONE)
    except (JournalError, OSError) as error:
        say(f"flatout events: {plain(str(error))}", err=True)
        sys.exit(UNUSABLE)
