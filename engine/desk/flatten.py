"""Flatten: block entries, cancel, close what the fills left, ask the venue, repeat until the venue says flat; then a receipt.

It is a state, looked at again after every event and every second: nothing of it can be forgotten half-way, and a second press finds it
under way. It never sells more than is held, because every close goes through custody.
"""

from decimal import Decimal

from engine.desk import events as e
from engine.desk.context import Context, Events, alert, name_of, nanoseconds
from engine.desk.custody import cancel
from engine.desk.entries import accept
from engine.desk.ordering import flattening
from engine.desk.protection import begin_closing
from engine.model import intent as i
from engine.model.money import ZERO, grouped
from engine.model.report import Picture

REASON = "FLATTEN"


def flatten(ctx: Context, intent: i.Flatten) -> Events:
    """Begin, or find it begun."""
    if flattening(ctx):
        yield from accept(ctx, intent, "a flatten is under way already")
        return
    yield from accept(ctx, intent, "flattening everything")
    yield e.FlattenBegan(ctx.now, intent.id)
    if REASON not in ctx.state.blocks:
        yield e.EntriesBlocked(ctx.now, REASON, "everything is being closed", None)
    yield from step(ctx)


def step(ctx: Context) -> Events:
    """Do what is missing; ask the venue once nothing is."""
    state = ctx.state
    if not flattening(ctx) or state.flatten is None:
        return
    for order in list(state.orders.values()):
        if not order.is_exit:
            yield from cancel(ctx, order, "flatten")
    for position in list(state.positions.values()):
        if position.size > ZERO and not position.dust:
            yield from begin_closing(ctx, position, "flatten")
    if state.orders or any(position.is_open and not position.dust for position in state.positions.values()):
        return
    if state.flatten.asked_at is None or (state.asked_at is None and ctx.now - state.flatten.asked_at > nanoseconds(1.0)):
        yield e.FlattenAsked(ctx.now)
        yield e.AccountAsked(ctx.now, state.flatten.began_at)


def confirm(ctx: Context, picture: Picture, differences: tuple[str, ...]) -> Events:
    """The venue's word: flat, or not yet. A picture from before the last fill says nothing."""
    state = ctx.state
    if not flattening(ctx) or state.flatten is None or state.flatten.asked_at is None:
        return
    if picture.as_of < state.last_fill_at or state.orders or differences:
        return
    if any(position.is_open and not position.dust for position in state.positions.values()):
        return
    receipt = tuple(_receipt(ctx))
    yield e.FlattenEnded(ctx.now, receipt)
    if REASON in state.blocks:
        yield e.EntriesAllowed(ctx.now, REASON)
    yield from alert(ctx, "FLATTENED", "account", receipt[0])


def _receipt(ctx: Context) -> list[str]:
    state = ctx.state
    assert state.flatten is not None
    seconds = Decimal(ctx.now - state.flatten.began_at) / 1_000_000_000
    closed = [state.closed.get(name) for name in state.flatten.closed]
    count = len([position for position in closed if position is not None])
    lines = [f"the venue says flat: {count} positions closed, {state.flatten.cancelled} orders cancelled, in {seconds:.1f} s"]
    for position in closed:
        if position is None:
            continue
        instrument = ctx.instrument(position)
        price = position.exit_price(instrument)
        profit = position.realised_profit(instrument)
        lines.append(
            f"{name_of(position)}: {grouped(position.entry_size)} closed at {grouped((price or ZERO).quantize(instrument.tick))},"
            f" {profit:+.2f} {position.settle} after fees"
        )
    stays = "is below what the venue trades and stays"
    lines.extend(f"{name_of(p)}: {grouped(p.size)} {stays}" for p in state.positions.values() if p.dust)
    lines.extend(f"{o.symbol}: an order that is not ours was left alone ({o.venue_order_id})" for o in state.foreign.values())
    return lines
