"""Custody is bounded by the work, not by a constant: hundreds of positions in one symbol come to rest."""

from decimal import Decimal

import pytest

from engine.desk.events import FlattenEnded, PositionClosed
from engine.desk.rules import RiskRules, Rules
from engine.desk.state import CLOSED_POSITIONS
from engine.desk.telling import Telling
from engine.model import intent as i
from engine.model.request import Submit
from tests.support.world import BTC, SECOND, Story

D = Decimal


@pytest.mark.hazard("H92")
def test_three_hundred_brackets_in_one_symbol_are_flattened_by_one_intent() -> None:
    many = 300
    bounds = RiskRules(max_positions=1_000, max_exposure=D(1_000), max_position=D(1_000), max_open_risk=D(1_000), losing_streak=0)
    story = Story("kraken-futures", Rules(risk=bounds), cash="100000000")
    for _ in range(many):
        story.opened("0.01", stop=None)
    assert story.ask(i.Flatten(id="f")).ok
    closes = [request.order for request in story.sent(Submit) if request.order.role.value == "close"]
    assert len(closes) == many
    assert sum((order.size for order in closes), D(0)) == D("0.01") * many


@pytest.mark.hazard("H92")
def test_one_of_three_hundred_positions_in_a_symbol_is_closed() -> None:
    bounds = RiskRules(max_positions=1_000, max_exposure=D(1_000), max_position=D(1_000), max_open_risk=D(1_000), losing_streak=0)
    story = Story("kraken-futures", Rules(risk=bounds), cash="100000000")
    first = story.opened("0.01")
    for _ in range(300):
        story.opened("0.01", stop=None)
    story.fill(story.orders("stop")[0], price="59400")
    assert first.id in story.state.closed
    assert len(story.state.positions) == 300


@pytest.mark.hazard("H92")
def test_more_positions_than_are_kept_end_in_one_message() -> None:
    many = CLOSED_POSITIONS + 5
    bounds = RiskRules(max_positions=1_000, max_exposure=D(1_000), max_position=D(1_000), max_open_risk=D(1_000), losing_streak=0)
    story = Story("kraken-futures", Rules(risk=bounds), cash="100000000")
    for _ in range(many):
        story.opened("0.01", stop=None)
    story.now += SECOND
    story.picture(net={})
    decision = story.tell(i.Resolve(id="r", subject=BTC, action=i.Settlement.FORGET))
    assert sum(isinstance(event, PositionClosed) for event in decision.events) == many
    assert not story.state.positions
    told = Telling().tell(decision.events, story.state)
    assert sum(line.kind == "closed" for line in told) == CLOSED_POSITIONS


@pytest.mark.hazard("H92")
def test_a_receipt_counts_more_positions_than_are_kept() -> None:
    many = CLOSED_POSITIONS + 5
    bounds = RiskRules(max_positions=1_000, max_exposure=D(1_000), max_position=D(1_000), max_open_risk=D(1_000), losing_streak=0)
    story = Story("kraken-futures", Rules(risk=bounds), cash="100000000")
    for _ in range(many):
        story.opened("0.01", stop=None)
    story.ask(i.Flatten(id="f"))
    for close in story.orders("close"):
        story.fill(close)
    story.now += SECOND
    story.picture()
    assert story.seen(FlattenEnded)[-1].receipt[0].startswith(f"the venue says flat: {many} positions closed")
