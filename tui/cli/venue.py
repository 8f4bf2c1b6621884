"""`flatout venue check`: a line per step. It trades; what only looks is elsewhere."""

import asyncio
import sys
from urllib.parse import urlsplit

import click
from msgspec.structs import replace

from engine.account.home import Home, HomeError
from engine.clock import Clock
from engine.model.address import is_loopback
from engine.model.counts import counted
from engine.setup import factories
from engine.setup.sections import Settings
from engine.venues.conformance import Conformance, Step
from engine.venues.exchanges import EXCHANGES
from engine.venues.protocol import VenueError
from tui.cli.chosen import settings_of
from tui.cli.common import Common
from tui.cli.output import say

ON_PAPER = "BTC/USD"


def check(common: Common, name: str, symbol: str | None, *, testnet: bool) -> int:
    """Run the conformance suite; 0 where every step passed."""
    settings = settings_of(common).settings
    symbol = symbol or (ON_PAPER if name == "paper" else EXCHANGES[name].symbol)
    try:
        settings = _where(settings, name, symbol, testnet=testnet)
        failed = asyncio.run(_check(settings, common, symbol))
    except (HomeError, VenueError, ValueError) as error:
        say(f"flatout venue check: {error}", err=True)
        return 2
    say("every step passed" if not failed else f"{counted(failed, 'step')} failed")
    return 1 if failed else 0


def _where(settings: Settings, name: str, symbol: str, *, testnet: bool) -> Settings:
    """The account to check. Raises ValueError where that would be one with real money."""
    account = settings.account
    market = replace(settings.market, symbols=(symbol,), source="simulated")
    if name == "paper":
        return replace(settings, account=replace(account, venue="paper"), market=market)
    exchange, rest, ws = EXCHANGES[name], account.rest, account.ws
    if testnet:
        if exchange.testnet is None:
            raise ValueError(
                f"{name} has no testnet; start `flatout exchange` and name its addresses with --set"
                " account.rest=... and account.ws=..."
            )
        rest, ws = exchange.testnet
    elif rest is None or not is_loopback(urlsplit(rest).hostname or ""):
        raise ValueError(
            "it trades: name --testnet, or an exchange on this machine with --set"
            " account.rest=http://127.0.0.1:PORT"
        )
    return replace(
        settings,
        account=replace(account, venue=name, profile=exchange.profile, rest=rest, ws=ws),
        market=market,
    )


async def _check(settings: Settings, common: Common, symbol: str) -> int:
    home = Home.at(settings.account.name, common.home)
    clock, failed = Clock(asyncio.get_running_loop()), 0
    async with factories.checked(settings, home.folder, clock) as venue:
        async for step in Conformance(venue, settings.account.name, symbol, clock).run():
            _step(step)
            failed += step.ok is False
    return failed


def _step(step: Step) -> None:
    sign = {True: "✓", False: "✗", None: "–"}[step.ok]
    say(f"{sign} {step.name}{f': {step.detail}' if step.detail else ''}")


@click.group("venue")
def command() -> None:
    """Look at a venue."""


@command.command("check")
@click.argument("name", type=click.Choice(["paper", *EXCHANGES]))
@click.option("--testnet", is_flag=True, help="The exchange's own testnet.")
@click.option("--symbol", help="What to trade; the smallest size there is.")
@click.pass_obj
def check_command(common: Common, name: str, testnet: bool, symbol: str | None) -> None:
    """Trade the smallest size step by step, and report whether the venue does what this engine
    relies on.

    Against a testnet, or an exchange on this machine (`flatout exchange`) named with --set
    account.rest=... and account.ws=...; never for real.
    """
    sys.exit(check(common, name, symbol, testnet=testnet))
