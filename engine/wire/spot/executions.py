"""What the executions channel says of a report of the matching engine."""

from typing import Any

from engine.model import report as r
from engine.model.fill import Fill
from engine.model.order import Order, Status
from engine.wire.spot import stream_shapes
from engine.wire.spot.rest import Spot
from engine.wire.terms import Terms, terms_of
from engine.wire.world import World

Json = dict[str, Any]


def told(spot: Spot, report: r.VenueReport, order: Order | None) -> list[Json]:
    """The rows of the executions channel that a report becomes."""
    if isinstance(report, r.Liquidated):
        return [execution(spot.world, report.fill, None, "filled")]
    if order is None:
        return []
    terms, level = terms_of(order), spot.account.level(order)
    match report:
        case r.Accepted():
            return [stream_shapes.pending(order, terms, level), stream_shapes.taken(order, terms)]
        case r.Triggered(at=at):
            return [stream_shapes.triggered(order, terms, at)]
        case r.Filled(fill=fill, at=at):
            whole = order.status is Status.FILLED
            rows = [execution(spot.world, fill, order, "filled" if whole else "partially_filled")]
            return [*rows, stream_shapes.completed(order, terms, at)] if whole else rows
        case r.Cancelled(text=text, at=at):
            return [stream_shapes.ended(order, terms, at, "canceled", text)]
        case r.Expired(at=at):
            return [stream_shapes.ended(order, terms, at, "expired", "Order expired")]
        case r.Amended(at=at):
            return [stream_shapes.amended(order, terms, at)]
        case _:
            return []


def execution(world: World, fill: Fill, order: Order | None, status: str) -> Json:
    """A trade."""
    terms = terms_of(order) if order is not None else Terms(kind="market", user=False)
    rate, credits_first = (world.exchange.rate(fill.fee_currency, "USD"), world.conduct.fee_credits)
    return stream_shapes.execution(fill, order, terms, status, rate, credits_first=credits_first)
