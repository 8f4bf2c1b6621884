"""Writes a template into the settings file, and leaves all else as it is: comments, order, other
tables.
"""

import contextlib
import os
import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.model.templates import FIELDS, TemplateSettings
from engine.setup.setting_values import SettingsError
from engine.setup.template_tables import SECTION, read

_HEADER = re.compile(r"^\s*\[")
_KEY = re.compile(r"^\s*([A-Za-z_]+)\s*=")


def keep(path: Path, name: str, template: TemplateSettings) -> None:
    """Write the template under its name, in the place of an older one. The file is written whole or
    not at all. Raises SettingsError.
    """
    values = dict(_values(template))
    _, faults = read({name: values}, {})
    if faults:
        raise SettingsError(faults[0].removeprefix("settings: default: "))
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = put(before, name, template)
        _check(before, after, name, values)
        _replace(path, after)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} can't be written: {error}") from error


def put(text: str, name: str, template: TemplateSettings) -> str:
    """The text of a settings file with the template in it; its comments stay."""
    lines = text.splitlines()
    header = re.compile(rf"^\s*\[\s*{SECTION}\s*\.\s*[\"']?{re.escape(name)}[\"']?\s*\]")
    begin = next((number for number, line in enumerate(lines) if header.match(line)), None)
    written = list(_lines(template))
    if begin is None:
        head = [*lines, ""] if lines and lines[-1].strip() else lines
        return "\n".join([*head, f"[{SECTION}.{name}]", *written]) + "\n"
    end = next((at for at in range(begin + 1, len(lines)) if _HEADER.match(lines[at])), len(lines))
    kept = list(_without_keys(lines[begin + 1 : end]))
    return "\n".join([*lines[: begin + 1], *written, *kept, *lines[end:]]) + "\n"


def _without_keys(lines: list[str]) -> Iterator[str]:
    """The lines of a table that assign nothing: comments and empty ones. A value may take several
    lines.
    """
    at = 0
    while at < len(lines):
        if not _KEY.match(lines[at]):
            yield lines[at]
            at += 1
            continue
        end = at + 1
        while end < len(lines) and not _whole("\n".join(lines[at:end])):
            end += 1
        comment = lines[end - 1].partition(" # ")[2]
        if comment and _whole("\n".join(lines[at:end])):
            yield f"# {_key(lines[at])}: {comment}"
        at = end


def _key(line: str) -> str:
    found = _KEY.match(line)
    return found[1] if found else ""


def _whole(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _values(template: TemplateSettings) -> Iterator[tuple[str, Any]]:
    """What the template says; what stands at its default is not said."""
    bare = TemplateSettings()
    for field in FIELDS:
        value = getattr(template, field)
        if value != getattr(bare, field):
            yield field, list(value) if isinstance(value, tuple) else value


def _lines(template: TemplateSettings) -> Iterator[str]:
    for field, value in _values(template):
        yield f"{field} = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _check(before: str, after: str, name: str, values: dict[str, Any]) -> None:
    """See that nothing but the template has changed. Raises SettingsError."""
    old, new = tomllib.loads(before), tomllib.loads(after)
    found = new.get(SECTION, {}).pop(name, None)
    old.get(SECTION, {}).pop(name, None)
    for tables in (old, new):
        if not tables.get(SECTION, True):
            del tables[SECTION]
    plain = {
        key: float(value) if isinstance(value, Decimal) else value for key, value in values.items()
    }
    if old != new or found != plain:
        raise SettingsError(
            f"the settings file can't take [{SECTION}.{name}] beside what stands in it: write it by"
            " hand"
        )


def _replace(path: Path, text: str) -> None:
    """Put the text in the place of the file at once; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path.resolve())
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
