"""What a client that trusts the stream must be able to rely on."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.wire.futures.conftest import KEY, Json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.wire.futures.conftest import Futures, Open

V3 = "/derivatives/api/v3/"


class Listener:
    """A plain connection, and everything that it heard."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.heard: list[Json] = []

    async def until(self, feed: str, count: int = 1) -> Json:
        """The `count`th message of a feed, or of an event."""
        while True:
            found = [
                message
                for message in self.heard
                if message.get("event", message.get("feed")) == feed
            ]
            if len(found) >= count:
                return found[count - 1]
            self.heard.append(await self._socket.receive_json(timeout=10))

    async def say(self, **message: Any) -> None:  # Any: JSON
        await self._socket.send_json(message)

    async def sign(self, futures: Futures, *names: str) -> None:
        """Subscribe to private feeds."""
        await self.say(event="challenge", api_key=KEY)
        challenge = (await self.until("challenge"))["message"]
        client = futures.client()
        digest = client.hash(client.encode(challenge), "sha256", "binary")
        signed = client.hmac(
            digest, client.base64_to_binary(client.secret), hashlib.sha512, "base64"
        )
        for name in names:
            await self.say(
                event="subscribe",
                feed=name,
                api_key=KEY,
                original_challenge=challenge,
                signed_challenge=signed,
            )
        await self.until("subscribed", len(names))


async def send(futures: Futures, **fields: str) -> Json:
    """Place an order; what became of it."""
    told = await futures.ask(
        "POST",
        f"{V3}sendorder",
        **{"symbol": "PI_XBTUSD", "side": "buy", "size": "100", "orderType": "mkt", **fields},
    )
    assert told["sendStatus"]["status"] == "placed", told
    return told


@pytest.fixture
async def line(futures: Futures) -> AsyncIterator[Listener]:
    async with aiohttp.ClientSession() as session, session.ws_connect(futures.ws) as socket:
        yield Listener(socket)


async def test_each_fill_has_a_number_of_its_own(futures: Futures, line: Listener) -> None:
    futures.quote("PI_XBTUSD", "60000", "60001", size="100")
    await send(futures, size="250")
    await line.sign(futures, "fills")
    snapshot = [fill["seq"] for fill in (await line.until("fills_snapshot"))["fills"]]
    assert len(snapshot) == 3
    futures.quote("PI_XBTUSD", "60000", "60001", size="101")
    await send(futures, size="250")
    told = [(await line.until("fills", number))["fills"][0]["seq"] for number in (1, 2, 3)]
    assert told == [snapshot[-1] + number for number in (1, 2, 3)]


async def test_the_switch_is_told_apart_from_the_trader(futures: Futures, line: Listener) -> None:
    await line.sign(futures, "open_orders")
    name = (await send(futures, orderType="lmt", limitPrice="50000"))["sendStatus"]["order_id"]
    other = (await send(futures, orderType="lmt", limitPrice="50000"))["sendStatus"]["order_id"]
    await futures.ask("POST", f"{V3}cancelorder", order_id=name)
    assert (await line.until("open_orders", 3))["reason"] == "cancelled_by_user"
    futures.world.arm(0.01)
    told = await line.until("open_orders", 4)
    assert (told["order_id"], told["is_cancel"], told["reason"]) == (other, True, "dead_man_switch")
    await send(futures, orderType="lmt", limitPrice="50000")
    await futures.ask("POST", f"{V3}cancelallorders")
    assert (await line.until("open_orders", 6))["reason"] == "cancelled_by_user"


async def test_a_stop_that_has_nothing_left_to_reduce(futures: Futures, line: Listener) -> None:
    await send(futures)
    stop = (
        await send(
            futures,
            side="sell",
            orderType="stp",
            stopPrice="50000",
            reduceOnly="true",
            cliOrdId="stop",
        )
    )["sendStatus"]
    await line.sign(futures, "open_orders", "open_positions")
    assert [row["balance"] for row in (await line.until("open_positions"))["positions"]] == [100]
    await send(futures, side="sell", reduceOnly="true")
    told = await line.until("open_orders")
    assert told == {
        "feed": "open_orders",
        "order_id": stop["order_id"],
        "cli_ord_id": "stop",
        "is_cancel": True,
        "reason": "would_not_reduce_position",
    }
    assert (await line.until("open_positions", 2))["positions"] == []
    assert (await futures.ask("GET", f"{V3}openpositions"))["openPositions"] == []
    refused = (
        await futures.ask(
            "POST",
            f"{V3}sendorder",
            symbol="PI_XBTUSD",
            side="sell",
            size="1",
            orderType="mkt",
            reduceOnly="true",
        )
    )["sendStatus"]
    assert refused["status"] == "wouldNotReducePosition"
    assert refused["orderEvents"][0]["reason"] == "WOULD_NOT_REDUCE_POSITION"


async def test_all_of_an_account_at_once(futures: Futures, line: Listener) -> None:
    """Many requests side by side: each fill is told once, and the stream ends where REST does."""
    await line.sign(futures, "fills", "open_orders")
    sides = ("buy", "sell", "buy", "buy", "sell")
    done = await asyncio.gather(
        *(
            send(futures, symbol="PF_XBTUSD", side=side, size="0.5", cliOrdId=f"c{n}")
            for n, side in enumerate(sides)
        )
    )
    names = {told["sendStatus"]["order_id"] for told in done}
    truth = await futures.truth()
    fills = [
        (await line.until("fills", number + 1))["fills"][0]
        for number in range(len(truth["executions"]))
    ]
    assert {fill["order_id"] for fill in fills} == names
    assert len({fill["fill_id"] for fill in fills}) == len(fills)
    assert {fill["cli_ord_id"] for fill in fills} == {f"c{number}" for number in range(len(sides))}
    net = sum(fill["qty"] * (1 if fill["buy"] else -1) for fill in fills)
    position = (await futures.ask("GET", f"{V3}openpositions"))["openPositions"][0]
    assert (position["side"], position["size"]) == ("long", pytest.approx(net))
    told = (await futures.ask("GET", f"{V3}fills"))["fills"]
    assert {fill["fill_id"] for fill in told} == {fill["fill_id"] for fill in fills}


async def test_fills_that_memory_let_go_of(opened: Open, tmp_path: Path) -> None:
    futures = await opened(state=tmp_path / "account")
    names = [(await send(futures))["sendStatus"]["order_id"] for _ in range(4)]
    exchange = futures.world.exchange
    exchange.fills = deque(exchange.fills, maxlen=2)
    told = (await futures.ask("GET", f"{V3}fills"))["fills"]
    assert [fill["order_id"] for fill in told] == names[::-1]
    told = (await futures.ask("GET", f"{V3}fills", lastFillTime=told[-1]["fillTime"]))["fills"]
    assert told == []
