"""What the parts of Kraken Futures may ask of their venue, beside what every live venue has."""

from abc import abstractmethod

from engine.model.order import Order
from engine.venues.live.kraken_futures.deadlines import FuturesClocks
from engine.venues.live.kraken_futures.modes import Modes
from engine.venues.live.kraken_futures.rows import FuturesRows
from engine.venues.live.venue import LiveVenue
from engine.venues.live.vetoes import Vetoes


class FuturesBase(LiveVenue):
    """Kraken Futures, as its parts know it."""

    rows: FuturesRows
    modes: Modes
    clocks: FuturesClocks
    vetoes: Vetoes
    opened_at: int | None
    """When it began to listen."""

    @abstractmethod
    def stream_url(self) -> str:
        """Where the streams are: one address for both."""

    @abstractmethod
    def sign(self, challenge: str) -> tuple[str, str]:
        """The key, and a challenge as the secret signs it."""

    @abstractmethod
    def edited(self, order: Order) -> None:
        """The stream tells an edit."""

    @abstractmethod
    def skipped(self, what: str, name: str, symbol: str) -> None:
        """A row was left out: somebody is told, once."""

    @abstractmethod
    def look_again(self, identity: str) -> None:
        """Ask over REST what a row of the stream was about."""
