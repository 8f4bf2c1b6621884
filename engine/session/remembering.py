"""What a chart shows of the time before this process: what the market can tell of it, then what the
process before this one kept.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.account import candles
from engine.model.quote import Bar
from engine.runtime import Engine
from engine.runtime.heard import Heard
from engine.setup.environments import Environment
from engine.venues.protocol import VenueError

EVERY = 60.0
"""Seconds between two writings."""


class Remembering:
    """Reads and writes the candles of one account."""

    def __init__(self, engine: Engine, environment: Environment, folder: Path) -> None:
        self._engine, self._environment, self._folder = engine, environment, folder

    async def begin(self, heard: Heard) -> None:
        """Let prices flow, and remember them, also those of what is `heard` later."""
        spawn = self._engine.tasks.spawn
        await self._environment.begin(spawn)
        spawn("candles", self._remember())
        heard.begun = lambda symbol: spawn(f"past of {symbol}", self._recall(symbol, {}))

    async def _remember(self) -> None:
        engine, source = self._engine, self._environment.prices_of
        known = candles.read(self._folder, source) if source else {}
        for symbol in sorted({*engine.state.instruments, *known}):
            await self._recall(symbol, known.get(symbol, {}))
        while source:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(candles.write, self._folder, self._kept())

    async def _recall(self, symbol: str, known: Mapping[int, Sequence[Bar]]) -> None:
        """Know a symbol's time before now: what the market tells, and what was kept."""
        engine, now = self._engine, self._engine.clock.now()
        try:
            heard = symbol in self._environment.symbols.heard()
            told = await self._environment.past(symbol) if heard else {}
        except VenueError as error:
            engine.complain(f"no history of {symbol}: {error}")
            told = {}
        for bars in (told, known):
            begun = {
                length: [bar for bar in found if bar[0] <= now] for length, found in bars.items()
            }
            engine.history.begin(symbol, begun)

    def _kept(self) -> candles.Kept:
        history = self._engine.history
        bars = {symbol: history.kept(symbol) for symbol in history.symbols()}
        return candles.Kept(self._environment.prices_of, bars)

    def close(self) -> None:
        """Write down what was heard, unless somebody else has the account by now."""
        if self._environment.prices_of and not self._engine.read_only:
            candles.write(self._folder, self._kept())
