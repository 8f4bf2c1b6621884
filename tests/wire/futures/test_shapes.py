"""Every reply has the keys and the types of the recorded ones, in ../shared/wire; what differs is
listed here, with the reason.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.wire.futures.conftest import Json
from tests.wire.futures.recordings import WIRE, Shape, recorded
from tests.wire.futures.test_stream import Line, connect

if TYPE_CHECKING:
    from tests.wire.futures.conftest import Futures

N, D = "nautilus-kraken", "kraken.net"
CAPTURE = WIRE / "captures" / "KRAKEN_FUTURES.ws.1.0.jsonl.gz"
V3 = "/derivatives/api/v3"
LIMIT = {
    "orderType": "lmt",
    "symbol": "PF_XBTUSD",
    "side": "buy",
    "size": "0.01",
    "limitPrice": "50000",
}

PAGED = "all is told on one page"
CASE = "the recording is of a case that did not happen here"
SAMPLE = (
    "the recording is a sample from the documentation, where nothing is null and no envelope is"
    " shown"
)
NAMES = "these keys are currencies, products or ids"
DOCUMENTED = "documented or seen elsewhere, but not in this recording"


@pytest.fixture
async def lived(futures: Futures) -> Futures:
    """An exchange where something of everything happened."""
    send = {"symbol": "PF_XBTUSD", "side": "buy", "size": "0.01"}
    for fields in (
        {"orderType": "mkt"},
        {"orderType": "lmt", "limitPrice": "50000", "cliOrdId": "one"},
        {"orderType": "stp", "stopPrice": "61000", "triggerSignal": "mark"},
        {
            "orderType": "take_profit",
            "stopPrice": "59000",
            "limitPrice": "59100",
            "cliOrdId": "two",
        },
        {"orderType": "mkt", "symbol": "PI_XBTUSD", "size": "100", "side": "sell"},
    ):
        await futures.ask("POST", "/api/v3/sendorder", **{**send, **fields})
    futures.trade("PF_XBTUSD", "60000", "0.3")
    return futures


Ask = Callable[["Futures"], Awaitable[Json]]


def get(path: str, **fields: str) -> Ask:
    """A signed question."""
    return lambda futures: futures.ask("GET", path, **fields)


def post(path: str, **fields: str) -> Ask:
    """A signed order."""
    return lambda futures: futures.ask("POST", f"/api/v3/{path}", **fields)


def public(path: str) -> Ask:
    """An open question."""
    return lambda futures: futures.say("GET", futures.rest + path)


def on_first(path: str, name: str, **fields: str) -> Ask:
    """Something about the first open order."""
    return lambda futures: futures.ask(
        "POST", f"/api/v3/{path}", **{name: next(iter(futures.world.exchange.orders)), **fields}
    )


def of(reason: str, *rows: str) -> dict[str, str]:
    """Differences that are meant, with their reason."""
    return dict.fromkeys(rows, reason)


ENVELOPE = of(SAMPLE, "result is new", "serverTime is new")
EVENT = "sendStatus.orderEvents[].orderTrigger"
STATE = "orders[].order"
ONE = "editStatus.orderEvents[]"
ALL = "cancelStatus.orderEvents[].order"
EXECUTION = "elements[].event.execution.execution"
CASES: list[tuple[str, Ask, tuple[str, ...], dict[str, str]]] = [
    (
        "instruments",
        public(f"{V3}/instruments"),
        (f"{N}/http_futures_instruments", f"{D}/Endpoints_Futures_ExchangeData_GetSymbols"),
        {},
    ),
    (
        "instruments/status",
        public(f"{V3}/instruments/status"),
        (f"{D}/Endpoints_Futures_ExchangeData_GetSymbolStatus",),
        {},
    ),
    ("tickers", public(f"{V3}/tickers"), (f"{N}/http_futures_tickers",), {}),
    ("orderbook", public(f"{V3}/orderbook?symbol=PF_XBTUSD"), (f"{N}/http_futures_orderbook",), {}),
    (
        "history",
        public(f"{V3}/history?symbol=PF_XBTUSD"),
        (f"{D}/Endpoints_Futures_ExchangeData_GetTrades",),
        of(DOCUMENTED, "serverTime is new"),
    ),
    (
        "feeschedules",
        public(f"{V3}/feeschedules"),
        (f"{D}/JsonResponses_FuturesExchangeData_GetFeeSchedulesAsync",),
        {},
    ),
    (
        "candles",
        public("/api/charts/v1/trade/PF_XBTUSD/1m"),
        (f"{N}/http_futures_candles_trade",),
        {},
    ),
    (
        "executions of everybody",
        public("/api/history/v3/market/PF_XBTUSD/executions"),
        (f"{N}/http_futures_public_executions",),
        of(PAGED, "continuationToken is missing"),
    ),
    (
        "accounts",
        get("/api/v3/accounts"),
        (f"{D}/Endpoints_Futures_Account_GetBalances",),
        of(
            NAMES,
            "accounts.cash.balances.xbt is missing",
            "accounts.cash.balances.xrp is missing",
            "accounts.fi_xbtusd.balances.FI_XBTUSD_171215 is missing",
            "accounts.fi_xbtusd.balances.FI_XBTUSD_180615 is missing",
            "accounts.fi_xbtusd.balances.PI_XBTUSD is new",
            "accounts.fi_xbtusd.balances.xrp is missing",
            "accounts.flex.currencies.EUR is missing",
        )
        | of(
            DOCUMENTED,
            "accounts.fi_xbtusd.auxiliary.funding is new",
            "accounts.fi_xbtusd.auxiliary.usd is new",
        ),
    ),
    (
        "openorders",
        get("/api/v3/openorders"),
        (f"{N}/http_futures_open_orders", f"{D}/JsonResponses_FuturesTrading_GetOpenOrdersAsync2"),
        of(
            "triggers that were not touched lack it (nautilus_trader#4492)",
            "openOrders[].unfilledSize is missing",
        ),
    ),
    (
        "openpositions",
        get("/api/v3/openpositions"),
        (f"{D}/Endpoints_Futures_Trading_GetOpenPositions",),
        {},
    ),
    ("fills", get("/api/v3/fills"), (f"{D}/JsonResponses_FuturesTrading_GetUserTradesAsync",), {}),
    (
        "pnlpreferences",
        get("/api/v3/pnlpreferences"),
        (f"{D}/Endpoints_Futures_Account_GetPnlCurrency",),
        {},
    ),
    (
        "leveragepreferences",
        get("/api/v3/leveragepreferences"),
        (f"{D}/Endpoints_Futures_Trading_GetLeverage",),
        {},
    ),
    (
        "notifications",
        get("/api/v3/notifications"),
        (f"{D}/Endpoints_Futures_ExchangeData_GetPlatformNotifications",),
        {},
    ),
    (
        "feeschedules/volumes",
        get("/api/v3/feeschedules/volumes"),
        (f"{D}/JsonResponses_FuturesAccount_GetFeeScheduleVolumeAsync",),
        of(
            NAMES,
            "volumesByFeeSchedule.723888f7-0a8e-4183-8648-f920a22339e3 is new",
            "volumesByFeeSchedule.eef90775-995b-4596-9257-0917f6134766 is missing",
        ),
    ),
    (
        "orders/status",
        lambda futures: futures.ask("POST", "/api/v3/orders/status"),
        (f"{D}/JsonResponses_FuturesTrading_GetOrdersAsync",),
        ENVELOPE
        | of(
            SAMPLE,
            "orders[].error is null, not text",
            "orders[].updateReason is null, not text",
            f"{STATE}.cliOrdId is null, not text",
            f"{STATE}.limitPrice is null, not number",
            f"{STATE}.triggerTime is null, not text",
        )
        | of(
            "only triggers have them",
            f"{STATE}.priceTriggerOptions is missing",
            f"{STATE}.triggerTime is missing",
        ),
    ),
    ("sendorder", post("sendorder", **LIMIT), (f"{D}/Endpoints_Futures_Trading_PlaceOrder",), {}),
    (
        "sendorder that executes",
        post("sendorder", **{**LIMIT, "limitPrice": "60001"}),
        (f"{D}/JsonResponses_FuturesTrading_PlaceOrderAsync",),
        {},
    ),
    (
        "sendorder of a stop",
        post("sendorder", **{**LIMIT, "orderType": "stp", "stopPrice": "70000"}),
        (f"{N}/http_send_order_futures_unknown_trigger",),
        of(
            DOCUMENTED,
            f"{EVENT}.clientId is new",
            f"{EVENT}.limitPrice is new",
            f"{EVENT}.startTime is new",
            "sendStatus.order_id is new",
            "sendStatus.receivedTime is new",
            "serverTime is new",
        ),
    ),
    (
        "editorder",
        on_first("editorder", "orderId", size="0.02"),
        (f"{D}/Endpoints_Futures_Trading_EditOrder",),
        of(
            "the recorded order had no client order id",
            f"{ONE}.new.cliOrdId is text, not null",
            f"{ONE}.old.cliOrdId is text, not null",
        ),
    ),
    (
        "cancelorder",
        on_first("cancelorder", "order_id"),
        (f"{D}/Endpoints_Futures_Trading_CancelOrder",),
        {},
    ),
    (
        "cancelallorders",
        post("cancelallorders"),
        (f"{D}/Endpoints_Futures_Trading_CancelAllOrders",),
        of(
            "in 2019 a trigger was told like an order; since then as documented for cancelorder",
            f"{ALL} is missing",
            f"{ALL}.lastUpdateTimestamp is new",
            f"{ALL}.stopPrice is missing",
            f"{ALL}Trigger is new",
        )
        | of(
            "the recorded orders had no client order ids",
            "cancelStatus.cancelledOrders[].cliOrdId is new",
            f"{ALL}.cliOrdId is text, not null",
        ),
    ),
    (
        "cancelallordersafter",
        post("cancelallordersafter", timeout="60"),
        (f"{D}/Endpoints_Futures_Trading_CancelAllOrderAfter",),
        {},
    ),
    (
        "account-log",
        get("/api/history/v3/account-log"),
        (f"{D}/JsonResponses_FuturesAccount_GetAccountLogAsync",),
        of(
            SAMPLE,
            *(
                f"logs[].{name} is null, not {kind}"
                for name, kind in (
                    ("collateral", "text"),
                    ("conversion_spread_percentage", "number"),
                    ("fee", "number"),
                    ("funding_rate", "number"),
                    ("liquidation_fee", "number"),
                    ("new_average_entry_price", "number"),
                    ("old_average_entry_price", "number"),
                    ("realized_funding", "number"),
                    ("realized_pnl", "number"),
                )
            ),
        ),
    ),
    (
        "executions of ours",
        get("/api/history/v3/executions"),
        (f"{D}/Endpoints_Futures_Trading_GetExecutionEvents",),
        of(PAGED, "continuationToken is missing")
        | of(
            "the other side's is not told, and no taker was edited",
            f"{EXECUTION}.makerOrderData is missing",
            f"{EXECUTION}.oldTakerOrder is missing",
        ),
    ),
    (
        "a refusal",
        public(f"{V3}/accounts"),
        ("kraken-cli/wiremock_tests_futures_auth_error_not_retried_L624",),
        of(DOCUMENTED, "serverTime is new"),
    ),
]


@pytest.mark.parametrize(
    ("name", "ours", "theirs", "meant"), CASES, ids=[case[0] for case in CASES]
)
async def test_replies_are_like_the_recorded_ones(
    lived: Futures, name: str, ours: Ask, theirs: tuple[str, ...], meant: dict[str, str]
) -> None:
    shape = recorded(*(f"{path}.json" for path in theirs))
    assert set(shape.differences(await ours(lived))) == set(meant), name


async def test_the_history_of_orders_is_like_the_recorded_one(lived: Futures) -> None:
    path = WIRE / "ccxt" / "response.krakenfutures.json"
    if not path.exists():
        pytest.skip(f"{path} is not here: the recordings are kept outside of the repository")
    cases = json.loads(path.read_text())["cases"]
    for endpoint, methods in (
        ("orders", ("swap closed order",)),
        ("triggers", ("trigger orders", "canceled trigger orders")),
    ):
        shape = Shape()
        for case in cases:
            if case.get("description") in methods:
                shape.see(_counted(case["httpResponse"]))
        told = await lived.ask("GET", f"/api/history/v2/{endpoint}")
        meant = of(PAGED, "continuationToken is missing") if endpoint == "orders" else {}
        meant |= of(
            CASE,
            *(
                f"elements[].event.{name} is missing"
                for name in ("OrderTriggerActivated", "OrderTriggerCancelled")
            ),
        )
        assert set(shape.differences(told)) <= set(meant) | set(of(DOCUMENTED, "serverTime is new"))


def _counted(value: Any) -> Any:
    """ccxt keeps numbers as text; times and lengths are numbers."""
    if isinstance(value, dict):
        return {
            name: int(v) if name in ("timestamp", "lastUpdateTimestamp", "len") else _counted(v)
            for name, v in value.items()
        }
    return [_counted(inner) for inner in value] if isinstance(value, list) else value


# The stream


async def feed(line: Line, name: str, *, private: bool = False) -> Json:
    """Subscribe to a feed; its first message."""
    if private:
        return await line.private(name)
    await line.say(event="subscribe", feed=name, product_ids=["PF_XBTUSD"])
    assert (await line.hear())["event"] == "subscribed"
    return await line.hear()


async def test_public_feeds_are_like_the_recorded_ones(lived: Futures) -> None:
    async with aiohttp.ClientSession() as session:
        line = await connect(session, lived)
        for name, file in (
            ("ticker", "ticker"),
            ("book", "book_snapshot"),
            ("trade", "trade_snapshot"),
        ):
            assert (
                set(recorded(f"{N}/ws_futures_{file}.json").differences(await feed(line, name)))
                == set()
            ), name
        lived.trade("PF_XBTUSD", "60000", "1")
        assert (
            set(recorded(f"{N}/ws_futures_trade.json").differences(await line.until("trade")))
            == set()
        )
        lived.quote("PF_XBTUSD", "60000", "60002")
        assert (
            set(recorded(f"{N}/ws_futures_book_delta.json").differences(await line.until("book")))
            == set()
        )


async def test_public_feeds_are_like_those_of_the_capture(lived: Futures) -> None:
    if not CAPTURE.exists():
        pytest.skip(f"{CAPTURE} is not here: the recordings are kept outside of the repository")
    shapes: dict[str, Shape] = {}
    with gzip.open(CAPTURE, "rt") as lines:
        for row in map(json.loads, lines):
            if row["dir"] == "in":
                told = json.loads(row["raw"])
                shapes.setdefault(told.get("event", told.get("feed")), Shape()).see(told)
    async with aiohttp.ClientSession() as session:
        line = Line(lived, await session.ws_connect(lived.ws))
        assert set(shapes["info"].differences(await line.hear())) == set()
        for name in ("ticker_lite", "book", "trade"):
            await line.say(event="subscribe", feed=name, product_ids=["PF_XBTUSD"])
            assert set(shapes["subscribed"].differences(await line.hear())) == set()
            told = await line.hear()
            meant = (
                of("said since 2022", "volumeQuote is new")
                if name == "ticker_lite"
                else of("nothing")
            )
            assert set(shapes[told["feed"]].differences(told)) == set(meant), name


async def test_private_feeds_are_like_the_recorded_ones(lived: Futures) -> None:
    async with aiohttp.ClientSession() as session:
        line = await connect(session, lived)
        shape = recorded(f"{N}/ws_futures_open_orders_snapshot.json")
        only = of(
            "only orders that wait have one, as in the recorded changes",
            "orders[].triggerSignal is missing",
        )
        named = of(DOCUMENTED, "orders[].cli_ord_id is new")
        assert set(shape.differences(await feed(line, "open_orders", private=True))) == set(
            only | named
        )
        assert (
            set(
                recorded(f"{N}/ws_futures_fills_snapshot.json").differences(
                    await feed(line, "fills", private=True)
                )
            )
            == set()
        )
        placed = await line.send(limitPrice="60000")
        assert (
            set(recorded(f"{N}/ws_futures_open_orders_delta.json").differences(await line.hear()))
            == set()
        )
        lived.quote("PF_XBTUSD", "59990", "60000", size="0.004")
        assert (await line.hear())["reason"] == "partial_fill"
        fill = await line.hear()
        assert set(recorded(f"{N}/ws_futures_fills_delta.json").differences(fill)) == set(
            of("the order has no client order id", "fills[].cli_ord_id is missing")
        )
        await lived.ask("POST", "/api/v3/cancelorder", order_id=placed["order_id"])
        assert (
            set(recorded(f"{N}/ws_futures_open_orders_cancel.json").differences(await line.hear()))
            == set()
        )
        await line.send(limitPrice="60000", size="0.001")
        await line.hear()
        lived.quote("PF_XBTUSD", "59990", "60000")
        assert (
            set(
                recorded(f"{N}/ws_futures_open_orders_delta_full_fill.json").differences(
                    await line.hear()
                )
            )
            == set()
        )
        await line.hear()
        await line.send(orderType="post", limitPrice="70000", cliOrdId="three")
        assert (
            set(
                recorded(f"{N}/ws_futures_open_orders_cancel_post_only.json").differences(
                    await line.hear()
                )
            )
            == set()
        )


DOCS = {
    "balance",
    "pnl",
    "entry_price",
    "mark_price",
    "index_price",
    "liquidation_threshold",
    "effective_leverage",
    "return_on_equity",
}
MARGINS = {
    "initial_margin",
    "initial_margin_with_orders",
    "maintenance_margin",
    "unrealized_funding",
    "pnl_currency",
    "instrument",
}


async def test_positions_and_balances_are_as_documented(lived: Futures) -> None:
    async with aiohttp.ClientSession() as session:
        line = await connect(session, lived)
        told = await feed(line, "open_positions", private=True)
        assert set(told) == {"feed", "account", "positions", "seq", "timestamp"}
        assert set(told["positions"][0]) == DOCS | MARGINS
        told = await feed(line, "balances", private=True)
        assert set(told) == {
            "feed",
            "account",
            "holding",
            "futures",
            "flex_futures",
            "timestamp",
            "seq",
        }
        assert {"currencies", "isolated", "cross", "balance_value", "available_margin"} < set(
            told["flex_futures"]
        )
        currency = {
            "quantity",
            "value",
            "collateral_value",
            "available",
            "haircut",
            "conversion_spread",
        }
        assert set(told["flex_futures"]["currencies"]["USD"]) == currency
