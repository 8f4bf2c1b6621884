"""What events leave in the memory: bounds, counts, sums and flags, one event at a time."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.evolve import evolve
from engine.desk.state import State, keep_last
from engine.model import intent as i
from engine.model import report as r
from engine.model.alert import Alert
from engine.model.order import Order, OrderType, Role, Status, Trail
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES, SPOT = "kraken-futures", "kraken-spot"


def resting(story: Story, size: str = "0.5") -> Order:
    assert story.buy(size, type=LIMIT, price=D(60_000)).ok
    story.accept(story.order("entry"))
    return story.order("entry")


# Bounds


@pytest.mark.parametrize(
    ("count", "kept"), [(2, [0, 1]), (3, [0, 1, 2]), (4, [1, 2, 3]), (7, [4, 5, 6])]
)
def test_the_oldest_beyond_a_bound_are_forgotten(count: int, kept: list[int]) -> None:
    collection = dict.fromkeys(range(count))
    keep_last(collection, 3)
    assert list(collection) == kept


def test_five_hundred_alerts_stand_and_then_the_oldest_that_is_not_critical_ends() -> None:
    state = State("a", "USD")
    critical = Alert("NAKED", "first", "", 1)
    evolve(state, e.AlertRaised(1, critical))
    for number in range(499):
        evolve(state, e.AlertRaised(2, Alert("RATE_LIMITED", str(number), "", 2)))
    assert (len(state.alerts), state.ended_alerts) == (500, [])
    evolve(state, e.AlertRaised(3, Alert("RATE_LIMITED", "last", "", 3)))
    assert len(state.alerts) == 500
    assert [(alert.subject, alert.cured_at) for alert in state.ended_alerts] == [("0", 3)]
    assert critical.key in state.alerts


def test_where_all_are_critical_none_ends() -> None:
    state = State("a", "USD")
    for number in range(503):
        evolve(state, e.AlertRaised(1, Alert("NAKED", str(number), "", 1)))
    assert (len(state.alerts), state.ended_alerts) == (503, [])


def test_the_last_two_hundred_ended_alerts_and_the_last_thousand_answers_are_kept() -> None:
    story = Story()
    for number in range(205):
        evolve(story.state, e.AlertRaised(1, Alert("RATE_LIMITED", str(number), "", 1)))
        evolve(story.state, e.AlertCured(2, f"RATE_LIMITED:{number}"))
    assert [alert.subject for alert in story.state.ended_alerts] == [
        str(number) for number in range(5, 205)
    ]
    for number in range(1_002):
        story.ask(i.Resume(id=str(number)))
    assert list(story.state.answers) == [str(number) for number in range(2, 1_002)]


def test_ended_orders_dropped_brackets_and_executions_have_their_bounds() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    known = story.now_of(entry)
    for number in range(1_000):
        story.state.end(replace(known, client_order_id=str(number)))
    story.state.executions.update({str(number): None for number in range(20_000)})
    fill = story.fill(entry, "0.1")
    assert (len(story.state.executions), next(iter(story.state.executions))) == (20_000, "1")
    assert fill.execution_id in story.state.executions
    story.cancelled(entry)
    assert (len(story.state.ended), next(iter(story.state.ended))) == (1_000, "1")
    other = resting(story)
    bracket = (story.state.positions[other.position], story.state.plans[other.position])
    story.state.dropped.update({str(number): bracket for number in range(1_000)})
    story.cancelled(other)
    assert (len(story.state.dropped), next(iter(story.state.dropped))) == (1_000, "1")
    assert other.position in story.state.dropped


# Alerts


def test_an_alert_that_is_read_stands_or_ends_by_how_grave_it_is() -> None:
    state = State("a", "USD")
    evolve(state, e.AlertRaised(1, Alert("NAKED", "x", "", 1)))
    evolve(state, e.AlertRaised(1, Alert("RATE_LIMITED", "x", "", 1)))
    for key in ("NAKED:x", "RATE_LIMITED:x"):
        evolve(state, e.AlertAcknowledged(5, key))
    assert {key: alert.acknowledged_at for key, alert in state.alerts.items()} == {"NAKED:x": 5}
    assert [
        (alert.code, alert.acknowledged_at, alert.cured_at) for alert in state.ended_alerts
    ] == [("RATE_LIMITED", 5, None)]
    evolve(state, e.AlertCured(7, "NAKED:x"))
    assert state.alerts == {}
    assert [
        (alert.code, alert.acknowledged_at, alert.cured_at) for alert in state.ended_alerts[1:]
    ] == [("NAKED", 5, 7)]


def test_a_block_that_is_said_again_began_when_it_began() -> None:
    state = State("a", "USD")
    evolve(state, e.EntriesBlocked(1, "X", "one", None))
    evolve(state, e.EntriesBlocked(2, "X", "two", 9))
    block = state.blocks["X"]
    assert (block.text, block.since, block.until) == ("two", 1, 9)


# Cash, dust, totals


def test_a_fill_on_spot_moves_both_currencies_and_the_fee() -> None:
    story = Story(SPOT)
    entry = resting(story)
    story.fill(entry, "0.2", price="59000", fee="47.2")
    assert story.state.cash == {"USD": D(1_000_000) - D(11_800) - D("47.2"), "BTC": D("0.2")}
    story.accept(story.order("stop"))
    story.fill(story.order("stop"), "0.1", price="58000", fee="0.0001", currency="BTC")
    assert story.state.cash == {
        "USD": D(1_000_000) - D(11_800) - D("47.2") + D(5_800),
        "BTC": D("0.0999"),
    }
    assert story.state.totals.fees == {"USD": D("47.2"), "BTC": D("0.0001")}


def test_a_fill_of_a_derivative_moves_what_it_earned_and_the_fee() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    story.fill(story.order("stop"), "0.2", price="61000", fee="6.1")
    assert story.state.cash == {"USD": D(1_000_000) + D(200) - D("6.1")}
    story.fill(story.order("stop"), "0.3", price="59000", fee="8.85")
    assert story.state.cash == {"USD": D(1_000_000) + D(200) - D(300) - D("14.95")}
    assert story.state.totals.realised == {"USD": D("-114.95")}
    assert story.state.totals.fees == {"USD": D("14.95")}


def test_the_last_fill_is_the_latest_not_the_last_told() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    for at, latest in ((START + 5, START + 5), (START + 3, START + 5), (START + 9, START + 9)):
        story.tell(r.Filled(replace(story.fill_of(entry, "0.1"), at=at), story.now))
        assert story.state.last_fill_at == latest
    assert story.position().opened_at == START + 5


def test_dust_is_summed_with_its_sign_and_taken_back_when_its_book_opens_again() -> None:
    story = Story(FUTURES)
    ended = []
    for side, filled in ((Side.BUY, "0.49997"), (Side.BUY, "0.50005"), (Side.SELL, "0.49999")):
        position = story.opened("0.5", side=side)
        ended.append(position.id)
        story.fill(story.order("stop"), filled, price="59400" if side is Side.BUY else "60600")
        for order in list(story.state.orders.values()):
            story.cancelled(order)
        assert position.id in story.state.closed
    # 0.00003 and -0.00005 of longs, -0.00001 of a short
    assert story.state.dust == {BTC: D("-0.00003")}
    stop = next(
        order
        for order in story.state.ended.values()
        if order.position == ended[1] and order.role is Role.STOP
    )
    story.fill(stop, "0.1", price="59400")
    assert story.state.dust == {BTC: D("0.00002")}
    assert ended[1] not in story.state.closed
    assert story.state.positions[ended[1]].size == D("-0.10005")


def test_dust_that_adds_up_to_nothing_is_none() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    stop = story.order("stop")
    story.fill(stop, "0.49995", price="59400")
    story.cancelled(stop)
    assert story.state.dust == {BTC: D("0.00005")}
    story.fill(stop, "0.00005", price="59400")
    assert story.closed().id == position.id
    assert story.state.dust == {}


def test_what_was_left_elsewhere_is_summed_and_gone_at_nothing() -> None:
    state = State("a", "USD")
    for size, left in (("0.4", {BTC: D("0.4")}), ("-0.1", {BTC: D("0.3")}), ("-0.3", {})):
        evolve(state, e.LeftElsewhere(1, BTC, D(size)))
        assert state.elsewhere == left


def test_a_rebase_moves_what_is_known_and_nothing_else() -> None:
    state = State("a", "USD")
    evolve(state, e.Rebased(1, D(5)))
    assert (state.day.equity, state.day.peak) == (None, None)
    evolve(state, e.Sampled(2, D(100), D(0), {"nobody": (D(1), D(2))}))
    evolve(state, e.Rebased(3, D(-30)))
    assert (state.day.equity, state.day.peak, state.day.last) == (D(70), D(70), D(70))


# Positions


def test_what_is_to_be_closed_shrinks_with_closes_and_never_exceeds_what_is_held() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4")))
    assert story.position().closing == D("0.2")
    story.fill(story.order("close"), "0.05")
    assert story.position().closing == D("0.15")
    assert story.position().last_exit == "close"
    story.fill(story.order("stop"), "0.1", price="59400")
    assert (story.position().closing, story.position().last_exit) == (D("0.15"), "stop"), (
        "a stop closes nothing of the wish"
    )
    story.fill(story.order("stop"), "0.25", price="59400")
    assert (story.position().size, story.position().closing) == (D("0.1"), D("0.1"))
    story.fill(story.order("close"), "0.12")
    assert (story.position().size, story.position().closing) == (D("-0.02"), D(0))


def test_a_close_larger_than_the_wish_leaves_no_wish() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4")))
    story.fill(story.order("close"), "0.3")
    assert (story.position().size, story.position().closing) == (D("0.2"), D(0))


def test_a_wish_that_grows_goes_on_and_one_that_is_new_begins_anew() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4")))
    story.cancelled(story.order("close"), "IOC")
    story.wait(1)
    assert (story.position().attempts, story.position().closing_since) == (2, START)
    story.ask(i.ClosePosition(id="d", position=position.id))
    assert (story.position().closing_since, story.position().attempts) == (START, 3), (
        "one more for what was added"
    )
    assert [order.size for order in story.orders("close")] == [D("0.2"), D("0.3")]


def test_a_wish_that_was_done_and_comes_again_is_new() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4")))
    story.fill(story.order("close"))
    assert (story.position().closing, story.position().attempts) == (D(0), 1)
    story.now += SECOND
    story.ask(i.ClosePosition(id="d", position=position.id, part=D("0.5")))
    assert (
        story.position().closing_since,
        story.position().attempts,
        story.position().close_reason,
    ) == (story.now, 1, "operator")


def test_break_even_is_no_first_stop() -> None:
    story = Story(FUTURES)
    position = story.opened(stop=None)
    story.price(BTC, "60500")
    assert story.ask(i.BreakEven(id="b", position=position.id)).ok
    assert (story.position().stop, story.position().initial_stop) == (D("60030.1"), None)


def test_a_moved_stop_ends_refusals_and_the_grace() -> None:
    story = Story(FUTURES)
    position = story.opened()
    story.price(BTC, "59400")
    story.state.positions[position.id] = replace(
        story.position(), stop_refusals=3, retry_at=START + SECOND
    )
    assert story.ask(
        i.MoveStop(id="m", position=position.id, stop=i.At(D(59_000)), reason="room")
    ).ok
    held = story.position()
    assert (held.through_since, held.retry_at, held.stop_refusals) == (None, None, 0)


def test_a_book_that_was_opened_again_has_no_plan_and_can_be_cared_for() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.2")
    late = story.fill_of(entry, "0.3")
    story.cancelled(entry)
    story.accept(story.order("stop"))
    story.fill(story.order("stop"), price="59400")
    story.tell(r.Filled(late, story.now))
    story.confirm(late)
    name = story.position().id
    assert name not in story.state.plans
    assert story.ask(i.MoveStop(id="s", position=name, stop=i.At(D(59_500)))).ok
    assert story.ask(i.MoveTarget(id="t", position=name, target=i.At(D(61_000)))).ok
    assert (story.position().stop, story.position().target) == (D(59_500), D(61_000))


def test_what_the_operator_moved_stays_when_the_entry_goes_on_filling() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(60_000), target=i.Away(D("0.02"))).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.1")
    name = story.position().id
    assert story.ask(i.MoveStop(id="s", position=name, stop=i.At(D(59_500)))).ok
    assert story.ask(i.MoveTarget(id="t", position=name, target=i.At(D(61_000)))).ok
    story.fill(entry, "0.1", price="59900")
    assert (story.position().stop, story.position().target) == (D(59_500), D(61_000))


def test_what_has_ended_follows_nothing_and_closes_nothing() -> None:
    story = Story(FUTURES)
    position = story.opened(stop=None, trail=Trail(amount=D(300)))
    assert position.trailing
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.fill(story.order("close"), "0.49995")
    story.cancelled(story.order("close"), "IOC")
    story.cancelled(story.order("stop"))
    ended = story.closed()
    assert (ended.trailing, ended.closing, ended.size) == (False, D(0), D("0.00005"))


def test_time_without_protection_is_counted_from_when_it_began() -> None:
    story = Story(FUTURES)
    position = story.opened(stop=None)
    assert (story.position().naked_ns, story.position().protection_since) == (0, START)
    story.now += 5 * SECOND
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_000)))).ok
    assert (story.position().naked_ns, story.position().protection_since) == (5 * SECOND, story.now)
    story.now += 5 * SECOND
    story.accept(story.order("stop"))
    assert (story.position().naked_ns, story.position().protection_since) == (5 * SECOND, story.now)


def test_the_extremes_begin_with_the_first_fill() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.1", price="59990")
    story.fill(entry, "0.1", price="59900")
    assert (story.position().lowest, story.position().highest) == (D(59_990), D(60_000)), (
        "and each fill is a sample"
    )
    story.state.positions[entry.position] = replace(story.position(), highest=None)
    story.fill(entry, "0.1", price="59800")
    assert (story.position().lowest, story.position().highest) == (D(59_800), D(60_000))


def test_what_a_flatten_closed_is_kept_once_and_not_added_to_once_it_is_over() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.ask(i.Flatten(id="f"))
    story.rejected(story.order("close"))
    story.wait(1.1)
    story.fill(story.order("close"))
    story.now += SECOND
    story.picture()
    other = story.opened("1", symbol=ETH, price="3000", stop=None)
    story.ask(i.ClosePosition(id="c", position=other.id))
    assert story.state.flatten is not None
    assert story.state.flatten.closed == (position.id,)


# Orders


def test_a_part_that_fills_leaves_what_is_under_way_and_the_last_ends_it() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(r.Unknown(entry.client_order_id, "cancel", "no answer", story.now))
    story.state.orders[entry.client_order_id] = replace(
        story.now_of(entry), amend_pending=True, asked_size=D("0.6")
    )
    story.fill(entry, "0.2")
    known = story.now_of(entry)
    assert (known.status, known.filled, known.value, known.closed_at) == (
        Status.PARTIALLY_FILLED,
        D("0.2"),
        D(12_000),
        None,
    )
    assert (known.in_doubt, known.cancel_pending, known.amend_pending, known.asked_size) == (
        True,
        True,
        True,
        D("0.6"),
    )
    story.now += 5
    story.fill(entry, "0.3", price="59000")
    assert story.now_of(entry).status is Status.PARTIALLY_FILLED, (
        "a change that makes it larger may have arrived"
    )
    story.tell(
        r.Found(
            replace(story.now_of(entry), status=Status.FILLED, in_doubt=False, asked_size=None),
            (),
            story.now,
        )
    )
    known = story.now_of(entry)
    assert (known.status, known.filled, known.value, known.closed_at) == (
        Status.FILLED,
        D("0.5"),
        D(29_700),
        story.now,
    )
    assert (known.in_doubt, known.cancel_pending, known.amend_pending, known.asked_size) == (
        False,
        False,
        False,
        None,
    )
    assert story.state.doubts == {}


def test_why_an_order_was_cancelled_is_what_we_asked_for_and_else_the_venues_word() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.now += 5
    story.cancelled(entry, "user requested")
    assert (story.now_of(entry).reason, story.now_of(entry).closed_at) == ("operator", story.now)
    entry = resting(story)
    story.cancelled(entry, "self trade")
    assert story.now_of(entry).reason == "self trade"


@pytest.mark.parametrize("ends", ["cancelled", "expired", "rejected"])
def test_of_what_has_ended_nothing_is_under_way(ends: str) -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(60_000)).ok
    entry = story.order("entry")
    if ends != "rejected":
        story.accept(entry)
        story.ask(i.AmendOrder(id="a", order=entry.client_order_id, price=D(59_000)))
        story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(
        r.Unknown(
            entry.client_order_id,
            "submit" if ends == "rejected" else "cancel",
            "no answer",
            story.now,
        )
    )
    if ends == "cancelled":
        story.cancelled(entry)
    elif ends == "expired":
        story.tell(r.Expired(entry.client_order_id, D(0), story.now))
    else:
        story.rejected(entry)
    known = story.now_of(entry)
    assert (known.status.value, known.closed_at) == (ends, story.now)
    assert (known.in_doubt, known.cancel_pending, known.amend_pending, known.asked_size) == (
        False,
        False,
        False,
        None,
    )
    assert story.state.doubts == {}


def test_terms_that_the_venue_tells_end_the_doubt_about_them() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.ask(i.AmendOrder(id="a", order=entry.client_order_id, price=D(59_000)))
    story.tell(r.Unknown(entry.client_order_id, "amend", "no answer", story.now))
    story.amended(entry)
    known = story.now_of(entry)
    assert (known.price, known.in_doubt, known.amend_pending, known.touched_at, known.terms_at) == (
        D(59_000),
        False,
        False,
        story.now,
        story.now,
    )
    assert story.state.doubts == {}


def test_an_order_is_in_one_place_and_its_position_knows_of_it_while_it_is_open() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    assert story.state.orders_of == {entry.position: {entry.client_order_id: None}}
    story.fill(entry, "0.2")
    stop = story.order("stop")
    assert story.state.orders_of == {
        entry.position: {entry.client_order_id: None, stop.client_order_id: None}
    }
    story.cancelled(entry)
    assert story.state.orders_of == {entry.position: {stop.client_order_id: None}}
    assert (list(story.state.orders), list(story.state.ended)) == (
        [stop.client_order_id],
        [entry.client_order_id],
    )
    story.fill(stop, price="59400")
    assert (story.state.orders_of, story.state.orders, story.state.holders) == ({}, {}, {})


def test_a_late_fill_of_what_was_cancelled_adds_up() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.cancelled(entry)
    story.fill(entry, "0.2")
    assert (story.now_of(entry).status, story.now_of(entry).filled) == (Status.CANCELLED, D("0.2"))
    story.fill(entry, "0.3")
    assert (story.now_of(entry).status, story.now_of(entry).filled) == (Status.FILLED, D("0.5"))
    assert entry.client_order_id not in story.state.orders


def test_an_execution_is_remembered_whatever_it_was() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    fill = story.fill(entry, "0.2")
    assert list(story.state.executions) == [fill.execution_id]


def test_what_was_noted_of_an_open_position_and_of_an_ended_one() -> None:
    story = Story(FUTURES)
    held = story.opened("1", symbol=ETH, price="3000", stop=None)
    position = story.opened("0.5")
    story.fill(story.order("stop"), price="59400")
    for name in (held.id, position.id):
        assert story.ask(i.Annotate(id=name, position=name, note=f"of {name}", tags=("t",))).ok
    assert (story.state.positions[held.id].note, story.state.closed[position.id].note) == (
        f"of {held.id}",
        f"of {position.id}",
    )
    assert story.state.closed[position.id].tags == ("t",)
