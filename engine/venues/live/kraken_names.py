"""Kraken's names for currencies and pairs, as its own tables tell them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.model.instrument import FeeTier, Instrument, Kind
from engine.model.money import ONE
from engine.model.profile import Profile

_OURS = {"XBT": "BTC", "XDG": "DOGE"}


def currency(altname: str) -> str:
    """XBT is BTC; balances that earn rewards (`.F`) can be traded like any."""
    name = altname.removesuffix(".F")
    return _OURS.get(name, name)


EACH = {"consolidate_taker": "false"}
"""Kraken spot tells what one order took as one trade, under an id that no stream has told, unless
it is asked not to (TradesHistory, QueryOrders and ClosedOrders, read 2026-11).
"""


class Names:
    """Assets and pairs of the exchange."""

    def __init__(self, assets: Mapping[str, Any], pairs: Mapping[str, Any]) -> None:
        self._assets = {code: currency(str(row["altname"])) for code, row in assets.items()}
        self._rows: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self._symbols: dict[str, str] = {}
        for key, row in pairs.items():
            base, _, quote = str(row.get("wsname", "")).partition("/")
            if not quote or row.get("aclass_base", "currency") != "currency":
                continue
            symbol = f"{currency(base)}/{currency(quote)}"
            # listed twice: the same pair at another execution venue, which orders don't name
            if symbol in self._rows:
                continue
            self._rows[symbol] = (key, row)
            for name in (key, row["altname"], row["wsname"], symbol):
                self._symbols[str(name)] = symbol

    @property
    def symbols(self) -> tuple[str, ...]:
        """All that there are."""
        return tuple(self._rows)

    def modes(self) -> dict[str, str]:
        """The mode of each pair by symbol; a pair without one is left out, for that is not
        known.
        """
        return {
            symbol: str(row["status"])
            for symbol, (_, row) in self._rows.items()
            if row.get("status")
        }

    def asset(self, code: str) -> str:
        """A currency by its code in balances."""
        plain = code.removesuffix(".F")
        return (
            self._assets.get(plain, currency(plain))
            if plain != code
            else self._assets.get(code, code)
        )

    def symbol(self, name: str) -> str:
        """A symbol by any of the exchange's names; the name itself where it is not known."""
        return self._symbols.get(name, name)

    def pair(self, symbol: str) -> str:
        """What requests call a symbol. Raises KeyError."""
        return self._rows[symbol][0]

    def instrument(self, symbol: str, profile: Profile) -> Instrument:
        """A pair as the exchange describes it. Raises KeyError for an unknown symbol."""
        _, row = self._rows[symbol]
        base, _, quote = symbol.partition("/")
        tick = (
            Decimal(str(row["tick_size"]))
            if row.get("tick_size")
            else Decimal(1).scaleb(-int(row["pair_decimals"]))
        )
        leverages = [Decimal(str(value)) for value in row.get("leverage_sell", [])]
        return Instrument(
            symbol=symbol,
            base=base,
            quote=quote,
            kind=Kind.SPOT,
            tick=tick,
            lot=Decimal(1).scaleb(-int(row["lot_decimals"])),
            min_size=Decimal(str(row.get("ordermin", "0"))),
            min_cost=Decimal(str(row.get("costmin", "0"))),
            fee_tiers=_fees(row) or profile.fee_tiers,
            fee_currency=profile.fee_currency,
            max_leverage=max([ONE, *leverages]),
            maintenance_margin=profile.maintenance_margin if leverages else Decimal(0),
        )


def _fees(row: Mapping[str, Any]) -> tuple[FeeTier, ...]:
    """Percentages by volume, taker and maker, as fractions."""
    takers = {
        Decimal(str(volume)): Decimal(str(rate)) / 100 for volume, rate in row.get("fees", [])
    }
    makers = {
        Decimal(str(volume)): Decimal(str(rate)) / 100
        for volume, rate in row.get("fees_maker", row.get("fees", []))
    }
    tiers = []
    for volume in sorted(takers.keys() | makers.keys()):
        taker = takers[max(v for v in takers if v <= volume)]
        maker = makers[max(v for v in makers if v <= volume)]
        tiers.append(FeeTier(volume, maker, taker))
    return tuple(tiers)
