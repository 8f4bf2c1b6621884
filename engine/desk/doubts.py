"""Not knowing is a state. An order with an unknown outcome is asked for until the venue has proved
it one way or the other.

"Not found" is believed only the second time, and only once the order's deadline has passed: an
order may still be on its way when we ask.
"""

from engine.desk import between
from engine.desk import events as e
from engine.desk.context import Context, Events, alert, alert_once, nanoseconds
from engine.desk.ordering import again as send_again
from engine.desk.state import Doubt, State
from engine.model import report as r
from engine.model.codes import AlertCode, BlockCode
from engine.model.counts import counted
from engine.model.money import ZERO, plain
from engine.model.order import Order, Role, Status, TimeInForce

DAY = 86_400_000_000_000
"""Nanoseconds that a new journal looks back."""
OLD = 30_000_000_000
"""Nanoseconds after which a doubt is an alert of its own, and keeps nothing from being compared."""
LATE = 60_000_000_000
"""Nanoseconds by which a live venue's views may lag where `requests.late` says nothing."""
UNEXPLAINED = 3
"""Times `requests.late` that an entry's end is not believed while a difference stands."""
CHECK = "check"
"""What is in doubt of an order that was taken, and must have filled by now."""
OVERLAP = 60_000_000_000
"""Nanoseconds that a question about executions reaches back before the last one that we know."""


def begin(ctx: Context, order: Order, request: str, text: str) -> Events:
    """The outcome of a request about an order is unknown."""
    current = ctx.state.order(order.client_order_id)
    if current is None or not current.is_open:
        return
    if order.client_order_id in ctx.state.doubts and current.in_doubt:
        return
    yield e.OutcomeUnknown(
        ctx.now, order.client_order_id, request, text, ctx.now + nanoseconds(ctx.rules.requests.ask)
    )
    yield from tell(ctx, order, request, text)


def tell(ctx: Context, order: Order, request: str, text: str) -> Events:
    """Say that it is not known what became of a request."""
    yield from alert(
        ctx, AlertCode.UNKNOWN_OUTCOME, _subject(order, request), text, order.client_order_id
    )


def _subject(order: Order, request: str) -> str:
    return f"{request} of {order.role.value} {order.side.value} {plain(order.size)} {order.symbol}"


def about(ctx: Context, order: Order) -> str:
    """Which request is in doubt: submit, amend, cancel, check; empty for none."""
    doubt = ctx.state.doubts.get(order.client_order_id)
    return "" if doubt is None else doubt.request


def _pause(ctx: Context, doubt: Doubt, order: Order) -> int:
    rules = ctx.rules.requests
    longest = min(rules.ask_max, rules.ask_exits) if order.is_exit else rules.ask_max
    return nanoseconds(min(rules.ask * 2 ** min(doubt.asked, 16), longest))


def due(ctx: Context, order: Order) -> Events:
    """Ask, if it is time to."""
    doubt = ctx.state.doubts.get(order.client_order_id)
    if doubt is not None and doubt.ask_at is not None and doubt.ask_at <= ctx.now:
        patience = nanoseconds(ctx.rules.requests.ask_max)
        yield e.QuestionAsked(ctx.now, order.client_order_id, ctx.now + patience)


def ask(ctx: Context, order: Order) -> Events:
    """Ask about an order that nobody doubted so far; nothing for one that has ended, which no
    answer would settle.
    """
    if order.is_open and order.client_order_id not in ctx.state.doubts:
        yield e.QuestionAsked(
            ctx.now, order.client_order_id, ctx.now + nanoseconds(ctx.rules.requests.ask_max)
        )


def ask_account(ctx: Context) -> Events:
    """Ask for a picture of the account, unless one has been asked for and may still come."""
    asked = ctx.state.asked_at
    if asked is None or ctx.now - asked > nanoseconds(15.0):
        yield e.AccountAsked(ctx.now, since(ctx))


def since(ctx: Context) -> int:
    """From when on executions are asked for: before the last picture and the last one that we know,
    and before what a last exit sent.

    The last execution alone does not tell: one that happened while nobody listened may be older,
    and the stream told the newer one first. A journal that knows nothing looks back a day: what
    bears our name by then is not ours to explain away.
    """
    state = ctx.state
    compared = (
        min(state.reconciled_at, ctx.now) if state.cash and state.reconciled_at else ctx.now - DAY
    )
    known = min(state.last_fill_at or compared, compared)
    return max(0, min([known, *(order.at for order in state.marked.values())]) - OVERLAP)


def ask_now(ctx: Context) -> Events:
    """The line is up again, and only now can it be proved that an order is nowhere: what is in
    doubt is asked about at once.
    """
    for name, doubt in list(ctx.state.doubts.items()):
        if doubt.ask_at is None or doubt.ask_at > ctx.now:
            yield e.QuestionFailed(ctx.now, name, ctx.now)


def asks_again(ctx: Context, since: int, last: int) -> bool:
    """Whether to ask once more for a picture of a time after `since`, the last one having been
    asked for or told at `last`.

    A view may lag by a minute, and some venues count such questions for ten: they come farther and
    farther apart.
    """
    waited = ctx.now - last
    return waited < 0 or waited >= max(
        nanoseconds(1.0), min((ctx.now - since) // 4, nanoseconds(15.0))
    )


def again(ctx: Context, name: str) -> Events:
    """The answer was not enough: ask once more after a pause."""
    doubt, order = ctx.state.doubts.get(name), ctx.state.order(name)
    if doubt is not None and order is not None:
        yield e.QuestionFailed(ctx.now, name, ctx.now + _pause(ctx, doubt, order))


def completed(ctx: Context, name: str) -> Events:
    """A fill proves that an order reached the venue; one whose end waits for its last fills is
    asked for again at once.
    """
    order = ctx.state.orders.get(name)
    doubt = ctx.state.doubts.get(name)
    if order is None or doubt is None:
        return
    if doubt.request == "submit":
        yield e.DoubtEnded(ctx.now, name)
    elif doubt.request == "cancel":
        yield e.QuestionFailed(ctx.now, name, ctx.now)


def window_ends(ctx: Context, order: Order) -> int:
    """When an order that the venue does not know can no longer be on its way."""
    settle = nanoseconds(ctx.rules.requests.settle)
    if order.deadline is not None:
        return order.deadline + settle
    return order.created_at + 5 * settle


def on_unanswered(ctx: Context, report: r.Unanswered) -> Events:
    """The question failed: nothing is known and nothing changes, but the next question."""
    doubt = ctx.state.doubts.get(report.client_order_id)
    order = ctx.state.orders.get(report.client_order_id)
    if doubt is not None and order is not None:
        pause = _pause(ctx, doubt, order)
        if order.is_exit and doubt.ask_at is not None:  # it took its time to fail
            asked_at = doubt.ask_at - nanoseconds(ctx.rules.requests.ask_max)
            shortest = min(pause, nanoseconds(ctx.rules.requests.ask))
            pause = max(asked_at + pause - ctx.now, shortest)
        yield e.QuestionFailed(ctx.now, report.client_order_id, ctx.now + pause)


def on_absent(ctx: Context, report: r.Absent) -> Events:
    """The venue says that it does not know the order."""
    name = report.client_order_id
    doubt = ctx.state.doubts.get(name)
    order = ctx.state.orders.get(name)
    if doubt is None or order is None:
        return
    window = window_ends(ctx, order)
    if order.status is not Status.PENDING and (
        order.time_in_force is TimeInForce.IOC or doubt.request == CHECK
    ):
        # the venue took it, and it may have filled, or not be listed yet: its views lag
        window = max(window, order.touched_at + late(ctx))
    if name in ctx.board.passed:
        window = max(window, doubt.since + late(ctx))
    if report.at < window:
        yield e.AbsenceTold(ctx.now, name, max(window, ctx.now + _pause(ctx, doubt, order)))
    elif doubt.absences == 0:
        yield e.AbsenceTold(ctx.now, name, ctx.now + nanoseconds(ctx.rules.requests.ask))
    else:
        yield from _never_arrived(ctx, order)


def may_be_late(ctx: Context, order: Order, theirs: Order) -> bool:
    """Whether the venue's word that an entry is over with nothing filled may be wrong: its
    executions may only be late.

    Nothing but this answer says that the order arrived. A venue's views lag by up to a minute, the
    one of executions and holdings too; so the end is believed once it has been told for
    `requests.late`, or for `UNEXPLAINED` times that while a difference stands that the order may
    explain: what has not been listed by then is somebody else's, and a difference that only a
    person settles must keep no order in doubt for ever.
    """
    doubt = ctx.state.doubts.get(order.client_order_id)
    if doubt is None or doubt.request != "submit" or order.is_exit or order.filled or theirs.filled:
        return False
    told_for = ctx.now - (ctx.now if doubt.told_at is None else doubt.told_at)
    if told_for < late(ctx):
        return True
    return told_for < UNEXPLAINED * late(ctx) and any(
        f"{AlertCode.DIFFERENCE}:{subject}" in ctx.state.alerts
        for subject in holdings_of(ctx.state, order)
    )


def late(ctx: Context) -> int:
    """How late executions may be told (nanoseconds)."""
    told = ctx.rules.requests.late
    return LATE if told is None else nanoseconds(told)


def end_told(ctx: Context, order: Order, text: str) -> Events:
    """Say so, ask again, and ask for what the account holds as well."""
    doubt = ctx.state.doubts[order.client_order_id]
    yield e.EndTold(ctx.now, order.client_order_id, ctx.now + _pause(ctx, doubt, order))
    yield from tell(ctx, order, doubt.request, f"told as {text} with nothing filled")
    yield from ask_account(ctx)


def holdings_of(state: State, order: Order) -> tuple[str, str]:
    """What an order changes when it fills: a symbol and its money, or the two currencies that
    change hands.
    """
    instrument = state.instruments[order.symbol]
    if instrument.moves_coins(order.leverage):
        return instrument.base, instrument.quote
    return order.symbol, instrument.settle


def is_open_question(ctx: Context, name: str) -> bool:
    """Whether an order's doubt is young and unanswered, so that what it changes can't be
    compared.
    """
    doubt = ctx.state.doubts.get(name)
    return doubt is not None and doubt.told_at is None and ctx.now - doubt.since < OLD


def unanswered(ctx: Context) -> bool:
    """Whether the venue has not answered about an order in doubt so far."""
    return any(doubt.told_at is None for doubt in ctx.state.doubts.values())


def tell_old(ctx: Context, order: Order) -> Events:
    """A doubt that does not end is told as one, once."""
    doubt = ctx.state.doubts.get(order.client_order_id)
    if doubt is not None and doubt.since + OLD <= ctx.now:
        detail = (
            doubt.text
            if doubt.told_at is None
            else f"{doubt.text}; the venue says over, nothing filled"
        )
        yield from alert(
            ctx,
            AlertCode.DOUBT_OLD,
            _subject(order, doubt.request),
            f"{detail}; asked {counted(doubt.asked, 'time')}",
            order.client_order_id,
        )


def old_at(state: State, order: Order) -> int | None:
    """When an order's doubt is to be told as an old one; None where nothing is to be told."""
    doubt = state.doubts.get(order.client_order_id)
    return (
        None
        if doubt is None or f"{AlertCode.DOUBT_OLD}:{order.client_order_id}" in state.alerts
        else doubt.since + OLD
    )


def _never_arrived(ctx: Context, order: Order) -> Events:
    """Proved: it is over. An entry goes out again while it is young; exits are placed again by
    custody.
    """
    if order.status is not Status.PENDING:
        yield e.OrderCancelled(ctx.now, order.client_order_id, "the venue no longer knows it")
        yield from alert(
            ctx,
            AlertCode.DIFFERENCE,
            order.client_order_id,
            "the venue no longer knows a working order",
            order.client_order_id,
        )
        return
    yield e.OrderRejected(ctx.now, order.client_order_id, "never reached the venue", lost=True)
    position = ctx.state.positions.get(order.position)
    if order.role is Role.CLOSE and position is not None and position.size > ZERO:
        yield from between.failed(ctx, position)
    plan = ctx.state.plans.get(order.position)
    if order.is_exit or plan is None:
        return
    young = ctx.now - plan.began_at < nanoseconds(ctx.rules.requests.resend)
    blocked = ctx.state.blocks.keys() - {BlockCode.STARTING}  # recovery ends with this very doubt
    if young and not blocked and not ctx.state.halted:
        yield send_again(ctx, order, plan.intent, plan.attempts + 1)
    else:
        subject = f"entry {order.side.value} {plain(order.size)} {order.symbol}"
        yield from alert_once(
            ctx,
            AlertCode.ORDER_REJECTED,
            subject,
            "it never reached the venue",
            order.client_order_id,
        )
