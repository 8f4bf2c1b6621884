"""A burst of entries that the venue's limits can't take: what can't leave in time is refused before
anything is journaled (H92).
"""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.desk import events as e
from engine.model.order import OrderType
from engine.model.view import Answer
from tests.support.world import World, codes, play

D = Decimal
pytestmark = pytest.mark.hazard("H92")
MANY = {"risk.max_positions": 100, "risk.max_exposure": 100, "risk.max_position": 100}
SENT = [("kraken-spot", 12), ("kraken-futures", 30)]
"""A profile, and more entries than its limits take at once beside the reserve."""


async def _burst(world: World, count: int, **terms: Any) -> list[Answer]:
    return list(await asyncio.gather(*(world.buy("0.01", **terms) for _ in range(count))))


@pytest.mark.parametrize(("profile", "count"), SENT)
def test_what_of_a_burst_is_accepted_leaves_and_the_rest_is_refused(
    tmp_path: Path, profile: str, count: int
) -> None:
    async def tale(world: World) -> None:
        answers = await _burst(world, count, type=OrderType.LIMIT, price=D(59_000))
        taken = [answer for answer in answers if answer.ok]
        assert 0 < len(taken) < count
        assert codes(answers) == {"NO_TOKENS"}
        assert all(answer.ok for answer in answers[: len(taken)]), (
            "in the order in which they were asked for"
        )
        await world.wait(12)
        assert len(world.resting) == len(taken)
        assert len(world.seen(e.OrderSubmitted)) == len(taken)
        assert not world.seen(e.OrderRejected)
        text = answers[-1].refusals[0].text
        assert text.startswith("0 entries more can leave within 5 s: the venue's rate limits"), text

    play(tale, tmp_path, profile=profile, values=MANY)


def test_once_the_venue_has_drained_an_entry_is_taken_again(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        answers = await _burst(world, 12, type=OrderType.LIMIT, price=D(59_000))
        assert not answers[-1].ok
        assert not (await world.buy("0.01")).ok
        await world.wait(60)
        assert (await world.buy("0.01")).ok, "cancels are cheaper by now"

    play(tale, tmp_path, profile="kraken-spot", values=MANY)


def test_an_entry_that_its_own_fills_kept_back_is_told_at_its_deadline(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        answers = await _burst(world, 12)
        taken = sum(answer.ok for answer in answers)
        await world.wait(6)
        assert not [order for order in world.orders("entry") if order.status.value == "pending"]
        assert len(world.seen(e.OrderRejected)) + len(world.state.positions) == taken

    play(tale, tmp_path, profile="kraken-spot", values=MANY)
