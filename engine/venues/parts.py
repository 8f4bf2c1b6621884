"""Parts of a picture: holdings, open orders, executions, each asked for by itself and kept where it
was answered.

The engine asks for a whole picture and asks again where any part of it fails. The last exit can't
afford that: at a starter tier a picture costs a third of what may be asked at once. It asks for the
decisive part first, pays each question from its own budget, and keeps what it was told.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import Decimal
from typing import Protocol, runtime_checkable

from msgspec import Struct

from engine.model.fill import Fill
from engine.model.order import Order
from engine.model.quote import Quote
from engine.model.report import Absent, Found
from engine.venues.protocol import Venue

Pay = Callable[[str, float], Awaitable[None]]
"""Wait until a counter of the venue admits a cost, and count it. Called directly before each
question.
"""


class Holdings(Struct, frozen=True):
    """What the account holds: the decisive part."""

    asked_at: int
    """Wall clock, nanoseconds: what happened later may be missing."""
    balances: Mapping[str, Decimal]
    """By currency; what is not listed is zero."""
    net: Mapping[str, Decimal]
    """Signed, by symbol: contracts, and what is on margin."""
    unread: tuple[str, ...] = ()
    """Currencies that nobody trades here, and whose balance was told in no way that can be read."""


class Row(Struct, frozen=True):
    """One open order as it was listed. A row that lacks a field is an order all the same."""

    venue_order_id: str
    client_order_id: str
    """Empty where the venue names none."""
    symbol: str
    """Empty where it was not told."""
    order: Order | None
    """None where the row can't be read whole."""
    text: str
    """For people: side, size and price as far as they were told."""


class Working(Struct, frozen=True):
    """The open orders, all of them."""

    asked_at: int
    rows: tuple[Row, ...]


class Page(Struct, frozen=True):
    """Some executions, the newest first."""

    asked_at: int
    fills: tuple[Fill, ...]
    cursor: str
    """What to ask the next page with; empty after the last."""
    on_margin: frozenset[str] = frozenset()
    """Ids of those executions that moved no coins of a spot pair."""


class Parts(Protocol):
    """Asks one account for parts of its picture. Each question raises OutcomeUnknownError,
    NotSentError, RateLimitedError or RefusedError.
    """

    async def holdings(self, pay: Pay, *, on_margin: bool) -> Holdings:
        """Balances and positions; `on_margin` says whether what a spot venue lends is asked for,
        too: one question more.
        """
        ...

    async def working(self, pay: Pay) -> Working:
        """Open orders. An answer that names an order in no way raises OutcomeUnknownError: it is no
        part.
        """
        ...

    async def executions(self, since: int, cursor: str, pay: Pay) -> Page:
        """A page of executions from a time on (nanoseconds); an empty cursor asks for the
        newest.
        """
        ...

    async def look(self, order: Order, pay: Pay) -> Found | Absent | None:
        """One order of ours by the venue's own id, for less than a `Query` costs; None where that
        can't be asked so.

        The executions are listed where it has filled in part; of one that filled whole the next
        page of executions tells them.
        """
        ...

    async def quotes(self, symbols: Iterable[str]) -> tuple[Quote, ...]:
        """Best prices now; symbols without one are left out. Costs none of the account's limits."""
        ...

    async def widen(self, symbols: Iterable[str]) -> None:
        """List these symbols too; those that the venue does not trade are left out."""
        ...

    def introduce(self, order: Order) -> None:
        """Tell of an order of ours that an earlier process sent, so that it can be asked about by
        the venue's id.
        """
        ...


@runtime_checkable
class PartedVenue(Venue, Protocol):
    """A venue that can be asked for parts."""

    def parts(self) -> Parts:
        """Who asks for them."""
        ...
