"""Several streams of ticks as one, in the order of their times; each is begun when its first time
comes, so that a folder of a thousand files has few of them open.

Ticks come in blocks: up to the time until which every open stream has been read, all that came
before it is sorted at once.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import chain
from operator import attrgetter

from engine.market.layout import MarketError
from engine.model.quote import Tick

Blocks = Iterator[list[Tick]]
Stream = tuple[int, Callable[[], Blocks]]
"""The time of its first tick, and what begins it: blocks of ticks, none of them empty, in the
order of their times.
"""
FOREVER = 1 << 63

_at = attrgetter("at")


class _Open:
    """A stream that has begun."""

    def __init__(self, order: int, blocks: Blocks) -> None:
        self.order = order
        self._blocks = blocks
        self._read: list[Tick] = []
        self.known = 0
        """Before this time no more can come."""
        self._failed: MarketError | None = None
        self.more()

    def more(self) -> None:
        """Read a block. What fails is told once all that came before it was taken."""
        try:
            block = next(self._blocks, None)
        except MarketError as error:
            block, self._failed = None, error
        if block is None:
            self.known = FOREVER
        else:
            self._read = self._read + block if self._read else block
            self.known = block[-1].at

    def before(self, at: int) -> list[Tick]:
        """Take what came before a time."""
        read = self._read
        if not read or read[-1].at < at:
            self._read = []
            return read
        place = bisect_left(read, at, key=_at)
        self._read = read[place:]
        return read[:place]

    @property
    def over(self) -> bool:
        """Whether all of it was taken. Raises MarketError if there is more that can't be read."""
        if self.known < FOREVER or self._read:
            return False
        if self._failed is not None:
            raise self._failed
        return True


def merged(streams: list[Stream]) -> Blocks:
    """All ticks in blocks; those of the same time in the order of the streams."""
    waiting = sorted(
        ((first, order, begin) for order, (first, begin) in enumerate(streams)), reverse=True
    )
    running: list[_Open] = []
    while waiting or running:
        horizon = min((one.known for one in running), default=FOREVER)
        while waiting and waiting[-1][0] <= horizon:
            _, order, begin = waiting.pop()
            running.append(_Open(order, begin()))
            running.sort(key=attrgetter("order"))
            horizon = min(one.known for one in running)
        parts = [part for one in running if (part := one.before(horizon))]
        if len(parts) == 1:
            yield parts[0]
        elif parts:
            yield sorted(chain.from_iterable(parts), key=_at)
        running = [one for one in running if not one.over]
        for one in running:
            if one.known == horizon:
                one.more()
