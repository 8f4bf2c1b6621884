"""Candles that live venues tell of the time before a session, from the exchange on loopback; and
answers that are none.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.venues.live import past
from engine.venues.protocol import OutcomeUnknownError
from engine.wire.world import World
from tests.support.exchange import SYMBOLS, serving

D = Decimal
MINUTE, HOUR = past.LENGTHS


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "PAUSE", 0)


@pytest.mark.parametrize("name", ["kraken", "krakenfutures"])
async def test_candles_before_the_session_are_asked_for(name: str, tmp_path: Path) -> None:
    symbol = SYMBOLS[name][0]
    async with serving(name, ticks=lambda _: ()) as exchange:
        world, venue = cast(World, exchange.world), exchange.venue(tmp_path)
        world.feed(Quote(symbol, world.now(), D(49_999), D(5), D(50_000), D(5)))
        for price, size in ((50_000, "0.5"), (50_040, "0.25"), (49_990, "1")):
            world.feed(Trade(symbol, world.now(), D(price), D(size), Side.BUY))
        try:
            await venue.instruments()
            told = await venue.past(symbol)
        finally:
            await venue.close()
        assert set(told) == {MINUTE, HOUR}
        for length, bars in told.items():
            assert bars
            assert all(at % length == 0 for at, *_ in bars)
            assert bars == sorted(bars)
            newest = [bar for bar in bars if bar[0] >= world.now() - 2 * length]
            assert max(bar[2] for bar in newest) == 50_040
            assert min(bar[3] for bar in newest) <= 49_990
            assert sum(bar[5] for bar in newest) >= D("1.75")


GOOD = (D(10), D(12), D(9), D(11), D(3))


@pytest.mark.parametrize(
    ("figures", "bar"),
    [
        (GOOD, (7, *GOOD)),
        (("10", "12", "9", "11", "0"), (7, D(10), D(12), D(9), D(11), D(0))),
        (("10", "9", "9", "11", "3"), None),
        (("10", "12", "0", "11", "3"), None),
        (("10", "12", "-1", "11", "3"), None),
        (("10", "12", "9", "NaN", "3"), None),
        (("10", "Infinity", "9", "11", "3"), None),
        (("10", "12", "9", "11", "-3"), None),
        (("10", "12", "9", "x", "3"), None),
        (("10", "12", "9", "11"), None),
    ],
)
def test_a_bar_that_cannot_be_is_none(figures: tuple[object, ...], bar: object) -> None:
    assert past.bar(7, figures) == bar


class Stub:
    def now(self) -> int:
        return 1_000 * HOUR

    async def sleep(self, _: int) -> None: ...


@pytest.mark.parametrize(
    "wrong", [KeyError("x"), IndexError(), TypeError(), AttributeError(), ValueError("x")]
)
async def test_an_answer_that_makes_no_sense_is_said_to_be_none(wrong: Exception) -> None:
    async def ask(length: int, since: int) -> Any:
        assert since == 1_000 * HOUR - past.COUNT * length
        raise wrong

    with pytest.raises(OutcomeUnknownError, match="make no sense"):
        await past.asked(ask, Stub())  # type: ignore[arg-type]
