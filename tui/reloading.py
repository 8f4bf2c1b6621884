"""Files that the console is made of, used again when they change: theme, layouts, keys, templates,
macros, presets. Rules of the desk are read at the start alone.
"""

from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from engine.model.view import Notice
from tui import layouts
from tui.keys import KeyMap, place_of
from tui.looks import Looks
from tui.macros import table_with
from tui.options import ConsoleOptions
from tui.panes.table import smallest
from tui.screen import MainScreen

Stamp = tuple[tuple[str, int, int], ...]
"""Of each file: its path, when it was written, its size."""


def stamp_of(sources: tuple[Path, ...]) -> Stamp:
    """What changes when a file does; a folder stands for the TOML files in it."""
    found = []
    for source in sources:
        for file in sorted(source.glob("*.toml")) if source.is_dir() else [source]:
            try:
                stat = file.stat()
            except OSError:
                continue
            found.append((str(file), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def faults_of(
    options: ConsoleOptions, looks: Looks, keys: KeyMap, arrangements: layouts.Layouts
) -> list[str]:
    """What of the settings the console can't use, a sentence each."""
    found = [*looks.faults, *options.faults]
    found += [place_of(options.keys_origin, name) + why for name, why in keys.errors]
    found += arrangements.errors
    if options.layout not in arrangements.layouts:
        there = ", ".join(arrangements.layouts)
        found.append(f"console.layout is {options.layout!r}: there are {there}")
    return found


class Reloaded(Protocol):
    """The application, as it is changed while it runs."""

    options: ConsoleOptions
    looks: Looks
    keys: KeyMap
    main: MainScreen

    def paint(self, name: str) -> None:
        """Paint with a theme, also where it is in use and its colours have changed."""
        ...


class Reloading:
    """Looks at the files once a second."""

    def __init__(self, app: Reloaded) -> None:
        self._app = app
        self._sources, self._again = app.options.sources, app.options.again
        self._used = self._seen = stamp_of(self._sources)

    def look(self) -> None:
        """Use what has changed, once it has stood still for a second: an editor writes in steps."""
        now = stamp_of(self._sources)
        settled, self._seen = now == self._seen, now
        if self._again is None or not settled or now == self._used:
            return
        self._used = now
        try:
            self._tell(*used(self._app, self._again()))
        except Exception as error:
            self._app.main.complain([f"the settings stay as they were: {error}"])

    def _tell(self, changed: list[str], faults: list[str]) -> None:
        main, what = self._app.main, ", ".join(changed)
        text = f"read again: {what}" if what else "settings were written: used from the next start"
        main.say(text)
        main.board.activity.record.add(Notice(0, main.link.view.at, "plain", text))
        main.complain(faults)


def used(app: Reloaded, fresh: ConsoleOptions) -> tuple[list[str], list[str]]:
    """Use what the settings say now; what has changed, and what of it can't be used."""
    old, main = app.options, app.main
    before = faults_of(old, app.looks, app.keys, main.arrangements.loaded)
    changed = [
        words
        for words, is_new in (
            ("keys", old.keys != fresh.keys),
            ("macros", old.commands != fresh.commands),
            ("presets", old.presets != fresh.presets),
            ("templates", old.templates.by_name != fresh.templates.by_name),
        )
        if is_new
    ]
    changed += _painted(app, fresh)
    fresh = kept(old, fresh)
    app.options = fresh
    app.keys.take(table_with(fresh.commands), fresh.keys)
    main.take(fresh)
    arrangements = layouts.load(smallest, fresh.layouts)
    if main.arrangements.renew(arrangements):
        changed.append("layouts")
    faults = faults_of(fresh, app.looks, app.keys, arrangements)
    return changed, [fault for fault in faults if fault not in before]


def kept(old: ConsoleOptions, fresh: ConsoleOptions) -> ConsoleOptions:
    """The old ones with what is used while the console runs."""
    return replace(
        old,
        theme=fresh.theme,
        themes=fresh.themes,
        layout=fresh.layout,
        layouts=fresh.layouts,
        keys=fresh.keys,
        keys_origin=fresh.keys_origin,
        commands=fresh.commands,
        presets=fresh.presets,
        templates=fresh.templates,
        filled=fresh.filled,
        faults=fresh.faults,
    )


def _painted(app: Reloaded, fresh: ConsoleOptions) -> list[str]:
    """Read the themes again; paint where the one in use, or the choice of one, has changed."""
    before, shown = app.looks.by_name, app.main.palette.look
    chosen = app.looks.read(fresh)
    wanted = chosen.name if fresh.theme != app.options.theme else shown.name
    now = app.looks.by_name.get(wanted, chosen)
    if now != shown:
        app.paint(now.name)
    return ["themes"] if now != shown or app.looks.by_name != before else []
