"""Long work beside the screen: how far it is stands in Activity, and a key ends it there."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.session import Query, Told
from engine.session.messages import MOST, Rows, RowsTold
from tests.console.conftest import Stage
from tui.exporting import export_table


class Journal:
    """Rows of a read model, told page by page as a session tells them."""

    def __init__(self, count: int) -> None:
        # three at each moment, so that pages end within one
        self.rows: list[dict[str, str | int | float | bool | None]] = [
            {"id": f"F{n}", "created_at": n // 3, "price": "1.5"} for n in range(count)
        ]
        self.pages = 0
        self.turn: Callable[[], asyncio.Future[None] | None] = lambda: None

    async def query(self, query: Query) -> Told:
        assert isinstance(query, Rows)
        self.pages += 1
        if (wait := self.turn()) is not None:
            await wait
        found = [r for r in self.rows if query.until is None or r["created_at"] < query.until]  # type: ignore[operator]
        return RowsTold(tuple(found[-min(query.newest, MOST) :]))


@pytest.mark.parametrize("count", [0, 1, MOST - 1, MOST, MOST + 1, 3 * MOST + 7])
async def test_all_rows_are_exported_once_and_in_order(tmp_path: Path, count: int) -> None:
    journal, said = Journal(count), list[str]()
    told = await export_table(journal.query, tmp_path, ("fills",), said.append)
    (path,) = (tmp_path / "exports").iterdir()
    lines = path.read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == [f"F{n}" for n in range(count)]
    assert told.startswith(f"exported {count} row{'s'[: count != 1]} of fills")
    assert bool(said) is (count > MOST - 1)


async def test_progress_stands_in_activity_and_a_key_ends_the_work(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, held = Journal(4 * MOST), asyncio.Event()
    ask = stage.session.query

    async def query(query: Query) -> Told:
        if not isinstance(query, Rows):
            return await ask(query)
        if journal.pages == 2:
            await held.wait()
        return await journal.query(query)

    monkeypatch.setattr(stage.session, "query", query)
    await stage.open(":")
    await stage.type("export fills")
    await stage.press("enter")
    await stage.press("escape", "8")
    await stage.shows("exporting fills: ")
    assert "; c ends it" in next(iter(stage.app.main.board.activity.rows())).text
    await stage.press("g", "c")
    await stage.shows("ended by you; nothing was written")
    assert not (tmp_path / "exports").exists()
    await stage.frames(0.3)
    assert "exporting fills" not in stage.text
    held.set()


async def test_the_key_ends_a_wait_and_says_what_it_needs(stage: Stage) -> None:
    await stage.press("8", "c")
    await stage.shows("select a line that waits or works first")
    await stage.open(":")
    await stage.type("wait 5m")
    await stage.press("enter")
    await stage.shows("leaves it running")
    await stage.frames(1.0)
    await stage.press("enter")
    await stage.shows("it goes on, :cancel wait ends it")
    await stage.press("8")
    await stage.shows("wait         wait 5m")
    assert "; c or :cancel wait ends it" in next(iter(stage.app.main.board.activity.rows())).text
    await stage.press("g", "c")
    await stage.shows("ended by you")
