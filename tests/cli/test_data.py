"""`flatout data`: what files of prices hold."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.market.samples import BINANCE_MS, SAMPLES
from tests.support.custody import FLATOUT

SAMPLE = SAMPLES["binance klines ms"]


@pytest.fixture
def gap(tmp_path: Path) -> Path:
    """Klines without their third minute, and with a row that is none."""
    path = tmp_path / SAMPLE.name
    lines = SAMPLE.text.splitlines()
    path.write_text("\n".join([*lines[:2], *lines[3:]] * 1) + "\n")
    return path


def said(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*FLATOUT, "data", *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_says_what_a_file_is_its_range_and_its_gaps(gap: Path) -> None:
    done = said(str(gap))
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first == f"{gap}: {BINANCE_MS}"
    assert " ".join(second.split()) == (
        "BTC/USDT 2024-01-01 00:00 to 2024-01-01 00:05 UTC, 5 rows, 1 gap, the longest 1 min, "
        "20.0 % of the time missing"
    )


def test_as_json_it_says_the_same_to_a_program(gap: Path) -> None:
    ((told,), code) = (json.loads(said("--json", str(gap)).stdout), said(str(gap)).returncode)
    assert (told["kind"], told["stretches"][0]["symbol"], code) == ("candles", "BTC/USDT", 0)
    assert told["stretches"][0]["gaps"] == 1


def test_rows_that_cannot_be_used_are_counted_and_the_first_is_named(gap: Path) -> None:
    gap.write_text(gap.read_text() + "broken\n")
    done = said(str(gap))
    assert done.returncode == 1
    assert "1 row can't be used; the first is line 6: 1 columns instead of 12" in done.stdout
    assert "CAN'T BE PLAYED" in done.stdout


def test_what_cannot_be_read_is_said_with_the_reason(tmp_path: Path) -> None:
    done = said(str(tmp_path / "gone.csv"))
    assert done.returncode == 2
    assert done.stderr.strip().endswith("gone.csv: can't be read (No such file or directory)")
    assert "Traceback" not in done.stderr


def test_words_say_how_to_read(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(SAMPLE.text)
    assert said(str(path)).returncode == 2
    assert "BTC/JPY as you say" in said("--as", "BTC/JPY", str(path)).stdout
