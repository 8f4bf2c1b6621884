"""The themes of a console, and what is wrong with those that can't be used."""

from pathlib import Path

import themes
from tui.options import ConsoleOptions


class Looks:
    """All of them, and the one that the settings choose."""

    def __init__(self, options: ConsoleOptions) -> None:
        self.by_name: dict[str, themes.Look] = {}
        self.faults: list[str] = []
        """What is wrong with files of themes, and with the name that was chosen."""
        self.chosen = self.read(options)

    def names(self) -> list[str]:
        """By name, in order."""
        return sorted(self.by_name)

    def read(self, options: ConsoleOptions) -> themes.Look:
        """Read all of them (again); the one that the settings choose."""
        found = themes.load(options.themes)
        self.by_name, self.faults = found.looks, list(found.errors)
        self.chosen = self._look(options.theme)
        return self.chosen

    def after(self, name: str) -> str:
        """The name behind this one."""
        names = self.names()
        at = names.index(name) + 1 if name in names else 0
        return names[at % len(names)]

    def named(self, name: str) -> themes.Look:
        """The one of this name. Raises ValueError for one that there is not."""
        if name not in self.by_name:
            raise ValueError(themes.unknown(name, self.by_name))
        return self.by_name[name]

    def _look(self, wanted: str) -> themes.Look:
        """By name, or from a file; the default, and a fault, where there is none."""
        if wanted.endswith(".toml"):
            own = themes.read(Path(wanted).expanduser())
            if isinstance(own, themes.Look):
                self.by_name[own.name] = own
                return own
            self.faults.append(own)
        elif wanted in self.by_name:
            return self.by_name[wanted]
        else:
            self.faults.append(themes.unknown(wanted, self.by_name))
        return self.by_name[themes.DEFAULT]
