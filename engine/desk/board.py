"""The board: latest prices, and what each position waits for on them. A quote costs the same
whatever rests, until it crosses something.

Longs leave by selling, so their watches compare with the bid; shorts leave by buying and compare
with the ask. Nothing here is journaled: all of it is derived from the state and from prices, and is
set up again by `watch` whenever a position changes.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from engine.desk.pairs import Pairs
from engine.desk.rules import Rules
from engine.desk.state import State
from engine.desk.sums import Kept
from engine.desk.watches import Awaited, Leaving, Passed, Resting, SymbolBoard, Watch
from engine.model.instrument import Instrument
from engine.model.order import Order, Trail
from engine.model.place import At
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.report import FeesTold, FundingRate, MarketMode, Picture
from engine.model.side import Side

FOLDED = " folded"


class Proved(Struct, frozen=True, gc=False):
    """An amount of a position that the gate would let leave."""

    amount: Decimal
    at: int
    of: tuple[Decimal, Decimal]
    """What we believed in then, and what the venue showed."""


class Board:
    """Latest prices by symbol."""

    _since: dict[str, str]
    """From a position whose ranges are followed to its symbol."""
    moved: set[str]
    """Symbols whose price has changed since the sums over all positions were told; who tells
    them empties it.
    """
    summed: tuple[State | None, int, Rules | None]
    """Of what the sums are told: which state up to which change, by which rules."""
    fresh_until: int
    """Until when no price of what is held can become stale; from then on it is looked for anew."""
    looked_at: int
    """Up to which change of the positions it was last looked how far each has gone."""
    further: set[str]
    """Positions of which a price was seen since the last sample that is lower or higher than
    ever.
    """
    picture: Picture | None
    """The account as the venue told it last."""
    modes: dict[str, MarketMode]
    """By symbol, where the venue is known to take no closes now; what is not known admits."""
    fees: dict[str, FeesTold]
    """By symbol, what the venue said last that this account pays."""
    funding: dict[str, FundingRate]
    """By symbol, as the venue told it last."""
    margin_at: int
    """When the distance to liquidations was last looked at."""
    fired: dict[str, int]
    """By client order id: when a stop that has not filled was heard to fire."""
    passed: dict[str, Passed]
    """By client order id: entries whose price the market went through."""
    owed: dict[str, Decimal]
    """By currency, what the last picture had more than we, and only funding and lending explain."""
    owed_once: bool
    """Whether it did so for the first time."""
    stranger_at: int
    """When the venue last told of an order that bears our name and is not known here."""
    falls: dict[str, tuple[int, Decimal]]
    """By currency: coins of the owner's own that are missing, since which picture, and how many."""
    proved: dict[str, Proved]
    """By position: how much of it the gate would let leave, where it held an exit back for its
    size.
    """
    blind: set[str]
    """Positions whose exits the gate holds back because no picture of the account comes."""
    confirmed: set[str]
    """Of these: whose exits may leave on our own books, by the operator's word. A restart
    forgets it.
    """
    restarted_at: int
    """When this process took the account up: before its first word from the venue, nothing that
    was due meanwhile may act.
    """
    unheard_since: int | None
    """Until when nobody listened to the venue, as long as it has not told of a later time.
    """
    sampled_at: int | None
    """When the equity was last journaled by this process."""
    judged_at: int
    """When losses were last held against their bounds."""
    leaves_after: Callable[[Order], int | None] | None
    """Nanoseconds until the venue's rate limits let an entry leave (None: not soon), as the
    gateway counts; None where nobody counts.
    """
    in_session: bool
    """Whether this process has begun a session of its own."""
    speed: float
    """By how much the engine's time runs faster than a person's, in a recorded market."""
    base_known: bool
    """Whether this process has seen a price of all that the last sample before it counted, or
    given up waiting for one.
    """

    def __init__(self, now: int = 0) -> None:
        self._symbols: dict[str, SymbolBoard] = {}
        self._since = {}
        self._watched: dict[str, str] = {}
        self._pairs = Pairs(self.quote)
        self._wider: set[str] = set()
        self.awaited = Awaited(self._symbol)
        self.resting = Resting(self._symbol)
        self.moved = set()
        self.sums = Kept()
        self.summed = (None, 0, None)
        self.fresh_until = 0
        self.looked_at = 0
        self.further = set()
        self.picture = None
        self.modes = {}
        self.fees = {}
        self.funding = {}
        self.margin_at = 0
        self.fired = {}
        self.passed = {}
        self.owed = {}
        self.owed_once = False
        self.stranger_at = 0
        self.falls = {}
        self.proved = {}
        self.blind = set()
        self.confirmed = set()
        self.restarted_at = now
        self.unheard_since = None
        self.sampled_at = None
        self.judged_at = now
        self.leaves_after = None
        self.in_session = False
        self.speed = 1.0
        self.base_known = False

    def _symbol(self, symbol: str) -> SymbolBoard:
        found = self._symbols.get(symbol)
        if found is None:
            found = self._symbols[symbol] = SymbolBoard()
        return found

    def on_quote(self, quote: Quote) -> list[Watch]:
        """Keep a quote; what it crossed, in the order in which that is to act."""
        here = self._symbols.get(quote.symbol)
        if here is None:
            here = self._symbol(quote.symbol)
        here.quote = quote
        bid, ask = quote.bid, quote.ask
        self.moved.add(quote.symbol)
        if here.ranges and here.ranges.see(bid, ask):
            self._wider.add(quote.symbol)
        longs, shorts = here.longs, here.shorts
        hit: list[Watch] | None = None
        nearest = longs.losses.nearest
        if nearest is not None and bid <= nearest:
            hit = longs.losses.crossed(bid)
        nearest = shorts.losses.nearest
        if nearest is not None and ask >= nearest:
            hit = [*(hit or ()), *shorts.losses.crossed(ask)]
        if longs.trails:
            fired = longs.trails.follow(bid)
            if fired:
                hit = [*(hit or ()), *fired]
        if shorts.trails:
            fired = shorts.trails.follow(ask)
            if fired:
                hit = [*(hit or ()), *fired]
        nearest = longs.gains.nearest
        if nearest is not None and bid >= nearest:
            hit = [*(hit or ()), *longs.gains.crossed(bid)]
        nearest = shorts.gains.nearest
        if nearest is not None and ask <= nearest:
            hit = [*(hit or ()), *shorts.gains.crossed(ask)]
        return [] if hit is None else hit

    def levels(self, symbol: str, rises: bool) -> tuple[Decimal | None, Decimal | None]:
        """The next bid and the next ask that something waits for, as the price rises or falls."""
        here = self._symbols.get(symbol)
        if here is None:
            return None, None
        if rises:
            losses = (here.shorts.losses.nearest, here.shorts.trails.nearest)
            return here.longs.gains.nearest, min((p for p in losses if p is not None), default=None)
        losses = (here.longs.losses.nearest, here.longs.trails.nearest)
        return max((p for p in losses if p is not None), default=None), here.shorts.gains.nearest

    # Prices

    def quote(self, symbol: str) -> Quote | None:
        """The latest quote, however old."""
        found = self._symbols.get(symbol)
        return None if found is None else found.quote

    def quotes(self) -> list[Quote]:
        """The latest of every symbol, by symbol."""
        return [here.quote for _, here in sorted(self._symbols.items()) if here.quote is not None]

    def age(self, symbol: str, now: int) -> int | None:
        """Nanoseconds since the latest quote; None before the first."""
        quote = self.quote(symbol)
        return None if quote is None else max(0, now - quote.at)

    def pace(self, symbol: str) -> int:
        """The usual nanoseconds between two prices of a symbol's source; zero where it streams."""
        found = self._symbols.get(symbol)
        return 0 if found is None else found.pace

    def set_pace(self, symbol: str, pace: int) -> None:
        """A recorded source that has a price a minute is not stale after half of one."""
        self._symbol(symbol).pace = pace

    def rate(self, base: str, quote: str, without: str = "") -> Decimal | None:
        """Units of `quote` for one of `base`, from mid prices: direct, inverse, or through one
        other currency. `without` is a symbol that is not to be used.
        """
        return self._pairs.rate(base, quote, without)

    def drop(self, symbol: str) -> None:
        """Know no price of a symbol: nobody hears it any more. Nothing of it may be open."""
        here = self._symbols.get(symbol)
        if here is not None:
            here.quote = None
            self.moved.add(symbol)

    def list(self, instrument: Instrument) -> None:
        """An instrument's prices can convert its currencies."""
        if self._pairs.list(instrument):
            self.moved.add(instrument.symbol)

    # Positions

    def watch(
        self,
        position: Position,
        instrument: Instrument,
        step: Decimal,
        *,
        target: bool,
        limit: Decimal | None = None,
    ) -> None:
        """Wait for what matters to a position as it is now; for its `target`, and the nearest
        `limit` that it leaves at, only where none may rest at the venue.
        """
        best = self._best(position)
        self._unwatch(position.id)
        if position.size <= 0:
            return
        here = self._symbol(position.symbol)
        self._watched[position.id] = position.symbol
        self._follow_ranges(position, here)
        if position.closing >= position.size and position.closing_at is None:  # a limit may stay
            return
        leaving = here.longs if position.side is Side.BUY else here.shorts
        if position.stop is not None and position.through_since is None:
            leaving.losses.set((position.id, "stop"), position.stop)
        if limit is not None:
            leaving.gains.set((position.id, "limit"), limit)
        if position.target is not None and target:
            leaving.gains.set((position.id, "target"), position.target)
        if target and position.goals and (goals := position.goals_left(instrument)):
            leaving.gains.set((position.id, "part"), goals[0][0])
        if position.even is not None:
            leaving.gains.set((position.id, "even"), position.even.price)
        if position.trail is not None:
            self._watch_trail(position, position.trail, best, instrument, leaving, step)

    def _best(self, position: Position) -> Decimal | None:
        """The best price that a trail has seen: the board's where it is further than the
        journal's.
        """
        if position.id not in self._watched or not position.trailing or position.best is None:
            return position.best
        here = self._symbols[position.symbol]
        seen = (here.longs if position.side is Side.BUY else here.shorts).trails.best(
            (position.id, "trail")
        )
        return position.best if seen is None else position.tighter(seen, position.best)

    def _watch_trail(
        self,
        position: Position,
        trail: Trail,
        best_seen: Decimal | None,
        instrument: Instrument,
        leaving: Leaving,
        step: Decimal,
    ) -> None:
        sign = position.side.sign
        if not position.trailing or best_seen is None:
            entry = position.entry_price(instrument)
            begins = entry * (1 + (trail.after or 0) * sign)
            if isinstance(trail.begins, At):
                begins = trail.begins.price
            leaving.gains.set((position.id, "activate"), begins)
            return
        leaving.trails.add((position.id, "trail"), trail, best_seen)
        if position.stop is None:
            return
        # the price at which following would tighten the working stop by one step
        wanted = position.stop + max(step * best_seen, instrument.tick) * sign
        best = (
            wanted + trail.amount * sign
            if trail.amount is not None
            else wanted / (1 - (trail.fraction or 0) * sign)
        )
        leaving.gains.set((position.id, "follow"), best)

    def _unwatch(self, name: str) -> None:
        symbol = self._watched.pop(name, None)
        if symbol is None:
            return
        here = self._symbols[symbol]
        for leaving in (here.longs, here.shorts):
            leaving.losses.discard((name, "stop"))
            leaving.trails.discard((name, "trail"))
            for what in ("target", "limit", "part", "even", "activate", "follow"):
                leaving.gains.discard((name, what))

    def forget(self, name: str) -> None:
        """A position has ended."""
        self._unwatch(name)
        symbol = self._since.pop(name, None)
        if symbol is not None:
            ranges = self._symbols[symbol].ranges
            ranges.end(name)
            ranges.end(_folded(name))

    def _follow_ranges(self, position: Position, here: SymbolBoard) -> None:
        """From its first fill on, remember how far the price went; what an earlier process saw is
        in the position.
        """
        if position.id not in self._since:
            self._since[position.id] = position.symbol
            here.ranges.begin(position.id, here.quote)
            here.ranges.begin(_folded(position.id), here.quote)
            self._wider.add(position.symbol)

    def fold(self, position: Position) -> None:
        """Begin a position's range of prices anew, once the old one is counted: a fill has changed
        what a price means for it.
        """
        if position.id in self._since:
            here = self._symbols[position.symbol]
            here.ranges.begin(_folded(position.id), here.quote)
            self._wider.add(position.symbol)

    def widened(self) -> set[str]:
        """The positions for which a price has gone further than ever since this was asked
        for last.
        """
        found: set[str] = set()
        for symbol in self._wider:
            found.update(key.removesuffix(FOLDED) for key in self._symbols[symbol].ranges.widened())
        self._wider.clear()
        return found

    def extremes(self, position: Position) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest price at which a position could have been closed while this process
        has watched it: bids for a long, asks for a short.
        """
        symbol = self._since.get(position.id)
        if symbol is None:
            return None
        ranges = self._symbols[symbol].ranges
        long = position.side is Side.BUY
        return ranges.bids(position.id) if long else ranges.asks(position.id)

    def closable(self, position: Position) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest price at which a position could have been closed since it was folded
        last: bids for a long, asks for a short.
        """
        here = self._symbols.get(position.symbol)
        if here is None or here.quote is None:
            return None
        key = _folded(position.id)
        return here.ranges.bids(key) if position.side is Side.BUY else here.ranges.asks(key)


def _folded(name: str) -> str:
    """Under which key the range of a position since its last fill is kept."""
    return name + FOLDED
