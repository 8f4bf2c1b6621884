"""`[commands]` and `console.presets`: each is checked when it is loaded, and left out alone."""

from decimal import Decimal
from pathlib import Path

from engine.grammar.around import Around
from engine.grammar.parser import parse, read_macros
from engine.grammar.resolve import plan
from engine.model import intent as i
from engine.model.templates import Templates
from engine.setup.filling import filled
from engine.setup.settings import load
from tests.console.sample import SampleSession

FILE = """
[console]
presets = ["0.1", "risk 0.5%", "much"]

[commands]
scalp = "buy {1:symbol} risk 0.25% stop -0.4% target 1r half, 2r rest"
flat = "cancel all; close all"
bad = "by btc 1"
close = "pause"
"""


def test_a_command_that_can_not_be_used_is_left_out_alone(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(FILE)
    loaded = load(file, (), {})
    assert list(loaded.settings.commands) == ["scalp", "flat"]
    assert [fault.removeprefix(f"settings: {file}:") for fault in loaded.faults] == [
        "8: commands.bad: unknown command “by”; did you mean buy?; the command is left out",
        "9: commands.close: close is a command already; the command is left out",
        "3: console.presets: 'much', preset 3, is no size",
    ]
    flags = load(None, ['commands.go="buy {1:size}"'], {})
    assert flags.settings.commands == {"go": "buy {1:size}"}


TEMPLATE = """
[templates.scalp]
stop = "0.5%"
targets = ["1r 50%", "2r rest"]
be = "after 1r +2t"
post = true
"""


def test_an_entry_is_filled_in_from_its_template(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(TEMPLATE)
    settings = load(file, (), {}).settings
    around = Around(
        view=SampleSession().view(),
        focus="BTC/USD",
        templates=tuple(settings.templates),
        filled=filled(Templates.of(settings.templates, settings.symbols), lambda: 0),
        macros=read_macros(settings.commands)[0],
    )

    def entry(text: str) -> i.OpenBracket:
        line = parse(text, around.vocabulary).line
        assert line is not None
        steps = plan(line, around, "k")
        assert isinstance(steps, tuple), steps
        [intent] = steps[0].intents
        assert isinstance(intent, i.OpenBracket)
        return intent

    made = entry("buy 0.2 template scalp")
    assert (made.template, made.stop, made.post_only) == ("scalp", i.Away(Decimal("0.005")), True)
    assert made.break_even == i.BreakEvenRule(i.InR(Decimal(1)), 2)
    assert made.target == i.InR(Decimal(2))
    assert entry("buy 0.2 stop 1% template scalp").stop == i.Away(Decimal("0.01"))
    assert entry("buy risk 1% template scalp").size == i.EquityRisk(Decimal("0.01"))
    assert entry("buy 0.2 at 62,000 ioc template none").ioc
    wrong = parse("buy 0.2 template sclap", around.vocabulary).wrong
    assert wrong is not None
    assert wrong.text == "unknown template “sclap”; did you mean scalp?"
