"""What can be known of an account without an engine: its journal, the home's summary, the venue's
own word. Nothing here can send.

An import contract keeps the engine, the gateway, the factories of trading venues and the paper
venue out of this module.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.desk import Board, Desk, State, Views
from engine.exchange.store import Account
from engine.journal import Journal
from engine.model.codes import BlockCode
from engine.model.fill import Fill
from engine.model.happening import Stretch
from engine.model.ids import account_prefix
from engine.model.instrument import Instrument, Kind
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.position import Protection
from engine.model.report import Picture
from engine.model.view import LimitView, PositionView, View
from engine.records import state_of, stream, timelines
from engine.setup.sections import AccountSettings, Settings
from engine.venues.looking import Looking, Seen
from engine.venues.profiles import instrument_for, profile
from engine.venues.protocol import RateLimitedError

STEPS = 20_000
"""Events of one timeline that are read at most, the newest."""
LOOK_BACK = 30 * 86_400 * SECOND
"""How far back a live account's executions are asked for."""

PAUSES = (3.0, 6.0, 12.0, 24.0)
"""Seconds before an exchange is asked again whose limits are used up: Kraken's starter tier gives
back a token in three.
"""


class Known(Struct, frozen=True):
    """The account as its journal tells it."""

    view: View
    at: int
    """When the last event was written, nanoseconds; 0 for an empty journal."""
    seq: int
    """Its number."""
    marks: frozenset[str] = frozenset()
    """The last exits whose orders it has booked, by the name of their mark."""


def journal_of(settings: Settings, folder: Path) -> Journal:
    """The account's journal, to read beside whoever writes it. Raises JournalError."""
    place = settings.journal.url or folder / "journal.sqlite"
    return Journal.open(place, settings.account.name, "reader", now=time.time_ns(), read_only=True)


def last_seq(settings: Settings, folder: Path) -> int:
    """The number of the journal's last event. Raises JournalError."""
    journal = journal_of(settings, folder)
    try:
        return max((stored.seq for stored in journal.tail(1)), default=0)
    finally:
        journal.close()


def last_known(settings: Settings, folder: Path) -> Known:
    """Replay the journal. Raises JournalError, or MsgspecError for an event that can't be read."""
    journal = journal_of(settings, folder)
    try:
        state, at = _replayed(settings, journal)
        view = _view(settings, state, journal)
    finally:
        journal.close()
    return Known(view, at, state.seq, frozenset(state.booked_marks))


def last_state(settings: Settings, folder: Path) -> State:
    """The state that the journal tells. Raises JournalError, or MsgspecError."""
    journal = journal_of(settings, folder)
    try:
        return _replayed(settings, journal)[0]
    finally:
        journal.close()


def timeline(settings: Settings, folder: Path, about: str) -> timelines.Timeline:
    """What the journal has of an id, without an engine. Raises JournalError."""
    account = settings.account
    model = profile(account.profile, account.limits).limit_model()
    journal = journal_of(settings, folder)
    try:
        found = timelines.timeline(
            lambda names, after: journal.about(names, after, STEPS), about, model.charges
        )
    finally:
        journal.close()
    return found


def happenings(settings: Settings, folder: Path, after: int | None, most: int) -> Stretch:
    """The events after a number (None: the newest), by the journal. Raises JournalError."""
    journal = journal_of(settings, folder)
    try:
        start = stream.newest(journal, most) if after is None else after
        rows = partial(_known_order, journal)
        return stream.stretch(journal, start, most, rows)
    finally:
        journal.close()


def _known_order(journal: Journal, name: str) -> Order | None:
    """An order as its row tells it; None where there is none."""
    row = journal.order(name)
    if row is None:
        return None
    wanted = {key: row[key] for key in ("position", "symbol", "side", "type", "role", "size")}
    return msgspec.convert({"client_order_id": name, **wanted}, Order)


def _replayed(settings: Settings, journal: Journal) -> tuple[State, int]:
    account = settings.account
    at = max((stored.at for stored in journal.tail(1)), default=0)
    return state_of(journal, account.name, account.currency, lambda _: None), at


def _view(settings: Settings, state: State, journal: Journal) -> View:
    """What a console would show of the state, with nobody there who watches prices or hears the
    venue.
    """
    now = time.time_ns()
    view = shown(settings, state, Board(now), now)
    return replace(
        view,
        positions=tuple(_unwatched(position) for position in view.positions),
        limits=tuple(LimitView(level, 0.0, 0.0) for level in journal.levels()),
        connected=False,
    )


def shown(settings: Settings, state: State, board: Board, now: int) -> View:
    """A state as a console shows it, with the prices of a board, at a time: without an engine there
    are no notices, and nothing is known of limits and lanes.
    """
    account = settings.account
    desk = Desk(state, settings.rules, profile(account.profile, account.limits), board)
    views = Views(desk, account.venue, live=account.venue != "paper")
    ctx = views.context(now)
    mode, reasons = views.mode(ctx)
    return View(
        at=now,
        account=views.account(ctx),
        mode=mode,
        reasons=reasons,
        positions=views.positions(ctx),
        orders=views.orders(ctx),
        alerts=views.alerts(ctx),
        closed=views.closed(ctx),
        limits=(),
        lanes=(),
        breaker="closed",
        feeds=views.feeds(ctx),
        lag=0,
        connected=BlockCode.DISCONNECTED not in state.blocks,
        journal_failing="",
        flatten=views.flatten(ctx),
        notices=(),
        truth=views.truth(ctx),
        progress=None,
        price_alerts=tuple(state.price_alerts.values()),
    )


def _unwatched(position: PositionView) -> PositionView:
    """A guard is the engine itself: without one the position is naked, whatever the journal last
    said.
    """
    if position.protection is Protection.GUARDED:
        return replace(
            position,
            protection=Protection.NAKED,
            protection_text="it was watched by the engine, and none runs",
        )
    return position


# The venue's own word


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
