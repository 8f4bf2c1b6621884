"""What may be asked: the venue's own limit model at the account's tier, from the counters that the
dead engine left.

Each question waits until the counter admits it, so that nothing is refused and nothing is wasted.
Questions leave a reserve alone where orders share their counter: what the cancels and closes that
are still to come will cost.
"""

from collections.abc import Iterable

from engine.clock import SECOND, Clock
from engine.model import limits
from engine.model.limits import Level, LimitModel, Window
from engine.model.money import ONE
from engine.model.order import Order, OrderType, Role
from engine.model.request import Cancel, Lane, Query, Request, Submit
from engine.model.side import Side

ASSUMED = 0.8
"""Share of each counter that counts as used where nobody left counters: an engine keeps the rest
for its own flatten.
"""
ASKED = 0.4
"""The same of counters that only questions are charged to: where that is too little, the venue
refuses one of them, and nothing is lost.
"""
SHARE = 0.6
"""Most of a counter that is kept from questions."""


class OutOfTimeError(Exception):
    """The limits admit the next question only after the time that this exit may take."""


class Budget:
    """The counters of one account."""

    def __init__(self, model: LimitModel, clock: Clock, until: int) -> None:
        self._model = model
        self._clock = clock
        self.until = until
        """When this exit must be over (nanoseconds)."""
        self.reserve = 0.0
        """Kept from questions, in each counter that orders are charged to."""
        self._orders: set[str] = set()

    def start(self, counters: tuple[Level, ...], symbols: Iterable[str]) -> None:
        """Take over the counters that were left, or assume what a dead engine may have used."""
        now = self._clock.now()
        limits.restore(self._model, counters, now)
        known = {level.name for level in counters}
        for symbol in symbols:
            order = Order("X", "", symbol, Side.SELL, OrderType.MARKET, Role.CLOSE, ONE)
            charged = self._model.charges(Submit(order, Lane.EMERGENCY), now)
            self._orders |= {name for name, _ in charged}
            asked = self._model.charges(Query("X", symbol, Lane.EMERGENCY), now)
            for name in dict.fromkeys(name for name, _ in (*charged, *asked)):
                if name not in known and not counters:
                    known.add(name)
                    counter = self._model.counter(name)
                    counter.spend(
                        counter.capacity * (ASSUMED if name in self._orders else ASKED), now
                    )

    async def pay(self, name: str, cost: float) -> None:
        """Wait until a question may be asked, and count it. Raises OutOfTimeError."""
        counter = self._model.counter(name)
        keep = min(self.reserve, counter.capacity * SHARE) if name in self._orders else 0.0
        while (pause := counter.wait(cost, self._clock.now(), keep)) > 0:
            if self._clock.now() + pause > self.until:
                raise OutOfTimeError(
                    f"the venue's limits admit the next question only in {pause / SECOND:.0f} s"
                )
            await self._clock.sleep(pause)
        counter.spend(cost, self._clock.now())

    async def leave(self, request: Request) -> None:
        """Wait until an order, a cancel or a question about an order may leave, and count it.
        Raises OutOfTimeError.
        """
        while (pause := limits.wait(self._model, request, self._clock.now(), {})) > 0:
            if self._clock.now() + pause > self.until:
                raise OutOfTimeError(
                    f"the venue's limits admit the next request only in {pause / SECOND:.0f} s"
                )
            await self._clock.sleep(pause)
        limits.spend(self._model, request, self._clock.now())

    def pause(self, requests: Iterable[Request]) -> int:
        """Nanoseconds until all of these may leave together; zero means now."""
        now, sums = self._clock.now(), dict[str, float]()
        for request in requests:
            for name, cost in self._model.charges(request, now):
                sums[name] = sums.get(name, 0.0) + cost
        counters = {name: self._model.counter(name) for name in sums}
        return max(
            (
                counters[name].wait(min(cost, counters[name].capacity), now, 0.0)
                for name, cost in sums.items()
            ),
            default=0,
        )

    def refused(self, names: Iterable[str]) -> None:
        """The venue says that its limits are reached: nothing is left of these counters, whatever
        was counted here.
        """
        now = self._clock.now()
        for name in names:
            counter = self._model.counter(name)
            if isinstance(counter, Window):
                counter.spend(counter.capacity * 0.2, now)
            else:
                counter.fill(now)

    def refused_request(self, request: Request) -> None:
        """The same, of a request."""
        self.refused(name for name, _ in self._model.charges(request, self._clock.now()))

    def keep_for(self, cancels: int, closes: int) -> None:
        """Keep from questions what so many cancels and closes will cost at most."""
        now = self._clock.now()
        order = Order("X", "", "X", Side.SELL, OrderType.MARKET, Role.CLOSE, ONE)
        cancel = sum(
            cost
            for _, cost in self._model.charges(
                Cancel("X", "X", Lane.EMERGENCY, touched_at=now), now
            )
        )
        close = sum(cost for _, cost in self._model.charges(Submit(order, Lane.EMERGENCY), now))
        self.reserve = cancel * cancels + 2 * close * closes
