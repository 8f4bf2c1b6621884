"""HTTP in front of a world, as lossy as its faults say: requests that never arrive, answers that
are lost, delays, storms.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from engine.clock import SECOND
from engine.wire.conduct import may_act, page_of
from engine.wire.world import World

HANG = 60.0
"""Seconds for which a lost request is left hanging: longer than clients wait."""
_encode = msgspec.json.Encoder(decimal_format="number").encode

Answer = Callable[[], object]


def encode(value: object) -> bytes:
    """JSON, with decimals as exact numbers."""
    return _encode(value)


def reply(value: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=encode(value), content_type="application/json", charset="utf-8", status=status
    )


def drop(request: web.Request) -> None:
    """Cut the line without a word."""
    if request.transport is not None:
        request.transport.abort()


def is_broken(world: World) -> bool:
    """Whether the line is down now, as the faults say."""
    interval = world.faults.disconnect
    return interval is not None and interval.is_on(world.now() - world.began)


def is_stormy(world: World) -> bool:
    """Whether everyone is refused now for asking too much."""
    storm = world.faults.rate_limit_storm
    return storm is not None and storm.is_on(world.now() - world.began)


async def carried(
    world: World, request: web.Request, act: Callable[[], object], storm: object
) -> web.StreamResponse:
    """Carry out a request through the faults; `storm` is what the exchange answers while it refuses
    everyone.
    """
    faults, random = world.faults, world.random
    if is_stormy(world):
        return reply(storm)
    way = 0 if faults.delay is None else faults.delay.draw(random)
    lost = faults.lose_request and random.random() < faults.lose_request
    unheard = faults.lose_reply and random.random() < faults.lose_reply
    hangs = random.random() < 0.5
    page = world.conduct.page(random)
    if way:
        await asyncio.sleep(way / 2 / SECOND)
    if lost:
        return await _lose(request, hangs=hangs)
    if page is not None:
        if may_act(page) and random.random() < 0.5:
            act()
        return web.Response(
            text=page_of(page),
            content_type="text/plain" if page == 429 else "text/html",
            status=page,
        )
    answer = act()
    if unheard:
        return await _lose(request, hangs=hangs)
    if way:
        await asyncio.sleep((way - way / 2) / SECOND)
    return reply(answer)


async def _lose(request: web.Request, *, hangs: bool) -> web.StreamResponse:
    """No answer: the line is cut, or nothing comes until the client gives up."""
    if hangs:
        await asyncio.sleep(HANG)
    drop(request)
    return web.Response(status=500)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
