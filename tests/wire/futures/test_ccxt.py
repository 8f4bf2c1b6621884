"""The unmodified ccxt client trades against the exchange."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from tests.wire.futures.conftest import ETH, INVERSE, XBT, Json

if TYPE_CHECKING:
    from pathlib import Path

    from tests.wire.futures.conftest import Futures, Open


async def order_of(futures: Futures, name: str) -> Json:
    """What really became of an order."""
    found = [
        order for order in (await futures.truth())["orders"] if order["client_order_id"] == name
    ]
    assert len(found) == 1, found
    return {
        **found[0],
        **{
            name: Decimal(found[0][name])
            for name in ("size", "price", "trigger")
            if found[0][name] is not None
        },
    }


async def test_markets_are_those_of_the_exchange(futures: Futures) -> None:
    markets = await futures.client().load_markets()
    assert sorted(markets) == sorted([XBT, ETH, INVERSE])
    assert markets[XBT]["precision"] == {"amount": 0.0001, "price": 0.5}
    assert markets[XBT]["linear"] is True
    assert markets[INVERSE]["inverse"] is True
    assert markets[INVERSE]["settle"] == "BTC"
    tiers = await futures.client().fetch_leverage_tiers()
    assert tiers[XBT][0]["maxLeverage"] == 50


async def test_balances(futures: Futures) -> None:
    client = futures.client()
    balance = await client.fetch_balance()
    assert balance["USD"]["total"] == 100_000
    assert balance["BTC"]["total"] == 1
    assert balance["BTC"]["free"] == 1
    single = (await client.private_get_accounts())["accounts"]["fi_xbtusd"]
    assert (single["currency"], single["auxiliary"]["pv"]) == ("xbt", 1)


async def test_a_market_order_executes_within_one_percent(futures: Futures) -> None:
    order = await futures.client().create_order(XBT, "market", "buy", 0.01)
    assert order["status"] == "closed"
    assert order["filled"] == 0.01
    assert order["average"] == 60_001
    truth = await order_of(futures, order["id"])
    assert truth["status"] == "filled"
    assert truth["price"] == 60_601  # 1 % beyond the best, down to the tick
    assert (await futures.truth())["accounts"]["net"] == {"PF_XBTUSD": 0.01}


async def test_a_market_order_that_walks_the_book_tells_each_execution(futures: Futures) -> None:
    futures.quote("PF_XBTUSD", "60000", "60001", size="0.1")
    order = await futures.client().create_order(XBT, "market", "buy", 0.25)
    assert sorted(trade["amount"] for trade in order["trades"]) == [0.05, 0.1, 0.1]
    assert order["filled"] == 0.25
    assert order["remaining"] == 0


async def test_a_limit_order_rests_is_edited_and_cancelled(futures: Futures) -> None:
    client = futures.client()
    order = await client.create_order(XBT, "limit", "buy", 0.01, 50_000, {"clientOrderId": "one"})
    assert order["status"] == "open"
    assert order["clientOrderId"] == "one"
    (listed,) = await client.fetch_open_orders(XBT)
    assert listed["id"] == order["id"]
    assert listed["clientOrderId"] == "one"
    edited = await client.edit_order(order["id"], XBT, "limit", "buy", 0.02, 51_000)
    assert edited["id"] == order["id"]
    truth = await order_of(futures, order["id"])
    assert (truth["size"], truth["price"]) == (Decimal("0.02"), 51_000)
    cancelled = await client.cancel_order(order["id"])
    assert cancelled["status"] == "canceled"
    assert (await order_of(futures, order["id"]))["status"] == "cancelled"
    assert await client.fetch_open_orders() == []
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(order["id"])


async def test_an_order_can_be_named_by_the_clients_own_id(futures: Futures) -> None:
    client = futures.client()
    order = await client.create_order(XBT, "limit", "buy", 0.01, 50_000, {"clientOrderId": "mine"})
    await client.private_post_editorder({"cliOrdId": "mine", "size": "0.03"})
    assert (await order_of(futures, order["id"]))["size"] == Decimal("0.03")
    answer = await client.private_post_cancelorder({"cliOrdId": "mine"})
    assert answer["cancelStatus"]["status"] == "cancelled"
    assert answer["cancelStatus"]["order_id"] == order["id"]
    again = await client.create_order(XBT, "limit", "buy", 0.01, 50_000, {"clientOrderId": "mine"})
    assert again["id"] != order["id"]


async def test_post_only_orders_never_take(futures: Futures) -> None:
    client = futures.client()
    rests = await client.create_order(XBT, "limit", "buy", 0.01, 60_000, {"postOnly": True})
    assert rests["status"] == "open"
    assert rests["postOnly"] is True
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        await client.create_order(XBT, "limit", "buy", 0.01, 60_001, {"postOnly": True})


async def test_immediate_orders_take_what_there_is_or_nothing(futures: Futures) -> None:
    client = futures.client()
    futures.quote("PF_XBTUSD", "60000", "60001", size="0.1")
    part = await client.create_order(XBT, "limit", "buy", 0.2, 60_001, {"timeInForce": "ioc"})
    assert part["filled"] == 0.1
    assert (await order_of(futures, part["id"]))["status"] == "cancelled"
    with pytest.raises(ccxt.OrderNotFillable):
        await client.create_order(XBT, "limit", "buy", 0.2, 59_000, {"timeInForce": "ioc"})
    with pytest.raises(ccxt.OrderNotFillable):
        await client.create_order(XBT, "limit", "buy", 2, 60_001, {"orderType": "fok"})
    whole = await client.create_order(XBT, "limit", "sell", 0.1, 60_000, {"orderType": "fok"})
    assert whole["status"] == "closed"


TRIGGERED: list[tuple[str, str, Json, str]] = [
    ("market", "sell", {"stopLossPrice": 59_000}, "stop"),
    ("limit", "sell", {"stopLossPrice": 59_000}, "stop-limit"),
    ("market", "sell", {"takeProfitPrice": 61_000}, "take-profit"),
    ("market", "buy", {"triggerPrice": 61_000}, "stop"),
    (
        "trailing_stop",
        "sell",
        {
            "trailingStopMaxDeviation": "1",
            "trailingStopDeviationUnit": "PERCENT",
            "reduceOnly": True,
        },
        "trailing-stop",
    ),
    (
        "trailing_stop",
        "sell",
        {"trailingStopMaxDeviation": "500", "trailingStopDeviationUnit": "QUOTE_CURRENCY"},
        "trailing-stop",
    ),
]


@pytest.mark.parametrize(("kind", "side", "params", "told"), TRIGGERED)
async def test_orders_that_wait_for_a_trigger(
    futures: Futures, kind: str, side: str, params: Json, told: str
) -> None:
    futures.habits.status_by = ("GET", "POST")  # ccxt has no other way to ask
    client = futures.client()
    await client.create_order(XBT, "market", "buy", 0.01)
    price = 58_900 if kind == "limit" else None
    order = await client.create_order(
        XBT, kind, side, 0.01, price, {**params, "triggerSignal": "mark"}
    )
    assert order["status"] == "open"
    (listed,) = await client.fetch_open_orders()
    assert listed["id"] == order["id"]
    trigger = next(
        (
            params[name]
            for name in ("stopLossPrice", "takeProfitPrice", "triggerPrice")
            if name in params
        ),
        None,
    )
    assert listed["triggerPrice"] == trigger or kind == "trailing_stop"
    assert (await order_of(futures, order["id"]))["type"] == told
    (state,) = await client.fetch_orders(None, None, None, {"orderIds": [order["id"]]})
    assert state["status"] == "open"


async def test_a_stop_fires_and_closes_the_position(futures: Futures) -> None:
    client = futures.client()
    await client.create_order(XBT, "market", "buy", 0.01)
    stop = await client.create_order(XBT, "market", "sell", 0.01, None, {"stopLossPrice": 59_000})
    futures.quote("PF_XBTUSD", "58990", "58991")
    assert (await order_of(futures, stop["id"]))["status"] == "filled"
    assert await client.fetch_positions() == []


async def test_a_trailing_stop_follows(futures: Futures) -> None:
    client = futures.client()
    await client.create_order(XBT, "market", "buy", 0.01)
    params = {
        "trailingStopMaxDeviation": "1",
        "trailingStopDeviationUnit": "PERCENT",
        "triggerSignal": "mark",
    }
    await client.create_order(XBT, "trailing_stop", "sell", 0.01, None, params)
    futures.quote("PF_XBTUSD", "70000", "70001")
    (listed,) = await client.fetch_open_orders()
    assert listed["triggerPrice"] == 69_300
    futures.quote("PF_XBTUSD", "69300", "69301")
    assert await client.fetch_positions() == []


async def test_a_relative_limit_price(futures: Futures) -> None:
    client = futures.client()
    await client.create_order(XBT, "market", "buy", 0.01)
    params = {
        "stopLossPrice": 59_000,
        "limitPriceOffsetValue": "-100",
        "limitPriceOffsetUnit": "QUOTE_CURRENCY",
    }
    order = await client.create_order(XBT, "market", "sell", 0.01, None, params)
    assert (await order_of(futures, order["id"]))["price"] == 58_900


async def test_cancelling_everything(futures: Futures) -> None:
    client = futures.client()
    for symbol, price in ((XBT, 50_000), (XBT, 50_001), (ETH, 2_000)):
        await client.create_order(symbol, "limit", "buy", 0.01, price)
    assert len(await client.cancel_all_orders(XBT)) == 2
    (left,) = await client.fetch_open_orders()
    assert left["symbol"] == ETH
    await client.cancel_all_orders()
    assert await client.fetch_open_orders() == []
    answer = await client.private_post_cancelallorders()
    assert answer["cancelStatus"]["status"] == "noOrdersToCancel"


async def test_the_dead_mans_switch(futures: Futures) -> None:
    client = futures.client()
    armed = await client.cancel_all_orders_after(60_000)
    assert armed["status"]["triggerTime"] != "0"
    disarmed = await client.cancel_all_orders_after(0)
    assert disarmed["status"]["triggerTime"] == "0"


async def test_batches(futures: Futures) -> None:
    client = futures.client()
    wanted = [
        {
            "symbol": XBT,
            "type": "limit",
            "side": "buy",
            "amount": 0.01,
            "price": 50_000,
            "params": {"clientOrderId": "a"},
        },
        {
            "symbol": XBT,
            "type": "limit",
            "side": "buy",
            "amount": 0.01,
            "price": 60_001,
            "params": {"postOnly": True},
        },
    ]
    first, second = await client.create_orders(wanted)
    assert first["status"] == "open"
    assert second["status"] == "rejected"
    (cancelled,) = await client.cancel_orders([first["id"]])
    assert cancelled["status"] == "canceled"
    assert (await order_of(futures, first["id"]))["status"] == "cancelled"


async def test_positions_and_fills(futures: Futures) -> None:
    client = futures.client()
    order = await client.create_order(XBT, "market", "sell", 0.5, None, {"cliOrdId": "short"})
    await client.create_order(INVERSE, "market", "buy", 600)
    futures.quote("PF_XBTUSD", "59000", "59001")
    by_symbol = {position["symbol"]: position for position in await client.fetch_positions()}
    assert by_symbol[XBT]["side"] == "short"
    assert by_symbol[XBT]["contracts"] == 0.5
    assert by_symbol[XBT]["entryPrice"] == 60_000
    assert by_symbol[INVERSE]["contracts"] == 600
    (inverse, linear) = await client.fetch_my_trades()
    linear, inverse = sorted((linear, inverse), key=lambda trade: trade["symbol"] != XBT)
    assert linear["order"] == order["id"]
    assert linear["price"] == 60_000
    assert linear["takerOrMaker"] == "taker"
    truth = await futures.truth()
    assert linear["id"] == truth["executions"][0]["execution_id"]
    assert truth["executions"][0]["client"] == "short"


async def test_the_history(futures: Futures) -> None:
    client = futures.client()
    done = await client.create_order(XBT, "market", "buy", 0.01)
    rests = await client.create_order(XBT, "limit", "sell", 0.01, 60_100)
    futures.quote("PF_XBTUSD", "60100", "60101")
    gone = await client.create_order(XBT, "limit", "buy", 0.01, 50_000)
    await client.cancel_order(gone["id"])
    stop = await client.create_order(XBT, "market", "buy", 0.01, None, {"triggerPrice": 70_000})
    await client.cancel_order(stop["id"])
    assert {order["id"] for order in await client.fetch_closed_orders()} == {
        done["id"],
        rests["id"],
    }
    assert gone["id"] in {order["id"] for order in await client.fetch_canceled_orders()}
    assert [
        order["id"]
        for order in await client.fetch_canceled_orders(None, None, None, {"trigger": True})
    ] == [stop["id"]]
    rows = await client.fetch_ledger()
    assert [row["currency"] for row in rows] == ["USD", "USD"]
    assert rows[-1]["after"] == (await futures.truth())["accounts"]["cash"]["USD"]
    assert len((await client.history_get_executions())["elements"]) == 2


async def test_market_data(futures: Futures) -> None:
    client = futures.client()
    futures.trade("PF_XBTUSD", "60000.5", "0.25")
    ticker = await client.fetch_ticker(XBT)
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (60_000, 60_001, 60_000.5)
    assert set(await client.fetch_tickers()) == {XBT, ETH, INVERSE}
    book = await client.fetch_order_book(XBT)
    assert book["bids"][0] == [60_000, 5]
    assert book["asks"][0] == [60_001, 5]
    for method in ("historyGetMarketSymbolExecutions", "publicGetHistory"):
        (trade,) = await client.fetch_trades(XBT, None, None, {"method": method})
        assert (trade["price"], trade["amount"], trade["side"]) == (60_000.5, 0.25, "buy")
    (candle,) = await client.fetch_ohlcv(XBT)
    assert candle[1:] == [60_000.5, 60_000.5, 60_000.5, 60_000.5, 0.25]
    assert len(await client.fetch_ohlcv(XBT, "1h", None, None, {"price": "mark"})) == 1
    rates = await client.fetch_funding_rates()
    assert rates[XBT]["fundingRate"] == 0
    fees = await client.fetch_trading_fees()
    assert fees[XBT]["taker"] == 0.0005


async def test_leverage_isolates_the_margin_of_orders_to_come(futures: Futures) -> None:
    client = futures.client()
    await client.set_leverage(5, XBT)
    assert (await client.fetch_leverage(XBT))["longLeverage"] == 5
    await client.create_order(XBT, "market", "buy", 0.01)
    (position,) = await client.fetch_positions()
    assert (position["marginMode"], position["leverage"]) == ("isolated", 5)
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order(XBT, "limit", "buy", 20, 59_000)
    with pytest.raises(ccxt.BadRequest):
        await client.set_leverage(500, XBT)


REFUSED: list[tuple[str, str, float, float | None, Json, type[Exception]]] = [
    ("limit", "buy", 20_000, 50_000, {}, ccxt.InsufficientFunds),
    ("limit", "buy", 0.01, 50_000, {"orderType": "peg"}, ccxt.InvalidOrder),
    ("limit", "hold", 0.01, 50_000, {}, ccxt.InvalidOrder),
    ("limit", "buy", 0.01, None, {"limitPrice": "50000.3"}, ccxt.InvalidOrder),
    ("limit", "buy", 0.01, None, {"limitPrice": "-1"}, ccxt.InvalidOrder),
    ("limit", "buy", 0.01, 50_000, {"size": "0.00001"}, ccxt.InvalidOrder),
    ("limit", "buy", 0.01, 50_000, {"size": "-1"}, ccxt.InvalidOrder),
    ("limit", "buy", 0.01, 50_000, {"size": "some"}, ccxt.BadRequest),
    ("limit", "buy", 0.01, 700_000, {}, ccxt.InvalidOrder),
    ("limit", "buy", 2_000_000, 1, {}, ccxt.BadRequest),
    ("limit", "sell", 0.01, 70_000, {"reduceOnly": True}, ccxt.ExchangeError),
    ("market", "sell", 0.01, None, {"reduceOnly": True}, ccxt.ExchangeError),
    ("limit", "buy", 0.01, 50_000, {"cliOrdId": "x" * 101}, ccxt.BadRequest),
    ("limit", "buy", 0.01, 50_000, {"symbol": "PF_NONEUSD"}, ccxt.BadSymbol),
    (
        "trailing_stop",
        "sell",
        0.01,
        None,
        {"trailingStopMaxDeviation": "60", "trailingStopDeviationUnit": "PERCENT"},
        ccxt.InvalidOrder,
    ),
    ("trailing_stop", "sell", 0.01, None, {}, ccxt.BadRequest),
    ("stp", "sell", 0.01, None, {}, ccxt.BadRequest),
    (
        "market",
        "sell",
        0.01,
        None,
        {"triggerPrice": 59_000, "triggerSignal": "moon"},
        ccxt.BadRequest,
    ),
]


@pytest.mark.parametrize(("kind", "side", "amount", "price", "params", "error"), REFUSED)
async def test_orders_that_are_refused(
    futures: Futures,
    kind: str,
    side: str,
    amount: float,
    price: float | None,
    params: Json,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        await futures.client().create_order(XBT, kind, side, amount, price, params)
    truth = await futures.truth()
    assert [order for order in truth["orders"] if order["status"] != "rejected"] == []
    assert truth["requests"][-1]["outcome"] not in ("", "ok")


async def test_a_client_order_id_is_unique_over_open_orders(futures: Futures) -> None:
    client = futures.client()
    await client.create_order(XBT, "limit", "buy", 0.01, 50_000, {"clientOrderId": "one"})
    with pytest.raises(ccxt.DuplicateOrderId):
        await client.create_order(XBT, "limit", "buy", 0.01, 50_000, {"clientOrderId": "one"})


async def test_what_is_too_late_is_not_done(futures: Futures) -> None:
    client = futures.client()
    late: Any = {"processBefore": "2020-01-01T00:00:00.000Z"}  # Any: ccxt has no types
    answer = await client.private_post_sendorder(
        {
            "orderType": "lmt",
            "symbol": "PF_XBTUSD",
            "side": "buy",
            "size": "0.01",
            "limitPrice": "50000",
            **late,
        }
    )
    assert answer["sendStatus"]["status"] == "wouldProcessAfterSpecifiedTime"
    assert (await futures.truth())["orders"] == []


async def test_edits_that_are_refused(futures: Futures) -> None:
    client = futures.client()
    order = await client.create_order(XBT, "limit", "buy", 0.01, 50_000)
    with pytest.raises(ccxt.OrderNotFound):
        await client.edit_order("6e88d923-630d-40aa-af4f-64e5e2b3ad03", XBT, "limit", "buy", 1)
    with pytest.raises(ccxt.InvalidOrder):
        await client.edit_order(order["id"], XBT, "limit", "buy", None, 50_000.3)
    with pytest.raises(ccxt.InvalidOrder):
        await client.edit_order(
            order["id"], XBT, "limit", "buy", None, None, {"stopPrice": "49000"}
        )
    with pytest.raises(ccxt.InsufficientFunds):
        await client.edit_order(order["id"], XBT, "limit", "buy", 10_000)
    with pytest.raises(ccxt.BadRequest):
        await client.edit_order(order["id"], XBT, "limit", "buy")


async def test_a_stop_is_moved(futures: Futures) -> None:
    client = futures.client()
    await client.create_order(XBT, "market", "buy", 0.01)
    stop = await client.create_order(XBT, "market", "sell", 0.01, None, {"stopLossPrice": 59_000})
    await client.edit_order(stop["id"], XBT, "stp", "sell", None, None, {"stopPrice": "59500"})
    assert (await order_of(futures, stop["id"]))["trigger"] == 59_500


async def test_a_liquidation_is_told_as_a_fill(futures: Futures) -> None:
    client = futures.client()
    await client.create_order(XBT, "market", "buy", 5)
    futures.quote("PF_XBTUSD", "60000", "60001")
    futures.world.exchange.ledger.cash = {
        "USD": futures.world.exchange.ledger.cash["USD"] - 100_000
    }
    futures.quote("PF_XBTUSD", "40000", "40001")
    futures.world.exchange._margin_at = 0
    futures.world.exchange.advance(futures.world.now())
    futures.world.settle()
    answer = await client.private_get_fills()
    assert answer["fills"][0]["fillType"] == "liquidation"
    assert await client.fetch_positions() == []


async def test_orders_and_ids_survive_a_restart(opened: Open, tmp_path: Path) -> None:
    state = tmp_path / "exchange.sqlite"
    first = await opened(state=state)
    order = await first.client().create_order(
        XBT, "limit", "buy", 0.01, 50_000, {"clientOrderId": "one"}
    )
    await first.client().create_order(XBT, "market", "sell", 0.02)
    await first.close()
    second = await opened(state=state)
    client = second.client()
    (listed,) = await client.fetch_open_orders()
    assert (listed["id"], listed["clientOrderId"]) == (order["id"], "one")
    (position,) = await client.fetch_positions()
    assert position["contracts"] == 0.02
    other = await client.create_order(XBT, "limit", "buy", 0.01, 50_000)
    assert other["id"] != order["id"]
    await client.cancel_order(order["id"])
