"""Custody is bounded by the work, not by a constant: hundreds of positions in one symbol come to
rest.
"""

from decimal import Decimal

import pytest

from engine.desk.codec import encode
from engine.desk.events import AlertRaised, FlattenEnded, PositionClosed
from engine.desk.rules import RiskRules, Rules
from engine.desk.state import CLOSED_POSITIONS
from engine.desk.telling import Telling
from engine.model import intent as i
from engine.model import report as r
from engine.model.request import Submit
from engine.records.batches import batch
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal


@pytest.mark.hazard("H92")
def test_three_hundred_brackets_in_one_symbol_are_flattened_by_one_intent() -> None:
    many = 300
    bounds = RiskRules(
        max_positions=1_000,
        max_exposure=D(1_000),
        max_position=D(1_000),
        max_open_risk=D(1_000),
        losing_streak=0,
    )
    story = Story("kraken-futures", Rules(risk=bounds), cash="100000000")
    for _ in range(many):
        story.opened("0.01", stop=None)
    assert story.ask(i.Flatten(id="f")).ok
    closes = [
        request.order for request in story.sent(Submit) if request.order.role.value == "close"
    ]
    assert len(closes) == many
    assert sum((order.size for order in closes), D(0)) == D("0.01") * many


@pytest.mark.hazard("H92")
def test_one_of_three_hundred_positions_in_a_symbol_is_closed() -> None:
    bounds = RiskRules(
        max_positions=1_000,
        max_exposure=D(1_000),
        max_position=D(1_000),
        max_open_risk=D(1_000),
        losing_streak=0,
    )
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
    bounds = RiskRules(
        max_positions=1_000,
        max_exposure=D(1_000),
        max_position=D(1_000),
        max_open_risk=D(1_000),
        losing_streak=0,
    )
    story = Story("kraken-futures", Rules(risk=bounds), cash="100000000")
    for _ in range(many):
        story.opened("0.01", stop=None)
    story.now += SECOND
    story.picture(net={})
    decision = story.tell(i.Resolve(id="r", subject=BTC, action=i.Settlement.FORGET))
    assert sum(isinstance(event, PositionClosed) for event in decision.events) == many
    assert not story.state.positions
    told = Telling().tell(decision.events, story.state)
    assert sum(line.kind == "closed" for line in told) == many
    rows = batch(decision, story.state, (), encode).positions
    assert sum(position.closed_at is not None for position, *_ in rows) == many, (
        "each is written down as ended"
    )
    later = story.opened("0.01", symbol=ETH, stop=None)
    story.now += SECOND
    story.ask(i.ClosePosition(id="c", position=later.id))
    story.fill(story.order("close"))
    assert len(story.state.closed) == CLOSED_POSITIONS, "the bound holds again with the next one"


@pytest.mark.hazard("H92")
def test_a_receipt_counts_more_positions_than_are_kept() -> None:
    many = CLOSED_POSITIONS + 5
    bounds = RiskRules(
        max_positions=1_000,
        max_exposure=D(1_000),
        max_position=D(1_000),
        max_open_risk=D(1_000),
        losing_streak=0,
    )
    story = Story("kraken-futures", Rules(risk=bounds), cash="100000000")
    for _ in range(many):
        story.opened("0.01", stop=None)
    story.ask(i.Flatten(id="f"))
    for close in story.orders("close"):
        story.fill(close)
    story.now += SECOND
    story.picture()
    assert (
        story.seen(FlattenEnded)[-1]
        .receipt[0]
        .startswith(f"the venue says flat: {many} positions closed")
    )


# Alerts of one cause


def rejected(story: Story, text: str) -> None:
    story.price(BTC, "60000")
    assert story.buy("0.01").ok
    story.rejected(story.orders("entry")[-1], text)


@pytest.mark.hazard("H92")
def test_what_is_rejected_for_one_reason_is_one_alert_that_counts() -> None:
    story = Story()
    for _ in range(40):
        rejected(story, "EOrder:Insufficient funds")
        story.now += SECOND
    rejected(story, "EGeneral:Internal error")
    told = [alert for alert in story.state.alerts.values() if alert.code == "ORDER_REJECTED"]
    assert [(alert.detail, alert.count) for alert in told] == [
        ("EOrder:Insufficient funds", 40),
        ("EGeneral:Internal error", 1),
    ]
    story.now += 90 * SECOND
    rejected(story, "EOrder:Insufficient funds")
    assert (
        len([alert for alert in story.state.alerts.values() if alert.code == "ORDER_REJECTED"]) == 3
    ), "that is another burst"
    story.replays()


@pytest.mark.hazard("H92")
def test_each_rejection_is_still_a_line_of_the_record() -> None:
    story, telling = Story(), Telling()
    lines = []
    for _ in range(3):
        assert story.buy("0.01").ok
        order = story.orders("entry")[-1]
        decision = story.tell(
            r.Rejected(order.client_order_id, "EOrder:Insufficient funds", story.now)
        )
        lines += [
            line.text
            for line in telling.tell(decision.events, story.state)
            if line.kind == "rejected"
        ]
    assert len(lines) == 3


@pytest.mark.hazard("H92")
def test_what_one_message_does_to_hundreds_is_told_in_a_few_lines() -> None:
    bounds = RiskRules(
        max_positions=1_000,
        max_exposure=D(1_000),
        max_position=D(1_000),
        max_open_risk=D(1_000),
        losing_streak=0,
    )
    story, telling = Story("kraken-futures", Rules(risk=bounds), cash="100000000"), Telling()
    for _ in range(60):
        story.opened("0.01")
    for order in story.orders("stop"):
        story.cancelled(order)
    story.ask(i.Halt(id="h"))
    story.tell(i.Resume(id="r", reason="HALTED"))
    decision = story.tell(i.Halt(id="again"))
    raised = [
        event
        for event in decision.events
        if isinstance(event, AlertRaised) and event.alert.code == "NAKED"
    ]
    assert len(raised) == 60, "each position stands for itself"
    told = [
        line.text for line in telling.tell(decision.events, story.state) if line.kind == "naked"
    ]
    assert told == [*told[:3], f"and 57 more as: {told[0]}"]
