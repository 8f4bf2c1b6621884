"""zstd, Parquet and Feather: read as CSV is, where their libraries are; named where they are not."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.market import MarketError, RecordedMarket
from engine.market.files import open_files
from engine.model.quote import Candle, Tick
from tests.market.samples import SAMPLES, START

pyarrow = pytest.importorskip("pyarrow", reason="flatout[parquet] is not installed")
from pyarrow import csv, feather, parquet  # noqa: E402

WITH_HEADER = [
    "binance klines with header",
    "binance aggtrades usd-m",
    "binance bookticker",
    "tradingview unix",
    "okx trades",
    "tardis quotes",
    "tardis book",
    "iso times without a zone",
]
WRITE: dict[str, Callable[[Any, Path], None]] = {
    ".parquet": parquet.write_table,
    ".feather": feather.write_feather,
}


def ticks_of(path: Path) -> list[Tick]:
    return list(RecordedMarket([path]))


@pytest.mark.parametrize("ending", WRITE)
@pytest.mark.parametrize("name", WITH_HEADER)
def test_columns_are_read_as_the_same_text(name: str, ending: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    text = tmp_path / sample.name
    text.write_text(sample.text)
    mark = csv.ParseOptions(delimiter=";" if ";" in sample.text else ",")
    table = csv.read_csv(io.BytesIO(sample.text.encode()), parse_options=mark)
    path = tmp_path / sample.name.replace(".csv", ending)
    WRITE[ending](table, path)
    assert ticks_of(path) == ticks_of(text)


@pytest.mark.parametrize("ending", WRITE)
def test_times_decimals_and_categories_are_what_they_say(ending: str, tmp_path: Path) -> None:
    from datetime import UTC, datetime
    from decimal import Decimal

    table = pyarrow.table(
        {
            "date": pyarrow.array(
                [datetime.fromtimestamp(START + n * 60, UTC) for n in range(2)],
                pyarrow.timestamp("ms", tz="UTC"),
            ),
            "open": pyarrow.array([Decimal("1.10"), Decimal("1.20")], pyarrow.decimal128(9, 2)),
            "high": [2.5, 2.5],
            "low": [1.0, 1e-7],
            "close": [2, 2],
            "volume": [5, 0.1],
            "symbol": pyarrow.array(["BTC/USDT", "BTC/USDT"]).dictionary_encode(),
            "extra": [[1], [2]],
        }
    )
    path = tmp_path / f"prices{ending}"
    WRITE[ending](table, path)
    _, candle = ticks_of(path)
    assert isinstance(candle, Candle)
    assert candle.symbol == "BTC/USDT"
    assert (candle.at, str(candle.open), str(candle.low)) == ((START + 60) * 10**9, "1.20", "1E-7")


def test_zstd_is_unpacked_frame_by_frame(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard", reason="flatout[zstd] is not installed")
    sample = SAMPLES["binance klines ms"]
    text = tmp_path / sample.name
    text.write_text(sample.text)
    packed = tmp_path / f"{sample.name}.zst"
    half = sample.text.index("\n", len(sample.text) // 2)
    frames = [
        zstandard.compress(part.encode()) for part in (sample.text[:half], sample.text[half:])
    ]
    packed.write_bytes(b"".join(frames))
    assert ticks_of(packed) == ticks_of(text)
    packed.write_bytes(frames[0] + frames[1][:-9])
    with pytest.raises(MarketError, match=r"is damaged or cut short \(zstd data ended before"):
        ticks_of(packed)


def test_a_line_without_an_end_in_zstd_takes_no_memory(tmp_path: Path) -> None:
    import tracemalloc

    zstandard = pytest.importorskip("zstandard", reason="flatout[zstd] is not installed")
    path = tmp_path / "BTCUSDT-1m-2024-01.csv.zst"
    path.write_bytes(zstandard.compress(b"1" * 200_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(MarketError, match="is longer than 65,536 characters"):
            ticks_of(path)
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("module", "begin", "told"),
    [
        (
            "zstandard",
            b"\x28\xb5\x2f\xfd0",
            "is packed with zstd, for which pip install 'flatout[zstd]'",
        ),
        ("pyarrow", b"PAR1", "is Parquet, for which pip install 'flatout[parquet]' is needed"),
        (
            "pyarrow",
            b"ARROW1",
            "is an Arrow or Feather file, for which pip install 'flatout[parquet]'",
        ),
    ],
)
def test_a_library_that_is_not_there_is_named(
    module: str, begin: bytes, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "BTCUSDT.csv"
    path.write_bytes(begin)
    with pytest.raises(MarketError) as refused:
        open_files([path])
    assert f"{path}: {told}" in str(refused.value)
