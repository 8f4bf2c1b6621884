"""The venue's own word about an account, asked without an engine. Nothing here can send.

Apart from `looking`, because a question on the line needs aiohttp, and a journal is read without.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.clock import SECOND, Clock
from engine.exchange.store import Account
from engine.model.fill import Fill
from engine.model.ids import account_prefix
from engine.model.instrument import Instrument, Kind
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.report import Picture
from engine.setup.sections import AccountSettings, Settings
from engine.venues.looking import Looking, Seen
from engine.venues.profiles import instrument_for, profile
from engine.venues.protocol import RateLimitedError

LOOK_BACK = 30 * 86_400 * SECOND
"""How far back a live account's executions are asked for."""
PAUSES = (3.0, 6.0, 12.0, 24.0)
"""Seconds before an exchange is asked again whose limits are used up: Kraken's starter tier gives
back a token in three.
"""


class Held(Struct, frozen=True):
    """What our executions left in the account, as far as the venue shows it: signed size."""

    symbol: str
    size: Decimal


class Told(Struct, frozen=True):
    """What the venue says, sorted by whose it is."""

    at: int
    held: tuple[Held, ...]
    ours: tuple[Order, ...]
    foreign: tuple[Order, ...]
    balances: dict[str, Decimal]
    complete: bool
    """Whether it told all executions that were asked for."""


async def ask(settings: Settings, folder: Path) -> Told:
    """Ask the venue for the account. Raises VenueError, OSError or ValueError; sqlite3.Error for a
    paper account's file.
    """
    account = settings.account
    if account.venue == "paper":
        picture, instruments = _paper(account, folder)
        return _sorted(account.name, picture, instruments, since=0)
    clock = Clock(asyncio.get_running_loop())
    door = seen(settings).looking(folder, clock)
    since = clock.now() - LOOK_BACK
    try:
        instruments = await door.instruments()
        return _sorted(account.name, await _patiently(door, since), instruments, since)
    finally:
        await door.close()


async def _patiently(door: Looking, since: int) -> Picture:
    """A picture; where the account's limits are used up, once they have recovered a little. Raises
    VenueError.
    """
    for pause in PAUSES:
        try:
            return await door.picture(since)
        except RateLimitedError:
            await asyncio.sleep(pause)
    return await door.picture(since)


def seen(settings: Settings, venue: str | None = None) -> Seen:
    """The doors to the account's exchange, or to another one whose prices are heard. Raises
    ValueError.
    """
    a = settings.account
    names = (a.name, venue or a.venue, a.profile, a.limits, settings.market.symbols)
    return Seen(*names, rest=a.rest, ws=a.ws, currency=a.currency, timeout=settings.gateway.timeout)


def _paper(account: AccountSettings, folder: Path) -> tuple[Picture, tuple[Instrument, ...]]:
    """A paper account's file is its venue: read, never opened for writing (that alone would take it
    over).
    """
    base = sqlite3.connect(
        f"{(folder / 'paper.sqlite').absolute().as_uri()}?mode=ro", uri=True, timeout=5.0
    )
    try:
        found = base.execute("SELECT body FROM fact WHERE name = 'account'").fetchone()
        orders = [
            msgspec.json.decode(body, type=Order)
            for (body,) in base.execute("SELECT body FROM orders WHERE open ORDER BY rowid")
        ]
        fills = [
            msgspec.json.decode(body, type=Fill)
            for (body,) in base.execute("SELECT body FROM fills ORDER BY rowid")
        ]
    finally:
        base.close()
    told = (
        Account(1, account.currency, dict(account.cash), {}, 0, ())
        if found is None
        else msgspec.json.decode(found[0], type=Account)
    )
    kind = profile(account.profile, account.limits)
    symbols = sorted(
        {order.symbol for order in orders} | {fill.symbol for fill in fills} | told.holdings.keys()
    )
    instruments = tuple(instrument_for(kind, symbol, None) for symbol in symbols)
    net = {symbol: holding.size for symbol, holding in told.holdings.items() if holding.size}
    now = time.time_ns()
    return Picture(now, tuple(orders), tuple(fills), told.cash, net, now), instruments


def _sorted(account: str, picture: Picture, instruments: Iterable[Instrument], since: int) -> Told:
    prefix = account_prefix(account)
    ours = tuple(order for order in picture.orders if order.client_order_id.startswith(prefix))
    foreign = tuple(
        order for order in picture.orders if not order.client_order_id.startswith(prefix)
    )
    fills = [fill for fill in picture.fills if fill.client_order_id.startswith(prefix)]
    held = [one for instrument in instruments for one in _held(instrument, picture, fills)]
    balances = {name: amount for name, amount in picture.balances.items() if amount}
    return Told(picture.at, tuple(held), ours, foreign, balances, complete=picture.since <= since)


def _held(instrument: Instrument, picture: Picture, fills: Iterable[Fill]) -> list[Held]:
    """What is ours of a symbol: what is on margin by the venue's word; of coins, what our
    executions bought and is still there.
    """
    margin = picture.net.get(instrument.symbol, ZERO)
    sizes = [margin]
    if instrument.kind is Kind.SPOT:
        bought = (
            sum(
                (
                    fill.base_change(instrument)
                    for fill in fills
                    if fill.symbol == instrument.symbol
                ),
                ZERO,
            )
            - margin
        )
        there = picture.balances.get(instrument.base, ZERO)
        sizes.append(max(min(bought, there), min(there, ZERO)))
    return [Held(instrument.symbol, size) for size in sizes if abs(size) >= instrument.min_size]
