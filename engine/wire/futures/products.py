"""Kraken Futures' names for what is traded: `PF_XBTUSD`, `PI_XBTUSD`, `FI_XBTUSD_261225`."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE

ALTERNATIVE = {"BTC": "XBT"}
_NAME = re.compile(r"^(PF|PI|FI|FF)_[A-Z0-9]+?(USD|EUR)(?:_(\d{6}))?$")
LAST_HOUR = 15
"""UTC, on the last trading day of a contract that expires."""
MOST = {Kind.LINEAR: Decimal(1_000_000), Kind.INVERSE: Decimal(75_000_000)}
"""The largest position that is allowed, contracts."""
POST_ONLY = "post_only"
SUSPENDED = frozenset({"cancel_only", "maintenance"})
"""Modes in which nothing is taken: the ticker says `suspended`."""
SCHEDULE = "723888f7-0a8e-4183-8648-f920a22339e3"
"""All products have the same fees."""


class Product(Struct, frozen=True):
    """One instrument under its name here."""

    instrument: Instrument
    name: str

    @property
    def symbol(self) -> str:
        """The name in the matching engine."""
        return self.instrument.symbol

    @property
    def inverse(self) -> bool:
        """Whether it pays in the base currency."""
        return self.instrument.kind is Kind.INVERSE

    @property
    def pair(self) -> str:
        """`XBT:USD`."""
        return f"{altname(self.instrument.base)}:{self.instrument.quote}"

    @property
    def expires_at(self) -> datetime | None:
        """When a contract that expires is traded last."""
        match = _NAME.match(self.name)
        day = match.group(3) if match is not None else None
        return (
            None
            if day is None
            else datetime.strptime(day, "%y%m%d").replace(hour=LAST_HOUR, tzinfo=UTC)
        )

    @property
    def tag(self) -> str:
        """How long it lasts."""
        return "perpetual" if self.expires_at is None else "month"

    @property
    def most(self) -> Decimal:
        """The largest position, contracts."""
        return MOST[Kind.INVERSE if self.inverse else Kind.LINEAR]

    def row(self, *, post_only: bool = False) -> dict[str, Any]:
        """As `instruments` tells it."""
        instrument = self.instrument
        unit = "contracts" if self.inverse else "numNonContractUnits"
        margin = {
            unit: 0,
            "initialMargin": ONE / instrument.max_leverage,
            "maintenanceMargin": instrument.maintenance_margin,
        }
        row: dict[str, Any] = {
            "symbol": self.name,
            "type": "futures_inverse" if self.inverse else "flexible_futures",
            "tickSize": instrument.tick,
            "contractSize": instrument.contract_size,
            "tradeable": True,
            "impactMidSize": instrument.min_size,
            "maxPositionSize": self.most,
            "openingDate": "2018-08-31T00:00:00.000Z",
            "marginLevels": [margin],
            "contractValueTradePrecision": precision(instrument.lot),
            "postOnly": post_only,
            "feeScheduleUid": SCHEDULE,
            "mtf": False,
            "base": altname(instrument.base),
            "quote": instrument.quote,
            "pair": self.pair,
            "retailMarginLevels": [margin],
            "category": "",
            "tags": [],
            "tradfi": False,
        }
        if self.inverse:
            underlying = f"rr_{self.pair.replace(':', '').lower()}"
            row |= {"underlying": underlying, "isin": "GB00J62YGL67"}
        if self.expires_at is None:
            row |= {"fundingRateCoefficient": 24, "maxRelativeFundingRate": Decimal("0.0025")}
        else:
            row["lastTradingTime"] = f"{self.expires_at:%Y-%m-%dT%H:%M:%S}.000Z"
        return row


def altname(currency: str) -> str:
    """BTC is XBT here."""
    return ALTERNATIVE.get(currency, currency)


def precision(lot: Decimal) -> int:
    """Digits after the point of a size; negative where it counts in tens."""
    exponent = lot.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def product(instrument: Instrument) -> Product:
    """An instrument under its own name where that is one of Kraken's, else under the one that
    Kraken would give it.
    """
    name = instrument.symbol.upper()
    if not _NAME.match(name):
        product = "PI" if instrument.kind is Kind.INVERSE else "PF"
        name = f"{product}_{altname(instrument.base)}{instrument.quote}"
    return Product(instrument, name)


class Products:
    """All of them."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self.all = tuple(product(instrument) for instrument in instruments)
        self.by_symbol = {p.symbol: p for p in self.all}
        self._named = {p.name: p for p in self.all}

    def find(self, name: str) -> Product | None:
        """By its name, in capitals or not."""
        return self._named.get(name.upper())
