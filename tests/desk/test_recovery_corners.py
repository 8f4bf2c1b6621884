"""Exits that a crash made us forget: how they are recognised by their ids, what is taken up of
them, and what is not ours to take.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.messages import Restarted
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.ids import NUMBERS, client_order_id, number_of
from engine.model.order import Order, OrderType, Role, Status, TimeInForce
from engine.model.position import Position
from engine.model.request import Amend, Cancel, Query, Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
FUTURES, SPOT = "kraken-futures", "kraken-spot"


def name_of(position: Position, version: int, role: str = "stop") -> str:
    return client_order_id("test", position.id, role, version)


def forgotten(position: Position, version: int, role: str = "stop", symbol: str = BTC) -> Order:
    """An exit as the venue lists it: a stop for half a bitcoin at 59000."""
    name = name_of(position, version, role)
    return Order(
        name,
        "",
        symbol,
        Side.SELL,
        OrderType.STOP,
        Role.ENTRY,
        D("0.5"),
        trigger=D(59_000),
        status=Status.OPEN,
        venue_order_id="OLD",
    )


def executed(
    position: Position, version: int, size: str, execution: str, at: int, role: str = "close"
) -> Fill:
    """An execution of a forgotten exit, at 60000."""
    name = name_of(position, version, role)
    return Fill(
        execution, name, BTC, Side.SELL, D(60_000), D(size), D(0), "USD", Liquidity.TAKER, at
    )


def holding(profile: str = FUTURES, versions: int = 0) -> tuple[Story, Position]:
    """Half a bitcoin without a stop; so many exits have been decided for it."""
    story = Story(profile)
    position = story.opened("0.5", stop=None, label="swing")
    position = story.state.positions[position.id] = replace(position, versions=versions)
    story.now += 20 * SECOND
    return story, position


# Which


@pytest.mark.parametrize(
    ("versions", "version"), [(0, 1), (0, 0), (0, 5_000), (50, 51), (50, 1), (9, 32**5 - 1)]
)
@pytest.mark.parametrize("role", ["stop", "close", "target"])
def test_an_exit_is_recognised_by_its_id_whatever_its_number(
    versions: int, version: int, role: str
) -> None:
    story, position = holding(versions=versions)
    order = forgotten(position, version, role)
    story.picture(orders=(order,))
    assert [event.version for event in story.seen(e.OrderRecovered)] == [version]
    assert "UNKNOWN_ORDER" not in story.standing()
    assert story.now_of(order).role is Role(role)
    assert story.state.positions[position.id].versions == max(versions, version)


@pytest.mark.parametrize("end", ["AAAAB", "AAAA1", "aaaac", "====="])
def test_an_id_that_only_looks_like_one_is_none(end: str) -> None:
    story, position = holding()
    order = replace(forgotten(position, 1), client_order_id=name_of(position, 2)[:-5] + end)
    story.picture(orders=(order,))
    assert not story.seen(e.OrderRecovered)
    assert "UNKNOWN_ORDER" in story.standing()


@pytest.mark.parametrize(
    ("lived", "versions", "then"),
    [
        (0, 0, 100),
        (0, 5, 105),
        (2, 0, 200),
        (2, 100, 200),
        (2, 101, 201),
        (3600, 5, 360_000),
        (3600, 360_001, 360_101),
    ],
)
def test_a_new_process_leaves_out_what_the_last_one_may_have_used(
    lived: int, versions: int, then: int
) -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.state.positions[position.id] = replace(position, versions=versions)
    story.now = position.created_at + lived * SECOND
    story.tell(Restarted())
    assert story.state.positions[position.id].versions == then
    story.picture()
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_400)))).ok
    assert number_of(story.order("stop").client_order_id) == then + 1


def test_an_entry_is_no_exit() -> None:
    story, position = holding()
    story.picture(orders=(forgotten(position, 1, "entry"),))
    assert not story.seen(e.OrderRecovered)
    assert "UNKNOWN_ORDER" in story.standing()


def test_an_order_of_another_symbol_is_not_taken_up() -> None:
    story, position = holding()
    order = forgotten(position, 1, symbol=ETH)
    story.picture(orders=(order,))
    assert not story.seen(e.OrderRecovered)
    assert "UNKNOWN_ORDER" in story.standing()
    assert [cancel.client_order_id for cancel in story.sent(Cancel)] == [order.client_order_id], (
        "nothing is held there: it could only open something"
    )


def test_somebody_elses_order_is_not_taken_up() -> None:
    story, position = holding()
    story.picture(orders=(replace(forgotten(position, 1), client_order_id="web-page"),))
    assert not story.seen(e.OrderRecovered)
    assert "UNKNOWN_ORDER" not in story.standing()


def test_an_exit_that_is_known_is_not_taken_up_again() -> None:
    story, position = holding()
    order = forgotten(position, 1)
    for _ in range(3):
        story.picture(orders=(order,))
    assert len(story.seen(e.OrderRecovered)) == 1
    assert [cancel.client_order_id for cancel in story.sent(Cancel)] == [order.client_order_id], (
        "no stop is wanted; that is asked once, too"
    )


# What is taken up


def test_a_resting_exit_is_taken_up_as_the_venue_has_it() -> None:
    story, position = holding()
    order = replace(
        forgotten(position, 3),
        size=D("0.4"),
        price=D(58_000),
        type=OrderType.STOP_LIMIT,
        time_in_force=TimeInForce.GTD,
        reduce_only=True,
        created_at=START + 7,
        touched_at=START + 8,
    )
    story.tell(r.Accepted(order.client_order_id, "OLD", story.now))
    assert "UNKNOWN_ORDER" in story.standing()
    story.picture(orders=(order,))
    assert "UNKNOWN_ORDER" not in story.standing(), "now it is known"
    (event,) = story.seen(e.OrderRecovered)
    assert event.order == Order(
        order.client_order_id,
        position.id,
        BTC,
        Side.SELL,
        OrderType.STOP_LIMIT,
        Role.STOP,
        D("0.4"),
        price=D(58_000),
        trigger=D(59_000),
        time_in_force=TimeInForce.GTD,
        reduce_only=True,
        status=Status.PENDING,
        created_at=START + 7,
        touched_at=story.now,
        label="swing",
    )
    known = story.now_of(order)
    assert (known.status, known.venue_order_id) == (Status.OPEN, "OLD")
    story.replays()


def test_the_next_exit_gets_a_number_that_is_free() -> None:
    story, position = holding()
    story.picture(orders=(forgotten(position, 5, "target"),))
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_400)))).ok
    assert story.order("stop").client_order_id == name_of(position, 6)


def test_of_two_working_stops_the_second_is_cancelled() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    stop = story.order("stop")
    story.now += 20 * SECOND
    order = forgotten(position, 2)
    story.picture(orders=(stop, order))
    assert [(cancel.client_order_id, cancel.venue_order_id) for cancel in story.sent(Cancel)] == [
        (order.client_order_id, "OLD")
    ]
    assert story.now_of(order).reason == "one stop is enough"
    assert not story.now_of(stop).cancel_pending
    assert story.sent(Amend) == [], "the first one stands where it should"
    story.cancelled(order)
    assert story.order("stop").client_order_id == stop.client_order_id
    story.replays()


def test_of_two_working_targets_the_first_is_kept_where_it_should_be() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", target=i.Away(D("0.02")))
    target = story.order("target")
    story.now += 20 * SECOND
    order = replace(
        forgotten(position, 3, "target"), type=OrderType.LIMIT, trigger=None, price=D(62_000)
    )
    story.picture(orders=(story.order("stop"), target, order))
    assert story.now_of(order).role is Role.TARGET
    assert story.sent(Amend) == []


# What has filled


def test_executions_alone_tell_of_an_exit_that_is_over() -> None:
    story, position = holding(SPOT)
    first, second = (
        executed(position, 2, size, name, at)
        for size, name, at in (("0.2", "A", START + 5), ("0.3", "B", START + 9))
    )
    submitted = len(story.sent(Submit))
    story.picture({"USD": D(1_000_000), "BTC": D(0)}, orders=(), fills=(first, second))
    (event,) = story.seen(e.OrderRecovered)
    assert event.version == 2
    assert event.order == Order(
        name_of(position, 2, "close"),
        position.id,
        BTC,
        Side.SELL,
        OrderType.MARKET,
        Role.CLOSE,
        D("0.5"),
        created_at=START + 5,
        touched_at=story.now,
        label="swing",
    )
    assert story.now_of(event.order).status is Status.FILLED
    assert (story.closed().id, story.closed().exit_size, story.closed().versions) == (
        position.id,
        D("0.5"),
        2,
    )
    assert len(story.sent(Submit)) == submitted
    assert "ILLEGAL_REPORT" not in story.told(), "it was exactly as large as its executions"
    story.replays()


def test_executions_of_two_exits_are_told_apart() -> None:
    story, position = holding(SPOT)
    close, stop = (
        executed(position, 2, "0.2", "A", START + 5),
        executed(position, 1, "0.3", "B", START + 6, "stop"),
    )
    story.picture(
        {"USD": D(1_000_000), "BTC": D(0)},
        orders=(),
        fills=(close, stop, replace(close, execution_id="C", size=D("0.1"))),
    )
    assert [
        (event.order.role, event.order.size, event.version)
        for event in story.seen(e.OrderRecovered)
    ] == [
        (Role.CLOSE, D("0.3"), 2),
        (Role.STOP, D("0.3"), 1),
    ]


def test_executions_that_are_booked_or_nobodys_tell_nothing() -> None:
    story, position = holding(SPOT)
    entry = story.seen(e.OrderFilled)[0].fill
    alien = replace(executed(position, 1, "0.1", "X", START), client_order_id="web-page")
    seq = story.state.executions.copy()
    story.picture(fills=(entry, alien))
    assert not story.seen(e.OrderRecovered)
    assert (story.state.executions, story.position().size) == (seq, D("0.5"))


def test_an_execution_that_is_booked_does_not_count_twice_for_what_is_taken_up() -> None:
    story, position = holding(SPOT)
    part = executed(position, 1, "0.2", "A", START + 5)
    story.picture({"USD": D(982_000), "BTC": D("0.3")}, orders=(), fills=(part,))
    assert story.position().size == D("0.3")
    story.picture(orders=(), fills=(part, executed(position, 2, "0.1", "B", START + 6)))
    assert [event.order.size for event in story.seen(e.OrderRecovered)] == [D("0.2"), D("0.1")]
    assert story.position().size == D("0.2")


def test_an_execution_that_is_booked_is_booked_even_where_its_order_is_forgotten() -> None:
    story, position = holding(SPOT)
    part = executed(position, 1, "0.2", "A", START + 5)
    story.picture({"USD": D(982_000), "BTC": D("0.3")}, orders=(), fills=(part,))
    del story.state.ended[part.client_order_id]
    story.picture(orders=(), fills=(part,))
    assert len(story.seen(e.OrderRecovered)) == 1
    assert story.position().size == D("0.3")


def test_a_forgotten_exit_of_a_closed_position_opens_its_book_again() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.fill(story.order("stop"), price="59400")
    assert story.closed().id == position.id
    story.now += 20 * SECOND
    story.picture(
        orders=(), fills=(executed(position, 2, "0.1", "A", story.now - 1),), net={BTC: D("-0.1")}
    )
    assert [event.version for event in story.seen(e.OrderRecovered)] == [2]
    assert story.state.positions[position.id].size == D("-0.1")
    assert "OVER_CLOSED" in story.standing()
    repair = story.order("close")
    assert (repair.side, repair.size, repair.client_order_id) == (
        Side.BUY,
        D("0.1"),
        name_of(position, 3, "close"),
    )
    story.replays()


def test_what_is_over_closed_is_bought_back_at_once_however_long_its_book_would_have_waited() -> (
    None
):
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.state.positions[position.id] = replace(
        position, retry_at=story.now + 3600 * SECOND, stop_refusals=9
    )
    story.fill(story.order("stop"), price="59400")
    story.now += 20 * SECOND
    assert (story.closed().retry_at, story.closed().stop_refusals) == (None, 0)
    story.picture(
        orders=(), fills=(executed(position, 2, "0.1", "A", story.now - 1),), net={BTC: D("-0.1")}
    )
    assert story.order("close").size == D("0.1")


@pytest.mark.parametrize("restarted", [False, True])
def test_an_order_of_a_closed_position_that_is_in_doubt_is_asked_about(restarted: bool) -> None:
    story = Story(SPOT)
    position = story.opened("0.5")
    story.fill(story.order("stop"), price="59400")
    story.now += 20 * SECOND
    order = forgotten(position, 2)
    story.picture(orders=(order,))
    story.tell(Restarted()) if restarted else story.tell(
        r.Unknown(order.client_order_id, "cancel", "no answer", story.now)
    )
    story.wait(2)
    assert [query.client_order_id for query in story.sent(Query)] == [order.client_order_id]
    story.tell(r.Found(replace(order, status=Status.CANCELLED), (), story.now))
    assert not story.state.orders
    story.wait(2)
    story.picture(orders=())
    assert "STARTING" not in story.state.blocks
    assert story.desk.next_wake() is None
    story.replays()


def test_numbers_that_have_wrapped_are_recognised() -> None:
    story = Story(SPOT)
    position = story.opened("0.5", stop=None)
    number = NUMBERS * 2 + 5
    story.state.positions[position.id] = replace(position, versions=number - 3)
    story.now += 20 * SECOND
    story.picture(orders=(forgotten(position, number),))
    assert [event.version for event in story.seen(e.OrderRecovered)] == [number]


def test_a_forgotten_exit_that_has_filled_in_part_is_as_large_as_the_venue_says() -> None:
    story = Story(SPOT)
    position = story.opened("0.5")
    story.now += 20 * SECOND
    order = replace(
        forgotten(position, 2), filled=D("0.1"), value=D(6_000), status=Status.PARTIALLY_FILLED
    )
    listed = (*story.state.orders.values(), order)
    cash = {**story.state.cash, "BTC": D("0.4")}
    story.picture(
        cash, orders=listed, fills=(executed(position, 2, "0.1", "A", story.now - 1, "stop"),)
    )
    known = story.now_of(order)
    assert (known.size, known.filled, known.status) == (D("0.5"), D("0.1"), Status.PARTIALLY_FILLED)


def test_nobody_is_flat_while_the_venue_lists_an_order_of_ours() -> None:
    story = Story(SPOT)
    position = story.opened("0.5", stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.fill(story.order("close"))
    story.now += 20 * SECOND
    order = replace(
        forgotten(position, 2), client_order_id=client_order_id("test", "nobody knows", "stop", 2)
    )
    assert story.ask(i.Flatten(id="f")).ok
    story.picture(orders=(order,))
    assert story.state.flatten is not None
    assert story.state.flatten.ended_at is None
    assert [event.order.client_order_id for event in story.seen(e.OrphanCancelled)] == [
        order.client_order_id
    ]
    story.wait(2)
    story.picture(orders=())
    assert story.state.flatten.ended_at is not None


@pytest.mark.parametrize("flattened", [False, True])
def test_a_forgotten_exit_that_rests_for_a_closed_position_is_cancelled(flattened: bool) -> None:
    story = Story(SPOT)
    position = story.opened("0.5")
    story.fill(story.order("stop"), price="59400")
    story.now += 20 * SECOND
    order = forgotten(position, 2)
    if flattened:
        assert story.ask(i.Flatten(id="f")).ok
    story.picture(orders=(order,))
    assert [cancel.client_order_id for cancel in story.sent(Cancel)] == [order.client_order_id], (
        "it could only open something"
    )
    story.cancelled(order)
    assert not story.state.orders
    story.picture(orders=())
    story.replays()


def test_of_positions_that_have_ended_each_is_recognised() -> None:
    story = Story(FUTURES)
    ended = []
    for _ in range(3):
        ended.append(story.opened("0.5"))
        story.fill(story.order("stop"), price="59400")
    for number, position in enumerate(ended):
        story.now += 20 * SECOND
        story.picture(orders=(), fills=(executed(position, 2, "0.1", f"X{number}", story.now - 1),))
        assert story.seen(e.OrderRecovered)[-1].order.position == position.id


def test_an_open_position_and_an_ended_one_are_told_apart() -> None:
    story = Story(FUTURES)
    ended = story.opened("0.5")
    story.fill(story.order("stop"), price="59400")
    held = story.opened("0.5", stop=None)
    story.now += 20 * SECOND
    story.picture(orders=(forgotten(held, 1),))
    assert story.seen(e.OrderRecovered)[-1].order.position == held.id
    story.picture(
        orders=(*story.state.orders.values(),), fills=(executed(ended, 2, "0.1", "Y", story.now),)
    )
    assert story.seen(e.OrderRecovered)[-1].order.position == ended.id
