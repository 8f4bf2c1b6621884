"""The command `flatten`: everything of ours is cancelled and closed, whatever stands in the way. It imports no desk, no journal, no screen."""

import asyncio
import os
from pathlib import Path

import click
import platformdirs
from msgspec import Struct

from engine.emergency import Wanted, last_exit
from engine.settings import Loaded, SettingsError, load
from tui.cli import Common

UNUSABLE = 2
TRACES = ("identity.json", "journal.sqlite", "paper.sqlite", "summary.json", "lock")
"""Files of which a home that was opened has at least one."""


class Which(Struct, frozen=True):
    """The account that is meant."""

    folder: Path
    label: str


def which(common: Common, loaded: Loaded) -> Which | None:
    """The account, or None where nobody knows it and nobody said a venue. Creates nothing."""
    account = loaded.settings.account
    named = os.environ.get("FLATOUT_HOME")
    root = common.home or (Path(named) if named else Path(platformdirs.user_data_dir("flatout")))
    folder = root / account.name
    if not any((folder / name).exists() for name in TRACES) and (account.venue == "paper" or "account.venue" not in loaded.origins):
        return None
    return Which(folder, f"{account.name} · {account.venue} · {'PAPER' if account.venue == 'paper' else 'LIVE'}")


def flatten(common: Common, *, yes: bool, all_of: tuple[str, ...] = (), any_price: bool = False) -> int:
    """Until the venue says flat; 0 only then."""
    try:
        loaded = load(common.settings, common.flags)
    except SettingsError as error:
        click.echo(f"flatout: {error}", err=True)
        return UNUSABLE
    found = which(common, loaded)
    if found is None:
        click.echo(f"flatout flatten: no account is called {loaded.settings.account.name}, and nobody said its account.venue", err=True)
        return UNUSABLE
    if not yes:
        click.echo(f"{found.label}: this cancels and closes everything of ours; say --yes to do it")
        return 1
    if not _confirmed(all_of):
        click.echo(f"{found.label}: nothing was done: the symbol was not typed as it is", err=True)
        return UNUSABLE
    wanted = Wanted(settings=loaded.settings, folder=found.folder, label=found.label, all_of=all_of, any_price=any_price)
    return asyncio.run(last_exit(wanted, click.echo))


def _confirmed(symbols: tuple[str, ...]) -> bool:
    """Whether each symbol of which everything is to be closed, the owner's own part too, was typed once more."""
    return all(
        click.prompt(f"this closes all of {symbol}, whoever bought it; type {symbol}", default="", show_default=False) == symbol for symbol in symbols
    )
