"""What executions change of the balances, as the exchange's ledger tells it: two entries for coins,
one for what is on margin.
"""

from collections import deque
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.exchange.ledger import Ledger
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.wire.world import World


class Entry(Struct, frozen=True):
    """One change of one balance."""

    name: str
    kind: str
    """`trade`, or `margin`: only the profit of what is closed is paid, and the fee."""
    currency: str
    amount: Decimal
    """Before the fee."""
    fee: Decimal


class Entries:
    """The entries of executions. Profit is not part of an execution: it is found by going through
    them in their order.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._book = Ledger({}, "")
        self._profits: dict[str, Decimal] = {}

    def of(self, fill: Fill) -> tuple[Entry, ...]:
        """What an execution has changed."""
        instrument = self._world.exchange.instruments[fill.symbol]
        base, quote = instrument.base, instrument.quote
        fees = {base: ZERO, quote: ZERO, fill.fee_currency: fill.fee}
        if not instrument.moves_coins(self._leverage(fill, instrument)):
            if fill.execution_id not in self._profits:
                self._go_on()
            return (
                Entry(
                    self._name(fill, "Q"),
                    "margin",
                    quote,
                    self._profits.get(fill.execution_id, ZERO),
                    fees[quote],
                ),
            )
        size = fill.size * fill.side.sign
        return (
            Entry(self._name(fill, "B"), "trade", base, size, fees[base]),
            Entry(self._name(fill, "Q"), "trade", quote, -size * fill.price, fees[quote]),
        )

    def _name(self, fill: Fill, side: str) -> str:
        return f"L{fill.execution_id[1:-1]}{side}"

    def _leverage(self, fill: Fill, instrument: Instrument) -> Decimal | None:
        """What its order named; a liquidation has no order, and closes what is on margin."""
        order = self._world.order(fill.client_order_id)
        return instrument.max_leverage if order is None else order.leverage

    def _go_on(self) -> None:
        """Book the executions that came since, on margin, and see what each one pays."""
        new: deque[Fill] = deque()
        for fill in reversed(self._world.exchange.fills):
            if fill.execution_id in self._profits:
                break
            new.appendleft(fill)
        for fill in new:
            instrument = self._world.exchange.instruments[fill.symbol]
            leverage = self._leverage(fill, instrument)
            before = self._book.cash.get(instrument.quote, ZERO)
            if not instrument.moves_coins(leverage):
                self._book.book(
                    instrument, replace(fill, fee=ZERO), lambda _one, _other: ZERO, leverage
                )
            self._profits[fill.execution_id] = self._book.cash.get(instrument.quote, ZERO) - before
        for old in list(self._profits)[
            : max(len(self._profits) - (self._world.exchange.fills.maxlen or 0), 0)
        ]:
            del self._profits[old]
