"""Requests that the gate holds back: who is told, and how often a picture is asked for."""

from decimal import Decimal

from engine.clock import SECOND, Clock
from engine.gateway.listener import Listener
from engine.model.report import HeldBack
from engine.model.request import Request, subject

PICTURES = 15 * SECOND
"""The longest pause between two pictures that are asked for because something is held back."""


class Held:
    """Tells of what waits at the gate."""

    def __init__(self, listener: Listener, clock: Clock) -> None:
        self._listener = listener
        self._clock = clock
        self._asked_at: int | None = None
        self._asks = 0
        """Pictures asked for since something was let through last."""

    def let_through(self) -> None:
        """Something left: pictures may be asked for at once again."""
        self._asks = 0

    def ask_picture(self, now: int, longest: int) -> None:
        """At once, and again after pauses that double up to `longest`: pictures cost the tokens
        that exits need.
        """
        if self._asked_at is None or now - self._asked_at >= min(SECOND << self._asks, longest):
            self._asked_at, self._asks = now, min(self._asks + 1, 10)
            self._listener.picture()

    def tell(
        self,
        request: Request,
        reason: str,
        text: str,
        *,
        final: bool,
        proved: Decimal | None = None,
    ) -> None:
        """That a request is held back, and why; with an empty text, that it is over."""
        kind = type(request).__name__.lower()
        self._listener.report(
            HeldBack(subject(request), kind, reason, text, self._clock.now(), final, proved)
        )
