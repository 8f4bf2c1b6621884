"""The exchange as it is documented where that surprises a client: merged fills, self-trade
prevention, modes, error pages, rows that lack fields.
"""

import json
from decimal import Decimal

import pytest

from engine.clock import SECOND
from engine.exchange import Interval
from engine.model.side import Side
from engine.wire.conduct import MODES, PAGES, Conduct, read
from engine.wire.spot import odd
from tests.support.wire import BTC, D, Wire, spot


async def _taken(wire: Wire, side: str = "buy", volume: str = "0.3") -> str:
    """An order that takes three levels."""
    wire.depth(
        {"50000.0": "0.1", "49990.0": "0.1", "49980.0": "5"},
        {"50000.1": "0.1", "50010.0": "0.1", "50020.0": "5"},
        snapshot=True,
    )
    return await wire.add(side, volume, "50500" if side == "buy" else "49500", timeinforce="IOC")


@pytest.mark.hazard("H77")
async def test_what_an_order_took_is_one_row_unless_asked_for_each() -> None:
    async with spot() as wire:
        name = await _taken(wire)
        merged = (await wire.result("TradesHistory"))["trades"]
        each = (await wire.result("TradesHistory", consolidate_taker="false"))["trades"]
        assert (len(merged), len(each)) == (1, 3)
        ((told, row),) = merged.items()
        assert told not in each
        assert row["ordertxid"] == name
        for key in ("vol", "cost", "fee"):
            assert D(row[key]) == sum((D(one[key]) for one in each.values()), D(0)), key
        assert D(row["price"]) == (D(row["cost"]) / D(row["vol"])).quantize(D("0.1"))
        assert sorted(row["ledgers"]) == sorted(
            entry for one in each.values() for entry in one["ledgers"]
        )
        assert (await wire.result("QueryTrades", txid=told))[told] == row


@pytest.mark.hazard("H77")
@pytest.mark.parametrize(("question", "key"), [("QueryOrders", None), ("ClosedOrders", "closed")])
async def test_an_order_lists_the_row_that_the_history_lists(
    question: str, key: str | None
) -> None:
    async with spot() as wire:
        name = await _taken(wire)
        told = await wire.result(question, trades="true", **({"txid": name} if key is None else {}))
        assert (told if key is None else told[key])[name]["trades"] == list(
            (await wire.result("TradesHistory"))["trades"]
        )
        told = await wire.result(
            question,
            trades="true",
            consolidate_taker="false",
            **({"txid": name} if key is None else {}),
        )
        history = await wire.result("TradesHistory", consolidate_taker="false")
        assert sorted((told if key is None else told[key])[name]["trades"]) == sorted(
            history["trades"]
        )


async def test_what_rested_and_was_taken_is_never_merged() -> None:
    async with spot() as wire:
        await wire.add("buy", "0.3", "49900")
        wire.trade("49900", "0.1", Side.SELL)
        wire.trade("49900", "0.1", Side.SELL)
        rows = (await wire.result("TradesHistory"))["trades"]
        assert all(row["maker"] for row in rows.values())
        assert rows == (await wire.result("TradesHistory", consolidate_taker="false"))["trades"]


async def test_consolidate_taker_is_yes_or_no() -> None:
    async with spot() as wire:
        assert (
            await wire.error("TradesHistory", consolidate_taker="perhaps")
            == "EGeneral:Invalid arguments:consolidate_taker"
        )


@pytest.mark.hazard("H81")
@pytest.mark.parametrize(
    ("how", "newest", "oldest"),
    [
        ("", "canceled", "open"),
        ("cancel-newest", "canceled", "open"),
        ("cancel-oldest", "closed", "canceled"),
        ("cancel-both", "canceled", "canceled"),
    ],
)
async def test_an_order_that_would_meet_its_own_account_ends_as_asked(
    how: str, newest: str, oldest: str
) -> None:
    async with spot() as wire:
        resting = await wire.add("buy", "0.1", "49995")
        wire.depth({"49990.0": "5"}, {"50010.0": "5"}, snapshot=True)
        fields = {"stptype": how} if how else {}
        arriving = await wire.add("sell", "0.1", "", kind="market", **fields)
        told = await wire.result("QueryOrders", txid=f"{resting},{arriving}")
        assert (told[arriving]["status"], told[resting]["status"]) == (newest, oldest)
        for name in (arriving, resting):
            if told[name]["status"] == "canceled":
                assert told[name]["reason"] == "Self trade prevention"
                assert D(told[name]["vol_exec"]) == 0


async def test_what_is_better_than_our_own_is_taken_first() -> None:
    async with spot() as wire:
        await wire.add("buy", "0.1", "49985")
        wire.depth({"49990.0": "0.04", "49980.0": "5"}, {"50010.0": "5"}, snapshot=True)
        arriving = await wire.add("sell", "0.1", "", kind="market")
        told = (await wire.result("QueryOrders", txid=arriving))[arriving]
        assert (told["status"], D(told["vol_exec"])) == ("canceled", D("0.04"))


async def test_an_order_within_its_bound_does_not_meet_what_lies_beyond() -> None:
    async with spot() as wire:
        await wire.add("buy", "0.1", "49000")
        wire.depth({"49990.0": "0.04", "49980.0": "5"}, {"50010.0": "5"}, snapshot=True)
        arriving = await wire.add("sell", "0.06", "49500", timeinforce="IOC")
        assert (await wire.result("QueryOrders", txid=arriving))[arriving]["status"] == "closed"


@pytest.mark.hazard("H83")
@pytest.mark.parametrize(
    ("mode", "market", "limit", "post"),
    [
        ("online", True, True, True),
        ("post_only", False, False, True),
        ("limit_only", False, True, True),
        ("cancel_only", False, False, False),
        ("reduce_only", False, False, False),
        ("maintenance", False, False, False),
    ],
)
async def test_a_mode_refuses_orders_by_name(
    mode: str, market: bool, limit: bool, post: bool
) -> None:
    async with spot() as wire:
        resting = await wire.add("buy", "0.1", "40000")
        wire.world.conduct = Conduct(pair_modes={BTC: mode})
        assert (await wire.public("AssetPairs", pair="XBTUSD"))["result"]["XXBTZUSD"][
            "status"
        ] == mode
        wanted = (
            "EService:Unavailable" if mode == "maintenance" else f"EService:Market in {mode} mode"
        )
        common = {"pair": "XBTUSD", "type": "buy", "volume": "0.1"}
        for admitted, terms in (
            (market, {"ordertype": "market"}),
            (limit, {"ordertype": "limit", "price": "40000"}),
            (post, {"ordertype": "limit", "price": "40000", "oflags": "post"}),
        ):
            told = await wire.private("AddOrder", **common, **terms)
            assert told["error"] == ([] if admitted else [wanted])
        assert (await wire.result("CancelOrder", txid=resting)) == {"count": 1}


async def test_the_mode_is_told_on_the_status_channel_and_by_instruments() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        await line.ask("subscribe", channel="instrument")
        snapshot = await line.on("instrument", "snapshot")
        assert {pair["status"] for pair in snapshot["data"]["pairs"]} == {"online"}
        wire.world.conduct = Conduct(pair_modes={BTC: "cancel_only"})
        told = await line.on("instrument")
        assert [(pair["symbol"], pair["status"]) for pair in told["data"]["pairs"]] == [
            (BTC, "cancel_only")
        ]
        wire.world.conduct = Conduct(mode="post_only")
        told = await line.on("status")
        assert told["data"][0]["system"] == "post_only"
        assert (await wire.public("SystemStatus"))["result"]["status"] == "post_only"
        wire.world.conduct = Conduct()
        assert (await line.on("status"))["data"][0]["system"] == "online"


async def test_reports_count_the_rate_where_that_is_asked_for() -> None:
    async with spot() as wire, wire.line() as line, wire.line() as plain:
        token = await wire.token()
        await line.ask("subscribe", channel="executions", token=token, ratecounter=True)
        await plain.ask("subscribe", channel="executions", token=token)
        await wire.add("buy", "0.1", "40000")
        assert (await line.row("executions", exec_type="new"))["ratecount"] == 1
        await wire.add("buy", "0.1", "40001")
        assert (await line.row("executions", exec_type="new"))["ratecount"] == 2
        assert "ratecount" not in await plain.row("executions", exec_type="new")


@pytest.mark.hazard("H86")
async def test_rows_may_lack_fields() -> None:
    async with spot() as wire, wire.line() as line, wire.line(private=False) as prices:
        wire.world.conduct = Conduct(odd_rows=True)
        await line.ask("subscribe", channel="executions", token=await wire.token())
        rows = {row["order_id"]: row for row in (await line.on("executions", "snapshot"))["data"]}
        assert "order_qty" not in rows[odd.FOREIGN]
        assert rows[odd.MALFORMED]["limit_price"] is None
        listed = (await wire.result("OpenOrders"))["open"]
        assert "vol" not in listed[odd.FOREIGN]
        assert listed[odd.MALFORMED]["vol_exec"] is None
        await prices.ask("subscribe", channel="ticker", symbol=[BTC])
        told = await prices.until(
            lambda m: m.get("channel") == "ticker" and m["data"][0]["symbol"] == odd.NO_MARKET
        )
        assert told["data"][0]["bid"] is None


@pytest.mark.hazard("H87")
@pytest.mark.parametrize("status", PAGES)
async def test_a_page_of_the_edge_has_its_status(status: int) -> None:
    async with spot() as wire:
        wire.world.conduct = Conduct(error_page=1.0, pages=(status,))
        async with wire.session.get(f"{wire.base}/0/public/Time") as answer:
            assert answer.status == status
            assert answer.content_type in ("text/html", "text/plain")
            with pytest.raises(json.JSONDecodeError):
                json.loads(await answer.text())


@pytest.mark.parametrize(("status", "acts"), [(403, {0}), (429, {0}), (502, {0, 1}), (520, {0, 1})])
async def test_only_some_pages_leave_open_what_became_of_a_request(
    status: int, acts: set[int]
) -> None:
    async with spot() as wire:
        wire.world.conduct = Conduct(error_page=1.0, pages=(status,))
        seen = set()
        for _ in range(12):
            before = len(wire.world.exchange.orders)
            with pytest.raises(AssertionError):
                await wire.private(
                    "AddOrder",
                    pair="XBTUSD",
                    type="buy",
                    ordertype="limit",
                    volume="0.0001",
                    price="40000",
                )
            seen.add(len(wire.world.exchange.orders) - before)
        assert seen == acts


@pytest.mark.hazard("H84")
async def test_deadlines_and_times_go_by_the_exchanges_clock() -> None:
    async with spot() as wire:
        before = (await wire.public("Time"))["result"]["unixtime"]
        wire.later(90)
        assert 89 <= (await wire.public("Time"))["result"]["unixtime"] - before <= 92
        from datetime import UTC, datetime, timedelta

        near = (datetime.now(UTC) + timedelta(seconds=10)).isoformat()
        told = await wire.private(
            "AddOrder",
            pair="XBTUSD",
            type="buy",
            ordertype="limit",
            volume="0.1",
            price="40000",
            deadline=near,
        )
        assert told["error"] == ["EService:Deadline elapsed"]


async def test_a_fee_may_be_told_in_two_currencies() -> None:
    async with spot() as wire, wire.line() as line:
        wire.world.conduct = Conduct(fee_credits=True)
        await line.ask("subscribe", channel="executions", token=await wire.token())
        name = await wire.add("buy", "0.1", "50500")
        row = await line.row("executions", exec_type="trade", order_id=name)
        assert [fee["asset"] for fee in row["fees"]] == ["KFEE", "USD"]
        (fill,) = wire.world.exchange.fills
        assert Decimal(str(row["fees"][1]["qty"])) == fill.fee


def test_a_conduct_is_read_and_what_is_wrong_is_named() -> None:
    def duration(text: object, _: str) -> int:
        return int(str(text).removesuffix("s")) * SECOND

    told = read(
        {
            "error_page": 0.1,
            "pages": [502],
            "ahead": "-3s",
            "mode": "post_only",
            "modes": {"every": "60s", "lasts": "5s"},
            "odd_rows": True,
            "fee_credits": True,
            "always_merged": True,
        },
        duration,
    )
    assert told == Conduct(
        0.1,
        (502,),
        -3 * SECOND,
        "post_only",
        Interval(60 * SECOND, 5 * SECOND),
        odd_rows=True,
        always_merged=True,
        fee_credits=True,
    )
    assert (
        told.mode_of(BTC, 0),
        told.mode_of(BTC, 61 * SECOND),
        told.mode_of(None, 66 * SECOND),
    ) == ("online", "post_only", "online")
    for table, words in (
        ({"error_page": 2}, "error_page"),
        ({"mode": "closed"}, MODES[1]),
        ({"pages": [418]}, "429"),
        ({"typo": 1}, "typo"),
    ):
        with pytest.raises(ValueError, match=words):
            read(table, duration)
