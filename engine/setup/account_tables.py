"""`[accounts.NAME]` of the settings file: what holds for one account, so that `--account NAME` is
enough for every command.

A table holds keys of `[account]` except the name, `symbols` (the market's list, or tables as
`[symbols]` has them), and tables of other sections (`[accounts.main.risk]`).
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.setup import symbol_tables

SECTION = "accounts"
NAME = re.compile(r"^[A-Za-z0-9_.-]{1,40}$")
Told = tuple[str, str, object]
"""Origin, key and value."""
Sections = Mapping[str, type[Struct]]


class TableError(Exception):
    """A table that can't be used; the text names the file, the key and what is allowed."""


def checked(tables: object, path: Path, sections: Sections) -> dict[str, dict[str, Any]]:
    """The tables by account. Raises TableError at the first name or key that is not known, in any
    table: also in one not in use.
    """
    if not isinstance(tables, dict) or not all(
        isinstance(table, dict) for table in tables.values()
    ):
        raise TableError(
            f"settings: {path}: write a table for each account, such as [accounts.main]"
        )
    for name, table in tables.items():
        if not NAME.match(name) or set(name) == {"."}:
            raise TableError(
                f"settings: {path}: [accounts.{name}]: a name is 1 to 40 letters, digits, dots,"
                " dashes or underscores"
            )
        for key, value in table.items():
            _check(name, key, value, path, sections)
    return tables


def _check(name: str, key: str, value: object, path: Path, sections: Sections) -> None:
    allowed = _keys(sections)
    if key == symbol_tables.SECTION and isinstance(value, dict):
        _check_symbols(name, value, path)
        return
    if key in allowed:
        return
    nested = [section for section in sections if section != "account"]
    if key in nested and isinstance(value, dict):
        for inner in value:
            if inner not in sections[key].__struct_fields__:
                raise _unknown(
                    path, f"accounts.{name}.{key}", inner, sections[key].__struct_fields__
                )
        return
    raise _unknown(path, f"accounts.{name}", key, (*allowed, *nested))


def _check_symbols(name: str, table: object, path: Path) -> None:
    """`[accounts.NAME.symbols."BTC/USD"]`, beside which the account's list of symbols stands in
    `[accounts.NAME.market]`.
    """
    try:
        for key, _ in symbol_tables.told(table, f"{SECTION}.{name}.{symbol_tables.SECTION}"):
            symbol_tables.parted(key.partition(".")[2])
    except symbol_tables.SymbolError as error:
        raise TableError(f"settings: {path}: [{SECTION}.{name}]: {error}") from error


def _keys(sections: Sections) -> tuple[str, ...]:
    return (
        *(field for field in sections["account"].__struct_fields__ if field != "name"),
        "symbols",
    )


def _unknown(path: Path, table: str, key: str, allowed: tuple[str, ...]) -> TableError:
    near = difflib.get_close_matches(key, allowed, n=1)
    hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(allowed)}"
    return TableError(f"settings: {path}: unknown key {table}.{key}; {hint}")


def layer(
    tables: Mapping[str, Mapping[str, Any]], name: str, path: Path, sections: Sections
) -> list[Told]:
    """Read the table of the account `name`, as keys of the settings."""
    origin = f"{SECTION}.{name} in {path}"
    told: list[Told] = []
    for key, value in tables.get(name, {}).items():
        if key == "symbols" and isinstance(value, dict):
            told.extend((origin, inner, content) for inner, content in symbol_tables.told(value))
        elif key == "symbols":
            told.append((origin, "market.symbols", value))
        elif key in sections["account"].__struct_fields__:
            told.append((origin, f"account.{key}", value))
        else:
            told.extend((origin, f"{key}.{inner}", content) for inner, content in value.items())
    return told
