"""What the operator says of a difference between ours and the venue's."""

from engine.desk import events as e
from engine.desk import unexplained
from engine.desk.context import Context, Events, cure
from engine.desk.entries import accept, refuse
from engine.desk.settling import settle, traded_as
from engine.desk.state import JOURNAL
from engine.desk.truth import differences, in_motion, waits_for_word
from engine.model.codes import AlertCode, RefusalCode
from engine.model.ids import account_prefix
from engine.model.intent import Resolve, Settlement
from engine.model.money import plain
from engine.model.order import Order
from engine.model.report import Picture

SAID = {
    Settlement.ADOPT: "in custody now",
    Settlement.FORGET: "as the venue has it",
    Settlement.FLATTEN: "being closed",
}


def resolve(ctx: Context, intent: Resolve) -> Events:
    """The operator settles a difference."""
    picture, subject = ctx.board.picture, intent.subject
    if intent.action is Settlement.SEND:
        yield from _send_blindly(ctx, intent)
        return
    order = _order(ctx, picture, subject)
    if order is not None:
        yield from _settle_order(ctx, intent, order)
        return
    if subject == JOURNAL and unexplained.is_early(ctx.state):
        yield from refuse(ctx, intent, RefusalCode.PENDING, subject, unexplained.EARLY)
        return
    if subject in ctx.state.unexplained and intent.action is Settlement.FORGET:
        yield from accept(ctx, intent, f"{ctx.state.unexplained[subject]}: left alone")
        yield from unexplained.leave(ctx, subject)
        return
    differs = {} if picture is None else {one.subject: one for one in differences(ctx, picture)}
    if picture is None or subject not in differs:
        if picture is not None and in_motion(ctx, picture, subject):
            yield from refuse(ctx, intent, RefusalCode.PENDING, subject)
        else:
            yield from refuse(
                ctx, intent, RefusalCode.UNKNOWN_DIFFERENCE, subject, ", ".join(differs) or "none"
            )
        return
    instrument = traded_as(ctx, subject)
    if instrument is not None and ctx.quote(instrument.symbol) is None:
        yield from refuse(ctx, intent, RefusalCode.NO_PRICE, instrument.symbol)
        return
    found, said = differs[subject], SAID[intent.action]
    words = f"{subject}: {plain(found.ours)} → {plain(found.theirs)}, {said}"
    yield from accept(ctx, intent, words)
    yield from settle(ctx, picture, subject, intent.action, intent.id)


def _send_blindly(ctx: Context, intent: Resolve) -> Events:
    """An exit that waits for a picture may leave on our own books, once."""
    own = waits_for_word(ctx, intent.subject)
    if own is None:
        waiting = [
            name for name in sorted(ctx.board.blind) if waits_for_word(ctx, name) is not None
        ]
        yield from refuse(
            ctx,
            intent,
            RefusalCode.UNKNOWN_DIFFERENCE,
            intent.subject,
            ", ".join(waiting) or "none",
        )
        return
    position = ctx.state.positions[intent.subject]
    coin = ctx.instrument(position).base
    risk = f"it sells of your own {plain(own)} {coin}" if own else "it opens the other side"
    yield from accept(
        ctx, intent, f"{position.symbol}: leaves without a picture; if ours are gone, {risk}"
    )
    ctx.board.confirmed.add(position.id)  # after the answer: a preview goes no further


def _order(ctx: Context, picture: Picture | None, name: str) -> Order | None:
    """An order at the venue that no journal of ours knows, by either id."""
    for order in () if picture is None else picture.orders:
        if (
            name in (order.client_order_id, order.venue_order_id)
            and ctx.state.order(order.client_order_id) is None
        ):
            return order
    return None


def _settle_order(ctx: Context, intent: Resolve, order: Order) -> Events:
    name = f"{order.side.value} {plain(order.remaining)} {order.symbol}"
    mine = order.client_order_id.startswith(account_prefix(ctx.state.account))
    target = order.client_order_id if mine else order.venue_order_id or order.client_order_id
    yield from accept(
        ctx,
        intent,
        f"cancelling {name}" if intent.action is Settlement.FLATTEN else f"{name} is left alone",
    )
    if intent.action is Settlement.FLATTEN:
        yield e.OrphanCancelled(ctx.now, order)
        if mine:
            yield from unexplained.explain(ctx, target)
    elif mine:
        yield from unexplained.leave(ctx, target)
    yield from cure(ctx, AlertCode.UNKNOWN_ORDER if mine else AlertCode.FOREIGN_ORDER, target)
