"""What each command does, in the words of the console. Each is called only when its command is
available.
"""

from collections.abc import Callable

from msgspec import Struct

from engine.grammar.macros import made
from engine.model.alert import Alert
from engine.model.intent import Acknowledge, CancelAll, Halt, Pause, Reconcile, Resume
from engine.model.order import Role
from engine.model.view import View
from tui import export as files
from tui.console import Console, Context
from tui.flows import pages
from tui.flows.amend import Amend
from tui.flows.blotter import Blotter
from tui.flows.cancel import Cancel, CancelAllOf
from tui.flows.command_line import CommandLine
from tui.flows.exits import Close, Part, Turn
from tui.flows.filter_line import FilterLine
from tui.flows.leave import Leave
from tui.flows.live import GoLiveSheet, UnhaltSheet
from tui.flows.log import Log
from tui.flows.manual import Manual
from tui.flows.note import Write
from tui.flows.said_against import ladder_of
from tui.flows.stop import Move
from tui.flows.stop import break_even as break_even_price
from tui.flows.target import Target
from tui.flows.ticket import Ticket
from tui.flows.timeline import TimelinePage
from tui.flows.trail import Follow
from tui.flows.truth import Truth
from tui.ladder.grabbing import opened
from tui.link import new_id
from tui.panes.orders import key_of as order_key
from tui.panes.positions import side_of
from tui.screen_actions import (  # noqa: F401 - commands name all actions by this module
    columns,
    ladder_screen,
    main,
    next_layout,
    next_symbol,
    previous_symbol,
    screens,
    zoom,
)
from tui.tour import tour as tour


def close(console: Console) -> None:
    """`x`."""
    if (position := console.context().position) is not None:
        console.open(Close(console, position))


def close_part(console: Console) -> None:
    """`X`."""
    if (position := console.context().position) is not None:
        console.open(Part(console, position))


def reverse(console: Console) -> None:
    """`v`."""
    if (position := console.context().position) is not None:
        console.open(Turn(console, position))


def trail(console: Console) -> None:
    """`t`."""
    if (position := console.context().position) is not None:
        console.open(Follow(console, position))


def move_stop(console: Console) -> None:
    """`m`: an entry is amended; for a stop order its position's stop is moved, for a target order
    its target.
    """
    here = console.context()
    role = here.order.order.role if here.order is not None else None
    if here.order is not None and role is Role.ENTRY:
        console.open(Amend(console, here.order))
    elif here.position is not None and role is Role.TARGET:
        console.open(Target(console, here.position))
    elif here.position is not None:
        console.open(Move(console, here.position))


def move_target(console: Console) -> None:
    """`M`."""
    if (position := console.context().position) is not None:
        console.open(Target(console, position))


def note(console: Console) -> None:
    """`N`."""
    if (position := console.context().position) is not None:
        console.open(Write(console, position))


def break_even(console: Console) -> None:
    """`b`."""
    if (position := console.context().position) is not None:
        console.open(Move(console, position, break_even_price(position)))


def cancel(console: Console) -> None:
    """`c`."""
    if (order := console.context().order) is not None:
        console.open(Cancel(console, order))


def cancel_symbol(console: Console) -> None:
    """`C`."""
    console.open(CancelAllOf(console, console.context().symbol))


def cancel_all(console: Console) -> None:
    """Cancels only what opens: it is safe and asks nothing."""
    console.ask(CancelAll(id=new_id()), "cancel all entries")


def ticket(console: Console) -> None:
    """`n`."""
    console.open(Ticket(console, console.context().symbol))


def buy(console: Console) -> None:
    """`w`."""
    console.open(Ticket(console, console.context().symbol, "buy"))


def sell(console: Console) -> None:
    """`o`."""
    console.open(Ticket(console, console.context().symbol, "sell"))


def flatten(console: Console) -> None:
    """`F`: asks the engine; in a console that only looks on, the last exit does it in a process of
    its own.
    """
    console.flatten()


def pause(console: Console) -> None:
    """`p`."""
    paused = any(reason.code == "PAUSED" for reason in console.link.view.reasons)
    if paused:
        console.ask(Resume(id=new_id()), "resume entries")
    else:
        console.ask(Pause(id=new_id()), "pause entries")


def halt(console: Console) -> None:
    """By name only."""
    console.ask(Halt(id=new_id()), "halt the desk")


def unhalt(console: Console) -> None:
    """By name only, and once the account's name was typed: from then on exits act by themselves
    again.
    """
    if console.link.view.mode != "HALTED":
        console.say("nothing to end: the desk is not halted")
    else:
        console.open(UnhaltSheet(console))


def take(console: Console) -> None:
    """By name only: a console that opened read-only acts from now on."""
    link = console.link
    if link.taken and not link.read_only:
        console.say("this console acts on the account already")
        return

    def told(why: str) -> None:
        if why:
            console.say(f"taken, but read-only all the same: {why}", "warn")
        else:
            console.say("taken: keys of this console act on the account from now on", "good")

    link.take(told)


def live(console: Console) -> None:
    """By name only: a live account takes entries once its own name was typed."""
    if not any(reason.code == "LOOKING" for reason in console.link.view.reasons):
        console.say(
            "nothing holds entries back: this account is not live, or was let through already"
        )
        return
    console.open(GoLiveSheet(console))


def resume(console: Console) -> None:
    """By name only: each reason is cleared by its own name."""
    reasons = console.link.view.reasons
    if not reasons:
        console.say("nothing blocks entries")
    for reason in reasons:
        if reason.code == "HALTED":
            console.say("halted by you: :unhalt ends it", "warn")
            continue
        console.ask(Resume(id=new_id(), reason=reason.code), f"clear {reason.code}")


def reconcile(console: Console) -> None:
    """`R`."""
    console.ask(Reconcile(id=new_id()), "compare with the venue")


def truth(console: Console) -> None:
    """`V`: with the venue's newest word, which the sheet asks for."""
    console.open(Truth(console))


def acknowledge(console: Console) -> None:
    """`a`: a complaint about the settings first, for it stands over everything."""
    if console.context().complaint:
        console.acknowledge_complaint()
    elif (alert := console.context().alert) is not None:
        console.ask(Acknowledge(id=new_id(), alert=alert.key), f"acknowledge: {alert.text}")


def _subject(alert: Alert, view: View) -> tuple[str, str] | None:
    """Pane and key of what an alert is about."""
    names = {alert.target, alert.subject}
    for p in view.positions:
        if p.id in names:
            return "positions", p.id
    for o in view.orders:
        if o.order.client_order_id in names or (o.order.venue_order_id or "") in names:
            return "orders", o.order.client_order_id or o.order.venue_order_id or ""
    found = next((p for p in view.positions if p.label in names or p.symbol in names), None)
    return ("positions", found.id) if found is not None else None


def jump(console: Console) -> None:
    """`!`."""
    alert = console.context().alert
    about = _subject(alert, console.link.view) if alert is not None else None
    if alert is None:
        return
    if alert.code in (
        "DIFFERENCE",
        "FOREIGN_TRADES",
        "UNKNOWN_ORDER",
        "FOREIGN_ORDER",
        "UNEXPLAINED",
    ):
        truth(console)
        return
    if about is None or not console.select(*about):
        console.say(f"{alert.subject} is not open: nothing to jump to", "warn")
    else:
        console.say(alert.text, "warn")


def filter_list(console: Console) -> None:
    """`/`."""
    console.open(FilterLine(console))


def details(console: Console) -> None:
    """Enter: what happened to the thing, step by step."""
    here = console.context()
    if here.pane == "watch":
        console.say(f"focus: {console.focus_symbol(0)}")
    elif here.pane == "activity":
        _activity(console, here)
    elif here.pane == "orders" and here.order is not None:
        order, key = here.order.order, order_key(here.order)
        title = f"Order {key}   {order.role.value} {order.side.value} {order.symbol}"
        timeline(console, key, title, lambda view: _order(view, key))
    elif here.pane == "pnl":
        blotter(console)
    elif here.position is not None:
        name = here.position.id
        title = f"Position {name}   {here.position.symbol} {side_of(here.position)[0]}"
        timeline(console, name, title, lambda view: _position(view, name))


def _activity(console: Console, here: Context) -> None:
    """What happened to the thing that a line of the record is about."""
    if here.alert is not None and here.alert.target == here.about:
        _alert(console, here.alert)
    elif here.about:
        timeline(
            console, here.about, f"About {here.about}",
            lambda view: _position(view, here.about) or _order(view, here.about),
        )  # fmt: skip
    else:
        console.say("this line is about the account: it has no timeline", "warn")


def blotter(console: Console) -> None:
    """F4: what ended, and what it came to."""
    console.open(Blotter(console))


def timeline(
    console: Console, about: str, title: str, thing: Callable[[View], Struct | None]
) -> None:
    """Open the Timeline of an id."""
    console.open(TimelinePage(console, about, title, thing))


def _alert(console: Console, alert: Alert) -> None:
    """What happened to the order or the position that an alert is about; its fields where it is
    about the account.
    """
    if alert.target:
        timeline(console, alert.target, f"Alert {alert.text}", lambda _: alert)
    else:
        console.open(pages.Page(console, "Alert", lambda _, room: pages.details(alert, room)))


def _order(view: View, key: str) -> Struct | None:
    return next((o for o in view.orders if order_key(o) == key), None)


def _position(view: View, key: str) -> Struct | None:
    held = next((p for p in view.positions if p.id == key), None)
    return held or next((p for p in view.closed if p.id == key), None)


def log(console: Console) -> None:
    """F7: the record of this console's time, whole."""
    console.open(Log(console))


def copy(console: Console) -> None:
    """`y`."""
    console.copy("\t".join(text for _, text in console.row_cells()))


def end_work(console: Console) -> None:
    """`c` in Activity: end the wait or the work under the cursor."""
    number = console.under_way()
    if number is None:
        console.say("select a line that waits or works first", "warn")
    elif console.link.running.end(number):
        console.say("ended; what was sent goes on", "good")


def export(console: Console) -> None:
    """`e`."""
    pane = console.context().pane
    titles, rows = console.rows(pane)
    try:
        path = files.write(console.options.home, pane, titles, rows)
    except OSError as error:
        console.say(f"could not export {pane}: {error}", "bad")
        return
    console.say(f"exported {len(rows)} {pane} to {path}", "good")


def theme(console: Console) -> None:
    """`T`."""
    console.say(f"theme {console.next_theme()}")


def command_line(console: Console) -> None:
    """`:`."""
    _open_line(console)


def say_macro(console: Console, name: str) -> None:
    """The key of a macro: its name stands in the command line, with the focus symbol where it
    takes one first; its card, and the enter that it needs, are those of the line.
    """
    kinds = made(name, console.options.commands[name]).kinds
    symbol = console.context().symbol.lower() if kinds[:1] == ("symbol",) else ""
    _open_line(console, " ".join(filter(None, (name, symbol))) + " " * (len(kinds) > bool(symbol)))


def _open_line(console: Console, text: str = "") -> None:
    """An armed ladder stays armed under it: `!` is said there."""
    line = CommandLine(console, console.known(), text)
    ladder = ladder_of(console)
    if ladder.ladder.arming.armed:
        opened(ladder, line)
    else:
        console.open(line)


def help_page(console: Console) -> None:
    """`?`."""
    console.open(Manual(console))


def leave(console: Console) -> None:
    """`q`: without an engine there is nothing to ask about."""
    if console.context().view is None:
        console.leave()
    else:
        console.open(Leave(console))
