"""Skeleton: replaced by the room's own hand."""

from aiohttp import web

from engine.wire.keys import Key
from engine.wire.world import World


class Futures:
    """Kraken Futures over REST."""

    def __init__(self, world: World, key: Key) -> None:
        self.world = world
        self.key = key

    def routes(self) -> list[web.RouteDef]:
        """Where it answers."""
        return []
