"""What is left to close, from what is ours and what the venue shows. Arithmetic only.

On a cash account coins of ours and of the owner lie in one heap. What the heap lacks is taken from
the owner's part first (the owner may have withdrawn), but only on evidence that counts: before
that, no more is closable than what lies beyond the owner's part. Contracts and loans are closed
reduce-only, so that there the venue bounds what happens.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.emergency.gathering import Gathering
from engine.model.books import Books
from engine.model.debts import made_by_us
from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE, ZERO
from engine.model.side import Side


class Left(Struct, frozen=True):
    """One symbol, as coins or as a contract or loan."""

    instrument: Instrument
    on_margin: bool
    ours: Decimal
    """Signed, by our arithmetic."""
    closable: Decimal
    """Signed, in whole lots: what may be closed now."""
    dust: Decimal
    """Signed: held and ours, but below what the venue trades."""
    beyond: Decimal
    """Signed: held, and neither ours nor known to be somebody else's."""
    alone: Decimal
    """Signed: held, and left alone on purpose: it lay there before us, or others traded it."""
    missing: Decimal
    """Signed: ours by our arithmetic, and not there."""
    value: Decimal
    """Of what is closable, in the quote currency."""
    stuck: Decimal = ZERO
    """Signed: held and ours, below what the venue trades and worth far more than dust: the venue
    has raised its minimum, or tells a wrong one. It keeps its stop, and the account is not flat.
    """
    short: Decimal = ZERO
    """Zero or below: coins that our orders sold beyond what is known to be ours, where nothing
    proves that the account owes them.
    """

    @property
    def symbol(self) -> str:
        """Its symbol."""
        return self.instrument.symbol

    @property
    def asset(self) -> str:
        """A currency where coins change hands, else the symbol."""
        return self.instrument.symbol if self.on_margin else self.instrument.base

    @property
    def side(self) -> Side:
        """The side of an order that closes it."""
        return Side.SELL if self.closable > ZERO else Side.BUY


WORTH = 100
"""Dust is worth less than so many times the smallest cost of an order; Kraken's minimums, of about
5 to 10 USD, are about ten times that (read 2026-11).
"""


def tradable(instrument: Instrument, size: Decimal, price: Decimal | None) -> bool:
    """Whether the venue would take an order of this size."""
    if size < instrument.min_size or size <= ZERO:
        return False
    return price is None or instrument.notional(size, price) >= instrument.min_cost


class Holding:
    """Works out what is left."""

    def __init__(
        self,
        gathering: Gathering,
        instruments: Mapping[str, Instrument],
        rounding: Decimal,
        all_of: Collection[str],
        currencies: Collection[str],
        *,
        lends: bool = False,
    ) -> None:
        self._told = gathering
        self._ours = gathering.ours
        self._instruments = instruments
        self._rounding = rounding
        self._all_of = all_of
        self._currencies = currencies
        self.lends = lends
        """Whether the account lends coins to whoever sells what is not held: then what our orders
        oversold may be a short of ours.
        """
        self.counts = False
        """Whether the newest picture counts: then a fall that nothing of ours explains is the
        owner's.
        """

    def lefts(self) -> list[Left]:
        """Everything that is held or ours, what is worth most first."""
        found: list[Left] = []
        assets: dict[str, list[Instrument]] = {}
        for instrument in self._instruments.values():
            if instrument.kind is Kind.SPOT:
                assets.setdefault(instrument.base, []).append(instrument)
            if instrument.kind is not Kind.SPOT or instrument.can_short:
                found.append(self._contract(instrument))
        for asset, listed in assets.items():
            found += self._coins(asset, listed)
        kept = [
            left
            for left in found
            if left.ours or left.closable or left.dust or left.stuck or left.beyond or left.alone
        ]
        return sorted(kept, key=lambda left: (-left.value, left.symbol))

    def books(self, asset: str) -> Books:
        """For the gate: what of an asset is ours, and what is not."""
        if asset in self._instruments:
            ours = self._contract(self._instruments[asset]).ours
            baseline = self._ours.baseline(asset) or ZERO
        else:
            sizes = self._coin_sizes(asset, self._of(asset))
            ours = sum(sizes.values(), ZERO)
            baseline = self._base(asset, ours)
        return Books(max(ours, ZERO), max(-ours, ZERO), baseline)

    def _of(self, asset: str) -> list[Instrument]:
        return [
            one for one in self._instruments.values() if one.kind is Kind.SPOT and one.base == asset
        ]

    # Contracts and loans

    def _contract(self, instrument: Instrument) -> Left:
        held, symbol = self._told.net(instrument.symbol), instrument.symbol
        base = self._ours.baseline(symbol) or ZERO
        ours = self._ours.size(instrument, on_margin=True)
        if symbol in self._all_of:
            base, ours = ZERO, held
        there = held - base
        size = min(abs(ours), abs(there)).copy_sign(ours) if ours * there > ZERO else ZERO
        rest = there - size
        others = self._explained(
            rest,
            ZERO if self._ours.summary is None else self._ours.foreign(instrument, on_margin=True),
        )
        return self._left(instrument, True, ours, size, rest - others, base + others, ours - size)

    @staticmethod
    def _explained(rest: Decimal, others: Decimal) -> Decimal:
        """How much of what is held beyond ours the executions of others explain."""
        return min(abs(rest), abs(others)).copy_sign(rest) if rest * others > ZERO else ZERO

    # Coins

    def _coin_sizes(self, asset: str, listed: Iterable[Instrument]) -> dict[str, Decimal]:
        sizes = {one.symbol: self._ours.size(one, on_margin=False) for one in listed}
        if sizes:  # what another engine of ours bought is in the heap, whatever it was bought with
            sizes[next(iter(sizes))] += self._ours.withheld(asset)
            sizes[next(iter(sizes))] -= self._owed(asset, sum(sizes.values(), ZERO))
        taken = next((symbol for symbol in sizes if symbol in self._all_of), None)
        if taken is not None:
            rest = sum((size for symbol, size in sizes.items() if symbol != taken), ZERO)
            heap = self._told.balance(asset) - rest
            sizes[taken] = max(heap, sizes[taken]) if heap > ZERO else sizes[taken]
        return sizes

    def _owed(self, asset: str, ours: Decimal) -> Decimal:
        """What our closing sales made the account owe that `ours` does not contain: somebody else
        sold the same coins, and the venue lent what was missing. Zero before the executions are
        known that the balance contains.
        """
        held, known = self._told.balance(asset), -min(self._ours.withheld(asset), ZERO)
        lends = self.lends and any(one.can_short for one in self._of(asset))
        if not lends or not self._told.is_explained:
            return ZERO
        own = (self._ours.baseline(asset) or ZERO) + ours + known
        moves = self._ours.moves(asset, self._instruments)
        more = made_by_us(held, own, moves, known) - known
        # paid back by others, it is owed no more
        return min(more, max(ours - min(ours, held, ZERO), ZERO))

    def _base(self, asset: str, ours: Decimal) -> Decimal:
        """What of the heap is the owner's."""
        held, base = self._told.balance(asset), self._ours.baseline(asset)
        if any(one.symbol in self._all_of for one in self._of(asset)):
            return ZERO
        if base is None:
            return max(held - max(ours, ZERO), ZERO)
        fall = base + ours - held
        if fall > self._slack(base + ours, held) and self.counts:
            return max(base - fall, ZERO)
        return base

    def _sold_short(self, listed: list[Instrument]) -> bool:
        """Whether we sold coins on purpose that the venue lends: the summary has the short.

        What was oversold is never bought back, there is no repair on cash; but what the account
        owes the venue is. Where only executions say that we sold more than was ours, it may be
        either, or coins that had been adopted: that is told by name.
        """
        symbols = {one.symbol for one in listed if one.moves_coins(None)}
        return any(
            one.symbol in symbols and one.side is Side.SELL and not (one.leverage or ZERO) > ONE
            for one in self._ours.positions
        )

    def _slack(self, one: Decimal, other: Decimal) -> Decimal:
        return self._rounding * max(abs(one), abs(other))

    def _coins(self, asset: str, listed: list[Instrument]) -> list[Left]:
        sizes, held = self._coin_sizes(asset, listed), self._told.balance(asset)
        ours = sum(sizes.values(), ZERO)
        base, known = self._base(asset, ours), self._ours.baseline(asset)
        slack = self._slack(base + ours, held)
        room = max(held - base, ZERO) if held - base + slack < ours else max(min(ours, held), ZERO)
        debt = max(base - held if self._sold_short(listed) else -held, ZERO)
        rest = held - (known or ZERO) - (max(ours, ZERO) if known is None else ours)
        rest = rest if rest > slack else ZERO
        traded = (
            sum((self._ours.foreign(one, on_margin=False) for one in listed), ZERO)
            if known is not None
            else ZERO
        )
        others = self._explained(rest, traded)
        cash = asset in self._currencies or any(one.symbol in self._all_of for one in listed)
        beyond = ZERO if cash else rest - others
        alone = ZERO if cash else max(min(known or ZERO, held), ZERO) + others
        found = []
        for number, one in enumerate(listed):
            size, first = sizes[one.symbol], number == 0
            part = min(size, room) if size > ZERO else -min(-size, debt)
            room, debt = room - max(part, ZERO), debt - max(-part, ZERO)
            left = self._left(
                one,
                False,
                size,
                part,
                beyond if first else ZERO,
                alone if first else ZERO,
                size - part,
            )
            lends = self.lends and one.can_short and not cash
            if lends and tradable(one, one.round_size(part - size), None):
                left = replace(left, short=size - part)
            found.append(left)
        return found

    def _left(
        self,
        instrument: Instrument,
        on_margin: bool,
        ours: Decimal,
        size: Decimal,
        beyond: Decimal,
        alone: Decimal,
        missing: Decimal,
    ) -> Left:
        quote = self._told.quote(instrument.symbol)
        price = None if quote is None else quote.mid
        lots = instrument.round_size(abs(size))
        closable = lots.copy_sign(size) if tradable(instrument, lots, price) else ZERO
        value = instrument.notional(abs(closable), price or ONE)
        if not tradable(instrument, instrument.round_size(abs(beyond)), price):
            beyond = ZERO
        dust, stuck = size - closable, ZERO
        if not closable and price is not None and self._is_worth(instrument, lots, price):
            dust, stuck = size - lots.copy_sign(size), lots.copy_sign(size)
        return Left(
            instrument, on_margin, ours, closable, dust, beyond, alone, missing, value, stuck
        )

    @staticmethod
    def _is_worth(instrument: Instrument, size: Decimal, price: Decimal) -> bool:
        """Whether so much is more than dust."""
        return (
            size > ZERO and instrument.notional(size, price) >= WORTH * instrument.min_cost > ZERO
        )
