"""A position that is closed, or reversed, while its entry still fills: all of it leaves, and a
reversal turns once.
"""

from decimal import Decimal

import pytest

from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.side import Side
from tests.support.world import Story

D = Decimal
PROFILES = ("kraken-futures", "kraken-spot")


def filling(profile: str) -> Story:
    """A long of 0.4 whose entry for 1 still rests."""
    story = Story(profile)
    story.buy("1", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.4")
    story.accept(story.order("stop"))
    return story


def wanted(kind: str, story: Story) -> None:
    """The position is to be closed, or reversed."""
    name = story.position().id
    asked = i.Reverse if kind == "reverse" else i.ClosePosition
    assert story.ask(asked(id="x", position=name)).ok


def obey(story: Story) -> None:
    """The venue does what it was asked until nothing more is."""
    for _ in range(6):
        for order in story.orders("close"):
            if order.venue_order_id is None:
                story.accept(order)
            story.fill(order)
        for order in [*story.orders("stop"), *story.orders("entry")]:
            if order.cancel_pending:
                story.cancelled(order)
            elif order.amend_pending:
                story.amended(order)
        story.wait(1)
        story.witness()


@pytest.mark.hazard("H33")
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", ["close", "reverse"])
@pytest.mark.parametrize("late", [False, True])
def test_what_fills_while_it_is_closed_leaves_with_the_rest(
    profile: str, kind: str, late: bool
) -> None:
    story = filling(profile)
    entry = story.order("entry")
    wanted(kind, story)
    if late:
        for stop in story.orders("stop"):
            if stop.cancel_pending:
                story.cancelled(stop)
        story.accept(story.order("close"))
        story.fill(story.order("close"))
    story.fill(entry, "0.6")
    assert story.position().closing == story.position().size
    obey(story)
    assert not [p for p in story.state.positions.values() if p.side is Side.BUY]
    turned = [order for order in story.orders("entry") if order.side is Side.SELL]
    assert [order.size for order in turned] == ([D("0.4")] if kind == "reverse" else [])
    story.replays()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("first", ["close", "entry"])
def test_a_reversal_turns_whether_its_close_or_the_end_of_its_entry_comes_first(
    profile: str, first: str
) -> None:
    story = filling(profile)
    entry = story.order("entry")
    wanted("reverse", story)
    for stop in story.orders("stop"):
        if stop.cancel_pending:
            story.cancelled(stop)
    if first == "entry":
        story.cancelled(entry)
    story.accept(story.order("close"))
    story.fill(story.order("close"))
    for stop in story.orders("stop"):
        story.cancelled(stop)
    if first == "close":
        story.cancelled(entry)
    [turned] = story.orders("entry")
    assert (turned.side, turned.size) == (Side.SELL, D("0.4"))
    story.replays()


def test_a_part_that_is_closed_leaves_what_fills_meanwhile() -> None:
    story = filling("kraken-futures")
    name = story.position().id
    assert story.ask(i.ClosePosition(id="x", position=name, part=D("0.5"))).ok
    story.fill(story.order("entry"), "0.6")
    assert (story.position().size, story.position().closing) == (D(1), D("0.2"))
