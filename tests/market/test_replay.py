"""A recording that is played for a person: nothing is skipped, whatever it does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest

from engine.clock import SECOND, PacedClock
from engine.market import MarketError
from engine.market.replay import Replay
from engine.model.quote import Quote

D = Decimal
START = 1_704_110_400 * SECOND
"""2024-01-01 12:00 UTC."""
HOUR = 3_600


def quotes(count: int = 2 * HOUR) -> list[Quote]:
    """One a second, each a hundredth of a percent above the one before."""
    return [
        Quote("BTC/USD", START + n * SECOND, D(10_000 + n), D(1), D(10_000 + n), D(1))
        for n in range(count)
    ]


class Played:
    """A recording on a real loop, at a speed at which nothing comes by itself within a test."""

    def __init__(self, speed: float = 0.01) -> None:
        self.clock = PacedClock(asyncio.get_running_loop(), START, speed)
        self.heard: list[int] = []
        self.said: list[str] = []
        self.speeds: list[float] = []
        self.replay = Replay(quotes(), self.clock, self._hear, START + 2 * HOUR * SECOND - SECOND)
        self.replay.tell = self.said.append
        self.replay.paced = self.speeds.append
        self.task = asyncio.get_running_loop().create_task(self.replay.play())

    def _hear(self, quote: object) -> None:
        assert isinstance(quote, Quote)
        self.heard.append((quote.at - START) // SECOND)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not true():  # noqa: ASYNC110  # nothing tells of it
                await asyncio.sleep(0)

    async def frozen(self) -> None:
        await self.until(lambda: self.replay.state == "frozen")


@pytest.fixture
async def played() -> AsyncIterator[Played]:
    one = Played()
    await one.until(lambda: one.heard == [0])
    yield one
    one.task.cancel()


async def test_it_hurries_to_a_time_with_every_price_and_freezes_there(played: Played) -> None:
    assert played.replay.do("seek 12:30:05") == "recording ▸▸ to 2024-01-01 12:30:05"
    await played.frozen()
    assert played.heard == list(range(1_806))
    assert played.clock.now() == START + 1_805 * SECOND
    (told,) = played.said
    assert told.startswith(
        "2024-01-01 12:30:05: there, as asked to 2024-01-01 12:30:05; the record"
    )


async def test_what_is_due_between_two_prices_happens_between_them(played: Played) -> None:
    order: list[object] = []
    for after in (10.5, 10.2, 3_000.5):
        at = START + int(after * SECOND)
        played.clock.call_at(at, lambda at=at: order.append((at, len(played.heard))))  # type: ignore[misc]
    played.replay.do("seek 12:01")
    await played.frozen()
    assert order == [(START + 10_200_000_000, 11), (START + 10_500_000_000, 11)]


async def test_a_task_that_waits_goes_on_before_the_next_price(played: Played) -> None:
    seen: list[tuple[int, int]] = []

    async def waits() -> None:
        for _ in range(20):
            await played.clock.sleep(SECOND // 2)
            seen.append((played.clock.now() - START, len(played.heard)))

    began = played.clock.now() - START
    task = asyncio.get_running_loop().create_task(waits())
    await asyncio.sleep(0)
    played.replay.do("seek 12:01")
    await played.frozen()
    assert task.done()
    assert all(at // SECOND + 1 == heard for at, heard in seen), seen
    assert seen[-1][0] - began == pytest.approx(10 * SECOND, abs=SECOND)


async def test_the_next_move_and_the_next_fill_freeze_it(played: Played) -> None:
    played.replay.do("next move 0.5%")
    await played.frozen()
    assert played.heard[-1] == 52  # from 10,001, the first price of the hurry
    assert played.said[-1].startswith("2024-01-01 12:00:52: BTC/USD moved +0.51 % to 10052")
    played.replay.do("next fill")
    await played.until(lambda: played.heard[-1] > 100)
    played.replay.filled("buy 1 BTC/USD filled at 10100")
    await played.frozen()
    assert "buy 1 BTC/USD filled at 10100; the recording is frozen" in played.said[-1]


async def test_a_hurry_waits_for_the_disk(played: Played) -> None:
    writing = True
    played.replay.busy = lambda: writing
    played.replay.do("seek 12:30")
    for _ in range(50):
        await asyncio.sleep(0)
    assert played.heard == [0]
    writing = False
    await played.frozen()
    assert len(played.heard) == 1_801


async def test_frozen_nothing_comes_and_playing_goes_on_from_there(played: Played) -> None:
    fired: list[int] = []
    assert played.replay.do("freeze") == "recording frozen"
    now = played.clock.now()
    played.clock.call_at(now + 1, lambda: fired.append(played.clock.now()))
    played.replay.do("speed 100000")
    for _ in range(50):
        await asyncio.sleep(0)
    assert (played.clock.now(), fired, played.heard) == (now, [], [0])
    assert played.replay.do("play") == "recording ×100000"
    await played.until(lambda: len(played.heard) > 3 and len(fired) > 0)
    assert fired[0] > now
    assert played.speeds == [100_000.0, 100_000.0]


async def test_faster_and_slower_go_through_the_usual_speeds(played: Played) -> None:
    told = [
        played.replay.do(word) for word in ("speed 1", "faster", "faster", "slower", "speed x3")
    ]
    assert told == [f"recording ×{speed}" for speed in ("1", "2", "5", "2", "3")]


async def test_it_tells_that_it_lives_while_it_stands(played: Played) -> None:
    said: list[int] = []
    played.replay.stood = lambda: said.append(1)
    played.replay.do("freeze")
    assert said == [1]


async def test_a_mark_is_told_with_its_time(played: Played) -> None:
    assert played.replay.do("mark the first dip") == ""
    assert played.said == ["mark at 2024-01-01 12:00:00: the first dip"]


async def test_at_its_end_time_goes_on_and_nothing_can_be_played(played: Played) -> None:
    played.replay.do("next fill")
    await played.until(played.task.done)
    assert (played.replay.state, len(played.heard), played.clock.held) == ("over", 7_200, False)
    with pytest.raises(MarketError, match="has been played to its end"):
        played.replay.do("play")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "seek 11:59",
            "11:59 is behind 2024-01-01 12:00:00: flatout fork --at 11:59 NAME makes an account",
        ),
        ("seek 2024-01-01T11:00", "is behind"),
        ("seek 2024-01-01T14:30", "is after the last price, at 2024-01-01 13:59:59"),
        ("seek noon", "'noon' is no time of a recording"),
        ("speed 0", "speed is '0'; say a number from 0.01 to 100,000"),
        ("speed nan", "speed is 'nan'"),
        ("next", "say next fill, or next move 0.5%"),
        ("next move 0%", "say next fill, or next move 0.5%"),
        ("rewind", "'rewind' is no way to play a recording: play, freeze, faster"),
        ("", "'' is no way to play"),
    ],
)
async def test_what_cannot_be_done_says_why(played: Played, words: str, reason: str) -> None:
    with pytest.raises(MarketError) as refused:
        played.replay.do(words)
    assert reason in str(refused.value)
    assert played.replay.state == "×0.01"
