"""Which process holds an account, asked without taking its lock: a probe that locks could keep an
engine from starting.
"""

import os
from pathlib import Path

from engine.account.home import Holder, Home

LOCKS = Path("/proc/locks")
"""Linux's list of all locks: number, kind, mode, access, process, device:inode, and the range."""


def running(folder: Path) -> Holder | None:
    """The process that holds the lock of a home now; None where none does."""
    try:
        inode = (folder / "lock").stat().st_ino
    except OSError:
        return None
    holder = Home(folder, create=False).holder()
    try:
        table = LOCKS.read_text(encoding="ascii")
    except OSError:
        return holder if _alive(holder.pid) else None
    for line in table.splitlines():
        fields = line.split()
        if (
            len(fields) >= 6
            and fields[1] == "FLOCK"
            and fields[5].rpartition(":")[2] == str(inode)
            and holder.pid in (0, int(fields[4]))
        ):
            return holder if holder.pid else Holder(int(fields[4]), holder.host, holder.since)
    return None


def _alive(pid: int) -> bool:
    """Whether there is such a process; the best that can be said where the system lists no
    locks.
    """
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return pid > 0
