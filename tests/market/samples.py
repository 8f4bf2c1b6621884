"""Files as exchanges and programs write them: the shapes are theirs, the numbers are ours."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

START = 1_704_067_200
"""2024-01-01 00:00 UTC, in seconds."""
ROWS = 6


class Sample(NamedTuple):
    """One file and what is to be told of it."""

    name: str
    text: str
    sentence: str
    """Without the file's name."""
    symbol: str = "BTC/USDT"
    step: int = 60
    """Seconds between two rows."""


def price(row: int) -> float:
    """A price of ours, with one decimal."""
    return 42_000 + (row * 37 % 11) * 1.5


def ohlc(row: int) -> tuple[str, str, str, str]:
    """Open, high, low and close of a row."""
    opened, closed = price(row), price(row + 1)
    return (
        f"{opened:.1f}",
        f"{max(opened, closed) + 2:.1f}",
        f"{min(opened, closed) - 2:.1f}",
        f"{closed:.1f}",
    )


def rows(make: Callable[[int, int], str], step: int = 60, count: int = ROWS) -> str:
    """Rows from their number and their time in seconds."""
    return "".join(make(row, START + row * step) + "\n" for row in range(count))


def iso(at: int, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """A time in seconds as text."""
    return datetime.fromtimestamp(at, UTC).strftime(form)


def candle(row: int) -> str:
    """Open, high, low, close and volume."""
    return ",".join((*ohlc(row), "12.5"))


def klines(unit: int) -> str:
    """Binance klines; `unit` is of a second."""

    def row(number: int, at: int) -> str:
        closes = (at + 60) * unit - 1
        return f"{at * unit},{candle(number)},{closes},525000.0,88,6.1,256200.0,0"

    return rows(row)


KLINES_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n"
)


def quoted(row: int) -> tuple[str, str]:
    """Bid and ask."""
    return f"{price(row):.1f}", f"{price(row) + 0.5:.1f}"


OPENS = "each at its open"
FROM_NAME = "BTC/USDT from the file's name"
ROWS_SAY = "each row with its symbol"
BINANCE_MS = f"Binance klines, times in milliseconds, {FROM_NAME}, {OPENS}"

SAMPLES = {
    "binance klines ms": Sample("BTCUSDT-1m-2024-01.csv", klines(1000), BINANCE_MS),
    "binance klines us": Sample(
        "BTCUSDT-1m-2025-01.csv",
        klines(1_000_000),
        f"Binance klines, times in microseconds, {FROM_NAME}, {OPENS}",
    ),
    "binance klines with header": Sample(
        "BTCUSDT-1m-2024-01-01.csv", KLINES_HEADER + klines(1000), BINANCE_MS
    ),
    "binance klines coin-m": Sample(
        "BTCUSD_PERP-1m-2024-01-01.csv",
        KLINES_HEADER + klines(1000),
        f"Binance klines, times in milliseconds, BTC/USD:BTC from the file's name, {OPENS}",
        "BTC/USD:BTC",
    ),
    "binance aggtrades spot": Sample(
        "BTCUSDT-aggTrades-2024-01-01.csv",
        rows(lambda n, t: f"{n},{price(n)},0.5,{n},{n},{t * 1000},True,True"),
        f"Binance aggregate trades, times in milliseconds, {FROM_NAME}",
    ),
    "binance aggtrades usd-m": Sample(
        "BTCUSDT-aggTrades-2024-01.csv",
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
        + rows(lambda n, t: f"{n},{price(n)},0.5,{n},{n},{t * 1000},false"),
        f"Binance aggregate trades, times in milliseconds, {FROM_NAME}",
    ),
    "binance trades spot us": Sample(
        "BTCUSDT-trades-2025-01-01.csv",
        rows(lambda n, t: f"{n},{price(n)},0.5,21000.0,{t * 1_000_000},True,True"),
        f"Binance trades, times in microseconds, {FROM_NAME}",
    ),
    "binance trades usd-m": Sample(
        "BTCUSDT-trades-2024-01-01.csv",
        "id,price,qty,quote_qty,time,is_buyer_maker\n"
        + rows(lambda n, t: f"{n},{price(n)},0.5,21000.0,{t * 1000},true"),
        f"Binance trades, times in milliseconds, {FROM_NAME}",
    ),
    "binance trades coin-m": Sample(
        "BTCUSD_240329-trades-2024-01-01.csv",
        "id,price,qty,base_qty,time,is_buyer_maker\n"
        + rows(lambda n, t: f"{n},{price(n)},5,0.012,{t * 1000},true"),
        "Binance trades, times in milliseconds, BTC/USD:BTC-240329 from the file's name",
        "BTC/USD:BTC-240329",
    ),
    "binance bookticker": Sample(
        "BTCUSDT-bookTicker-2024-01-01.csv",
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,"
        "event_time\n"
        + rows(lambda n, t: f"{n},{quoted(n)[0]},1.5,{quoted(n)[1]},2.5,{t * 1000},{t * 1000 + 3}"),
        f"Binance best bids and asks, times in milliseconds, {FROM_NAME}",
    ),
    "binance bookticker without header": Sample(
        "BTCUSDT-bookTicker-2024-01.csv",
        rows(lambda n, t: f"{n},{quoted(n)[0]},1.5,{quoted(n)[1]},2.5,{t * 1000},{t * 1000 + 3}"),
        f"Binance best bids and asks, times in milliseconds, {FROM_NAME}",
    ),
    "kraken ohlcvt": Sample(
        "XBTUSD_60.csv",
        rows(lambda n, t: f"{t},{candle(n)},14", 3600),
        f"Kraken OHLCVT, times in seconds, BTC/USD from the file's name, {OPENS}",
        "BTC/USD",
        3600,
    ),
    "kraken time and sales": Sample(
        "XBTEUR.csv",
        rows(lambda n, t: f"{t},{price(n)},0.5"),
        "Kraken time and sales, times in seconds, BTC/EUR from the file's name, who took is not"
        " said",
        "BTC/EUR",
    ),
    "tradingview unix": Sample(
        "BINANCE_BTCUSDT, 1.csv",
        "time,open,high,low,close,Volume,Volume MA\n" + rows(lambda n, t: f"{t},{candle(n)},NaN"),
        f"TradingView export, times in seconds, {FROM_NAME}, {OPENS}",
    ),
    "tradingview iso": Sample(
        "BITSTAMP_BTCUSD, 1D.csv",
        "time,open,high,low,close,Volume\n"
        + rows(lambda n, t: f"{iso(t, '%Y-%m-%dT%H:%M:%S+01:00')},{candle(n)}", 86_400),
        f"TradingView export, ISO times, BTC/USD from the file's name, {OPENS}",
        "BTC/USD",
        86_400,
    ),
    "tradingview without volume": Sample(
        "BITSTAMP_BTCUSD, 60.csv",
        "time,open,high,low,close\n" + rows(lambda n, t: f"{t},{','.join(ohlc(n))}", 3600),
        f"TradingView export, times in seconds, BTC/USD from the file's name, {OPENS}, without"
        " volume: each is taken to have traded 10,000,000 of the quote",
        "BTC/USD",
        3600,
    ),
    "coinbase candles": Sample(
        "coinbase_BTC-USD_60s.csv",
        "time,low,high,open,close,volume\n"
        + rows(
            lambda n, t: ",".join((str(t), ohlc(n)[2], ohlc(n)[1], ohlc(n)[0], ohlc(n)[3], "12.5"))
        ),
        f"Coinbase candles, times in seconds, BTC/USD from the file's name, {OPENS}",
        "BTC/USD",
    ),
    "coinbase trades": Sample(
        "BTC-USD-trades.csv",
        "trade_id,side,size,price,time\n"
        + rows(lambda n, t: f"{n},buy,0.5,{price(n)},{iso(t, '%Y-%m-%dT%H:%M:%S.123456Z')}"),
        "Coinbase trades, the side being the maker's, ISO times, BTC/USD from the file's name",
        "BTC/USD",
    ),
    "bitstamp candles": Sample(
        "Bitstamp_BTCUSD_1m.csv",
        "timestamp,open,high,low,close,volume\n" + rows(lambda n, t: f"{t},{candle(n)}"),
        f"candles, times in seconds, BTC/USD from the file's name, {OPENS}",
        "BTC/USD",
    ),
    "bitstamp trades": Sample(
        "bitstamp_btcusd.csv",
        "date,tid,price,type,amount\n" + rows(lambda n, t: f"{t},{n},{price(n)},0,0.5"),
        "Bitstamp trades, times in seconds, BTC/USD from the file's name",
        "BTC/USD",
    ),
    "bybit trades": Sample(
        "BTCUSDT2024-01-01.csv",
        "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue\n"
        + rows(lambda n, t: f"{t}.1234,BTCUSDT,Buy,0.5,{price(n)},PlusTick,a-{n},1"),
        f"Bybit trades, times in seconds, {ROWS_SAY}",
    ),
    "okx trades": Sample(
        "BTC-USDT-SWAP-trades-2024-01-01.csv",
        "instrument_name,trade_id,side,price,size,created_time\n"
        + rows(lambda n, t: f"BTC-USDT-SWAP,{n},sell,{price(n)},0.5,{t * 1000}"),
        f"OKX trades, times in milliseconds, {ROWS_SAY}",
        "BTC/USDT:USDT",
    ),
    "okx candles": Sample(
        "BTC-USDT-candlesticks-2024-01-01.csv",
        "instrument_name,open,high,low,close,vol,vol_ccy,vol_quote,open_time,confirm\n"
        + rows(lambda n, t: f"BTC-USDT,{candle(n)},1,1,{t * 1000},1"),
        f"OKX candles, times in milliseconds, {ROWS_SAY}, {OPENS}",
    ),
    "cryptodatadownload": Sample(
        "Binance_BTCUSDT_minute.csv",
        "https://www.CryptoDataDownload.com\n"
        "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount\n"
        + rows(
            lambda n, t: f"{t * 1000},{iso(t, '%Y-%m-%d %H:%M:%S')},BTCUSDT,{candle(n)},525000,9"
        ),
        f"CryptoDataDownload candles, times in milliseconds, {ROWS_SAY}, {OPENS}",
    ),
    "tardis trades": Sample(
        "binance-futures_trades_2024-01-01_BTCUSDT.csv",
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
        + rows(
            lambda n, t: (
                f"binance-futures,BTCUSDT,{t * 10**6},{t * 10**6 + 9},{n},buy,{price(n)},0.5"
            )
        ),
        f"Tardis trades, times in microseconds, {ROWS_SAY}",
    ),
    "tardis quotes": Sample(
        "binance-futures_quotes_2024-01-01_BTCUSDT.csv",
        "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n"
        + rows(
            lambda n, t: (
                f"binance-futures,BTCUSDT,{t * 10**6},{t * 10**6},1,{quoted(n)[1]},{quoted(n)[0]},2"
            )
        ),
        f"Tardis quotes, times in microseconds, {ROWS_SAY}",
    ),
    "tardis book": Sample(
        "binance_incremental_book_L2_2024-01-01_BTCUSDT.csv",
        "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
        + rows(lambda n, t: f"binance,BTCUSDT,{t * 10**6},{t * 10**6},false,bid,{price(n)},1.5"),
        f"Tardis incremental book, times in microseconds, {ROWS_SAY}",
    ),
    "databento trades": Sample(
        "glbx-trades.csv",
        "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,"
        "ts_in_delta,sequence,symbol\n"
        + rows(
            lambda n, t: (
                f"{t}000000009,{t}000000000,0,1,1,T,A,0,{price(n)}00000000,0.5,0,1,{n},BTC-USDT"
            )
        ),
        f"Databento trades, times in nanoseconds, {ROWS_SAY}",
    ),
    "databento raw candles": Sample(
        "glbx-ohlcv-1m.csv",
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n"
        + rows(
            lambda n, t: ",".join(
                (
                    f"{t}000000000,33,1,1",
                    *(str(round(float(one) * 10) * 10**8) for one in ohlc(n)),
                    "12.5,BTC-USDT",
                )
            )
        ),
        f"Databento candles, times in nanoseconds, {ROWS_SAY}, {OPENS}",
    ),
    "freqtrade json": Sample(
        "BTC_USDT-1m.json",
        "[" + ",".join(f"[{(START + n * 60) * 1000},{candle(n)}]" for n in range(ROWS)) + "]",
        f"freqtrade candles, times in milliseconds, {FROM_NAME}, {OPENS}",
    ),
    "hummingbot": Sample(
        "candles_binance_BTC-USDT_1m.csv",
        "timestamp,open,high,low,close,volume,quote_asset_volume,n_trades,taker_buy_base_volume,"
        "taker_buy_quote_volume\n" + rows(lambda n, t: f"{t}.0,{candle(n)},1,1,1,1"),
        f"Hummingbot candles, times in seconds, {FROM_NAME}, {OPENS}",
    ),
    "jesse": Sample(
        "Binance-BTC-USDT-1m.csv",
        rows(
            lambda n, t: ",".join(
                (str(t * 1000), ohlc(n)[0], ohlc(n)[3], ohlc(n)[1], ohlc(n)[2], "12.5")
            )
        ),
        f"Jesse candles, times in milliseconds, {FROM_NAME}, {OPENS}",
    ),
    "candles at their close": Sample(
        "BTCUSDT_1m.csv",
        "close_time,open,high,low,close,volume\n"
        + rows(lambda n, t: f"{(t + 60) * 1000 - 1},{candle(n)}"),
        f"candles, times in milliseconds, {FROM_NAME}, each at its close",
    ),
    "iso times without a zone": Sample(
        "BTCUSDT_1m_excel.csv",
        "Date;Open;High;Low;Close;Volume\n"
        + rows(lambda n, t: f"{iso(t, '%Y-%m-%d %H:%M:%S')};{candle(n)}".replace(",", ";")),
        f"candles, ISO times without a zone, taken for UTC, {FROM_NAME}, {OPENS}",
    ),
}
