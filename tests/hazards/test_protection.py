"""Protection: decided with the fill as one unit, closed by fills alone, never more than is held, at
every venue, through every gap and outage.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.codec import decode
from engine.desk.desk import Desk
from engine.desk.evolve import evolve
from engine.desk.messages import Restarted
from engine.desk.state import State
from engine.exchange import Delay, Exchange, Faults, Interval
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Status, Trail
from engine.model.position import Protection
from engine.model.profile import Profile
from engine.model.request import Amend, Cancel, Query, QueryAccount, Request, Submit
from engine.model.side import Side
from engine.venues.profiles import load_profile
from tests.support.world import BTC, SECOND, Story, World, play

D = Decimal
LIMIT = OrderType.LIMIT


def _bare() -> Profile:
    """A venue that can do nothing by itself."""
    return replace(
        load_profile("kraken-futures"),
        name="bare",
        amend=False,
        reduce_only=False,
        rest_together=False,
        deadline=False,
    )


VENUES: dict[str, Callable[[], Profile]] = {
    "kraken-spot": lambda: load_profile("kraken-spot"),
    "kraken-futures": lambda: load_profile("kraken-futures"),
    "binance-spot": lambda: load_profile("binance-spot"),
    "bare": _bare,
}


# H31: what a fill leads to is one unit


@pytest.mark.hazard("H31")
@pytest.mark.parametrize("venue", VENUES)
def test_a_fill_its_position_its_stop_and_its_target_are_one_decision(venue: str) -> None:
    story = Story(VENUES[venue]())
    story.buy("0.5", type=LIMIT, price=D(60_000), target=i.Away(D("0.02")))
    entry = story.order("entry")
    story.accept(entry)
    first = story.tell(r.Filled(story.fill_of(entry, "0.2"), story.now))
    kinds = [type(event) for event in first.events]
    assert kinds[:3] == [e.OrderFilled, e.StopMoved, e.TargetMoved]
    assert {submit.order.role for submit in first.requests if isinstance(submit, Submit)} >= {
        Role.STOP
    }
    (stop,) = story.orders("stop")
    assert stop.size == story.position().size == D("0.2")
    story.accept(stop)
    second = story.tell(r.Filled(story.fill_of(entry, "0.3"), story.now))
    about = {getattr(request, "client_order_id", "") for request in second.requests}
    assert stop.client_order_id in about, "the next fill and what it wants of the stop, too"


@pytest.mark.hazard("H31")
def test_the_journal_never_holds_a_fill_without_what_it_led_to(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.buy("0.5", type=LIMIT, price=D(59_900), target=i.Away(D("0.02")))
        await world.wait(0.1)
        for size in ("0.1", "0.2", "0.2"):
            world.price(BTC, "59800", "59890", size=size)
            world.price(BTC, "60000")
            await world.wait(2)
        assert world.held == D("0.5")
        world.engine.save()
        batches: dict[int, list[e.AnyEvent]] = {}
        for stored in world.engine.journal.events():
            batches.setdefault(stored.batch, []).append(decode(stored.body))
        units = [
            events
            for events in batches.values()
            if any(isinstance(event, e.OrderFilled) for event in events)
        ]
        assert len(units) == 3
        for events in units:
            led_to = [
                type(event)
                for event in events
                if isinstance(event, e.OrderSubmitted | e.AmendAsked)
            ]
            assert led_to, "as durable as the fill itself, or not at all"
        assert any(isinstance(event, e.StopMoved) for event in units[0])

    play(tale, tmp_path)


@pytest.mark.hazard("H31")
def test_a_crash_between_two_decisions_finds_every_holding_with_its_stop() -> None:
    story = Story("kraken-futures")
    marks = [0]
    story.buy("0.5", type=LIMIT, price=D(60_000), target=i.Away(D("0.02")))
    entry = story.order("entry")
    steps: list[Callable[[], object]] = [
        lambda: story.accept(entry),
        lambda: story.fill(entry, "0.2"),
        lambda: story.accept(story.order("stop")),
        lambda: story.fill(entry, "0.3"),
        lambda: story.amended(story.order("stop")),
        lambda: story.accept(story.order("target")),
    ]
    for step in steps:
        step()
        marks.append(len(story.events))
    for mark in marks:
        state = State("test", "USD")
        for event in story.events[:mark]:
            evolve(state, event)
        desk = Desk(state, story.rules, story.profile, story.board)
        assert desk.handle(Restarted(), story.now + SECOND).failure == ""
        for position in state.positions.values():
            if position.is_open:
                exits = {
                    order.role: order for order in state.orders_for(position.id) if order.is_exit
                }
                assert set(exits) == {Role.STOP, Role.TARGET}, f"after {mark} events"
                assert exits[Role.STOP].reserved == position.size, (
                    "all that is held, on its way at least"
                )
                assert position.stop == D(59_400)


@pytest.mark.hazard("H31")
@pytest.mark.parametrize("after", [0, 5, 15])
def test_a_crash_right_after_a_fill_ends_with_the_stop_at_the_venue(
    after: int, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        await world.buy("0.5", target=i.Away(D("0.02")))
        while not world.seen(e.OrderFilled):
            await world.clock.sleep(SECOND // 1000)
        await world.clock.sleep(after * SECOND // 1000)
        await world.restart(crash=True)
        await world.until(lambda: world.position().protection is Protection.VENUE)
        (stop,) = [order for order in world.resting if order.role is Role.STOP]
        assert stop.size == world.held == D("0.5")

    play(tale, tmp_path)


# H43: closed by fills, and by nothing else


def _held_by_fills(events: list[e.AnyEvent], name: str) -> Decimal:
    """What the executions so far have left of a position that was bought."""
    fills = [
        event.fill
        for event in events
        if isinstance(event, e.OrderFilled | e.HoldingAdjusted | e.PositionLiquidated)
    ]
    return sum((fill.size * fill.side.sign for fill in fills if fill.position == name), D(0))


@pytest.mark.hazard("H43")
def test_a_close_that_never_arrives_closes_nothing(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        world.venue.faults = Faults(lose_request=1.0)
        assert (await world.ask(i.ClosePosition(id="c", position=position.id))).ok
        await world.wait(25)
        assert world.held == D("0.5")
        assert world.state.positions[position.id].size == D("0.5"), (
            "ours says what the venue's does"
        )
        assert not world.state.closed
        (shown,) = world.engine.view().positions
        assert (shown.size, shown.closing) == (D("0.5"), True)
        assert world.engine.view().account.realised == 0, "nothing was closed"
        assert "CLOSE_STUCK" in world.told()
        world.venue.faults = Faults()
        await world.until(lambda: position.id in world.state.closed, 60)
        assert world.held == 0
        closed = next(
            index for index, event in enumerate(world.events) if isinstance(event, e.PositionClosed)
        )
        assert _held_by_fills(world.events[:closed], position.id) == 0

    play(tale, tmp_path)


@pytest.mark.hazard("H43")
def test_a_rejected_close_an_ended_stop_and_a_cancelled_close_leave_it_open() -> None:
    story = Story()
    position = story.opened("0.5")
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.cancelled(story.order("stop"))
    story.rejected(story.order("close"))
    assert story.position().size == D("0.5")
    story.wait(2)
    story.accept(story.order("close"))
    story.cancelled(story.order("close"), "Immediate or cancel")
    assert story.position().size == D("0.5")
    assert not story.state.closed
    story.wait(1)
    story.fill(story.order("close"), "0.2")
    assert story.position().size == D("0.3")
    story.fill(story.order("close"))
    assert story.closed().exit_size == D("0.5")


@pytest.mark.hazard("H43")
@pytest.mark.parametrize("seed", range(3))
def test_whatever_goes_wrong_what_is_closed_here_is_gone_there(seed: int, tmp_path: Path) -> None:
    faults = Faults(
        lose_reply=0.25,
        lose_request=0.15,
        duplicate_report=0.2,
        reorder_reports=0.3,
        reject_stop=0.3,
    )

    async def tale(world: World) -> None:
        for turn in range(4):
            world.price(BTC, "60000")
            answer = await world.buy("0.1")
            await world.wait(3)
            if turn % 2:
                world.price(BTC, "59300")
            else:
                await world.ask(i.ClosePosition(id=f"c{turn}", position=answer.created))
            await world.wait(20)
        world.venue.faults = Faults()
        await world.ask(i.Flatten(id="f"))
        await world.until(lambda: "FLATTEN" not in world.state.blocks, 120)
        assert world.held == 0
        ended = [
            (index, event.position)
            for index, event in enumerate(world.events)
            if isinstance(event, e.PositionClosed)
        ]
        assert ended
        for index, name in ended:
            assert _held_by_fills(world.events[:index], name) == 0

    play(
        tale,
        tmp_path,
        faults=faults,
        seed=seed,
        delay=Delay(40_000_000, 200_000_000),
        values={"risk.losing_streak": 0},
    )


# H44: recovery is a state


@pytest.mark.hazard("H44")
@pytest.mark.parametrize("venue", ["kraken-spot", "bare"])
@pytest.mark.parametrize("seed", range(3))
def test_a_flatten_whose_replies_are_lost_never_flips_the_account(
    venue: str, seed: int, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5")
        least = [world.held]
        world.exchange.on_report.append(lambda _: least.append(world.held))
        world.venue.faults = Faults(
            lose_reply=0.7, lose_request=0.2, duplicate_report=0.5, reorder_reports=0.5
        )
        for press in range(8):
            await world.ask(i.Flatten(id=f"f{press}"))
            # the stop fires as well, and closes come back partly filled
            world.price(BTC, "59000", size="0.2")
            await world.wait(3)
        world.venue.faults = Faults()
        await world.until(lambda: "FLATTEN" not in world.state.blocks, 120)
        assert world.held == 0
        assert min(least) == 0, "both venues would have sold it twice and gone short"
        assert "OVER_CLOSED" not in world.told()
        sold = sum((fill.size for fill in world.exchange.fills if fill.side is Side.SELL), D(0))
        assert sold == D("0.5")

    play(tale, tmp_path, profile=VENUES[venue](), seed=seed, delay=Delay(40_000_000, 200_000_000))


@pytest.mark.hazard("H44")
def test_a_rule_that_dies_in_the_middle_of_a_close_sends_no_second_one(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5")
        (stop,) = world.orders("stop")
        least = [world.held]
        world.exchange.on_report.append(lambda _: least.append(world.held))
        await world.ask(i.Flatten(id="f"))
        for _ in range(20):  # what can't be: a stop that works for nothing
            world.engine.hearing.report(
                r.Amended(stop.client_order_id, D(0), None, D(59_000), world.clock.now() + 1)
            )
            await world.clock.sleep(SECOND // 200)
        assert world.failures, "the rule did die"
        world.failures.clear()
        await world.until(lambda: "FLATTEN" not in world.state.blocks)
        assert world.held == 0
        assert min(least) == 0
        closes = [
            event.order for event in world.seen(e.OrderSubmitted) if event.order.role is Role.CLOSE
        ]
        assert [close.size for close in closes] == [D("0.5")]
        assert "TASK_DIED" in world.told()
        assert "TASK_DIED" in world.state.blocks, (
            "entries wait for somebody to look at it; exits did not"
        )

    play(tale, tmp_path)


@pytest.mark.hazard("H44")
def test_exits_are_clamped_to_what_is_left_less_what_works() -> None:
    story = Story("kraken-spot")
    position = story.opened("0.5", target=i.Away(D("0.02")))
    for press in range(5):
        story.ask(i.ClosePosition(id=f"c{press}", position=position.id))
        story.ask(i.Flatten(id=f"f{press}"))
        story.wait(1)
        _exits_fit(story)
    stop = story.order("stop")
    story.fill(stop, "0.2", "59400")  # it fires while its cancel is on the way
    story.cancelled(stop, filled="0.2")
    _exits_fit(story)
    (close,) = story.orders("close")
    assert close.size == D("0.3")
    story.tell(r.Unknown(close.client_order_id, "submit", "no answer", story.now))
    story.wait(30)
    _exits_fit(story)
    assert len(story.orders("close")) == 1, "in doubt is not gone"


def _exits_fit(story: Story) -> None:
    working = sum((order.remaining for order in story.state.orders.values() if order.is_exit), D(0))
    assert working <= story.position().size


# H46: no safety is optional

Scene = Callable[[World], Awaitable[None]]


async def _flatten(world: World) -> None:
    await world.opened("0.5", target=i.Away(D("0.05")))
    await world.buy("0.1", type=LIMIT, price=D(55_000))
    await world.wait(1)
    assert (await world.ask(i.Flatten(id="f"))).ok


async def _stop_fires(world: World) -> None:
    await world.opened("0.5", target=i.Away(D("0.05")))
    world.price(BTC, "59300")


async def _target_is_reached(world: World) -> None:
    await world.opened("0.5", target=i.Away(D("0.02")))
    world.price(BTC, "61300")


async def _stop_is_moved_and_fires(world: World) -> None:
    position = await world.opened("0.5")
    assert (await world.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_800))))).ok
    await world.until(
        lambda: any(
            order.role is Role.STOP and order.trigger == D(59_800) for order in world.resting
        )
    )
    world.price(BTC, "59790")


async def _trail_follows_and_fires(world: World) -> None:
    await world.opened("0.5", trail=Trail(fraction=D("0.01")))
    world.price(BTC, "62000")
    await world.until(
        lambda: any(
            order.role is Role.STOP and order.trigger == D(61_380) for order in world.resting
        )
    )
    world.price(BTC, "61300")


async def _half_is_closed_then_the_rest(world: World) -> None:
    position = await world.opened("0.5")
    assert (await world.ask(i.ClosePosition(id="h", position=position.id, part=D("0.5")))).ok
    await world.until(lambda: world.held < D("0.3") and bool(world.resting))
    assert [order.role for order in world.resting] == [Role.STOP]
    await world.until(lambda: world.state.positions[position.id].protection is Protection.VENUE)
    assert (await world.ask(i.ClosePosition(id="c", position=position.id))).ok


async def _entry_expires(world: World) -> None:
    await world.buy("0.5", type=LIMIT, price=D(59_000), expires_in=5 * SECOND)
    await world.wait(1)
    assert len(world.resting) == 1
    await world.wait(6)


SCENES: dict[str, Scene] = {
    "flatten": _flatten,
    "stop": _stop_fires,
    "target": _target_is_reached,
    "moved stop": _stop_is_moved_and_fires,
    "trail": _trail_follows_and_fires,
    "half": _half_is_closed_then_the_rest,
    "expiry": _entry_expires,
}


@pytest.mark.hazard("H46")
@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("scene", SCENES)
def test_every_safety_works_at_every_venue(venue: str, scene: str, tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await SCENES[scene](world)
        await world.until(lambda: not world.state.positions and "FLATTEN" not in world.state.blocks)
        assert not world.state.orders
        assert not world.resting
        assert abs(world.held) < world.exchange.instruments[BTC].lot, (
            "but for what a fee in coins leaves below the lot"
        )
        assert "OVER_CLOSED" not in world.told()

    play(tale, tmp_path, profile=VENUES[venue]())


@pytest.mark.hazard("H46")
@pytest.mark.parametrize("venue", VENUES)
def test_every_intent_that_protects_is_answered_at_every_venue(venue: str) -> None:
    story = Story(VENUES[venue]())
    position = story.opened("0.5")
    asked: list[i.AnyIntent] = [
        i.MoveStop(id="1", position=position.id, stop=i.At(D(59_700))),
        i.MoveTarget(id="2", position=position.id, target=i.At(D(61_000))),
        i.SetTrail(id="3", position=position.id, trail=Trail(fraction=D("0.02"))),
        i.ClosePosition(id="4", position=position.id),
        i.Flatten(id="5"),
    ]
    for intent in asked:
        answer = story.ask(intent)
        assert answer.ok, (intent, answer.refusals)
    assert story.position().stop == D(59_700)
    assert story.position().closing == story.position().size


# H48: nothing that protects can be jumped


@pytest.mark.hazard("H48")
@pytest.mark.parametrize("venue", VENUES)
def test_a_protective_stop_has_no_limit_to_be_jumped(venue: str) -> None:
    story = Story(VENUES[venue]())
    position = story.opened("0.5", trail=Trail(fraction=D("0.01")))
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    stops = [submit.order for submit in story.sent(Submit) if submit.order.role is Role.STOP]
    assert stops
    for stop in stops:
        assert (stop.type, stop.price) == (OrderType.STOP, None)
    assert all(amend.price is None for amend in story.sent(Amend))


@pytest.mark.hazard("H48")
@pytest.mark.parametrize("gap", ["59399.9", "57000", "30000", "600"])
def test_a_gap_through_the_stop_closes_at_what_there_is(gap: str, tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        limited = Order(
            "web-1",
            "",
            BTC,
            Side.SELL,
            OrderType.STOP_LIMIT,
            Role.STOP,
            D("0.1"),
            trigger=D(59_400),
            price=D(59_350),
        )
        world.exchange.ledger.cash["BTC"] += D("0.1")
        world.venue.external(limited)
        world.price(BTC, gap)
        await world.until(lambda: position.id in world.state.closed)
        (sold,) = [
            event.fill for event in world.seen(e.OrderFilled) if event.fill.side is Side.SELL
        ]
        assert (sold.price, sold.size) == (D(gap), D("0.5"))
        jumped = D(gap) < D(59_350)
        assert [order.client_order_id for order in world.resting] == ["web-1"] * jumped, (
            "a stop-limit beside it is jumped and sits there"
        )

    play(tale, tmp_path)


@pytest.mark.hazard("H48")
def test_a_gap_while_the_stop_is_on_its_way_is_closed_by_the_guard(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        world.venue.faults = Faults(reject_stop=1.0)
        await world.buy("0.5")
        await world.until(lambda: "STOP_REFUSED" in world.told())
        assert world.position().protection is Protection.GUARDED
        world.price(BTC, "50000")
        await world.until(lambda: not world.state.positions)
        assert world.held == 0

    play(tale, tmp_path)


# H49: what protects outlives the line

OUTAGE = Faults(disconnect=Interval(30 * SECOND, 20 * SECOND))


@pytest.mark.hazard("H49")
@pytest.mark.parametrize("venue", VENUES)
def test_a_disconnect_leaves_the_protective_stop_resting_at_the_venue(
    venue: str, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5")
        before = [(order.client_order_id, order.size, order.trigger) for order in world.resting]
        for _ in range(3):
            await world.until(lambda: "DISCONNECTED" in world.state.blocks, 60)
            for _ in range(10):
                await world.wait(1)
                assert [
                    (order.client_order_id, order.size, order.trigger) for order in world.resting
                ] == before
            await world.until(lambda: "DISCONNECTED" not in world.state.blocks, 60)
            await world.wait(2)
            assert [
                (order.client_order_id, order.size, order.trigger) for order in world.resting
            ] == before
        assert not world.seen(e.CancelAsked)
        assert world.engine.gateway.statistics.cancel == 0

    play(tale, tmp_path, profile=VENUES[venue](), faults=OUTAGE)


@pytest.mark.hazard("H49")
def test_a_stop_fires_while_the_line_is_down(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        await world.until(lambda: "DISCONNECTED" in world.state.blocks, 60)
        await world.wait(3)
        world.price(BTC, "59300")
        assert world.held == 0, "the venue sold it, at once and by itself"
        assert position.id in world.state.positions, "we don't know that yet"
        await world.until(lambda: position.id in world.state.closed, 60)
        assert world.held == 0
        assert sum(
            (fill.size for fill in world.exchange.fills if fill.side is Side.SELL), D(0)
        ) == D("0.5"), "and nobody sold it again"

    play(tale, tmp_path, faults=OUTAGE)


@pytest.mark.hazard("H49")
@pytest.mark.parametrize("crash", [False, True])
def test_an_engine_that_ends_takes_no_stop_with_it(crash: bool, tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.opened("0.5")
        (stop,) = world.resting
        if crash:
            await world.engine.abandon()
            world.engine.journal.close(0)
        else:
            await world.engine.close()
        await world.clock.sleep(3600 * SECOND)
        assert world.resting == [stop]
        world.price(BTC, "59300")
        assert world.held == 0
        await world.open()
        await world.until(lambda: not world.state.positions)

    play(tale, tmp_path)


@pytest.mark.hazard("H49")
def test_nothing_that_leaves_the_engine_can_arm_a_dead_man_switch() -> None:
    assert set(get_args(Request)) == {Submit, Amend, Cancel, Query, QueryAccount}, (
        "a new kind of request: does it cancel on a timer?"
    )
    story = Story("kraken-futures")
    story.opened("0.5")
    sent = len(story.requests)
    story.tell(r.Disconnected("gone", story.now))
    story.wait(300)
    story.tell(r.Connected(story.now))
    assert {type(request) for request in story.requests[sent:]} <= {Query, QueryAccount}, (
        "an outage only raises questions"
    )
    assert story.order("stop").status is Status.OPEN


@pytest.mark.hazard("H49")
def test_the_venue_itself_cancels_nothing_with_time() -> None:
    story = Story()
    exchange = Exchange(
        story.profile,
        tuple(story.state.instruments.values()),
        {"USD": D(10**6), "BTC": D(1)},
        "USD",
    )
    for quote in story.board.quotes():
        exchange.on_tick(quote)
    story.opened("0.5")
    assert isinstance(
        exchange.submit(replace(story.order("stop"), status=Status.PENDING), story.now), r.Accepted
    )
    assert exchange.next_due() is None
    exchange.advance(story.now + 30 * 86_400 * SECOND)
    assert len(exchange.orders) == 1
