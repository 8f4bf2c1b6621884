"""What waits at an outlet, kept in a file of the account's folder: a line of JSON for what came and
one for what left. A process that ends, in order or not, leaves to the next one what has not
arrived.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.model.secrets import masked
from engine.model.view import Notice

LONG = 2_000
"""Lines of the file from which on it is written anew, with what still waits."""


class Line(Struct, frozen=True, tag="came"):
    """A line of the record on its way out."""

    name: str
    """Its own: a repeat has the same one, and no other line has it, in no session."""
    at: int
    """When it was queued: wall clock, nanoseconds."""
    notice: Notice


class Left(Struct, frozen=True, tag="left"):
    """The oldest line of this name arrived, or was given up."""

    name: str


class Spool:
    """The file of one outlet. It never raises: a full disk must not keep an alert from going
    out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._written = 0
        self._unsafe = False

    def open(self) -> list[Line]:
        """What an earlier process left, in its order."""
        waiting: dict[str, Line] = {}
        with contextlib.suppress(OSError):
            for text in self._path.read_bytes().split(b"\n"):
                with contextlib.suppress(msgspec.MsgspecError):  # a crash may cut one short
                    one = msgspec.json.decode(text, type=Line | Left)
                    if isinstance(one, Line):
                        waiting[one.name] = one
                    else:
                        waiting.pop(one.name, None)
        left = list(waiting.values())
        self._begin(left)
        return left

    def came(self, line: Line) -> None:
        """Keep it."""
        self._write(line)
        self._unsafe = True

    def left(self, line: Line, waiting: Iterable[Line]) -> None:
        """Forget it; `waiting` is what is still to go."""
        still = list(waiting)
        if still and self._written < LONG:
            self._write(Left(line.name))
        elif still or self._file is None:
            self._begin(still)
        else:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)
                self._written = 0

    def sync(self) -> None:
        """Let what came outlive the machine, too. Slow: for a thread."""
        file = self._file
        if file is not None and self._unsafe:
            self._unsafe = False
            with contextlib.suppress(OSError):
                os.fsync(file)

    def close(self) -> None:
        """Let go of the file."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _write(self, one: Line | Left) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.write(self._file, b"\n" + _written(one))  # never behind half a line
                self._written += 1

    def _begin(self, lines: list[Line]) -> None:
        """A file with these lines and no others, whole or not at all."""
        beside = self._path.with_name(self._path.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        file: int | None = None
        try:
            file = os.open(beside, flags, 0o600)
            os.write(file, b"\n".join(map(_written, lines)))
            beside.replace(self._path)
        except OSError:
            if file is not None:
                os.close(file)
            return
        self.close()
        self._file, self._written = file, len(lines)


def _written(one: Line | Left) -> bytes:
    """As it stands in the file: without secrets."""
    if isinstance(one, Line):
        one = replace(one, notice=replace(one.notice, text=masked(one.notice.text)))
    return msgspec.json.encode(one)
