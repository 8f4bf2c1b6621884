"""The endpoint that Prometheus scrapes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.outlets.listening import listen
from engine.outlets.metrics import Metrics

if TYPE_CHECKING:
    pass


async def serve(metrics: Metrics, port: int, trouble: Callable[[str, str], None]) -> None:
    """Answer `GET /metrics` for ever; `trouble` as in `listen`."""
    from aiohttp import web
    from prometheus_client.exposition import choose_encoder

    async def answer(request: web.Request) -> web.Response:
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return web.Response(body=encode(metrics.registry), headers={"content-type": kind})

    await listen("metrics", "/metrics", port, answer, trouble)
