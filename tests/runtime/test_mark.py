"""An engine that hung, or starts, after a last exit was at work: it books what was sold by its ids,
and sells nothing again.
"""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.account import mark as marks
from engine.account import summary as summaries
from engine.account.summary import Summary
from engine.clock import run_virtual
from engine.desk import events as e
from engine.exchange import Faults
from engine.model import intent as i
from engine.model.ids import client_order_id
from engine.model.mark import Mark, MarkedOrder
from engine.model.order import Order, OrderType, Role, TimeInForce
from engine.model.side import Side
from tests.support.world import BTC, SECOND, World, play

D = Decimal
pytestmark = [pytest.mark.hazard("H73"), pytest.mark.hazard("H74")]


def last_exit(
    world: World, size: str = "0.5", outcome: str = "flat", number: int = 1
) -> MarkedOrder:
    """What a last exit does at the venue, past the engine: mark, cancel what rests, sell."""
    now = world.clock.now()
    order = MarkedOrder(
        client_order_id("world", "emergency", BTC, number), BTC, Side.SELL, D(size), now
    )
    marks.write(
        world.home,
        Mark(
            intent="f",
            instance="x",
            pid=1,
            began_at=now,
            beat_at=now,
            orders=(order,),
            outcome=outcome,  # type: ignore[arg-type]
        ),
    )
    for resting in world.resting:
        world.exchange.cancel(resting.client_order_id, now)
    sell = Order(
        order.client_order_id,
        "",
        BTC,
        Side.SELL,
        OrderType.MARKET,
        Role.CLOSE,
        D(size),
        time_in_force=TimeInForce.IOC,
        created_at=now,
    )
    world.exchange.submit(sell, now)
    return order


def sold(world: World) -> Decimal:
    picture = world.exchange.picture(world.clock.now(), 0)
    return sum((fill.size for fill in picture.fills if fill.side is Side.SELL), D(0))


@pytest.mark.parametrize("own", ["0", "2"], ids=["nothing else there", "coins of the trader's own"])
def test_an_engine_that_wakes_after_a_last_exit_sells_nothing_again(
    tmp_path: Path, own: str
) -> None:
    async def tale() -> None:
        world = World(tmp_path)
        world.records = True
        if D(own):
            world.exchange.ledger.cash["BTC"] = D(own)
        await world.open()
        await world.opened("0.5")
        world.clock.hang(5 * SECOND)
        last_exit(world)
        world.clock.hang(5 * SECOND)
        await world.ask(i.Flatten(id="also asked"))
        world.price(BTC, "40000")
        await world.wait(30)
        assert sold(world) == D("0.5")
        assert world.held == D(own)
        assert not world.state.positions
        assert "EMERGENCY_EXIT" in world.told()
        closed = next(iter(world.state.closed.values()))
        assert closed.close_reason in ("last exit", "flatten", "")
        assert marks.read(world.home) is None, "it is booked"
        await world.end()

    run_virtual(tale())


@pytest.mark.parametrize("crash", [False, True])
def test_the_next_engine_books_it_and_places_no_stop_for_what_is_gone(
    tmp_path: Path, crash: bool
) -> None:
    async def tale(world: World) -> None:
        world.records = True
        await world.restart()
        await world.opened("0.5")
        if crash:
            await world.engine.abandon()
            world.engine.journal.close(0)
        else:
            await world.engine.close()
        last_exit(world)
        count = len(world.seen(e.OrderSubmitted))
        await world.open()
        await world.wait(20)
        assert sold(world) == D("0.5")
        assert not world.state.positions
        assert len(world.seen(e.OrderSubmitted)) == count, "nothing was sent"
        profit = next(iter(world.state.closed.values())).realised_profit(
            world.state.instruments[BTC]
        )
        picture = world.exchange.picture(world.clock.now(), 0)
        assert world.state.cash == {
            name: amount
            for name, amount in picture.balances.items()
            if amount or name in world.state.cash
        }
        assert profit < 0, "fees were paid"

    play(tale, tmp_path)


def test_a_view_that_lacks_what_the_last_exit_sold_does_not_settle_its_mark(tmp_path: Path) -> None:
    """It was killed right after its close, and the next engine starts at once: views that lag 5 s
    still show the position.
    """

    async def tale(world: World) -> None:
        world.settings = replace(world.settings, account=replace(world.settings.account, lag=5.0))
        world.records = True
        await world.restart()
        world.venue._remember()
        await world.opened("0.5")
        await world.wait(30)
        await world.engine.abandon()
        world.engine.journal.close(0)
        aged = world.venue._aged
        world.venue.faults = Faults(rest_lag=5 * SECOND)
        world.venue._aged = lambda fresh: replace(aged(fresh), as_of=fresh.as_of)  # type: ignore[method-assign]  # no view says how old it is
        last_exit(world, outcome="working")
        world.venue._changed()
        await world.open()
        await world.wait(3)
        assert not world.told() & {"SECOND_ENGINE", "UNEXPLAINED"}
        await world.until(lambda: not world.state.positions, 40)
        assert sold(world) == D("0.5")
        await world.wait(30)
        assert not world.state.marked
        assert not world.told() & {"SECOND_ENGINE", "UNEXPLAINED"}

    play(tale, tmp_path)


def test_a_last_exit_that_closed_a_part_leaves_the_rest_in_custody(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        world.records = True
        await world.restart()
        await world.opened("0.5")
        world.clock.hang(10 * SECOND)
        last_exit(world, "0.2", "not flat")
        await world.until(lambda: world.position().size == D("0.3"), 30)
        await world.until(lambda: world.position().protection.value == "venue", 60)
        (stop,) = world.resting
        assert (stop.role, stop.size) == (Role.STOP, D("0.3"))
        assert world.held == D("0.3")

    play(tale, tmp_path)


@pytest.mark.hazard("H115")
def test_a_home_that_knows_more_than_the_journal_is_told_at_the_start(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        world.records = True

        def keep(told: Summary) -> None:
            summaries.write(world.home, told)

        world.summary = keep
        await world.restart()
        await world.opened("0.5")
        await world.wait(2)
        known = summaries.read(world.home)
        assert known is not None
        await world.engine.close()
        world.summary = None
        summaries.write(world.home, replace(known, seq=known.seq + 500))
        await world.open()
        assert "UNEXPLAINED" in world.state.blocks
        assert {"UNEXPLAINED"} <= {alert.code for alert in world.state.alerts.values()}

    play(tale, tmp_path)
