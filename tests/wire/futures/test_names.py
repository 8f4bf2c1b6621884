"""What instruments are called here, and what clients may call their orders."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.venues.profiles import instrument_for, load_profile
from engine.wire.futures.products import Products, precision, product
from tests.wire.futures.conftest import XBT

if TYPE_CHECKING:
    from tests.wire.futures.conftest import Futures

PROFILE = load_profile("kraken-futures")
NAMES = [
    ("PF_XBTUSD", "PF_XBTUSD", "perpetual", "XBT:USD"),
    ("BTC/USD", "PF_XBTUSD", "perpetual", "XBT:USD"),
    ("ETH/USD:ETH", "PI_ETHUSD", "perpetual", "ETH:USD"),
    ("SOLUSDT", "PF_SOLUSDT", "perpetual", "SOL:USDT"),
    ("FI_XBTUSD_261225", "FI_XBTUSD_261225", "month", "XBT:USD"),
]


@pytest.mark.parametrize(("symbol", "name", "tag", "pair"), NAMES)
def test_every_symbol_has_a_name_of_the_exchange(
    symbol: str, name: str, tag: str, pair: str
) -> None:
    instrument = instrument_for(PROFILE, symbol, Decimal("0.5"))
    found = product(instrument)
    assert (found.name, found.tag, found.pair) == (name, tag, pair)
    assert Products([instrument]).find(name.lower()) == found


def test_a_contract_that_expires_says_when() -> None:
    row = product(instrument_for(PROFILE, "FI_XBTUSD_261225", Decimal("0.5"))).row()
    assert row["lastTradingTime"] == "2026-12-25T15:00:00.000Z"
    assert (row["type"], "fundingRateCoefficient" in row) == ("futures_inverse", False)


@pytest.mark.parametrize(("lot", "digits"), [("0.0001", 4), ("1", 0), ("0.25", 2), ("1000", -3)])
def test_sizes_may_count_in_thousands(lot: str, digits: int) -> None:
    assert precision(Decimal(lot)) == digits


@pytest.mark.parametrize("client", ["a b&c", "100%+1", "ümlaut", "{json}"])
async def test_clients_may_name_their_orders_as_they_like(futures: Futures, client: str) -> None:
    order = await futures.client().create_order(
        XBT, "limit", "buy", 0.01, 50_000, {"clientOrderId": client}
    )
    assert order["clientOrderId"] == client
    (listed,) = await futures.client().fetch_open_orders()
    assert listed["clientOrderId"] == client
