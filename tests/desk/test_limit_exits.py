"""Limit exits: what leaves at a price or better, beside the stop, and never more than is held."""

from decimal import Decimal
from typing import Any

import pytest

from engine.desk import events as e
from engine.desk.previews import preview
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType
from engine.model.request import Amend, Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, Story, codes

D = Decimal
FUTURES, SPOT = "kraken-futures", "kraken-spot"


def asked(story: Story, price: str | None = "61000", **terms: Any) -> i.LeaveAt:
    at = None if price is None else D(price)
    return i.LeaveAt(id=story.name(), position=story.position().id, price=at, **terms)


def leaving(story: Story, price: str | None = "61000", **terms: Any) -> Order | None:
    answer = story.ask(asked(story, price, **terms))
    assert answer.ok, answer.refusals
    orders = story.orders("target")
    for order in orders:
        if order.venue_order_id is None:
            story.accept(order)
    return orders[-1] if orders else None


def resting(story: Story) -> list[tuple[Decimal, Decimal]]:
    return sorted((order.price or D(0), order.remaining) for order in story.orders("target"))


def closes(story: Story) -> list[Order]:
    return [request.order for request in story.sent(Submit) if request.order.role == "close"]


def short(story: Story) -> None:
    story.buy("0.5", side=Side.SELL)
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    story.accept(story.order("stop"))


# at the venue, beside the stop


@pytest.mark.hazard("H33")
def test_an_exit_rests_beside_the_stop_and_both_shrink_with_what_is_held() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    order = leaving(story, size=D("0.2"))
    assert order is not None
    assert (order.type, order.reduce_only, order.size) == (OrderType.LIMIT, True, D("0.2"))
    assert story.position().protection == "venue"
    story.fill(order, "0.15", price="61000")
    assert story.position().limits[0].left == D("0.05")
    assert story.sent(Amend)[-1].size == D("0.35")
    story.amended(story.order("stop"))
    story.fill(order, "0.05", price="61000")
    story.amended(story.order("stop"))
    held = story.position()
    assert (held.size, held.limits, held.stop) == (D("0.3"), (), D(59_400))
    assert story.order("stop").remaining == D("0.3")
    story.holds()
    story.replays()


def test_all_of_it_leaves_and_the_position_ends_by_its_limit() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    order = leaving(story)
    assert order is not None
    story.fill(order, price="61000")
    story.cancelled(story.order("stop"))
    assert story.closed().close_reason == "limit"
    story.replays()


@pytest.mark.hazard("H33")
def test_it_shares_what_is_held_with_targets_and_they_get_the_rest() -> None:
    story = Story(FUTURES)
    half = (i.PartialTarget(i.Away(D("0.01")), D("0.5")),)
    story.opened("0.5", target=i.Away(D("0.02")), partials=half)
    leaving(story, "61000", size=D("0.2"))
    for order in story.orders("target"):
        if order.amend_pending:
            story.amended(order)
    assert resting(story) == [(D(60_600), D("0.25")), (D(61_000), D("0.2")), (D(61_200), D("0.05"))]
    story.holds()
    leaving(story, "60900", size=D("0.3"))
    for order in list(story.orders("target")):
        if order.cancel_pending:
            story.cancelled(order)
    story.holds()
    assert resting(story) == [(D(60_900), D("0.3")), (D(61_000), D("0.2"))]
    assert codes([story.ask(asked(story, "62000", size=D("0.1")))]) == {"EXIT_TAKEN"}


def test_the_second_for_all_takes_what_the_first_left() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    leaving(story, "61000", part=D("0.4"))
    leaving(story, "62000")
    assert resting(story) == [(D(61_000), D("0.2")), (D(62_000), D("0.3"))]
    assert codes([story.ask(asked(story, "63000"))]) == {"EXIT_TAKEN"}


@pytest.mark.hazard("H04")
def test_a_stop_that_fills_first_takes_from_the_limit_and_a_late_fill_is_counted_once() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    order = leaving(story, size=D("0.4"))
    assert order is not None
    story.fill(story.order("stop"), "0.3", price="59400")
    assert story.sent(Amend)[-1].size == D("0.2")  # no more than is held
    fill = story.fill_of(order, "0.2", price="61000")
    story.tell(r.Filled(fill, story.now))
    story.tell(r.Filled(fill, story.now))
    for order in list(story.state.orders.values()):
        story.cancelled(order)
    held = story.closed()
    assert held.size == 0
    story.replays()


def test_what_the_venue_cancels_is_placed_again_and_an_old_fill_counts() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    first = leaving(story, size=D("0.2"))
    assert first is not None
    story.cancelled(first)
    story.wait(5)
    second = story.order("target")
    assert second.client_order_id != first.client_order_id
    story.accept(second)
    fill = story.fill_of(second, "0.05", price="61000")
    story.tell(r.Filled(fill, story.now))
    assert story.position().limits[0].left == D("0.15")
    assert story.position().limits[0].orders == (first.client_order_id, second.client_order_id)


def test_it_moves_and_goes_by_its_order_or_its_number() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    order = leaving(story, size=D("0.2"))
    assert order is not None
    moved = i.AmendOrder(id="m", order=order.client_order_id, price=D(61_500))
    assert story.ask(moved).ok
    assert story.sent(Amend)[-1].price == D(61_500)
    story.amended(order)
    one = story.position().limits[0]
    assert story.ask(i.AmendOrder(id="n", order=one.id, price=D(62_000))).ok
    story.amended(story.order("target"))
    assert story.ask(i.CancelOrder(id="c", order=order.client_order_id)).ok
    assert story.position().limits == ()
    story.cancelled(story.order("target"))
    assert story.orders("target") == []
    assert story.order("stop").remaining == D("0.5")
    assert codes([story.ask(i.CancelOrder(id="d", order=one.id))]) == {"UNKNOWN_ORDER"}
    story.replays()


@pytest.mark.parametrize("profile", [FUTURES, SPOT])
def test_a_flatten_does_not_wait_for_it(profile: str) -> None:
    story = Story(profile)
    story.opened("0.5")
    leaving(story, size=D("0.2"))
    story.ask(i.Flatten(id="f"))
    for order in list(story.state.orders.values()):
        if order.role == "stop" and order.cancel_pending:
            story.cancelled(order)
    assert closes(story)[-1].size == D("0.5")
    story.holds()


@pytest.mark.parametrize("profile", [FUTURES, SPOT])
def test_a_reversal_turns_what_is_held_and_takes_no_limit_along(profile: str) -> None:
    story = Story(profile)
    story.opened("0.5", leverage=D(2))
    leaving(story, size=D("0.2"))
    assert story.ask(i.Reverse(id="r", position=story.position().id)).ok
    for order in list(story.state.orders.values()):
        if order.cancel_pending:
            story.cancelled(order)
    story.fill(story.order("close"))
    for order in list(story.state.orders.values()):
        if order.cancel_pending:
            story.cancelled(order)
    held = [p for p in story.state.positions.values() if p.side is Side.SELL]
    assert [p.limits for p in held] == [()]


def test_a_restart_goes_on_with_what_rests() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    order = leaving(story, size=D("0.2"))
    assert order is not None
    story.ask(i.Halt(id="h"))
    story.ask(i.Resume(id="u", reason="HALTED"))
    assert len(story.orders("target")) == 1
    story.fill(order, price="61000")
    assert story.position().size == D("0.3")


# watched here


@pytest.mark.hazard("H83")
def test_elsewhere_it_is_watched_and_leaves_at_its_price_or_not_at_all() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    leaving(story, size=D("0.2"))
    assert story.orders("target") == []
    assert story.order("stop").remaining == D("0.5")
    story.price(BTC, "60999.9")
    assert closes(story) == []
    story.price(BTC, "61000")
    story.amended(story.order("stop"))
    [close] = closes(story)
    assert (close.size, close.price) == (D("0.2"), D(61_000))
    # the price is gone before it arrives: nothing fills, and the stop is whole again at once
    story.price(BTC, "60900")
    story.cancelled(story.order("close"))
    held = story.position()
    assert (held.closing, held.limits[0].left) == (D(0), D("0.2"))
    assert story.sent(Amend)[-1].size == D("0.5")
    story.amended(story.order("stop"))
    assert story.position().protection == "venue"
    story.wait(1)
    story.price(BTC, "61050")
    story.amended(story.order("stop"))
    assert closes(story)[-1].price == D(61_000)  # never worse, however often it missed
    story.fill(story.order("close"), price="61050")
    assert (story.position().size, story.position().limits) == (D("0.3"), ())
    assert story.position().closing_at is None
    story.holds()
    story.replays()


def test_a_part_of_it_that_fills_leaves_the_rest_waiting() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    leaving(story, size=D("0.2"))
    story.price(BTC, "61000")
    story.amended(story.order("stop"))
    close = story.order("close")
    story.fill(close, "0.05", price="61000")
    story.cancelled(close)
    held = story.position()
    assert (held.size, held.closing, held.limits[0].left) == (D("0.45"), D(0), D("0.15"))
    late = story.fill_of(close, "0.02", price="61000")
    story.tell(r.Filled(late, story.now))
    if late.execution_id in story.state.excess:
        story.confirm(late)
    assert story.position().limits[0].left == D("0.13")


@pytest.mark.hazard("H18")
def test_the_stop_goes_before_a_limit_that_is_on_its_way() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    leaving(story)
    story.price(BTC, "61000")
    story.cancelled(story.order("stop"))
    close = story.order("close")
    assert close.price == D(61_000)
    story.price(BTC, "59000")  # it falls through the stop while the close is on its way
    story.cancelled(close)
    held = story.position()
    assert held.closing == D("0.5")
    assert held.closing_at is None
    assert (closes(story)[-1].price or D(0)) < D(59_000)
    story.holds()


def test_a_target_that_is_watched_leaves_what_leaves_at_a_limit() -> None:
    story = Story(SPOT)
    story.opened("0.5", target=i.Away(D("0.01")))
    leaving(story, "62000", size=D("0.2"))
    story.price(BTC, "60600")
    story.amended(story.order("stop"))
    assert closes(story)[-1].size == D("0.3")
    story.fill(story.order("close"), price="60600")
    story.price(BTC, "60700")
    assert len(closes(story)) == 1
    story.price(BTC, "62000")
    story.cancelled(story.order("stop"))
    assert (closes(story)[-1].size, closes(story)[-1].price) == (D("0.2"), D(62_000))


def test_by_hand_all_of_it_may_leave_at_market_while_a_limit_is_on_its_way() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    leaving(story)
    story.price(BTC, "61000")
    close = i.ClosePosition(id="x", position=story.position().id)
    assert story.ask(close).ok
    assert story.position().closing_at is None
    again = story.ask(i.ClosePosition(id="y", position=story.position().id))
    assert codes([again]) == {"ALREADY_CLOSING"}


def test_a_halt_watches_nothing_and_its_end_does_again() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    leaving(story, size=D("0.2"))
    story.ask(i.Halt(id="h"))
    story.price(BTC, "61000")
    assert closes(story) == []
    story.ask(i.Resume(id="u", reason="HALTED"))
    story.price(BTC, "61001")
    assert story.position().closing == D("0.2")


# at what price


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize(
    ("anchor", "long", "short_"),
    [
        (i.Anchor.JOIN, "60002", "60000"),
        (i.Anchor.IMPROVE, "60001.9", "60000.1"),
        (i.Anchor.BID, "60000", "60000"),
        (i.Anchor.MID, "60001", "60001"),
    ],
)
def test_the_market_tells_its_price_when_the_desk_decides(
    side: Side, anchor: i.Anchor, long: str, short_: str
) -> None:
    story = Story(SPOT)
    if side is Side.BUY:
        story.opened("0.5", leverage=D(2))
    else:
        story.buy("0.5", side=side, leverage=D(2))
        story.fill(story.order("entry"))
    story.price(BTC, "60000", "60002")
    leaving(story, None, anchored=i.Anchored(anchor))
    wanted = D(long if side is Side.BUY else short_)
    assert story.position().limits[0].price == wanted


def test_it_never_improves_across_the_spread() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    story.price(BTC, "60000", "60000.1")
    leaving(story, None, anchored=i.Anchored(i.Anchor.IMPROVE))
    assert story.position().limits[0].price == D("60000.1")


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"price": D("59999.8")}, "WOULD_CROSS"),
        ({"price": D("61000.05")}, "NOT_A_NUMBER"),
        ({"price": D("NaN")}, "NOT_A_NUMBER"),
        ({"price": None}, "PRICE_MISSING"),
        ({"size": D(0)}, "NOT_A_NUMBER"),
        ({"part": D(2)}, "NOT_A_NUMBER"),
        ({"size": D("0.00001")}, "PART_TOO_SMALL"),
    ],
)
def test_what_can_not_be_is_refused_and_changes_nothing(terms: dict[str, Any], code: str) -> None:
    story = Story(SPOT)
    story.opened("0.5")
    ask = {"id": "q", "position": story.position().id, "price": D(61_000), **terms}
    assert codes([story.ask(i.LeaveAt(**ask))]) == {code}
    assert story.position().limits == ()


def test_a_limit_at_the_best_price_of_the_other_side_leaves_at_once() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    leaving(story, "60000", size=D("0.2"))
    story.price(BTC, "60000")
    assert story.position().closing == D("0.2")


def test_the_market_that_was_seen_bounds_what_join_means() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    seen = i.Seen(BTC, 1, story.now, D(60_000), D("60000.1"))
    story.price(BTC, "60050")
    answer = story.ask(asked(story, None, anchored=i.Anchored(i.Anchor.JOIN), seen=seen))
    assert codes([answer]) == {"MARKET_MOVED"}


@pytest.mark.parametrize(("profile", "where"), [(FUTURES, "VENUE"), (SPOT, "LOCAL")])
def test_the_card_says_where_it_waits(profile: str, where: str) -> None:
    story = Story(profile)
    story.opened("0.5")
    card = preview(story.ctx, asked(story, size=D("0.2")))
    assert card.refusals == ()
    assert any(where in line.after for line in card.lines)
    assert story.seen(e.LimitsSet) == []


def test_a_second_position_in_the_symbol_takes_it_from_the_venue_and_watches_it_here() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    name = story.position().id
    leaving(story, size=D("0.2"))
    story.buy("0.1", symbol=ETH)
    assert not story.order("target").cancel_pending
    story.buy("0.1")
    assert story.order("target").cancel_pending
    story.cancelled(story.order("target"))
    story.price(BTC, "61000")
    assert story.state.positions[name].closing == D("0.2")
