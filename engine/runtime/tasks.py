"""All tasks of an engine, owned in one place: none is lost, none dies unheard, none outlives it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Tasks:
    """Starts tasks, hears how they end, and ends them."""

    def __init__(self, died: Callable[[str, BaseException], None]) -> None:
        self._died = died
        self._running: set[asyncio.Task[None]] = set()
        self._closing = False

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work`; an exception that it dies of is told, not lost. After the end it is cancelled
        before its first step.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        if self._closing:
            task.cancel()
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._died(task.get_name(), error)

    async def close(self) -> None:
        """Cancel what still runs, and wait until it has ended."""
        self._closing = True
        while self._running:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            await asyncio.sleep(0)
