"""Evidence: what the venue has told of the account, and what of ours may have changed it since.

The gate asks it one thing: how much of an asset may still leave. It hears every report that the
desk hears and every request that leaves, and it applies no rule of the desk. An asset is a currency
where coins change hands (spot), else a symbol (margin, derivatives).

A picture stays good as long as the stream has no gap, because every change since is heard. A gap (a
start, a wake-up, a lost line, a jump of the clock, a hand-over of the pen) voids it: then only a
picture counts that was asked for after the gap and shows our last action before the gap, or was
asked for later than that action by more than the venue's views may lag.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.gate.exits import Exit, Exits
from engine.model import report as r
from engine.model.books import Books, asset_of
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.money import ZERO, plain
from engine.model.order import Order, Role
from engine.model.request import Amend, Request, Submit
from engine.model.side import Side

FILLS = 5_000
"""Executions kept; a picture makes the older ones unnecessary."""
COUNTED = 20_000
"""Execution ids remembered against repeats."""


class Evidence:
    """The venue's word on one account, and our requests since."""

    def __init__(self, prefix: str, lag: int, now: int, rounding: Decimal = ZERO) -> None:
        """`lag` is by how many nanoseconds the venue's views may be late; `rounding` the fraction
        by which its balances may be off.
        """
        self.picture: r.Picture | None = None
        """The newest that counts; None before there is one."""
        self.why = "nothing was heard from the venue since the start"
        self._prefix = prefix
        self._lag = lag
        self._rounding = rounding
        self._voided_at = now
        self._instruments: dict[str, Instrument] = {}
        self._fills: dict[str, Fill] = {}
        self._exits = Exits()
        self._counted: dict[str, None] = {}
        """Executions of the stream that are in what exits have filled."""
        self._listed: dict[str, None] = {}
        """Executions of lists that are in what exits have filled."""
        self._changes: dict[str, Decimal] = {}
        """By asset, what the executions since the picture came to."""
        self._summed = True
        """Whether that is so; else it is summed anew when it is asked for."""
        self._leverages: dict[str, Decimal | None] = {}
        """Of our orders by client order id: a fill does not tell it."""
        self._newest: tuple[str, int] = ("", 0)
        self._newest_before: tuple[str, int] = ("", 0)
        """Our last action before the gap: a picture after the gap must show it, or be younger by
        the lag.
        """

    def list(self, instruments: Iterable[Instrument]) -> None:
        """Learn what is traded."""
        self._instruments |= {instrument.symbol: instrument for instrument in instruments}
        self._summed = False

    def seed(self, orders: Iterable[Order], executions: Iterable[str] = ()) -> None:
        """Take up the orders that an earlier process left open, with the ids of the executions that
        are in what they say they have filled.

        Any of them may have filled more meanwhile.
        """
        known = dict.fromkeys(executions)
        self._counted |= known
        self._listed |= known
        for order in orders:
            self._follow(order)
            if order.touched_at >= self._newest[1]:
                self._newest = self._newest_before = (order.client_order_id, order.touched_at)

    def void(self, why: str, now: int) -> None:
        """A gap: what the venue said before it is no longer known to be so."""
        self.why, self._voided_at, self._newest_before = why, now, self._newest

    def act(self, name: str, at: int) -> None:
        """Somebody else sent an order of ours at a time: a picture must show it, or be younger by
        the lag.
        """
        if at >= self._newest[1]:
            self._newest = (name, at)

    @property
    def good(self) -> bool:
        """Whether the newest picture is from after the last gap."""
        return self.picture is not None and self.picture.as_of >= self._voided_at

    def leaves(self, request: Request, now: int) -> None:
        """A request is about to leave."""
        if isinstance(request, Submit):
            self._newest = (request.order.client_order_id, now)
            self._follow(request.order)
        elif isinstance(request, Amend):
            self._exits.leaves(request, now)

    def returns(self, request: Request) -> None:
        """A request is known not to have arrived: an order in it takes nothing, unless it leaves
        again.
        """
        if isinstance(request, Submit):
            self._exits.forget(request.order.client_order_id)

    def _follow(self, order: Order) -> None:
        instrument = self._instruments.get(order.symbol)
        if self._leverages.get(order.client_order_id) != order.leverage:
            self._summed = False
        self._leverages[order.client_order_id] = order.leverage
        _keep_last(self._leverages, FILLS)
        known = order.client_order_id in self._exits.known
        if instrument is not None and order.role is not Role.ENTRY and not known:
            self._exits.follow(order, asset_of(instrument, order.leverage))

    # Reports

    def hear(self, report: r.VenueReport, now: int) -> None:
        """Take in what the venue said. What makes no sense voids the evidence: it is asked for
        anew.
        """
        try:
            self._hear(report, now)
        except ArithmeticError as error:
            self.void(f"a report that makes no sense: {error}", now)

    def _hear(self, report: r.VenueReport, now: int) -> None:
        match report:
            case r.Picture():
                self._see(report)
            case r.Filled(fill=fill) | r.Liquidated(fill=fill):
                self._fill(fill)
            case r.Found(order=order, fills=fills):
                for fill in fills:
                    self._list(fill)
                    self._since(fill)
                self._exits.told(order, now)
            case r.Rejected(client_order_id=name, duplicate=False):
                self._exits.forget(name)
            case (
                r.Cancelled(client_order_id=name, filled=filled)
                | r.Expired(client_order_id=name, filled=filled)
            ):
                self._exits.ended(name, filled, now)
            case r.Amended(client_order_id=name, size=size, at=at):
                self._exits.amended(name, size, at)
            case r.AmendRejected(client_order_id=name, withdrawn=False):
                self._exits.unchanged(name)
            case r.Unknown(client_order_id=name, request="amend"):
                self._exits.unanswered(name)
            case r.Absent(client_order_id=name, at=at):
                self._exits.absent(name, at)
            case r.Disconnected(text=text):
                self.void(f"the stream broke: {text}", now)
            case r.Connected():
                self.void("the stream began anew", now)
            case _:
                pass

    def _see(self, picture: r.Picture) -> None:
        """Keep a picture that is newer and counts; our orders in it that we did not know are exits
        until their end is told.
        """
        self._adopt(picture.orders, picture.as_of)
        for fill in picture.fills:
            self._list(fill)
        if picture.as_of < self._voided_at or not self._counts(picture):
            return
        if self.picture is None or picture.as_of >= self.picture.as_of:
            self.picture = picture
            told = {fill.execution_id for fill in picture.fills}
            self._fills = {
                name: fill
                for name, fill in self._fills.items()
                if fill.at > picture.as_of and name not in told
            }
            self._summed = False
            self._exits.pictured(picture.as_of)
            self._exits.miss({order.client_order_id for order in picture.orders})

    def _adopt(self, orders: Iterable[Order], as_of: int) -> None:
        for order in orders:
            if order.client_order_id.startswith(self._prefix):
                if order.client_order_id not in self._leverages:
                    self._follow(
                        replace(order, role=Role.CLOSE) if order.role is Role.ENTRY else order
                    )
                    self._exits.strange(order.client_order_id)
                self._exits.told(order, as_of)

    def _counts(self, picture: r.Picture) -> bool:
        """Whether the picture shows our last action before the gap, or is younger than it by more
        than views may lag.
        """
        name, at = self._newest_before
        if not name or picture.as_of >= at + self._lag:
            return True
        shown = {order.client_order_id for order in picture.orders} | {
            fill.client_order_id for fill in picture.fills
        }
        return name in shown

    def _fill(self, fill: Fill) -> None:
        """An execution from the stream."""
        if fill.execution_id not in self._counted:
            self._counted[fill.execution_id] = None
            _keep_last(self._counted, COUNTED)
            self._exits.count(fill, fill.size, ZERO)
        self._since(fill)

    def _list(self, fill: Fill) -> None:
        """An execution from one of the venue's lists."""
        if fill.execution_id not in self._listed:
            self._listed[fill.execution_id] = None
            _keep_last(self._listed, COUNTED)
            self._exits.count(fill, ZERO, fill.size)

    def _since(self, fill: Fill) -> None:
        """Keep what happened after the picture."""
        if self.picture is None or (
            fill.at > self.picture.as_of
            and all(one.execution_id != fill.execution_id for one in self.picture.fills)
        ):
            if fill.execution_id in self._fills or len(self._fills) >= FILLS:
                self._summed = False
            self._fills[fill.execution_id] = fill
            _keep_last(self._fills, FILLS)
            self._sum(fill)

    # What it proves

    def held(self, asset: str) -> Decimal:
        """Signed amount of an asset: as the picture shows it, and by the fills heard since."""
        assert self.picture is not None
        there = (
            self.picture.net.get(asset, ZERO)
            if asset in self._instruments
            else self.picture.balances.get(asset, ZERO)
        )
        if not self._summed:
            self._changes, self._summed = {}, True
            for fill in self._fills.values():
                self._sum(fill)
        return there + self._changes.get(asset, ZERO)

    def _sum(self, fill: Fill) -> None:
        """Add what an execution changed."""
        instrument = self._instruments.get(fill.symbol)
        for asset in (
            {}
            if instrument is None
            else dict.fromkeys((fill.symbol, instrument.base, instrument.quote, fill.fee_currency))
        ):
            self._changes[asset] = self._changes.get(asset, ZERO) + self._change(fill, asset)

    def _change(self, fill: Fill, asset: str) -> Decimal:
        """By how much an execution changed an asset, its fee included."""
        instrument = self._instruments.get(fill.symbol)
        if instrument is None:
            return ZERO
        change = -fill.fee if fill.fee_currency == asset else ZERO
        traded = fill.size * fill.side.sign
        if not instrument.moves_coins(self._leverages.get(fill.client_order_id)):
            return change + traded if asset == fill.symbol else change
        if asset == instrument.base:
            change += traded
        if asset == instrument.quote:
            change -= traded * fill.price
        return change

    def leaving(self, asset: str, side: Side, besides: str = "") -> Decimal:
        """What exits of ours on one side of an asset may still take, or may have taken without our
        hearing it.
        """
        return self._exits.leaving(asset, side, besides)

    def bound(self, asset: str, side: Side, books: Books, besides: str = "") -> Decimal:
        """The most that one more exit on `side` may be: what is ours, less what the venue lacks of
        it, less what may still leave.
        """
        expected, held = books.baseline + books.long - books.short, self.held(asset)
        missing = expected - held
        if abs(missing) <= self._rounding * max(abs(expected), abs(held)):
            missing = ZERO
        ours = (
            books.long - max(missing, ZERO)
            if side is Side.SELL
            else books.short - max(-missing, ZERO)
        )
        return max(ours - self.leaving(asset, side, besides), ZERO)

    def words(self, asset: str, side: Side, books: Books, besides: str = "") -> str:
        """The evidence for a bound, for people."""
        if not self.good:
            return f"no picture since: {self.why}"
        ours = books.long if side is Side.SELL else books.short
        return (
            f"the venue shows {plain(self.held(asset))} {asset}, ours are {plain(ours)},"
            f" {plain(books.baseline)} were there before,"
            f" {plain(self.leaving(asset, side, besides))} may still leave"
        )

    def exits(self) -> Mapping[str, Exit]:
        """Exits whose end is not known, by client order id."""
        return self._exits.known


def _keep_last(kept: dict[str, Any], most: int) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]
