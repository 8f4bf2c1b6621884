"""What a trader asks, rule by rule. Each intent is answered once; asked again under the same id, it
gets the first answer.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from engine.desk import events as e
from engine.desk import flatten, limit_exits_by_hand, price_alerts, reconcile, seen, unexplained
from engine.desk.closes_by_hand import close, reverse
from engine.desk.context import LOOKING, SECOND, Context, Events, cure
from engine.desk.differences_by_hand import resolve
from engine.desk.entries import accept, open_bracket, refuse
from engine.desk.orders_by_hand import amend, cancel_entries, cancel_order
from engine.desk.stops_by_hand import move_stop, move_target, set_trail, stop_to_break_even
from engine.model import intent as i
from engine.model.codes import AlertCode, BlockCode, RefusalCode

BY_HAND: dict[str, str] = {
    BlockCode.PAUSED: "resume",
    BlockCode.DRAWDOWN: "resume DRAWDOWN",
    BlockCode.LOSING_STREAK: "resume LOSING_STREAK",
    BlockCode.DAILY_LOSS: "resume DAILY_LOSS",
    BlockCode.HALTED: "unhalt",
    BlockCode.TASK_DIED: "resume TASK_DIED",
    BlockCode.UNEXPLAINED: "resume UNEXPLAINED",
    BlockCode.SECOND_ENGINE: "resume SECOND_ENGINE",
    BlockCode.EMERGENCY_EXIT: "resume EMERGENCY_EXIT",
}
"""Reasons that the operator may clear by name, and the command that does."""


def _pause(ctx: Context, intent: i.Pause) -> Events:
    yield from accept(ctx, intent, "entries paused")
    if BlockCode.PAUSED not in ctx.state.blocks:
        yield e.EntriesBlocked(ctx.now, BlockCode.PAUSED, "paused by the operator", None)


def _resume(ctx: Context, intent: i.Resume) -> Events:
    if intent.reason == BlockCode.HALTED and ctx.state.halted:
        yield from accept(
            ctx, intent, "the halt has ended: stops, targets and trails act by themselves again"
        )
        yield e.HaltSet(ctx.now, halted=False)
    elif intent.reason not in ctx.state.blocks:
        yield from refuse(
            ctx, intent, RefusalCode.NOTHING_TO_DO, f"entries are not blocked by {intent.reason}"
        )
    elif intent.reason not in BY_HAND:
        yield from refuse(
            ctx,
            intent,
            RefusalCode.NOT_RESUMABLE,
            intent.reason,
            "it clears by itself once its cause is gone",
        )
    elif intent.reason == unexplained.BLOCK and unexplained.is_early(ctx.state):
        yield from refuse(ctx, intent, RefusalCode.NOT_RESUMABLE, intent.reason, unexplained.EARLY)
    else:
        yield from accept(ctx, intent, f"{intent.reason} cleared")
        if intent.reason == unexplained.BLOCK:
            yield from unexplained.leave_all(ctx)
        if intent.reason in ctx.state.blocks:
            yield e.EntriesAllowed(ctx.now, intent.reason)
        yield from cure(ctx, intent.reason, "account")
        yield from cure(ctx, AlertCode.LOCKOUT, intent.reason)


def _go_live(ctx: Context, intent: i.GoLive) -> Events:
    if intent.account != ctx.state.account:
        yield from refuse(ctx, intent, RefusalCode.WRONG_NAME, intent.account, ctx.state.account)
    elif LOOKING not in ctx.state.blocks:
        yield from refuse(
            ctx,
            intent,
            RefusalCode.NOTHING_TO_DO,
            f"entries on {ctx.state.account} are not held back",
        )
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
        yield from refuse(ctx, intent, RefusalCode.UNKNOWN_ALERT, intent.alert)
        return
    yield from accept(ctx, intent, "acknowledged")
    if standing.acknowledged_at is None:
        yield e.AlertAcknowledged(ctx.now, intent.alert)


def _annotate(ctx: Context, intent: i.Annotate) -> Events:
    if intent.position not in ctx.state.positions and intent.position not in ctx.state.closed:
        yield from refuse(ctx, intent, RefusalCode.UNKNOWN_POSITION, intent.position)
        return
    yield from accept(ctx, intent, "noted", intent.position)
    yield e.PositionNoted(ctx.now, intent.position, intent.note, intent.tags)


def _reconcile(ctx: Context, intent: i.Reconcile) -> Events:
    yield from accept(ctx, intent, "asking the venue")
    yield from reconcile.ask(ctx)


def _withdraw(ctx: Context, intent: i.Withdraw) -> Events:
    first = ctx.state.answers.get(intent.asked)
    if first is not None:
        yield from refuse(
            ctx,
            intent,
            RefusalCode.TOO_LATE,
            intent.asked,
            first.text or "; ".join(refusal.text for refusal in first.refusals),
        )
        return
    yield from accept(ctx, intent, "withdrawn")
    yield e.IntentWithdrawn(ctx.now, intent.asked)


def overdue(ctx: Context, intent: i.AnyIntent, late: int) -> Events:
    """Refuse what was to be taken until a time that is over by `late` nanoseconds."""
    until = datetime.fromtimestamp((intent.not_after or 0) / SECOND, UTC)
    yield from refuse(
        ctx, intent, RefusalCode.EXPIRED, f"{until:%H:%M:%S}", f"{late / SECOND:.1f} s"
    )


HANDLERS: dict[type, Callable[[Context, Any], Events]] = {
    i.OpenBracket: open_bracket,
    i.MoveStop: move_stop,
    i.MoveTarget: move_target,
    i.SetTrail: set_trail,
    i.BreakEven: stop_to_break_even,
    i.ClosePosition: close,
    i.LeaveAt: limit_exits_by_hand.leave,
    i.Reverse: reverse,
    i.AmendOrder: amend,
    i.CancelOrder: cancel_order,
    i.CancelSymbol: cancel_entries,
    i.CancelAll: cancel_entries,
    i.Pause: _pause,
    i.Resume: _resume,
    i.GoLive: _go_live,
    i.Halt: _halt,
    i.Flatten: flatten.flatten,
    i.SetPriceAlert: price_alerts.watch,
    i.CancelPriceAlert: price_alerts.cancel,
    i.Acknowledge: _acknowledge,
    i.Annotate: _annotate,
    i.Reconcile: _reconcile,
    i.Resolve: resolve,
    i.Withdraw: _withdraw,
}


def take(ctx: Context, intent: i.AnyIntent) -> Events:
    """Decide an intent that has not been answered yet: what was seen first."""
    against = seen.refusal(ctx, intent)
    if against is not None:
        yield from refuse(ctx, intent, against.code, against.value, against.bound)
        return
    yield from HANDLERS[type(intent)](ctx, intent)
