"""`flatout import`: the same prices as in the files, found at once and from any time on."""

import gzip
import shutil
from collections.abc import Callable
from decimal import Decimal
from itertools import chain
from pathlib import Path

import pytest

from engine.market import MarketError, RecordedMarket, grid
from engine.market.files import open_files
from engine.market.importing import FEW_LEVELS, imported
from engine.market.reading import reading
from engine.market.stored import StoredFile
from engine.market.survey import surveyed
from engine.model.quote import Candle, Depth, Quote, Tick, Trade
from tests.market.conftest import T, Write
from tests.market.samples import SAMPLES

Find = Callable[[str], Path]
TRADES = "ts_ns,symbol,price,size,side\n"
QUOTES = "ts_ns,symbol,bid,bid_size,ask,ask_size\n"
L2 = "ts_ns,symbol,kind,side,price,size\n"


def exact(ticks: list[Tick]) -> list[str]:
    """Ticks with every digit of their prices: 1.0 and 1.00 are equal, and not the same."""
    return [repr(tick) for tick in ticks]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_shape_is_the_same_after_it_was_imported(name: str, tmp_path: Path) -> None:
    path = tmp_path / SAMPLES[name].name
    path.write_text(SAMPLES[name].text)
    (made,) = imported([path], tmp_path / "kept")
    assert exact(list(RecordedMarket([made.path]))) == exact(list(RecordedMarket([path])))
    assert grid([made.path]) == grid([path])
    assert surveyed(made).stretches == surveyed(open_files([path])[0]).stretches


@pytest.mark.parametrize(
    "name",
    [
        "binance-spot_btcusdt_20240808_quotes",
        "binance-spot_btcusdt_20240808_trades",
        "coinbase_btcusd_20161007_candles-1s",
        "kraken-spot_multi_20210405_l2",
    ],
)
def test_recorded_days_are_the_same_from_any_time_on(
    name: str, recorded: Find, tmp_path: Path
) -> None:
    path = recorded(name)
    made = [one.path for one in imported([path], tmp_path / "kept")]
    ours, theirs = RecordedMarket(made), RecordedMarket([path])
    by_symbol = sorted(exact(list(ours)))
    assert by_symbol == sorted(exact(list(theirs)))
    assert grid(made) == grid([path])
    half = [tick.at for tick in theirs][len(by_symbol) // 2]
    if "l2" not in name:
        later = sorted(exact([tick for tick in theirs if tick.at >= half]))
        assert sorted(exact(list(RecordedMarket(made, half)))) == later
        assert sorted(exact(list(RecordedMarket([path], half)))) == later


def test_files_of_two_months_are_one_file_in_the_order_of_their_times(write: Write) -> None:
    later = write("b.csv", TRADES + "".join(f"{n},A/B,10,1,buy\n" for n in range(500, 900)))
    early = write("a.csv.gz", TRADES + "".join(f"{n},A/B,11.50,2,sell\n" for n in range(100, 600)))
    (made,) = imported([later, early], later.parent / "kept")
    ats = [tick.at for tick in RecordedMarket([made.path])]
    assert ats == sorted(ats)
    assert len(ats) == 900
    assert made.path.name == "A-B.trades.ticks"
    assert made.sentence.endswith("trades of A/B, imported from 2 files")


def test_each_symbol_kind_and_interval_has_its_file(write: Write) -> None:
    trades = write("t.csv", TRADES + "1,A/B,10,1,buy\n2,C/D,10,1,buy\n")
    quotes = write("q.csv", QUOTES + "3,A/B,10,1,11,1\n")
    candles = write(
        "c.csv",
        "ts_ns,symbol,open,high,low,close,volume,interval_s\n"
        "5,A/B,10,12,9,11,5,60\n6,A/B,10,12,9,11,5,3600\n",
    )
    made = imported([trades, quotes, candles], trades.parent / "kept")
    names = {one.path.name for one in made}
    assert names == {
        "A-B.trades.ticks",
        "C-D.trades.ticks",
        "A-B.quotes.ticks",
        "A-B.candles-1m.ticks",
        "A-B.candles-1h.ticks",
    }
    kinds = [type(tick) for tick in RecordedMarket([trades.parent / "kept"])]
    assert kinds == [Trade, Trade, Quote, Candle, Candle]


def test_a_book_is_read_from_the_last_whole_one(write: Write) -> None:
    rows, at = [L2], 0
    for whole in range(4):
        rows += [f"{at},A/B,snapshot,bid,{n + 1},1\n" for n in range(FEW_LEVELS)]
        rows += [f"{at + n},A/B,update,ask,{9_000 + n},1\n" for n in range(1, 50)]
        at += 1_000 * (whole + 1)
    path = write("book.csv", "".join(rows))
    (made,) = imported([path], path.parent / "kept")
    seeks = [tick for tick in RecordedMarket([made.path], T + 3_020) if isinstance(tick, Depth)]
    assert (seeks[0].at, seeks[0].snapshot) == (T + 3_000, True)
    everything = [tick for tick in RecordedMarket([path]) if isinstance(tick, Depth)]
    assert seeks == [tick for tick in everything if tick.at >= T + 3_000]


def test_rows_that_could_not_be_used_are_remembered(write: Write) -> None:
    good = "".join(f"{n},A/B,10,1,buy\n" for n in range(400))
    path = write("t.csv", TRADES + good + "spoilt\n")
    (made,) = imported([path], path.parent / "kept")
    told = surveyed(made)
    assert (told.skipped, told.bad and told.bad.line, told.trouble) == (1, 402, "")


def test_what_cannot_be_imported_leaves_nothing(write: Write) -> None:
    good = "".join(f"{n},A/B,10,1,buy\n" for n in range(400))
    path = write("t.csv", TRADES + good + "spoilt\n" * 20)
    kept = path.parent / "kept"
    with pytest.raises(MarketError, match="line 402: 1 columns instead of 5"):
        imported([path], kept)
    assert list(kept.iterdir()) == []


def test_what_is_there_is_not_overwritten(write: Write) -> None:
    path = write("t.csv", TRADES + "1,A/B,10,1,buy\n")
    (made,) = imported([path], path.parent / "kept")
    before = made.path.read_bytes()
    with pytest.raises(MarketError, match=r"A-B\.trades\.ticks: is there already; name another"):
        imported([path], path.parent / "kept")
    assert made.path.read_bytes() == before
    with pytest.raises(MarketError, match="was imported already"):
        imported([made.path], path.parent / "other")


def spoilt(made: Path, how: Callable[[bytes], bytes]) -> str:
    made.write_bytes(how(made.read_bytes()))
    with pytest.raises(MarketError) as refused:
        list(RecordedMarket([made]))
    return str(refused.value).removeprefix(f"{made}: ")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (lambda data: data[:-9], "is cut short: import it again"),
        (lambda data: data[:40], "is cut short: import it again"),
        (lambda data: data[:20] + b"xxx" + data[23:], "block 1 of 1 is damaged: import it again"),
        (lambda data: data.replace(b'"kind"', b'"kund"'), "its index is damaged: import it again"),
        (lambda data: data.replace(b"TICKS-1", b"TICKS-9", 1), "by another version: import"),
    ],
)
def test_a_damaged_one_says_so(write: Write, how: Callable[[bytes], bytes], reason: str) -> None:
    path = write("t.csv", TRADES + "1,A/B,10,1,buy\n2,A/B,10.5,1,buy\n")
    (made,) = imported([path], path.parent / "kept")
    assert reason in spoilt(made.path, how)


def test_only_the_index_is_read_to_open_one(write: Write) -> None:
    import tracemalloc

    path = write("t.csv", TRADES + "".join(f"{n},A/B,{n + 1}.5,1,buy\n" for n in range(100_000)))
    (made,) = imported([path], path.parent / "kept")
    tracemalloc.start()
    try:
        opened = StoredFile(made.path)
        grid([opened])
        assert tracemalloc.get_traced_memory()[1] < 200_000
        late = next(opened.ticks(T + 99_000))
        assert late[0].at == T + 99_000
        assert opened.consumed > opened.index.places[-2].offset
        for _ in RecordedMarket([made.path]):
            pass
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_price_after_tomorrow_is_refused_when_it_is_opened(write: Write) -> None:
    path = write("t.csv", TRADES + "1,A/B,10,1,buy\n")
    (made,) = imported([path], path.parent / "kept")
    with pytest.raises(MarketError, match="its last price is of 2023-11-14 22:14, after tomorrow"):
        open_files([made.path], reading(""), T - 1)


def test_a_disk_that_fails_is_said_in_one_sentence(write: Write) -> None:
    path = write("t.csv", TRADES + "1,A/B,10,1,buy\n")
    taken = path.parent / "kept"
    taken.write_text("no folder")
    with pytest.raises(MarketError, match=r"kept: can't be written \(File exists\)"):
        imported([path], taken)


def test_progress_is_told_to_the_end(write: Write) -> None:
    path = write("t.csv", TRADES + "".join(f"{n},A/B,10,1,buy\n" for n in range(9_000)))
    heard: list[float] = []
    imported([path], path.parent / "kept", progress=heard.append)
    assert heard == sorted(heard)
    assert 0 < heard[0] < 1
    assert heard[-1] > 0.9


def test_the_first_rows_decide_the_steps_as_they_do_for_the_file_itself(write: Write) -> None:
    rows = "".join(f"{n},A/B,10.5,1.25,buy\n" for n in range(6_000)) + "6000,A/B,1.125,1,buy\n"
    path = write("t.csv", TRADES + rows)
    (made,) = imported([path], path.parent / "kept")
    assert made.index.grid.tick == grid([path])["A/B"].tick == Decimal("0.1")


def test_a_folder_may_hold_both(write: Write) -> None:
    path = write("t.csv", TRADES + "1,A/B,10,1,buy\n")
    (made,) = imported([path], path.parent / "kept")
    shutil.copy(path, made.path.parent / "more.csv")
    (made.path.parent / "packed.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    opened = open_files([made.path.parent])
    assert len(list(chain.from_iterable(RecordedMarket(opened).blocks()))) == 3
