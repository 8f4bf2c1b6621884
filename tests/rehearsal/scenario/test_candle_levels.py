"""On candles, a target and a stop leave at the price that was asked for, whoever watches it: the
venue or the console.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

Report = dict[str, Any]
START = 1_700_000_000 // 3600 * 3600 * 10**9
MINUTE = 60 * 10**9
HEADER = "ts_ns,symbol,open,high,low,close,volume,interval_s\n"
SYMBOLS = {"kraken-spot": "BTC/USD", "kraken-futures": "PF_XBTUSD"}


def candles(path: Path, symbol: str, rows: list[tuple[int, int, int, int]]) -> None:
    flat = [(10000, 10000, 10000, 10000)] * 2
    lines = [
        f"{START + minute * MINUTE},{symbol},{o},{h},{low},{c},5000,60\n"
        for minute, (o, h, low, c) in enumerate([*flat, *rows, *[(rows[-1][3],) * 4] * 3])
    ]
    path.write_text(HEADER + "".join(lines))


def exits(report: Report) -> list[tuple[str, Decimal]]:
    entry = report["positions"][0]["side"]
    roles = {order["client_order_id"]: order["role"] for order in report["orders"]}
    return [
        (roles[fill["client_order_id"]], Decimal(fill["price"]))
        for fill in report["fills"]
        if fill["side"] != entry
    ]


@pytest.mark.hazard("H124")
@pytest.mark.parametrize("profile", SYMBOLS)
@pytest.mark.parametrize("sign", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize(
    ("away", "wanted"),
    [
        ((-40, 400, 300), ("target", 123)),  # nearest against, furthest along, close
        ((-400, 40, -300), ("stop", -77)),
        ((-400, 400, 300), ("stop", -77)),
    ],
    ids=["target", "stop", "both"],
)
def test_a_level_is_left_at_its_own_price(
    profile: str,
    sign: int,
    away: tuple[int, int, int],
    wanted: tuple[str, int],
    run: Callable[..., Report],
    tmp_path: Path,
) -> None:
    symbol, side = SYMBOLS[profile], "buy" if sign > 0 else "sell"
    against, along, close = (10000 + far * sign for far in away)
    bar = (10000, max(against, along), min(against, along), close)
    candles(tmp_path / "day.csv", symbol, [bar])
    stop, target = 10000 - 77 * sign, 10000 + 123 * sign
    report = run(f"""
name = "levels"
seed = 3
[account]
profile = "{profile}"
currency = "USD"
cash = {{ USD = "1000000" }}
[settings]
"paper.margin" = true
[market]
files = {json.dumps([str(tmp_path / "day.csv")])}
[[do]]
at = "5s"
open = {{ symbol = "{symbol}", side = "{side}", size = "1", stop = "{stop}", target = "{target}" }}
""")
    assert report["invariants"]["violations"] == []
    ((_, price),) = exits(report)
    assert price == 10000 + wanted[1] * sign
    assert report["positions"][0]["close_reason"].startswith(wanted[0])
