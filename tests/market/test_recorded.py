"""Recorded files: what they give, and how they are merged."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.market import RecordedMarket
from engine.model.quote import Candle, Depth, Level, Quote, Trade
from engine.model.side import Side
from tests.market.conftest import T

D = Decimal

Write = Callable[[str, str], Path]
Find = Callable[[str], Path]

QUOTES = "ts_ns,symbol,bid,bid_size,ask,ask_size\n"
TRADES = "ts_ns,symbol,price,size,side\n"
CANDLES = "ts_ns,symbol,open,high,low,close,volume\n"
L2 = "ts_ns,symbol,kind,side,price,size\n"
MINUTE = 60_000_000_000


@pytest.mark.parametrize("name", ["quotes.csv", "quotes.csv.gz"])
def test_quotes_come_as_they_were_written(write: Write, name: str) -> None:
    path = write(
        name, QUOTES + "5,BTC/USD,61837.63000000,3.78,61837.64,0\n7,PI_XBTUSD,1e2,1,100.5,.5\n"
    )
    assert list(RecordedMarket([path])) == [
        Quote("BTC/USD", T + 5, D("61837.63"), D("3.78"), D("61837.64"), D(0)),
        Quote("PI_XBTUSD", T + 7, D(100), D(1), D("100.5"), D("0.5")),
    ]


def test_columns_may_stand_in_any_order(write: Write) -> None:
    path = write("quotes.csv", f"ask,ask_size,symbol,bid,ts_ns,bid_size\n11,1,A/B,10,{T + 5},2\n")
    assert list(RecordedMarket([path])) == [Quote("A/B", T + 5, D(10), D(2), D(11), D(1))]


def test_a_locked_quote_is_allowed(write: Write) -> None:
    market = RecordedMarket([write("q.csv", QUOTES + "5,A/B,10,1,10,1\n")])
    assert len(list(market)) == 1
    assert market.skipped == 0


def test_trades_say_who_took_where_it_is_known(write: Write) -> None:
    path = write("trades.csv", TRADES + "1,A/B,10,1,buy\n2,A/B,10,1,sell\n3,A/B,10,1,unknown\n")
    assert [tick.taker for tick in RecordedMarket([path]) if isinstance(tick, Trade)] == [
        Side.BUY,
        Side.SELL,
        None,
    ]


def test_candles_say_their_interval(write: Write) -> None:
    path = write("candles.csv", CANDLES.strip() + ",interval_s\n60,A/B,10,12,9,11,5,60\n")
    assert list(RecordedMarket([path])) == [
        Candle("A/B", T + 60, D(10), D(12), D(9), D(11), D(5), MINUTE)
    ]


@pytest.mark.parametrize(
    ("times", "interval"),
    [
        pytest.param([0], MINUTE, id="one candle: a minute"),
        pytest.param(
            [0, 5 * MINUTE, 10 * MINUTE, 25 * MINUTE], 5 * MINUTE, id="the most common spacing"
        ),
    ],
)
def test_candles_without_an_interval_get_the_usual_spacing(
    write: Write, times: list[int], interval: int
) -> None:
    rows = "".join(f"{T + at},{symbol},10,12,9,11,5\n" for at in times for symbol in ("A/B", "C/D"))
    ticks = list(RecordedMarket([write("candles.csv", CANDLES + rows)]))
    assert {tick.interval for tick in ticks if isinstance(tick, Candle)} == {interval}
    assert len(ticks) == 2 * len(times)


def test_consecutive_levels_of_one_time_symbol_and_kind_are_one_depth(write: Write) -> None:
    rows = "1,A/B,snapshot,bid,10,1\n1,A/B,snapshot,ask,11,2\n1,A/B,update,ask,11,0\n2,A/B,update,bid,10,3\n"
    market = RecordedMarket([write("l2.csv", L2 + rows)])
    assert list(market) == [
        Depth(
            "A/B",
            T + 1,
            (Level(Side.BUY, D(10), D(1)), Level(Side.SELL, D(11), D(2))),
            snapshot=True,
        ),
        Depth("A/B", T + 1, (Level(Side.SELL, D(11), D(0)),), snapshot=False),
        Depth("A/B", T + 2, (Level(Side.BUY, D(10), D(3)),), snapshot=False),
    ]
    assert market.depths == 3


def test_files_are_merged_by_time_then_file_then_line(write: Write) -> None:
    one = write("one.csv", TRADES + "1,ONE,10,1,buy\n3,ONE,10,1,buy\n3,ONE,10,2,buy\n")
    two = write("two.csv.gz", TRADES + "1,TWO,10,1,buy\n2,TWO,10,1,buy\n3,TWO,10,1,buy\n")
    ticks = [tick for tick in RecordedMarket([two, one]) if isinstance(tick, Trade)]
    assert [(tick.at, tick.symbol, int(tick.size)) for tick in ticks] == [
        (T + 1, "TWO", 1),
        (T + 1, "ONE", 1),
        (T + 2, "TWO", 1),
        (T + 3, "TWO", 1),
        (T + 3, "ONE", 1),
        (T + 3, "ONE", 2),
    ]


def test_the_counts_follow_the_reading_and_start_again_with_it(write: Write) -> None:
    quotes = write("q.csv", QUOTES + "5,A/B,10,1,11,1\n9,A/B,10,1,11,1\n")
    market = RecordedMarket([quotes, write("t.csv", TRADES + "7,A/B,10,1,buy\n")])
    assert (market.first, market.last, market.progress) == (None, None, 0.0)
    for _ in range(2):
        assert len(list(market)) == 3
        assert (market.quotes, market.trades, market.candles, market.depths) == (2, 1, 0, 0)
        assert (market.first, market.last, market.progress) == (T + 5, T + 9, 1.0)


def test_progress_grows_while_a_file_is_read(write: Write) -> None:
    rows = "".join(f"{at},A/B,10.{at},1,buy\n" for at in range(100_000))
    market = RecordedMarket([write("t.csv", TRADES + rows)])
    seen = [market.progress for tick in market if (tick.at - T) % 10_000 == 0]
    assert seen == sorted(seen)
    assert 0.3 < seen[5] < 0.7


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_do_no_harm(write: Write) -> None:
    market = RecordedMarket(
        [write("t.csv", "\ufeff" + TRADES.strip() + "\r\n\r\n1,A/B,10,1,buy\r\n\r\n")]
    )
    assert len(list(market)) == 1
    assert market.skipped == 0


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("binance-spot_btcusdt_20240808_quotes", 73_174),
        ("binance-spot_btcusdt_20210108_trades", 2_001),
        ("coinbase_btcusd_20161007_candles-1s", 4_063),
        ("kraken-futures_multi_20210722_quotes", 361),
    ],
)
def test_real_recordings_are_read_whole(recorded: Find, name: str, rows: int) -> None:
    market = RecordedMarket([recorded(name)])
    times = [tick.at for tick in market]
    assert len(times) == rows
    assert times == sorted(times)
    assert market.skipped == 0


def test_a_real_book_gives_the_quotes_that_were_recorded_beside_it(recorded: Find) -> None:
    book: dict[Side, dict[D, D]] = {Side.BUY: {}, Side.SELL: {}}
    tops: set[tuple[int, D, D]] = set()
    for tick in RecordedMarket([recorded("kraken-spot_multi_20210405_l2")]):
        if not isinstance(tick, Depth) or tick.symbol != "BTC/USD":
            continue
        for level in tick.levels:
            book[level.side][level.price] = level.size
            if level.size == 0:
                del book[level.side][level.price]
        tops.add((tick.at, max(book[Side.BUY]), min(book[Side.SELL])))
    quotes = [
        (tick.at, tick.bid, tick.ask)
        for tick in RecordedMarket([recorded("kraken-spot_multi_20210405_quotes")])
        if isinstance(tick, Quote) and tick.symbol == "BTC/USD"
    ]
    found = sum(quote in tops for quote in quotes)
    assert found > 0.95 * len(quotes)
