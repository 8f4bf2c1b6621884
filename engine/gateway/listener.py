"""Whom the gateway tells."""

from collections.abc import Callable

from msgspec import Struct

from engine.model.report import VenueReport


class Listener(Struct):
    """Whom the gateway tells."""

    report: Callable[[VenueReport], None]
    trouble: Callable[[str, str], None]
    """A code (BREAKER) and why; an empty text says that it is over."""
    rate_limited: Callable[[str], None]
    """Why; an empty text says that it is over."""
    picture: Callable[[], None]
    """Ask for a picture of the account, as urgently as what waits for it."""
    unanswered: Callable[[str], None] = lambda text: None
    """Why the account is asked for once more."""
