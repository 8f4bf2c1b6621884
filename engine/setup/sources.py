"""Where values come from: the file, the environment, flags."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.setup import account_tables, symbol_tables, template_tables
from engine.setup.sections import SECTIONS
from engine.setup.setting_lines import located
from engine.setup.setting_values import SettingsError

PREFIX = "FLATOUT_"


def from_file(
    path: Path, *, required: bool
) -> tuple[list[account_tables.Told], dict[str, dict[str, Any]]]:
    """The file's sections as a list, and its tables `[accounts.NAME]`. Raises SettingsError."""
    if not path.exists():
        if required:
            raise SettingsError(f"settings: there is no file {path}")
        return [], {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"settings: {path} can't be read: {error}") from error
    try:
        accounts = account_tables.checked(tables.pop(account_tables.SECTION, {}), path, SECTIONS)
    except account_tables.TableError as error:
        raise SettingsError(str(error)) from error
    told: list[account_tables.Told] = []
    for section, table in tables.items():
        if section == symbol_tables.SECTION:
            try:
                told.extend((str(path), key, value) for key, value in symbol_tables.told(table))
            except symbol_tables.SymbolError as error:
                raise SettingsError(
                    f"settings: {located(str(path), (section,))}: {error}"
                ) from error
            continue
        if section == template_tables.SECTION:
            told.extend((str(path), key, value) for key, value in template_tables.told(table))
            continue
        if not isinstance(table, dict):
            raise SettingsError(
                f"settings: {path}: {section} stands outside of a section; allowed sections:"
                f" {', '.join(SECTIONS)}"
            )
        told.extend((str(path), f"{section}.{name}", value) for name, value in table.items())
    return told, accounts


def from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, object]]:
    """What variables say. Raises SettingsError."""
    told: list[tuple[str, str, object]] = []
    for variable, text in sorted(environment.items()):
        section, separator, name = variable.removeprefix(PREFIX).partition("__")
        if variable.startswith(PREFIX) and separator:
            if section.lower() in (symbol_tables.SECTION, template_tables.SECTION):
                what = "symbol" if section.lower() == symbol_tables.SECTION else "template"
                raise SettingsError(
                    f"settings: {variable}: a variable can't name a {what}; write it into the file,"
                    " or --set symbols.BTC/USD.max_size=1"
                )
            told.append((variable, f"{section.lower()}.{name.lower()}", _value(text)))
    return told


def from_flags(flags: Iterable[str]) -> list[tuple[str, str, object]]:
    """What `--set` says. Raises SettingsError."""
    told: list[tuple[str, str, object]] = []
    for flag in flags:
        key, separator, text = flag.partition("=")
        if not separator or "." not in key:
            raise SettingsError(f"settings: --set {flag!r} is not of the form section.name=value")
        told.append(("--set", key.strip(), _value(text.strip())))
    return told


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}", parse_float=str)["value"]
    except tomllib.TOMLDecodeError:
        return text
