"""The command `flatten`: everything of ours is cancelled and closed, whatever stands in the way. It
imports no desk, no journal, no screen.
"""

import asyncio
import contextlib
import os
import signal
import sys

import click

from engine.account.folder import FolderError, check
from engine.account.identity import IdentityError, check_key
from engine.account.running import running
from engine.emergency import Wanted, last_exit
from engine.setup.accounts import Resolved, resolve
from engine.setup.settings import SettingsError, load
from engine.venues.live.keys import find
from engine.venues.protocol import VenueError
from tui.cli.common import Common
from tui.cli.output import say

UNUSABLE = 2


def flatten(
    common: Common, *, yes: bool, all_of: tuple[str, ...] = (), any_price: bool = False
) -> int:
    """Until the venue says flat; 0 only then."""
    try:
        loaded = load(common.settings, common.flags)
        found = resolve(
            loaded.settings,
            common.home,
            loaded.explicit,
            origins=loaded.origins,
            named=loaded.accounts,
        )
        # an engine that runs has its key
        if yes and found.identity.live and running(found.folder) is None:
            check_key(found.identity, find(found.account, found.folder).key)
    except (SettingsError, IdentityError, VenueError) as error:
        say(f"flatout flatten: {error}", err=True)
        return UNUSABLE
    try:
        if found.folder.exists():
            check(found.folder)
    except FolderError as error:  # told, and passed over: flat comes first
        say(f"flatout flatten: {error}", err=True)
    if not yes:
        return _only_told(common, found)
    if not found.exists and not found.identity.live:
        say(f"{found.label()}: this paper account was never opened: nothing is in it")
        return 0
    if not _confirmed(all_of):
        say(f"{found.label()}: nothing was done: the symbol was not typed as it is", err=True)
        return UNUSABLE
    wanted = Wanted(
        settings=found.settings,
        folder=found.folder,
        label=found.label(),
        all_of=all_of,
        any_price=any_price,
    )
    return asyncio.run(_whatever_ends(wanted))


async def _whatever_ends(wanted: Wanted) -> int:
    """The last exit, also when the window that it was called in is closed."""
    with contextlib.suppress(AttributeError, ValueError):  # no such signal, or no main thread
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return await last_exit(wanted, _told)


def _told(line: str) -> None:
    """Print it. A window that was closed, an ssh line that broke: flat comes first all the same."""
    try:
        say(line)
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _only_told(common: Common, found: Resolved) -> int:
    from tui.cli.status import status

    say(
        f"flatout flatten: {found.label()}: this cancels and closes everything of ours; say --yes"
        " to do it"
    )
    return status(common, as_json=False, venue=False) or 1


def _confirmed(symbols: tuple[str, ...]) -> bool:
    """Whether each symbol of which everything is to be closed, the owner's own part too, was typed
    once more.
    """
    question = "this closes all of {0}, whoever bought it; type {0}"
    return all(
        click.prompt(question.format(symbol), default="", show_default=False) == symbol
        for symbol in symbols
    )


@click.command("flatten")
@click.option("--yes", is_flag=True, help="Do it; without this it only says what it would do.")
@click.option(
    "--all-of",
    "all_of",
    multiple=True,
    metavar="SYMBOL",
    help="Close all of this symbol, whoever bought it; asks for it to be typed.",
)
@click.option("--any-price", is_flag=True, help="Let the last attempts go without a price bound.")
@click.pass_obj
def command(common: Common, yes: bool, all_of: tuple[str, ...], any_price: bool) -> None:
    """Cancel everything of ours, close everything, until the venue says flat, with or without a
    console that answers.

    Exit codes: 0 the venue says flat, 1 it does not and each line says what is left, 2 it can't be
    tried.
    """
    sys.exit(flatten(common, yes=yes, all_of=all_of, any_price=any_price))
