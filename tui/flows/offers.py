"""What the engine says that intents would do, asked again and again while a dialog stands."""

from collections.abc import Awaitable, Callable, Iterable

from engine.model.intent import AnyIntent
from engine.model.view import Preview
from engine.session import Query, Told
from engine.session.messages import Try
from tui.latest import Latest


class Offers:
    """The last previews; each is asked for at once, and again after each `renew`."""

    def __init__(self, ask: Callable[[Query], Awaitable[Told]], told: Callable[[], None]) -> None:
        """`told` is called after each answer."""
        self._latest = Latest(ask, told)
        self._due = True

    def renew(self) -> None:
        """Ask again the next time that a preview is wanted."""
        self._due = True

    def of(self, intent: AnyIntent) -> Preview | None:
        """What this very intent would do; None until the engine has said so. Raises what asking
        failed of.
        """
        due, self._due = self._due, False
        return self._of(intent, due=due)

    def ready(self, intent: AnyIntent) -> bool:
        """Whether the engine has said what this very intent would do, or can't."""
        try:
            return self.of(intent) is not None
        except Exception:
            return True

    def all(self, intents: Iterable[AnyIntent]) -> list[Preview] | None:
        """What each of them would do; None until the engine has said so of all."""
        due, self._due = self._due, False
        found = [self._of(intent, due=due) for intent in intents]
        told = [offer for offer in found if offer is not None]
        return told if len(told) == len(found) else None

    def _of(self, intent: AnyIntent, *, due: bool) -> Preview | None:
        query = Try(intent)
        offer = self._latest.of(query, Preview, ask=due)
        if (failed := self._latest.failure(query)) is not None:
            raise failed
        return offer
