"""One file per exchange that can be imitated, and the instruments of symbols that no file lists."""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files

import msgspec
from msgspec.structs import replace

from engine.model.currencies import pair_of, renamed
from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE
from engine.model.profile import InstrumentRow, Profile

_KRAKEN = re.compile(r"^(PF|PI|FI)_([A-Z0-9]+?)(USD|EUR)(_\d{6})?$")
DERIVATIVE_LEVERAGE = Decimal(5)
DERIVATIVE_MAINTENANCE = Decimal("0.01")


def names() -> tuple[str, ...]:
    """The profiles that there are."""
    return tuple(
        sorted(
            entry.name.removesuffix(".toml")
            for entry in files(__name__).iterdir()
            if entry.name.endswith(".toml")
        )
    )


def load_profile(name: str) -> Profile:
    """A profile by name. Raises ValueError naming the known ones."""
    if name not in names():
        raise ValueError(f"profile is {name!r}; allowed: {', '.join(names())}")
    text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text, parse_float=str), Profile, strict=False)


def profile(name: str, limits: Mapping[str, str] | None = None) -> Profile:
    """A profile with options of its limit model, such as { tier = "pro" }. Raises ValueError naming
    what is known.
    """
    found = load_profile(name)
    if limits:
        found = replace(found, limit_options={**found.limit_options, **limits})
        found.limit_model()  # says what is wrong with an option
    return found


def parse_symbol(symbol: str, *, derivatives: bool) -> tuple[str, str, Kind]:
    """Base, quote and kind of a symbol in any of the spellings that the recorded markets use.

    Raises ValueError where the quote can't be told: no currency stands in for one that is not
    known.
    """
    if "/" in symbol:
        base, _, quote = symbol.partition("/")
        quote, _, settle = quote.partition(":")
        paid = settle.partition("-")[0]
        kind = Kind.INVERSE if paid == base else Kind.LINEAR if paid or derivatives else Kind.SPOT
        return renamed(base), renamed(quote), kind
    if kraken := _KRAKEN.match(symbol):
        family, base, quote = kraken.group(1, 2, 3)
        return renamed(base), quote, Kind.LINEAR if family == "PF" else Kind.INVERSE
    pair = pair_of(symbol)
    if pair is None:
        raise ValueError(
            f"symbol {symbol}: what it is quoted in can't be told from the name; write it as"
            " BASE/QUOTE, such as BTC/JPY"
        )
    kind = Kind.LINEAR if pair.contract or derivatives else Kind.SPOT
    return pair.base, pair.quote, kind


def instrument_for(
    profile: Profile, symbol: str, tick: Decimal | None, lot: Decimal | None = None
) -> Instrument:
    """A symbol on a venue: as its profile lists it, else on the grid that was read off the recorded
    prices.
    """
    base, quote, kind = parse_symbol(symbol, derivatives=profile.derivatives)
    row = profile.instruments.get(symbol)
    if row is None:
        inverse = kind is Kind.INVERSE
        finest = profile.other_lot if lot is None else min(max(profile.other_lot, lot), ONE)
        step = ONE if inverse else finest
        smallest = ONE if inverse else max(profile.other_min_size, step)
        cost = profile.other_min_cost.get(quote, profile.other_min_cost["*"])
        row = InstrumentRow(tick or Decimal("0.01"), step, smallest, cost)
    leverage, maintenance = profile.max_leverage, profile.maintenance_margin
    if kind is not Kind.SPOT:
        leverage = max(leverage, DERIVATIVE_LEVERAGE)
        maintenance = max(maintenance, DERIVATIVE_MAINTENANCE)
    return Instrument(
        symbol=symbol,
        base=base,
        quote=quote,
        kind=kind,
        tick=row.tick,
        lot=row.lot,
        min_size=row.min_size,
        min_cost=row.min_cost,
        fee_tiers=profile.fee_tiers,
        fee_currency=profile.fee_currency,
        contract_size=row.contract_size,
        max_leverage=leverage,
        maintenance_margin=maintenance,
    )
