"""The mouse on a ladder. Locked it only moves the cursor; armed a click is an order."""

import time
from decimal import Decimal

from textual import events

from tui.ladder import acting
from tui.ladder.face import Face
from tui.ladder.grabbing import grab_at

LEFT, RIGHT = 1, 3
MOVED = 0.3
"""Seconds after a row became another price in which a click on it is ignored."""


def released(
    pane: Face,
    began: tuple[float, Decimal],
    price: Decimal,
    side: str,
    event: events.MouseUp,
) -> None:
    """A button came up at a price; `began` says when and where it went down."""
    ladder, console = pane.ladder, pane.console
    if event.time - ladder.window.moved_at < MOVED or began[0] < ladder.window.moved_at:
        console.say("click ignored: the prices moved under the pointer; click again", "warn")
        return
    armed = ladder.arming.armed and pane.has_focus
    if began[1] != price:
        if armed and event.button == LEFT:
            _drag(pane, began[1], price)
        return
    ladder.window.cursor = price
    said = ""
    if armed and event.button == RIGHT:
        said = acting.press(pane, "cancel")
    elif armed and event.button == LEFT and side in ("bid", "ask"):
        said = acting.press(pane, "buy" if side == "bid" else "sell")
    else:
        ladder.window.touched_at = time.monotonic()
        pane.draw()
    if said:
        console.say(said)


def _drag(pane: Face, start: Decimal, end: Decimal) -> None:
    """What stood where the button went down is moved to where it came up."""
    ladder = pane.ladder
    ladder.grab = grab_at(ladder, start)
    if ladder.grab is None:
        pane.console.say("nothing of ours stood there")
        return
    ladder.window.cursor = end
    said = acting.press(pane, "enter")
    if said:
        pane.console.say(said)
