"""The price and size steps that recorded files were written on."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from engine.market.blocks import BlockReader
from engine.market.files import PriceFile, open_files
from engine.market.layout import BadRow
from engine.market.rows import RowReader
from engine.market.steps import JUDGED_BY, PriceGrid, Seen
from engine.market.stored import StoredFile


def grid(files: Iterable[str | Path | PriceFile], rows: int = JUDGED_BY) -> dict[str, PriceGrid]:
    """The grid of every symbol in the files, from the first `rows` good rows of each symbol in each
    file.

    Every row's symbol is looked at, however late it comes. Raises `MarketError` for a file that
    can't be read; rows that can't are passed over.
    """
    found: dict[str, PriceGrid] = {}
    opened = (open_files([one]) if isinstance(one, str | Path) else [one] for one in files)
    for file in chain.from_iterable(opened):
        for symbol, steps in _grids(file, rows).items():
            found[symbol] = steps if symbol not in found else found[symbol].joined(steps)
    return found


def _grids(file: PriceFile, rows: int) -> dict[str, PriceGrid]:
    if isinstance(file, StoredFile):
        return {file.index.stretch.symbol: file.index.grid}
    found: dict[str, Seen] = {}
    by_name: dict[str, Seen] = {}
    reader, single, done = RowReader(file.layout, file.times), file.told.symbol is not None, 0
    full: set[str] = set()
    names = BlockReader(file.layout, file.times, reader).names
    for _, lines in file.blocks():
        if single and done >= rows:
            break  # there is no other symbol in it
        if full and full.issuperset(names(lines)):
            continue
        for text in lines:
            try:
                name = reader.fields(text)[1]
                seen = by_name.get(name)
                if seen is not None and seen.rows >= rows:
                    full.add(name)
                    continue
                tick = reader.read(text)
            except BadRow:
                continue
            seen = by_name[name] = found.setdefault(tick.symbol, Seen())
            seen.rows += 1
            done += 1
            seen.kinds.add(file.kind)
            seen.add(tick)
    return {symbol: seen.grid() for symbol, seen in found.items()}
