"""A WebSocket of an exchange: from its opening to its end."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

import msgspec
from aiohttp import WSMsgType, web

from engine.wire.line import Json, L
from engine.wire.lossy import is_broken
from engine.wire.world import World

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


async def serve(
    request: web.Request,
    world: World,
    lines: dict[L, None],
    connect: Callable[[web.WebSocketResponse], L],
) -> web.StreamResponse:
    """Talk to a client until it leaves or the line breaks; meanwhile it stands among the lines."""
    if is_broken(world):
        raise web.HTTPServiceUnavailable
    socket = web.WebSocketResponse(autoping=True, compress=False)
    await socket.prepare(request)
    line = connect(socket)
    lines[line] = None
    line.say(line.greeting())
    sender = asyncio.get_running_loop().create_task(line.send())
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                line.hear(message.data)
            if is_broken(world):
                break
    finally:
        lines.pop(line, None)
        sender.cancel()
    return socket


def decoded(text: str) -> Json | None:
    """A request; None for what is no JSON object, or has a number that nobody can hold."""
    try:
        asked = _decode(text)
    except (msgspec.DecodeError, ArithmeticError, RecursionError):
        return None
    return asked if isinstance(asked, dict) else None
