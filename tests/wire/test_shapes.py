"""Every reply of REST against the recorded ones: no key too few, none too many, none of another
type; what differs is in a table, with its reason.
"""

from collections.abc import Iterable

import pytest

from engine.model.side import Side
from tests.support.wire import Json, Wire, needs_recordings, spot
from tests.wire.recorded import captured_pairs, check, load, missing, replies, result

pytestmark = needs_recordings

NAUTILUS = "nautilus-kraken/http_{}.json"
XCHANGE = "xchange/example-{}.json"
NET = "kraken.net/Endpoints_Spot_{}.json"

WHOLE = "a documentation example of another project; recorded replies have the sentence only"
ENDED = "documented for the reply of EditOrder; the one example is shorter"
EXCUSED: dict[str, dict[str, str]] = {
    "orders": {
        "cl_ord_id": "whatever the client chose; in the recording it looks like a number",
        "refid": "the order that a conditional close belongs to; none was recorded of one",
    },
    "executions": {
        "leverage": "in the exchange's documentation since 2024, in no recording",
        "aclass": "in replies of 2025, as in the `descr` of orders; these recordings are older",
    },
    "add order": dict.fromkeys(
        (
            "descr.pair",
            "descr.type",
            "descr.ordertype",
            "descr.price",
            "descr.price2",
            "descr.leverage",
        ),
        WHOLE,
    ),
    "edit order": dict.fromkeys(
        ("status", "originaltxid", "volume", "price", "price2", "orders_cancelled"), ENDED
    ),
    "assets": {"collateral_value": "of currencies that may serve as collateral: nobody lends here"},
    "positions": {
        "ordertxid": (
            "ours is empty: a position is what was sold beyond what was held, by whatever orders"
        )
    },
    "key": {
        "api_key": "any text; the example's looks like a number",
        "iban": "any text; the example's looks like a number",
        "ip_allowlist[]": "the list is empty where every address is allowed",
    },
}


async def busy(wire: Wire) -> None:
    """Orders of every kind and state."""
    wire.quote("50000.0", "50000.1", ask_size="0.5")
    wire.trade("50000.1", "0.25")
    await wire.add(volume="0.1", price="49000.0", cl_ord_id="mine-1")
    await wire.add("sell", "0.1", "51000.0", userref="7", oflags="post")
    await wire.add(
        "sell", "0.1", "45000.0", kind="stop-loss-limit", price2="44900.0", trigger="index"
    )
    await wire.add("sell", "0.1", "+1%", kind="trailing-stop")
    await wire.add("sell", "0.1", "55000.0", kind="take-profit")
    close = {
        "close[ordertype]": "stop-loss-limit",
        "close[price]": "45000",
        "close[price2]": "44000",
    }
    await wire.add(volume="0.01", price="", kind="market", **close)
    await wire.add(volume="0.8", price="50000.1")  # half a bitcoin is there
    gone = await wire.add(volume="0.1", price="48000.0")
    await wire.result("CancelOrder", txid=gone)


def orders(recorded: Json) -> list[Json]:
    told: Json = next((recorded[name] for name in ("open", "closed") if name in recorded), recorded)
    return list(told.values())


def recorded_orders() -> list[Json]:
    told = [result(NAUTILUS.format(name)) for name in ("open_orders", "closed_orders")]
    told += [
        result(XCHANGE.format(name))
        for name in (
            "openorders-data",
            "market-ask-order",
            "openorders-in-transaction-currency-data",
        )
    ]
    told += [
        result(NET.format(f"Trading_{name}"))
        for name in ("GetOpenOrders", "GetClosedOrders", "GetOrders", "GetOrders2")
    ]
    return [row for reply in told for row in orders(reply)]


def ccxt_orders() -> list[Json]:
    told = [
        reply
        for method in ("fetchOrder", "fetchOpenOrders", "fetchClosedOrders")
        for reply in replies(method)
    ]
    return [row for reply in told for row in orders(reply)]


async def our_orders(wire: Wire) -> list[Json]:
    await busy(wire)
    told = [
        await wire.result("OpenOrders", trades="true"),
        await wire.result("ClosedOrders", trades="true"),
    ]
    return [row for reply in told for row in orders(reply)]


async def test_orders() -> None:
    async with spot() as wire:
        ours = await our_orders(wire)
    # which ccxt's recordings have turned into text
    numbers = ("opentm", "closetm", "starttm", "expiretm", "userref")
    told = [
        {key: value for key, value in row.items() if key not in numbers} for row in ccxt_orders()
    ]
    check([*recorded_orders(), *told], ours, EXCUSED["orders"])


async def test_ccxts_recorded_orders_have_no_key_that_ours_lack() -> None:
    async with spot() as wire:
        ours = await our_orders(wire)
    assert missing(ccxt_orders(), ours) == []


async def test_query_orders_says_the_same_as_the_lists() -> None:
    async with spot() as wire:
        await busy(wire)
        listed = {
            **(await wire.result("OpenOrders", trades="true"))["open"],
            **(await wire.result("ClosedOrders", trades="true"))["closed"],
        }
        assert await wire.result("QueryOrders", txid=",".join(listed), trades="true") == listed


async def test_executions() -> None:
    recorded = [
        result(NAUTILUS.format("trades_history")),
        result(XCHANGE.format("tradehistory-data")),
        result(NET.format("Trading_GetUserTrades")),
    ]
    rows = [row for reply in recorded for row in reply["trades"].values()]
    async with spot() as wire:
        await busy(wire)
        await wire.add("sell", "0.1", "", kind="market", cl_ord_id="mine-2")
        told = await wire.result("TradesHistory")
        asked = await wire.result("QueryTrades", txid=next(iter(told["trades"])))
    assert isinstance(told["count"], int)
    check(rows, [*told["trades"].values(), *asked.values()], EXCUSED["executions"])
    assert all("cl_ord_id" not in row for row in told["trades"].values())


async def test_add_order() -> None:
    recorded = [
        result(NAUTILUS.format("add_order_spot")),
        result(XCHANGE.format("addorder-response-data")),
        result(XCHANGE.format("order-data")),
    ]
    recorded += [*replies("createOrder"), result(NET.format("Trading_PlaceOrder"))]
    fields = {
        "pair": "XBTUSD",
        "type": "buy",
        "ordertype": "limit",
        "price": "49000",
        "volume": "0.1",
        "leverage": "2",
    }
    async with spot() as wire:
        ours = [
            await wire.result(
                "AddOrder", **fields, **{"close[ordertype]": "stop-loss", "close[price]": "45000"}
            )
        ]
        named = await wire.result("AddOrder", **fields, cl_ord_id="mine")
    check(recorded, ours, EXCUSED["add order"])
    assert named.keys() - ours[0].keys() == {"cl_ord_id"}


async def test_the_sentence_is_written_as_recorded() -> None:
    """Clients parse it: the recorded sentences of every type, of our own pair and prices."""
    said: dict[str, str] = {}
    async with spot() as wire:
        await busy(wire)
        for row in (await wire.result("OpenOrders"))["open"].values():
            said[row["descr"]["ordertype"]] = row["descr"]["order"]
    assert said["limit"].startswith("buy 0.80000000 XBTUSD @ limit 50000.1")
    assert said["stop-loss-limit"] == "sell 0.01000000 XBTUSD @ stop loss 45000.0 -> limit 44000.0"
    assert said["trailing-stop"] == "sell 0.10000000 XBTUSD @ trailing stop +1.0000%"
    assert said["take-profit"] == "sell 0.10000000 XBTUSD @ take profit 55000.0"


async def test_other_trading_replies() -> None:
    async with spot() as wire:
        name = await wire.add(price="49000")
        edited = await wire.result("EditOrder", pair="XBTUSD", txid=name, price="48000")
        check([result(NET.format("Trading_EditOrder"))], [edited], EXCUSED["edit order"])
        rows = {f"orders[{n}][{key}]": value for n in (0, 1) for key, value in ORDER.items()}
        rows |= {"orders[0][close][ordertype]": "stop-loss", "orders[0][close][price]": "39000"}
        batch = await wire.result("AddOrderBatch", pair="XBTUSD", **rows)
        check([result(NET.format("Trading_PlaceMultipleOrders"))], [batch])
        armed = await wire.result("CancelAllOrdersAfter", timeout="60")
        check([result(NET.format("Trading_CancelAllOrdersAfter"))], [armed])
        cancelled = await wire.result("CancelOrder", txid=edited["txid"])
        check([result(NAUTILUS.format("cancel_order_spot"))], [cancelled])


ORDER = {"ordertype": "limit", "type": "buy", "price": "40000", "volume": "0.1"}


async def test_balances() -> None:
    async with spot() as wire:
        await busy(wire)
        plain, extended, equity = (
            await wire.result("Balance"),
            await wire.result("BalanceEx"),
            await wire.result("TradeBalance"),
        )
    recorded = result(NAUTILUS.format("spot_balance")) | result(
        "kraken.net/Endpoints_Spot_Account_GetBalances.json"
    )
    assert plain.keys() <= recorded.keys()
    check(recorded.values(), plain.values())
    held = result(NET.format("Account_GetAvailableBalances"))
    # an example, whose numbers should be text
    assert (
        missing(held.values(), extended.values()) == missing(extended.values(), held.values()) == []
    )
    recorded = [
        result(NAUTILUS.format("spot_trade_balance")),
        result(XCHANGE.format("tradebalanceinfo-data")),
    ]
    check(recorded, [equity, {**equity, "ml": "100.0"}])


async def test_positions() -> None:
    async with spot(cash={"USD": "100000"}) as wire:
        await wire.add("sell", "0.5", "", kind="market", leverage="2")
        single, merged = (
            await wire.result("OpenPositions"),
            await wire.result("OpenPositions", docalcs="true", consolidation="market"),
        )
    recorded = [
        *result(NAUTILUS.format("spot_open_positions")).values(),
        *result(NET.format("Account_GetOpenPositions")).values(),
    ]
    assert len(single) == 1
    check(recorded, single.values(), EXCUSED["positions"])
    [recorded_rows] = replies("fetchPositions")
    check(recorded_rows, merged)


async def test_public_market() -> None:
    async with spot() as wire:
        wire.trade("50000.1", "0.25")
        wire.trade("49999.0", "0.5", Side.SELL)
        ticker = (await wire.public("Ticker", pair="XBTUSD"))["result"]
        depth = (await wire.public("Depth", pair="XBTUSD"))["result"]
        trades = (await wire.public("Trades", pair="XBTUSD"))["result"]
        candles = (await wire.public("OHLC", pair="XBTUSD"))["result"]
        spreads = (await wire.public("Spread", pair="XBTUSD"))["result"]
    check([result(XCHANGE.format("spreads-data"))], [spreads])
    assert ticker.keys() == depth.keys() == {"XXBTZUSD"}
    assert trades.keys() == candles.keys() == {"XXBTZUSD", "last"}
    check(
        [*result(NAUTILUS.format("ticker")).values(), *replies("fetchTicker")[0].values()],
        ticker.values(),
    )
    check(
        [
            *result(NAUTILUS.format("order_book")).values(),
            *result(XCHANGE.format("depth-data")).values(),
        ],
        depth.values(),
    )
    check(rows(NAUTILUS.format("trades")), trades["XXBTZUSD"])
    check([result(NAUTILUS.format("trades"))["last"]], [trades["last"]])
    check([*rows(NAUTILUS.format("ohlc")), *rows(XCHANGE.format("ohlc-data"))], candles["XXBTZUSD"])
    check([result(NAUTILUS.format("ohlc"))["last"]], [candles["last"]])


def rows(name: str) -> Iterable[object]:
    return next(iter(value for value in result(name).values() if isinstance(value, list)))


async def test_pairs() -> None:
    markets = load("ccxt/markets.kraken.json")
    newest = [row for row in markets["newer_rows_seen_elsewhere"].values() if isinstance(row, dict)]
    async with spot() as wire:
        ours = (await wire.public("AssetPairs"))["result"]
    assert ours.keys() == {"XXBTZUSD", "XETHZUSD", "XXBTZEUR"}
    recorded = [
        *captured_pairs(),
        *result(NAUTILUS.format("asset_pairs")).values(),
        *result(NET.format("ExchangeData_GetSymbols")).values(),
    ]
    check(recorded, ours.values())
    assert missing(markets["AssetPairs"].values(), ours.values()) == []
    for row in newest:  # what was captured in 2026 is what ours says, figure by figure
        mine = next(mine for mine in ours.values() if mine["altname"] == row["altname"])
        assert {key: mine[key] for key in row} == row


async def test_assets() -> None:
    recorded = [
        *result(NET.format("ExchangeData_GetAssets")).values(),
        *result(XCHANGE.format("assets-data")).values(),
    ]
    async with spot() as wire:
        ours = (await wire.public("Assets"))["result"]
    check(recorded, ours.values(), EXCUSED["assets"])
    known = result(NET.format("ExchangeData_GetAssets"))
    assert all(
        ours[code][key] == known[code][key]
        for code in ("XXBT", "ZEUR", "ZUSD")
        for key in ("altname", "decimals", "display_decimals")
    )


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        ("Time", (NAUTILUS.format("server_time"), XCHANGE.format("servertime-data"))),
        ("SystemStatus", (NAUTILUS.format("system_status"),)),
    ],
)
async def test_the_exchange_itself(name: str, recorded: tuple[str, ...]) -> None:
    async with spot() as wire:
        told = (await wire.public(name))["result"]
    check(map(result, recorded), [told])


async def test_the_rest_of_the_account() -> None:
    async with spot() as wire:
        await wire.add(volume="0.1", price="", kind="market")
        token, ledger = await wire.result("GetWebSocketsToken"), await wire.result("Ledgers")
        asked = await wire.result("QueryLedgers", id=",".join(ledger["ledger"]))
        volume, info = (
            await wire.result("TradeVolume", pair="XBTUSD"),
            await wire.result("GetApiKeyInfo"),
        )
    check([result(XCHANGE.format("krakenWebsocketToken-data"))], [{**token, "token": "4" * 32}])
    recorded = [
        *result(XCHANGE.format("ledgerinfo-data"))["ledger"].values(),
        *result(NET.format("Account_GetLedgerInfo"))["ledger"].values(),
    ]
    check(recorded, ledger["ledger"].values())
    assert asked == ledger["ledger"]
    recorded = [
        result(XCHANGE.format("tradevolume-data")),
        result(NET.format("Account_GetTradeVolume")),
    ]
    check(recorded, [volume])
    example = result(NET.format("Account_GetApiKeyInfo"))
    check([example], [info], EXCUSED["key"])
