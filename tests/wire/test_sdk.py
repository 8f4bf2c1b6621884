"""python-kraken-sdk, another client that nobody here wrote: its REST clients, and its WebSocket v2
client, whose addresses can both be set.

Its REST clients block, so each call is made in a thread while the server answers in this one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.model.order import OrderType
from tests.support.wire import BTC, D, Wire, spot

kraken = pytest.importorskip(
    "kraken.spot", reason="python-kraken-sdk is not installed: `pip install python-kraken-sdk`"
)
errors = pytest.importorskip("kraken.exceptions")

Client = Any  # optional, so its types are not known here
LIMIT = {"ordertype": "limit", "side": "buy", "pair": "XBTUSD", "volume": "0.1", "price": "49000"}


class Desk:
    """The three REST clients of one key."""

    def __init__(self, wire: Wire) -> None:
        key, secret, url = wire.server.key.key, wire.server.secret, wire.base
        self.market: Client = kraken.Market(url=url)
        self.user: Client = kraken.User(key=key, secret=secret, url=url)
        self.trade: Client = kraken.Trade(key=key, secret=secret, url=url)


@asynccontextmanager
async def desk() -> AsyncIterator[tuple[Desk, Wire]]:
    async with spot() as wire:
        yield Desk(wire), wire


async def do(call: Callable[..., Any], /, *args: Any, **terms: Any) -> Any:
    return await asyncio.to_thread(call, *args, **terms)


async def test_the_market() -> None:
    async with desk() as (sdk, wire):
        wire.trade("50000.1", "0.25")
        assert set(await do(sdk.market.get_assets)) == {"XXBT", "XETH", "ZUSD", "ZEUR"}
        assert (await do(sdk.market.get_asset_pairs, pair="XBTUSD"))["XXBTZUSD"][
            "ordermin"
        ] == "0.00005"
        assert (await do(sdk.market.get_ticker, pair="XBTUSD"))["XXBTZUSD"]["b"][0] == "50000.00000"
        assert (
            len((await do(sdk.market.get_order_book, pair="XBTUSD", count=5))["XXBTZUSD"]["asks"])
            == 5
        )
        assert (await do(sdk.market.get_recent_trades, pair="XBTUSD"))["XXBTZUSD"][0][:2] == [
            "50000.10000",
            "0.25000000",
        ]
        assert (await do(sdk.market.get_ohlc, pair="XBTUSD", interval=5))["XXBTZUSD"][0][7] == 1
        assert (await do(sdk.market.get_recent_spreads, pair="XBTUSD"))["XXBTZUSD"][0][1:] == [
            "50000.00000",
            "50000.10000",
        ]
        assert (await do(sdk.market.get_system_status))["status"] == "online"
        with pytest.raises(errors.KrakenUnknownAssetError):
            await do(sdk.market.get_ticker, pair="NONE")


async def test_the_account() -> None:
    async with desk() as (sdk, wire):
        name = (
            await do(
                sdk.trade.create_order, ordertype="market", side="buy", pair="XBTUSD", volume="0.2"
            )
        )["txid"][0]
        resting = (await do(sdk.trade.create_order, **LIMIT, userref=7))["txid"][0]
        balance = await do(sdk.user.get_balance, currency="XXBT")
        assert (balance["currency"], balance["balance"]) == ("XXBT", 5.2)
        assert float((await do(sdk.user.get_balances))["ZUSD"]["hold_trade"]) == pytest.approx(
            4900 * 1.004
        )
        assert float((await do(sdk.user.get_trade_balance))["eb"]) > 0
        assert set((await do(sdk.user.get_open_orders, userref=7))["open"]) == {resting}
        assert set((await do(sdk.user.get_closed_orders))["closed"]) == {name}
        assert (await do(sdk.user.get_orders_info, txid=[name, resting]))[name][
            "status"
        ] == "closed"
        trades = (await do(sdk.user.get_trades_history))["trades"]
        assert [trade["ordertxid"] for trade in trades.values()] == [name]
        assert await do(sdk.user.get_trades_info, txid=list(trades)) == trades
        entries = (await do(sdk.user.get_ledgers_info))["ledger"]
        assert await do(sdk.user.get_ledgers, id_=list(entries)) == entries
        assert float(
            (await do(sdk.user.get_trade_volume, pair="XBTUSD"))["volume"]
        ) == pytest.approx(10_000, rel=0.01)
        assert await do(sdk.user.get_open_positions) == []  # it asks for them by market
        assert wire.order(name).filled == D("0.2")


async def test_orders_of_many_types() -> None:
    async with desk() as (sdk, wire):
        soon = (
            datetime.fromtimestamp(wire.world.now() / 1e9, UTC) + timedelta(seconds=10)
        ).isoformat()
        common = {"side": "sell", "pair": "XBTUSD", "volume": "0.1"}
        wanted: list[tuple[dict[str, Any], OrderType]] = [
            (
                {**LIMIT, "oflags": ["post"], "timeinforce": "GTC", "deadline": soon},
                OrderType.LIMIT,
            ),
            (
                {**LIMIT, "ordertype": "iceberg", "displayvol": "0.02", "cl_ord_id": "mine"},
                OrderType.LIMIT,
            ),
            (
                {**common, "ordertype": "stop-loss", "price": "45000", "trigger": "index"},
                OrderType.STOP,
            ),
            (
                {**common, "ordertype": "stop-loss-limit", "price": "45000", "price2": "44900"},
                OrderType.STOP_LIMIT,
            ),
            ({**common, "ordertype": "take-profit", "price": "55000"}, OrderType.TAKE_PROFIT),
            ({**common, "ordertype": "trailing-stop", "price": "+5%"}, OrderType.TRAILING_STOP),
            (
                {
                    **LIMIT,
                    "close_ordertype": "stop-loss-limit",
                    "close_price": "45000",
                    "close_price2": "44000",
                },
                OrderType.LIMIT,
            ),
        ]
        for terms, kind in wanted:
            told = await do(sdk.trade.create_order, **terms)
            order = wire.order(told["txid"][0])
            assert order.type is kind
            assert wire.terms(order.client_order_id).kind == terms["ordertype"]
        assert wire.terms(order.client_order_id).close == ("stop-loss-limit", "45000", "44000")
        assert "txid" not in await do(sdk.trade.create_order, **LIMIT, validate=True)


async def test_amend_edit_and_cancel() -> None:
    async with desk() as (sdk, wire):
        name = (await do(sdk.trade.create_order, **LIMIT))["txid"][0]
        await do(
            sdk.trade.amend_order,
            extra_params={"txid": name, "order_qty": "0.2", "limit_price": "48000"},
        )
        assert (wire.order(name).size, wire.order(name).price) == (D("0.2"), D(48000))
        edited = (await do(sdk.trade.edit_order, txid=name, pair="XBTUSD", price="47000"))["txid"]
        assert (wire.order(name).is_open, wire.order(edited).price) == (False, D(47000))
        assert await do(sdk.trade.cancel_order, txid=edited) == {"count": 1}
        batch = [
            {
                k: v
                for k, v in {**LIMIT, "type": "buy", "price": f"{40000 + n}"}.items()
                if k not in ("side", "pair")
            }
            for n in range(3)
        ]
        names = [
            row["txid"]
            for row in (await do(sdk.trade.create_order_batch, orders=batch, pair="XBTUSD"))[
                "orders"
            ]
        ]
        assert list(wire.world.exchange.orders) == names
        assert await do(sdk.trade.cancel_order_batch, orders=names[:2]) == {"count": 2}
        told = await do(sdk.trade.cancel_all_orders_after_x, timeout=60)
        assert told["triggerTime"] > told["currentTime"]
        assert await do(sdk.trade.cancel_all_orders) == {"count": 1}


@pytest.mark.parametrize(
    ("error", "terms"),
    [
        ("KrakenInsufficientFundsError", {"volume": "100"}),
        ("KrakenOrderMinimumNotMetError", {"volume": "0.00001"}),
        ("KrakenInvalidArgumentsError", {"price": "x"}),
        ("KrakenUnknownAssetError", {"pair": "NONE"}),
    ],
)
async def test_refusals_have_the_classes_that_the_sdk_gives_them(
    error: str, terms: dict[str, str]
) -> None:
    async with desk() as (sdk, wire):
        with pytest.raises(getattr(errors, error)):
            await do(sdk.trade.create_order, **{**LIMIT, **terms})
        assert wire.world.exchange.orders == {}


# WebSocket v2


@asynccontextmanager
async def stream() -> AsyncIterator[tuple[Client, list[dict[str, Any]], Wire]]:
    heard: list[dict[str, Any]] = []

    async def hear(message: dict[str, Any]) -> None:
        heard.append(message)

    async with spot() as wire:
        urls = {"rest_url": wire.base, "ws_url": wire.ws, "auth_ws_url": f"{wire.ws}/auth"}
        client = kraken.SpotWSClient(
            key=wire.server.key.key, secret=wire.server.secret, callback=hear, **urls
        )
        await asyncio.wait_for(client.start(), 10)
        try:
            yield client, heard, wire
        finally:
            closing = asyncio.ensure_future(client.close())
            await asyncio.sleep(0.1)
            connections: list[Any] = list(wire.server.stream.connections)
            for connection in connections:
                connection.cut()  # it would wait ten seconds for a message
            await asyncio.wait_for(closing, 15)


async def until(heard: list[dict[str, Any]], **wanted: object) -> dict[str, Any]:
    for _ in range(250):
        found = [message for message in heard if wanted.items() <= message.items()]
        if found:
            return found[-1]
        await asyncio.sleep(0.02)
    raise AssertionError(f"never heard {wanted}, only {heard}")


async def test_the_stream_follows_the_market_and_the_account_and_trades() -> None:
    async with stream() as (client, heard, wire):
        await client.subscribe(params={"channel": "ticker", "symbol": [BTC]})
        await client.subscribe(params={"channel": "book", "symbol": [BTC], "depth": 25})
        await client.subscribe(params={"channel": "executions"})
        await client.subscribe(params={"channel": "balances"})
        assert (await until(heard, channel="ticker", type="snapshot"))["data"][0]["bid"] == 50000.0
        assert (await until(heard, channel="book", type="snapshot"))["data"][0]["symbol"] == BTC
        assert (await until(heard, channel="executions", type="snapshot"))["data"] == []
        assert len((await until(heard, channel="balances", type="snapshot"))["data"]) == 4
        order = {
            "order_type": "limit",
            "side": "buy",
            "order_qty": 0.1,
            "symbol": BTC,
            "limit_price": 50000.1,
            "cl_ord_id": "mine",
        }
        await client.send_message({"method": "add_order", "params": order})
        added = await until(heard, method="add_order")
        assert added["success"] is True
        assert wire.order(added["result"]["order_id"]).filled == D("0.1")
        await asyncio.sleep(0.2)
        kinds = [
            row["exec_type"] for m in heard if m.get("channel") == "executions" for row in m["data"]
        ]
        assert kinds == ["pending_new", "new", "trade", "filled"]
        rows = [
            {
                k: v
                for k, v in {**order, "limit_price": 40000 + n, "cl_ord_id": f"b{n}"}.items()
                if k != "symbol"
            }
            for n in range(2)
        ]
        await client.send_message(
            {"method": "batch_add", "params": {"symbol": BTC, "orders": rows}}
        )
        assert (await until(heard, method="batch_add"))["success"] is True
        await client.send_message({"method": "cancel_all"})
        assert (await until(heard, method="cancel_all"))["result"]["count"] == 2
        assert len(client.active_public_subscriptions) == 2
        assert len(client.active_private_subscriptions) == 2
