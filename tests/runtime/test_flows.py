"""Whole flows: the real engine on a paper venue under virtual time, restarted and crashed in the
middle of each.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk import events as e
from engine.desk.state import encode_state
from engine.exchange import Delay, Faults, Interval
from engine.model import intent as i
from engine.model.order import Order, OrderType, Role, Status, Trail
from engine.model.position import Protection
from engine.model.side import Side
from engine.records import state_of
from tests.support.world import BTC, ETH, SECOND, World, play

D = Decimal
LIMIT = OrderType.LIMIT


def test_a_bracket_from_its_entry_to_its_stop(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5", target=i.Away(D("0.02")), label="swing")
        assert position.protection is Protection.VENUE
        assert world.held == D("0.5")
        world.price(BTC, "59300")
        await world.until(lambda: not world.state.positions)
        assert world.held == 0
        assert not world.resting
        closed = next(iter(world.state.closed.values()))
        assert (closed.label, closed.close_reason) == ("swing", "stop")
        view = world.engine.view()
        assert (view.mode, view.connected, view.positions) == ("ACTIVE", True, ())
        assert view.closed[0].profit < 0
        assert [notice.seq for notice in view.notices] == list(range(1, len(view.notices) + 1))

    play(tale, tmp_path)


def test_a_target_on_futures_rests_and_ends_the_stop(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5", target=i.Away(D("0.02")))
        await world.until(lambda: len(world.resting) == 2)
        world.price(BTC, "61300")
        await world.until(lambda: not world.state.positions)
        assert not world.resting
        assert world.held == 0

    play(tale, tmp_path, profile="kraken-futures")


def test_a_trail_follows_at_the_venue(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5", stop=None, trail=Trail(fraction=D("0.01")))
        for bid in ("60500", "61000", "61500", "62000"):
            world.price(BTC, bid)
            await world.wait(20)
        (stop,) = world.resting
        assert stop.trigger == D(61_380)
        world.price(BTC, "61380")
        await world.until(lambda: not world.state.positions)
        assert world.held == 0

    play(tale, tmp_path)


def test_reverse_and_flatten(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        assert (await world.ask(i.Reverse(id="r", position=position.id))).ok
        await world.until(lambda: world.held == D("-0.5"))
        await world.buy("2", symbol=ETH, type=LIMIT, price=D(2900))
        for press in range(10):
            assert (await world.ask(i.Flatten(id=f"f{press}"))).ok
        await world.until(lambda: "FLATTEN" not in world.state.blocks)
        assert world.held == 0
        assert not world.resting
        flattened = world.engine.view().flatten
        assert flattened is not None
        assert flattened.receipt[0].startswith("the venue says flat: 1 position closed")

    play(tale, tmp_path, profile="kraken-futures")


Step = Callable[[World], Awaitable[object]]


async def _enter(world: World) -> None:
    await world.buy("0.5")


async def _rest(world: World) -> None:
    await world.buy("0.5", type=LIMIT, price=D(59_900))


async def _fill_a_part(world: World) -> None:
    await world.buy("0.5", type=LIMIT, price=D(59_900))
    await world.wait(0.1)
    world.price(BTC, "59800", "59890", size="0.2")


async def _move(world: World) -> None:
    position = await world.opened("0.5")
    await world.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))


async def _close(world: World) -> None:
    position = await world.opened("0.5")
    await world.ask(i.ClosePosition(id="c", position=position.id))


async def _close_a_part(world: World) -> None:
    position = await world.opened("0.5")
    await world.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4")))


async def _reverse(world: World) -> None:
    position = await world.opened("0.5")
    await world.ask(i.Reverse(id="r", position=position.id))


async def _stop_fires(world: World) -> None:
    await world.opened("0.5")
    world.price(BTC, "59000")


async def _flatten(world: World) -> None:
    await world.opened("0.5")
    await world.buy("0.1", symbol=ETH, type=LIMIT, price=D(2900))
    await world.ask(i.Flatten(id="f"))


async def _cancel(world: World) -> None:
    answer = await world.buy("0.5", type=LIMIT, price=D(59_000))
    await world.wait(0.1)
    (order,) = world.state.orders_for(answer.created)
    await world.ask(i.CancelOrder(id="c", order=order.client_order_id))


FLOWS: dict[str, Step] = {
    "enter": _enter,
    "rest": _rest,
    "part": _fill_a_part,
    "move": _move,
    "close": _close,
    "close a part": _close_a_part,
    "reverse": _reverse,
    "stop": _stop_fires,
    "flatten": _flatten,
    "cancel": _cancel,
}


def _truth(world: World) -> None:
    """Ours is the venue's: holdings, and what rests."""
    ours = sum((p.signed_size for p in world.state.positions.values() if p.symbol == BTC), D(0))
    assert ours == world.held
    assert {o.client_order_id for o in world.resting} == {
        o.client_order_id for o in world.state.orders.values() if o.is_working
    }
    ids = [event.order.client_order_id for event in world.seen(e.OrderSubmitted)]
    assert len(ids) == len(set(ids)), "every id is decided on once"
    for position in world.state.positions.values():
        if position.is_open:
            assert position.protection in (Protection.VENUE, Protection.GUARDED) or any(
                a.target == position.id for a in world.state.alerts.values()
            )


@pytest.mark.hazard("H03")
@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("after", [0, 0.015, 0.035, 0.5])
def test_an_end_in_the_middle_loses_and_doubles_nothing(
    flow: str, crash: bool, after: float, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        await FLOWS[flow](world)
        if after:
            await world.wait(after)
        await world.restart(crash=crash)
        await world.wait(30)
        assert "STARTING" not in world.state.blocks
        world.engine.reconcile()
        await world.wait(5)
        assert not world.state.doubts
        assert "DIFFERENCE" not in {alert.code for alert in world.state.alerts.values()}
        _truth(world)
        for position in world.state.positions.values():
            assert abs(position.size) <= D("0.5")
        if flow in ("close", "stop", "flatten"):
            assert world.held == 0, "what was begun is ended after the restart"
        if flow == "flatten":
            assert "FLATTEN" not in world.state.blocks
            assert not world.resting

    play(tale, tmp_path)


@pytest.mark.hazard("H03")
@pytest.mark.parametrize("seed", range(6))
def test_crash_after_crash_under_faults(seed: int, tmp_path: Path) -> None:
    faults = Faults(
        lose_reply=0.15,
        lose_request=0.1,
        duplicate_report=0.2,
        reorder_reports=0.2,
        reject_stop=0.2,
        rest_lag=2 * SECOND,
    )

    async def tale(world: World) -> None:
        for turn in range(4):
            await world.buy("0.1", target=i.Away(D("0.01")))
            await world.wait(0.05 * seed)
            await world.restart(crash=turn % 2 == 0)
            await world.wait(2)
            world.price(BTC, str(60_000 + 150 * (turn % 3)))
            await world.wait(2)
        world.venue.faults = Faults()
        await world.ask(i.Flatten(id="f"))
        await world.until(lambda: "FLATTEN" not in world.state.blocks, 120)
        assert world.held == 0
        await world.wait(20)
        _truth(world)

    play(
        tale,
        tmp_path,
        faults=faults,
        seed=seed,
        delay=Delay(40_000_000, 200_000_000),
        values={"risk.losing_streak": 0},
    )


@pytest.mark.hazard("H42")
def test_flatten_through_a_rate_limit_storm(tmp_path: Path) -> None:
    faults = Faults(rate_limit_storm=Interval(60 * SECOND, 20 * SECOND))

    async def tale(world: World) -> None:
        await world.opened("0.5")
        await world.buy("1", symbol=ETH)
        await world.wait(60)
        await world.ask(i.Flatten(id="f"))
        await world.wait(5)
        assert "RATE_LIMITED" in world.told()
        assert world.held != 0
        await world.until(lambda: "FLATTEN" not in world.state.blocks, 120)
        assert world.held == 0
        assert not world.resting
        world.venue.faults = Faults()
        await world.until(lambda: "RATE_LIMITED:venue" not in world.state.alerts, 400)

    play(tale, tmp_path, faults=faults)


@pytest.mark.hazard("H02")
def test_lost_requests_and_lost_replies_make_no_doubles(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        world.venue.faults = Faults(lose_reply=1.0)
        await world.buy("0.5", type=LIMIT, price=D(59_000))
        await world.wait(3)
        world.venue.faults = Faults()
        await world.wait(5)
        (resting,) = world.resting
        assert world.state.orders[resting.client_order_id].status is Status.OPEN
        world.venue.faults = Faults(lose_request=1.0)
        await world.buy("0.3", type=LIMIT, price=D(58_000))
        await world.wait(3)
        world.venue.faults = Faults()
        await world.wait(12)
        assert sorted(order.size for order in world.resting) == [D("0.3"), D("0.5")]
        lost = [event for event in world.seen(e.OrderRejected) if event.lost]
        assert len(lost) == 1
        assert "UNKNOWN_OUTCOME" in world.told()
        assert world.engine.gateway.statistics.unknown >= 2

    play(tale, tmp_path)


@pytest.mark.hazard("H17")
def test_a_close_whose_answers_and_stream_are_lost_goes_on_within_seconds_of_the_next_answer(
    tmp_path: Path,
) -> None:
    """On a cash account nothing can be sold, and no stop be put back, before the venue has said
    what the stop had sold when it was cancelled: somebody is told all that time.
    """

    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        await world.wait(20)
        world.venue.faults = Faults(lose_reply=1.0)
        world.exchange.on_report.remove(world.venue._said)
        assert (await world.ask(i.ClosePosition(id="x", position=position.id))).ok
        for second in range(40):
            await world.wait(1)
            told = {alert.code for alert in world.state.alerts.values()}
            assert not world.resting
            assert second < 3 or "UNKNOWN_OUTCOME" in told
            assert second < 33 or "DOUBT_OLD" in told
        world.venue.faults = Faults()
        world.exchange.on_report.append(world.venue._said)
        await world.until(lambda: world.held == 0, 5.5)
        assert len([fill for fill in world.exchange.fills if fill.side is Side.SELL]) == 1

    play(tale, tmp_path)


def test_a_stream_that_breaks_is_caught_up(tmp_path: Path) -> None:
    faults = Faults(disconnect=Interval(30 * SECOND, 10 * SECOND))

    async def tale(world: World) -> None:
        await world.opened("0.5")
        await world.until(lambda: "DISCONNECTED" in world.state.blocks, 60)
        assert not world.engine.view().connected
        world.price(BTC, "59000")
        await world.wait(0.2)
        await world.until(lambda: "DISCONNECTED" not in world.state.blocks, 60)
        await world.until(lambda: not world.state.positions)
        assert world.held == 0
        _truth(world)

    play(tale, tmp_path, faults=faults)


@pytest.mark.hazard("H10")
def test_somebody_elses_order_is_shown_and_survives_a_flatten(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        theirs = Order("web-1", "", ETH, Side.BUY, LIMIT, Role.ENTRY, D(1), price=D(2000))
        world.venue.external(theirs)
        world.engine.reconcile()
        await world.wait(1)
        assert [view.state for view in world.engine.view().orders] == ["foreign"]
        await world.opened("0.5")
        await world.ask(i.Flatten(id="f"))
        await world.until(lambda: "FLATTEN" not in world.state.blocks)
        assert [order.client_order_id for order in world.resting] == ["web-1"]
        await world.ask(i.CancelAll(id="c", foreign=True))
        await world.wait(1)
        assert not world.resting

    play(tale, tmp_path)


def test_a_snapshot_and_the_events_after_it_are_the_state(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        for turn in range(8):
            world.price(BTC, "60000")
            position = await world.opened("0.1")
            await world.ask(i.ClosePosition(id=f"c{turn}", position=position.id))
            await world.until(lambda: not world.state.positions)
        assert world.state.seq > 100, "a snapshot was taken on the way"
        world.engine.save()
        before = encode_state(world.state)
        loaded = world.engine.journal.load()
        assert loaded.snapshot is not None
        assert (
            encode_state(
                state_of(world.engine.journal, world.state.account, world.state.currency, print)
            )
            == before
        )

    play(
        tale,
        tmp_path,
        profile="kraken-futures",
        values={"journal.snapshot_every": 100, "risk.losing_streak": 0},
    )


@pytest.mark.hazard("H60")
def test_rate_limit_levels_survive_a_restart(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        for _ in range(20):
            await world.buy("0.01", type=LIMIT, price=D(59_000))
        await world.wait(0.5)
        for order in world.orders("entry"):
            await world.ask(i.CancelOrder(id=world.name(), order=order.client_order_id))
        await world.wait(0.5)
        before, began = (
            {level.name: level.used for level in world.engine.gateway.levels()},
            world.clock.now(),
        )
        await world.restart(crash=True)
        after = {level.name: level.used for level in world.engine.gateway.levels()}
        gone = (world.clock.now() - began) / SECOND
        assert before[BTC] > gone + 10
        assert after[BTC] >= before[BTC] - gone - 0.01, (
            "drained by the seconds that went by, never full again"
        )

    play(tale, tmp_path, values={"risk.max_positions": 50})
