"""What no client should send: tokens that are over, frames and bodies that are nonsense. The
exchange answers, and goes on.
"""

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.wire.keys import PERMISSIONS
from tests.support.wire import BTC, Line, Wire, spot

ORDER: dict[str, Any] = {
    "order_type": "limit",
    "side": "buy",
    "order_qty": 0.1,
    "symbol": BTC,
    "limit_price": 40000.0,
}


async def alive(wire: Wire, line: Line) -> None:
    """Both doors still answer."""
    assert (await line.ask("ping"))["method"] == "pong"
    assert (await wire.public("Time"))["error"] == []


# Tokens and permissions of the stream


async def test_a_token_that_is_over_or_unknown_opens_nothing() -> None:
    async with spot() as wire, wire.line() as line:
        old = await wire.token()
        wire.later(901)
        for token in (old, "unknown", "", None, 5):
            for told in (
                await line.ask("subscribe", channel="executions", token=token),
                await line.ask("add_order", **ORDER, token=token),
            ):
                assert (told["success"], told["error"]) == (False, "ESession:Invalid session")
        assert wire.world.exchange.orders == {}
        assert (await line.ask("add_order", **ORDER, token=await wire.token()))["success"]


async def test_a_token_lasts_as_long_as_the_line_that_it_opened() -> None:
    async with spot() as wire, wire.line() as line:
        token = await wire.token()
        await line.ask("subscribe", channel="executions", token=token)
        wire.later(3600)
        assert (await line.ask("add_order", **ORDER, token=token))["success"]
        async with wire.line() as other:
            assert (await other.ask("add_order", **ORDER, token=token))[
                "error"
            ] == "ESession:Invalid session"


async def test_nothing_private_happens_on_the_public_line() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        token = await wire.token()
        for told in (
            await line.ask("subscribe", channel="balances", token=token),
            await line.ask("add_order", **ORDER, token=token),
        ):
            assert told["error"] == "EGeneral:Permission denied"


@pytest.mark.parametrize(
    ("needed", "method", "params"),
    [
        ("modify-trades", "add_order", ORDER),
        ("modify-trades", "batch_add", {"symbol": BTC, "orders": [ORDER, ORDER]}),
        ("modify-trades", "amend_order", {"order_id": "O"}),
        ("modify-trades", "edit_order", {"order_id": "O"}),
        ("close-trades", "cancel_order", {"order_id": ["O"]}),
        ("close-trades", "cancel_all", {}),
        ("close-trades", "cancel_all_orders_after", {"timeout": 5}),
        ("close-trades", "batch_cancel", {"orders": ["O", "P"]}),
        ("query-open-trades", "subscribe", {"channel": "executions"}),
        ("query-funds", "subscribe", {"channel": "balances"}),
    ],
)
async def test_the_stream_asks_for_the_same_permissions_as_rest(
    needed: str, method: str, params: dict[str, Any]
) -> None:
    async with (
        spot(permissions=tuple(p for p in PERMISSIONS if p != needed)) as wire,
        wire.line() as line,
    ):
        told = await line.ask(method, **params, token=await wire.token())
        assert (told["success"], told["error"]) == (False, "EGeneral:Permission denied")
        assert wire.world.exchange.orders == {}


# Frames

DEEP = "[" * 100_000
FRAMES = [
    "",
    "nonsense",
    "{",
    "[]",
    "5",
    "null",
    '"ping"',
    '{"method": "subscribe", "params": []}',
    '{"method": 5, "params": "x"}',
    DEEP,
]


@pytest.mark.parametrize("frame", FRAMES)
async def test_a_frame_that_is_no_request_is_answered(frame: str) -> None:
    async with spot() as wire, wire.line() as line:
        await line.say(frame)
        told = await line.hear()
        assert told["success"] is False
        assert told["error"] == "Malformed request"
        await alive(wire, line)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        (["ping"], {}),
        ({}, {}),
        ("fly", {}),
        (None, {}),
        ("subscribe", {}),
        ("subscribe", {"channel": "weather"}),
        ("subscribe", {"channel": ["ticker"]}),
        ("subscribe", {"channel": "ticker"}),
        ("subscribe", {"channel": "ticker", "symbol": ["DOGE/USD"]}),
        ("subscribe", {"channel": "ticker", "symbol": [["BTC/USD"]]}),
        ("subscribe", {"channel": "ticker", "symbol": [{}]}),
        ("subscribe", {"channel": "ticker", "symbol": 5}),
        ("subscribe", {"channel": "ticker", "symbol": [BTC], "event_trigger": "noon"}),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    method: Any, params: dict[str, Any]
) -> None:
    async with spot() as wire, wire.line() as line:
        told = await line.ask(method, **params)
        assert told["success"] is False
        assert told["error"]
        await alive(wire, line)


async def test_a_symbol_may_be_one_or_several() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        told = await line.ask("subscribe", channel="ticker", symbol=BTC)
        assert told["result"]["symbol"] == BTC
        assert (await line.on("ticker", "snapshot"))["data"][0]["symbol"] == BTC


WRONG: list[dict[str, Any]] = [
    {"order_qty": "much"},
    {"order_qty": None},
    {"order_qty": [1]},
    {"order_qty": -1},
    {"order_qty": True},
    {"limit_price": {}},
    {"limit_price": 1e300},
    {"symbol": [BTC]},
    {"symbol": None},
    {"side": 5},
    {"order_type": []},
    {"order_type": "stop-loss", "triggers": {}},
    {"order_type": "stop-loss", "triggers": {"price": "x"}},
    {"order_type": "stop-loss", "triggers": {"price": 1, "price_type": "moon"}},
    {"order_type": "stop-loss", "triggers": {"price": 1, "reference": "moon"}},
    {"conditional": {"order_type": "limit"}},
    {"expire_time": "soon", "time_in_force": "gtd"},
    {"deadline": 5},
    {"cl_ord_id": 5, "order_userref": 6},
    {"time_in_force": "gtx"},
    {"stp_type": "cancel_me"},
    {"fee_preference": ["fcib"]},
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_an_order_of_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    async with spot() as wire, wire.line() as line:
        told = await line.ask("add_order", **{**ORDER, **wrong}, token=await wire.token())
        assert told["success"] is False
        assert told["error"].startswith(("EGeneral:Invalid arguments", "EQuery:Unknown asset pair"))
        assert wire.world.exchange.orders == {}
        await alive(wire, line)


@pytest.mark.parametrize(
    "number", ["1e999999999", "1e99999999999999999999", "0." + "0" * 5000 + "1", "9" * 5000]
)
async def test_a_number_that_nobody_means_is_refused(number: str) -> None:
    async with spot() as wire, wire.line() as line:
        token = await wire.token()
        text = json.dumps(
            {
                "method": "add_order",
                "params": {**ORDER, "order_qty": 0, "token": token},
                "req_id": 9,
            }
        )
        await line.say(text.replace('"order_qty": 0', f'"order_qty": {number}'))
        assert (await line.hear())["success"] is False
        await alive(wire, line)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("cancel_order", {}),
        ("cancel_order", {"order_id": {}}),
        ("cancel_order", {"order_id": [["a"]]}),
        ("amend_order", {}),
        ("amend_order", {"order_id": ["a"], "order_qty": 1}),
        ("edit_order", {"order_id": 5}),
        ("batch_add", {}),
        ("batch_add", {"symbol": BTC, "orders": 5}),
        ("batch_add", {"symbol": BTC, "orders": [1, 2]}),
        ("batch_add", {"symbol": BTC, "orders": [ORDER]}),
        ("batch_add", {"symbol": BTC, "orders": [ORDER, {**ORDER, "order_qty": "x"}]}),
        ("cancel_all_orders_after", {"timeout": "soon"}),
        ("cancel_all_orders_after", {"timeout": -5}),
        ("cancel_all_orders_after", {"timeout": 1e9}),
    ],
)
async def test_other_trading_of_nonsense_is_refused(method: str, params: dict[str, Any]) -> None:
    async with spot() as wire, wire.line() as line:
        told = await line.ask(method, **params, token=await wire.token())
        assert told["success"] is False, told
        assert wire.world.exchange.orders == {}
        await alive(wire, line)


async def test_an_order_that_is_only_to_be_looked_at_is_not_placed() -> None:
    async with spot() as wire, wire.line() as line:
        token = await wire.token()
        assert (await line.ask("add_order", **ORDER, validate=True, token=token))["success"]
        told = await line.ask(
            "batch_add",
            symbol=BTC,
            orders=[ORDER, {**ORDER, "order_qty": 1000}],
            validate=True,
            token=token,
        )
        assert [row["success"] for row in told["result"]["orders"]] == [True, False]
        assert [
            order for order in wire.world.truth()["orders"] if order["status"] != "rejected"
        ] == []


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        "",
        "&&&==",
        "{}",
        "\x00\xff",
        "a" * 10_000,
        "nonce",
        "=" * 3000,
        "&".join(f"a{n}=b" for n in range(2000)),
    ],
)
async def test_a_body_that_is_no_form_is_refused(body: str) -> None:
    async with spot() as wire:
        assert await wire.signed("AddOrder", body, "") == {"error": ["EAPI:Invalid nonce"]}
        assert (await wire.signed("AddOrder", body, "", kind="application/json"))["error"] == [
            "EAPI:Invalid nonce"
        ]
        assert (await wire.public("Time"))["error"] == []


@pytest.mark.parametrize("body", ["[1, 2]", "nonsense", '"text"', DEEP, "NaN"])
async def test_a_json_body_that_is_no_object_is_refused(body: str) -> None:
    async with spot() as wire:
        assert (await wire.signed("AddOrder", body, "", kind="application/json"))["error"] == [
            "EAPI:Invalid nonce"
        ]


async def test_a_json_body_is_as_good_as_a_form() -> None:
    async with spot() as wire:
        nonce = wire.nonce()
        close = {"ordertype": "stop-loss", "price": "30000"}
        body = {
            "nonce": int(nonce),
            "pair": "XBTUSD",
            "type": "buy",
            "ordertype": "limit",
            "price": 40000.0,
            "volume": 0.1,
            "close": close,
        }
        told = await wire.signed(
            "AddOrder", json.dumps({**body, "validate": False}), nonce, kind="application/json"
        )
        assert told["error"] == []
        order = wire.order(told["result"]["txid"][0])
        assert (order.size, order.price) == (Decimal("0.1"), Decimal(40000))
        assert wire.terms(order.client_order_id).close == ("stop-loss", "30000", "0")


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Depth", {"pair": "XBTUSD", "count": "many"}),
        ("Depth", {"pair": "XBTUSD", "count": "-1"}),
        ("Depth", {}),
        ("OHLC", {"pair": "XBTUSD", "interval": "2"}),
        ("OHLC", {"pair": "XBTUSD", "interval": "x"}),
        ("OHLC", {"pair": "XBTUSD", "since": "x"}),
        ("Ticker", {"pair": "XBTUSD,NONE"}),
        ("AssetPairs", {"pair": "NONE"}),
        ("Trades", {"pair": "NONE"}),
    ],
)
async def test_a_public_question_of_nonsense_is_refused(name: str, fields: dict[str, str]) -> None:
    async with spot() as wire:
        told = await wire.public(name, **fields)
        assert told["error"][0].startswith(
            ("EGeneral:Invalid arguments", "EQuery:Unknown asset pair")
        )


@pytest.mark.parametrize("name", ["ClosedOrders", "TradesHistory", "Ledgers"])
async def test_a_page_that_is_no_number_is_refused(name: str) -> None:
    async with spot() as wire:
        assert await wire.error(name, ofs="x") == "EGeneral:Invalid arguments:ofs"
        for start in ("nan", "1e999999", "OAAAAA-BBBBB-CCCCCC", "-1"):
            await wire.result(name, start=start)


async def test_a_private_question_is_not_asked_by_get() -> None:
    async with spot() as wire, wire.session.get(f"{wire.base}/0/private/Balance") as answer:
        assert answer.status == 405
