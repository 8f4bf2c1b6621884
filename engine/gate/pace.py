"""Pace: one back-off per position and purpose over all ways in which the venue fails an exit."""

from engine.model import report as r
from engine.model.order import Order, Role
from engine.model.pause import pause
from engine.model.request import Cancel, Request, Submit

SENT = 5_000
"""Exits remembered until they end, and positions whose exits fail."""

Key = tuple[str, Role]
"""A position and what an exit does for it."""
Failures = tuple[int, int]
"""How many in a row, and when the last one was told."""
NONE: Failures = (0, 0)


class Pace:
    """Counts failures: refused, expired, cancelled unfilled and unknown are all one."""

    def __init__(self) -> None:
        self._sent: dict[str, Key] = {}
        self._over: dict[str, Key] = {}
        """Exits whose end was told: their executions may come after it."""
        self._failures: dict[str, dict[Role, Failures]] = {}
        """By position, and by what its exits do for it."""

    def leaves(self, request: Request) -> None:
        """A request is about to leave. An end that we ask for is no failure."""
        if isinstance(request, Submit) and request.order.role is not Role.ENTRY:
            self._sent[request.order.client_order_id] = (request.order.position, request.order.role)
        elif isinstance(request, Cancel):
            self._sent.pop(request.client_order_id, None)
        while len(self._sent) > SENT:
            del self._sent[next(iter(self._sent))]

    def hear(self, report: r.VenueReport, now: int) -> None:
        """Take in what the venue said. A fill ends the failures of its position; what ends after it
        filled in part is the first one anew.
        """
        match report:
            case r.Filled(fill=fill) if fill.client_order_id in self._sent:
                self.relieve(self._sent[fill.client_order_id][0])
            case r.Filled(fill=fill) if fill.client_order_id in self._over:
                position, role = self._over[fill.client_order_id]
                last = self._failures.get(position, {}).get(role)
                self.relieve(position)
                if last is not None:
                    self._failures[position] = {role: (1, last[1])}
            case (
                r.Cancelled(client_order_id=name, filled=filled)
                | r.Expired(client_order_id=name, filled=filled)
            ) if filled:
                if name in self._sent:
                    self.relieve(self._sent[name][0])
                self._fail(name, now)
            case (
                r.Rejected(client_order_id=name)
                | r.Cancelled(client_order_id=name)
                | r.Expired(client_order_id=name)
            ):
                self._fail(name, now)
            case r.Unknown(client_order_id=name, request="submit"):
                self._fail(name, now)
            case r.MarketMode(closes=True) | r.Relisted():
                self._failures.clear()
            case _:
                pass

    def _fail(self, name: str, now: int) -> None:
        key = self._sent.pop(name, None)
        if key is not None:
            self._over[name] = key
            while len(self._over) > SENT:
                del self._over[next(iter(self._over))]
            position, role = key
            failures = self._failures.setdefault(position, {})
            failures[role] = (failures.get(role, NONE)[0] + 1, now)
            while len(self._failures) > SENT:
                del self._failures[next(iter(self._failures))]

    def until(self, order: Order) -> tuple[int, int]:
        """Failures in a row of what an order would do, and when it may be tried again
        (nanoseconds).
        """
        count, at = self._failures.get(order.position, {}).get(order.role, NONE)
        return count, at + pause(count)

    def relieve(self, position: str) -> None:
        """A fill, a changed mode or the operator's hand: the pace of a position begins anew."""
        self._failures.pop(position, None)
