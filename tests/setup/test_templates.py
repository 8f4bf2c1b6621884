"""`[templates.NAME]`: read and checked with the settings, each bad one left out alone; and the one
function that makes an entry of a template and of what was typed.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.model import intent as i
from engine.model.order import OrderType, Trail
from engine.model.rules import SymbolRules
from engine.model.side import Side
from engine.model.templates import FIELDS, Targets, TemplateError, Templates, Wish, bracket, wish_of
from engine.setup.describing import describe
from engine.setup.settings import Loaded, SettingsError, load, with_values

D = Decimal
MINUTE = 60_000_000_000
SCALP = """
[templates.scalp]
size = "risk 0.5%"
stop = "0.5%"
targets = ["1r 50%", "2r rest"]
be = "after 1r +2t"
trail = "0.4% after 2r"
expire = "10m"
post = true
"""
SWING = """
[templates.swing]
size = 0.25
type = "stop"
price = "ask+0.2%"
stop = "40t"
leverage = 3
tags = ["swing"]
note = "for days"
"""


def loaded(tmp_path: Path, text: str, *flags: str) -> Loaded:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return load(file, flags, {})


def templates(tmp_path: Path, text: str = SCALP + SWING) -> Templates:
    settings = loaded(tmp_path, text).settings
    return Templates.of(settings.templates, settings.symbols)


def entry(known: Templates, name: str, typed: Wish | None = None, *, now: int = 0) -> i.OpenBracket:
    return bracket(known, name, "BTC/USD", Side.BUY, typed or Wish(), id="i", now=now)


def test_a_template_is_read_as_it_is_written(tmp_path: Path) -> None:
    found = loaded(tmp_path, SCALP)
    assert not found.faults
    assert wish_of(found.settings.templates["scalp"]) == Wish(
        size=i.EquityRisk(D("0.005")),
        stop=i.Away(D("0.005")),
        targets=Targets((i.PartialTarget(i.InR(D(1)), D("0.5")),), i.InR(D(2))),
        break_even=i.BreakEvenRule(i.InR(D(1)), 2),
        trail=Trail(fraction=D("0.004"), begins=i.InR(D(2))),
        expire="10m",
        post_only=True,
    )
    assert found.origins["templates.scalp.stop"].endswith("settings.toml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('stop = "0,5%"', "templates.bad.stop is '0,5%'; '0,5%' is no place; expected a price"),
        ('size = "risk"', "templates.bad.size is 'risk'; 'risk' is no size; expected 0.25"),
        ('targets = ["1r 50%", "2r 60%"]', "the parts up to '2r 60%' are more than all"),
        ('targets = ["1r", "2r"]', "'1r' takes all, and more targets follow"),
        ('targets = ["1r 10%", "2r 10%", "3r 10%", "4r 10%", "5r"]', "5 targets; at most 4"),
        ('be = "soon"', "templates.bad.be is 'soon'; 'soon' is no place"),
        ('trail = "2r"', "'2r' is no trail; expected 0.4%"),
        ('expire = "10"', "'10' is no time; expected 90s, 10m"),
        ('price = "top-2t"', "'top' is no price; expected a number, bid, ask, mid, join"),
        ('type = "limit"', "templates.bad.type is 'limit'; a limit entry needs a price"),
        ('type = "market"\npost = true', "templates.bad.post is True; only a limit entry can rest"),
        ("leverage = 0", "templates.bad.leverage is 0; expected a finite number above 0"),
        ("post = 2", "templates.bad.post is 2"),
        ('stopp = "1%"', "unknown key templates.bad.stopp; did you mean stop?"),
        ('unit = "1"', "unknown key templates.bad.unit; allowed: size, type, price, stop"),
    ],
)
def test_a_bad_template_is_left_out_alone_and_said(tmp_path: Path, line: str, words: str) -> None:
    found = loaded(tmp_path, f"{SCALP}\n[templates.bad]\n{line}\n[risk]\nmax_positions = 3\n")
    assert list(found.settings.templates) == ["scalp"]
    assert found.settings.risk.max_positions == 3, "the rest of the file counts"
    (fault,) = found.faults
    assert words in fault
    assert "settings.toml:1" in fault, "the line is named"
    assert fault.endswith("; the template bad is left out")


@pytest.mark.parametrize("name", ["Scalp", "none", "off", "a b", "-x", "x" * 25])
def test_a_name_that_could_not_be_typed_is_refused(tmp_path: Path, name: str) -> None:
    found = loaded(tmp_path, f'{SCALP}\n[templates."{name}"]\nstop = "1%"\n')
    assert list(found.settings.templates) == ["scalp"]
    assert "a name is 1 to 24 small letters" in found.faults[0]


@pytest.mark.parametrize("text", ["templates = 3\n", "[templates]\nscalp = 3\n"])
def test_what_is_no_table_is_said_too(tmp_path: Path, text: str) -> None:
    found = loaded(tmp_path, text)
    assert not found.settings.templates
    assert found.faults


def test_a_flag_says_one_value_of_a_template(tmp_path: Path) -> None:
    found = loaded(tmp_path, SCALP, "templates.scalp.stop=1%", "templates.own.stop=2%")
    assert found.settings.templates["scalp"].stop == "1%"
    assert found.settings.templates["scalp"].size == "risk 0.5%"
    assert found.settings.templates["own"].stop == "2%"
    assert found.origins["templates.scalp.stop"] == "--set"


def test_a_variable_can_name_none() -> None:
    with pytest.raises(SettingsError, match="can't name a template"):
        load(None, (), {"FLATOUT_TEMPLATES__SCALP": "1"})


def test_a_symbol_has_one_of_its_own(tmp_path: Path) -> None:
    known = templates(tmp_path, SCALP + '[symbols."BTC/USD"]\ntemplate = "scalp"\n')
    assert entry(known, "").template == "scalp"
    assert entry(known, "none", Wish(size=i.Base(D(1)))).template == ""
    other = bracket(known, "", "ETH/USD", Side.BUY, Wish(size=i.Base(D(1))), id="i", now=0)
    assert (other.template, other.stop) == ("", None)


def test_a_symbol_whose_template_is_none_loses_that_alone(tmp_path: Path) -> None:
    text = SCALP + '[symbols."BTC/USD"]\ntemplate = "scalping"\nmax_size = 2\n'
    found = loaded(tmp_path, text)
    assert found.settings.symbols["BTC/USD"] == SymbolRules(max_size=D(2))
    assert "symbols.\"BTC/USD\".template is 'scalping'" in found.faults[0]
    assert "known: scalp" in found.faults[0]


def test_an_entry_from_a_template_alone(tmp_path: Path) -> None:
    assert entry(templates(tmp_path), "scalp") == i.OpenBracket(
        id="i",
        symbol="BTC/USD",
        side=Side.BUY,
        size=i.EquityRisk(D("0.005")),
        type=OrderType.LIMIT,
        anchored=i.Anchored(i.Anchor.JOIN),
        stop=i.Away(D("0.005")),
        target=i.InR(D(2)),
        partials=(i.PartialTarget(i.InR(D(1)), D("0.5")),),
        break_even=i.BreakEvenRule(i.InR(D(1)), 2),
        trail=Trail(fraction=D("0.004"), begins=i.InR(D(2))),
        expires_in=10 * MINUTE,
        post_only=True,
        template="scalp",
    )


def test_what_was_typed_comes_first(tmp_path: Path) -> None:
    typed = Wish(
        size=i.Base(D(2)),
        price=D(62_000),
        stop=i.At(D(61_000)),
        targets=Targets(rest=i.At(D(64_000))),
        expire="16:30",
        tags=("mine",),
        note="why",
        without=(i.Default.TRAIL,),
        no_break_even=True,
    )
    now = (16 * 60 + 20) * MINUTE
    made = entry(templates(tmp_path), "scalp", typed, now=now)
    assert (made.size, made.price, made.anchored) == (i.Base(D(2)), D(62_000), None)
    assert (made.stop, made.target, made.partials) == (i.At(D(61_000)), i.At(D(64_000)), ())
    assert (made.trail, made.break_even, made.expires_in) == (None, None, 10 * MINUTE)
    assert (made.tags, made.note, made.post_only) == (("mine",), "why", True)


def test_an_entry_at_market_takes_no_price_from_a_template_that_rests(tmp_path: Path) -> None:
    made = entry(templates(tmp_path), "scalp", Wish(type=OrderType.MARKET))
    assert (made.type, made.price, made.anchored, made.post_only) == (
        OrderType.MARKET,
        None,
        None,
        False,
    )
    assert made.expires_in is None


def test_a_stop_entry_told_by_the_market(tmp_path: Path) -> None:
    made = entry(templates(tmp_path), "swing")
    assert made.type is OrderType.STOP
    assert made.anchored == i.Anchored(i.Anchor.ASK, fraction=D("0.002"))
    assert (made.stop, made.leverage) == (i.Ticks(D(40)), D(3))
    assert (made.tags, made.note, made.size) == (("swing",), "for days", i.Base(D("0.25")))


def test_what_is_missing_or_unknown_is_said(tmp_path: Path) -> None:
    known = templates(tmp_path)
    with pytest.raises(TemplateError, match="a size is missing"):
        entry(known, "none")
    with pytest.raises(TemplateError, match="no template of that name; known: scalp, swing"):
        entry(known, "scal")
    with pytest.raises(TemplateError, match="a market entry has no price"):
        entry(known, "swing", Wish(type=OrderType.MARKET, price=D(1)))


def test_other_values_can_be_put_over_settings_and_are_checked(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SCALP).settings
    changed = with_values(settings, {"templates.scalp.stop": "1%"}, "a scenario")
    assert changed.templates["scalp"].stop == "1%"
    assert changed.templates["scalp"].be == "after 1r +2t"
    with pytest.raises(SettingsError, match=r"a scenario: templates\.scalp\.stop is 'x'"):
        with_values(settings, {"templates.scalp.stop": "x"}, "a scenario")


def test_every_key_is_documented() -> None:
    assert all(describe().get(f"templates.{field}") for field in FIELDS)
