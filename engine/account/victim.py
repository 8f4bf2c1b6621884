"""The proof of who holds an account on this machine, and its end: nobody is killed on the word of a
number in a file.
"""

import contextlib
import fcntl
import os
import select
import signal
import sys
import time
from pathlib import Path

from engine.account import lock
from engine.account.lock import Holder

POLL = 0.02
"""Seconds between two looks at the lock."""


class Victim:
    """A living process, proved to hold the lock of an account. Its number can't come to mean
    another one while this is open.
    """

    def __init__(self, folder: Path, holder: Holder, handle: int) -> None:
        self.holder = holder
        self._folder = folder
        self._handle: int | None = handle

    def end(self, timeout: float) -> bool:
        """Kill it and wait up to `timeout` seconds; whether it is gone and the lock is free. Raises
        PermissionError.
        """
        return self._signal(signal.SIGKILL, timeout)

    def ask_to_end(self, timeout: float) -> bool:
        """Tell it to end in order, and wait; whether it is gone and the lock is free. Raises
        PermissionError.
        """
        return self._signal(signal.SIGTERM, timeout)

    def _signal(self, number: int, timeout: float) -> bool:
        if sys.platform != "linux" or self._handle is None:
            return False
        until = time.monotonic() + timeout
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        gone = bool(poll.poll(max(timeout, 0.0) * 1000))
        while gone and not self._is_free():
            if time.monotonic() > until:
                return False
            time.sleep(POLL)
        return gone

    def _is_free(self) -> bool:
        """Somebody who was waiting may have it by now: then it is not."""
        try:
            descriptor = os.open(self._folder / lock.FILE, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def close(self) -> None:
        """Forget it, whether or not it was ended."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def prove(folder: Path) -> Victim | None:
    """Who holds the lock of an account's folder, if the kernel bears out what the file says; None
    where it does not, or can't.

    The process is ours, started when the file says, and has the very file open that others find.
    All that is looked at after its number was pinned down, so that none of it can be about a later
    process of the same number.
    """
    holder = lock.read(folder)
    if (
        sys.platform != "linux"
        or holder.pid <= 0
        or holder.started is None
        or holder.machine != lock.machine()
    ):
        return None
    try:
        wanted = (folder / lock.FILE).stat(follow_symlinks=False)
        handle = os.pidfd_open(holder.pid)
    except OSError:
        return None
    if _bears_out(holder, wanted):
        return Victim(folder, holder, handle)
    os.close(handle)
    return None


def _bears_out(holder: Holder, wanted: os.stat_result) -> bool:
    process = Path(f"/proc/{holder.pid}")
    try:
        if process.stat().st_uid != os.getuid() or lock.started(holder.pid) != holder.started:
            return False
        return any(_is(link, wanted) for link in (process / "fd").iterdir())
    except OSError:
        return False


def _is(link: Path, wanted: os.stat_result) -> bool:
    try:
        found = link.stat()
    except OSError:
        return False  # closed since it was listed
    return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)
