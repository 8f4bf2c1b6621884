"""How old each symbol's newest price is, and whether that is too old."""

from collections.abc import Iterable


class Ages:
    """The times of the newest ticks; a price older than `limit` ns is stale, and so is one that never came.

    `symbols` are those of which prices are expected; others are added by their first tick.
    """

    def __init__(self, limit: int, symbols: Iterable[str] = ()) -> None:
        if limit <= 0:
            raise ValueError(f"ages: limit is {limit} ns; it must be above zero")
        self.limit = limit
        """Nanoseconds up to which a price is fresh."""
        self._seen: dict[str, int | None] = dict.fromkeys(symbols)

    def expect(self, symbol: str) -> None:
        """A price of this symbol is wanted from now on."""
        self._seen.setdefault(symbol, None)

    def forget(self, symbol: str) -> None:
        """A price of this symbol is no longer wanted."""
        self._seen.pop(symbol, None)

    def seen(self, symbol: str, at: int) -> None:
        """A tick of the time `at` (ns) has come; an older one than the newest changes nothing."""
        last = self._seen.get(symbol)
        if last is None or at > last:
            self._seen[symbol] = at

    def age(self, symbol: str, now: int) -> int | None:
        """Nanoseconds since the symbol's newest tick, zero for one from the future; None if none ever came."""
        last = self._seen.get(symbol)
        return None if last is None else max(0, now - last)

    def is_stale(self, symbol: str, now: int) -> bool:
        """Whether the symbol has no price that is fresh enough."""
        age = self.age(symbol, now)
        return age is None or age > self.limit

    def stale(self, now: int) -> tuple[str, ...]:
        """The expected symbols without a fresh price, in the order in which they were first named."""
        return tuple(symbol for symbol in self._seen if self.is_stale(symbol, now))
