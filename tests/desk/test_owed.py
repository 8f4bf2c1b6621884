"""What closing sales sold too much of, where the venue lends: flat is not said while coins are owed."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk import owed
from engine.exchange import Delay, Faults
from engine.model import intent as i
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, Tale, World, play

D = Decimal
LATE = Delay(300_000_000, 400_000_000)
"""The venue's reports come after the close has left."""


LOOSE = {"risk.require_stop": False}


@pytest.mark.hazard("H72")
@pytest.mark.parametrize("size", ["0.3", "0.5", "0.00006"])
def test_flat_is_not_said_while_coins_are_owed(size: str, tmp_path: Path) -> None:
    """Somebody else sells what is ours in the moment in which F9 is pressed: the venue lends, so
    both sales are filled, and what is owed is bought back before anybody calls it flat.
    """

    play(_sold_twice(size), tmp_path, delay=LATE, values=LOOSE)


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

    play(tale, tmp_path, values=LOOSE)


def test_the_auditor_sees_a_debt_that_is_called_flat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed, "look", lambda *_: iter(()))
    with pytest.raises(AssertionError, match=r"12 flat.*it was sold twice"):
        play(
            _sold_twice("0.3", there=D("-0.3")),
            tmp_path,
            delay=LATE,
            values=LOOSE,
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


# A debt that a plain close has made, and that a later flatten meets


@pytest.mark.hazard("H72")
@pytest.mark.parametrize("seconds", [0, 70])
def test_a_flatten_buys_back_what_a_close_sold_too_much(seconds: float, tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await _sells_both(world, "0.5", "0.3")
        await world.wait(seconds)
        await _flatten(world)
        assert world.held == 0, world.told()

    play(tale, tmp_path, delay=LATE, values=LOOSE)


@pytest.mark.hazard("H72")
def test_a_part_that_was_closed_owes_and_the_rest_is_gone(tmp_path: Path) -> None:
    """Of one bitcoin half is closed while somebody sells 0.8: nothing is held, 0.3 is owed, and it
    is not a minute before that is known.
    """

    async def tale(world: World) -> None:
        await _sells_both(world, "1", "0.8", size=D("0.5"))
        await world.wait(5)
        await _flatten(world, 25)
        assert world.held == 0, world.told()

    play(tale, tmp_path, delay=LATE, values=LOOSE)


@pytest.mark.hazard("H72")
def test_a_crash_forgets_no_debt(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await _sells_both(world, "0.5", "0.3")
        await world.until(lambda: not world.state.positions)
        await world.restart(crash=True)
        await _flatten(world)
        assert world.held == 0, world.told()

    play(tale, tmp_path, delay=LATE, values=LOOSE)


@pytest.mark.hazard("H76")
def test_what_others_sold_short_afterwards_is_theirs_and_what_they_pay_back_is_paid(
    tmp_path: Path,
) -> None:
    async def tale(world: World) -> None:
        await _sells_both(world, "0.5", "0.3")
        await world.wait(70)
        assert world.state.withheld == {"BTC": D("-0.3")}
        _trades(world, Side.BUY, "0.1")
        await world.wait(70)
        assert world.state.withheld == {"BTC": D("-0.2")}
        _trades(world, Side.SELL, "0.4")
        await world.wait(5)
        await _flatten(world)
        assert world.held == D("-0.4"), "the flatten bought back what is not ours"

    play(tale, tmp_path, delay=LATE, values=LOOSE)


@pytest.mark.hazard("H76")
def test_a_debt_that_the_operator_leaves_is_named_and_left(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await _sells_both(world, "0.5", "0.3")
        await world.wait(70)
        await world.ask(i.Resolve(id="r", subject="BTC", action=i.Settlement.FORGET))
        await _flatten(world)
        assert world.held == D("-0.3")
        assert world.state.flatten is not None
        assert "BTC: 0.3 that is owed and not ours was left alone" in world.state.flatten.receipt

    play(tale, tmp_path, delay=LATE, values=LOOSE)


@pytest.mark.hazard("H76")
def test_a_close_on_margin_makes_nobody_owe_coins(tmp_path: Path) -> None:
    """Somebody sells coins short while we close what is on margin, and the venue's views lag."""

    async def tale(world: World) -> None:
        answer = await world.buy("0.5", stop=None, leverage=D(2))
        await world.wait(70)
        _trades(world, Side.SELL, "0.3")
        await world.ask(i.ClosePosition(id="c", position=answer.created))
        await world.wait(20)
        await _flatten(world)
        assert world.held == D("-0.3"), "the flatten bought back what is not ours"

    play(tale, tmp_path, delay=LATE, faults=Faults(rest_lag=5 * SECOND), values=LOOSE)


def _trades(world: World, side: Side, size: str) -> None:
    name = f"other{world.clock.now()}"
    world.venue.external(
        Order(name, "", BTC, side, OrderType.MARKET, Role.ENTRY, D(size), foreign=True)
    )


async def _sells_both(world: World, held: str, theirs: str, size: Decimal | None = None) -> None:
    """Somebody sells of our coins, and we sell the same in the same moment."""
    answer = await world.buy(held, stop=None)
    await world.until(lambda: world.held == D(held))
    await world.wait(2)
    _trades(world, Side.SELL, theirs)
    await world.ask(i.ClosePosition(id="c", position=answer.created, size=size))


async def _flatten(world: World, seconds: float = 60) -> None:
    await world.ask(i.Flatten(id="f"))
    await world.until(lambda: "FLATTEN" not in world.state.blocks, seconds)
    assert not world.state.positions
