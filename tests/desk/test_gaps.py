"""While the venue has no stop, or the wrong one, the guard is the stop: a price that runs through
the gap is closed.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk import events as e
from engine.exchange import Faults
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Role, Trail
from engine.model.position import Protection
from engine.model.side import Side
from tests.support.world import BTC, SECOND, Story, World, play

D = Decimal

# The desk alone: every moment of a replacement


def _asked(story: Story) -> None:
    assert story.order("stop").cancel_pending


def _cancelled(story: Story) -> None:
    story.cancelled(story.order("stop"))


def _refused(story: Story) -> None:
    _cancelled(story)
    story.rejected(story.order("stop"))


def _unknown(story: Story) -> None:
    _cancelled(story)
    story.tell(r.Unknown(story.order("stop").client_order_id, "submit", "no answer", story.now))


def _cancel_unknown(story: Story) -> None:
    story.tell(r.Unknown(story.order("stop").client_order_id, "cancel", "no answer", story.now))


MOMENTS: dict[str, Callable[[Story], None]] = {
    "the cancel is on its way": _asked,
    "the new one is on its way": _cancelled,
    "the new one was refused": _refused,
    "the new one is in doubt": _unknown,
    "the cancel is in doubt": _cancel_unknown,
}


def _replacing(moment: str) -> Story:
    """A long of 0.5 whose stop goes from 59400 to 59700 where nothing can be amended."""
    story = Story("binance-spot")
    position = story.opened()
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700)))).ok
    MOMENTS[moment](story)
    return story


@pytest.mark.hazard("H36")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_price_through_the_new_stop_while_it_is_replaced_is_closed(moment: str) -> None:
    story = _replacing(moment)
    story.price(BTC, "59700.1")
    assert story.position().closing == 0
    story.price(BTC, "59700")
    assert (story.position().closing, story.position().close_reason) == (D("0.5"), "stop (guard)")
    _let_everything_go(story)
    assert story.order("close").remaining == D("0.5")
    assert story.order("close").price is not None, "bounded"
    story.fill(story.order("close"), price="59690")
    assert story.closed().close_reason == "stop (guard)"
    assert not story.state.orders
    story.replays()


@pytest.mark.hazard("H36")
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_gap_is_never_naked_and_never_said_to_be(moment: str) -> None:
    story = _replacing(moment)
    changes = [event.protection for event in story.seen(e.ProtectionChanged)]
    assert Protection.NAKED not in changes[1:]
    assert story.position().protection in (Protection.GUARDED, Protection.VENUE)
    assert "NAKED" not in story.told()


def _let_everything_go(story: Story) -> None:
    """The venue answers whatever is open about the stops: gone."""
    for stop in story.orders("stop"):
        if stop.in_doubt and not stop.cancel_pending:
            story.accept(stop)
        story.cancelled(stop)


@pytest.mark.hazard("H36")
def test_a_gap_through_the_stop_closes_on_its_first_price_even_where_it_jumps() -> None:
    story = _replacing("the new one is on its way")
    story.price(BTC, "55000")
    _let_everything_go(story)
    close = story.order("close")
    assert (close.size, close.price) == (D("0.5"), D("54450.0"))


@pytest.mark.hazard("H30")
@pytest.mark.parametrize(
    ("side", "untouched", "at"), [(Side.BUY, "59400.1", "59400"), (Side.SELL, "60599.8", "60599.9")]
)
def test_the_guard_of_a_refused_stop_acts(side: Side, untouched: str, at: str) -> None:
    story = Story()
    story.buy("0.5", side=side)
    story.accept(story.order("entry"))
    story.fill(story.order("entry"))
    story.rejected(story.order("stop"))
    assert story.position().protection is Protection.GUARDED
    story.price(BTC, untouched)
    assert not story.orders("close")
    story.price(BTC, at)
    assert story.order("close").size == D("0.5")
    assert story.position().close_reason == "stop (guard)"


@pytest.mark.hazard("H30")
def test_the_guard_of_a_stop_that_is_refused_again_and_again_goes_on_watching() -> None:
    story = Story()
    story.buy("0.5")
    story.accept(story.order("entry"))
    story.fill(story.order("entry"))
    for _ in range(8):
        story.rejected(story.order("stop"))
        assert "STOP_REFUSED" in story.standing()
        while not story.orders("stop"):
            story.wait(1)
    story.price(BTC, "59400")
    assert story.position().closing == D("0.5"), "the one on its way may be refused as well"
    story.rejected(story.order("stop"))
    story.wait(31)
    assert story.order("close").size == D("0.5")


# The whole engine on a venue that cancels and places


@pytest.mark.hazard("H36")
@pytest.mark.parametrize("after", [0.0, 0.011, 0.021, 0.031])
def test_whenever_the_price_runs_through_a_replacement_nothing_is_held_in_the_end(
    after: float, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        assert (await world.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))).ok
        await world.clock.sleep(int(after * SECOND))
        world.price(BTC, "59650")
        await world.until(lambda: position.id in world.state.closed, 10)
        await world.wait(1)
        assert world.held == 0
        assert not world.resting

    play(tale, tmp_path, profile="binance-spot")


@pytest.mark.hazard("H36")
def test_a_trail_that_is_replaced_on_every_step_never_lets_a_price_through(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5", stop=None, trail=Trail(amount=D(100)))
        for step in range(20):
            world.price(BTC, str(60_000 + 60 * step))
            await world.clock.sleep(SECOND // 100)
        best = max(event.best for event in world.seen(e.TrailFollowed))
        world.price(BTC, str(best - 100))
        await world.until(lambda: position.id in world.state.closed, 10)
        assert world.held == 0
        await world.wait(1)
        assert not world.resting

    play(tale, tmp_path, profile="binance-spot")


@pytest.mark.hazard("H30")
@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures", "binance-spot"])
def test_a_position_whose_stop_no_venue_takes_is_closed_at_its_stop(
    profile: str, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        answer = await world.buy("0.5")
        await world.until(lambda: "STOP_REFUSED" in world.told())
        await world.wait(90)
        assert world.state.positions[answer.created].protection is Protection.GUARDED
        assert not [order for order in world.resting if order.role is Role.STOP]
        world.price(BTC, "59400")
        await world.until(lambda: answer.created in world.state.closed, 60)
        assert world.held == 0
        assert world.state.closed[answer.created].close_reason == "stop (guard)"
        assert not world.resting

    play(tale, tmp_path, profile=profile, faults=Faults(reject_stop=1.0))
