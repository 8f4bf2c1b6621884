"""Templates, places by R, the break-even rule and trails that begin at R, from outside: what the
exchange filled, and where the stop stood when it did.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.rehearsal.scenario.words import ScenarioError

Report = dict[str, Any]
Run = Callable[..., Report]
D = Decimal
PROFILES = ("kraken-spot", "kraken-futures", "binance-spot")
SCALP = """
[templates.scalp]
size = "risk 0.5%"
stop = "2%"
targets = ["1r 50%", "2r rest"]
be = "after 1r +2t"
expire = "10m"
"""


def script(steps: str, profile: str = "kraken-spot", more: str = SCALP, faults: str = "") -> str:
    return (
        f'name = "templates"\nseed = 5\nuntil = "10m"\n[account]\nprofile = "{profile}"\n[market]\n'
        'source = "simulated"\nsymbols = ["BTC/USD"]\nvolatility = 0.05\n[settings]\n'
        f'"risk.max_limit_distance" = "0.9"\n"risk.unit" = 400\n{more}\n{faults}\n{steps}'
    )


def open_(terms: str = 'template = "scalp"', side: str = "buy") -> str:
    return (
        f'[[do]]\nat = "10s"\nid = "a"\nopen = {{ symbol = "BTC/USD", side = "{side}", {terms} }}\n'
    )


def move(by: str, at: str = "1m") -> str:
    return f'[[do]]\nat = "{at}"\nmarket = {{ symbol = "BTC/USD", move = "{by}", over = "90s" }}\n'


def step(what: str, at: str) -> str:
    return f'[[do]]\nat = "{at}"\n{what}\n'


def clean(report: Report) -> Report:
    assert not report["invariants"]["violations"], report["invariants"]["violations"]
    assert all(told["ok"] for told in report["expectations"]), report["expectations"]
    return report


@pytest.mark.parametrize(
    ("profile", "side"),
    [*((profile, "buy") for profile in PROFILES), ("kraken-futures", "sell")],
)
def test_half_leaves_at_one_r_and_the_rest_at_break_even(run: Run, profile: str, side: str) -> None:
    up, down = ("+4%", "-5%") if side == "buy" else ("-4%", "+5%")
    steps = open_(side=side) + move(up) + move(down, at="3m")
    report = clean(run(script(steps, profile)))
    (position,) = report["positions"]
    assert position["close_reason"].startswith("stop")
    assert D(200) < D(position["realised_pnl"]) < D(300), "half of 1R, and the rest for nothing"
    assert D("0.4") < D(position["r_multiple"]) < D("0.6")


@pytest.mark.parametrize("fault", ["restart = true", "crash = true"])
def test_a_rule_that_has_not_fired_outlives_the_process(run: Run, fault: str) -> None:
    steps = open_() + step(fault, "30s") + move("+4%") + move("-5%", at="3m")
    report = clean(run(script(steps)))
    (position,) = report["positions"]
    assert D("0.4") < D(position["r_multiple"]) < D("0.6")


def test_a_rule_fires_once(run: Run) -> None:
    """After it fired, the trader moves the stop back; the next price past 1R leaves it there."""
    back = 'move_stop = { position = "a", stop = "1.5%", reason = "room" }'
    steps = (
        open_('template = "scalp", target = "off", targets = []')
        + move("+4%")
        + step(back, "2m40s")
        + move("+3%", at="3m")
        + step('expect = { position = "a", protection = "venue", open = true }', "5m")
        + move("-9.5%", at="6m")
    )
    report = clean(run(script(steps)))
    (position,) = report["positions"]
    assert D(position["r_multiple"]) < D("-0.5"), "it was closed at the stop that was moved back"


def test_a_trail_begins_at_two_r(run: Run) -> None:
    more = SCALP + 'trail = "1% after 2r"\n'
    steps = open_('template = "scalp", targets = [], target = "off", be = "off"')
    rising = clean(run(script(steps + move("+7%") + move("-3%", at="3m"), more=more)))
    (position,) = rising["positions"]
    assert position["close_reason"].startswith(("stop", "trailing"))
    assert D(position["r_multiple"]) > D("1.5")
    less = clean(run(script(steps + move("+3%") + move("-2%", at="3m"), more=more)))
    assert less["positions"][0]["closed_at"] is None, "2R was never reached"


def test_what_an_open_says_comes_before_its_template(run: Run) -> None:
    steps = open_(
        'template = "scalp", size = "0.1", stop = "1%", type = "limit", price = "bid-20t"'
    )
    report = clean(run(script(steps)))
    entry = next(order for order in report["orders"] if order["role"] == "entry")
    assert (D(entry["size"]), entry["type"]) == (D("0.1"), "limit")


def test_a_symbol_has_a_template_of_its_own(run: Run) -> None:
    more = '"symbols.BTC/USD.template" = "scalp"\n' + SCALP
    with_it = clean(run(script(open_('type = "market"'), more=more)))
    assert with_it["positions"][0]["target"] is not None
    without = clean(run(script(open_('template = "off", size = "0.1", stop = "2%"'), more=more)))
    assert without["positions"][0]["target"] is None


@pytest.mark.parametrize(
    ("terms", "size"),
    [
        ('risk = "0.5%", stop = "2%"', None),
        ('risk = "1.25u", stop = "2%"', None),
        ('notional = "5%", stop = "2%"', None),
        ('size = "0.05", stop = "300t", target = "900t"', D("0.05")),
        ('size = "0.05", stop = "$100", target = "200$"', D("0.05")),
    ],
)
def test_sizes_and_places_in_all_their_forms(run: Run, terms: str, size: Decimal | None) -> None:
    report = clean(run(script(open_(terms))))
    (entry,) = [order for order in report["orders"] if order["role"] == "entry"]
    assert entry["status"] == "filled"
    assert size is None or D(entry["size"]) == size


def test_break_even_by_hand_with_ticks_beyond(run: Run) -> None:
    rule = 'break_even = { position = "a", ticks = 5 }'
    steps = (
        open_('size = "0.1", stop = "2%"') + move("+3%") + step(rule, "2m") + move("-5%", at="3m")
    )
    (position,) = clean(run(script(steps)))["positions"]
    assert D(-20) < D(position["realised_pnl"]) < D(20), "a stop of 2 % loses 168"


@pytest.mark.parametrize(
    ("steps", "more", "words"),
    [
        (open_('template = "scal"'), SCALP, "there is no template of that name; known: scalp"),
        (open_("tags = []"), SCALP, "has 0 of size, notional and risk; expected exactly one"),
        (open_(), '[templates.scalp]\nstop = "0,5%"\n', "templates.scalp.stop is '0,5%'"),
        (open_('size = "1", be = "soon"'), "", "do[1].open.be is 'soon'; 'soon' is no place"),
        (open_('size = "1", targets = ["1r", "2r"]'), "", "'1r' takes all"),
        (open_('size = "1", targets = ["1r"], target = "2r"'), "", "leaves nothing for it"),
        (open_('size = "1", price = "top", type = "limit"'), "", "'top' is no price"),
        (
            open_('size = "1"') + step('break_even = { position = "a", ticks = -1 }', "20s"),
            "",
            "whole number",
        ),
    ],
)
def test_mistakes_are_found_before_anything_runs(
    run: Run, steps: str, more: str, words: str
) -> None:
    with pytest.raises(ScenarioError, match=words.replace("[", r"\[").replace(".", r"\.")):
        run(script(steps, more=more))
