"""`flatout import`: files of prices into files that open at once."""

import subprocess
from pathlib import Path

import pytest

from tests.market.samples import SAMPLES
from tests.support.custody import FLATOUT

SAMPLE = SAMPLES["binance aggtrades usd-m"]


def flatout(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*FLATOUT, *words], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / SAMPLE.name
    path.write_text(SAMPLE.text)
    return path


def test_it_says_what_was_made_and_how_to_play_it(dump: Path) -> None:
    kept = dump.parent / "kept"
    done = flatout("import", str(dump), "-o", str(kept))
    assert (done.returncode, done.stderr) == (0, "")
    first, second, last = done.stdout.splitlines()
    made = kept / "BTC-USDT.trades.ticks"
    assert first.startswith(f"{made}: trades of BTC/USDT, imported from {SAMPLE.name}: Binance")
    assert "2024-01-01 00:00 to 2024-01-01 00:05 UTC, 6 rows, no gaps" in second
    assert last == f"play them with: flatout --market {kept}"
    assert flatout("data", str(kept)).stdout.splitlines() == [first, second]


def test_what_cannot_be_imported_is_said_in_one_sentence(dump: Path) -> None:
    kept = dump.parent / "kept"
    assert flatout("import", str(dump), "-o", str(kept)).returncode == 0
    again = flatout("import", str(dump), "-o", str(kept))
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.strip().endswith(
        "BTC-USDT.trades.ticks: is there already; name another folder with -o, or remove it"
    )
    gone = flatout("import", str(dump.parent / "gone.csv"), "-o", str(kept))
    assert (gone.returncode, len(gone.stderr.splitlines())) == (2, 1)


def test_words_say_how_to_read(dump: Path) -> None:
    kept = dump.parent / "kept"
    done = flatout("import", str(dump), "-o", str(kept), "--as", "BTC/JPY")
    assert (kept / "BTC-JPY.trades.ticks").exists(), done.stderr
