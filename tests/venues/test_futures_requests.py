"""What really leaves for Kraken Futures, recorded by the server that received it, against the
tables of `docs/kraken-futures-requests.md`.
"""

import asyncio
import re
from pathlib import Path

import pytest

from engine.clock import SECOND
from engine.model.order import OrderType, Role, TimeInForce, Trail
from engine.model.quote import Depth, Level
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount
from engine.model.side import Side
from engine.venues.protocol import VenueError
from engine.wire.conduct import Conduct
from tests.support.futures import SYMBOL, D, Line, line

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "kraken-futures-requests.md"
CELLS = re.compile(r"(?<!\\)\|")


def tables() -> dict[str, dict[str, str]]:
    """From a request to its fields, each with the pattern of its values."""
    found: dict[str, dict[str, str]] = {}
    told: dict[str, str] = {}
    for row in PAGE.read_text(encoding="utf-8").partition("# What only")[0].splitlines():
        if row.startswith("## "):
            told = found.setdefault(row.removeprefix("## "), {})
        elif row.startswith("| ") and not row.startswith("| field"):
            cells = [cell.strip() for cell in CELLS.split(row)[1:-1]]
            assert len(cells) == 4, f"{row}: field, pattern, meaning and source are told of each"
            assert all(cells), f"{row}: a cell is empty"
            told[cells[0]] = cells[1].strip("`").replace("\\|", "|")
    return found


def recorded(wire: Line) -> list[tuple[str, dict[str, str]]]:
    """What arrived, named as the tables name it."""
    rows = []
    for entry in wire.world.log:
        name = (
            "orders/status"
            if entry.path.endswith("orders/status")
            else entry.path.rpartition("/")[2]
        )
        fields = {field: value for field, value in entry.body.items() if field != "version"}
        rows.append((f"{entry.method} {name}", fields))
    return rows


async def everything(wire: Line) -> None:
    """Each request that the venue knows, in each of its shapes."""
    venue, now = wire.venue, wire.exchange.clock.now()
    await venue.key_facts()
    await wire.place(wire.order(size=D("0.5"), deadline=now + 5 * SECOND, leverage=D(3)))
    await wire.place(wire.order(Side.SELL, price=None, size=D("0.1")))
    rests = wire.order(type_=OrderType.LIMIT, price=D(50_000))
    for order in (
        rests,
        wire.order(type_=OrderType.LIMIT, price=D(50_000), post_only=True),
        wire.order(type_=OrderType.LIMIT, price=D(50_000), time_in_force=TimeInForce.FOK),
        wire.order(Side.SELL, OrderType.STOP, Role.STOP, trigger=D(50_000), reduce_only=True),
        wire.order(
            Side.SELL, OrderType.TAKE_PROFIT, Role.TARGET, trigger=D(70_000), reduce_only=True
        ),
        wire.order(
            Side.SELL,
            OrderType.TRAILING_STOP,
            Role.STOP,
            trail=Trail(fraction=D("0.05")),
            reduce_only=True,
        ),
        wire.order(
            Side.SELL,
            OrderType.TRAILING_STOP,
            Role.STOP,
            trail=Trail(amount=D(500)),
            reduce_only=True,
        ),
    ):
        await wire.place(order)
    stop = wire.order(Side.SELL, OrderType.STOP, Role.STOP, trigger=D(50_000), reduce_only=True)
    await wire.place(stop)
    await venue.send(
        Amend(rests.client_order_id, SYMBOL, Lane.PROTECT, size=D("0.2"), price=D(49_000))
    )
    await venue.send(Amend(stop.client_order_id, SYMBOL, Lane.PROTECT, trigger=D(51_000)))
    await venue.send(Query(rests.client_order_id, SYMBOL))
    await venue.send(Cancel(rests.client_order_id, SYMBOL, Lane.CANCEL))
    for request in (
        Amend("FOXNEVER", SYMBOL, Lane.PROTECT, price=D(1)),
        Cancel("FOXNEVER", SYMBOL, Lane.CANCEL),
        Query("FOXNEVER", SYMBOL),
    ):
        await venue.send(request)
    venue.known._orders.clear()  # a stop without a size is asked for by its id
    await venue.send(QueryAccount(0))
    await venue.parts().quotes([SYMBOL])
    await two_pages(wire)
    venue._public_stream._again(SYMBOL)
    wire.habits.status_by = ("GET",)
    await venue.send(Query(stop.client_order_id, SYMBOL))
    wire.world.conduct = Conduct(error_page=1.0, pages=(502,))
    with pytest.raises(VenueError):
        await wire.place(wire.order())
    wire.world.conduct = Conduct()


async def two_pages(wire: Line) -> None:
    """More executions than a page tells."""
    levels = tuple(Level(Side.SELL, D("60000.1") + D(step) / 10, D("0.001")) for step in range(120))
    wire.world.feed(
        Depth(SYMBOL, wire.world.now(), (Level(Side.BUY, D(59_990), D(3)), *levels), snapshot=True)
    )
    await wire.place(wire.order(size=D("0.11"), price=D(60_500)))
    await wire.venue.send(QueryAccount(0))


@pytest.mark.hazard("H90")
async def test_what_leaves_is_in_the_tables(tmp_path: Path) -> None:
    wanted = tables()
    async with line(tmp_path) as wire:
        await everything(wire)
        await asyncio.sleep(0.1)
        rows = recorded(wire)
    async with line(tmp_path / "prices", connect=False) as wire:
        await wire.venue.listen(wire.quotes.append, lambda _: None)
        await wire.until(lambda: any(name == "WS subscribe trade" for name, _ in recorded(wire)))
        rows += recorded(wire)
    seen: dict[str, set[str]] = {}
    for name, fields in rows:
        assert name in wanted, f"{name} is not in the tables"
        seen.setdefault(name, set()).update(fields)
        for field, value in fields.items():
            assert field in wanted[name], f"{name}: {field} is not in its table"
            assert re.fullmatch(wanted[name][field], value), (
                f"{name}: {field} is {value!r}, the table says {wanted[name][field]}"
            )
    assert wanted.keys() == seen.keys()
    for name, table in wanted.items():
        assert table.keys() == seen[name], f"{name}: nothing sent {table.keys() - seen[name]}"


def test_what_only_the_exchange_can_settle_is_tested_in_both_cases() -> None:
    rows = [
        row
        for row in PAGE.read_text(encoding="utf-8").partition("# What only")[2].splitlines()
        if row.startswith("| ")
    ][1:]
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")
    )
    assert len(rows) >= 10
    for row in rows:
        cells = [cell.strip() for cell in CELLS.split(row)[1:-1]]
        assert len(cells) == 5, row
        assert all(cells), f"{row}: what we do in either case is told"
        named = re.findall(r"`(test_\w+)`", cells[4])
        assert named, f"{row}: no test is named"
        for name in named:
            assert re.search(rf"def {name}\(", tests), f"there is no test called {name}"
