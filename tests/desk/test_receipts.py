"""How a flatten ends: what is waited for before it is over, what its receipt says line by line, and
what is closed that nobody here knew of.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.messages import Pulse
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Cancel, Lane, QueryAccount
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES, SPOT = "kraken-futures", "kraken-spot"


def flatten(story: Story, name: str = "f") -> None:
    assert story.ask(i.Flatten(id=name)).ok


def over(story: Story) -> bool:
    return "FLATTEN" not in story.state.blocks


def receipt(story: Story) -> tuple[str, ...]:
    assert over(story)
    return story.seen(e.FlattenEnded)[-1].receipt


def two() -> Story:
    """Half a bitcoin long, and two ether short; a flatten closes both in two and a half seconds."""
    story = Story(FUTURES)
    story.opened("0.5", label="swing", stop=None)
    story.opened("2", symbol=ETH, side=Side.SELL, price="3000", stop=None)
    flatten(story)
    story.now += SECOND
    for order, price, fee in zip(
        story.orders("close"), ("61000", "3010.5"), ("15.25", "3"), strict=True
    ):
        story.fill(order, price=price, fee=fee)
    story.now += SECOND * 3 // 2
    return story


# The receipt


def test_every_line_of_a_receipt() -> None:
    story = two()
    story.picture()
    assert receipt(story) == (
        "the venue says flat: 2 positions closed, 0 orders cancelled, in 2.5 s",
        "swing BTC/USD: 0.5 closed at 61,000, +484.75 USD after fees",
        "ETH/USD: 2 closed at 3,010.5, -24.00 USD after fees",
    )
    (alert,) = [alert for alert in story.state.alerts.values() if alert.code == "FLATTENED"]
    assert (alert.subject, alert.detail, alert.count) == ("account", receipt(story)[0], 1)
    assert story.state.flatten is not None
    assert (story.state.flatten.ended_at, story.state.flatten.receipt) == (
        story.now,
        receipt(story),
    )
    story.replays()


def test_a_position_that_is_no_longer_at_hand_is_counted_and_the_rest_is_told() -> None:
    story = two()
    del story.state.closed[next(iter(story.state.closed))]
    story.picture()
    assert receipt(story) == (
        "the venue says flat: 2 positions closed, 0 orders cancelled, in 2.5 s",
        "ETH/USD: 2 closed at 3,010.5, -24.00 USD after fees",
    )


def test_a_second_flatten_has_its_own_receipt_and_says_so() -> None:
    story = two()
    story.picture()
    story.ask(i.Pause(id="p"))
    flatten(story, "again")
    story.now += SECOND
    story.picture()
    assert receipt(story) == (
        "the venue says flat: 0 positions closed, 0 orders cancelled, in 1.0 s",
    )
    (alert,) = [alert for alert in story.state.alerts.values() if alert.code == "FLATTENED"]
    assert (alert.detail, alert.count) == (receipt(story)[0], 2)
    assert list(story.state.blocks) == ["PAUSED"], "only its own block ends"


def test_a_flatten_that_took_years_took_that_long() -> None:
    story = Story(FUTURES)
    flatten(story)
    story.now += 100_000_000 * SECOND
    story.picture()
    assert receipt(story) == (
        "the venue says flat: 0 positions closed, 0 orders cancelled, in 100000000.0 s",
    )


def test_a_picture_after_the_end_is_no_second_end() -> None:
    story = two()
    for _ in range(2):
        story.picture()
        story.now += SECOND
    assert len(story.seen(e.FlattenEnded)) == 1


def test_what_was_closed_before_is_not_on_the_receipt() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.fill(story.order("close"))
    flatten(story)
    story.now += SECOND
    story.picture()
    assert receipt(story) == (
        "the venue says flat: 0 positions closed, 0 orders cancelled, in 1.0 s",
    )


def test_what_stays_is_named() -> None:
    story = Story(FUTURES)
    story.now += SECOND
    story.picture(net={ETH: D("1.5")})
    assert story.ask(i.Resolve(id="r", subject=ETH, action=i.Settlement.FORGET)).ok
    assert story.buy("0.001", type=LIMIT, price=D(60_000), label="crumb").ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.00005")
    story.cancelled(entry)
    theirs = Order(
        "x",
        "",
        ETH,
        Side.BUY,
        LIMIT,
        Role.ENTRY,
        D(1),
        price=D(2000),
        venue_order_id="X1",
        status=Status.OPEN,
        foreign=True,
    )
    flatten(story)
    story.now += SECOND
    story.picture(orders=(theirs,), net={BTC: D("0.00005"), ETH: D("1.5")})
    assert receipt(story) == (
        "the venue says flat: 0 positions closed, 0 orders cancelled, in 1.0 s",
        "BTC/USD: 0.00005 is below what the venue trades and stays",
        "ETH/USD: 1.5 that is not ours was left alone",
        "ETH/USD: an order that is not ours was left alone (X1)",
    )
    assert story.sent(Cancel) == []


def test_what_differs_on_spot_is_told_and_left() -> None:
    story = Story(SPOT)
    flatten(story)
    story.now += SECOND
    story.picture({"USD": D(1_000_000), "BTC": D(1), "EUR": D(5)})
    assert receipt(story) == (
        "the venue says flat: 0 positions closed, 0 orders cancelled, in 1.0 s",
        "BTC: ours and the venue's differ; nothing was done about it",
        "EUR: ours and the venue's differ; nothing was done about it",
    )
    assert not story.state.positions


# What is waited for


def test_entries_are_cancelled_first_and_counted_when_they_are_gone() -> None:
    story = Story(FUTURES)
    for price in (59_000, 58_000):
        assert story.buy("0.1", type=LIMIT, price=D(price)).ok
    first, second = story.orders("entry")
    story.accept(first)
    story.accept(second)
    flatten(story)
    assert [(cancel.client_order_id, cancel.lane) for cancel in story.sent(Cancel)] == [
        (first.client_order_id, Lane.EMERGENCY),
        (second.client_order_id, Lane.EMERGENCY),
    ]
    story.cancelled(first)
    assert not story.seen(e.FlattenAsked), "one is still open"
    story.cancelled(second)
    assert story.seen(e.FlattenAsked) == [e.FlattenAsked(START)]
    assert story.sent(QueryAccount)[-1] == QueryAccount(START - 60 * SECOND, Lane.EMERGENCY), (
        "what somebody else of ours did is looked for, too"
    )
    story.now += SECOND
    story.picture()
    assert receipt(story) == (
        "the venue says flat: 0 positions closed, 2 orders cancelled, in 1.0 s",
    )


def test_the_venue_is_asked_again_a_second_after_an_answer_that_did_not_do() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    flatten(story)
    story.now += SECOND
    story.fill(story.order("close"))
    asked = story.now
    assert story.seen(e.FlattenAsked) == [e.FlattenAsked(asked)]
    story.picture(as_of=asked)
    assert not over(story), "it may lack the fill"
    story.now = asked + SECOND - 1
    story.tell(Pulse())
    assert len(story.seen(e.FlattenAsked)) == 1
    story.now += 1
    story.tell(Pulse())
    assert story.seen(e.FlattenAsked)[1:] == [e.FlattenAsked(asked + SECOND)]
    story.now += 10 * SECOND
    story.tell(Pulse())
    assert len(story.seen(e.FlattenAsked)) == 2, "the second question is under way"
    story.picture(as_of=asked + 1)
    assert over(story)


def test_a_picture_while_anything_is_open_ends_nothing() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    flatten(story)
    story.now += SECOND
    story.picture(orders=tuple(order for order in story.state.orders.values() if order.is_working))
    assert not over(story)
    story.fill(story.order("close"))
    story.now += SECOND
    story.picture()
    assert not over(story), "the stop is still being cancelled"
    story.cancelled(story.order("stop"))
    story.picture()
    assert over(story)


def test_a_picture_that_nobody_asked_for_the_end_ends_nothing() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    flatten(story)
    story.fill(story.order("close"))
    assert story.state.flatten is not None
    story.state.flatten = replace(story.state.flatten, asked_at=None)
    story.now += SECOND
    story.picture()
    assert not over(story)
    story.tell(Pulse())
    assert story.state.flatten.asked_at == story.now, "now it is asked for"
    story.now += 1
    story.picture()
    assert over(story)


# What nobody here knew of


@pytest.mark.parametrize(("held", "closes"), [("0.4", Side.SELL), ("-0.4", Side.BUY)])
def test_what_a_derivatives_venue_holds_beyond_ours_is_closed_too(held: str, closes: Side) -> None:
    story = Story(FUTURES)
    flatten(story)
    story.now += SECOND
    story.picture(net={BTC: D(held)})
    assert not over(story)
    close = story.order("close")
    assert (close.side, close.size) == (closes, D("0.4"))
    story.fill(close, price="60000")
    story.now += 2 * SECOND
    story.tell(Pulse())
    story.picture(net={})
    assert (
        receipt(story)[0] == "the venue says flat: 1 position closed, 0 orders cancelled, in 3.0 s"
    )


def test_what_has_no_price_can_not_be_taken_over_and_is_told() -> None:
    story = Story(FUTURES)
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    flatten(story)
    story.now += SECOND
    story.picture(net={BTC: D("0.4")})
    assert receipt(story)[1:] == (
        "BTC/USD: ours and the venue's differ; nothing was done about it",
    )


def refused(story: Story, times: int) -> None:
    """The venue refuses the close so often."""
    for _ in range(times):
        while not story.orders("close"):
            story.wait(1)
        story.rejected(story.order("close"), "EOrder:Insufficient funds")


@pytest.mark.parametrize("profile", [FUTURES, SPOT])
def test_a_position_that_the_venue_has_not_is_booked_as_gone_once_its_close_was_refused_twice(
    profile: str,
) -> None:
    story = Story(profile)
    position = story.opened("0.5", stop=None)
    flatten(story)
    refused(story, 1)
    empty = {**story.state.cash, "BTC": D(0)} if profile == SPOT else None
    story.now += 1
    story.picture(empty, net={})
    assert position.id in story.state.positions, "refused once: that may be anything"
    refused(story, 1)
    story.now += 1
    story.picture(empty, net={})
    assert story.closed().id == position.id
    assert story.closed().close_reason == "elsewhere"
    story.wait(3)
    story.picture(empty, net={})
    assert receipt(story)[0].startswith("the venue says flat: 1 position closed")
    story.replays()


def test_a_position_that_the_venue_has_is_closed_however_often_it_refuses() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    flatten(story)
    refused(story, 3)
    story.now += 1
    story.picture(net={BTC: D("0.5")})
    assert story.state.positions[position.id].size == D("0.5")
    assert not over(story)


def test_what_another_holding_cancels_out_is_gone_too() -> None:
    """Somebody sold 0.5 elsewhere: the venue nets it against ours and holds nothing, which is what
    ours and theirs add up to.
    """
    story = Story(FUTURES)
    story.now += SECOND
    story.picture(net={BTC: D("-0.5")})
    assert story.ask(i.Resolve(id="r", subject=BTC, action=i.Settlement.FORGET)).ok
    position = story.opened("0.5", stop=None)
    flatten(story)
    refused(story, 2)
    story.now += 1
    story.picture(net={})
    assert story.closed().id == position.id
    assert story.state.elsewhere == {}
    assert D("0.5") in [event.size for event in story.seen(e.LeftElsewhere)]


def test_a_phantom_is_asked_about_every_fifteen_seconds() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.now += SECOND
    story.picture()
    began = story.now
    flatten(story)
    asked = len(story.sent(QueryAccount))
    story.rejected(story.order("close"))
    story.wait(1)
    story.rejected(story.order("close"))
    story.now = began + 15 * SECOND
    story.tell(Pulse())
    assert len(story.sent(QueryAccount)) == asked
    story.now += 1
    story.tell(Pulse())
    assert len(story.sent(QueryAccount)) == asked + 1


def test_one_phantom_among_others_is_enough_to_ask() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.opened("1", symbol=ETH, price="3000", stop=None)
    flatten(story)
    asked = len(story.sent(QueryAccount))
    for _ in range(2):
        while not [order for order in story.orders("close") if order.symbol == BTC]:
            story.wait(1)
        story.rejected(next(order for order in story.orders("close") if order.symbol == BTC))
    assert {
        position.symbol: position.stop_refusals for position in story.state.positions.values()
    } == {BTC: 2, ETH: 0}
    story.now = START + 15 * SECOND + 1
    story.tell(Pulse())
    assert len(story.sent(QueryAccount)) == asked + 1


@pytest.mark.parametrize(("profile", "side"), [(FUTURES, Side.BUY), (SPOT, Side.SELL)])
def test_what_the_venue_holds_on_the_other_side_of_a_phantom_is_closed_or_left(
    profile: str, side: Side
) -> None:
    """A long of 0.5 that is 0.1 short at the venue; on spot a short of 0.5 where 0.1 lies there."""
    story = Story(profile)
    position = story.opened("0.5", side=side, stop=None)
    flatten(story)
    refused(story, 2)
    story.now += 1
    if profile == FUTURES:
        story.picture(net={BTC: D("-0.1")})
        assert [(order.side, order.size) for order in story.orders("close")] == [
            (Side.BUY, D("0.1"))
        ]
    else:
        story.picture({**story.state.cash, "BTC": D("0.1")})
        assert (story.state.positions, story.state.cash["BTC"]) == ({}, D("0.1"))
    assert position.id in story.state.closed


def test_a_repair_that_the_venue_refuses_twice_may_have_nothing_to_repair() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.fill(story.order("stop"), "0.6", price="59400")
    flatten(story)
    story.witness()
    refused(story, 1)
    story.now += 1
    story.picture(net={})
    assert story.state.positions[position.id].size == D("-0.1")
    story.witness()
    refused(story, 1)
    story.now += 1
    story.picture(net={})
    assert story.closed().id == position.id


def test_dust_is_no_phantom() -> None:
    story = Story(SPOT)
    held = story.cheapened()
    story.state.positions[held.id] = replace(held, stop_refusals=2)
    flatten(story)
    story.now += SECOND
    story.picture({**story.state.cash, "BTC": D(1)})
    assert receipt(story)[1:] == (
        "BTC/USD: 0.0001 is below what the venue trades and stays",
        "BTC: ours and the venue's differ; nothing was done about it",
    )


def test_what_a_fee_of_something_else_took_of_a_holding_is_booked_as_gone_once_the_rest_is_sold() -> (
    None
):
    story = Story(SPOT)
    position = story.opened("1", stop=None)
    story.state.cash["BTC"] = D("0.9")  # another trade's fee took a tenth
    flatten(story)
    refused(story, 1)
    while not story.orders("close"):
        story.wait(1)
    assert story.order("close").size == D("0.9")
    story.fill(story.order("close"))
    assert story.state.positions[position.id].size == D("0.1")
    story.wait(2)
    cash = dict(story.state.cash)
    story.picture({**cash, "BTC": D("0.05")})
    assert position.id in story.state.positions, "the venue's word and ours must be one"
    story.wait(2)
    story.picture(cash)
    assert story.closed().id == position.id
    story.wait(2)
    story.picture(cash)
    assert receipt(story)[0].startswith("the venue says flat: 1 position closed")


def test_what_has_been_closed_is_no_phantom_while_its_orders_end() -> None:
    story = Story(FUTURES)
    story.now += SECOND
    story.picture(net={BTC: D("0.3")})
    assert story.ask(i.Resolve(id="r", subject=BTC, action=i.Settlement.FORGET)).ok
    position = story.opened("0.5")
    flatten(story)
    refused(story, 2)
    while not story.orders("close"):
        story.wait(1)
    story.fill(story.order("close"))
    held = story.state.positions[position.id]
    assert (held.size, held.closing, held.stop_refusals >= 2, len(story.orders("stop"))) == (
        D(0),
        D(0),
        True,
        1,
    )
    story.now += 1
    story.picture(orders=(), net={BTC: D("0.3")})
    assert story.state.elsewhere == {BTC: D("0.3")}, "what lies there has nothing to do with it"
    assert not story.orders("close")


def test_only_what_shares_its_base_is_gone() -> None:
    profile = load_profile(FUTURES)
    story = Story(
        profile,
        listed=(instrument_for(profile, BTC, D("0.1")), instrument_for(profile, ETH, D("0.01"))),
    )
    story.price(BTC, "60000")
    story.price(ETH, "3000")
    story.opened("0.5", stop=None)
    other = story.opened("2", symbol=ETH, price="3000", stop=None)
    flatten(story)
    for _ in range(2):
        while not [order for order in story.orders("close") if order.symbol == BTC]:
            story.wait(1)
        story.rejected(next(order for order in story.orders("close") if order.symbol == BTC))
    story.fill(
        next(order for order in story.orders("close") if order.symbol == ETH), "1", price="3000"
    )
    story.cancelled(next(order for order in story.orders("close") if order.symbol == ETH))
    close = next(order for order in story.orders("close") if order.symbol == ETH)
    story.rejected(close)
    story.now += 1
    story.picture(net={ETH: D("0.5")})
    assert story.state.positions[other.id].size == 1, "its close was refused once"
    assert story.closed().symbol == BTC


# Once it is over


def test_after_the_end_nothing_is_cancelled_or_asked() -> None:
    story = two()
    story.picture()
    asked = len(story.sent(QueryAccount))
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    story.now += SECOND
    story.tell(Pulse())
    story.picture()
    assert story.sent(Cancel) == []
    assert len(story.sent(QueryAccount)) == asked
    assert len(story.seen(e.FlattenEnded)) == 1
    story.tell(r.Cancelled(story.order("entry").client_order_id, D(0), "", story.now))
    assert story.state.flatten is not None
    assert story.state.flatten.cancelled == 0
