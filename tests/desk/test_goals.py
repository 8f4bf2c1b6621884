"""Targets of parts: what rests where it can, what is watched elsewhere, and what a hand may do to
them.
"""

from decimal import Decimal
from typing import Any

import pytest

from engine.desk import events as e
from engine.desk.previews import preview
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order
from engine.model.request import Amend, Submit
from engine.model.side import Side
from tests.support.world import BTC, Story, codes

D = Decimal
HALF = (i.PartialTarget(i.Away(D("0.01")), D("0.5")),)


def story_with(profile: str, size: str = "0.5", **terms: Any) -> Story:
    story = Story(profile)
    story.opened(size, **{"target": i.Away(D("0.02")), "partials": HALF, **terms})
    return story


def resting(story: Story) -> list[tuple[Decimal, Decimal]]:
    found = [(order.price or D(0), order.remaining) for order in story.orders("target")]
    return sorted(found)


def target_at(story: Story, price: str) -> Order:
    return next(order for order in story.orders("target") if order.price == D(price))


@pytest.mark.hazard("H33")
def test_all_exits_that_rest_are_bounded_by_the_position_at_every_fill() -> None:
    story = story_with("kraken-futures")
    assert resting(story) == [(D(60_600), D("0.25")), (D(61_200), D("0.25"))]
    for size in ("0.1", "0.15"):
        story.fill(target_at(story, "60600"), size, price="60600")
        left = story.position().size
        assert sum(size for _, size in resting(story)) == left
        assert story.sent(Amend)[-1].size == story.order("stop").filled + left
        story.amended(story.order("stop"))
        assert story.order("stop").remaining == left
        story.holds()
    assert resting(story) == [(D(61_200), D("0.25"))]
    story.fill(target_at(story, "61200"), price="61200")
    assert story.position().size == 0
    story.cancelled(story.order("stop"))
    assert story.closed().close_reason == "target"
    story.replays()


def test_an_entry_that_fills_in_parts_moves_its_targets_with_its_price_and_size() -> None:
    story = Story("kraken-futures")
    story.buy("0.5", target=i.Away(D("0.02")), partials=HALF)
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2", price="60000")
    for order in story.orders("stop") + story.orders("target"):
        story.accept(order)
    assert resting(story) == [(D(60_600), D("0.1")), (D(61_200), D("0.1"))]
    story.fill(entry, "0.3", price="61000")
    for order in story.orders("target"):
        story.amended(order)
    assert resting(story) == [(D("61206"), D("0.25")), (D("61812"), D("0.25"))]
    story.replays()


@pytest.mark.hazard("H33")
def test_where_no_target_rests_the_stop_gives_way_before_the_part_is_sold() -> None:
    story = story_with("kraken-spot")
    assert resting(story) == []
    story.price(BTC, "60600")
    assert not story.orders("close"), "all of it is still reserved by the stop"
    assert story.sent(Amend)[-1].size == D("0.25")
    story.amended(story.order("stop"))
    close = story.order("close")
    assert close.size == D("0.25")
    story.holds()
    story.fill(close, price="60600")
    assert (story.position().size, story.position().closing, story.order("stop").remaining) == (
        D("0.25"),
        D(0),
        D("0.25"),
    )
    story.price(BTC, "60700")
    assert story.position().closing == D(0), "a target is reached once"
    story.price(BTC, "61200")
    assert story.position().closing == D("0.25")
    story.replays()


def test_a_price_that_jumps_over_both_targets_closes_all() -> None:
    story = story_with("kraken-spot")
    story.price(BTC, "62000")
    assert story.position().closing == D("0.5")
    story.replays()


def test_a_price_that_jumps_over_two_parts_takes_both() -> None:
    parts = (
        i.PartialTarget(i.Away(D("0.01")), D("0.25")),
        i.PartialTarget(i.Away(D("0.015")), D("0.25")),
    )
    story = story_with("kraken-spot", partials=parts, target=i.Away(D("0.1")))
    story.price(BTC, "61000")
    story.price(BTC, "61000")
    assert story.position().closing == D("0.25")


def test_a_part_whose_rest_the_venue_would_not_trade_takes_all() -> None:
    story = story_with("kraken-spot", "0.5")
    story.ask(i.ClosePosition(id="part", position=story.position().id, part=D("0.49998")))
    story.amended(story.order("stop"))
    story.fill(story.order("close"))
    story.price(BTC, "60600")
    assert story.position().closing == story.position().size, "a rest of one lot would be dust"


def test_without_a_target_of_its_own_the_rest_runs_on() -> None:
    story = story_with("kraken-spot", target=None)
    story.price(BTC, "60600")
    story.amended(story.order("stop"))
    story.fill(story.order("close"), price="60600")
    story.price(BTC, "70000")
    assert story.position().closing == 0
    assert story.position().goals_left(story.state.instruments[BTC]) == []


def test_a_part_is_cancelled_and_moved_by_its_order() -> None:
    story = story_with("kraken-futures")
    answer = story.ask(
        i.AmendOrder(id="up", order=target_at(story, "60600").client_order_id, price=D(60_900))
    )
    assert answer.ok, answer.refusals
    story.amended(target_at(story, "60600"))
    assert resting(story) == [(D(60_900), D("0.25")), (D(61_200), D("0.25"))]
    assert story.ask(i.CancelOrder(id="off", order=target_at(story, "60900").client_order_id)).ok
    assert story.position().goals == ()
    assert story.position().target == D(61_200)
    story.amended(target_at(story, "61200"))
    story.cancelled(target_at(story, "60900"))
    assert resting(story) == [(D(61_200), D("0.5"))]
    story.replays()


def test_the_target_of_the_rest_is_moved_by_its_own_order() -> None:
    story = story_with("kraken-futures")
    assert story.ask(
        i.AmendOrder(id="up", order=target_at(story, "61200").client_order_id, price=D(61_500))
    ).ok
    story.amended(target_at(story, "61200"))
    assert resting(story) == [(D(60_600), D("0.25")), (D(61_500), D("0.25"))]
    assert story.ask(i.MoveTarget(id="none", position=story.position().id, target=None)).ok
    story.cancelled(target_at(story, "61500"))
    assert resting(story) == [(D(60_600), D("0.25"))]


@pytest.mark.parametrize(
    ("price", "code"),
    [
        ("59000", "TARGET_WRONG_SIDE"),
        ("61200", "TARGETS_OUT_OF_ORDER"),
        ("60900.05", "NOT_A_NUMBER"),
    ],
)
def test_a_part_goes_nowhere_else(price: str, code: str) -> None:
    story = story_with("kraken-futures")
    assert codes(
        [
            story.ask(
                i.AmendOrder(
                    id="x", order=target_at(story, "60600").client_order_id, price=D(price)
                )
            )
        ]
    ) == {code}
    assert resting(story) == [(D(60_600), D("0.25")), (D(61_200), D("0.25"))]


def test_a_close_of_all_leaves_the_resting_targets_as_they_are_until_it_fills() -> None:
    story = story_with("kraken-futures")
    asked = len(story.requests)
    assert story.ask(i.ClosePosition(id="x", position=story.position().id)).ok
    assert [type(request) for request in story.requests[asked:]] == [Submit], (
        "tokens are for the close"
    )
    story.fill(story.order("close"))
    assert {order.cancel_pending for order in story.orders("target")} == {True}
    story.holds()


def test_a_reversal_mirrors_the_parts_of_what_is_whole() -> None:
    story = story_with("kraken-futures")
    assert story.ask(i.Reverse(id="r", position=story.position().id)).ok
    (then,) = story.state.reverses.values()
    assert then.partials == HALF
    assert then.side is Side.SELL
    story = story_with("kraken-futures")
    story.fill(target_at(story, "60600"), price="60600")
    assert story.ask(i.Reverse(id="r", position=story.position().id)).ok
    (then,) = story.state.reverses.values()
    assert then.partials == ()


def test_the_targets_of_parts_need_room_under_the_venues_cap() -> None:
    story = Story("kraken-futures")
    many = tuple(i.PartialTarget(i.Away(D(f"0.00{n}")), D("0.1")) for n in range(1, 9))
    answer = story.buy("0.5", target=i.Away(D("0.02")), partials=many)
    assert answer.ok, answer.refusals
    assert codes([story.buy("0.5", partials=(*many, many[0]))]) >= {"NOT_A_NUMBER"}


def test_the_card_tells_each_part() -> None:
    story = Story("kraken-futures")
    offer = preview(
        story.ctx,
        i.OpenBracket(id="1", symbol=BTC, side=Side.BUY, size=i.Base(D("0.5")), partials=HALF),
    )
    (line,) = [line.after for line in offer.lines if line.name == "target 1"]
    assert line == "0.25 (50%) at 60,600.2, VENUE", (
        "on the tick, never nearer than asked: a hundredth beyond the ask of 60,000.1"
    )


def test_a_target_that_was_reached_here_is_spoken_of() -> None:
    story = story_with("kraken-spot")
    story.price(BTC, "60600")
    assert "BTC/USD target of a part reached: closing 0.25" in story.spoken
    assert story.seen(e.GoalReached) == [e.GoalReached(story.now, story.position().id, D("0.25"))]
    assert not [request for request in story.sent(Submit) if request.order.role.value == "target"]


def three(*fills: tuple[str, str | None]) -> Story:
    """A long of 1 with two targets of a quarter and one of the rest; some of them filled."""
    quarter = D("0.25")
    parts = tuple(i.PartialTarget(i.Away(D(away)), quarter) for away in ("0.01", "0.02"))
    story = story_with("kraken-futures", "1", partials=parts, target=i.Away(D("0.05")))
    for price, size in fills:
        story.fill(target_at(story, price), size, price=price)
        story.amended(story.order("stop"))
    return story


def settled(story: Story) -> list[tuple[Decimal, Decimal]]:
    for order in story.orders("target"):
        if order.amend_pending:
            story.amended(order)
    story.holds()
    story.replays()
    return resting(story)


@pytest.mark.parametrize("filled", [None, "0.1"])
def test_a_part_that_is_moved_nearer_than_one_that_was_reached_stands_where_it_was_put(
    filled: str | None,
) -> None:
    story = three(("60600", filled))
    moved = target_at(story, "61200")
    story.ask(i.AmendOrder(id="near", order=moved.client_order_id, price=D(60_400)))
    left = [] if filled is None else [(D(60_600), D("0.15"))]
    assert settled(story) == [(D(60_400), D("0.25")), *left, (D(63_000), D("0.5"))]


def test_a_part_that_is_given_up_half_way_takes_nothing_from_the_next_one() -> None:
    story = three(("60600", "0.1"))
    given_up = target_at(story, "60600")
    story.ask(i.CancelOrder(id="no", order=given_up.client_order_id))
    story.cancelled(given_up)
    assert settled(story) == [(D(61_200), D("0.25")), (D(63_000), D("0.65"))]


@pytest.mark.hazard("H33")
def test_no_target_is_placed_beside_one_that_is_still_to_become_smaller() -> None:
    """The market jumped through both targets, and the far one's fill is heard first. What the near
    one still takes is all that is held: another account's short, which the venue nets with ours,
    would let a second one open something.
    """
    story = story_with("kraken-futures")
    first, last = target_at(story, "60600"), target_at(story, "61200")
    story.fill(first, "0.05", price="60600")
    story.ask(i.ClosePosition(id="c", position=story.position().id, part=D("0.5")))
    story.fill(story.order("close"))
    story.amended(last)
    assert resting(story) == [(D(60_600), D("0.2")), (D(61_200), D("0.025"))]
    story.fill(last, price="61200")
    assert story.position().size == D("0.2")
    for _ in range(3):
        takes = sum(order.reserved for order in story.orders("target"))
        assert takes <= story.position().size, "more than is held may be taken"
        story.tell(r.AmendRejected(first.client_order_id, "EOrder:Unknown order", story.now))
        story.wait(2)
    story.fill(first, price="60600")
    assert not story.orders("target")
    assert story.position().size == 0
