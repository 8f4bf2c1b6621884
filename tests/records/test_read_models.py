"""The rows of what is open lag behind the events, half a second at most; a start makes up for all
of it.
"""

from pathlib import Path

from engine.clock import SECOND
from engine.model import intent as i
from engine.model.order import Order
from engine.records import LAG
from tests.support.world import BTC, D, World, play

LAGGED = LAG / SECOND


def _size(world: World, position: str) -> object:
    """What the row of a position says is held."""
    world.engine.save()
    (row,) = world.engine.journal.rows("positions", position=position)
    return row["size"]


def _statuses(world: World) -> dict[object, object]:
    world.engine.save()
    return {row["client_order_id"]: row["status"] for row in world.engine.journal.rows("orders")}


def _known(world: World) -> dict[object, object]:
    orders: dict[str, Order] = {**world.state.ended, **world.state.orders}
    return {name: order.status.value for name, order in orders.items()}


def test_a_row_of_what_is_open_lags_by_half_a_second_and_no_more(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        assert _size(world, position.id) == 0, "it was told as it was planned"
        await world.wait(LAGGED)
        assert _size(world, position.id) == D("0.5")
        assert _statuses(world) == _known(world)

    play(tale, tmp_path)


def test_what_is_over_is_written_with_the_decision_that_ended_it(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        await world.ask(i.ClosePosition(id="c", position=position.id))
        await world.until(lambda: position.id in world.state.closed)
        world.engine.save()
        (row,) = world.engine.journal.rows("positions", position=position.id)
        assert row["closed_at"] == world.state.closed[position.id].closed_at
        assert _statuses(world) == _known(world)

    play(tale, tmp_path)


def test_an_orderly_end_leaves_nothing_behind(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        told = _known(world)
        await world.engine.close()
        world.engine = world.make()
        assert _size(world, position.id) == D("0.5")
        assert _statuses(world) == told
        await world.engine.close()
        await world.open()

    play(tale, tmp_path)


def test_what_a_crash_left_unwritten_is_exact_after_the_next_start(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        position = await world.opened("0.5")
        stop = next(order.client_order_id for order in world.orders("stop"))
        await world.restart(crash=True)
        assert stop not in _statuses(world)
        assert world.engine.journal.knows_order(stop), "the events know it"
        assert not world.engine.journal.knows_order("never")
        world.price(BTC, "60000")
        assert _size(world, position.id) == 0
        await world.wait(LAGGED)
        assert _size(world, position.id) == D("0.5")
        assert _statuses(world) == _known(world)

    play(tale, tmp_path)
