"""A person's own commands as commands of the console: for keys, palette and help."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module

from tui.command import Command, opened
from tui.commands import ACTIONS, BY_ID, COMMANDS
from tui.console import Console

MACROS = "Macros"


def _say(name: str, console: Console) -> None:
    import_module(ACTIONS).say_macro(console, name)


def table_with(macros: Mapping[str, str]) -> tuple[Command, ...]:
    """The table of commands with these macros behind it, each without a key unless the person's map
    gives it one. A name that a command has is the command's.
    """
    own = (
        Command(name, "", text, MACROS, partial(_say, name), opened)
        for name, text in macros.items()
        if name not in BY_ID
    )
    return (*COMMANDS, *own)
