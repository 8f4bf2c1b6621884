"""`flatout serve`: the engine of an account without a console. It ends in order when it is told to,
and with exit code 4 when another process took the account.
"""

import asyncio
import os
import signal
import socket
import sys

import click
import msgspec

from engine.account.home import Home, HomeError
from engine.journal import JournalError
from engine.model.codes import AlertCode
from engine.session.guests import OF_CONSOLES
from engine.session.local import LocalSession
from engine.session.opening import open_session
from engine.session.standing_by import stand_by
from engine.session.taking import Wanted
from engine.setup.accounts import Resolved
from tui.cli.alone import Alone
from tui.cli.chosen import settings_of
from tui.cli.common import Common
from tui.cli.console import account_to_open, key_is_known
from tui.cli.output import say
from tui.plain import plain

DONE, UNUSABLE, HELD, LOST = 0, 2, 3, 4
LOOK = 0.5
"""Seconds between two looks at whether the account is still ours."""


class Supervisor:
    """systemd, where it started us: it is told that we are ready, and that the loop turns."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    def tell(self, words: str) -> None:
        """One datagram; nothing where nobody listens."""
        if not self._address:
            return
        name = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
                line.sendto(words.encode(), name)
        except OSError:
            return  # it asks again by not hearing us


def serve(common: Common, *, standby: bool = False) -> int:
    """Run the engine; the exit code."""
    resolved = account_to_open(common, settings_of(common), "serve")
    if not key_is_known(resolved):
        return UNUSABLE
    try:
        return asyncio.run(_serve(common, resolved, standby=standby))
    except asyncio.CancelledError:
        return DONE


async def _serve(common: Common, resolved: Resolved, *, standby: bool) -> int:
    ends = asyncio.Event()
    loop = asyncio.get_running_loop()
    supervisor = Supervisor(os.environ.get("NOTIFY_SOCKET"))
    work = _taken_over(resolved, common, ends, supervisor) if standby else _opened(common, resolved)
    opening = loop.create_task(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ends.set)
    ended = loop.create_task(ends.wait())
    await asyncio.wait({opening, ended}, return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        return DONE
    session = opening.result()
    if isinstance(session, int):
        ended.cancel()
        return session
    _cure_what_a_console_left(session)
    say(_ready(session, resolved))
    supervisor.tell("READY=1")
    session.when_told_to_end = ends.set
    rules = resolved.settings.engine
    alone = Alone(rules.alone or "stay", rules.alone_after, loop.time())
    try:
        code = await _until_over(session, ends, supervisor, alone)
    finally:
        supervisor.tell("STOPPING=1")
        await session.close()
        ended.cancel()
    return code


async def _taken_over(
    resolved: Resolved, common: Common, ends: asyncio.Event, supervisor: Supervisor
) -> LocalSession | int:
    """The session once the account could be taken, or the exit code of why not."""
    say(msgspec.json.encode({"account": resolved.account, "standby": True}).decode())
    supervisor.tell("READY=1")
    beating = asyncio.get_running_loop().create_task(_beat(supervisor))
    try:
        while not ends.is_set():
            wanted = await stand_by(resolved.settings, ends, _stands)
            if ends.is_set():
                break
            found = await _opened(common, resolved, wanted)
            if found != HELD:  # another standby was faster, or the holder woke: go on standing by
                return found
            await asyncio.sleep(LOOK)
    except JournalError as error:
        say(f"flatout serve: {plain(str(error))}", err=True)
        return UNUSABLE
    finally:
        beating.cancel()
    return DONE


def _stands(text: str) -> None:
    say(f"flatout serve: {plain(text)}", err=True)


async def _beat(supervisor: Supervisor) -> None:
    while True:
        supervisor.tell("WATCHDOG=1")
        await asyncio.sleep(LOOK)


async def _opened(
    common: Common, resolved: Resolved, wanted: Wanted | None = None
) -> LocalSession | int:
    """The session, or the exit code of why there is none."""
    wanted = wanted or Wanted(common.take_over, common.dead)
    try:
        session = await open_session(resolved.settings, common.home, wanted, _waits)
    except Exception as error:
        say(f"flatout serve: the engine could not be opened: {plain(str(error))}", err=True)
        return int(getattr(error, "exit_code", UNUSABLE))
    if isinstance(session, LocalSession):
        return session
    holder = session.view().holder
    await session.close()
    say(
        f"flatout serve: account {resolved.account}: {holder} holds it; `flatout attach"
        f" {resolved.account}` looks at it",
        err=True,
    )
    return HELD


def _cure_what_a_console_left(session: LocalSession) -> None:
    """A console that had the engine in its own process is gone with it: its screen is no matter any
    more.
    """
    for alert in session.view().alerts:
        if alert.stands and alert.code in OF_CONSOLES:
            session.trouble(alert.code, alert.subject, "")


def _waits(question: str, why: str) -> None:
    if why:
        say(f"flatout serve: opening waits for {plain(question)}: {plain(why)}", err=True)


def _ready(session: LocalSession, resolved: Resolved) -> str:
    welcome = session.hello()
    home = Home(resolved.folder, create=False)
    told = {
        "account": welcome.account,
        "venue": welcome.venue,
        "live": welcome.live,
        "pid": welcome.pid,
        "session": str(home.session),
        "control": str(home.control),
    }
    return msgspec.json.encode(told).decode()


async def _until_over(
    session: LocalSession, ends: asyncio.Event, supervisor: Supervisor, alone: Alone
) -> int:
    """Until it is told to end, is alone for longer than it may be, or the account is somebody
    else's; the exit code.
    """
    while not ends.is_set():
        # from the loop: one that does not turn is not said to live
        supervisor.tell("WATCHDOG=1")
        if session.read_only:
            lost = any(a.code == AlertCode.LEASE_LOST for a in session.view().alerts if a.stands)
            say(
                f"flatout serve: {session.holder} has the account"
                + ("; this engine lost it" if lost else ""),
                err=True,
            )
            return LOST if lost else DONE
        if why := alone.look(asyncio.get_running_loop().time(), session.consoles, session.view()):
            say(f"flatout serve: {why}", err=True)
            return DONE
        if told := alone.to_tell():
            session.say("alone", told)
        try:
            async with asyncio.timeout(LOOK):
                await ends.wait()
        except TimeoutError:
            continue
    return DONE


@click.command("serve")
@click.option(
    "--standby",
    is_flag=True,
    help=(
        "Watch a shared journal (journal.url) and take the account once it is free, its engine is"
        " proved dead, or, with journal.failover = automatic, silent for 14 s."
    ),
)
@click.pass_obj
def command(common: Common, standby: bool) -> None:
    """Run the engine of an account without a console; `flatout attach` looks at it and trades.

    Prints one line of JSON once consoles can come. Ends in order on SIGTERM and SIGINT. Exit codes:
    0 ended in order, or handed over; 2 it can't be opened; 3 another one holds the account; 4
    another one took it.
    """
    try:
        sys.exit(serve(common, standby=standby))
    except HomeError as error:
        say(f"flatout serve: {error}", err=True)
        sys.exit(UNUSABLE)
