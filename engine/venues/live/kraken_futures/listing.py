"""What Kraken Futures lists: what is traded, and the time in its answers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.clock import SECOND
from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE, ZERO
from engine.model.profile import Profile
from engine.venues.live.clocks import nanoseconds
from engine.venues.live.kraken_names import currency
from engine.venues.live.numbers import positive


def skew(told: Mapping[str, Any], now: int) -> int:
    """From the time in an answer, where it is further off than answers take."""
    text = told.get("serverTime")
    found = 0 if text is None else nanoseconds(str(text)) - now
    return found if abs(found) > SECOND // 2 else 0


def instrument_of(symbol: str, row: Mapping[str, Any], profile: Profile) -> Instrument:
    """A row of `instruments` as what is traded."""
    inverse = "inverse" in str(row["type"]) or symbol.startswith(("PI_", "FI_"))
    levels = row.get("marginLevels") or [{}]
    initial = positive(levels[0].get("initialMargin"))
    lot = Decimal(1).scaleb(-int(row.get("contractValueTradePrecision", 0)))
    base, _, quote = str(row.get("pair", "")).partition(":")
    base, quote = str(row.get("base") or base), str(row.get("quote") or quote or "USD")
    return Instrument(
        symbol=symbol,
        base=currency(base),
        quote=quote,
        kind=Kind.INVERSE if inverse else Kind.LINEAR,
        tick=Decimal(str(row["tickSize"])),
        lot=lot,
        min_size=lot,
        min_cost=ZERO,
        fee_tiers=profile.fee_tiers,
        fee_currency=profile.fee_currency,
        contract_size=Decimal(str(row.get("contractSize", 1))),
        max_leverage=(
            (ONE / initial).quantize(ONE) if initial is not None else profile.max_leverage
        ),
        maintenance_margin=Decimal(
            str(levels[0].get("maintenanceMargin", profile.maintenance_margin))
        ),
    )
