"""Between two attempts to close on cash: one pace for all ways of failing, and the stop under the
position meanwhile (H81).
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk import events as e
from engine.exchange import Faults
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Role
from engine.model.position import Protection
from engine.model.request import Submit
from engine.model.side import Side
from tests.support.world import BTC, SECOND, Story, World, play

D = Decimal
pytestmark = pytest.mark.hazard("H81")


def _cancelled(story: Story, close: Order) -> None:
    story.accept(close)
    story.cancelled(close, "no liquidity")


def _expired(story: Story, close: Order) -> None:
    story.accept(close)
    story.tell(r.Expired(close.client_order_id, D(0), story.now))


def _refused(story: Story, close: Order) -> None:
    story.rejected(close, "EService:Busy")


def _held_back(story: Story, close: Order) -> None:
    story.tell(
        r.HeldBack(
            close.client_order_id,
            "submit",
            "size",
            "the venue shows less",
            story.now,
            final=True,
            proved=D("0.5"),
        )
    )


def _lost(story: Story, close: Order) -> None:
    story.tell(r.Unknown(close.client_order_id, "submit", "no answer", story.now))
    for _ in range(2):
        story.now += 60 * SECOND
        story.price(BTC, "60000")
        story.tell(r.Absent(close.client_order_id, story.now))


Fails = Callable[[Story, Order], None]
WAYS: dict[str, Fails] = {
    "cancelled": _cancelled,
    "expired": _expired,
    "refused": _refused,
    "held back": _held_back,
    "lost": _lost,
}
ways = pytest.mark.parametrize("way", WAYS)


def _closing(story: Story) -> str:
    """A position on cash whose stop has left for its close."""
    position = story.opened()
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.cancelled(story.order("stop"))
    return position.id


def _next_close(story: Story) -> int:
    """Let time go by until the next close is sent, answering for each stop that comes and goes; how
    long that took (nanoseconds).
    """
    began = story.now
    while not story.orders("close"):
        for stop in story.orders("stop"):
            if stop.venue_order_id is None:
                story.accept(stop)
            elif stop.cancel_pending:
                story.cancelled(stop)
        if not story.orders("close"):
            story.wait(0.05)
        story.holds()
        assert story.now - began < 60 * SECOND
    return story.now - began


@ways
def test_all_ways_of_failing_have_one_pace(way: str) -> None:
    story = Story()
    _closing(story)
    pauses = []
    for _ in range(7):
        WAYS[way](story, story.order("close"))
        pauses.append(round(_next_close(story) / SECOND, 2))
    assert pauses == [0.25, 0.5, 1, 2, 4, 5, 5]
    story.replays()


def test_different_failures_count_together() -> None:
    story = Story()
    _closing(story)
    pauses = []
    for fails in WAYS.values():
        fails(story, story.order("close"))
        pauses.append(round(_next_close(story) / SECOND, 2))
    assert pauses == [0.25, 0.5, 1, 2, 4]


@ways
def test_the_stop_goes_back_for_the_time_until_the_next_attempt(way: str) -> None:
    story = Story()
    name = _closing(story)
    for _ in range(3):
        assert not story.orders("stop")
        WAYS[way](story, story.order("close"))
        if not story.orders("stop"):  # it would not be worth it
            _next_close(story)
    stop = story.order("stop")
    assert (stop.size, stop.trigger) == (D("0.5"), D(59_400))
    assert "NAKED" in story.standing(), "until the venue has it"
    story.accept(stop)
    assert story.state.positions[name].protection is Protection.VENUE
    assert "NAKED" in story.standing(), (
        "it is there until the next attempt only: one alert until the close is over"
    )
    story.wait(0.9)
    assert not story.order("stop").cancel_pending
    story.wait(0.2)
    assert story.order("stop").cancel_pending, "it makes way again"
    assert not story.orders("close"), "which waits for that"
    story.cancelled(stop)
    story.fill(story.order("close"))
    assert story.closed().id == name
    assert not story.state.orders
    story.replays()


@pytest.mark.hazard("H92")
def test_a_close_that_fails_again_and_again_is_one_alert_until_it_is_over() -> None:
    story = Story()
    _closing(story)
    for _ in range(6):
        _next_close(story)
        _cancelled(story, story.order("close"))
    raised = [event for event in story.seen(e.AlertRaised) if event.alert.code == "NAKED"]
    cured = [event for event in story.seen(e.AlertCured) if event.key.startswith("NAKED")]
    assert (len(raised), len(cured)) == (1, 0), (
        "the stop came and went: the position is not safe before it is closed"
    )
    _next_close(story)
    story.fill(story.order("close"))
    assert not {"NAKED", "PARTIAL_STOP"} & story.standing()
    assert len([event for event in story.seen(e.AlertCured) if event.key.startswith("NAKED")]) == 1
    story.replays()


def _third_failure(story: Story) -> None:
    for turn in range(3):
        _refused(story, story.order("close"))
        if turn < 2:
            _next_close(story)


def test_a_stop_that_is_refused_meanwhile_delays_no_close_and_is_not_tried_again_for_it() -> None:
    story = Story()
    name = _closing(story)
    _third_failure(story)
    at = story.state.positions[name].retry_at
    story.rejected(story.order("stop"))
    assert "STOP_REFUSED" in story.standing()
    assert story.state.positions[name].retry_at == at
    assert not story.orders("stop")
    assert _next_close(story) == SECOND
    _refused(story, story.order("close"))
    assert not story.orders("stop"), "the gate, too, would have it wait"
    _next_close(story)


def test_a_stop_that_would_fire_at_once_is_not_put_back() -> None:
    story = Story()
    _closing(story)
    for _ in range(2):
        _refused(story, story.order("close"))
        _next_close(story)
    story.price(BTC, "59300")
    _refused(story, story.order("close"))
    assert not story.orders("stop"), "a sale without a bound"


def test_a_stop_that_fires_meanwhile_is_the_end_of_the_closing() -> None:
    story = Story()
    name = _closing(story)
    _third_failure(story)
    stop = story.order("stop")
    story.accept(stop)
    story.fill(stop, price="59400")
    story.wait(20)
    assert (story.closed().id, story.closed().close_reason) == (name, "stop")
    assert not story.state.orders


def test_where_exits_reduce_only_the_stop_never_left() -> None:
    story = Story("kraken-futures")
    position = story.opened()
    story.ask(i.ClosePosition(id="c", position=position.id))
    for _ in range(4):
        _cancelled(story, story.order("close"))
        _next_close(story)
    assert len([request for request in story.sent(Submit) if request.order.role is Role.STOP]) == 1
    assert story.state.positions[position.id].protection is Protection.VENUE


# From outside: an exchange that cancels each close because another order of the account rests where
# it would trade


async def _blocked(world: World) -> str:
    """A position that is being closed while an order of the account's owner ends each of its closes
    unfilled.
    """
    position = await world.opened("0.5")
    world.exchange.prevents = lambda _: "cancel-newest"
    world.price(BTC, "59990", "60010")
    theirs = Order(
        "THEIRS",
        "",
        BTC,
        Side.BUY,
        OrderType.LIMIT,
        Role.ENTRY,
        D("0.1"),
        price=D(60_000),
        foreign=True,
    )
    assert isinstance(world.exchange.submit(theirs, world.clock.now()), r.Accepted)
    assert (await world.ask(i.ClosePosition(id="c", position=position.id))).ok
    return position.id


async def _look(world: World, seconds: int) -> tuple[int, int]:
    """Look at the exchange's own books every 50 ms: how often, and how often a stop for all that is
    held rested.
    """
    looks = stood = 0
    end = world.clock.now() + seconds * SECOND
    while world.clock.now() < end:
        await world.wait(0.05)
        sells = [order for order in world.resting if order.side is Side.SELL]
        assert sum((order.remaining for order in sells), D(0)) <= world.held
        looks += 1
        stood += any(order.role is Role.STOP and order.remaining == world.held for order in sells)
    return looks, stood


def _closes(world: World) -> list[int]:
    return [event.at for event in world.seen(e.OrderSubmitted) if event.order.role is Role.CLOSE]


def test_the_exchange_has_the_stop_while_a_close_waits(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        name = await _blocked(world)
        await world.until(lambda: "CLOSE_UNFILLED" in world.told(), 1)
        looks, stood = await _look(world, 60)
        assert stood > looks * D("0.9")
        assert 8 <= len(_closes(world)) <= 18, "137 in two minutes had left nothing"
        assert "RATE_LIMITED" not in world.told()
        world.exchange.cancel("THEIRS", world.clock.now())
        await world.until(lambda: name in world.state.closed, 20)
        assert world.held == 0
        assert not world.resting

    play(tale, tmp_path)


def test_a_crash_between_two_attempts_forgets_neither_stop_nor_close(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        name = await _blocked(world)
        await _look(world, 10)
        await world.restart(crash=True)
        await _look(world, 30)
        world.exchange.cancel("THEIRS", world.clock.now())
        await world.until(lambda: name in world.state.closed, 30)
        assert world.held == 0

    play(tale, tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_else_goes_wrong_no_more_is_on_offer_than_is_held(
    seed: int, tmp_path: Path
) -> None:
    faults = Faults(
        lose_reply=0.2, lose_request=0.1, duplicate_report=0.2, reorder_reports=0.2, reject_stop=0.3
    )

    async def tale(world: World) -> None:
        name = await _blocked(world)
        world.venue.faults = faults
        await _look(world, 60)
        world.venue.faults = Faults()
        world.exchange.cancel("THEIRS", world.clock.now())
        await world.until(lambda: name in world.state.closed, 120)
        assert world.held == 0

    play(tale, tmp_path, seed=seed)


def test_of_what_the_gate_lets_leave_one_close_goes() -> None:
    """Another order of ours, which no journal knows, holds the rest: what is proved leaves once,
    and not again while it is on its way.
    """
    story = Story("kraken-spot")
    position = story.state.positions[_closing(story)]
    close = story.order("close")
    part = position.size / 4
    story.tell(
        r.HeldBack(
            close.client_order_id,
            "submit",
            "size",
            "the rest may still leave",
            story.now,
            final=True,
            proved=part,
        )
    )
    _next_close(story)
    assert [order.size for order in story.orders("close")] == [part]
    story.accept(story.order("close"))
    story.wait(1)
    assert [order.size for order in story.orders("close")] == [part]
    assert "TASK_DIED" not in story.standing()
