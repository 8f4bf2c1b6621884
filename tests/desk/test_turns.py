"""What a venue says of orders in one turn of the loop is one message: one decision, custody once."""

import pytest

from engine.desk import Decision, Turn, custody
from engine.desk import events as e
from engine.desk.context import Context, Events
from engine.model import report as r
from engine.model.position import Protection
from engine.model.request import Submit
from tests.support.world import BTC, ETH, Story


def _two_entries() -> tuple[Story, list[r.Filled]]:
    """Two brackets, and the venue's words that fill their entries."""
    story = Story("kraken-futures")
    story.price(BTC, "60000")
    story.price(ETH, "3000")
    for symbol in (BTC, ETH):
        assert story.buy("0.5", symbol=symbol).ok
    entries = story.orders("entry")
    for order in entries:
        story.accept(order)
    return story, [r.Filled(story.fill_of(order, "0.5", "60000"), story.now) for order in entries]


def _submitted(decision: Decision) -> int:
    return sum(isinstance(request, Submit) for request in decision.requests)


def test_a_turn_is_one_decision_with_one_sample() -> None:
    story, filled = _two_entries()
    decision = story.tell(Turn(tuple(filled)))
    kinds = [type(event) for event in decision.events]
    assert kinds.count(e.OrderFilled) == 2
    assert kinds.count(e.Sampled) == 1
    assert _submitted(decision) == 2, "each has its stop"
    story.replays()


def test_custody_comes_after_all_that_was_heard() -> None:
    story = Story("kraken-futures")
    story.price(BTC, "60000")
    assert story.buy("0.5").ok
    order = story.order("entry")
    parts = [r.Filled(story.fill_of(order, "0.25", "60000"), story.now) for _ in range(2)]
    accepted = r.Accepted(order.client_order_id, "V1", story.now)
    decision = story.tell(Turn((accepted, *parts)))
    (stop,) = [request for request in decision.requests if isinstance(request, Submit)]
    assert stop.order.size == story.position().size, "no stop for the first part alone"


def test_the_same_said_in_a_turn_and_one_by_one_is_the_same_state() -> None:
    together, filled = _two_entries()
    together.tell(Turn(tuple(filled)))
    apart, filled = _two_entries()
    for one in filled:
        apart.tell(one)
    for name, position in apart.state.positions.items():
        assert together.state.positions[name].size == position.size
        assert together.state.positions[name].stop == position.stop
        assert together.state.positions[name].protection is position.protection
    assert together.state.orders.keys() == apart.state.orders.keys()


def test_what_the_custody_of_one_dies_of_does_not_keep_the_other_from_its_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story, filled = _two_entries()
    keep, broken = custody.keep, story.orders("entry")[0].position

    def dies(ctx: Context, name: str) -> Events:
        if name == broken:
            raise ZeroDivisionError
        yield from keep(ctx, name)

    monkeypatch.setattr(custody, "keep", dies)
    decision = story.desk.handle(Turn(tuple(filled)), story.now)
    assert "ZeroDivisionError" in decision.failure
    assert _submitted(decision) == 1
    assert [p.size > 0 for p in story.state.positions.values()] == [True, True], "both are booked"
    assert story.state.positions[broken].protection is not Protection.VENUE


def test_a_report_that_a_rule_dies_of_does_not_silence_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story, filled = _two_entries()
    broken = r.Filled(None, story.now)  # type: ignore[arg-type] # on purpose
    decision = story.desk.handle(Turn((broken, *filled)), story.now)
    assert decision.failure.startswith("Filled: ")
    assert sum(isinstance(event, e.OrderFilled) for event in decision.events) == 2
    assert _submitted(decision) == 2
