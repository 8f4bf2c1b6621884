"""What the parts of Kraken spot may ask of their venue, beside what every live venue has."""

from abc import abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from engine.model.fill import Fill
from engine.venues.live.kraken_names import Names
from engine.venues.live.kraken_spot.deadlines import SpotClocks
from engine.venues.live.kraken_spot.fills import Listed
from engine.venues.live.kraken_spot.owners import Owners
from engine.venues.live.venue import LiveVenue
from engine.venues.live.vetoes import Vetoes


class HearsModes(Protocol):
    """Whoever keeps the modes of pairs."""

    def listed(self, pairs: Mapping[str, str]) -> None:
        """The modes of pairs, by symbol."""
        ...

    def refused(self, symbol: str, text: str) -> None:
        """A refusal, which may name the mode of a pair."""
        ...

    def system(self, mode: str) -> None:
        """The mode of the whole exchange."""
        ...


class SpotBase(LiveVenue):
    """Kraken spot, as its parts know it."""

    names: Names
    """Of assets and pairs, once it is open."""
    listed: Listed
    clocks: SpotClocks
    vetoes: Vetoes
    owners: Owners
    modes: HearsModes

    @abstractmethod
    def stream_url(self, *, private: bool) -> str:
        """Where the streams are."""

    @abstractmethod
    async def public_result(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """The result of a public question. Raises VenueError."""

    @abstractmethod
    async def private_call(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        """A signed request's result. Raises like `signed`."""

    @abstractmethod
    async def patient_call(
        self, method: str, params: Mapping[str, Any], lane: int, *, again: bool
    ) -> Any:
        """A part of a long question; `again`: where it is refused for the limits, once more, for
        others were answered. Raises like `send`.
        """

    @abstractmethod
    async def token(self) -> str:
        """A token for the private stream. Raises like `send`."""

    @abstractmethod
    async def fee_of(self, fill: Fill, lane: int) -> Decimal | None:
        """The fee of an execution, in its quote currency, where the exchange lists it by now.
        Raises like `send`.
        """
