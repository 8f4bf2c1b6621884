"""What the venue counts against us, as we know it; and what was sent."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from engine.clock import Clock
from engine.gateway.queue import Queue
from engine.model import limits
from engine.model.money import ONE
from engine.model.order import Order, OrderType, Role
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Request, Submit
from engine.model.side import Side


class Statistics(Struct):
    """What was sent, and how it went."""

    submit: int = 0
    amend: int = 0
    cancel: int = 0
    query: int = 0
    retried: int = 0
    unknown: int = 0
    rate_limited_by_venue: int = 0
    tokens_low_water: float | None = None
    """Least free tokens of any counter after a request."""


class Tokens:
    """The venue's counters, and what requests cost."""

    def __init__(
        self,
        model: limits.LimitModel,
        queue: Queue,
        clock: Clock,
        reserve: Callable[[], Mapping[str, float]],
        at_most: Callable[[], float],
    ) -> None:
        """`reserve` is what exits would cost now, by counter, and `at_most` a bound of it."""
        self.model = model
        self.statistics = Statistics()
        self._queue = queue
        self._clock = clock
        self._reserve = reserve
        self._at_most = at_most
        self._limited_until: int | None = None
        """Until when the venue's counters may be full; None before its first answer."""
        self._limited = True
        """Whether they may have been full lately: a new process does not know."""

    def levels(self) -> tuple[limits.Level, ...]:
        """The venue's counters as we know them."""
        return limits.levels(self.model, self._clock.now())

    def levels_after(self, requests: Iterable[Request]) -> tuple[limits.Level, ...]:
        """The counters once these and all that waits have left: what is journaled, so that a
        restart counts too much, not too little.
        """
        now = self._clock.now()
        costs: dict[str, float] = {}
        for request in (*requests, *(waiting.request for waiting in self._queue)):
            for name, cost in self.model.charges(request, now):
                costs[name] = costs.get(name, 0.0) + cost
        for name in costs:
            self.model.counter(name)
        return tuple(
            limits.Level(
                level.name,
                min(level.used + costs.get(level.name, 0.0), level.capacity),
                level.capacity,
                now,
            )
            for level in self.levels()
        )

    def restore(self, levels: tuple[limits.Level, ...]) -> None:
        """Take over the counters of an earlier run."""
        limits.restore(self.model, levels, self._clock.now())

    def charge(self, counter: str, cost: float) -> None:
        """Something was asked past the queue: the venue has counted it."""
        self.model.counter(counter).spend(cost, self._clock.now())

    def affordable(self, cancel: Cancel) -> bool:
        """Whether the tokens to cancel an order, to ask about it and to close what it held are
        there together.
        """
        now = self._clock.now()
        close = Order("", "", cancel.symbol, Side.SELL, OrderType.MARKET, Role.CLOSE, ONE)
        costs: dict[str, float] = {}
        for request in (
            cancel,
            Query(cancel.client_order_id, cancel.symbol),
            Submit(close, Lane.EMERGENCY),
        ):
            for name, cost in self.model.charges(request, now):
                costs[name] = costs.get(name, 0.0) + cost
        counters = {name: self.model.counter(name) for name in costs}
        return all(
            counter.wait(min(costs[name], counter.capacity), now, 0.0) <= 0
            for name, counter in counters.items()
        )

    def _pause(self, request: Request, now: int) -> int:
        """How long a request that must leave the reserve alone has to wait. The exact reserve is
        summed only where its bound does not fit.
        """
        most = self._at_most()
        if (
            limits.wait(
                self.model,
                request,
                now,
                {name: most for name, _ in self.model.charges(request, now)},
            )
            <= 0
        ):
            return 0
        return limits.wait(self.model, request, now, self._reserve())

    def _count(self, request: Request, now: int) -> None:
        statistics = self.statistics
        match request:
            case Submit():
                statistics.submit += 1
            case Amend():
                statistics.amend += 1
            case Cancel():
                statistics.cancel += 1
            case _:
                statistics.query += 1
        for name, _ in self.model.charges(request, now):
            counter = self.model.counter(name)
            free = counter.capacity - counter.used
            low = statistics.tokens_low_water
            statistics.tokens_low_water = free if low is None else min(low, free)

    # What the venue counts

    def _refused_for_limits(self, request: Request) -> None:
        """The venue has refused a request because of its limits."""
        now = self._clock.now()
        self.statistics.rate_limited_by_venue += 1
        self._limited, self._limited_until = True, now + limits.memory(self.model, request, now)
        # exits go on at once, whatever the venue counts
        if isinstance(request, Query | QueryAccount):
            limits.overrun(self.model, request, now)

    def _limits_are_over(self, request: Request) -> bool:
        """Whether the venue answers, and has counted nothing against us for as long as its counters
        remember: true once.
        """
        now = self._clock.now()
        if self._limited_until is None:
            self._limited_until = now + limits.memory(self.model, request, now)
        over = self._limited and now >= self._limited_until
        self._limited = self._limited and not over
        return over
