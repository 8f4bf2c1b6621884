"""The venue's truth: every acceptance and execution as the venue itself says them, whatever
processes were behind them.

A witness outlives engines, journals and crashes. It adds up what our orders bought and sold by
symbol and position, and so can say what a journal that was lost, or a second process, would never
tell.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Protocol

from engine.model.fill import Fill
from engine.model.instrument import Instrument, Kind
from engine.model.money import ZERO
from engine.model.order import Order, Role
from engine.model.report import Absent, Accepted, Filled, Found, Liquidated, Picture, VenueReport
from engine.model.side import Side
from engine.rehearsal.auditor.findings import Findings

Held = tuple[str, bool]
"""A symbol, and whether coins are meant (true) or what is on margin."""


class Truth(Protocol):
    """The books of a venue that we own."""

    on_report: list[Callable[[VenueReport], None]]
    orders: dict[str, Order]

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """What it trades."""
        ...

    def picture(self, now: int, since: int) -> Picture:
        """The whole account."""
        ...

    def find(self, name: str, now: int) -> Found | Absent:
        """One order, open or ended."""
        ...


class Flow:
    """What was bought and sold, net of fees in coins."""

    __slots__ = ("bought", "sold")

    def __init__(self) -> None:
        self.bought = self.sold = ZERO

    def __str__(self) -> str:
        return f"+{self.bought} -{self.sold}"

    @property
    def net(self) -> Decimal:
        """Signed."""
        return self.bought - self.sold

    def add(self, side: Side, size: Decimal) -> None:
        """Count an execution."""
        if side is Side.BUY:
            self.bought += size
        else:
            self.sold += size


class Witness:
    """Hears everything that one venue says about one account."""

    def __init__(self, truth: Truth, findings: Findings, now: int) -> None:
        self.truth = truth
        self.accepted: Counter[str] = Counter()
        self.fills: dict[str, Fill] = {}
        self.ours: dict[Held, Flow] = {}
        """Of orders with our prefix, and of what the venue closed by itself."""
        self.opened: dict[Held, Flow] = {}
        """The part of it that opened something, or gave back what had been closed too much."""
        self.closed: dict[Held, Flow] = {}
        """The part of it that was to close something."""
        self.by_position: dict[str, Flow] = {}
        self.elsewhere: dict[str, tuple[str, Held, Side, Decimal]] = {}
        """Position, holding, side and size of what was taken over or closed elsewhere, by the id of
        its booking.
        """
        self.overdrawn: dict[Held, Decimal] = {}
        """What our closing sales made the account owe beyond what it owed before: somebody else had
        sold the same coins.
        """
        self.by_word: set[str] = set()
        """Bookings of those that the operator asked for."""
        self.position_of: dict[str, str] = {}
        """From an order of ours that has filled to its position."""
        self._holds: dict[str, Held] = {}
        """How each position is held, whichever process opened it."""
        self._sides: dict[str, Side] = {}
        """By which each position was opened."""
        self._findings = findings
        picture = truth.picture(now, 0)
        self._owed = {name: -held for name, held in picture.balances.items() if held < ZERO}
        # after the executions heard so far: when the first of an order's is told, all are there
        self._there = dict(picture.balances)
        for order in picture.orders:
            self.accepted[order.client_order_id] += 1
        for fill in picture.fills:
            found = truth.find(fill.client_order_id, now)
            if isinstance(found, Found):
                self.accepted[fill.client_order_id] = 1
                self._executed(fill, found.order)
        truth.on_report.append(self.heard)

    def heard(self, report: VenueReport) -> None:
        """One word of the venue."""
        match report:
            case Accepted(client_order_id=name, at=at):
                self.accepted[name] += 1
                order = self.truth.orders.get(name)
                if self.accepted[name] > 1 and (order is None or not order.foreign):
                    self._findings.fail(at, "7 accepted twice", name)
            case Filled(fill=fill, at=at):
                found = self.truth.find(fill.client_order_id, at)
                if isinstance(found, Found):
                    self._executed(fill, found.order)
                    self._overdraws(fill, found.order)
                    self._oversold(fill, at)
            case Liquidated(symbol=symbol, fill=fill, at=at):
                self._liquidated(symbol, fill, at)
            case _:
                pass

    def kind(self, symbol: str, leverage: Decimal | None) -> Held:
        """How an order at this leverage is held."""
        return symbol, self.truth.instruments[symbol].moves_coins(leverage)

    def left(self, held: Held, orders: Iterable[str]) -> Decimal:
        """Signed: what the positions of some orders hold."""
        owners = {self._owner(name) for name in orders}
        return sum((self.size_of(name) for name in self.positions(held) if name in owners), ZERO)

    def _owner(self, order: str) -> str:
        """The position of an order; empty where it has none."""
        resting = self.truth.orders.get(order)
        return self.position_of.get(order, "") if resting is None else resting.position

    def positions(self, held: Held) -> Iterator[str]:
        """The positions that were held so, of whatever process."""
        return (name for name, how in self._holds.items() if how == held)

    def booked_elsewhere(self, fill: Fill, held: Held, *, by_word: bool = True) -> None:
        """The desk took something over, or booked that something was closed elsewhere: known by its
        id, so that a crash repeats nothing.

        `by_word`: because the operator said so. What a flatten takes over by itself excuses no
        sale: its executions prove it to be ours, or it is not.
        """
        if by_word:
            self.by_word.add(fill.execution_id)
        self.elsewhere[fill.execution_id] = (fill.position, held, fill.side, fill.size)
        self._holds[fill.position] = held

    def explained(self, stand_in: Fill) -> None:
        """An execution that came late stands for so much of what was taken over or called closed
        elsewhere: it is no longer beside the executions.
        """
        position, held, side, size = self.elsewhere.pop(stand_in.execution_id)
        if size > stand_in.size:
            self.elsewhere[stand_in.execution_id] = (position, held, side, size - stand_in.size)

    def adjusted(self, held: Held) -> Decimal:
        """Signed: what was taken over, less what was closed elsewhere."""
        return sum(
            (
                size if side is Side.BUY else -size
                for _, of, side, size in self.elsewhere.values()
                if of == held
            ),
            ZERO,
        )

    def _executed(self, fill: Fill, order: Order) -> None:
        self.fills[fill.execution_id] = fill
        if order.foreign:
            return
        held = self.kind(fill.symbol, order.leverage)
        size = fill.size
        if held[1] and fill.fee_currency == self.truth.instruments[fill.symbol].base:
            size = size - fill.fee if fill.side is Side.BUY else size + fill.fee
        self.ours.setdefault(held, Flow()).add(fill.side, size)
        opens = order.role is Role.ENTRY or self._gives_back(order)
        (self.opened if opens else self.closed).setdefault(held, Flow()).add(fill.side, size)
        if order.position:
            self.by_position.setdefault(order.position, Flow()).add(fill.side, size)
            self._holds[order.position] = held
            self.position_of[order.client_order_id] = order.position
            if order.role is Role.ENTRY:
                self._sides[order.position] = order.side

    def _gives_back(self, order: Order) -> bool:
        """Whether an exit undoes what another one closed too much: it is on the side by which its
        position was opened.
        """
        return self._sides.get(order.position) is order.side

    def _liquidated(self, symbol: str, fill: Fill, at: int) -> None:
        """The venue closed a holding, ours and others': of ours, as much as there was."""
        self.fills[fill.execution_id] = fill
        coins = self.truth.instruments[symbol].kind is Kind.SPOT and not self.truth.picture(
            at, at
        ).net.get(symbol)
        for held in ((symbol, False), (symbol, coins)):
            flow = self.ours.get(held)
            if flow is not None and flow.net and (flow.net > ZERO) is (fill.side is Side.SELL):
                flow.add(fill.side, min(abs(flow.net), fill.size))
                return

    def _oversold(self, fill: Fill, at: int) -> None:
        """Invariant 11 of coins: who closes more than was opened sells (or buys with) what is the
        owner's.
        """
        held = (fill.symbol, True)
        closed = self.closed.get(held)
        if closed is None:
            return
        opened, taken = self.opened.get(held, Flow()), Flow()
        taken.add(Side.SELL, self.overdrawn.get(held, ZERO))  # to buy that back gives up nothing
        for name, (_, of, side, size) in self.elsewhere.items():
            if of == held and name in self.by_word:
                taken.add(side, size)
        if closed.sold > opened.bought + taken.bought or closed.bought > opened.sold + taken.sold:
            self._findings.fail(
                at,
                "11 sold",
                f"{fill.symbol}: closed {closed}, opened {opened}, taken over {taken}",
            )

    def owed(self, held: Held, now: int) -> Decimal:
        """Coins that the account owes beyond what others owe, and beyond our own shorts."""
        coin = self.truth.instruments[held[0]].base
        there = self.truth.picture(now, now).balances.get(coin, ZERO)
        return max(self._debt(held, there) - self._owed.get(coin, ZERO), ZERO)

    def left_owing(self, coin: str, now: int) -> None:
        """The operator says that what is owed of a coin is not ours to buy back."""
        for held in self.overdrawn:
            if self.truth.instruments[held[0]].base == coin:
                self._owed[coin] = self._owed.get(coin, ZERO) + self.owed(held, now)

    def _debt(self, held: Held, balance: Decimal) -> Decimal:
        """Coins owed at a balance, beyond our own shorts, whoever owes them."""
        return max(min(self.ours.get(held, Flow()).net, ZERO) - balance, ZERO)

    def _overdraws(self, fill: Fill, order: Order) -> None:
        """Whose sale took the balance below zero."""
        held, instrument = (fill.symbol, True), self.truth.instruments[fill.symbol]
        if self.kind(fill.symbol, order.leverage) != held:
            return
        coin = instrument.base
        before = self._there.get(coin, ZERO)
        for currency in (coin, instrument.quote):
            change = fill.change_of(currency, instrument)
            self._there[currency] = self._there.get(currency, ZERO) + change
        after, owed = self._there[coin], self._owed.get(coin, ZERO)
        if order.foreign:  # what their own sale made the account owe is theirs
            owed += self._debt(held, after) - self._debt(held, before)
            self._owed[coin] = max(owed, ZERO)
        elif fill.side is Side.SELL and order.role is not Role.ENTRY:
            made = max(self._debt(held, after) - owed, ZERO)
            self.overdrawn[held] = max(made, self.overdrawn.get(held, ZERO))

    def size_of(self, position: str) -> Decimal:
        """Signed: what a position holds by the venue's executions and what was booked on it
        otherwise.
        """
        flow = self.by_position.get(position)
        booked = sum(
            (
                size if side is Side.BUY else -size
                for of, _, side, size in self.elsewhere.values()
                if of == position
            ),
            ZERO,
        )
        return booked if flow is None else booked + flow.net

    def resting(self, symbol: str) -> Iterator[Order]:
        """Our exits at the venue that could close more than is held: those that it does not itself
        keep from that.
        """
        for order in self.truth.orders.values():
            if (
                order.symbol == symbol
                and not order.foreign
                and order.role is not Role.ENTRY
                and not order.reduce_only
            ):
                yield order
