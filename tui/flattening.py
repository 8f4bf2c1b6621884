"""The command `flatten`: everything of ours is cancelled and closed, whatever stands in the way. It imports no desk, no journal, no screen."""

import asyncio

import click

from engine.emergency import Wanted, last_exit
from engine.session.folder import FolderError, check
from engine.session.identity import IdentityError, Resolved, check_key, resolve
from engine.session.running import running
from engine.settings import SettingsError, load
from engine.venues.live.keys import find
from engine.venues.protocol import VenueError
from tui.common import Common
from tui.saying import say

UNUSABLE = 2


def flatten(common: Common, *, yes: bool, all_of: tuple[str, ...] = (), any_price: bool = False) -> int:
    """Until the venue says flat; 0 only then."""
    try:
        loaded = load(common.settings, common.flags)
        found = resolve(loaded.settings, common.home, loaded.explicit, origins=loaded.origins, named=loaded.accounts)
        if yes and found.identity.live and running(found.folder) is None:  # an engine that runs has its key
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
    wanted = Wanted(settings=found.settings, folder=found.folder, label=found.label(), all_of=all_of, any_price=any_price)
    return asyncio.run(last_exit(wanted, say))


def _only_told(common: Common, found: Resolved) -> int:
    from tui.looking import status

    say(f"flatout flatten: {found.label()}: this cancels and closes everything of ours; say --yes to do it")
    return status(common, as_json=False, venue=False) or 1


def _confirmed(symbols: tuple[str, ...]) -> bool:
    """Whether each symbol of which everything is to be closed, the owner's own part too, was typed once more."""
    question = "this closes all of {0}, whoever bought it; type {0}"
    return all(click.prompt(question.format(symbol), default="", show_default=False) == symbol for symbol in symbols)
