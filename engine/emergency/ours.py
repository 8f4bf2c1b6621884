"""What is ours of what the venue holds: the home's summary, and what executions say since.

Theory. The summary says what was ours when it was written, and names the executions that are booked
in that. An execution counts on top of it when it is not among them; ids tell that, because clocks
differ and order numbers begin anew with each position. The summary names only the newest
executions: one that it does not name and that is older than all of them was booked long ago. Where
the venue tells how far an order has filled and not by which executions, what is beyond the booked
and the listed ones counts, too.

A summary may be young and know little: an engine that has just begun with an older copy of its
journal writes one. So executions are read from when it last compared the account, not from when it
was written. What another engine of ours bought is withheld there, or was settled.

Without a summary every execution with our prefix counts, from the first one that the venue tells,
and nothing else is assumed: what was adopted, or bought under another name, can't be told from the
owner's own coins.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.account.mark import Mark
from engine.account.summary import EXECUTIONS, HeldPosition, OpenOrder, Summary
from engine.model.debts import Move
from engine.model.fill import Fill
from engine.model.ids import account_prefix
from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE, ZERO
from engine.model.order import Order, OrderType, Role, Status

MARGIN = 90_000_000_000
"""Executions are read from so long before the summary: they may be listed late."""


class Ours:
    """The arithmetic of one account."""

    def __init__(self, account: str, summary: Summary | None, mark: Mark | None) -> None:
        self.prefix = account_prefix(account)
        self.summary = summary
        self._orders: dict[str, OpenOrder] = (
            {} if summary is None else {order.client_order_id: order for order in summary.orders}
        )
        self._by_venue = {
            order.venue_order_id: name
            for name, order in self._orders.items()
            if order.venue_order_id
        }
        self._marked = set() if mark is None else {order.client_order_id for order in mark.orders}
        self._acted_at = (
            min((order.at for order in mark.orders), default=None) if mark is not None else None
        )
        """When an earlier exit began to act that no engine has booked yet."""
        self._own: set[str] = set()
        self._fills: dict[str, Fill] = {}
        self._booked = frozenset(() if summary is None else (*summary.executions, *summary.strange))
        self._newest_only = (
            summary is not None and max(len(summary.executions), len(summary.strange)) >= EXECUTIONS
        )
        self._lent: set[str] = set()
        self._told: dict[str, Order] = {}

    # What is known

    @property
    def since(self) -> int:
        """From when on executions matter; zero: from the first."""
        if self.summary is None:
            return 0
        at, acted_at = self.summary.at, self._acted_at
        return max(
            min(at, self.summary.compared_at or at, at if acted_at is None else acted_at) - MARGIN,
            0,
        )

    @property
    def positions(self) -> tuple[HeldPosition, ...]:
        """What the summary lists."""
        return () if self.summary is None else self.summary.positions

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols in which anything of ours is known."""
        found = [position.symbol for position in self.positions]
        found += [order.symbol for order in self._orders.values()]
        found += [
            fill.symbol for fill in self._fills.values() if self.is_ours(fill.client_order_id)
        ]
        return tuple(dict.fromkeys(found))

    def baseline(self, asset: str) -> Decimal | None:
        """What lay there before us (a currency, or a symbol of a derivative); None where nobody
        knows.
        """
        return None if self.summary is None else self.summary.baseline.get(asset, ZERO)

    def withheld(self, currency: str) -> Decimal:
        """Signed: coins of ours that no position explains."""
        return ZERO if self.summary is None else self.summary.withheld.get(currency, ZERO)

    @property
    def last_fill_at(self) -> int:
        """When an order of ours last executed, as far as it was told; zero where none did."""
        return max(
            (fill.at for fill in self._fills.values() if self.is_ours(fill.client_order_id)),
            default=0,
        )

    @property
    def borrows(self) -> bool:
        """Whether anything of ours is, or was, a loan: by the summary, or by an execution
        of ours.
        """
        if any(
            position.leverage is not None and position.leverage > 1 for position in self.positions
        ):
            return True
        return any(
            name in self._lent and self.is_ours(fill.client_order_id)
            for name, fill in self._fills.items()
        )

    def is_ours(self, client_order_id: str, venue_order_id: str = "") -> bool:
        """Whether an order is one of ours."""
        return (
            client_order_id.startswith(self.prefix)
            or client_order_id in self._orders
            or venue_order_id in self._by_venue
        )

    def name_of(self, client_order_id: str, venue_order_id: str) -> str:
        """Our id of an order, where the venue names none."""
        return client_order_id or self._by_venue.get(venue_order_id, "")

    # What is told

    def take(self, fills: Iterable[Fill], on_margin: frozenset[str] = frozenset()) -> None:
        """Take in executions; those that are known already change nothing."""
        for fill in fills:
            self._fills.setdefault(fill.execution_id, fill)
        self._lent |= on_margin

    def tell(self, order: Order) -> None:
        """Take in how far an order of ours has filled."""
        known = self._told.get(order.client_order_id)
        if known is None or order.filled >= known.filled:
            self._told[order.client_order_id] = order

    def sends(self, name: str) -> None:
        """This exit sends an order."""
        self._own.add(name)

    def filled(self, name: str) -> Decimal:
        """What is known to have executed of an order."""
        told = self._told.get(name)
        executed = sum((fill.size for fill in self.fills_of(name)), ZERO)
        return max(executed, ZERO if told is None else told.filled)

    def fills_of(self, name: str) -> tuple[Fill, ...]:
        """The executions of an order that were listed."""
        return tuple(fill for fill in self._fills.values() if fill.client_order_id == name)

    def foreign(self, instrument: Instrument, *, on_margin: bool) -> Decimal:
        """Signed change by executions of others that are listed, since the summary."""
        at = 0 if self.summary is None else self.summary.at
        return sum(
            (
                fill.base_change(instrument)
                for fill in self._fills.values()
                if fill.symbol == instrument.symbol
                and fill.at > at
                and not self.is_ours(fill.client_order_id)
                and self._is_lent(fill, instrument) is on_margin
            ),
            ZERO,
        )

    def moves(self, asset: str, instruments: Mapping[str, Instrument]) -> list[Move]:
        """What the listed executions, of everybody, did to coins."""
        found = []
        for fill in self._fills.values():
            instrument = instruments.get(fill.symbol)
            if instrument is None or fill.execution_id in self._lent:
                continue
            if change := fill.change_of(asset, instrument):
                known = self._orders.get(fill.client_order_id)
                opens = known is not None and known.role is Role.ENTRY
                ours = self.is_ours(fill.client_order_id)
                found.append(Move(fill.at, change, ours, closes=not opens))
        return found

    # The sum

    def size(self, instrument: Instrument, *, on_margin: bool) -> Decimal:
        """What is ours of a symbol, signed: coins, or (`on_margin`) what the venue holds as a
        contract or a loan.
        """
        total = ZERO
        for position in self.positions:
            if (
                position.symbol == instrument.symbol
                and instrument.moves_coins(position.leverage) is not on_margin
            ):
                total += position.size * position.side.sign
        names = {
            fill.client_order_id
            for fill in self._fills.values()
            if fill.symbol == instrument.symbol
        }
        names |= {name for name, order in self._told.items() if order.symbol == instrument.symbol}
        for name in names:
            if self.is_ours(name):
                total += self._change(name, instrument, on_margin=on_margin)
        return total

    def _change(self, name: str, instrument: Instrument, *, on_margin: bool) -> Decimal:
        """What an order changed that the summary does not contain."""
        fills = [
            fill
            for fill in self._fills.values()
            if fill.client_order_id == name and fill.symbol == instrument.symbol
        ]
        counted = [fill for fill in fills if not self._is_booked(fill)]
        change = sum(
            (
                fill.base_change(instrument)
                for fill in counted
                if self._is_lent(fill, instrument) is on_margin
            ),
            ZERO,
        )
        told, known = self._told.get(name), self._orders.get(name)
        if told is None or (known is None and not self._is_new(told, fills)):
            return change
        if instrument.moves_coins(told.leverage) is on_margin:
            return change
        more = (
            told.filled
            - (ZERO if known is None else known.filled)
            - sum((fill.size for fill in counted), ZERO)
        )
        return change + max(more, ZERO) * told.side.sign

    def _is_booked(self, fill: Fill) -> bool:
        """Whether the summary contains an execution."""
        if self.summary is None:
            return False
        if fill.execution_id in self._booked:
            return True
        return self._newest_only and fill.at < self._booked_since

    @property
    def _booked_since(self) -> int:
        """When the oldest of the executions happened that the summary names and the venue lists;
        zero where it lists none.
        """
        return min(
            (fill.at for name, fill in self._fills.items() if name in self._booked), default=0
        )

    def _is_new(self, told: Order, fills: list[Fill]) -> bool:
        """Whether an order that the summary does not list is younger than the summary: not one that
        had ended before.
        """
        name = told.client_order_id
        if self.summary is None or name in self._own or name in self._marked:
            return True
        return told.created_at > self.summary.at and not any(
            self._is_booked(fill) for fill in fills
        )

    def _is_lent(self, fill: Fill, instrument: Instrument) -> bool:
        return instrument.kind is not Kind.SPOT or fill.execution_id in self._lent


def from_summary(known: OpenOrder, summary: Summary) -> Order:
    """An order as the summary has it."""
    lent = next(
        (
            one.leverage
            for one in summary.positions
            if one.symbol == known.symbol and one.leverage is not None
        ),
        None,
    )
    return Order(
        known.client_order_id,
        "",
        known.symbol,
        known.side,
        OrderType.STOP if known.trigger is not None else OrderType.LIMIT,
        known.role,
        known.size,
        trigger=known.trigger,
        leverage=lent,
        reduce_only=lent is not None and lent > ONE,
        deadline=known.deadline,
        status=Status.OPEN if known.venue_order_id is not None else Status.PENDING,
        filled=known.filled,
        venue_order_id=known.venue_order_id,
        touched_at=known.touched_at,
        created_at=known.touched_at,
    )
