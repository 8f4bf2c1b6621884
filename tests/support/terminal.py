"""A real terminal for a real console: a pseudo-terminal read by an emulator, which may stop
reading.
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pyte
import pytest

from engine.account.home import Home

ROOT = Path(__file__).parents[2]
CONSOLE = (sys.executable, str(ROOT / "tests" / "terminal" / "switched.py"))
"""The command line; the environment variable SWITCHED puts a sabotage into it."""
RESTORED = b"\x1b[?1049l"
ENTER, ESCAPE = b"\r", b"\x1b"
KEPT_AWAY = ("FLATOUT", "XDG", "TEXTUAL", "TMUX", "NO_COLOR", "COVERAGE", "COLUMNS", "LINES")
"""What a console must not find; xdist tells its workers a width and a height, which are not those
of the terminal.
"""
T = TypeVar("T")


class _Screen(pyte.Screen):
    """Tolerates what the emulator does not know."""

    def report_device_status(self, *args: Any, **kwargs: Any) -> None:
        """Nobody asks it."""

    def select_graphic_rendition(self, *attrs: int, **kwargs: Any) -> None:
        if not kwargs:
            super().select_graphic_rendition(*attrs)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing of the user's is found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_AWAY)}
    home = str(folder)
    kept |= {
        "HOME": home,
        "FLATOUT_HOME": str(folder / "f"),
        "XDG_CONFIG_HOME": home,
        "TERM": "xterm-256color",
    }
    return kept | {"COLORTERM": "truecolor", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)} | more


class Terminal:
    """A program in a pseudo-terminal. `stall` stops the reader, `read_on` starts it again."""

    def __init__(
        self,
        folder: Path,
        *args: str,
        columns: int = 120,
        rows: int = 40,
        stderr: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.screen = _Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.returncode: int | None = None
        self.queued = 0.0
        """Seconds for which it was kept from the processors by others, until `wait` saw it last."""
        self._reads = threading.Event()
        self._reads.set()
        self._over = threading.Event()
        self._turn = threading.Lock()
        self.fd, self.slave = pty.openpty()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.found = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            self._become(args, environment(folder, **(env or {})), stderr)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _become(self, args: tuple[str, ...], env: dict[str, str], stderr: Path | None) -> None:
        try:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for descriptor in (0, 1, 2):
                os.dup2(self.slave, descriptor)
            if stderr is not None:
                os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT, 0o600), 2)
            os.closerange(3, 1000)
            os.chdir(self.folder)
            os.execvpe(args[0], args, env)
        finally:
            os._exit(127)

    def _read(self) -> None:
        while not self._over.is_set():
            if not self._reads.wait(0.1) or not select.select([self.fd], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                return
            with self._turn:
                self.raw += data
                with contextlib.suppress(Exception):
                    self.stream.feed(data)

    # what a person does

    def send(self, data: bytes, seconds: float = 0.3) -> None:
        """Type in one write, then give it time."""
        os.write(self.fd, data)
        time.sleep(seconds)

    def confirm(self, done: str | Callable[[], Any], seconds: float = 60) -> bool:
        """Press enter once what it confirms can have been read, until what it does is seen: on a
        busy machine a question is late, and the console says so and asks for another press.
        """
        self.send(b"", 0.5)
        self.send(ENTER)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if done in self.text if isinstance(done, str) else done():
                return True
            self.send(ENTER if "press it again" in self.text else b"", 0.3)
        return False

    def leave(self) -> int | None:
        """Confirm the question of what ends; the exit code."""
        self.confirm(lambda: not self.alive)
        return self.wait()

    def stall(self) -> None:
        """Nobody reads any more: a frozen window, a connection that is gone but not closed."""
        self._reads.clear()
        time.sleep(0.2)

    def read_on(self) -> None:
        """Somebody reads again."""
        self._reads.set()

    def forget(self) -> None:
        """The window is empty: whatever it shows from now on was painted from now on."""
        with self._turn:
            self.screen.reset()

    def signal(self, number: int) -> None:
        """Send a signal."""
        if self.alive:
            os.kill(self.pid, number)

    # what a person sees

    @property
    def text(self) -> str:
        """The screen."""
        with self._turn:
            return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, wanted: str | re.Pattern[str], seconds: float = 30) -> bool:
        """Until a text, or what a pattern says, is on the screen."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if (
                re.search(wanted, self.text)
                if isinstance(wanted, re.Pattern)
                else wanted in self.text
            ):
                return True
            time.sleep(0.05)
        return False

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode is None

    def wait(self, seconds: float = 15) -> int | None:
        """The exit code, or None where the program goes on."""
        until = time.monotonic() + seconds
        while self.alive and time.monotonic() < until:
            self.queued = self._queued() or self.queued
            time.sleep(0.02)
        if not self.alive:
            time.sleep(0.3)  # what it wrote last is read
        return self.returncode

    def _queued(self) -> float:
        """Seconds for which the program was ready and other processes had the processors."""
        try:
            return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            return 0.0

    @property
    def restored(self) -> bool:
        """Whether the terminal's own settings are as they were found."""
        return termios.tcgetattr(self.slave) == self.found

    def close(self) -> None:
        """End what runs, let go of the terminal."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        self.wait(5)
        self._over.set()
        self._reads.set()
        self._thread.join(2)
        os.close(self.fd)
        os.close(self.slave)

    # the account behind it

    @property
    def account(self) -> Path:
        """The home of its paper account."""
        return self.folder / "f" / "paper"

    @property
    def control(self) -> Path:
        """Its control socket, which lies elsewhere where the path of the home is long."""
        return Home(self.account, create=False).control

    def put(self, question: dict[str, Any], seconds: float = 5) -> dict[str, Any]:
        """One question over the control socket. Raises OSError where nobody answers in time."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            line.connect(str(self.control))
            line.sendall(json.dumps(question).encode() + b"\n")
            with line.makefile("rb") as answer:
                told: dict[str, Any] = json.loads(answer.readline())
                return told

    def look(self) -> dict[str, Any]:
        """What the engine shows, as data."""
        return self.put({"type": "look"})

    def alerts(self, code: str) -> list[dict[str, Any]]:
        """The alerts of a code that the engine shows and that are not cured."""
        return [
            alert
            for alert in self.look()["alerts"]
            if alert["code"] == code and alert.get("cured_at") is None
        ]

    def log(self) -> str:
        """The account's log."""
        path = self.account / "flatout.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def until(self, good: Callable[[], T], seconds: float = 20) -> T:
        """Until something is so; its last value."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError, ValueError):
                value = good()
                if value or time.monotonic() > end:
                    return value
            if time.monotonic() > end:
                pytest.fail(
                    f"nobody answers; the console: {self.returncode} {self.text.strip()[-500:]}"
                )
            time.sleep(0.1)

    def ready(self) -> None:
        """Until the engine takes entries and the screen shows it."""
        found = self.until(
            lambda: not any(r["code"] == "STARTING" for r in self.look()["reasons"]), 60
        )
        assert found, f"the console does not come up: {self.text}"
        assert self.wait_for("PAPER"), self.text


@contextmanager
def console(
    folder: Path, *args: str, ready: bool = True, program: tuple[str, ...] = CONSOLE, **more: Any
) -> Iterator[Terminal]:
    """A console on a paper account with simulated prices, in a home of its own."""
    terminal = Terminal(folder, *program, "--set", 'market.symbols=["BTC/USD"]', *args, **more)
    try:
        if ready:
            terminal.ready()
        yield terminal
    finally:
        terminal.close()
