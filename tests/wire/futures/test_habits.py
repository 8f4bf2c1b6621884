"""What the exchange does by default as the real one does, and what it does where it is told to:
asked letter by letter.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from engine.clock import SECOND
from engine.rehearsal.scenario.words import ScenarioError, duration
from engine.wire.conduct import Conduct
from engine.wire.futures.habits import Habits, read
from tests.wire.futures.conftest import Json
from tests.wire.futures.test_stream import Line, connect

if TYPE_CHECKING:
    from tests.wire.futures.conftest import Futures, Open

V3 = "/api/v3"
PLAIN = {"orderType": "lmt", "symbol": "PF_XBTUSD", "side": "buy", "size": "0.1"}


async def send(futures: Futures, **fields: str) -> Json:
    told: Json = (await futures.ask("POST", f"{V3}/sendorder", **{**PLAIN, **fields}))["sendStatus"]
    return told


async def test_a_ticker_comes_once_a_second_and_the_book_at_once(futures: Futures) -> None:
    async with aiohttp.ClientSession() as session:
        line = Line(futures, await session.ws_connect(futures.ws))
        await line.hear()
        for feed in ("ticker", "book"):
            await line.say(event="subscribe", feed=feed, product_ids=["PF_XBTUSD"])
            await line.until(feed if feed == "ticker" else "book_snapshot")
        began, seen = asyncio.get_running_loop().time(), list[tuple[str, float]]()
        for step in range(1, 6):
            futures.quote("PF_XBTUSD", f"{60_000 + step}", f"{60_001 + step}")
        while ("ticker", True) not in [(feed, True) for feed, _ in seen]:
            told = await line.hear()
            seen.append((told["feed"], asyncio.get_running_loop().time() - began))
        books = [at for feed, at in seen if feed == "book"]
        assert len(books) >= 10
        assert max(books) < 0.5
        assert told["bid"] == 60_005, "the last price of the second"
        assert 0.3 < seen[-1][1] < 2.2


async def test_orders_status_is_a_post(futures: Futures) -> None:
    placed = await send(futures, limitPrice="50000", cliOrdId="mine")
    told = await futures.ask("POST", f"{V3}/orders/status", cliOrdIds="mine")
    assert [row["order"]["orderId"] for row in told["orders"]] == [placed["order_id"]]
    signed = futures._signer.sign("orders/status", ["private"], "GET", {})
    async with aiohttp.ClientSession() as session:
        url = signed["url"].replace("https://futures.kraken.com", futures.rest)
        async with session.get(url, headers=signed["headers"]) as answer:
            assert answer.status == 405
            assert answer.content_type == "text/html"


@pytest.mark.parametrize(
    ("mode", "total"), [(None, "0.14"), ("RELATIVE", "0.14"), ("ABSOLUTE", "0.1")]
)
async def test_an_edit_says_what_shall_rest_unless_it_says_absolute(
    futures: Futures, mode: str | None, total: str
) -> None:
    placed = await send(futures, limitPrice="60000", size="0.2")
    futures.quote("PF_XBTUSD", "59999", "60000", size="0.04")
    fields = {"orderId": placed["order_id"], "size": "0.1"} | (
        {} if mode is None else {"qtyMode": mode}
    )
    told = (await futures.ask("POST", f"{V3}/editorder", **fields))["editStatus"]
    assert told["status"] == "edited"
    (order,) = futures.world.exchange.orders.values()
    assert (f"{order.size:f}", f"{order.filled:f}") == (total, "0.04")


async def test_an_unknown_quantity_mode_is_refused(futures: Futures) -> None:
    placed = await send(futures, limitPrice="50000")
    told = await futures.ask(
        "POST", f"{V3}/editorder", orderId=placed["order_id"], size="0.1", qtyMode="SOME"
    )
    assert told["error"] == "invalidArgument: qtyMode"


async def test_a_trigger_that_was_not_touched_has_no_unfilled_size(futures: Futures) -> None:
    await send(futures, limitPrice="50000")
    await send(futures, orderType="stp", side="sell", stopPrice="50000")
    rows = {
        row["orderType"]: row
        for row in (await futures.ask("GET", f"{V3}/openorders"))["openOrders"]
    }
    assert rows["lmt"]["unfilledSize"] == 0.1
    assert "unfilledSize" not in rows["stop"]
    assert rows["stop"]["status"] == "untouched"
    futures.habits.untouched_size = True
    rows = {
        row["orderType"]: row
        for row in (await futures.ask("GET", f"{V3}/openorders"))["openOrders"]
    }
    assert rows["stop"]["unfilledSize"] == 0.1


MODES = [
    ("post_only", {"orderType": "mkt"}, "marketIsPostOnly"),
    ("post_only", {"limitPrice": "50000"}, "marketIsPostOnly"),
    ("post_only", {"orderType": "post", "limitPrice": "50000"}, "placed"),
    ("post_only", {"orderType": "stp", "side": "sell", "stopPrice": "50000"}, "placed"),
    ("cancel_only", {"orderType": "post", "limitPrice": "50000"}, "marketSuspended"),
    ("online", {"limitPrice": "50000"}, "placed"),
]


@pytest.mark.parametrize(("mode", "order", "status"), MODES)
async def test_a_market_takes_what_its_mode_allows(
    futures: Futures, mode: str, order: dict[str, str], status: str
) -> None:
    futures.world.conduct = Conduct(pair_modes={"PF_XBTUSD": mode})
    assert (await send(futures, **order))["status"] == status
    ticker = (await futures.say("GET", f"{futures.rest}/derivatives{V3}/tickers/PF_XBTUSD"))[
        "ticker"
    ]
    assert (ticker["postOnly"], ticker["suspended"]) == (mode == "post_only", mode == "cancel_only")
    other = (await futures.say("GET", f"{futures.rest}/derivatives{V3}/tickers/PF_ETHUSD"))[
        "ticker"
    ]
    assert (other["postOnly"], other["suspended"]) == (False, False)


async def test_an_order_that_would_meet_ones_own_is_refused(futures: Futures) -> None:
    await send(futures, limitPrice="60000.5")  # inside the spread
    assert (await send(futures, orderType="ioc", side="sell", limitPrice="60000"))[
        "status"
    ] == "selfFill"
    assert (await send(futures, orderType="mkt", side="sell"))["status"] == "selfFill"
    assert (await send(futures, side="sell", limitPrice="60001.5"))["status"] == "placed", (
        "they do not meet"
    )
    futures.habits.self_fill = False
    assert (await send(futures, orderType="ioc", side="sell", limitPrice="60000"))[
        "status"
    ] == "placed"


async def test_an_execution_may_be_told_later_than_an_end(opened: Open) -> None:
    futures = await opened(habits=Habits(late=20 * SECOND))
    async with aiohttp.ClientSession() as session:
        line = await connect(session, futures)
        for feed in ("fills", "open_orders"):
            await line.private(feed)
        placed = await send(futures, orderType="mkt", cliOrdId="mine")
        assert placed["status"] == "placed"
        (row,) = (await futures.ask("POST", f"{V3}/orders/status", cliOrdIds="mine"))["orders"]
        assert (row["status"], row["order"]["filled"]) == ("CANCELLED", 0)
        assert await line.silent(), "no feed says a word"
        assert (await futures.ask("GET", f"{V3}/fills"))["fills"] == []
        assert (await futures.ask("GET", f"{V3}/openpositions"))["openPositions"] == []
        assert len((await futures.ask("GET", "/api/history/v3/executions"))["elements"]) == 1, (
            "the history knows"
        )
        futures.world.clock.catch_up(21 * SECOND)
        assert len((await futures.ask("GET", f"{V3}/fills"))["fills"]) == 1
        assert len((await futures.ask("GET", f"{V3}/openpositions"))["openPositions"]) == 1


async def test_rows_lack_what_they_are_told_to_lack(opened: Open) -> None:
    futures = await opened(
        habits=Habits(drops={"openOrders": ("receivedTime",)}, nulls={"tickers": ("bid",)})
    )
    await send(futures, limitPrice="50000")
    (row,) = (await futures.ask("GET", f"{V3}/openorders"))["openOrders"]
    assert "receivedTime" not in row
    tickers = (await futures.say("GET", f"{futures.rest}/derivatives{V3}/tickers"))["tickers"]
    assert all(row["bid"] is None and row["ask"] is not None for row in tickers)


def test_habits_are_read_from_a_table() -> None:
    assert read({}, duration) == Habits()
    drops = {"feed fills": ["fee_paid"]}
    told = read(
        {
            "status_by": ["GET"],
            "edits": "total",
            "ticker_every": 0,
            "late": "20s",
            "self_fill": False,
            "drops": drops,
        },
        duration,
    )
    assert (told.status_by, told.edits, told.ticker_every, told.late, told.self_fill) == (
        ("GET",),
        "total",
        0,
        20 * SECOND,
        False,
    )
    assert told.drops == {"feed fills": ("fee_paid",)}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"edit": "total"}, "futures.edit is not known; allowed: edits, status_by"),
        ({"edits": "whole"}, "futures.edits is 'whole'; allowed: documented, remaining, total"),
        ({"status_by": ["PUT"]}, r"futures.status_by is \['PUT'\]; expected a list of GET, POST"),
        ({"self_fill": "no"}, "futures.self_fill is 'no'; expected true or false"),
        ({"late": "soon"}, "futures.late"),
        ({"drops": ["fills"]}, "futures.drops is"),
        ({"nulls": {"fills": "price"}}, "futures.nulls is"),
    ],
)
def test_a_habit_that_is_none_is_refused_by_name(table: Json, words: str) -> None:
    with pytest.raises((ValueError, ScenarioError), match=words):
        read(table, duration)
