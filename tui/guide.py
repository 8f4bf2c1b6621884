"""The help and the footer, made of the one table."""

from collections.abc import Sequence

from rich.cells import cell_len

from tui.buttons import Buttons, Word
from tui.command import Command
from tui.commands import COMMANDS
from tui.console import Context
from tui.costs import Told
from tui.keys import KeyMap
from tui.lines import Line
from tui.palette import Palette

LAYOUT = "next-layout"
"""The command that a click on the layout's name runs."""
FIND = "find"
"""What a click on the palette's words says."""


def help_lines(commands: Sequence[Command], keys: KeyMap, room: int) -> list[Line]:
    """All commands by group, in two columns where there is room."""
    groups: dict[str, list[Command]] = {}
    for command in commands:
        groups.setdefault(command.group, []).append(command)
    blocks = [_block(name, members, keys) for name, members in groups.items()]
    if room < 98:
        return [line for block in blocks for line in block]
    left: list[Line] = []
    right: list[Line] = []
    for block in blocks:
        (left if len(left) <= len(right) else right).extend(block)
    half = max(sum(cell_len(text) for text, _ in line) for line in left) + 3
    rows = max(len(left), len(right))
    padded = [_padded(left[y] if y < len(left) else (), half) for y in range(rows)]
    return [(*padded[y], *(right[y] if y < len(right) else ())) for y in range(rows)]


def _padded(line: Line, width: int) -> Line:
    used = sum(cell_len(text) for text, _ in line)
    return (*line, (" " * max(width - used, 1), "plain"))


def _block(name: str, members: Sequence[Command], keys: KeyMap) -> list[Line]:
    rows: list[Line] = [((name, "strong"),)]
    rows.extend(
        ((f"  {keys.shown(c.id) or ':' + c.id:<7} ", "key"), (c.words, "plain")) for c in members
    )
    return [*rows, ()]


class KeyFooter(Buttons):
    """The last line: keys that matter, dim when they can't be used now. A click on one does what
    the key does; each of them asks first.
    """

    def __init__(self, palette: Palette, keys: KeyMap) -> None:
        super().__init__(palette, base="on-raised", id="keys")
        self._commands = [c for c in COMMANDS if c.footer]
        self._keys = keys
        self.named = ""
        """The layout in use, for where there is room to say it."""
        self.told = Told()
        """What the keys would cost, and how long a flatten would wait."""

    def show(self, context: Context) -> None:
        """What can be done here."""
        words: list[Word] = [(" ", "plain", "")]
        room = self.size.width - 1
        for command in self._fitting(room, context):
            usable = command.availability(context) is None
            danger = command.id == "flatten"
            words.append(
                (
                    f"{self._keys.shown(command.id)} ",
                    "faint" if not usable else "danger" if danger else "key",
                    command.id,
                )
            )
            words.append(
                (
                    self._text(command, usable=usable),
                    "faint" if not usable else "danger" if danger else "plain",
                    command.id,
                )
            )
            words.append(("  ", "plain", ""))
        gap = room - sum(cell_len(text) for text, *_ in words) - 10
        key = f"{self._keys.shown(LAYOUT)} "
        layout = f"layout {self.named}   "
        if gap - cell_len(key + layout) > 0:
            gap -= cell_len(key + layout)
            right: list[Word] = [(key, "key", LAYOUT), (layout, "plain", LAYOUT)]
        else:
            right = []
        if gap > 0:
            words.append((" " * gap, "plain", ""))
            words.extend([*right, ("^p ", "key", FIND), ("Palette", "plain", FIND)])
        self.put_words(words)

    def _text(self, command: Command, *, usable: bool) -> str:
        """Its word, and what it would cost of the venue's counters, or when a flatten has left."""
        cost = self.told.costs.get(command.id, "") if usable else ""
        return f"{command.footer} {self.told.flatten if command.id == 'flatten' else cost}".strip()

    def _fitting(self, room: int, context: Context) -> list[Command]:
        """As many as there is room for, those of the pane that listens first; what every person
        must find goes last.
        """
        pane = context.pane
        own = [c for c in self._commands if c.pane == pane] if pane else []

        def width(c: Command) -> int:
            text = self._text(c, usable=c.availability(context) is None)
            return cell_len(f"{self._keys.shown(c.id)} {text}  ")

        kept = [*own, *(c for c in self._commands if not c.pane)]
        going = [
            *("filter", "break-even", "cancel", "new"),
            *(c.id for c in reversed(own)),
            *("quit", "help", "stop", "close"),
        ]
        for name in going:
            if sum(map(width, kept)) <= room:
                break
            kept = [c for c in kept if c.id != name]
        return kept
