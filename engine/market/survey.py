"""What files of prices hold: ranges, gaps and rows that can't be used, by file and symbol."""

from collections.abc import Callable

from msgspec import Struct

from engine.market.files import PriceFile
from engine.market.layout import Kind, MarketError
from engine.market.recorded import ticks_of
from engine.market.stored import StoredFile
from engine.market.stretches import Stretch, by_symbol
from engine.market.tally import Skipped, Tally


class Survey(Struct):
    """One file, or one member of an archive."""

    sentence: str
    """What it is."""
    kind: Kind
    stretches: list[Stretch]
    skipped: int
    bad: Skipped | None
    """The first row that can't be used."""
    trouble: str
    """Why it can't be played; empty where it can."""


def surveyed(file: PriceFile, progress: Callable[[PriceFile], None] | None = None) -> Survey:
    """Read a file to its end, unless it was imported and knows."""
    if isinstance(file, StoredFile):
        index = file.index
        return Survey(
            file.sentence, file.kind, [index.stretch], index.skipped, index.bad, trouble=""
        )
    tally, found, trouble = Tally(), dict[str, Stretch](), ""
    try:
        for block in ticks_of(file, tally):
            for symbol, ticks in by_symbol(block).items():
                found.setdefault(symbol, Stretch(symbol)).extend(ticks)
            if progress is not None:
                progress(file)
        tally.judge()
    except MarketError as error:
        trouble = str(error)
    bad = tally.kept[0] if tally.kept else None
    return Survey(file.sentence, file.kind, list(found.values()), tally.skipped, bad, trouble)
