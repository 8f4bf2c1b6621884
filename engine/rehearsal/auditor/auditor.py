"""The auditor's face: it follows an engine step by step and keeps its own records of what the
engine says.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Protocol

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.state import CLOSED_POSITIONS, ENDED_ORDERS, EXECUTIONS, State, encode_state
from engine.model.alert import Alert, Severity
from engine.model.codes import AlertCode
from engine.model.fill import Fill
from engine.model.intent import Resolve, Settlement
from engine.model.money import ZERO
from engine.model.position import Protection
from engine.model.quote import Quote
from engine.model.report import Picture
from engine.model.side import Side
from engine.rehearsal.auditor import exits, rest
from engine.rehearsal.auditor.books import Book, Books
from engine.rehearsal.auditor.cover import RANK, cover
from engine.rehearsal.auditor.findings import Findings, Violation
from engine.rehearsal.auditor.flat import unflat
from engine.rehearsal.auditor.orders import Known, Orders
from engine.rehearsal.auditor.prices import DUST, Prices
from engine.rehearsal.auditor.witness import Truth, Witness

SECOND = 1_000_000_000
MONEY = (e.OrderFilled, e.FillSettled, e.PositionLiquidated, e.CashReported, e.Financed)
LOOK = SECOND
"""Between two looks at untouched positions: prices go stale without an event."""
NOTICED = 5 * SECOND // 2
"""A desk looks at the age of its prices each second: so late may it tell that one is stale."""
NAKED = (AlertCode.NAKED, AlertCode.PARTIAL_STOP)
"""The alerts that name a position without protection."""


class Decided(Protocol):
    """What one message led to: the auditor needs no more of a decision than this."""

    @property
    def events(self) -> Sequence[e.AnyEvent]:
        """In order."""
        ...

    @property
    def failure(self) -> str:
        """What a rule died of, or an empty text."""
        ...


class Auditor:
    """Judges one account: its engines may crash and come back, the venue's truth and the findings
    stay.
    """

    def __init__(self, *, price_age: int = 60 * SECOND, rounding: Decimal = ZERO) -> None:
        """`price_age`: nanoseconds after which a price is stale. `rounding`: the fraction of an
        amount that the venue's books may round away.
        """
        self.findings = Findings()
        self.prices = Prices(price_age)
        self.witness: Witness | None = None
        self.over_closed: set[str] = set()
        """Positions of which the desk has ever said that more was closed than was held."""
        self._rounding = rounding
        self._now = 0
        self.begin(())

    # What it is handed

    def watch(self, truth: Truth, now: int) -> None:
        """From now on hear the venue itself, too."""
        self.witness = Witness(truth, self.findings, now)

    def quoted(self, quote: Quote) -> None:
        """A price of the venue's."""
        self.prices.quoted(quote)

    def begin(self, events: Iterable[e.AnyEvent]) -> None:
        """A process takes up the account with a journal of these events: the records are made anew
        from them, without judging.
        """
        findings, self.findings = self.findings, Findings()
        self.books = Books()
        self.orders = Orders(self._fail)
        self.alerts: dict[str, Alert] = {}
        self.halted = False
        self._parts: dict[str, list[Decimal]] = {}
        """Size and fee so far, by execution id, of late executions that are booked in parts."""
        self.said: set[str] = set()
        """Settlements that the operator asked for, by the id of the intent."""
        self.left_alone: set[str] = set()
        """Orders under our name that the operator said to leave alone."""
        self._looked_at = 0
        self._bare_since: dict[str, int] = {}
        for event in events:
            self._book(event)
        self.findings = findings
        self.books.strange.clear()

    @property
    def violations(self) -> list[Violation]:
        """What did not hold so far."""
        return self.findings.violations

    @property
    def checked(self) -> int:
        """Steps judged so far."""
        return self.findings.checked

    def _fail(self, invariant: str, detail: str) -> None:
        self.findings.fail(self._now, invariant, detail)

    def _say(self, said: Iterable[tuple[str, str]]) -> None:
        for invariant, detail in said:
            self._fail(invariant, detail)

    # One step

    def check(self, decision: Decided, state: State, now: int) -> None:
        """Take in the events of one step, and judge everything that they touched."""
        self._now = now
        self.findings.checked += 1
        if decision.failure:
            self._fail("0 rules", decision.failure)
        orders: dict[str, None] = {}
        positions: dict[str, None] = {}
        money = False
        for event in decision.events:
            order, position = self._book(event)
            self._witnessed(event, order)
            if order in self.orders.known:
                orders[order] = None
                positions[self.orders.known[order].position] = None
            if position:
                positions[position] = None
            money = money or isinstance(event, MONEY)
        for name in orders:
            self._say(self.orders.differing(name, state))
        for name in positions:
            self._say(self.books.differing(name, state))
        if money:
            self._say(self.books.money(state))
        self._judge(positions, state)

    def _book(self, event: e.AnyEvent) -> tuple[str, str]:
        """Into the records; the order and the position that it is about."""
        match event:
            case e.AlertRaised(alert=alert):
                self.alerts[alert.key] = alert
                if alert.code == AlertCode.OVER_CLOSED:
                    self.over_closed.add(alert.target)
            case e.AlertCured(key=key):
                self.alerts.pop(key, None)
            case e.AlertAcknowledged(key=key):
                if key in self.alerts and self.alerts[key].severity is not Severity.CRITICAL:
                    del self.alerts[key]
            case e.LeftAlone(subject=subject):
                self.left_alone.add(subject)
            case e.IntentTaken(intent=Resolve(id=name)):
                self.said.add(name)
            case e.HaltSet(halted=halted):
                self.halted = halted
            case e.OrderFilled(fill=fill, fee_value=value):
                known = self.orders.known.get(fill.client_order_id)
                self._too_much(known, fill)
                self.books.filled(fill, value, None if known is None else known.role)
                return self.orders.take_in(event), fill.position
            case e.FillSettled(fill=fill):
                self._too_much(self.orders.known.get(fill.client_order_id), fill)
                return self.orders.take_in(event), self.books.take_in(event)
            case _:
                return self.orders.take_in(event), self.books.take_in(event)
        return "", ""

    def _too_much(self, known: Known | None, fill: Fill) -> None:
        """Invariant 2: an order fills for no more than was asked for, or somebody is told."""
        if known is None or f"{AlertCode.ILLEGAL_REPORT}:{known.name}" in self.alerts:
            return
        if fill.size > max(known.size, known.asked or ZERO) - known.filled:
            self._fail(
                "2 filled",
                f"{known.name}: {fill.size} more, of {known.size} had filled {known.filled}",
            )

    # What the venue knows about a step

    def _witnessed(self, event: e.AnyEvent, order: str) -> None:
        """What the desk says that the venue said, the venue must have said."""
        witness = self.witness
        if witness is None:
            return
        match event:
            case e.OrderAccepted() if order and not witness.accepted[order]:
                self._fail("9 told", f"{order} is told as working, and the venue never took it")
            case e.OrderCancelled() | e.OrderExpired() | e.OrderRejected() if (
                order in witness.truth.orders
            ):
                self._fail("9 told", f"{order} is told as ended, and it works at the venue")
            case e.OrderFilled(fill=fill) | e.FillSettled(fill=fill):
                late = isinstance(event, e.FillSettled) or fill.execution_id.endswith("/rest")
                self._executed(witness, fill, in_parts=late)
                if isinstance(event, e.FillSettled):
                    witness.explained(event.stand_in)
            case e.HoldingAdjusted(fill=fill):
                book = self.books.of[fill.position]
                word = fill.execution_id.partition("/")[0] in self.said
                witness.booked_elsewhere(
                    fill, (fill.symbol, self.books.moves_coins(book)), by_word=word
                )
            case e.IntentTaken(intent=Resolve(subject=coin, action=Settlement.FORGET)):
                witness.left_owing(coin, self._now)
            case e.FlattenEnded():
                self.claimed_flat("the desk", self._now)
            case _:
                pass

    def _executed(self, witness: Witness, fill: Fill, *, in_parts: bool) -> None:
        """A booked execution is the venue's; one that was booked in parts is theirs in sum."""
        name = fill.execution_id.removesuffix("/rest")
        theirs = witness.fills.get(name)
        if theirs is not None and in_parts and theirs.size > fill.size:
            booked = self._parts.setdefault(name, [ZERO, ZERO])
            booked[0], booked[1] = booked[0] + fill.size, booked[1] + fill.fee
            exact = booked[0] < theirs.size or booked == [theirs.size, theirs.fee]
            same = exact and booked[0] <= theirs.size
            fill = replace(theirs, price=fill.price, side=fill.side) if same else fill
        if theirs is None or _facts(theirs) != _facts(fill):
            self._fail(
                "5 executions",
                f"{_facts(fill)} is booked, the venue's is {theirs and _facts(theirs)}",
            )

    def claimed_flat(self, who: str, now: int) -> None:
        """Invariant 12: somebody says that the account is flat. At this moment it must be."""
        self._now = now
        if self.witness is not None:
            self._say(unflat(self.witness, self.books, self.prices, self.left_alone, who, now))

    # Positions

    def _judge(self, touched: dict[str, None], state: State) -> None:
        """Exits and protection: of what was touched at once, of the others as time goes by."""
        for name in touched:
            book = self.books.of.get(name)
            if book is not None:
                self._say(exits.closing(book, self.books, self.orders, self.prices, self.alerts))
                self._protected(book, state, at_once=True)
        for symbol in dict.fromkeys(
            self.books.of[name].symbol for name in touched if name in self.books.of
        ):
            self._say(exits.resting(symbol, self.witness, self.books, self.alerts))
        if self._now - self._looked_at >= LOOK:
            self._looked_at = self._now
            for name, position in state.positions.items():
                book = self.books.of.get(name)
                if book is None:
                    self._fail(
                        "1 size", f"{name}: the desk has {position.size}, and no event tells of it"
                    )
                elif name not in touched:
                    self._protected(book, state, at_once=False)

    def _protected(self, book: Book, state: State, *, at_once: bool) -> None:
        """Invariant 4: open positions are VENUE or GUARDED by orders and prices, or a standing
        alert names them.
        """
        instrument = self.books.instruments[book.symbol]
        if book.over or book.size <= ZERO or not self.prices.takes(instrument, book.size, DUST):
            self._bare_since.pop(book.id, None)
            return
        fresh = self.prices.is_fresh(book.symbol, self._now)
        fact = cover(book, instrument, self.orders, halted=self.halted, fresh=fresh)
        claim = state.positions.get(book.id)
        told = any(
            alert.target == book.id and alert.code in NAKED for alert in self.alerts.values()
        )
        bare = RANK[fact] <= RANK[Protection.PARTIAL] and not told
        better = claim is not None and RANK[claim.protection] > RANK[fact]
        if not bare and not better:
            self._bare_since.pop(book.id, None)
            return
        if not fresh or not at_once:  # a price that went stale is noticed when the desk looks next
            since = self._bare_since.setdefault(book.id, self._now)
            if self._now - since < NOTICED:
                return
        if bare:
            self._fail("4 protection", f"{book.id} is {fact} and no alert names it")
        else:
            self._fail(
                "4 claimed", f"{book.id} is {fact}, and the desk says {claim and claim.protection}"
            )

    # As a whole

    def replay(self, state: State, replayed: State, now: int, what: str) -> None:
        """Invariant 8: the journal tells the running state."""
        self._now = now
        self.findings.checked += 1
        if encode_state(state) != encode_state(replayed):
            self._fail("8 replay", f"{what} gives another state than the running one")

    def bounds(self, state: State, now: int) -> None:
        """Invariant 10: collections are within their bounds. What ended last may be more, where one
        message ended it all.
        """
        self._now = now
        newest = max((position.closed_at or 0 for position in state.closed.values()), default=0)
        self.findings.checked += 1
        for name, size, bound in (
            ("ended orders", len(state.ended), ENDED_ORDERS),
            (
                "closed positions",
                sum((position.closed_at or 0) < newest for position in state.closed.values()),
                CLOSED_POSITIONS,
            ),
            ("executions", len(state.executions), EXECUTIONS),
        ):
            if size > bound:
                self._fail("10 bounds", f"{name}: {size} of {bound}")

    def tasks(self, count: int, now: int) -> None:
        """Invariant 10: no task outlives the engine."""
        self._now = now
        self.findings.checked += 1
        if count:
            self._fail("10 tasks", f"{count} tasks outlived the engine")

    def outlived(self, decision: Decided, now: int) -> None:
        """Invariant 10, of an engine that was gone when it decided this."""
        self._now = now
        kinds = ", ".join(type(event).__name__ for event in decision.events)
        self._fail("10 tasks", f"an engine that had ended decided {kinds or 'nothing'}")

    def unsaid(self, now: int) -> None:
        """The venue could not be asked at the end."""
        self._now = now
        self._fail(
            "9 orders", "the venue did not answer at the end: nothing shows that ours equals its"
        )

    def against(
        self,
        state: State,
        picture: Picture,
        now: int,
        *,
        averaged: bool = False,
        told: bool = False,
    ) -> None:
        """Invariants 1, 3, 5, 9 and 11 once everything has come to rest: ours equals the venue's.

        `averaged`: whether the venue may have closed positions that share a symbol at another
        average than we.
        """
        self._now = now
        self.findings.checked += 1
        self._say(rest.orders(self.orders, state, picture, self._unknown() if told else set()))
        self._say(rest.holdings(self.books, self.prices, self.alerts, picture))
        self._say(
            rest.money(self.books, state, self.alerts, picture, self._rounding, averaged=averaged)
        )
        for name in (*state.positions, *state.closed):
            self._say(self.books.differing(name, state))
        self._say(self.books.money(state))
        self._say(self._sold())

    def _unknown(self) -> set[str]:
        """Orders under our name that the desk says it does not know, or was told to leave alone."""
        codes = (AlertCode.UNKNOWN_ORDER, AlertCode.UNEXPLAINED)
        named = {alert.target for alert in self.alerts.values() if alert.code in codes}
        return named | self.left_alone

    def _sold(self) -> Iterator[tuple[str, str]]:
        """Invariant 11 by position: the venue closed no more of one than it opened, or the desk has
        said so.
        """
        for name in () if self.witness is None else self.witness.by_position:
            book = self.books.of.get(name)
            if book is None or name in self.over_closed or self.witness is None:
                continue
            held = self.witness.size_of(name) * book.side.sign
            if held < ZERO and self.prices.takes(self.books.instruments[book.symbol], -held):
                yield "11 sold", f"{name}: {-held} {book.symbol} more was closed than was opened"


def _facts(fill: Fill) -> tuple[str, str, Side, Decimal, Decimal, Decimal, str]:
    return (
        fill.client_order_id,
        fill.symbol,
        fill.side,
        fill.size,
        fill.price,
        fill.fee,
        fill.fee_currency,
    )
