"""Venues that only answer: what `status --venue` and `doctor` ask, through types that have no way
to submit, amend or cancel.

Two walls, so that one mistake is not enough. `Looking` has no method that changes anything; and the
line behind it carries an allow-list of questions: a request that is not on it is refused before it
is signed. `Validating`, the doctor's own door, adds the dry run, and its line lets an order pass
only where it says `validate`.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.clock import Clock
from engine.model.instrument import Instrument
from engine.model.order import Order
from engine.model.profile import Profile
from engine.model.quote import Quote, Trade
from engine.model.report import Picture, VenueReport
from engine.model.request import Lane, QueryAccount
from engine.venues.live.account import KeyFacts, Where
from engine.venues.live.dialects import dialect
from engine.venues.live.keys import find
from engine.venues.live.rest import Rest
from engine.venues.live.venue import LiveVenue
from engine.venues.profiles import profile
from engine.venues.protocol import OutcomeUnknownError, RefusedError

QUESTIONS = frozenset(
    {
        *(
            f"private_post_{name}"
            for name in ("getwebsocketstoken", "getapikeyinfo", "balanceex", "openpositions")
        ),
        *(
            f"private_post_{name}"
            for name in (
                "openorders",
                "closedorders",
                "queryorders",
                "querytrades",
                "tradeshistory",
            )
        ),
        *(f"private_get_{name}" for name in ("openorders", "fills", "openpositions", "accounts")),
        *("private_post_orders_status", "private_get_orders_status", "history_get_executions"),
    }
)
"""Signed requests that change nothing: of Kraken spot and of Kraken Futures, by ccxt's names."""
DRY = "private_post_addorder"


class QuestionsOnly(Rest):
    """A line that carries questions. Raises RefusedError for anything else, before it is signed."""

    async def private(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        """A signed question."""
        if method not in QUESTIONS:
            raise RefusedError(f"{method} is no question: whoever only looks sends nothing else")
        return await super().private(method, params, lane)


class QuestionsAndDryRuns(QuestionsOnly):
    """A line that carries questions, and orders that the exchange only validates."""

    async def private(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        """A signed question, or a dry run."""
        if method == DRY and params.get("validate") == "true":
            return await Rest.private(self, method, params, lane)
        return await super().private(method, params, lane)


class Looking:
    """An exchange that is looked at."""

    def __init__(self, venue: LiveVenue) -> None:
        self._venue = venue

    @property
    def profile(self) -> Profile:
        """What it can do."""
        return self._venue.profile

    @property
    def prefix(self) -> str:
        """With what our client order ids begin."""
        return self._venue.prefix

    async def instruments(self) -> tuple[Instrument, ...]:
        """What is traded there. Raises VenueError."""
        return await self._venue.instruments()

    async def picture(self, since: int) -> Picture:
        """The account: open orders, balances, holdings, and executions since then (nanoseconds).
        Raises VenueError.
        """
        for answer in await self._venue.send(QueryAccount(since, Lane.QUERY, on_margin=True)):
            if isinstance(answer, Picture):
                return answer
        raise OutcomeUnknownError("the exchange told no picture of the account")

    async def key_facts(self) -> KeyFacts:
        """What the key may do. Raises VenueError."""
        return await self._venue.key_facts()

    async def measure_skew(self) -> int:
        """Nanoseconds by which the exchange's clock is ahead of ours. Raises VenueError."""
        return await self._venue.measure_skew()

    async def hear(
        self, on_report: Callable[[VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        """Listen to the private and the public stream. Raises VenueError."""
        await self._venue.connect(on_report, on_quote)

    async def hear_prices(
        self, on_quote: Callable[[Quote], None], on_trade: Callable[[Trade], None]
    ) -> None:
        """Listen to the public stream; no key is needed. Raises VenueError."""
        await self._venue.listen(on_quote, on_trade)

    async def close(self) -> None:
        """Hang up."""
        await self._venue.close()


class Validating(Looking):
    """The doctor's door: it may also ask what the exchange would say to an order."""

    async def validate(self, order: Order) -> str:
        """What the exchange would refuse the order for, without placing it; empty where it would
        take it. Raises VenueError.
        """
        return await self._venue.validate(order)


class Seen:
    """Which account is looked at, and where: what both doors are made of."""

    def __init__(
        self,
        account: str,
        venue: str,
        profile_name: str,
        limits: Mapping[str, str],
        symbols: Iterable[str],
        *,
        rest: str | None,
        ws: str | None,
        currency: str,
        timeout: float,
    ) -> None:
        self._kind = dialect(venue)
        self._profile = profile(profile_name, limits)
        self._where = Where(account, tuple(symbols), rest, ws, timeout, currency)

    def looking(self, home: Path, clock: Clock) -> Looking:
        """To ask about the account. Raises KeysError."""
        return Looking(
            self._kind(
                self._profile,
                self._where,
                find(self._where.account, home),
                clock,
                rest=QuestionsOnly,
            )
        )

    def validating(self, home: Path, clock: Clock) -> Validating:
        """The same, with the dry run. Raises KeysError."""
        return Validating(
            self._kind(
                self._profile,
                self._where,
                find(self._where.account, home),
                clock,
                rest=QuestionsAndDryRuns,
            )
        )

    def prices(self, clock: Clock) -> Looking:
        """Only what anybody may hear: no key is used."""
        return Looking(self._kind(self._profile, self._where, None, clock, rest=QuestionsOnly))
