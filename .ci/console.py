"""Runs a command in a real pseudo-terminal, waits until the console is drawn, presses a few keys,
quits, and checks that it left in order.

Usage: console.py COMMAND   (one shell command, as it stands in the README)
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

SIZE = (40, 120)
ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][A-Z0-9]|.)")


class Terminal:
    """The other end of the pseudo-terminal."""

    def __init__(self, command: str, environment: dict[str, str] | None = None) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        environment = {
            **(os.environ if environment is None else environment),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        self.process = subprocess.Popen(
            ["bash", "-c", command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""

    def read(self, seconds: float) -> None:
        """Take in what is drawn."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self.master], [], [], left)
            if not ready:
                return
            try:
                chunk = os.read(self.master, 65_536)
            except OSError:
                return
            if not chunk:
                return
            self.seen += chunk

    def wait_for(self, text: str, seconds: float) -> None:
        """Until a text has been drawn, or fail with what was."""
        end = time.monotonic() + seconds
        while text.encode() not in ESCAPES.sub(b"", self.seen):
            if time.monotonic() > end or self.process.poll() is not None:
                shown = ESCAPES.sub(b"", self.seen)[-3_000:].decode(errors="replace")
                sys.exit(
                    f"console: {text!r} was not drawn within {seconds:g} s; the end of what"
                    f" was:\n{shown}"
                )
            self.read(0.2)

    def press(self, keys: str) -> None:
        """Type."""
        self.seen = b""
        os.write(self.master, keys.encode())

    def answer(self) -> None:
        """Say yes, unless the console has gone meanwhile."""
        with contextlib.suppress(OSError):
            os.write(self.master, b"\r")

    def leave(self) -> None:
        """Quit, and see that it ends in order."""
        self.press("q")
        self.wait_for("Quit", 20)
        end = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.6)  # the question arms once it has been seen; a key before that is dropped
            if self.process.poll() is None:
                self.answer()
        if self.process.poll() != 0:
            self.process.kill()
            sys.exit(f"console: it ended with {self.process.poll()} instead of 0")
        os.close(self.master)


def main() -> None:
    """The check."""
    terminal = Terminal(sys.argv[1])
    terminal.wait_for("Positions", 300)  # the command sets everything up first
    terminal.wait_for("100,000", 30)
    terminal.press("n")
    terminal.wait_for("New order", 10)
    terminal.press("\x1b")
    terminal.read(1.0)
    terminal.press("?")
    terminal.wait_for("lat", 10)
    terminal.press("\x1b")
    terminal.read(1.0)
    terminal.leave()
    print("console: drawn, driven and left in order")


if __name__ == "__main__":
    main()
