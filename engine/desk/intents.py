"""What a trader asks, rule by rule. Each intent is answered once; asked again under the same id, it gets the first answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from engine.desk import events as e
from engine.desk import figures, flatten, goals, reconcile, settling, unexplained
from engine.desk.context import LOOKING, SECOND, Context, Events, cure
from engine.desk.custody import cancel
from engine.desk.entries import accept, open_bracket, refuse
from engine.desk.goals_by_hand import mirrored_goals, move_goal, serves_goal
from engine.desk.margin import liquidation
from engine.desk.ordering import cancel_lane, tradable
from engine.desk.protection import follow
from engine.desk.sizing import stop_price, target_price, usable
from engine.model import intent as i
from engine.model.money import ONE, ZERO, plain
from engine.model.order import OrderType, Role
from engine.model.position import Position
from engine.model.refusal import Refusal
from engine.model.request import Lane
from engine.model.side import Side

BY_HAND = {
    "PAUSED": "resume",
    "DRAWDOWN": "resume DRAWDOWN",
    "LOSING_STREAK": "resume LOSING_STREAK",
    "DAILY_LOSS": "resume DAILY_LOSS",
    "HALTED": "unhalt",
    "TASK_DIED": "resume TASK_DIED",
    "UNEXPLAINED": "resume UNEXPLAINED",
    "SECOND_ENGINE": "resume SECOND_ENGINE",
    "EMERGENCY_EXIT": "resume EMERGENCY_EXIT",
}
"""Reasons that the operator may clear by name, and the command that does."""


def held(ctx: Context, name: str) -> Position | None:
    """An open position by its id or its label."""
    position = ctx.state.positions.get(name)
    if position is None:
        labelled = [p for p in ctx.state.positions.values() if p.label == name and name]
        position = labelled[-1] if labelled else None
    return position if position is not None and position.size > ZERO else None


def stop_refusals(ctx: Context, position: Position, intent: i.MoveStop) -> tuple[Refusal, ...]:
    """Why a stop can't stand there."""
    instrument = ctx.instrument(position)
    entry, mark = position.entry_price(instrument), ctx.mark(position)
    if intent.stop is None:
        return () if intent.reason.strip() else (Refusal("STOP_LOOSER", "none", "the one that works"),)
    number = intent.stop.price if isinstance(intent.stop, i.At) else intent.stop.fraction
    if not usable(number):
        return (Refusal("NOT_A_NUMBER", f"stop {number}", "a number above zero"),)
    wanted = stop_price(intent.stop, entry, position.side, instrument)
    if isinstance(intent.stop, i.At) and intent.stop.price != wanted:
        return (Refusal("STOP_OFF_TICK", f"{intent.stop.price:f}", f"{wanted:f}"),)
    if mark is None:
        return (Refusal("NO_PRICE", position.symbol),)
    if (mark - wanted) * position.side.sign <= ZERO:
        return (Refusal("STOP_WOULD_FIRE", f"{wanted:f}", f"{mark:f}"),)
    bound = liquidation(ctx, position)
    if bound is not None and (wanted - bound) * position.side.sign <= ZERO:
        return (Refusal("STOP_BEYOND_LIQUIDATION", f"{wanted:f}", f"{bound:f}"),)
    if looser(position, wanted) and not intent.reason.strip():
        return (Refusal("STOP_LOOSER", f"{wanted:f}", f"{position.stop:f}"),)
    return ()


def looser(position: Position, wanted: Decimal | None) -> bool:
    """Whether a stop at `wanted` would lose more than the one that stands."""
    if position.stop is None:
        return False
    return wanted is None or (wanted != position.stop and position.tighter(position.stop, wanted) == position.stop)


def _move_stop(ctx: Context, intent: i.MoveStop) -> Events:
    position = held(ctx, intent.position)
    if position is None:
        yield from refuse(ctx, intent, "UNKNOWN_POSITION", intent.position)
        return
    against = stop_refusals(ctx, position, intent)
    if against:
        yield from refuse(ctx, intent, against[0].code, against[0].value, against[0].bound)
        return
    instrument = ctx.instrument(position)
    wanted = None
    if intent.stop is not None:
        wanted = stop_price(intent.stop, position.entry_price(instrument), position.side, instrument)
    text = f"stop {position.symbol} → {wanted:f}" if wanted is not None else f"stop {position.symbol} removed"
    yield from accept(ctx, intent, text, position.id)
    yield e.StopMoved(ctx.now, position.id, wanted, by="operator", reason=intent.reason)


def _move_target(ctx: Context, intent: i.MoveTarget) -> Events:
    position = held(ctx, intent.position)
    if position is None:
        yield from refuse(ctx, intent, "UNKNOWN_POSITION", intent.position)
        return
    wanted = None
    if intent.target is not None:
        number = intent.target.price if isinstance(intent.target, i.At) else intent.target.fraction
        if not usable(number):
            yield from refuse(ctx, intent, "NOT_A_NUMBER", f"target {number}", "a number above zero")
            return
        instrument = ctx.instrument(position)
        wanted = target_price(intent.target, position.entry_price(instrument), position.side, instrument)
        mark = ctx.mark(position)
        if mark is None or (wanted - mark) * position.side.sign <= ZERO:
            yield from refuse(ctx, intent, "TARGET_WRONG_SIDE", f"{wanted:f}", f"the market at {mark}")
            return
    text = f"target {position.symbol} → {wanted:f}" if wanted is not None else f"target {position.symbol} removed"
    yield from accept(ctx, intent, text, position.id)
    yield e.TargetMoved(ctx.now, position.id, wanted)


def _trail(ctx: Context, intent: i.SetTrail) -> Events:
    position = held(ctx, intent.position)
    mark = ctx.mark(position) if position is not None else None
    if position is None:
        yield from refuse(ctx, intent, "UNKNOWN_POSITION", intent.position)
    elif intent.trail is None:
        yield from accept(ctx, intent, f"trail {position.symbol} off", position.id)
        yield e.TrailSet(ctx.now, position.id, None, following=False, best=None)
    elif mark is None:
        yield from refuse(ctx, intent, "NO_PRICE", position.symbol)
    else:
        follows = intent.trail.after is None
        yield from accept(ctx, intent, f"trail {position.symbol} on", position.id)
        yield e.TrailSet(ctx.now, position.id, intent.trail, following=follows, best=mark if follows else None)
        if follows:
            yield from follow(ctx, position.id, mark)


def break_even(ctx: Context, position: Position) -> Decimal:
    """Where the rest of the position would close at zero; its entry price where no price does."""
    return figures.break_even(ctx, position) or position.entry_price(ctx.instrument(position))


def _break_even(ctx: Context, intent: i.BreakEven) -> Events:
    position = held(ctx, intent.position)
    if position is None:
        yield from refuse(ctx, intent, "UNKNOWN_POSITION", intent.position)
        return
    wanted = break_even(ctx, position)
    against = stop_refusals(ctx, position, i.MoveStop(id=intent.id, position=position.id, stop=i.At(wanted)))
    if against:
        yield from refuse(ctx, intent, against[0].code, against[0].value, against[0].bound)
        return
    yield from accept(ctx, intent, f"stop {position.symbol} → break-even {wanted:f}", position.id)
    yield e.StopMoved(ctx.now, position.id, wanted, by="break-even")


def _close(ctx: Context, intent: i.ClosePosition) -> Events:
    position = held(ctx, intent.position)
    if position is None:
        known = ctx.state.closed.get(intent.position)
        code = "UNKNOWN_POSITION" if known is None else "NOTHING_LEFT"
        yield from refuse(ctx, intent, code, intent.position)
        return
    if not usable(intent.part) or intent.part > ONE:
        yield from refuse(ctx, intent, "NOT_A_NUMBER", f"part {intent.part}", "above 0 up to 1")
        return
    instrument = ctx.instrument(position)
    size = position.size if intent.part == ONE else instrument.round_size(position.size * intent.part)
    if position.closing >= position.size or (position.closing and intent.part < ONE):
        yield from refuse(ctx, intent, "ALREADY_CLOSING", position.symbol)
        return
    fills = intent.part == ONE and any(not order.is_exit for order in ctx.state.orders_for(position.id))  # the close ends its entry, at least
    if not fills and not tradable(instrument, instrument.round_size(size), ctx.mark(position)):
        yield from refuse(ctx, intent, "PART_TOO_SMALL", plain(size), f"{instrument.min_size:f} or {instrument.min_cost:f} {instrument.quote}")
        return
    yield from accept(ctx, intent, f"closing {plain(size)} {position.symbol}", position.id)
    yield e.ClosingBegan(ctx.now, position.id, size, "operator")


def mirrored(position: Position, intent_id: str, entry: Decimal) -> i.OpenBracket:
    """The same size on the other side, stop and target at the same distances."""

    def away(price: Decimal | None) -> i.Away | None:
        return None if price is None or price == entry else i.Away(abs(price - entry) / entry)

    return i.OpenBracket(
        id=f"{intent_id}/reverse",
        symbol=position.symbol,
        side=position.side.opposite,
        size=i.Base(position.size),
        stop=away(position.initial_stop),
        target=away(position.target),
        trail=position.trail,
        partials=mirrored_goals(position, away),
        without=(i.Default.TARGET, i.Default.TRAIL, i.Default.EXPIRY),  # a position without a stop gets the symbol's own
        leverage=position.leverage,
        label=position.label,
        note=position.note,
        tags=position.tags,
    )


def _reverse(ctx: Context, intent: i.Reverse) -> Events:
    position = held(ctx, intent.position)
    if position is None:
        yield from refuse(ctx, intent, "UNKNOWN_POSITION", intent.position)
        return
    instrument = ctx.instrument(position)
    if position.side is Side.BUY and not instrument.can_short:
        yield from refuse(ctx, intent, "CANNOT_SHORT", position.symbol)
    elif ctx.state.blocks or ctx.state.halted:
        yield from refuse(ctx, intent, "ENTRIES_BLOCKED", ctx.state.block_texts() or "the desk is halted")
    elif position.closing >= position.size:
        yield from refuse(ctx, intent, "ALREADY_CLOSING", position.symbol)
    else:
        yield from accept(ctx, intent, f"reversing {plain(position.size)} {position.symbol}", position.id)
        yield e.ReverseWanted(ctx.now, position.id, mirrored(position, intent.id, position.entry_price(instrument)))
        yield e.ClosingBegan(ctx.now, position.id, position.size, "reversed")


def _amend(ctx: Context, intent: i.AmendOrder) -> Events:
    order = ctx.state.orders.get(intent.order)
    if order is None:
        yield from refuse(ctx, intent, "UNKNOWN_ORDER", intent.order)
        return
    if order.is_exit:
        place = i.At(intent.price)
        if order.role is Role.TARGET and (position := ctx.state.positions.get(order.position)) is not None and serves_goal(position, order):
            yield from move_goal(ctx, intent, position, order)
        elif order.role is Role.TARGET:
            yield from _move_target(ctx, i.MoveTarget(id=intent.id, position=order.position, target=place))
        else:
            yield from _move_stop(ctx, i.MoveStop(id=intent.id, position=order.position, stop=place))
        return
    if order.in_doubt:
        yield from refuse(ctx, intent, "IN_DOUBT", order.client_order_id)
        return
    if order.amend_pending or order.cancel_pending or not order.is_working:
        yield from refuse(ctx, intent, "PENDING", order.client_order_id)
        return
    instrument = ctx.state.instruments[order.symbol]
    if not ctx.profile.amend:
        yield from refuse(ctx, intent, "NOTHING_TO_DO", "this venue can't change an order: cancel it and enter anew")
        return
    if not usable(intent.price) or intent.price % instrument.tick:
        yield from refuse(ctx, intent, "NOT_A_NUMBER", f"price {intent.price}", f"a multiple of {instrument.tick:f}")
        return
    yield from accept(ctx, intent, f"order {order.symbol} → {intent.price:f}", order.client_order_id)
    if order.type is OrderType.STOP_LIMIT and not order.triggered:
        limit = instrument.round_bound(order.side.worse(intent.price, ctx.rules.max_slippage(order.symbol)), order.side)
        yield e.AmendAsked(ctx.now, order.client_order_id, Lane.ENTRY, price=limit, trigger=intent.price)
    else:
        yield e.AmendAsked(ctx.now, order.client_order_id, Lane.ENTRY, price=intent.price)


def _cancel(ctx: Context, intent: i.CancelOrder) -> Events:
    order = ctx.state.orders.get(intent.order)
    if order is None:
        yield from refuse(ctx, intent, "UNKNOWN_ORDER", intent.order)
    elif order.in_doubt:
        yield from refuse(ctx, intent, "IN_DOUBT", order.client_order_id)
    elif order.cancel_pending:
        yield from refuse(ctx, intent, "PENDING", order.client_order_id)
    else:
        yield from accept(ctx, intent, f"cancelling {order.role} {order.symbol}", order.client_order_id)
        if order.role is Role.STOP:
            yield e.StopMoved(ctx.now, order.position, None, by="operator", reason="cancelled by hand")
        elif order.role is Role.TARGET:
            position = ctx.state.positions.get(order.position)
            if position is not None and serves_goal(position, order):
                yield e.GoalsSet(ctx.now, position.id, goals.moved(position, order, None))
            else:
                yield e.TargetMoved(ctx.now, order.position, None)
        else:
            yield from cancel(ctx, order, "operator", cancel_lane(ctx))


def _cancel_entries(ctx: Context, intent: i.CancelSymbol | i.CancelAll) -> Events:
    symbol = intent.symbol if isinstance(intent, i.CancelSymbol) else None
    if symbol is not None and symbol not in ctx.state.instruments:
        yield from refuse(ctx, intent, "UNKNOWN_SYMBOL", symbol, ", ".join(sorted(ctx.state.instruments)))
        return
    entries = [o for o in ctx.state.orders.values() if not o.is_exit and symbol in (None, o.symbol)]
    foreign = list(ctx.state.foreign.values()) if isinstance(intent, i.CancelAll) and intent.foreign else []
    if not entries and not foreign:
        yield from refuse(ctx, intent, "NOTHING_TO_DO", "no entry is open" + (f" in {symbol}" if symbol else ""))
        return
    yield from accept(ctx, intent, f"cancelling {len(entries) + len(foreign)} orders")
    for order in entries:
        yield from cancel(ctx, order, "operator")
    for order in foreign:
        yield e.OrphanCancelled(ctx.now, order)


def _pause(ctx: Context, intent: i.Pause) -> Events:
    yield from accept(ctx, intent, "entries paused")
    if "PAUSED" not in ctx.state.blocks:
        yield e.EntriesBlocked(ctx.now, "PAUSED", "paused by the operator", None)


def _resume(ctx: Context, intent: i.Resume) -> Events:
    if intent.reason == "HALTED" and ctx.state.halted:
        yield from accept(ctx, intent, "the halt is over: stops, targets and trails act by themselves again")
        yield e.HaltSet(ctx.now, halted=False)
    elif intent.reason not in ctx.state.blocks:
        yield from refuse(ctx, intent, "NOTHING_TO_DO", f"entries are not blocked by {intent.reason}")
    elif intent.reason not in BY_HAND:
        yield from refuse(ctx, intent, "NOT_RESUMABLE", intent.reason, "it clears by itself once its cause is gone")
    else:
        yield from accept(ctx, intent, f"{intent.reason} cleared")
        if intent.reason == unexplained.BLOCK:
            yield from unexplained.leave_all(ctx)
        if intent.reason in ctx.state.blocks:
            yield e.EntriesAllowed(ctx.now, intent.reason)
        yield from cure(ctx, intent.reason, "account")
        yield from cure(ctx, "LOCKOUT", intent.reason)


def _go_live(ctx: Context, intent: i.GoLive) -> Events:
    if intent.account != ctx.state.account:
        yield from refuse(ctx, intent, "WRONG_NAME", intent.account, ctx.state.account)
    elif LOOKING not in ctx.state.blocks:
        yield from refuse(ctx, intent, "NOTHING_TO_DO", f"entries on {ctx.state.account} are not held back")
    else:
        yield from accept(ctx, intent, f"{ctx.state.account} takes entries")
        yield e.EntriesAllowed(ctx.now, LOOKING)
        yield from cure(ctx, LOOKING, ctx.state.account)


def _halt(ctx: Context, intent: i.Halt) -> Events:
    yield from accept(ctx, intent, "halted: exits only on your hand; :unhalt ends it")
    if not ctx.state.halted:
        yield e.HaltSet(ctx.now, halted=True)


def _acknowledge(ctx: Context, intent: i.Acknowledge) -> Events:
    standing = ctx.state.alerts.get(intent.alert)
    if standing is None:
        yield from refuse(ctx, intent, "UNKNOWN_ALERT", intent.alert)
        return
    yield from accept(ctx, intent, "acknowledged")
    if standing.acknowledged_at is None:
        yield e.AlertAcknowledged(ctx.now, intent.alert)


def _annotate(ctx: Context, intent: i.Annotate) -> Events:
    if intent.position not in ctx.state.positions and intent.position not in ctx.state.closed:
        yield from refuse(ctx, intent, "UNKNOWN_POSITION", intent.position)
        return
    yield from accept(ctx, intent, "noted", intent.position)
    yield e.PositionNoted(ctx.now, intent.position, intent.note, intent.tags)


def _reconcile(ctx: Context, intent: i.Reconcile) -> Events:
    yield from accept(ctx, intent, "asking the venue")
    yield from reconcile.ask(ctx)


def _withdraw(ctx: Context, intent: i.Withdraw) -> Events:
    first = ctx.state.answers.get(intent.asked)
    if first is not None:
        yield from refuse(ctx, intent, "TOO_LATE", intent.asked, first.text or "; ".join(refusal.text for refusal in first.refusals))
        return
    yield from accept(ctx, intent, "withdrawn")
    yield e.IntentWithdrawn(ctx.now, intent.asked)


def overdue(ctx: Context, intent: i.AnyIntent, late: int) -> Events:
    """Refuse what was to be taken until a time that is over by `late` nanoseconds."""
    until = datetime.fromtimestamp((intent.not_after or 0) / SECOND, UTC)
    yield from refuse(ctx, intent, "EXPIRED", f"{until:%H:%M:%S}", f"{late / SECOND:.1f} s")


HANDLERS: dict[type, Callable[[Context, Any], Events]] = {
    i.OpenBracket: open_bracket,
    i.MoveStop: _move_stop,
    i.MoveTarget: _move_target,
    i.SetTrail: _trail,
    i.BreakEven: _break_even,
    i.ClosePosition: _close,
    i.Reverse: _reverse,
    i.AmendOrder: _amend,
    i.CancelOrder: _cancel,
    i.CancelSymbol: _cancel_entries,
    i.CancelAll: _cancel_entries,
    i.Pause: _pause,
    i.Resume: _resume,
    i.GoLive: _go_live,
    i.Halt: _halt,
    i.Flatten: flatten.flatten,
    i.Acknowledge: _acknowledge,
    i.Annotate: _annotate,
    i.Reconcile: _reconcile,
    i.Resolve: settling.resolve,
    i.Withdraw: _withdraw,
}


def take(ctx: Context, intent: i.AnyIntent) -> Events:
    """Decide an intent that has not been answered yet."""
    yield from HANDLERS[type(intent)](ctx, intent)
