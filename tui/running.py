"""Lines of the command line that are on their way. They live longer than the dialog that said
them.
"""

import asyncio
from collections.abc import Awaitable, Callable

from engine.grammar import tree as t
from engine.grammar.carry import Carrying, Ended, Outcome, drive
from engine.model.intent import AnyIntent
from engine.model.view import Answer, View

LOOK = 0.1
"""Seconds between two looks while something is waited for."""
SETTLES = 10
"""Seconds that the venue gets to accept what a line asked for last."""
Perform = Callable[[t.Performed], Awaitable[str]]
Told = Callable[[Ended], None]


class Running:
    """The lines of one console, and what they have set."""

    def __init__(
        self, look: Callable[[], View], ask: Callable[[AnyIntent], Awaitable[Answer]]
    ) -> None:
        self.variables: dict[str, t.Size | t.AnyPrice] = {}
        """What `set @name` has set in this session."""
        self._look = look
        self._ask = ask
        self._lines: dict[asyncio.Task[None], Carrying] = {}

    def start(self, carrying: Carrying, perform: Perform, told: Told) -> None:
        """Carry a line out; `told` hears how it ended."""
        task = asyncio.get_running_loop().create_task(
            self._run(carrying, perform, told), name="carry a line out"
        )
        self._lines[task] = carrying
        task.add_done_callback(lambda done: self._lines.pop(done, None))

    async def _run(self, carrying: Carrying, perform: Perform, told: Told) -> None:
        async def look() -> View:
            return self._look()

        async def pause() -> None:
            await asyncio.sleep(LOOK)

        ended = await drive(carrying, look, self._ask, perform, pause)
        self.variables |= carrying.variables
        if ended.outcome is Outcome.DONE:
            carrying.settle(SETTLES)
            settled = await drive(carrying, look, self._ask, perform, pause)
            if settled.outcome is Outcome.RAN_OUT:
                text = f"{ended.text}; the venue has not confirmed it in {SETTLES} s"
                ended = Ended(Outcome.UNKNOWN, text, settled.part)
            elif settled.outcome is not Outcome.DONE:
                ended = settled
        told(ended)

    def stop(self, why: str) -> int:
        """End all lines that wait; how many there were. What they sent goes on."""
        waiting = [line for line in self._lines.values() if line.waiting]
        for line in waiting:
            line.stop(why)
        return len(waiting)

    def waits(self) -> list[str]:
        """What is waited for, a text each."""
        view = self._look()
        return [line.told(view) for line in self._lines.values() if line.waiting]

    async def close(self) -> None:
        """End what waits, and let what is on its way come to its end."""
        for line in self._lines.values():
            line.stop("the console was left")
        if self._lines:
            await asyncio.wait(list(self._lines), timeout=1)
