"""`[symbols."BTC/USD"]`: each key through every layer, with its origin; and each mistake by name,
with the line where it stands.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.rules import SymbolRules
from engine.setup.describing import describe
from engine.setup.settings import Loaded, SettingsError, load, with_values
from engine.setup.symbol_tables import FIELDS

pytestmark = pytest.mark.hazard("H26")
D = Decimal
WHOLE = """
[symbols."BTC/USD"]
min_size = 0.001
max_size = "2"
max_slippage = 0.002
max_positions = 1
stop = 0.01
target = 0.02
trail = 0.008
trail_after = 0.005
entry_lifetime = 600
target_order = "trigger"
maker_fee = 0.0010
taker_fee = 0.0020
template = "scalp"

[templates.scalp]
stop = "0.5%"
"""


def loaded(tmp_path: Path, text: str, *flags: str) -> Loaded:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return load(file, flags, {})


def test_every_key_of_a_symbol_is_read_as_it_is_written(tmp_path: Path) -> None:
    own = loaded(tmp_path, WHOLE).settings.rules.of("BTC/USD")
    assert own == SymbolRules(
        min_size=D("0.001"),
        max_size=D(2),
        max_slippage=D("0.002"),
        max_positions=1,
        stop=D("0.01"),
        target=D("0.02"),
        trail=D("0.008"),
        trail_after=D("0.005"),
        entry_lifetime=600.0,
        target_order="trigger",
        maker_fee=D("0.0010"),
        taker_fee=D("0.0020"),
        template="scalp",
    )
    assert all(getattr(own, name) is not None for name in FIELDS), "a key is missing in this test"


def test_another_symbol_has_none_of_it(tmp_path: Path) -> None:
    assert loaded(tmp_path, WHOLE).settings.rules.of("ETH/USD") == SymbolRules()


def test_each_layer_says_one_key_and_leaves_the_others(tmp_path: Path) -> None:
    text = (
        '[symbols."BTC/USD"]\nmax_size = 1\nstop = 0.01\ntarget = 0.02\n[accounts.main]\nvenue ='
        ' "paper"\n[accounts.main.symbols."BTC/USD"]\nstop = 0.03\ntarget = 0.04\n'
    )
    found = loaded(tmp_path, text, "account.name=main", "symbols.BTC/USD.target=0.05")
    own = found.settings.symbols["BTC/USD"]
    assert (own.max_size, own.stop, own.target) == (D(1), D("0.03"), D("0.05"))
    file = tmp_path / "settings.toml"
    assert found.origins['symbols."BTC/USD".max_size'] == str(file)
    assert found.origins['symbols."BTC/USD".stop'] == f"accounts.main in {file}"
    assert found.origins['symbols."BTC/USD".target'] == "--set"
    assert loaded(tmp_path, text).settings.symbols["BTC/USD"].stop == D("0.01")


def test_a_symbol_may_stand_in_quotation_marks_or_hold_dots(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, "", 'symbols."BTC/USD".max_size=3', "symbols.A.B/USD.max_positions=2"
    ).settings.symbols
    assert found["BTC/USD"].max_size == D(3)
    assert found["A.B/USD"].max_positions == 2


def test_values_of_a_scenario_change_one_key(tmp_path: Path) -> None:
    settings = loaded(tmp_path, WHOLE).settings
    changed = with_values(
        settings, {"symbols.BTC/USD.max_size": D(5), 'symbols."ETH/USD".stop': "0.02"}, "here"
    )
    assert (changed.symbols["BTC/USD"].max_size, changed.symbols["BTC/USD"].min_size) == (
        D(5),
        D("0.001"),
    )
    assert changed.symbols["ETH/USD"].stop == D("0.02")


MISTAKES = {
    "a key that is none": (
        "max_sise = 1",
        'settings.toml:2: unknown key symbols."BTC/USD".max_sise; did you mean max_size?',
    ),
    "far from any key": ("zzz = 1", "allowed: min_size, max_size"),
    "no number": ('max_size = "many"', "settings.toml:2: symbols.\"BTC/USD\".max_size is 'many'"),
    "zero": ("max_size = 0", "expected a finite number above 0"),
    "below zero": ("max_slippage = -0.1", "expected a finite number from 0 up"),
    "per-cent": ("stop = 1", "expected a finite number above 0 and below 1"),
    "no finite number": ("target = nan", "expected a finite number above 0 and below 1"),
    "a fee of everything": ("taker_fee = 1", "expected a finite number from 0 up and below 1"),
    "a part of a position": ("max_positions = 1.5", "symbols.\"BTC/USD\".max_positions is '1.5'"),
    "no time": ("entry_lifetime = 0", "expected `float` > 0"),
    "another kind": ('target_order = "market"', "Invalid enum value 'market'"),
    "more than the most": (
        "min_size = 3\nmax_size = 2",
        'settings.toml:2: symbols."BTC/USD".min_size is 3; expected at most max_size, which is 2',
    ),
    "after nothing": (
        "trail_after = 0.01",
        'settings.toml:2: symbols."BTC/USD".trail_after is 0.01; there is no trail',
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_by_name_and_line(name: str, tmp_path: Path) -> None:
    text, words = MISTAKES[name]
    with pytest.raises(SettingsError, match=r"^[^\n]+$") as told:
        loaded(tmp_path, f'[symbols."BTC/USD"]\n{text}\n')
    assert words in str(told.value)


def test_a_mistake_in_an_accounts_table_is_refused_in_every_account(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError,
        match=(
            r'\[accounts\.main\]: unknown key symbols\."BTC/USD"\.max_sise; did you mean max_size\?'
        ),
    ):
        loaded(tmp_path, '[accounts.main.symbols."BTC/USD"]\nmax_sise = 1\n', "account.name=other")


def test_lines_are_told_for_every_section(tmp_path: Path) -> None:
    for text, line in (
        ("\n[risk]\n# a word\nmax_positions = -1\n", 4),
        ("risk.max_positions = -1", 1),
        ("\n[risk]\nmax_postions = 1", 3),
    ):
        with pytest.raises(SettingsError, match=rf"settings\.toml:{line}: "):
            loaded(tmp_path, text)
    with pytest.raises(
        SettingsError, match=r"accounts\.a in .*settings\.toml:2: risk\.max_positions"
    ):
        loaded(tmp_path, "[accounts.a.risk]\nmax_positions = -1", "account.name=a")


def test_settings_that_no_symbol_would_read_for_its_spelling_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError,
        match=(
            r'settings\.toml:2: \[symbols\."btc-usd"\] is read by nothing; did you mean'
            r' \[symbols\."BTC/USD"\]\?'
        ),
    ):
        loaded(tmp_path, '\n[symbols."btc-usd"]\nmax_size = 1\n')
    files = '[market]\nsource = "recorded"\nfiles = ["x.csv"]\n'
    assert loaded(tmp_path, f'{files}[symbols."BTCUSD"]\nmax_size = 1\n').settings.symbols[
        "BTCUSD"
    ].max_size == D(1)


def test_a_variable_names_no_symbol() -> None:
    with pytest.raises(
        SettingsError, match="FLATOUT_SYMBOLS__BTC__MAX_SIZE: a variable can't name a symbol"
    ):
        load(None, [], {"FLATOUT_SYMBOLS__BTC__MAX_SIZE": "1", "FLATOUT_SETTINGS": "/nowhere"})


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("risk.day_zone=America/New_Yrok", "did you mean America/New_York?"),
        ("risk.day_zone=", "expected an IANA name"),
        ("risk.day_hour=24", "expected `int` <= 23"),
        ("risk.max_positions_per_symbol=-1", "expected `int` >= 0"),
        ("protection.target_order=both", "Invalid enum value 'both'"),
    ],
)
def test_the_new_keys_of_other_sections_are_refused_by_name(flag: str, words: str) -> None:
    with pytest.raises(SettingsError, match=r"^[^\n]+$") as told:
        load(None, [flag], {"FLATOUT_SETTINGS": "/nowhere"})
    assert words in str(told.value)
    assert flag.partition("=")[0] in str(told.value)


def test_every_key_of_a_symbol_is_documented() -> None:
    words = describe()
    assert all(words.get(f"symbols.{name}") for name in FIELDS)


def test_the_desk_reads_the_same_rules_at_a_live_venue_and_on_paper_but_for_lateness(
    tmp_path: Path,
) -> None:
    settings = loaded(
        tmp_path, WHOLE + "[risk]\nmax_positions = 3\n[protection]\nstuck = 7.0\n"
    ).settings
    paper, live = settings.rules_at(live=False), settings.rules_at(live=True)
    for name in paper.__struct_fields__:
        if name != "requests":
            assert getattr(paper, name) == getattr(live, name) == getattr(settings.rules, name), (
                name
            )
