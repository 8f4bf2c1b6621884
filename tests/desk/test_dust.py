"""An entry that filled below the venue's minimum ends in the books, on every path; its coins stay
listed (H99).
"""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.told_ends import ended
from engine.desk.truth import left_as_dust
from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.profile import Profile
from engine.venues.profiles import instrument_for
from tests.support.world import BTC, SECOND, Story, World, lending, play

D = Decimal
pytestmark = pytest.mark.hazard("H99")
CRUMB = "0.00002"
"""Of bitcoin: less than either venue of these stories trades."""
STAYS = f"BTC/USD: {CRUMB} is below what the venue trades and stays"
VENUES = pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])


def _finer(profile: str) -> Profile:
    """A venue whose lot is finer than its least order."""
    return (
        replace(lending(profile), other_lot=D("0.00001"))
        if profile == "kraken-futures"
        else lending(profile)
    )


async def _crumb(world: World, *, cancel: bool = True, **terms: object) -> str:
    """An entry of which a crumb fills, and whose rest is cancelled; its position."""
    answer = await world.buy("0.001", type=OrderType.LIMIT, price=D(59_000), **terms)
    assert answer.ok, answer.refusals
    await world.until(lambda: bool(world.resting))
    world.price(BTC, "58998.9", "58999", size=CRUMB)
    await world.until(lambda: world.position().size == world.held == D(CRUMB))
    world.price(BTC, "59999.9")
    if cancel:
        (entry,) = world.orders("entry")
        await world.ask(i.CancelOrder(id="cancel", order=entry.client_order_id))
        await world.until(lambda: answer.created not in world.state.positions)
    return answer.created


def _named(world: World) -> list[str]:
    """What the truth view and the receipt of the last flatten say of bitcoin."""
    assert world.state.flatten is not None
    return [line for line in world.state.flatten.receipt if "BTC" in line]


async def _flat(world: World) -> None:
    began = world.clock.now()
    assert (await world.ask(i.Flatten(id=world.name()))).ok
    await world.until(lambda: "FLATTEN" not in world.state.blocks, 10)
    assert world.clock.now() - began < 10 * SECOND


@VENUES
def test_an_entry_that_filled_too_little_ends_in_the_books(tmp_path: Path, profile: str) -> None:
    async def tale(world: World) -> None:
        name = await _crumb(world)
        ended = world.state.closed[name]
        assert (ended.size, ended.close_reason) == (D(CRUMB), "dust")
        assert left_as_dust(world.state) == {BTC: D(CRUMB)}
        await world.wait(120)
        assert {alert.code for alert in world.state.alerts.values()} == {"DUST"}, "no naked alarm"
        assert "NAKED" not in world.told()
        assert world.engine.view().account.naked == 0
        assert "DIFFERENCE" not in world.told()
        assert not world.state.positions
        assert not world.resting
        assert world.held == D(CRUMB)
        await world.ask(i.Acknowledge(id="a", alert=f"DUST:{name}"))
        assert all(alert.acknowledged_at for alert in world.state.alerts.values())

    play(tale, tmp_path, profile=_finer(profile))


@VENUES
def test_flatten_names_it_and_does_not_wait_for_it(tmp_path: Path, profile: str) -> None:
    async def tale(world: World) -> None:
        await _crumb(world)
        await _flat(world)
        assert _named(world) == [STAYS]

    play(tale, tmp_path, profile=_finer(profile))


@VENUES
def test_a_flatten_that_ends_the_entry_calls_no_crumb_closed(tmp_path: Path, profile: str) -> None:
    async def tale(world: World) -> None:
        await _crumb(world, cancel=False)
        await _flat(world)
        assert world.state.flatten is not None
        assert world.state.flatten.receipt[0].startswith(
            "the venue says flat: 0 positions closed, 1 order cancelled"
        )
        assert _named(world) == [STAYS]

    play(tale, tmp_path, profile=_finer(profile))


@VENUES
@pytest.mark.parametrize("crash", [False, True])
def test_after_a_restart_a_later_entry_is_closed_and_the_crumb_stays(
    tmp_path: Path, profile: str, crash: bool
) -> None:
    async def tale(world: World) -> None:
        name = await _crumb(world)
        await world.restart(crash=crash)
        await world.wait(5)
        assert name in world.state.closed
        later = await world.opened("0.001")
        (stop,) = world.orders("stop")
        assert stop.size == later.size == D("0.001"), "the stop covers what this entry bought"
        await world.ask(i.ClosePosition(id="c", position=later.id))
        await world.until(lambda: later.id in world.state.closed)
        assert world.held == D(CRUMB)
        assert left_as_dust(world.state) == {BTC: D(CRUMB)}
        await _flat(world)
        assert STAYS in _named(world)
        await world.wait(60)
        assert not {"DIFFERENCE", "NAKED", "OVER_CLOSED"} & world.told()

    play(tale, tmp_path, profile=_finer(profile))


@VENUES
def test_a_close_asked_for_while_it_fills_ends_it(tmp_path: Path, profile: str) -> None:
    async def tale(world: World) -> None:
        await _crumb(world, cancel=False, stop=None)
        (position,) = world.state.positions
        assert (await world.ask(i.ClosePosition(id="c", position=position))).ok
        await world.until(lambda: position in world.state.closed, 10)
        await world.wait(60)
        assert not {"CLOSE_STUCK", "CLOSE_UNFILLED", "HELD_BACK"} & world.told()
        assert {alert.code for alert in world.state.alerts.values()} == {"DUST"}

    play(tale, tmp_path, profile=_finer(profile))


def test_a_rest_that_only_a_resting_exit_could_take_is_let_go_of_by_a_flatten() -> None:
    """Reduce-only exits need not give way to a close, and no close is that small: the flatten ends
    what rests.
    """
    profile = _finer("kraken-futures")
    story = Story(profile, listed=(instrument_for(profile, BTC, D("0.1")),))
    story.price(BTC, "60000")
    story.opened("0.0005", target=i.Away(D("0.02")))
    story.fill(story.order("stop"), "0.00045", price="59400")
    story.cancelled(story.order("target"))
    (stop,) = story.orders("stop")
    assert stop.remaining == D("0.00005")
    story.ask(i.Flatten(id="f"))
    assert story.now_of(stop).cancel_pending
    story.cancelled(stop)
    story.now += SECOND
    story.picture(net={BTC: D("0.00005")})
    assert (
        story.seen(e.FlattenEnded)[-1].receipt[-1]
        == "BTC/USD: 0.00005 is below what the venue trades and stays"
    )
    story.replays()


def test_it_is_no_trade_that_was_lost() -> None:
    story = Story()
    story.buy("0.001", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, CRUMB, fee="0.01")
    story.cancelled(entry)
    assert story.closed().realised_profit(story.ctx.instrument(story.closed())) == D("-0.01")
    assert story.state.day.losses == 0
    assert (
        "BTC/USD ended with 0.00002 below what the venue trades: ▼0.01 USD after fees"
        in story.spoken
    )
    told = ended(story.closed(), "dust", story.state)
    assert told.text.startswith(
        "BTC/USD ended: 0.00002 is below what the venue trades and stays: ▼0.01 USD after fees"
    )
    story.replays()


def test_coins_that_left_the_account_are_not_listed() -> None:
    story = Story()
    story.buy("0.001", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, CRUMB)
    story.cancelled(entry)
    assert left_as_dust(story.state) == {BTC: D(CRUMB)}
    story.state.cash["BTC"] = D("0.00001")
    assert left_as_dust(story.state) == {BTC: D("0.00001")}
    story.state.cash["BTC"] = D(0)
    assert left_as_dust(story.state) == {}
