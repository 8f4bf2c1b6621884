"""`flatout engines`: which engines run on this machine, and the end of one in order."""

import asyncio
import sys
import time

import click
import msgspec
from msgspec import Struct

from engine.account.home import Home, root
from engine.account.identity import accounts
from engine.account.running import running
from engine.account.victim import prove
from engine.model.counts import counted
from engine.model.view import View
from engine.session.client import ControlError, Line
from engine.session.messages import Look
from tui.cli import completion
from tui.cli.common import Common
from tui.cli.output import say

DONE, NOT_DONE, UNUSABLE = 0, 1, 2
PATIENCE = 3.0
"""Seconds that an engine gets to answer."""
ENDS = 20.0
"""Seconds that it gets to end in order."""


class Row(Struct, frozen=True):
    """One engine."""

    account: str
    pid: int
    kind: str
    since: int
    """Nanoseconds since 1970 UTC."""
    mode: str | None
    """None where it does not answer."""
    positions: int | None
    naked: int | None
    orders: int | None


def _rows(common: Common) -> list[Row]:
    found = []
    for name in accounts(common.home):
        home = Home.at(name, common.home)
        holder = running(home.folder)
        if holder is None:
            continue
        view: View | None
        try:
            view = asyncio.run(_asked(home))
        except ControlError:
            view = None
        found.append(
            Row(
                name,
                holder.pid,
                holder.kind,
                holder.since,
                None if view is None else view.mode,
                None if view is None else sum(not p.dust for p in view.positions),
                None if view is None else view.account.naked,
                None if view is None else sum(not row.order.foreign for row in view.orders),
            )
        )
    return found


async def _asked(home: Home) -> View:
    line = await Line.open(home.control, PATIENCE)
    try:
        view = await line.put(Look(), View)
        assert isinstance(view, View)
        return view
    finally:
        await line.close()


def _line(row: Row) -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(row.since // 1_000_000_000))
    who = f"{row.account}: {row.kind}, process {row.pid} since {since}"
    if row.mode is None:
        return f"{who}: does not answer"
    held = counted(row.positions or 0, "position")
    return f"{who}: {row.mode}, {held}, {row.naked} naked, {counted(row.orders or 0, 'order')} open"


def stop(common: Common, account: str) -> int:
    """End an engine in order; the exit code."""
    folder = root(common.home) / account
    if account not in accounts(common.home) or running(folder) is None:
        say(f"flatout engines stop: no engine runs for account {account}", err=True)
        return UNUSABLE
    victim = prove(folder)
    if victim is None:
        say(
            f"flatout engines stop: account {account}: who holds it can't be proved: nobody is"
            " ended",
            err=True,
        )
        return NOT_DONE
    text = victim.holder.text
    try:
        if victim.holder.kind != "engine":
            say(f"flatout engines stop: {text} brings the account to flat: it goes on", err=True)
            return NOT_DONE
        if victim.ask_to_end(ENDS):
            say(f"{account}: {text} ended in order; stops at the venue stay")
            return DONE
    finally:
        victim.close()
    say(f"flatout engines stop: {text} has not ended within {ENDS:g} s", err=True)
    return NOT_DONE


@click.group("engines", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the engines that run on this machine with their state; `stop` ends one in order."""
    if ctx.invoked_subcommand is not None:
        return
    rows = _rows(ctx.obj)
    if as_json:
        say(msgspec.json.encode(rows).decode())
    elif not rows:
        say("no engine runs on this machine")
    else:
        say(*(_line(row) for row in rows))


@command.command("stop")
@click.argument("account", shell_complete=completion.accounts)
@click.pass_obj
def _stop(common: Common, account: str) -> None:
    """End the engine of an account in order: what is on the way is waited for, its stops at the
    venue stay, what it watched itself is watched no more.

    Exit codes: 0 ended, 1 not ended, 2 none runs.
    """
    sys.exit(stop(common, account))
