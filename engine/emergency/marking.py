"""The mark, kept while the last exit works: what it sends, before it sends it, and a beat that says
that it lives.

A mark that can't be written stops nothing: the ids of the last exit tell by themselves who sent
them (`engine.model.ids.LAST_EXIT`). Orders of an earlier mark stay in it: it stands because no
engine has booked them yet.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from engine.account import mark as marks
from engine.account.mark import Mark, MarkedOrder
from engine.model.order import Order, Role

BEAT = 1.0
"""Seconds between two writes at the most."""
LINES = 60
ORDERS = 200
LINE = 400


class Marker:
    """Writes the mark of this run into an account's folder."""

    def __init__(
        self, folder: Path, intent: str, instance: str, pid: int, complain: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._complain = complain
        self._failed = False
        before = marks.read(folder)
        self.before = before
        """The mark that stood here when this run began."""
        now = time.time_ns()
        self.mark = Mark(
            intent=intent,
            instance=instance,
            pid=pid,
            began_at=now,
            beat_at=now,
            orders=() if before is None else before.orders,
        )

    def begin(self) -> None:
        """Say that a last exit is at work."""
        try:
            marks.reserve(self._folder)
        except OSError as error:
            self._trouble(error)
        self._write()

    def sends(self, order: Order) -> None:
        """Write an order down, before it leaves."""
        stop = order.role is Role.STOP
        entry = MarkedOrder(
            order.client_order_id,
            order.symbol,
            order.side,
            order.size,
            time.time_ns(),
            order.leverage,
            stop,
        )
        self.mark = replace(self.mark, orders=(*self.mark.orders, entry)[-ORDERS:])
        self._write()

    def tells(self, line: str) -> None:
        """Keep a line for whoever follows."""
        self.mark = replace(self.mark, lines=(*self.mark.lines, line[:LINE])[-LINES:])

    def beat(self) -> None:
        """Say that we live."""
        self._write()

    def end(self, outcome: Literal["flat", "not flat"]) -> None:
        """Say how it ended."""
        self.mark = replace(self.mark, outcome=outcome)
        self._write()

    def _write(self) -> None:
        self.mark = replace(self.mark, beat_at=time.time_ns())
        try:
            self.mark = marks.write(self._folder, self.mark)
        except (OSError, ValueError) as error:
            self._trouble(error)

    def _trouble(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            self._complain(f"the mark can't be written ({error}); going on without it")
