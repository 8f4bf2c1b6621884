"""`flatout flatten`: beside a console, or without one."""

import asyncio
import time
from collections.abc import Awaitable, Callable

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
from engine.session.identity import IdentityError, check_key
from engine.session.running import running
from engine.settings import Settings
from engine.venues.live.keys import find
from engine.venues.protocol import VenueError
from tui.common import Common
from tui.looking import status
from tui.opening import account_of
from tui.saying import say

PATIENCE = 3.0
"""Seconds that an engine gets to answer before it counts as hung."""
FLAT = 120.0
"""Seconds that the venue gets to say flat."""

Unusable = (JournalError, StoreError, HomeError, MarketError, VenueError, ValueError, OSError)


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


def flatten(common: Common, *, yes: bool) -> int:
    """Until the venue says flat, whatever stands in the way; 0 only then."""
    resolved = account_of(common, command="flatten")
    settings = resolved.settings
    if not yes:
        say(f"flatout flatten: {resolved.label()}: this cancels and closes everything of ours; say --yes to do it")
        return status(common, as_json=False, venue=False) or 1
    if resolved.identity.live and running(resolved.folder) is None:  # an engine that runs has its key
        try:
            check_key(resolved.identity, find(resolved.account, resolved.folder).key)
        except (VenueError, IdentityError) as error:
            say(f"flatout flatten: {error}", err=True)
            return 2
    if not resolved.exists and not resolved.identity.live:
        say(f"{resolved.label()}: this paper account was never opened: nothing is in it")
        return 0
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
