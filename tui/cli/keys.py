"""`flatout keys`: every key of the console as it is mapped now, and what is wrong with the map.

Exit codes: 0 all of it can be used, 1 something can't, 2 unusable settings.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from tui.cli.chosen import settings_of
from tui.cli.common import Common
from tui.cli.output import harmless, say
from tui.command import Command
from tui.keys import KeyMap, is_key, place_of, split
from tui.macros import table_with

NEVER = ("f5", "f10", "f11", "f12")
"""Keys that browsers and terminals take for themselves."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one command's keys do."""

    id: str
    keys: tuple[str, ...]
    shown: str
    words: str
    group: str
    pane: str


def rows(commands: Sequence[Command], keys: KeyMap) -> list[Row]:
    """A row for each command, in the order of the help."""
    return [
        Row(
            c.id, tuple(split(keys.map[c.id])), keys.shown(c.id) or f":{c.id}", c.words, c.group,
            c.pane,
        )
        for c in commands
    ]  # fmt: skip


def faults(commands: Sequence[Command], keys: KeyMap, own: dict[str, str]) -> list[str]:
    """What is wrong, a sentence each: no key may have two meanings in a pane, each must be one that
    a terminal sends, each id must say what it does.
    """
    found: list[str] = []
    meanings: dict[tuple[str, str], str] = {}
    for row in rows(commands, keys):
        if not row.words or not row.group:
            found.append(f"{row.id} does not say what it does")
        for key in row.keys:
            other = meanings.setdefault((row.pane, key), row.id)
            if other != row.id:
                where = f"in {row.pane}" if row.pane else "everywhere"
                found.append(f"{key} means {other} and {row.id} {where}")
            if not is_key(key):
                found.append(f"{row.id}: no terminal sends {key!r}")
            if (key in NEVER or key.startswith("alt+")) and row.id not in own:
                found.append(f"{row.id}: browsers and terminals take {key} for themselves")
    return found


def keys_of(common: Common, *, check: bool, as_json: bool) -> int:
    """Print the keys, or only what is wrong; the exit code."""
    loaded = settings_of(common)
    own = loaded.settings.console.keys
    table = table_with(loaded.settings.commands)
    keys = KeyMap(table, own)
    origin = loaded.origins.get("console.keys", "")
    wrong = [place_of(origin, name) + why for name, why in keys.errors]
    wrong += faults(table, keys, own)
    if as_json:
        plain = [
            {"id": r.id, "keys": r.keys, "words": r.words, "group": r.group, "pane": r.pane}
            for r in rows(table, keys)
        ]
        say(json.dumps({"keys": plain, "faults": wrong}, ensure_ascii=False))
        return bool(wrong)
    if check:
        said = f"{len(table)} commands: no key has two meanings, each can be typed"
        say(*(map(harmless, wrong) if wrong else [said]))
        return bool(wrong)
    group, told = "", rows(table, keys)
    groups = list(dict.fromkeys(row.group for row in told))
    for row in sorted(told, key=lambda row: groups.index(row.group)):
        if row.group != group:
            group = row.group
            say(f"{group}")
        where = f"  (in {row.pane})" if row.pane else ""
        say(f"  {row.shown:<12} {row.id:<16} {row.words}{where}")
    for each in wrong:
        say(f"flatout keys: {harmless(each)}", err=True)
    return bool(wrong)


@click.command("keys")
@click.option("--check", is_flag=True, help="Only look for what is wrong.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(common: Common, *, check: bool, as_json: bool) -> None:
    """Print the console's keys as the settings map them, and what can't be used.

    Exit codes: 0 all of it can be used, 1 something can't, 2 unusable settings.
    """
    sys.exit(keys_of(common, check=check, as_json=as_json))
