"""Every message of WebSocket v2 against the recorded ones: acknowledgements, the numbered private
channels, and the public ones.
"""

from collections.abc import Iterable

import pytest

from engine.model.side import Side
from tests.support.wire import BTC, Json, Line, Wire, needs_recordings, spot
from tests.wire.recorded import answers, check, frames, load

pytestmark = needs_recordings

NAUTILUS = "nautilus-kraken/ws_{}.json"
NET = "kraken.net/Socket_SpotApi_{}.json"
LEVERED = "told of orders on margin; the one recording is of a liquidation"
COUNTED = "documented for trades, in no recording: the exchange may leave them out"
EXCUSED: dict[str, dict[str, str]] = {
    "trade": {
        "sender_sub_id": "of accounts with sub-accounts",
        "margin": LEVERED,
        "margin_borrow": LEVERED,
        "liquidated": "told of what the exchange did by itself; `test_liquidation` has one",
        "cum_qty": COUNTED,
        "cum_cost": COUNTED,
        "avg_price": COUNTED,
        "cl_ord_id": "the recorded orders had none",
    },
    "filled": dict.fromkeys(
        ("cancel_reason", "reason"),
        "of orders that were cancelled: no recording has the `filled` of one",
    ),
    "snapshot": {
        "cum_qty": "documented for snapshots of orders; recorded is only an empty one",
        "avg_price": "as above",
    },
    "batch": {"result.orders[].order_id": "`O1` in the example is no id"},
    "update": dict.fromkeys(
        ("data[].asks[]", "data[].asks[].price", "data[].asks[].qty"),
        "in the example, nothing changed on that side",
    ),
}


def rows(messages: Iterable[Json], exec_type: str = "") -> list[Json]:
    return [
        row
        for message in messages
        for row in message["data"]
        if exec_type in ("", row.get("exec_type"))
    ]


async def listen(line: Line, wire: Wire) -> None:
    """Both private channels, with their snapshots."""
    for channel in ("executions", "balances"):
        await line.ask("subscribe", channel=channel, token=await wire.token())
        await line.on(channel, "snapshot")


async def told(line: Line, channel: str) -> list[Json]:
    """Everything that a channel said since the snapshot."""
    await line.quiet(0.2)
    return [
        message
        for message in line.heard
        if message.get("channel") == channel and message["type"] == "update"
    ]


async def test_status_and_pong() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        check(frames("status"), line.heard)
        check([*answers("pong"), load(NAUTILUS.format("pong"))], [await line.ask("ping")])


@pytest.mark.parametrize(
    ("channel", "terms"),
    [
        ("ticker", {"symbol": [BTC]}),
        ("book", {"symbol": [BTC]}),
        ("executions", {}),
        ("balances", {}),
    ],
)
async def test_acknowledgements(channel: str, terms: dict[str, object]) -> None:
    async with spot() as wire, wire.line() as line:
        token = {"token": await wire.token()} if not terms else {}
        check(
            answers("subscribe", channel),
            [await line.ask("subscribe", channel=channel, **terms, **token)],
        )


async def test_a_trade_subscription_is_acknowledged_like_the_others() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        check(
            [load("kraken.net/Subscriptions_Spot_Trades.json")],
            [await line.ask("subscribe", channel="trade", symbol=[BTC])],
        )


async def test_a_new_order_is_pending_and_then_new() -> None:
    async with spot() as wire, wire.line() as line:
        await listen(line, wire)
        await wire.add(price="49000.0", oflags="post", userref="7")
        await wire.add(price="49000.0", cl_ord_id="b17c7bb34d000200")
        await wire.add(price="52000.0", kind="stop-loss-limit", price2="52100.0", trigger="index")
        said = await told(line, "executions")
    check(rows(frames("executions"), "pending_new"), rows(said, "pending_new"))
    check(rows(frames("executions"), "new"), rows(said, "new"))
    assert [row["exec_type"] for row in rows(said)] == ["pending_new", "new"] * 3
    check(
        [{**message, "data": []} for message in frames("executions", "update")],
        [{**message, "data": []} for message in said],
    )


async def test_an_amended_order() -> None:
    async with spot() as wire, wire.line() as line:
        await listen(line, wire)
        await wire.result(
            "AmendOrder",
            txid=await wire.add(price="49000.0", cl_ord_id="b17c7bb34d000200"),
            limit_price="48000.0",
        )
        await wire.result("AmendOrder", txid=await wire.add(price="49000.0"), order_qty="0.2")
        said = await told(line, "executions")
    check(rows(frames("executions"), "amended"), rows(said, "amended"))


async def test_a_cancelled_order() -> None:
    async with spot() as wire, wire.line() as line:
        await listen(line, wire)
        await wire.result(
            "CancelOrder", txid=await wire.add(price="49000.0", cl_ord_id="b17c7bb34d000200")
        )
        await wire.result("CancelOrder", txid=await wire.add(price="49000.0"))
        said = await told(line, "executions")
    check(rows(frames("executions"), "canceled"), rows(said, "canceled"))


async def test_trades_and_the_end_of_an_order() -> None:
    async with spot() as wire, wire.line() as line:
        await listen(line, wire)
        wire.quote("50000.0", "50000.1", "0.5")
        await wire.add(volume="0.7", price="50000.1", cl_ord_id="b17c7bb34d000200")
        wire.quote("49999.0", "50000.1", "0.4")
        await wire.add("sell", "0.1", "", kind="market")
        said = await told(line, "executions")
    kinds = [row["exec_type"] for row in rows(said)]
    assert kinds == [
        "pending_new",
        "new",
        "trade",
        "trade",
        "filled",
        "pending_new",
        "new",
        "trade",
        "filled",
    ]
    assert [row["order_status"] for row in rows(said, "trade")] == [
        "partially_filled",
        "filled",
        "filled",
    ]
    assert [row["liquidity_ind"] for row in rows(said, "trade")] == ["t", "m", "t"]
    check(rows(frames("executions"), "trade"), rows(said, "trade"), EXCUSED["trade"])
    check(rows(frames("executions"), "canceled"), rows(said, "filled"), EXCUSED["filled"])


async def test_the_numbers_of_a_trade_are_those_of_rest() -> None:
    async with spot() as wire, wire.line() as line:
        await listen(line, wire)
        name = await wire.add(volume="0.3", price="", kind="market")
        [row] = rows(await told(line, "executions"), "trade")
        [(trade, listed)] = (await wire.result("TradesHistory"))["trades"].items()
    assert (row["exec_id"], row["trade_id"], row["order_id"]) == (trade, listed["trade_id"], name)
    assert [float(listed[name]) for name in ("vol", "price", "cost")] == [
        row["last_qty"],
        row["last_price"],
        row["cost"],
    ]
    assert float(listed["fee"]) == row["fees"][0]["qty"]


async def test_snapshots() -> None:
    async with spot() as wire, wire.line() as line:
        await wire.add(price="49000.0", oflags="post", userref="7")
        await wire.add(
            price="52000.0",
            kind="stop-loss-limit",
            price2="52100.0",
            trigger="index",
            cl_ord_id="b17c7bb34d000200",
        )
        await wire.add("sell", "0.1", "", kind="market")
        await wire.add("sell", "0.1", "", kind="market", cl_ord_id="mine")
        await line.ask(
            "subscribe", channel="executions", token=await wire.token(), snap_trades=True
        )
        whole = await line.on("executions", "snapshot")
        trades = [row for row in whole["data"] if row["exec_type"] == "trade"]
        check(rows(frames("executions", "snapshot"), "trade"), trades, EXCUSED["trade"])
        check(
            rows(frames("executions"), "pending_new"),
            [row for row in whole["data"] if row not in trades],
            EXCUSED["snapshot"],
        )
        await line.ask("subscribe", channel="balances", token=await wire.token())
        check(frames("balances", "snapshot"), [await line.on("balances", "snapshot")])


async def test_an_empty_snapshot_is_told() -> None:
    async with spot() as wire, wire.line() as line:
        await line.ask("subscribe", channel="executions", token=await wire.token())
        assert await line.on("executions", "snapshot") == frames("executions", "snapshot")[0]


async def test_balances() -> None:
    async with spot() as wire, wire.line() as line:
        await listen(line, wire)
        await wire.add("sell", "0.1", "", kind="market")
        said = await told(line, "balances")
        check(frames("balances", "update"), said)
        entries = (await wire.result("Ledgers"))["ledger"]
    assert {row["ledger_id"] for row in rows(said)} == set(entries)
    assert len(entries) == 2


async def test_each_channel_counts_its_own_messages() -> None:
    async with spot() as wire, wire.line() as line:
        await listen(line, wire)
        for _ in range(3):
            await wire.add("sell", "0.1", "", kind="market")
        for channel in ("executions", "balances"):
            numbers = [message["sequence"] for message in await told(line, channel)]
            assert numbers == list(range(2, 2 + len(numbers)))
            assert len(numbers) >= 6


async def test_a_trigger_that_fires_is_told_by_a_status() -> None:
    async with spot() as wire, wire.line() as line:
        await listen(line, wire)
        await wire.add("sell", "0.1", "49500.0", kind="stop-loss")
        wire.quote("49400.0", "49400.1")
        kinds = [
            (row["exec_type"], row["order_status"]) for row in rows(await told(line, "executions"))
        ]
    assert kinds == [
        ("pending_new", "pending_new"),
        ("new", "new"),
        ("status", "new"),
        ("trade", "filled"),
        ("filled", "filled"),
    ]


async def test_a_liquidation_is_marked() -> None:
    async with spot(cash={"USD": "10000"}) as wire, wire.line() as line:
        await listen(line, wire)
        await wire.add("sell", "0.9", "", kind="market", leverage="5")
        wire.quote("60500.0", "60500.1")
        wire.later(2)
        [row] = [
            row for row in rows(await told(line, "executions"), "trade") if row.get("liquidated")
        ]
    assert (row["side"], row["last_qty"]) == ("buy", 0.9)


async def test_public_channels() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        wire.trade("50000.1", "0.25")
        for channel in ("ticker", "trade", "book"):
            await line.ask("subscribe", channel=channel, symbol=[BTC], snapshot=True)
        wire.trade("49999.0", "0.5", Side.SELL)
        wire.quote("50001.0", "50001.1")
        await line.quiet(0.2)
    said = {(m["channel"], m["type"]): m for m in line.heard if "type" in m}
    ticker, trade = load(NAUTILUS.format("ticker_snapshot")), load(NAUTILUS.format("trade_update"))
    check(
        [ticker, {**ticker, "type": "update"}],
        [said["ticker", "snapshot"], said["ticker", "update"]],
    )
    check([trade], [said["trade", "snapshot"], said["trade", "update"]])
    check([load(NAUTILUS.format("book_snapshot"))], [said["book", "snapshot"]])
    check([load(NAUTILUS.format("book_update"))], [said["book", "update"]], EXCUSED["update"])


async def test_prints_are_numbered_on_when_the_oldest_are_forgotten() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        await line.ask("subscribe", channel="trade", symbol=[BTC])
        for n in range(1005):
            wire.trade("50000.1", f"0.{n + 1:08d}")
        told = [row["trade_id"] for message in await line.quiet(0.5) for row in message["data"]]
        listed = (await wire.public("Trades", pair="XBTUSD"))["result"]["XXBTZUSD"]
    assert told == list(range(1, 1006))
    assert [row[6] for row in listed] == told[-1000:]


async def test_answers_to_trading() -> None:
    async with spot() as wire, wire.line() as line:
        token = await wire.token()
        order = {
            "order_type": "limit",
            "side": "buy",
            "order_qty": 0.1,
            "symbol": BTC,
            "limit_price": 30000.0,
            "token": token,
        }
        added = await line.ask("add_order", **order, cl_ord_id="O-20260505-000001")
        counted = await line.ask("add_order", **order, order_userref=7)
        success = load(NAUTILUS.format("add_order_response_success"))
        plain = load(NET.format("PlaceOrder"))
        check([success, plain], [added, counted])
        failed = await line.ask("add_order", **{**order, "order_qty": 1000})
        check([load(NAUTILUS.format("add_order_response_failure"))], [failed])
        orders = [{**order, "cl_ord_id": "O-A"}, {**order, "order_qty": 1000, "cl_ord_id": "O-B"}]
        batch = await line.ask("batch_add", symbol=BTC, orders=orders, token=token)
        check([load(NAUTILUS.format("batch_add_response_partial"))], [batch], EXCUSED["batch"])
        amended = await line.ask("amend_order", cl_ord_id="O-A", limit_price=31000.0, token=token)
        check([load(NET.format("EditOrder"))], [amended])
        edited = await line.ask(
            "edit_order",
            order_id=counted["result"]["order_id"],
            symbol=BTC,
            limit_price=32000.0,
            token=token,
        )
        check([load(NET.format("ReplaceOrder"))], [edited])
        cancelled = await line.ask(
            "cancel_order", order_id=[edited["result"]["order_id"]], token=token
        )
        check([load(NET.format("CancelOrders"))], [cancelled])
        check(
            [load(NET.format("CancelAllOrdersAfter"))],
            [await line.ask("cancel_all_orders_after", timeout=60, token=token)],
        )
        check([load(NET.format("CancelAllOrders"))], [await line.ask("cancel_all", token=token)])
