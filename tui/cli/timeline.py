"""`flatout timeline ID`: what happened to an order, a position or an intent, asked of the engine
that runs, else read from the journal. Never sends anything.

Exit codes: 0 it is known, 1 nothing names it, 2 unusable.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from engine.account.home import Home
from engine.account.running import running
from engine.inspection import looking
from engine.journal import JournalError
from engine.model.timeline import Step
from engine.session import QueryError
from engine.session.client import ControlError, Line
from engine.session.messages import Timeline, TimelineTold
from engine.setup.accounts import Resolved
from tui.cli.chosen import account_of
from tui.cli.common import Common
from tui.cli.output import say
from tui.cli.status import PATIENCE
from tui.plain import plain
from tui.steps import step_text

KNOWN, UNKNOWN, UNUSABLE = 0, 1, 2


def timeline(common: Common, about: str, *, as_json: bool) -> int:
    """Print the timeline of an id; the exit code."""
    resolved = account_of(common, command="timeline")
    try:
        steps, complete = _found(resolved, about)
    except (JournalError, QueryError, OSError) as error:
        say(f"flatout timeline: {plain(str(error))}", err=True)
        return UNUSABLE
    if as_json:
        told = {"about": about, "complete": complete, "steps": msgspec.to_builtins(steps)}
        say(json.dumps(told, ensure_ascii=False))
        return KNOWN if steps else UNKNOWN
    if not steps:
        say(f"flatout timeline: nothing is known of {plain(about)}", err=True)
        return UNKNOWN
    if not complete:
        say("only the newest part:")
    say(*_lines(steps))
    return KNOWN


def _lines(steps: tuple[Step, ...]) -> list[str]:
    """A line per step, and the date where it changes."""
    found, day = [], ""
    for step in steps:
        if (own := _day(step.at)) != day:
            day = own
            found.append(day)
        found.append(step_text(step))
    return found


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1e9, UTC):%Y-%m-%d} UTC"


def _found(resolved: Resolved, about: str) -> tuple[tuple[Step, ...], bool]:
    """From the engine that runs; where none answers, from the journal."""
    if running(resolved.folder) is not None:
        try:
            told = asyncio.run(_asked(Home(resolved.folder, create=False).control, about))
            return told.steps, told.complete
        except ControlError as error:
            say(f"flatout timeline: {plain(str(error))}; read from the journal:", err=True)
    path = resolved.folder / "journal.sqlite"
    if resolved.settings.journal.url is None and not path.exists():
        raise JournalError(f"{resolved.label()}: no journal is here; name another --home")
    found = looking.timeline(resolved.settings, resolved.folder, about)
    return found.steps, not found.cut


async def _asked(socket: Path, about: str) -> TimelineTold:
    line = await Line.open(socket, PATIENCE)
    try:
        return await line.put(Timeline(about), TimelineTold)
    finally:
        await line.close()


@click.command("timeline")
@click.argument("name", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="As JSON: its steps, with all times.")
@click.pass_obj
def command(common: Common, name: str, as_json: bool) -> None:
    """Say what happened to an order (by our id or the venue's), a position or an intent, step by
    step: by the account's engine, or, where none runs, by its journal. Sends nothing.

    Exit codes: 0 it is known, 1 nothing names it, 2 unusable.
    """
    sys.exit(timeline(common, name, as_json=as_json))
