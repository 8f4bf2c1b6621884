"""`flatout venue check`: a line per step. It trades; what only looks is elsewhere."""

import asyncio
from urllib.parse import urlsplit

from msgspec.structs import replace

from engine import assembly
from engine.clock import Clock
from engine.home import Home, HomeError
from engine.model.address import is_loopback
from engine.settings import PROFILES, Settings
from engine.venues.conformance import Conformance, Step
from engine.venues.protocol import VenueError
from tui.common import Common
from tui.opening import settings_of
from tui.saying import say

TESTNETS = {"krakenfutures": ("https://demo-futures.kraken.com", "wss://demo-futures.kraken.com/ws")}
"""REST and streams of the exchanges' own testnets; Kraken spot has none."""
SYMBOLS = {"paper": "BTC/USD", "kraken": "BTC/USD", "krakenfutures": "PF_XBTUSD"}


def check(common: Common, name: str, symbol: str | None, *, testnet: bool) -> int:
    """Run the conformance suite; 0 where every step passed."""
    settings = settings_of(common).settings
    symbol = symbol or SYMBOLS[name]
    try:
        settings = _where(settings, name, symbol, testnet=testnet)
        failed = asyncio.run(_check(settings, common, symbol))
    except (HomeError, VenueError, ValueError) as error:
        say(f"flatout venue check: {error}", err=True)
        return 2
    say("every step passed" if not failed else f"{failed} steps failed")
    return 1 if failed else 0


def _where(settings: Settings, name: str, symbol: str, *, testnet: bool) -> Settings:
    """The account to check. Raises ValueError where that would be one with real money."""
    account = settings.account
    market = replace(settings.market, symbols=(symbol,), source="simulated")
    if name == "paper":
        return replace(settings, account=replace(account, venue="paper"), market=market)
    rest, ws = account.rest, account.ws
    if testnet:
        if name not in TESTNETS:
            raise ValueError(f"{name} has no testnet; start `flatout exchange` and name its addresses with --set account.rest=... and account.ws=...")
        rest, ws = TESTNETS[name]
    elif rest is None or not is_loopback(urlsplit(rest).hostname or ""):
        raise ValueError("it trades: name --testnet, or an exchange on this machine with --set account.rest=http://127.0.0.1:PORT")
    return replace(settings, account=replace(account, venue=name, profile=PROFILES[name], rest=rest, ws=ws), market=market)


async def _check(settings: Settings, common: Common, symbol: str) -> int:
    home = Home.at(settings.account.name, common.home)
    clock, failed = Clock(asyncio.get_running_loop()), 0
    async with assembly.checked(settings, home.folder, clock) as venue:
        async for step in Conformance(venue, settings.account.name, symbol, clock).run():
            _step(step)
            failed += step.ok is False
    return failed


def _step(step: Step) -> None:
    sign = {True: "✓", False: "✗", None: "–"}[step.ok]
    say(f"{sign} {step.name}{f': {step.detail}' if step.detail else ''}")
