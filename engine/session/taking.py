"""Taking the lease of a journal when an engine opens: a free one, a dead holder's, one that is
handed over. Never in silence.

A journal in a file: whoever holds the lock of the home takes the row, which nobody living can hold.
A journal that machines share: who is proved dead is replaced; who lives is asked; who is silent is
replaced only on a person's word that its machine is off, and after longer than any permit of it can
last.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from engine.account.home import HomeError
from engine.account.lock import Holder
from engine.account.pen import boottime
from engine.clock import SECOND
from engine.journal import Journal, JournalLockedError, Lease

T = TypeVar("T")

TTL = 10 * SECOND
"""Nanoseconds without a renewal after which a holder may be dead. Its permit (`VALID`) has run out
by then.
"""
DEADLINE = 4 * SECOND
"""Within this a request that it sent last is at the venue, or never will be."""
ANSWER = 15 * SECOND
"""How long a holder that was asked has to hand over."""
LOOK = 0.25
"""Seconds between two looks at the lease."""


PASSES_ON = ", whose lease passes on by itself"
"""Stands behind the name of a holder with `journal.failover = "automatic"`: it sends nothing once
its lease has run out.
"""


class PenHeldError(HomeError):
    """Somebody else holds the account, and keeps it. The text says who, since when, and what can be
    done.
    """

    exit_code = 3


class Wanted(Struct, frozen=True):
    """What the operator said about a pen that somebody else holds."""

    take_over: bool = False
    """Ask for it."""
    dead: bool = False
    """The other machine is off: take it from a holder that stays silent."""
    silent: tuple[int, int] | None = None
    """Epoch and renewal of a lease that passes on by itself, and that a standby has seen stand
    still for longer than any permit of it can last.
    """


async def take(
    journal: Journal, me: Holder, now: int, before: Holder | None, wanted: Wanted, name: str = ""
) -> None:
    """See that the lease is ours when this returns; `before` held the lock of our home before us,
    `name` is what stands in the row, ours where it is empty. Raises PenHeldError, JournalError.
    """
    name = name or me.text
    if journal.lease is not None:
        return
    if not journal.shared:
        journal.claim(name, now)
        return
    seen = await asyncio.to_thread(journal.held_by)
    last = seen.renewed_at
    while is_dead(seen, before) and seen.renewed_at == last:
        # by the lock of our home alone: it must be silent, too
        proved = _process(seen).is_dead or seen.age >= TTL
        if proved and await _patiently(_taker(journal, me, now, seen, name)):
            return
        await asyncio.sleep(LOOK)
        seen = await asyncio.to_thread(journal.held_by)
    if wanted.silent == (seen.epoch, seen.renewed_at) and seen.holder.endswith(PASSES_ON):
        if await _patiently(_taker(journal, me, now, seen, name)):
            return
        seen = await asyncio.to_thread(journal.held_by)
    if not wanted.take_over:
        raise PenHeldError(f"account {journal.account}: {_held(seen)}")
    await _ask(journal, me, now, seen, wanted, name)


def is_dead(held: Lease, before: Holder | None) -> bool:
    """Whether the lease's holder is proved to have ended: its number on this machine, or the lock
    of our home that it has let go of.
    """
    if before is not None and held.instance and before.instance == held.instance:
        return True
    return _process(held).is_dead


def _process(held: Lease) -> Holder:
    return Holder(held.pid, held.host, held.since, started=held.started, machine=held.machine)


def _held(seen: Lease) -> str:
    if not seen.renewed_at:
        return (
            f"held by {seen.holder}, of an older Flatout; end it in order, or, if its machine is"
            " off: `--take-over --dead`"
        )
    told = f"held by {seen.holder}, renewed {max(seen.age, 0) // SECOND} s ago"
    if seen.age < TTL:
        return f"{told}: look on at its own console, or `--take-over`, which asks it"
    return (
        f"{told}: it is silent; `--take-over` asks it, `--take-over --dead` takes it if its machine"
        " is off"
    )


async def _patiently(work: Callable[[], T]) -> T:
    """In a thread; again while a commit that was stopped in the middle still holds the row: the
    database ends it within seconds.
    """
    until = boottime() + ANSWER
    while True:
        try:
            return await asyncio.to_thread(work)
        except JournalLockedError:
            if boottime() > until:
                raise


async def _ask(
    journal: Journal, me: Holder, now: int, seen: Lease, wanted: Wanted, name: str
) -> None:
    """Ask the holder, and wait for it; on a person's word also for its silence to last long
    enough.
    """
    await _patiently(lambda: journal.want(seen.epoch, me.text))
    began = moved = boottime()
    while True:
        await asyncio.sleep(LOOK)
        found = await asyncio.to_thread(journal.held_by)
        at = boottime()
        if found.epoch != seen.epoch:
            raise PenHeldError(
                f"account {journal.account}: {found.holder or 'another program'} was handed it"
                " first"
            )
        if found.renewed_at != seen.renewed_at:
            seen, moved = found, at
        silent = at - moved
        due = found.holder == "" or (wanted.dead and silent >= TTL + DEADLINE)
        if due and await _patiently(_taker(journal, me, now, found, name)):
            return
        if at - began >= ANSWER and (silent < DEADLINE or not wanted.dead):
            break
    await _patiently(lambda: journal.want(seen.epoch, ""))
    if wanted.dead:
        raise PenHeldError(
            f"account {journal.account}: {seen.holder} lives: it renews the lease, and does not"
            " hand it over"
        )
    raise PenHeldError(
        f"account {journal.account}: {seen.holder} was asked and did not hand it over within"
        f" {ANSWER // SECOND} s; if its machine is off: `--take-over --dead`"
    )


def _taker(journal: Journal, me: Holder, now: int, found: Lease, name: str) -> Callable[[], bool]:
    return lambda: journal.take(name, now, me=me, seen=found)
