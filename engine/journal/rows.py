"""From values to rows: tuples in the order of the tables' columns, each row once per commit.

This runs in the writer's thread beside the engine, so it costs as little Python as it can: no
models, no validation, no dicts per row.
"""

from collections.abc import Sequence
from decimal import Decimal
from json import dumps
from zlib import compress

from engine.journal.batch import Entry, Head, Waiting, WaitingSnapshot
from engine.journal.chain import digest, link
from engine.model.alert import Alert
from engine.model.figures import PositionMoney, ended, multiple, one_r
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.limits import Level
from engine.model.order import Order
from engine.model.position import Position
from engine.model.position_snapshot import PositionSnapshot

Value = str | int | float | bytes | None
Rows = Sequence[tuple[Value, ...]]


class Group:
    """What one transaction writes: the events of all its batches, and each read-model row once, in
    its latest value.
    """

    __slots__ = ("events", "head", "replaced", "rows", "snapshots", "stale_before")

    def __init__(self, entries: Sequence[Entry], head: Head, grain: int = 1) -> None:
        """`grain` is what the database tells times apart by, in nanoseconds: a statement must not
        name one row twice.
        """
        self.events: list[tuple[Value, ...]] = []
        self.snapshots: list[tuple[Value, ...]] = []
        self.stale_before = max(
            (entry.batch.stale_before for entry in entries if isinstance(entry, Waiting)), default=0
        )
        self.rows: dict[str, Rows] = {}
        """By table."""
        self.replaced: dict[str, None] = {}
        """Execution ids whose rows go."""
        self.head = head
        """The end of the chain after it."""
        self._gather(entries, grain)

    def _snapshot(self, entry: WaitingSnapshot, seq: int, last: bytes) -> None:
        # else its place was committed earlier, and it is only a short cut
        if entry.seq == seq:
            packed = compress(entry.body, 1)
            self.snapshots.append((seq, entry.at, packed, digest(entry.body), last))

    def _gather(self, entries: Sequence[Entry], grain: int) -> None:
        seq, number, last = self.head.seq, self.head.batch, self.head.hash
        orders: dict[str, Order] = {}
        fills: dict[str, tuple[Fill, Decimal | None]] = {}
        positions: dict[str, tuple[Position, Instrument, PositionMoney]] = {}
        alerts: dict[tuple[int, str], Alert] = {}
        equity: dict[int, tuple[int, Decimal]] = {}
        snapshots: dict[tuple[int, str], PositionSnapshot] = {}
        levels: dict[str, Level] = {}
        for entry in entries:
            if isinstance(entry, WaitingSnapshot):
                self._snapshot(entry, seq, last)
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
            alerts.update(((alert.at // grain, alert.key), alert) for alert in batch.alerts)
            equity.update((pair[0] // grain, pair) for pair in batch.equity)
            snapshots.update(((one.at // grain, one.position), one) for one in batch.snapshots)
            levels.update((level.name, level) for level in batch.levels)
        self.head = Head(seq, number, last)
        self.rows = {
            "orders": [order_row(order) for order in orders.values()],
            "fills": [_fill(fill, value) for fill, value in fills.values()],
            "positions": [position_row(*kept) for kept in positions.values()],
            "alerts": [_alert(alert) for alert in alerts.values()],
            "equity": [(at, digits(amount)) for at, amount in equity.values()],
            "position_snapshots": [_snapshot_row(one) for one in snapshots.values()],
            "level": [_level(level) for level in levels.values()],
        }


LARGEST = 10_000
"""Digits before or after the point beyond which a number is none: PostgreSQL refuses it, and a
refused row would block all.
"""


def digits(value: Decimal) -> str:
    """A Decimal as text that both databases take."""
    text = str(value)
    return "NaN" if "E" in text and abs(value.adjusted()) > LARGEST else text


def _money(value: Decimal | None) -> str | None:
    return None if value is None else digits(value)


def _text(text: str) -> str:
    """Foreign text that both databases take: PostgreSQL refuses NUL, both refuse lone surrogates,
    and a refused row would block all.
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def order_row(order: Order) -> tuple[Value, ...]:
    """An order in the order of its table's columns."""
    return (
        order.client_order_id,
        None if order.venue_order_id is None else _text(order.venue_order_id),
        order.position,
        _text(order.symbol),
        order.side.value,
        order.type.value,
        order.role.value,
        digits(order.size),
        digits(order.filled),
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
        digits(fill.price),
        digits(fill.size),
        digits(fill.fee),
        _text(fill.fee_currency),
        _money(fee_value),
        fill.liquidity.value,
        fill.at,
    )


def position_row(
    position: Position, instrument: Instrument, money: PositionMoney
) -> tuple[Value, ...]:
    """A position in the order of its table's columns."""
    profit = position.realised_profit(instrument)
    in_r = multiple(ended(position, money, instrument), one_r(position, money, instrument))
    mae, mfe = position.excursions(instrument)
    return (
        position.id,
        _text(position.label),
        _text(position.symbol),
        position.side.value,
        digits(position.size),
        digits(position.entry_size),
        digits(position.entry_price(instrument)) if position.entry_size else None,
        _money(position.exit_price(instrument)),
        digits(profit),
        digits(position.fee_value),
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
        digits(mae),
        digits(mfe),
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


def _level(level: Level) -> tuple[Value, ...]:
    return _text(level.name), level.used, level.capacity, level.at


def _snapshot_row(one: PositionSnapshot) -> tuple[Value, ...]:
    return (
        one.at,
        one.position,
        _text(one.symbol),
        one.side,
        digits(one.size),
        _money(one.entry),
        _money(one.mark),
        _money(one.unrealised),
        _money(one.stop),
        _money(one.at_stop),
        one.protection,
        _text(one.currency),
    )
