"""One line that is kept alive, and lets go when it is told to."""

import asyncio
import gc
from contextlib import suppress

import pytest
from aiohttp import web

from engine.venues.live.socket import Socket
from tests.support.exchange import serving


@pytest.mark.parametrize("turns", range(5))
async def test_a_line_that_is_told_to_end_ends_even_while_it_has_just_been_opened(
    turns: int,
) -> None:
    async with serving("kraken") as exchange:
        gate = asyncio.Event()

        async def opened(_: Socket) -> None:
            await gate.wait()

        socket = Socket(
            str(exchange.server.ready["ws"]) + "/v2",
            opened=opened,
            heard=lambda _: None,
            lost=lambda _: None,
            silence=5.0,
        )
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


@pytest.mark.parametrize("begins", [True, False])
async def test_a_line_that_lives_but_never_begins_is_opened_anew(begins: bool) -> None:
    async def beating(request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        with suppress(ConnectionError):
            while not line.closed:
                await line.send_str('{"channel":"heartbeat"}')
                await asyncio.sleep(0.02)
        return line

    async def opened(_: Socket) -> None:
        return

    application = web.Application()
    application.router.add_get("/", beating)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = runner.addresses[0]
    lost: list[str] = []
    url = f"ws://{address[0]}:{address[1]}/"
    socket = Socket(
        url,
        opened=opened,
        heard=lambda _: None,
        lost=lost.append,
        silence=0.2,
        begun=lambda: begins,
    )
    task = asyncio.get_running_loop().create_task(socket.run())
    with suppress(TimeoutError):
        async with asyncio.timeout(1.0 if begins else 5.0):
            while not lost:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait({task}, timeout=2)
    await runner.cleanup()
    assert lost[:1] == ([] if begins else ["it was opened, and did not begin within 0.2 s"])


async def test_what_is_said_later_into_a_line_that_broke_is_no_error_of_its_own() -> None:
    """Whoever reads the line tells that it broke; a task that fails unheard would tell it on
    standard error.
    """
    lost: list[str] = []
    unheard: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    async with serving("krakenfutures") as exchange:

        async def opened(socket: Socket) -> None:
            transport = socket._socket._response.connection.transport  # type: ignore[union-attr]
            assert transport is not None
            transport.abort()
            for _ in range(3):
                socket.later({"event": "ping"})
            await asyncio.sleep(0)

        url = f"{exchange.server.ready['ws']}/v1"
        socket = Socket(url, opened=opened, heard=lambda _: None, lost=lost.append, silence=5.0)
        task = asyncio.get_running_loop().create_task(socket.run())
        async with asyncio.timeout(5):
            while not lost:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task}, timeout=2)
        gc.collect()
        await asyncio.sleep(0)
    assert not unheard
