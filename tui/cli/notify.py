"""`flatout notify test`: whether the outlets work."""

import asyncio
import sys

import click

from engine.account.home import Home
from engine.account.running import running
from engine.model.view.outlets import Tried
from engine.outlets import OutletError, relay_of, tried, ways_of
from engine.session import QueryError
from engine.session.client import ControlError, Line
from engine.session.messages import OutletsTried, TryOutlets
from engine.setup.accounts import Resolved
from tui.cli.chosen import account_of
from tui.cli.common import Common
from tui.cli.output import say

ARRIVED, NOT_ARRIVED, UNUSABLE = 0, 1, 2
PATIENCE = 15.0
"""Seconds that an engine gets to answer."""


async def _tried(resolved: Resolved) -> tuple[Tried, ...]:
    """By the engine, with what it was started with; where none runs, from here."""
    if running(resolved.folder) is not None:
        try:
            line = await Line.open(Home(resolved.folder, create=False).control, PATIENCE)
            try:
                return (await line.put(TryOutlets(), OutletsTried)).outlets
            finally:
                await line.close()
        except (ControlError, QueryError) as error:
            say(f"flatout notify test: {error}; sent from here:", err=True)
    jet = relay_of(resolved.settings)
    ways = [*ways_of(resolved.settings), *([jet] if jet else [])]
    return await tried(ways, resolved.settings.account.name)


@click.group("notify")
def command() -> None:
    """Try the outlets: `flatout notify test`."""


@command.command("test")
@click.pass_obj
def _test(common: Common) -> None:
    """Send a test message on each outlet, by the account's engine or, where none runs, from here,
    and say what became of it.

    Exit codes: 0 all arrived, 1 one did not, 2 unusable, or nobody is told.
    """
    resolved = account_of(common, command="notify test")
    try:
        found = asyncio.run(_tried(resolved))
    except OutletError as error:
        say(f"flatout notify test: {error}", err=True)
        sys.exit(UNUSABLE)
    if not found:
        say("flatout notify test: no outlet is set up: docs/outlets.md", err=True)
        sys.exit(UNUSABLE)
    say(*(one.text for one in found))
    sys.exit(NOT_ARRIVED if any(one.why for one in found) else ARRIVED)
