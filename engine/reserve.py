"""Tokens of the venue's rate limits: what flattening everything would cost, and whether one entry more could leave beside that in time."""

from collections.abc import Callable, Iterator

from engine.clock import SECOND
from engine.desk.state import State
from engine.desk.truth import asks_for_margin
from engine.model import limits
from engine.model.limits import LimitModel
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Cancel, Lane, QueryAccount, Request, Submit

STEP = SECOND // 2
"""Nanoseconds between two moments at which an entry is tried in thought: cancels become cheaper with an order's age."""
FAR = 120 * SECOND
"""Nanoseconds within which the moment is looked for at which an entry would fit."""


def reserve(state: State, model: LimitModel, at: int) -> dict[str, float]:
    """Tokens per counter that flattening everything costs at `at`: each open order cancelled, each position closed, the venue's word."""
    costs: dict[str, float] = {}
    for request in _flattening(state):
        _add(costs, model, request, at)
    return costs


def _flattening(state: State) -> Iterator[Request]:
    yield QueryAccount(0, Lane.EMERGENCY, asks_for_margin(state))
    for order in state.orders.values():
        yield Cancel(order.client_order_id, order.symbol, Lane.EMERGENCY, order.venue_order_id, order.touched_at)
    for position in state.positions.values():
        if position.size:
            close = Order("", position.id, position.symbol, position.exits_by, OrderType.MARKET, Role.CLOSE, abs(position.size))
            yield Submit(close, Lane.EMERGENCY)


def leaves_after(state: State, model: LimitModel, is_sent: Callable[[str], bool], entry: Order, now: int) -> int | None:
    """Nanoseconds after which an entry that is asked for now could leave the reserve alone; None: not within two minutes.

    What waits to leave before it is counted as spent, its own cancellation as reserved. What its fill will cost is not.
    """
    ahead = [Submit(order, Lane.ENTRY) for name, order in state.orders.items() if order.status is Status.PENDING and not is_sent(name)]
    cancel, request = Cancel(entry.client_order_id, entry.symbol, Lane.CANCEL, None, now), Submit(entry, Lane.ENTRY)
    beside: tuple[Request, ...] = (*ahead, cancel)
    for after in range(0, FAR + 1, STEP):
        keep = reserve(state, model, now + after)
        for one in beside:
            _add(keep, model, one, now + after)
        if limits.wait(model, request, now, keep) <= after:
            return after
    return None


def _add(costs: dict[str, float], model: LimitModel, request: Request, at: int) -> None:
    for name, cost in model.charges(request, at):
        costs[name] = costs.get(name, 0.0) + cost
