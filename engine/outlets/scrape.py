"""The endpoint that Prometheus scrapes: on 127.0.0.1 alone, and only for who asks for that name."""

import asyncio
from collections.abc import Callable

from engine.outlets.metrics import Metrics

HOST = "127.0.0.1"
NAMES = frozenset({HOST, "localhost"})
"""What a request may call this host: a page in a browser that calls it otherwise was led here."""
AGAIN = 30.0
"""Seconds until a port that is taken is tried again."""


async def serve(metrics: Metrics, port: int, trouble: Callable[[str, str], None]) -> None:
    """Answer `GET /metrics` for ever. `trouble` hears the outlet's name and what is wrong, and an
    empty text once it is well.
    """
    from aiohttp import web  # heavy, and most sessions have no endpoint
    from prometheus_client.exposition import choose_encoder

    async def answer(request: web.Request) -> web.Response:
        if (request.host or "").rpartition(":")[0] not in NAMES:
            return web.Response(status=403, text="ask for 127.0.0.1\n")
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return web.Response(body=encode(metrics.registry), headers={"content-type": kind})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        told = False
        while True:
            try:
                await web.TCPSite(runner, HOST, port).start()
                break
            except OSError as error:
                if not told:
                    trouble("metrics", f"port {port} can't be listened at: {error.strerror}")
                told = True
                await asyncio.sleep(AGAIN)
        if told:
            trouble("metrics", "")
        await asyncio.get_running_loop().create_future()
    finally:
        await runner.cleanup()
