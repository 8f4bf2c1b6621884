"""What the command line asks of the desk beside the keys: orders by number, entries made smaller,
targets of parts of what is open, entries that are filled at once or not at all.
"""

from decimal import Decimal
from typing import Any

import pytest

from engine.desk.codec import restore, save
from engine.desk.previews import preview
from engine.model import intent as i
from engine.model.order import Order, OrderType, TimeInForce
from engine.model.request import Amend, Submit
from tests.support.world import BTC, Story, codes

D = Decimal
LIMIT = OrderType.LIMIT


def numbers(story: Story) -> dict[str, int]:
    return {
        row.order.client_order_id: row.number
        for row in story.views.orders(story.ctx)
        if not row.order.foreign
    }


def resting_entry(story: Story, size: str = "0.5") -> Order:
    story.buy(size, type=LIMIT, price=D(59_000), stop=i.Away(D("0.01")))
    entry = story.order("entry")
    story.accept(entry)
    return story.now_of(entry)


def test_an_order_keeps_its_number_and_no_number_is_given_twice() -> None:
    story = Story("kraken-futures")
    first = resting_entry(story)
    assert numbers(story) == {first.client_order_id: 1}
    story.fill(first, "0.2", price="59000")
    stop = story.order("stop")
    assert numbers(story) == {first.client_order_id: 1, stop.client_order_id: 2}
    story.cancelled(story.now_of(first))
    assert numbers(story) == {stop.client_order_id: 2}
    story.buy("0.1", type=LIMIT, price=D(58_000), stop=i.Away(D("0.01")))
    assert numbers(story)[story.order("entry").client_order_id] == 3
    story.replays()
    assert restore(save(story.state)).numbers == story.state.numbers


def amended(story: Story, entry: Order, **terms: Any) -> set[str]:
    asked: dict[str, Any] = {"price": None, **terms}
    return codes([story.ask(i.AmendOrder(id=story.name(), order=entry.client_order_id, **asked))])


def test_an_entry_is_made_smaller_and_moved_with_one_amend() -> None:
    story = Story("kraken-futures")
    entry = resting_entry(story)
    assert not amended(story, entry, price=D(59_500), size=D("0.3"))
    asked = story.sent(Amend)[-1]
    assert (asked.price, asked.size, asked.trigger) == (D(59_500), D("0.3"), None)
    story.amended(entry)
    assert (story.now_of(entry).price, story.now_of(entry).size) == (D(59_500), D("0.3"))
    story.replays()


@pytest.mark.parametrize("size", ["0.6", "0.20000", "0.15", "0", "0.30001"])
def test_no_amend_makes_an_entry_larger_or_smaller_than_what_has_filled(size: str) -> None:
    story = Story("kraken-futures")
    entry = resting_entry(story)
    story.fill(entry, "0.2", price="59000")
    sent = len(story.sent(Amend))
    assert amended(story, story.now_of(entry), size=D(size)) == {"NOT_A_NUMBER"}
    assert amended(story, story.now_of(entry)) == {"NOTHING_TO_DO"}
    assert len(story.sent(Amend)) == sent


def test_the_size_of_an_exit_follows_its_position() -> None:
    story = Story("kraken-futures")
    story.opened("0.5", stop=i.Away(D("0.01")))
    assert amended(story, story.order("stop"), size=D("0.1")) == {"NOTHING_TO_DO"}
    assert amended(story, story.order("stop")) == {"NOTHING_TO_DO"}


QUARTERS = (
    i.PartialTarget(i.Away(D("0.01")), D("0.25")),
    i.PartialTarget(i.At(D(61_000)), D("0.25")),
)


def targets(story: Story) -> list[tuple[Decimal, Decimal]]:
    return sorted((order.price or D(0), order.remaining) for order in story.orders("target"))


def test_an_open_position_gets_targets_for_its_parts() -> None:
    story = Story("kraken-futures")
    name = story.opened("0.4", stop=i.Away(D("0.01")), target=i.Away(D("0.05"))).id
    asked = i.MoveTarget(id="t", position=name, target=i.At(D(62_000)), partials=QUARTERS)
    told = preview(story.ctx, asked)
    assert told.refusals == ()
    assert ("parts", "none", "25% at 60,600, 25% at 61,000") in [
        (line.name, line.before, line.after) for line in told.lines
    ]
    assert story.ask(asked).ok
    for order in story.orders("target"):
        story.amended(order) if order.amend_pending else story.accept(order)
    assert targets(story) == [(D(60_600), D("0.1")), (D(61_000), D("0.1")), (D(62_000), D("0.2"))]
    assert story.ask(i.MoveTarget(id="u", position=name, target=None, partials=())).ok
    assert story.position().goals == ()
    assert story.position().target is None
    story.replays()


@pytest.mark.parametrize(
    ("partials", "target", "code"),
    [
        (QUARTERS[::-1], i.At(D(62_000)), "TARGETS_OUT_OF_ORDER"),
        (QUARTERS, i.At(D(60_800)), "TARGETS_OUT_OF_ORDER"),
        ((i.PartialTarget(i.At(D(61_000)), D("1.5")),), None, "NOT_A_NUMBER"),
        ((i.PartialTarget(i.At(D(59_000)), D("0.5")),), None, "TARGETS_OUT_OF_ORDER"),
        ((i.PartialTarget(i.At(D(61_000)), D("0.0000001")),), None, "PART_TOO_SMALL"),
    ],
)
def test_targets_of_parts_that_can_not_stand_are_refused(
    partials: tuple[i.PartialTarget, ...], target: i.Place | None, code: str
) -> None:
    story = Story("kraken-futures")
    name = story.opened("0.4", stop=i.Away(D("0.01"))).id
    before = story.position()
    asked = i.MoveTarget(id="t", position=name, target=target, partials=partials)
    assert {refusal.code for refusal in preview(story.ctx, asked).refusals} >= {code}
    assert codes([story.ask(asked)]) == {code}
    assert story.position() == before


def test_once_a_part_has_left_there_are_no_others() -> None:
    story = Story("kraken-futures")
    name = story.opened("0.4", stop=i.Away(D("0.01"))).id
    story.ask(i.ClosePosition(id="c", position=name, part=D("0.5")))
    story.fill(story.order("close"), price="60000")
    asked = i.MoveTarget(id="t", position=name, target=None, partials=QUARTERS)
    assert codes([story.ask(asked)]) == {"NOTHING_TO_DO"}
    assert story.ask(i.MoveTarget(id="u", position=name, target=i.At(D(62_000)), partials=())).ok


def test_a_limit_entry_that_may_not_rest() -> None:
    story = Story("kraken-spot")
    story.buy("0.5", type=LIMIT, price=D(60_000), ioc=True, stop=i.Away(D("0.01")))
    order = story.sent(Submit)[-1].order
    assert (order.type, order.time_in_force) == (LIMIT, TimeInForce.IOC)
    assert story.order("entry").symbol == BTC
