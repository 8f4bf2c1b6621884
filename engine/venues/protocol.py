"""What a venue must speak. Paper, wire and live venues pass the same conformance suite against
this.
"""

from collections.abc import Callable
from contextvars import ContextVar
from decimal import Decimal
from typing import Protocol, runtime_checkable

from engine.model.instrument import Instrument
from engine.model.profile import Profile
from engine.model.quote import BookShown, Quote, Trade
from engine.model.report import VenueReport
from engine.model.request import Request

MAY_LEAVE: ContextVar[Callable[[], bool]] = ContextVar("MAY_LEAVE", default=lambda: True)
"""Whether what this task carries may leave now. Whoever sends sets it, and a venue whose way to the
wire has waits of its own asks again behind them: the process may have stood still meanwhile, and
the account be another's.
"""


class VenueError(Exception):
    """A request or a question did not get its answer; each kind says what that means."""


class OutcomeUnknownError(VenueError):
    """The request left; whether the venue acted is not known: a time-out, a broken line, an answer
    that makes no sense.
    """


class NotSentError(VenueError):
    """The request provably never left: nothing has happened."""


class NonceError(NotSentError):
    """The venue turned the request away unread: its nonce is not larger than the largest that it
    has seen for the key.
    """


class RefusedError(VenueError):
    """The venue looked at it and won't; the text is its own. Of an order, `send` says so with a
    report instead.
    """


class RateLimitedError(VenueError):
    """The venue refused to look at the request because of its rate limit: nothing has happened."""


class Venue(Protocol):
    """The other side, as the gateway and the runtime see it."""

    @property
    def name(self) -> str:
        """What the console shows: paper, kraken."""
        ...

    @property
    def live(self) -> bool:
        """Whether real money is at stake."""
        ...

    @property
    def profile(self) -> Profile:
        """What it can do."""
        ...

    async def instruments(self) -> tuple[Instrument, ...]:
        """What can be traded, with grids and fees."""
        ...

    async def connect(
        self, on_report: Callable[[VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        """Begin to deliver reports and quotes; `Connected` and `Disconnected` are among the
        reports.
        """
        ...

    async def send(self, request: Request) -> tuple[VenueReport, ...]:
        """Carry out one request; what the answer says, as reports (a stream may say the same
        again).

        Raises OutcomeUnknownError, NotSentError or RateLimitedError. An order that the venue
        refuses is a `Rejected`, not an exception.
        """
        ...

    async def close(self) -> None:
        """Stop delivering and let go of the line; what rests at the venue stays."""
        ...


@runtime_checkable
class Walks(Protocol):
    """A venue that makes prices up between those that its data has, and lets none be stepped over
    that somebody waits for.
    """

    def watch(self, levels: Callable[[str, bool], tuple[Decimal | None, Decimal | None]]) -> None:
        """Until it is closed, stop at the next bid and ask that `levels` tells for a symbol whose
        price rises (True) or falls.
        """
        ...


@runtime_checkable
class Shows(Protocol):
    """A venue that tells more of a market than its best prices: trades, and levels of its books."""

    def hear_trades(self, on_trade: Callable[[Trade], None]) -> bool:
        """Have every trade told from the next `connect` on, until it is closed; whether any feed
        tells them.
        """
        ...

    def follow(self, symbol: str) -> None:
        """Somebody looks at the levels of a symbol from now on."""
        ...

    def book(self, symbol: str, count: int) -> BookShown | None:
        """At most `count` levels a side, as far as a feed tells them; None where nothing is
        known.
        """
        ...
