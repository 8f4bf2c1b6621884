"""A desk alone: rules over a state and a board, fed by hand. Nothing is doubled: it is the real one, without a venue behind it."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import pytest

from engine.desk.board import Board
from engine.desk.context import Context
from engine.desk.desk import Crossed, Decision, Desk, Listed, Message, Restarted, Wake
from engine.desk.events import AnyEvent
from engine.desk.previews import preview
from engine.desk.rules import Rules
from engine.desk.state import State, decode_state, encode_state
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.order import Order
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.request import Request
from engine.model.side import Side
from engine.model.view import Answer, Preview
from engine.venues.profiles import instrument_for, load_profile

D = Decimal
SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
E = TypeVar("E")
Q = TypeVar("Q", bound=Request)


class Story:
    """One desk and its time."""

    def __init__(self, profile: str = "kraken-spot", rules: Rules | None = None, cash: str = "1000000") -> None:
        self.profile = load_profile(profile)
        self.rules = rules or Rules()
        self.board = Board()
        self.desk = Desk(State("test", "USD"), self.rules, self.profile, self.board)
        self.now = START
        self.count = 0
        self.events: list[AnyEvent] = []
        self.requests: list[Request] = []
        symbols = ("BTC/USD", "ETH/USD", "XRP/BTC")
        self.tell(Listed(tuple(instrument_for(self.profile, symbol, D("0.1")) for symbol in symbols)))
        self.tell(Restarted())
        self.price("BTC/USD", "60000")
        self.price("ETH/USD", "3000")
        self.picture(cash={"USD": D(cash)})

    @property
    def state(self) -> State:
        return self.desk.state

    @property
    def ctx(self) -> Context:
        return Context(self.state, self.rules, self.profile, self.board, self.now)

    def tell(self, message: Message) -> Decision:
        decision = self.desk.handle(message, self.now)
        assert decision.failure == ""
        self.events.extend(decision.events)
        self.requests.extend(decision.requests)
        return decision

    def ask(self, intent: i.AnyIntent) -> Answer:
        answer = self.tell(intent).answer
        assert answer is not None
        return answer

    def name(self) -> str:
        self.count += 1
        return f"i{self.count}"

    def wait(self, seconds: float) -> None:
        """Let time go by; prices stay fresh, and what falls due is done."""
        end = self.now + int(seconds * SECOND)
        while (due := self.desk.next_wake()) is not None and due <= end:
            self.now = max(self.now, due)
            self.tell(Wake())
        self.now = end
        self.tell(Wake())

    def price(self, symbol: str, bid: str, ask: str | None = None, size: str = "10") -> None:
        best = D(bid)
        quote = Quote(symbol, self.now, best, D(size), D(ask) if ask else best + D("0.1"), D(size))
        crossed = self.board.on_quote(quote)
        if crossed:
            self.tell(Crossed(symbol, tuple(crossed)))

    def picture(
        self,
        cash: dict[str, Decimal] | None = None,
        *,
        orders: tuple[Order, ...] | None = None,
        net: dict[str, Decimal] | None = None,
        fills: tuple[Fill, ...] = (),
        as_of: int | None = None,
    ) -> Decision:
        told = tuple(o for o in self.state.orders.values() if o.is_working) if orders is None else orders
        balances = dict(self.state.cash) if cash is None else cash
        return self.tell(r.Picture(self.now if as_of is None else as_of, told, fills, balances, net or {}, self.now))

    def buy(self, size: str = "0.5", /, **terms: object) -> Answer:
        defaults: dict[str, object] = {"symbol": "BTC/USD", "side": Side.BUY, "size": i.Base(D(size)), "stop": i.Away(D("0.01"))}
        return self.ask(i.OpenBracket(id=self.name(), **{**defaults, **terms}))  # type: ignore[arg-type]

    def orders(self, role: str) -> list[Order]:
        return [order for order in self.state.orders.values() if order.role.value == role]

    def order(self, role: str) -> Order:
        found = self.orders(role)
        assert len(found) == 1, found
        return found[0]

    def position(self) -> Position:
        assert len(self.state.positions) == 1
        return next(iter(self.state.positions.values()))

    def accept(self, order: Order) -> None:
        self.tell(r.Accepted(order.client_order_id, f"V{order.client_order_id}", self.now))

    def fill(self, order: Order, size: str | None = None, price: str = "60000.1", fee: str = "0") -> Fill:
        self.count += 1
        part = order.remaining if size is None else D(size)
        fill = Fill(f"T{self.count}", order.client_order_id, order.symbol, order.side, D(price), part, D(fee), "USD", Liquidity.TAKER, self.now)
        self.tell(r.Filled(fill, self.now))
        return fill

    def cancelled(self, order: Order, text: str = "") -> None:
        known = self.state.order(order.client_order_id)
        assert known is not None
        self.tell(r.Cancelled(order.client_order_id, known.filled, text, self.now))

    def opened(self, size: str = "0.5", /, **terms: object) -> Position:
        """A long whose entry filled and whose stop rests."""
        answer = self.buy(size, **terms)
        assert answer.ok, answer.refusals
        entry = self.order("entry")
        self.accept(entry)
        self.fill(entry)
        for order in self.orders("stop") + self.orders("target"):
            self.accept(order)
        return self.position()

    def seen(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def sent(self, kind: type[Q]) -> list[Q]:
        return [request for request in self.requests if isinstance(request, kind)]

    def standing(self) -> set[str]:
        return {alert.code for alert in self.state.alerts.values()}

    def preview(self, intent: i.AnyIntent) -> Preview:
        before = encode_state(self.state)
        told = preview(self.ctx, intent)
        assert encode_state(self.state) == before, "a preview changes nothing"
        return told

    def replays(self) -> None:
        """The events alone give the same state, and so does a snapshot."""
        from engine.desk.evolve import evolve

        fresh = State("test", "USD")
        for event in self.events:
            evolve(fresh, event)
        assert encode_state(fresh) == encode_state(self.state)
        assert encode_state(decode_state(encode_state(self.state))) == encode_state(self.state)


@pytest.fixture
def story() -> Callable[..., Story]:
    return Story
