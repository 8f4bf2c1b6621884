"""The lines of a stream, with a bound on how long one may be; newest-first ones turned around; and
JSON arrays as lines.
"""

import io
import re
import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import IO, BinaryIO, cast

from engine.market.layout import MarketError

LONGEST = 65_536
"""Characters of a line: what is longer is no row, and would fill the memory."""
BLOCK = 65_536
PIECES = re.compile(r'([\[\]"])')
Line = tuple[int, str]
"""The number of a line, and its text."""
Block = tuple[range, list[str]]
"""The numbers of some consecutive lines, and their texts."""
BACK = 1_024
"""Lines of a block where they are turned around or come of JSON."""


def text_of(stream: BinaryIO) -> io.TextIOWrapper:
    """A stream as text: UTF-8, with or without its mark, or UTF-16 with it. A byte that is neither
    spoils its own row, not the file.
    """
    begin = cast("io.BufferedReader", stream).peek(2)[:2] if hasattr(stream, "peek") else b""
    utf16 = begin in (b"\xff\xfe", b"\xfe\xff")
    return io.TextIOWrapper(stream, "utf-16" if utf16 else "utf-8-sig", errors="replace")


def blocks_of(name: str, stream: BinaryIO) -> Iterator[Block]:
    """Lines without their ends, as many at once as a read gives. Raises MarketError for one that
    is too long.
    """
    text = text_of(stream)
    number, rest = 1, ""
    while chunk := text.read(BLOCK):
        lines = (rest + chunk).split("\n")
        rest = lines.pop()
        _bounded(name, number + len(lines), rest)
        if lines:
            _bounded(name, number, lines[0])
            yield range(number, number + len(lines)), lines
            number += len(lines)
    if rest:
        yield range(number, number + 1), [rest]


def _bounded(name: str, number: int, line: str) -> None:
    if len(line) >= LONGEST:
        raise MarketError(
            f"{name}, line {number}: is longer than {LONGEST:,} characters; that is no row"
        )


def turned(name: str, stream: BinaryIO) -> Iterator[Block]:
    """Lines from the last to the first: by way of a temporary file, whatever packs them."""
    with tempfile.TemporaryFile() as kept:
        count = 0
        for _, lines in blocks_of(name, stream):
            kept.writelines(line.encode() + b"\n" for line in lines)
            count += len(lines)
        back = _backwards(kept)
        while lines := list(islice(back, BACK)):
            yield range(count, count - len(lines), -1), lines
            count -= len(lines)


def arrays_of(name: str, stream: BinaryIO) -> Iterator[Block]:
    """The innermost arrays of a JSON text as lines of CSV, however long the text: `[[1,2],[3,4]]`
    is two rows.
    """
    arrays, number = _arrays(name, stream), 1
    while lines := list(islice(arrays, BACK)):
        yield range(number, number + len(lines)), lines
        number += len(lines)


def _backwards(kept: IO[bytes]) -> Iterator[str]:
    """The lines of a file, each with its end, from the last one on."""
    end, rest = kept.tell() - 1, b""
    while end > 0:
        begin = max(0, end - BLOCK)
        kept.seek(begin)
        first, *others = (kept.read(end - begin) + rest).split(b"\n")
        end, rest = begin, first
        for line in reversed(others):
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


def _arrays(name: str, stream: BinaryIO) -> Iterator[str]:
    text = text_of(stream)
    row: list[str] = []
    size, number, within, quoted = 0, 0, False, False
    while chunk := text.read(BLOCK):
        for part in PIECES.split(chunk):
            if part == '"':
                quoted = not quoted
            elif quoted and within:
                row.append(part)
            elif part == "[":
                row, size, within = [], 0, True
            elif part == "]" and within:
                number += 1
                within = False
                yield "".join(row)
            elif part == "]":
                continue
            elif within:
                row.append(part)
            size += len(part)
            if within and size > LONGEST:
                raise MarketError(
                    f"{name}: array {number + 1} is longer than {LONGEST:,} characters; that is no"
                    " row"
                )
    if within:
        raise MarketError(f"{name}: the JSON text ends within array {number + 1}: it is cut short")
