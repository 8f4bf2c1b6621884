"""In a real terminal, in another process: what is imported, how it ends, and what it leaves
behind.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).with_name("run_sample.py")
HEAVY = ("ccxt", "sqlmodel", "sqlalchemy", "pydantic", "alembic", "aiohttp")
RESTORED = b"\x1b[?1049l"


def own_terminal() -> None:
    """Make the new session's terminal its controlling one."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A pseudo-terminal of 120 by 40 with the sample console in it."""

    def __init__(self, marker: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "CLOSED_MARKER": str(marker),
            "FLATOUT_SAMPLE_HOME": str(marker.parent),
        }
        self.process = subprocess.Popen(
            [sys.executable, str(SAMPLE), *arguments],
            stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=environment, start_new_session=True,
            preexec_fn=own_terminal,  # noqa: PLW1509 - one call between fork and exec; a session leader needs it to be hung up on
        )  # fmt: skip
        os.close(slave)
        self.seen = b""

    def read_until(self, wanted: bytes, seconds: float = 15.0) -> bytes:
        """Read what is painted until it contains `wanted`, or the time is over."""
        end = time.monotonic() + seconds
        while wanted not in self.seen and time.monotonic() < end:
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:
                    break
        return self.seen

    def ended(self, seconds: float = 10.0) -> int:
        """Its exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.read_until(b"\0never", 0.1)
        if self.process.poll() is None:
            self.process.kill()
            pytest.fail("it did not end")
        return self.process.returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_in_order_and_restores_the_terminal(
    tmp_path: Path, number: signal.Signals
) -> None:
    terminal = Terminal(tmp_path / "closed")
    assert b"Positions" in terminal.read_until(b"LOCAL")
    terminal.process.send_signal(number)
    code = terminal.ended()
    terminal.read_until(RESTORED, 1)
    assert code == 128 + number
    assert (tmp_path / "closed").read_text() == "closed in order"
    assert RESTORED in terminal.seen
    os.close(terminal.master)


def test_a_closed_terminal_leaves_in_order(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "closed")
    assert b"Positions" in terminal.read_until(b"LOCAL")
    os.close(terminal.master)
    assert terminal.process.wait(10) == 128 + signal.SIGHUP
    assert (tmp_path / "closed").read_text() == "closed in order"


def test_q_and_enter_leave_with_zero(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "closed")
    terminal.read_until(b"LOCAL")
    os.write(terminal.master, b"q")
    terminal.read_until(b"goes on at the venue")
    time.sleep(0.6)
    os.write(terminal.master, b"quit")
    time.sleep(0.3)
    os.write(terminal.master, b"\r")
    assert terminal.ended() == 0
    assert (tmp_path / "closed").read_text() == "closed in order"
    os.close(terminal.master)


def test_an_engine_that_cant_open_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "closed", "fail")
    terminal.read_until(b"try again")
    os.write(terminal.master, b"q")
    assert terminal.ended() == 2
    terminal.read_until(b"not writable", 2)
    assert (
        b"could not be opened: the home folder is not writable [red]x[/]"
        in terminal.seen.partition(RESTORED)[2]
    )
    os.close(terminal.master)


def test_the_first_paint_imports_nothing_heavy() -> None:
    code = (
        f"import sys, tui.app; print([m for m in {HEAVY!r} if m in sys.modules], [m for m in"
        " sys.modules if m.startswith('engine.')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy, ours = found.stdout.split("] [")
    assert heavy.strip() == "["
    names = ours.strip("[]\n").replace("'", "").split(", ")
    light = {
        "engine.session",
        "engine.session.deltas",
        "engine.session.messages",
        "engine.session.starting",
    }
    assert all(name in light or name.startswith("engine.model") for name in names), names
