"""Skeleton: replaced by the room's own hand."""

import asyncio

from aiohttp import web

from engine.wire.futures.rest import Futures


class Connection:
    """One client."""

    def cut(self) -> None:
        """Break the line."""


class Stream:
    """All connections."""

    def __init__(self, futures: Futures) -> None:
        self.connections: dict[Connection, None] = {}

    def routes(self) -> list[web.RouteDef]:
        """Where it answers."""
        return []

    async def beat(self) -> None:
        """Heartbeats."""
        await asyncio.Event().wait()
