"""Ours beside the venue's, line by line: what the Truth view shows and what the reconciler
judges.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from msgspec import Struct

from engine.desk import netting
from engine.desk.books import books_of
from engine.desk.context import Context, on_margin
from engine.desk.doubts import holdings_of, is_open_question
from engine.desk.order_rows import OrderRows
from engine.desk.state import State
from engine.model.books import asset_of
from engine.model.codes import AlertCode
from engine.model.ids import account_prefix
from engine.model.instrument import Kind
from engine.model.intent import Settlement
from engine.model.money import ZERO, grouped, plain
from engine.model.order import Order, Role
from engine.model.position import Position
from engine.model.report import Picture
from engine.model.view import TruthRow, TruthView

ALL = (Settlement.ADOPT.value, Settlement.FORGET.value, Settlement.FLATTEN.value)
LENDING = Decimal("0.01")
"""What lending may cost at most, of what was traded on margin; Kraken takes 0.02 % at first and as
much every four hours (read 2026-11).
"""
LEAST = Decimal("0.0001")
"""Of a currency: less than this is nobody's cost, but the last digits of an average."""


def in_motion(ctx: Context, picture: Picture, subject: str = "") -> bool:
    """Whether the picture is too old, or too much is under way, to judge a holding by; without a
    subject, any of them.
    """
    if picture.as_of <= ctx.state.last_fill_at:
        return True
    moving = _moving(ctx)
    return subject in moving if subject else bool(moving)


def _moving(ctx: Context) -> frozenset[str]:
    """Currencies and symbols that orders under way may be changing."""
    found: set[str] = set()
    for order in ctx.state.orders.values():
        closes = order.role is Role.CLOSE and not is_held_back(ctx, order.position)
        doubted = order.client_order_id in ctx.state.doubts
        if is_open_question(ctx, order.client_order_id) or (
            (order.cancel_pending or closes) and not doubted
        ):
            found.update(holdings_of(ctx.state, order))
    return frozenset(found)


def is_held_back(ctx: Context, position: str) -> bool:
    """Whether the gate does not let the exits of a position leave: then nothing of it moves."""
    return f"{AlertCode.HELD_BACK}:{position}" in ctx.state.alerts


class Holding(Struct, frozen=True, gc=False):
    """An amount, as we have it and as the venue tells it."""

    subject: str
    """A currency, for coins and money; a symbol, for what is on margin."""
    ours: Decimal
    theirs: Decimal
    allowed: Decimal
    """How far apart they may be, and be one."""

    @property
    def differs(self) -> bool:
        """Whether they are not one."""
        return abs(self.ours - self.theirs) > self.allowed


def holdings(ctx: Context, picture: Picture) -> Iterator[Holding]:
    """Currencies first, then symbols. The coins in which inverse contracts pay are not told: venues
    keep them apart from the others.
    """
    state, lent = ctx.state, _lent(ctx)
    symbols = {
        s
        for s, i in state.instruments.items()
        if i.kind is not Kind.SPOT or s in lent or s in picture.net
    }
    apart = {i.settle for i in state.instruments.values() if i.kind is Kind.INVERSE}
    loans: dict[str, Decimal] = {}
    for symbol, positions in lent.items():
        instrument = state.instruments[symbol]
        turnover = sum((position.entry_value + position.exit_value for position in positions), ZERO)
        loans[instrument.settle] = loans.get(instrument.settle, ZERO) + LENDING * turnover
    for currency in sorted((set(state.cash) | set(picture.balances)) - apart):
        theirs = picture.balances.get(currency, ZERO)
        ours = _explained(ctx, currency, theirs) + state.gap(currency)
        cost = ZERO if netting.is_mixed(ctx, currency) else loans.get(currency, ZERO)
        yield Holding(currency, ours, theirs, _rounded(ctx, ours, theirs) + cost)
    held = dict(state.dust)
    for symbol, size in state.elsewhere.items():
        held[symbol] = held.get(symbol, ZERO) + size
    for position in _traded(state.positions):
        if on_margin(ctx, position):
            held[position.symbol] = held.get(position.symbol, ZERO) + position.signed_size
    for symbol in sorted(symbols):
        ours, theirs = held.get(symbol, ZERO), picture.net.get(symbol, ZERO)
        yield Holding(symbol, ours, theirs, _rounded(ctx, ours, theirs))


def _explained(ctx: Context, currency: str, theirs: Decimal) -> Decimal:
    """Our count of a currency, less what has gone from what lay there before us.

    Coins that an unknown order of ours bought are held, too, beside our count. Where the venue has
    less than both, what lay there before falls first: else what we bought and what the owner sold
    would cancel each other out, and nothing would be ours.
    """
    state = ctx.state
    counted, strange = state.cash.get(currency, ZERO), state.withheld.get(currency, ZERO)
    if strange <= ZERO:
        return counted
    held = sum(
        (
            position.signed_size
            for position in state.positions.values()
            if not on_margin(ctx, position) and ctx.instrument(position).base == currency
        ),
        ZERO,
    )
    before = max(counted - max(held, ZERO), ZERO)
    return counted - min(max(counted + strange - theirs, ZERO), before)


def financing(ctx: Context, picture: Picture) -> Iterator[tuple[str, Decimal]]:
    """(currency, amount) of what only funding and lending explain: within what they may cost."""
    if picture.as_of <= ctx.state.last_fill_at or not ctx.state.cash:
        return
    lent = _lent(ctx)
    doubted = {
        held
        for name in ctx.state.doubts
        if (order := ctx.state.order(name)) is not None
        for held in holdings_of(ctx.state, order)
    }
    financed = {ctx.state.instruments[symbol].settle for symbol in lent} - doubted - _moving(ctx)
    for holding in holdings(ctx, picture):
        amount = holding.theirs - holding.ours
        if holding.subject in financed and not holding.differs and not _is_one(ctx, holding):
            yield holding.subject, amount


def agrees(ctx: Context, picture: Picture, holding: Holding) -> bool:
    """Whether it can be told that nothing of it differs."""
    return _is_one(ctx, holding) and not in_motion(ctx, picture, holding.subject)


def _is_one(ctx: Context, holding: Holding) -> bool:
    return abs(holding.theirs - holding.ours) <= max(
        _rounded(ctx, holding.ours, holding.theirs), LEAST
    )


def _rounded(ctx: Context, ours: Decimal, theirs: Decimal) -> Decimal:
    """What a venue's rounding may make of an amount."""
    return ctx.profile.rounding * max(abs(ours), abs(theirs))


def _traded(*positions: Mapping[str, Position]) -> Iterator[Position]:
    """Those that have an execution: the others, mere plans, hold and owe nothing."""
    for each in positions:
        for position in each.values():
            if position.entry_size or position.exit_size:
                yield position


def _lent(ctx: Context) -> dict[str, list[Position]]:
    """What is or was on margin, by symbol; but inverse contracts."""
    found: dict[str, list[Position]] = {}
    for position in _traded(ctx.state.positions, ctx.state.closed):
        if on_margin(ctx, position) and ctx.instrument(position).kind is not Kind.INVERSE:
            found.setdefault(position.symbol, []).append(position)
    return found


def left_as_dust(state: State) -> dict[str, Decimal]:
    """Size by symbol that positions left behind when they ended, each too small for an order; coins
    as far as they still lie in the account.
    """
    found = dict(state.dust)
    for position in state.closed.values():
        if position.size > ZERO and state.instruments[position.symbol].moves_coins(
            position.leverage
        ):
            found[position.symbol] = found.get(position.symbol, ZERO) + position.signed_size
    return {
        symbol: size
        for symbol, left in found.items()
        if (size := _still_there(state, symbol, left))
    }


def _still_there(state: State, symbol: str, left: Decimal) -> Decimal:
    """Bound what a spot symbol has left by the coins that no open position claims."""
    instrument = state.instruments[symbol]
    if instrument.kind is not Kind.SPOT or symbol in state.dust:
        return left
    claimed = (
        p.signed_size
        for p in state.positions.values()
        if state.instruments[p.symbol].base == instrument.base
    )
    free = state.cash.get(instrument.base, ZERO) - sum(claimed, ZERO)
    return max(min(left, free), ZERO)


def asks_for_margin(state: State) -> bool:
    """Whether the venue is asked what it holds on margin: where we know of any; of what we don't
    know, in quiet times, when tokens are plenty.
    """
    if state.elsewhere or not (state.blocks or state.doubts):
        return True
    ended = (
        ()
        if state.flatten is None
        else (state.closed[name] for name in state.flatten.closed if name in state.closed)
    )
    known = (*state.positions.values(), *ended)  # whether a flatten has left any is asked, too
    differs = any(
        alert.code == AlertCode.DIFFERENCE and alert.target in state.instruments
        for alert in state.alerts.values()
    )
    return differs or any(
        not state.instruments[position.symbol].moves_coins(position.leverage) for position in known
    )


def differences(ctx: Context, picture: Picture) -> Iterator[Holding]:
    """The holdings that differ; none while they can't be judged."""
    if picture.as_of > ctx.state.last_fill_at and ctx.state.cash:
        moving = _moving(ctx)
        yield from (
            holding
            for holding in holdings(ctx, picture)
            if holding.differs and holding.subject not in moving
        )


class Beside:
    """The rows of our orders beside those of one picture."""

    def __init__(self) -> None:
        self._rows = OrderRows[Order | None, TruthRow]()
        self._picture: Picture | None = None
        self._theirs: dict[str, Order] = {}

    def rows(self, ctx: Context, picture: Picture) -> Iterator[TruthRow]:
        """One for each order that is open here or there."""
        anew = picture is not self._picture
        if anew:
            self._picture = picture
            self._theirs = {order.client_order_id: order for order in picture.orders}
        yield from self._rows.of(ctx.state, self._theirs.get, _beside, anew=anew)
        for name, order in self._theirs.items():
            if name not in ctx.state.orders:
                yield _not_open(ctx, order)


def truth(ctx: Context, beside: Beside | None = None) -> TruthView:
    """Everything, side by side; empty before the venue's first picture. `beside` keeps the rows of
    orders from one look to the next.
    """
    picture = ctx.board.picture
    if picture is None:
        return TruthView(None, in_motion=True, rows=tuple(_blind(ctx)))
    moving = in_motion(ctx, picture)
    rows = [*(beside or Beside()).rows(ctx, picture), *_blind(ctx)]
    for one in holdings(ctx, picture):
        if one.ours or one.theirs:
            differs = (
                f"{'+' if one.theirs > one.ours else '−'}{grouped(abs(one.theirs - one.ours))}"
                if one.differs
                else ""
            )
            actions = ALL if differs and not in_motion(ctx, picture, one.subject) else ()
            rows.append(
                TruthRow(
                    "holding",
                    one.subject,
                    one.subject,
                    grouped(one.ours),
                    grouped(one.theirs),
                    differs,
                    actions,
                )
            )
    unexplained = ctx.state.unexplained
    listed = {row.subject for row in rows} if unexplained else set()
    # executions, and the journal itself: no order and no holding stands for them
    for name, text in unexplained.items():
        if name not in listed:
            rows.append(
                TruthRow(
                    "unexplained", name, text, "—", "—", "unexplained", (Settlement.FORGET.value,)
                )
            )
    return TruthView(picture.as_of, moving, tuple(rows))


def waits_for_word(ctx: Context, position: str) -> Decimal | None:
    """How much of the owner's own lies in the heap of a position whose exit waits for a picture;
    None where nothing waits for the operator.

    Zero: nothing does, and the journal is not the newest.
    """
    held = ctx.state.positions.get(position)
    if (
        held is None
        or position not in ctx.board.blind
        or position in ctx.board.confirmed
        or not is_held_back(ctx, position)
    ):
        return None
    known = books_of(ctx.state, asset_of(ctx.instrument(held), held.leverage))
    behind = known.behind and ctx.board.picture is None
    return max(known.baseline, ZERO) if known.baseline > ZERO or behind else None


def _blind(ctx: Context) -> Iterator[TruthRow]:
    """Exits that only the operator's word lets leave."""
    for name in sorted(ctx.board.blind):
        if (own := waits_for_word(ctx, name)) is not None:
            held = ctx.state.positions[name]
            coin = ctx.instrument(held).base
            risk = (
                f"{plain(own)} {coin} of your own beside it"
                if own
                else "the journal is not the newest"
            )
            told = f"exit of {plain(abs(held.size))} {held.symbol}; {risk}"
            yield TruthRow(
                "exit", name, told, plain(held.size), "—", "no picture", (Settlement.SEND.value,)
            )


def _not_open(ctx: Context, order: Order) -> TruthRow:
    """An order of the venue's picture that is none of our open ones."""
    ours = order.client_order_id.startswith(account_prefix(ctx.state.account))
    ended = ctx.state.order(order.client_order_id) is not None
    subject = order.client_order_id if ours else order.venue_order_id or order.client_order_id
    differs = "ended" if ended else "unknown" if ours else "not ours"
    actions = () if ended else (Settlement.FORGET.value, Settlement.FLATTEN.value)
    return TruthRow("order", subject, _name(order), "—", _terms(order), differs, actions)


def _beside(order: Order, listed: Order | None) -> TruthRow:
    """An order of ours, and what the venue's picture has of it."""
    mine, said = _terms(order), "—" if listed is None else _terms(listed)
    differs = (
        ""
        if mine == said
        else "on its way"
        if order.in_doubt or not order.is_working
        else "not listed"
        if listed is None
        else "terms"
    )
    return TruthRow("order", order.client_order_id, _name(order), mine, said, differs, ())


def _name(order: Order) -> str:
    return f"{order.side.value} {order.symbol}"


def _terms(order: Order) -> str:
    level = order.trigger if order.trigger is not None else order.price
    return (
        plain(order.remaining) if level is None else f"{plain(order.remaining)} at {grouped(level)}"
    )
