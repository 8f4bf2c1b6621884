"""Opening: from an intent to an entry order, and what becomes of a bracket whose entry ends."""

from engine.desk import events as e
from engine.desk import lockouts
from engine.desk.checks import plan_of, refusals
from engine.desk.context import Context, Events
from engine.desk.draft import Draft, draft
from engine.desk.events import OrderSubmitted
from engine.desk.ordering import deadline
from engine.model import intent as i
from engine.model.codes import BlockCode
from engine.model.ids import client_order_id, position_id
from engine.model.intent import OpenBracket
from engine.model.order import Order, OrderType, Role, TimeInForce
from engine.model.position import Position
from engine.model.refusal import Refusal
from engine.model.request import Lane
from engine.model.view import Answer


def entry_order(ctx: Context, drafted: Draft, position: str, attempt: int) -> OrderSubmitted:
    """The order that opens a bracket. A market entry carries its worst price; a stop entry is
    bounded the same way once triggered.
    """
    intent = drafted.intent
    kind = OrderType.STOP_LIMIT if intent.type is OrderType.STOP else intent.type
    at_once = intent.type is OrderType.MARKET
    expires = None if intent.expires_in is None else ctx.now + intent.expires_in
    order = Order(
        client_order_id=client_order_id(ctx.state.account, intent.id, "entry", attempt),
        position=position,
        symbol=intent.symbol,
        side=intent.side,
        type=kind,
        role=Role.ENTRY,
        size=drafted.size,
        price=drafted.price,
        trigger=drafted.trigger,
        time_in_force=TimeInForce.IOC if at_once or intent.ioc else TimeInForce.GTC,
        post_only=intent.post_only,
        leverage=drafted.leverage,
        expires_at=expires,
        deadline=deadline(ctx, ctx.rules.requests.entry_deadline),
        created_at=ctx.now,
        touched_at=ctx.now,
        label=intent.label,
    )
    return OrderSubmitted(ctx.now, order, Lane.ENTRY)


def open_bracket(ctx: Context, intent: OpenBracket) -> Events:
    """Refuse, or plan a position and send its entry."""
    yield from lockouts.judge(ctx)
    yield from lockouts.naked(ctx)
    drafted = draft(ctx, intent)
    against = refusals(ctx, drafted) if isinstance(drafted, Draft) else drafted
    if against or not isinstance(drafted, Draft):
        yield e.IntentTaken(ctx.now, intent, Answer(intent.id, against))
        return
    name = position_id(ctx.state.account, intent.id)
    submitted = entry_order(ctx, drafted, name, 1)
    yield e.IntentTaken(
        ctx.now,
        intent,
        Answer(intent.id, created=name, text=f"{intent.side} {drafted.size:f} {intent.symbol}"),
    )
    position = Position(
        id=name,
        symbol=intent.symbol,
        side=intent.side,
        created_at=ctx.now,
        settle=drafted.instrument.settle,
        label=intent.label,
        leverage=drafted.leverage,
        note=intent.note,
        tags=intent.tags,
    )
    yield e.PositionPlanned(
        ctx.now, position, plan_of(drafted.planned, ctx.now), drafted.expected.rates.taker
    )
    yield submitted


def ended_without(ctx: Context, order: Order) -> Events:
    """An entry ended: a reversal of what never held anything has nothing to wait for."""
    position = ctx.state.positions.get(order.position)
    if position is None or position.entry_size:
        return
    if order.position in ctx.state.reverses:
        yield e.ReverseWanted(ctx.now, order.position, None)


def reversal(ctx: Context, name: str) -> Events:
    """A position that was to be reversed is closed: open the other side."""
    then = ctx.state.reverses.get(name)
    # what was wanted before a crash is done once the venue has been heard
    recovering = BlockCode.STARTING in ctx.state.blocks
    if then is not None and name not in ctx.state.positions and not recovering:
        yield e.ReverseWanted(ctx.now, name, None)
        if then.id not in ctx.state.answers:
            yield from open_bracket(ctx, then)


def refuse(
    ctx: Context, intent: i.AnyIntent, code: str, value: str = "", bound: str = ""
) -> Events:
    """Take an intent only to say no."""
    yield e.IntentTaken(ctx.now, intent, Answer(intent.id, (Refusal(code, value, bound),)))


def accept(ctx: Context, intent: i.AnyIntent, text: str = "", created: str = "") -> Events:
    """Take an intent."""
    yield e.IntentTaken(ctx.now, intent, Answer(intent.id, text=text, created=created))
