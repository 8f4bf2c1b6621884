"""One symbol's random course: events at irregular times, each a quote, some with a burst of trades
before it.

The model, in short. A regime (calm, busy, stressed) is switched at random and scales activity,
volatility, spread and depth. Times between events are log-normal, as recorded ones are; the
variance of the price belongs to events, not to seconds, so bursts of events are bursts of
volatility. Within a regime volatility wanders (Ornstein-Uhlenbeck in its logarithm). Jumps are
Poisson with Pareto sizes. The spread opens when the price moves and closes again. Shown sizes
revert to their median in the logarithm; trades eat them, and move the price when they eat all.
Floats stay in here: prices and sizes leave as whole numbers of ticks and lots.
"""

import base64
import math
import random
from array import array
from typing import NamedTuple

from msgspec import Struct

from engine.clock import SECOND
from engine.market.simulation import Listing, SimulationSettings
from engine.model.quote import Quote, Trade
from engine.model.side import Side

DAY = 86_400.0


class Regime(NamedTuple):
    """How a state of the market scales the settings."""

    activity: float
    volatility: float
    spread: float
    depth: float
    lasts: float
    """Mean duration in seconds."""
    next: tuple[int, ...]
    """Where it goes, each with the same probability."""


# In the long run 70 % of the time is calm, 25 % busy, 5 % stressed; activity and variance then
# average to one.
REGIMES = (
    Regime(0.7, 0.6, 1.0, 1.3, 420.0, (1,)),
    Regime(1.5, 1.0, 1.4, 0.8, 120.0, (0, 0, 0, 2)),
    Regime(3.0, 1.6, 3.0, 0.35, 80.0, (0, 1)),
)

GAP_SPREAD = 1.7
"""Standard deviation of the logarithm of the time between events."""
LONGEST_GAP = 40.0
"""In mean gaps; keeps a quiet symbol from looking stale."""
MOVING = 0.15
"""The share of events without a trade at which the price moves."""
VOLATILITY_REVERSION = 0.004
VOLATILITY_WANDER = 0.04
SIZE_REVERSION = 0.08
SIZE_WANDER = 0.55
TRADE_SPREAD = 2.2
"""Standard deviation of the logarithm of a trade's size."""
BURST = 3.0
"""Mean number of trades in a burst."""
STICKY = 0.75
"""How often a burst is on the side of the one before."""


class WalkState(Struct):
    """All that a walk's future depends on, besides its random generator."""

    at: int
    """Time of the newest tick, in ns."""
    log_price: float
    log_volatility: float
    regime: int
    bid: int
    """In ticks, as `ask`."""
    ask: int
    bid_size: float
    """Logarithm of the shown size in units of its median, as `ask_size`."""
    ask_size: float
    buying: bool
    """The side of the newest burst."""
    chance: str
    """The random generator's state, filled in when saved."""


class Walk:
    """The endless events of one symbol."""

    def __init__(
        self, symbol: str, listing: Listing, settings: SimulationSettings, seed: int, start: int
    ) -> None:
        self.symbol = symbol
        self._settings = settings
        self._random = random.Random(f"{seed}/{symbol}")  # noqa: S311  # a simulation, and it must be repeatable
        self._tick, self._lot = listing.tick, listing.lot
        self._tick_size = float(listing.tick)
        price = float(listing.price)
        rate = settings.rates.get(symbol, settings.quotes_per_second)
        self._gap = math.exp(-(GAP_SPREAD**2) / 2) / rate
        self._longest = LONGEST_GAP / rate
        self._trading = min(0.9, settings.trades_per_second / rate / BURST)
        self._moving = MOVING * (1 - self._trading)
        # A volatility that wanders has a larger mean square than one that doesn't.
        wandering = math.exp(VOLATILITY_WANDER**2 / (2 * VOLATILITY_REVERSION))
        self._sigma = settings.volatility / math.sqrt(DAY * rate * self._moving) / wandering
        self._spread = listing.spread_bp / 10_000
        lots = 1.0 / listing.worth / float(listing.lot)
        self._depth = settings.depth * lots
        self._trade = settings.trade_notional * lots
        bid = max(1, round(price / self._tick_size))
        self.state = WalkState(
            start,
            math.log(price),
            0.0,
            0,
            bid,
            bid + self._usual_spread(price, 1.0),
            0.0,
            0.0,
            True,
            "",
        )

    def saved(self) -> WalkState:
        """The state with the random generator's, so that a walk resumed from it goes on exactly the
        same.
        """
        _, words, gauss = self._random.getstate()
        packed = base64.b85encode(array("I", words).tobytes()).decode("ascii")
        self.state.chance = f"{packed} {gauss!r}"
        return self.state

    def resume(self, state: WalkState) -> None:
        """Go on from a saved state."""
        packed, gauss = state.chance.split(" ")
        words = array("I", base64.b85decode(packed))
        self._random.setstate((3, tuple(words), None if gauss == "None" else float(gauss)))
        self.state = state

    def event(self) -> list[Quote | Trade]:
        """What happens next: perhaps some trades, then one quote."""
        state, chance = self.state, self._random
        regime = REGIMES[state.regime]
        gap = (
            min(self._longest, self._gap * math.exp(GAP_SPREAD * chance.gauss(0.0, 1.0)))
            / regime.activity
        )
        state.at += 1 + int(gap * SECOND)
        if chance.random() < gap / regime.lasts:
            state.regime = chance.choice(regime.next)
        wander = VOLATILITY_WANDER * chance.gauss(0.0, 1.0)
        state.log_volatility += wander - VOLATILITY_REVERSION * state.log_volatility
        if chance.random() < self._trading:
            ticks = self._burst(regime)
        else:
            ticks = []
            self._change(regime, gap)
        ticks.append(self._quote(regime))
        return ticks

    def _change(self, regime: Regime, gap: float) -> None:
        """The price moves, or one side's size does."""
        state, chance = self.state, self._random
        jumps = chance.random() < self._settings.jumps_per_day * gap / DAY
        if jumps or chance.random() < MOVING:
            move = (
                self._sigma
                * regime.volatility
                * math.exp(state.log_volatility)
                * chance.gauss(0.0, 1.0)
            )
            state.log_price += move + self._settings.drift * gap / DAY / self._moving
            if jumps:
                size = min(0.1, self._settings.jump_size * chance.paretovariate(3.0))
                state.log_price += size if chance.random() < 0.5 else -size
            self._place(regime, opened=chance.random() ** 2 * abs(move) * 0.4)
        elif state.ask - state.bid > 1 and chance.random() < 0.5:
            self._place(
                regime,
                opened=(state.ask - state.bid)
                * self._tick_size
                * math.exp(-state.log_price)
                * 0.15,
            )
        elif chance.random() < 0.5:
            state.bid_size += SIZE_WANDER * chance.gauss(0.0, 1.0) - SIZE_REVERSION * state.bid_size
        else:
            state.ask_size += SIZE_WANDER * chance.gauss(0.0, 1.0) - SIZE_REVERSION * state.ask_size

    def _place(self, regime: Regime, opened: float) -> None:
        """Put bid and ask around the price; `opened` is a part of the price by which the spread is
        wider than usual.
        """
        state = self.state
        price = math.exp(state.log_price)
        spread = self._usual_spread(price, regime.spread) + int(opened * price / self._tick_size)
        bid = max(1, round(price / self._tick_size - spread / 2))
        if bid != state.bid:
            state.bid_size = self._fresh_size()
        if bid + spread != state.ask:
            state.ask_size = self._fresh_size()
        state.bid, state.ask = bid, bid + spread

    def _usual_spread(self, price: float, factor: float) -> int:
        return max(1, round(price * self._spread * factor / self._tick_size))

    def _fresh_size(self) -> float:
        drawn = self._random.gauss(0.0, 1.0)
        # Recorded sizes are skewed to the left in the logarithm: many tiny, few huge.
        return drawn * (0.85 if drawn > 0 else 2.2)

    def _lots(self, size: float, regime: Regime) -> int:
        return max(1, int(self._depth * regime.depth * math.exp(min(size, 2.4))))

    def _burst(self, regime: Regime) -> list[Quote | Trade]:
        """Trades at the touch until the burst ends or the shown size is eaten; then the price gives
        way.
        """
        state, chance = self.state, self._random
        if chance.random() > STICKY:
            state.buying = not state.buying
        taker, level = (Side.BUY, state.ask) if state.buying else (Side.SELL, state.bid)
        shown = left = self._lots(state.ask_size if state.buying else state.bid_size, regime)
        trades: list[Quote | Trade] = []
        price = level * self._tick
        while left > 0 and (not trades or chance.random() > 1 / BURST):
            lots = min(
                left, max(1, int(self._trade * math.exp(TRADE_SPREAD * chance.gauss(0.0, 1.0))))
            )
            left -= lots
            trades.append(Trade(self.symbol, state.at, price, lots * self._lot, taker))
            state.at += 1_000 + int(chance.random() * 100_000)
        self._take(left / shown)
        return trades

    def _take(self, left: float) -> None:
        """The touch that the newest burst hit keeps the share `left` of its size; with none the
        price gives way.
        """
        state = self.state
        size = math.log(left) if left else self._fresh_size()
        if left and state.buying:
            state.ask_size += size
        elif left:
            state.bid_size += size
        else:
            step = 0.5 * self._tick_size / math.exp(state.log_price)
            state.log_price += step if state.buying else -step
            if state.buying:
                state.ask, state.ask_size = state.ask + 1, size
            else:
                state.bid, state.bid_size = max(1, state.bid - 1), size

    def _quote(self, regime: Regime) -> Quote:
        state = self.state
        bid_size = self._lots(state.bid_size, regime) * self._lot
        ask_size = self._lots(state.ask_size, regime) * self._lot
        return Quote(
            self.symbol,
            state.at,
            state.bid * self._tick,
            bid_size,
            state.ask * self._tick,
            ask_size,
        )
