"""Settings: layers, origins, and mistakes that name what is meant."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import Struct

from engine.model.rules import SymbolRules
from engine.setup.describing import describe, shown
from engine.setup.sections import SECTIONS
from engine.setup.settings import SettingsError, load, with_values


def test_each_layer_wins_over_the_one_below(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[risk]\nmax_positions = 1\nmax_slippage = 0.01\nlosing_streak = 2\n")
    environment = {"FLATOUT_RISK__MAX_POSITIONS": "2", "FLATOUT_RISK__LOSING_STREAK": "3"}
    loaded = load(file, ["risk.losing_streak=4"], environment)
    assert loaded.settings.risk.max_positions == 2
    assert loaded.settings.risk.max_slippage == Decimal("0.01")
    assert loaded.settings.risk.losing_streak == 4
    assert loaded.origins["risk.max_positions"] == "FLATOUT_RISK__MAX_POSITIONS"
    assert loaded.origins["risk.max_slippage"] == str(file)
    assert loaded.origins["risk.losing_streak"] == "--set"


def test_money_is_exact_from_the_file_on(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[account]\ncash = { USD = 0.1, BTC = "0.30000000000000000001" }\n')
    cash = load(file, [], {}).settings.account.cash
    assert cash == {"USD": Decimal("0.1"), "BTC": Decimal("0.30000000000000000001")}


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("risk.max_slipage=1", "did you mean risk.max_slippage?"),
        ("nowhere.zzz=1", "sections are"),
        ("risk.max_slippage=-0.1", "expected a finite number from 0 up"),
        ("risk.max_slippage=NaN", "expected a finite number"),
        ("protection.policy=hope", "Invalid enum value 'hope'"),
        ("console.fps=0", "expected `int` >= 1"),
        ("market.speed=0", "expected `float` > 0"),
    ],
)
def test_a_mistake_names_key_value_and_what_is_allowed(flag: str, words: str) -> None:
    with pytest.raises(SettingsError) as told:
        load(None, [flag], {"FLATOUT_SETTINGS": "/nowhere"})
    assert words in str(told.value)
    assert "--set" in str(told.value)


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[risk\n")
    with pytest.raises(SettingsError, match=r"settings\.toml can't be read"):
        load(file, [], {})


def test_a_key_outside_of_a_section_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("fps = 3\n")
    with pytest.raises(SettingsError, match="stands outside of a section"):
        load(file, [], {})


def test_every_key_is_documented_where_it_is_defined() -> None:
    words = describe()
    for section, kind in SECTIONS.items():
        for name in kind.__struct_fields__:
            assert words.get(f"{section}.{name}"), f"{section}.{name} has no docstring"


@pytest.mark.hazard("H26")
def test_every_key_is_read_somewhere() -> None:
    top = Path(__file__).parents[2]
    code = ""
    for room in ("engine", "tui"):
        for path in (top / room).rglob("*.py"):
            if path.name not in ("rules.py", "settings.py"):
                code += path.read_text(encoding="utf-8")
    kinds: dict[str, type[Struct]] = {**SECTIONS, "symbols": SymbolRules}
    for section, kind in kinds.items():
        for name in kind.__struct_fields__:
            assert f".{name}" in code, f"nothing reads {section}.{name}"


def test_values_change_one_key_and_keep_the_rest() -> None:
    settings = load(None, ["risk.max_positions=3"], {"FLATOUT_SETTINGS": "/nowhere"}).settings
    changed = with_values(
        settings, {"risk.max_slippage": Decimal("0.02"), "requests.settle": 2}, "here"
    )
    assert (changed.risk.max_positions, changed.risk.max_slippage, changed.requests.settle) == (
        3,
        Decimal("0.02"),
        2.0,
    )


def test_values_are_shown_as_they_would_stand_in_the_file() -> None:
    values: tuple[object, ...] = (None, True, "x", {"a": Decimal("1.50")}, ("a", "b"), 3, {})
    assert [shown(value) for value in values] == [
        "unset",
        "true",
        '"x"',
        "{ a = 1.50 }",
        '["a", "b"]',
        "3",
        "{}",
    ]
