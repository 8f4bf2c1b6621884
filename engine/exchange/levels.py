"""The levels of a book as the market tells them, as far down as it tells them."""

from collections.abc import Iterator
from decimal import Decimal
from heapq import nlargest, nsmallest

from engine.model.money import ZERO
from engine.model.quote import Depth, Level, Quote
from engine.model.side import Side


class Levels:
    """Prices and sizes of both sides: BUY for bids."""

    def __init__(self) -> None:
        self._sides: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
        self._best: dict[Side, Decimal | None] = {Side.BUY: None, Side.SELL: None}
        self.at = 0
        """When the newest change was told, nanoseconds."""

    def known(self, side: Side) -> bool:
        """Whether any level of a side is known."""
        return bool(self._sides[side])

    def apply(self, symbol: str, depth: Depth) -> Quote | None:
        """Keep a change; the best quote where both sides show one."""
        self.at = depth.at
        if depth.snapshot:
            self._sides = {Side.BUY: {}, Side.SELL: {}}
            self._best = {Side.BUY: None, Side.SELL: None}
        for level in depth.levels:
            self._keep(level)
        bid, ask = self._best_of(Side.BUY), self._best_of(Side.SELL)
        if bid is None or ask is None or bid > ask:
            return None  # crossed for a moment, between two messages of one change
        bids, asks = self._sides[Side.BUY], self._sides[Side.SELL]
        return Quote(symbol, depth.at, bid, bids[bid], ask, asks[ask])

    def _keep(self, level: Level) -> None:
        side, best = level.side, self._best[level.side]
        if level.size:
            self._sides[side][level.price] = level.size
            if best is not None and (level.price - best) * side.sign > ZERO:
                self._best[side] = level.price
        else:
            self._sides[side].pop(level.price, None)
            if best == level.price:
                self._best[side] = None  # looked for when it is asked for

    def _best_of(self, side: Side) -> Decimal | None:
        best, levels = self._best[side], self._sides[side]
        if best is None and levels:
            best = self._best[side] = max(levels) if side is Side.BUY else min(levels)
        return best

    def ladder(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        """The levels of a side, best first."""
        yield from sorted(self._sides[side].items(), reverse=side is Side.BUY)

    def best(self, side: Side, count: int) -> tuple[tuple[Decimal, Decimal], ...]:
        """Up to `count` levels of a side, best first."""
        levels = self._sides[side]
        prices = nlargest(count, levels) if side is Side.BUY else nsmallest(count, levels)
        return tuple((price, levels[price]) for price in prices)

    def queue(self, side: Side, price: Decimal) -> Decimal | None:
        """What is displayed at a price of a side whose levels are known; None beyond the last of
        them, where nobody can see.
        """
        levels = self._sides[side]
        if price in levels:
            return levels[price]
        last = min(levels) if side is Side.BUY else max(levels)
        return ZERO if (price - last) * side.sign > ZERO else None
