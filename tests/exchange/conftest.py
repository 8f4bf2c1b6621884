"""One account at one venue, and short ways to say what the market and the trader do."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.exchange import Exchange
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Candle, Depth, Level, Quote, Trade
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile

SECOND = 1_000_000_000
D = Decimal
PRICES = ("price", "trigger", "leverage")


class Venue:
    """An exchange with everything that it said."""

    def __init__(
        self, profile: str, symbols: tuple[str, ...], cash: dict[str, str], currency: str
    ) -> None:
        known = load_profile(profile)
        instruments = [instrument_for(known, symbol, D("0.1")) for symbol in symbols]
        money = {name: D(amount) for name, amount in cash.items()}
        self.exchange = Exchange(known, instruments, money, currency)
        self.symbol = symbols[0]
        self.now = 1_700_000_000 * SECOND
        self.said: list[r.VenueReport] = []
        self.quotes: list[Quote] = []
        self.exchange.on_report.append(self.said.append)
        self.exchange.on_quote.append(self.quotes.append)
        self._orders = 0

    @property
    def profile_is_spot(self) -> bool:
        """Whether nothing can be marked reduce-only."""
        return not self.exchange.profile.reduce_only

    def later(self, seconds: float) -> "Venue":
        self.now += int(seconds * SECOND)
        self.exchange.advance(self.now)
        return self

    def quote(
        self, bid: str, ask: str, bid_size: str = "1", ask_size: str = "1", symbol: str = ""
    ) -> None:
        self.exchange.on_tick(
            Quote(symbol or self.symbol, self.now, D(bid), D(bid_size), D(ask), D(ask_size))
        )

    def trade(self, price: str, size: str, taker: Side | None = None, symbol: str = "") -> None:
        self.exchange.on_tick(Trade(symbol or self.symbol, self.now, D(price), D(size), taker))

    def candle(
        self, opened: str, high: str, low: str, close: str, volume: str, symbol: str = ""
    ) -> None:
        figures = (D(opened), D(high), D(low), D(close), D(volume))
        self.exchange.on_tick(Candle(symbol or self.symbol, self.now, *figures, 60 * SECOND))

    def depth(self, *levels: tuple[Side, str, str], snapshot: bool = False) -> None:
        told = tuple(Level(side, D(price), D(size)) for side, price, size in levels)
        self.exchange.on_tick(Depth(self.symbol, self.now, told, snapshot))

    def order(
        self, side: Side, size: str, kind: OrderType = OrderType.MARKET, **terms: object
    ) -> Order:
        self._orders += 1
        order = Order(f"C{self._orders}", "P", self.symbol, side, kind, Role.ENTRY, D(size))
        exact = {
            name: D(value)
            for name, value in terms.items()
            if isinstance(value, str) and name in PRICES
        }
        return replace(order, **{**terms, **exact})

    def submit(
        self, side: Side, size: str, kind: OrderType = OrderType.MARKET, **terms: object
    ) -> str:
        """The client order id of an order that the venue took."""
        order = self.order(side, size, kind, **terms)
        answer = self.exchange.submit(order, self.now)
        assert isinstance(answer, r.Accepted), answer
        return order.client_order_id

    def refused(
        self, side: Side, size: str, kind: OrderType = OrderType.MARKET, **terms: object
    ) -> str:
        """The words with which the venue refused an order."""
        answer = self.exchange.submit(self.order(side, size, kind, **terms), self.now)
        assert isinstance(answer, r.Rejected), answer
        return answer.text

    def limit(self, side: Side, size: str, price: str, **terms: object) -> str:
        return self.submit(side, size, OrderType.LIMIT, price=price, **terms)

    def stop(self, side: Side, size: str, trigger: str, **terms: object) -> str:
        return self.submit(side, size, OrderType.STOP, trigger=trigger, **terms)

    def fills(self, name: str | None = None) -> list[Fill]:
        told = [report.fill for report in self.said if isinstance(report, r.Filled)]
        return [fill for fill in told if name in (None, fill.client_order_id)]

    def traded(self, name: str | None = None) -> list[tuple[Decimal, Decimal]]:
        """Size and price of each execution."""
        return [(fill.size, fill.price) for fill in self.fills(name)]

    def status(self, name: str) -> str:
        found = self.exchange.find(name, self.now)
        assert isinstance(found, r.Found)
        return found.order.status.value

    def cash(self, currency: str) -> Decimal:
        return self.exchange.ledger.cash.get(currency, D(0))

    def held(self, symbol: str = "") -> Decimal:
        return self.exchange.ledger.held(self.exchange.instruments[symbol or self.symbol])


Open = Callable[..., Venue]


@pytest.fixture
def at() -> Open:
    """Opens an account: `at("kraken-spot", "BTC/USD", USD="100000")`."""

    def make(profile: str, *symbols: str, currency: str = "USD", **cash: str) -> Venue:
        return Venue(profile, symbols, cash, currency)

    return make


@pytest.fixture
def spot(at: Open) -> Venue:
    """Kraken spot with 100,000 USD and 5 BTC."""
    return at("kraken-spot", "BTC/USD", USD="100000", BTC="5")


@pytest.fixture
def futures(at: Open) -> Venue:
    """Kraken futures with 10,000 USD."""
    return at("kraken-futures", "BTC/USD", USD="10000")
