"""The tables of `docs/settings.md`, made from the definitions of the settings.

`python -m tests.docs.settings_page` writes them into the page again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

from msgspec import Struct

from engine.model.rules import SymbolRules
from engine.model.templates import TemplateSettings
from engine.setup.describing import describe, shown
from engine.setup.sections import SECTIONS
from tui.cli.settings import kind_schema

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
TITLE = "## Every key\n"
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
}


def tables() -> str:
    """A table for each section."""
    words = describe()
    parts = [
        TITLE
        + "\nMade by `python -m tests.docs.settings_page`. Fractions are of one (0.01 is 1 %),"
        " durations seconds."
    ]
    kinds: dict[str, type[Struct]] = {
        **SECTIONS,
        "symbols": SymbolRules,
        "templates": TemplateSettings,
    }
    for section, kind in kinds.items():
        name = {"symbols": '[symbols."BTC/USD"]', "templates": "[templates.scalp]"}.get(
            section, f"[{section}]"
        )
        parts.append(
            "\n".join(
                (
                    f"### `{name}`\n",
                    "| key | default | what it takes | meaning |",
                    "|---|---|---|---|",
                    *_rows(section, kind, words),
                )
            )
        )
    parts.append(
        "### `[commands]`\n\nCommands of your own for the [command line](command-line.md#macros), by"
        ' name: `scalp = "buy {1:symbol} risk 0.25% stop -0.4%"`.'
    )
    return "\n\n".join(parts) + "\n"


def _rows(section: str, kind: type[Struct], words: dict[str, str]) -> Iterator[str]:
    hints, values = get_type_hints(kind, include_extras=True), kind()
    for name in kind.__struct_fields__:
        value = getattr(values, name)
        default = "" if value is None else f"`{shown(value)}`"
        yield (
            f"| `{name}` | {default} | {_takes(kind_schema(hints[name]))} |"
            f" {words[f'{section}.{name}']} |"
        )


def _takes(schema: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    kind = schema.get("type", "")
    words = TYPES["number" if isinstance(kind, list) else kind]
    bounds = [f"{told} {schema[name]:,}" for name, told in BOUNDS.items() if name in schema]
    return ", ".join((words, *bounds))


def page() -> str:
    """The whole page: what stands above the tables is written by hand."""
    return PAGE.read_text(encoding="utf-8").partition(TITLE)[0] + tables()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
