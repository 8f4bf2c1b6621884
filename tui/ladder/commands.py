"""The keys of the ladder: rows of the one table of commands. They mean this only while the ladder
listens, and none has priority.
"""

from functools import partial

from tui.command import Command, may_act, opened
from tui.console import Console

LADDER = "Ladder"
PANE = "ladder"


def _do(what: str, console: Console) -> None:
    console.pane_do(PANE, what)


def _row(
    what: str, key: str, words: str, *, footer: str = "", shown: str = "", acts: bool = False
) -> Command:
    """A key: it sends something where `acts` says so."""
    return Command(
        f"ladder-{what}", key, words, LADDER, partial(_do, what),
        may_act if acts else opened, footer, shown, pane=PANE,
    )  # fmt: skip


LADDER_COMMANDS: tuple[Command, ...] = (
    _row("arm", "A", "arm: keys are orders; again: lock", footer="Arm/lock"),
    _row("buy", "h", "buy limit at the cursor", footer="Buy", acts=True),
    _row("sell", "l", "sell limit at the cursor", footer="Sell", acts=True),
    _row("buy-stop", "H", "buy stop entry at the cursor", acts=True),
    _row("sell-stop", "L", "sell stop entry at the cursor", acts=True),
    _row("join-bid", "d", "buy at the best bid", acts=True),
    _row("join-ask", "u", "sell at the best ask", acts=True),
    _row("improve-bid", "D", "buy a tick better, never crossing", acts=True),
    _row("improve-ask", "U", "sell a tick better, never crossing", acts=True),
    _row("buy-market", "W", "buy at market", acts=True),
    _row("sell-market", "O", "sell at market", acts=True),
    *(_row(f"size-{n}", str(n), f"size {n} of console.presets") for n in (1, 2, 3, 4)),
    _row("size", "0", "type a size"),
    _row("enter", "enter", "move what is there; again: send it", footer="Move"),
    _row("escape", "escape", "let go; leave the ladder", shown="esc"),
    _row("cancel", "c", "cancel what is ours at the cursor", footer="Cancel here", acts=True),
    _row("stop", "m", "stop to the cursor", footer="Stop here", acts=True),
    _row("target", "M", "target to the cursor", acts=True),
    _row("up", "k,up", "a price up", shown="k ↑"),
    _row("down", "j,down", "a price down", shown="j ↓"),
    _row("page-up", "pageup", "ten prices up", shown="pgup"),
    _row("page-down", "pagedown", "ten prices down", shown="pgdn"),
    _row("centre", "space", "centre on the market", shown="space"),
    _row("finer", "left_square_bracket", "fewer ticks a row", shown="["),
    _row("coarser", "right_square_bracket", "more ticks a row", shown="]"),
    _row("template", "B", "the next template for entries"),
)  # fmt: skip
"""In the order of footer and help."""
