"""Rate-limit models: plain arithmetic on counters that a venue keeps for us and punishes us by.

A counter fills with the cost of each request and drains with time. The desk's side uses a model to
hold back; the paper venue and the wire server use the same arithmetic to refuse. Tests hold both
against an independent slow model.
"""

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import ClassVar, Protocol

from msgspec import Struct

from engine.model.request import Amend, Cancel, Query, QueryAccount, Request, Submit, symbol_of

SECOND = 1_000_000_000

Charge = tuple[str, float]
"""The name of a counter and what a request adds to it."""


class Level(Struct, frozen=True, gc=False):
    """What a counter holds at a moment, as it is persisted and shown."""

    name: str
    used: float
    capacity: float
    at: int
    """Wall clock, nanoseconds."""

    @property
    def free(self) -> float:
        """What may still be spent."""
        return self.capacity - self.used


class Counter:
    """Fills by costs, drains at a steady rate, never below zero."""

    __slots__ = ("at", "capacity", "delay", "drain", "used")

    def __init__(self, capacity: float, drain: float, delay: float = 0.0) -> None:
        self.capacity = capacity
        self.delay = delay
        """Seconds by which one request may have taken longer to arrive than the next: so much less
        may have drained where it counts.
        """
        self.drain = drain
        """Per second."""
        self.used = 0.0
        self.at = 0

    def settle(self, now: int) -> None:
        """Drain up to `now`; a clock that went backwards drains nothing."""
        if now > self.at:
            self.used = max(0.0, self.used - self.drain * (now - self.at) / SECOND)
            self.at = now

    def wait(self, cost: float, now: int, keep: float) -> int:
        """Nanoseconds until `cost` may be spent with `keep` left over; zero means now."""
        self.settle(now)
        excess = self.used + cost + keep - self.capacity
        excess += max(0.0, min(self.drain * self.delay, self.capacity - cost - keep))
        if excess <= 1e-9:
            return 0
        return int(excess / self.drain * SECOND) + 1

    def spend(self, cost: float, now: int) -> None:
        """Add `cost`."""
        self.settle(now)
        self.used += cost

    def fill(self, now: int) -> None:
        """Whoever counts says that nothing is left."""
        self.settle(now)
        self.used = max(self.used, self.capacity)


class Window:
    """At most `capacity` in any `seconds`: exact, by remembering what was spent when."""

    __slots__ = ("_spent", "at", "capacity", "seconds", "used")

    def __init__(self, capacity: float, seconds: float, delay: float = 0.0) -> None:
        self.capacity = capacity
        self.seconds = seconds + delay
        self.used = 0.0
        self.at = 0
        self._spent: deque[tuple[int, float]] = deque()

    def settle(self, now: int) -> None:
        """Forget what is older than the window."""
        self.at = max(self.at, now)
        horizon = self.at - int(self.seconds * SECOND)
        while self._spent and self._spent[0][0] <= horizon:
            self.used -= self._spent.popleft()[1]

    def wait(self, cost: float, now: int, keep: float) -> int:
        """Nanoseconds until `cost` may be spent with `keep` left over; zero means now."""
        self.settle(now)
        excess = self.used + cost + keep - self.capacity
        if excess <= 1e-9:
            return 0
        for at, amount in self._spent:
            excess -= amount
            if excess <= 1e-9:
                return max(at + int(self.seconds * SECOND) - self.at, 1)
        return int(self.seconds * SECOND)

    def spend(self, cost: float, now: int) -> None:
        """Add `cost`."""
        self.settle(now)
        self._spent.append((self.at, cost))
        self.used += cost


class LimitModel(Protocol):
    """What a venue counts."""

    @property
    def ages(self) -> float:
        """Seconds after which an order's age changes no cost any more; zero where it never does."""
        ...

    def charges(self, request: Request, now: int) -> tuple[Charge, ...]:
        """What a request adds to which counters."""
        ...

    def counter(self, name: str) -> Counter | Window:
        """The counter of that name, made when first asked for."""
        ...

    def counters(self) -> Mapping[str, Counter | Window]:
        """All counters so far."""
        ...


class _Counters:
    """Counters by name, made by a recipe."""

    def __init__(
        self, make: Callable[[str], Counter | Window], delay: float, ages: float = 0.0
    ) -> None:
        self.delay = delay
        self.ages = ages
        self._make = make
        self._counters: dict[str, Counter | Window] = {}

    def counter(self, name: str) -> Counter | Window:
        found = self._counters.get(name)
        if found is None:
            found = self._counters[name] = self._make(name)
        return found

    def counters(self) -> Mapping[str, Counter | Window]:
        return self._counters


class TokenBucket(_Counters):
    """One bucket for everything: each request costs one."""

    def __init__(self, burst: float, per_second: float, delay: float = 0.0) -> None:
        super().__init__(lambda _: Counter(burst, per_second, delay), delay)

    def charges(self, request: Request, now: int) -> tuple[Charge, ...]:
        """One, from the only bucket."""
        return (("requests", 1.0),)


def _by_age(age: int, steps: tuple[tuple[float, float], ...]) -> float:
    seconds = age / SECOND
    return next((cost for limit, cost in steps if seconds < limit), 0.0)


CANCEL_BY_AGE = ((5.0, 8.0), (10.0, 6.0), (15.0, 5.0), (45.0, 4.0), (90.0, 2.0), (300.0, 1.0))
AMEND_BY_AGE = ((5.0, 3.0), (10.0, 2.0), (15.0, 1.0))


class KrakenSpotLimits(_Counters):
    """Kraken spot: a counter for REST questions and one per pair in the matching engine, whose
    costs depend on the order's age.

    Source: Kraken API centre, spot rate limits guide, read 2026-11: add 1; amend 1 and 3/2/1 below
    5/10/15 s; cancel 8/6/5/4/2/1 below 5/10/15/45/90/300 s; thresholds 60/125/180 draining
    1/2.34/3.75 per second; REST 15/20/20 draining 0.33/0.5/1, history costs 2.
    """

    TIERS: ClassVar = {
        "starter": (15.0, 0.33, 60.0, 1.0),
        "intermediate": (20.0, 0.5, 125.0, 2.34),
        "pro": (20.0, 1.0, 180.0, 3.75),
    }

    def __init__(self, tier: str = "starter", delay: float = 0.0) -> None:
        if tier not in self.TIERS:
            raise ValueError(f"limits: tier is {tier!r}; allowed: {', '.join(self.TIERS)}")
        rest, rest_drain, pair, pair_drain = self.TIERS[tier]
        ages = max(limit for limit, _ in (*CANCEL_BY_AGE, *AMEND_BY_AGE)) + delay
        super().__init__(
            lambda name: (
                Counter(rest, rest_drain, delay)
                if name == "rest"
                else Counter(pair, pair_drain, delay)
            ),
            delay,
            ages,
        )

    def charges(self, request: Request, now: int) -> tuple[Charge, ...]:
        """Costs by kind and by the age of the order, which may be younger where it counts."""
        now -= int(self.delay * SECOND)
        match request:
            case Submit():
                return ((symbol_of(request), 1.0),)
            case Amend(touched_at=touched):
                return ((symbol_of(request), 1.0 + _by_age(now - touched, AMEND_BY_AGE)),)
            case Cancel(touched_at=touched):
                return ((symbol_of(request), _by_age(now - touched, CANCEL_BY_AGE)),)
            case Query():
                return (("rest", 2.0),)  # by our id: open orders 1, closed orders 1
            case QueryAccount(on_margin=on_margin):
                # open orders 1, balances 1, trade history 2, positions 1
                return (("rest", 5.0 if on_margin else 4.0),)


class KrakenFuturesLimits(_Counters):
    """Kraken Futures: 500 per 10 s; send, edit, cancel 10; executions, open orders, positions and
    accounts 2 each; history 100 per 10 min.

    What a question costs beyond this, such as further pages or the history, the venue tells
    (`Charged`).

    Source: Kraken Futures API documentation, rate limits, read 2026-11.
    """

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__(
            lambda name: (
                Window(100.0, 600.0, delay) if name == "history" else Window(500.0, 10.0, delay)
            ),
            delay,
        )

    def charges(self, request: Request, now: int) -> tuple[Charge, ...]:
        """Costs by kind."""
        match request:
            case Submit() | Amend() | Cancel():
                return (("derivatives", 10.0),)
            case Query():
                return (("derivatives", 2.0),)
            case QueryAccount():
                return (("derivatives", 8.0),)


def wait(model: LimitModel, request: Request, now: int, keep: Mapping[str, float]) -> int:
    """Nanoseconds until the model admits `request` leaving `keep` per counter untouched; zero means
    now.
    """
    return max(
        (
            model.counter(name).wait(cost, now, keep.get(name, 0.0))
            for name, cost in model.charges(request, now)
        ),
        default=0,
    )


def spend(model: LimitModel, request: Request, now: int) -> None:
    """Count `request` as sent."""
    for name, cost in model.charges(request, now):
        model.counter(name).spend(cost, now)


def memory(model: LimitModel, request: Request, now: int) -> int:
    """Nanoseconds after which the counters that `request` fills have forgotten all of it, however
    full they were.
    """
    counters = (model.counter(name) for name, _ in model.charges(request, now))
    seconds = (
        one.seconds if isinstance(one, Window) else one.capacity / one.drain for one in counters
    )
    return int(max(seconds, default=0.0) * SECOND)


def overrun(model: LimitModel, request: Request, now: int) -> None:
    """The venue refused `request` for its limits: what drains steadily is full there, whatever was
    counted here. A window is left as it is.
    """
    for name, _ in model.charges(request, now):
        counter = model.counter(name)
        if isinstance(counter, Counter):
            counter.fill(now)


def levels(model: LimitModel, now: int) -> tuple[Level, ...]:
    """All counters, settled to `now`."""
    told = []
    for name, counter in sorted(model.counters().items()):
        counter.settle(now)
        told.append(Level(name, round(counter.used, 6), counter.capacity, now))
    return tuple(told)


def restore(model: LimitModel, told: tuple[Level, ...], now: int) -> None:
    """Take over levels of an earlier run, drained by the wall clock that went by."""
    for level in told:
        counter = model.counter(level.name)
        at = min(level.at, now)
        if isinstance(counter, Window):
            if level.used:
                counter.settle(at)
                counter.spend(level.used, at)
        else:
            counter.at, counter.used = at, level.used
        counter.settle(now)


LIMIT_MODELS: dict[str, Callable[[Mapping[str, str | Decimal], float], LimitModel]] = {
    "token-bucket": lambda options, delay: TokenBucket(
        float(options["burst"]), float(options["per_second"]), delay
    ),
    "kraken-spot": lambda options, delay: KrakenSpotLimits(
        str(options.get("tier", "starter")), delay
    ),
    "kraken-futures": lambda _, delay: KrakenFuturesLimits(delay),
}
"""By the name that a venue profile uses."""
