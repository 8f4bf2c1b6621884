"""Which commands the main screen has, and their keys: part of the console that commands act on."""

from collections.abc import Callable

from textual.binding import BindingsMap

from tui.command import Command
from tui.commands import SCREENS
from tui.context import Context
from tui.guide import KeyFooter, help_lines
from tui.keys import KeyMap, split
from tui.lines import Line
from tui.macros import table_with
from tui.options import ConsoleOptions

MEANS = "command("
"""How the action of a key that means a command begins."""


class Keyboard:
    """The main screen's, whose keys it maps."""

    keys: KeyMap
    footer: KeyFooter
    commands: tuple[Command, ...]
    """The table, with a person's own commands behind it."""
    _bindings: BindingsMap

    def context(self) -> Context:
        """Where the person stands."""
        raise NotImplementedError

    def map_keys(self, options: ConsoleOptions) -> None:
        """Give the commands their keys, again where the settings have changed."""
        self.commands = table_with(options.commands)
        bound = self._bindings.key_to_bindings
        for key, bindings in list(bound.items()):
            bound[key] = [one for one in bindings if not one.action.startswith(MEANS)]
        for binding in self.keys.bindings(self.commands):
            bound.setdefault(binding.key, []).append(binding)

    def command(self, name: str) -> Command:
        """The command of this id."""
        return next(command for command in self.commands if command.id == name)

    def key(self, command: str) -> str:
        """How a command's key is written."""
        return self.keys.shown(command)

    def known(self) -> list[tuple[str, str, str, str | None]]:
        """All commands: id, key, words, and why not now."""
        here = self.context()
        return [(c.id, self.keys.shown(c.id), c.words, c.availability(here)) for c in self.commands]

    def screen_of(self, key: str) -> str:
        """The command of a screen that this key goes to; empty for any other key."""
        screens = (c.id for c in self.commands if c.group == SCREENS)
        return next((name for name in screens if key in split(self.keys.map[name])), "")

    def screens(self) -> list[tuple[str, str, str, str | None]]:
        """The commands of screens: id, key, words, and why not now."""
        names = {c.id for c in self.commands if c.group == SCREENS}
        return [known for known in self.known() if known[0] in names]

    def help_lines(self) -> Callable[[int], list[Line]]:
        """The help for a room of so many cells."""
        return lambda room: help_lines(self.commands, self.keys, room)
