"""Opening a session: an engine of this process, or, where another process holds the account, a line
to look on by.
"""

import asyncio
import time
from pathlib import Path

from engine.account.home import Holder, Home
from engine.account.lock import myself
from engine.session import Session
from engine.session.attached import AttachedSession
from engine.session.client import ControlError, Line
from engine.session.local import LOOK, LocalSession
from engine.session.messages import HandedOver, HandOver
from engine.session.notes import note
from engine.session.starting import Stepped
from engine.session.taking import PenHeldError, Wanted
from engine.setup.accounts import resolve
from engine.setup.questions import Told
from engine.setup.sections import Settings

LET_GO = 10.0
"""Seconds that a holder has to close once it has agreed to hand over."""


async def open_session(
    settings: Settings,
    folder: Path | None = None,
    wanted: Wanted | None = None,
    told: Told | None = None,
    stepped: Stepped = lambda step, of, name: None,
) -> Session:
    """The engine of this process, or a line to look on by, where another process holds the account.

    `wanted` says whether the holder is asked for it, `told` hears what the opening waits for,
    `stepped` each step. Raises PenHeldError where somebody has it who can't be looked at from here,
    or does not hand it over; IdentityError, before anything is created, where the settings differ.
    """
    resolved = resolve(settings, folder, True, new=True)
    home, wanted = Home.of(settings.account.name, folder), wanted or Wanted()
    holder = home.hold(time.time_ns())
    if holder is not None and wanted.take_over:
        holder = await _ask_for(settings.account.name, home, holder)
    if holder is not None:
        try:
            return await AttachedSession.open(home.session, holder.text)
        except ControlError as error:
            held = f"account {settings.account.name}: {holder.text} holds it and does not answer"
            raise ControlError(f"{held}; `flatout flatten --yes` works all the same") from error

    def waits(question: str, why: str) -> None:
        if why:
            note(settings, home, "opening-waits", f"{question}: {why}", "WARNING")
        if told is not None:
            told(question, why)

    session = LocalSession(settings, home, wanted, resolved.identity)
    session.stepped = stepped
    try:
        await session.open(waits)
    except BaseException:
        session.give_up()
        home.let_go()
        raise
    return session


async def _ask_for(account: str, home: Home, holder: Holder) -> Holder | None:
    """Ask the holder on this machine for the account and take the lock once it is free; who has it,
    if somebody was faster.
    """
    try:
        line = await Line.open(home.control)
        try:
            answer = await line.put(HandOver(myself(time.time_ns()).text), HandedOver)
        finally:
            await line.close()
    except ControlError as error:
        raise PenHeldError(
            f"account {account}: {holder.text} was asked and does not answer; end that process, or"
            " `flatout flatten --yes`, which does"
        ) from error
    if not answer.ok:
        raise PenHeldError(f"account {account}: {holder.text} does not hand it over: {answer.text}")
    until = time.monotonic() + LET_GO
    while (  # noqa: ASYNC110
        (found := home.hold(time.time_ns())) is not None
        and found.instance == holder.instance
        and time.monotonic() < until
    ):
        await asyncio.sleep(LOOK)  # nothing tells when another process lets go
    if found is not None and found.instance == holder.instance:
        raise PenHeldError(
            f"account {account}: {holder.text} agreed to hand it over, and has not let go of it in"
            f" {LET_GO:g} s"
        )
    return found
