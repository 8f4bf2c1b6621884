"""What follows at once from a message. Each kind has its rule in one table; intents have a table of
their own.
"""

from collections.abc import Callable, Iterable
from typing import Any

from engine.desk import (
    custody,
    doubts,
    entries,
    fills,
    flatten,
    found,
    held_back,
    identity,
    intents,
    lockouts,
    looks,
    marked,
    modes,
    price_alerts,
    protection,
    reconcile,
    recovery,
    reports,
    silent,
    stuck,
    unexplained,
    unheard,
)
from engine.desk import events as e
from engine.desk.context import Context, Events, alert, cure, nanoseconds
from engine.desk.kept import kept
from engine.desk.messages import (
    Crossed,
    Listed,
    Marked,
    Message,
    Overdue,
    Pulse,
    RateLimited,
    Reconcile,
    Restarted,
    SetBack,
    Slept,
    Trouble,
    Wake,
)
from engine.desk.ordering import cancel, locked_elsewhere
from engine.desk.watches import PRICE_ALERT, RESTS
from engine.model import report as r
from engine.model.codes import AlertCode, BlockCode
from engine.model.intent import Intent
from engine.model.money import plain
from engine.model.order import Status


def decide(ctx: Context, message: Message, due: Iterable[str]) -> Events:
    """All that follows at once from a message."""
    for name in due:
        yield from _on_time(ctx, name)
    handler = HANDLERS.get(type(message))
    if handler is not None:
        yield from handler(ctx, message)
    elif isinstance(message, Intent):
        yield from intents.take(ctx, message)


def _on_crossed(ctx: Context, message: Crossed) -> Events:
    quote = ctx.quote(message.symbol)
    for name, what in message.watches:
        if what == PRICE_ALERT:
            yield from price_alerts.crossed(ctx, name)
            continue
        if what == RESTS:
            silent.passed(ctx, name)
            continue
        if what == "stop":
            silent.stop_passed(ctx, name)
        position = ctx.state.positions.get(name)
        if quote is not None and position is not None:
            yield from protection.crossed(ctx, name, what, ctx.mark(position) or quote.mid)


def _on_pulse(ctx: Context, _: Pulse) -> Events:
    yield from lockouts.pulse(ctx)
    yield from identity.due(ctx)
    yield from flatten.step(ctx)
    yield from unheard.tell(ctx)
    # the last doubt ended after the picture came
    recovered = BlockCode.STARTING in ctx.state.blocks and not doubts.unanswered(ctx)
    # a mark waits for a picture that counts
    waits = (
        recovered
        or BlockCode.SLEPT in ctx.state.blocks
        or bool(ctx.state.marked)
        or unheard.waits(ctx)
    )
    over = bool(kept(ctx).over) and doubts.asks_again(
        ctx, ctx.state.last_fill_at, ctx.state.reconciled_at
    )
    if (
        (waits and doubts.asks_again(ctx, ctx.board.restarted_at, ctx.state.reconciled_at))
        or over
        or looks.due_at(ctx) <= ctx.now
    ):
        yield from reconcile.ask(ctx)


def _on_fees(ctx: Context, report: r.FeesTold) -> Events:
    """Count with the rates that the venue tells from now on; decisions made with others stay."""
    ctx.board.fees[report.symbol] = report
    ctx.state.revise(report.symbol)
    yield from ()


def _on_funding(ctx: Context, report: r.FundingRate) -> Events:
    """Show the funding rate that comes next; the venue's money tells what was paid."""
    ctx.board.funding[report.symbol] = report
    yield from ()


def _on_listed(ctx: Context, message: Listed) -> Events:
    for instrument in message.instruments:
        ctx.board.list(instrument)
        if ctx.state.instruments.get(instrument.symbol) != instrument:
            yield e.InstrumentListed(ctx.now, instrument)


def _on_overdue(ctx: Context, message: Overdue) -> Events:
    yield from intents.overdue(ctx, message.intent, message.late)


def _on_set_back(ctx: Context, message: SetBack) -> Events:
    yield from unexplained.set_back(ctx, message.text)


def _on_marked(ctx: Context, message: Marked) -> Events:
    yield from marked.found(ctx, message.name, message.orders)


def _on_wake(_: Context, __: Wake) -> Events:
    """Do nothing: what is due is looked at with every message."""
    yield from ()


def _on_reconcile(ctx: Context, _: Reconcile) -> Events:
    yield from reconcile.ask(ctx)


def _on_rate_limited(ctx: Context, message: RateLimited) -> Events:
    if message.text:
        yield from alert(ctx, AlertCode.RATE_LIMITED, "venue", message.text)
    else:
        yield from cure(ctx, AlertCode.RATE_LIMITED, "venue")


def _on_time(ctx: Context, name: str) -> Events:
    """A position's time has come: expiry, a question, a grace, a retry, a closing that takes too
    long.
    """
    for order in ctx.state.orders_for(name):
        if order.expires_at is not None and order.expires_at <= ctx.now:
            yield from cancel(ctx, order, "expired")
        yield from stuck.tell_jumped(ctx, order)
        yield from stuck.tell_fired(ctx, order)
        yield from silent.ask(ctx, order)
        if f"{AlertCode.DOUBT_OLD}:{order.client_order_id}" not in ctx.state.alerts:
            yield from doubts.tell_old(ctx, order)
        yield from doubts.due(ctx, order)
    position = ctx.state.positions.get(name)
    if position is None:
        return
    since = position.through_since
    if since is not None and since + nanoseconds(ctx.rules.protection.grace) <= ctx.now:
        yield from protection.grace_over(ctx, position)
    patience = nanoseconds(ctx.rules.protection.stuck)
    if (
        position.closing
        and position.closing_since is not None
        and position.closing_since + patience <= ctx.now
    ):
        text = f"{plain(position.closing)} left after {position.attempts} attempts"
        locked = locked_elsewhere(ctx, position)
        if locked:
            text += (
                f"; {plain(locked)} rests in orders that are not ours: cancel those (all orders of"
                " the account), or there"
            )
        yield from alert(ctx, AlertCode.CLOSE_STUCK, position.symbol, text, name)
    yield from custody.keep(ctx, name)
    yield from lockouts.naked(ctx)


def afterwards(ctx: Context, seen: Iterable[str]) -> Events:
    """Do what follows once all positions are settled."""
    for name in list(seen):
        closed = ctx.state.closed.get(name)
        if closed is not None and closed.closed_at == ctx.now:
            yield from lockouts.after_loss(ctx)
            yield from entries.reversal(ctx, name)
    yield from protection.cure_ended(ctx)
    if lockouts.NAKED in ctx.state.blocks:
        yield from lockouts.naked(ctx)
    stuck.forget(ctx)
    silent.forget(ctx)
    yield from flatten.step(ctx)


def _restart(ctx: Context, message: Restarted) -> Events:
    """What was on its way when the last engine ended may or may not have arrived."""
    ctx.board.restarted_at = ctx.now
    unheard.begin(ctx)
    yield from unheard.tell_gap(ctx, message.since)
    if BlockCode.STARTING not in ctx.state.blocks:
        yield e.EntriesBlocked(
            ctx.now, BlockCode.STARTING, "recovering: the venue is being asked", None
        )
    yield from recovery.skip_numbers(ctx)
    for order in list(ctx.state.orders.values()):
        if order.status is Status.PENDING or order.amend_pending or order.cancel_pending:
            request = (
                "submit"
                if order.status is Status.PENDING
                else "amend"
                if order.amend_pending
                else "cancel"
            )
            text = "the engine was restarted"
            yield e.OutcomeUnknown(ctx.now, order.client_order_id, request, text, ctx.now)
            yield from doubts.tell(ctx, order, request, text)
    yield from doubts.ask_now(ctx)
    yield e.AccountAsked(ctx.now, doubts.since(ctx))


def _trouble(ctx: Context, message: Trouble) -> Events:
    if message.text:
        yield from alert(ctx, message.code, message.subject, message.text)
        if message.blocks and message.code not in ctx.state.blocks:
            yield e.EntriesBlocked(
                ctx.now, message.code, f"{message.subject}: {message.text}", None
            )
    else:
        yield from cure(ctx, message.code, message.subject)
        if message.code in ctx.state.blocks:
            yield e.EntriesAllowed(ctx.now, message.code)


HANDLERS: dict[type, Callable[[Context, Any], Events]] = {
    r.Accepted: reports.on_accepted,
    r.Rejected: reports.on_rejected,
    r.Filled: fills.on_filled,
    r.Triggered: reports.on_triggered,
    r.Amended: reports.on_amended,
    r.AmendRejected: reports.on_amend_rejected,
    r.Cancelled: reports.on_cancelled,
    r.Expired: reports.on_cancelled,
    r.CancelRejected: reports.on_cancel_rejected,
    r.Unknown: reports.on_unknown,
    r.HeldBack: held_back.on_held_back,
    r.Found: found.on_found,
    r.Absent: doubts.on_absent,
    r.Unanswered: doubts.on_unanswered,
    Crossed: _on_crossed,
    Pulse: _on_pulse,
    Wake: _on_wake,
    Overdue: _on_overdue,
    SetBack: _on_set_back,
    Marked: _on_marked,
    r.Picture: reconcile.on_picture,
    r.Connected: reconcile.on_connected,
    r.Disconnected: reconcile.on_disconnected,
    r.Liquidated: reconcile.on_liquidated,
    r.FundingRate: _on_funding,
    r.FeesTold: _on_fees,
    r.MarketMode: modes.on_mode,
    r.Relisted: modes.on_relisted,
    Listed: _on_listed,
    Restarted: _restart,
    Reconcile: _on_reconcile,
    Trouble: _trouble,
    RateLimited: _on_rate_limited,
    Slept: reconcile.on_slept,
}
"""From a message to its rule; intents have a table of their own."""
