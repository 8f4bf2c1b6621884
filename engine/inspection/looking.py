"""What the journal knows of an account, read without an engine. Nothing here can send.

An import contract keeps the engine, the gateway, the factories of trading venues and the paper
venue out of this module.
"""

import time
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.desk import Board, Desk, State, Views
from engine.journal import Journal
from engine.model.codes import BlockCode
from engine.model.happening import Stretch
from engine.model.order import Order
from engine.model.position import Protection
from engine.model.view import LimitView, PositionView, View
from engine.records import state_of, stream, timelines
from engine.setup.sections import Settings
from engine.venues.profiles import profile

STEPS = 20_000
"""Events of one timeline that are read at most, the newest."""


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
