"""The symbols whose prices an engine hears: added and dropped while it runs.

Nothing is dropped that something is open in, or that turns money of the account into its currency.
What was added is kept in the account's home, so that whatever is open in it when the engine starts
again is heard from the first moment; the rest is forgotten then.
"""

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from engine.desk import needed
from engine.desk.messages import Listed
from engine.grammar.vocabulary import Vocabulary
from engine.market import MarketError
from engine.model.instrument import Instrument
from engine.runtime.engine import Engine
from engine.setup.listening import Symbols
from engine.venues.protocol import VenueError

NAMED = 6
"""Symbols that a refusal names at most."""
LOOK = 1.0
"""Seconds between two looks whether anything is open in what is not heard."""


Asked = Callable[[str, Callable[[], Awaitable[object]]], Awaitable[object]]
"""Has a question of the opening answered, however often it must be asked."""


class HeardError(ValueError):
    """It was not done; the text says why, and what may be said."""


class Heard:
    """Adds and drops the symbols of one engine."""

    def __init__(
        self, engine: Engine, symbols: Symbols, keep: Callable[[tuple[str, ...]], bool]
    ) -> None:
        """`keep` writes down which symbols were added; whether that worked."""
        self._engine, self._symbols, self._keep = engine, symbols, keep
        self._added: tuple[str, ...] = ()
        self._turn = asyncio.Lock()
        self._watching = False
        self.begun: Callable[[str], object] = lambda symbol: None
        """Hears of each symbol that is heard from now on."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """All that are heard, in the order in which they came."""
        return self._symbols.heard()

    async def recall(self, added: tuple[str, ...], ask: Asked) -> None:
        """Before the engine starts: hear everything that something is open in, and nothing else of
        what was `added` by an earlier one. `ask` has a question of the opening answered.
        """
        used = needed.open_in(self._engine.state)
        for symbol in (one for one in added if one in self.symbols and one not in used):
            self._symbols.drop(symbol)
        for symbol in sorted(used - set(self.symbols)):
            try:
                await ask(f"prices of {symbol}", partial(self._symbols.add, symbol))
            except (VenueError, MarketError, ValueError, KeyError) as error:
                self._engine.complain(f"prices of {symbol}, in which something is open: {error}")
        self._added = tuple(one for one in added if one in used)
        if self._added != added:
            self._keep(self._added)

    async def add(self, said: str) -> str:
        """Hear a symbol, too; what was done. Raises HeardError."""
        async with self._turn:
            symbol = self._meant(said, self._symbols.listed())
            if symbol in self.symbols:
                return f"{symbol} is watched already"
            if not self._keep((*self._added, symbol)):
                raise HeardError(f"{symbol} can't be kept in the account's home: the disk is full")
            try:
                found = await self._symbols.add(symbol)
            except (VenueError, MarketError, ValueError) as error:
                self._keep(self._added)
                raise HeardError(f"{symbol} can't be watched: {error}") from error
            self._added = (*self._added, symbol)
            self._list(found)
        text = f"{symbol} is watched until this engine ends; longer while something is open in it"
        self._engine.teller.say("said", "good", text)
        return text

    def _list(self, found: Iterable[Instrument]) -> None:
        found = tuple(found)
        self._engine.gate.evidence.list(found)
        self._engine.post(Listed(found))
        for one in found:
            self.begun(one.symbol)

    async def drop(self, said: str) -> str:
        """Hear a symbol no more; what was done. Raises HeardError."""
        async with self._turn:
            engine, heard = self._engine, self.symbols
            symbol = self._meant(said, dict.fromkeys((*heard, *engine.state.instruments)))
            if symbol not in heard:
                return f"{symbol} is not watched"
            why = needed.why(engine.state, engine.board, symbol, heard)
            if why:
                raise HeardError(f"{symbol} can't be dropped: {why}")
            self._symbols.drop(symbol)
            engine.board.drop(symbol)
            self._added = tuple(one for one in self._added if one != symbol)
            self._keep(self._added)
            if not self._watching:
                self._watching = True
                engine.tasks.spawn("symbols", self._watch())
        text = f"{symbol} is not watched any more; watch add {symbol} watches it again"
        engine.teller.say("said", "plain", text)
        return text

    async def _watch(self) -> None:
        """A fill that comes late opens something again: it is heard again, too."""
        while True:
            await self._engine.clock.sleep(int(LOOK * 1_000_000_000))
            for symbol in needed.open_in(self._engine.state) - set(self.symbols):
                try:
                    await self.add(symbol)
                except HeardError as error:
                    self._engine.complain(str(error))

    def _meant(self, said: str, known: Iterable[str]) -> str:
        """The one symbol of a name. Raises HeardError naming what there is."""
        symbols = tuple(known)
        found = Vocabulary(symbols=symbols, currency=self._engine.state.currency).find(said)
        if len(found) == 1:
            return found[0]
        if found:
            raise HeardError(f"“{said}” may be {_some(found)}: write it out")
        by_text = {symbol.casefold(): symbol for symbol in symbols}
        near = difflib.get_close_matches(said.casefold(), by_text, NAMED, 0.5)
        few = [by_text[one] for one in near] or list(symbols)
        raise HeardError(f"unknown symbol “{said}”; allowed: {_some(few, len(symbols))}")


def _some(symbols: Iterable[str], of: int = 0) -> str:
    """The first few, and how many there are beside them."""
    named = list(symbols)
    shown, more = named[:NAMED], max(of, len(named)) - min(len(named), NAMED)
    return ", ".join(shown) + (f" and {more} more" if more else "")
