"""How fresh a view of an account is, by what is known to have happened."""

from collections.abc import Sequence

from engine.clock import SECOND
from engine.model.order import Order
from engine.venues.live.known import Known

ROUNDED = SECOND // 1000
"""Views tell times with fewer digits than streams."""
LOOK_BACK = 90 * SECOND
"""A view that is older than this is no view."""


def as_of(
    known: Known, asked: int, since: int, orders: Sequence[Order], executions: Sequence[str]
) -> int:
    """How fresh a view is: as of when it was asked for, unless what is known to have happened
    before is not in it; then, as of before that.

    What happened longer ago than `LOOK_BACK` is no reason: an order that is listed so long after
    its end was said to have come has not ended, and no view would count ever again.
    """
    seen, earliest = set(executions), max(since + ROUNDED, asked - LOOK_BACK)
    missing = [
        fill.at
        for fill in known.fills_since(earliest)
        if fill.at < asked and fill.execution_id not in seen
    ]
    listed = {order.client_order_id for order in orders}
    oldest = asked - LOOK_BACK
    missing += [at for name, at in known.working_since(oldest, asked) if name not in listed]
    for order in orders:
        changes = (known.ended_at(order.client_order_id), known.amended_at(order))
        missing += [at for at in changes if at is not None and oldest <= at < asked]
    return min([asked, *(at - 1 for at in missing)])
