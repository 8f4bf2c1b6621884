"""What the venue would be asked in all if an intent were taken: what its tokens are counted by.

Only kind, symbol and age of a request matter here; sizes and names are left out.
"""

from engine.desk.closes_by_hand import mirrored, takes_all
from engine.desk.context import Context
from engine.desk.ordering import limits_rest, reduce_only, rests_together
from engine.desk.previews import stops
from engine.desk.protection import working_stop
from engine.desk.stops_by_hand import break_even, held
from engine.desk.symbols import with_defaults
from engine.desk.truth import asks_for_margin
from engine.model import intent as i
from engine.model.money import ONE
from engine.model.order import Order, OrderType, Role
from engine.model.position import Position
from engine.model.request import Amend, Cancel, Lane, QueryAccount, Request, Submit
from engine.model.side import Side

Requests = tuple[Request, ...]


def requests_for(ctx: Context, intent: i.AnyIntent) -> Requests:
    """The requests, in the order in which they leave; empty where nothing is asked."""
    match intent:
        case i.OpenBracket():
            return _opening(ctx, intent)
        case i.MoveStop() | i.BreakEven() | i.SetTrail():
            return _stop(ctx, intent)
        case i.MoveTarget():
            return _target(ctx, intent)
        case i.ClosePosition():
            return _closing(ctx, intent)
        case i.LeaveAt():
            position = held(ctx, intent.position)
            rests = position is not None and limits_rest(ctx, position)
            if position is None or not rests:
                return ()
            return (_submit(position.symbol, Role.TARGET, Lane.PROTECT),)
        case i.Reverse():
            position = held(ctx, intent.position)
            if position is None:
                return ()
            entry = position.entry_price(ctx.instrument(position))
            opened = _opening(ctx, mirrored(position, intent.id, entry))
            return (*_all_of(ctx, position), *opened)
        case i.AmendOrder() | i.CancelOrder():
            return _order(ctx, intent)
        case i.CancelSymbol() | i.CancelAll():
            return _entries(ctx, intent)
        case i.Reconcile():
            return (QueryAccount(0, Lane.QUERY, asks_for_margin(ctx.state)),)
        case i.Resolve(action=i.Settlement.FLATTEN, subject=subject):
            return (_submit(subject, Role.CLOSE, Lane.PROTECT),)
        case _:
            return ()


def _submit(symbol: str, role: Role, lane: Lane) -> Submit:
    return Submit(Order("", "", symbol, Side.SELL, OrderType.MARKET, role, ONE), lane)


def _cancel(order: Order) -> Cancel:
    return Cancel(
        order.client_order_id, order.symbol, Lane.CANCEL, order.venue_order_id, order.touched_at
    )


def _amend(order: Order, lane: Lane = Lane.PROTECT) -> Amend:
    return Amend(
        order.client_order_id,
        order.symbol,
        lane,
        order.venue_order_id,
        touched_at=order.touched_at,
    )


def _change(ctx: Context, order: Order) -> Requests:
    """An exit that stands elsewhere: amended, or cancelled and placed anew."""
    if ctx.profile.amend:
        return (_amend(order),)
    return (_cancel(order), _submit(order.symbol, order.role, Lane.PROTECT))


def _opening(ctx: Context, intent: i.OpenBracket) -> Requests:
    instrument = ctx.state.instruments.get(intent.symbol)
    if instrument is None:
        return ()
    wanted, symbol = with_defaults(ctx, intent), intent.symbol
    found: list[Request] = [_submit(symbol, Role.ENTRY, Lane.ENTRY)]
    if wanted.stop is not None or (wanted.trail is not None and wanted.trail.at_once):
        found.append(_submit(symbol, Role.STOP, Lane.PROTECT))
    together = ctx.profile.rest_together and reduce_only(ctx, instrument, intent.leverage)
    if together and ctx.rules.target_order(symbol) == "limit":
        targets = len(wanted.partials) + (wanted.target is not None)
        found += [_submit(symbol, Role.TARGET, Lane.PROTECT)] * targets
    return tuple(found)


def _stop(ctx: Context, intent: i.MoveStop | i.BreakEven | i.SetTrail) -> Requests:
    position = held(ctx, intent.position)
    if position is None:
        return ()
    resting, wanted = working_stop(ctx, position), position.stop
    if isinstance(intent, i.BreakEven):
        wanted = break_even(ctx, position, intent.ticks)
    elif isinstance(intent, i.SetTrail):
        wanted = stops.trailed_to(ctx, position, intent)
    elif intent.stop is None:
        wanted = None
    else:
        wanted = stops.wanted_stop(ctx, position, intent.stop) or wanted
    if resting is None:
        return () if wanted is None else (_submit(position.symbol, Role.STOP, Lane.PROTECT),)
    if wanted is None:
        return (_cancel(resting),)
    return () if resting.trigger == wanted else _change(ctx, resting)


def _target(ctx: Context, intent: i.MoveTarget) -> Requests:
    position = held(ctx, intent.position)
    if position is None or not rests_together(ctx, position):
        return ()
    goals = {goal.price for goal in position.goals}
    resting = [
        order
        for order in ctx.state.orders_for(position.id)
        if order.role is Role.TARGET and order.price not in goals
    ]
    if intent.target is None:
        return tuple(_cancel(order) for order in resting)
    if not resting:
        return (_submit(position.symbol, Role.TARGET, Lane.PROTECT),)
    return _change(ctx, resting[0])


def _all_of(ctx: Context, position: Position) -> Requests:
    """A position is closed: what rests for it is cancelled, and the close is sent."""
    cancels = [_cancel(order) for order in ctx.state.orders_for(position.id)]
    return (*cancels, _submit(position.symbol, Role.CLOSE, Lane.PROTECT))


def _closing(ctx: Context, intent: i.ClosePosition) -> Requests:
    position = held(ctx, intent.position)
    if position is None:
        return ()
    if takes_all(position, intent):
        return _all_of(ctx, position)
    exits = [order for order in ctx.state.orders_for(position.id) if order.is_exit]
    changed = [request for order in exits for request in _change(ctx, order)]
    return (*changed, _submit(position.symbol, Role.CLOSE, Lane.PROTECT))


def _order(ctx: Context, intent: i.AmendOrder | i.CancelOrder) -> Requests:
    order = ctx.state.orders.get(intent.order)
    if order is None:
        return ()
    if isinstance(intent, i.CancelOrder):
        return (_cancel(order),)
    return _change(ctx, order) if order.is_exit else (_amend(order, Lane.ENTRY),)


def _entries(ctx: Context, intent: i.CancelSymbol | i.CancelAll) -> Requests:
    symbol = intent.symbol if isinstance(intent, i.CancelSymbol) else None
    ours = [o for o in ctx.state.orders.values() if not o.is_exit and symbol in (None, o.symbol)]
    foreign = isinstance(intent, i.CancelAll) and intent.foreign
    theirs = list(ctx.state.foreign.values()) if foreign else []
    return tuple(_cancel(order) for order in (*ours, *theirs))
