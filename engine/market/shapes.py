"""What rows without a header are: told from how many columns they have, and which of them are
times, numbers and truth values.
"""

from decimal import Decimal

from msgspec import Struct

from engine.market.formats import BUYER_MAKER, TAKER, Format
from engine.market.layout import ALLOWED, NUMBER, Kind, MarketError
from engine.market.times import unit_of

TRUTHS = frozenset({"true", "false"})


class Shape(Struct, frozen=True):
    """A format, and which column is which."""

    format: Format
    columns: list[str]


def is_number(text: str) -> bool:
    """Whether a field is a number."""
    return len(text) <= 64 and NUMBER.fullmatch(text) is not None


def _is_time(text: str) -> bool:
    whole = text.partition(".")[0]
    if whole.isdecimal():
        return len(whole) <= 19 and unit_of(int(whole)) is not None
    return "-" in text[1:]


def _format(name: str, title: str, kind: Kind, columns: str) -> Shape:
    names = columns.split()
    roles: dict[str, str] = {
        role: role
        for role in (
            "time",
            "price",
            "size",
            "side",
            "open",
            "high",
            "low",
            "close",
            "volume",
            "bid",
            "bid_size",
            "ask",
            "ask_size",
        )
        if role in names
    }
    sides = BUYER_MAKER if name.startswith("binance") else TAKER
    return Shape(Format(name, title, kind, roles, sides), names)


KLINES = _format(
    "binance-klines",
    "Binance klines",
    Kind.CANDLES,
    "time open high low close volume close_time quote_volume count taker taker_quote ignore",
)
AGGREGATES = "id price size first last time side"
SPOT_AGGREGATES = _format(
    "binance-aggtrades", "Binance aggregate trades", Kind.TRADES, f"{AGGREGATES} best"
)
FUTURES_AGGREGATES = _format(
    "binance-aggtrades", "Binance aggregate trades", Kind.TRADES, AGGREGATES
)
SPOT_TRADES = _format(
    "binance-trades", "Binance trades", Kind.TRADES, "id price size quote time side best"
)
FUTURES_TRADES = _format(
    "binance-trades", "Binance trades", Kind.TRADES, "id price size quote time side"
)
TICKER = _format(
    "binance-bookticker",
    "Binance best bids and asks",
    Kind.QUOTES,
    "id bid bid_size ask ask_size time event",
)
OHLCVT = _format(
    "kraken-ohlcvt", "Kraken OHLCVT", Kind.CANDLES, "time open high low close volume count"
)
OHLC = _format(
    "kraken-ohlc", "Kraken OHLC", Kind.CANDLES, "time open high low close vwap volume count"
)
SALES = _format("kraken-trades", "Kraken time and sales", Kind.TRADES, "time price size")
SIDED = _format("trades", "trades", Kind.TRADES, "time price size side")
BARE = _format("candles", "candles", Kind.CANDLES, "time open high low close")
ORDERS = (
    _format("candles", "candles", Kind.CANDLES, "time open high low close volume"),
    _format("jesse", "Jesse candles", Kind.CANDLES, "time open close high low volume"),
    _format(
        "coinbase-candles", "Coinbase candles", Kind.CANDLES, "time low high open close volume"
    ),
)
"""Six columns: which order fits all rows that were looked at."""
SHAPES = {
    shape.format.name: shape
    for shape in (FUTURES_TRADES, FUTURES_AGGREGATES, TICKER, KLINES, OHLCVT, OHLC, SALES, *ORDERS)
}
"""What can be asked for by name."""


def _orders(rows: list[list[str]]) -> Shape | None:
    """The order of the columns in which no price is above the high or below the low."""
    for shape in ORDERS:
        index = {name: shape.columns.index(name) for name in ("open", "high", "low", "close")}
        if all(_fits(row, index) for row in rows if all(map(is_number, row[1:5]))):
            return shape
    return None


def _fits(row: list[str], index: dict[str, int]) -> bool:
    prices = {name: Decimal(row[at]) for name, at in index.items()}
    inner = (prices["open"], prices["close"])
    return max(inner) <= prices["high"] and min(inner) >= prices["low"]


# over 40 lines: a table of widths
def shape_of(name: str, rows: list[list[str]], shown: str) -> Shape:
    """What rows without a header are, of which the first is `shown` to people. Raises MarketError
    where that can't be told.
    """
    row = rows[0]
    width = len(row)
    truths = [field.lower() in TRUTHS for field in row]
    found: Shape | None = None
    match width:
        case 3 if _is_time(row[0]):
            found = SALES
        case 4 if _is_time(row[0]) and row[3].lower() in TAKER:
            found = SIDED
        case 5 if _is_time(row[0]) and all(map(is_number, row[1:])):
            found = BARE
        case 6 if truths[5] and _is_time(row[4]):
            found = FUTURES_TRADES
        case 6 if _is_time(row[0]):
            found = _orders(rows)
        case 7 if truths[5] and truths[6]:
            found = SPOT_TRADES
        case 7 if truths[6] and _is_time(row[5]):
            found = FUTURES_AGGREGATES
        case 7 if _is_time(row[5]) and _is_time(row[6]):
            found = TICKER
        case 7 if _is_time(row[0]):
            found = OHLCVT
        case 8 if truths[6] and _is_time(row[5]):
            found = SPOT_AGGREGATES
        case 8 if _is_time(row[0]):
            found = OHLC
        case 11 | 12 if _is_time(row[0]) and _is_time(row[6]):
            found = KLINES
        case _:
            pass
    if found is None:
        raise MarketError(
            f"{name}: it has no header, and what rows such as {shown[:80]!r} are can't be told; say"
            f" it with --as, such as --as binance-klines ({', '.join(sorted(SHAPES))}); our own"
            f" begin with one of these headers: {ALLOWED}"
        )
    return found
