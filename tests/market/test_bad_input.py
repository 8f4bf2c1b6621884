"""What is wrong with a recorded file is said in one sentence, or counted and skipped."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.market import MarketError, RecordedMarket
from tests.market.conftest import T, timed

Write = Callable[[str, str], Path]

QUOTES = "ts_ns,symbol,bid,bid_size,ask,ask_size\n"
TRADES = "ts_ns,symbol,price,size,side\n"
CANDLES = "ts_ns,symbol,open,high,low,close,volume,interval_s\n"
L2 = "ts_ns,symbol,kind,side,price,size\n"

GOOD = {
    QUOTES: "50,A/B,10,1,11,1\n",
    TRADES: "50,A/B,10,1,buy\n",
    CANDLES: "50,A/B,10,12,9,11,5,60\n",
    L2: "50,A/B,update,bid,10,1\n",
}


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        (QUOTES, "50,A/B,10,1,11", "5 columns instead of 6"),
        (QUOTES, "50,A/B,10,1,11,1,9", "7 columns instead of 6"),
        (QUOTES, "soon,A/B,10,1,11,1", "time 'soon' is neither a number nor YYYY-MM-DD"),
        (QUOTES, "-50,A/B,10,1,11,1", "time '-50' is neither a number nor YYYY-MM-DD"),
        (
            QUOTES,
            "50000000000000000000,A/B,10,1,11,1",
            "time '50000000000000000000' is not a time in any unit",
        ),
        (QUOTES, "50,,10,1,11,1", "symbol '' is not a name"),
        (QUOTES, "50,A\ufffdB,10,1,11,1", "is not a name"),
        (QUOTES, "50,A/B,ten,1,11,1", "price 'ten' is not a number"),
        (QUOTES, "50,A/B,1_0,1,11,1", "price '1_0' is not a number"),
        (QUOTES, "50,A/B,,1,11,1", "price '' is not a number"),
        (QUOTES, "50,A/B,NaN,1,11,1", "price 'NaN' is not a number"),
        (QUOTES, "50,A/B,10,1,inf,1", "price 'inf' is not a number"),
        (QUOTES, "50,A/B,10,1,1e99,1", "price 1e99 is out of any range"),
        (QUOTES, "50,A/B,0,1,11,1", "price 0 is not above zero"),
        (QUOTES, "50,A/B,-10,1,11,1", "price -10 is not above zero"),
        (QUOTES, "50,A/B,10,-1,11,1", "size -1 is negative"),
        (QUOTES, "50,A/B,10,1,9.9,1", "crossed: bid 10 is above ask 9.9"),
        (QUOTES, "49,A/B,10,1,11,1", f"out of order: time {T + 49} comes after {T + 50}"),
        (TRADES, "50,A/B,10,1,bought", "side 'bought' is not one of buy, sell, unknown"),
        (CANDLES, "50,A/B,10,9,12,11,5,60", "are not within low 12 and high 9"),
        (CANDLES, "50,A/B,13,12,9,11,5,60", "open 13 and close 11 are not within"),
        (CANDLES, "50,A/B,10,12,9,8,5,60", "open 10 and close 8 are not within"),
        (CANDLES, "50,A/B,10,12,9,11,5,0", "interval 0 is not above zero"),
        (L2, "50,A/B,patch,bid,10,1", "kind 'patch' is not one of snapshot, update"),
        (L2, "50,A/B,update,buy,10,1", "side 'buy' is not one of bid, ask"),
    ],
)
def test_a_bad_row_is_counted_kept_and_skipped(
    write: Write, header: str, row: str, reason: str
) -> None:
    path = write("data.csv", header + GOOD[header] * 100 + row + "\n" + GOOD[header] * 100)
    market = RecordedMarket([path])
    ticks = list(market)
    assert len(ticks) == (1 if header is L2 else 200)  # levels of one moment are one depth
    (skipped,) = market.skipped_rows
    assert (skipped.path, skipped.line, skipped.text) == (str(path), 102, timed(row))
    assert reason in skipped.reason
    assert market.skipped == 1


def test_a_row_is_out_of_order_only_within_its_own_file(write: Write) -> None:
    market = RecordedMarket(
        [write("a.csv", TRADES + "9,A/B,10,1,buy\n"), write("b.csv", TRADES + "5,A/B,10,1,buy\n")]
    )
    assert [tick.at for tick in market] == [T + 5, T + 9]


def test_bytes_that_are_no_text_spoil_their_row_only(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(timed(TRADES + GOOD[TRADES] * 200).encode() + b"50,A\xff\xfe,10,1,buy\n")
    market = RecordedMarket([path])
    assert len(list(market)) == 200
    assert market.skipped == 1


def test_more_than_one_percent_of_bad_rows_stops_a_long_file_at_once(write: Write) -> None:
    path = write("t.csv", TRADES + GOOD[TRADES] * 1_000 + "x\n" * 11 + GOOD[TRADES] * 100_000)
    market = RecordedMarket([path])
    with pytest.raises(MarketError) as stopped:
        list(market)
    assert str(stopped.value) == (
        f"{path}, line 1002: 1 columns instead of 5; it is the first of 11 bad rows of 1011, more"
        " than 1 %"
    )
    assert market.trades == 1_000


def test_bad_rows_at_the_beginning_are_judged_at_the_thousandth_row(write: Write) -> None:
    market = RecordedMarket([write("t.csv", TRADES + "x\n" * 15 + GOOD[TRADES] * 100_000)])
    with pytest.raises(MarketError, match="15 bad rows of 1000"):
        list(market)


def test_bad_rows_of_a_short_file_are_judged_at_its_end(write: Write) -> None:
    market = RecordedMarket([write("t.csv", TRADES + "x\n" + GOOD[TRADES] * 98)])
    with pytest.raises(MarketError, match="1 bad rows of 99"):
        list(market)
    assert market.trades == 98


def test_one_percent_is_tolerated_and_a_hundred_bad_rows_are_kept(write: Write) -> None:
    market = RecordedMarket([write("t.csv", TRADES + (GOOD[TRADES] * 99 + "x\n") * 150)])
    assert sum(1 for _ in market) == 150 * 99
    assert market.skipped == 150
    assert len(market.skipped_rows) == 100


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize("text", ["", "\n", TRADES, TRADES + "\n\n"])
def test_a_file_without_rows_is_refused(write: Write, name: str, text: str) -> None:
    with pytest.raises(MarketError, match=r"t\.csv(\.gz)?: holds no rows"):
        RecordedMarket([write(name, text)])


@pytest.mark.parametrize(
    "header", ["ts_ns,symbol,price", "1,A/B,10,1,buy", "ts_ns,symbol,price,size,side,side", "\0"]
)
def test_unknown_columns_are_refused_and_the_known_ones_named(write: Write, header: str) -> None:
    with pytest.raises(MarketError) as refused:
        RecordedMarket([write("t.csv", header + "\n1,2,3\n")])
    assert "t.csv" in str(refused.value)
    assert repr(timed(header)) in str(refused.value)
    assert "ts_ns,symbol,bid,bid_size,ask,ask_size" in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        MarketError, match=r"gone\.csv: can't be read \(No such file or directory\)"
    ):
        RecordedMarket([tmp_path / "gone.csv"])


def test_a_folder_without_files_of_prices_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("none")
    with pytest.raises(MarketError, match=r"the folder holds no \.csv"):
        RecordedMarket([tmp_path])


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-20], lambda data: data[:200] + b"\0" * 50 + data[250:]]
)
def test_damaged_compression_stops_the_reading(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "t.csv.gz"
    rows = "".join(f"{T + at},A/B,{at % 977 + 1}.{at % 7},1,buy\n" for at in range(50_000))
    path.write_bytes(spoil(gzip.compress((TRADES + rows).encode())))
    with pytest.raises(
        MarketError, match=r"t\.csv\.gz: the compressed data is damaged or cut short"
    ):
        list(RecordedMarket([path]))
