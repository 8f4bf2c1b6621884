"""Tokens of the venue's rate limits: what flattening everything would cost, and whether one entry
more could leave beside that in time.
"""

from collections.abc import Callable, Iterator, Mapping

from engine.clock import SECOND, Clock
from engine.desk import State, asks_for_margin
from engine.gateway import Gateway
from engine.model import limits
from engine.model.limits import LimitModel
from engine.model.money import ONE
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Cancel, Lane, QueryAccount, Request, Submit
from engine.model.side import Side

STEP = SECOND // 2
"""Nanoseconds between two moments at which an entry is tried in thought: cancels become cheaper
with an order's age.
"""
DEAREST = 10.0
"""No venue that we know charges more for cancelling or placing one order."""
FAR = 120 * SECOND
"""Nanoseconds within which the moment is looked for at which an entry would fit."""
FRESH = SECOND // 10
"""Nanoseconds for which a sum holds while nothing changes: costs fall with an order's age."""


class Reserve:
    """The tokens that are kept for flattening everything, summed at most ten times a second."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.gateway: Gateway
        """Set right after this: it asks what it must keep, and knows what is spent."""
        self._state = state
        self._clock = clock
        self._known: tuple[int, int, Mapping[str, float]] = (-1, 0, {})

    def costs(self) -> Mapping[str, float]:
        """Tokens per counter that flattening everything would cost now."""
        now, seq = self._clock.now(), self._state.seq
        if self._known[0] == seq and now - self._known[1] < FRESH:
            return self._known[2]
        costs = reserve(self._state, self.gateway.model, now)
        self._known = (seq, now, costs)
        return costs

    def at_most(self) -> float:
        """What the costs can't exceed, without summing them."""
        return DEAREST * (len(self._state.orders) + len(self._state.positions) + 1)

    def leaves_after(self, entry: Order) -> int | None:
        """Nanoseconds until the venue's limits let an entry leave beside the reserve; None: not
        soon.
        """
        return leaves_after(
            self._state, self.gateway.model, self.gateway.is_sent, entry, self._clock.now()
        )

    def affordable(self, cancel: Cancel) -> bool:
        """Whether a working stop may be cancelled: the tokens for that and for what follows are
        there together.
        """
        return self.gateway.affordable(cancel)


def reserve(state: State, model: LimitModel, at: int) -> dict[str, float]:
    """Tokens per counter that flattening everything costs at `at`: each open order cancelled, each
    position closed, the venue's word.
    """
    costs: dict[str, float] = {}
    for request, count in _flattening(state, model, at):
        _add(costs, model, request, at, count)
    return costs


def _flattening(state: State, model: LimitModel, at: int) -> Iterator[tuple[Request, int]]:
    """What a flatten would send, and how many times the same."""
    yield QueryAccount(0, Lane.EMERGENCY, asks_for_margin(state)), 1
    for (symbol, touched_at), count in _cancels(state, model, at).items():
        yield Cancel("", symbol, Lane.EMERGENCY, None, touched_at), count
    positions = state.positions
    for symbol, held in state.holders.items():
        count = sum(1 for name in held if positions[name].is_open)
        if count:
            yield (
                Submit(
                    Order("", "", symbol, Side.SELL, OrderType.MARKET, Role.CLOSE, ONE),
                    Lane.EMERGENCY,
                ),
                count,
            )


def _cancels(state: State, model: LimitModel, at: int) -> dict[tuple[str, int], int]:
    """Open orders by symbol and by when they were touched last, as far as that still matters."""
    if not model.ages:
        return {(symbol, 0): count for symbol, count in state.open_in.items() if count}
    old, found = at - int(model.ages * SECOND), dict[tuple[str, int], int]()
    for order in state.orders.values():
        key = (order.symbol, order.touched_at if order.touched_at > old else 0)
        found[key] = found.get(key, 0) + 1
    return found


def leaves_after(
    state: State, model: LimitModel, is_sent: Callable[[str], bool], entry: Order, now: int
) -> int | None:
    """Nanoseconds after which an entry that is asked for now could leave the reserve alone; None:
    not within two minutes.

    What waits to leave before it is counted as spent, its own cancellation as reserved. What its
    fill will cost is not.
    """
    if _fits_at_all(state, model, entry, now):
        return 0
    ahead = [
        Submit(order, Lane.ENTRY)
        for name, order in state.orders.items()
        if order.status is Status.PENDING and not is_sent(name)
    ]
    cancel, request = (
        Cancel(entry.client_order_id, entry.symbol, Lane.CANCEL, None, now),
        Submit(entry, Lane.ENTRY),
    )
    beside: tuple[Request, ...] = (*ahead, cancel)
    for after in range(0, FAR + 1, STEP):
        keep = reserve(state, model, now + after)
        for one in beside:
            _add(keep, model, one, now + after)
        if limits.wait(model, request, now, keep) <= after:
            return after
    return None


def _fits_at_all(state: State, model: LimitModel, entry: Order, now: int) -> bool:
    """Whether an entry may leave now even if all that is open cost as much as it ever can: then
    nothing needs to be summed.
    """
    request = Submit(entry, Lane.ENTRY)
    most = DEAREST * (2 * len(state.orders) + len(state.positions) + 2)
    return not limits.wait(
        model, request, now, dict.fromkeys((name for name, _ in model.charges(request, now)), most)
    )


def _add(
    costs: dict[str, float], model: LimitModel, request: Request, at: int, count: int = 1
) -> None:
    for name, cost in model.charges(request, at):
        costs[name] = costs.get(name, 0.0) + cost * count
