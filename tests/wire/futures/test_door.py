"""What is not looked at: bad signatures, old nonces, too many requests, keys that may not; and what
the faults do to the rest.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import ccxt
import pytest

from engine.clock import SECOND
from engine.exchange import Delay, Faults, Interval
from engine.wire.futures.habits import Habits
from tests.wire.futures.conftest import KEY, XBT, Json

if TYPE_CHECKING:
    from tests.wire.futures.conftest import Futures, Open

PREFIX = "/derivatives/api/v3"
ORDER = {
    "orderType": "lmt",
    "symbol": "PF_XBTUSD",
    "side": "buy",
    "size": "0.01",
    "limitPrice": "50000",
}


def signed(futures: Futures, path: str, data: str = "", nonce: str = "") -> dict[str, str]:
    """The headers of a request, made by hand."""
    digest = hashlib.sha256((data + nonce + path.removeprefix("/derivatives")).encode()).digest()
    authent = base64.b64encode(
        hmac.new(base64.b64decode(futures.server.secret), digest, hashlib.sha512).digest()
    ).decode()
    return {"APIKey": KEY, "Authent": authent} | ({"Nonce": nonce} if nonce else {})


async def test_a_wrong_signature_is_refused(futures: Futures) -> None:
    client = futures.client(secret=base64.b64encode(b"another").decode())
    with pytest.raises(ccxt.AuthenticationError):
        await client.fetch_balance()
    stranger = futures.client(apiKey="unknown")
    with pytest.raises(ccxt.AuthenticationError):
        await stranger.create_order(XBT, "market", "buy", 0.01)
    assert (await futures.truth())["orders"] == []
    assert {entry["outcome"] for entry in (await futures.truth())["requests"]} == {
        "ok",
        "authenticationError",
    }


async def test_what_is_signed_is_what_was_sent(futures: Futures) -> None:
    path = f"{PREFIX}/accounts"
    headers = signed(futures, path)
    assert (await futures.say("GET", futures.rest + path, headers))["result"] == "success"
    for url, told in ((f"{path}?symbol=x", headers), (f"{PREFIX}/fills", headers), (path, {})):
        answer = await futures.say("GET", futures.rest + url, told)
        assert answer["error"] == "authenticationError"
        assert set(answer) == {"result", "error", "serverTime"}


async def test_parameters_may_come_in_the_body(futures: Futures) -> None:
    path, data = f"{PREFIX}/sendorder", urlencode(ORDER)
    headers = signed(futures, path, data) | {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await futures.say("POST", futures.rest + path, headers, data)
    assert answer["sendStatus"]["status"] == "placed"
    batch = urlencode(
        {
            "json": json.dumps(
                {"batchOrder": [{"order": "cancel", "order_id": answer["sendStatus"]["order_id"]}]}
            )
        }
    )
    path = f"{PREFIX}/batchorder"
    headers = signed(futures, path, batch) | {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await futures.say("POST", futures.rest + path, headers, batch)
    assert answer["batchStatus"][0]["status"] == "cancelled"


async def test_nonces_may_be_left_out_but_must_rise(futures: Futures) -> None:
    path = f"{PREFIX}/openorders"

    async def ask(nonce: str) -> str:
        answer = await futures.say("GET", futures.rest + path, signed(futures, path, nonce=nonce))
        return str(answer.get("error", "ok"))

    assert [await ask(nonce) for nonce in ("", "5", "5", "4", "6", "")] == [
        "ok",
        "ok",
        "nonceDuplicate",
        "nonceBelowThreshold",
        "ok",
        "ok",
    ]


async def test_trading_has_a_budget_of_500_in_ten_seconds(futures: Futures) -> None:
    client = futures.client()
    await client.load_markets()
    for _ in range(20):
        await client.private_post_cancelallorders()  # 25 each
    with pytest.raises(ccxt.RateLimitExceeded):
        await client.create_order(XBT, "limit", "buy", 0.01, 50_000)
    assert (await futures.truth())["requests"][-1]["outcome"] == "apiLimitExceeded"
    assert (await client.history_get_orders())["elements"] == []
    assert (await client.fetch_ticker(XBT))["bid"] == 60_000


async def test_orders_are_counted_once(futures: Futures) -> None:
    futures.habits.status_by = ("GET", "POST")
    client = futures.client()
    await client.create_order(XBT, "limit", "buy", 0.01, 50_000)
    counter = futures.world.exchange.limits.counter("derivatives")
    assert counter.used == 10
    wanted = [{"symbol": XBT, "type": "limit", "side": "buy", "amount": 0.01, "price": 50_000}] * 3
    await client.create_orders(wanted)
    assert counter.used == 22
    await client.fetch_balance()
    await client.fetch_orders()
    assert counter.used == 25


async def test_the_history_has_a_budget_of_its_own(futures: Futures) -> None:
    for _ in range(100):
        await futures.ask("GET", "/api/history/v2/orders")
    assert (await futures.ask("GET", "/api/history/v2/orders"))["error"] == "apiLimitExceeded"
    assert (await futures.ask("GET", "/api/v3/accounts"))["result"] == "success"


async def test_a_key_may_do_no_more_than_it_may(opened: Open) -> None:
    futures = await opened(permissions=("query-funds", "query-open-trades"))
    assert (await futures.ask("GET", "/api/v3/accounts"))["result"] == "success"
    assert (await futures.ask("POST", "/api/v3/sendorder", **ORDER))[
        "error"
    ] == "authenticationError"
    path = "/api/auth/v1/api-keys/v3/check"
    answer = await futures.say("GET", futures.rest + path, signed(futures, path))
    assert answer["apiKey"] == KEY
    assert answer["permissions"]["general"] == "read_only"


async def test_what_is_missing_or_makes_no_sense(futures: Futures) -> None:
    cases: list[tuple[str, Json, str]] = [
        ("sendorder", {}, "requiredArgumentMissing"),
        ("sendorder", {**ORDER, "symbol": "PF_NONEUSD"}, "contractNotFound"),
        ("sendorder", {**ORDER, "reduceOnly": "perhaps"}, "invalidArgument: reduceOnly"),
        ("sendorder", {**ORDER, "size": "1e999999"}, "invalidArgument: size"),
        ("sendorder", {**ORDER, "size": "NaN"}, "invalidArgument: size"),
        ("sendorder", {**ORDER, "processBefore": "soon"}, "invalidArgument: processBefore"),
        ("editorder", {}, "requiredArgumentMissing"),
        ("cancelorder", {}, "requiredArgumentMissing"),
        ("cancelallorders", {"symbol": "PF_NONEUSD"}, "contractNotFound"),
        ("cancelallordersafter", {"timeout": "-1"}, "invalidArgument: timeout"),
        ("cancelallordersafter", {}, "requiredArgumentMissing"),
    ]
    for path, fields, error in cases:
        answer = await futures.ask("POST", f"/api/v3/{path}", **fields)
        assert (answer["result"], answer["error"]) == ("error", error)
    for path, fields, error in (
        ("orderbook", {}, "requiredArgumentMissing"),
        ("orderbook", {"symbol": "PF_NONEUSD"}, "contractNotFound"),
        ("fills", {"lastFillTime": "never"}, "invalidArgument: lastFillTime"),
    ):
        assert (await futures.ask("GET", f"/api/v3/{path}", **fields))["error"] == error


async def test_a_storm_refuses_everyone(opened: Open) -> None:
    futures = await opened(Faults(rate_limit_storm=Interval(1, 1)))
    with pytest.raises(ccxt.RateLimitExceeded):
        await futures.client().load_markets()


async def test_a_lost_reply_was_acted_on(opened: Open) -> None:
    futures = await opened(Faults(lose_reply=1.0))
    futures.world.random.random = lambda: 0.9  # type: ignore[method-assign]  # the line is cut, nothing hangs
    with pytest.raises(Exception, match=r".+"):
        await futures.ask("POST", "/api/v3/sendorder", **ORDER)
    (order,) = futures.world.exchange.orders.values()
    assert order.symbol == "PF_XBTUSD"


async def test_views_may_lag(opened: Open) -> None:
    futures = await opened(Faults(rest_lag=3600 * SECOND), habits=Habits(status_by=("GET",)))
    client = futures.client()
    await client.create_order(XBT, "limit", "buy", 0.01, 50_000)
    await client.create_order(XBT, "market", "buy", 0.01)
    assert await client.fetch_open_orders() == []
    assert await client.fetch_positions() == []
    assert await client.fetch_my_trades() == []
    assert await client.fetch_orders() == []
    assert (await client.fetch_balance())["USD"]["total"] == 100_000


async def test_answers_may_be_late(opened: Open) -> None:
    futures = await opened(Faults(delay=Delay(1_000_000, 2_000_000)))
    assert (await futures.client().fetch_balance())["USD"]["total"] == 100_000


async def test_a_stop_may_be_refused(opened: Open) -> None:
    futures = await opened(Faults(reject_stop=1.0))
    client = futures.client()
    await client.create_order(XBT, "market", "buy", 0.01)
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order(XBT, "market", "sell", 0.01, None, {"stopLossPrice": 59_000})
