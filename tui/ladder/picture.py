"""What was painted, and when: an order says which picture its trader saw."""

from collections import deque
from decimal import Decimal

from msgspec import Struct

from engine.model.intent import Seen
from engine.session.messages import DepthTold

KEPT = 64
"""Pictures that are remembered: some seconds of frames."""


class Picture(Struct, frozen=True):
    """A ladder as it stood on the screen."""

    painted_at: float
    """Monotonic seconds."""
    seen: Seen
    top: Decimal
    bottom: Decimal
    step: Decimal

    def painted(self, price: Decimal) -> bool:
        """Whether a row of this price was on the screen."""
        return self.bottom <= price <= self.top and not price % self.step


class Pictures:
    """The last pictures of a symbol."""

    def __init__(self) -> None:
        self._kept: deque[Picture] = deque(maxlen=KEPT)

    def clear(self) -> None:
        """Another symbol: what was seen of the last one says nothing."""
        self._kept.clear()

    def add(self, picture: Picture) -> None:
        """This was painted."""
        self._kept.append(picture)

    def at(self, moment: float) -> Picture | None:
        """What stood on the screen at a moment (monotonic seconds): a key that waited behind a busy
        loop was typed at an older picture than the last. None where nothing was.
        """
        for picture in reversed(self._kept):
            if picture.painted_at <= moment:
                return picture
        return None


def seen_of(symbol: str, told: DepthTold) -> Seen | None:
    """What an order says that was seen; None where a side has no price."""
    if not told.bids or not told.asks:
        return None
    return Seen(symbol, told.serial, told.now, told.bids[0][0], told.asks[0][0])
