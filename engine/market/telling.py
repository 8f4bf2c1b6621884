"""What a file of somebody else's is: its format, columns and symbol, told from its first lines."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any

from msgspec import Struct

from engine.market import formats
from engine.market.formats import Format
from engine.market.layout import ALLOWED, COLUMNS, Kind, Layout, MarketError, own
from engine.market.naming import interval_in, symbols_in
from engine.market.reading import Reading
from engine.market.shapes import SHAPES, Shape, is_number, shape_of
from engine.market.times import ISO, NAMES, told

DELIMITERS = (",", ";", "\t", "|")
JUNK = 5
"""So many lines before a header are passed over: a source's address, a remark."""
DECIMAL_COMMA = re.compile(r"-?\d{1,3}(\.?\d{3})*,\d+")
COMMA = re.compile(r"-?\d+,\d{1,12}")
NAMED_EXTRA = ("", "0", "unknown")
"""Fields that are put behind each row: the symbol, and what it does not say."""


class Told(Struct, frozen=True):
    """What a file is."""

    layout: Layout
    header: int
    """The line of its header; zero where there is none."""
    title: str
    symbol: str | None
    """The one of all rows; None where each row says its own."""
    interval: int | None
    """Nanoseconds of its candles, by its name or by what was said; None: by the times of its rows.
    """
    notes: tuple[str, ...] = ()
    """What people are told beside the format: units, the symbol's source, what is assumed."""

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        return ", ".join((self.title, *self.notes))


def splitter(delimiter: str) -> Callable[[str], list[str]]:
    """A row into its fields, without quotes and spaces around them."""

    def split(text: str) -> list[str]:
        if '"' in text:
            return [field.strip() for field in next(csv.reader([text], delimiter=delimiter), [])]
        fields = text.split(delimiter)
        return [field.strip() for field in fields] if " " in text else fields

    return split


def _delimiter(lines: list[str]) -> str:
    counts = {
        mark: [len(splitter(mark)(line)) for line in lines if line.strip()] for mark in DELIMITERS
    }
    if min(counts[";"], default=0) >= 3:  # commas then are decimal ones
        return ";"
    return max(
        DELIMITERS, key=lambda mark: (sorted(counts[mark])[len(counts[mark]) // 2], mark == ",")
    )


def _is_header(fields: list[str]) -> bool:
    return len(fields) > 1 and not any(
        is_number(field) or ISO.fullmatch(field) or COMMA.fullmatch(field)
        for field in fields
        if field
    )


def tell(name: str, lines: list[tuple[int, str]], said: Reading, *, json: bool = False) -> Told:
    """What a file is whose first lines, not blank, with their numbers, are these. Raises
    MarketError.
    """
    if not lines:
        raise MarketError(f"{name}: holds no rows, not even a header")
    layout = own(lines[0][1])
    if layout is not None and said.format is None:
        return _ours(name, layout, lines, said)
    mark = "," if json else _delimiter([line for _, line in lines[1:] or lines])
    split = splitter(mark)
    rows = [(number, split(line)) for number, line in lines]
    header = next((at for at, (_, row) in enumerate(rows[: JUNK + 1]) if _is_header(row)), None)
    passed = next((at for at, (_, row) in enumerate(rows[: JUNK + 1]) if len(row) > 1), 0)
    if said.format in SHAPES and header is None:
        shape = SHAPES[said.format]
        return _told(name, mark, shape, 0, [row for _, row in rows[passed:]], said)
    if header is None:
        bare = [row for _, row in rows[passed:]]
        _no_decimal_commas(name, rows[passed:])
        shape = shape_of(name, bare, lines[0][1])
        if json and shape.format.name == "candles":
            shape = Shape(_renamed(shape.format, "freqtrade", "freqtrade candles"), shape.columns)
        return _told(name, mark, shape, 0, bare, said)
    number, names = rows[header][0], [formats.plain(field) for field in rows[header][1]]
    found = _asked(said.format, names) or formats.named(names)
    if found is None:
        shown = lines[header][1][:120]
        raise MarketError(
            f"{name}: the header {shown!r} is not known; it needs a time and either open, high, low"
            " and close, or price and size, or bid, bid_size, ask and ask_size, by these names; our"
            f" own are: {ALLOWED}"
        )
    data = rows[header + 1 :]
    if not data:
        raise MarketError(f"{name}: holds no rows, only a header")
    _no_decimal_commas(name, data)
    return _told(name, mark, Shape(found, names), number, [row for _, row in data], said)


def _ours(name: str, layout: Layout, lines: list[tuple[int, str]], said: Reading) -> Told:
    if len(lines) < 2:
        raise MarketError(f"{name}: holds no rows, only a header")
    if said.unit is not None:
        layout = layout._replace(unit=said.unit)
    notes = (f"times in {NAMES[layout.unit or 'ns']}",)
    return Told(layout, lines[0][0], f"{layout.kind} of our own", None, said.interval, notes)


def _renamed(known: Format, name: str, title: str) -> Format:
    return Format(name, title, known.kind, known.columns, known.sides, known.unit)


def _asked(name: str | None, names: list[str]) -> Format | None:
    """The format that was asked for, where the header has its columns."""
    known = next((one for one in formats.FORMATS if one.name == name), None)
    return known if known is not None and known.needs <= set(names) else None


def _no_decimal_commas(name: str, rows: Iterable[tuple[int, list[str]]]) -> None:
    for number, row in rows:
        for field in row:
            if COMMA.fullmatch(field) or DECIMAL_COMMA.fullmatch(field):
                raise MarketError(
                    f"{name}, line {number}: {field!r} has a decimal comma; whether that separates"
                    " decimals or thousands can't be told: write numbers with a point"
                )


def _told(
    name: str,
    delimiter: str,
    shape: Shape,
    header: int,
    rows: list[list[str]],
    said: Reading,
) -> Told:
    """The layout of a foreign file, and what is to be said of it."""
    known, at = shape.format, _places(shape)
    symbol, where = _symbol(name, at, rows, said)
    closes = "time" not in at and "closes" in at
    time = at["closes"] if closes else at["time"]
    layout = Layout(
        known.kind,
        len(rows[0]) if not header else len(shape.columns),
        timed=False,
        pick=_picker(known.kind, at, time, symbol, len(shape.columns)),
        split=splitter(delimiter),
        delimiter=delimiter,
        unit=said.unit or known.unit,
        sides=known.sides,
        foreign=True,
        closes=closes,
        volume="volume" in at or known.kind is not Kind.CANDLES,
        divide=_divisor(known, at, rows[0]),
    )
    interval, sample = said.interval or interval_in(name), _field(rows[0], time)
    notes = (told(sample, layout.unit), where, *_assumed(layout, at))
    return Told(layout, header, known.title, symbol, interval, notes)


def _field(row: list[str], at: int) -> str:
    return row[at] if at < len(row) else ""


def _assumed(layout: Layout, at: dict[str, int]) -> Iterator[str]:
    """What people are told of times and of what is missing."""
    if layout.kind is Kind.CANDLES:
        yield "each at its close" if layout.closes else "each at its open"
        if not layout.volume:
            yield "without volume: each is taken to have traded 10,000,000 of the quote"
    if layout.kind is Kind.TRADES and "side" not in at:
        yield "who took is not said"


def _places(shape: Shape) -> dict[str, int]:
    """Which column is which: the first volume that there is, where the usual one is missing."""
    columns = dict(shape.format.columns)
    if "volume" in columns and columns["volume"] not in shape.columns:
        columns.pop("volume")
        found = next((one for one in shape.columns if one.startswith("volume_")), None)
        if found is not None:
            columns["volume"] = found
    return {role: shape.columns.index(one) for role, one in columns.items() if one in shape.columns}


def _divisor(known: Format, at: dict[str, int], row: list[str]) -> int:
    """Databento's raw prices are whole billionths."""
    price = at.get("price", at.get("open", at.get("bid", -1)))
    raw = known.name.startswith("databento") and 0 <= price < len(row) and row[price].isdecimal()
    return 10**9 if raw and len(row[price]) > 8 else 1


def _symbol(
    name: str, at: dict[str, int], rows: list[list[str]], said: Reading
) -> tuple[str | None, str]:
    """The symbol of all rows, None where each says its own; and where it comes from."""
    if said.symbol is not None:
        return said.symbol, f"{said.symbol} as you say"
    if "symbol" in at and all(at["symbol"] < len(row) and row[at["symbol"]] for row in rows[:1]):
        return None, "each row with its symbol"
    found = symbols_in(name)
    if not found:
        raise MarketError(
            f"{name}: which symbol this is, is told neither by its rows nor by its name; say it"
            " with --as, such as --as BTC/USD"
        )
    return found[0], f"{found[0]} from the file's name"


def _picker(
    kind: Kind, at: dict[str, int], time: int, symbol: str | None, width: int
) -> Callable[[list[Any]], tuple[Any, ...]]:
    """Puts the fields of a row, with what they lack behind them, into the order of `COLUMNS`."""
    lacking = {"symbol": width, "volume": width + 1, "side": width + 2}
    spare = (symbol or "", *NAMED_EXTRA[1:])
    order = []
    for column in COLUMNS[kind]:
        role = "time" if column == "ts_ns" else column
        if role == "time":
            order.append(time)
        elif role == "symbol" and symbol is not None:
            order.append(width)
        else:
            order.append(at[role] if role in at else lacking[role])
    get = itemgetter(*order)
    return lambda fields: get((*fields, *spare))
