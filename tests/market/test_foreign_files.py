"""The files that people have: told from header, shape and magnitude, and said in one sentence."""

import gzip
import io
import zipfile
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from engine.market import MarketError, RecordedMarket
from engine.market.files import RecordedFile, open_files
from engine.market.reading import reading
from engine.model.quote import Candle, Depth, Quote, Tick, Trade
from engine.model.side import Side
from engine.setup import factories
from tests.market.samples import BINANCE_MS, ROWS, SAMPLES, START, Sample, ohlc, price, quoted

D = Decimal
SECOND = 10**9


def written(folder: Path, sample: Sample) -> Path:
    path = folder / sample.name
    path.write_text(sample.text, encoding="utf-8")
    return path


def played(*paths: Path, words: str = "") -> list[Tick]:
    market = RecordedMarket(open_files(paths, reading(words)))
    ticks = list(market)
    assert market.skipped == 0, market.skipped_rows
    return ticks


@pytest.mark.hazard("H126")
@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_is_told_and_said_in_a_sentence(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    path = written(tmp_path, sample)
    file = RecordedFile(path)
    assert file.sentence == f"{path}: {sample.sentence}"
    ticks = played(path)
    assert len(ticks) == ROWS
    assert {tick.symbol for tick in ticks} == {sample.symbol}
    steps = {later.at - tick.at for tick, later in pairwise(ticks)}
    assert steps == {sample.step * SECOND}
    for row, tick in enumerate(ticks):
        match tick:
            case Candle():
                assert (tick.open, tick.high, tick.low, tick.close) == tuple(map(D, ohlc(row)))
                assert tick.interval == sample.step * SECOND
                assert (tick.volume == D("12.5")) is ("without volume" not in sample.sentence)
            case Trade():
                assert tick.price == D(str(price(row)))
            case Quote():
                assert (tick.bid, tick.ask) == tuple(map(D, quoted(row)))
            case Depth():
                assert tick.levels[0].price == D(str(price(row)))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_first_time_is_the_one_that_was_written(name: str, tmp_path: Path) -> None:
    first = played(written(tmp_path, SAMPLES[name]))[0].at
    hour = 3600 if name == "tradingview iso" else 0
    assert first // SECOND == START - hour


@pytest.mark.parametrize(
    ("name", "taker"),
    [
        ("binance aggtrades spot", Side.SELL),
        ("binance aggtrades usd-m", Side.BUY),
        ("coinbase trades", Side.SELL),
        ("bitstamp trades", Side.BUY),
        ("bybit trades", Side.BUY),
        ("databento trades", Side.SELL),
        ("kraken time and sales", None),
    ],
)
def test_who_took_is_read_as_each_file_means_it(
    name: str, taker: Side | None, tmp_path: Path
) -> None:
    (first, *_) = played(written(tmp_path, SAMPLES[name]))
    assert isinstance(first, Trade)
    assert first.taker is taker


KLINES = SAMPLES["binance klines ms"]
PLAIN = KLINES.text.encode()


def zipped(**members: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member.replace("__", "-").replace("_csv", ".csv"), data)
    return held.getvalue()


def test_a_zip_is_read_member_by_member(tmp_path: Path) -> None:
    lines = PLAIN.splitlines(keepends=True)
    path = tmp_path / "klines.zip"
    path.write_bytes(
        zipped(
            BTCUSDT__1m__2024__02_csv=b"".join(lines[3:]),
            BTCUSDT__1m__2024__01_csv=b"".join(lines[:3]),
            README=b"nothing",
        )
    )
    assert [tick.at for tick in played(path)] == [
        (START + row * 60) * SECOND for row in range(ROWS)
    ]
    first, second = open_files([path])
    assert first.sentence == f"{path}:BTCUSDT-1m-2024-01.csv: {BINANCE_MS}"
    assert second.name.endswith("2024-02.csv")


def test_gz_in_a_folder_and_patterns_are_found_in_order(tmp_path: Path) -> None:
    lines = PLAIN.splitlines(keepends=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "BTCUSDT-1m-2024-01-02.csv.gz").write_bytes(
        gzip.compress(b"".join(lines[3:]))
    )
    (tmp_path / "BTCUSDT-1m-2024-01-01.csv").write_bytes(b"".join(lines[:3]))
    (tmp_path / "notes.md").write_text("not prices")
    (tmp_path / ".hidden.csv").write_text("not prices")
    assert len(played(tmp_path)) == ROWS
    assert len(played(tmp_path / "*.csv")) == 3
    assert len(played(tmp_path / "**" / "*.gz")) == 3


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: "\ufeff" + text, id="a mark of UTF-8"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param(lambda text: text.replace("\n", "\n\n"), id="blank lines"),
        pytest.param(lambda text: text.replace(",", ";"), id="semicolons"),
        pytest.param(lambda text: text.replace(",", "\t"), id="tabs"),
        pytest.param(lambda text: text.replace(",", '","').replace("\n", '"\n"')[:-1], id="quotes"),
        pytest.param(lambda text: text.replace(",", " , "), id="spaces"),
        pytest.param(lambda text: text.rstrip("\n"), id="no end of the last line"),
    ],
)
def test_what_programs_do_to_a_file_does_no_harm(change: object, tmp_path: Path) -> None:
    text = change(KLINES.text)  # type: ignore[operator]
    if text.count('"') > 2:
        text = '"' + text
    path = tmp_path / KLINES.name
    path.write_text(text, encoding="utf-8", newline="")
    assert [tick.at for tick in played(path)] == [
        (START + row * 60) * SECOND for row in range(ROWS)
    ]


def test_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / KLINES.name
    path.write_text(KLINES.text, encoding="utf-16")
    assert len(played(path)) == ROWS


@pytest.mark.parametrize("packed", [False, True])
def test_newest_first_is_turned_around_and_said(packed: bool, tmp_path: Path) -> None:
    sample = SAMPLES["cryptodatadownload"]
    head, lines = sample.text.splitlines()[:2], sample.text.splitlines()[2:]
    text = "\n".join([*head, *reversed(lines)]) + "\n"
    path = tmp_path / (sample.name + ".gz" * packed)
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    file = RecordedFile(path)
    assert file.sentence == f"{path}: {sample.sentence}, newest first and turned around"
    assert [tick.at for tick in played(path)] == [
        (START + row * 60) * SECOND for row in range(ROWS)
    ]
    assert [number for number, _ in file.rows()] == list(range(ROWS + 2, 2, -1))


def test_a_long_file_that_is_newest_first_is_read_in_blocks(tmp_path: Path) -> None:
    count = 20_000
    rows = [f"{START + row},{100 + row % 7}.5,0.25" for row in range(count)]
    path = tmp_path / "XBTUSD.csv"
    path.write_text("\n".join(reversed(rows)) + "\n")
    ticks = played(path)
    assert [tick.at // SECOND for tick in ticks] == list(range(START, START + count))


def test_several_symbols_of_one_file_are_several_symbols(tmp_path: Path) -> None:
    sample = SAMPLES["bybit trades"]
    path = tmp_path / sample.name
    path.write_text(sample.text.replace("BTCUSDT", "ETHUSDT", 2))
    assert {tick.symbol for tick in played(path)} == {"BTC/USDT", "ETH/USDT"}


@pytest.mark.parametrize(
    ("words", "check"),
    [
        ("BTC/JPY", lambda tick: tick.symbol == "BTC/JPY"),
        ("5m", lambda tick: tick.interval == 300 * SECOND),
        ("ms", lambda tick: tick.at >= START * SECOND),
        ("binance-klines, BTC/JPY 1m", lambda tick: tick.symbol == "BTC/JPY"),
    ],
)
def test_what_is_said_counts_more_than_what_is_told(
    words: str, check: object, tmp_path: Path
) -> None:
    path = written(tmp_path, KLINES)
    assert all(check(tick) for tick in played(path, words=words))  # type: ignore[operator]


@pytest.mark.hazard("H126")
def test_milliseconds_in_a_column_of_nanoseconds_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text(f"ts_ns,symbol,price,size,side\n{START * 1000},BTC/USD,1,1,buy\n")
    with pytest.raises(MarketError) as refused:
        RecordedMarket([path])
    assert str(refused.value) == (
        f"{path}, line 2: time 1704067200000 is 1970-01-01 00:28, before 2009 as nanoseconds; it"
        " looks like milliseconds: say --as ms"
    )
    assert [tick.at for tick in played(path, words="ms")] == [START * SECOND]


@pytest.mark.hazard("H126")
def test_a_time_after_tomorrow_is_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, KLINES)
    profile = factories.profile("kraken-spot")
    now = (START - 2 * 86_400) * SECOND
    with pytest.raises(MarketError, match="time 1704067200000 is 2024-01-01 00:00, after tomorrow"):
        factories.recorded(profile, [path], "", now)
    assert factories.recorded(profile, [path], "", START * SECOND).start == START * SECOND


@pytest.mark.hazard("H126")
def test_a_quote_that_cannot_be_told_is_asked_for_and_never_dollars(tmp_path: Path) -> None:
    profile = factories.profile("kraken-spot")
    path = tmp_path / "q.csv"
    path.write_text(f"ts_ns,symbol,price,size,side\n{START}000000000,FOOBAR,1,1,buy\n")
    with pytest.raises(MarketError, match="symbol FOOBAR: what it is quoted in can't be told"):
        factories.recorded(profile, [path])
    yen = tmp_path / "BTCJPY-1m-2024-01.csv"
    yen.write_text(KLINES.text)
    (instrument,) = factories.recorded(profile, [yen]).instruments
    assert (instrument.symbol, instrument.base, instrument.quote) == ("BTC/JPY", "BTC", "JPY")


def test_a_thousand_files_have_few_open_at_once(tmp_path: Path) -> None:
    import resource

    for day in range(300):
        rows = "".join(f"{START + day * 86_400 + row},1.5,1\n" for row in range(2))
        (tmp_path / f"XBTUSD_{day:03}.csv").write_text(rows)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (120, hard))
    try:
        ticks = played(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(ticks) == 600
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
