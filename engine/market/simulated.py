"""A market that is made up: endless, repeatable from its seed, and resumable."""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct

from engine.market.below import Below
from engine.market.past import made_up
from engine.market.simulation import SimulationSettings, listing
from engine.market.walk import Walk, WalkState
from engine.model.quote import Bar, Quote, Trade


class _Saved(Struct):
    """One symbol's course with what it has yet to say."""

    walk: WalkState
    waiting: list[Quote | Trade]


class SimulatedMarket:
    """Quotes and trades of several symbols in the order of their times, from `start` (ns) to
    `until` or without end.

    The same seed, symbols and settings give exactly the same ticks, and a symbol's do not depend on
    which others there are. Raises `MarketError` for a start price that doesn't fit its step.
    """

    def __init__(
        self,
        seed: int,
        symbols: Sequence[str],
        start: int = 0,
        settings: SimulationSettings | None = None,
        until: int | None = None,
    ) -> None:
        settings = settings or SimulationSettings()
        listings = {symbol: listing(symbol, settings) for symbol in symbols}
        self.ticks: dict[str, Decimal] = {
            symbol: listed.tick for symbol, listed in listings.items()
        }
        """The price step of each symbol."""
        self.lots: dict[str, Decimal] = {symbol: listed.lot for symbol, listed in listings.items()}
        """The size step of each symbol."""
        self._seed, self._settings = seed, settings
        self._started = dict.fromkeys(listings, start)
        self._listings = listings
        self._left: dict[str, _Saved] = {}
        """What was dropped, as it stood then."""
        self._given = start
        """Time of the newest tick that was given (ns)."""
        self._resumed: set[str] = set()
        self._until = until
        self._walks = [
            Walk(symbol, listed, settings, seed, start) for symbol, listed in listings.items()
        ]
        self._waiting: list[deque[Quote | Trade]] = [deque(walk.event()) for walk in self._walks]
        self._line_up()

    def _line_up(self) -> None:
        self._next = [(waiting[0].at, index) for index, waiting in enumerate(self._waiting)]
        heapq.heapify(self._next)

    def __iter__(self) -> Iterator[Quote | Trade]:
        return self

    def __next__(self) -> Quote | Trade:
        if not self._next:
            raise StopIteration
        at, index = self._next[0]
        if self._until is not None and at > self._until:
            raise StopIteration
        waiting = self._waiting[index]
        tick = waiting.popleft()
        self._given = at
        if not waiting:
            waiting.extend(self._walks[index].event())
        heapq.heapreplace(self._next, (waiting[0].at, index))
        return tick

    def past(self, symbol: str) -> dict[int, list[Bar]]:
        """What a chart shows of the time before the first price: bars by their length in ns, made
        up. None of a symbol that goes on: its past has happened.
        """
        listed = self._listings[symbol]
        if symbol in self._resumed:
            return {}
        began = self._started[symbol]
        return made_up(symbol, listed, self._settings, self._seed, listed.price, began)

    def add(self, symbol: str, at: int) -> None:
        """Play a symbol, too, from `at` (ns) on: as it stood when it was dropped, else as new.
        Raises `MarketError` for a start price that doesn't fit its step.
        """
        at, listed = max(at, self._given), listing(symbol, self._settings)
        self._listings[symbol], self.ticks[symbol] = listed, listed.tick
        self.lots[symbol] = listed.lot
        self._started.setdefault(symbol, at)
        walk = Walk(symbol, listed, self._settings, self._seed, at)
        self._walks.append(walk)
        self._waiting.append(deque(walk.event()))
        if symbol in self._left:
            self._go_on(len(self._walks) - 1, self._left.pop(symbol), at)
        self._line_up()

    def drop(self, symbol: str) -> None:
        """Play a symbol no more; where it stood is remembered."""
        index = next(i for i, walk in enumerate(self._walks) if walk.symbol == symbol)
        self._left[symbol] = _Saved(self._walks[index].saved(), list(self._waiting[index]))
        del self._walks[index], self._waiting[index]
        self._line_up()

    def below(self, symbol: str) -> Below:
        """What stands below the best prices of a symbol."""
        return Below(symbol, self._listings[symbol], self._settings, self._seed)

    def state(self) -> dict[str, str]:
        """What `resume` needs to go on exactly from here: a text per symbol, to be kept as
        it is.
        """
        now = {
            walk.symbol: _Saved(walk.saved(), list(waiting))
            for walk, waiting in zip(self._walks, self._waiting, strict=True)
        }
        saved = {**self._left, **now}
        return {symbol: msgspec.json.encode(one).decode() for symbol, one in saved.items()}

    def resume(self, state: Mapping[str, str], at: int | None = None) -> None:
        """Go on from a kept state; with `at` (ns), from there on in time, with the prices of then.

        Symbols that the state doesn't know start as new. Raises `ValueError` (msgspec's) for a text
        that `state` didn't make.
        """
        for index, walk in enumerate(self._walks):
            if walk.symbol not in state:
                continue
            self._go_on(index, msgspec.json.decode(state[walk.symbol], type=_Saved), at)
        self._line_up()

    def _go_on(self, index: int, saved: _Saved, at: int | None) -> None:
        walk, shift = self._walks[index], 0 if at is None else max(0, at - saved.waiting[0].at)
        saved.walk.at += shift
        walk.resume(saved.walk)
        self._resumed.add(walk.symbol)
        self._waiting[index] = deque(
            msgspec.structs.replace(tick, at=tick.at + shift) for tick in saved.waiting
        )
