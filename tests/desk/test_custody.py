"""What custody asks for and what it leaves alone: stops, targets and closes whose sizes have become
odd, and why each was cancelled.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.order import Order, OrderType, Role, Status, Trail
from engine.model.position import Protection
from engine.model.request import Amend, Cancel, Lane, Submit
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES, SPOT = "kraken-futures", "kraken-spot"


def reasons(story: Story) -> dict[str, tuple[str, Lane]]:
    """From the role of each order that is being cancelled to why, and in which lane that
    was asked.
    """
    asked = [(story.state.orders.get(event.order), event) for event in story.seen(e.CancelAsked)]
    return {
        order.role.value: (event.reason, event.lane) for order, event in asked if order is not None
    }


def half_filled(story: Story, filled: str = "0.2", size: str = "0.5", **terms: object) -> Order:
    """An entry at 60000 of which a part has filled; its exits rest."""
    assert story.buy(size, type=LIMIT, price=D(60_000), **terms).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, filled)
    for order in (*story.orders("stop"), *story.orders("target")):
        story.accept(order)
    return story.order("entry")


# Dust


def test_what_may_still_grow_is_not_called_dust() -> None:
    story = Story(SPOT)
    entry = half_filled(story, "0.00001", "0.001")
    assert (story.position().dust, story.told()) == (False, set())
    assert not story.orders("stop")
    story.cancelled(entry)
    (alert,) = story.state.alerts.values()
    assert (alert.code, alert.subject, alert.detail, alert.target) == (
        "DUST",
        BTC,
        "0.00001 BTC",
        entry.position,
    )
    assert (story.closed().close_reason, story.state.positions) == ("dust", {})


def test_dust_that_grows_is_a_position_again() -> None:
    story = Story(SPOT)
    entry = half_filled(story, "0.00001", "0.001", trail=Trail(fraction=D("0.02")))
    late = story.fill_of(entry, "0.0005")
    story.cancelled(entry)
    assert story.closed().size == D("0.00001")
    story.tell(r.Filled(late, story.now))
    story.confirm(late)
    assert (story.position().size, story.position().trailing) == (D("0.00051"), True)
    assert story.order("stop").size == D("0.00051")
    assert "DUST" not in story.standing()
    assert not story.state.closed
    story.replays()


def test_what_the_price_alone_has_made_too_small_stays_open_and_may_be_worth_an_order_again() -> (
    None
):
    story = Story(SPOT)
    held = story.cheapened()
    assert (held.protection, story.standing()) == (Protection.NAKED, {"DUST"})
    assert story.views.positions(story.ctx)[0].protection_text == "below what the venue trades"
    story.ask(i.MoveStop(id="s", position=held.id, stop=i.At(D(3_900))))
    story.price(BTC, "3800")
    assert [event.size for event in story.seen(e.ClosingBegan)] == [held.size]
    assert story.position().closing == 0
    assert story.sent(Submit)[-1].order.role is Role.ENTRY
    story.wait(60)
    assert story.standing() == {"DUST"}
    story.price(BTC, "60000")
    story.ask(i.MoveStop(id="m", position=held.id, stop=i.At(D(59_000))))
    assert (story.position().dust, story.order("stop").size) == (False, held.size)
    assert "DUST" not in story.standing()
    assert [event.dust for event in story.seen(e.DustLeft)] == [True, True, False]
    story.replays()


def test_what_an_exit_leaves_is_dust_and_the_end() -> None:
    story = Story(SPOT)
    story.opened("0.001", label="swing")
    story.tell(r.Filled(story.fill_of(story.order("stop"), "0.00098", price="59400"), story.now))
    assert story.position().size == D("0.00002")
    assert "DUST" not in story.told(), "the stop rests for it"
    story.cancelled(story.order("stop"))
    (alert,) = [alert for alert in story.state.alerts.values() if alert.code == "DUST"]
    assert (alert.subject, alert.detail) == ("swing BTC/USD", "0.00002 BTC")
    assert story.closed().close_reason == "stop"


# Exits that have become larger than what is left


def small() -> Story:
    """0.0005 bitcoin, and at the venue a stop and a target for all of it; the least that is traded
    is 0.0001, in steps of a tenth of that.
    """
    profile = load_profile(FUTURES)
    story = Story(
        profile, listed=(replace(instrument_for(profile, BTC, D("0.1")), lot=D("0.00001")),)
    )
    story.price(BTC, "60000")
    story.opened("0.0005", target=i.Away(D("0.02")))
    return story


def test_a_stop_that_exceeds_a_rest_too_small_to_trade_is_cancelled_and_the_target_may_rest() -> (
    None
):
    story = small()
    story.fill(story.order("target"), "0.00045", price="61200")
    assert story.position().size == D("0.00005")
    assert reasons(story) == {"stop": ("position is being closed", Lane.CANCEL)}
    assert story.sent(Amend) == []


def test_a_target_that_exceeds_a_rest_too_small_to_trade_is_cancelled_and_the_stop_may_rest() -> (
    None
):
    story = small()
    story.fill(story.order("stop"), "0.00045", price="59400")
    assert reasons(story) == {"target": ("no target wanted", Lane.CANCEL)}
    assert story.sent(Amend) == []


def test_exits_that_nobody_wants_any_more_say_so() -> None:
    story = small()
    name = story.position().id
    story.ask(i.MoveTarget(id="t", position=name, target=None))
    story.ask(i.MoveStop(id="s", position=name, stop=None, reason="hedged"))
    assert reasons(story) == {
        "stop": ("no stop wanted", Lane.CANCEL),
        "target": ("no target wanted", Lane.CANCEL),
    }


def test_what_is_closed_on_spot_says_so_to_its_stop() -> None:
    story = Story(SPOT)
    entry = half_filled(story)
    assert story.ask(i.ClosePosition(id="c", position=entry.position)).ok
    assert reasons(story) == {
        "entry": ("position is being closed", Lane.CANCEL),
        "stop": ("position is being closed", Lane.CANCEL),
    }


def test_a_part_that_is_closed_leaves_the_entry_alone() -> None:
    story = Story(FUTURES)
    entry = half_filled(story)
    assert story.ask(i.ClosePosition(id="c", position=entry.position, part=D("0.5"))).ok
    assert story.sent(Cancel) == []
    assert story.order("close").size == D("0.1")


def test_what_is_left_of_a_bracket_ends_with_it() -> None:
    story = small()
    story.fill(story.order("stop"), price="59400")
    assert reasons(story) == {"target": ("position closed", Lane.CANCEL)}


# Both at once, each with its own change


def test_stop_and_target_are_amended_by_what_has_changed_and_nothing_else() -> None:
    story = Story(FUTURES)
    entry = half_filled(story, target=i.Away(D("0.02")))
    stop, target = story.order("stop"), story.order("target")
    story.fill(entry, "0.1")
    assert {
        amend.client_order_id: (amend.size, amend.price, amend.trigger, amend.lane)
        for amend in story.sent(Amend)
    } == {
        stop.client_order_id: (D("0.3"), None, None, Lane.PROTECT),
        target.client_order_id: (D("0.3"), None, None, Lane.PROTECT),
    }
    story.amended(stop)
    story.amended(target)
    story.requests.clear()
    story.fill(entry, "0.2", price="59000")
    assert {
        amend.client_order_id: (amend.size, amend.price, amend.trigger)
        for amend in story.sent(Amend)
    } == {
        stop.client_order_id: (D("0.5"), None, D("59004.0")),  # 1 % below 59600
        target.client_order_id: (D("0.5"), D("60792.0"), None),
    }


def test_an_exit_that_has_filled_in_part_keeps_what_it_filled_in_its_size() -> None:
    story = Story(FUTURES)
    entry = half_filled(story, target=i.Away(D("0.02")))
    stop, target = story.order("stop"), story.order("target")
    story.fill(target, "0.05", price="61200")
    assert [(amend.client_order_id, amend.size) for amend in story.sent(Amend)] == [
        (stop.client_order_id, D("0.15"))
    ]
    story.amended(stop)
    story.fill(entry, "0.1")
    assert {amend.client_order_id: amend.size for amend in story.sent(Amend)[1:]} == {
        stop.client_order_id: D("0.25"),
        target.client_order_id: D("0.3"),  # 0.25 to come and 0.05 done
    }


def test_what_waits_for_the_venue_is_not_asked_for_twice() -> None:
    story = Story(FUTURES)
    entry = half_filled(story, target=i.Away(D("0.02")))
    stop, target = story.order("stop"), story.order("target")
    story.tell(r.Unknown(stop.client_order_id, "amend", "no answer", story.now))
    story.tell(r.Triggered(target.client_order_id, story.now))
    story.fill(entry, "0.1")
    assert story.sent(Amend) == []


def test_nothing_is_asked_for_while_a_refusal_is_waited_out() -> None:
    story = Story(FUTURES)
    entry = half_filled(story, target=i.Away(D("0.02")))
    story.state.positions[entry.position] = replace(story.position(), retry_at=START + SECOND)
    story.fill(entry, "0.1")
    assert story.sent(Amend) == []
    story.cancelled(story.order("stop"))
    assert len(story.sent(Submit)) == 3
    story.now += SECOND
    story.ask(i.Annotate(id="n", position=entry.position, note="n"))
    assert [amend.size for amend in story.sent(Amend)] == [D("0.3")]
    assert story.order("stop").size == D("0.3")


def test_no_target_is_placed_while_any_of_it_is_being_closed() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4")))
    story.ask(i.MoveTarget(id="t", position=position.id, target=i.At(D(61_000))))
    assert not story.orders("target")
    story.fill(story.order("close"))
    assert story.order("target").size == D("0.3")


def test_a_venue_without_amends_gets_its_target_anew_only_where_it_differs() -> None:
    story = Story(replace(load_profile(FUTURES), amend=False))
    position = story.opened("0.5", target=i.Away(D("0.02")))
    story.ask(i.Annotate(id="n", position=position.id, note="n"))
    assert story.sent(Cancel) == []
    story.ask(i.MoveTarget(id="t", position=position.id, target=i.At(D(61_000))))
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_500))))
    assert reasons(story) == {
        "target": ("replaced", Lane.CANCEL),
        "stop": ("replaced", Lane.PROTECT),
    }


# Following, protecting, flattening: which lane


def test_a_stop_that_follows_may_wait_and_one_that_covers_more_may_not() -> None:
    story = Story(FUTURES)
    entry = half_filled(story, stop=None, trail=Trail(amount=D(500)))
    story.price(BTC, "60600")
    assert [(amend.trigger, amend.size, amend.lane) for amend in story.sent(Amend)] == [
        (D(60_100), None, Lane.FOLLOW)
    ]
    story.amended(story.order("stop"))
    story.fill(entry, "0.1")
    assert [(amend.trigger, amend.size, amend.lane) for amend in story.sent(Amend)[1:]] == [
        (None, D("0.3"), Lane.PROTECT)
    ]
    story.amended(story.order("stop"))
    story.ask(i.MoveStop(id="m", position=entry.position, stop=i.At(D(59_000)), reason="room"))
    assert story.sent(Amend)[-1].lane is Lane.PROTECT, "a looser one does not follow"


# Closing


def test_a_close_that_grows_waits_for_the_stop_to_let_go_of_the_rest() -> None:
    story = Story(SPOT)
    position = story.opened("0.5")
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4")))
    story.amended(story.order("stop"))
    assert [(order.size, order.status) for order in story.orders("close")] == [
        (D("0.2"), Status.PENDING)
    ]
    story.ask(i.ClosePosition(id="d", position=position.id))
    assert story.order("stop").cancel_pending
    assert len(story.orders("close")) == 1, "0.2 are on their way and 0.3 are reserved by the stop"
    story.cancelled(story.order("stop"))
    assert [order.size for order in story.orders("close")] == [D("0.2"), D("0.3")]
    for order in story.orders("close"):
        story.fill(order)
    assert story.closed().size == 0


def test_a_close_where_exits_reduce_only_sends_only_what_is_missing() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4")))
    story.ask(i.ClosePosition(id="d", position=position.id))
    assert [order.size for order in story.orders("close")] == [D("0.2"), D("0.3")]


def test_a_wish_for_a_part_that_the_venue_will_not_take_is_dropped() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.0004")))
    close = story.order("close")
    assert close.size == D("0.0002")
    story.fill(close, "0.00015")
    story.cancelled(close, "IOC")
    assert (story.position().closing, story.position().close_reason) == (D(0), "operator")
    assert story.seen(e.ClosingBegan)[-1].size == 0
    assert not story.orders("close")


def test_a_wish_for_all_of_it_stays_while_the_entry_may_still_fill() -> None:
    story = Story(FUTURES)
    entry = half_filled(story, "0.0002", stop=None)
    story.ask(i.ClosePosition(id="c", position=entry.position))
    close = story.order("close")
    story.fill(close, "0.00015")
    story.cancelled(close, "IOC")
    assert (story.position().size, story.position().closing) == (D("0.00005"), D("0.00005"))
    story.fill(story.order("entry"), "0.1")
    assert story.position().closing == story.position().size == D("0.10005")
    story.wait(2)
    assert story.order("close").size == D("0.1"), "what its cancel came too late for leaves"


def test_what_somebody_elses_order_holds_is_left_and_the_rest_is_closed_after_a_refusal() -> None:
    story = Story(SPOT)
    position = story.opened("0.5", stop=None)
    theirs = Order(
        "x",
        "",
        BTC,
        Side.SELL,
        LIMIT,
        Role.ENTRY,
        D("0.3"),
        price=D(70_000),
        venue_order_id="X",
        status=Status.OPEN,
        foreign=True,
    )
    story.picture(orders=(theirs,))
    story.ask(i.ClosePosition(id="c", position=position.id))
    assert story.order("close").size == D("0.5"), "it is tried"
    story.rejected(story.order("close"), "EOrder:Insufficient funds")
    story.wait(1)
    assert story.order("close").size == D("0.2")
    story.ask(i.Annotate(id="n", position=position.id, note="n"))
    assert len(story.orders("close")) == 1, "what is on its way is not sent twice"
    story.fill(story.order("close"))
    assert not story.orders("close")
    story.now += SECOND
    story.picture(orders=())
    assert story.order("close").size == D("0.3")


def test_what_the_stop_and_somebody_elses_order_hold_is_not_closed() -> None:
    story = Story(SPOT)
    position = story.opened("0.5")
    theirs = Order(
        "x",
        "",
        BTC,
        Side.SELL,
        LIMIT,
        Role.ENTRY,
        D("0.1"),
        price=D(70_000),
        venue_order_id="X",
        status=Status.OPEN,
        foreign=True,
    )
    story.picture(orders=(story.order("stop"), theirs))
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.6")))
    story.state.positions[position.id] = replace(story.position(), stop_refusals=1)
    story.amended(story.order("stop"))
    assert story.order("stop").remaining == D("0.2")
    assert story.order("close").size == D("0.2"), "of 0.3 that are to be closed"


# Over-closed


def test_an_over_close_cancels_all_that_rests_and_buys_back_what_is_missing() -> None:
    story = Story(FUTURES)
    entry = half_filled(story, target=i.Away(D("0.02")))
    story.fill(story.order("stop"), "0.3", price="59400")
    assert story.position().size == D("-0.1")
    assert reasons(story) == {
        "entry": ("over-closed", Lane.EMERGENCY),
        "target": ("over-closed", Lane.EMERGENCY),
    }
    assert not story.orders("close"), "the venue has not said so yet"
    story.witness()
    submit = story.sent(Submit)[-1]
    assert (submit.order.role, submit.order.side, submit.order.size, submit.lane) == (
        Role.CLOSE,
        Side.BUY,
        D("0.1"),
        Lane.EMERGENCY,
    )
    (alert,) = [alert for alert in story.state.alerts.values() if alert.code == "OVER_CLOSED"]
    assert (alert.subject, alert.detail, alert.target) == (BTC, "0.1", entry.position)
    story.fill(story.order("target"), "0.1", price="61200")
    story.witness()
    assert story.sent(Submit)[-1].order.size == D("0.1"), "one more for what came on top"
    assert [order.size for order in story.orders("close")] == [D("0.1"), D("0.1")]
    assert not [order for order in story.orders("close") if order.cancel_pending]


def test_a_close_that_is_still_on_its_way_is_no_repair() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.ask(i.ClosePosition(id="c", position=position.id))
    close = story.order("close")
    story.accept(close)
    story.fill(story.order("stop"), "0.6", price="59400")
    assert story.now_of(close).reason == "over-closed"
    story.witness()
    (repair,) = [order for order in story.orders("close") if order.side is Side.BUY]
    assert repair.size == D("0.1")


def test_a_repair_waits_out_a_refusal() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    story.fill(story.order("stop"), "0.6", price="59400")
    story.witness()
    story.rejected(story.order("close"))
    story.wait(0.5)
    story.picture()
    assert not story.orders("close")
    story.wait(0.6)
    assert story.order("close").size == D("0.1")


def test_an_excess_too_small_to_trade_ends_as_dust_once_nothing_rests() -> None:
    story = small()
    story.fill(story.order("stop"), "0.00055", price="59400")
    assert story.position().size == D("-0.00005")
    assert reasons(story) == {"target": ("over-closed", Lane.EMERGENCY)}
    story.cancelled(story.order("target"))
    assert story.state.dust == {BTC: D("-0.00005")}
    assert "OVER_CLOSED" not in story.standing()


def test_two_sides_of_one_symbol_are_closed_although_the_venue_has_nothing_left_to_reduce() -> None:
    story = Story(FUTURES)
    first = story.opened("0.5", stop=None)
    second = replace(first, id="P2", side=Side.SELL)  # as a late fill may leave it
    story.state.positions[second.id] = second
    story.state.holders[BTC][second.id] = None
    story.ask(i.ClosePosition(id="c", position=first.id))
    close = story.order("close")
    assert not close.reduce_only
    story.fill(close)
    story.ask(i.ClosePosition(id="d", position=second.id))
    assert story.order("close").reduce_only, "alone again, it can't take more than there is"


# A desk that is halted


def test_a_halted_desk_keeps_no_exits_but_those_of_what_it_was_told_to_close() -> None:
    story = Story(FUTURES)
    story.opened("1", symbol=ETH, price="3000")
    position = story.opened("0.5")
    story.ask(i.Halt(id="h"))
    for order in story.orders("stop"):
        story.cancelled(order)
    assert not story.orders("stop")
    story.wait(5)
    assert not story.orders("stop")
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4")))
    assert [(order.role, order.symbol, order.size) for order in story.state.orders.values()] == [
        (Role.STOP, BTC, D("0.5")),
        (Role.CLOSE, BTC, D("0.2")),
    ]


@pytest.mark.parametrize("profile", [FUTURES, SPOT, "binance-spot"])
def test_a_halted_desk_moves_the_stop_that_the_operator_moves_and_no_other(profile: str) -> None:
    story = Story(profile)
    other = story.opened("1", symbol=ETH, price="3000")
    position = story.opened("0.5")
    story.ask(i.Halt(id="h"))
    sent = len(story.requests)
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700)))).ok

    def stop_of(name: str) -> list[Order]:
        return [order for order in story.orders("stop") if order.position == name]

    (stop,) = stop_of(position.id)
    if story.sent(Amend):
        story.amended(stop)
    else:
        story.cancelled(stop)
        story.accept(stop_of(position.id)[0])
    assert stop_of(position.id)[0].trigger == D(59_700)
    asked = [
        request.order.client_order_id if isinstance(request, Submit) else request.client_order_id  # type: ignore[union-attr]
        for request in story.requests[sent:]
    ]
    assert {
        order.position for order in (story.state.order(name) for name in asked) if order is not None
    } == {position.id}
    story.cancelled(stop_of(other.id)[0])
    assert not stop_of(other.id), "nobody said that it is to be placed again"
    story.ask(i.Resume(id="r", reason="HALTED"))
    story.wait(2)
    assert stop_of(other.id)
    story.replays()


@pytest.mark.parametrize("ask", ["target", "trail", "even"])
def test_a_halted_desk_does_what_it_is_told_about_exits(ask: str) -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.ask(i.Halt(id="h"))
    story.price(BTC, "61000")
    asked: dict[str, i.AnyIntent] = {
        "target": i.MoveTarget(id="m", position=position.id, target=i.At(D(62_000))),
        "trail": i.SetTrail(id="m", position=position.id, trail=Trail(fraction=D("0.01"))),
        "even": i.BreakEven(id="m", position=position.id),
    }
    assert story.ask(asked[ask]).ok
    (order,) = story.state.orders.values()
    assert order.role is (Role.TARGET if ask == "target" else Role.STOP)


def test_a_halted_desk_knows_a_position_by_its_label_too_and_forgets_it_with_it() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", label="swing")
    story.ask(i.Halt(id="h"))
    assert story.ask(i.MoveStop(id="m", position="swing", stop=i.At(D(59_700)))).ok
    assert list(story.state.by_hand) == [position.id]
    assert [amend.trigger for amend in story.sent(Amend)] == [D(59_700)]
    story.amended(story.order("stop"))
    story.fill(story.order("stop"), price="59700")
    assert not story.state.by_hand


@pytest.mark.parametrize("role", ["stop", "target"])
def test_a_halted_desk_cancels_the_exit_that_the_operator_cancels(role: str) -> None:
    story = Story(FUTURES)
    story.opened("0.5", target=i.Away(D("0.02")))
    story.ask(i.Halt(id="h"))
    order = story.order(role)
    assert story.ask(i.CancelOrder(id="c", order=order.client_order_id)).ok
    assert [cancel.client_order_id for cancel in story.sent(Cancel)] == [order.client_order_id]


def test_a_halted_desk_replaces_what_it_had_to_make_smaller_where_nothing_can_be_amended() -> None:
    story = Story("binance-spot")
    position = story.opened("0.5")
    story.ask(i.Halt(id="h"))
    story.now += 20 * SECOND
    name = client_order_id("test", position.id, "close", 9)
    fill = Fill(
        name, name, BTC, Side.SELL, D(60_000), D("0.2"), D(0), "USD", Liquidity.TAKER, story.now - 1
    )
    story.picture(
        {**story.state.cash, "BTC": D("0.3")},
        orders=tuple(story.state.orders.values()),
        fills=(fill,),
    )
    story.cancelled(story.order("stop"))
    assert story.order("stop").size == D("0.3")


def test_a_halt_says_at_once_what_it_leaves_unprotected_and_its_end_protects_it() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5").ok
    story.fill(story.order("entry"))
    assert story.position().protection is Protection.GUARDED, "its stop is on the way"
    story.ask(i.Halt(id="h"))
    assert story.position().protection is Protection.NAKED
    assert "NAKED" in story.standing()
    story.rejected(story.order("stop"))
    assert not story.orders("stop")
    story.wait(60)
    story.picture()
    story.ask(i.Resume(id="r", reason="HALTED"))
    assert len(story.orders("stop")) == 1


def test_what_a_halted_desk_closes_is_not_called_naked_meanwhile() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    story.ask(i.Halt(id="h"))
    story.ask(i.Flatten(id="f"))
    story.cancelled(story.order("stop"))
    assert story.position().protection is Protection.GUARDED
    assert "NAKED" not in story.told()


def test_a_new_halt_begins_without_anything_said() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.ask(i.Halt(id="h"))
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    story.ask(i.Resume(id="r", reason="HALTED"))
    assert not story.state.by_hand
    story.ask(i.MoveStop(id="n", position=position.id, stop=i.At(D(59_710))))
    assert not story.state.by_hand


def test_a_halted_desk_lets_no_stop_take_more_than_is_held() -> None:
    story = Story(SPOT)
    position = story.opened("0.5")
    story.ask(i.Halt(id="h"))
    story.now += 20 * SECOND
    name = client_order_id("test", position.id, "close", 9)
    fill = Fill(
        name, name, BTC, Side.SELL, D(60_000), D("0.2"), D(0), "USD", Liquidity.TAKER, story.now - 1
    )
    story.picture(
        {"USD": D(982_000), "BTC": D("0.3")},
        orders=tuple(story.state.orders.values()),
        fills=(fill,),
    )
    assert story.position().size == D("0.3")
    assert [(amend.client_order_id, amend.size) for amend in story.sent(Amend)] == [
        (story.order("stop").client_order_id, D("0.3"))
    ]


# Ends


def test_a_position_that_ends_keeps_how_far_the_price_went() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.price(BTC, "59000")
    story.price(BTC, "61000")
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.fill(story.order("close"), price="61000")
    assert story.seen(e.PositionClosed) == [
        e.PositionClosed(START, position.id, "operator", D(59_000), D(61_000))
    ]


def test_the_alerts_of_a_position_end_with_it() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.cancelled(story.order("stop"), "by the venue")
    story.price(BTC, "59300")
    assert "STOP_REFUSED" in story.standing()
    story.wait(21)
    assert "CLOSE_STUCK" in story.standing()
    story.fill(story.order("close"), "0.6", price="59300")
    assert "OVER_CLOSED" in story.standing()
    story.witness()
    story.fill(story.order("close"), price="59300")
    assert {"OVER_CLOSED", "CLOSE_STUCK", "STOP_REFUSED"} <= story.standing(), (
        "its stop is still open"
    )
    story.cancelled(story.order("stop"))
    assert story.closed().id == position.id
    assert not {
        alert.code for alert in story.state.alerts.values() if alert.target == position.id
    } - {"ORDER_REJECTED", "ILLEGAL_REPORT"}


def test_an_entry_that_ends_empty_leaves_nothing() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    entry = story.order("entry")
    story.accept(entry)
    story.cancelled(entry)
    assert story.seen(e.PositionDropped) == [e.PositionDropped(START, entry.position, BTC)]
    assert (story.state.positions, story.state.plans, story.state.holders, story.state.closed) == (
        {},
        {},
        {},
        {},
    )
