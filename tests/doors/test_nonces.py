"""Another program with the same API key and larger nonces: told by name with the remedy, and exits
get through all the same.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from engine.clock import SECOND
from engine.model import report as r
from engine.model.intent import Reconcile
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.request import Lane, Submit
from engine.model.side import Side
from engine.session import Session
from engine.session.opening import open_session
from engine.setup.sections import Settings
from engine.setup.settings import with_values
from engine.venues.live.nonces import STEPS, Nonces
from engine.venues.live.venue import LiveVenue
from engine.venues.protocol import NonceError, NotSentError
from tests.support.exchange import SYMBOLS, Exchange, serving
from tests.support.wire import Wire
from tests.support.world import D

pytestmark = pytest.mark.hazard("H121")

MILLISECONDS, MICROSECONDS, NANOSECONDS = 1_000_000, 1_000, 1
LARGEST = 2**64 - 1


class Other:
    """Another program: it signs with the same key, and counts its nonces in its own unit."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def asks(self, nonce: int) -> list[str]:
        told = await self._wire.signed("Balance", urlencode({"nonce": nonce}), str(nonce))
        return list(told["error"])


@asynccontextmanager
async def beside(exchange: Exchange) -> AsyncIterator[Other]:
    async with aiohttp.ClientSession() as session:
        yield Other(Wire(exchange.server, session))


def _trade(side: Side, role: Role, number: int, size: str) -> Submit:
    order = Order(f"FOAAATRADE{number}", "", "BTC/USD", side, OrderType.MARKET, role, D(size))
    return Submit(order, Lane.EMERGENCY)


@pytest.mark.parametrize("unit", [MILLISECONDS, MICROSECONDS, 10, NANOSECONDS])
async def test_exits_get_through_beside_a_program_with_larger_nonces(
    unit: int, tmp_path: Path
) -> None:
    async with serving("kraken") as exchange, beside(exchange) as other:
        venue, told, quotes = exchange.venue(tmp_path), list[r.VenueReport](), list[Quote]()
        await venue.connect(told.append, quotes.append)
        async with asyncio.timeout(5):
            while not quotes:  # noqa: ASYNC110 - before its first price, an exchange takes no market order
                await asyncio.sleep(0.02)
        assert isinstance(await _sent(venue, _trade(Side.BUY, Role.ENTRY, 0, "0.1")), r.Accepted)
        for number in range(1, 5):
            refused = await other.asks(time.time_ns() // unit + 2_000)
            assert number > 1 or not refused, "the other program was first"
            left = await _sent(venue, _trade(Side.SELL, Role.CLOSE, number, "0.01"))
            assert isinstance(left, r.Accepted), f"exit {number} did not get through: {left}"
        await venue.close()
        shared = [report for report in told if isinstance(report, r.KeyShared)]
        assert shared, "nobody was told that the key is shared"
        assert "a key of its own" in shared[0].text
        assert "nonce window" in shared[0].text


async def _sent(venue: LiveVenue, request: Submit) -> object:
    try:
        return (await venue.send(request))[0]
    except NotSentError as error:
        return error


async def test_where_no_nonce_is_large_enough_it_is_said_with_the_remedy(tmp_path: Path) -> None:
    async with serving("kraken") as exchange, beside(exchange) as other:
        venue = exchange.venue(tmp_path)
        await venue.open()
        assert not await other.asks(LARGEST)
        before = venue.rest.sent
        with pytest.raises(
            NonceError,
            match=r"EAPI:Invalid nonce: another program uses the same API key.*a key of its own",
        ):
            await venue.key_facts()
        assert venue.rest.sent - before <= len(STEPS) + 1, "a bounded number of questions"
        await venue.close()


async def test_the_engine_raises_an_alert_that_names_it(tmp_path: Path) -> None:
    async with serving("kraken") as exchange, beside(exchange) as other:
        session = await _session(exchange, tmp_path)
        try:
            assert not await other.asks(LARGEST)
            await _until(session, "NONCE")
            alert = next(alert for alert in session.view().alerts if alert.code == "NONCE")
            assert "main" in alert.text
            assert "a key of its own" in alert.text
            assert alert.stands
        finally:
            await session.close()


async def _session(exchange: Exchange, folder: Path) -> Session:
    home = folder / "main"
    home.mkdir(mode=0o700)
    exchange.keep_key(home)
    ready = exchange.server.ready
    values = {
        "name": "main",
        "venue": "kraken",
        "rest": ready["rest"],
        "ws": ready["ws"],
        "limits": {"tier": "pro"},
    }
    told: dict[str, object] = {f"account.{key}": value for key, value in values.items()}
    settings = with_values(Settings(), {**told, "market.symbols": SYMBOLS["kraken"]}, "test")
    return await open_session(settings, folder)


async def _until(session: Session, code: str) -> None:
    try:
        async with asyncio.timeout(20):
            number = 0
            while not any(alert.code == code for alert in session.view().alerts):
                number += 1
                await session.ask(Reconcile(id=f"ask-{number}"))
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(
            f"no {code}: {[alert.text for alert in session.view().alerts]}"
        ) from None


async def test_the_next_process_begins_above_the_largest(tmp_path: Path) -> None:
    async with serving("kraken") as exchange, beside(exchange) as other:
        venue = exchange.venue(tmp_path)
        await venue.open()
        assert not await other.asks(time.time_ns())
        await venue.key_facts()
        await venue.close()
        again = exchange.venue(tmp_path)
        await again.open()
        before = again.rest.sent
        await again.key_facts()
        assert again.rest.sent == before + 1, "it had to find out anew what the exchange has seen"
        await again.close()
        assert (tmp_path / "nonce").stat().st_mode & 0o077 == 0


async def test_requests_of_ours_that_overtake_each_other_are_no_war(tmp_path: Path) -> None:
    async with serving("kraken") as exchange:
        venue, told = exchange.venue(tmp_path), list[r.VenueReport]()
        await venue.connect(told.append, lambda _: None)
        nonces = venue.rest.nonces
        nonces._clock = lambda: 1_700_000_000 * SECOND
        await asyncio.gather(*(venue.key_facts() for _ in range(8)))
        await venue.close()
        assert not [report for report in told if isinstance(report, r.KeyShared)]
        assert nonces.step == 0


def test_nonces_only_rise_and_fit_into_64_bits(tmp_path: Path) -> None:
    now = 4_000_000_000 * SECOND  # in the year 2096
    nonces = Nonces(tmp_path / "nonce", lambda: now)
    seen = [nonces.next() for _ in range(3)]
    for step in range(len(STEPS) - 1):
        assert nonces.climb(step)
        assert nonces.climb(step), "many that were refused together are one refusal"
        assert nonces.step == step + 1
        seen.append(nonces.next())
    assert not nonces.climb(len(STEPS) - 1)
    assert seen == sorted(set(seen))
    assert seen[-1] < 2**64
    assert Nonces(tmp_path / "nonce", lambda: now).next() > max(seen[:-1])


def test_a_clock_that_was_set_back_goes_on_from_the_largest(tmp_path: Path) -> None:
    nonces = Nonces(tmp_path / "nonce", lambda: 1_700_000_000 * SECOND)
    last = nonces.next()
    nonces.save()
    later = Nonces(tmp_path / "nonce", lambda: 1_699_999_000 * SECOND)
    assert later.next() > last
    assert later.step == 0, "a finer unit would be for ever"
