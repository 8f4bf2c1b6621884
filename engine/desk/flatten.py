"""Flatten: block entries, cancel, close what the fills left, ask the venue, repeat until the venue
says flat; then a receipt.

It is a state, looked at again after every event and every second: nothing of it can be forgotten
half-way, and a second press finds it under way. It never sells more than is held, because every
close goes through custody.
"""

from collections.abc import Generator, Iterable
from decimal import Decimal

from engine.desk import events as e
from engine.desk.context import Context, Events, alert, name_of
from engine.desk.custody import keep
from engine.desk.doubts import ask_account, asks_again
from engine.desk.doubts import since as since_when
from engine.desk.entries import accept
from engine.desk.ordering import cancel, flattening
from engine.desk.owed import left_owing
from engine.desk.settling import concerns, settle, traded_as
from engine.desk.state import State
from engine.desk.truth import is_held_back, left_as_dust
from engine.model import intent as i
from engine.model.codes import AlertCode, BlockCode
from engine.model.counts import counted
from engine.model.figures import ended as came_to
from engine.model.intent import Settlement
from engine.model.money import ZERO, grouped, plain
from engine.model.position import Position
from engine.model.report import Picture

REASON = BlockCode.FLATTEN
PHANTOM = 15_000_000_000
"""Nanoseconds between two questions about positions that can't be closed: the venue refuses, or the
gate holds what nothing proves to be there.
"""
STAYS = "is below what the venue trades and stays"
REFUSALS = 2
"""A close that was refused so often, of something that the venue's picture lacks: it is not there.
"""


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
        yield from keep(ctx, position.id)
    if ctx.now - state.reconciled_at > PHANTOM and any(
        _phantom(position) or is_held_back(ctx, position.id)
        for position in state.positions.values()
    ):
        yield from ask_account(ctx)
    if _waits(ctx) or any(
        position.is_open and not position.dust for position in state.positions.values()
    ):
        return
    since = max(state.flatten.began_at, state.last_fill_at)
    if state.flatten.asked_at is None or (
        state.asked_at is None and asks_again(ctx, since, state.flatten.asked_at)
    ):
        yield e.FlattenAsked(ctx.now)
        # executions that nobody here knows of are ours, too
        yield e.AccountAsked(ctx.now, min(since_when(ctx), state.flatten.began_at))


def confirm(ctx: Context, picture: Picture, differing: tuple[str, ...], listed: bool) -> Events:
    """The venue's word: flat, or not yet. A picture from before the last fill says nothing, nor
    does one that has an order of ours `listed`.

    A derivative that the venue holds beyond ours is taken into custody and closed, too. Of a spot
    account, what is not ours is left alone; what orders and executions under our name prove to be
    ours is closed, and coins that are owed beyond ours are bought back: a debt is a position.
    """
    state = ctx.state
    if not flattening(ctx) or state.flatten is None:
        return
    gone = yield from _book_gone(ctx, picture, differing)
    early = picture.as_of < state.flatten.began_at or picture.as_of <= state.last_fill_at
    if gone or listed or early or _waits(ctx) or state.flatten.asked_at is None:
        return
    # what others of ours did by then may be missing in it
    if picture.as_of < max(ctx.board.restarted_at, ctx.board.stranger_at):
        return
    if any(position.is_open and not position.dust for position in state.positions.values()):
        return
    theirs = [name for name in differing if name in state.instruments or name in state.withheld]
    known = [
        name
        for name in theirs
        if (traded := traded_as(ctx, name)) is not None and ctx.quote(traded.symbol) is not None
    ]
    for symbol in known:
        yield from _take(ctx, picture, symbol, Settlement.FLATTEN)
    # told as over, with nothing filled: flat is claimed once that is certain
    if not known and not state.orders:
        yield from _end(ctx, differing)


def _book_gone(
    ctx: Context, picture: Picture, differing: tuple[str, ...]
) -> Generator[e.AnyEvent, None, bool]:
    """Book what the venue won't close because it is no longer there; returns whether there was
    any.
    """
    state = ctx.state
    claimed = [symbol for symbol in state.elsewhere if _is_gone(ctx, picture, symbol)]
    for symbol in claimed:  # ours and somebody else's cancelled each other out at the venue
        yield e.LeftElsewhere(ctx.now, symbol, -state.elsewhere[symbol])
    gone = [name for name in dict.fromkeys((*claimed, *differing)) if _is_gone(ctx, picture, name)]
    for name in gone:
        # an execution under our name bought what is there beside them
        ours = name in state.instruments or name in state.withheld
        yield from _take(ctx, picture, name, Settlement.FLATTEN if ours else Settlement.FORGET)
    return bool(gone)


def _take(ctx: Context, picture: Picture, subject: str, action: Settlement) -> Events:
    """Settle a difference for the flatten."""
    assert ctx.state.flatten is not None
    key = f"{ctx.state.flatten.intent}/{subject}/{picture.at}"
    yield from settle(ctx, picture, subject, action, key, proved=True)


def _end(ctx: Context, differing: Iterable[str]) -> Events:
    """Flat: the receipt, and entries again."""
    receipt = (
        *_receipt(ctx),
        *(f"{name}: ours and the venue's differ; nothing was done about it" for name in differing),
    )
    yield e.FlattenEnded(ctx.now, receipt)
    if REASON in ctx.state.blocks:
        yield e.EntriesAllowed(ctx.now, REASON)
    yield from alert(ctx, AlertCode.FLATTENED, "account", receipt[0])


def _waits(ctx: Context) -> bool:
    """Whether an order may still change what is held. What an entry that is told as over may have
    filled is closed as the venue shows it.
    """
    return any(
        (doubt := ctx.state.doubts.get(name)) is None or doubt.told_at is None
        for name in ctx.state.orders
    )


def _phantom(position: Position) -> bool:
    """Whether the venue refuses again and again to close it."""
    return (position.closing > ZERO or position.size < ZERO) and position.stop_refusals >= REFUSALS


def _is_gone(ctx: Context, picture: Picture, name: str) -> bool:
    """Whether a difference is about positions that can't be closed because they are no longer
    there.
    """
    instrument = traded_as(ctx, name)
    if instrument is None or ctx.quote(instrument.symbol) is None:
        return False
    closing = (
        position for position in ctx.state.positions.values() if concerns(ctx, name, position)
    )
    # the gate has proved that the venue has less
    fewer = picture.balances.get(name, ZERO) < ctx.state.cash.get(name, ZERO)
    return any(
        _phantom(position) or (fewer and position.closing > ZERO and is_held_back(ctx, position.id))
        for position in closing
    )


def _receipt(ctx: Context) -> list[str]:
    state = ctx.state
    assert state.flatten is not None
    seconds = Decimal(ctx.now - state.flatten.began_at) / 1_000_000_000
    ended = (state.closed[name] for name in state.flatten.closed if name in state.closed)
    closed = [position for position in ended if position.exit_size]
    crumbs = sum(
        1
        for name in state.flatten.closed
        if name in state.closed and not state.closed[name].exit_size
    )
    count = sum(1 for name in state.flatten.closed if name not in state.positions) - crumbs
    cancelled = counted(state.flatten.cancelled, "order")
    closed_now = f"{counted(count, 'position')} closed, {cancelled} cancelled"
    lines = [f"the venue says flat: {closed_now}, in {seconds:.1f} s"]
    for position in closed:
        instrument = ctx.instrument(position)
        price = position.exit_price(instrument)
        profit = came_to(position, state.money_of(position.id), instrument)
        lines.append(
            f"{name_of(position)}: {grouped(position.entry_size)} closed at"
            f" {grouped((price or ZERO).quantize(instrument.tick))}, {profit:+.2f}"
            f" {position.settle} after fees"
        )
    return [*lines, *_left(state)]


def _left(state: State) -> list[str]:
    """What was left on purpose: too small for the venue, or not ours."""
    lines = [f"{name_of(p)}: {grouped(p.size)} {STAYS}" for p in state.positions.values() if p.dust]
    lines.extend(
        f"{symbol}: {grouped(size)} {STAYS}" for symbol, size in left_as_dust(state).items()
    )
    lines.extend(
        f"{symbol}: {plain(size)} that is not ours was left alone"
        for symbol, size in state.elsewhere.items()
    )
    lines.extend(
        f"{coin}: {plain(amount)} that is owed and not ours was left alone"
        for coin, amount in left_owing(state).items()
    )
    lines.extend(
        f"{o.symbol}: an order that is not ours was left alone ({o.venue_order_id})"
        for o in state.foreign.values()
    )
    return lines
