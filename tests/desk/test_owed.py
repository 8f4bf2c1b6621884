"""What a flatten sold too much of, where the venue lends: flat is not said while coins are owed."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk import flatten
from engine.exchange import Delay
from engine.model import intent as i
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from tests.support.world import BTC, ETH, Tale, World, play

D = Decimal
LATE = Delay(300_000_000, 400_000_000)
"""The venue's reports come after the close has left."""


@pytest.mark.hazard("H72")
@pytest.mark.parametrize("size", ["0.3", "0.5", "0.00006"])
def test_flat_is_not_said_while_coins_are_owed(size: str, tmp_path: Path) -> None:
    """Somebody else sells what is ours in the moment in which F9 is pressed: the venue lends, so
    both sales are filled, and what is owed is bought back before anybody calls it flat.
    """

    play(_sold_twice(size), tmp_path, delay=LATE, values={"risk.require_stop": False})


@pytest.mark.hazard("H76")
@pytest.mark.parametrize("holds", [False, True])
def test_what_the_owner_sold_short_is_left_alone(holds: bool, tmp_path: Path) -> None:
    """A debt that no sale of ours can have made is nobody's business, whatever else is closed."""

    async def tale(world: World) -> None:
        if holds:
            await world.buy("0.5", symbol=ETH, stop=None)
        await world.wait(2)
        other = Order(
            "other", "", BTC, Side.SELL, OrderType.MARKET, Role.ENTRY, D("0.3"), foreign=True
        )
        world.venue.external(other)
        await world.wait(5)
        await world.ask(i.Flatten(id="f"))
        await world.until(lambda: "FLATTEN" not in world.state.blocks, 120)
        assert world.held == D("-0.3")
        assert not world.state.positions
        assert "DIFFERENCE" in world.told()

    play(tale, tmp_path, values={"risk.require_stop": False})


def test_the_auditor_sees_a_debt_that_is_called_flat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flatten, "_is_owed", lambda *_: False)
    with pytest.raises(AssertionError, match=r"12 flat.*it was sold twice"):
        play(
            _sold_twice("0.3", there=D("-0.3")),
            tmp_path,
            delay=LATE,
            values={"risk.require_stop": False},
        )


def _sold_twice(size: str, there: Decimal = ZERO) -> Tale:
    async def tale(world: World) -> None:
        await world.buy("0.5", stop=None)
        await world.until(lambda: world.held == D("0.5"))
        await world.wait(2)
        other = Order(
            "other", "", BTC, Side.SELL, OrderType.MARKET, Role.ENTRY, D(size), foreign=True
        )
        world.venue.external(other)
        await world.ask(i.Flatten(id="f"))
        await world.until(lambda: "FLATTEN" not in world.state.blocks, 120)
        assert world.held == there, world.told()
        assert not world.state.positions

    return tale
