"""A scenario on files as exchanges write them, and what its report says of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.rehearsal.scenario.words import ScenarioError
from tests.market.samples import BINANCE_MS, SAMPLES

Report = dict[str, Any]


def story(files: list[str], symbol: str, more: str = "", money: str = "USDT") -> str:
    return f"""
name = "a file of somebody else's"
[account]
profile = "binance-spot"
currency = "{money}"
cash = {{ {money} = "100000" }}
[market]
files = {json.dumps(files)}
{more}
[[do]]
at = "61s"
open = {{ symbol = "{symbol}", side = "buy", size = "0.1", stop = "10%" }}
"""


def test_klines_in_a_folder_are_traded_and_told(run: Callable[..., Report], tmp_path: Path) -> None:
    sample = SAMPLES["binance klines ms"]
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / sample.name).write_text(sample.text)
    report = run(story(["prices"], "BTC/USDT"))
    assert report["market"]["files"] == [f"{sample.name}: {BINANCE_MS}"]
    assert report["market"]["candles"] == 6
    assert [fill["symbol"] for fill in report["fills"]] == ["BTC/USDT"]
    assert report["invariants"]["violations"] == []


def test_how_a_file_is_read_can_be_said(run: Callable[..., Report], tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(SAMPLES["binance klines ms"].text)
    report = run(story(["*.csv"], "BTC/JPY", 'reading = "BTC/JPY 1m"', "JPY"))
    assert [fill["symbol"] for fill in report["fills"]] == ["BTC/JPY"]
    assert "BTC/JPY as you say" in report["market"]["files"][0]


def test_a_file_that_is_not_there_is_still_named(run: Callable[..., Report]) -> None:
    with pytest.raises(ScenarioError, match=r"market\.files: there is no file .*gone\.csv"):
        run(story(["gone.csv"], "BTC/USDT"))
