"""What a simulated market is like: its settings, and the built-in prices and steps of well-known
symbols.
"""

import math
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from engine.market.layout import MarketError


class SimulationSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a simulation. Floats steer the random model only; prices, steps and sizes are
    Decimal.

    The defaults were chosen beside recorded days of liquid pairs: see
    `tests/bench/market_shape.py`.
    """

    volatility: float = 0.035
    """Standard deviation of the log price over a day, regimes averaged, jumps apart."""
    drift: float = 0.0
    """Mean change of the log price over a day."""
    jumps_per_day: float = 10.0
    """How often the price jumps."""
    jump_size: float = 0.001
    """The smallest jump, a fraction of the price; larger ones follow a Pareto law of index 3, up to
    a tenth.
    """
    spread_bp: float | None = None
    """Usual spread in basis points, never below a tick; wider when busy, stressed or just moved.
    None: as listed.
    """
    depth: float = 50_000.0
    """Median size shown at bid and at ask, in dollars' worth; less under stress."""
    quotes_per_second: float = 5.0
    """Mean rate of each symbol's quotes, regimes averaged."""
    rates: dict[str, float] = {}
    """`quotes_per_second` of single symbols."""
    trades_per_second: float = 1.5
    """Mean rate of each symbol's trades; they come in bursts."""
    trade_notional: float = 300.0
    """Median size of a trade, in dollars' worth; the tail is heavy."""
    prices: dict[str, Decimal] = {}
    """Start prices that replace the built-in ones."""
    ticks: dict[str, Decimal] = {}
    """Price steps that replace the built-in ones."""
    lots: dict[str, Decimal] = {}
    """Size steps that replace the built-in one of 1e-8."""

    def __post_init__(self) -> None:
        for name in ("volatility", "jumps_per_day", "jump_size", "trades_per_second"):
            _require(name, getattr(self, name), zero=True)
        for name in ("depth", "quotes_per_second", "trade_notional"):
            _require(name, getattr(self, name), zero=False)
        for name in ("rates", "prices", "ticks", "lots"):
            for symbol, value in getattr(self, name).items():
                _require(f"{name}.{symbol}", value, zero=False)
        if self.spread_bp is not None:
            _require("spread_bp", self.spread_bp, zero=True)
        if not math.isfinite(self.drift):
            raise ValueError(f"drift is {self.drift}; it must be a finite number")


def _require(name: str, value: float | Decimal, zero: bool) -> None:
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise ValueError(
            f"{name} is {value}; it must be a number {'of at least' if zero else 'above'} zero"
        )


class Listing(NamedTuple):
    """Where a symbol's simulation starts and on which grid."""

    price: Decimal
    tick: Decimal
    lot: Decimal
    spread_bp: float
    worth: float
    """Dollars for which one unit of the base asset is reckoned."""


LOT = Decimal("0.00000001")

# Price, step and usual spread in basis points against the US dollar: levels and Kraken's price
# steps of mid-2024.
BASES = {
    "BTC": ("62000", "0.1", 0.016),
    "ETH": ("2650", "0.01", 0.04),
    "SOL": ("150", "0.01", 0.7),
    "XRP": ("0.55", "0.00001", 0.7),
    "ADA": ("0.35", "0.000001", 1.0),
    "DOGE": ("0.105", "0.0000001", 1.0),
}
SYNONYMS = {"XBT": "BTC", "XDG": "DOGE"}
OTHER = ("100", "0.01", 2.0)


def listing(symbol: str, settings: SimulationSettings) -> Listing:
    """How a symbol starts: as set, as built in, or by rule.

    The rule: the first known asset in the symbol's name gives the price, 100 where there is none; a
    second one divides it (`ADA/BTC`). Where neither the settings nor the table give the step, it is
    the fifth digit of the price.
    """
    name = symbol.upper()
    for synonym, asset in SYNONYMS.items():
        name = name.replace(synonym, asset)
    known = sorted((asset for asset in BASES if asset in name), key=name.index)
    text, step, spread = BASES[known[0]] if known else OTHER
    price, tick = Decimal(text), Decimal(step)
    currency = Decimal(BASES[known[1]][0]) if len(known) > 1 else Decimal(1)
    if len(known) > 1:
        price = price / currency
        tick = _fifth_digit(price)
    if symbol in settings.prices:
        price = settings.prices[symbol]
        tick = min(tick, _fifth_digit(price))
    tick = settings.ticks.get(symbol, tick)
    if price < 2 * tick:
        raise MarketError(f"{symbol}: the start price {price} is below two ticks of {tick}")
    return Listing(
        price=price,
        tick=tick,
        lot=settings.lots.get(symbol, LOT),
        spread_bp=spread if settings.spread_bp is None else settings.spread_bp,
        worth=float(price * currency),
    )


def _fifth_digit(price: Decimal) -> Decimal:
    return Decimal(1).scaleb(price.adjusted() - 4)
