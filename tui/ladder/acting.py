"""What the keys of a ladder do. Locked, they open the usual cards; armed, a key is an order.

Nothing here is bound with priority: a key comes here only while the ladder listens.
"""

import time
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from engine.model import intent as i
from engine.model.order import OrderType
from tui import figures
from tui.flows.ladder import ArmSheet, SizeLine
from tui.flows.ticket import Ticket
from tui.flows.ticket_fields import SIZES
from tui.ladder.arming import against, too_large
from tui.ladder.face import Face
from tui.ladder.grabbing import cancel, drop, grab_at, moved, opened, stop_here, target_here
from tui.ladder.sending import KEYS, Key, Wanted, intent_of, told
from tui.ladder.state import Pending
from tui.ladder.words import side_at
from tui.link import new_id

MOVES = {"up": 1, "down": -1, "page-up": 10, "page-down": -10}
"""Rows by key; a key that is held down goes on moving."""
OFFER = "ladder-offer"
"""Id of an intent that is only asked about."""


def press(pane: Face, what: str) -> str:
    """A key of the ladder; what is said of it."""
    ladder, now = pane.ladder, time.monotonic()
    if ladder.frame is None:
        return ""
    ladder.window.touched_at = now
    ladder.arming.touch(now)
    if what in MOVES:
        ladder.window.move(MOVES[what], now)
        said = ""
    elif ladder.presses.is_repeat(what, pane.typed_at or now):
        return ""
    else:
        if what != "enter":
            ladder.pending = None
        said = ACTS[what](pane) if what in ACTS else order(pane, what)
    pane.draw()
    return said


def order(pane: Face, what: str) -> str:
    """An order key: an order where the ladder is armed, else the ticket."""
    key, ladder = KEYS[what], pane.ladder
    if not ladder.arming.armed:
        return _ticket(pane, key)
    if why := against(pane.situation()):
        pane.lock_it(why)
        return f"nothing was sent: {why}"
    price = None if key.type is OrderType.MARKET else ladder.window.cursor
    wanted = _wanted(pane, key)
    large = too_large(ladder.notional(price), ladder.units(), ladder.rules.cap, ladder.usual())
    if large and not wanted.exits:
        ladder.pending = Pending(what, large, ladder.window.cursor, time.monotonic())
        return ""
    return send(pane, wanted)


def _wanted(pane: Face, key: Key) -> Wanted:
    ladder = pane.ladder
    return Wanted(
        key,
        ladder.symbol,
        ladder.window.cursor,
        ladder.size(),
        ladder.template,
        ladder.pictures.at(pane.typed_at or time.monotonic()),
        ladder.position,
        ladder.rules.flip,
    )


def send(pane: Face, wanted: Wanted) -> str:
    """Ask for it, as it was seen."""
    ladder = pane.ladder
    try:
        intent = intent_of(wanted, new_id(), ladder.options.filled)
    except ValueError as error:  # a template that can't be read is one, too
        return f"nothing was sent: {error}"
    pane.console.ask(intent, told(wanted, ladder.size_text, ladder.window.tick))
    return ""


def _ticket(pane: Face, key: Key) -> str:
    """The ticket with what the key says."""
    ladder = pane.ladder
    ticket = Ticket(pane.console, ladder.symbol, key.side.value)
    fields, cursor = ticket.fields, ladder.window.cursor
    kind = {OrderType.LIMIT: "limit", OrderType.STOP: "stop", OrderType.MARKET: "market"}
    fields.type.choose(kind[key.type])
    if key.anchor is not None:
        fields.price.prefill(key.anchor.value)
    elif key.type is not OrderType.MARKET and cursor is not None:
        fields.price.prefill(figures.price(cursor, ladder.window.tick).replace(",", ""))
    for unit, word in SIZES.items():
        if word and ladder.size_text.startswith(word):
            fields.unit.choose(unit)
            fields.amount.prefill(ladder.size_text.removeprefix(word).strip())
            break
    else:
        fields.unit.choose("size")
        fields.amount.prefill(ladder.size_text)
    pane.console.open(ticket)
    return ""


# armed or locked


def arm(pane: Face) -> str:
    """`A`: lock at once; arm where nothing speaks against it, on a live account after a card."""
    ladder = pane.ladder
    if ladder.arming.armed:
        pane.lock_it("by you")
        return ""
    if why := ladder.arming.refusal(pane.situation()):
        return f"arming is refused: {why}"
    assert ladder.frame is not None
    if ladder.frame.view.account.live:
        return opened(pane, ArmSheet(pane.console, ladder, lambda: _armed(pane)))
    return _armed(pane)


def _armed(pane: Face) -> str:
    why = pane.ladder.arming.arm(pane.situation(), time.monotonic())
    pane.draw()
    if why:
        return f"arming is refused: {why}"
    ladder = pane.ladder
    idle = f"locks after {ladder.rules.idle / 60:g} min idle"
    return f"ladder ARMED for {ladder.symbol}: keys are orders; {idle}"


# enter and esc


def enter(pane: Face) -> str:
    """Send what waits for a second key; send what was moved; else take what stands at the
    cursor.
    """
    ladder = pane.ladder
    waiting = ladder.waits(time.monotonic())
    if waiting is not None:
        ladder.pending = None
        if not ladder.arming.armed or (why := against(pane.situation())):
            pane.lock_it(why if ladder.arming.armed else "")
            return "nothing was sent: the ladder is locked"
        return send(pane, _wanted(pane, KEYS[waiting.what]))
    if ladder.grab is not None:
        return drop(pane, ladder.grab)
    found = grab_at(ladder, ladder.window.cursor)
    if found is None:
        return "nothing of ours stands at the cursor"
    if pane.console.context().read_only:
        return f"read-only: {pane.console.context().read_only}"
    ladder.grab = found
    return ""


def escape(pane: Face) -> str:
    """Let go; with nothing in hand, leave the ladder."""
    ladder = pane.ladder
    if ladder.grab is not None:
        ladder.grab = None
        return "let go: nothing was changed"
    pane.console.focus_pane("positions")
    return ""


# what the next order is


def choose(number: int, pane: Face) -> str:
    """A preset."""
    presets = pane.ladder.options.presets
    if number > len(presets):
        return f"console.presets has no {number}: 0 types a size"
    pane.ladder.size_text = presets[number - 1]
    return f"size {presets[number - 1]}"


def type_size(pane: Face) -> str:
    """`0`."""
    return opened(pane, SizeLine(pane.console, pane.ladder))


def template(pane: Face) -> str:
    """`B`."""
    return f"template {pane.ladder.next_template()}"


def regroup(by: int, pane: Face) -> str:
    """`[` and `]`."""
    from tui.ladder.window import next_group

    window, best = pane.ladder.window, pane.ladder.best()
    if best is None or not window.group:
        return ""
    window.regroup(next_group(window.group, by), (best[0] + best[1]) / 2, time.monotonic())
    return f"group {figures.price(window.step, window.tick)}"


def centre(pane: Face) -> str:
    """Space."""
    window, best = pane.ladder.window, pane.ladder.best()
    if best is not None and window.group:
        window.centre((best[0] + best[1]) / 2, time.monotonic())
        if window.cursor is not None and not window.shows(window.cursor):
            window.cursor = window.below(best[0])
    return ""


def offered(pane: Face) -> i.AnyIntent | None:
    """What is asked about for the line of the cursor: a change, or an entry that would rest."""
    ladder, cursor = pane.ladder, pane.ladder.window.cursor
    if cursor is None or ladder.best() is None:
        return None
    if ladder.grab is not None:
        return moved(ladder, ladder.grab, cursor, None, OFFER)
    key = Key(side_at(ladder), OrderType.LIMIT)
    wanted = Wanted(
        key, ladder.symbol, cursor, ladder.size(), ladder.template,
        ladder.pictures.at(time.monotonic()), ladder.position,
    )  # fmt: skip
    if wanted.exits:
        return None
    try:
        intent = intent_of(wanted, OFFER, ladder.options.filled)
    except ValueError:
        return None
    return replace(intent, seen=None)


ACTS: dict[str, Callable[[Face], str]] = {
    "arm": arm,
    "enter": enter,
    "escape": escape,
    "cancel": cancel,
    "stop": stop_here,
    "target": target_here,
    **{f"size-{number}": partial(choose, number) for number in (1, 2, 3, 4)},
    "size": type_size,
    "template": template,
    "finer": partial(regroup, -1),
    "coarser": partial(regroup, 1),
    "centre": centre,
}
"""By the key's command; those of `KEYS` are orders."""
