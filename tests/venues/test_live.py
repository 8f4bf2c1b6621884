"""A live venue over the wire: views that lag, lost answers, gaps in the stream, keys that may too
much.
"""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.exchange import Faults
from engine.model import report as r
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.request import Cancel, Lane, Query, QueryAccount, Submit
from engine.model.side import Side
from engine.setup import factories
from engine.setup.sections import AccountSettings
from engine.venues.live.account import KeyFacts
from engine.venues.protocol import NotSentError, OutcomeUnknownError, RefusedError, Venue
from engine.wire.spot.stream import Stream
from tests.support.exchange import Exchange, serving

LOW = Decimal(30_000)
"""Far below the market."""


class Heard:
    """What a venue says."""

    def __init__(self) -> None:
        self.reports: list[r.VenueReport] = []
        self.quotes: list[Quote] = []
        self._news = asyncio.Event()

    def report(self, report: r.VenueReport) -> None:
        self.reports.append(report)
        self._news.set()

    async def until(self, kind: type) -> r.VenueReport:
        try:
            async with asyncio.timeout(5):
                while not any(isinstance(report, kind) for report in self.reports):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__}; heard {self.reports}") from None
        return next(report for report in self.reports if isinstance(report, kind))


async def _connected(exchange: Exchange, home: Path) -> tuple[Venue, Heard]:
    venue, heard = exchange.venue(home), Heard()
    await venue.connect(heard.report, heard.quotes.append)
    await heard.until(r.Connected)
    async with asyncio.timeout(5):
        while len({quote.symbol for quote in heard.quotes}) < 2:  # noqa: ASYNC110 - before its first price, an exchange takes no market order
            await asyncio.sleep(0.02)
    return venue, heard


def _buy(exchange: Exchange, name: str, **terms: object) -> Order:
    symbol = "BTC/USD" if exchange.name == "kraken" else "PF_XBTUSD"
    order = Order(
        name,
        "",
        symbol,
        Side.BUY,
        OrderType.MARKET,
        Role.ENTRY,
        factories.profile("kraken-spot").instruments["BTC/USD"].min_size * 20,
    )
    return replace(order, created_at=exchange.clock.now(), **terms)


@pytest.mark.hazard("H18")
@pytest.mark.parametrize("name", ["kraken", "krakenfutures"])
async def test_an_order_whose_reply_was_lost_is_found_by_asking(name: str, tmp_path: Path) -> None:
    async with serving(name) as exchange:
        venue, heard = await _connected(exchange, tmp_path)
        order = _buy(exchange, "FOAAAREPLYLOST")
        exchange.server.world.faults = Faults(lose_reply=1.0)
        with pytest.raises((OutcomeUnknownError, TimeoutError)):
            async with asyncio.timeout(4):
                await venue.send(Submit(order, Lane.ENTRY))
        exchange.server.world.faults = Faults()
        await heard.until(r.Filled)
        (found,) = await venue.send(Query(order.client_order_id, order.symbol))
        assert isinstance(found, r.Found)
        assert found.order.filled == order.size == sum((fill.size for fill in found.fills), ZERO)
        await venue.close()


@pytest.mark.parametrize("name", ["kraken", "krakenfutures"])
async def test_what_never_arrived_is_absent(name: str, tmp_path: Path) -> None:
    async with serving(name) as exchange:
        venue, _ = await _connected(exchange, tmp_path)
        order = _buy(exchange, "FOAAANEVER")
        exchange.server.world.faults = Faults(lose_request=1.0)
        with pytest.raises((OutcomeUnknownError, TimeoutError)):
            async with asyncio.timeout(4):
                await venue.send(Submit(order, Lane.ENTRY))
        exchange.server.world.faults = Faults()
        (told,) = await venue.send(Query(order.client_order_id, order.symbol))
        assert isinstance(told, r.Absent)
        await venue.close()


@pytest.mark.hazard("H28")
@pytest.mark.parametrize("name", ["kraken", "krakenfutures"])
async def test_a_view_that_lags_is_told_to_be_old(name: str, tmp_path: Path) -> None:
    async with serving(name, faults=Faults(rest_lag=20 * SECOND)) as exchange:
        venue, heard = await _connected(exchange, tmp_path)
        (accepted,) = await venue.send(Submit(_buy(exchange, "FOAAALAG"), Lane.ENTRY))
        assert isinstance(accepted, r.Accepted)
        filled = await heard.until(r.Filled)
        assert isinstance(filled, r.Filled)
        (picture,) = await venue.send(QueryAccount(exchange.clock.now() - 60 * SECOND))
        assert isinstance(picture, r.Picture)
        assert not picture.fills
        assert picture.as_of < filled.fill.at, "it lacks what is known to have happened"
        await venue.close()


async def test_missing_messages_begin_the_stream_anew(tmp_path: Path) -> None:
    async with serving("kraken") as exchange:
        venue, heard = await _connected(exchange, tmp_path)
        stream = exchange.server.stream
        assert isinstance(stream, Stream)
        for connection in stream.connections:
            if connection.executions:
                connection._sequences["executions"] += 5
        await venue.send(
            Submit(_buy(exchange, "FOAAAGAP", type=OrderType.LIMIT, price=LOW), Lane.ENTRY)
        )
        await heard.until(r.Disconnected)
        heard.reports.clear()
        await heard.until(r.Connected)
        await venue.close()


@pytest.mark.parametrize("name", ["kraken", "krakenfutures"])
async def test_an_exchange_that_is_not_there_was_sent_nothing(name: str, tmp_path: Path) -> None:
    async with serving(name) as exchange:
        venue, _ = await _connected(exchange, tmp_path)
        order = _buy(exchange, "FOAAAGONE")
    with pytest.raises((NotSentError, OutcomeUnknownError)):
        await venue.send(Submit(order, Lane.ENTRY))
    with pytest.raises(NotSentError):
        await venue.send(Cancel("FOAAAGONE", order.symbol, Lane.CANCEL))
    await venue.close()


@pytest.mark.parametrize("name", ["kraken", "krakenfutures"])
async def test_the_key_says_what_it_may(name: str, tmp_path: Path) -> None:
    async with serving(name) as exchange:
        venue = exchange.venue(tmp_path)
        await venue.open()
        facts = await venue.key_facts()
        assert facts.can_trade
        assert not facts.can_withdraw
        await venue.close()


async def test_a_key_that_may_withdraw_is_refused_unless_the_user_insists(tmp_path: Path) -> None:
    permissions = (
        "query-funds",
        "query-open-trades",
        "query-closed-trades",
        "modify-trades",
        "close-trades",
        "create-ws-token",
        "withdraw-funds",
    )
    async with serving("kraken", permissions=permissions) as exchange:
        venue = exchange.venue(tmp_path)
        await venue.open()
        facts = await venue.key_facts()
        with pytest.raises(RefusedError, match="may withdraw"):
            factories.admit(facts, exchange.account())
        factories.admit(facts, exchange.account(withdrawals=True))
        await venue.close()


def test_a_key_that_may_not_trade_is_refused() -> None:
    with pytest.raises(
        RefusedError, match=r"may not trade, or not ask about .*; it has: query-funds"
    ):
        factories.admit(
            KeyFacts(("query-funds",), can_trade=False, can_withdraw=False),
            AccountSettings(name="main"),
        )


async def test_a_symbol_that_is_not_traded_is_an_error_that_names_it(tmp_path: Path) -> None:
    async with serving("kraken") as exchange:
        exchange.keep_key(tmp_path)
        venue = factories.live(exchange.account(), ("BTC/XYZ",), 3.0, tmp_path, exchange.clock)
        with pytest.raises(
            RefusedError, match=r"BTC/XYZ is not traded at kraken; allowed: BTC/USD"
        ):
            await venue.open()
        await venue.close()


async def test_orders_are_written_out_field_by_field(tmp_path: Path) -> None:
    async with serving("kraken") as exchange:
        venue = exchange.venue(tmp_path)
        await venue.open()
        order = _buy(
            exchange,
            "FOAAAFIELDS",
            side=Side.SELL,
            type=OrderType.STOP,
            role=Role.STOP,
            trigger=LOW,
        )
        fields = venue.fields(order)  # type: ignore[attr-defined]
        assert (fields["ordertype"], fields["price"], fields["trigger"]) == (
            "stop-loss",
            f"{order.trigger:f}",
            "last",
        )
        assert "price2" not in fields
        assert "leverage" not in fields, "a stop that sells what is held is no order on margin"
        short = venue.fields(_buy(exchange, "FOAAASHORT", side=Side.SELL, leverage=Decimal("2.0")))  # type: ignore[attr-defined]
        assert (short["leverage"], short.get("reduce_only")) == ("2", None)
        cover = venue.fields(  # type: ignore[attr-defined]
            _buy(exchange, "FOAAACOVER", role=Role.CLOSE, leverage=Decimal(2), reduce_only=True)
        )
        assert (cover["leverage"], cover["reduce_only"]) == ("2", "true")
        paid = venue.fields(_buy(exchange, "FOAAAPAID", leverage=Decimal(1), reduce_only=True))  # type: ignore[attr-defined]
        assert not paid.keys() & {"leverage", "reduce_only"}
        bound = venue.fields(_buy(exchange, "FOAAABOUND", price=order.trigger))  # type: ignore[attr-defined]
        assert (bound["ordertype"], bound["timeinforce"]) == ("limit", "IOC")
        await venue.close()


async def test_a_token_for_the_stream_is_charged(tmp_path: Path) -> None:
    async with serving("kraken") as exchange:
        venue, heard = await _connected(exchange, tmp_path)
        assert [
            (report.counter, report.cost)
            for report in heard.reports
            if isinstance(report, r.Charged)
        ] == [("rest", 1.0)] * 2, "the token, and the question what fees are"
        await venue.close()
