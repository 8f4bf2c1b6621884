"""H26: a configured limit that nothing reads is no limit."""

import ast
from functools import cache
from pathlib import Path

import pytest
from msgspec import Struct

import engine
from engine.desk.rules import ProtectionRules, RequestRules, RiskRules, SymbolRules
from engine.gateway import GatewayRules

RULES: tuple[type[Struct], ...] = (
    RiskRules,
    ProtectionRules,
    RequestRules,
    SymbolRules,
    GatewayRules,
)
KEYS = [(rules, name) for rules in RULES for name in rules.__struct_fields__]


@cache
def _read() -> frozenset[str]:
    """Every attribute that the engine's code reads of a thing; definitions don't count."""
    names: set[str] = set()
    for path in Path(engine.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                names.add(node.attr)
    return frozenset(names)


@pytest.mark.hazard("H26")
@pytest.mark.parametrize(
    ("rules", "name"), KEYS, ids=[f"{rules.__name__}.{name}" for rules, name in KEYS]
)
def test_every_key_is_read_by_some_rule(rules: type[Struct], name: str) -> None:
    assert name in _read(), f"nothing reads {rules.__name__}.{name}"


@pytest.mark.hazard("H26")
def test_every_key_is_documented_where_it_is_defined() -> None:
    for rules in RULES:
        source = (
            Path(engine.__path__[0])
            .joinpath(*rules.__module__.split(".")[1:])
            .with_suffix(".py")
            .read_text(encoding="utf-8")
        )
        (found,) = [
            node
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ClassDef) and node.name == rules.__name__
        ]
        for before, after in zip(found.body, [*found.body[1:], None], strict=True):
            if isinstance(before, ast.AnnAssign):
                assert isinstance(after, ast.Expr), ast.dump(before.target)
