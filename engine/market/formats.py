"""The files that exchanges, recorders and other programs write: what their columns are called and
mean. A file is told from its header; where it has none, from the shape of its rows (`shapes`).
"""

from collections.abc import Mapping

from msgspec import Struct, field

from engine.market.layout import Kind

TAKER = {
    "buy": "buy",
    "sell": "sell",
    "b": "buy",
    "s": "sell",
    "bid": "buy",
    "ask": "sell",
    "a": "sell",
    "n": "unknown",
    "none": "unknown",
    "": "unknown",
    "unknown": "unknown",
}
"""Who took, as files say it."""
MAKER = {"buy": "sell", "sell": "buy", "b": "sell", "s": "buy", "": "unknown"}
"""Where a file says whose order rested."""
BUYER_MAKER = {"true": "sell", "false": "buy", "1": "sell", "0": "buy"}
"""Where it says whether the buyer's order rested."""
BITSTAMP = {"0": "buy", "1": "sell"}


class Format(Struct, frozen=True):
    """One kind of file."""

    name: str
    """What `--as` calls it."""
    title: str
    """What people are told."""
    kind: Kind
    columns: dict[str, str]
    """From what a column means (time, symbol, price, ...) to what the file calls it."""
    sides: Mapping[str, str] = field(default_factory=lambda: TAKER)
    unit: str | None = None
    """Of the times, where their magnitude does not say it."""

    @property
    def needs(self) -> frozenset[str]:
        """The columns that it can't be read without."""
        return frozenset(name for role, name in self.columns.items() if role not in OPTIONAL)


OPTIONAL = frozenset({"symbol", "volume", "side", "interval"})
"""What a file may lack."""

CANDLE = {name: name for name in ("open", "high", "low", "close", "volume")}


def _columns(**names: str) -> dict[str, str]:
    return names


FORMATS = (
    Format(
        "binance-klines",
        "Binance klines",
        Kind.CANDLES,
        {"time": "open_time", **CANDLE, "closes": "close_time", "taker": "taker_buy_volume"},
    ),
    Format(
        "binance-aggtrades",
        "Binance aggregate trades",
        Kind.TRADES,
        _columns(
            time="transact_time",
            price="price",
            size="quantity",
            side="is_buyer_maker",
            id="agg_trade_id",
        ),
        BUYER_MAKER,
    ),
    Format(
        "binance-trades",
        "Binance trades",
        Kind.TRADES,
        _columns(time="time", price="price", size="qty", side="is_buyer_maker", id="id"),
        BUYER_MAKER,
    ),
    Format(
        "binance-bookticker",
        "Binance best bids and asks",
        Kind.QUOTES,
        _columns(
            time="transaction_time",
            bid="best_bid_price",
            bid_size="best_bid_qty",
            ask="best_ask_price",
            ask_size="best_ask_qty",
            id="update_id",
        ),
    ),
    Format(
        "tardis-quotes",
        "Tardis quotes",
        Kind.QUOTES,
        _columns(
            time="timestamp",
            symbol="symbol",
            bid="bid_price",
            bid_size="bid_amount",
            ask="ask_price",
            ask_size="ask_amount",
            id="local_timestamp",
        ),
        unit="us",
    ),
    Format(
        "tardis-book",
        "Tardis incremental book",
        Kind.L2,
        _columns(
            time="timestamp",
            symbol="symbol",
            kind="is_snapshot",
            side="side",
            price="price",
            size="amount",
            id="local_timestamp",
        ),
        unit="us",
    ),
    Format(
        "tardis-trades",
        "Tardis trades",
        Kind.TRADES,
        _columns(
            time="timestamp",
            symbol="symbol",
            price="price",
            size="amount",
            side="side",
            id="local_timestamp",
        ),
        unit="us",
    ),
    Format(
        "databento-mbp1",
        "Databento best bids and asks",
        Kind.QUOTES,
        _columns(
            time="ts_event",
            symbol="symbol",
            bid="bid_px_00",
            bid_size="bid_sz_00",
            ask="ask_px_00",
            ask_size="ask_sz_00",
        ),
    ),
    Format(
        "databento-ohlcv",
        "Databento candles",
        Kind.CANDLES,
        {"time": "ts_event", "symbol": "symbol", **CANDLE, "id": "rtype"},
    ),
    Format(
        "databento-trades",
        "Databento trades",
        Kind.TRADES,
        _columns(
            time="ts_event", symbol="symbol", price="price", size="size", side="side", id="action"
        ),
    ),
    Format(
        "bybit-trades",
        "Bybit trades",
        Kind.TRADES,
        _columns(
            time="timestamp",
            symbol="symbol",
            price="price",
            size="size",
            side="side",
            id="trdmatchid",
        ),
    ),
    Format(
        "okx-trades",
        "OKX trades",
        Kind.TRADES,
        _columns(
            time="created_time",
            symbol="instrument_name",
            price="price",
            size="size",
            side="side",
            id="trade_id",
        ),
    ),
    Format(
        "okx-candles",
        "OKX candles",
        Kind.CANDLES,
        {
            "time": "open_time",
            "symbol": "instrument_name",
            **CANDLE,
            "volume": "vol",
            "id": "confirm",
        },
    ),
    Format(
        "coinbase-trades",
        "Coinbase trades, the side being the maker's",
        Kind.TRADES,
        _columns(time="time", price="price", size="size", side="side", id="trade_id"),
        MAKER,
    ),
    Format(
        "bitstamp-trades",
        "Bitstamp trades",
        Kind.TRADES,
        _columns(time="date", price="price", size="amount", side="type", id="tid"),
        BITSTAMP,
    ),
    Format(
        "cryptodatadownload",
        "CryptoDataDownload candles",
        Kind.CANDLES,
        {"time": "unix", "symbol": "symbol", **CANDLE, "id": "date"},
    ),
    Format(
        "hummingbot",
        "Hummingbot candles",
        Kind.CANDLES,
        {"time": "timestamp", **CANDLE, "id": "n_trades"},
    ),
)
"""Told from a header that has all that they need; the first that fits."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "time": (
        "timestamp",
        "time",
        "unix",
        "open_time",
        "opentime",
        "datetime",
        "date",
        "ts",
        "start",
        "start_at",
        "created_at",
        "time_utc",
        "date_time",
        "timestamp_ms",
        "unix_timestamp",
    ),
    "closes": ("close_time", "closetime", "end_time"),
    "symbol": ("symbol", "pair", "market", "ticker", "instrument", "instrument_name", "product_id"),
    "open": ("open", "open_price", "o"),
    "high": ("high", "high_price", "h"),
    "low": ("low", "low_price", "l"),
    "close": ("close", "close_price", "c"),
    "volume": ("volume", "vol", "base_volume", "volume_btc", "v", "amount", "qty"),
    "price": ("price", "last_price", "trade_price", "p"),
    "size": ("size", "amount", "qty", "quantity", "volume", "vol", "q"),
    "side": ("side", "taker_side", "direction", "aggressor", "aggressor_side"),
    "bid": ("bid", "bid_price", "best_bid", "best_bid_price", "bid_px"),
    "bid_size": ("bid_size", "bid_qty", "bid_amount", "best_bid_size", "best_bid_qty", "bid_sz"),
    "ask": ("ask", "ask_price", "best_ask", "best_ask_price", "ask_px"),
    "ask_size": ("ask_size", "ask_qty", "ask_amount", "best_ask_size", "best_ask_qty", "ask_sz"),
}
"""What columns of files that no format names are called, the likeliest first."""

GENERIC = (
    ("quotes", "quotes", Kind.QUOTES, ("time", "bid", "bid_size", "ask", "ask_size")),
    ("candles", "candles", Kind.CANDLES, ("time", "open", "high", "low", "close")),
    ("trades", "trades", Kind.TRADES, ("time", "price", "size")),
)

SAME = {
    "quote_asset_volume": "quote_volume",
    "taker_buy_base_asset_volume": "taker_buy_volume",
    "taker_buy_base_volume": "taker_buy_volume",
    "number_of_trades": "n_trades",
    "qtd": "qty",
    "first_trade_id": "first_id",
}
"""Names that mean the same column."""


def plain(name: str) -> str:
    """A column's name as the tables have it: `Volume BTC` is volume_btc, `price/价格` is price."""
    text = name.strip().strip('"').partition("/")[0].strip().lower()
    text = text.replace(" ", "_").replace("-", "_").replace(".", "_").strip("_")
    return SAME.get(text, text)


def named(names: list[str]) -> Format | None:
    """The format whose columns a header has; None where there is none."""
    have = set(names)
    for known in FORMATS:
        if known.needs <= have:
            return known
    if names[:5] == ["time", "open", "high", "low", "close"]:
        return Format("tradingview", "TradingView export", Kind.CANDLES, {"time": "time", **CANDLE})
    if {"time", "low", "high", "open", "close"} <= have and names[1:3] == ["low", "high"]:
        return Format(
            "coinbase-candles", "Coinbase candles", Kind.CANDLES, {"time": "time", **CANDLE}
        )
    return _generic(names)


def _generic(names: list[str]) -> Format | None:
    found: dict[str, str] = {}
    for role, synonyms in SYNONYMS.items():
        name = next((name for name in synonyms if name in names), None)
        if name is None and role == "volume":  # of a base that has its name in it
            name = next((name for name in names if name.startswith("volume_")), None)
        if name is not None:
            found[role] = name
    for name, title, kind, needed in GENERIC:
        closing = kind is Kind.CANDLES and "time" not in found and "closes" in found
        if all(role in found or (role == "time" and closing) for role in needed):
            wanted = (*needed, "symbol", "side", "volume", "closes")
            columns = {role: found[role] for role in wanted if role in found}
            if not closing:
                columns.pop("closes", None)
            return Format(name, title, kind, columns)
    return None
