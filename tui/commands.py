"""The one table of commands. A key is here or it does nothing."""

from collections.abc import Callable
from functools import partial
from importlib import import_module

from tui.chart.commands import CHART, CHART_COMMANDS
from tui.command import (
    Command,
    in_list,
    in_rows,
    may_act,
    not_opened,
    on_alert,
    on_anything,
    on_new_alert,
    on_order,
    on_position,
    on_stop,
    on_symbol,
    on_thing,
    opened,
    recorded,
)
from tui.console import Console
from tui.ladder.commands import LADDER_COMMANDS
from tui.panes.table import PANES

MOVE, TRADE, ORDERS, DESK, ALERTS, CONSOLE, SCREENS, RECORDING = (
    "Move", "Position", "Orders", "Desk", "Alerts", "Console", "Screens", "Recording"
)  # fmt: skip
ACTIONS = "tui.actions"
"""What commands do, with all its dialogs: loaded once the account is open, or with the first key
before that. The first paint needs none of it.
"""


def act(name: str) -> Callable[[Console], None]:
    """An action by its name."""

    def run(console: Console) -> None:
        getattr(import_module(ACTIONS), name)(console)

    return run


def _focus(pane: str, console: Console) -> None:
    console.focus_pane(pane)


def _list(what: str, console: Console) -> None:
    console.list_do(what)


def _chart(what: str, console: Console) -> None:
    console.chart_do(what)


def _play(words: str, console: Console) -> None:
    from tui.flows import replaying  # with the first key that needs it

    if words:
        replaying.ask(console, words)
    else:
        replaying.freeze(console)


COMMANDS: tuple[Command, ...] = (
    Command(
        "close",
        "x",
        "close the selected position",
        TRADE,
        act("close"),
        on_position,
        footer="Close",
    ),
    Command("close-part", "X", "close 25, 50 or 75 % of it", TRADE, act("close_part"), on_position),
    Command(
        "cancel", "c", "cancel the selected order", ORDERS, act("cancel"), on_order, footer="Cancel"
    ),
    Command(
        "stop",
        "m",
        "move the stop; on an order: amend it",
        TRADE,
        act("move_stop"),
        on_stop,
        footer="Stop",
    ),
    Command(
        "break-even",
        "b",
        "stop to break-even, fees included",
        TRADE,
        act("break_even"),
        on_position,
        footer="Break-even",
    ),
    Command("trail", "t", "trailing stop on, off, distance", TRADE, act("trail"), on_position),
    Command("target", "M", "move the target", TRADE, act("move_target"), on_position),
    Command("note", "N", "write a note and tags on it", TRADE, act("note"), on_position),
    Command("reverse", "v", "close and open the other side", TRADE, act("reverse"), on_position),
    Command(
        "new", "n", "new order with stop and target", ORDERS, act("ticket"), may_act, footer="New"
    ),
    Command("buy", "w", "buy: the ticket with the template", ORDERS, act("buy"), may_act),
    Command("sell", "o", "sell: the ticket with the template", ORDERS, act("sell"), may_act),
    Command(
        "cancel-symbol",
        "C",
        "cancel all entries of the symbol",
        ORDERS,
        act("cancel_symbol"),
        on_symbol,
    ),
    Command("cancel-all", "", "cancel all entries", ORDERS, act("cancel_all"), may_act),
    Command(
        "flatten",
        "F",
        "flatten everything: cancel all, close all",
        DESK,
        act("flatten"),
        footer="FLATTEN",
        always="f9",
    ),
    Command("pause", "p", "pause or resume entries; exits go on", DESK, act("pause"), may_act),
    Command("halt", "", "halt: exits by hand only; :unhalt ends it", DESK, act("halt"), may_act),
    Command(
        "unhalt", "", "end the halt; the account's name is typed", DESK, act("unhalt"), may_act
    ),
    Command("take", "", "let this console's keys act on the account", DESK, act("take"), opened),
    Command("live", "", "let entries through on a live account", DESK, act("live"), may_act),
    Command("resume", "", "clear what blocks entries", DESK, act("resume"), may_act),
    Command("reconcile", "R", "compare ours with the venue's now", DESK, act("reconcile"), may_act),
    Command("freeze", "P", "freeze time, or play on", RECORDING, partial(_play, ""), recorded),
    Command(
        "slower",
        "left_square_bracket",
        "play slower",
        RECORDING,
        partial(_play, "slower"),
        recorded,
        shown="[",
    ),
    Command(
        "faster",
        "right_square_bracket",
        "play faster",
        RECORDING,
        partial(_play, "faster"),
        recorded,
        shown="]",
    ),
    Command(
        "next-fill",
        "right_curly_bracket",
        "hurry on to the next fill",
        RECORDING,
        partial(_play, "next fill"),
        recorded,
        shown="}",
    ),
    Command(
        "activity-end",
        "c",
        "end the wait or the work that is selected",
        ALERTS,
        act("end_work"),
        opened,
        pane="activity",
    ),
    Command("acknowledge", "a", "acknowledge the alert", ALERTS, act("acknowledge"), on_new_alert),
    Command(
        "jump",
        "exclamation_mark",
        "go to what the alert is about",
        ALERTS,
        act("jump"),
        on_alert,
        shown="!",
    ),
    *(
        Command(
            f"pane-{pane.name}",
            str(pane.number),
            f"focus {pane.title}",
            MOVE,
            partial(_focus, pane.name),
        )
        for pane in PANES
    ),
    Command(
        "next-symbol", ">", "focus on the next watched symbol", MOVE, act("next_symbol"), opened
    ),
    Command(
        "previous-symbol", "<", "focus on the previous one", MOVE, act("previous_symbol"), opened
    ),
    Command("down", "j,down", "down", MOVE, partial(_list, "down"), in_rows, shown="j ↓"),
    Command("up", "k,up", "up", MOVE, partial(_list, "up"), in_rows, shown="k ↑"),
    Command("top", "g,home", "first", MOVE, partial(_list, "top"), in_rows, shown="g"),
    Command("end", "G,end", "last", MOVE, partial(_list, "end"), in_rows, shown="G"),
    Command(
        "filter",
        "slash",
        "filter the list",
        MOVE,
        act("filter_list"),
        in_list,
        footer="Filter",
        shown="/",
    ),
    Command("clear", "escape", "show all rows again", MOVE, partial(_list, "clear"), shown="esc"),
    Command("sort", "s", "sort by the next column", MOVE, partial(_list, "sort"), in_list),
    Command(
        "details",
        "enter",
        "timeline of it; in Watch: focus",
        MOVE,
        act("details"),
        on_thing,
    ),
    Command("columns", ".", "all columns of the row", MOVE, act("columns"), on_anything),
    Command("zoom", "z", "this pane alone, and back", MOVE, act("zoom")),
    Command("main", "f2", "main: all panes", SCREENS, act("main"), shown="F2"),
    Command("ladder-screen", "f3", "ladder", SCREENS, act("ladder_screen"), opened, shown="F3"),
    Command("blotter", "f4", "blotter: what ended", SCREENS, act("blotter"), opened, shown="F4"),
    Command(
        "truth", "V,f6", "compare with the venue", SCREENS, act("truth"), may_act, shown="V F6"
    ),
    Command("log", "L,f7", "log: what happened", SCREENS, act("log"), opened, shown="L F7"),
    Command("next-layout", "f8", "the next layout", SCREENS, act("next_layout"), shown="F8"),
    Command("screens", "comma", "menu of screens", SCREENS, act("screens"), shown=","),
    Command(
        "equity",
        "E",
        "price or equity",
        CHART,
        partial(_chart, "turn"),
        opened,
    ),
    Command(
        "period",
        "space",
        "day, session, all",
        MOVE,
        partial(_list, "turn"),
        opened,
        shown="space",
        pane="pnl",
    ),
    Command(
        "coarser",
        "i",
        "longer candles",
        CHART,
        partial(_chart, "coarser"),
        opened,
    ),
    Command("finer", "I", "shorter candles", CHART, partial(_chart, "finer"), opened),
    *CHART_COMMANDS,
    *LADDER_COMMANDS,
    Command("copy", "y", "copy the selected row", CONSOLE, act("copy"), on_anything),
    Command("export", "e", "export the list to a CSV file", CONSOLE, act("export"), in_list),
    Command("theme", "T", "the next theme", CONSOLE, act("theme")),
    Command("command", "colon", "command line", CONSOLE, act("command_line"), shown=":"),
    Command(
        "tour",
        "",
        "five steps on paper, from buy to flatten",
        CONSOLE,
        act("tour"),
        may_act,
    ),
    Command(
        "help",
        "question_mark,f1",
        "help: the manual",
        SCREENS,
        act("help_page"),
        footer="Help",
        shown="? F1",
    ),
    Command(
        "retry",
        "r",
        "open the account or start its engine again",
        DESK,
        lambda console: console.try_again(),
        not_opened,
    ),
    Command("quit", "q", "quit; lists what stays open", CONSOLE, act("leave"), footer="Quit"),
)
"""In the order of the footer, the help and the palette."""

BY_ID = {command.id: command for command in COMMANDS}
