"""The unmodified ccxt client over REST: everything that it documents for Kraken, held against what
really happened here.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import ccxt.async_support as ccxt
import pytest

from engine.exchange import Faults
from engine.model.order import Order, OrderType, TimeInForce
from engine.model.side import Side
from tests.support.wire import BTC, CASH, D, Wire, spot

Client = Any  # ccxt tells no types
pytestmark = pytest.mark.usefixtures("exact")


def config(wire: Wire) -> dict[str, Any]:
    """As a user would point it at a local server."""
    streams = {
        "public": f"{wire.ws}/v1",
        "private": f"{wire.ws}/auth/v1",
        "publicV2": f"{wire.ws}/v2",
        "privateV2": f"{wire.ws}/auth/v2",
    }
    key = {"apiKey": wire.server.key.key, "secret": wire.server.secret, "enableRateLimit": False}
    return {**key, "urls": {"api": {"public": wire.base, "private": wire.base, "ws": streams}}}


@asynccontextmanager
async def trader(
    faults: Faults | None = None, cash: dict[str, str] = CASH
) -> AsyncIterator[tuple[Client, Wire]]:
    async with spot(faults=faults, cash=cash) as wire:
        client = ccxt.kraken(config(wire))
        try:
            await client.load_markets()
            yield client, wire
        finally:
            await client.close()


# Markets and the account


async def test_markets() -> None:
    async with trader() as (client, _):
        assert set(client.symbols) == {BTC, "ETH/USD", "BTC/EUR"}
        market = client.market(BTC)
        assert (market["id"], market["altname"], market["wsId"], market["active"]) == (
            "XXBTZUSD",
            "XBTUSD",
            "XBT/USD",
            True,
        )
        assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 1e-8)
        assert (market["limits"]["amount"]["min"], market["limits"]["cost"]["min"]) == (
            0.00005,
            0.5,
        )
        assert (market["maker"], market["taker"]) == (0.0025, 0.004)
        assert market["limits"]["leverage"]["max"] == 5


async def test_balance() -> None:
    async with trader() as (client, _):
        await client.create_order(BTC, "limit", "buy", 1, 40000)
        told = await client.fetch_balance()
        assert told["total"] == {"USD": 100000.0, "EUR": 50000.0, "BTC": 5.0, "ETH": 50.0}
        assert told["used"]["USD"] == pytest.approx(40000 * 1.004)
        assert told["free"]["USD"] == pytest.approx(100000 - 40000 * 1.004)


async def test_prices() -> None:
    async with trader() as (client, wire):
        for price, size in (("50000.1", "0.25"), ("50010.0", "0.5"), ("49990.0", "0.25")):
            wire.trade(price, size, Side.BUY if price != "49990.0" else Side.SELL)
        ticker = await client.fetch_ticker(BTC)
        assert [ticker[name] for name in ("bid", "ask", "last", "high", "low", "baseVolume")] == [
            50000.0,
            50000.1,
            49990.0,
            50010.0,
            49990.0,
            1.0,
        ]
        tickers = await client.fetch_tickers([BTC, "ETH/USD"])
        assert set(tickers) == {BTC, "ETH/USD"}
        book = await client.fetch_order_book(BTC, 5)
        assert (len(book["bids"]), len(book["asks"])) == (5, 5)
        assert (book["bids"][0][:2], book["asks"][0][:2]) == ([50000.0, 5.0], [50000.1, 5.0])
        trades = await client.fetch_trades(BTC)
        assert [(t["price"], t["amount"], t["side"], t["id"]) for t in trades] == [
            (50000.1, 0.25, "buy", "1"),
            (50010.0, 0.5, "buy", "2"),
            (49990.0, 0.25, "sell", "3"),
        ]
        assert await client.fetch_trades(BTC, since=trades[-1]["timestamp"] + 1000) == []
        [candle] = await client.fetch_ohlcv(BTC, "1h")
        assert candle[1:] == [pytest.approx(50000.05, abs=0.06), 50010.0, 49990.0, 49990.0, 1.0]
        assert (await client.fetch_status())["status"] == "ok"
        assert await client.fetch_time() == pytest.approx(wire.world.now() / 1e6, abs=2000)


# Every order type


def trail(order: Order) -> tuple[Any, Any, Any]:
    assert order.trail is not None
    return order.trail.amount, order.trail.fraction, order.trail.limit


ORDERS: dict[str, tuple[tuple[Any, ...], dict[str, Any], Callable[[Order], object], object]] = {
    "market": (
        ("market", "sell", 0.1),
        {},
        lambda o: (o.type, o.filled, o.value),
        (OrderType.MARKET, D("0.1"), D("5000.00")),
    ),
    "market with cost": (
        ("market", "buy", 1),
        {"cost": 1000},
        lambda o: (o.type, o.filled),
        (OrderType.MARKET, D("0.01999998")),
    ),
    "limit": (
        ("limit", "buy", 0.1, 49000),
        {},
        lambda o: (o.type, o.price, o.size),
        (OrderType.LIMIT, D("49000.0"), D("0.1")),
    ),
    "post only": (("limit", "buy", 0.1, 49000), {"postOnly": True}, lambda o: o.post_only, True),
    "immediate or cancel": (
        ("limit", "buy", 6, 50000.1),
        {"timeInForce": "IOC", "leverage": 3},
        lambda o: (o.time_in_force, o.filled, o.is_open),
        (TimeInForce.IOC, D(5), False),
    ),
    "fill or kill": (
        ("limit", "buy", 1, 49000),
        {"timeInForce": "FOK"},
        lambda o: (o.time_in_force, o.filled),
        (TimeInForce.FOK, 0),
    ),
    "good till": (
        ("limit", "buy", 1, 49000),
        {"timeInForce": "GTD", "expiretm": "+60"},
        lambda o: (o.expires_at or 0) > o.created_at,
        True,
    ),
    "stop loss": (
        ("market", "sell", 0.1),
        {"stopLossPrice": 45000},
        lambda o: (o.type, o.trigger),
        (OrderType.STOP, D("45000.0")),
    ),
    "stop loss limit": (
        ("limit", "sell", 0.1, 44900),
        {"stopLossPrice": 45000},
        lambda o: (o.type, o.trigger, o.price),
        (OrderType.STOP_LIMIT, D("45000.0"), D("44900.0")),
    ),
    "take profit": (
        ("market", "sell", 0.1),
        {"takeProfitPrice": 55000},
        lambda o: (o.type, o.trigger),
        (OrderType.TAKE_PROFIT, D("55000.0")),
    ),
    "take profit limit": (
        ("limit", "sell", 0.1, 55100),
        {"takeProfitPrice": 55000},
        lambda o: (o.type, o.trigger, o.price),
        (OrderType.TAKE_PROFIT, D("55000.0"), D("55100.0")),
    ),
    "trailing amount": (
        ("market", "sell", 0.1),
        {"trailingAmount": 100},
        trail,
        (D(100), None, None),
    ),
    "trailing percent": (
        ("market", "sell", 0.1),
        {"trailingPercent": 5},
        trail,
        (None, D("0.05"), None),
    ),
    "trailing limit": (
        ("limit", "sell", 0.1),
        {"trailingAmount": 100, "trailingLimitAmount": 10},
        trail,
        (D(100), None, D(-10)),
    ),
    "iceberg": (
        ("iceberg", "buy", 1),
        {"price": "49000", "displayvol": "0.1"},
        lambda o: (o.type, o.price),
        (OrderType.LIMIT, D("49000")),
    ),
    "leverage": (
        ("market", "sell", 6),
        {"leverage": 2},
        lambda o: (o.leverage, o.filled),
        (D(2), D(6)),
    ),
}


@pytest.mark.parametrize("name", ORDERS)
async def test_an_order_of_each_type(name: str) -> None:
    asked, params, what, wanted = ORDERS[name]
    async with trader() as (client, wire):
        told = await client.create_order(BTC, *asked, params=params)
        order = wire.order(told["id"])
        assert what(order) == wanted
        assert (order.symbol, order.side.value) == (BTC, asked[1])
        assert wire.outcomes()[-1] == ("AddOrder", "ok")
        seen = await client.fetch_order(told["id"], BTC)
        assert (seen["id"], seen["side"], seen["filled"]) == (
            told["id"],
            asked[1],
            float(order.filled),
        )
        assert seen["status"] == (
            "open" if order.is_open else "closed" if order.filled == order.size else "canceled"
        )


async def test_the_triggers_that_ccxt_reads_back() -> None:
    async with trader() as (client, _):
        for asked, params in (
            ORDERS[name][:2]
            for name in ("stop loss", "stop loss limit", "take profit", "take profit limit")
        ):
            await client.create_order(BTC, *asked, params=params)
        told = await client.fetch_open_orders(BTC)
        assert [
            (o["stopLossPrice"], o["takeProfitPrice"], o["price"])
            for o in sorted(told, key=lambda o: o["timestamp"])
        ] == [
            (45000.0, None, None),
            (45000.0, None, 44900.0),
            (None, 55000.0, None),
            (None, 55000.0, 55100.0),
        ]


async def test_a_stop_fires_at_its_trigger() -> None:
    async with trader() as (client, wire):
        told = await client.create_order(BTC, "market", "sell", 0.1, None, {"stopLossPrice": 49500})
        wire.quote("49500.1", "49500.2")
        assert wire.order(told["id"]).is_open
        wire.quote("49500.0", "49500.1")
        seen = await client.fetch_order(told["id"], BTC)
        assert (seen["status"], seen["average"], seen["filled"]) == ("closed", 49500.0, 0.1)
        assert float(seen["fee"]["cost"]) == pytest.approx(4950 * 0.004)


async def test_reduce_only_closes_a_short_and_no_more() -> None:
    async with trader(cash={"USD": "100000"}) as (client, wire):
        await client.create_order(BTC, "market", "sell", 0.5, None, {"leverage": 2})
        [position] = await client.fetch_positions()
        assert (position["side"], position["contracts"], position["symbol"]) == ("short", 0.5, BTC)
        told = await client.create_order(
            BTC, "market", "buy", 2, None, {"leverage": 2, "reduceOnly": True}
        )
        assert wire.order(told["id"]).filled == D("0.5")
        assert wire.world.truth()["accounts"]["net"] == {}
        assert await client.fetch_positions() == []


async def test_what_is_only_validated_is_not_placed() -> None:
    async with trader() as (client, wire):
        told = await client.create_order(BTC, "limit", "buy", 0.1, 49000, {"validate": True})
        assert told["id"] is None
        assert wire.world.truth()["orders"] == []
        with pytest.raises(ccxt.InsufficientFunds):
            await client.create_order(BTC, "limit", "sell", 6, 60000, {"validate": True})


async def test_a_deadline_goes_through() -> None:
    async with trader() as (client, wire):
        soon = datetime.fromtimestamp(wire.world.now() / 1e9 + 5, UTC).isoformat()
        told = await client.create_order(BTC, "limit", "buy", 0.1, 49000, {"deadline": soon})
        assert wire.order(told["id"]).deadline is not None
        with pytest.raises(ccxt.ExchangeError, match="Deadline elapsed"):
            await client.create_order(
                BTC, "limit", "buy", 0.1, 49000, {"deadline": "2020-01-01T00:00:00Z"}
            )


async def test_a_conditional_close_brings_an_order_with_each_fill() -> None:
    async with trader() as (client, wire):
        wire.quote("50000.0", "50000.1", "0.3")
        close = {"ordertype": "stop-loss", "price": "45000.0"}
        told = await client.create_order(BTC, "limit", "buy", 0.5, 50000.1, {"close": close})
        wire.quote("50000.0", "50000.1", "0.4")
        closing = [
            order
            for order in wire.world.exchange.orders.values()
            if wire.terms(order.client_order_id).primary == told["id"]
        ]
        assert [(o.side.value, o.size, o.trigger) for o in closing] == [
            ("sell", D("0.3"), D(45000)),
            ("sell", D("0.2"), D(45000)),
        ]


# Batches, changes, cancels


async def test_a_batch() -> None:
    async with trader() as (client, wire):
        orders = [
            {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.1, "price": price}
            for price in (49000, 48000)
        ]
        told = await client.create_orders(orders)
        assert [wire.order(order["id"]).price for order in told] == [49000, 48000]
        await client.cancel_orders([order["id"] for order in told])
        assert wire.world.exchange.orders == {}


async def test_an_edit_is_an_amend_in_place() -> None:
    async with trader() as (client, wire):
        name = (
            await client.create_order(BTC, "limit", "buy", 0.1, 49000, {"clientOrderId": "mine"})
        )["id"]
        await client.edit_order(name, BTC, "limit", "buy", 0.2, 48000)
        assert (wire.order(name).size, wire.order(name).price) == (D("0.2"), D(48000))
        assert wire.terms(name).client == "mine"
        stop = (
            await client.create_order(BTC, "market", "sell", 0.1, None, {"stopLossPrice": 45000})
        )["id"]
        await client.edit_order(stop, BTC, "market", "sell", 0.1, None, {"stopLossPrice": 46000})
        assert wire.order(stop).trigger == 46000
        assert (await client.fetch_order(stop, BTC))["stopLossPrice"] == 46000.0


async def test_a_raw_edit_is_a_new_order() -> None:
    async with trader() as (client, wire):
        name = (await client.create_order(BTC, "limit", "buy", 0.1, 49000))["id"]
        told = await client.private_post_editorder(
            {"pair": "XBTUSD", "txid": name, "price": "48000"}
        )
        assert not wire.order(name).is_open
        assert wire.order(told["result"]["txid"]).price == 48000


async def test_cancels() -> None:
    async with trader() as (client, wire):
        names = [
            (
                await client.create_order(
                    BTC, "limit", "buy", 0.01, 40000 + n, {"clientOrderId": f"c{n}"}
                )
            )["id"]
            for n in range(4)
        ]
        await client.cancel_order(names[0], BTC)
        await client.cancel_order(None, BTC, {"clientOrderId": "c1"})
        assert list(wire.world.exchange.orders) == names[2:]
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order(names[0], BTC)
        await client.cancel_all_orders()
        assert wire.world.exchange.orders == {}
        assert {(await client.fetch_order(name, BTC))["status"] for name in names} == {"canceled"}


async def test_the_dead_mans_switch() -> None:
    async with trader() as (client, wire):
        await client.create_order(BTC, "limit", "buy", 0.1, 40000)
        await client.cancel_all_orders_after(60_000)
        assert is_armed(wire)
        await client.cancel_all_orders_after(0)
        assert not is_armed(wire)
        await client.cancel_all_orders_after(60_000)
        wire.world._dead()
        assert wire.world.exchange.orders == {}


def is_armed(wire: Wire) -> bool:
    return wire.world.dead_man_at is not None


# What it reads back


async def test_orders_trades_and_ledger() -> None:
    async with trader() as (client, wire):
        resting = (
            await client.create_order(BTC, "limit", "buy", 0.1, 40000, {"clientOrderId": "mine"})
        )["id"]
        filled = (await client.create_order(BTC, "market", "buy", 0.2))["id"]
        [order] = await client.fetch_open_orders(BTC)
        assert (
            order["id"],
            order["clientOrderId"],
            order["price"],
            order["amount"],
            order["status"],
        ) == (resting, "mine", 40000.0, 0.1, "open")
        assert [
            o["id"] for o in await client.fetch_open_orders(BTC, params={"clientOrderId": "mine"})
        ] == [resting]
        assert await client.fetch_open_orders(BTC, params={"clientOrderId": "other"}) == []
        [order] = await client.fetch_closed_orders(BTC)
        assert (order["id"], order["average"], order["cost"], order["status"]) == (
            filled,
            50000.1,
            10000.02,
            "closed",
        )
        [trade] = await client.fetch_my_trades(BTC)
        [fill] = wire.world.exchange.fills
        assert (trade["id"], trade["order"], trade["price"], trade["amount"]) == (
            fill.execution_id,
            filled,
            50000.1,
            0.2,
        )
        assert trade["fee"] == {"cost": float(fill.fee), "currency": "USD"}
        assert trade["takerOrMaker"] == "taker"
        entries = await client.fetch_ledger()
        assert {(e["currency"], e["direction"], e["amount"]) for e in entries} == {
            ("BTC", "in", 0.2),
            ("USD", "out", 10000.02),
        }
        assert {e["currency"] for e in await client.fetch_ledger("BTC")} == {"BTC"}


async def test_pages_of_closed_orders() -> None:
    async with trader() as (client, wire):
        for n in range(55):
            wire.later(1)
            await client.cancel_all_orders()
            await client.create_order(BTC, "limit", "buy", 0.001, 40000 + n)
        first = await client.fetch_closed_orders(BTC)
        rest = await client.fetch_closed_orders(BTC, params={"ofs": 50})
        assert (len(first), len(rest)) == (50, 4)
        assert len({order["id"] for order in first + rest}) == 54


@pytest.mark.parametrize(
    ("error", "order"),
    [
        (ccxt.InsufficientFunds, ("limit", "buy", 100, 40000)),
        (ccxt.InvalidOrder, ("limit", "buy", 0.00001, 40000)),
        (ccxt.ExchangeError, ("limit", "buy", 0.00005, 5000)),
    ],
)
async def test_refusals_have_the_classes_that_ccxt_gives_them(
    error: type[Exception], order: tuple[Any, ...]
) -> None:
    async with trader() as (client, _):
        with pytest.raises(error):
            await client.create_order(BTC, *order)
