"""What bears our name and no journal of ours explains: listed, held against entries, and never
cancelled by itself.

A lost journal, an older copy put back, another home or machine with the same key: each leaves
orders and executions at the venue that carry our prefix and that this journal does not know. One of
these orders may be the stop that protects the holding, so nothing is done about them before the
operator has said what: take over, leave, or close. Entries wait meanwhile; what is explained stays
in full custody.

Theory of the two cases. At a start everything unknown is *unexplained*. Later, once the venue's
first picture has been compared, an order with our prefix that is younger than this process can only
come from a second engine: that is an alarm of its own.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from engine.desk import events as e
from engine.desk.context import Context, Events, alert, cure
from engine.desk.state import JOURNAL, State
from engine.model.codes import AlertCode, BlockCode
from engine.model.fill import Fill
from engine.model.ids import account_prefix
from engine.model.instrument import Instrument
from engine.model.money import ZERO, plain
from engine.model.order import TRIGGERED, Order
from engine.model.report import Picture
from engine.model.side import Side

BLOCK = AlertCode.UNEXPLAINED
SECOND = AlertCode.SECOND_ENGINE
EARLY = (
    "the journal is not the newest: the venue's first picture is compared before anybody can tell"
    " what is missing"
)


def set_back(ctx: Context, text: str) -> Events:
    """The home knows more than the journal: an older copy was put back, or it is another one."""
    yield from _list(ctx, JOURNAL, text)


def is_early(state: State) -> bool:
    """Whether the journal is not the newest and was not compared yet: until then nobody knows what
    to leave alone, and its books prove nothing.
    """
    return JOURNAL in state.unexplained and BlockCode.STARTING in state.blocks


def strangers(state: State, orders: Iterable[Order]) -> list[Order]:
    """Orders with our prefix that this journal does not know, and that the operator has not said to
    leave.
    """
    return [order for order in orders if _is_strange(state, order.client_order_id)]


def unknown_fills(state: State, fills: Iterable[Fill]) -> list[Fill]:
    """Executions with our prefix that this journal does not know."""
    return [
        fill
        for fill in fills
        if fill.execution_id not in state.executions and _is_strange(state, fill.client_order_id)
    ]


def _is_strange(state: State, name: str) -> bool:
    ours = name.startswith(account_prefix(state.account))
    return (
        ours and state.order(name) is None and name not in state.left and name not in state.marked
    )


def look(ctx: Context, picture: Picture, *, starting: bool) -> Events:
    """List what a picture shows that bears our name and is not known; take off the list what is
    known by now, or gone.
    """
    orders = strangers(ctx.state, picture.orders)
    fills = unknown_fills(ctx.state, picture.fills)
    if ctx.state.cash:  # else what is held is looked at with the first balances
        yield from _withhold(ctx, picture)
    for order in orders:
        if not starting and order.created_at >= ctx.board.restarted_at:
            yield from _second(
                ctx,
                f"{order.side.value} {plain(order.size)} {order.symbol} ({order.client_order_id})",
            )
        level = order.trigger if order.trigger is not None else order.price
        at = "" if level is None else f" at {plain(level)}"
        yield from _list(
            ctx,
            order.client_order_id,
            f"order {order.side.value} {plain(order.remaining)} {order.symbol}{at}",
        )
    for name in dict.fromkeys(fill.client_order_id for fill in fills):
        its = [fill for fill in fills if fill.client_order_id == name]
        size = sum((fill.size for fill in its), ZERO)
        what = f"{its[0].side.value} {plain(size)} {its[0].symbol}"
        if not starting and any(fill.at >= ctx.board.restarted_at for fill in its):
            yield from _second(ctx, f"executed: {what} ({name})")
        yield from _list(ctx, name, f"executed: {what}")
    standing = {order.client_order_id for order in orders} | {
        fill.client_order_id for fill in fills
    }
    for name in list(ctx.state.unexplained):
        if name != JOURNAL and (
            name in ctx.state.left or (name not in standing and not _executed(ctx.state, name))
        ):
            yield from explain(ctx, name)


def strange_coins(ctx: Context, picture: Picture) -> Iterator[tuple[Fill, Instrument]]:
    """Executions with our prefix that this journal does not know, of those that moved coins: what
    was lent lies in no heap with the owner's.

    A last exit's are among them, where no position here has booked them: it sold what this journal
    does not know.
    """
    marked = [
        fill
        for fill in picture.fills
        if fill.client_order_id in ctx.state.marked
        and fill.execution_id not in ctx.state.executions
    ]
    for fill in (*unknown_fills(ctx.state, picture.fills), *marked):
        instrument = ctx.state.instruments.get(fill.symbol)
        if (
            instrument is not None
            and instrument.moves_coins(None)
            and fill.execution_id not in picture.lent
        ):
            yield fill, instrument


def _withhold(ctx: Context, picture: Picture) -> Events:
    """Coins that another engine of ours bought, or owes, are ours, and no position here explains
    them: a flatten closes them, too.
    """
    for fill, instrument in list(strange_coins(ctx, picture)):
        if fill.execution_id not in ctx.state.strange:
            owed = min(picture.balances.get(instrument.base, ZERO), ZERO)
            amount = max(
                ctx.state.withheld.get(instrument.base, ZERO) + fill.base_change(instrument), owed
            )
            yield e.HoldingUnexplained(ctx.now, instrument.base, amount, (fill.execution_id,))


def _executed(state: State, name: str) -> bool:
    """Whether it is about executions, which later pictures do not list again: only the operator
    takes those off.
    """
    return state.unexplained[name].startswith("executed")


def _second(ctx: Context, what: str) -> Events:
    yield from alert(ctx, SECOND, "account", what)
    if SECOND not in ctx.state.blocks:
        yield e.EntriesBlocked(ctx.now, SECOND, "another engine sends for this account", None)


def _list(ctx: Context, name: str, text: str) -> Events:
    if name in ctx.state.unexplained:
        return
    yield e.Unexplained(ctx.now, name, text)
    yield from alert(ctx, BLOCK, name, text, name)
    if BLOCK not in ctx.state.blocks:
        yield e.EntriesBlocked(
            ctx.now, BLOCK, "the venue shows what no journal of ours explains: V lists it", None
        )


def explain(ctx: Context, name: str) -> Events:
    """It is known now, gone, or left on purpose. Entries open once nothing is unexplained."""
    if name in ctx.state.unexplained:
        yield e.Explained(ctx.now, name)
    yield from cure(ctx, BLOCK, name)
    yield from cure(ctx, AlertCode.UNKNOWN_ORDER, name)
    if not ctx.state.unexplained and BLOCK in ctx.state.blocks:
        yield e.EntriesAllowed(ctx.now, BLOCK)


def leave(ctx: Context, name: str) -> Events:
    """The operator says that it is to be left alone."""
    if name != JOURNAL:
        yield e.LeftAlone(ctx.now, name)
    yield from explain(ctx, name)


def leave_all(ctx: Context) -> Events:
    """The operator opens entries: whatever is unexplained is left alone."""
    for name in list(ctx.state.unexplained):
        yield from leave(ctx, name)


def withheld(ctx: Context, picture: Picture) -> dict[str, Decimal]:
    """Coins that must not become the baseline of a cash account: what unknown orders and executions
    of ours prove to be ours, by currency.

    Below zero for what is owed: a venue that lends coins shows a short as a balance below zero.
    """
    bought: dict[str, Decimal] = {}
    waiting: dict[tuple[str, Side], Decimal] = {}
    for fill, traded in strange_coins(ctx, picture):
        bought[traded.base] = bought.get(traded.base, ZERO) + fill.base_change(traded)
    for order in strangers(ctx.state, picture.orders):
        instrument = ctx.state.instruments.get(order.symbol)
        if instrument is not None and instrument.moves_coins(order.leverage):
            waiting[instrument.base, order.side] = (
                waiting.get((instrument.base, order.side), ZERO) + order.remaining
            )
    found = {}
    for currency in dict.fromkeys((*bought, *(currency for currency, _ in waiting))):
        there, net = picture.balances.get(currency, ZERO), bought.get(currency, ZERO)
        if there < ZERO:
            found[currency] = min(
                max(min(net, -waiting.get((currency, Side.BUY), ZERO)), there), ZERO
            )
        else:
            found[currency] = min(max(net, waiting.get((currency, Side.SELL), ZERO)), there)
    return found


def stop_for(ctx: Context, picture: Picture, instrument: Instrument, side: Side) -> Order | None:
    """The unexplained order that protects a holding of this side: a stop on the right side of the
    market.
    """
    for order in strangers(ctx.state, picture.orders):
        if (
            order.symbol == instrument.symbol
            and order.side is side.opposite
            and order.type in TRIGGERED
            and order.trigger is not None
        ):
            return order
    return None


def tell_bare(
    ctx: Context, picture: Picture, subject: str, instrument: Instrument, size: Decimal
) -> Events:
    """A holding that is not explained is naked, or (with a stop that nobody has taken over)
    protected in part.
    """
    side = Side.BUY if size > ZERO else Side.SELL
    covered = stop_for(ctx, picture, instrument, side) is not None
    target = f"{BLOCK}/{subject}"
    yield from alert(
        ctx,
        AlertCode.PARTIAL_STOP if covered else AlertCode.NAKED,
        f"{plain(size)} {subject} (unexplained)",
        target=target,
    )
    yield from cure(ctx, AlertCode.NAKED if covered else AlertCode.PARTIAL_STOP, target)


def cure_bare(ctx: Context, subject: str) -> Events:
    """The holding is explained, or gone."""
    for code in (AlertCode.NAKED, AlertCode.PARTIAL_STOP):
        yield from cure(ctx, code, f"{BLOCK}/{subject}")


def could_open(ctx: Context, picture: Picture, order: Order) -> bool:
    """Whether an order proves to be able to open something, by what the venue says is held: only
    then it may be cancelled as an orphan.
    """
    instrument = ctx.state.instruments.get(order.symbol)
    if order.reduce_only or instrument is None:
        return False
    coins = instrument.moves_coins(order.leverage)
    held = (
        picture.balances.get(instrument.base, ZERO)
        if coins
        else picture.net.get(order.symbol, ZERO)
    )
    return held * order.side.sign > -order.remaining
