"""What is known of the read models without SQLAlchemy is what it is told of them."""

from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import Boolean

from engine.journal import JournalError, file_rows, models
from engine.journal.batch import TableName
from engine.journal.columns import Moment, Money, Tags
from engine.journal.shapes import SHAPES, flag, moment, money, plain, tags
from engine.journal.store import open_store
from engine.journal.tables import table
from engine.journal.views import ORDERED, VIEWS
from tests.support.world import BTC, World, play

NAMES: tuple[TableName, ...] = get_args(TableName)
KINDS = {Money: money, Tags: tags, Moment: moment, Boolean: flag}


@pytest.mark.parametrize("name", NAMES)
def test_a_shape_is_what_the_table_declares(name: TableName) -> None:
    source = VIEWS.tables[name] if name in ORDERED else table(name)
    shape = SHAPES[name]
    assert list(shape.columns) == [column.name for column in source.columns]
    assert shape.key == tuple(column.name for column in source.primary_key)
    for column in source.columns:
        expected = next(
            (read for kind, read in KINDS.items() if isinstance(column.type, kind)), plain
        )
        assert shape.columns[column.name] is expected, column.name
    assert shape.time == ORDERED.get(name, "at" if "at" in source.c else "created_at")


def test_rows_of_a_file_are_the_same_with_and_without_sqlalchemy(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        for _ in range(2):
            await world.opened()
            world.price(BTC, "59000")
            await world.wait(2)
            world.price(BTC, "60000")
            await world.wait(2)
        await world.buy("900000")  # refused
        await world.wait(10)

    play(tale, tmp_path)
    store = open_store(next(tmp_path.rglob("journal.sqlite")), read_only=True)
    told = 0
    for name in NAMES:
        everything = list(models.rows(store, name))
        told += bool(everything)
        assert list(file_rows.rows(store, name)) == everything
        at = [row[SHAPES[name].time] for row in everything]
        terms: list[dict[str, Any]] = [{"newest": 1}, {"newest": 3}]
        if at and isinstance(at[0], int):
            terms += [{"since": at[-1]}, {"until": at[-1]}, {"since": at[0], "newest": 2}]
        terms += [{"symbol": BTC}, {"position": world_position(everything, name)}]
        for one in terms:
            assert asked(file_rows, store, name, one) == asked(models, store, name, one), (
                name,
                one,
            )
        for row in everything if name == "orders" else ():
            key = str(row["client_order_id"])
            assert file_rows.order(store, key) == models.order(store, key) == row
    assert told >= 8, "there was something to compare"


def world_position(rows: list[dict[str, object]], name: TableName) -> str:
    column = "id" if name == "positions" else "position"
    return str(rows[0].get(column, "")) if rows else ""


def asked(room: Any, store: Any, name: TableName, terms: dict[str, Any]) -> object:
    """The rows, or why there are none."""
    try:
        return list(room.rows(store, name, **terms))
    except JournalError as error:
        return str(error)
