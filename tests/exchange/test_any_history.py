"""Whatever the market and the trader do: the books add up, nothing is in two places, and a restart
changes nothing.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exchange import Store
from engine.exchange.ledger import reserved
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.instrument import Kind
from engine.model.money import is_on_grid
from engine.model.order import OrderType, Status, TimeInForce, Trail, may_become
from engine.model.request import Amend, Lane
from engine.model.side import Side
from tests.exchange.conftest import SECOND, Venue

D = Decimal
ZERO = Decimal(0)
SIDES, SMALL = st.sampled_from(Side), st.integers(1, 30)
PRICE = st.integers(9_800, 10_200)
QUOTE = st.tuples(st.just("quote"), PRICE, SMALL, SMALL)
TRADE = st.tuples(st.just("trade"), PRICE, SMALL, st.sampled_from([Side.BUY, Side.SELL, None]))
ENTER = st.tuples(
    st.just("submit"),
    SIDES,
    SMALL,
    st.sampled_from(OrderType),
    PRICE,
    PRICE,
    st.sampled_from(TimeInForce),
    st.booleans(),
    st.integers(1, 20),
)
CHANGE = st.tuples(st.just("amend"), SMALL, SMALL, PRICE)
CANCEL = st.tuples(st.just("cancel"), SMALL)
LATER = st.tuples(st.just("later"), st.integers(1, 4000))
Steps = list[tuple[Any, ...]]  # a tagged tuple per step
STEPS = st.lists(
    st.one_of(QUOTE, QUOTE, TRADE, ENTER, ENTER, CHANGE, CANCEL, LATER), min_size=5, max_size=60
)
ACCOUNTS = {
    "kraken-spot": ("BTC/USD", {"USD": "100000", "BTC": "5"}),
    "binance-spot": ("BTC/USD", {"USD": "100000", "BTC": "5"}),
    "kraken-futures": ("BTC/USD", {"USD": "20000"}),
    "inverse": ("PI_XBTUSD", {"BTC": "1"}),
}


def account(name: str) -> Venue:
    symbol, cash = ACCOUNTS[name]
    return Venue("kraken-futures" if name == "inverse" else name, (symbol,), cash, "USD")


def act(venue: Venue, step: tuple[Any, ...]) -> object:
    """One step; what the venue answered."""
    unit = D(100) if venue.symbol.startswith("PI_") else D("0.1")
    match step:
        case ("quote", price, bid_size, ask_size):
            venue.quote(str(price), str(price + 1), str(bid_size * unit), str(ask_size * unit))
        case ("trade", price, size, taker):
            venue.trade(str(price), str(size * unit), taker)
        case ("later", milliseconds):
            venue.later(milliseconds / 1000)
        case ("cancel", which) if venue.exchange.orders:
            return venue.exchange.cancel(
                list(venue.exchange.orders)[which % len(venue.exchange.orders)], venue.now
            )
        case ("amend", which, size, price) if venue.exchange.orders:
            order = list(venue.exchange.orders.values())[which % len(venue.exchange.orders)]
            level = D(price)
            waits = order.trigger is not None and not order.triggered
            request = Amend(
                order.client_order_id,
                venue.symbol,
                Lane.PROTECT,
                size=size * unit,
                price=level if order.price and not waits else None,
                trigger=level if waits else None,
            )
            return venue.exchange.amend(request, venue.now)
        case ("submit", side, size, kind, price, trigger, tif, reduce_only, seconds):
            trail = Trail(amount=D(seconds * 5)) if kind is OrderType.TRAILING_STOP else None
            terms: dict[str, object] = {
                "price": D(price) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
                "trigger": D(trigger)
                if kind not in (OrderType.MARKET, OrderType.LIMIT, OrderType.TRAILING_STOP)
                else None,
                "trail": trail,
                "time_in_force": tif,
                "reduce_only": reduce_only and not venue.profile_is_spot,
                "expires_at": venue.now + seconds * SECOND if tif is TimeInForce.GTD else None,
            }
            return venue.exchange.submit(
                venue.order(side, str(size * unit), kind, **terms), venue.now
            )
    return None


def check(venue: Venue) -> None:
    """What must hold after every step."""
    exchange, instrument = venue.exchange, venue.exchange.instruments[venue.symbol]
    assert not set(exchange.orders) & set(exchange.ended)
    for order in exchange.orders.values():
        assert order.is_working
        assert ZERO <= order.filled < order.size
        assert order.reduce_only is False or exchange.reducible(order) > ZERO
        assert order.expires_at is None or order.expires_at > venue.now
    for order in exchange.ended.values():
        assert not order.is_open
        assert ZERO <= order.filled <= order.size
        assert (order.status is Status.FILLED) is (
            order.filled == order.size
        ) or order.status is Status.CANCELLED
    for order in (*exchange.orders.values(), *exchange.ended.values()):
        fills = [fill for fill in exchange.fills if fill.client_order_id == order.client_order_id]
        assert order.filled == sum((fill.size for fill in fills), ZERO)
        assert order.value == sum((fill.size * fill.price for fill in fills), ZERO)
    assert all(is_on_grid(fill.size, instrument.lot) for fill in exchange.fills)
    if instrument.kind is Kind.SPOT:
        holds = [
            reserved(order, instrument, exchange.opening(order))
            for order in exchange.orders.values()
        ]
        base = sum((amount for currency, amount in holds if currency == "BTC"), ZERO)
        assert exchange.ledger.free("BTC") == venue.cash("BTC") - base


def check_standing(venue: Venue) -> None:
    """What is kept by symbol is what the long way says."""
    exchange, ledger = venue.exchange, venue.exchange.ledger
    long = (
        ledger.equity(exchange.instruments, exchange.mid),
        *ledger.margin(exchange.instruments, exchange.mid),
    )
    for kept, expected in zip(
        (exchange.standing.equity(), *exchange.standing.margin()), long, strict=True
    ):
        assert abs(kept - expected) <= D("1e-12")


def check_money(venue: Venue, begin: dict[str, str]) -> None:
    """Cash and holding from the executions alone."""
    instrument = venue.exchange.instruments[venue.symbol]
    cash = {currency: D(begin.get(currency, "0")) for currency in ("USD", "BTC")}
    size = ZERO
    for fill in venue.exchange.fills:
        cash[fill.fee_currency] -= fill.fee
        size += fill.size * fill.side.sign
        if instrument.kind is Kind.SPOT:
            cash["USD"] -= fill.size * fill.price * fill.side.sign
            cash["BTC"] += fill.size * fill.side.sign
    assert len({fill.execution_id for fill in venue.exchange.fills}) == len(venue.exchange.fills)
    if instrument.kind is Kind.SPOT:
        assert {currency: venue.cash(currency) for currency in cash} == cash
        return
    assert venue.held() == size
    holding = venue.exchange.ledger.holdings.get(venue.symbol)
    cash[instrument.settle] += gain(
        instrument.kind,
        list(venue.exchange.fills),
        size,
        ZERO if holding is None else holding.value,
    )
    assert abs(venue.cash(instrument.settle) - cash[instrument.settle]) < D("1e-15")


def gain(kind: Kind, fills: list[Fill], size: Decimal, held_at: Decimal) -> Decimal:
    """What all executions brought in, less what the holding was entered for."""
    if kind is Kind.INVERSE:
        flow = sum((fill.size / fill.price * fill.side.sign for fill in fills), ZERO)
        return flow - held_at if size > ZERO else flow + held_at
    flow = sum((-fill.size * fill.price * fill.side.sign for fill in fills), ZERO)
    return flow + held_at if size > ZERO else flow - held_at


@pytest.mark.parametrize("name", ACCOUNTS)
@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_books_and_orders_add_up(name: str, steps: Steps) -> None:
    venue = account(name)
    for step in steps:
        venue.said.clear()
        act(venue, step)
        check(venue)
        check_standing(venue)
        for fill in venue.fills():
            order = (
                venue.exchange.orders.get(fill.client_order_id)
                or venue.exchange.ended[fill.client_order_id]
            )
            assert order.price is None or (fill.price - order.price) * order.side.sign <= ZERO
    check_money(venue, ACCOUNTS[name][1])


@pytest.mark.parametrize("name", ACCOUNTS)
@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_reports_tell_a_legal_story(name: str, steps: Steps) -> None:
    venue = account(name)
    status: dict[str, Status] = {}
    told = {r.Accepted: Status.OPEN, r.Cancelled: Status.CANCELLED, r.Expired: Status.EXPIRED}
    for step in steps:
        venue.said.clear()
        act(venue, step)
        for report in venue.said:
            if isinstance(report, r.Filled):
                order = report.fill.client_order_id
                found = venue.exchange.find(order, venue.now)
                assert isinstance(found, r.Found)
                whole = found.order.status is Status.FILLED and report.fill is found.fills[-1]
                then = Status.FILLED if whole else Status.PARTIALLY_FILLED
            elif isinstance(report, r.Accepted | r.Cancelled | r.Expired):
                order, then = report.client_order_id, told[type(report)]
            else:
                continue
            assert may_become(status.get(order, Status.PENDING), then), (order, report)
            status[order] = then
    assert {
        name for name, now in status.items() if now in (Status.OPEN, Status.PARTIALLY_FILLED)
    } == set(venue.exchange.orders)


@pytest.mark.hazard("H03")
@pytest.mark.parametrize("name", ACCOUNTS)
@settings(max_examples=40, deadline=None)
@given(steps=STEPS, split=st.integers(0, 59))
def test_a_restart_in_the_middle_changes_nothing(name: str, steps: Steps, split: int) -> None:
    split = min(split, len(steps))
    with TemporaryDirectory() as folder:
        old, new = account(name), account(name)
        store = Store(Path(folder) / "paper.sqlite")
        for step in steps[:split]:
            act(old, step)
        act(old, ("later", 1000))  # what was taken is there again: that alone is not kept
        store.save(old.exchange, old.now)
        again = Store(Path(folder) / "paper.sqlite")
        again.restore(new.exchange, old.now)
        new.now, new._orders = old.now, old._orders
        new.later(0)
        old.said.clear()
        # whether a symbol has quotes of its own is learnt anew: the market goes on with one
        for step in [("quote", 10_000, 5, 5), *steps[split:]]:
            act(old, step)
            act(new, step)
        assert new.said == old.said
        assert new.exchange.picture(new.now, 0) == old.exchange.picture(old.now, 0)
        for opened in (store, again):
            opened.close()


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_the_same_history_says_the_same(steps: Steps) -> None:
    one, other = account("kraken-spot"), account("kraken-spot")
    for step in steps:
        assert act(one, step) == act(other, step)
    assert one.said == other.said
