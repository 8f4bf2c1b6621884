"""From a decision to what the journal stores of it: its events, and the rows that they changed."""

from collections.abc import Callable
from functools import cache
from typing import Any

from engine.desk import Decision, State
from engine.desk import events as e
from engine.journal import Batch, Record
from engine.model.limits import Level
from engine.records.read_models import Unwritten
from engine.records.rows import Rows, _stand_ins

Encode = Callable[[e.AnyEvent], bytes]


def batch(
    decision: Decision,
    state: State,
    levels: tuple[Level, ...],
    encode: Encode,
    unwritten: Unwritten | None = None,
) -> Batch:
    """One unit: all of it becomes durable, or none. `unwritten` says which rows can wait; without
    it none do.
    """
    rows = Rows(state)
    for event in decision.events:
        write = WRITES.get(type(event))
        if write is None:
            rows.changed(getattr(event, "order", None), getattr(event, "position", None))
        else:
            write(rows, event)
    if unwritten is None:
        unwritten = Unwritten()
        rows.orders = dict.fromkeys(rows.orders, True)
        rows.positions = dict.fromkeys(rows.positions, True)
    replaced, shrunk = _stand_ins(decision, state)
    return Batch(
        records=tuple(Record(event.at, kind_of(event), encode(event)) for event in decision.events),
        orders=unwritten.orders(rows.orders, state),
        fills=(*shrunk, *rows.fills),
        replaced=replaced,
        positions=unwritten.positions(rows.positions, state),
        alerts=tuple(rows.alerts),
        equity=tuple(rows.equity),
        levels=levels,
    )


WRITES: dict[type, Callable[[Rows, Any], None]] = {
    e.OrderSubmitted: Rows.submitted,
    e.OrderRecovered: Rows.submitted,
    e.OrderFilled: Rows.filled,
    e.PositionLiquidated: Rows.filled,
    e.FillSettled: Rows.filled,
    e.HoldingAdjusted: Rows.adjusted,
    e.PositionPlanned: Rows.planned,
    e.PositionNoted: Rows.noted,
    e.AlertRaised: Rows.raised,
    e.AlertCured: Rows.quieted,
    e.AlertAcknowledged: Rows.quieted,
    e.Sampled: Rows.sampled,
    e.OrphanCancelled: Rows.nothing,
}
"""Events that touch rows otherwise than by naming an order or a position."""


def kind_of(event: e.AnyEvent) -> str:
    """The name of an event, as the journal stores it."""
    return _name_of(type(event))


@cache
def _name_of(kind: type[e.AnyEvent]) -> str:
    return str(kind.__struct_config__.tag)
