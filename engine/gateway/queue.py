"""The queue of what is to leave: by lane, then by age. Plain data; it decides nothing about
limits.
"""

from bisect import insort
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from engine.clock import SECOND
from engine.gateway.rules import GatewayRules
from engine.model.request import (
    SPENDS_RESERVE,
    Amend,
    Cancel,
    Lane,
    Query,
    QueryAccount,
    Request,
    Submit,
    subject,
)


class Waiting(Struct):
    """A request that has not left."""

    lane: Lane
    order: int
    """Its place within the lane."""
    request: Request
    since: int
    attempts: int = 0
    not_before: int = 0
    held_since: int | None = None
    """When the gate first held it back."""
    told: bool = False
    """Whether somebody was told of that."""

    def __lt__(self, other: "Waiting") -> bool:
        return (self.lane, self.order) < (other.lane, other.order)


class Queue:
    """Requests in the order in which they are to leave."""

    def __init__(self) -> None:
        self._items: list[Waiting] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(list(self._items))  # a copy: the caller removes while it walks

    def __contains__(self, waiting: Waiting) -> bool:
        return any(item is waiting for item in self._items)

    def add(self, request: Request, now: int) -> Waiting:
        """Put a request at the end of its lane."""
        self._count += 1
        waiting = Waiting(request.lane, self._count, request, now)
        insort(self._items, waiting)
        return waiting

    def put_back(self, waiting: Waiting) -> None:
        """A request that could not leave takes its old place."""
        insort(self._items, waiting)

    def remove(self, waiting: Waiting) -> None:
        """It leaves, or is no longer wanted."""
        self._items.remove(waiting)

    def counts(self) -> dict[Lane, int]:
        """How many wait per lane."""
        counted = Counter(waiting.lane for waiting in self._items)
        return {lane: counted.get(lane, 0) for lane in Lane}

    def first_end(self, now: int) -> int | None:
        """Just after the first deadline that is still to pass; None where none is."""
        ends = (
            waiting.request.order.deadline
            for waiting in self._items
            if isinstance(waiting.request, Submit)
        )
        return min((end + 1 for end in ends if end is not None and end >= now), default=None)

    def unsent(self, request: Cancel) -> Waiting | None:
        """The order that a cancel is about, if it has not left yet."""
        for waiting in self._items:
            if (
                isinstance(waiting.request, Submit)
                and waiting.request.order.client_order_id == request.client_order_id
            ):
                return waiting
        return None

    def superseded(self, request: Cancel) -> list[Waiting]:
        """Changes of an order that a cancel makes pointless."""
        name = request.client_order_id
        return [
            w
            for w in self._items
            if isinstance(w.request, Amend) and w.request.client_order_id == name
        ]

    def same(self, request: Query | QueryAccount) -> Waiting | None:
        """The same question, where it waits already."""
        kind, about = type(request), subject(request)
        return next(
            (w for w in self._items if type(w.request) is kind and subject(w.request) == about),
            None,
        )


def patience(rules: GatewayRules, waiting: Waiting) -> int:
    """How long an answer may take (nanoseconds). Pictures are read page by page, however urgent
    they are.
    """
    changes = isinstance(waiting.request, Submit | Amend | Cancel)
    exits = changes and waiting.lane in SPENDS_RESERVE
    return int((min(rules.timeout, rules.timeout_exits) if exits else rules.timeout) * SECOND)
