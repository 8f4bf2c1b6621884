"""Both ends of an attached console's line without I/O: bytes and the time go in, bytes and values
come out.
"""

from collections import deque
from collections.abc import Iterable

from msgspec.structs import replace

from engine.model.view import Notice, View
from engine.session.deltas import applied, difference
from engine.session.frames import (
    TO_CONSOLE,
    TO_ENGINE,
    Begin,
    FrameError,
    Heard,
    Met,
    Role,
    Said,
    Shown,
    Shows,
    Splitter,
    framed,
    heard,
    said,
)

FASTEST = 20
"""Views in a second at most."""
KEPT = 1_000
"""Notices that a console keeps."""
DRIFT = 1e-4
"""Seconds by which two machines' clocks may part in a second."""


class EngineEnd:
    """The engine's end of one line."""

    def __init__(self) -> None:
        self._frames = Splitter(TO_ENGINE)
        self.begun: Begin | None = None
        self.last = 0
        """The newest notice that was told."""
        self._shown: View | None = None
        self._number = self._shown_number = 0
        self._unacknowledged: View | None = None
        self._next = 0.0

    def hear(self, data: bytes, instance: str) -> list[Heard]:
        """What was said. Raises FrameError."""
        found: list[Heard] = []
        for frame in self._frames.feed(data):
            value = heard(frame, first=self.begun is None)
            if (self.begun is None) is not isinstance(value, Begin):
                raise FrameError("a line begins once")
            if isinstance(value, Begin):
                self.begun = value
                self.last = value.last if value.instance == instance else 0
            elif isinstance(value, Shown):
                self._acknowledge(value.number)
            found.append(value)
        return found

    def _acknowledge(self, number: int) -> None:
        if self._unacknowledged is None or number != self._number:
            raise FrameError(f"view {number} was not shown")
        self._shown, self._shown_number = self._unacknowledged, number
        self._unacknowledged = None

    def is_due(self, now: float) -> bool:
        """Whether the next view may go (`now` in monotonic seconds)."""
        return self.begun is not None and self._unacknowledged is None and now >= self._next

    def show(
        self,
        view: View,
        stamp: int,
        now: float,
        notices: Iterable[Notice],
        missed: int,
        beat: int = 0,
    ) -> bytes:
        """The frame that leads to this view; `stamp` and `beat` as in `Shows`."""
        assert self.begun is not None
        view, told = replace(view, notices=()), tuple(notices)
        delta = difference(self._shown, view, self._number + 1, self._shown_number)
        frame = framed(Shows(stamp, delta, told, missed, beat))
        # only now: a view that can't be said is not waited for
        self._next = now + 1 / min(max(self.begun.fps, 1), FASTEST)
        self._number += 1
        self._unacknowledged = view
        self.last = told[-1].seq if told else self.last
        return frame


class ConsoleEnd:
    """The console's end: the newest view, the notices, and the engine's clock."""

    def __init__(self) -> None:
        self._frames = Splitter(TO_CONSOLE)
        self._bare: View | None = None
        """As it was told: without notices."""
        self.met: Met | None = None
        self.view: View | None = None
        self.notices: deque[Notice] = deque(maxlen=KEPT)
        self.missed = 0
        """Notices that were said and never came."""
        self.late = 0.0
        """Seconds that the last view came later than the fastest did: it is at least so old."""
        self._stamp = self._beat = 0
        self._came = 0.0
        self._least: float | None = None
        self._has_met = False

    def begin(self, role: Role, name: str, fps: int) -> bytes:
        """The first frame of a new line; what was shown on the one before stays on the screen."""
        self._frames, self._bare, self._has_met = Splitter(TO_CONSOLE), None, False
        last = self.notices[-1].seq if self.notices else 0
        instance = self.met.instance if self.met is not None else ""
        return framed(Begin(role=role, name=name, fps=fps, instance=instance, last=last))

    def hear(self, data: bytes, now: float) -> tuple[list[Said], bytes]:
        """What was said, and what to say to it. Raises FrameError. `now` in monotonic seconds."""
        found: list[Said] = []
        answer = b""
        for frame in self._frames.feed(data):
            value = said(frame, first=not self._has_met)
            if isinstance(value, Shows):
                try:
                    answer = self._show(value, now)
                except KeyError as error:
                    raise FrameError(f"a change of a view that is not here: {error}") from error
            if isinstance(value, Met):
                self._meet(value)
            found.append(value)
        return found, answer

    def _meet(self, met: Met) -> None:
        if self.met is not None and met.instance != self.met.instance:
            self.notices.clear()  # another engine counts anew
            self._beat = 0
        if self.met is not None and met.boot != self.met.boot:
            self._least = None  # another clock
        self.met, self._has_met = met, True

    def _show(self, value: Shows, now: float) -> bytes:
        self._bare = applied(self._bare if value.delta.after else None, value.delta)
        self.notices.extend(value.notices)
        self.missed += value.missed
        self._measure(value.beat, now)
        self._stamp, self._beat, self._came = value.stamp, value.beat, now
        self.view = replace(self._bare, notices=tuple(self.notices))
        return framed(Shown(value.delta.number))

    def _measure(self, beat: int, now: float) -> None:
        """How much later than the fastest frame this one came. The clocks of two machines drift
        apart: the fastest is forgotten at that pace.
        """
        way = now - beat / 1e9
        if self._least is None:
            self._least = way
        self._least = min(way, self._least + DRIFT * max(now - self._came, 0.0))
        self.late = way - self._least

    @property
    def is_fresh(self) -> bool:
        """Whether this engine has shown a view: its clocks are known."""
        return self.met is not None and bool(self._beat)

    def deadline(self, now: float, within: float) -> int:
        """A time in the engine's wall clock: so many seconds from `now` (monotonic). The way that a
        frame took makes it only stricter.
        """
        return self._stamp + int((now - self._came + within) * 1_000_000_000)

    def bound(self, now: float, within: float) -> tuple[int, str]:
        """The same in its boot clock, and whose that is; see `Put`. Only where `is_fresh`."""
        assert self.met is not None
        return self._beat + int((now - self._came + within) * 1_000_000_000), self.met.boot
