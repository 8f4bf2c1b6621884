"""Real recorded days, with brackets, trails, partial closes, restarts, crashes, faults and a
flatten: the books are exact, and two runs are one.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

Report = dict[str, Any]

FAULTS = """
[faults]
lose_reply = 0.05
lose_request = 0.05
duplicate_report = 0.10
reorder_reports = 0.10
reject_stop = 0.10
delay = { p50 = "40ms", p99 = "900ms" }
"""

DAYS = {
    "binance spot, quotes and trades": (
        ("binance-spot_btcusdt_20240808_quotes", "binance-spot_btcusdt_20240808_trades"),
        ("kraken-spot", "USDT", "BTC/USDT", "20000"),
        ("10s", "60s", "120s", "200s", "240s", "300s", "600s", "630s"),
    ),
    "binance spot, fees in the base currency": (
        ("binance-spot_ethusdt_20240808_quotes",),
        ("binance-spot", "USDT", "ETH/USDT", "5000"),
        ("10s", "60s", "120s", "200s", "240s", "300s", "600s", "630s"),
    ),
    "binance perpetual": (
        ("binance-usdm_btcusdt_20240808_quotes", "binance-usdm_btcusdt_20240808_trades"),
        ("kraken-futures", "USDT", "BTCUSDT-PERP", "20000"),
        ("10s", "40s", "70s", "120s", "160s", "200s", "290s", "320s"),
    ),
    "kraken's ten pairs": (
        ("kraken-spot_multi_20210405_quotes", "kraken-spot_multi_20210405_trades"),
        ("kraken-spot", "USD", "BTC/USD", "5000"),
        ("5s", "15s", "25s", "35s", "45s", "60s", "85s", "110s"),
    ),
    "kraken's depth": (
        ("kraken-spot_multi_20210405_l2",),
        ("kraken-spot", "USD", "BTC/USD", "5000"),
        ("5s", "15s", "25s", "35s", "45s", "60s", "85s", "110s"),
    ),
    "coinbase's sell-off in candles": (
        ("coinbase_btcusd_20170904_candles-1m",),
        ("kraken-spot", "USD", "BTC/USD", "5000"),
        ("90s", "30m", "1h", "2h", "3h", "4h", "20h", "21h"),
    ),
    "coinbase's sell-off in minute quotes": (
        ("coinbase_ethusd_20170904_quotes-1m",),
        ("kraken-spot", "USD", "ETH/USD", "5000"),
        ("90s", "30m", "1h", "2h", "3h", "4h", "20h", "21h"),
    ),
}


def story(
    files: list[str],
    terms: tuple[str, str, str, str],
    times: tuple[str, ...],
    faults: str,
    seed: int,
) -> str:
    profile, currency, symbol, notional = terms
    t = times
    return f"""
name = "a day"
seed = {seed}
[account]
profile = "{profile}"
currency = "{currency}"
cash = {{ {currency} = "100000" }}
[market]
files = {json.dumps(files)}
{faults}
[[do]]
at = "{t[0]}"
id = "first"
open = {{ symbol = "{symbol}", side = "buy", notional = "{notional}", stop = "1%", target = "3%", note = "a note", tags = ["day"] }}
[[do]]
at = "{t[1]}"
position = "first"
trail = {{ distance = "0.4%" }}
[[do]]
at = "{t[2]}"
position = "first"
close = {{ part = "40%" }}
[[do]]
at = "{t[3]}"
crash = true
[[do]]
at = "{t[4]}"
id = "second"
open = {{ symbol = "{symbol}", side = "buy", risk = "50", stop = "0.5%", type = "market" }}
[[do]]
at = "{t[5]}"
restart = true
[[do]]
at = "{t[6]}"
flatten = true
[[do]]
at = "{t[7]}"
expect = {{ flat = true, naked = 0 }}
"""


@pytest.mark.parametrize("faults", ["", FAULTS], ids=["calm", "faulty"])
@pytest.mark.parametrize("day", DAYS)
def test_a_recorded_day_keeps_every_invariant(
    day: str, faults: str, recorded: Callable[..., list[str]], run: Callable[..., Report]
) -> None:
    files, terms, times = DAYS[day]
    report = run(story(recorded(*files), terms, times, faults, seed=7))
    assert report["invariants"]["violations"] == []
    assert report["invariants"]["checked"] > 50
    assert all(told["ok"] for told in report["expectations"]), report["expectations"]
    assert len([p for p in report["positions"] if p["label"] == "first"]) == 1
    assert_books(report)


def assert_books(report: Report) -> None:
    """P&L and cash again, from the fills alone."""
    spot = {p["symbol"]: "/" in p["symbol"] for p in report["positions"]}
    cash: dict[str, Decimal] = {report["account"]["currency"]: Decimal(100_000)}
    for position in report["positions"]:
        fills = [fill for fill in report["fills"] if fill["position"] == position["id"]]
        result = Decimal(0)
        for fill in fills:
            value = (
                Decimal(fill["price"])
                * Decimal(fill["size"])
                * (1 if fill["side"] == "sell" else -1)
            )
            base, _, quote = position["symbol"].partition("/")
            fee = Decimal(fill["fee"])
            result += value - (
                fee * Decimal(fill["price"]) if fill["fee_currency"] == base else fee
            )
            if spot[position["symbol"]]:
                cash[quote] = cash.get(quote, Decimal(0)) + value
                cash[base] = cash.get(base, Decimal(0)) + Decimal(fill["size"]) * (
                    -1 if fill["side"] == "sell" else 1
                )
                cash[fill["fee_currency"]] -= fee
        if position["closed_at"] is not None and Decimal(position["held"]) == 0:
            if any(fill["fee_currency"] == position["symbol"].partition("/")[0] for fill in fills):
                continue  # what was held is less than what was bought; the cash below says the rest
            assert Decimal(position["realised_pnl"]) == result, position["label"]
    if all(spot.values()):
        told = {name: Decimal(amount) for name, amount in report["account"]["cash"].items()}
        assert {name: amount for name, amount in told.items() if amount} == {
            name: amount for name, amount in cash.items() if amount
        }


def test_two_runs_of_one_scenario_are_the_same_to_the_byte(
    recorded: Callable[..., list[str]], run: Callable[..., Report]
) -> None:
    files, terms, times = DAYS["binance perpetual"]
    text = story(
        recorded(*files),
        terms,
        times,
        FAULTS + 'disconnect = { every = "1m", lasts = "5s" }\nrest_lag = "8s"',
        seed=11,
    )
    first, second = run(text), run(text)
    first.pop("wall")
    second.pop("wall")
    assert json.dumps(first) == json.dumps(second)


def test_a_short_in_the_sell_off_follows_it_down(
    recorded: Callable[..., list[str]], run: Callable[..., Report]
) -> None:
    files = recorded("coinbase_btcusd_20170904_candles-1m")
    report = run(f"""
name = "short"
[market]
files = {json.dumps(files)}
[[do]]
at = "2m"
id = "s"
open = {{ symbol = "BTC/USD", side = "sell", notional = "10000", stop = "3%", trail = {{ distance = "2%" }} }}
""")
    position = report["positions"][0]
    assert report["invariants"]["violations"] == []
    assert position["side"] == "sell"
    assert Decimal(position["naked_seconds"]) == 0
    assert position["close_reason"] in ("stop", "trailing stop", "stop (guard)")
    assert_books(report)


def test_a_home_can_be_gone_on_with(
    recorded: Callable[..., list[str]], run: Callable[..., Report]
) -> None:
    files = recorded("binance-spot_btcusdt_20240808_quotes")
    head = f"""
name = "part"
[account]
currency = "USDT"
cash = {{ USDT = "100000" }}
[market]
files = {json.dumps(files)}
"""
    opened = (
        '[[do]]\nat = "10s"\nid = "a"\nopen = { symbol = "BTC/USDT", side = "buy", size = "0.1",'
        ' stop = "2%" }\n'
    )
    first = run('until = "60s"\n' + head + opened, home="kept")
    assert first["positions"][0]["closed_at"] is None
    flat = '[[do]]\nat = "2m"\nflatten = true\n[[do]]\nat = "3m"\nexpect = { flat = true }\n'
    second = run('until = "4m"\n' + head + flat, home="kept")
    assert second["invariants"]["violations"] == []
    assert all(told["ok"] for told in second["expectations"])
    assert second["positions"][0]["close_reason"] == "flatten"
    assert_books(second)
