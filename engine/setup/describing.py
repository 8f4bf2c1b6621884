"""Settings for people: what each key means, and a value as it would stand in the file."""

import ast
import inspect
from decimal import Decimal

from msgspec import Struct

from engine.model.rules import SymbolRules
from engine.model.templates import TemplateSettings
from engine.setup import symbol_tables, template_tables
from engine.setup.sections import SECTIONS


def describe() -> dict[str, str]:
    """The documentation of each key, as it stands beside its definition."""
    told: dict[str, str] = {}
    kinds: dict[str, type[Struct]] = {
        **SECTIONS,
        symbol_tables.SECTION: SymbolRules,
        template_tables.SECTION: TemplateSettings,
    }
    for section, kind in kinds.items():
        body = ast.parse(inspect.getsource(kind)).body[0]
        assert isinstance(body, ast.ClassDef)
        name = ""
        for node in body.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and name:
                told[f"{section}.{name}"] = " ".join(str(node.value.value).split())
    return told


def shown(value: object) -> str:
    """A value as it would stand in the file."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{name} = {shown(inner)}" for name, inner in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, tuple | list):
        return "[" + ", ".join(shown(inner) for inner in value) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
