"""Not knowing is a state. An order with an unknown outcome is asked for until the venue has proved it one way or the other.

"Not found" is believed only the second time, and only once the order's deadline has passed: an order may still be on its way when we ask.
"""

from engine.desk import events as e
from engine.desk.context import Context, Events, alert, nanoseconds
from engine.desk.ordering import again as send_again
from engine.desk.state import Doubt
from engine.model import report as r
from engine.model.money import plain
from engine.model.order import Order, Status

DAY = 86_400_000_000_000
"""Nanoseconds that a new journal looks back."""
OVERLAP = 60_000_000_000
"""Nanoseconds that a question about executions reaches back before the last one that we know."""


def begin(ctx: Context, order: Order, request: str, text: str) -> Events:
    """The outcome of a request about an order is unknown."""
    current = ctx.state.order(order.client_order_id)
    if current is None or not current.is_open:
        return
    if order.client_order_id in ctx.state.doubts and current.in_doubt:
        return
    yield e.OutcomeUnknown(ctx.now, order.client_order_id, request, text, ctx.now + nanoseconds(ctx.rules.requests.ask))
    subject = f"{request} of {order.role.value} {order.side.value} {plain(order.size)} {order.symbol}"
    yield from alert(ctx, "UNKNOWN_OUTCOME", subject, text, order.client_order_id)


def about(ctx: Context, order: Order) -> str:
    """Which request is in doubt: submit, amend, cancel, check; empty for none."""
    doubt = ctx.state.doubts.get(order.client_order_id)
    return "" if doubt is None else doubt.request


def _pause(ctx: Context, doubt: Doubt) -> int:
    rules = ctx.rules.requests
    return nanoseconds(min(rules.ask * 2 ** min(doubt.asked, 16), rules.ask_max))


def due(ctx: Context, order: Order) -> Events:
    """Ask, if it is time to."""
    doubt = ctx.state.doubts.get(order.client_order_id)
    if doubt is not None and doubt.ask_at is not None and doubt.ask_at <= ctx.now:
        patience = nanoseconds(ctx.rules.requests.ask_max)
        yield e.QuestionAsked(ctx.now, order.client_order_id, ctx.now + patience)


def ask(ctx: Context, order: Order) -> Events:
    """Ask about an order that nobody doubted so far; nothing for one that has ended, which no answer would settle."""
    if order.is_open and order.client_order_id not in ctx.state.doubts:
        yield e.QuestionAsked(ctx.now, order.client_order_id, ctx.now + nanoseconds(ctx.rules.requests.ask_max))


def ask_account(ctx: Context) -> Events:
    """Ask for a picture of the account, unless one has been asked for and may still come."""
    asked = ctx.state.asked_at
    if asked is None or ctx.now - asked > nanoseconds(15.0):
        yield e.AccountAsked(ctx.now, since(ctx))


def since(ctx: Context) -> int:
    """From when on executions are asked for: before the last one that we know, or before the last picture, and before what a last exit sent.

    A journal that knows nothing looks back a day: what bears our name by then is not ours to explain away.
    """
    state = ctx.state
    known = state.last_fill_at or (min(state.reconciled_at, ctx.now) if state.cash and state.reconciled_at else ctx.now - DAY)
    return max(0, min([known, *(order.at for order in state.marked.values())]) - OVERLAP)


def ask_now(ctx: Context) -> Events:
    """The line is up again, and only now can it be proved that an order is nowhere: what is in doubt is asked about at once."""
    for name, doubt in list(ctx.state.doubts.items()):
        if doubt.ask_at is None or doubt.ask_at > ctx.now:
            yield e.QuestionFailed(ctx.now, name, ctx.now)


def asks_again(ctx: Context, since: int, last: int) -> bool:
    """Whether to ask once more for a picture of a time after `since`, the last one having been asked for or told at `last`.

    A view may lag by a minute, and some venues count such questions for ten: they come farther and farther apart.
    """
    waited = ctx.now - last
    return waited < 0 or waited >= max(nanoseconds(1.0), min((ctx.now - since) // 4, nanoseconds(15.0)))


def again(ctx: Context, name: str) -> Events:
    """The answer was not enough: ask once more after a pause."""
    doubt = ctx.state.doubts.get(name)
    if doubt is not None:
        yield e.QuestionFailed(ctx.now, name, ctx.now + _pause(ctx, doubt))


def completed(ctx: Context, name: str) -> Events:
    """A fill proves that an order reached the venue; one whose end waits for its last fills is asked for again at once."""
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
        yield e.QuestionFailed(ctx.now, report.client_order_id, ctx.now + _pause(ctx, doubt))


def on_absent(ctx: Context, report: r.Absent) -> Events:
    """The venue says that it does not know the order."""
    name = report.client_order_id
    doubt = ctx.state.doubts.get(name)
    order = ctx.state.orders.get(name)
    if doubt is None or order is None:
        return
    window = window_ends(ctx, order)
    if report.at < window:
        yield e.AbsenceTold(ctx.now, name, max(window, ctx.now + _pause(ctx, doubt)))
    elif doubt.absences == 0:
        yield e.AbsenceTold(ctx.now, name, ctx.now + nanoseconds(ctx.rules.requests.ask))
    else:
        yield from _never_arrived(ctx, order)


def _never_arrived(ctx: Context, order: Order) -> Events:
    """Proved: it is over. An entry goes out again while it is young; exits are placed again by custody."""
    if order.status is not Status.PENDING:
        yield e.OrderCancelled(ctx.now, order.client_order_id, "the venue no longer knows it")
        yield from alert(ctx, "DIFFERENCE", order.client_order_id, "the venue no longer knows a working order", order.client_order_id)
        return
    yield e.OrderRejected(ctx.now, order.client_order_id, "never reached the venue", lost=True)
    plan = ctx.state.plans.get(order.position)
    if order.is_exit or plan is None:
        return
    young = ctx.now - plan.began_at < nanoseconds(ctx.rules.requests.resend)
    blocked = ctx.state.blocks.keys() - {"STARTING"}  # recovery ends with this very doubt
    if young and not blocked and not ctx.state.halted:
        yield send_again(ctx, order, plan.intent, plan.attempts + 1)
    else:
        subject = f"entry {order.side.value} {plain(order.size)} {order.symbol}"
        yield from alert(ctx, "ORDER_REJECTED", subject, "it never reached the venue", order.client_order_id)
