"""What an order may be, what is left of it, and where it may go."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.order import (
    TERMINAL,
    TRIGGERED,
    Order,
    OrderType,
    Role,
    Status,
    Trail,
    may_become,
)
from engine.model.side import Side

D = Decimal
ORDER = Order("C", "P", "BTC/USD", Side.BUY, OrderType.LIMIT, Role.ENTRY, D(4), price=D(100))
BAD = ["0", "-1", "NaN", "Infinity"]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["size", "price", "trigger"])
def test_a_number_that_is_none_can_t_be_ordered(name: str, bad: str) -> None:
    with pytest.raises(ValueError, match=rf"order C: {name} is {bad}; it must be above zero"):
        replace(ORDER, **{name: D(bad)})


def test_the_smallest_numbers_can() -> None:
    tiny = D("1e-12")
    order = replace(ORDER, size=tiny, price=tiny, trigger=tiny)
    assert (order.size, order.price, order.trigger) == (tiny, tiny, tiny)


@pytest.mark.parametrize("bad", BAD)
def test_a_trail_without_a_distance_is_refused(bad: str) -> None:
    for kind in ("amount", "fraction"):
        with pytest.raises(
            ValueError, match=rf"trail: the distance is {bad}; it must be above zero"
        ):
            Trail(**{kind: D(bad)})  # type: ignore[arg-type] # by name


def test_a_trail_has_one_kind_of_distance() -> None:
    for terms in ({}, {"amount": D(1), "fraction": D("0.1")}):
        with pytest.raises(ValueError, match="exactly one of amount and fraction"):
            Trail(**terms)  # type: ignore[arg-type] # by name


def test_a_trail_of_the_whole_price_is_refused() -> None:
    assert Trail(fraction=D("0.999")).distance(D(200)) == D("199.8")
    with pytest.raises(ValueError, match="the fraction is 1; it must be below 1"):
        Trail(fraction=D(1))
    assert Trail(amount=D(5)).distance(D(2)) == D(5), "an amount knows no bound"


@given(
    size=st.integers(2, 50),
    filled=st.integers(0, 49),
    asked=st.none() | st.integers(1, 100),
    price=st.integers(1, 1000),
)
def test_what_is_left_of_an_order(size: int, filled: int, asked: int | None, price: int) -> None:
    filled = min(filled, size)
    order = replace(
        ORDER,
        size=D(size),
        filled=D(filled),
        value=D(filled * price),
        asked_size=None if asked is None else D(asked),
    )
    assert order.remaining == size - filled
    assert order.reserved == max(size, asked or size) - filled
    assert order.average_price == (D(price) if filled else None)


@pytest.mark.parametrize("status", Status)
def test_an_order_works_once_the_venue_has_it_and_is_open_until_it_ends(status: Status) -> None:
    order = replace(ORDER, status=status)
    assert order.is_open is (status in (Status.PENDING, Status.OPEN, Status.PARTIALLY_FILLED))
    assert order.is_working is (status in (Status.OPEN, Status.PARTIALLY_FILLED))


def test_only_an_entry_adds_to_its_position() -> None:
    assert [role for role in Role if not replace(ORDER, role=role).is_exit] == [Role.ENTRY]


def test_only_stops_and_their_kin_wait_for_a_trigger() -> None:
    assert {OrderType.MARKET, OrderType.LIMIT} == set(OrderType) - TRIGGERED


@pytest.mark.hazard("H07")
@given(reports=st.lists(st.sampled_from(Status), max_size=12))
def test_an_order_that_ended_only_ever_turns_out_to_be_filled(reports: list[Status]) -> None:
    lived = [Status.PENDING]
    for then in reports:
        if may_become(lived[-1], then):
            lived.append(then)
    for now, then in itertools.pairwise(lived):
        assert then is not Status.PENDING
        assert then is Status.FILLED or now not in TERMINAL
        assert (now, then) != (Status.PARTIALLY_FILLED, Status.OPEN), "a fill is never taken back"
    assert lived.count(Status.FILLED) <= 1


@pytest.mark.hazard("H07")
@given(
    arrival=st.permutations([Status.OPEN, Status.PARTIALLY_FILLED, Status.FILLED, Status.CANCELLED])
)
def test_a_full_fill_is_where_every_order_of_arrival_ends(arrival: list[Status]) -> None:
    now = Status.PENDING
    for then in arrival:
        now = then if may_become(now, then) else now
    assert now is Status.FILLED
