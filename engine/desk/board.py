"""The board: latest prices, and what each position waits for on them. A quote costs the same whatever rests, until it crosses something.

Longs leave by selling, so their watches compare with the bid; shorts leave by buying and compare with the ask. Nothing here is journaled:
all of it is derived from the state and from prices, and is set up again by `watch` whenever a position changes.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec import Struct

from engine.model.instrument import Instrument, Kind
from engine.model.order import Order, Trail
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.report import FundingRate, MarketMode, Picture
from engine.model.side import Side
from engine.model.triggers import Direction, Thresholds, TrailingThresholds

Watch = tuple[str, str]
"""A position and what is watched for it: stop, trail, target, part (the nearest goal), follow, activate. Crossed together, they act in this order."""

NEVER = Decimal("Infinity")
"""A low before the first price."""
ORDER = {"stop": 0, "trail": 1, "target": 2, "part": 3, "activate": 4, "follow": 5}


class Proved(Struct, frozen=True):
    """How much of a position the gate would let leave."""

    amount: Decimal
    at: int
    of: tuple[Decimal, Decimal]
    """What we believed in then, and what the venue showed."""


class _Leaving:
    """What positions of one side of a symbol wait for."""

    __slots__ = ("gains", "losses", "trails")

    def __init__(self, side: Side) -> None:
        against = Direction.FALLING if side is Side.BUY else Direction.RISING
        along = Direction.RISING if side is Side.BUY else Direction.FALLING
        self.losses: Thresholds[Watch] = Thresholds(against)
        self.gains: Thresholds[Watch] = Thresholds(along)
        self.trails: TrailingThresholds[Watch] = TrailingThresholds(against)

    def crossed(self, price: Decimal) -> list[Watch]:
        return [*self.losses.crossed(price), *self.trails.follow(price), *self.gains.crossed(price)]


class _Segment:
    """Extremes of bid and ask since a moment from which some position counts."""

    __slots__ = ("ask_low", "bid_high", "high", "low", "owners")

    def __init__(self, quote: Quote | None) -> None:
        self.low, self.bid_high = (NEVER, -NEVER) if quote is None else (quote.bid, quote.bid)
        self.ask_low, self.high = (NEVER, -NEVER) if quote is None else (quote.ask, quote.ask)
        self.owners = 1

    def see(self, bid: Decimal, ask: Decimal) -> None:
        """Count one more quote."""
        if bid < self.low:
            self.low = bid
        if bid > self.bid_high:
            self.bid_high = bid
        if ask > self.high:
            self.high = ask
        if ask < self.ask_low:
            self.ask_low = ask

    def take_in(self, other: "_Segment") -> None:
        """Count what another one saw, too."""
        self.low, self.bid_high = min(self.low, other.low), max(self.bid_high, other.bid_high)
        self.ask_low, self.high = min(self.ask_low, other.ask_low), max(self.high, other.high)


class _Symbol:
    """One symbol's latest quote, watches and extremes."""

    __slots__ = ("current", "longs", "pace", "quote", "segments", "shorts")

    def __init__(self) -> None:
        self.quote: Quote | None = None
        self.longs = _Leaving(Side.BUY)
        self.shorts = _Leaving(Side.SELL)
        self.segments: list[_Segment] = []
        self.current: _Segment | None = None
        self.pace = 0


class Board:
    """Latest prices by symbol."""

    def __init__(self, now: int = 0) -> None:
        self._symbols: dict[str, _Symbol] = {}
        self._since: dict[str, tuple[str, _Segment]] = {}
        self._watched: dict[str, str] = {}
        self._pairs: dict[tuple[str, str], str] = {}
        self.picture: Picture | None = None
        """The account as the venue told it last."""
        self.modes: dict[str, MarketMode] = {}
        """By symbol, where the venue is known to take no closes now; what is not known admits."""
        self.funding: dict[str, FundingRate] = {}
        """By symbol, as the venue told it last."""
        self.margin_at = 0
        """When the distance to liquidations was last looked at."""
        self.fired: dict[str, int] = {}
        """By client order id: when a stop that has not filled was heard to fire."""
        self.owed: dict[str, Decimal] = {}
        """By currency, what the last picture had more than we, and only funding and lending explain."""
        self.stranger_at = 0
        """When the venue last told of an order that bears our name and is not known here."""
        self.falls: dict[str, tuple[int, Decimal]] = {}
        """By currency: coins of the owner's own that are missing, since which picture, and how many."""
        self.proved: dict[str, Proved] = {}
        """By position: how much of it the gate would let leave, where it held an exit back for its size."""
        self.blind: set[str] = set()
        """Positions whose exits the gate holds back because no picture of the account comes."""
        self.confirmed: set[str] = set()
        """Of these: whose exits may leave on our own books, by the operator's word. A restart forgets it."""
        self.restarted_at = now
        """When this process took the account up: before its first word from the venue, nothing that was due meanwhile may act."""
        self.sampled_at: int | None = None
        """When the equity was last journaled by this process."""
        self.judged_at = now
        """When losses were last held against their bounds."""
        self.leaves_after: Callable[[Order], int | None] | None = None
        """Nanoseconds until the venue's rate limits let an entry leave (None: not soon), as the gateway counts; None where nobody counts."""
        self.in_session = False
        """Whether this process has begun a session of its own."""
        self.base_known = False
        """Whether this process has seen a price of all that the last sample before it counted, or given up waiting for one."""

    def _symbol(self, symbol: str) -> _Symbol:
        found = self._symbols.get(symbol)
        if found is None:
            found = self._symbols[symbol] = _Symbol()
        return found

    def on_quote(self, quote: Quote) -> list[Watch]:
        """Keep a quote; what it crossed, in the order in which that is to act."""
        here = self._symbols.get(quote.symbol)
        if here is None:
            here = self._symbol(quote.symbol)
        here.quote = quote
        bid, ask = quote.bid, quote.ask
        if here.current is not None:
            here.current.see(bid, ask)
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

    def rate(self, base: str, quote: str) -> Decimal | None:
        """Units of `quote` for one of `base`, from mid prices: direct, inverse, or through one other currency."""
        direct = self._pair(base, quote)
        if direct is not None:
            return direct
        for middle in ("USD", "USDT", "EUR", "BTC"):
            if middle not in (base, quote):
                first, second = self._pair(base, middle), self._pair(middle, quote)
                if first is not None and second is not None:
                    return first * second
        return None

    def list(self, instrument: Instrument) -> None:
        """An instrument's prices can convert its currencies; a spot market is believed before a derivative."""
        pair = (instrument.base, instrument.quote)
        if instrument.kind is Kind.SPOT or pair not in self._pairs:
            self._pairs[pair] = instrument.symbol

    def _pair(self, base: str, quote: str) -> Decimal | None:
        if base == quote:
            return Decimal(1)
        symbol = self._pairs.get((base, quote))
        found = None if symbol is None else self.quote(symbol)
        if found is not None:
            return found.mid
        symbol = self._pairs.get((quote, base))
        found = None if symbol is None else self.quote(symbol)
        return None if found is None else 1 / found.mid

    # Positions

    def watch(self, position: Position, instrument: Instrument, step: Decimal, *, target: bool) -> None:
        """Wait for what matters to a position as it is now; for its `target` only where none may rest at the venue."""
        best = self._best(position)
        self._unwatch(position.id)
        if position.size <= 0:
            return
        here = self._symbol(position.symbol)
        self._watched[position.id] = position.symbol
        self._follow_extremes(position, here)
        if position.closing >= position.size:
            return
        leaving = here.longs if position.side is Side.BUY else here.shorts
        if position.stop is not None and position.through_since is None:
            leaving.losses.set((position.id, "stop"), position.stop)
        if position.target is not None and target:
            leaving.gains.set((position.id, "target"), position.target)
        if target and position.goals and (goals := position.goals_left(instrument)):
            leaving.gains.set((position.id, "part"), goals[0][0])
        if position.trail is not None:
            self._watch_trail(position, position.trail, best, instrument, leaving, step)

    def _best(self, position: Position) -> Decimal | None:
        """The best price that a trail has seen: the board's where it is further than the journal's."""
        if position.id not in self._watched or not position.trailing or position.best is None:
            return position.best
        here = self._symbols[position.symbol]
        seen = (here.longs if position.side is Side.BUY else here.shorts).trails.best((position.id, "trail"))
        return position.best if seen is None else position.tighter(seen, position.best)

    def _watch_trail(
        self,
        position: Position,
        trail: Trail,
        best_seen: Decimal | None,
        instrument: Instrument,
        leaving: _Leaving,
        step: Decimal,
    ) -> None:
        sign = position.side.sign
        if not position.trailing or best_seen is None:
            entry = position.entry_price(instrument)
            leaving.gains.set((position.id, "activate"), entry * (1 + (trail.after or 0) * sign))
            return
        leaving.trails.add((position.id, "trail"), trail, best_seen)
        if position.stop is None:
            return
        # the price at which following would tighten the working stop by one step
        wanted = position.stop + max(step * best_seen, instrument.tick) * sign
        best = wanted + trail.amount * sign if trail.amount is not None else wanted / (1 - (trail.fraction or 0) * sign)
        leaving.gains.set((position.id, "follow"), best)

    def _unwatch(self, name: str) -> None:
        symbol = self._watched.pop(name, None)
        if symbol is None:
            return
        here = self._symbols[symbol]
        for leaving in (here.longs, here.shorts):
            leaving.losses.discard((name, "stop"))
            leaving.trails.discard((name, "trail"))
            for what in ("target", "part", "activate", "follow"):
                leaving.gains.discard((name, what))

    def forget(self, name: str) -> None:
        """A position has ended."""
        self._unwatch(name)
        self._release(name)
        self._release(_folded(name))

    def _release(self, key: str) -> None:
        found = self._since.pop(key, None)
        if found is None:
            return
        symbol, segment = found
        segment.owners -= 1
        here = self._symbols[symbol]
        if segment.owners:
            return
        index = here.segments.index(segment)
        if index:  # nobody began here: it belongs to the one before
            here.segments[index - 1].take_in(segment)
        del here.segments[index]
        here.current = here.segments[-1] if here.segments else None

    def _follow_extremes(self, position: Position, here: _Symbol) -> None:
        """From its first fill on, remember how far the price went; what an earlier process saw is in the position."""
        self._begin(position.id, position.symbol, here)
        self._begin(_folded(position.id), position.symbol, here)

    def _begin(self, key: str, symbol: str, here: _Symbol) -> None:
        if key not in self._since:
            segment = here.current = _Segment(here.quote)
            here.segments.append(segment)
            self._since[key] = (symbol, segment)

    def fold(self, position: Position) -> None:
        """What the price did up to now is counted: begin a range anew, for a fill has changed what a price means for the position."""
        key = _folded(position.id)
        if key in self._since:
            self._release(key)
            self._begin(key, position.symbol, self._symbol(position.symbol))

    def _seen(self, key: str) -> Sequence[_Segment]:
        found = self._since.get(key)
        if found is None:
            return ()
        segments = self._symbols[found[0]].segments
        return segments[segments.index(found[1]) :]

    def extremes(self, name: str) -> tuple[Decimal, Decimal] | None:
        """Lowest bid and highest ask while this process has watched the position."""
        seen = self._seen(name)
        low, high = min((s.low for s in seen), default=NEVER), max((s.high for s in seen), default=-NEVER)
        return (low, high) if low <= high else None

    def closable(self, position: Position) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest price at which a position could have been closed since it was folded last: bids for a long, asks for a short."""
        seen = self._seen(_folded(position.id))
        if not seen or self.quote(position.symbol) is None:
            return None
        if position.side is Side.BUY:
            low, high = min(s.low for s in seen), max(s.bid_high for s in seen)
        else:
            low, high = min(s.ask_low for s in seen), max(s.high for s in seen)
        return (low, high) if low <= high else None


def _folded(name: str) -> str:
    """Under which key the range of a position since its last fill is kept."""
    return f"{name} folded"
