"""What a file's name says of what is in it: the symbol, and how long its candles last."""

import re
from pathlib import PurePath

from engine.model.currencies import PERPETUAL, QUOTES, joined, renamed, symbol_of

NO_SYMBOLS = """
    BINANCE BINANCEUS BITSTAMP COINBASE GDAX KRAKEN OKX OKEX BYBIT BITFINEX GEMINI HUOBI HTX
    KUCOIN DERIBIT FTX MEXC GATE GATEIO POLONIEX BITMEX HITBTC BITTREX CEXIO EXMO CRYPTO INDEX
    CANDLES TRADES QUOTES KLINES AGGTRADES BOOKTICKER SPOT FUTURES DAILY MONTHLY
"""
EXCHANGES = frozenset(NO_SYMBOLS.split())
"""Words in names of files that are no symbols."""
SUFFIXES = (
    ".gz",
    ".csv",
    ".txt",
    ".json",
    ".tsv",
    ".zip",
    ".zst",
    ".parquet",
    ".feather",
    ".arrow",
)
INTERVALS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
SPELLED = {
    "MINUTE": 60,
    "HOUR": 3_600,
    "HOURLY": 3_600,
    "DAY": 86_400,
    "DAILY": 86_400,
    "D": 86_400,
    "1D": 86_400,
    "W": 604_800,
    "1W": 604_800,
}
SECOND = 10**9


def stem(name: str) -> str:
    """A name without its folders and its usual endings."""
    found = PurePath(name.rpartition(":")[2]).name
    while found.lower().endswith(SUFFIXES):
        found = found[: found.rindex(".")]
    return found


def _tokens(name: str) -> list[str]:
    return [part for part in re.split(r"[^A-Za-z0-9]+", stem(name)) if part]


def symbols_in(name: str) -> list[str]:
    """The symbols that a name may mean, the likeliest first; none where it says nothing."""
    parts = [part.upper() for part in _tokens(name)]
    found: dict[str, None] = {}
    for index, part in enumerate(parts):
        contract = ""
        if part in EXCHANGES or not re.fullmatch(r"[A-Z0-9]{2,20}", part):
            continue
        after = parts[index + 1 : index + 4]
        if after and renamed(after[0]) in QUOTES and not part.isdecimal():
            rest = after[1:]
            pair = f"{part}-{after[0]}"
        else:
            glued = re.fullmatch(r"([A-Z0-9]*[A-Z])(\d{4})", part)  # BTCUSDT2024-08-08
            name_of = glued.group(1) if glued and joined(part) is None else part
            if joined(name_of) is None or name_of.isdecimal():
                continue
            rest, pair = after, name_of
        if rest and (rest[0] in PERPETUAL or re.fullmatch(r"\d{6}", rest[0])):
            contract = f"-{rest[0]}"
        elif rest and rest[0] in QUOTES and "-" in pair and pair.endswith(rest[0]):
            contract = "-PERP"  # BTC_USDT_USDT, as freqtrade writes futures
        symbol = symbol_of(pair + contract)
        if symbol is not None:
            found[symbol] = None
    return list(found)


def interval_in(name: str) -> int | None:
    """Nanoseconds of a candle by the file's name: 1m, 4h, 1D, or Kraken's and TradingView's
    minutes; None where it says nothing.
    """
    for part in reversed(_tokens(name)):
        spelled = re.fullmatch(r"(\d{1,3})(s|m|h|d|w|min|S|H|D|W)", part)
        if spelled:
            count, unit = int(spelled.group(1)), spelled.group(2).lower()[0]
            if count:
                return count * INTERVALS[unit] * SECOND
        if part.upper() in SPELLED:
            return SPELLED[part.upper()] * SECOND
    minutes = re.search(r"(?:[_,] ?)(1|3|5|15|30|45|60|120|180|240|720|1440|10080)$", stem(name))
    return int(minutes.group(1)) * 60 * SECOND if minutes else None
