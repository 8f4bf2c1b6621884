"""`flatout rewind --at 14:02:30`: the console as it was at a moment of the journal. Never sends
anything.
"""

import asyncio
import sys
from datetime import UTC, datetime

import click

from engine.inspection.reports import NothingThereError
from engine.inspection.rewinding import Rewind
from engine.journal import JournalError
from engine.session import Session
from engine.setup.accounts import Resolved
from tui.cli.chosen import account_of, settings_of
from tui.cli.common import Common
from tui.cli.console import options_of
from tui.cli.moments import moment_of
from tui.cli.output import harmless
from tui.rewind.screen import ReplayScreen, RewindApp
from tui.rewind.session import ReplaySession
from tui.terminal import tell, unfit

LEFT, NOTHING, UNUSABLE = 0, 1, 2


def rewind(common: Common, at: str | None, day: str | None) -> int:
    """Run the replay's console; its exit code."""
    if why := unfit():
        tell(
            f"flatout rewind: the console needs a terminal, and {why}; `flatout report` writes a"
            " page without one"
        )
        return UNUSABLE
    loaded = settings_of(common)
    resolved = account_of(common, loaded, command="rewind")
    try:
        there = _begun(resolved, at, day)
    except NothingThereError as error:
        tell(harmless(f"flatout rewind: {error}"))
        return NOTHING
    except (JournalError, ValueError) as error:
        tell(harmless(f"flatout rewind: {error}"))
        return UNUSABLE

    async def session() -> Session:
        return ReplaySession(there)

    app = RewindApp(session, options_of(common, loaded, resolved.settings, resolved.folder))
    assert isinstance(app.main, ReplayScreen)
    app.main.flattens = f"flatout --account {resolved.account} flatten --yes"
    code = asyncio.run(app.attend())
    if app.last_words:
        tell(harmless(f"flatout rewind: {'; '.join(app.last_words)}"))
    return code


def _begun(resolved: Resolved, at: str | None, day: str | None) -> Rewind:
    """The journal at the moment. Raises JournalError, NothingThereError, ValueError."""
    path = resolved.folder / "journal.sqlite"
    if resolved.settings.journal.url is None and not path.exists():
        raise JournalError(f"{resolved.label()}: no journal is here; name another --home")
    found = Rewind(resolved.settings, resolved.folder)
    try:
        moment = moment_of(at, day, found.last_at)
        if not found.first_at // 10**9 <= moment // 10**9 <= found.last_at // 10**9:
            first, last = (
                f"{datetime.fromtimestamp(edge / 1e9, UTC):%Y-%m-%d %H:%M:%S}"
                for edge in (found.first_at, found.last_at)
            )
            if day is None or at is not None:
                raise NothingThereError(f"the journal has {first} to {last} UTC")
        found.go(moment)
    except BaseException:
        found.close()
        raise
    return found


@click.command("rewind")
@click.option("--at", metavar="TIME", help="14:02:30, UTC; default: the last event.")
@click.option("--day", metavar="DAY", help="2026-12-01; default: the journal's last day.")
@click.pass_obj
def command(common: Common, at: str | None, day: str | None) -> None:
    """Show the console as it was at a moment of the journal, and travel in time with the arrow
    keys. Sends nothing.

    ← → go an event back and forward, page up and down a minute, [ and ] to the last or next fill or
    alert. Prices are those that the journal knows; where it knows none, the first line says so.

    Exit codes: 0 left, 1 the journal has nothing of it, 2 unusable.
    """
    sys.exit(rewind(common, at, day))
