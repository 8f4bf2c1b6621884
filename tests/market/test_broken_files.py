"""Forty files that can't be played: each gets one clear sentence that names the file and the reason."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.market import MarketError, RecordedMarket
from engine.market.files import open_files
from engine.market.reading import reading
from tests.market.samples import KLINES_HEADER, SAMPLES, START

KLINES = SAMPLES["binance klines ms"].text
NAME = "BTCUSDT-1m-2024-01.csv"
ROW = KLINES.splitlines()[0]
GENERIC = "time,open,high,low,close,volume\n"


def replaced(column: int, text: str) -> str:
    """Klines of which each row has this text in a column."""
    rows = [row.split(",") for row in KLINES.splitlines()]
    return "".join(",".join([*row[:column], text, *row[column + 1 :]]) + "\n" for row in rows)


def archive(**members: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for name, text in members.items():
            made.writestr(name.replace("_dot_", "."), text)
    return held.getvalue()


BROKEN: dict[str, tuple[str, bytes | str, str]] = {
    "nothing": (NAME, "", "holds no rows, not even a header"),
    "blank lines": (NAME, "\n\n  \n", "holds no rows, not even a header"),
    "a header alone": (NAME, KLINES_HEADER, "holds no rows, only a header"),
    "a web page": (NAME, "<!DOCTYPE html><html><body>Not found", "is a web page"),
    "an older web page": (NAME, "<html>403</html>", "is a web page"),
    "xml": (NAME, "<?xml version='1.0'?><Error/>", "is XML"),
    "a json object": ("BTC_USDT-1m.json", '{"code": -1121}', "is JSON, but not rows of candles"),
    "json that is cut": ("BTC_USDT-1m.json", f"[[{START},1,2,1,2,5],[{START + 60},1", "cut short"),
    "zstd": (NAME, b"\x28\xb5\x2f\xfd0000", "zstd"),
    "bzip2": (NAME, b"BZh91AY&SY", "is packed with bzip2"),
    "xz": (NAME, b"\xfd7zXZ\x00", "is packed with xz"),
    "parquet that is cut": ("BTCUSDT.parquet", b"PAR1\x15\x04", "damaged or cut short"),
    "feather that is cut": ("BTC_USDT-1m.feather", b"ARROW1\x00\x00", "damaged or cut short"),
    "an older feather": ("BTC_USDT-1m.feather", b"FEA1\x00\x00", "is Feather of the first version"),
    "parquet in an archive": ("k.zip", archive(BTCUSDT_dot_csv="PAR1"), "in an archive: unpack it"),
    "numpy": ("candles.csv", b"\x93NUMPY\x01", "is a NumPy array"),
    "a database": ("prices.csv", b"SQLite format 3\x00", "is an SQLite database"),
    "a spreadsheet": ("BTCUSDT.xlsx", archive(**{"xl/workbook_dot_xml": ""}), "is a spreadsheet"),
    "a tar archive": (NAME, b"a" * 257 + b"ustar\x0000", "is a tar archive"),
    "an archive of other things": ("k.zip", archive(readme_dot_md="x"), "holds no CSV"),
    "a zip that is cut": ("k.zip", archive(BTCUSDT_dot_csv=KLINES)[:-30], "damaged or cut short"),
    "a gz that is cut": (NAME + ".gz", gzip.compress(KLINES.encode())[:-9], "cut short"),
    "one endless line": (NAME, "1" * 200_000, "line 1: is longer than 65,536 characters"),
    "words": (NAME, "these are, some words\nof, nothing\n", "is not known; it needs a time"),
    "an unknown header": (NAME, "when,what\n1,2\n", "the header 'when,what' is not known"),
    "a header without prices": (NAME, "time,volume\n1,2\n", "is not known; it needs a time"),
    "rows of unknown shape": (NAME, "1,2,3,4,5,6,7,8,9\n", "what rows such as '1,2,3"),
    "two columns": (NAME, f"{START},42000\n", "has no header, and what rows such as"),
    "no symbol": ("prices.csv", KLINES, "which symbol this is, is told neither by its rows nor"),
    "a symbol without a quote": (
        "bybit.csv",
        SAMPLES["bybit trades"].text.replace("BTCUSDT", "FOOBAR"),
        "symbol 'FOOBAR': its quote can't be told; say it with --as",
    ),
    "a time of 1970": (NAME, GENERIC + "1700000,1,2,1,2,5\n", "neither seconds nor ms, us or ns"),
    "a time of 2001": (NAME, GENERIC + "1000000000,1,2,1,2,5\n", "neither seconds nor ms, us or"),
    "a time of 1999": (NAME, GENERIC + "1999-01-01,1,2,1,2,5\n", "1999-01-01 00:00, before 2009"),
    "a date that is none": (NAME, GENERIC + "2024-02-30,1,2,1,2,5\n", "2024-02-30 is no date"),
    "a date in another order": (NAME, GENERIC + "01/02/2024,1,2,1,2,5\n", "'01/02/2024' is not a"),
    "a time that a spreadsheet cut": (
        NAME,
        GENERIC + "1.70407E+12,1,2,1,2,5\n",
        "a spreadsheet has cut off its digits",
    ),
    "an empty time": (NAME, GENERIC + ",1,2,1,2,5\n", "time is empty"),
    "a decimal comma between semicolons": (
        NAME,
        f"time;open;high;low;close\n{START};42000,5;42001,0;42000,0;42000,5\n",
        "'42000,5' has a decimal comma",
    ),
    "a decimal comma in quotes": (
        NAME,
        f'{GENERIC}{START},"42000,5","42001","42000","42000","1"\n',
        "has a decimal comma",
    ),
    "points between thousands": (
        NAME,
        f"time;open;high;low;close\n{START};42.000,5;42.001,0;42.000,0;42.000,5\n",
        "'42.000,5' has a decimal comma",
    ),
    "prices that are no numbers": (NAME, replaced(1, "n/a"), "line 1: price 'n/a' is not a number"),
    "prices of zero": (NAME, replaced(3, "0"), "price 0 is not above zero"),
    "a high below the close": (NAME, replaced(2, "41000"), "are not within low"),
    "a volume below zero": (NAME, replaced(5, "-1"), "size -1 is negative"),
    "a side that is none": (
        "bybit.csv",
        SAMPLES["bybit trades"].text.replace("Buy", "Up"),
        "side 'Up' is not one of buy, sell",
    ),
    "rows of another width": (
        NAME,
        GENERIC + f"{START},1,2,1,2\n",
        "line 2: 5 columns instead of 6",
    ),
    "the wrong unit": (NAME, KLINES, "before 2009 as microseconds; it looks like milliseconds"),
}
WORDS = {"the wrong unit": "us"}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_played_says_why_in_one_sentence(name: str, tmp_path: Path) -> None:
    file, content, reason = BROKEN[name]
    path = tmp_path / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(MarketError) as refused:
        list(RecordedMarket(open_files([path], reading(WORDS.get(name, "")))))
    told = str(refused.value)
    assert told.startswith(str(path))
    assert reason in told
    assert "\n" not in told
    assert "Traceback" not in told


def test_there_are_forty_of_them() -> None:
    assert len(BROKEN) >= 40


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("parsec", "--as 'parsec' is not known; allowed are a unit of times"),
        ("ms us", "--as says unit twice: ms and us"),
        ("0m", "--as '0m' is not known"),
    ],
)
def test_words_that_say_nothing_are_refused(words: str, reason: str) -> None:
    with pytest.raises(MarketError) as refused:
        reading(words)
    assert reason in str(refused.value)


def test_a_bad_row_in_the_middle_is_named_with_its_line(tmp_path: Path) -> None:
    lines = KLINES.splitlines() * 60
    rows = [
        ",".join([str((START + at * 60) * 1000), *line.split(",")[1:]])
        for at, line in enumerate(lines)
    ]
    rows[200] = "broken"
    path = tmp_path / NAME
    path.write_text("\n".join(rows) + "\n")
    market = RecordedMarket([path])
    assert len(list(market)) == len(rows) - 1
    (skipped,) = market.skipped_rows
    assert (skipped.line, skipped.reason) == (201, "1 columns instead of 12")


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: data], ids=["gz", "plain"])
def test_a_line_without_an_end_takes_no_memory(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    import tracemalloc

    path = tmp_path / "BTCUSDT-1m-2024-01.csv"
    path.write_bytes(pack(ROW.encode() + b"\n" + b"1" * 50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(MarketError, match="line 2: is longer than 65,536 characters"):
            list(RecordedMarket([path]))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
