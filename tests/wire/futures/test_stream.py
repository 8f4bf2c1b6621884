"""The WebSocket v1: what it says, in which order, and what the unmodified ccxt.pro client makes of
it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest

from engine.clock import SECOND
from engine.exchange import Faults, Interval
from engine.model.quote import Depth, Level
from engine.model.side import Side
from engine.wire.futures import stream
from tests.wire.futures.conftest import ETH, KEY, XBT, Json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.wire.futures.conftest import Futures, Open
ORDER = {
    "orderType": "lmt",
    "symbol": "PF_XBTUSD",
    "side": "buy",
    "size": "0.01",
    "limitPrice": "50000",
}


class Line:
    """A raw connection."""

    def __init__(self, futures: Futures, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.futures = futures
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send_str(msgspec.json.encode(message).decode())

    async def hear(self) -> Json:
        return dict(msgspec.json.decode(await self.socket.receive_str(timeout=5)))

    async def until(self, name: str) -> Json:
        """The next message of an event or a feed."""
        while True:
            told = await self.hear()
            if told.get("event", told.get("feed")) == name:
                return told

    async def silent(self) -> bool:
        """Whether nothing is said any more."""
        await self.say(event="ping")
        return await self.hear() == {"event": "pong"}

    async def signed(self) -> dict[str, str]:
        """What a private subscription must bear."""
        await self.say(event="challenge", api_key=KEY)
        challenge = str((await self.until("challenge"))["message"])
        digest = hashlib.sha256(challenge.encode()).digest()
        answer = hmac.new(
            base64.b64decode(self.futures.server.secret), digest, hashlib.sha512
        ).digest()
        return {
            "api_key": KEY,
            "original_challenge": challenge,
            "signed_challenge": base64.b64encode(answer).decode(),
        }

    async def private(self, feed: str) -> Json:
        """Subscribe; what the feed begins with."""
        await self.say(event="subscribe", feed=feed, **await self.signed())
        assert (await self.hear())["event"] == "subscribed"
        return await self.hear()

    async def send(self, **order: str) -> Json:
        """Place an order over REST."""
        return dict(
            (await self.futures.ask("POST", "/api/v3/sendorder", **{**ORDER, **order}))[
                "sendStatus"
            ]
        )


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def connect(session: aiohttp.ClientSession, futures: Futures, path: str = "/v1") -> Line:
    line = Line(futures, await session.ws_connect(futures.ws + path))
    assert await line.hear() == {"event": "info", "version": 1}
    return line


@pytest.fixture
async def line(session: aiohttp.ClientSession, futures: Futures) -> Line:
    return await connect(session, futures)


# Talking


async def test_it_answers_on_both_paths(session: aiohttp.ClientSession, futures: Futures) -> None:
    assert await (await connect(session, futures, "")).silent()
    assert await (await connect(session, futures)).silent()


async def test_what_makes_no_sense_is_said_so(line: Line) -> None:
    for text in ("{", "[]", '{"event": 1e999999999999999999999}', "[" * 100_000):
        await line.socket.send_str(text)
        assert (await line.hear())["message"] == "Json Error"
    await line.say(event="dance")
    assert (await line.hear())["message"] == "Bad request"
    await line.say(event="subscribe", feed="nothing")
    assert (await line.hear())["message"] == "Invalid feed"
    await line.say(event="subscribe", feed="ticker", product_ids=["PF_NONEUSD"])
    assert (await line.hear())["message"] == "Invalid product id"
    await line.say(event="challenge", api_key="unknown")
    assert (await line.hear())["event"] == "alert"
    await line.say(
        event="subscribe", feed="fills", api_key=KEY, original_challenge="x", signed_challenge="y"
    )
    assert (await line.hear())["message"] == "Failed to subscribe to authenticated feed"


async def test_one_acknowledgement_per_product_and_none_twice(line: Line) -> None:
    await line.say(event="subscribe", feed="trade", product_ids=["PF_XBTUSD", "PF_ETHUSD"])
    for name in ("PF_XBTUSD", "PF_ETHUSD"):
        assert await line.hear() == {"event": "subscribed", "feed": "trade", "product_ids": [name]}
        assert await line.hear() == {"feed": "trade_snapshot", "product_id": name, "trades": []}
    await line.say(event="subscribe", feed="trade", product_ids=["PF_XBTUSD"])
    assert await line.hear() == {
        "event": "alert",
        "message": "Already subscribed to feed, re-requesting",
    }
    await line.until("trade_snapshot")
    await line.say(event="unsubscribe", feed="trade", product_ids=["PF_XBTUSD"])
    assert (await line.hear())["event"] == "unsubscribed"
    line.futures.trade("PF_XBTUSD", "60000", "1")
    assert await line.silent()


# The market


async def test_the_book_is_told_whole_and_then_by_its_changes(line: Line) -> None:
    await line.say(event="subscribe", feed="book", product_ids=["PF_XBTUSD"])
    snapshot = await line.until("book_snapshot")
    assert snapshot["bids"][0] == {"price": 60_000, "qty": 5}
    line.futures.quote("PF_XBTUSD", "60000", "60000.5")
    book = {row["price"]: row["qty"] for row in snapshot["asks"]}
    sequence = snapshot["seq"]
    for _ in range(len(book) * 2):
        told = await line.until("book")
        assert told["seq"] == sequence + 1
        sequence = told["seq"]
        assert told["side"] == "sell"
        book[told["price"]] = told["qty"]
    assert min(price for price, size in book.items() if size) == 60_000.5
    assert sorted(price for price, size in book.items() if size) == [
        price for price, _ in line.futures.world.exchange.books["PF_XBTUSD"].depth(Side.SELL, 100)
    ]


async def test_the_book_follows_levels_behind_the_best(line: Line) -> None:
    world = line.futures.world
    rows = ((Side.BUY, "60000", "1"), (Side.BUY, "59999", "2"), (Side.SELL, "60001", "1"))
    world.feed(
        Depth(
            "PF_XBTUSD",
            world.now(),
            tuple(Level(side, Decimal(price), Decimal(size)) for side, price, size in rows),
            snapshot=True,
        )
    )
    await line.say(event="subscribe", feed="book", product_ids=["PF_XBTUSD"])
    assert (await line.until("book_snapshot"))["bids"] == [
        {"price": 60_000, "qty": 1},
        {"price": 59_999, "qty": 2},
    ]
    world.feed(
        Depth(
            "PF_XBTUSD",
            world.now(),
            (Level(Side.BUY, Decimal(59_999), Decimal(3)),),
            snapshot=False,
        )
    )
    told = await line.until("book")
    assert (told["side"], told["price"], told["qty"]) == ("buy", 59_999, 3)


async def test_tickers_follow_the_quotes(line: Line) -> None:
    for feed in ("ticker", "ticker_lite"):
        await line.say(event="subscribe", feed=feed, product_ids=["PF_XBTUSD"])
        assert (await line.until(feed))["bid"] == 60_000
    line.futures.quote("PF_XBTUSD", "61000", "61001")
    assert (await line.until("ticker"))["bid"] == 61_000
    assert (await line.until("ticker_lite"))["ask"] == 61_001


async def test_prints(line: Line) -> None:
    line.futures.trade("PF_XBTUSD", "60000", "1")
    line.futures.trade("PF_XBTUSD", "60001", "2")
    await line.say(event="subscribe", feed="trade", product_ids=["PF_XBTUSD"])
    snapshot = await line.until("trade_snapshot")
    assert [(row["price"], row["seq"]) for row in snapshot["trades"]] == [(60_001, 2), (60_000, 1)]
    line.futures.trade("PF_XBTUSD", "60002", "3")
    told = await line.until("trade")
    assert (told["price"], told["qty"], told["seq"]) == (60_002, 3, 3)


# The account


async def test_a_limit_order_from_its_placing_to_its_end(line: Line) -> None:
    assert (await line.private("open_orders"))["orders"] == []
    placed = await line.send(cliOrdId="one", limitPrice="60000")
    told = await line.hear()
    assert (told["reason"], told["is_cancel"]) == ("new_placed_order_by_user", False)
    assert (told["order"]["order_id"], told["order"]["cli_ord_id"]) == (placed["order_id"], "one")
    await line.futures.ask("POST", "/api/v3/editorder", orderId=placed["order_id"], size="0.02")
    told = await line.hear()
    assert (told["reason"], told["order"]["qty"]) == ("edited_by_user", 0.02)
    line.futures.quote("PF_XBTUSD", "59990", "60000", size="0.015")
    told = await line.hear()
    assert (told["reason"], told["order"]["qty"], told["order"]["filled"]) == (
        "partial_fill",
        0.005,
        0.015,
    )
    await line.futures.ask("POST", "/api/v3/cancelorder", order_id=placed["order_id"])
    told = await line.hear()
    assert told == {
        "feed": "open_orders",
        "order_id": placed["order_id"],
        "cli_ord_id": "one",
        "is_cancel": True,
        "reason": "cancelled_by_user",
    }


async def test_a_full_fill_is_an_order_and_its_end(line: Line) -> None:
    await line.private("open_orders")
    await line.send(limitPrice="60000")
    await line.hear()
    line.futures.quote("PF_XBTUSD", "59990", "60000")
    told = await line.hear()
    assert (told["reason"], told["is_cancel"], told["order"]["qty"]) == ("full_fill", True, 0)


async def test_orders_that_execute_at_once_are_told_by_their_fills_alone(line: Line) -> None:
    await line.private("open_orders")
    await line.send(orderType="mkt")
    assert await line.silent()
    await line.send(orderType="ioc", limitPrice="100")
    assert (await line.hear())["reason"] == "ioc_order_failed_because_it_would_not_be_executed"


async def test_a_stop_that_fires(line: Line) -> None:
    await line.private("open_orders")
    await line.send(orderType="mkt")
    for limit, reasons in (
        (
            "58000",
            [
                "new_placed_order_by_user",
                "stop_order_triggered",
                "limit_order_from_stop",
                "full_fill",
            ],
        ),
        ("", ["new_placed_order_by_user", "stop_order_triggered"]),
    ):
        line.futures.quote("PF_XBTUSD", "60000", "60001")
        await line.send(
            orderType="stp",
            side="sell",
            size="0.005",
            stopPrice="59000",
            limitPrice=limit,
            triggerSignal="mark",
        )
        line.futures.quote("PF_XBTUSD", "58990", "58991")
        assert [(await line.hear())["reason"] for _ in reasons] == reasons
    assert await line.silent()


async def test_post_only_orders_that_fail_are_told_in_full_where_that_is_asked_for(
    line: Line,
) -> None:
    await line.private("open_orders")
    await line.private("open_orders_verbose")
    await line.send(orderType="post", limitPrice="70000")
    brief, verbose = await line.hear(), await line.hear()
    assert (brief["feed"], brief["is_cancel"], "order" in brief) == ("open_orders", True, False)
    assert (verbose["feed"], verbose["is_cancel"], verbose["order"]["limit_price"]) == (
        "open_orders_verbose",
        True,
        70_000,
    )


async def test_fills(line: Line) -> None:
    first = await line.send(orderType="mkt", cliOrdId="one")
    snapshot = await line.private("fills")
    assert [row["order_id"] for row in snapshot["fills"]] == [first["order_id"]]
    second = await line.send(orderType="mkt", side="sell")
    (fill,) = (await line.until("fills"))["fills"]
    assert (fill["order_id"], fill["buy"], fill["fill_type"], fill["fee_currency"]) == (
        second["order_id"],
        False,
        "taker",
        "USD",
    )
    assert fill["fee_paid"] == 0.3
    assert fill["seq"] == 2


async def test_positions_and_money(line: Line) -> None:
    assert (await line.private("open_positions"))["positions"] == []
    assert (await line.private("balances"))["feed"] == "balances_snapshot"
    await line.send(orderType="mkt")
    (position,) = (await line.until("open_positions"))["positions"]
    assert (position["instrument"], position["balance"], position["entry_price"]) == (
        "PF_XBTUSD",
        0.01,
        60_001,
    )
    money = await line.until("balances")
    assert money["seq"] == 1
    assert money["flex_futures"]["currencies"]["USD"]["quantity"] == float(
        line.futures.world.exchange.ledger.cash["USD"]
    )


async def test_heartbeats(
    opened: Open, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT", 0.05)
    line = await connect(session, await opened())
    await line.say(event="subscribe", feed="heartbeat")
    assert await line.hear() == {"event": "subscribed", "feed": "heartbeat"}
    assert set(await line.until("heartbeat")) == {"feed", "time"}


# Faults


async def test_reports_may_come_twice(opened: Open, session: aiohttp.ClientSession) -> None:
    line = await connect(session, await opened(Faults(duplicate_report=1.0)))
    await line.private("open_orders")
    await line.send()
    assert await line.hear() == await line.hear()


async def test_reports_may_come_after_the_next_one(
    opened: Open, session: aiohttp.ClientSession
) -> None:
    line = await connect(session, await opened(Faults(reorder_reports=1.0)))
    await line.private("open_orders")
    placed = await line.send()
    await line.futures.ask("POST", "/api/v3/cancelorder", order_id=placed["order_id"])
    assert [(await line.hear())["reason"] for _ in range(2)] == [
        "cancelled_by_user",
        "new_placed_order_by_user",
    ]


async def test_the_line_breaks(opened: Open, session: aiohttp.ClientSession) -> None:
    futures = await opened(Faults(disconnect=Interval(3600 * SECOND, 3600 * SECOND)))
    line = await connect(session, futures)
    futures.world.began -= 3600 * SECOND
    await line.say(event="ping")
    while (await line.socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
        pass
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(futures.ws)


# ccxt.pro


async def heard(watching: Any, act: Any) -> Any:  # Any: ccxt has no types
    """What a watch tells once something happened."""
    task = asyncio.ensure_future(watching)
    await asyncio.sleep(0.3)
    done = await act
    return await asyncio.wait_for(task, 5), done


async def test_ccxt_watches_orders(futures: Futures) -> None:
    watcher, client = futures.streaming(), futures.client()
    orders, order = await heard(
        watcher.watch_orders(), client.create_order(XBT, "limit", "buy", 0.01, 50_000)
    )
    assert [told["id"] for told in orders] == [order["id"]]
    orders, _ = await heard(watcher.watch_orders(), client.cancel_order(order["id"]))
    assert orders[0]["status"] == "canceled"


async def test_ccxt_watches_trades_of_ours(futures: Futures) -> None:
    watcher, client = futures.streaming(), futures.client()
    await asyncio.wait_for(watcher.watch_my_trades(), 5)  # the snapshot
    (trade,), order = await heard(
        watcher.watch_my_trades(), client.create_order(XBT, "market", "buy", 0.01)
    )
    assert (trade["order"], trade["price"], trade["fee"]["cost"]) == (order["id"], 60_001, 0.300005)


async def test_ccxt_watches_positions_and_balances(futures: Futures) -> None:
    watcher, client = futures.streaming(), futures.client()
    balance = await asyncio.wait_for(watcher.watch_balance({"account": "flex_futures"}), 5)
    assert balance["USD"]["total"] == 100_000
    assert await asyncio.wait_for(watcher.watch_positions(), 5) == []
    (position,), _ = await heard(
        watcher.watch_positions(), client.create_order(XBT, "market", "sell", 0.01)
    )
    assert (position["symbol"], position["side"], position["contracts"]) == (XBT, "short", 0.01)


async def test_ccxt_watches_the_market(futures: Futures) -> None:
    watcher = futures.streaming()
    ticker = await asyncio.wait_for(watcher.watch_ticker(XBT), 5)
    assert (ticker["bid"], ticker["ask"]) == (60_000, 60_001)
    both = await asyncio.wait_for(watcher.watch_bids_asks([ETH]), 5)
    assert both[ETH]["bid"] == 3_000
    book = await asyncio.wait_for(watcher.watch_order_book(XBT), 5)
    assert book["asks"][0][0] == 60_001
    task = asyncio.ensure_future(watcher.watch_order_book(XBT))
    await asyncio.sleep(0)
    futures.quote("PF_XBTUSD", "60000", "60000.5")
    book = await asyncio.wait_for(task, 5)
    futures.trade("PF_ETHUSD", "3000", "2")
    (trade,) = await asyncio.wait_for(watcher.watch_trades(ETH), 5)
    assert trade["amount"] == 2


# Funding


async def test_the_ticker_tells_the_rate_and_the_log_what_was_paid(line: Line) -> None:
    futures = line.futures
    futures.world.exchange.fund(Decimal("0.0001"), futures.world.now())
    await line.say(event="subscribe", feed="ticker", product_ids=["PF_XBTUSD"])
    told = await line.until("ticker")
    assert (told["relative_funding_rate"], told["funding_rate"]) == (0.0001, 6.00005), (
        "of the mark, and in dollars for each contract"
    )
    client = futures.client()
    await client.create_order("BTC/USD:USD", "market", "buy", 1)
    before = futures.world.exchange.ledger.cash["USD"]
    futures.world.clock.catch_up(
        told["next_funding_rate_time"] * 1_000_000 - futures.world.now() + 1
    )
    futures.world.exchange.advance(futures.world.now())
    assert futures.world.exchange.ledger.cash["USD"] == before - Decimal("6.00005")
    (row,) = [
        row
        for row in (await futures.ask("GET", "/api/history/v3/account-log"))["logs"]
        if row["info"] == "funding rate change"
    ]
    assert (row["realized_funding"], row["funding_rate"], row["contract"]) == (
        -6.00005,
        0.0001,
        "pf_xbtusd",
    )
    assert row["new_balance"] == float(before) - 6.00005
    rates = (
        await futures.say(
            "GET", f"{futures.rest}/derivatives/api/v3/historicalfundingrates?symbol=PF_XBTUSD"
        )
    )["rates"]
    assert [(rate["relativeFundingRate"], rate["fundingRate"]) for rate in rates] == [
        (0.0001, 6.00005)
    ]
