"""Price moves on demand, laid over any market: `-12 %` over twenty seconds."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.model.money import NEAREST, ONE, on_grid
from engine.model.quote import Candle, Depth, Level, Quote, Tick, Trade


class Move(Struct, frozen=True):
    """A change of a symbol's price by a fraction, even in the logarithm, that stays."""

    fraction: Decimal
    at: int
    """When it begins, in ns."""
    over: int
    """How long it takes, in ns; 0 is at once."""

    def factor(self, now: int) -> Decimal:
        """What the price is multiplied by."""
        whole = ONE + self.fraction
        if now >= self.at + self.over:
            return whole
        if now <= self.at:
            return ONE
        return whole ** (Decimal(now - self.at) / self.over)


class ScriptedMoves:
    """The ticks of `source`, each price multiplied by the moves of its symbol and put back on its
    grid.

    `steps` are the price steps by symbol. A quote's bid stays below its ask, and no price falls
    below one step. Symbols without a move pass untouched. Depth levels are moved one by one: a
    level that came before a move and goes after it is not found under its old price.
    """

    def __init__(self, source: Iterable[Tick], steps: Mapping[str, Decimal]) -> None:
        self._source = source
        self._steps = dict(steps)
        self._moves: dict[str, list[Move]] = {}
        self._settled: dict[str, Decimal] = {}

    def step(self, symbol: str, step: Decimal) -> None:
        """Learn the price step of a symbol that came later."""
        self._steps[symbol] = step

    def move(self, symbol: str, fraction: Decimal, over: int, at: int) -> None:
        """From `at` (ns) on, move the price by `fraction` over `over` ns, on top of what other
        moves do.

        Raises `ValueError` for a symbol without a step, a fraction of -1 or less, or a negative
        time.
        """
        if symbol not in self._steps:
            raise ValueError(
                f"move: symbol is {symbol}; it must be one of {', '.join(self._steps)}"
            )
        if not fraction.is_finite() or fraction <= -1:
            raise ValueError(f"move: fraction is {fraction}; it must be above -1")
        if over < 0:
            raise ValueError(f"move: over is {over}; it must be at least zero")
        self._moves.setdefault(symbol, []).append(Move(fraction, at, over))

    def factor(self, symbol: str, now: int) -> Decimal:
        """What a symbol's prices are multiplied by. Finished moves are folded together, so `now`
        must not go back.
        """
        factor = self._settled.get(symbol, ONE)
        moves = self._moves.get(symbol)
        if moves:
            for move in [move for move in moves if now >= move.at + move.over]:
                moves.remove(move)
                self._settled[symbol] = factor = factor * (ONE + move.fraction)
            for move in moves:
                factor *= move.factor(now)
        return factor

    def __iter__(self) -> Iterator[Tick]:
        moves, settled = self._moves, self._settled
        for tick in self._source:
            symbol = tick.symbol
            if symbol in moves or symbol in settled:
                yield self._moved(tick)
            else:
                yield tick

    def state(self) -> dict[str, str]:
        """What `resume` needs: a text per moved symbol."""
        symbols = self._moves.keys() | self._settled.keys()
        return {
            symbol: msgspec.json.encode(self._saved(symbol)).decode() for symbol in sorted(symbols)
        }

    def _saved(self, symbol: str) -> tuple[Decimal, list[Move]]:
        return self._settled.get(symbol, ONE), self._moves.get(symbol, [])

    def resume(self, state: Mapping[str, str]) -> None:
        """Take over the moves of a kept state."""
        for symbol, text in state.items():
            settled, moves = msgspec.json.decode(text, type=tuple[Decimal, list[Move]])
            self._settled[symbol], self._moves[symbol] = settled, moves

    def _moved(self, tick: Tick) -> Tick:
        factor = self.factor(tick.symbol, tick.at)
        if factor == ONE:
            return tick
        step = self._steps[tick.symbol]

        def moved(price: Decimal) -> Decimal:
            return max(step, on_grid(price * factor, step, NEAREST))

        match tick:
            case Quote():
                bid = moved(tick.bid)
                return replace(tick, bid=bid, ask=max(moved(tick.ask), bid + step))
            case Trade():
                return replace(tick, price=moved(tick.price))
            case Candle():
                prices = (moved(price) for price in (tick.open, tick.high, tick.low, tick.close))
                return replace(
                    tick, **dict(zip(("open", "high", "low", "close"), prices, strict=True))
                )
            case Depth():
                levels = tuple(
                    Level(level.side, moved(level.price), level.size) for level in tick.levels
                )
                return replace(tick, levels=levels)
