"""What is known of each exchange, and what is made of a symbol that nobody listed."""

import csv
import gzip
import itertools
import re
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.instrument import FeeCurrency, Kind
from engine.venues.profiles import instrument_for, load_profile, names

D = Decimal


@pytest.mark.parametrize("name", names())
def test_every_profile_loads_and_has_a_limit_model(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.limit_model().counters() == {}
    assert [tier.volume for tier in profile.fee_tiers] == sorted(
        tier.volume for tier in profile.fee_tiers
    )
    assert profile.fee_tiers[0].volume == 0


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=f"profile is 'kraken'; allowed: {', '.join(names())}"):
        load_profile("kraken")


@pytest.mark.parametrize(
    ("profile", "symbol", "base", "quote", "kind"),
    [
        ("kraken-spot", "ETH/EUR", "ETH", "EUR", Kind.SPOT),
        ("kraken-spot", "XBT/USD", "BTC", "USD", Kind.SPOT),
        ("kraken-futures", "ETH/USD", "ETH", "USD", Kind.LINEAR),
        ("binance-spot", "BTCUSDT-PERP", "BTC", "USDT", Kind.LINEAR),
        ("kraken-spot", "BTC-PERP", "BTC", "USD", Kind.LINEAR),
        ("kraken-futures", "PF_XBTUSD", "BTC", "USD", Kind.LINEAR),
        ("kraken-futures", "PI_XBTUSD", "BTC", "USD", Kind.INVERSE),
        ("kraken-futures", "FI_XBTUSD_210924", "BTC", "USD", Kind.INVERSE),
    ],
)
def test_symbols_are_read_in_every_spelling(
    profile: str, symbol: str, base: str, quote: str, kind: Kind
) -> None:
    instrument = instrument_for(load_profile(profile), symbol, D("0.5"))
    assert (instrument.base, instrument.quote, instrument.kind) == (base, quote, kind)
    assert instrument.tick == D("0.5")


def test_a_listed_symbol_keeps_its_own_grid() -> None:
    instrument = instrument_for(load_profile("kraken-spot"), "BTC/USD", D("0.5"))
    assert (instrument.tick, instrument.lot, instrument.min_size, instrument.min_cost) == (
        D("0.1"),
        D("1E-8"),
        D("0.00005"),
        D("0.5"),
    )


def test_a_derivative_on_a_spot_profile_can_be_held_on_margin() -> None:
    instrument = instrument_for(load_profile("binance-spot"), "BTCUSDT-PERP", D("0.1"))
    assert instrument.can_short
    assert (instrument.max_leverage, instrument.maintenance_margin) == (D(5), D("0.01"))


def test_an_inverse_contract_is_worth_one_in_quote() -> None:
    instrument = instrument_for(load_profile("kraken-futures"), "PI_XBTUSD", D("0.5"))
    assert (instrument.lot, instrument.contract_size, instrument.settle) == (D(1), D(1), "BTC")


def test_who_takes_fees_from_what_is_received() -> None:
    assert load_profile("binance-spot").fee_currency is FeeCurrency.RECEIVED
    assert load_profile("kraken-spot").fee_currency is FeeCurrency.QUOTE


SHARED = Path(__file__).parents[3] / "shared" / "data"
FILES = sorted(SHARED.glob("*.csv.gz"))
DERIVATIVES = ("PERP", "PI_", "PF_", "FI_")


def recorded_symbols() -> dict[str, Decimal]:
    """Every symbol of the shared markets, with one of its prices."""
    found: dict[str, Decimal] = {}
    for path in FILES:
        with gzip.open(path, "rt") as lines:
            rows = csv.DictReader(itertools.islice(lines, 20_000))
            for row in rows:
                price = row.get("bid") or row.get("price") or row.get("open")
                if row["symbol"] not in found and price:
                    found[row["symbol"]] = D(price)
    return found


@pytest.mark.skipif(not FILES, reason="the shared recorded markets are not beside this checkout")
@pytest.mark.parametrize("profile", names())
def test_every_recorded_symbol_becomes_something_that_can_be_traded(profile: str) -> None:
    symbols = recorded_symbols()
    assert len(symbols) >= 20
    for symbol, price in symbols.items():
        instrument = instrument_for(load_profile(profile), symbol, D("0.01"))
        assert re.fullmatch(r"[A-Z0-9]{2,6}", instrument.base), symbol
        assert instrument.quote in {"USD", "USDT", "EUR", "GBP", "BTC", "ETH"}, symbol
        assert "XBT" not in (instrument.base, instrument.quote)
        spot = not any(mark in symbol for mark in DERIVATIVES) and profile != "kraken-futures"
        assert (instrument.kind is Kind.SPOT) is spot, symbol
        assert (instrument.kind is Kind.INVERSE) is symbol.startswith(("PI_", "FI_"))
        assert instrument.round_size(instrument.min_size) == instrument.min_size
        assert instrument.notional(instrument.min_size, price) < 100 or instrument.quote in {
            "BTC",
            "ETH",
        }


@pytest.mark.parametrize("symbol", ["BTC-USD", "BTC_USD", "BTCUSD", "XBT-USD"])
def test_a_pair_without_a_slash_has_no_other_sign_left(symbol: str) -> None:
    instrument = instrument_for(load_profile("kraken-spot"), symbol, D("0.1"))
    assert (instrument.base, instrument.quote) == ("BTC", "USD")


@pytest.mark.parametrize(
    ("symbol", "kind"), [("BTC/USD:USD", Kind.LINEAR), ("BTC/USD:BTC", Kind.INVERSE)]
)
def test_ccxt_says_after_a_colon_what_is_paid_in(symbol: str, kind: Kind) -> None:
    instrument = instrument_for(load_profile("kraken-futures"), symbol, D("0.1"))
    assert (instrument.base, instrument.quote, instrument.kind) == ("BTC", "USD", kind)
