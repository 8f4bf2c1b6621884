"""The unmodified ccxt.pro client over WebSocket v2: prices, books with every checksum, orders,
executions, balances, and trading.

ccxt 4.5.90 cannot check a checksum itself: its option is off by default, and switched on it fails
on the first snapshot, since it has turned the digits into floats by then
(`test_ccxts_own_check_is_broken`). Each frame is checked here instead, over the book that ccxt
keeps.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro as ccxtpro
import pytest

from engine.model.order import OrderType
from engine.model.side import Side
from engine.wire.spot.levels import checksum
from tests.support.wire import BTC, D, Wire, spot
from tests.wire.test_ccxt import config

Client = Any  # ccxt tells no types
pytestmark = pytest.mark.usefixtures("exact")


class Watchful(ccxtpro.kraken):  # type: ignore[misc]  # ccxt tells no types
    """ccxt's own client; it writes down what each book frame claims, and what ccxt's book has."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        self.checked: list[tuple[int, int]] = []

    def handle_order_book(self, client: Any, message: Any) -> None:
        super().handle_order_book(client, message)
        [row] = message["data"]
        book = self.orderbooks[row["symbol"]]
        sides = [
            [(f"{price:.1f}", f"{size:.8f}") for price, size, *_ in book[side][:10]]
            for side in ("bids", "asks")
        ]
        self.checked.append((row["checksum"], checksum(sides[0], sides[1])))


@asynccontextmanager
async def watcher() -> AsyncIterator[tuple[Client, Wire]]:
    async with spot() as wire:
        client = Watchful(config(wire))
        try:
            await client.load_markets()
            yield client, wire
        finally:
            await client.close()


async def soon(work: Awaitable[Any]) -> Any:
    """What ccxt waits for without end must come soon here."""
    return await asyncio.wait_for(work, 5)


async def asking(work: Awaitable[Any]) -> asyncio.Future[Any]:
    """Ask, and go on once the question is on its way: an update that comes between two questions is
    told with the next one only.
    """
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0.15)
    return task


# Prices


async def test_a_ticker_follows_trades_and_where_it_is_asked_to_quotes() -> None:
    async with watcher() as (client, wire):
        ticker = await soon(client.watch_ticker(BTC))
        assert (ticker["bid"], ticker["ask"]) == (50000.0, 50000.1)
        following = await asking(client.watch_ticker(BTC))
        wire.quote("50010.0", "50010.1")
        assert not (await asyncio.wait({following}, timeout=0.2))[0]
        wire.trade("50010.1", "0.5")
        ticker = await soon(following)
        assert (ticker["bid"], ticker["last"]) == (50010.0, 50010.1)
    async with watcher() as (client, wire):
        await soon(client.watch_ticker(BTC, {"event_trigger": "bbo"}))
        following = await asking(client.watch_ticker(BTC, {"event_trigger": "bbo"}))
        wire.quote("50020.0", "50020.1")
        assert (await soon(following))["ask"] == 50020.1


async def test_bids_and_asks() -> None:
    async with watcher() as (client, _):
        told = await soon(client.watch_bids_asks([BTC]))
        assert (told[BTC]["bid"], told[BTC]["ask"]) == (50000.0, 50000.1)


async def test_a_book_and_every_one_of_its_checksums() -> None:
    async with watcher() as (client, wire):
        book = await soon(client.watch_order_book(BTC, 10))
        assert (book["bids"][0], book["asks"][0]) == ([50000.0, 5.0], [50000.1, 5.0])
        for n in range(60):
            bid = D("50000.0") + D(n * 37 % 23) / 10
            wire.quote(f"{bid}", f"{bid + D('0.1')}", f"{n % 5 + 1}.{n:08d}")
            if n % 10 == 0:
                await asyncio.sleep(0.01)
        book = await asyncio.wait_for(client.watch_order_book(BTC, 10), 5)
        await asyncio.sleep(0.2)
        assert len(client.checked) > 50
        assert [pair for pair in client.checked if pair[0] != pair[1]] == []
        assert client.orderbooks[BTC]["bids"][0][0] == float(bid)


async def test_ccxts_own_check_is_broken() -> None:
    """If this fails, ccxt has mended it: switch it on in the test above."""
    async with watcher() as (client, _):
        client.options["watchOrderBook"] = {"checksum": True}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.watch_order_book(BTC, 10), 1)
        assert client.checked == []  # it died of a float that it took for text


async def test_prints() -> None:
    async with watcher() as (client, wire):
        following = await asking(client.watch_trades(BTC))
        wire.trade("50000.1", "0.25")
        [trade] = await soon(following)
        assert (trade["price"], trade["amount"], trade["side"], trade["id"]) == (
            50000.1,
            0.25,
            "buy",
            "1",
        )
        following = await asking(client.watch_trades(BTC))
        wire.trade("50000.0", "0.5", Side.SELL)
        assert [(t["id"], t["side"]) for t in await soon(following)] == [("2", "sell")]


async def test_a_ping_is_answered() -> None:
    async with watcher() as (client, wire):
        await soon(client.watch_ticker(BTC))
        [line] = [c for url, c in client.clients.items() if url == f"{wire.ws}/v2"]
        before = line.lastPong
        await line.send(client.ping(line))
        await asyncio.sleep(0.1)
        assert line.lastPong is not None
        assert line.lastPong != before


# The account


async def test_orders_as_they_come_and_go() -> None:
    async with watcher() as (client, wire):
        following = await asking(client.watch_orders())
        name = await wire_order(client)
        [order] = await soon(following)
        assert (order["id"], order["symbol"], order["price"], order["amount"], order["status"]) == (
            name,
            BTC,
            49000.0,
            0.1,
            "open",
        )
        following = await asking(client.watch_orders())
        await client.cancel_order(name)
        told = await soon(following)
        assert "canceled" in [order["status"] for order in told]
        assert not wire.order(name).is_open


async def wire_order(client: Client) -> str:
    return str((await client.create_order(BTC, "limit", "buy", 0.1, 49000))["id"])


async def test_open_orders_are_told_on_subscribing() -> None:
    async with watcher() as (client, _):
        name = await wire_order(client)
        [order] = await soon(client.watch_orders(BTC))
        assert (order["id"], order["status"], order["amount"]) == (name, "open", 0.1)


async def test_executions() -> None:
    async with watcher() as (client, wire):
        following = await asking(client.watch_my_trades(BTC))
        told = await client.create_order(BTC, "market", "buy", 0.2)
        [trade] = await soon(following)
        [fill] = wire.world.exchange.fills
        assert (trade["id"], trade["order"], trade["price"], trade["amount"]) == (
            fill.execution_id,
            told["id"],
            50000.1,
            0.2,
        )
        assert trade["takerOrMaker"] == "taker"
        [listed] = await client.fetch_my_trades(BTC)
        assert listed["id"] == trade["id"]


async def test_balances() -> None:
    async with watcher() as (client, _):
        assert (await soon(client.watch_balance()))["BTC"]["total"] == 5.0
        following = await asking(client.watch_balance())
        await client.create_order(BTC, "market", "sell", 0.2)
        await soon(following)
        await asyncio.sleep(0.1)
        assert client.balance["spot"]["BTC"]["total"] == pytest.approx(4.8)
        assert client.balance["spot"]["USD"]["total"] == pytest.approx(100_000 + 10_000 * 0.996)


# Trading over the stream


async def test_an_order_is_placed_changed_and_cancelled() -> None:
    async with watcher() as (client, wire):
        told = await soon(
            client.create_order_ws(
                BTC, "limit", "buy", 0.1, 49000, {"clientOrderId": "mine", "postOnly": True}
            )
        )
        name = told["id"]
        order = wire.order(name)
        assert (order.type, order.price, order.post_only, wire.terms(name).client) == (
            OrderType.LIMIT,
            D("49000"),
            True,
            "mine",
        )
        await soon(client.edit_order_ws(name, BTC, "limit", "buy", 0.2, 48000))
        assert (wire.order(name).size, wire.order(name).price) == (D("0.2"), D(48000))
        await soon(client.cancel_order_ws(name))
        assert not wire.order(name).is_open


@pytest.mark.parametrize(
    ("asked", "params", "wanted"),
    [
        (("market", "sell", 0.1), {"stopLossPrice": 45000}, (OrderType.STOP, D(45000), None)),
        (
            ("limit", "sell", 0.1, 44900),
            {"stopLossPrice": 45000},
            (OrderType.STOP_LIMIT, D(45000), D(44900)),
        ),
        (
            ("market", "sell", 0.1),
            {"takeProfitPrice": 55000},
            (OrderType.TAKE_PROFIT, D(55000), None),
        ),
        (
            ("limit", "sell", 0.1, 55100),
            {"takeProfitPrice": 55000},
            (OrderType.TAKE_PROFIT, D(55000), D(55100)),
        ),
        (("market", "sell", 0.1), {}, (OrderType.MARKET, None, None)),
    ],
)
async def test_an_order_of_each_type(
    asked: tuple[Any, ...], params: dict[str, Any], wanted: tuple[Any, ...]
) -> None:
    async with watcher() as (client, wire):
        order = wire.order((await soon(client.create_order_ws(BTC, *asked, params=params)))["id"])
        assert (order.type, order.trigger, order.price) == wanted


@pytest.mark.parametrize(
    ("params", "amount", "fraction"),
    [({"trailingAmount": 100}, 100, None), ({"trailingPercent": 5}, None, D("0.05"))],
)
async def test_a_trailing_stop(params: dict[str, Any], amount: object, fraction: object) -> None:
    async with watcher() as (client, wire):
        order = wire.order(
            (await soon(client.create_order_ws(BTC, "market", "sell", 0.1, None, params)))["id"]
        )
        assert order.trail is not None
        assert (order.trail.amount, order.trail.fraction) == (amount, fraction)


async def test_an_attached_stop_is_a_conditional_close() -> None:
    async with watcher() as (client, wire):
        told = await soon(
            client.create_order_ws(
                BTC, "limit", "buy", 0.1, 50000.1, {"stopLoss": {"triggerPrice": 45000}}
            )
        )
        [closing] = wire.world.exchange.orders.values()
        assert (closing.type, closing.trigger, wire.terms(closing.client_order_id).primary) == (
            OrderType.STOP,
            D(45000),
            told["id"],
        )


async def test_all_are_cancelled_at_once() -> None:
    async with watcher() as (client, wire):
        names = [await wire_order(client) for _ in range(3)]
        await soon(client.cancel_orders_ws(names[:1]))
        assert list(wire.world.exchange.orders) == names[1:]
        await soon(client.cancel_all_orders_ws())
        assert wire.world.exchange.orders == {}


async def test_a_refusal_is_an_exception() -> None:
    async with watcher() as (client, wire):
        with pytest.raises(ccxtpro.ExchangeError, match="Insufficient funds"):
            await soon(client.create_order_ws(BTC, "limit", "buy", 100, 49000))
        with pytest.raises(ccxtpro.ExchangeError, match="Unknown order"):
            await soon(client.cancel_order_ws("OAAAAA-BBBBB-CCCCCC"))
        assert wire.world.exchange.orders == {}


async def test_after_a_broken_line_the_next_question_connects_again() -> None:
    async with watcher() as (client, wire):
        name = await wire_order(client)
        await soon(client.watch_orders())
        following = await asking(client.watch_orders())
        for connection in list(wire.server.stream.connections):
            connection.cut()
        with pytest.raises(ccxtpro.NetworkError):
            await soon(following)
        assert name in [order["id"] for order in await soon(client.watch_orders())]
