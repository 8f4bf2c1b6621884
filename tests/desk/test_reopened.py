"""A position that a late fill opened again: what it had realised is counted once, however often it
ends.
"""

from decimal import Decimal

import pytest

from engine.model.intent import ClosePosition
from engine.model.order import OrderType
from tests.support.world import Story

pytestmark = pytest.mark.hazard("H109")


def test_what_a_reopened_position_realised_is_counted_once() -> None:
    story = Story("kraken-futures")
    answer = story.buy("1", type=OrderType.LIMIT, price=Decimal(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.5", fee="3")
    story.accept(story.order("stop"))
    story.ask(ClosePosition(id="c", position=answer.created))
    story.cancelled(entry)
    for close in story.orders("close"):
        story.accept(close)
        story.fill(close, price="59900", fee="2")
    for stop in story.orders("stop"):
        story.cancelled(stop)
    assert answer.created in story.state.closed
    first = story.state.totals.realised["USD"]
    assert first == Decimal(-55)
    story.fill(entry, "0.1", price="59900", fee="1")
    assert answer.created in story.state.positions
    for stop in story.orders("stop"):
        story.accept(stop)
    story.ask(ClosePosition(id="d", position=answer.created))
    for close in story.orders("close"):
        story.accept(close)
        story.fill(close, price="59900", fee="1")
    for stop in story.orders("stop"):
        story.cancelled(stop)
    position = story.closed()
    profit = position.realised_profit(story.state.instruments["BTC/USD"])
    assert story.state.totals.realised["USD"] == profit
    story.replays()
