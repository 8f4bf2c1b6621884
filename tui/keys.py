"""Keys as they are mapped: the table's, changed by a person's own map. Each entry that can't be
used is left out alone, and said.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from textual.binding import Binding
from textual.keys import Keys, _character_to_key, format_key

_DIALOG_KEYS = frozenset(
    {
        "ctrl+q",
        "ctrl+c",
        "ctrl+p",
        "tab",
        "shift+tab",
        "ctrl+i",
        "ctrl+m",
        "ctrl+left_square_bracket",
    }
)
"""Keys that dialogs and the palette need, and those that a terminal sends as tab, enter and escape.
"""
_NAMES = frozenset(key.value for key in Keys) | {"space"}
_MARK = re.compile(r"«([a-z0-9-]+)»")
ADVICE = {
    "m: set one  x: close": "«stop»: set one  «close»: close",
    "V: take over, leave or close": "«truth»: take over, leave or close",
    "m moves it to the cursor": "«ladder-stop» moves it to the cursor",
}
"""What is advised by whoever knows no map, with the commands that are meant: the engine's alerts,
and what becomes of a ladder's key.
"""
_MODIFIERS = re.compile(r"^((ctrl|alt|shift)\+)+")


def _named(key: str) -> str:
    return _character_to_key(key) if len(key) == 1 else key


def split(keys: str) -> list[str]:
    """The single keys of a mapping."""
    return [_named(key.strip() if len(key) > 1 else key) for key in keys.split(",") if key.strip()]


def is_key(name: str) -> bool:
    """Whether a terminal can send a key of this name, as Textual calls it."""
    if name in _NAMES:
        return True
    base = _MODIFIERS.sub("", name)
    if base != name and (len(base) == 1 or base in _NAMES):
        return True
    return len(base) == 1 or base in {_character_to_key(chr(code)) for code in range(0x21, 0x7F)}


class Mapped(Protocol):
    """A command, as a map of keys knows it."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def key(self) -> str:
        """Its keys, separated by commas."""
        ...

    @property
    def words(self) -> str:
        """What it does."""
        ...

    @property
    def shown(self) -> str:
        """How its keys are written, where that differs."""
        ...

    @property
    def always(self) -> str:
        """A key that nobody can map away."""
        ...

    @property
    def pane(self) -> str:
        """The pane that its keys belong to; empty for all."""
        ...


class KeyMap:
    """From commands to keys. Every command keeps a key that it had, whatever a person's map says:
    flatten above all.
    """

    def __init__(self, commands: Sequence[Mapped], own: Mapping[str, str]) -> None:
        self.take(commands, own)

    def take(self, commands: Sequence[Mapped], own: Mapping[str, str]) -> None:
        """Map these commands, by this map of a person."""
        self._shown = {c.id: c.shown or c.key for c in commands}
        self._defaults = {c.id: c.key for c in commands}
        self._always = {c.id: c.always for c in commands if c.always}
        self._panes = {c.id: c.pane for c in commands}
        self.errors: list[tuple[str, str]] = []
        """Entries of the person's map that are not used: the command as it stands there, and why.
        """
        used = {name: keys for name, keys in own.items() if self._is_usable(name, keys)}
        while (wrong := self._collision(used)) is not None:
            name, why = wrong
            self._refuse(name, used.pop(name), why)
        self.map = {**self._defaults, **used}
        self.is_own = bool(used)
        """Whether any key is another one than the built-in."""
        for name, keys in used.items():
            self._shown[name] = " ".join(format_key(key) for key in split(keys))
        self._in_panes = {
            (pane, key): name
            for name, pane in self._panes.items()
            if pane
            for key in split(self.map[name])
        }

    def _refuse(self, name: str, keys: str, why: str) -> None:
        default = self._defaults.get(name)
        stays = f"; {self._shown[name] or 'no key'} stays" if default is not None else ""
        self.errors.append((name, f"console.keys.{name} = {keys!r} is not used: {why}{stays}"))

    def _is_usable(self, name: str, keys: str) -> bool:
        """Whether an entry can be used by itself; what is wrong with it is kept."""
        if name not in self._defaults:
            near = difflib.get_close_matches(name, self._defaults, n=1)
            self._refuse(
                name,
                keys,
                f"unknown command “{name}”" + (f"; did you mean {near[0]}?" if near else ""),
            )
            return False
        parts = split(keys)
        strange = [key for key in parts if not is_key(key)]
        own = [key for key in parts if key in _DIALOG_KEYS or key in self._always.values()]
        why = (
            "it is no key"
            if not parts
            else f"{strange[0]!r} is no key"
            if strange
            else f"{own[0]} is the console's own"
            if own
            else ""
        )
        if why:
            self._refuse(name, keys, why)
        return not why

    def _collision(self, used: Mapping[str, str]) -> tuple[str, str] | None:
        """The first entry whose key another command has: of two entries, the later one; never a
        command's own default.
        """
        taken: dict[tuple[str, str], str] = {
            (self._panes[name], name_key): name
            for name, keys in self._defaults.items()
            if name not in used
            for name_key in split(keys)
        }
        for name, keys in used.items():
            for key in split(keys):
                other = taken.get((self._panes[name], key))
                if other is not None:
                    return name, f"{format_key(key)} is {other}"
            taken.update(dict.fromkeys(((self._panes[name], key) for key in split(keys)), name))
        return None

    def shown(self, command: str) -> str:
        """How a command's key is written."""
        return " ".join(
            filter(None, (self._shown.get(command, ""), self._always.get(command, "").upper()))
        )

    def first(self, command: str) -> str:
        """The one key of a command that is named in a sentence; its name on the command line where
        it has none.
        """
        return next(iter(self.shown(command).split()), f":{command}")

    def spelled(self, text: str) -> str:
        """A sentence of the console with its keys in it: `«stop»` is the key of that command. Of a
        sentence of the engine, which knows the built-in keys alone, the advice.
        """
        for told, names in ADVICE.items():
            if told in text:
                text = text.replace(told, names)
        return _MARK.sub(lambda found: self.first(found[1]), text) if "«" in text else text

    def bindings(self, commands: Sequence[Mapped]) -> list[Binding]:
        """For the main screen: none has priority, so none fires through a dialog. Keys of a pane
        are not among them.
        """
        return [
            Binding(key, f"command({c.id!r})", c.words, show=False, id=c.id)
            for c in commands
            if not c.pane
            for key in split(self.map[c.id])
        ]

    def in_pane(self, pane: str, key: str) -> str:
        """The command that a key means while this pane listens and nowhere else; empty for none."""
        return self._in_panes.get((pane, key), "")


def place_of(origin: str, name: str) -> str:
    """Where an entry of `console.keys` stands: `FILE:LINE: ` where the origin is a settings file
    that can be read, else the origin.
    """
    path = Path(origin)
    if not origin:
        return ""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError):
        return f"{origin}: "
    entry = re.compile(rf"""(^|[\s{{,])["']?{re.escape(name)}["']?\s*=""")
    found = next(
        (
            number
            for number, line in enumerate(lines, start=1)
            if entry.search(line) and not line.lstrip().startswith("#")
        ),
        None,
    )
    return f"{path.name}:{found}: " if found is not None else f"{path.name}: "
