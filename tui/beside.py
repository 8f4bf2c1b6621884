"""Commands that work beside a console, or without one: status and flatten."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal

import msgspec

from engine import local
from engine.clock import Clock
from engine.control import Ask, ControlError, Line, Look
from engine.emergency import Emergency, NotFlatError
from engine.exchange import StoreError
from engine.home import Home, HomeError
from engine.journal import JournalError
from engine.market import MarketError
from engine.model.intent import Flatten
from engine.model.money import plain
from engine.model.view import Answer, View
from engine.settings import Settings
from engine.venues.protocol import VenueError
from tui.cli import Common
from tui.opening import settings_of
from tui.saying import say

PATIENCE = 3.0
"""Seconds that an engine gets to answer before it counts as hung."""
FLAT = 120.0
"""Seconds that the venue gets to say flat."""

Unusable = (JournalError, StoreError, HomeError, MarketError, VenueError, ValueError, OSError)


def status(common: Common, *, as_json: bool) -> int:
    """Ask the engine that holds the account; open it ourselves where none does."""
    settings = settings_of(common).settings

    async def ask(line: Line) -> View:
        view = await line.put(Look(), View)
        assert isinstance(view, View)
        return view

    async def look(session: local.LocalSession) -> View:
        await _recovered(session)
        return session.view()

    try:
        view = asyncio.run(_through(settings, common, ask, look))
    except (*Unusable, ControlError) as error:
        say(f"flatout status: {error}", err=True)
        return 2
    say(*([msgspec.json.encode(view).decode()] if as_json else _told(view)))
    return 0


async def _through(
    settings: Settings, common: Common, ask: Callable[[Line], Awaitable[View]], alone: Callable[[local.LocalSession], Awaitable[View]]
) -> View:
    """Over the control socket of a running engine, or with one of our own."""
    home = Home.of(settings.account.name, common.home)
    holder = home.hold(time.time_ns())
    if holder is not None:
        line = await Line.open(home.control, PATIENCE)
        try:
            return await ask(line)
        finally:
            await line.close()
    session = local.LocalSession(settings, home)
    try:
        await session.open()
    except BaseException:
        home.let_go()
        raise
    try:
        return await alone(session)
    finally:
        await session.close()


async def _recovered(session: local.LocalSession) -> None:
    """Until the venue has been asked once, and a first price is there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        view = session.view()
        if not any(reason.code == "STARTING" for reason in view.reasons) and view.account.equity is not None:
            return
        await asyncio.sleep(0.05)


def _told(view: View) -> list[str]:
    account = view.account
    equity = "unknown" if account.equity is None else f"{account.equity:,.2f} {account.currency}"
    name = f"{'LIVE' if account.live else 'PAPER'} {account.name} on {account.venue}: {view.mode}, equity {equity}"
    lines = [f"{name}, realised {account.realised:,.2f}, unrealised {account.unrealised:,.2f}, naked {account.naked}"]
    lines += [f"  blocked   {reason.code}: {reason.text} (clears: {reason.clears})" for reason in view.reasons]
    for position in view.positions:
        word = "LONG" if position.side.sign > 0 else "SHORT"
        stop = "no stop" if position.stop is None else f"stop {plain(position.stop)}"
        profit = "?" if position.unrealised is None else f"{position.unrealised:+,.2f} {position.currency}"
        lines.append(
            f"  position  {position.symbol} {word} {plain(position.size)} at {plain(position.entry)}, {profit}, {stop},"
            f" {position.protection.value.upper()}"
        )
    for row in view.orders:
        order = row.order
        level = order.price or order.trigger or Decimal(0)
        lines.append(f"  order     {order.role} {order.side} {plain(order.size)} {order.symbol} at {plain(level)}: {row.state}")
    lines += [f"  {alert.severity.name.lower():<9} {alert.text}" for alert in view.alerts if alert.stands]
    return lines


def flatten(common: Common, *, yes: bool) -> int:
    """Until the venue says flat, whatever stands in the way; 0 only then."""
    settings = settings_of(common).settings
    if not yes:
        say("flatout flatten: this cancels and closes everything of ours; say --yes to do it")
        return status(common, as_json=False) or 1
    intent = Flatten(id=f"cli-{time.time_ns()}")

    async def ask(line: Line) -> View:
        return await _until_flat(lambda: line.put(Ask(intent), Answer), lambda: line.put(Look(), View), intent.id)

    async def alone(session: local.LocalSession) -> View:
        async def look() -> object:
            return session.view()

        await _recovered(session)
        return await _until_flat(lambda: session.ask(intent), look, intent.id)

    try:
        view = asyncio.run(_through(settings, common, ask, alone))
    except (*Unusable, ControlError) as error:
        say(f"flatout flatten: {error}", err=True)
        say("flatout flatten: going to the venue directly", err=True)
        return _directly(settings, common)
    if view.flatten is None or view.flatten.ended_at is None:
        say("flatout flatten: not flat yet; going to the venue directly", err=True)
        return _directly(settings, common)
    say(*view.flatten.receipt)
    return 0


async def _until_flat(ask: Callable[[], Awaitable[object]], look: Callable[[], Awaitable[object]], intent: str) -> View:
    answer = await ask()
    assert isinstance(answer, Answer)
    say(answer.text or "; ".join(refusal.text for refusal in answer.refusals))
    deadline = time.monotonic() + FLAT
    told: list[str] = []
    while True:
        view = await look()
        assert isinstance(view, View)
        flat = view.flatten
        if flat is not None and (flat.ended_at is not None or time.monotonic() > deadline):
            return view
        if flat is not None:
            lines = [f"  {line.symbol}: {plain(line.held)} held, {line.orders} orders, {line.state}" for line in flat.lines]
            if lines != told:
                told = lines
                say(*lines)
        elif time.monotonic() > deadline:
            return view
        await asyncio.sleep(0.1)


def _directly(settings: Settings, common: Common) -> int:
    """Past the desk and its journal: the venue, and nothing else."""

    async def go() -> None:
        home = Home.of(settings.account.name, common.home)
        clock = Clock(asyncio.get_running_loop())
        async with local.venue_alone(settings, clock, home) as (venue, since):
            await Emergency(venue, settings.account.name, clock, say, since).flatten()

    try:
        asyncio.run(go())
    except (NotFlatError, *Unusable) as error:
        say(f"flatout flatten: {error}", err=True)
        return 1
    return 0
