"""The venue takes no closes for a while: what protects stays, nothing is sent in vain, and no guard
is claimed that could not act.
"""

import pytest

from engine.desk import events as e
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Role
from engine.model.position import Protection
from tests.support.world import BTC, ETH, Story

pytestmark = pytest.mark.hazard("H83")


def _mode(story: Story, mode: str, symbol: str = BTC) -> None:
    story.tell(r.MarketMode(symbol, mode, mode == "online", story.now))


def _protection(story: Story) -> Protection:
    (position,) = story.state.positions.values()
    return position.protection


def _working(story: Story, role: Role) -> list[str]:
    return [
        order.client_order_id
        for order in story.state.orders.values()
        if order.role is role and not order.cancel_pending
    ]


def test_the_stop_is_not_taken_away_for_a_close_that_nobody_would_take() -> None:
    story = Story()
    name = story.opened().id
    stops = _working(story, Role.STOP)
    _mode(story, "post_only")
    story.ask(i.ClosePosition(id="c", position=name))
    story.wait(20)
    assert _working(story, Role.STOP) == stops
    assert not _working(story, Role.CLOSE)
    assert _protection(story) is Protection.VENUE
    assert "NAKED" not in story.told()
    assert any("post_only mode" in alert.text for alert in story.state.alerts.values())
    _mode(story, "online")
    assert "MARKET_CLOSED" not in story.standing()
    assert not _working(story, Role.STOP), "now it makes way"
    story.replays()


def test_without_a_stop_at_stake_a_close_may_try() -> None:
    story = Story()
    name = story.opened(stop=None).id
    _mode(story, "post_only")
    story.ask(i.ClosePosition(id="c", position=name))
    assert _working(story, Role.CLOSE)


def test_a_mode_of_another_symbol_means_nothing_here() -> None:
    story = Story()
    name = story.opened().id
    _mode(story, "post_only", ETH)
    story.ask(i.ClosePosition(id="c", position=name))
    assert not _working(story, Role.STOP)


def test_a_guard_that_could_not_act_is_none() -> None:
    story = Story()
    story.buy()
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    story.rejected(story.order("stop"))
    assert _protection(story) is Protection.GUARDED
    _mode(story, "cancel_only")
    assert _protection(story) is Protection.NAKED
    assert "NAKED" in story.standing()
    _mode(story, "online")
    assert _protection(story) is Protection.GUARDED


def test_a_close_that_waits_for_its_next_attempt_goes_as_soon_as_the_mode_allows_it() -> None:
    story = Story()
    name = story.opened().id
    story.ask(i.ClosePosition(id="c", position=name))
    stop = story.order("stop")
    story.tell(r.Cancelled(stop.client_order_id, stop.filled, "User requested", story.now))
    for _ in range(4):
        story.wait(60)
        for stop in story.orders("stop"):  # it was put back meanwhile, and makes way again
            story.cancelled(stop)
        story.rejected(story.order("close"))
    assert story.state.positions[name].retry_at is not None
    _mode(story, "post_only")
    _mode(story, "online")
    story.cancelled(story.order("stop"))
    assert any(order.role is Role.CLOSE for order in story.state.orders.values())
    assert any(
        isinstance(event, e.StopRetrySet) and event.retry_at is None for event in story.events
    )
