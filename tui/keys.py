"""Keys as they are mapped: the table's, changed by a person's own map; what is wrong with the map is one message."""

from collections.abc import Mapping, Sequence

from textual.binding import Binding
from textual.keys import _character_to_key, format_key

from tui.command import Command

_DIALOG_KEYS = frozenset({"ctrl+q", "ctrl+c", "ctrl+p", "tab", "shift+tab"})


def _named(key: str) -> str:
    return _character_to_key(key) if len(key) == 1 else key


def split(keys: str) -> list[str]:
    """The single keys of a mapping."""
    return [_named(key.strip() if len(key) > 1 else key) for key in keys.split(",") if key.strip()]


class KeyMap:
    """From commands to keys."""

    def __init__(self, commands: Sequence[Command], own: Mapping[str, str]) -> None:
        self._shown = {c.id: c.shown or c.key for c in commands}
        self.map = {c.id: c.key for c in commands}
        self.error = ""
        """Empty, or all that is wrong with the person's map; then none of it is used."""
        wrong = self._wrong(commands, own)
        if wrong:
            self.error = "key map not used: " + "; ".join(wrong)
            return
        for name, keys in own.items():
            self.map[name] = keys
            self._shown[name] = " ".join(format_key(key) for key in split(keys))

    def _wrong(self, commands: Sequence[Command], own: Mapping[str, str]) -> list[str]:
        known = {c.id: c.key for c in commands}
        wrong = [f"no command is called {name!r}" for name in own if name not in known]
        taken: dict[str, str] = {}
        for name, keys in {**known, **{n: k for n, k in own.items() if n in known}}.items():
            parts = split(keys)
            if not parts and name in own:
                wrong.append(f"{name}: {keys!r} is no key")
            for key in parts:
                if key in _DIALOG_KEYS:
                    wrong.append(f"{name}: {key} is the console's own")
                if key in taken:
                    wrong.append(f"{key} is both {taken[key]} and {name}")
                taken[key] = name
        return wrong

    def shown(self, command: str) -> str:
        """How a command's key is written."""
        return self._shown.get(command, "")

    def bindings(self, commands: Sequence[Command]) -> list[Binding]:
        """For the main screen: none has priority, so none fires through a dialog."""
        return [Binding(key, f"command({c.id!r})", c.words, show=False, id=c.id) for c in commands for key in split(self.map[c.id])]
