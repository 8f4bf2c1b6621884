"""Who holds the account, and what is done about it: followed, asked, or ended. Nobody is ended who
was not proved to hold it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from engine.account import mark as marks
from engine.account.lock import Holder, Lock
from engine.account.lock import read as read_lock
from engine.account.mark import Mark
from engine.account.pen import PenError, prove

ALIVE = 10_000_000_000
"""Nanoseconds since its last sign of life within which a last exit is at work."""
KILLED = 2.0
"""Seconds in which a holder must be gone."""
LOOK = 0.25
LONGEST = 150.0
"""Seconds that another last exit is followed: it ends by itself before that."""


def take(folder: Path) -> Lock | Holder:
    """Take the pen as a last exit, or say who has it. Raises PenError or OSError."""
    return Lock.take(folder, time.time_ns(), "last exit")


def is_exit(holder: Holder) -> bool:
    """Whether a last exit holds the account."""
    return holder.kind == "last exit"


def _lives(holder: Holder, mark: Mark | None) -> bool:
    """Whether a last exit has moved lately, by the lock or by its mark."""
    signs = [holder.beat]
    if mark is not None and mark.instance == holder.instance:
        signs.append(mark.beat_at)
    return not holder.is_dead and time.time_ns() - max(signs) < ALIVE


async def follow(folder: Path, holder: Holder, say: Callable[[str], None]) -> Mark | None:
    """Follow another last exit by its mark, line by line. Its mark once it has ended; None where it
    died or stopped moving.
    """
    told, until = 0, time.monotonic() + LONGEST
    began = time.monotonic()
    while time.monotonic() < until:
        mark = marks.read(folder)
        if mark is not None and mark.instance == holder.instance:
            for line in mark.lines[min(told, len(mark.lines)) :]:
                say(line)
            told = len(mark.lines)
            if mark.outcome != "working":
                return mark
        now = read_lock(folder)
        if now.instance != holder.instance:
            return None
        if not _lives(now, mark) and time.monotonic() - began > LOOK:
            return None
        await asyncio.sleep(LOOK)
    return None


def end(folder: Path, say: Callable[[str], None]) -> bool:
    """End a hung holder, once it is proved; whether it is gone. A last exit is ended only if it has
    stopped moving.
    """
    victim = prove(folder)
    if victim is None:
        say("the holder of the account can't be proved: nobody is ended")
        return False
    try:
        if is_exit(victim.holder) and _lives(victim.holder, marks.read(folder)):
            return False
        say(f"ending {victim.holder.text}, which holds the account and does not act")
        if victim.end(KILLED):
            return True
        say(f"{victim.holder.text} did not end within {KILLED:g} s")
    except PermissionError:
        say(f"{victim.holder.text} may not be ended by this user")
    finally:
        victim.close()
    return False


def taken(folder: Path) -> Lock | None:
    """The pen, where it is free; None where it is not, or where there is no lock to be had."""
    with contextlib.suppress(PenError, OSError):
        found = take(folder)
        if isinstance(found, Lock):
            return found
    return None
