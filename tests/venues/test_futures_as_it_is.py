"""Kraken Futures as it is: rows that lack fields, modes, throttled tickers, edits, pages, clocks.
An engine that expects less loses money.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Status
from engine.model.quote import Depth, Level
from engine.model.request import Amend, Lane, QueryAccount
from engine.model.side import Side
from engine.venues.live.kraken_futures import modes as kraken_futures_modes
from engine.venues.protocol import OutcomeUnknownError, RateLimitedError, RefusedError
from engine.wire.conduct import Conduct
from engine.wire.futures.connection import Connection
from tests.support.futures import SYMBOL, D, Line, line

STOP: dict[str, Any] = {
    "type_": OrderType.STOP,
    "role": Role.STOP,
    "trigger": D(50_000),
    "reduce_only": True,
}


async def picture(wire: Line) -> r.Picture:
    (told,) = await wire.venue.send(QueryAccount(wire.exchange.clock.now() - 3600 * SECOND))
    assert isinstance(told, r.Picture)
    return told


def foreign(wire: Line, side: Side = Side.SELL, **terms: Any) -> Order:  # Any: fields of an order
    """An order of another program, which the venue has not sent."""
    order = wire.order(side, **{**STOP, "reduce_only": False})
    order = replace(order, **terms)
    return replace(order, client_order_id=f"WEB{order.client_order_id[-6:]}")


async def send_foreign(wire: Line, order: Order, home: Path) -> None:
    """Send it from another process, as it were."""
    other = wire.exchange.venue(home / "other")
    await other.open()
    await other.signed("private_post_sendorder", other.fields(order), 0)  # type: ignore[attr-defined]
    await other.close()


# H85: absent is unknown


@pytest.mark.hazard("H85")
async def test_a_stop_that_was_not_touched_is_listed_with_its_size(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        await wire.place(wire.order())
        stop = wire.order(Side.SELL, **STOP)
        await wire.place(stop)
        theirs = foreign(wire, size=D("0.3"))
        await send_foreign(wire, theirs, tmp_path)
        await wire.until(lambda: wire.venue.known.order(theirs.client_order_id), "word of it")
        # as after a start, when nobody has told it
        del wire.venue.known._orders[theirs.client_order_id]
        listed = {order.client_order_id: order for order in (await picture(wire)).orders}
        assert listed[stop.client_order_id].size == D("0.1")
        assert listed[theirs.client_order_id].size == D("0.3"), "its size was asked for elsewhere"
        assert listed[theirs.client_order_id].foreign


@pytest.mark.hazard("H85")
async def test_an_order_whose_size_nobody_tells_is_told_and_left_out(tmp_path: Path) -> None:
    async with line(tmp_path, status_by=()) as wire:
        theirs = foreign(wire)
        await send_foreign(wire, theirs, tmp_path)
        wire.venue.known._orders.clear()  # the stream has told it, too
        assert (await picture(wire)).orders == ()
        (told,) = wire.told(r.Noticed)
        assert told.code == "ROW_SKIPPED"
        assert SYMBOL in told.subject
        await picture(wire)
        assert len(wire.told(r.Noticed)) == 1, "once"


@pytest.mark.hazard("H85")
@pytest.mark.parametrize("gone", ["size", "side"])
async def test_a_position_that_lacks_a_field_is_no_answer(gone: str, tmp_path: Path) -> None:
    async with line(tmp_path, drops={"openPositions": (gone,)}) as wire:
        await wire.place(wire.order())
        with pytest.raises(OutcomeUnknownError, match="a position or a balance without"):
            await picture(wire)


# H86: the fault domain is the row


@pytest.mark.hazard("H86")
async def test_a_row_of_the_stream_that_can_not_be_read_ends_nothing(tmp_path: Path) -> None:
    async with line(tmp_path, drops={"feed open_orders": ("direction",)}) as wire:
        await send_foreign(
            wire, foreign(wire, type=OrderType.LIMIT, trigger=None, price=D(70_000)), tmp_path
        )
        await wire.until(
            lambda: [t for t in wire.told(r.Noticed) if t.code == "ROW_SKIPPED"], "word of the row"
        )
        entry = wire.order()
        await wire.place(entry)
        await wire.until(lambda: wire.told(r.Filled, entry.client_order_id), "an execution")
        assert not wire.told(r.Disconnected)


@pytest.mark.hazard("H86")
async def test_an_execution_that_can_not_be_read_is_asked_for(tmp_path: Path) -> None:
    async with line(tmp_path, drops={"feed fills": ("price",)}) as wire:
        entry = wire.order()
        await wire.place(entry)
        await wire.until(
            lambda: wire.told(r.Filled, entry.client_order_id), "the execution, over REST"
        )
        assert [t.code for t in wire.told(r.Noticed)] == ["ROW_SKIPPED"]
        assert not wire.told(r.Disconnected)


@pytest.mark.hazard("H86")
async def test_a_null_price_of_one_market_silences_no_other(tmp_path: Path) -> None:
    async with line(
        tmp_path,
        nulls={"feed ticker": ("bid", "bid_size", "next_funding_rate_time"), "feed book": ("qty",)},
    ) as wire:
        connects = [socket.connects for socket in (wire.venue._private.socket,)]
        wire.habits.nulls = {}
        wire.price("59000.0", "59000.1")
        await wire.until(lambda: wire.quotes[-1].bid == D(59_000), "a price")
        assert connects == [1]


@pytest.mark.hazard("H86")
async def test_a_refused_subscription_is_told_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Connection._signed
    monkeypatch.setattr(Connection, "_signed", lambda *_: False)
    async with line(tmp_path, connect=False) as wire:
        await wire.venue.connect(wire.report, wire.quotes.append)
        await wire.until(lambda: wire.told(r.Noticed), "word of the refusal")
        told = wire.told(r.Noticed)[0]
        assert (told.code, told.subject) == ("FEED_REFUSED", "orders and fills")
        assert "authenticated feed" in told.text
        monkeypatch.setattr(Connection, "_signed", honest)
        await wire.until(lambda: wire.told(r.Connected), "connection")
        assert wire.told(r.Noticed)[-1].text == "", "it is over"


# H90: documented methods, explicit quantities


@pytest.mark.hazard("H90")
@pytest.mark.parametrize("methods", [("POST",), ("GET",), ("GET", "POST"), ()])
async def test_an_order_is_found_whatever_way_there_is_to_ask(
    methods: tuple[str, ...], tmp_path: Path
) -> None:
    async with line(tmp_path, status_by=methods) as wire:
        rests = wire.order(type_=OrderType.LIMIT, price=D(50_000))
        await wire.lose(rests)
        found = await wire.ask(rests)
        assert isinstance(found, r.Found)
        assert found.order.is_open
        ways = [entry.method for entry in wire.asked("/orders/status")]
        assert ways == (["POST"] if "POST" in methods else ["POST", "GET"])
        await wire.ask(rests)
        assert len(wire.asked("/orders/status")) == len(ways) + (1 if methods else 2), (
            "the way that worked is the first one now"
        )


@pytest.mark.hazard("H90")
@pytest.mark.parametrize("edits", ["documented", "remaining", "total"])
async def test_a_size_is_changed_to_the_same_whatever_the_exchange_means_by_it(
    edits: str, tmp_path: Path
) -> None:
    """What `qtyMode` does can be settled only at the real exchange: all readings end with the size
    that was asked for.
    """
    async with line(tmp_path, edits=edits) as wire:
        rests = await half_filled(wire)
        for total in ("0.08", "0.06"):
            (amended,) = await wire.venue.send(
                Amend(rests.client_order_id, SYMBOL, Lane.PROTECT, size=D(total))
            )
            assert isinstance(amended, r.Amended)
            assert amended.size == D(total)
            (theirs,) = wire.world.exchange.orders.values()
            assert (theirs.size, theirs.filled) == (D(total), D("0.04"))
        sent = [dict(entry.body) for entry in wire.asked("/editorder")]
        assert sent[0].keys() == {"orderId", "size", "qtyMode"}
        assert len(sent) == (3 if edits == "remaining" else 2), (
            "it is corrected once, and known from then on"
        )


@pytest.mark.hazard("H90")
async def test_what_does_not_change_is_not_sent(tmp_path: Path) -> None:
    async with line(tmp_path, edits="remaining") as wire:
        rests = await half_filled(wire)
        assert rests.price is not None
        (amended,) = await wire.venue.send(
            Amend(
                rests.client_order_id,
                SYMBOL,
                Lane.PROTECT,
                size=rests.size,
                price=rests.price - 100,
            )
        )
        assert isinstance(amended, r.Amended)
        assert amended.size == rests.size
        assert wire.asked("/editorder")[0].body.keys() == {"orderId", "limitPrice"}
        (theirs,) = wire.world.exchange.orders.values()
        assert theirs.size == rests.size


async def half_filled(wire: Line) -> Order:
    """An entry of 0.1 of which 0.04 has filled."""
    rests = wire.order(type_=OrderType.LIMIT, price=D("59999.9"))
    await wire.place(rests)
    wire.price("59999.8", "59999.9", size="0.04")
    await wire.until(lambda: wire.told(r.Filled, rests.client_order_id), "a part")
    wire.price("60100.0", "60100.1")
    await asyncio.sleep(0.1)
    return rests


# H91: prices from the book


@pytest.mark.hazard("H91")
async def test_a_price_comes_from_the_book_before_the_ticker_says_it(tmp_path: Path) -> None:
    async with line(tmp_path, ticker_every=3600 * SECOND) as wire:
        await asyncio.sleep(0.1)
        wire.price("59500.0", "59500.5")
        began = asyncio.get_running_loop().time()
        await wire.until(lambda: wire.quotes[-1].ask == D("59500.5"), "a price")
        assert wire.quotes[-1].bid == D(59_500)
        assert asyncio.get_running_loop().time() - began < 0.5, "the ticker is a second late"


@pytest.mark.hazard("H91")
async def test_a_price_is_as_old_as_the_exchange_says(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        now = wire.exchange.clock.now()
        assert now - 2 * SECOND < wire.quotes[-1].at <= now
        stream = wire.venue._public_stream
        stream._heard(
            {
                "feed": "ticker",
                "product_id": SYMBOL,
                "bid": 60_000,
                "ask": 60_000.1,
                "time": (now - SECOND) // 1_000_000,
            }
        )
        assert abs(now - SECOND - wire.quotes[-1].at) < SECOND // 5
        stream._heard(
            {
                "feed": "ticker",
                "product_id": SYMBOL,
                "bid": 60_000,
                "ask": 60_000.1,
                "time": (now - 60 * SECOND) // 1_000_000,
            }
        )
        assert abs(now - 60 * SECOND - wire.quotes[-1].at) < SECOND, (
            "a price that comes late is no news"
        )
        asked = len(wire.asked("/tickers"))
        stream._heard(
            {
                "feed": "ticker",
                "product_id": SYMBOL,
                "bid": 60_000,
                "ask": 60_000.1,
                "time": (now - 60 * SECOND) // 1_000_000,
            }
        )
        await asyncio.sleep(0.1)
        assert len(wire.asked("/tickers")) <= asked + 1, (
            "the clocks are compared once, not with each price"
        )
        assert not wire.told(r.Noticed), "they agree"


@pytest.mark.hazard("H84")
async def test_a_clock_that_differs_makes_no_price_old_and_is_told(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        # ours was corrected: the exchange's is a minute behind
        wire.exchange.clock.catch_up(60 * SECOND)
        wire.price("59100.0", "59100.5")
        await wire.until(lambda: wire.quotes[-1].bid == D(59_100), "a price")
        assert abs(wire.exchange.clock.now() - wire.quotes[-1].at) < SECOND
        await wire.until(lambda: wire.told(r.Noticed), "word of the clock")
        assert [t.code for t in wire.told(r.Noticed)] == ["CLOCK"]
        # and now the exchange's was: prices come from the future
        wire.world.clock.catch_up(60 * SECOND)
        wire.price("59200.0", "59200.5")
        await wire.until(lambda: wire.quotes[-1].bid == D(59_200), "a price")
        assert abs(wire.exchange.clock.now() - wire.quotes[-1].at) < SECOND


@pytest.mark.hazard("H91")
async def test_a_book_with_a_gap_is_asked_for_anew(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        await asyncio.sleep(0.1)
        for connection in wire.connections:
            if connection.public["book"]:
                connection._sequences[SYMBOL] += 5
        wire.price("59100.0", "59100.5")  # its frames come after the gap
        await wire.until(lambda: wire.quotes[-1].bid == D(59_100), "a price of the new snapshot")
        wire.price("59200.0", "59200.5")
        await wire.until(lambda: wire.quotes[-1].bid == D(59_200), "a price of the book")
        assert not wire.told(r.Disconnected)


@pytest.mark.hazard("H91")
async def test_a_book_that_does_not_move_while_the_ticker_does_is_asked_for_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with line(tmp_path) as wire:
        await asyncio.sleep(0.1)
        stream, subscribed = wire.venue._public_stream, list[str]()
        honest = Connection.hear

        def hear(self: Connection, text: str) -> None:
            subscribed.append(text)
            honest(self, text)

        monkeypatch.setattr(Connection, "deepened", lambda *_: None)
        monkeypatch.setattr(Connection, "hear", hear)
        for _ in range(3):
            stream._heard(
                {
                    "feed": "ticker",
                    "product_id": SYMBOL,
                    "bid": 58_000,
                    "ask": 58_001,
                    "bid_size": 1,
                    "ask_size": 1,
                }
            )
        assert wire.quotes[-1].bid != D(58_000), "three tickers are a doubt, not a price"
        await wire.until(lambda: subscribed, "another subscription")
        assert '"book"' in subscribed[0]


@pytest.mark.hazard("H91")
async def test_a_crossed_book_tells_no_price(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        await asyncio.sleep(0.1)
        wire.world.feed(
            Depth(
                SYMBOL,
                wire.world.now(),
                (Level(Side.BUY, D(59_990), D(3)), Level(Side.SELL, D(60_010), D(2))),
                snapshot=True,
            )
        )
        await wire.until(lambda: wire.quotes[-1].bid_size == D(3), "a price of the depth")
        assert all(quote.bid < quote.ask for quote in wire.quotes)


# H83: modes


@pytest.mark.hazard("H83")
@pytest.mark.parametrize(
    ("mode", "word", "refusal"),
    [
        ("post_only", "post_only", "marketIsPostOnly"),
        ("cancel_only", "suspended", "marketSuspended"),
    ],
)
async def test_the_mode_of_a_market_is_told_before_anything_is_tried(
    mode: str, word: str, refusal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kraken_futures_modes, "BELIEVED", SECOND)
    async with line(tmp_path) as wire:
        assert not wire.told(r.MarketMode), "online needs no word"
        wire.world.conduct = Conduct(pair_modes={SYMBOL: mode})
        await wire.until(lambda: wire.told(r.MarketMode), "word of the mode")
        told = wire.told(r.MarketMode)[-1]
        assert (told.symbol, told.mode, told.closes) == (SYMBOL, word, False)
        (refused,) = await wire.place(wire.order())
        assert isinstance(refused, r.Rejected)
        assert refused.text == refusal
        wire.world.conduct = Conduct()
        await wire.until(lambda: wire.told(r.MarketMode)[-1].closes, "word that it is over")


@pytest.mark.hazard("H83")
async def test_a_refusal_tells_the_mode_before_the_ticker_does(tmp_path: Path) -> None:
    async with line(tmp_path, nulls={"feed ticker": ("suspended", "post_only")}) as wire:
        wire.world.conduct = Conduct(pair_modes={SYMBOL: "post_only"})
        await asyncio.sleep(1.2)
        assert not wire.told(r.MarketMode), "what is not told is not known, and admits"
        await wire.place(wire.order())
        assert [(t.mode, t.closes) for t in wire.told(r.MarketMode)] == [("post_only", False)]


@pytest.mark.hazard("H81")
@pytest.mark.hazard("H83")
async def test_a_ticker_that_contradicts_a_refusal_is_not_believed_at_once(tmp_path: Path) -> None:
    """Each ticker that said online sent the next close in vain: one a second, and no pace
    held it.
    """
    async with line(tmp_path) as wire:
        for _ in range(3):
            wire.venue.modes.refused(SYMBOL, "marketSuspended")
            wire.venue.modes.told(SYMBOL, "online")
        assert [told.closes for told in wire.told(r.MarketMode)] == [False]
        wire.venue.modes._refused[SYMBOL] -= kraken_futures_modes.BELIEVED
        wire.venue.modes.told(SYMBOL, "online")
        assert [told.closes for told in wire.told(r.MarketMode)] == [False, True]


# H81: why a close failed


@pytest.mark.hazard("H81")
async def test_the_order_that_a_close_would_meet_is_named(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        await wire.place(wire.order())
        theirs = foreign(
            wire, Side.BUY, type=OrderType.LIMIT, trigger=None, price=D("60000.0"), size=D("0.7")
        )
        await send_foreign(wire, theirs, tmp_path)
        await wire.until(lambda: wire.venue.known.order(theirs.client_order_id), "word of it")
        (refused,) = await wire.place(wire.order(Side.SELL, role=Role.CLOSE, reduce_only=True))
        assert isinstance(refused, r.Rejected)
        assert refused.text.startswith("selfFill: ")
        assert f"{theirs.client_order_id} (buy 0.7 at 60000.0)" in refused.text


@pytest.mark.hazard("H81")
async def test_a_close_that_takes_nothing_says_why(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        await wire.place(wire.order())
        _, ended = await wire.place(
            wire.order(Side.SELL, role=Role.CLOSE, reduce_only=True, price=D(70_000))
        )
        assert isinstance(ended, r.Cancelled)
        assert (ended.filled, ended.text) == (D(0), "iocWouldNotExecute")


# H84: clocks


@pytest.mark.hazard("H84")
async def test_an_exit_goes_without_a_deadline_that_the_exchange_takes_for_past(
    tmp_path: Path,
) -> None:
    async with line(tmp_path) as wire:
        await wire.place(wire.order())
        wire.world.clock.catch_up(30 * SECOND)  # the exchange's clock is ahead of ours now
        close = wire.order(
            Side.SELL,
            role=Role.CLOSE,
            reduce_only=True,
            deadline=wire.exchange.clock.now() + 4 * SECOND,
        )
        told = await wire.place(close)
        assert isinstance(told[0], r.Accepted)
        assert [
            ("processBefore" in entry.body, entry.outcome) for entry in wire.asked("/sendorder")[1:]
        ] == [
            (True, "wouldProcessAfterSpecifiedTime"),
            (False, "ok"),
        ]
        assert [t.code for t in wire.told(r.Noticed)] == ["CLOCK"], "it is told"
        entry = wire.order(deadline=wire.exchange.clock.now() + 4 * SECOND)
        assert isinstance((await wire.place(entry))[0], r.Accepted), (
            "by the exchange's clock it is in time"
        )


@pytest.mark.hazard("H84")
async def test_an_entry_is_sent_again_only_where_the_clocks_were_the_reason(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        wire.world.clock.catch_up(30 * SECOND)
        entry = wire.order(deadline=wire.exchange.clock.now() + 4 * SECOND)
        assert isinstance((await wire.place(entry))[0], r.Accepted)
        late = wire.order(deadline=wire.exchange.clock.now() - SECOND)
        (refused,) = await wire.place(late)
        assert isinstance(refused, r.Rejected)
        assert refused.text == "wouldProcessAfterSpecifiedTime"
        assert len(wire.asked("/sendorder")) == 3


@pytest.mark.hazard("H84")
async def test_after_a_jump_of_our_clock_the_exchanges_is_asked_first(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        await wire.place(wire.order())
        wire.exchange.clock.catch_up(30 * SECOND)  # ours was corrected
        stop = wire.order(Side.SELL, **STOP, deadline=wire.exchange.clock.now() + 4 * SECOND)
        await wire.place(stop)
        assert "processBefore" not in wire.asked("/sendorder")[-1].body, "no field may veto an exit"
        entry = wire.order(deadline=wire.exchange.clock.now() + 4 * SECOND)
        assert isinstance((await wire.place(entry))[0], r.Accepted)
        assert "processBefore" in wire.asked("/sendorder")[-1].body
        assert abs(wire.venue.skew + 30 * SECOND) < SECOND


# H87: pages


@pytest.mark.hazard("H87")
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (502, OutcomeUnknownError),
        (520, OutcomeUnknownError),
        (403, OutcomeUnknownError),
        (429, RateLimitedError),
    ],
)
async def test_a_page_in_place_of_an_answer_is_told_with_its_status(
    status: int, kind: type[Exception], tmp_path: Path
) -> None:
    async with line(tmp_path) as wire:
        wire.world.conduct = Conduct(error_page=1.0, pages=(status,))
        with pytest.raises(kind, match=str(status)):
            await wire.place(wire.order())


# H89: pages of executions, fees, liquidations


@pytest.mark.hazard("H89")
async def test_more_executions_than_a_page_are_all_listed(tmp_path: Path) -> None:
    """A hundred and fifty of one order, all in the same millisecond."""
    async with line(tmp_path) as wire:
        levels = tuple(
            Level(Side.SELL, D("60000.1") + D(step) / 10, D("0.001")) for step in range(160)
        )
        wire.world.feed(
            Depth(
                SYMBOL, wire.world.now(), (Level(Side.BUY, D(59_990), D(3)), *levels), snapshot=True
            )
        )
        entry = wire.order(size=D("0.15"), price=D(60_500))
        await wire.place(entry)
        other = wire.exchange.venue(tmp_path / "other")
        await other.open()
        (told,) = await other.send(QueryAccount(wire.exchange.clock.now() - 60 * SECOND))
        await other.close()
        assert isinstance(told, r.Picture)
        assert len(told.fills) == 150
        assert sum(fill.size for fill in told.fills) == D("0.15")


@pytest.mark.hazard("H89")
async def test_the_fee_that_the_list_does_not_tell_is_asked_for(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        await wire.place(wire.order())
        (fill,) = wire.world.exchange.fills
        other = wire.exchange.venue(tmp_path / "other")
        await other.open()
        other._profile = replace(
            other.profile, fee_tiers=(replace(other.profile.fee_tiers[0], taker=D("0.009")),)
        )
        (told,) = await other.send(QueryAccount(wire.exchange.clock.now() - 60 * SECOND))
        await other.close()
        assert isinstance(told, r.Picture)
        assert [(one.fee, one.fee_currency) for one in told.fills] == [(fill.fee, "USD")], (
            "not an estimate"
        )


@pytest.mark.hazard("H89")
async def test_a_liquidation_that_only_the_list_tells_is_told_as_one(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        await wire.place(wire.order(size=D(4)))
        for connection in wire.connections:
            connection.private.clear()
        wire.world.exchange.ledger.cash["USD"] = D(2_000)
        wire.price("59000.0", "59000.1", size="50")
        await wire.until(
            lambda: any(not fill.client_order_id for fill in wire.world.exchange.fills),
            "a liquidation",
        )
        await picture(wire)
        assert {report.symbol for report in wire.told(r.Liquidated)} == {SYMBOL}
        count = len(wire.told(r.Liquidated))
        await picture(wire)
        assert len(wire.told(r.Liquidated)) == count, "once"


async def test_a_question_that_nobody_may_ask_is_refused(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        wire.venue.rest._client.secret = "bm90IHRoZSBrZXk="
        with pytest.raises((RefusedError, OutcomeUnknownError)):
            await picture(wire)
        assert not [order for order in wire.told(r.Found) if order.order.status is Status.CANCELLED]


def connected(wire: Line, times: int) -> bool:
    """Whether the venue has connected more than so many times."""
    return len(wire.told(r.Connected)) > times


@pytest.mark.hazard("H86")
async def test_a_line_that_keeps_breaking_is_told_by_its_name(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        for count in range(1, 4):
            for connection in wire.connections:
                connection.cut()
            await wire.until(partial(connected, wire, count), "another connection")
            await wire.until(lambda: len(wire.connections) == 2, "both lines")
        await wire.until(
            lambda: (
                {t.subject for t in wire.told(r.Noticed) if t.code == "LINE_FLAPS"}
                == {"orders and fills", "prices"}
            ),
            "word of it",
        )
