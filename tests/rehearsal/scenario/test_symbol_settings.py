"""Each key of `[symbols."BTC/USD"]` from outside: the same script with and without it, and what
differs in the report.

Without the key the story takes the other turn: a key that nobody reads turns its test red.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.rehearsal.scenario.words import ScenarioError
from engine.setup.symbol_tables import FIELDS

Report = dict[str, Any]
Run = Callable[..., Report]
D = Decimal
NAKED = '"risk.require_stop" = false\n"risk.naked_blocks" = false'
H26 = pytest.mark.hazard("H26")


def told(run: Run, steps: str, *settings: str, profile: str = "kraken-spot") -> Report:
    """The report of a script over five minutes of a simulated market."""
    lines = "\n".join(settings)
    return run(
        'name = "a key"\nseed = 3\nuntil = "5m"\n[account]\nprofile ='
        f' "{profile}"\n[market]\nsource = "simulated"\nsymbols = ["BTC/USD",'
        f' "ETH/USD"]\n[settings]\n{lines}\n{steps}'
    )


def own(key: str, value: object) -> str:
    return f"'symbols.\"BTC/USD\".{key}' = {value}"


def open_(terms: str, at: str = "10s", name: str = "a", symbol: str = "BTC/USD") -> str:
    return (
        f'[[do]]\nat = "{at}"\nid = "{name}"\nopen = {{ symbol = "{symbol}", side = "buy", {terms}'
        " }\n"
    )


def refusals(report: Report) -> list[tuple[str, str, str]]:
    return [(one["code"], one["value"], one["bound"]) for one in report["refusals"]]


def entry(report: Report) -> dict[str, Any]:
    (found,) = [order for order in report["orders"] if order["role"] == "entry"]
    return dict(found)


@H26
def test_min_size_refuses_a_smaller_entry_of_this_symbol_alone(run: Run) -> None:
    steps = open_('size = "0.1", stop = "1%"') + open_(
        'size = "0.1", stop = "1%"', name="b", symbol="ETH/USD"
    )
    report = told(run, steps, own("min_size", "0.11"))
    assert refusals(report) == [("MIN_SIZE", "0.1 BTC/USD", '0.11 (symbols."BTC/USD".min_size)')]
    assert [position["symbol"] for position in report["positions"]] == ["ETH/USD"]
    assert not refusals(told(run, steps, own("min_size", "0.1")))


@H26
def test_max_size_refuses_a_larger_entry_also_one_that_the_risk_sizes(run: Run) -> None:
    for size in ('size = "0.1"', 'notional = "6000"', 'risk = "100"'):
        steps = open_(f'{size}, stop = "1%"')
        ((code, _, bound),) = refusals(told(run, steps, own("max_size", "0.05")))
        assert (code, bound) == ("MAX_SIZE", '0.05 (symbols."BTC/USD".max_size)')
        assert not refusals(told(run, steps, own("max_size", "1")))


@H26
def test_max_slippage_bounds_the_price_of_this_symbol_alone(run: Run) -> None:
    steps = open_('size = "0.1", stop = "1%"') + open_(
        'size = "0.1", stop = "1%"', name="b", symbol="ETH/USD"
    )
    report = told(run, steps, own("max_slippage", "0.0000001"))
    assert [code for code, *_ in refusals(report)] == ["SLIPPAGE"]
    assert [position["symbol"] for position in report["positions"]] == ["ETH/USD"]
    alone = open_('size = "0.1", stop = "1%"')
    wide, near = (
        entry(told(run, alone, own("max_slippage", bound))) for bound in ("0.01", "0.001")
    )
    assert 0 < D(near["price"]) < D(wide["price"])


@H26
def test_max_positions_counts_the_positions_and_entries_of_this_symbol(run: Run) -> None:
    steps = (
        open_('size = "0.1", stop = "1%"')
        + open_('type = "limit", price = "48000", size = "0.1", stop = "1%"', at="11s", name="b")
        + open_('size = "0.1", stop = "1%"', at="12s", name="c")
        + open_('size = "0.1", stop = "1%"', at="12s", name="d", symbol="ETH/USD")
    )
    wide = '"risk.max_limit_distance" = "0.9"'
    report = told(run, steps, wide, own("max_positions", "2"))
    assert refusals(report) == [
        ("MAX_POSITIONS_PER_SYMBOL", "2 in BTC/USD", '2 (symbols."BTC/USD".max_positions)')
    ]
    assert not refusals(told(run, steps, wide, own("max_positions", "3")))
    general = told(run, steps, wide, '"risk.max_positions_per_symbol" = 1')
    assert [bound for _, _, bound in refusals(general)] == ["1 (risk.max_positions_per_symbol)"] * 2
    assert not refusals(
        told(run, steps, wide, '"risk.max_positions_per_symbol" = 1', own("max_positions", "3"))
    )


@H26
def test_an_entry_without_a_stop_gets_the_symbols_own(run: Run) -> None:
    report = told(run, open_('size = "0.1"'), own("stop", "0.01"), '"risk.require_stop" = true')
    (position,) = report["positions"]
    assert abs(D(position["stop"]) / D(position["entry_price"]) - D("0.99")) < D("0.0001")
    assert position["protection"] == "venue"
    assert [
        code
        for code, *_ in refusals(told(run, open_('size = "0.1"'), '"risk.require_stop" = true'))
    ] == ["STOP_REQUIRED"]


@H26
def test_what_is_named_or_declined_gets_no_default(run: Run) -> None:
    every = (own("stop", "0.01"), own("target", "0.02"), own("trail", "0.03"))
    (named,) = told(run, open_('size = "0.1", stop = "5%", target = "6%"'), *every)["positions"]
    assert abs(D(named["stop"]) / D(named["entry_price"]) - D("0.95")) < D("0.0001") or D(
        named["stop"]
    ) > D(named["entry_price"]) * D("0.95")
    assert abs(D(named["target"]) / D(named["entry_price"]) - D("1.06")) < D("0.0001")
    (declined,) = told(
        run, open_('size = "0.1", stop = "off", target = "none", trail = false'), *every
    )["positions"]
    assert (declined["stop"], declined["target"]) == (None, None)


@H26
def test_an_entry_without_a_target_gets_the_symbols_own(run: Run) -> None:
    (position,) = told(run, open_('size = "0.1", stop = "1%"'), own("target", "0.02"))["positions"]
    assert position["target"] is not None
    assert abs(D(position["target"]) / D(position["entry_price"]) - D("1.02")) < D("0.0001")
    assert told(run, open_('size = "0.1", stop = "1%"'))["positions"][0]["target"] is None


RISE = '[[do]]\nat = "30s"\nmarket = { symbol = "BTC/USD", move = "4%", over = "20s" }\n'


@H26
def test_an_entry_without_a_trail_gets_the_symbols_own(run: Run) -> None:
    steps = open_('size = "0.1", stop = "5%"') + RISE
    (followed,) = told(run, steps, own("trail", "0.02"))["positions"]
    (stays,) = told(run, steps)["positions"]
    assert D(followed["stop"]) > D(followed["entry_price"]) > D(stays["stop"])


@H26
def test_a_trail_follows_from_the_profit_that_trail_after_says(run: Run) -> None:
    steps = open_('size = "0.1", stop = "5%"') + RISE
    (early,) = told(run, steps, own("trail", "0.02"), own("trail_after", "0.01"))["positions"]
    (never,) = told(run, steps, own("trail", "0.02"), own("trail_after", "0.2"))["positions"]
    assert D(early["stop"]) > D(early["entry_price"]) > D(never["stop"])


@H26
def test_a_resting_entry_ends_with_its_lifetime(run: Run) -> None:
    steps = open_('type = "limit", price = "48000", size = "0.1", stop = "1%"')
    wide = '"risk.max_limit_distance" = "0.9"'
    ended = entry(told(run, steps, wide, own("entry_lifetime", "60")))
    assert ended["status"] in ("expired", "cancelled")
    assert ended["closed_at"] is not None
    assert entry(told(run, steps, wide))["status"] == "open"
    own_expiry = open_(
        'type = "limit", price = "48000", size = "0.1", stop = "1%", expires = "4m59s"'
    )
    assert entry(told(run, own_expiry, wide, own("entry_lifetime", "60")))["status"] == "open"
    assert (
        entry(told(run, open_('size = "0.1", stop = "1%"'), own("entry_lifetime", "60")))["status"]
        == "filled"
    )


@H26
def test_a_target_rests_as_a_limit_or_is_watched_as_a_trigger(run: Run) -> None:
    steps = open_('size = "0.1", stop = "1%", target = "2%"')

    def targets(*settings: str) -> int:
        report = told(run, steps, *settings, profile="kraken-futures")
        return len([order for order in report["orders"] if order["role"] == "target"])

    assert targets() == 1
    assert targets(own("target_order", '"trigger"')) == 0
    assert targets('"protection.target_order" = "trigger"') == 0
    assert targets('"protection.target_order" = "trigger"', own("target_order", '"limit"')) == 1
    hit = told(run, steps + RISE, own("target_order", '"trigger"'), profile="kraken-futures")
    assert [position["close_reason"] for position in hit["positions"]] == ["target"]


@H26
def test_the_paper_venue_takes_the_fees_that_the_symbol_says(run: Run) -> None:
    market = open_('size = "0.1", stop = "1%"')
    report = told(run, market, own("taker_fee", "0.0001"))
    (fill,) = report["fills"]
    assert D(fill["fee"]) == D(fill["price"]) * D(fill["size"]) * D("0.0001")
    rests = open_('type = "limit", price = "50000", size = "0.1"') + RISE.replace('"4%"', '"-30%"')
    wide = '"risk.max_limit_distance" = "0.9"'
    made = told(run, rests, wide, own("maker_fee", "0.0003"))["fills"]
    assert made
    assert all(fill["liquidity"] == "maker" for fill in made)
    assert all(D(fill["fee"]) == D(fill["price"]) * D(fill["size"]) * D("0.0003") for fill in made)


@H26
def test_fees_of_a_symbol_hold_after_a_restart(run: Run) -> None:
    steps = '[[do]]\nat = "5s"\nrestart = true\n' + open_('size = "0.1", stop = "1%"', at="30s")
    fills = told(run, steps, own("taker_fee", "0.0001"))["fills"]
    assert fills
    assert all(
        D(fill["fee"]) == D(fill["price"]) * D(fill["size"]) * D("0.0001")
        for fill in fills
        if fill["liquidity"] == "taker"
    )


@H26
def test_template_is_that_of_an_entry_of_this_symbol_that_names_none(run: Run) -> None:
    scalp = '[templates.scalp]\nstop = "2%"\n'
    steps = open_('size = "0.1"') + open_('size = "1"', name="b", symbol="ETH/USD")
    report = told(run, scalp + steps, own("template", '"scalp"'), NAKED)
    stops = {one["symbol"]: one["trigger"] for one in report["orders"] if one["role"] == "stop"}
    assert list(stops) == ["BTC/USD"]
    assert not [one for one in told(run, scalp + steps, NAKED)["orders"] if one["role"] == "stop"]


@H26
def test_a_symbol_that_the_market_does_not_trade_is_refused(run: Run) -> None:
    with pytest.raises(
        ScenarioError,
        match=r'symbols\."SOL/USD"\.max_size is not read: this account does not trade SOL/USD',
    ):
        told(run, "", "'symbols.\"SOL/USD\".max_size' = 1")


def test_every_key_has_a_story_here() -> None:
    text = "".join(
        str(code)
        for name, one in globals().items()
        if name.startswith("test_")
        for code in one.__code__.co_consts
    )
    assert [name for name in FIELDS if name not in text] == []
