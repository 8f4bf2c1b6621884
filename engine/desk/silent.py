"""Orders that must have filled, and of which the venue tells nothing.

An immediate order has filled or ended by the time it is accepted; an entry, a stop or a target that
rests has filled (or fired) once the market went through its price. Where no report says so, the
stream lags or is deaf, and what an entry filled has no stop, or what a stop closed still stands
here: the venue is asked another way. An order that rests on all the same is asked about less and
less often: prices may be told that are none of the venue's own book.

An entry is in doubt meanwhile. An exit is only asked about: a doubt would keep it from being
cancelled, and the guard and F9 must not wait for the answer.
"""

from collections.abc import Iterator

from engine.desk import doubts
from engine.desk.board import Board
from engine.desk.context import Context, Events
from engine.desk.doubts import CHECK
from engine.desk.messages import Crossed, Message
from engine.desk.state import State
from engine.desk.watches import RESTS, Level, Passed
from engine.model.order import Order, OrderType, Status, TimeInForce

PATIENCE = 2_000_000_000
"""Nanoseconds that the stream may take."""
DOUBLED = 5
"""How often that is doubled at most for an order that was asked about and rests on."""
STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


def due_at(ctx: Context, order: Order) -> int | None:
    """When to ask about an order; None for what may rest, and for what is asked about already."""
    if (
        order.status is Status.PENDING
        or not order.is_open
        or order.client_order_id in ctx.state.doubts
    ):
        return None
    if order.time_in_force is TimeInForce.IOC:
        return order.touched_at + PATIENCE
    passed = _passed(ctx.board, ctx.state, order)
    if passed is None or passed.since is None:
        return None
    return max(order.touched_at, passed.since) + (PATIENCE << min(passed.asked, DOUBLED))


def ask(ctx: Context, order: Order) -> Events:
    """Doubt it once it has been silent for too long."""
    at = due_at(ctx, order)
    if at is None or at > ctx.now:
        return
    text = "the venue took it, and told no more of it"
    passed = ctx.board.passed.get(order.client_order_id)
    if order.time_in_force is not TimeInForce.IOC and passed is not None:
        text = "the market went through its price, and no fill is told"
        ctx.board.passed[order.client_order_id] = Passed(None, passed.price, passed.asked + 1)
        if order.is_exit:
            yield from doubts.ask(ctx, order)
            return
    yield from doubts.begin(ctx, order, CHECK, text)


def stands(state: State, order: Order) -> bool:
    """Whether "it is open" is no answer: what can't rest has ended, or soon will."""
    doubt = state.doubts.get(order.client_order_id)
    return order.time_in_force is TimeInForce.IOC and doubt is not None and doubt.request == CHECK


# Orders that rest


def watch(board: Board, state: State, name: str) -> None:
    """Wait for the prices beyond which the orders of a position can't rest any more."""
    levels = []
    for order in state.orders_for(name):
        passed = _passed(board, state, order)
        if _rests(order) and (passed is None or passed.since is None):
            levels.append(_level(state, order))
    board.resting.follow(name, [level for level in levels if level is not None])


def passed(ctx: Context, name: str) -> None:
    """The market went through the price of an order."""
    order = ctx.state.orders.get(name)
    level = None if order is None else _level(ctx.state, order)
    known = ctx.board.passed.get(name)
    if level is not None and (known is None or known.since is None or known.price != level.price):
        asked = 0 if known is None else known.asked
        ctx.board.passed[name] = Passed(ctx.now, level.price, asked)


def stop_passed(ctx: Context, position: str) -> None:
    """One side of the market reached a stop: the last trade, which fires it at most venues, may
    have done so, though the price comes back at once.
    """
    for order in ctx.state.orders_for(position):
        if order.is_exit and order.type in STOPS and _rests(order):
            passed(ctx, order.client_order_id)


def of(state: State, message: Message) -> Iterator[str]:
    """The positions whose orders the market went through."""
    if isinstance(message, Crossed):
        for name, what in message.watches:
            order = state.orders.get(name) if what == RESTS else None
            if order is not None:
                yield order.position
            elif what == "stop":
                yield name


def forget(ctx: Context) -> None:
    """Keep only the orders that are still open."""
    for name in [name for name in ctx.board.passed if name not in ctx.state.orders]:
        del ctx.board.passed[name]


def _rests(order: Order) -> bool:
    return order.is_working and order.time_in_force is not TimeInForce.IOC


def _passed(board: Board, state: State, order: Order) -> Passed | None:
    """What is known of an order as it rests now: one that has fired or was moved waits for another
    price.
    """
    known = board.passed.get(order.client_order_id)
    if known is None or known.since is None:
        return known
    level = _level(state, order)
    return known if level is not None and level.price == known.price else None


def _level(state: State, order: Order) -> Level | None:
    """The first bid or ask that leaves an order no room in the book: beyond its limit by a tick, or
    at its trigger with both sides; None where it waits for neither.
    """
    name, symbol = order.client_order_id, order.symbol
    if order.type in STOPS and not order.triggered and order.trigger is not None:
        return Level(name, symbol, order.trigger, order.side)
    if order.type is OrderType.TAKE_PROFIT and not order.triggered and order.trigger is not None:
        return Level(name, symbol, order.trigger, order.side.opposite)
    if order.price is None:
        return None
    through = order.price - state.instruments[symbol].tick * order.side.sign
    return Level(name, symbol, through, order.side.opposite)
