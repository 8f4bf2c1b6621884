"""`[templates.scalp]` of the settings file and `--set templates.scalp.stop=1%`: read field by
field, and each template that can't be used left out alone, with one sentence that says which, where
and what is allowed.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

from engine.model.rules import SymbolRules
from engine.model.templates import FIELDS, NONE, FieldError, TemplateSettings, wish_of
from engine.setup.setting_lines import located
from engine.setup.setting_values import SettingsError, checked

SECTION = "templates"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,23}")
NUMBERS = ("size", "price", "stop")
"""Texts that may stand as a bare number: `size = 2`."""
Wanted = Mapping[str, Mapping[str, Any]]
"""Values by template and field."""
Origins = Mapping[str, str]


def key_of(name: str, field: str) -> str:
    """The key under which origins know a template's value."""
    return f"{SECTION}.{name}.{field}"


def parted(name: str) -> tuple[str, str]:
    """Template and field of a key without its section."""
    template, _, field = name.rpartition(".")
    return (template.strip().strip("\"'"), field) if template else (field, "")


def told(table: object) -> Iterator[tuple[str, object]]:
    """The fields of a file's tables, as keys and values; what is no table is told as it stands."""
    if not isinstance(table, dict):
        yield SECTION + ".", table
        return
    for name, inner in table.items():
        if isinstance(inner, dict):
            yield from ((key_of(name, field), value) for field, value in inner.items())
        if not isinstance(inner, dict) or not inner:
            yield f"{SECTION}.{name}", inner


def read(wanted: Wanted, origins: Origins) -> tuple[dict[str, TemplateSettings], tuple[str, ...]]:
    """The templates that can be used, and why each of the others can't."""
    found, faults = {}, []
    for name, fields in wanted.items():
        try:
            found[name] = _one(name, fields, origins)
        except SettingsError as error:
            faults.append(f"{error}; the template {name} is left out")
    return found, tuple(faults)


def _one(name: str, fields: Mapping[str, Any], origins: Origins) -> TemplateSettings:
    hints, values = get_type_hints(TemplateSettings, include_extras=True), {}
    if not NAME.fullmatch(name) or name in NONE:
        raise _fault(
            name,
            next(iter(fields), ""),
            origins,
            f"[{SECTION}.{name}]: a name is 1 to 24 small letters, digits, dashes or underscores,"
            " and not none or off",
        )
    for field, value in fields.items():
        key = key_of(name, field)
        if not field or field not in hints:
            near = difflib.get_close_matches(field, FIELDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(FIELDS)}"
            what = f"unknown key {key}" if field else f"[{SECTION}.{name}] is {value!r}"
            raise _fault(name, field, origins, f"{what}; {hint}")
        said = str(value) if field in NUMBERS and type(value) is int else value
        values[field] = checked(
            key, (SECTION, name, field), said, hints[field], origins.get(key, "default")
        )
    made = TemplateSettings(**values)
    try:
        wish_of(made)
    except FieldError as error:
        key, value = key_of(name, error.field), getattr(made, error.field)
        shown = list(value) if isinstance(value, tuple) else value
        raise _fault(name, error.field, origins, f"{key} is {shown!r}; {error}") from error
    return made


def _fault(name: str, field: str, origins: Origins, text: str) -> SettingsError:
    origin = origins.get(key_of(name, field), "default")
    return SettingsError(f"settings: {located(origin, (SECTION, name, field))}: {text}")


def known_only(
    symbols: Mapping[str, SymbolRules], templates: Mapping[str, TemplateSettings], origins: Origins
) -> Iterator[tuple[str, str]]:
    """Symbols whose own template is none that can be used, and why."""
    for symbol, own in symbols.items():
        if own.template is None or own.template in templates:
            continue
        key = f'symbols."{symbol}".template'
        place = located(origins.get(key, "default"), ("symbols", symbol, "template"))
        known = ", ".join(sorted(templates)) or "none"
        yield (
            symbol,
            (
                f"settings: {place}: {key} is {own.template!r}; there is no usable template of that"
                f" name; known: {known}"
            ),
        )
