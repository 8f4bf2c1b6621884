"""What other programs' clients ask for: keys as asked, filters, candles on the socket, a past,
amends, orders that begin later, several keys, TLS.
"""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest

from engine.clock import Clock
from engine.exchange import Faults
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from engine.wire.keys import Key, new_secret
from engine.wire.server import Server, open_world
from engine.wire.spot.candles import INTERVALS, KEPT
from engine.wire.spot.past import PRINTS
from engine.wire.tls import self_signed
from tests.support.wire import BTC, D, Wire, spot


@pytest.mark.parametrize("question", ["AssetPairs", "Ticker", "Depth", "Trades", "OHLC", "Spread"])
@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ("BTC/USD", "BTC/USD"),
        ("XBT/USD", "XBT/USD"),
        ("XBTUSD", "XXBTZUSD"),
        ("XXBTZUSD", "XXBTZUSD"),
    ],
)
async def test_an_answer_is_keyed_as_asked_where_that_has_a_slash(
    question: str, asked: str, key: str
) -> None:
    async with spot() as wire:
        wire.trade("50000.1", "0.1")
        told = (await wire.public(question, pair=asked))["result"]
        assert key in told
        assert "last" in told or len(told) == 1


async def test_asset_version_one_calls_things_by_their_plain_names() -> None:
    async with spot() as wire:
        assert {"XXBT", "ZUSD"} <= (await wire.public("Assets"))["result"].keys()
        assert {"BTC", "USD"} <= (await wire.public("Assets", assetVersion="1"))["result"].keys()
        assert {"BTC", "USD"} <= (await wire.result("Balance", assetVersion="1")).keys()
        assert {"BTC", "USD"} <= (await wire.result("BalanceEx", assetVersion="1")).keys()
        row = (await wire.public("AssetPairs", assetVersion="1", pair="XBTUSD"))["result"][BTC]
        assert (row["base"], row["quote"]) == ("BTC", "USD")


async def test_filters_are_heard() -> None:
    async with spot() as wire:
        assert (await wire.public("Assets", asset="XBT,USD"))["result"].keys() == {"XXBT", "ZUSD"}
        assert (await wire.public("Assets", asset="NONE"))["error"] == ["EQuery:Unknown asset"]
        assert (await wire.public("AssetPairs", aclass_base="tokenized_asset"))["result"] == {}
        assert (await wire.public("AssetPairs", aclass_base="stones"))["error"] == [
            "EGeneral:Invalid arguments:aclass_base"
        ]
        assert (await wire.public("AssetPairs", info="fees", pair="XBTUSD"))["result"][
            "XXBTZUSD"
        ].keys() == {
            "fees",
            "fees_maker",
            "fee_volume_currency",
        }
        assert (await wire.public("AssetPairs", info="all"))["error"] == [
            "EGeneral:Invalid arguments:info"
        ]
        for n in range(5):
            wire.trade(f"5000{n}.0", "0.1")
        told = (await wire.public("Trades", pair="XBTUSD", count="2"))["result"]
        assert [row[0] for row in told["XXBTZUSD"]] == ["50003.00000", "50004.00000"]
        first = (await wire.public("Trades", pair="XBTUSD", since="1", count="2"))["result"]
        assert [row[0] for row in first["XXBTZUSD"]] == ["50000.00000", "50001.00000"]
        then = (await wire.public("Trades", pair="XBTUSD", since=first["last"], count="2"))[
            "result"
        ]
        assert [row[0] for row in then["XXBTZUSD"]] == ["50002.00000", "50003.00000"], (
            "last leads to the next page"
        )


async def test_a_price_with_too_many_digits_is_refused_in_recorded_words() -> None:
    async with spot() as wire:
        told = await wire.error(
            "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", volume="0.1", price="40000.05"
        )
        assert told == "EOrder:Invalid price:XBT/USD price can only be specified up to 1 decimals."


async def test_candles_are_told_on_the_socket() -> None:
    async with spot() as wire, wire.line(private=False) as line:
        wire.trade("50010", "0.2")
        told = await line.ask("subscribe", channel="ohlc", symbol=[BTC], interval=5)
        assert told["result"]["interval"] == 5
        snapshot = await line.on("ohlc", "snapshot")
        assert [(row["close"], row["trades"]) for row in snapshot["data"]] == [(50010, 1)]
        wire.trade("50020", "0.1", Side.SELL)
        (row,) = (await line.on("ohlc"))["data"]
        assert (row["symbol"], row["interval"], row["close"], row["high"], row["trades"]) == (
            BTC,
            5,
            50020,
            50020,
            2,
        )
        assert row["volume"] == pytest.approx(0.3)
        assert row["interval_begin"].endswith("00.000000000Z")
        await line.ask("unsubscribe", channel="ohlc", symbol=[BTC], interval=5)
        wire.trade("50030", "0.1")
        assert not [m for m in await line.quiet() if m.get("channel") == "ohlc"]
        assert (await line.ask("subscribe", channel="ohlc", symbol=[BTC], interval=7))[
            "error"
        ] == "Interval not supported 7"


async def test_a_market_has_a_past_where_it_is_asked_for_one() -> None:
    async with spot(quiet=True) as wire:
        wire.world.past = 7
        wire.quote("50000.0", "50000.1")
        wire.trade("50000.1", "0.1")
        trades = (await wire.public("Trades", pair="XBTUSD"))["result"]["XXBTZUSD"]
        assert len(trades) == PRINTS
        assert [row[2] for row in trades] == sorted(row[2] for row in trades)
        assert [row[6] for row in trades] == list(range(2, PRINTS + 2)), "numbered without a gap"
        for interval in INTERVALS:
            rows = (await wire.public("OHLC", pair="XBTUSD", interval=str(interval)))["result"][
                "XXBTZUSD"
            ]
            assert len(rows) == KEPT
            starts = [row[0] for row in rows]
            assert starts == [starts[0] + n * interval * 60 for n in range(KEPT)]
            for row in rows:
                opening, high, low, close = (D(text) for text in row[1:5])
                assert low <= min(opening, close)
                assert max(opening, close) <= high
        # the same seed tells the same past
    async with spot(quiet=True) as wire:
        wire.world.past = 7
        wire.quote("50000.0", "50000.1")
        again = (await wire.public("Trades", pair="XBTUSD"))["result"]["XXBTZUSD"]
        assert [row[0] for row in again[1:]] == [row[0] for row in trades[:-1]]


async def test_the_changes_of_an_order_are_told() -> None:
    async with spot() as wire:
        name = await wire.add("buy", "0.1", "40000")
        assert [
            row["amend_type"] for row in (await wire.result("OrderAmends", order_id=name))["amends"]
        ] == ["original"]
        amend = (await wire.result("AmendOrder", txid=name, limit_price="39000"))["amend_id"]
        await wire.result("AmendOrder", txid=name, order_qty="0.2")
        told = await wire.result("OrderAmends", order_id=name)
        assert told["count"] == 3
        assert [(D(row["limit_price"]), D(row["order_qty"])) for row in told["amends"]] == [
            (D(40_000), D("0.1")),
            (D(39_000), D("0.1")),
            (D(39_000), D("0.2")),
        ]
        assert told["amends"][1]["amend_id"] == amend
        assert (
            await wire.error("OrderAmends", order_id="OAAAAA-BBBBB-CCCCCC")
            == "EOrder:Unknown order"
        )


async def test_an_order_may_begin_later() -> None:
    async with spot() as wire, wire.line() as line:
        await line.ask("subscribe", channel="executions", token=await wire.token())
        name = await wire.add("buy", "0.1", "50500", starttm="+1")
        other = await wire.add("buy", "0.1", "50500", starttm="+600")
        listed = (await wire.result("OpenOrders"))["open"]
        assert {name: listed[name]["status"], other: listed[other]["status"]} == {
            name: "pending",
            other: "pending",
        }
        assert listed[name]["starttm"] > 0
        assert await wire.result("CancelOrder", txid=other) == {"count": 1}
        assert other not in (await wire.result("OpenOrders"))["open"]
        assert (await wire.result("QueryOrders", txid=other))[other]["status"] == "canceled"
        assert not wire.world.exchange.fills
        row = await line.row("executions", exec_type="trade", order_id=name)
        assert row["last_qty"] == 0.1
        assert (await wire.result("QueryOrders", txid=name))[name]["status"] == "closed"


async def test_orders_of_one_account_may_come_with_several_keys() -> None:
    secret, second = new_secret(), new_secret()
    profile = load_profile("kraken-spot")
    instruments = [instrument_for(profile, BTC, D("0.1"))]
    world = open_world(
        profile, instruments, {"USD": D(100_000)}, "USD", seed=1, faults=Faults(), state=None
    )
    other = Key("OTHER", second, ("query-open-trades", "create-ws-token"))
    server = Server(world, Key("ONE", secret), secret, more=[(other, second)])
    await server.start(0, (), Clock(asyncio.get_running_loop()))
    try:
        async with aiohttp.ClientSession() as session:
            wire = Wire(server, session)
            wire.quote("50000.0", "50000.1")
            name = await wire.add("buy", "0.1", "40000")
            for nonce in ("5", "6"):  # its nonces are its own
                told = await wire.signed(
                    "OpenOrders", f"nonce={nonce}", nonce, key="OTHER", secret=second
                )
                assert list(told["result"]["open"]) == [name]
            told = await wire.signed(
                "CancelOrder", f"nonce=7&txid={name}", "7", key="OTHER", secret=second
            )
            assert told["error"] == ["EGeneral:Permission denied"]
            assert (await wire.signed("OpenOrders", "nonce=8", "8", key="OTHER", secret=secret))[
                "error"
            ] == ["EAPI:Invalid signature"]
            told = await wire.signed(
                "GetWebSocketsToken", "nonce=9", "9", key="OTHER", secret=second
            )
            async with wire.line() as line:
                answer = await line.ask(
                    "subscribe", channel="executions", token=told["result"]["token"]
                )
                assert answer["success"]
                answer = await line.ask(
                    "cancel_order", order_id=[name], token=told["result"]["token"]
                )
                assert answer["error"] == "EGeneral:Permission denied"
        assert server.ready["keys"] == [{"key": "OTHER", "secret": second}]
    finally:
        await server.close()


async def test_tls_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    secret, profile = new_secret(), load_profile("kraken-spot")
    world = open_world(
        profile,
        [instrument_for(profile, BTC, D("0.1"))],
        {"USD": D(1)},
        "USD",
        seed=1,
        faults=Faults(),
        state=None,
    )
    server = Server(world, Key("ONE", secret), secret, tls=self_signed(tmp_path / "tls"))
    await server.start(0, (), Clock(asyncio.get_running_loop()))
    try:
        ready = server.ready
        assert str(ready["rest"]).startswith("https://")
        trusted = ssl.create_default_context(cafile=str(ready["certificate"]))
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{ready['rest']}/0/public/Time", ssl=trusted) as answer:
                assert (await answer.json())["error"] == []
            async with session.ws_connect(f"{ready['ws']}/v2", ssl=trusted) as socket:
                assert (await socket.receive_json())["channel"] == "status"
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"{ready['rest']}/0/public/Time")
        assert (tmp_path / "tls" / "exchange.key").stat().st_mode & 0o077 == 0
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:expiretm"),
        ({"timeinforce": "GTD", "expiretm": "1"}, "EGeneral:Invalid arguments:expiretm"),
        ({"starttm": "+20", "expiretm": "+10"}, "EGeneral:Invalid arguments:starttm"),
        ({"starttm": "soon"}, "EGeneral:Invalid arguments:starttm"),
    ],
)
async def test_times_that_make_no_sense_are_refused(terms: dict[str, str], error: str) -> None:
    async with spot() as wire:
        assert (
            await wire.error(
                "AddOrder",
                pair="XBTUSD",
                type="buy",
                ordertype="limit",
                volume="0.1",
                price="40000",
                **terms,
            )
            == error
        )


async def test_fill_or_kill_and_good_till_date() -> None:
    async with spot() as wire:
        wire.depth({"50000.0": "5"}, {"50000.1": "0.05", "50001.0": "5"}, snapshot=True)
        killed = await wire.add("buy", "0.1", "50000.1", timeinforce="FOK")
        filled = await wire.add("buy", "0.1", "50001", timeinforce="FOK")
        resting = await wire.add("buy", "0.1", "40000", timeinforce="GTD", expiretm="+10")
        told = await wire.result("QueryOrders", txid=f"{killed},{filled}")
        assert (told[killed]["status"], D(told[killed]["vol_exec"])) == ("canceled", D(0))
        assert (told[filled]["status"], D(told[filled]["vol_exec"])) == ("closed", D("0.1"))
        assert (await wire.result("QueryOrders", txid=resting))[resting]["status"] == "open"
        wire.later(11)
        assert (await wire.result("QueryOrders", txid=resting))[resting]["status"] == "expired"
