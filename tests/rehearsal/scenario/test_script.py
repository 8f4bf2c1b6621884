"""A scenario that can't be used says why in one sentence: file, key, value, and what is allowed."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.market import MarketError
from engine.rehearsal.scenario.words import ScenarioError

MARKET = 'until = "1m"\n[market]\nsource = "simulated"\nsymbols = ["BTC/USD"]\n'
OPEN = 'open = { symbol = "BTC/USD", side = "buy", size = "0.1", stop = "1%" }\n'

UNUSABLE = {
    "not TOML": ("name = ", "not valid TOML"),
    "unknown key": ("nmae = 1\n" + MARKET, "nmae is not known; did you mean name?"),
    "unknown fault": (
        MARKET + "[faults]\nlose_replies = 0.1\n",
        "faults.lose_replies is not known; did you mean lose_reply?",
    ),
    "impossible probability": (
        MARKET + "[faults]\nlose_reply = 1.5\n",
        "expected a probability from 0 to 1",
    ),
    "no end": ('[market]\nsource = "simulated"\n', "until is missing"),
    "no file": ('[market]\nfiles = ["nothing.csv"]\n', "there is no file"),
    "no files": ("[market]\n", "market.files is empty"),
    "two actions": (MARKET + '[[do]]\nat = "1s"\npause = true\nresume = true\n', "exactly one of"),
    "no time": (MARKET + "[[do]]\npause = true\n", "do[1].at is missing"),
    "bad time": (MARKET + '[[do]]\nat = "soon"\npause = true\n', "expected a duration"),
    "two sizes": (
        MARKET
        + '[[do]]\nat = "1s"\nopen = { symbol = "BTC/USD", side = "buy", size = 1, risk = 1 }\n',
        "exactly one",
    ),
    "a bad side": (
        MARKET + '[[do]]\nat = "1s"\nopen = { symbol = "BTC/USD", side = "long", size = 1 }\n',
        "allowed: buy, sell",
    ),
    "a bad number": (
        MARKET + '[[do]]\nat = "1s"\nopen = { symbol = "BTC/USD", side = "buy", size = "NaN" }\n',
        "expected a number",
    ),
    "about nothing": (
        MARKET + '[[do]]\nat = "1s"\nposition = "ghost"\nclose = true\n',
        "nothing of that id is opened before it",
    ),
    "an unknown symbol": (
        MARKET + '[[do]]\nat = "1s"\nopen = { symbol = "X/Y", side = "buy", size = 1 }\n',
        "the market has BTC/USD",
    ),
    "an unknown profile": (
        '[account]\nprofile = "mtgox"\n',
        "profile is 'mtgox'; allowed: binance-spot, kraken-futures, kraken-spot",
    ),
    "an unknown setting": (
        MARKET + '[settings]\n"risk.max_position_count" = 5\n',
        "unknown key risk.max_position_count",
    ),
    "a bad setting": (
        MARKET + '[settings]\n"risk.max_slippage" = "-1"\n',
        "expected a finite number from 0 up",
    ),
    "an unknown model key": (MARKET + "vollatility = 1\n", "market:"),
    "negative cash": (MARKET + '[account]\ncash = { USD = "-1" }\n', "must not be negative"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_scenario_says_why(name: str, run: Callable[..., dict[str, Any]]) -> None:
    text, words = UNUSABLE[name]
    if "[market]" not in text and name == "an unknown profile":
        text = MARKET + text
    with pytest.raises((ScenarioError, ValueError), match=r"^[^\n]+$") as told:
        run(text)
    assert words in str(told.value)


def test_a_market_with_too_many_bad_rows_stops_the_run(
    tmp_path: Path, run: Callable[..., dict[str, Any]]
) -> None:
    rows = ["ts_ns,symbol,bid,bid_size,ask,ask_size"]
    rows += [
        f"{1_700_000_000_000_000_000 + i * 10**9},BTC/USD,{'x' if i % 20 == 0 else 100},1,101,1"
        for i in range(200)
    ]
    (tmp_path / "bad.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(MarketError, match=r"bad\.csv"):
        run('name = "bad"\n[market]\nfiles = ["bad.csv"]\n')


def test_every_action_can_be_written(run: Callable[..., dict[str, Any]]) -> None:
    report = run("""
name = "all of them"
until = "5m"
[market]
source = "simulated"
symbols = ["BTC/USD", "ETH/USD"]
[[do]]
at = "10s"
id = "a"
open = { symbol = "BTC/USD", side = "buy", notional = "10000", stop = "2%", target = "4%" }
[[do]]
at = "20s"
id = "b"
open = { symbol = "ETH/USD", side = "buy", type = "limit", price = "2300", size = "0.5", expires = "10s" }
[[do]]
at = "25s"
id = "c"
open = { symbol = "ETH/USD", side = "buy", type = "limit", price = "2300", size = "0.6" }
[[do]]
at = "30s"
position = "a"
move_stop = { to = "1%" }
[[do]]
at = "35s"
position = "a"
move_target = "5%"
[[do]]
at = "40s"
position = "a"
trail = { distance = "1%" }
[[do]]
at = "45s"
position = "a"
trail = "off"
[[do]]
at = "50s"
position = "a"
note = { note = "held", tags = ["x"] }
[[do]]
at = "55s"
position = "c"
cancel = true
[[do]]
at = "60s"
pause = true
[[do]]
at = "61s"
open = { symbol = "BTC/USD", side = "buy", size = "0.1" }
[[do]]
at = "62s"
resume = true
[[do]]
at = "70s"
external = { symbol = "BTC/USD", side = "buy", type = "limit", size = "0.01", price = "30000" }
[[do]]
at = "75s"
reconcile = true
[[do]]
at = "80s"
cancel_all = { foreign = true }
[[do]]
at = "90s"
position = "a"
reverse = true
[[do]]
at = "120s"
market = { symbol = "BTC/USD", move = "-3%", over = "10s" }
[[do]]
at = "150s"
expect = { positions = 1, side = "short", symbol = "BTC/USD", naked = 0, mode = "ACTIVE", refusal = "ENTRIES_BLOCKED" }
[[do]]
at = "160s"
symbol = "BTC/USD"
break_even = true
[[do]]
at = "170s"
symbol = "BTC/USD"
close = true
[[do]]
at = "180s"
halt = true
[[do]]
at = "181s"
resume = "HALTED"
[[do]]
at = "200s"
restart = true
[[do]]
at = "220s"
flatten = true
[[do]]
at = "240s"
expect = { flat = true }
""")
    assert report["invariants"]["violations"] == []
    assert report["expectations"][0]["ok"], report["expectations"][0]
    assert report["expectations"][1]["ok"], report["expectations"][1]
    expired = [
        order for order in report["orders"] if order["label"] == "b" and order["role"] == "entry"
    ]
    assert [order["status"] for order in expired] == ["expired"]
    assert {p["close_reason"] for p in report["positions"]} == {"reversed", "operator"}


def test_funding_is_paid_each_hour_and_told_apart(run: Callable[..., dict[str, Any]]) -> None:
    text = """
name = "funding"
seed = 3
until = "2h30m"
account = { venue = "paper", profile = "kraken-futures", currency = "USD", cash = { USD = "100000" } }
market = { source = "simulated", symbols = ["BTC/USD"] }
settings = { "paper.funding" = 0.0001 }
[[do]]
at = "30s"
id = "e1"
open = { symbol = "BTC/USD", side = "sell", type = "market", size = "1" }
"""
    report = run(text)
    account = report["account"]
    assert 2 * 5 < float(account["financing"]) < 2 * 7, (
        "two hours of a short of some 62,000 dollars, each paid a ten thousandth"
    )
    assert Decimal(account["cash"]["USD"]) == 100_000 - Decimal(account["fees"]) + Decimal(
        account["financing"]
    )
    assert report["invariants"]["violations"] == []
    assert [alert["code"] for alert in report["alerts"]] == ["NAKED"]
