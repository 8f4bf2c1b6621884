"""What a live venue makes of single frames and answers: those that were once taken for something
else.
"""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Cancel, Lane, Query
from engine.model.side import Side
from engine.setup import factories
from engine.venues.live.account import Where
from engine.venues.live.known import Known
from engine.venues.live.kraken_futures import KrakenFutures
from engine.venues.live.kraken_futures.prices import PublicStream as FuturesPrices
from engine.venues.live.kraken_futures.stream import PrivateStream as FuturesStream
from engine.venues.live.kraken_names import Names
from engine.venues.live.kraken_spot import KrakenSpot
from engine.venues.live.kraken_spot.stream import PrivateStream as SpotStream
from engine.venues.protocol import OutcomeUnknownError

D = Decimal
ASSETS = {"XXBT": {"altname": "XBT"}, "ZUSD": {"altname": "USD"}}
PAIRS = {
    "XXBTZUSD": {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "pair_decimals": 1,
        "lot_decimals": 8,
        "leverage_buy": [2, 3],
        "leverage_sell": [2, 3],
    }
}


def futures() -> tuple[KrakenFutures, FuturesStream, list[r.VenueReport]]:
    venue = KrakenFutures(
        factories.profile("kraken-futures"),
        Where("main", ("PF_XBTUSD",)),
        None,
        Clock(asyncio.get_running_loop()),
    )
    heard = list[r.VenueReport]()
    venue._on_report = heard.append
    return venue, FuturesStream(venue), heard


def spot() -> KrakenSpot:
    venue = KrakenSpot(
        factories.profile("kraken-spot"),
        Where("main", ("BTC/USD",)),
        None,
        Clock(asyncio.get_running_loop()),
    )
    venue.names = Names(ASSETS, PAIRS)
    return venue


def executed(name: str, at: int, client: str = "X", size: str = "1") -> Fill:
    return Fill(
        name, client, "PF_XBTUSD", Side.BUY, D(59_000), D(size), D(0), "USD", Liquidity.MAKER, at
    )


async def test_a_futures_stop_that_fires_has_not_been_cancelled() -> None:
    venue, stream, _ = futures()
    stop = Order(
        venue.prefix + "STOP",
        "P",
        "PF_XBTUSD",
        Side.SELL,
        OrderType.STOP,
        Role.STOP,
        D("0.1"),
        trigger=D(59_000),
    )
    venue.known.keep(replace(stop, venue_order_id="u1", status=Status.OPEN))
    frame = {
        "feed": "open_orders",
        "order_id": "u1",
        "cli_ord_id": stop.client_order_id,
        "is_cancel": True,
        "reason": "stop_order_triggered",
    }
    (report,) = stream.reports(frame)
    assert isinstance(report, r.Triggered)
    assert venue.known.ended_at(stop.client_order_id) is None
    (report,) = stream.reports({**frame, "reason": "cancelled_by_user"})
    assert isinstance(report, r.Cancelled)


@pytest.mark.parametrize(
    ("kind", "liquidated"),
    [
        ("takerAfterEdit", False),
        ("liquidation", True),
        ("unwindCounterparty", True),
        ("maker", False),
    ],
)
async def test_only_what_the_exchange_did_by_itself_is_a_liquidation(
    kind: str, liquidated: bool
) -> None:
    _, stream, heard = futures()
    row = {
        "instrument": "PF_XBTUSD",
        "time": 1600256910739,
        "price": 10937.5,
        "buy": False,
        "qty": 1.0,
        "order_id": "web-1",
        "fill_id": "f",
        "fill_type": kind,
    }
    stream._heard({"feed": "fills", "fills": [row]})
    assert isinstance(heard[-1], r.Liquidated) is liquidated


async def test_a_futures_order_that_filled_in_part_and_was_not_heard_to_end_is_not_told_as_cancelled() -> (
    None
):
    venue, _, _ = futures()
    entry = Order(
        venue.prefix + "ENTRY",
        "P",
        "PF_XBTUSD",
        Side.BUY,
        OrderType.LIMIT,
        Role.ENTRY,
        D(1),
        price=D(59_000),
    )
    venue.known.keep(replace(entry, venue_order_id="u2", status=Status.OPEN))
    venue.known.fill(executed("x1", venue.clock.now(), entry.client_order_id, "0.3"))

    async def nothing(*_: object) -> Mapping[str, Any]:
        return {"orders": [], "openOrders": [], "fills": [], "elements": []}

    venue.signed = nothing  # type: ignore[assignment,method-assign]
    with pytest.raises(
        OutcomeUnknownError, match=r"with 0\.3 filled; executions may be told later"
    ):
        await venue.send(Query(entry.client_order_id, entry.symbol))
    venue.known.fill(executed("x2", venue.clock.now(), entry.client_order_id, "0.7"))
    (found,) = await venue.send(Query(entry.client_order_id, entry.symbol))
    assert isinstance(found, r.Found)
    assert found.order.status is Status.FILLED


def test_executions_are_found_in_whatever_order_they_were_told() -> None:
    known = Known()
    for name, at in (("new", 1_000 * SECOND), ("old", 10 * SECOND), ("middle", 960 * SECOND)):
        known.fill(executed(name, at))
    assert [fill.execution_id for fill in known.fills_since(950 * SECOND)] == ["new", "middle"]


async def test_a_stream_that_leaves_our_name_out_does_not_say_that_an_order_is_not_ours() -> None:
    venue = spot()
    row = {
        "order_id": "O-1",
        "exec_id": "T-1",
        "exec_type": "trade",
        "symbol": "BTC/USD",
        "side": "sell",
        "last_qty": D("0.1"),
        "last_price": D(60_000),
    }
    told = {
        "liquidity_ind": "t",
        "order_status": "filled",
        "order_type": "limit",
        "timestamp": "2026-01-22T06:06:19.833306Z",
        "fees": [],
    }
    SpotStream(venue).executions.reports({**row, **told})
    assert venue.known.client_of("O-1") is None, "it can be asked for"


async def test_an_order_of_somebody_elses_without_a_size_does_not_end_the_stream() -> None:
    """Bought in the exchange's app for 100 USD: it has an amount of money and no size."""
    venue = spot()
    row = {
        "order_id": "OAPP",
        "symbol": "ETH/USD",
        "exec_type": "new",
        "side": "buy",
        "order_type": "market",
        "cash_order_qty": 100.0,
    }
    row |= {"order_status": "new", "timestamp": "2026-01-05T09:00:00.000000Z"}
    try:
        told = SpotStream(venue).executions.reports(row)
    except KeyError as error:
        pytest.fail(f"the whole stream ends for a row that is not ours: {error!r}")
    assert [type(report) for report in told] == [r.Accepted], "the account is asked about it"
    assert venue.known.order("OAPP") is None
    with pytest.raises(KeyError):  # of ours nothing is passed over
        SpotStream(venue).executions.reports(
            {**row, "order_id": "O-2", "cl_ord_id": f"{venue.prefix}ENTRY"}
        )


async def test_an_entry_that_expires_expires_at_the_exchange_too() -> None:
    venue = spot()
    now = venue.clock.now()
    order = Order(
        "X",
        "P",
        "BTC/USD",
        Side.BUY,
        OrderType.LIMIT,
        Role.ENTRY,
        D("0.1"),
        price=D(50_000),
        expires_at=now + 15 * SECOND,
    )
    fields = venue.fields(order)
    assert fields.get("timeinforce") == "GTD", "it rests for ever where the engine is gone"
    assert 15 <= int(fields["expiretm"]) - now // SECOND <= 18, (
        "the engine's own cancel comes first"
    )
    near = venue.fields(replace(order, expires_at=now + 3 * SECOND))
    assert not near.keys() & {"timeinforce", "expiretm"}, "the exchange refuses what is so near"
    assert not venue.fields(replace(order, expires_at=None)).keys() & {"timeinforce", "expiretm"}


async def test_executions_are_asked_for_as_the_stream_tells_them() -> None:
    """Unless it is told otherwise, the exchange makes one trade, with an id of its own, of all that
    an order took.
    """
    venue, asked = spot(), dict[str, list[Mapping[str, str]]]()

    async def private(method: str, params: Mapping[str, str], lane: int) -> Any:
        del lane
        asked.setdefault(method, []).append(params)
        return {"trades": {}, "count": 0}

    async def pay(name: str, cost: float) -> None:
        del name, cost

    venue.private_call = private  # type: ignore[method-assign]
    await venue.pictures._trades(0, 0)
    await venue.questions._by_client("X", 0)
    await venue.parts().executions(0, "", pay)
    for method in ("private_post_tradeshistory", "private_post_closedorders"):
        assert asked[method], "nothing was asked"
        assert all(params.get("consolidate_taker") == "false" for params in asked[method]), (
            f"{method} tells trades that no stream has told"
        )


async def test_a_line_that_can_not_be_opened_is_told_once_and_again_after_it_was_up() -> None:
    venue, _, heard = futures()
    for _ in range(3):
        venue.down("refused")
    assert [type(report) for report in heard] == [r.Disconnected]
    venue.up()
    venue.down("broken")
    assert [type(report) for report in heard] == [r.Disconnected, r.Connected, r.Disconnected]


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ({"count": 1}, True),
        ({"count": 0}, False),
        ({"count": 1, "pending": True}, False),
        ({}, False),
    ],
)
async def test_a_cancel_is_done_when_the_exchange_says_that_it_is(
    answer: Mapping[str, Any], done: bool
) -> None:
    venue = spot()

    async def told(*_: object) -> Mapping[str, Any]:
        return answer

    venue.private_call = told  # type: ignore[assignment,method-assign]
    request = Cancel("FOX", "BTC/USD", Lane.CANCEL, "O-1")
    if done:
        (report,) = await venue.send(request)
        assert isinstance(report, r.Cancelled)
    else:
        with pytest.raises(OutcomeUnknownError, match="not cancelled it yet"):
            await venue.send(request)


async def test_leverage_is_set_for_the_symbol_before_a_futures_entry_leaves() -> None:
    venue, _, _ = futures()
    sent = list[tuple[str, Mapping[str, Any]]]()

    async def told(method: str, params: Mapping[str, Any], _: int) -> Mapping[str, Any]:
        sent.append((method, params))
        return {"sendStatus": {"status": "placed", "order_id": "u1"}}

    venue.signed = told  # type: ignore[assignment,method-assign]
    entry = Order(
        venue.prefix + "E",
        "P",
        "PF_XBTUSD",
        Side.BUY,
        OrderType.LIMIT,
        Role.ENTRY,
        D(1),
        price=D(59_000),
        leverage=D(3),
    )
    await venue._submit(entry, 4)
    await venue._submit(
        replace(entry, role=Role.STOP, type=OrderType.STOP, trigger=D(58_000), price=None), 1
    )
    assert [method for method, _ in sent] == [
        "private_put_leveragepreferences",
        "private_post_sendorder",
        "private_post_sendorder",
    ]
    assert sent[0][1] == {"symbol": "PF_XBTUSD", "maxLeverage": "3"}


async def test_a_futures_ticker_tells_what_funding_costs_whenever_that_changes() -> None:
    venue, _, heard = futures()
    stream = FuturesPrices(venue)
    row = {
        "feed": "ticker",
        "product_id": "pf_xbtusd",
        "bid": 1,
        "ask": 2,
        "bid_size": 1,
        "ask_size": 1,
        "next_funding_rate_time": 3_600_000,
    }
    for rate in (
        {"relative_funding_rate": "0.00012"},
        {"relative_funding_rate": "0.00012"},
        {},
        {},
    ):
        stream._heard({**row, **rate})
    stream._heard({**row, "feed": "ticker", "next_funding_rate_time": None})
    hour, told = (
        3600 * SECOND,
        [
            (report.symbol, report.rate, report.next_at)
            for report in heard
            if isinstance(report, r.FundingRate)
        ],
    )
    assert told == [("PF_XBTUSD", D("0.00012"), hour), ("PF_XBTUSD", D(0), hour)], (
        "a rate of zero is left out of the frame"
    )


@pytest.mark.parametrize(
    ("currency", "symbols", "added"),
    [
        ("USD", ("XRP/BTC",), ("XRP/USD", "BTC/USD")),
        ("USD", ("BTC/EUR", "BTC/USD"), ("EUR/USD",)),
        ("EUR", ("BTC/USD",), ("BTC/EUR", "EUR/USD")),
        ("USD", ("BTC/USD",), ()),
        ("CHF", ("BTC/USD",), ()),
    ],
)
async def test_prices_that_turn_money_into_the_accounts_are_listened_to(
    currency: str, symbols: tuple[str, ...], added: tuple[str, ...]
) -> None:
    venue = spot()
    listed = ("XBT/USD", "XBT/EUR", "XRP/XBT", "XRP/USD", "EUR/USD")
    pairs = {
        name.replace("/", ""): {
            **PAIRS["XXBTZUSD"],
            "altname": name.replace("/", ""),
            "wsname": name,
        }
        for name in listed
    }
    venue.names = Names(ASSETS, pairs)
    venue.where = replace(venue.where, symbols=symbols, currency=currency)
    assert venue.converting() == added
