"""What really leaves for Kraken spot, recorded by the server that received it, against the tables
of `docs/kraken-spot-requests.md`.
"""

import asyncio
import re
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, TimeInForce, Trail
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount
from engine.model.side import Side
from engine.venues.live.kraken_names import Names
from engine.venues.live.kraken_spot import modes as kraken_spot_modes
from engine.wire.spot.executions import execution
from tests.venues.test_spot_documented import BTC, Client, client

D = Decimal
PAGE = Path(__file__).parents[2] / "docs" / "kraken-spot-requests.md"
TESTS = Path(__file__).parents[1]
GET = ("Assets", "AssetPairs", "Time", "Ticker", "SystemStatus")


def tables() -> dict[str, dict[str, str]]:
    """From a request to its fields, each with the pattern of its values."""
    found: dict[str, dict[str, str]] = {}
    told: dict[str, str] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("# What only"):
            break
        if line.startswith("## "):
            told = found.setdefault(line.removeprefix("## "), {})
        elif line.startswith("| ") and not line.startswith("| field"):
            field, pattern = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:3])
            told[field] = pattern.strip("`").replace("\\|", "|")
    return found


def recorded(found: Client) -> list[tuple[str, dict[str, str]]]:
    """What arrived, named as the tables name it."""
    rows = []
    for entry in found.world.truth()["requests"]:
        path, body = str(entry["path"]), dict(entry["body"])
        name = path.rpartition("/")[2]
        if path.startswith("ws/"):
            rows.append(
                (f"WS {name} {body['channel']}" if "channel" in body else f"WS {name}", body)
            )
        else:
            rows.append((f"{'GET' if name in GET else 'POST'} {name}", body))
    return rows


async def _everything(found: Client) -> None:
    """Each request that the venue knows, in each of its shapes."""
    venue, now = found.venue, found.exchange.clock.now()
    await venue.key_facts()
    held = found.order(size="0.5", deadline=now + 5 * SECOND)
    await found.send(held)
    await found.until(lambda: found.told(r.Filled))
    limit = found.order(type=OrderType.LIMIT, price=D(40_000), post_only=True)
    exits: list[Order] = [
        found.order(Side.SELL, Role.STOP, type=OrderType.STOP, trigger=D(45_000)),
        found.order(Side.SELL, Role.STOP, type=OrderType.STOP, trigger=D(45_000), price=D(44_000)),
        found.order(Side.SELL, Role.TARGET, type=OrderType.TAKE_PROFIT, trigger=D(60_000)),
        found.order(
            Side.SELL, Role.TARGET, type=OrderType.TAKE_PROFIT, trigger=D(60_000), price=D(59_000)
        ),
        found.order(
            Side.SELL, Role.STOP, type=OrderType.TRAILING_STOP, trail=Trail(fraction=D("0.05"))
        ),
    ]
    for order in (limit, *exits):
        assert isinstance(await found.send(order), r.Accepted), order
    others = [
        replace(found.order(type=OrderType.LIMIT, price=D(40_000)), expires_at=now + 60 * SECOND),
        found.order(type=OrderType.LIMIT, price=D(40_000), time_in_force=TimeInForce.FOK),
        found.order(price=D(60_000), size="0.01"),
        found.order(Side.SELL, size="0.01", leverage=D(2)),
        found.order(Side.BUY, Role.CLOSE, size="0.01", leverage=D(2), reduce_only=True),
    ]
    for order in others:
        await found.send(order)
    await venue.validate(found.order(type=OrderType.LIMIT, price=D(40_000)))
    await venue.send(Amend(limit.client_order_id, BTC, Lane.PROTECT, price=D(39_000)))
    await venue.send(Amend(limit.client_order_id, BTC, Lane.PROTECT, size=D("0.2")))
    await venue.send(Amend(exits[0].client_order_id, BTC, Lane.PROTECT, trigger=D(46_000)))
    await venue.send(Query(limit.client_order_id, BTC))
    await venue.send(Cancel(limit.client_order_id, BTC, Lane.CANCEL))
    for request in (
        Amend("FOXNEVER", BTC, Lane.PROTECT, price=D(1)),
        Cancel("FOXNEVER", BTC, Lane.CANCEL),
        Query("FOXNEVER", BTC),
    ):
        await venue.send(request)
    await venue.send(QueryAccount(0, Lane.QUERY, on_margin=True))
    found.forget()
    await venue.send(Query(held.client_order_id, BTC))
    await venue.parts().quotes([BTC, "ETH/USD"])
    venue.modes.refused(BTC, "EService:Market in post_only mode")
    await found.until(
        lambda: found.told(r.MarketMode) and found.told(r.MarketMode)[-1].mode == "online"
    )
    await venue._private.socket.send({"method": "ping"})


@pytest.mark.hazard("H90")
async def test_what_leaves_is_in_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kraken_spot_modes, "AGAIN", 0.1)
    wanted = tables()
    async with client(tmp_path) as found:
        await _everything(found)
        await asyncio.sleep(0.1)
        rows = recorded(found)
    home = tmp_path / "prices"
    async with client(home) as found:
        await found.venue.close()
        await found.venue.listen(lambda _: None, lambda _: None)
        await found.until(lambda: any(name == "WS subscribe trade" for name, _ in recorded(found)))
        rows += recorded(found)
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


def test_what_only_the_exchange_can_settle_is_tested_both_ways() -> None:
    told = PAGE.read_text(encoding="utf-8").partition("# What only")[2]
    named = set(re.findall(r"`(test_\w+)`", told))
    known = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= known
    rows = [
        line
        for line in told.splitlines()
        if line.startswith("| ") and not line.startswith("| question")
    ]
    assert all("`test_" in row for row in rows)


@pytest.mark.hazard("H90")
async def test_what_does_not_change_is_not_sent(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        order = found.order(type=OrderType.LIMIT, price=D(40_000))
        await found.send(order)
        await found.venue.send(Amend(order.client_order_id, BTC, Lane.PROTECT, price=D(39_000)))
        (asked,) = found.asked("AmendOrder")
        assert asked.keys() == {"txid", "limit_price"}


async def test_an_execution_is_one_whatever_its_type_is_called(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        await found.send(found.order(size="0.1"))
        await found.until(lambda: found.told(r.Filled))
        (fill,) = found.world.exchange.fills
        stream = found.venue._private
        row = execution(found.world, fill, found.world.order(fill.client_order_id), "filled")
        for kind in ("trade", "filled", "status"):
            (report,) = stream.executions.reports({**row, "exec_type": kind})
            assert isinstance(report, r.Filled)
            assert report.fill.execution_id == fill.execution_id


def test_a_pair_that_is_listed_twice_is_one() -> None:
    row = {"altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "status": "online"}
    again = {**row, "altname": "XBTUSD.E", "execution_venue": "other", "status": "cancel_only"}
    token = {**row, "altname": "AAPLxUSD", "wsname": "AAPLx/USD", "aclass_base": "tokenized_asset"}
    names = Names({}, {"XXBTZUSD": row, "XBTUSD.E": again, "AAPLXUSD": token})
    assert names.symbols == (BTC,)
    assert names.pair(BTC) == "XXBTZUSD"
    assert names.modes() == {BTC: "online"}
