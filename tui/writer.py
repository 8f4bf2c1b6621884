"""Write to a terminal that may stop reading: frames are lost then, the caller never waits.

Textual's own writer blocks the event loop once thirty writes wait for the terminal, and the engine
runs on that loop. This one takes every write at once and keeps at most `MOST` bytes. A terminal
that reads nothing for `PATIENCE` seconds loses what waits, and is repainted whole when it reads
again.

The descriptor is opened anew and non-blocking. The flag of the inherited descriptor is shared with
the shell that started the console, so it must not be changed there.
"""

import os
import re
import select
import termios
import threading
import time
from collections import deque
from collections.abc import Callable

MOST = 256 * 1024
"""Bytes that may wait; a full repaint of a large screen is about 60 KiB."""
PATIENCE = 1.0
"""Seconds after which frames that wait are too old to be shown."""
LEAVING = 0.3
"""Seconds that the last writes get when the console ends."""
POLL = 100
"""Milliseconds between two looks at a full terminal."""
CHUNK = 4096
ABORT = b"\x18\x1b\\"
"""CAN and ST: whatever sequence was cut short ends here, instead of swallowing what follows."""
CLEAN = ABORT + b"\x1b[?2026l\x1b[0m"
"""Before a whole repaint, which writes every cell: synchronised output off, colours off. What
stands on a slow terminal stays until then.
"""
MODE = re.compile(r"\x1b\[[?<>][0-9;]*(?:\$p|[a-z])")
FRAME_MARKS = ("\x1b[?2026h", "\x1b[?2026l")


def is_mode(text: str) -> bool:
    """Say whether a write switches a mode of the terminal. A frame may be lost, a mode may not."""
    return MODE.fullmatch(text) is not None and text not in FRAME_MARKS


def reopened(descriptor: int) -> tuple[int, bool]:
    """Open the terminal behind a descriptor anew; and say whether writes to it can't block.

    Where the terminal has no name here (a container without its /dev/pts), the descriptor itself is
    duplicated. Its writes may block, but only in the writer's own thread.
    """
    try:
        flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(os.ttyname(descriptor), flags), True
    except OSError:
        return os.dup(descriptor), False


class TerminalWriter:
    """A thread that writes. `drained` is called from it when a terminal that had lost frames reads
    again.
    """

    def __init__(self, descriptor: int, drained: Callable[[], None]) -> None:
        self._descriptor, self._harmless = reopened(descriptor)
        self._drained = drained
        self._turn = threading.Condition()
        self._waiting: deque[tuple[bytes, bool, float]] = deque()
        self._size = 0
        self._lost = False
        self._stuck_since: float | None = None
        self._ends_at: float | None = None
        self._gone = False
        self.dropped = 0
        """How many frames were lost."""
        self._thread = threading.Thread(target=self._run, name="terminal-output", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Take a write, or lose it. Never blocks, never raises."""
        data, kept, now = text.encode("utf-8", "replace"), is_mode(text), time.monotonic()
        with self._turn:
            if self._gone:
                return
            if not kept:
                late = bool(self._waiting) and now - self._waiting[0][2] > PATIENCE
                if late or self._size + len(data) > MOST:
                    self._drop()
                if self._lost:
                    self.dropped += 1
                    return
            self._waiting.append((data, kept, now))
            self._size += len(data)
            self._turn.notify()

    def stalled_for(self) -> float:
        """Seconds since the terminal last read anything while something waited for it; 0 while it
        reads.
        """
        since = self._stuck_since
        return 0.0 if since is None else time.monotonic() - since

    def stop(self) -> None:
        """Write what waits for at most `LEAVING` seconds; then only the modes, in place of frames
        that nobody has read.
        """
        with self._turn:
            if self._ends_at is None:
                patience = LEAVING if self.stalled_for() < PATIENCE else 0.0
                self._ends_at = time.monotonic() + patience
            self._turn.notify()
        self._thread.join(LEAVING + 0.2)
        if not self._thread.is_alive() and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    # The thread

    def _drop(self) -> None:
        """Lose the frames that wait; the caller holds the turn."""
        kept = [each for each in self._waiting if each[1]]
        self.dropped += len(self._waiting) - len(kept)
        self._waiting = deque(kept)
        self._size = sum(len(each[0]) for each in kept)
        self._lost = True

    def _run(self) -> None:
        try:
            while (found := self._next()) is not None:
                data, kept = found
                self._put(data, kept=kept)
            if self._waiting:
                self._last()
        except OSError:
            pass  # the terminal is gone: SIGHUP or the input thread says so
        finally:
            with self._turn:
                self._gone = True
                self._stuck_since = None
                self._waiting.clear()

    def _next(self) -> tuple[bytes, bool] | None:
        """The next write; None when it is time to end."""
        while True:
            with self._turn:
                if self._is_over():
                    return None
                if self._waiting:
                    data, kept, _ = self._waiting.popleft()
                    self._size -= len(data)
                    return data, kept
                if self._ends_at is not None:
                    return None
                if not self._lost:
                    self._turn.wait()
                    continue
            if self._is_writable():
                self._recover()

    def _is_over(self) -> bool:
        return self._ends_at is not None and time.monotonic() >= self._ends_at

    def _is_writable(self) -> bool:
        """Wait a moment until the terminal takes something, and remember since when it does not."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        wait = POLL if self._ends_at is None else 20
        ready = bool(poll.poll(wait))
        if not ready and self._stuck_since is None:
            self._stuck_since = time.monotonic()
        return ready

    def _recover(self) -> None:
        """The terminal reads again: begin with a clean screen, and have it painted whole."""
        with self._turn:
            self._lost = False
            self._stuck_since = None
            self._waiting.append((CLEAN, True, time.monotonic()))
            self._size += len(CLEAN)
        self._drained()

    def _put(self, data: bytes, *, kept: bool) -> None:
        """Write one piece whole, unless it is a frame and the terminal does not read for
        too long.
        """
        rest = memoryview(data)
        while rest:
            if not self._is_writable():
                stuck = self.stalled_for()
                if self._ends_at is not None and (not kept or self._is_over()):
                    self._give_back(data if kept else ABORT)
                    return
                if stuck > PATIENCE:
                    with self._turn:
                        self._drop()
                    if not kept:
                        self._give_back(ABORT)
                        return
                continue
            try:
                done = os.write(self._descriptor, rest[: CHUNK if self._harmless else 256])
            except BlockingIOError:
                continue
            self._stuck_since = None
            rest = rest[done:]

    def _give_back(self, data: bytes) -> None:
        """Put a piece in front: what waits comes after it."""
        with self._turn:
            self._waiting.appendleft((data, True, time.monotonic()))
            self._size += len(data)

    def _last(self) -> None:
        """The modes that still wait take the place of what the terminal has not read: it is left as
        it was found.
        """
        last = b"".join(data for data, kept, _ in self._waiting if kept)
        if self._harmless:
            termios.tcflush(self._descriptor, termios.TCOFLUSH)
            try:
                os.write(self._descriptor, ABORT + last)
            except (BlockingIOError, termios.error):
                return
