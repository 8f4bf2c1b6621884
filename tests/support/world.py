"""What stories are told with: a desk alone (`Story`), and a whole engine on a paper venue under
virtual time (`World`).

Nothing is doubled: a `Story` is the real desk fed by hand, a `World` is the real engine with the
real matching engine on the other side.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from engine.account.records import Records
from engine.account.summary import Summary
from engine.clock import SECOND as SECOND
from engine.clock import Clock, run_virtual
from engine.desk import codec
from engine.desk.board import Board
from engine.desk.codec import decode
from engine.desk.context import Context
from engine.desk.desk import Decision, Desk
from engine.desk.events import AnyEvent
from engine.desk.evolve import evolve
from engine.desk.messages import Crossed, Listed, Message, Pulse, Restarted, Wake
from engine.desk.notices import words
from engine.desk.rules import RiskRules, Rules
from engine.desk.state import State, decode_state, encode_state
from engine.desk.views import Views
from engine.exchange import Delay, Exchange, Faults
from engine.journal import Journal
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.order import Order, Status
from engine.model.position import Position
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.request import Request
from engine.model.side import Side
from engine.model.view import Answer
from engine.records import replay
from engine.rehearsal.auditor import Auditor
from engine.runtime import Engine, Hooks
from engine.setup.sections import AccountSettings, Settings
from engine.setup.settings import with_values
from engine.venues.paper import PaperVenue
from engine.venues.profiles import instrument_for, load_profile

D = Decimal


def loosened(rules: Rules) -> Rules:
    """The rules of a story that is about something else: entries need no stop, and what has none
    counts against no bound that nobody set.
    """
    risk = rules.risk
    bound = D(100) if risk.max_open_risk == RiskRules().max_open_risk else risk.max_open_risk
    return replace(
        rules, risk=replace(risk, require_stop=False, naked_blocks=False, max_open_risk=bound)
    )


START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z."""
BTC, ETH = "BTC/USD", "ETH/USD"

E = TypeVar("E")
Q = TypeVar("Q", bound=Request)
T = TypeVar("T")


def lending(profile: str) -> Profile:
    """A profile as paper accounts have it: they lend coins, and what is sold short is owed among
    the balances.
    """
    return replace(load_profile(profile), margin_leverage=D(1))


class Story:
    """One desk and its time. `listed` and `cash` say what its venue trades and holds; a strict one
    keeps the rules as they are.
    """

    def __init__(
        self,
        profile: str | Profile = "kraken-spot",
        rules: Rules | None = None,
        *,
        cash: str = "1000000",
        listed: Sequence[Instrument] | None = None,
        currency: str = "USD",
        strict: bool = False,
    ) -> None:
        self.profile = lending(profile) if isinstance(profile, str) else profile
        self.rules = (rules or Rules()) if strict else loosened(rules or Rules())
        self.board = Board()
        self.desk = Desk(State("test", currency), self.rules, self.profile, self.board)
        self.now = START
        self.count = 0
        self.events: list[AnyEvent] = []
        self.requests: list[Request] = []
        self.spoken: list[str] = []
        symbols = (BTC, ETH, "XRP/BTC")
        self.tell(
            Listed(
                tuple(instrument_for(self.profile, symbol, D("0.1")) for symbol in symbols)
                if listed is None
                else tuple(listed)
            )
        )
        self.tell(Restarted())
        if listed is None:
            self.price(BTC, "60000")
            self.price(ETH, "3000")
        self.picture({"USD": D(cash)})

    # What is there

    @property
    def state(self) -> State:
        return self.desk.state

    @property
    def ctx(self) -> Context:
        return Context(self.state, self.rules, self.profile, self.board, self.now)

    @property
    def views(self) -> Views:
        return Views(self.desk, "paper", live=False)

    def position(self) -> Position:
        assert len(self.state.positions) == 1, list(self.state.positions)
        return next(iter(self.state.positions.values()))

    def closed(self) -> Position:
        assert len(self.state.closed) == 1, list(self.state.closed)
        return next(iter(self.state.closed.values()))

    def orders(self, role: str) -> list[Order]:
        return [order for order in self.state.orders.values() if order.role.value == role]

    def order(self, role: str) -> Order:
        found = self.orders(role)
        assert len(found) == 1, found
        return found[0]

    def now_of(self, order: Order) -> Order:
        """The same order as it stands now."""
        known = self.state.order(order.client_order_id)
        assert known is not None
        return known

    def seen(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def sent(self, kind: type[Q]) -> list[Q]:
        return [request for request in self.requests if isinstance(request, kind)]

    def standing(self) -> set[str]:
        return {alert.code for alert in self.state.alerts.values()}

    def told(self) -> set[str]:
        """Every alert code that was ever raised."""
        return self.standing() | {alert.code for alert in self.state.ended_alerts}

    # What happens

    def tell(self, message: Message) -> Decision:
        decision = self.desk.handle(message, self.now)
        assert decision.failure == "", decision.failure
        self.events.extend(decision.events)
        self.requests.extend(decision.requests)
        for event in decision.events:
            said = words(event, self.state)
            if said is not None:
                self.spoken.append(said[1])
        return decision

    def ask(self, intent: i.AnyIntent) -> Answer:
        answer = self.tell(intent).answer
        assert answer is not None
        return answer

    def name(self) -> str:
        self.count += 1
        return f"i{self.count}"

    def wait(self, seconds: float, *, fresh: bool = True) -> None:
        """Let time go by, second by second: what falls due is done, and prices stay fresh unless
        they are to go stale.
        """
        end = self.now + int(seconds * SECOND)
        while self.now < end:
            step = min(end, self.now + SECOND)
            while (due := self.desk.next_wake()) is not None and due <= step:
                self.now = max(self.now, due)
                self.tell(Wake())
            self.now = step
            for quote in self.board.quotes() if fresh else ():
                self.board.on_quote(replace(quote, at=self.now))
            if self.desk.needs_pulse(self.now):
                self.tell(Pulse())

    def price(self, symbol: str, bid: str, ask: str | None = None, size: str = "10") -> None:
        best = D(bid)
        quote = Quote(symbol, self.now, best, D(size), D(ask) if ask else best + D("0.1"), D(size))
        crossed = self.board.on_quote(quote)
        if crossed:
            self.tell(Crossed(symbol, tuple(crossed)))

    def picture(
        self,
        balances: dict[str, Decimal] | None = None,
        *,
        orders: tuple[Order, ...] | None = None,
        net: dict[str, Decimal] | None = None,
        fills: tuple[Fill, ...] = (),
        as_of: int | None = None,
        entered: dict[str, Decimal] | None = None,
    ) -> Decision:
        """The venue's picture of the account; what is not given is as we believe it."""
        told = (
            tuple(order for order in self.state.orders.values() if order.is_working)
            if orders is None
            else orders
        )
        if net is None:
            net = {}
            for position in self.state.positions.values():
                if not self.state.instruments[position.symbol].moves_coins(position.leverage):
                    net[position.symbol] = net.get(position.symbol, D(0)) + position.signed_size
        cash = self.money() if balances is None else balances
        return self.tell(
            r.Picture(
                self.now if as_of is None else as_of,
                told,
                fills,
                cash,
                net,
                self.now,
                0,
                entered or {},
            )
        )

    def money(self) -> dict[str, Decimal]:
        """What the venue has of each currency, as we believe it."""
        return {name: amount + self.state.gap(name) for name, amount in self.state.cash.items()}

    def witness(self) -> None:
        """A picture that is younger than the last fill and says what our books say."""
        self.now += 1
        self.picture()

    def buy(self, size: str = "0.5", /, **terms: Any) -> Answer:
        defaults: dict[str, Any] = {
            "symbol": BTC,
            "side": Side.BUY,
            "size": i.Base(D(size)),
            "stop": i.Away(D("0.01")),
        }
        return self.ask(i.OpenBracket(**{"id": self.name(), **defaults, **terms}))

    def accept(self, order: Order) -> None:
        self.tell(r.Accepted(order.client_order_id, f"V{order.client_order_id}", self.now))

    def fill_of(
        self,
        order: Order,
        size: str | None = None,
        price: str = "60000",
        fee: str = "0",
        currency: str = "USD",
    ) -> Fill:
        """An execution that has not been told yet."""
        self.count += 1
        part = self.now_of(order).remaining if size is None else D(size)
        return Fill(
            f"T{self.count}",
            order.client_order_id,
            order.symbol,
            order.side,
            D(price),
            part,
            D(fee),
            currency,
            Liquidity.TAKER,
            self.now,
        )

    def fill(
        self,
        order: Order,
        size: str | None = None,
        price: str = "60000",
        fee: str = "0",
        currency: str = "USD",
    ) -> Fill:
        fill = self.fill_of(order, size, price, fee, currency)
        self.tell(r.Filled(fill, self.now))
        if fill.execution_id in self.state.excess:
            self.confirm(fill)
        return fill

    def confirm(self, fill: Fill) -> None:
        """The venue says, asked about its order, that an execution in doubt is one of its own."""
        known = self.state.order(fill.client_order_id)
        assert known is not None
        filled = known.filled + fill.size
        status = Status.FILLED if filled >= known.size else known.status
        self.tell(
            r.Found(
                replace(known, filled=filled, status=status, size=max(known.size, filled)),
                (),
                self.now,
            )
        )

    def cancelled(self, order: Order, text: str = "", filled: str | None = None) -> None:
        self.tell(
            r.Cancelled(
                order.client_order_id,
                self.now_of(order).filled if filled is None else D(filled),
                text,
                self.now,
            )
        )

    def rejected(self, order: Order, text: str = "EOrder:Insufficient margin") -> None:
        self.tell(r.Rejected(order.client_order_id, text, self.now))

    def amended(self, order: Order) -> None:
        """The venue does what the last amend of this order asked for."""
        asked = [
            request
            for request in self.requests
            if type(request).__name__ == "Amend"
            and getattr(request, "client_order_id", "") == order.client_order_id
        ]
        last: Any = asked[-1]
        known = self.now_of(order)
        self.now += 1
        self.tell(
            r.Amended(
                order.client_order_id,
                known.size if last.size is None else last.size,
                known.price if last.price is None else last.price,
                known.trigger if last.trigger is None else last.trigger,
                self.now,
            )
        )

    def opened(self, size: str = "0.5", /, price: str = "60000", **terms: Any) -> Position:
        """A position whose entry filled and whose exits rest."""
        before = set(self.state.positions)
        answer = self.buy(size, **terms)
        assert answer.ok, answer.refusals
        entry = next(order for order in self.orders("entry") if order.position == answer.created)
        self.accept(entry)
        self.fill(entry, price=price)
        for order in self.orders("stop") + self.orders("target"):
            if order.venue_order_id is None:
                self.accept(order)
        (name,) = set(self.state.positions) - before
        return self.state.positions[name]

    def cheapened(self, **terms: Any) -> Position:
        """A bitcoin position that was large enough when it was bought, and that the price alone has
        made too small for an order.
        """
        answer = self.buy("0.0001", stop=None, **terms)
        assert answer.ok, answer.refusals
        self.fill(next(order for order in self.orders("entry") if order.position == answer.created))
        self.price(BTC, "4000")
        self.ask(i.Annotate(id=self.name(), position=answer.created, note="looked at"))
        held = self.state.positions[answer.created]
        assert held.dust
        return held

    # What must always hold

    def replays(self) -> None:
        """The events alone give the same state; so does a snapshot from the middle and the events
        after it.
        """
        fresh = State("test", self.state.currency)
        middle = b""
        for index, event in enumerate(self.events):
            if index == len(self.events) // 2:
                middle = encode_state(fresh)
            evolve(fresh, codec.decode(codec.encode(event)))
        assert encode_state(fresh) == encode_state(self.state)
        later = decode_state(middle)
        for event in self.events[len(self.events) // 2 :]:
            evolve(later, event)
        assert encode_state(later) == encode_state(self.state)

    def holds(self) -> None:
        """The invariants that can be told from the state alone."""
        for name, order in self.state.orders.items():
            assert order.is_open
            assert name not in self.state.ended
            assert order.filled <= order.size
        for position in self.state.positions.values():
            if (
                position.is_open
                and not position.dust
                and position.protection.value in ("naked", "partial")
            ):
                assert any(
                    alert.target == position.id and alert.code in ("NAKED", "PARTIAL_STOP")
                    for alert in self.state.alerts.values()
                )
            exits = [
                order
                for order in self.state.orders_for(position.id)
                if order.is_exit and order.side is not position.side
            ]
            if not all(order.reduce_only for order in exits):
                assert sum((order.remaining for order in exits), D(0)) <= max(position.size, D(0))


class World:
    """An engine on a paper venue; prices are fed by hand and stay fresh while one waits."""

    def __init__(
        self,
        home: Path,
        profile: str | Profile = "kraken-spot",
        *,
        faults: Faults | None = None,
        delay: Delay | None = None,
        cash: str = "1000000",
        values: dict[str, Any] | None = None,
        seed: int = 7,
        speed: float = 1.0,
    ) -> None:
        self.home = home
        self.profile = lending(profile) if isinstance(profile, str) else profile
        self.seed = seed
        base = Settings(
            account=AccountSettings(name="world", currency="USD", cash={"USD": D(cash)}),
            risk=loosened(Rules()).risk,
        )
        self.settings = with_values(base, values or {}, "story")
        self.clock = Clock(asyncio.get_running_loop(), START, speed)
        instruments = tuple(instrument_for(self.profile, symbol, D("0.1")) for symbol in (BTC, ETH))
        self.exchange = Exchange(self.profile, instruments, {"USD": D(cash)}, "USD")
        self.venue = PaperVenue(
            self.exchange,
            self.clock,
            seed=seed,
            delay=delay or Delay(20_000_000, 20_000_000),
            timeout=2 * SECOND,
            faults=faults or Faults(),
        )
        self.auditor = Auditor(price_age=int(self.settings.risk.price_age * SECOND))
        self.auditor.watch(self.exchange, self.clock.now())
        self.exchange.on_quote.append(self.auditor.quoted)
        self.events: list[AnyEvent] = []
        self.failures: list[str] = []
        self.count = 0
        self.summary: Callable[[Summary], None] | None = None
        self.records = False
        """Whether the engine looks at what the home knows beside the journal."""
        """What the next engine is given to write its summaries."""

    # Life

    def make(self) -> Engine:
        """An engine on the home's journal, not started."""
        journal = Journal.open(
            self.home / "journal.sqlite", "world", "story", now=self.clock.now(), inline=True
        )
        if journal.lease is None:
            journal.claim("story", self.clock.now())
        self.auditor.begin(decode(stored.body) for stored in journal.events())
        return Engine(
            self.settings,
            self.venue,
            journal,
            self.clock,
            self.seed,
            inline=True,
            hooks=Hooks(decided=self._decided),
            summary=self.summary,
            records=Records(self.home) if self.records else None,
        )

    def _decided(self, decision: Decision, now: int) -> None:
        self.events.extend(decision.events)
        self.auditor.check(decision, self.engine.state, now)
        if decision.failure:
            self.failures.append(decision.failure)

    async def open(self) -> None:
        """Start an engine and wait until it takes entries."""
        self.engine = self.make()
        if not self.exchange.books[BTC].quote:
            self.price(BTC, "60000")
            self.price(ETH, "3000")
        await self.engine.start()
        for _ in range(1000):
            if "STARTING" not in self.state.blocks:
                break
            await self.clock.sleep(SECOND // 100)

    async def restart(self, *, crash: bool = False) -> None:
        """End the engine, orderly or not, and begin another on the same home."""
        if crash:
            await self.engine.abandon()
            self.engine.journal.close(0)
        else:
            await self.engine.close()
        assert len(self.engine.tasks) == 0
        await self.open()

    async def end(self) -> None:
        """The end of the story: nothing failed inside, the auditor found nothing, the journal tells
        the state, no task is left.
        """
        assert self.failures == []
        found = [
            violation for violation in self.auditor.violations if violation.invariant != "0 rules"
        ]
        # what a rule died of stands in `failures`, too, from which a story may strike it
        assert found == [], found
        self.engine.save()
        assert encode_state(self.retold()) == encode_state(self.state)
        await self.engine.close()
        self.venue.shut_down()
        assert len(self.engine.tasks) == 0

    def retold(self) -> State:
        """The state that the journal tells from its first event."""
        return replay(State("world", "USD"), self.engine.journal.events())

    # What is there

    @property
    def state(self) -> State:
        return self.engine.state

    def position(self) -> Position:
        assert len(self.state.positions) == 1, list(self.state.positions)
        return next(iter(self.state.positions.values()))

    def orders(self, role: str) -> list[Order]:
        return [order for order in self.state.orders.values() if order.role.value == role]

    def told(self) -> set[str]:
        return {alert.code for alert in (*self.state.alerts.values(), *self.state.ended_alerts)}

    def seen(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def held(self) -> Decimal:
        """What the venue holds of bitcoin for us."""
        picture = self.exchange.picture(self.clock.now(), 0)
        return (
            picture.net.get(BTC, D(0))
            if self.profile.derivatives
            else picture.balances.get("BTC", D(0))
        )

    @property
    def resting(self) -> list[Order]:
        """What the venue itself has open, ours and others'."""
        return list(self.exchange.orders.values())

    # What happens

    def price(self, symbol: str, bid: str, ask: str | None = None, size: str = "10") -> None:
        best = D(bid)
        self.venue.feed(
            Quote(
                symbol, self.clock.now(), best, D(size), D(ask) if ask else best + D("0.1"), D(size)
            )
        )

    async def wait(self, seconds: float, *, fresh: bool = True) -> None:
        end = self.clock.now() + int(seconds * SECOND)
        while self.clock.now() < end:
            await self.clock.sleep(min(SECOND, end - self.clock.now()))
            for book in self.exchange.books.values() if fresh else ():
                if book.quote is not None:
                    self.venue.feed(replace(book.quote, at=self.clock.now()))

    async def until(self, true: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something is so; it is an error if it never is."""
        end = self.clock.now() + int(seconds * SECOND)
        while not true():
            assert self.clock.now() < end, "it never became so"
            await self.wait(0.05)

    async def ask(self, intent: i.AnyIntent) -> Answer:
        return await self.engine.ask(intent)

    def name(self) -> str:
        self.count += 1
        return f"w{self.count}"

    async def buy(self, size: str = "0.5", /, **terms: Any) -> Answer:
        defaults: dict[str, Any] = {
            "symbol": BTC,
            "side": Side.BUY,
            "size": i.Base(D(size)),
            "stop": i.Away(D("0.01")),
        }
        return await self.ask(i.OpenBracket(**{"id": self.name(), **defaults, **terms}))

    async def opened(self, size: str = "0.5", /, **terms: Any) -> Position:
        """A position with its stop at the venue."""
        answer = await self.buy(size, **terms)
        assert answer.ok, answer.refusals
        await self.until(
            lambda: any(
                order.role.value == "stop" and order.is_working
                for order in self.state.orders_for(answer.created)
            )
        )
        return self.state.positions[answer.created]


Tale = Callable[[World], Coroutine[Any, Any, None]]


def play(tale: Tale, home: Path, **terms: Any) -> None:
    """Tell a story in a world under virtual time, from the engine's start to its orderly end."""

    async def main() -> None:
        world = World(home, **terms)
        await world.open()
        await tale(world)
        await world.end()

    run_virtual(main())


def codes(answers: Iterable[Answer]) -> set[str]:
    """The refusal codes in some answers."""
    return {refusal.code for answer in answers for refusal in answer.refusals}
