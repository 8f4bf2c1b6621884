"""Ours against the venue's: a picture of the account is compared with the state. What is provably
ours is applied; the rest is a difference.

A picture may be a minute old: an order that changed shortly before it was taken is not missing, and
"not listed" is only a reason to ask for that order by name. A picture that failed is not a picture.
"""

from collections.abc import Collection, Generator, Iterable
from typing import Protocol

from engine.desk import (
    custody,
    doubts,
    flatten,
    identity,
    marked,
    netting,
    owed,
    recovery,
    unexplained,
    unheard,
)
from engine.desk import events as e
from engine.desk.context import Context, Events, alert, cure, nanoseconds, on_margin
from engine.desk.entries import reversal
from engine.desk.figures import shares
from engine.desk.fills import fill_value, on_filled
from engine.desk.found import on_found
from engine.desk.ordering import cancel_lane, flattening, recovered_at
from engine.desk.settling import concerns, settle, traded_as, vanished
from engine.desk.truth import Holding, agrees, differences, financing, holdings, in_motion
from engine.desk.unexplained import strangers, unknown_fills
from engine.model.codes import AlertCode, BlockCode
from engine.model.fill import Fill
from engine.model.ids import account_prefix
from engine.model.intent import Settlement
from engine.model.money import ZERO, plain
from engine.model.order import Order, Status
from engine.model.report import Connected, Disconnected, Filled, Found, Liquidated, Picture


class SleptText(Protocol):
    """A message that says how long nobody looked."""

    @property
    def text(self) -> str:
        """In words."""
        ...


def ask(ctx: Context) -> Events:
    """Ask for a picture."""
    yield from doubts.ask_account(ctx)


def on_connected(ctx: Context, _: Connected) -> Events:
    """Reports flow again: what they missed must be asked for."""
    if BlockCode.DISCONNECTED in ctx.state.blocks:
        yield e.EntriesAllowed(ctx.now, BlockCode.DISCONNECTED)
        unheard.begin(ctx)
    yield from cure(ctx, AlertCode.DISCONNECTED, "venue")
    yield from doubts.ask_now(ctx)
    yield from ask(ctx)


def on_disconnected(ctx: Context, report: Disconnected) -> Events:
    """No reports: nothing opens until they flow again; exits go on."""
    if BlockCode.DISCONNECTED not in ctx.state.blocks:
        yield e.EntriesBlocked(ctx.now, BlockCode.DISCONNECTED, "no connection to the venue", None)
    yield from alert(ctx, AlertCode.DISCONNECTED, "venue", report.text)


def on_slept(ctx: Context, message: SleptText) -> Events:
    """What happened meanwhile is asked for before anything else: entries wait for the venue's word,
    and exits for a moment.
    """
    ctx.board.restarted_at = ctx.now
    yield from alert(ctx, AlertCode.SLEPT, "clock", message.text)
    yield e.EntriesBlocked(ctx.now, BlockCode.SLEPT, message.text, None)
    yield from ask(ctx)


def _awake(ctx: Context, picture: Picture) -> Events:
    """The venue has told of a time after the sleep."""
    if BlockCode.SLEPT in ctx.state.blocks and picture.as_of >= ctx.board.restarted_at:
        yield e.EntriesAllowed(ctx.now, BlockCode.SLEPT)
        yield from cure(ctx, AlertCode.SLEPT, "clock")


def on_picture(ctx: Context, picture: Picture) -> Events:
    """Compare, apply, and say what differs."""
    waited = ctx.now < recovered_at(ctx)
    ctx.board.picture = picture
    mine = account_prefix(ctx.state.account)
    theirs = {
        order.client_order_id: order
        for order in picture.orders
        if order.client_order_id.startswith(mine)
    }
    foreign = tuple(order for order in picture.orders if not order.client_order_id.startswith(mine))
    starting = BlockCode.STARTING in ctx.state.blocks
    for order in theirs.values():  # before its executions, which alone would make it look complete
        yield from recovery.from_order(ctx, order)
    # entries that filled unheard, and closes, which name their position:
    yield from _missed_fills(ctx, picture)
    yield from marked.book(ctx, picture)  # what a last exit closed is shared among the rest
    for order in theirs.values():
        yield from _listed(ctx, order, picture)
    yield from unexplained.look(ctx, picture, starting=starting)
    for order in list(ctx.state.orders.values()):
        if order.client_order_id not in theirs and (
            _old_enough(ctx, order, picture) or _overdue(order, order.touched_at, picture)
        ):
            yield from doubts.ask(ctx, order)
    yield from _foreign(ctx, foreign)
    told = yield from _compare(ctx, picture, foreign)
    yield from _awake(ctx, picture)
    yield from unheard.heard(ctx, picture)
    if BlockCode.STARTING in ctx.state.blocks and not doubts.unanswered(ctx):
        yield e.EntriesAllowed(ctx.now, BlockCode.STARTING)
        for name in list(ctx.state.reverses):
            yield from reversal(ctx, name)
    yield from marked.finish(ctx, picture, told)
    yield from vanished(ctx, picture)
    yield from flatten.confirm(ctx, picture, told, bool(theirs))
    for position in list(ctx.state.positions.values()):
        # what an exit waited for may have changed: somebody else's order is gone
        if waited or position.closing or position.size < ZERO:
            yield from custody.keep(ctx, position.id)


def _foreign(ctx: Context, orders: Iterable[Order]) -> Events:
    for order in orders:
        name = order.venue_order_id or order.client_order_id
        if name not in ctx.state.foreign:
            yield from alert(
                ctx,
                AlertCode.FOREIGN_ORDER,
                f"{order.side} {plain(order.size)} {order.symbol}",
                name,
                name,
            )


def _compare(
    ctx: Context, picture: Picture, foreign: tuple[Order, ...]
) -> Generator[e.AnyEvent, None, tuple[str, ...]]:
    """Say which holdings differ, and which no longer do; returns those that do."""
    if not ctx.state.cash and not in_motion(ctx, picture):
        yield from _take_over_money(ctx, picture)
    yield from netting.tell(
        ctx,
        picture,
        frozenset(one.subject for one in holdings(ctx, picture) if agrees(ctx, picture, one)),
    )
    yield from owed.look(ctx, picture)
    differing = {one.subject: one for one in differences(ctx, picture)}
    found = {
        one.subject: f"ours {plain(one.ours)}, the venue's {plain(one.theirs)}"
        for one in differing.values()
    }
    for subject, detail in found.items():
        yield from alert(ctx, AlertCode.DIFFERENCE, subject, detail, subject)
        instrument = traded_as(ctx, subject)
        if ctx.state.unexplained and instrument is not None:
            yield from unexplained.tell_bare(
                ctx,
                picture,
                subject,
                instrument,
                differing[subject].theirs - differing[subject].ours,
            )
    yield from _withdrawn(ctx, picture, differing)
    yield from _cure_differences(ctx, picture, found.keys())
    if picture.as_of > ctx.state.last_fill_at:
        yield from _financed(ctx, picture)
    yield e.Reconciled(
        ctx.now,
        picture.as_of,
        foreign,
        tuple(f"{subject}: {detail}" for subject, detail in found.items()),
    )
    return tuple(name for name in found if name in differing)


def _take_over_money(ctx: Context, picture: Picture) -> Events:
    """The first picture: the balances are ours, but for what is not explained."""
    ours = unexplained.withheld(ctx, picture)
    counted = tuple(fill.execution_id for fill, _ in unexplained.strange_coins(ctx, picture))
    for name, amount in ours.items():
        yield e.HoldingUnexplained(ctx.now, name, amount, counted)
    yield e.CashReported(
        ctx.now,
        {name: amount - ours.get(name, ZERO) for name, amount in picture.balances.items()},
    )


def _cure_differences(ctx: Context, picture: Picture, found: Collection[str]) -> Events:
    """End the alerts about what no longer differs, where enough is at rest to judge."""
    for standing in list(ctx.state.alerts.values()):
        if (
            standing.code == AlertCode.DIFFERENCE
            and standing.target not in found
            and not in_motion(ctx, picture, standing.target)
        ):
            yield e.AlertCured(ctx.now, standing.key)
            yield from unexplained.cure_bare(ctx, standing.target)


def _withdrawn(ctx: Context, picture: Picture, differing: dict[str, Holding]) -> Events:
    """Coins of the owner's own that have gone, and that no order of ours explains: booked as gone
    once pictures say so for a while.

    What lay there before us falls first. What is ours is never booked as gone here: the gate holds
    its exits, and the operator is asked.
    """
    falls = {}
    for subject, one in differing.items():
        fall, asset = one.ours - one.theirs, traded_as(ctx, subject)
        if (
            asset is None
            or subject in ctx.state.instruments
            or fall <= ZERO
            or unknown_fills(ctx.state, picture.fills)
        ):
            continue
        ours = sum(
            (p.signed_size for p in ctx.state.positions.values() if concerns(ctx, subject, p)), ZERO
        )
        if fall <= one.ours - max(ours, ZERO):
            since, amount = ctx.board.falls.get(subject, (picture.as_of, fall))
            falls[subject] = (since, fall) if amount == fall else (picture.as_of, fall)
    ctx.board.falls = falls
    for subject, (since, fall) in list(falls.items()):
        instrument = traded_as(ctx, subject)
        aged = picture.as_of - since >= nanoseconds(ctx.rules.requests.recent)
        if aged and instrument is not None and ctx.quote(instrument.symbol) is not None:
            yield from alert(ctx, AlertCode.WITHDRAWN, subject, plain(fall), subject)
            yield from settle(
                ctx, picture, subject, Settlement.FORGET, f"withdrawn/{subject}/{picture.at}"
            )
            differing.pop(subject)
            del falls[subject]


def _financed(ctx: Context, picture: Picture) -> Events:
    """Book what funding and lending cost, once two pictures in a row say the same: the first may
    know an execution that we don't.
    """
    owed = dict(financing(ctx, picture))
    ctx.board.owed_once = bool(owed) and not ctx.board.owed
    for currency, amount in owed.items():
        if ctx.board.owed.get(currency) == amount:
            yield e.Financed(ctx.now, currency, amount, shares(ctx, currency, amount))
    ctx.board.owed = owed


def _missed_fills(ctx: Context, picture: Picture) -> Events:
    yield from recovery.from_fills(ctx, picture.fills)
    in_all = {order.client_order_id: order.filled for order in picture.orders}
    listed: dict[str, list[Fill]] = {}
    for fill in picture.fills:
        listed.setdefault(fill.client_order_id, []).append(fill)
    for fill in picture.fills:
        known = (
            fill.symbol in ctx.state.instruments
            and ctx.state.order(fill.client_order_id) is not None
        )
        order = ctx.state.order(fill.client_order_id)
        if not known or order is None or identity.is_known(ctx.state, fill):
            continue
        its, total = listed[fill.client_order_id], in_all.get(fill.client_order_id)
        total = None if total is None else max(total, sum((one.size for one in its), ZERO))
        counted = sum((one.size for one in its if identity.is_known(ctx.state, one)), ZERO)
        # it may be told under another id: only the order itself says how much filled
        if total is None and counted < order.filled and order.is_open:
            yield from doubts.ask(ctx, order)
        else:
            yield from on_filled(ctx, Filled(fill, picture.at), total)


def _old_enough(ctx: Context, order: Order, picture: Picture) -> bool:
    return order.touched_at + nanoseconds(ctx.rules.requests.recent) <= picture.as_of


OVERDUE = 30_000_000_000
"""Nanoseconds after which a picture that contradicts what we were told of an order is no longer
taken for an old one without a question about that very order.
"""


def _overdue(order: Order, since: int, picture: Picture) -> bool:
    return order.status is not Status.PENDING and since + OVERDUE <= picture.at


def _terms(order: Order) -> tuple[object, ...]:
    return order.size, order.price, order.trigger


def _listed(ctx: Context, theirs: Order, picture: Picture) -> Events:
    """An order of ours that the venue has open."""
    ours = ctx.state.order(theirs.client_order_id)
    if ours is None:
        if strangers(ctx.state, (theirs,)):
            yield from _stranger(ctx, theirs, picture)
        elif (
            flattening(ctx) and theirs.client_order_id in ctx.state.left
        ):  # a flatten is about everything of ours
            yield e.OrphanCancelled(ctx.now, theirs)
    elif (
        ours.is_open
        and not (ours.amend_pending or ours.cancel_pending)
        and (
            theirs.filled > ours.filled
            or ours.status is Status.PENDING
            or ours.touched_at <= picture.as_of
        )
    ):
        if theirs.filled > ours.filled:
            yield from doubts.ask(ctx, ours)
        else:
            yield from on_found(ctx, Found(theirs, (), picture.as_of))
    elif ours.is_open and _terms(ours) != _terms(theirs):
        if _overdue(ours, ours.touched_at, picture):  # a change that was answered and never made
            yield from doubts.ask(ctx, ours)
    elif (
        not ours.is_open
        and ours.closed_at is not None
        and (
            ours.closed_at < picture.as_of
            or (ours.status is not Status.FILLED and _overdue(ours, ours.closed_at, picture))
        )
    ):
        yield e.CancelAsked(
            ctx.now, ours.client_order_id, cancel_lane(ctx), "the venue still has it open"
        )


def _stranger(ctx: Context, order: Order, picture: Picture) -> Events:
    """An order with our prefix that this journal does not know. It may be what protects a holding
    that this journal does not know either.

    It is cancelled by itself only where it proves to be able to open something and everything else
    is explained; a flatten cancels it, for that is what the operator asked for.
    """
    yield from alert(
        ctx, AlertCode.UNKNOWN_ORDER, order.client_order_id, target=order.client_order_id
    )
    explained = (
        not ctx.state.unexplained
        and not {BlockCode.STARTING, unexplained.SECOND} & ctx.state.blocks.keys()
    )
    younger = order.created_at >= ctx.board.restarted_at
    held = any(
        position.symbol == order.symbol and position.is_open
        for position in ctx.state.positions.values()
    )
    if flattening(ctx) or (
        explained and not younger and not held and unexplained.could_open(ctx, picture, order)
    ):
        yield e.OrphanCancelled(ctx.now, order)


def on_liquidated(ctx: Context, report: Liquidated) -> Events:
    """The venue closed a holding by itself: booked against our positions in the symbol, oldest
    first.
    """
    fill = report.fill
    if fill.execution_id in ctx.state.executions:
        return
    # a stream tells old ones again
    hit = [
        p
        for p in ctx.state.positions_in(report.symbol)
        if p.opened_at is not None and p.opened_at <= fill.at
    ]
    if not hit and fill.at < ctx.board.restarted_at:
        return
    yield from alert(ctx, AlertCode.LIQUIDATED, report.symbol)
    left = fill.size
    # of what was lent, before what was paid for
    hit.sort(key=lambda position: not on_margin(ctx, position))
    for index, position in enumerate(hit):
        if left <= ZERO or position.side is fill.side or position.size <= ZERO:
            continue
        part = min(left, position.size)
        # the first part is what a repeat is known by
        name = fill.execution_id if left == fill.size else f"{fill.execution_id}/{index}"
        share = fill.part(name, part, position.id)
        value, _ = fill_value(ctx, share)
        yield e.PositionLiquidated(ctx.now, share, value)
        left -= part
