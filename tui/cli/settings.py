"""`flatout settings --path`, `--init` and `--schema`: the settings file itself, and the keys that
may stand in it.

Each text is made from the definitions of the settings, so that none of them can name a key that is
not read.
"""

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click
import msgspec
from msgspec import Struct

from engine.model.rules import SymbolRules
from engine.model.templates import FIELDS, TemplateSettings
from engine.setup import symbol_tables, template_tables
from engine.setup.describing import describe, shown
from engine.setup.sections import SECTIONS
from engine.setup.setting_values import bounds
from engine.setup.settings import Loaded, default_file
from tui.cli.chosen import settings_of
from tui.cli.common import Common
from tui.cli.output import say

DONE, REFUSED = 0, 1
WIDTH = 100
HEAD = """\
# Settings of Flatout. Each key stands here with its default; take the # away from a line to
# change it. `flatout settings` says what is in force and where each value came from;
# `flatout settings --schema` is for editors."""
SYMBOL = '[symbols."BTC/USD"]'
TEMPLATE = "[templates.scalp]"
COMMANDS = """\
# [commands]
#   Commands of your own for the command line (docs/command-line.md).
#   scalp = "buy {1:symbol} risk 0.25% stop -0.4% target 1r half, 2r rest\""""
FILED = {"symbol": "symbols", "template": "templates"}
"""What the words of a schema's table are filed under, where that is not its name."""


def file_of(common: Common) -> Path:
    """The settings file that the commands read; it need not exist."""
    return default_file() if common.settings is None else common.settings


def show_path(common: Common) -> int:
    """Print the settings file's path; the exit code."""
    say(str(file_of(common)))
    return DONE


def write_file(common: Common) -> int:
    """Write a settings file in which every key stands as a comment with its default; the exit code:
    1 where it can't be written.
    """
    path = file_of(common)
    if path.exists():
        say(f"flatout settings: {path} is there already; nothing was written", err=True)
        return REFUSED
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        say(f"flatout settings: {path} can't be written: {error.strerror}", err=True)
        return REFUSED
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(template())
    say(f"wrote {path}")
    return DONE


def show_schema() -> int:
    """Print the JSON schema of the settings file; the exit code."""
    say(*json.dumps(schema(), indent=2, ensure_ascii=False).splitlines())
    return DONE


# The file with every key


def template() -> str:
    """A settings file that changes nothing: sections, and each key as a comment."""
    words, parts = describe(), [HEAD]
    for section, kind in SECTIONS.items():
        parts.append("\n".join((f"[{section}]", *_commented(section, kind, words))))
    parts.append("\n".join((f"# {SYMBOL}", *_commented("symbols", SymbolRules, words))))
    parts.append("\n".join((f"# {TEMPLATE}", *_commented("templates", TemplateSettings, words))))
    parts.append(COMMANDS)
    return "\n\n".join(parts) + "\n"


def _commented(section: str, kind: type[Struct], words: dict[str, str]) -> Iterator[str]:
    """Each key's meaning, and the key with its default; a key without a default is named alone."""
    values = kind()
    for name in kind.__struct_fields__:
        yield from textwrap.wrap(
            words[f"{section}.{name}"], WIDTH, initial_indent="#   ", subsequent_indent="#   "
        )
        value = getattr(values, name)
        yield f"# {name} =" if value is None else f"# {name} = {shown(value)}"


# The schema


SCHEMA_HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Settings of Flatout",
}
COMMANDS_SCHEMA = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "Commands of your own for the command line.",
}


def schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of the settings file, as editors of TOML read it."""
    words = describe()
    kinds: dict[str, type[Struct]] = {
        **SECTIONS,
        "symbol": SymbolRules,
        "template": TemplateSettings,
    }
    tables = {section: _table(section, kind, words) for section, kind in kinds.items()}
    refs = {section: {"$ref": f"#/$defs/{section}"} for section in tables}
    symbols = {"type": "object", "additionalProperties": refs.pop("symbol")}
    templates = {"type": "object", "additionalProperties": refs.pop("template")}
    account = {
        name: part for name, part in tables["account"]["properties"].items() if name != "name"
    }
    others = {section: ref for section, ref in refs.items() if section != "account"}
    listed = {"type": "array", "items": {"type": "string"}}
    tables["own"] = _closed({**account, **others, "symbols": {"anyOf": [listed, symbols]}})
    accounts = {"type": "object", "additionalProperties": {"$ref": "#/$defs/own"}}
    return {
        **SCHEMA_HEAD,
        **_closed(
            {
                **refs,
                "symbols": symbols,
                "templates": templates,
                "commands": COMMANDS_SCHEMA,
                "accounts": accounts,
            }
        ),
        "$defs": tables,
    }


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    """The schema of a table that takes these keys and no other."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _table(section: str, kind: type[Struct], words: dict[str, str]) -> dict[str, Any]:
    """The schema of one section."""
    values, hints = kind(), get_type_hints(kind, include_extras=True)
    properties = {}
    for name in kind.__struct_fields__:
        default = getattr(values, name)
        found = {
            **kind_schema(hints[name]),
            "description": words[f"{FILED.get(section, section)}.{name}"],
        }
        properties[name] = found if default is None else {**found, "default": _json(default)}
    return _closed(properties)


def kind_schema(kind: Any) -> dict[str, Any]:
    """The schema of one value. A Decimal may stand as a number or as text; None is a key that is
    not there.
    """
    meant = (
        [part for part in get_args(kind) if part is not NoneType]
        if get_origin(kind) in (Union, UnionType)
        else [kind]
    )
    if len(meant) > 1:
        return {"anyOf": [kind_schema(part) for part in meant]}
    (one,) = meant
    base = get_args(one)[0] if hasattr(one, "__metadata__") else one
    if base is Decimal:
        names = {"minimum": "minimum", "above": "exclusiveMinimum", "below": "exclusiveMaximum"}
        return {
            "type": ["number", "string"],
            **{names[name]: bound for name, bound in bounds(one).items()},
        }
    if get_origin(base) is dict:
        return {"type": "object", "additionalProperties": kind_schema(get_args(base)[1])}
    if get_origin(base) is Literal:
        return {"enum": list(get_args(base))}
    found = dict(msgspec.json.schema(one))
    return (
        {**found, "pattern": found["pattern"].replace("\\Z", "$")} if "pattern" in found else found
    )


def _json(value: object) -> Any:
    """A default as JSON has it: numbers for Decimals."""
    return float(value) if isinstance(value, Decimal) else msgspec.to_builtins(value)


@click.command("settings")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Also the keys that stand at their default; with what they mean.",
)
@click.option("--path", is_flag=True, help="Print where the settings file is, or would be.")
@click.option(
    "--init",
    is_flag=True,
    help=(
        "Write a settings file in which every key stands as a comment; exit code 1 if there is one."
    ),
)
@click.option(
    "--schema", is_flag=True, help="Print the JSON schema of the settings file, for editors."
)
@click.pass_obj
def command(common: Common, everything: bool, path: bool, init: bool, schema: bool) -> None:
    """Print the effective settings and where each one came from."""
    if everything + path + init + schema > 1:
        raise click.UsageError("--all, --path, --init and --schema exclude each other")
    if path:
        sys.exit(show_path(common))
    if init:
        sys.exit(write_file(common))
    if schema:
        sys.exit(show_schema())
    sys.exit(show_settings(common, everything=everything))


def show_settings(common: Common, *, everything: bool) -> int:
    """Each key with its value and its origin."""
    loaded = settings_of(common)
    words = describe()
    for section in SECTIONS:
        values = getattr(loaded.settings, section)
        lines = []
        for name in values.__struct_fields__:
            key = f"{section}.{name}"
            origin = loaded.origins.get(key)
            if origin is None and not everything:
                continue
            if everything:
                lines.append(f"  # {words.get(key, '')}")
            lines.append(f"  {name} = {shown(getattr(values, name))}  # {origin or 'default'}")
        if lines:
            say(f"[{section}]")
            say(*lines)
    _show_symbols(loaded, words, everything=everything)
    _show_templates(loaded, words, everything=everything)
    _show_commands(loaded)
    say(*loaded.faults, err=True)
    if not loaded.origins and not everything:
        say("everything stands at its default; --all shows the keys and what they mean")
    return 0


def _show_symbols(loaded: Loaded, words: dict[str, str], *, everything: bool) -> None:
    """The keys of each symbol that has any, and which of them this account does not read."""
    settings = loaded.settings
    unread = symbol_tables.unread(
        settings.symbols, settings.market.symbols, paper=settings.account.venue == "paper"
    )
    if settings.market.source == "recorded":
        unread = {}  # the files say what is traded
    for symbol, own in settings.symbols.items():
        say(f'[symbols."{symbol}"]')
        for name in symbol_tables.FIELDS:
            key = symbol_tables.key_of(symbol, name)
            origin = loaded.origins.get(key)
            if everything:
                say(f"  # {words[f'symbols.{name}']}")
            if origin is not None or everything:
                note = f"; {unread[key]}" if key in unread else ""
                say(f"  {name} = {shown(getattr(own, name))}  # {origin or 'default'}{note}")
    if everything and not settings.symbols:
        say('[symbols."BTC/USD"]  # for a symbol of yours; each key is unset')
        for name in symbol_tables.FIELDS:
            say(f"  # {name}: {words[f'symbols.{name}']}")


def _show_commands(loaded: Loaded) -> None:
    """The commands of one's own that can be used, and where each came from."""
    commands = loaded.settings.commands
    if commands:
        say("[commands]")
    for name, text in commands.items():
        say(f"  {name} = {shown(text)}  # {loaded.origins.get(f'commands.{name}', 'default')}")


def _show_templates(loaded: Loaded, words: dict[str, str], *, everything: bool) -> None:
    """The values of each template that can be used, and where each came from."""
    for name, template in loaded.settings.templates.items():
        say(f"[templates.{name}]")
        for field in FIELDS:
            origin = loaded.origins.get(template_tables.key_of(name, field))
            if everything:
                say(f"  # {words[f'templates.{field}']}")
            if origin is not None or everything:
                say(f"  {field} = {shown(getattr(template, field))}  # {origin or 'default'}")
    if everything and not loaded.settings.templates:
        say("[templates.scalp]  # for a template of yours; each key is unset")
        for field in FIELDS:
            say(f"  # {field}: {words[f'templates.{field}']}")
