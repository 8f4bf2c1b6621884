"""The last answers to what is asked of the session again and again: asked one at a time, beside the
screen, and never waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from engine.session import Query, Told

KEPT = 32
"""Queries whose answers are remembered."""
T = TypeVar("T")


class Latest:
    """Queries with their last answers."""

    def __init__(
        self, ask: Callable[[Query], Awaitable[Told]], told: Callable[[], None] = lambda: None
    ) -> None:
        """`told` is called after each answer."""
        self._ask = ask
        self._told = told
        self._answers: dict[str, Told | Exception] = {}
        self._waiting: dict[str, Query] = {}
        self._task: asyncio.Task[None] | None = None

    def of(self, query: Query, kind: type[T], *, ask: bool = True) -> T | None:
        """The last answer to this very query; None before there is one, and where asking failed.
        Asks (again), unless told not to.
        """
        key = repr(query)
        if ask or key not in self._answers:
            self._want(key, query)
        found = self._answers.get(key)
        return found if isinstance(found, kind) else None

    def failure(self, query: Query) -> Exception | None:
        """What asking this very query failed of last."""
        found = self._answers.get(repr(query))
        return found if isinstance(found, Exception) else None

    def _want(self, key: str, query: Query) -> None:
        self._waiting[key] = query
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="ask the session")

    async def _run(self) -> None:
        while self._waiting:
            key = next(iter(self._waiting))
            query = self._waiting[key]
            try:
                answer: Told | Exception = await self._ask(query)
            except Exception as error:
                answer = error
            self._waiting.pop(key, None)
            self._answers.pop(key, None)
            self._answers[key] = answer
            while len(self._answers) > KEPT:
                del self._answers[next(iter(self._answers))]
            if not self._waiting:
                self._task = None
            self._told()
        self._task = None

    def close(self) -> None:
        """Ask nothing more."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
