"""What was true at the venue, and when: it reads the exchange's own books, and none of ours."""

from decimal import Decimal

from msgspec import Struct

from engine.exchange import Exchange
from engine.model.money import ZERO
from engine.model.order import TRIGGERED, OrderType
from engine.model.side import Side


class Truth(Struct, frozen=True):
    """One moment at the venue."""

    held: Decimal
    """Signed."""
    covered: Decimal
    """How much of it resting stops would close."""
    entries: int
    """Orders of ours that would open or enlarge."""

    @property
    def flat(self) -> bool:
        """Nothing is held, and nothing would open."""
        return not self.held and not self.entries

    @property
    def bare(self) -> bool:
        """Whether something is held that no stop at the venue covers."""
        return self.covered < abs(self.held)


def truth_of(exchange: Exchange, symbol: str) -> Truth:
    """What the venue holds and has resting in a symbol. What is below its smallest order counts as
    nothing.
    """
    instrument = exchange.instruments[symbol]
    held = exchange.ledger.held(instrument)
    if abs(held) < instrument.min_size:
        held = ZERO
    closes = Side.SELL if held > ZERO else Side.BUY
    covered, entries = ZERO, 0
    for order in exchange.orders.values():
        if order.symbol != symbol or order.foreign:
            continue
        stop = order.type in TRIGGERED and order.type is not OrderType.TAKE_PROFIT
        if held and order.side is closes:
            covered += order.remaining if stop else ZERO
        elif not order.reduce_only and not stop:
            entries += 1
    return Truth(held, min(covered, abs(held)), entries)


class Judge:
    """Hears the truth again and again, and remembers since when it is as it is. Times are
    nanoseconds.
    """

    def __init__(self) -> None:
        self.began = 0
        """When the emergency began; 0 before."""
        self.best: int | None = None
        """When the venue would first have taken a close."""
        self.flat_since: int | None = None
        self.protected_since: int | None = None
        self.naked = 0
        """For how long something was held that no stop at the venue covered, since then."""
        self.spells: list[tuple[int, int]] = []
        """From when to when each time."""
        self._bare_since: int | None = None
        self._truth: Truth | None = None

    def begin(self, now: int) -> None:
        """The emergency begins."""
        self.began = now

    def hear(self, truth: Truth, now: int, *, takes: bool) -> None:
        """The truth of a moment; `takes` says whether the venue would take a close."""
        self._truth = truth
        if not self.began:
            return
        if takes and self.best is None:
            self.best = now
        self.flat_since = (self.flat_since or now) if truth.flat else None
        self.protected_since = (self.protected_since or now) if not truth.bare else None
        if truth.bare and self._bare_since is None:
            self._bare_since = now
        elif not truth.bare and self._bare_since is not None:
            self._spell(now)

    def end(self, now: int) -> None:
        """It is over."""
        if self._bare_since is not None:
            self._spell(now)

    def _spell(self, now: int) -> None:
        assert self._bare_since is not None
        self.spells.append((self._bare_since, now))
        self.naked += now - self._bare_since
        self._bare_since = None

    def met(self, goal: str) -> int | None:
        """Since when a goal has been met; None while it is not."""
        if goal == "flat":
            return self.flat_since
        return self.protected_since
