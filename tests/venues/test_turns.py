"""Private requests leave in their turn, and not after the pen is gone."""

import asyncio

import pytest

from engine.venues.live.rest import Rest
from engine.venues.protocol import MAY_LEAVE, NotSentError


async def test_what_waited_for_its_turn_does_not_leave_once_the_pen_is_gone() -> None:
    rest = Rest("kraken", None, {}, 1.0)
    await rest._turns.take(0)
    held = True
    MAY_LEAVE.set(lambda: held)
    waiting = asyncio.create_task(rest.private("private_post_addorder", {}, 1))
    await asyncio.sleep(0)
    held = False
    rest._turns.give()
    with pytest.raises(NotSentError, match="stood still"):
        await waiting
    assert rest.sent == 0
    await rest._turns.take(0)  # the next one has its turn
