"""The frames of an attached console's line: what is said, and how it becomes bytes. Both ends of
it, without I/O, are in `ends`.

A frame is four bytes of length and a value in msgpack. The console begins, then puts questions and
says which view it shows. The engine answers by number, and shows what changed: never more than one
view that was not acknowledged, and the next one is made from the newest.
"""

import contextlib
import struct
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from engine.model.view import Notice
from engine.session.deltas import Delta
from engine.session.messages import MAJOR, MINOR, Question, Welcome

TO_ENGINE, TO_CONSOLE = 1 << 20, 64 << 20
"""Longest frame, bytes."""

Role = Literal["trade", "look"]
T = TypeVar("T")


class FrameError(ValueError):
    """What came is no frame of this protocol: the line ends."""


class VersionError(FrameError):
    """The other side speaks another version of the protocol; `major` is its."""

    def __init__(self, major: int) -> None:
        super().__init__(f"version {major} of the session's protocol, and this program {MAJOR}")
        self.major = major


# From the console


class Begin(Struct, frozen=True, tag="begin"):
    """Who comes, for what; `last` is the newest notice that it has of engine `instance`."""

    major: int = MAJOR
    minor: int = MINOR
    role: Role = "look"
    name: str = ""
    fps: int = 10
    instance: str = ""
    last: int = 0


class Put(Struct, frozen=True, tag="put"):
    """A question; the answer has its number.

    `before` bounds an intent beside its own deadline: nanoseconds of the boot clock that views
    carry, which nobody sets back; `boot` is whose that is. 0: no such bound.
    """

    n: int
    question: Question
    before: int = 0
    boot: str = ""


class Shown(Struct, frozen=True, tag="shown"):
    """The view of this number is on the screen."""

    number: int


# From the engine


class Met(Struct, frozen=True, tag="met"):
    """Who answers. `instance` is drawn at each start of an engine."""

    welcome: Welcome
    instance: str
    boot: str = ""
    """The running machine: its boot clock is another one after its next start."""


class Shows(Struct, frozen=True, tag="shows"):
    """What changed on the screen, and what was said since: in order, none twice."""

    stamp: int
    """The engine's wall clock, nanoseconds: deadlines are counted from it."""
    delta: Delta
    notices: tuple[Notice, ...] = ()
    missed: int = 0
    """How many more were said, and are not kept any more."""
    beat: int = 0
    """The engine's boot clock, nanoseconds: it never jumps, and goes on while the machine
    sleeps.
    """


class Answered(Struct, frozen=True, tag="answered"):
    """The answer to question `n`; `failed` says why there is none."""

    n: int
    reply: Raw
    failed: str = ""


class Bye(Struct, frozen=True, tag="bye"):
    """The engine hangs up, and why."""

    reason: str


Heard = Begin | Put | Shown
Said = Met | Shows | Answered | Bye


class _Version(Struct, frozen=True, tag="begin"):
    """What each version begins with, whatever else it says."""

    major: int = MAJOR


class _Welcomed(Struct, frozen=True):
    major: int = MAJOR


class _Answers(Struct, frozen=True, tag="met"):
    """The same of the engine's first word."""

    welcome: _Welcomed


_encode = msgspec.msgpack.Encoder(decimal_format="string").encode
_heard: msgspec.msgpack.Decoder[Heard] = msgspec.msgpack.Decoder(Heard)
_said: msgspec.msgpack.Decoder[Said] = msgspec.msgpack.Decoder(Said)
_version = msgspec.msgpack.Decoder(_Version)
_welcomed = msgspec.msgpack.Decoder(_Answers)


def framed(value: Heard | Said) -> bytes:
    """The value as a frame."""
    body = _encode(value)
    return struct.pack(">I", len(body)) + body


def fits(value: Heard) -> bool:
    """Whether an engine takes it: a frame that is too long ends the line."""
    return len(_encode(value)) <= TO_ENGINE


def answered(n: int, reply: Any) -> bytes:
    """The frame of an answer."""
    return framed(Answered(n, Raw(_encode(reply))))


def read(reply: Raw, kind: type[T]) -> T:
    """An answer as the value that it must be. Raises FrameError."""
    try:
        return msgspec.msgpack.decode(reply, type=kind)
    except msgspec.MsgspecError as error:
        raise FrameError(str(error)) from error


def heard(frame: bytes, *, first: bool) -> Heard:
    """A console's value. The first one of a line tells its version, also where the rest of it can't
    be read. Raises FrameError.
    """
    if first:
        with contextlib.suppress(msgspec.MsgspecError):
            _check(_version.decode(frame).major)
    return _decoded(_heard, frame)


def said(frame: bytes, *, first: bool) -> Said:
    """An engine's value; as `heard`."""
    if first:
        with contextlib.suppress(msgspec.MsgspecError):
            _check(_welcomed.decode(frame).welcome.major)
    return _decoded(_said, frame)


def _check(major: int) -> None:
    if major != MAJOR:
        raise VersionError(major)


def _decoded(decoder: msgspec.msgpack.Decoder[T], frame: bytes) -> T:
    try:
        return decoder.decode(frame)
    except msgspec.MsgspecError as error:
        raise FrameError(str(error)) from error


class Splitter:
    """Bytes to frames."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole by now. Raises FrameError for one that is too long."""
        self._left += data
        found: list[bytes] = []
        while len(self._left) >= 4:
            size = int.from_bytes(self._left[:4], "big")
            if size > self._most:
                raise FrameError(f"a frame of {size} bytes; at most {self._most}")
            if len(self._left) < 4 + size:
                break
            found.append(bytes(self._left[4 : 4 + size]))
            del self._left[: 4 + size]
        return found
