"""Ours beside the venue's, line by line: what the Truth view shows and what the reconciler judges."""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk.context import Context
from engine.model.ids import account_prefix
from engine.model.instrument import Kind
from engine.model.intent import Settlement
from engine.model.money import ZERO, grouped, plain
from engine.model.order import Order, Role
from engine.model.report import Picture
from engine.model.view import TruthRow, TruthView

ALL = tuple(action.value for action in Settlement)


def in_motion(ctx: Context, picture: Picture) -> bool:
    """Whether the picture is too old, or too much is under way, to judge holdings by."""
    return (
        bool(ctx.state.doubts)
        or picture.as_of <= ctx.state.last_fill_at
        or any(order.cancel_pending or order.role is Role.CLOSE for order in ctx.state.orders.values())
    )


def holdings(ctx: Context, picture: Picture) -> Iterator[tuple[str, Decimal, Decimal]]:
    """(currency or symbol, ours, the venue's): per currency for spot, per symbol for derivatives, which have no cash of their own."""
    state = ctx.state
    derivatives = {s for s, i in state.instruments.items() if i.kind is not Kind.SPOT}
    settled = {state.instruments[s].settle for s in derivatives}
    for currency in sorted((set(state.cash) | set(picture.balances)) - settled):
        yield currency, state.cash.get(currency, ZERO), picture.balances.get(currency, ZERO)
    held = dict(state.dust)
    for symbol, size in state.elsewhere.items():
        held[symbol] = held.get(symbol, ZERO) + size
    for position in state.positions.values():
        held[position.symbol] = held.get(position.symbol, ZERO) + position.signed_size
    for symbol in sorted(derivatives):
        yield symbol, held.get(symbol, ZERO), picture.net.get(symbol, ZERO)


def same(ctx: Context, ours: Decimal, theirs: Decimal) -> bool:
    """Whether two amounts are one, but for how the venue rounds."""
    return ours == theirs or abs(ours - theirs) <= ctx.profile.rounding * max(abs(ours), abs(theirs))


def differences(ctx: Context, picture: Picture) -> Iterator[tuple[str, Decimal, Decimal]]:
    """The holdings that differ; none while they can't be judged."""
    if not in_motion(ctx, picture) and ctx.state.cash:
        for subject, ours, theirs in holdings(ctx, picture):
            if not same(ctx, ours, theirs):
                yield subject, ours, theirs


def truth(ctx: Context) -> TruthView:
    """Everything, side by side; empty before the venue's first picture."""
    picture = ctx.board.picture
    if picture is None:
        return TruthView(None, in_motion=True, rows=())
    moving = in_motion(ctx, picture)
    rows = [*_orders(ctx, picture)]
    for subject, ours, theirs in holdings(ctx, picture):
        if ours or theirs:
            differs = "" if same(ctx, ours, theirs) else f"{'+' if theirs > ours else '−'}{grouped(abs(theirs - ours))}"
            actions = ALL if differs and not moving else ()
            rows.append(TruthRow("holding", subject, subject, grouped(ours), grouped(theirs), differs, actions))
    return TruthView(picture.as_of, moving, tuple(rows))


def _orders(ctx: Context, picture: Picture) -> Iterator[TruthRow]:
    theirs = {order.client_order_id: order for order in picture.orders}
    for order in ctx.state.orders.values():
        known = theirs.pop(order.client_order_id, None)
        mine = _terms(order)
        said = "—" if known is None else _terms(known)
        differs = "" if mine == said else "on its way" if order.in_doubt or not order.is_working else "not listed" if known is None else "terms"
        yield TruthRow("order", order.client_order_id, _name(order), mine, said, differs, ())
    for order in theirs.values():
        ours = order.client_order_id.startswith(account_prefix(ctx.state.account))
        ended = ctx.state.order(order.client_order_id) is not None
        subject = order.client_order_id if ours else order.venue_order_id or order.client_order_id
        differs = "ended" if ended else "unknown" if ours else "not ours"
        actions = () if ended else (Settlement.FORGET.value, Settlement.FLATTEN.value)
        yield TruthRow("order", subject, _name(order), "—", _terms(order), differs, actions)


def _name(order: Order) -> str:
    return f"{order.side.value} {order.symbol}"


def _terms(order: Order) -> str:
    level = order.trigger if order.trigger is not None else order.price
    return plain(order.remaining) if level is None else f"{plain(order.remaining)} at {grouped(level)}"
