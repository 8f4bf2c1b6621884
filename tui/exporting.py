"""`export orders`, said in the command line or to `flatout do`: a read model as a CSV file, all of
it, page after page. What is ended before it is whole leaves no file.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from engine.model.counts import counted
from engine.session import Query, QueryError, Told
from engine.session.messages import MOST, Rows, RowsTold, TableName
from tui import export

TABLES: dict[str, TableName] = {
    "orders": "orders",
    "fills": "fills",
    "positions": "positions",
    "blotter": "positions",
    "alerts": "alerts",
    "equity": "equity",
}
"""What can be exported by name, and where it is read; the blotter is of positions."""
_TIME = dict.fromkeys(TABLES, "created_at")
"""The column by which rows are in order."""


Row = dict[str, str | int | float | bool | None]
Progress = Callable[[str], None]
"""Hears how far long work is, in words."""


async def export_table(
    query: Callable[[Query], Awaitable[Told]],
    home: Path,
    words: tuple[str, ...],
    progress: Progress = lambda _: None,
) -> str:
    """Write all rows and return what was done. Raises ValueError with why not."""
    what = words[0].lower() if len(words) == 1 else ""
    if what not in TABLES:
        raise ValueError(f"export is followed by one of {', '.join(TABLES)}")
    try:
        rows = await _all(query, what, progress)
        titles = list(dict.fromkeys(name for row in rows for name in row))
        texts = [[_text(row.get(name)) for name in titles] for row in rows]
        path = await asyncio.to_thread(export.write, home, what, titles, texts)
    except (QueryError, OSError) as error:
        raise ValueError(f"could not export {what}: {error}") from error
    return f"exported {counted(len(rows), 'row')} of {what} to {path}"


async def _all(
    query: Callable[[Query], Awaitable[Told]], what: str, progress: Progress
) -> list[Row]:
    """All rows, oldest first. Raises QueryError."""
    pages: list[list[Row]] = []
    count, until = 0, None
    seen: set[tuple[object, ...]] = set()
    while True:
        told = await query(Rows(TABLES[what], newest=MOST, until=until))
        page = [] if not isinstance(told, RowsTold) else list(told.rows)
        # the rows of one moment may stand on both sides of a page's end
        new = [row for row in page if tuple(row.values()) not in seen]
        seen = {tuple(row.values()) for row in page}
        pages.append(new)
        count += len(new)
        began = min((at for row in page if isinstance(at := row.get(_TIME[what]), int)), default=0)
        if len(page) < MOST or not new or until == began + 1:
            return [row for found in reversed(pages) for row in found]
        until = began + 1
        progress(f"exporting {what}: {counted(count, 'row')} so far")
        await asyncio.sleep(0)  # whoever wants to end it gets a turn


def _text(value: object) -> str:
    return "" if value is None else str(value)
