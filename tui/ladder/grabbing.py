"""What stands at the cursor: take it and move it, cancel it, or bring stop and target there."""

import time
from decimal import Decimal

from engine.model import intent as i
from engine.model.order import Role
from engine.model.position import LimitExit
from engine.model.side import Side
from engine.model.view import OrderView
from tui import figures
from tui.flows.cancel import Cancel
from tui.flows.dialog import Dialog
from tui.flows.stop import Move
from tui.flows.target import Target
from tui.ladder.face import Face
from tui.ladder.rows import levels_of, ours_at
from tui.ladder.state import Grab, Ladder
from tui.link import new_id

CARD = "-of-the-ladder"
"""Class of a dialog that a key of the ladder opened: it locks nothing."""


def opened(pane: Face, dialog: Dialog) -> str:
    """Open a card of the ladder."""
    dialog.add_class(CARD)
    pane.console.open(dialog)
    return ""


def grab_at(ladder: Ladder, price: Decimal | None) -> Grab | None:
    """What of ours stands in the row of a price."""
    if price is None:
        return None
    for one in ours_at(ladder.window, ladder.orders, price):
        order, role = one.order, one.order.role
        at = order.trigger if order.trigger is not None and not order.triggered else order.price
        if at is None or order.in_doubt or order.cancel_pending or role is Role.CLOSE:
            continue
        if role is Role.STOP:
            return Grab("stop", order.position, at)
        return Grab("entry" if role is Role.ENTRY else "target", order.client_order_id, at)
    held = ladder.position
    watched = limit_at(ladder, price)
    if watched is not None:
        return Grab("limit exit", watched.id, watched.price)
    for level in levels_of(held):
        if held is None or ladder.window.nearest(level.price) != price:
            continue
        if level.name == "stop":
            return Grab("stop", held.id, level.price)
        if level.price == held.target:
            return Grab("target", held.id, level.price)
    return None


def limit_at(ladder: Ladder, price: Decimal) -> LimitExit | None:
    """The limit exit in the row of a price that no order at the venue serves."""
    held = ladder.position
    if held is None or held.limits_where == "venue":
        return None
    return next((one for one in held.limits if ladder.window.nearest(one.price) == price), None)


def moved(
    ladder: Ladder, grab: Grab, price: Decimal, seen: i.Seen | None, name: str
) -> i.AnyIntent:
    """One intent for a move of however many rows."""
    held = ladder.position
    if grab.kind == "stop":
        return i.MoveStop(id=name, position=grab.id, stop=i.At(price))
    if held is not None and grab.id == held.id:
        return i.MoveTarget(id=name, position=grab.id, target=i.At(price))
    return i.AmendOrder(id=name, order=grab.id, price=price, seen=seen)


def drop(pane: Face, grab: Grab) -> str:
    """Enter: one change, however many rows."""
    ladder, cursor = pane.ladder, pane.ladder.window.cursor
    ladder.grab = None
    picture = ladder.pictures.at(pane.typed_at or time.monotonic())
    if cursor is None or picture is None or not picture.painted(cursor):
        return "nothing was sent: the cursor is off the screen"
    if cursor == ladder.window.nearest(grab.price):
        return "let go where it was: nothing was changed"
    held = ladder.position
    if grab.kind == "stop" and held is not None and _is_wider(held.side, grab.price, cursor):
        return opened(pane, Move(pane.console, held, cursor))  # needs a reason
    intent = moved(ladder, grab, cursor, picture.seen, new_id())
    before = figures.exact(grab.price, ladder.window.tick)
    after = figures.price(cursor, ladder.window.tick)
    pane.console.ask(intent, f"{grab.kind} {ladder.symbol} {before} → {after}")
    return ""


def _is_wider(side: Side, before: Decimal, after: Decimal) -> bool:
    return (after - before) * side.sign < 0


# at the cursor


def cancel(pane: Face) -> str:
    """`c`: what is ours at the cursor; what protects, and all of it while locked, with its card."""
    ladder, cursor = pane.ladder, pane.ladder.window.cursor
    ours = [] if cursor is None else ours_at(ladder.window, ladder.orders, cursor)
    watched = None if cursor is None else limit_at(ladder, cursor)
    if not ours and watched is None:
        return "nothing of ours stands at the cursor"
    if (why := pane.console.context().read_only) != "":
        return f"read-only: {why}"
    if watched is not None:
        ask = i.CancelOrder(id=new_id(), order=watched.id)
        pane.console.ask(ask, f"cancel limit exit #{watched.number}")
    asks = [one for one in ours if _asks(one, armed=ladder.arming.armed)]
    for one in ours:
        if one not in asks:
            name = one.order.client_order_id
            pane.console.ask(i.CancelOrder(id=new_id(), order=name), f"cancel #{one.number}")
    return opened(pane, Cancel(pane.console, asks[0])) if asks else ""


def _asks(one: OrderView, *, armed: bool) -> bool:
    return not armed or one.order.role is Role.STOP


def stop_here(pane: Face) -> str:
    """`m`."""
    held, cursor = pane.ladder.position, pane.ladder.window.cursor
    if held is None or cursor is None:
        return f"no position of {pane.ladder.symbol} is open"
    return opened(pane, Move(pane.console, held, cursor))


def target_here(pane: Face) -> str:
    """`M`."""
    held, cursor = pane.ladder.position, pane.ladder.window.cursor
    if held is None or cursor is None:
        return f"no position of {pane.ladder.symbol} is open"
    card = Target(pane.console, held)
    card.price.prefill(figures.price(cursor, held.tick))
    return opened(pane, card)
