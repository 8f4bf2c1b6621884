"""Custody is bounded by the work, not by a constant: hundreds of positions in one symbol come to rest."""

from decimal import Decimal

import pytest

from engine.desk.rules import RiskRules, Rules
from engine.model import intent as i
from engine.model.request import Submit
from tests.support.world import Story

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
