"""The one table of commands. A key is here or it does nothing."""

from functools import partial

from tui import actions as do
from tui.command import (
    Command,
    in_list,
    may_act,
    may_flatten,
    on_alert,
    on_anything,
    on_new_alert,
    on_order,
    on_position,
    on_stop,
    on_symbol,
    opened,
)
from tui.console import Console

MOVE, TRADE, ORDERS, DESK, ALERTS, CHART, CONSOLE = (
    "Move", "Position", "Orders", "Desk", "Alerts", "Chart", "Console"
)  # fmt: skip
PANES = ("positions", "orders", "alerts", "chart", "limits")


def _focus(pane: str, console: Console) -> None:
    console.focus_pane(pane)


def _list(what: str, console: Console) -> None:
    console.list_do(what)


def _chart(what: str, console: Console) -> None:
    console.chart_do(what)


COMMANDS: tuple[Command, ...] = (
    Command("close", "x", "close the selected position", TRADE, do.close, on_position, footer="Close"),
    Command("close-part", "X", "close 25, 50 or 75 % of it", TRADE, do.close_part, on_position),
    Command("cancel", "c", "cancel the selected order", ORDERS, do.cancel, on_order, footer="Cancel"),
    Command("stop", "m", "move the stop; on an order: amend it", TRADE, do.move_stop, on_stop, footer="Stop"),
    Command("break-even", "b", "stop to break-even, fees included", TRADE, do.break_even, on_position, footer="Break-even"),
    Command("trail", "t", "trailing stop on, off, distance", TRADE, do.trail, on_position),
    Command("target", "M", "move the target", TRADE, do.move_target, on_position),
    Command("note", "N", "write a note and tags on it", TRADE, do.note, on_position),
    Command("reverse", "v", "close and open the other side", TRADE, do.reverse, on_position),
    Command("new", "n", "new order with stop and target", ORDERS, do.ticket, may_act, footer="New"),
    Command("cancel-symbol", "C", "cancel all entries of the symbol", ORDERS, do.cancel_symbol, on_symbol),
    Command("cancel-all", "", "cancel all entries", ORDERS, do.cancel_all, may_act),
    Command("flatten", "F", "flatten everything: cancel all, close all", DESK, do.flatten, may_flatten, footer="FLATTEN"),
    Command("pause", "p", "pause or resume entries; exits go on", DESK, do.pause, may_act),
    Command("halt", "", "halt: exits by hand only; :unhalt ends it", DESK, do.halt, may_act),
    Command("unhalt", "", "end the halt; the account's name is typed", DESK, do.unhalt, may_act),
    Command("take", "", "let this console's keys act on the account", DESK, do.take, opened),
    Command("live", "", "let entries through on a live account", DESK, do.live, may_act),
    Command("resume", "", "clear what blocks entries", DESK, do.resume, may_act),
    Command("reconcile", "R", "compare ours with the venue's now", DESK, do.reconcile, may_act),
    Command("truth", "V", "ours beside the venue's; settle differences", DESK, do.truth, may_act),
    Command("acknowledge", "a", "acknowledge the alert", ALERTS, do.acknowledge, on_new_alert),
    Command("jump", "exclamation_mark", "go to what the alert is about", ALERTS, do.jump, on_alert, shown="!"),
    *(Command(f"pane-{pane}", str(i), f"focus {pane}", MOVE, partial(_focus, pane)) for i, pane in enumerate(PANES, 1)),
    Command("down", "j,down", "down", MOVE, partial(_list, "down"), in_list, shown="j ↓"),
    Command("up", "k,up", "up", MOVE, partial(_list, "up"), in_list, shown="k ↑"),
    Command("top", "g,home", "first", MOVE, partial(_list, "top"), in_list, shown="g"),
    Command("end", "G,end", "last", MOVE, partial(_list, "end"), in_list, shown="G"),
    Command("filter", "slash", "filter the list", MOVE, do.filter_list, in_list, footer="Filter", shown="/"),
    Command("clear", "escape", "show all rows again", MOVE, partial(_list, "clear"), shown="esc"),
    Command("sort", "s", "sort by the next column", MOVE, partial(_list, "sort"), in_list),
    Command("details", "enter", "details of the selected thing", MOVE, do.details, on_anything),
    Command("equity", "E,space", "price or equity", CHART, partial(_chart, "turn"), opened, shown="E spc"),
    Command("coarser", "i,right", "longer candles", CHART, partial(_chart, "coarser"), opened, shown="i →"),
    Command("finer", "I,left", "shorter candles", CHART, partial(_chart, "finer"), opened, shown="I ←"),
    Command("log", "L", "what happened, newest first", CONSOLE, do.log, opened),
    Command("copy", "y", "copy the selected row", CONSOLE, do.copy, on_anything),
    Command("export", "e", "export the list to a CSV file", CONSOLE, do.export, in_list),
    Command("theme", "T", "the next theme", CONSOLE, do.theme),
    Command("command", "colon", "command line", CONSOLE, do.command_line, shown=":"),
    Command("help", "question_mark", "this help", CONSOLE, do.help_page, opened, footer="Help", shown="?"),
    Command("quit", "q", "quit; lists what stays open", CONSOLE, do.leave, footer="Quit"),
)
"""In the order of the footer, the help and the palette."""

BY_ID = {command.id: command for command in COMMANDS}
