"""Kraken spot's venue against the exchange as it is documented: each case fails where the venue
believes that an ordinary day is all there is.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Status
from engine.model.quote import Depth, Level
from engine.model.request import Lane, Query, QueryAccount, Submit
from engine.model.side import Side
from engine.venues.live.kraken_spot import KrakenSpot
from engine.venues.live.kraken_spot import executions as kraken_spot_executions
from engine.venues.live.kraken_spot import modes as kraken_spot_modes
from engine.venues.live.kraken_spot.prices import PublicStream
from engine.venues.live.socket import Socket
from engine.venues.protocol import OutcomeUnknownError, RateLimitedError, RefusedError, VenueError
from engine.wire.conduct import Conduct
from engine.wire.spot.odd import FOREIGN, MALFORMED
from engine.wire.world import World
from tests.support.exchange import Exchange, serving

D = Decimal
BTC = "BTC/USD"


class Client:
    """A venue, what it said, and the exchange behind it."""

    def __init__(self, exchange: Exchange, venue: KrakenSpot) -> None:
        self.exchange = exchange
        self.venue = venue
        self.reports: list[r.VenueReport] = []
        self.quotes: set[str] = set()
        self._count = 0

    @property
    def world(self) -> World:
        return self.exchange.server.world

    def told(self, kind: type) -> list[Any]:
        return [report for report in self.reports if isinstance(report, kind)]

    def noticed(self, code: str) -> list[str]:
        return [
            f"{report.subject}: {report.text}"
            for report in self.told(r.Noticed)
            if report.code == code
        ]

    async def until(self, true: Any, seconds: float = 6.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not true():  # noqa: ASYNC110 - several things are waited for
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"it never became so; heard {self.reports[-5:]}") from None

    def order(
        self, side: Side = Side.BUY, role: Role = Role.ENTRY, size: str = "0.1", **terms: Any
    ) -> Order:
        self._count += 1
        name = f"{self.venue.prefix}DOC{self._count:04}"
        kind = terms.pop("type", OrderType.MARKET)
        order = Order(
            name, "P", BTC, side, kind, role, D(size), created_at=self.exchange.clock.now()
        )
        return replace(order, **terms)

    async def send(self, order: Order) -> r.VenueReport:
        return (
            await self.venue.send(
                Submit(order, Lane.ENTRY if role_is_entry(order) else Lane.PROTECT)
            )
        )[0]

    def asked(self, name: str) -> list[dict[str, str]]:
        return [
            entry["body"]
            for entry in self.world.truth()["requests"]
            if entry["path"].endswith(f"/{name}")
        ]

    def deaf(self) -> Socket:
        """A line for prices that hears nothing."""
        return Socket(
            "ws://127.0.0.1:9/",
            opened=lambda _: asyncio.sleep(0),
            heard=lambda _: None,
            lost=lambda _: None,
            silence=5.0,
        )

    def forget(self) -> None:
        """As a venue that has been opened just now."""
        self.venue.known._fills.clear()
        self.venue.known._by_order.clear()

    def book(self, bids: dict[str, str], asks: dict[str, str]) -> None:
        """A book that the market does not move meanwhile."""
        levels = [
            Level(side, D(price), D(size))
            for side, rows in ((Side.BUY, bids), (Side.SELL, asks))
            for price, size in rows.items()
        ]
        self.world.feed(Depth(BTC, self.world.now(), tuple(levels), snapshot=True))


def role_is_entry(order: Order) -> bool:
    return order.role is Role.ENTRY


@asynccontextmanager
async def client(home: Path, conduct: Conduct | None = None) -> AsyncIterator[Client]:
    async with serving("kraken", ticks=lambda _: ()) as exchange:
        exchange.server.world.conduct = conduct or Conduct()
        venue = exchange.venue(home)
        assert isinstance(venue, KrakenSpot)
        found = Client(exchange, venue)
        found.book({"50000.0": "5", "49900.0": "5"}, {"50000.1": "5", "50100.0": "5"})
        try:
            await venue.connect(found.reports.append, lambda quote: found.quotes.add(quote.symbol))
            await found.until(lambda: found.told(r.Connected) and BTC in found.quotes)
            yield found
        finally:
            await venue.close()


async def _bought(found: Client, size: str = "0.5") -> None:
    order = found.order(size=size)
    await found.send(order)
    await found.until(
        lambda: sum((report.fill.size for report in found.told(r.Filled)), D(0)) == D(size)
    )


# One execution, one identity


@pytest.mark.hazard("H77")
async def test_what_rest_tells_is_what_the_stream_told(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        found.book({"50000.0": "5"}, {"50000.1": "0.1", "50001.0": "0.1", "50002.0": "5"})
        await _bought(found)
        heard = {report.fill.execution_id for report in found.told(r.Filled)}
        assert len(heard) == 3
        (picture,) = await found.venue.send(QueryAccount(0))
        assert {fill.execution_id for fill in picture.fills} == heard  # type: ignore[union-attr]
        name = found.told(r.Filled)[0].fill.client_order_id
        found.forget()
        (answer,) = await found.venue.send(Query(name, BTC))
        assert isinstance(answer, r.Found)
        assert {fill.execution_id for fill in answer.fills} == heard


def _sum(found: Client) -> Decimal:
    """What the venue told as executed, each id once."""
    fills = [report.fill for report in found.told(r.Filled)]
    fills += [
        fill for report in found.told(r.Picture) + found.told(r.Found) for fill in report.fills
    ]
    return sum({fill.execution_id: fill.size for fill in fills}.values(), D(0))


@pytest.mark.hazard("H77")
async def test_what_rest_merges_all_the_same_is_what_the_stream_told(tmp_path: Path) -> None:
    async with client(tmp_path, Conduct(always_merged=True)) as found:
        found.book({"50000.0": "5"}, {"50000.1": "0.1", "50001.0": "0.1", "50002.0": "5"})
        await _bought(found)
        heard = {report.fill.execution_id for report in found.told(r.Filled)}
        assert len(heard) == 3
        (picture,) = await found.venue.send(QueryAccount(0))
        (answer,) = await found.venue.send(Query(found.told(r.Filled)[0].fill.client_order_id, BTC))
        for told in (picture, answer):
            assert {fill.execution_id for fill in told.fills} == heard  # type: ignore[union-attr]

        async def free(*_: object) -> None:
            return None

        page = await found.venue.parts().executions(0, "", free)
        assert {fill.execution_id for fill in page.fills} == heard


@pytest.mark.hazard("H77")
async def test_what_the_stream_tells_of_a_merged_execution_is_not_told_again(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, Conduct(always_merged=True)) as found:
        found.book({"50000.0": "5"}, {"50000.1": "0.1", "50001.0": "0.1", "50002.0": "5"})
        honest, late = found.venue._private._rows, list[Any]()
        found.venue._private._rows = late.extend  # type: ignore[assignment,method-assign]
        order = found.order(size="0.5")
        await found.send(order)
        await found.until(lambda: len([row for row in late if row["exec_type"] == "trade"]) == 3)
        found.reports.extend(await found.venue.send(Query(order.client_order_id, BTC)))
        assert _sum(found) == D("0.5")
        honest(late)
        assert not found.told(r.Filled)
        assert _sum(found) == D("0.5")


@pytest.mark.hazard("H77")
async def test_of_a_merged_execution_only_what_the_stream_has_not_told_is_new(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, Conduct(always_merged=True)) as found:
        found.book({"50000.0": "5"}, {"50000.1": "0.1", "50001.0": "0.1", "50002.0": "5"})
        honest, late = found.venue._private._rows, list[Any]()
        found.venue._private._rows = late.extend  # type: ignore[assignment,method-assign]
        order = found.order(size="0.5")
        await found.send(order)
        await found.until(lambda: len([row for row in late if row["exec_type"] == "trade"]) == 3)
        honest([row for row in late if row["exec_type"] == "trade"][:1])
        found.reports.extend(await found.venue.send(QueryAccount(0)))
        assert _sum(found) == D("0.5")
        fills = {
            fill.execution_id: fill for report in found.told(r.Picture) for fill in report.fills
        }
        truth = list(found.world.exchange.fills)
        assert abs(
            sum((fill.fee for fill in fills.values()), D(0))
            - sum((fill.fee for fill in truth), D(0))
        ) < D("0.0001")
        cost = sum((fill.size * fill.price for fill in fills.values()), D(0))
        assert abs(cost - sum((fill.size * fill.price for fill in truth), D(0))) < D("0.1")


@pytest.mark.hazard("H77")
async def test_what_is_listed_one_by_one_is_never_taken_for_one(tmp_path: Path) -> None:
    """Equal executions of one order at one moment, some of which the stream has told."""
    async with client(tmp_path) as found:
        found.book({"49000.0": "5"}, {f"{50_000 + n}.0": "0.01" for n in range(45)})
        honest, late = found.venue._private._rows, list[Any]()
        found.venue._private._rows = late.extend  # type: ignore[assignment,method-assign]
        order = found.order(size="0.45")
        await found.send(order)
        await found.until(lambda: len([row for row in late if row["exec_type"] == "trade"]) == 45)
        honest([row for row in late if row["exec_type"] == "trade"][10:30])
        for question in (Query(order.client_order_id, BTC), QueryAccount(0)):
            (answer,) = await found.venue.send(question)
            assert len({fill.execution_id for fill in answer.fills}) == 45  # type: ignore[union-attr]
        honest(late)
        assert _sum(found) == D("0.45")


# Self-trade prevention


@pytest.mark.hazard("H81")
async def test_an_exit_goes_through_an_order_of_its_own_account(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        await _bought(found)
        bid = found.order(type=OrderType.LIMIT, price=D(49_950), size="0.1")
        await found.send(bid)
        found.book({"49900.0": "5"}, {"50010.0": "5"})
        close = found.order(Side.SELL, Role.CLOSE, price=D(49_000), size="0.5")
        await found.send(close)
        await found.until(
            lambda: any(
                report.fill.client_order_id == close.client_order_id
                for report in found.told(r.Filled)
            )
        )
        await found.until(lambda: found.told(r.Cancelled))
        (ended,) = found.told(r.Cancelled)
        assert (ended.client_order_id, ended.text) == (bid.client_order_id, "Self trade prevention")


@pytest.mark.hazard("H81")
async def test_the_reason_of_an_unfilled_end_is_told(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        await _bought(found)
        await found.send(
            found.order(Side.SELL, Role.TARGET, type=OrderType.LIMIT, price=D(50_050), size="0.1")
        )
        found.book({"49900.0": "5"}, {"50060.0": "5"})
        entry = found.order(price=D(51_000), size="0.1")
        assert "stptype" not in found.venue.fields(entry)
        await found.send(entry)
        await found.until(lambda: found.told(r.Cancelled))
        assert [(t.client_order_id, t.text) for t in found.told(r.Cancelled)] == [
            (entry.client_order_id, "Self trade prevention")
        ]
        (answer,) = await found.venue.send(Query(entry.client_order_id, BTC))
        assert isinstance(answer, r.Found)
        assert (answer.order.status, answer.order.reason) == (
            Status.CANCELLED,
            "Self trade prevention",
        )


# Modes


@pytest.mark.hazard("H83")
async def test_the_mode_is_known_from_the_list_of_pairs(tmp_path: Path) -> None:
    async with serving("kraken", ticks=lambda _: ()) as exchange:
        exchange.server.world.conduct = Conduct(pair_modes={BTC: "cancel_only"})
        venue = exchange.venue(tmp_path)
        assert isinstance(venue, KrakenSpot)
        found = Client(exchange, venue)
        await venue.instruments()  # the engine asks for these before it listens
        venue._public_socket = found.deaf  # type: ignore[method-assign]
        await venue.connect(found.reports.append, lambda _: None)
        (told,) = found.told(r.MarketMode)
        assert (told.symbol, told.mode, told.closes) == (BTC, "cancel_only", False)
        await venue.close()


@pytest.mark.hazard("H83")
@pytest.mark.parametrize(
    ("mode", "closes"),
    [
        ("post_only", False),
        ("cancel_only", False),
        ("maintenance", False),
        ("limit_only", None),
        ("reduce_only", None),
    ],
)
async def test_a_mode_that_the_streams_tell_is_told_on(
    tmp_path: Path, mode: str, closes: bool | None
) -> None:
    async with client(tmp_path) as found:
        for conduct in (Conduct(mode=mode), Conduct(pair_modes={BTC: mode})):
            found.reports.clear()
            found.world.conduct = conduct
            await found.until(lambda: found.told(r.MarketMode))
            told = next(report for report in found.told(r.MarketMode) if report.symbol == BTC)
            assert (told.mode, told.closes) == (mode, closes is None)
            found.reports.clear()
            found.world.conduct = Conduct()
            await found.until(
                lambda: [
                    report
                    for report in found.told(r.MarketMode)
                    if report.symbol == BTC and report.closes
                ]
            )


@pytest.mark.hazard("H83")
async def test_a_refusal_that_names_the_mode_is_believed_until_the_list_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kraken_spot_modes, "AGAIN", 0.2)
    async with client(tmp_path) as found:
        found.venue.modes.refused(BTC, "EOrder:Insufficient funds")
        assert not found.told(r.MarketMode)
        found.venue.modes.refused(BTC, "EService:Market in post_only mode")
        assert [report.mode for report in found.told(r.MarketMode)] == ["post_only"]
        await found.until(lambda: found.told(r.MarketMode)[-1].mode == "online")


# Clocks


@pytest.mark.hazard("H84")
@pytest.mark.parametrize(("ahead", "sent"), [(-3, 1), (4, 2), (90, 2), (-90, 2), (7200, 2)])
async def test_an_entry_keeps_its_deadline_on_an_exchange_whose_clock_jumped(
    tmp_path: Path, ahead: int, sent: int
) -> None:
    async with client(tmp_path) as found:
        found.world.clock._start += ahead * SECOND
        order = found.order(deadline=found.exchange.clock.now() + 5 * SECOND)
        assert isinstance(await found.send(order), r.Accepted), (
            "measured again after the refusal, and sent once more"
        )
        asked = found.asked("AddOrder")
        assert len(asked) == sent
        assert all("deadline" in fields for fields in asked)
        assert sent == 1 or abs(found.venue.skew - ahead * SECOND) < 1.1 * SECOND


@pytest.mark.hazard("H84")
async def test_an_exit_is_sent_without_a_deadline_where_the_exchange_refuses_it(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as found:
        await _bought(found)
        found.world.clock._start += 90 * SECOND
        close = found.order(
            Side.SELL,
            Role.CLOSE,
            size="0.5",
            price=D(49_000),
            deadline=found.exchange.clock.now() + 5 * SECOND,
        )
        assert isinstance(await found.send(close), r.Accepted)
        first, second = found.asked("AddOrder")[-2:]
        assert "deadline" in first
        assert "deadline" not in second
        assert found.noticed("CLOCK")


@pytest.mark.hazard("H84")
async def test_after_a_jump_of_our_own_clock_the_next_order_does_not_carry_the_old_skew(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as found:
        await _bought(found)
        found.exchange.clock.catch_up(3600 * SECOND)  # the engine follows the machine's clock
        stop = found.order(Side.SELL, Role.STOP, type=OrderType.STOP, size="0.5", trigger=D(49_000))
        stop = replace(stop, deadline=found.exchange.clock.now() + 5 * SECOND)
        assert isinstance(await found.send(stop), r.Accepted)
        assert [("deadline" in fields) for fields in found.asked("AddOrder")[1:]] == [False], (
            "an exit does not wait for the measurement"
        )
        await found.until(lambda: abs(found.venue.skew + 3600 * SECOND) < 1.1 * SECOND)
        entry = found.order(size="0.1", deadline=found.exchange.clock.now() + 5 * SECOND)
        assert isinstance(await found.send(entry), r.Accepted)
        assert "deadline" in found.asked("AddOrder")[-1]


@pytest.mark.hazard("H84")
async def test_a_deadline_that_is_near_vetoes_no_exit(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        await _bought(found)
        close = found.order(
            Side.SELL,
            Role.CLOSE,
            size="0.5",
            price=D(49_000),
            deadline=found.exchange.clock.now() + SECOND // 2,
        )
        assert isinstance(await found.send(close), r.Accepted)


# Rows and lines


@pytest.mark.hazard("H86")
async def test_rows_that_lack_fields_silence_nothing(tmp_path: Path) -> None:
    async with client(tmp_path, Conduct(odd_rows=True)) as found:
        await _bought(found, "0.1")
        (picture,) = await found.venue.send(QueryAccount(0))
        assert isinstance(picture, r.Picture)
        assert len(found.told(r.Connected)) == 1
        assert not found.told(r.Disconnected)
        for name in (FOREIGN, MALFORMED):
            assert (
                len(
                    [
                        text
                        for text in found.noticed("ROW_SKIPPED")
                        if text.startswith(f"{name}: a row of executions")
                    ]
                )
                == 1
            )
        await asyncio.sleep(2.2)
        assert not [text for text in found.noticed("ROW_SKIPPED") if text.startswith("ODD/USD")], (
            "nobody trades that pair here"
        )


@pytest.mark.hazard("H86")
async def test_a_row_of_ours_that_cant_be_read_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = kraken_spot_executions.Executions._trade

    def broken(self: Any, row: Any, client: str, at: int) -> Any:
        return honest(self, {**row, "last_price": None}, client, at)

    monkeypatch.setattr(kraken_spot_executions.Executions, "_trade", broken)
    async with client(tmp_path) as found:
        order = found.order(size="0.1")
        await found.send(order)
        await found.until(lambda: found.told(r.Found))
        (answer,) = found.told(r.Found)
        assert answer.order.client_order_id == order.client_order_id
        assert sum(fill.size for fill in answer.fills) == order.size
        assert (
            len([text for text in found.noticed("ROW_SKIPPED") if order.client_order_id in text])
            == 1
        )


@pytest.mark.hazard("H86")
async def test_a_refused_subscription_is_told(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        stream = PublicStream(found.venue)
        error = "Currency pair not supported ETH/USD"
        stream._heard(
            {"method": "subscribe", "success": False, "symbol": "ETH/USD", "error": error}
        )
        assert found.noticed("FEED_REFUSED") == [f"ETH/USD: {error}"]


@pytest.mark.hazard("H86")
async def test_a_line_that_keeps_breaking_is_told(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        for count in range(3):
            assert not found.noticed("LINE_FLAPS")
            for line in list(found.exchange.server.stream.connections):
                line.cut()
            await found.until(lambda count=count: len(found.told(r.Connected)) == count + 2)
        await found.until(lambda: found.noticed("LINE_FLAPS"))


# Pages


@pytest.mark.hazard("H87")
@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (429, RateLimitedError, "HTTP 429: error code: 1015"),
        (502, OutcomeUnknownError, "HTTP 502: 502 Bad Gateway"),
        (520, OutcomeUnknownError, "HTTP 520: Web server is returning an unknown error"),
        (403, OutcomeUnknownError, "HTTP 403: Forbidden"),
    ],
)
async def test_a_page_is_told_by_its_status_and_first_line(
    tmp_path: Path, status: int, kind: type[Exception], words: str
) -> None:
    async with client(tmp_path) as found:
        found.world.conduct = Conduct(error_page=1.0, pages=(status,))
        with pytest.raises(VenueError) as raised:
            await found.send(found.order())
        found.world.conduct = Conduct()
        assert (raised.type, str(raised.value)) == (kind, words)


# Expiry


@pytest.mark.hazard("H88")
async def test_an_entry_that_expires_ends_at_the_exchange_though_nobody_is_here(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as found:
        order = found.order(type=OrderType.LIMIT, price=D(40_000))
        order = replace(order, expires_at=found.exchange.clock.now() + 6 * SECOND)
        await found.send(order)
        (resting,) = found.world.exchange.orders.values()
        await found.venue.close()
        assert resting.expires_at is not None
        assert 0 < resting.expires_at - order.expires_at <= 3 * SECOND  # type: ignore[operator]
        found.world.exchange.advance(resting.expires_at)
        assert not found.world.exchange.orders


# To the end


@pytest.mark.hazard("H89")
async def test_an_order_with_more_executions_than_one_question_may_name_is_told_whole(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as found:
        levels = {f"{50_000 + n}.0": "0.01" for n in range(45)}
        found.book({"49000.0": "5"}, levels)
        await _bought(found, "0.45")
        found.forget()
        (answer,) = await found.venue.send(Query(found.told(r.Filled)[0].fill.client_order_id, BTC))
        assert isinstance(answer, r.Found)
        assert len(answer.fills) == 45


@pytest.mark.hazard("H89")
async def test_a_fee_in_several_currencies_is_not_added_up(tmp_path: Path) -> None:
    async with client(tmp_path, Conduct(fee_credits=True)) as found:
        await _bought(found, "0.1")
        (fill,) = found.world.exchange.fills
        told = found.told(r.Filled)[0].fill
        assert (told.fee, told.fee_currency) == (fill.fee, "USD")


@pytest.mark.hazard("H89")
@pytest.mark.parametrize("listed", [True, False])
async def test_an_execution_without_a_fee_is_told_with_the_one_that_rest_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: bool
) -> None:
    honest = kraken_spot_executions.Executions._trade
    monkeypatch.setattr(kraken_spot_executions, "FEE_PAUSE", 0.05)
    monkeypatch.setattr(
        kraken_spot_executions.Executions,
        "_trade",
        lambda self, row, name, at: honest(
            self, {key: value for key, value in row.items() if key != "fees"}, name, at
        ),
    )
    if not listed:

        async def nothing(*_: object) -> None:
            return None

        monkeypatch.setattr(KrakenSpot, "fee_of", nothing)
    async with client(tmp_path) as found:
        await _bought(found, "0.1")
        (fill,) = found.world.exchange.fills
        told = found.told(r.Filled)[0].fill
        assert told.execution_id == fill.execution_id
        assert abs(told.fee - fill.fee) < D("0.000001")
        assert bool(found.noticed("FEE_UNKNOWN")) is not listed


@pytest.mark.hazard("H89")
async def test_a_liquidation_that_the_stream_did_not_tell_is_told_as_one(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        instrument = found.world.exchange.instruments[BTC]
        found.world.exchange._settle(
            instrument,
            "",
            Side.SELL,
            D("0.1"),
            D(50_000),
            found.world.now(),
            maker=False,
            leverage=D(2),
        )
        (picture,) = await found.venue.send(QueryAccount(0))
        assert isinstance(picture, r.Picture)
        (told,) = found.told(r.Liquidated)
        assert (told.symbol, told.fill.size) == (BTC, D("0.1"))


# Another way to ask


@pytest.mark.hazard("H90")
async def test_a_question_that_fails_is_asked_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path) as found:
        order = found.order(type=OrderType.LIMIT, price=D(40_000))
        await found.send(order)
        honest = found.venue.private_call

        async def failing(method: str, params: Any, lane: int) -> Any:
            if method == "private_post_queryorders":
                raise RefusedError("EGeneral:Unknown method")
            return await honest(method, params, lane)

        monkeypatch.setattr(found.venue, "private_call", failing)
        (answer,) = await found.venue.send(Query(order.client_order_id, BTC))
        assert isinstance(answer, r.Found)
        assert answer.order.is_open
        monkeypatch.setattr(found.venue.questions, "_by_client", lambda *_: asyncio.sleep(0))
        with pytest.raises(OutcomeUnknownError):
            # known to be there: no failed question makes it absent
            await found.venue.send(Query(order.client_order_id, BTC))
