"""The paper venue, part by part, at what the venue that it imitates would charge."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from engine.exchange import Exchange
from engine.model.order import Order
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.report import Absent, Found, Picture
from engine.venues.parts import Holdings, Page, Pay, Row, Working

COSTS: dict[str, tuple[str, float, float, float]] = {
    "kraken-spot": ("rest", 1.0, 1.0, 2.0),
    "kraken-futures": ("derivatives", 2.0, 2.0, 2.0),
    "token-bucket": ("requests", 1.0, 1.0, 1.0),
}
"""By limit model: the counter, and what holdings, open orders and executions cost."""
NO_FILLS = 1 << 63

Find = Callable[[Mapping[str, float], str], Awaitable[Found | Absent]]
Look = Callable[[Mapping[str, float], int], Awaitable[Picture]]


def costs(profile: Profile) -> tuple[str, float, float, float]:
    """The row of a profile's limit model."""
    return COSTS[profile.limits]


class PaperParts:
    """Asks the account of a paper venue."""

    def __init__(self, exchange: Exchange, look: Look, find: Find) -> None:
        self._exchange = exchange
        self._look = look
        self._find = find

    async def _asked(self, index: int, since: int, pay: Pay) -> Picture:
        told = costs(self._exchange.profile)
        counter, cost = told[0], (told[1], told[2], told[3])[index]
        await pay(counter, cost)
        return await self._look({counter: cost}, since)

    async def holdings(self, pay: Pay, *, on_margin: bool) -> Holdings:
        """Balances and positions, always."""
        del on_margin
        told = await self._asked(0, NO_FILLS, pay)
        return Holdings(told.as_of, told.balances, told.net)

    async def working(self, pay: Pay) -> Working:
        """Open orders."""
        told = await self._asked(1, NO_FILLS, pay)
        return Working(told.as_of, tuple(_row(order) for order in told.orders))

    async def executions(self, since: int, cursor: str, pay: Pay) -> Page:
        """All of them at once."""
        del cursor
        told = await self._asked(2, since, pay)
        return Page(told.as_of, tuple(reversed(told.fills)), "", told.lent)

    async def look(self, order: Order, pay: Pay) -> Found | Absent | None:
        """At half the price of a `Query`, where questions are scarce; else that is as cheap."""
        counter = costs(self._exchange.profile)[0]
        if counter != "rest":
            return None
        await pay(counter, 1.0)
        return await self._find({counter: 1.0}, order.client_order_id)

    async def quotes(self, symbols: Iterable[str]) -> tuple[Quote, ...]:
        """Best prices."""
        books = (self._exchange.books.get(symbol) for symbol in symbols)
        return tuple(book.quote for book in books if book is not None and book.quote is not None)

    async def widen(self, symbols: Iterable[str]) -> None:
        """Everything that a paper account trades is listed from the start."""
        del symbols

    def introduce(self, order: Order) -> None:
        """A paper venue knows its orders by our ids."""
        del order


def _row(order: Order) -> Row:
    name = "" if order.foreign else order.client_order_id
    text = f"{order.side} {order.size:f} {order.symbol} {order.type.value}"
    return Row(order.venue_order_id or order.client_order_id, name, order.symbol, order, text)
