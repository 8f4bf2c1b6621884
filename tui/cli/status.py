"""`flatout status`: how an account stands, asked of its engine, read from its journal, or asked of
the venue. Never sends anything.

Exit codes: 0 an engine runs, nothing is open, or a last exit ended flat; 2 unusable; 5 no engine
runs and something is open; 6 it is not known.
"""

import asyncio
import json
import sqlite3
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from engine.account import mark as marks
from engine.account import summary as summaries
from engine.account.home import Holder, Home, HomeError
from engine.account.identity import Identity, IdentityError, check_key
from engine.account.running import running
from engine.account.summary import Summary
from engine.inspection import looking
from engine.journal import JournalError
from engine.model.counts import counted
from engine.model.money import plain
from engine.model.order import Order
from engine.model.position import Protection
from engine.model.view import View
from engine.session.client import ControlError, Line
from engine.session.messages import Look
from engine.setup.accounts import Resolved
from engine.venues.live.keys import find
from engine.venues.protocol import VenueError
from tui import figures
from tui.cli.chosen import account_of
from tui.cli.common import Common
from tui.cli.output import say
from tui.plain import plain as harmless

if TYPE_CHECKING:
    from engine.inspection.venue import Told

PATIENCE = 3.0
"""Seconds that an engine gets to answer before it counts as hung."""
DONE, UNUSABLE, OPEN, UNKNOWN = 0, 2, 5, 6


def status(common: Common, *, as_json: bool, venue: bool) -> int:
    """Say how the account stands; the exit code."""
    resolved = account_of(common, command="status")
    try:
        return _venue(resolved, as_json=as_json) if venue else _status(resolved, as_json=as_json)
    except (VenueError, IdentityError, HomeError, ValueError, OSError, sqlite3.Error) as error:
        say(f"flatout status: {harmless(str(error))}", err=True)
        return UNUSABLE


def _status(resolved: Resolved, *, as_json: bool) -> int:
    if not resolved.exists:
        _say(
            resolved.identity,
            "it was never opened here; nothing is known of it; `flatout status --venue` asks its"
            " venue",
            as_json=as_json,
        )
        return DONE
    holder, view = running(resolved.folder), None
    try:
        view = asyncio.run(_asked(Home(resolved.folder, create=False).control))
    except ControlError as error:
        if holder is not None:
            say(
                f"flatout status: {resolved.label()}: {holder.text} holds it, and {error}", err=True
            )
    if view is None:
        code = _last_known(resolved, holder, as_json=as_json)
        return UNKNOWN if holder is not None else code
    say(*([_json(view, holder)] if as_json else told(view)))
    return DONE


async def _asked(socket: Path) -> View:
    line = await Line.open(socket, PATIENCE)
    try:
        view = await line.put(Look(), View)
        assert isinstance(view, View)
        return view
    finally:
        await line.close()


def _say(identity: Identity, text: str, *, as_json: bool) -> None:
    say(
        json.dumps({"account": {"name": identity.account}, "engine": None, "text": text})
        if as_json
        else f"{identity.label()}: {text}"
    )


# Without an engine


def _last_known(resolved: Resolved, holder: Holder | None, *, as_json: bool) -> int:
    """What the journal says; where it can't be read, what the home's summary says."""
    summary, kept = (
        summaries.read(resolved.folder),
        resolved.settings.journal.url is not None or (resolved.folder / "journal.sqlite").exists(),
    )
    try:
        if not kept:
            raise JournalError("its journal is not there")
        known = looking.last_known(resolved.settings, resolved.folder)
    except (JournalError, msgspec.MsgspecError) as error:
        return _from_summary(resolved, summary, str(error), as_json=as_json)
    if summary is not None and summary.seq > known.seq:
        text = (
            f"its journal ends at event {known.seq}, and the home has seen {summary.seq}: it was"
            " set back"
        )
        return _from_summary(resolved, summary, text, as_json=as_json)
    view = known.view
    held = [position for position in view.positions if not position.dust]
    orders = [row for row in view.orders if not row.order.foreign]
    if as_json:
        say(_json(view, holder, known.at))
    else:
        say(_nobody(resolved, known.at, len(held), len(orders), holder))
        say(*told(view))
    left = marks.read(resolved.folder)
    if left is None or not left.orders or left.name in known.marks:
        return OPEN if held or orders else DONE
    if not as_json:
        say(
            f"  a last exit ended {left.outcome.upper()} at {_time(left.beat_at)}; the journal"
            " books it when an engine opens next"
        )
    return DONE if left.outcome == "flat" else OPEN


def _nobody(resolved: Resolved, at: int, positions: int, orders: int, holder: Holder | None) -> str:
    who = "no engine runs" if holder is None else f"{holder.text} does not answer"
    when = f"last known at {_time(at)}" if at else "nothing happened yet"
    watches = (
        f"nothing watches {positions} position{'s' * (positions != 1)}"
        if positions
        else "no position is open"
    )
    resting = f", {orders} order{'s' * (orders != 1)} of ours open" if orders else ""
    return f"{resolved.label()}: {who}; {when}; {watches}{resting}"


def _from_summary(resolved: Resolved, summary: Summary | None, why: str, *, as_json: bool) -> int:
    if summary is None:
        _say(
            resolved.identity,
            f"no engine runs; {why}; what is open is not known; `flatout status --venue` asks",
            as_json=as_json,
        )
        return UNKNOWN
    if as_json:
        body: dict[str, Any] = msgspec.to_builtins(summary) | {
            "account": {"name": summary.account},
            "engine": None,
            "known_at": summary.at,
            "text": why,
        }
        say(msgspec.json.encode(body).decode())
    else:
        say(f"{resolved.label()}: {why}; what follows is the home's summary")
        say(_nobody(resolved, summary.at, len(summary.positions), len(summary.orders), None))
        for held in summary.positions:
            stop = "no stop" if held.stop is None else f"stop {plain(held.stop)}"
            say(
                f"  position  {held.symbol} {'LONG' if held.side.sign > 0 else 'SHORT'}"
                f" {plain(held.size)}, {stop}"
            )
        for order in summary.orders:
            say(f"  order     {order.role} {order.side} {plain(order.size)} {order.symbol}")
    return OPEN if summary.positions or summary.orders else DONE


def _json(view: View, holder: Holder | None, known_at: int | None = None) -> str:
    """The whole view; `engine` says who holds the account (null: nobody), `known_at` when that was
    so (null: now).
    """
    engine = None if holder is None else {"pid": holder.pid, "host": holder.host}
    body = msgspec.json.decode(msgspec.json.encode(view))
    return msgspec.json.encode(body | {"engine": engine, "known_at": known_at}).decode()


def told(view: View) -> list[str]:
    """A view as lines."""
    account = view.account
    equity = "unknown" if account.equity is None else f"{account.equity:,.2f} {account.currency}"
    name = (
        f"{'LIVE' if account.live else 'PAPER'} {account.name} on {account.venue}: {view.mode},"
        f" equity {equity}"
    )
    stops = figures.at_stop(account.at_stops, unbounded=account.unbounded)
    gains = f"realised {account.realised:,.2f}, unrealised {account.unrealised:,.2f}"
    lines = [f"{name}, {gains}, at stops {stops}, naked {account.naked}"]
    lines += [
        f"  blocked   {reason.code}: {reason.text} (clears: {reason.clears})"
        for reason in view.reasons
    ]
    for position in view.positions:
        word = "LONG" if position.side.sign > 0 else "SHORT"
        stop = "no stop" if position.stop is None else f"stop {plain(position.stop)}"
        profit = (
            "net ?" if position.net is None else f"net {position.net:+,.2f} {position.currency}"
        )
        lines.append(
            f"  position  {position.symbol} {word} {plain(position.size)} at"
            f" {plain(position.entry)}, {profit}, {stop}, {_where(position.protection)}"
        )
    for row in view.orders:
        order = row.order
        level = order.price or order.trigger or Decimal(0)
        lines.append(
            f"  order     {order.role} {order.side} {plain(order.size)} {order.symbol} at"
            f" {plain(level)}: {row.state}"
        )
    lines += [
        f"  waits for #{alert.number} {alert.symbol} {alert.told}" for alert in view.price_alerts
    ]
    lines += [
        f"  {alert.severity.name.lower():<9} {alert.text}" for alert in view.alerts if alert.stands
    ]
    return lines


def _where(protection: Protection) -> str:
    return protection.value.upper()


# The venue's own word


def _venue(resolved: Resolved, *, as_json: bool) -> int:
    if resolved.identity.live:
        check_key(resolved.identity, find(resolved.account, resolved.folder).key)
    elif not (resolved.folder / "paper.sqlite").exists():
        _say(
            resolved.identity,
            "this paper account was never opened: nothing is in it",
            as_json=as_json,
        )
        return DONE
    # here, because it loads aiohttp, and most who ask for the status ask the engine or the journal
    from engine.inspection import venue

    answer = asyncio.run(venue.ask(resolved.settings, resolved.folder))
    holder = running(resolved.folder)
    if as_json:
        body = msgspec.to_builtins(answer, str_keys=True) | {
            "account": {"name": resolved.account},
            "engine": holder and {"pid": holder.pid},
        }
        say(msgspec.json.encode(body, order="deterministic").decode())
    else:
        say(*_venue_lines(resolved, answer, holder))
    return OPEN if holder is None and (answer.held or answer.ours) else DONE


def _venue_lines(resolved: Resolved, answer: "Told", holder: Holder | None) -> list[str]:
    who = "no engine runs" if holder is None else f"{holder.text} holds it"
    held, open_orders = len(answer.held), len(answer.ours)
    ours = f"{held} held of ours, {counted(open_orders, 'order')} of ours open"
    lines = [f"{resolved.label()}: {who}; the venue says at {_time(answer.at)}: {ours}"]
    if not answer.complete:
        lines.append(
            "  the venue tells no more executions: what was bought before the oldest of them is not"
            " counted as ours"
        )
    lines += [f"  held      {plain(one.size)} {one.symbol}" for one in answer.held]
    lines += [f"  order     {_order(order)}" for order in answer.ours]
    lines += [f"  foreign   {_order(order)}: not ours" for order in answer.foreign]
    lines += [
        f"  balance   {plain(amount)} {harmless(name)}" for name, amount in answer.balances.items()
    ]
    return lines


def _order(order: Order) -> str:
    level = order.price or order.trigger or Decimal(0)
    name = harmless(order.venue_order_id or order.client_order_id)
    return f"{order.side} {plain(order.size)} {harmless(order.symbol)} at {plain(level)} ({name})"


def _time(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at // 1_000_000_000))


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="The whole view as JSON.")
@click.option(
    "--venue",
    is_flag=True,
    help="Ask the venue itself: what it holds of ours, and what else is there.",
)
@click.pass_obj
def command(common: Common, as_json: bool, venue: bool) -> None:
    """Say how the account stands: by its engine, or, where none runs, by its journal. Sends
    nothing.

    Exit codes: 0 an engine runs, nothing is open, or a last exit ended flat; 2 unusable; 5 no
    engine runs and something is open; 6 not known.
    """
    sys.exit(status(common, as_json=as_json, venue=venue))
