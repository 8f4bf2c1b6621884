"""The auditor's own books of positions and money, from journaled fills alone.

Profit is worked out here at average cost, in lines of this file: nothing of `Position`'s arithmetic
or of the desk's ledger takes part.
"""

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct, field

from engine.desk import events as e
from engine.desk.state import State
from engine.model.fill import Fill
from engine.model.instrument import Instrument, Kind
from engine.model.intent import Resolve, Settlement
from engine.model.money import ONE, ZERO
from engine.model.order import Role
from engine.model.position import Position
from engine.model.side import Side

LAST_DIGITS = Decimal("0.000001")
"""Averages are divided and so are rounded in their last digits: amounts that differ by less are the
same.
"""


class Book(Struct):
    """One position as its fills tell it."""

    id: str
    symbol: str
    side: Side
    settle: str
    leverage: Decimal | None
    bought: Decimal = ZERO
    """On its own side, net of fees taken in coins; so is `sold` on the other."""
    bought_value: Decimal = ZERO
    """In the settle currency; so is `sold_value`."""
    sold: Decimal = ZERO
    sold_value: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)
    fee_value: Decimal = ZERO
    """In the settle currency."""
    stop: Decimal | None = None
    trailing: bool = False
    closing: Decimal = ZERO
    """How much of it the desk was told to close and has not closed."""
    over: bool = False
    """Whether the desk called it closed or dropped."""
    adjusted: bool = False
    """Whether something else closed some of it, by hand or by a forgotten exit: its other exits
    follow as fast as the venue tells.
    """

    @property
    def size(self) -> Decimal:
        """What is held, without sign; negative where more was closed than opened."""
        return self.bought - self.sold

    @property
    def signed(self) -> Decimal:
        """Positive long, negative short."""
        return self.size if self.side is Side.BUY else -self.size

    def gross(self, inverse: bool) -> Decimal:
        """Profit of what was both opened and closed, at average cost, before fees (settle
        currency).
        """
        both = min(self.bought, self.sold)
        if both <= ZERO:
            return ZERO
        entered = (
            self.bought_value if both == self.bought else self.bought_value * both / self.bought
        )
        left = self.sold_value if both == self.sold else self.sold_value * both / self.sold
        rises = (self.side is Side.BUY) is not inverse
        return left - entered if rises else entered - left


class Books:
    """Positions and cash of one account."""

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}
        self.of: dict[str, Book] = {}
        self.cash: dict[str, Decimal] = {}
        self.fees: dict[str, Decimal] = {}
        self.financing: dict[str, Decimal] = {}
        self.realised: dict[str, Decimal] = {}
        """What each position that is over came to, after fees (its settle currency)."""
        self.executions: set[str] = set()
        self.elsewhere: dict[str, Decimal] = {}
        self.forgotten = ""
        """What the operator has just said to leave as the venue has it: the event that does so
        follows.
        """
        self.left: dict[str, Decimal] = {}
        """By symbol or currency: what the operator left alone so."""
        """Signed, by symbol: what the operator called not ours."""
        self.lent: set[str] = set()
        """Currencies in which averages were divided."""
        self.strange: list[str] = []
        """Executions that were booked twice or nowhere, in words, until somebody looks."""

    def moves_coins(self, book: Book) -> bool:
        """Whether coins changed hands for it, rather than a contract."""
        return self.instruments[book.symbol].kind is Kind.SPOT and (
            book.leverage is None or book.leverage <= ONE
        )

    def take_in(self, event: e.AnyEvent) -> str:
        """Book what an event says; returns the position that it is about, or an empty text."""
        match event:
            case e.InstrumentListed(instrument=instrument):
                self.instruments[instrument.symbol] = instrument
            case e.IntentTaken(
                intent=Resolve(subject=subject, action=Settlement.FORGET), answer=answer
            ) if answer.ok:
                self.forgotten = subject
            case e.CashReported(cash=cash):
                if (name := self.forgotten) in cash:
                    _add(self.left, name, cash[name] - self.cash.get(name, ZERO))
                    self.forgotten = ""
                self.cash = dict(cash)
            case e.Financed(currency=currency, amount=amount):
                _add(self.cash, currency, amount)
                _add(self.financing, currency, amount)
            case e.LeftElsewhere(symbol=symbol, size=size):
                if symbol == self.forgotten:
                    _add(self.left, symbol, size)
                    self.forgotten = ""
                _add(self.elsewhere, symbol, size)
            case e.PositionPlanned(position=position):
                self._begin(position)
                return position.id
            case e.OrderRecovered(order=order):
                self._adjusted(order.position)
                return order.position
            case e.HoldingAdjusted(fill=fill) | e.FillSettled(fill=fill):
                self._elsewhere(event)
                return fill.position
            case e.PositionLiquidated(fill=fill, fee_value=value, by=by):
                if by:  # a last exit closed it, and has ended its exits
                    self._adjusted(fill.position)
                self._booked(fill, value, by)
                return fill.position
            case _:
                return self._wanted(event)
        return ""

    def _adjusted(self, position: str) -> None:
        """Something else closed some of it."""
        if position in self.of:
            self.of[position].adjusted = True

    def filled(self, fill: Fill, fee_value: Decimal, role: Role | None) -> None:
        """Book an execution of one of our orders."""
        self._booked(fill, fee_value, "" if role is None else role.value)

    def _begin(self, p: Position) -> None:
        self.of[p.id] = Book(
            p.id, p.symbol, p.side, p.settle, p.leverage, stop=p.stop, trailing=p.trailing
        )

    def _wanted(self, event: e.AnyEvent) -> str:
        """What the desk is to do for a position."""
        name = getattr(event, "position", None)
        book = self.of.get(name) if isinstance(name, str) else None
        if book is None:
            return ""
        match event:
            case e.StopMoved(stop=stop):
                book.stop = stop
            case e.TrailSet(following=following):
                book.trailing = following
            case e.TrailFollowed(stop=stop):
                book.stop, book.trailing = stop, True
            case e.ClosingBegan(size=size):
                book.closing = size
            case e.DustLeft():
                book.closing = ZERO
            case e.PositionClosed() | e.PositionDropped():
                book.over, book.closing, book.trailing = True, ZERO, False
                inverse = self.instruments[book.symbol].kind is Kind.INVERSE
                self.realised[book.id] = book.gross(inverse) - book.fee_value
            case _:
                pass
        return book.id

    def _booked(self, fill: Fill, fee_value: Decimal, role: str) -> None:
        if fill.execution_id in self.executions:
            self.strange.append(f"{fill.execution_id} was counted twice")
        self.executions.add(fill.execution_id)
        if fill.position not in self.of:
            self.strange.append(f"{fill.execution_id} is booked on no position")
            return
        book, instrument = self.of[fill.position], self.instruments[fill.symbol]
        inverse = instrument.kind is Kind.INVERSE
        before = book.gross(inverse)
        self._accumulate(fill, closes=role == Role.CLOSE.value)
        sign = 1 if fill.side is Side.BUY else -1
        _add(self.cash, fill.fee_currency, -fill.fee)
        if self.moves_coins(book):
            _add(self.cash, instrument.base, fill.size * sign)
            _add(self.cash, instrument.quote, -fill.size * fill.price * sign)
        else:
            self.lent.add(book.settle)
            _add(self.cash, book.settle, book.gross(inverse) - before)
        _add(self.fees, fill.fee_currency, fill.fee)
        _add(book.fees, fill.fee_currency, fill.fee)
        book.fee_value += _fee_value(fill, instrument, book.settle, fee_value)

    def _elsewhere(self, event: e.HoldingAdjusted | e.FillSettled) -> None:
        """A settlement books what no execution told of, or an execution comes in its stead."""
        if isinstance(event, e.FillSettled):
            self._exchanged(event)
            return
        self.of[event.fill.position].adjusted = True
        self._accumulate(event.fill)

    def _exchanged(self, event: e.FillSettled) -> None:
        """An execution takes the place of what a settlement had booked: what that was goes, at the
        price that it had.
        """
        fill, stand_in = event.fill, event.stand_in
        for currency, amount in event.cash.items():
            _add(self.cash, currency, amount)
        if fill.execution_id in self.executions:
            self.strange.append(f"{fill.execution_id} was counted twice")
        self.executions.add(fill.execution_id)
        _add(self.fees, fill.fee_currency, fill.fee)
        book, instrument = self.of.get(fill.position), self.instruments[fill.symbol]
        if book is None:
            self.strange.append(f"{fill.execution_id} is booked on no position")
            return
        inverse = instrument.kind is Kind.INVERSE
        was_over, closing = book.over, book.closing
        self._accumulate(fill)
        size = stand_in.size * instrument.contract_size
        value = size / stand_in.price if inverse else size * stand_in.price
        if fill.side is book.side:
            book.bought, book.bought_value = book.bought - stand_in.size, book.bought_value - value
        else:
            book.sold, book.sold_value = book.sold - stand_in.size, book.sold_value - value
        book.over, book.closing = was_over, closing
        _add(book.fees, fill.fee_currency, fill.fee)
        book.fee_value += _fee_value(fill, instrument, book.settle, event.fee_value)
        if not self.moves_coins(book):
            self.lent.add(book.settle)
        if was_over:
            self.realised[book.id] = book.gross(inverse) - book.fee_value

    def _accumulate(self, fill: Fill, *, closes: bool = False) -> None:
        book, instrument = self.of[fill.position], self.instruments[fill.symbol]
        book.over = False  # a fill that came after the end opens the book again
        self.realised.pop(book.id, None)
        size = fill.size
        if self.moves_coins(book) and fill.fee_currency == instrument.base:
            size = size - fill.fee if fill.side is Side.BUY else size + fill.fee
        worth = size * instrument.contract_size
        value = worth / fill.price if instrument.kind is Kind.INVERSE else worth * fill.price
        if fill.side is book.side:
            book.bought, book.bought_value = book.bought + size, book.bought_value + value
        else:
            book.sold, book.sold_value = book.sold + size, book.sold_value + value
            wanted = book.closing - fill.size if closes else book.closing
            book.closing = min(max(wanted, ZERO), max(book.size, ZERO))

    def differing(self, name: str, state: State) -> Iterator[tuple[str, str]]:
        """How the desk's record of a position differs from this one."""
        book, claim = self.of.get(name), state.positions.get(name) or state.closed.get(name)
        if book is None or claim is None:
            if book is not None and book.size and not book.over:
                yield "1 size", f"{name}: {book.size} by its fills, and the desk does not know it"
            return
        if claim.size != book.size:
            yield "1 size", f"{name}: {claim.signed_size} but its fills say {book.signed}"
        told = (claim.entry_value, claim.exit_value, claim.fee_value)
        known = (book.bought_value, book.sold_value, book.fee_value)
        if any(abs(one - other) > LAST_DIGITS for one, other in zip(told, known, strict=True)):
            yield "5 values", f"{name}: entry, exit, fees {told} but its fills say {known}"
        if any(
            claim.fees.get(one, ZERO) != book.fees.get(one, ZERO)
            for one in {*claim.fees, *book.fees}
        ):
            yield "5 fees", f"{name}: {claim.fees} but its fills say {book.fees}"

    def money(self, state: State) -> Iterator[tuple[str, str]]:
        """How the desk's money differs from this one."""
        for text in self.strange:
            yield "1 executions", text
        self.strange.clear()
        for currency in {*state.cash, *self.cash} if state.cash else ():
            told, known = state.cash.get(currency, ZERO), self.cash.get(currency, ZERO)
            if abs(told - known) > (LAST_DIGITS if currency in self.lent else ZERO):
                yield "5 cash", f"{currency}: {told} but the fills say {known}"
        realised: dict[str, Decimal] = {}
        for name, profit in self.realised.items():
            _add(realised, self.of[name].settle, profit)
        totals = state.totals
        for what, told_of, known_of in (
            ("fees", totals.fees, self.fees),
            ("financing", totals.financing, self.financing),
            ("realised", totals.realised, realised),
        ):
            for currency in {*told_of, *known_of}:
                told, known = told_of.get(currency, ZERO), known_of.get(currency, ZERO)
                if abs(told - known) > (LAST_DIGITS if what == "realised" else ZERO):
                    yield f"5 {what}", f"{currency}: {told}, the events say {known}"


def _add(sums: dict[str, Decimal], name: str, amount: Decimal) -> None:
    sums[name] = sums.get(name, ZERO) + amount


def _fee_value(fill: Fill, instrument: Instrument, settle: str, told: Decimal) -> Decimal:
    """A fee in the settle currency; of one in a third currency only the desk knows the rate of that
    moment.
    """
    if fill.fee_currency == settle:
        return fill.fee
    if fill.fee_currency == instrument.base:
        return fill.fee * fill.price
    if fill.fee_currency == instrument.quote:
        return fill.fee / fill.price
    return told
