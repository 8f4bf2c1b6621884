"""Faults on demand: each does what it says, and nothing else."""

import asyncio

import aiohttp
import pytest

from engine.clock import SECOND
from engine.exchange import Delay, Faults, Interval
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from engine.wire import lossy
from engine.wire.terms import Terms
from tests.support.wire import BTC, D, Json, Line, Wire, spot

FIELDS = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "49000", "volume": "0.1"}
ORDER = {
    "order_type": "limit",
    "side": "buy",
    "order_qty": 0.1,
    "symbol": BTC,
    "limit_price": 49000.0,
}
ALWAYS = 1.0


@pytest.fixture(autouse=True)
def _short_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs for a minute in earnest hangs for a moment here."""
    monkeypatch.setattr(lossy, "HANG", 0.05)


async def unheard(wire: Wire, name: str, **fields: str) -> None:
    """A request whose answer never comes."""
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        await wire.private(name, **fields)


async def test_a_lost_request_changes_nothing() -> None:
    async with spot(faults=Faults(lose_request=ALWAYS)) as wire:
        for _ in range(6):  # half of them hang, half are cut
            await unheard(wire, "AddOrder", **FIELDS)
        assert wire.world.exchange.orders == {}
        assert wire.outcomes() == [("AddOrder", "")] * 6
        assert wire.world.exchange.limits.counter(BTC).used == 0


async def test_a_lost_reply_has_been_acted_upon() -> None:
    async with spot(faults=Faults(lose_reply=ALWAYS)) as wire:
        await unheard(wire, "AddOrder", **FIELDS, cl_ord_id="mine")
        [order] = wire.world.exchange.orders.values()
        assert wire.terms(order.client_order_id).client == "mine"
        assert wire.outcomes() == [("AddOrder", "ok")]
        await unheard(wire, "CancelOrder", cl_ord_id="mine")
        assert wire.world.exchange.orders == {}


async def test_the_stream_loses_requests_and_replies_too() -> None:
    async with spot(faults=Faults(lose_request=ALWAYS)) as wire, wire.line() as line:
        await line.say(
            {
                "method": "add_order",
                "params": {**ORDER, "token": wire.server.key.new_token(wire.world.now())},
            }
        )
        assert await line.quiet(0.2) == []
        assert wire.world.exchange.orders == {}
        assert wire.outcomes() == [("add_order", "")]
    async with spot(faults=Faults(lose_reply=ALWAYS)) as wire, wire.line() as line:
        await line.say(
            {
                "method": "add_order",
                "params": {**ORDER, "token": wire.server.key.new_token(wire.world.now())},
            }
        )
        assert await line.quiet(0.2) == []
        assert len(wire.world.exchange.orders) == 1
        assert wire.outcomes() == [("add_order", "ok")]


async def test_some_are_lost_and_the_same_ones_for_the_same_seed() -> None:
    told: list[list[str]] = []
    for seed in (7, 7, 8):
        async with spot(faults=Faults(lose_reply=0.3, lose_request=0.3), seed=seed) as wire:
            for _ in range(20):
                try:
                    await wire.public("Time")
                except aiohttp.ClientError:
                    continue
            told.append([outcome for _, outcome in wire.outcomes()])
    assert told[0] == told[1] != told[2]
    assert {"", "ok"} == set(told[0])


async def test_a_storm_refuses_everyone_while_it_lasts() -> None:
    async with (
        spot(
            faults=Faults(rate_limit_storm=Interval(every=100 * SECOND, lasts=50 * SECOND))
        ) as wire,
        wire.line() as line,
    ):
        token = await wire.token()
        await wire.add(price="49000")
        wire.later(110)
        assert await wire.error("AddOrder", **FIELDS) == "EAPI:Rate limit exceeded"
        assert await wire.public("Time") == {"error": ["EAPI:Rate limit exceeded"]}
        assert (await line.ask("add_order", **ORDER, token=token))[
            "error"
        ] == "EAPI:Rate limit exceeded"
        assert wire.outcomes()[-3:] == [
            (name, "EAPI:Rate limit exceeded") for name in ("AddOrder", "Time", "add_order")
        ]
        assert len(wire.world.exchange.orders) == 1
        wire.later(50)
        await wire.add(price="49000")
        assert len(wire.world.exchange.orders) == 2


async def test_views_lag_and_a_question_about_an_order_does_not() -> None:
    async with spot(faults=Faults(rest_lag=30 * SECOND)) as wire:
        wire.later(60)
        name = await wire.add(price="49000")
        await wire.add("buy", "0.5", "", kind="market")
        assert (await wire.result("OpenOrders"))["open"] == {}
        assert (await wire.result("Balance"))["ZUSD"] == "100000.0000"
        assert await wire.result("TradesHistory") == {"trades": {}, "count": 0}
        assert (await wire.result("ClosedOrders"))["count"] == 0
        assert float((await wire.result("BalanceEx"))["ZUSD"]["hold_trade"]) == 0
        assert (await wire.result("QueryOrders", txid=name))[name]["status"] == "open"
        wire.later(29)
        assert (await wire.result("OpenOrders"))["open"] == {}
        wire.later(2)
        assert list((await wire.result("OpenOrders"))["open"]) == [name]
        assert (await wire.result("TradesHistory"))["count"] == 1
        assert float((await wire.result("BalanceEx"))["ZUSD"]["hold_trade"]) > 4900
        await wire.result("CancelOrder", txid=name)
        assert list((await wire.result("OpenOrders"))["open"]) == [name]  # a while longer
        assert (await wire.result("QueryOrders", txid=name))[name]["status"] == "canceled"


async def executions(wire: Wire, line: Line, count: int = 6) -> list[Json]:
    """What is told of some orders that come and go, in the order in which it is heard."""
    await line.ask(
        "subscribe", channel="executions", token=wire.server.key.new_token(wire.world.now())
    )
    for n in range(count):
        wire.world.place(resting(n), terms(n))
        await asyncio.sleep(0)
    await line.quiet(0.5)
    return [
        message
        for message in line.heard
        if message.get("channel") == "executions" and message["type"] == "update"
    ]


def resting(n: int) -> Order:
    return Order(
        "-", "", BTC, Side.BUY, OrderType.LIMIT, Role.ENTRY, D("0.01"), price=D(40_000 + n)
    )


def terms(n: int) -> Terms:
    return Terms(client=f"c{n}", kind="limit", price=f"{40_000 + n}.0")


async def test_a_duplicated_report_has_the_same_number() -> None:
    async with spot(faults=Faults(duplicate_report=ALWAYS)) as wire, wire.line() as line:
        told = await executions(wire, line)
        assert [message["sequence"] for message in told] == [
            number for number in range(2, 14) for _ in (0, 1)
        ]
        assert told[::2] == told[1::2]


async def test_a_reordered_report_comes_after_the_next_one() -> None:
    async with spot(faults=Faults(reorder_reports=0.5), seed=3) as wire, wire.line() as line:
        numbers = [message["sequence"] for message in await executions(wire, line)]
        assert sorted(numbers) == list(range(2, 14))
        assert numbers != sorted(numbers)
        assert all(abs(number - place) <= 1 for place, number in enumerate(numbers, 2)), (
            "no further away than one"
        )


async def test_the_last_report_is_not_kept_for_ever() -> None:
    async with spot(faults=Faults(reorder_reports=ALWAYS)) as wire, wire.line() as line:
        numbers = [message["sequence"] for message in await executions(wire, line, 1)]
        assert numbers == [3, 2]
        wire.world.cancel(next(iter(wire.world.exchange.orders)))
        assert (await line.on("executions"))["sequence"] == 4


async def test_each_channel_is_reordered_by_itself() -> None:
    async with spot(faults=Faults(reorder_reports=ALWAYS)) as wire, wire.line() as line:
        for channel in ("executions", "balances"):
            await line.ask("subscribe", channel=channel, token=await wire.token())
        wire.quote("50000.0", "50000.1", "0.5")
        # pending, new, a trade of a part; and either currency
        await wire.add(volume="0.7", price="50000.1")
        await line.quiet(0.5)
        for channel, numbers in (("executions", [3, 2, 4]), ("balances", [3, 2])):
            assert [
                m["sequence"]
                for m in line.heard
                if m.get("channel") == channel and m["type"] == "update"
            ] == numbers


async def test_the_line_breaks_and_comes_back() -> None:
    async with (
        spot(faults=Faults(disconnect=Interval(every=100 * SECOND, lasts=50 * SECOND))) as wire,
        wire.line() as line,
    ):
        wire.later(101)
        # a message that is no text: the line is closed
        with pytest.raises((TypeError, aiohttp.ClientError)):
            await asyncio.wait_for(line.hear(), 3)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with wire.line():
                pass
        await wire.add(price="49000")  # REST goes on
        wire.later(50)
        async with wire.line() as again:
            await again.ask("subscribe", channel="executions", token=await wire.token())
            assert len((await again.on("executions", "snapshot"))["data"]) == 1


async def test_a_way_takes_its_time() -> None:
    async with spot(faults=Faults(delay=Delay(SECOND // 10, SECOND // 10))) as wire:
        began = asyncio.get_running_loop().time()
        await wire.public("Time")
        assert 0.09 < asyncio.get_running_loop().time() - began < 2.0


async def test_stops_are_refused_as_often_as_is_said_and_nothing_else_is() -> None:
    async with spot(faults=Faults(reject_stop=ALWAYS)) as wire:
        stop = {
            "pair": "XBTUSD",
            "type": "sell",
            "ordertype": "stop-loss",
            "price": "45000",
            "volume": "0.1",
        }
        assert await wire.error("AddOrder", **stop) == "EOrder:Insufficient margin"
        await wire.add(price="49000")


async def test_the_exchange_ends_in_good_order_with_faults_of_all_kinds() -> None:
    faults = Faults(
        lose_reply=0.2,
        lose_request=0.2,
        duplicate_report=0.3,
        reorder_reports=0.3,
        delay=Delay(SECOND // 1000, SECOND // 200),
    )
    async with spot(faults=faults, seed=5) as wire, wire.line() as line:
        await line.ask(
            "subscribe", channel="executions", token=wire.server.key.new_token(wire.world.now())
        )
        for n in range(25):
            try:
                await wire.private("AddOrder", **FIELDS, cl_ord_id=f"c{n}")
            except aiohttp.ClientError:
                continue
        placed = [path for path, outcome in wire.outcomes() if outcome == "ok"]
        assert len(wire.world.exchange.orders) == len(placed)
        await line.quiet(1.0)
        told = {m["sequence"]: m for m in line.heard if m.get("channel") == "executions"}
        assert sorted(told) == list(range(1, 2 + 2 * len(placed)))
