"""Ports of 127.0.0.1 at which an engine answers: only who asks for that name, and never a page that
a browser shows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
NAMES = frozenset({HOST, "localhost"})
"""What a request may call this host: a page in a browser that calls it otherwise was led here."""
AGAIN = 30.0
"""Seconds until a port that is taken is tried again."""
Answer = Callable[["web.Request"], Awaitable["web.StreamResponse"]]


async def listen(
    name: str, path: str, port: int, answer: Answer, trouble: Callable[[str, str], None]
) -> None:
    """Answer `GET path` for ever. `trouble` hears the outlet's name and what is wrong, and an empty
    text once it is well.
    """
    from aiohttp import web  # heavy, and most sessions have no endpoint

    async def admitted(request: web.Request) -> web.StreamResponse:
        if (request.host or "").rpartition(":")[0] not in NAMES or "origin" in request.headers:
            return web.Response(status=403, text=f"ask for {HOST}, and not from a web page\n")
        return await answer(request)

    app = web.Application()
    app.router.add_get(path, admitted)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        told = False
        while True:
            try:
                await web.TCPSite(runner, HOST, port).start()
                break
            except OSError as error:
                if not told:
                    trouble(name, f"port {port} can't be listened at: {error.strerror}")
                told = True
                await asyncio.sleep(AGAIN)
        if told:
            trouble(name, "")
        await asyncio.get_running_loop().create_future()
    finally:
        await runner.cleanup()
