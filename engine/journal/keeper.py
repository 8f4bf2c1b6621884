"""Keeps the lease of a journal that machines share: renews it in a thread of its own, hears who
asks for it, and tells at once when somebody else has it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Any, Protocol

from sqlalchemy import Connection

from engine.journal import lease
from engine.journal.batch import Lease
from engine.journal.engines import IDLE
from engine.journal.errors import JournalError
from engine.journal.reader import CoreReader
from engine.journal.store import Store

EVERY_S = 2.0
"""Between two renewals."""
ANSWER_S = 3
"""How long the database may take for one."""
FRESH = 60_000_000_000
"""Nanoseconds after which nobody waits any longer for what was asked."""


class Renewable(Protocol):
    """The permit that a renewal prolongs. Both are called in the keeper's thread."""

    def renewed(self, sent: int) -> None:
        """A renewal succeeded; when it was sent, by the clock that the keeper was given."""
        ...

    def lose(self, why: str, winner: str = "") -> None:
        """Somebody else has it."""
        ...


class Keeper:
    """Renews a lease until it is closed, or lost. `on_lost` (why, winner) and `on_wanted` (who) are
    called in the event loop that runs when it is made.
    """

    def __init__(
        self,
        store: Store,
        epoch: int,
        permit: Renewable,
        boottime: Callable[[], int],
        on_lost: Callable[[str, str], None],
        on_wanted: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._store = store
        self._epoch = epoch
        self._permit = permit
        self._boottime = boottime
        self._on_lost = on_lost
        self._on_wanted = on_wanted
        self._asked = 0
        """When whoever was told of last had asked."""
        self._connection: Connection | None = None
        self._closing = Event()
        # daemon: a server that never answers must not keep the process alive
        self._thread = Thread(target=self._run, name="lease", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float = 1.0) -> None:
        """Renew no more."""
        self._closing.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            sent = self._boottime()
            if not self._renew(sent):
                break
            took = (self._boottime() - sent) / 1e9
            if self._closing.wait(max(0.0, EVERY_S - took)):
                break
        self._hang_up()

    def _renew(self, sent: int) -> bool:
        """Once; whether it is still ours, as far as anybody knows."""
        try:
            with self._store.explained():
                held = self._ask()
        except JournalError:
            self._hang_up()  # a fresh connection next time; the permit runs out by itself
            return True
        if held.epoch != self._epoch:
            winner = held.holder or "another program"
            why = f"{winner} took over the account (epoch {held.epoch}, ours was {self._epoch})"
            self._permit.lose(why, winner)
            self._in_loop(self._on_lost, why, winner)
            return False
        self._permit.renewed(sent)
        if (
            held.wanted_by
            and held.wanted_at != self._asked
            and held.read_at - held.wanted_at < FRESH
        ):
            self._asked = held.wanted_at
            self._in_loop(self._on_wanted, held.wanted_by)
        return True

    def _ask(self) -> Lease:
        if self._connection is None:
            self._connection = self._store.engine.connect()
            if self._store.path is None:
                self._connection.exec_driver_sql(
                    f"SET statement_timeout = '{ANSWER_S}s'; SET {IDLE}"
                )
                self._connection.commit()
        with self._connection.begin():
            return lease.renew(CoreReader(self._connection), self._store.where, self._epoch)

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*self._store.failures):
                connection.invalidate()
                connection.close()

    def _in_loop(self, callback: Callable[..., None], *told: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(callback, *told)
