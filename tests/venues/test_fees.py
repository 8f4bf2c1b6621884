"""What fees cost this account, by the answer of the exchange: asked for by itself, at the tier that
the account is in (H96).
"""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model import report as r
from engine.venues.live import fees
from engine.venues.live.venue import LiveVenue
from engine.venues.protocol import VenueError
from engine.wire.keys import PERMISSIONS
from engine.wire.world import World
from tests.support.exchange import SYMBOLS, Exchange, serving

D = Decimal
TIERS = {
    "kraken": (D(300_000), D("0.0010"), D("0.0020")),
    "krakenfutures": (D(2_000_000), D("0.000125"), D("0.0003")),
}
"""A volume of thirty days, and what its tier takes, by the profile: makers, takers."""

pytestmark = pytest.mark.hazard("H96")


def traded(exchange: Exchange, volume: Decimal) -> None:
    """The account has traded so much lately."""
    world = exchange.server.world
    assert isinstance(world, World)
    world.exchange.ledger.volumes[world.now() // (86_400 * 10**9)] = volume


async def heard(venue: LiveVenue, count: int) -> list[r.FeesTold]:
    """The first reports of fees that come by themselves."""
    found, enough = list[r.FeesTold](), asyncio.Event()

    def report(one: r.VenueReport) -> None:
        if isinstance(one, r.FeesTold):
            found.append(one)
            if len(found) == count:
                enough.set()

    await venue.connect(report, lambda _: None)
    async with asyncio.timeout(10):
        await enough.wait()
    return found


@pytest.mark.parametrize("name", TIERS)
async def test_they_are_told_of_each_symbol_at_the_tier_of_the_account(
    name: str, tmp_path: Path
) -> None:
    volume, maker, taker = TIERS[name]
    async with serving(name) as exchange:
        traded(exchange, volume)
        venue = exchange.venue(tmp_path)
        tier = venue.profile.fee_tiers[0]
        try:
            told = await heard(venue, len(SYMBOLS[name]))
        finally:
            await venue.close()
    assert {one.symbol for one in told} == set(SYMBOLS[name])
    assert {(one.maker, one.taker) for one in told} == {(maker, taker)}
    assert (maker, taker) != (tier.maker, tier.taker), "it is not the tier that would be assumed"


@pytest.mark.parametrize("name", TIERS)
async def test_what_is_traded_meanwhile_moves_the_tier(name: str, tmp_path: Path) -> None:
    async with serving(name) as exchange:
        venue = exchange.venue(tmp_path)
        try:
            await venue.open()
            first = await venue.fee_rates()
            traded(exchange, TIERS[name][0])
            second = await venue.fee_rates()
        finally:
            await venue.close()
    assert {one.taker for one in first} == {venue.profile.fee_tiers[0].taker}
    assert {one.taker for one in second} == {TIERS[name][2]}


async def test_a_key_that_may_not_look_is_told_nothing_and_trades_on(tmp_path: Path) -> None:
    few = tuple(name for name in PERMISSIONS if name != "query-funds")
    async with serving("kraken", permissions=few) as exchange:
        venue = exchange.venue(tmp_path)
        try:
            await venue.open()
            with pytest.raises(VenueError):
                await venue.fee_rates()
            watching = asyncio.get_running_loop().create_task(
                fees.watch(venue.fee_rates, venue.tell, venue.clock)
            )
            await asyncio.sleep(0.3)
            assert not watching.done(), "it asks again later"
            watching.cancel()
        finally:
            await venue.close()


def test_a_volume_below_every_tier_is_in_none() -> None:
    tiers = [{"usdVolume": 100, "makerFee": 1}, {"usdVolume": 1000, "makerFee": 2}]
    assert fees.at_volume(tiers, D(999))["makerFee"] == 1
    assert fees.at_volume(tiers, D(1000))["makerFee"] == 2
    with pytest.raises(ValueError, match="empty"):
        fees.at_volume(tiers, D(99))
