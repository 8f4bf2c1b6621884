"""A difference between two views leads from one to the other, to the digit, also through JSON."""

from itertools import pairwise
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from engine.model import intent as i
from engine.model.view import View
from engine.session.deltas import FRAMES, Delta, Frames, applied, difference
from tests.support.world import BTC, World, play


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> list[View]:
    """Of an account that trades: rows come, change and go."""
    found: list[View] = []

    async def tale(world: World) -> None:
        found.append(world.engine.view())
        for turn in range(4):
            await world.opened("0.1")
            found.append(world.engine.view())
            world.price(BTC, str(60_000 + turn))
            found.append(world.engine.view())
            await world.wait(1)
            found.append(world.engine.view())
        await world.ask(i.Pause(id="p"))
        found.append(world.engine.view())
        await world.ask(i.Flatten(id="f"))
        await world.until(lambda: not world.state.positions)
        found.extend((world.engine.view(), world.engine.view()))

    play(tale, tmp_path_factory.mktemp("views"))
    return found


def through_json(delta: Delta) -> Delta:
    return msgspec.json.decode(
        msgspec.json.Encoder(decimal_format="string").encode(delta), type=Delta
    )


def test_each_view_follows_from_any_other(views: list[View]) -> None:
    random = Random(7)
    pairs = [*pairwise(views), *((random.choice(views), random.choice(views)) for _ in range(60))]
    for old, new in pairs:
        assert applied(old, through_json(difference(old, new, 2, 1))) == new
    for new in views:
        assert applied(None, through_json(difference(None, new, 1, 0))) == new


def test_what_stands_still_is_not_said_again(views: list[View]) -> None:
    busy = next(view for view in views if view.orders)
    assert msgspec.to_builtins(difference(busy, busy, 2, 1)) == {"number": 2, "after": 1}
    one = replace(busy.orders[0], state="UNKNOWN")
    delta = difference(busy, replace(busy, orders=(one, *busy.orders[1:])), 2, 1)
    assert not isinstance(delta.orders, msgspec.UnsetType)
    assert (delta.orders.rows, delta.orders.ids) == ((one,), None)


def test_rows_of_one_name_come_whole(views: list[View]) -> None:
    busy = next(view for view in views if view.orders)
    twins = replace(
        busy, orders=(busy.orders[0], replace(busy.orders[0], state="twin"), *busy.orders[1:])
    )
    assert applied(busy, through_json(difference(busy, twins, 2, 1))) == twins
    assert applied(twins, through_json(difference(twins, busy, 2, 1))) == busy


def test_whoever_has_been_away_for_long_gets_all_of_it(views: list[View]) -> None:
    frames = Frames()
    first = frames.tell(views[0], 0)
    assert first.after == 0
    assert frames.tell(views[1], first.number).after == first.number
    for view in (views * 2)[:FRAMES]:
        newest = frames.tell(view, 0)
    late = frames.tell(views[2], first.number)
    assert late.after == 0
    assert applied(None, late) == views[2]
    with pytest.raises(KeyError):
        applied(None, frames.tell(views[3], newest.number))


def test_each_field_of_a_view_can_be_said() -> None:
    assert {*View.__struct_fields__, "number", "after"} == {*Delta.__struct_fields__}
