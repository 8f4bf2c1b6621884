"""What happens by time alone: the beat once a second, the timer of the desk's next deadline, and
what a gap in either means.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from engine.account.beat import GAP
from engine.clock import SECOND, Clock
from engine.desk import Desk, Message, Pulse, Slept
from engine.desk import Wake as WakeUp
from engine.gate import Evidence, Permit, Standing
from engine.runtime.decider import Decider
from engine.runtime.inbox import Inbox

SLEPT = 5 * SECOND
"""A beat that is later than this was slept through."""


class BeatingPermit(Permit, Protocol):
    """A permit that the engine's beat keeps alive."""

    lost: str
    """Why it was lost; empty while it was not."""
    winner: str
    """Who has it instead, where that is known."""

    def beat(self, now: int, due: int) -> Standing:
        """The beat came; the next one is due then (nanoseconds)."""
        ...

    def paced(self, speed: float, now: int) -> None:
        """The clock runs at another speed from now on."""
        ...

    def stood(self, now: int) -> None:
        """The clock stands still because a person wants it to; said once a second."""
        ...


class Heartbeat:
    """Beats, wakes the desk, and tells when the process or its clock stood still."""

    def __init__(
        self,
        clock: Clock,
        desk: Desk,
        permit: BeatingPermit,
        evidence: Evidence,
        inbox: Inbox,
        look: Callable[[], None],
        decider: Decider,
    ) -> None:
        """`look` is called at each beat and after each gap: for a last exit's mark."""
        self.lag = 0
        """Nanoseconds by which the last beat was late."""
        self._clock = clock
        self._desk = desk
        self._permit = permit
        self._evidence = evidence
        self._inbox = inbox
        self._look = look
        self._decider = decider
        self._beat: asyncio.TimerHandle | None = None
        self._beat_at = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._drift = 0
        self._closing = False

    def start(self) -> None:
        """Beat from a second from now on."""
        self._next_beat(self._clock.now() + SECOND)

    def close(self) -> None:
        """Set no timer for the desk any more; the beat goes on until `stop`."""
        self._closing = True

    def stop(self) -> None:
        """Beat no more."""
        for handle in (self._timer, self._beat):
            if handle is not None:
                handle.cancel()

    def notice_gap(self) -> None:
        """Before anything is decided: was the last beat slept through?"""
        now = self._clock.now()
        # of the machine's time: a recorded market runs faster than it stands still
        late = (now - self._beat_at) / max(self._clock.speed, 1.0)
        if self._beat is None or self._closing or late <= GAP:
            return
        self._evidence.void("this process stood still", now)
        self._look()
        if late > SLEPT:
            self._beat_at = now
            self._inbox.first(Slept(f"nobody looked for {late / SECOND:.0f} s"))

    def set_timer(self) -> None:
        """After something was decided: the desk may have another deadline."""
        if self._decider.read_only:
            return
        if self._beat is not None and self._clock.virtual:
            soon = self._clock.now() + self._pace()
            # something came up that is to be looked at before the next beat
            if soon < self._beat_at:
                self._beat.cancel()
                self._next_beat(soon)
        at = self._desk.next_wake()
        if at == self._timer_at and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None and not self._closing:
            self._timer_at = at
            self._timer = self._clock.call_at(max(at, self._clock.now()), self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._post(WakeUp())

    def _post(self, message: Message) -> None:
        self._inbox.post(message)

    def _next_beat(self, at: int) -> None:
        self._beat_at = at
        self._beat = self._clock.call_at(at, self._pulse)
        match self._permit.beat(self._clock.now(), at):
            case Standing.VOID:
                self._evidence.void("this process stood still", self._clock.now())
            case Standing.LOST:
                self._decider.lose(self._permit.lost, self._permit.winner)
            case _:
                pass

    def _pulse(self) -> None:
        """Once a second: how late the loop runs, and whatever the desk does by time alone."""
        self.lag = max(0, self._clock.now() - self._beat_at)
        self.notice_gap()
        self._watch_clock()
        self._look()
        now = self._clock.now()
        self._next_beat(max(self._beat_at, now) + self._pace())
        if self._desk.needs_pulse(now):
            self._post(Pulse())

    def _watch_clock(self) -> None:
        """The machine's clock may have gone on while the loop stood still."""
        drift = self._clock.drift()
        if abs(drift - self._drift) < SLEPT:
            return
        self._clock.catch_up(drift)
        self._drift, self._beat_at = self._clock.drift(), self._clock.now()
        way = "ahead" if drift > 0 else "back"
        self._evidence.void("the machine's clock jumped", self._clock.now())
        self._post(Slept(f"the machine's clock went {way} by {abs(drift) / SECOND:.0f} s"))

    def _pace(self) -> int:
        """A second; under virtual time until there is something to do: a quiet month is not two
        million idle beats.
        """
        if not self._clock.virtual:
            return SECOND
        now = self._clock.now()
        return max(self._desk.next_pulse(now) - now, SECOND)
