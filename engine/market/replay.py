"""A recording that is played for a person: it stands still, goes faster or slower, and hurries on
to a time, the next fill or a move.

Whatever it does, every price is delivered in order and everything that is due between two prices
happens between them: what is skipped for the eye is not skipped for an order.
"""

import asyncio
from collections.abc import Callable, Iterable

from engine.clock import PacedClock
from engine.market.goals import Goal, clock, next_of, seek
from engine.market.layout import MarketError
from engine.market.player import SLICE
from engine.model.quote import Tick

SLOWEST, FASTEST = 0.01, 100_000.0
STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0)
"""Speeds that `faster` and `slower` go through."""
TURNS = 3
"""Turns of the loop in which what a timer woke does its work, before the next price comes."""
DISK = 0.001
"""Seconds between two looks at a write."""
WORDS = ("play", "freeze", "faster", "slower", "speed", "seek", "next", "mark")
"""What can be asked for."""


class Replay:
    """Plays a source on a clock; `end` is the time of its last price (ns), where that is known."""

    def __init__(
        self,
        source: Iterable[Tick],
        clock: PacedClock,
        deliver: Callable[[Tick], None],
        end: int | None = None,
    ) -> None:
        self._source, self._clock, self._deliver = source, clock, deliver
        self._end = end
        self._goal: Goal | None = None
        self._held = False
        """Whether it should stand where no goal is."""
        self._over = False
        self._waker: asyncio.Future[None] | None = None
        self._standing: asyncio.TimerHandle | None = None
        self._pause_at = 0.0
        self.busy: Callable[[], bool] = lambda: False
        """Whether something is on its way that takes no time of the recording, such as a write to
        the disk: a hurry waits for it.
        """
        self.tell: Callable[[str], None] = lambda _: None
        """Hears what was reached, and marks."""
        self.paced: Callable[[float], None] = lambda _: None
        """Hears each new speed."""
        self.stood: Callable[[], None] = lambda: None
        """Is called once a second of the machine while it stands still or hurries."""

    @property
    def state(self) -> str:
        """How it plays, for people; short."""
        if self._over:
            return "over"
        if self._goal is not None:
            return f"▸▸ {self._goal.told}"
        return "frozen" if self._held else f"×{self._clock.speed:g}"

    def do(self, words: str) -> str:
        """Do what the words say; what was done. Raises MarketError with what is wrong."""
        word, _, rest = " ".join(words.split()).partition(" ")
        if self._over and word != "mark":
            raise MarketError("the recording has been played to its end")
        match word:
            case "play" if not rest:
                self.play_on()
            case "freeze" if not rest:
                self._set(None, held=True)
            case "faster" | "slower" if not rest:
                self._set_speed(self._next_speed(up=word == "faster"))
            case "speed":
                self._set_speed(_speed(rest))
            case "seek":
                self._set(seek(rest, self._clock.now(), self._end), held=self._held)
            case "next":
                self._set(next_of(rest), held=self._held)
            case "mark":
                self.tell(f"mark at {clock(self._clock.now())}: {rest or 'here'}")
                return ""
            case _:
                raise MarketError(
                    f"{words!r} is no way to play a recording: play, freeze, faster, slower, speed"
                    " 10, seek 14:02, next fill, next move 0.5%, mark"
                )
        return f"recording {self.state}"

    def play_on(self) -> None:
        """Go on at the usual speed: also because somebody asked for something, which takes time."""
        if self._held or self._goal is not None:
            self._set(None, held=False)

    def filled(self, what: str) -> None:
        """A fill of ours."""
        if self._goal is not None and (reached := self._goal.filled(what)):
            self._reached(reached)

    async def play(self) -> None:
        """Deliver every price at its time; returns when there are no more. Cancel to stop."""
        try:
            for tick in self._source:
                await self._until(tick.at)
                self._deliver(tick)
                if self._goal is not None and (reached := self._goal.seen(tick)):
                    self._reached(reached)
        finally:
            self._set(None, held=False)
            self._over = True

    # how it goes on

    def _set_speed(self, speed: float) -> None:
        self._clock.pace(speed)
        self.paced(speed)
        self._set(self._goal, held=self._held and self._goal is None)

    def _next_speed(self, *, up: bool) -> float:
        now = self._clock.speed
        if up:
            return next((one for one in STEPS if one > now), now)
        return next((one for one in reversed(STEPS) if one < now), now)

    def _set(self, goal: Goal | None, *, held: bool) -> None:
        self._goal, self._held = goal, held
        still = held or goal is not None
        if still and not self._clock.held:
            self._clock.hold()
            self._stand()
        elif not still and self._clock.held:
            self._clock.go()
            self.paced(self._clock.speed)
        self._wake()

    def _stand(self) -> None:
        """Tell once a second that we live: the clock's own timers do not come."""
        if self._standing is not None:
            self._standing.cancel()
        if self._clock.held:
            self.stood()
            self._standing = asyncio.get_running_loop().call_later(1.0, self._stand)

    def _reached(self, what: str) -> None:
        self._set(None, held=True)
        self.tell(f"{clock(self._clock.now())}: {what}; the recording is frozen, :play goes on")

    def _wake(self) -> None:
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)

    # one price after the other

    async def _until(self, at: int) -> None:
        """Return once it is time."""
        loop = asyncio.get_running_loop()
        while True:
            goal = self._goal
            if goal is not None:
                ahead = at if goal.at is None else min(at, goal.at)
                if not await self._step_to(ahead, goal):
                    continue
                if goal.at is None or at <= goal.at:
                    return
                self._reached(f"there, as asked {goal.told}")
            elif not self._held and self._clock.now() >= at:
                if loop.time() >= self._pause_at:
                    await asyncio.sleep(0)
                    self._pause_at = loop.time() + SLICE
                    continue  # somebody may have frozen it meanwhile
                return
            else:
                await self._wait(at)

    async def _wait(self, at: int) -> None:
        """For the time, or for another way to play."""
        self._waker = asyncio.get_running_loop().create_future()
        handle = self._clock.call_at(at, self._wake)
        try:
            await self._waker
        finally:
            handle.cancel()
            self._waker = None
        self._pause_at = asyncio.get_running_loop().time() + SLICE

    async def _step_to(self, at: int, goal: Goal) -> bool:
        """Hurry on to a time, with all that is due by then; whether the goal is still the same."""
        loop = asyncio.get_running_loop()
        while True:
            while self.busy():  # noqa: ASYNC110  # two writers in threads, and no event of theirs
                await asyncio.sleep(DISK)
            if loop.time() >= self._pause_at:
                await asyncio.sleep(0)
                self._pause_at = loop.time() + SLICE
            if self._goal is not goal:
                return False
            due = self._clock.next_due()
            if due is None or due > at:
                self._clock.step(at)
                return True
            self._clock.step(due)
            for _ in range(TURNS):
                await asyncio.sleep(0)


def _speed(text: str) -> float:
    try:
        speed = float(text.removeprefix("x").removeprefix("×"))
    except ValueError:
        speed = 0.0
    if not SLOWEST <= speed <= FASTEST:
        raise MarketError(f"speed is {text!r}; say a number from {SLOWEST:g} to {FASTEST:,.0f}")
    return speed
