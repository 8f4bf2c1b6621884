"""What a venue must speak. Paper, wire and live venues pass the same conformance suite against this."""

from collections.abc import Callable
from typing import Protocol

from engine.model.instrument import Instrument
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.report import VenueReport
from engine.model.request import Request


class VenueError(Exception):
    """A request or a question did not get its answer; each kind says what that means."""


class OutcomeUnknownError(VenueError):
    """The request left; whether the venue acted is not known: a time-out, a broken line, an answer that makes no sense."""


class NotSentError(VenueError):
    """The request provably never left: nothing has happened."""


class NonceError(NotSentError):
    """The venue turned the request away unread: its nonce is not larger than the largest that it has seen for the key."""


class RefusedError(VenueError):
    """The venue looked at it and won't; the text is its own. Of an order, `send` says so with a report instead."""


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

    async def connect(self, on_report: Callable[[VenueReport], None], on_quote: Callable[[Quote], None]) -> None:
        """Begin to deliver reports and quotes; `Connected` and `Disconnected` are among the reports."""
        ...

    async def send(self, request: Request) -> tuple[VenueReport, ...]:
        """Carry out one request; what the answer says, as reports (a stream may say the same again).

        Raises OutcomeUnknownError, NotSentError or RateLimitedError. An order that the venue refuses is a `Rejected`, not an exception.
        """
        ...

    async def close(self) -> None:
        """Stop delivering and let go of the line; what rests at the venue stays."""
        ...
