"""Virtual time for an engine with threads and sockets: it stands still while one of them is at work,
so that a commit, a file or an answer of a server takes no time, as in a machine that is never busy.
"""

import asyncio
import selectors
import socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from engine.clock import VirtualLoop, _InstantSelector
from engine.session.local import LocalSession

T = TypeVar("T")
REAL = 0.02
"""Seconds of one real wait."""


class _PatientSelector(_InstantSelector):
    """Waits as long as somebody works, and never otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs = 0
        """Threads of the loop's own that are at work."""
        self.works: Callable[[], bool] = lambda: False
        """Whether somebody else is."""
        self._known = -1
        self._lines = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.jobs or self._has_lines() or self.works():
            self.passed = 0.0
            return selectors.SelectSelector.select(self, 0 if timeout == 0 else REAL)
        if timeout is None:  # only a thread or a socket can bring anything
            return selectors.SelectSelector.select(self, REAL)
        return super().select(timeout)

    def _has_lines(self) -> bool:
        """Whether a connection to a server is open; those that only listen are none."""
        count = len(self.get_map())
        if count != self._known:
            self._known = count
            self._lines = any(_is_line(key.fd) for key in self.get_map().values())
        return self._lines


def _is_line(fd: int) -> bool:
    with socket.socket(fileno=socket.dup(fd)) as one:
        listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        return one.family in (socket.AF_INET, socket.AF_INET6) and not listens


class PatientLoop(VirtualLoop):
    """A virtual loop with that selector."""

    def __init__(self) -> None:
        self._instant = self.patient = _PatientSelector()
        asyncio.SelectorEventLoop.__init__(self, self.patient)
        self._nanoseconds = 0
        self._clock_resolution = 1e-9

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]  # passed on as it came
        future: Any = super().run_in_executor(executor, func, *args)
        self.patient.jobs += 1
        future.add_done_callback(self._job_over)
        return future

    def _job_over(self, _: object) -> None:
        self.patient.jobs -= 1

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # asyncio's own
        """Wait for the threads in real time: from Python 3.12 on a deadline of 300 s is set, which
        would be over at once.
        """
        del timeout
        self.patient.jobs += 1
        await super().shutdown_default_executor()
        self.patient.jobs -= 1


def run_patient(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        return runner.run(main)


def wait_for_commits_of(session: LocalSession) -> None:
    """Let time stand still while the thread of its journal writes."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PatientLoop)
    journal = session.engine.journal

    def works() -> bool:
        thread = journal._thread
        return journal.waiting > 0 and thread is not None and thread._soon is None

    loop.patient.works = works
