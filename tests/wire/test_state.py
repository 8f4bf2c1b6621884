"""A server that was killed goes on from its file: orders, ids, client ids, balances, counters."""

import asyncio
from pathlib import Path

import pytest

from engine.exchange import StoreTakenError
from tests.support.wire import BTC, D, Json, Wire, spot

SECRET = "c2VjcmV0"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "exchange.db"


async def account(wire: Wire) -> dict[str, Json]:
    """What a client can see of it."""
    return {
        name: await wire.result(name)
        for name in (
            "Balance",
            "BalanceEx",
            "OpenOrders",
            "ClosedOrders",
            "TradesHistory",
            "Ledgers",
        )
    }


async def test_a_killed_server_comes_back_as_it_was(state: Path) -> None:
    async with spot(state=state) as wire:
        stop = await wire.add("sell", "0.1", "45000", kind="stop-loss", cl_ord_id="stop")
        trail = await wire.add("sell", "0.1", "+100", kind="trailing-stop", userref="7")
        await wire.add("buy", "0.3", "", kind="market")
        gone = await wire.add(price="48000")
        await wire.result("CancelOrder", txid=gone)
        before = await account(wire)
        ids = (
            set(before["OpenOrders"]["open"])
            | set(before["ClosedOrders"]["closed"])
            | set(before["TradesHistory"]["trades"])
        )
        await wire.kill()
    async with spot(state=state, quiet=True) as wire:
        assert await account(wire) == before
        assert wire.terms(stop).client == "stop"
        assert wire.terms(trail).userref == 7
        wire.quote("50000.0", "50000.1")
        new = [await wire.add(price="47000"), await wire.add("buy", "0.1", "", kind="market")]
        trades = set((await wire.result("TradesHistory"))["trades"]) - set(
            before["TradesHistory"]["trades"]
        )
        assert ids.isdisjoint({*new, *trades}), "an id is given once"
        assert len(trades) == 1


async def test_a_client_id_is_still_taken_after_a_kill(state: Path) -> None:
    async with spot(state=state) as wire:
        name = await wire.add(price="49000", cl_ord_id="mine")
        ended = await wire.add(price="49000", cl_ord_id="free")
        await wire.result("CancelOrder", txid=ended)
        await wire.kill()
    async with spot(state=state) as wire:
        fields = {
            "pair": "XBTUSD",
            "type": "buy",
            "ordertype": "limit",
            "price": "49000",
            "volume": "0.1",
        }
        assert "cl_ord_id" in await wire.error("AddOrder", **fields, cl_ord_id="mine")
        await wire.add(price="49000", cl_ord_id="free")
        await wire.result("AmendOrder", cl_ord_id="mine", limit_price="48000")
        assert wire.order(name).price == 48000


async def test_orders_fill_on_after_a_kill_and_no_execution_is_told_twice(state: Path) -> None:
    async with spot(state=state) as wire:
        wire.quote("50000.0", "50000.1", "0.5")
        name = await wire.add(volume="0.8", price="50000.1")
        assert wire.order(name).filled == D("0.5")
        cash = wire.world.exchange.ledger.cash
        await wire.kill()
    async with spot(state=state, quiet=True) as wire, wire.line() as line:
        assert wire.world.exchange.ledger.cash == cash
        await line.ask(
            "subscribe", channel="executions", token=await wire.token(), snap_trades=True
        )
        snapshot = await line.on("executions", "snapshot")
        assert [(row["exec_type"], row["order_status"]) for row in snapshot["data"]] == [
            ("trade", "partially_filled"),
            ("new", "partially_filled"),
        ]
        wire.quote("50000.0", "50000.1", "0.6")
        row = await line.row("executions", exec_type="trade", order_id=name)
        assert (row["last_qty"], row["cum_qty"]) == (0.3, 0.8)
        assert wire.order(name).is_open is False
        trades = (await wire.result("TradesHistory"))["trades"]
        assert [trade["vol"] for trade in trades.values()] == ["0.30000000", "0.50000000"]


async def test_a_trailing_stop_remembers_the_best_that_it_saw(state: Path) -> None:
    async with spot(state=state) as wire:
        name = await wire.add("sell", "0.1", "+100", kind="trailing-stop")
        wire.quote("50500.0", "50500.1")
        assert (await wire.result("QueryOrders", txid=name))[name]["stopprice"] == "50400.0"
        wire.quote("50450.0", "50450.1")
        await wire.add(price="40000")  # anything that is stored stores that, too
        await wire.kill()
    async with spot(state=state, quiet=True) as wire:
        assert (await wire.result("QueryOrders", txid=name))[name]["stopprice"] == "50400.0"
        wire.quote("50400.0", "50400.1")
        assert wire.order(name).filled == D("0.1")


async def test_counters_drain_by_the_clock_while_nobody_is_there(state: Path) -> None:
    async with spot(state=state) as wire:
        for _ in range(6):
            await wire.result("CancelOrder", txid=await wire.add(volume="0.001", price="40000"))
        await wire.kill()
    async with spot(state=state) as wire:
        model = wire.world.exchange.limits.counter(BTC)
        model.settle(wire.world.now())
        assert 45 < model.used <= 54


async def test_a_server_that_was_replaced_writes_no_more(state: Path) -> None:
    async with spot(state=state) as old:
        name = await old.add(price="49000")
        async with spot(state=state) as new:
            await new.result("CancelOrder", txid=name)
            async with old.session.post(f"{old.base}/0/private/Balance") as answer:
                assert answer.status == 200
            with pytest.raises(StoreTakenError):
                old.world.cancel(name)
            assert new.order(name).is_open is False
        await old.kill()


async def test_a_conditional_close_waits_for_its_fill_across_a_kill(state: Path) -> None:
    async with spot(state=state) as wire:
        name = await wire.add(
            volume="0.2",
            price="49000",
            **{"close[ordertype]": "stop-loss", "close[price]": "45000"},
        )
        await wire.kill()
    async with spot(state=state, quiet=True) as wire:
        wire.quote("48999.0", "48999.1")
        [closing] = wire.world.exchange.orders.values()
        assert wire.terms(closing.client_order_id).primary == name
        assert (closing.size, closing.trigger, closing.side.value) == (D("0.2"), D(45000), "sell")


async def test_without_a_file_nothing_is_remembered() -> None:
    async with spot() as wire:
        await wire.add(price="49000")
        await wire.kill()
    async with spot() as wire:
        assert wire.world.exchange.orders == {}


async def test_orders_that_begin_later_outlive_a_kill(state: Path) -> None:
    async with spot(state=state) as wire:
        soon = await wire.add("buy", "0.1", "50500", starttm="+2", cl_ord_id="soon")
        later = await wire.add("buy", "0.1", "50500", starttm="+600", cl_ord_id="later")
        gone = await wire.add("buy", "0.1", "50500", starttm="+600")
        assert await wire.result("CancelOrder", txid=gone) == {"count": 1}
        await wire.kill()
    async with spot(state=state) as wire, wire.line() as line:
        await line.ask("subscribe", channel="executions", token=await wire.token())
        listed = (await wire.result("OpenOrders"))["open"]
        assert {name: row["status"] for name, row in listed.items()} == {
            soon: "pending",
            later: "pending",
        }
        fields = {
            "pair": "XBTUSD",
            "type": "buy",
            "ordertype": "limit",
            "price": "49000",
            "volume": "0.1",
        }
        assert "cl_ord_id" in await wire.error("AddOrder", **fields, cl_ord_id="later")
        row = await line.row("executions", exec_type="trade", order_id=soon)
        assert (row["last_qty"], row["cl_ord_id"]) == (0.1, "soon")
        assert await wire.result("CancelAll") == {"count": 1}
        assert (await wire.result("QueryOrders", txid=later))[later]["status"] == "canceled"
        await wire.kill()
    async with spot(state=state) as wire:
        assert (await wire.result("OpenOrders"))["open"] == {}
        assert len(wire.world.exchange.fills) == 1, "what began does not begin again"


async def test_an_order_whose_time_passed_while_the_exchange_was_down_begins_at_once(
    state: Path,
) -> None:
    async with spot(state=state) as wire:
        name = await wire.add("buy", "0.1", "49000", starttm="+1", cl_ord_id="mine")
        await wire.kill()
    await asyncio.sleep(1.1)
    async with spot(state=state) as wire:
        assert (await wire.result("OpenOrders"))["open"][name]["status"] == "open"
        await wire.result("CancelOrder", cl_ord_id="mine")


async def test_an_order_that_waits_is_cancelled_by_the_clients_own_id(state: Path) -> None:
    async with spot(state=state) as wire:
        await wire.add("buy", "0.1", "49000", starttm="+600", cl_ord_id="mine")
        assert await wire.result("CancelOrder", cl_ord_id="mine") == {"count": 1}
        assert "Unknown order" in await wire.error("CancelOrder", cl_ord_id="mine")
