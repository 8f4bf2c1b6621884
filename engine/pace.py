"""Pace: one back-off per position and purpose over all ways in which the venue fails an exit."""

from engine.model import report as r
from engine.model.order import Order, Role
from engine.model.pause import pause
from engine.model.request import Cancel, Request, Submit

SENT = 5_000
"""Exits remembered until they end."""

Key = tuple[str, Role]
"""A position and what an exit does for it."""


class Pace:
    """Counts failures: refused, expired, cancelled unfilled and unknown are all one."""

    def __init__(self) -> None:
        self._sent: dict[str, Key] = {}
        self._failures: dict[Key, tuple[int, int]] = {}

    def leaves(self, request: Request) -> None:
        """A request is about to leave. An end that we ask for is no failure."""
        if isinstance(request, Submit) and request.order.role is not Role.ENTRY:
            self._sent[request.order.client_order_id] = (request.order.position, request.order.role)
        elif isinstance(request, Cancel):
            self._sent.pop(request.client_order_id, None)
        while len(self._sent) > SENT:
            del self._sent[next(iter(self._sent))]

    def hear(self, report: r.VenueReport, now: int) -> None:
        """Take in what the venue said. A fill ends the failures of its position."""
        match report:
            case r.Filled(fill=fill) if fill.client_order_id in self._sent:
                self.relieve(self._sent[fill.client_order_id][0])
            case r.Rejected(client_order_id=name) | r.Cancelled(client_order_id=name) | r.Expired(client_order_id=name):
                self._fail(name, now)
            case r.Unknown(client_order_id=name, request="submit"):
                self._fail(name, now)
            case r.MarketMode(closes=True):
                self._failures.clear()
            case _:
                pass

    def _fail(self, name: str, now: int) -> None:
        key = self._sent.pop(name, None)
        if key is not None:
            self._failures[key] = (self._failures.get(key, (0, 0))[0] + 1, now)

    def until(self, order: Order) -> tuple[int, int]:
        """Failures in a row of what an order would do, and when it may be tried again (nanoseconds)."""
        count, at = self._failures.get((order.position, order.role), (0, 0))
        return count, at + pause(count)

    def relieve(self, position: str) -> None:
        """A fill, a changed mode or the operator's hand: the pace of a position begins anew."""
        for key in [key for key in self._failures if key[0] == position]:
            del self._failures[key]
