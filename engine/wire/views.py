"""What really is, as questions and the truth tell it."""

from collections import deque
from collections.abc import Callable
from copy import copy
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.clock import Clock
from engine.exchange import Exchange
from engine.exchange.ledger import Holding
from engine.model.order import Order


class Logged(Struct):
    """One request as it was received."""

    at: int
    path: str
    body: dict[str, str]
    method: str = ""
    outcome: str = ""
    """Empty while it is carried out, or where it was lost; `ok`, or the error text."""


class Seen(Struct, frozen=True):
    """The account as a question is answered: as it was a while ago, where views lag."""

    at: int
    orders: tuple[Order, ...]
    cash: dict[str, Decimal]
    kept: dict[str, Decimal]
    """What open orders keep of it."""
    on_margin: dict[str, Holding]
    """By symbol; none is empty."""


class Views:
    """The account as questions see it, which may be as it was a while ago."""

    def __init__(self, exchange: Exchange, clock: Clock, lag: Callable[[], int]) -> None:
        """`lag`: by how many nanoseconds views lag now."""
        self.exchange = exchange
        self.clock = clock
        self._rest_lag = lag
        self._seen: deque[Seen] = deque()
        self.remember()

    def seen(self) -> Seen:
        """The account as it was so long ago as views lag, and no older than that."""
        now = self.clock.now()
        if not self._rest_lag():
            return self._now_seen()
        at = now - self._rest_lag()
        found = next((seen for seen in reversed(self._seen) if seen.at <= at), self._seen[0])
        return replace(found, at=max(at, found.at))

    def _now_seen(self) -> Seen:
        ledger = self.exchange.ledger
        kept = {name: amount - ledger.free(name) for name, amount in ledger.cash.items()}
        held = {
            symbol: copy(holding) for symbol, holding in ledger.holdings.items() if holding.size
        }
        return Seen(
            self.clock.now(), tuple(self.exchange.orders.values()), dict(ledger.cash), kept, held
        )

    def remember(self) -> None:
        """Keep what a question that lags will be answered with."""
        lag, now = self._rest_lag(), self.clock.now()
        if lag or not self._seen:
            self._seen.append(self._now_seen())
            while len(self._seen) > 1 and self._seen[1].at <= now - lag:
                self._seen.popleft()
