"""The writer beside a pseudo-terminal that nobody reads: a write never waits, and what was lost is
painted again.
"""

import os
import pty
import select
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from tui.writer import CLEAN, LEAVING, MOST, TerminalWriter, is_mode

pytestmark = pytest.mark.hazard("H104")
FRAME = "\x1b[1;1H" + "x" * 5000


class Unread:
    """A pseudo-terminal with a writer."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        attributes = termios.tcgetattr(self.slave)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(self.slave, termios.TCSANOW, attributes)
        self.drained = threading.Event()
        self.writer = TerminalWriter(self.slave, self.drained.set)

    def fill(self, frames: int = 200) -> float:
        """Write more than the terminal holds, and then more than anybody keeps; the seconds that it
        took, at most 5.
        """
        began = time.monotonic()
        thread = threading.Thread(target=self._write, args=(frames,), daemon=True)
        thread.start()
        thread.join(5)
        return time.monotonic() - began - 0.3

    def _write(self, frames: int) -> None:
        for _ in range(8):
            self.writer.write(FRAME)
        time.sleep(0.3)
        for _ in range(frames):
            self.writer.write(FRAME)

    def read(self, seconds: float) -> bytes:
        """What comes within some time."""
        found, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                found += os.read(self.master, 1 << 16)
        return found


@pytest.fixture
def unread() -> Iterator[Unread]:
    found = Unread()
    yield found
    found.writer.stop()
    os.close(found.master)
    os.close(found.slave)


def test_a_write_never_waits(unread: Unread) -> None:
    assert unread.fill() < 0.6, "whoever writes waits for the terminal: that is the event loop"
    assert unread.writer.dropped > 0
    assert len(b"".join(data for data, _, _ in unread.writer._waiting)) <= MOST


def test_it_is_known_how_long_nobody_has_read(unread: Unread) -> None:
    assert unread.writer.stalled_for() == 0
    unread.fill()
    time.sleep(1.5)
    assert 1.0 < unread.writer.stalled_for() < 3.0
    unread.read(1.0)
    assert unread.writer.stalled_for() == 0


def test_what_was_lost_is_painted_again(unread: Unread) -> None:
    unread.fill()
    time.sleep(1.3)
    assert not unread.drained.is_set()
    unread.read(0.7)
    assert unread.drained.is_set(), "the screen stays as it was when the terminal stopped reading"
    unread.writer.write("whole")
    assert unread.read(0.5).endswith(b"whole")


def test_before_the_repaint_the_screen_is_cleaned_and_a_mode_is_never_lost(unread: Unread) -> None:
    unread.fill()
    unread.writer.write("\x1b[?1016h")
    unread.fill()
    time.sleep(1.3)
    found = unread.read(0.7)
    assert b"\x1b[?1016h" in found
    assert found.endswith(CLEAN)


def test_a_terminal_that_reads_slowly_gets_whole_frames(unread: Unread) -> None:
    found = b""
    for number in range(30):
        unread.writer.write(f"<{number}>" + "y" * 2000 + "</>")
        found += os.read(unread.master, 2000)
    found += unread.read(0.5)
    assert found.count(b"</>") == 30
    assert unread.writer.dropped == 0


def test_stopping_never_waits_and_leaves_the_modes_in_place_of_the_frames(unread: Unread) -> None:
    unread.fill()
    time.sleep(1.2)
    unread.writer.write("\x1b[?1049l")
    unread.writer.write("\x1b[?25h")
    began = time.monotonic()
    unread.writer.stop()
    assert time.monotonic() - began < LEAVING + 0.5
    assert unread.read(0.5).endswith(b"\x1b[?1049l\x1b[?25h")
    unread.writer.write("late")
    assert unread.read(0.2) == b""


def test_what_waits_is_written_before_it_ends(unread: Unread) -> None:
    unread.writer.write("good")
    unread.writer.write("bye")
    unread.writer.stop()
    assert unread.read(0.3) == b"goodbye"


def test_a_terminal_that_is_gone_ends_the_thread_and_nothing_else() -> None:
    unread = Unread()
    os.close(unread.master)
    os.close(unread.slave)
    unread.writer.write(FRAME)
    unread.writer._thread.join(2)
    unread.writer.write(FRAME)
    unread.writer.stop()
    assert not unread.writer._thread.is_alive()


@pytest.mark.parametrize(
    "text", ["\x1b[?1049h", "\x1b[?25l", "\x1b[>25u", "\x1b[<u", "\x1b[?2026$p"]
)
def test_modes_are_kept(text: str) -> None:
    assert is_mode(text)


@pytest.mark.parametrize("text", [FRAME, "\x1b[?2026h", "\x1b[?2026l", "\x07", "\x1b[2J"])
def test_frames_are_not(text: str) -> None:
    assert not is_mode(text)
