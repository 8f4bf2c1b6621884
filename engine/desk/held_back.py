"""What the gate holds back: told with its evidence, and decided anew."""

from engine.desk import between, proved
from engine.desk import events as e
from engine.desk.context import Context, Events, alert, cure
from engine.desk.entries import ended_without
from engine.desk.fills import told_name
from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.money import ZERO
from engine.model.order import Order, Role

HELD = 1_000_000_000
"""Nanoseconds until an exit is decided anew that the gate did not let leave; doubles with each
attempt up to `HELD_MOST`.
"""
HELD_MOST = 15_000_000_000


def on_held_back(ctx: Context, report: r.HeldBack) -> Events:
    """The gate lets a request wait, or has it not leave at all: told with its evidence; what never
    leaves is decided anew.
    """
    order = ctx.state.order(report.client_order_id)
    if order is None:
        return
    if report.request == "submit" and report.reason == "evidence":
        ctx.board.blind.add(order.position)
    elif (
        report.request == "submit"
    ):  # it left, or a picture came: what was said of that one time is over
        ctx.board.blind.discard(order.position)
        ctx.board.confirmed.discard(order.position)
    if not report.reason:
        yield from cure(ctx, AlertCode.HELD_BACK, order.position)
        return
    code = AlertCode.SENT_ON_BOOKS if report.reason == "books" else AlertCode.HELD_BACK
    yield from alert(
        ctx, code, f"{report.request} of {told_name(order)}", report.text, order.position
    )
    if not report.final or not order.is_open:
        return
    if (position := ctx.state.positions.get(order.position)) is not None:
        proved.remember(ctx, position, report)
    match report.request:
        case "submit":
            yield e.OrderRejected(
                ctx.now, order.client_order_id, f"held back: {report.text}", lost=True
            )
            yield from _wait(ctx, order)
        case "amend":
            yield e.AmendRefused(ctx.now, order.client_order_id, f"held back: {report.text}")
            yield from _wait(ctx, order)
        case _:
            yield e.CancelRefused(ctx.now, order.client_order_id, f"held back: {report.text}")


def _wait(ctx: Context, order: Order) -> Events:
    """Being held back is no refusal of the venue's: the position waits. The next close has the pace
    of all.
    """
    position = ctx.state.positions.get(order.position)
    if position is None:
        return
    if order.role is Role.CLOSE and position.size > ZERO:
        yield from between.failed(ctx, position)
    elif order.is_exit and not between.keeps_pace(ctx, position):
        # what the venue does not have, it has no sooner for asking
        pause = min(HELD << min(position.attempts, 8), HELD_MOST)
        yield e.StopRetrySet(ctx.now, position.id, position.stop_refusals, ctx.now + pause)
    elif not order.is_exit:
        yield from ended_without(ctx, order)
