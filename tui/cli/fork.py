"""`flatout fork --at 14:02 NAME`: a paper account as it was at a moment, as another account."""

import sys
from functools import partial

import click

from engine.account.folder import FolderError
from engine.exchange import ArchiveError
from engine.inspection.forking import ForkError, fork
from engine.inspection.reports import NothingThereError
from engine.journal import JournalError
from engine.model.counts import counted
from tui.cli.bars import busy
from tui.cli.chosen import account_of
from tui.cli.common import Common
from tui.cli.moments import moment_of
from tui.cli.output import say
from tui.plain import plain

MADE, NOTHING, REFUSED = 0, 1, 2


def make(common: Common, at: str, day: str | None, name: str) -> int:
    """Fork; the exit code."""
    source = account_of(common, command="fork")
    try:
        with busy(f"making {name}"):
            made = fork(source, name, partial(moment_of, at, day), common.home)
    except NothingThereError as error:
        say(f"flatout fork: {error}", err=True)
        return NOTHING
    except (ArchiveError, FolderError, ForkError, JournalError, OSError, ValueError) as error:
        say(f"flatout fork: {error}", err=True)
        return REFUSED
    told = (counted(made.events, "event"), counted(made.positions, "position"))
    say(
        plain(
            f"{name} is what {source.account} was: {told[0]}, {told[1]} and"
            f" {counted(made.orders, 'order')} open; with the same prices it goes on from there:"
            f" flatout --account {name} --market FILES"
        )
    )
    return MADE


@click.command("fork")
@click.option("--at", required=True, metavar="TIME", help="14:02:30, UTC; or with its day.")
@click.option("--day", metavar="DAY", help="2026-12-01; default: the journal's last day.")
@click.argument("name")
@click.pass_obj
def command(common: Common, at: str, day: str | None, name: str) -> None:
    """Make the new paper account NAME of what an account was at a moment of a recording, to go on
    from there otherwise: with its journal, positions, orders and money. The account stays as it is.

    Exit codes: 0 made, 1 the journal has nothing of then, 2 refused.
    """
    sys.exit(make(common, at, day, name))
