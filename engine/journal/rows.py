"""From values to rows: tuples in the order of the tables' columns, each row once per commit.

This runs in the writer's thread beside the engine, so it costs as little Python as it can: no models, no validation,
no dicts per row.
"""

from collections.abc import Sequence
from decimal import Decimal
from json import dumps
from zlib import compress

from engine.journal.batch import Entry, Head, WaitingSnapshot
from engine.journal.chain import digest, link
from engine.model.alert import Alert
from engine.model.figures import PositionMoney, ended, multiple, one_r
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.limits import Level
from engine.model.order import Order
from engine.model.position import Position

Value = str | int | float | bytes | None
Rows = Sequence[tuple[Value, ...]]


class Group:
    """What one transaction writes: the events of all its batches, and each read-model row once, in its latest value."""

    __slots__ = ("events", "head", "replaced", "rows", "snapshots")

    def __init__(self, entries: Sequence[Entry], head: Head) -> None:
        self.events: list[tuple[Value, ...]] = []
        self.snapshots: list[tuple[Value, ...]] = []
        self.rows: dict[str, Rows] = {}
        """By table."""
        self.replaced: dict[str, None] = {}
        """Execution ids whose rows go."""
        self.head = head
        """The end of the chain after it."""
        self._gather(entries)

    def _gather(self, entries: Sequence[Entry]) -> None:
        seq, number, last = self.head.seq, self.head.batch, self.head.hash
        orders: dict[str, Order] = {}
        fills: dict[str, tuple[Fill, Decimal | None]] = {}
        positions: dict[str, tuple[Position, Instrument, PositionMoney]] = {}
        alerts: dict[tuple[int, str], Alert] = {}
        equity: dict[int, Decimal] = {}
        levels: dict[str, Level] = {}
        for entry in entries:
            if isinstance(entry, WaitingSnapshot):
                if entry.seq == seq:  # else its place was committed earlier, and it is only a short cut
                    packed = compress(entry.body, 1)
                    self.snapshots.append((seq, entry.at, packed, digest(entry.body), last))
                continue
            if entry.number <= number:  # a commit whose answer was lost on the way had arrived
                continue
            number, batch = entry.number, entry.batch
            for record in batch.records:
                seq += 1
                last = link(last, seq, number, record.at, record.kind, record.body)
                self.events.append((seq, number, record.at, record.kind, record.body, last))
            orders.update((order.client_order_id, order) for order in batch.orders)
            fills.update((pair[0].execution_id, pair) for pair in batch.fills)
            for name in batch.replaced:
                fills.pop(name, None)
                self.replaced[name] = None
            positions.update((pair[0].id, pair) for pair in batch.positions)
            alerts.update(((alert.at, alert.key), alert) for alert in batch.alerts)
            equity.update(batch.equity)
            levels.update((level.name, level) for level in batch.levels)
        self.head = Head(seq, number, last)
        self.rows = {
            "orders": [_order(order) for order in orders.values()],
            "fills": [_fill(fill, value) for fill, value in fills.values()],
            "positions": [_position(*kept) for kept in positions.values()],
            "alerts": [_alert(alert) for alert in alerts.values()],
            "equity": [(at, str(amount)) for at, amount in equity.items()],
            "level": [(_text(level.name), level.used, level.capacity, level.at) for level in levels.values()],
        }


def _money(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _text(text: str) -> str:
    """Foreign text that both databases take: PostgreSQL refuses NUL, both refuse lone surrogates, and a refused row
    would block all.
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _order(order: Order) -> tuple[Value, ...]:
    return (
        order.client_order_id,
        None if order.venue_order_id is None else _text(order.venue_order_id),
        order.position,
        _text(order.symbol),
        order.side.value,
        order.type.value,
        order.role.value,
        str(order.size),
        str(order.filled),
        _money(order.average_price),
        _money(order.price),
        _money(order.trigger),
        order.reduce_only,
        order.status.value,
        order.created_at,
        order.closed_at,
        _text(order.reason),
        _text(order.label),
    )


def _fill(fill: Fill, fee_value: Decimal | None) -> tuple[Value, ...]:
    return (
        _text(fill.execution_id),
        fill.client_order_id,
        fill.position,
        _text(fill.symbol),
        fill.side.value,
        str(fill.price),
        str(fill.size),
        str(fill.fee),
        _text(fill.fee_currency),
        _money(fee_value),
        fill.liquidity.value,
        fill.at,
    )


def _position(position: Position, instrument: Instrument, money: PositionMoney) -> tuple[Value, ...]:
    profit = position.realised_profit(instrument)
    in_r = multiple(ended(position, money, instrument), one_r(position, money, instrument))
    mae, mfe = position.excursions(instrument)
    return (
        position.id,
        _text(position.label),
        _text(position.symbol),
        position.side.value,
        str(position.size),
        str(position.entry_size),
        str(position.entry_price(instrument)) if position.entry_size else None,
        _money(position.exit_price(instrument)),
        str(profit),
        str(position.fee_value),
        _text(position.settle),
        position.created_at,
        position.opened_at,
        position.closed_at,
        _text(position.close_reason),
        _money(position.stop),
        _money(position.target),
        position.protection.value,
        position.naked_ns,
        _money(in_r),
        _text(position.note),
        dumps(position.tags) if position.tags else "[]",
        str(mae),
        str(mfe),
    )


def _alert(alert: Alert) -> tuple[Value, ...]:
    return (
        alert.at,
        _text(alert.key),
        alert.severity.name.lower(),
        alert.code,
        _text(alert.subject),
        _text(alert.text),
        alert.count,
        alert.last_at,
        alert.acknowledged_at,
        alert.cured_at,
        _text(alert.target),
    )
