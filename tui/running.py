"""Lines of the command line that are on their way. They live longer than the dialog that said
them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from engine.grammar import tree as t
from engine.grammar.carry import Carrying, Ended, Outcome, drive
from engine.model.intent import AnyIntent
from engine.model.view import Answer, View

LOOK = 0.1
"""Seconds between two looks while something is waited for."""
SETTLES = 10
"""Seconds that the venue gets to accept what a line asked for last."""


class Perform(Protocol):
    """Does what a line asks for beside the desk."""

    def __call__(self, command: t.Performed, *, progress: Callable[[str], None]) -> Awaitable[str]:
        """Do it, and return what was done; `progress` hears how far it is. Raises ValueError."""
        ...


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
        self._doing: dict[Carrying, str] = {}
        """How far the long work of a line is."""
        self._ended: set[Carrying] = set()
        """Lines whose work a person has ended."""

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

        async def performed(command: t.Performed) -> str:
            try:
                return await perform(command, progress=partial(self._doing.__setitem__, carrying))
            except asyncio.CancelledError:
                if carrying not in self._ended:
                    raise
                self._ended.discard(carrying)
                raise ValueError("ended by you; nothing was written") from None
            finally:
                self._doing.pop(carrying, None)

        ended = await drive(carrying, look, self._ask, performed, pause)
        self.variables |= carrying.variables
        if ended.outcome is Outcome.DONE:
            carrying.settle(SETTLES)
            settled = await drive(carrying, look, self._ask, performed, pause)
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
        """What is waited for, and how far long work is, a text each."""
        view = self._look()
        return [self._doing.get(line) or line.told(view) for line in self._under_way()]

    def _under_way(self) -> list[Carrying]:
        return [one for one in self._lines.values() if one.waiting or one in self._doing]

    def end(self, number: int) -> bool:
        """End the wait or the work of that number in `waits`; whether there is one."""
        under_way = self._under_way()
        if not 0 <= number < len(under_way):
            return False
        line = under_way[number]
        if line in self._doing:
            self._ended.add(line)
            next(task for task, one in self._lines.items() if one is line).cancel()
        else:
            line.stop("ended by you")
        return True

    async def close(self) -> None:
        """End what waits, and let what is on its way come to its end."""
        for line in self._lines.values():
            line.stop("the console was left")
        if self._lines:
            await asyncio.wait(list(self._lines), timeout=1)
