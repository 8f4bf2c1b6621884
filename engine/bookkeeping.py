"""From a decision to what the journal stores of it: its events, and the rows that they changed."""

from collections.abc import Callable
from decimal import Decimal

from engine.desk import events as e
from engine.desk.desk import Decision
from engine.desk.state import State
from engine.journal import Batch, Record
from engine.model.fill import Fill
from engine.model.limits import Level
from engine.model.money import ZERO

Encode = Callable[[e.AnyEvent], bytes]


def batch(decision: Decision, state: State, now: int, levels: tuple[Level, ...], encode: Encode) -> Batch:
    """One unit: all of it becomes durable, or none."""
    orders: dict[str, None] = {}
    positions: dict[str, None] = {}
    fills, alerts, equity = [], [], []
    replaced, shrunk = _stand_ins(decision, state)
    for event in decision.events:
        match event:
            case e.OrderSubmitted(order=order) | e.OrderRecovered(order=order):
                orders[order.client_order_id] = None
                positions[order.position] = None
            case (
                e.OrderFilled(fill=fill, fee_value=value)
                | e.PositionLiquidated(fill=fill, fee_value=value)
                | e.FillSettled(fill=fill, fee_value=value)
            ):
                fills.append((fill, value))
                orders[fill.client_order_id] = None
                positions[fill.position] = None
            case e.HoldingAdjusted(fill=fill):
                fills.append((fill, ZERO))
                positions[fill.position] = None
            case e.PositionPlanned(position=position):
                positions[position.id] = None
            case e.AlertRaised(alert=alert):
                alerts.append(alert)
            case e.AlertCured(key=key) | e.AlertAcknowledged(key=key):
                ended = [a for a in reversed(state.ended_alerts) if a.key == key][:1]
                alerts.extend(ended or [a for a in (state.alerts.get(key),) if a is not None])
            case e.Sampled(equity=amount):
                equity.append((event.at, amount))
                positions.update(dict.fromkeys(event.extremes))
            case e.OrphanCancelled():
                pass
            case _:
                about = getattr(event, "order", None)
                if about is not None:
                    orders[about] = None
                held = getattr(event, "position", None)
                if held is not None:
                    positions[held] = None
    kept = []
    for name in positions:
        found = state.positions.get(name) or state.closed.get(name)
        if found is not None:
            kept.append((found, state.instruments[found.symbol], state.money_of(name)))
    return Batch(
        records=tuple(Record(event.at, kind_of(event), encode(event)) for event in decision.events),
        orders=tuple(order for order in map(state.order, orders) if order is not None),
        fills=(*shrunk, *fills),
        replaced=replaced,
        positions=tuple(kept),
        alerts=tuple(alerts),
        equity=tuple(equity),
        levels=levels,
    )


def _stand_ins(decision: Decision, state: State) -> tuple[tuple[str, ...], list[tuple[Fill, Decimal | None]]]:
    """Stand-ins that executions have replaced, and what is left of those that they replaced in part."""
    names = [event.stand_in.execution_id for event in decision.events if isinstance(event, e.FillSettled)]
    left = [state.stand_ins[name].fill for name in names if name in state.stand_ins]
    return tuple(name for name in names if name not in state.stand_ins), [(fill, ZERO) for fill in left]


def kind_of(event: e.AnyEvent) -> str:
    """The name of an event, as the journal stores it."""
    return str(type(event).__struct_config__.tag)
