"""Evidence: what the venue has told of the account, and what of ours may have changed it since.

The gate asks it one thing: how much of an asset may still leave. It hears every report that the desk hears and every request that leaves,
and it applies no rule of the desk. An asset is a currency where coins change hands (spot), else a symbol (margin, derivatives).

A picture stays good as long as the stream has no gap, because every change since is heard. A gap (a start, a wake-up, a lost line, a jump
of the clock, a hand-over of the pen) voids it: then only a picture counts that was asked for after the gap and shows our last action before
the gap, or was asked for later than that action by more than the venue's views may lag.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from engine.model import report as r
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
WINDOW = 6_000_000_000
"""Nanoseconds after which an order without a deadline can't be on its way any more."""


class Books(Struct, frozen=True):
    """What of one asset is ours by our own books, and what is not."""

    long: Decimal = ZERO
    """Bought by our orders or adopted, and not sold yet."""
    short: Decimal = ZERO
    baseline: Decimal = ZERO
    """What lay in the account before us."""
    confirmed: Collection[str] = ()
    """Positions whose exits may leave without a picture though something lay there before us: the operator said so."""


class Exit(Struct, frozen=True):
    """One exit of ours that may still fill, or may have filled without our hearing it."""

    asset: str
    side: Side
    size: Decimal
    filled: Decimal
    """As the stream told it, one by one."""
    reduce_only: bool
    ends_at: int
    """After this it can't arrive any more, if the venue does not know it."""
    absences: int = 0
    ended_at: int | None = None
    """When the venue said that it is over without saying how much of it had filled: the next picture knows."""
    strange: bool = False
    """Whether a picture told of it, and nobody here sent it: nobody asks about it by id, so pictures must say that it is gone."""
    unlisted: int = 0
    """Pictures in a row that count and do not list it."""
    changed_at: int = 0
    """When a change of its size last left: what is told of a time before that makes it no smaller."""
    asked: Decimal = ZERO
    """The size that this change asked for."""
    before: Decimal = ZERO
    """The size that it has if the venue refuses this change; zero once the venue has told its size, or where the outcome is unknown."""
    listed: Decimal = ZERO
    """What the venue's lists of executions come to: a list may name the same ones by other ids than the stream."""

    @property
    def done(self) -> Decimal:
        """What has surely filled. Of stream and list the larger, never both together: an execution under two ids is one."""
        return max(self.filled, self.listed)

    @property
    def open(self) -> Decimal:
        """What may still leave by it."""
        return max(self.size - self.done, ZERO)


def asset_of(instrument: Instrument, leverage: Decimal | None) -> str:
    """The asset that an order in `instrument` at `leverage` moves."""
    return instrument.base if instrument.moves_coins(leverage) else instrument.symbol


class Evidence:
    """The venue's word on one account, and our requests since."""

    def __init__(self, prefix: str, lag: int, now: int, rounding: Decimal = ZERO) -> None:
        """`lag` is by how many nanoseconds the venue's views may be late; `rounding` the fraction by which its balances may be off."""
        self.picture: r.Picture | None = None
        """The newest that counts; None before there is one."""
        self.why = "nothing was heard from the venue since the start"
        self._prefix = prefix
        self._lag = lag
        self._rounding = rounding
        self._voided_at = now
        self._instruments: dict[str, Instrument] = {}
        self._fills: dict[str, Fill] = {}
        self._exits: dict[str, Exit] = {}
        self._counted: dict[str, None] = {}
        """Executions of the stream that are in what exits have filled."""
        self._listed: dict[str, None] = {}
        """Executions of lists that are in what exits have filled."""
        self._leverages: dict[str, Decimal | None] = {}
        """Of our orders by client order id: a fill does not tell it."""
        self._newest: tuple[str, int] = ("", 0)
        self._newest_before: tuple[str, int] = ("", 0)
        """Our last action before the gap: a picture after the gap must show it, or be younger by the lag."""

    def list(self, instruments: Iterable[Instrument]) -> None:
        """Learn what is traded."""
        self._instruments |= {instrument.symbol: instrument for instrument in instruments}

    def seed(self, orders: Iterable[Order], executions: Iterable[str] = ()) -> None:
        """Take up the orders that an earlier process left open, with the ids of the executions that are in what they say they have filled.

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
        """Somebody else sent an order of ours at a time: a picture must show it, or be younger by the lag."""
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
            known = self._exits.get(request.client_order_id)
            if known is not None and request.size is not None:
                size = max(known.size, request.size)
                self._exits[request.client_order_id] = replace(known, size=size, changed_at=now, asked=request.size, before=known.size)

    def returns(self, request: Request) -> None:
        """A request is known not to have arrived: an order in it takes nothing, unless it leaves again."""
        if isinstance(request, Submit):
            self._exits.pop(request.order.client_order_id, None)

    def _follow(self, order: Order) -> None:
        instrument = self._instruments.get(order.symbol)
        self._leverages[order.client_order_id] = order.leverage
        _keep_last(self._leverages, FILLS)
        if instrument is None or order.role is Role.ENTRY or order.client_order_id in self._exits:
            return
        ends_at = order.deadline if order.deadline is not None else order.touched_at + WINDOW
        asset, size = asset_of(instrument, order.leverage), order.reserved + order.filled
        known = Exit(asset, order.side, size, order.filled, order.reduce_only, ends_at, listed=order.filled)
        self._exits[order.client_order_id] = known

    # Reports

    def hear(self, report: r.VenueReport, now: int) -> None:
        """Take in what the venue said. What makes no sense voids the evidence: it is asked for anew."""
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
                self._told(order, now)
            case r.Rejected(client_order_id=name, duplicate=False):
                self._exits.pop(name, None)
            case r.Cancelled(client_order_id=name, filled=filled) | r.Expired(client_order_id=name, filled=filled):
                self._ended(name, filled, now)
            case r.Amended(client_order_id=name, size=size, at=at):
                if name in self._exits and size > ZERO:
                    self._exits[name] = _resized(self._exits[name], size, at)
            case r.AmendRejected(client_order_id=name, withdrawn=False):
                self._unchanged(name)
            case r.Unknown(client_order_id=name, request="amend") if name in self._exits:
                self._exits[name] = replace(self._exits[name], before=ZERO)
            case r.Absent(client_order_id=name, at=at):
                self._absent(name, at)
            case r.Disconnected(text=text):
                self.void(f"the stream broke: {text}", now)
            case r.Connected():
                self.void("the stream began anew", now)
            case _:
                pass

    def _see(self, picture: r.Picture) -> None:
        """Keep a picture that is newer and counts; our orders in it that we did not know are exits until their end is told."""
        self._adopt(picture.orders, picture.as_of)
        for fill in picture.fills:
            self._list(fill)
        if picture.as_of < self._voided_at or not self._counts(picture):
            return
        if self.picture is None or picture.as_of >= self.picture.as_of:
            self.picture = picture
            told = {fill.execution_id for fill in picture.fills}
            self._fills = {name: fill for name, fill in self._fills.items() if fill.at > picture.as_of and name not in told}
            self._exits = {name: one for name, one in self._exits.items() if one.ended_at is None or one.ended_at > picture.as_of}
            self._miss({order.client_order_id for order in picture.orders})

    def _miss(self, listed: set[str]) -> None:
        """A stranger that two pictures do not list any more is over: what it did is in their balances."""
        for name, one in list(self._exits.items()):
            if not one.strange:
                continue
            unlisted = 0 if name in listed else one.unlisted + 1
            if unlisted > 1:
                del self._exits[name]
            else:
                self._exits[name] = replace(one, unlisted=unlisted)

    def _adopt(self, orders: Iterable[Order], as_of: int) -> None:
        for order in orders:
            if order.client_order_id.startswith(self._prefix):
                if order.client_order_id not in self._leverages:
                    self._follow(replace(order, role=Role.CLOSE) if order.role is Role.ENTRY else order)
                    if order.client_order_id in self._exits:
                        self._exits[order.client_order_id] = replace(self._exits[order.client_order_id], strange=True)
                self._told(order, as_of)

    def _counts(self, picture: r.Picture) -> bool:
        """Whether the picture shows our last action before the gap, or is younger than it by more than views may lag."""
        name, at = self._newest_before
        if not name or picture.as_of >= at + self._lag:
            return True
        shown = {order.client_order_id for order in picture.orders} | {fill.client_order_id for fill in picture.fills}
        return name in shown

    def _fill(self, fill: Fill) -> None:
        """An execution from the stream."""
        if fill.execution_id not in self._counted:
            self._counted[fill.execution_id] = None
            _keep_last(self._counted, COUNTED)
            self._count(fill, fill.size, ZERO)
        self._since(fill)

    def _list(self, fill: Fill) -> None:
        """An execution from one of the venue's lists."""
        if fill.execution_id not in self._listed:
            self._listed[fill.execution_id] = None
            _keep_last(self._listed, COUNTED)
            self._count(fill, ZERO, fill.size)

    def _since(self, fill: Fill) -> None:
        """Keep what happened after the picture."""
        if self.picture is None or (fill.at > self.picture.as_of and all(one.execution_id != fill.execution_id for one in self.picture.fills)):
            self._fills[fill.execution_id] = fill
            _keep_last(self._fills, FILLS)

    def _count(self, fill: Fill, heard: Decimal, listed: Decimal) -> None:
        """An execution of an exit: so much less of it may still leave."""
        known = self._exits.get(fill.client_order_id)
        if known is None:
            return
        known = replace(known, filled=known.filled + heard, listed=known.listed + listed)
        if known.done >= known.size:
            del self._exits[fill.client_order_id]
        else:
            self._exits[fill.client_order_id] = known

    def _told(self, order: Order, at: int) -> None:
        known = self._exits.get(order.client_order_id)
        if known is None:
            return
        if order.is_open:
            self._exits[order.client_order_id] = replace(_resized(known, order.size, at), absences=0)
        else:
            self._ended(order.client_order_id, order.filled, at)

    def _ended(self, name: str, filled: Decimal | None, at: int) -> None:
        """An order is over. How much of it filled is never assumed: what is not told stays counted until it is."""
        known = self._exits.get(name)
        if known is None:
            return
        if filled is None:
            self._exits[name] = replace(known, ended_at=at)
        elif filled > known.done:
            self._exits[name] = replace(known, size=filled)
        else:
            del self._exits[name]

    def _unchanged(self, name: str) -> None:
        """The venue refused a change of size. An exit that had filled all of the size before is over: the venue tells no other end of it."""
        known = self._exits.get(name)
        if known is None or not known.before:
            return
        if known.done >= known.before:
            del self._exits[name]
        else:
            self._exits[name] = replace(known, size=known.before, before=ZERO)

    def _absent(self, name: str, at: int) -> None:
        """The venue does not know the order: believed the second time, once it can't be on its way any more."""
        known = self._exits.get(name)
        if known is not None and known.absences and at > known.ends_at:
            del self._exits[name]
        elif known is not None:
            self._exits[name] = replace(known, absences=known.absences + 1)

    # What it proves

    def held(self, asset: str) -> Decimal:
        """Signed amount of an asset: as the picture shows it, and by the fills heard since."""
        assert self.picture is not None
        there = self.picture.net.get(asset, ZERO) if asset in self._instruments else self.picture.balances.get(asset, ZERO)
        return there + sum((self._change(fill, asset) for fill in self._fills.values()), ZERO)

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
        """What exits of ours on one side of an asset may still take, or may have taken without our hearing it."""
        return sum((one.open for name, one in self._exits.items() if one.asset == asset and one.side is side and name != besides), ZERO)

    def bound(self, asset: str, side: Side, books: Books, besides: str = "") -> Decimal:
        """The most that one more exit on `side` may be: what is ours, less what the venue lacks of it, less what may still leave."""
        expected, held = books.baseline + books.long - books.short, self.held(asset)
        missing = expected - held
        if abs(missing) <= self._rounding * max(abs(expected), abs(held)):
            missing = ZERO
        ours = books.long - max(missing, ZERO) if side is Side.SELL else books.short - max(-missing, ZERO)
        return max(ours - self.leaving(asset, side, besides), ZERO)

    def words(self, asset: str, side: Side, books: Books, besides: str = "") -> str:
        """The evidence for a bound, for people."""
        if not self.good:
            return f"no picture since: {self.why}"
        ours = books.long if side is Side.SELL else books.short
        return (
            f"the venue shows {plain(self.held(asset))} {asset}, ours are {plain(ours)},"
            f" {plain(books.baseline)} were there before, {plain(self.leaving(asset, side, besides))} may still leave"
        )

    def exits(self) -> Mapping[str, Exit]:
        """Exits whose end is not known, by client order id."""
        return self._exits


def _resized(known: Exit, size: Decimal, at: int) -> Exit:
    """An exit with the size that the venue told as of a time: reports overtake each other, and none of them proves less than it can know."""
    proved = size >= known.size or size == known.asked or at >= known.changed_at
    return replace(known, size=size, before=ZERO) if proved else known


def _keep_last(kept: dict[str, Any], most: int) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]
