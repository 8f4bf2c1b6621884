"""One line that is kept alive, and lets go when it is told to."""

import asyncio

import pytest

from engine.venues.live.socket import Socket
from tests.support.exchange import serving


@pytest.mark.parametrize("turns", range(5))
async def test_a_line_that_is_told_to_end_ends_even_while_it_has_just_been_opened(turns: int) -> None:
    async with serving("kraken") as exchange:
        gate = asyncio.Event()

        async def opened(_: Socket) -> None:
            await gate.wait()

        socket = Socket(str(exchange.server.ready["ws"]) + "/v2", opened=opened, heard=lambda _: None, lost=lambda _: None, silence=5.0)
        task = asyncio.get_running_loop().create_task(socket.run())
        async with asyncio.timeout(5):
            while not socket.connects:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        gate.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=2)
        assert task in done
        assert task.cancelled()
