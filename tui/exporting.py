"""`export orders`, said in the command line or to `flatout do`: a read model as a CSV file."""

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


async def export_table(
    query: Callable[[Query], Awaitable[Told]], home: Path, words: tuple[str, ...]
) -> str:
    """Write the newest rows and return what was done. Raises ValueError with why not."""
    what = words[0].lower() if len(words) == 1 else ""
    if what not in TABLES:
        raise ValueError(f"export is followed by one of {', '.join(TABLES)}")
    try:
        told = await query(Rows(TABLES[what], newest=MOST))
        rows = told.rows if isinstance(told, RowsTold) else ()
        titles = list(dict.fromkeys(name for row in rows for name in row))
        texts = [[_text(row.get(name)) for name in titles] for row in rows]
        path = export.write(home, what, titles, texts)
    except (QueryError, OSError) as error:
        raise ValueError(f"could not export {what}: {error}") from error
    return f"exported {counted(len(rows), 'row')} of {what} to {path}"


def _text(value: object) -> str:
    return "" if value is None else str(value)
