"""The console on the past: every moment of a journal is the state that it was, travelled to in any
order; nothing can be asked, nothing leaves, and nothing is written.
"""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from textual.pilot import Pilot

from engine.clock import SECOND
from engine.desk import State, encode_state
from engine.inspection import rewinding
from engine.inspection.rewinding import Rewind
from engine.journal import Journal
from engine.model import intent as i
from engine.records import replay
from engine.session import Session
from engine.setup.sections import Settings
from engine.setup.settings import load
from tests.support.painted import screen_text
from tests.support.world import START, World, play
from tui.options import ConsoleOptions
from tui.rewind.screen import ReplayScreen, ReplaySheet, RewindApp
from tui.rewind.session import ReplaySession

SETTINGS: Settings = load(None, ["account.name=world"]).settings


async def lived(world: World) -> None:
    """A trade of a minute, and one that is naked and stays open."""
    position = await world.opened("0.5")
    await world.wait(2)
    for number, price in enumerate(("60050", "60100", "60020")):
        world.price("BTC/USD", price)
        stop = i.At(world.state.positions[position.id].stop or 0)  # type: ignore[arg-type]
        await world.ask(i.MoveStop(id=f"m{number}", position=position.id, stop=stop))
        await world.wait(25)
    await world.ask(i.ClosePosition(id="c", position=position.id))
    await world.until(lambda: position.id in world.state.closed)
    await world.buy("0.1", stop=None)
    await world.wait(12)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")

    async def tale(world: World) -> None:
        await lived(world)

    play(tale, folder)
    return folder


@pytest.fixture
def rewind(home: Path) -> Rewind:
    return Rewind(SETTINGS, home)


def at_seq(home: Path, seq: int) -> bytes:
    """The state by the one replay, from the first event."""
    journal = Journal.open(home / "journal.sqlite", "world", "test", now=0, read_only=True)
    return encode_state(replay(State("world", "USD"), journal.events(0, seq)))


def test_any_moment_is_what_it_was_however_it_is_travelled_to(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewinding, "EVERY", 7)
    monkeypatch.setattr(rewinding, "KEPT", 4)
    there = Rewind(SETTINGS, home)
    there.go(there.last_at)
    random = Random(3)
    for _ in range(40):
        match random.randrange(4):
            case 0:
                there.by_events(random.choice((-1, 1, -5, 30)))
            case 1:
                there.by_time(random.choice((-1, 1)) * 20 * SECOND)
            case 2:
                there.jump(random.choice((-1, 1)))
            case _:
                there.go(START + random.randrange(120) * SECOND)
        assert encode_state(there._state) == at_seq(home, there.seq)
        assert len(there._kept) <= 9
    there.close()


def test_a_step_is_an_event_and_a_jump_is_a_fill_or_an_alert(rewind: Rewind) -> None:
    rewind.go(0)
    assert rewind.at == rewind.first_at
    rewind.by_events(-100)
    assert rewind.seq == 1
    rewind.by_events(1)
    assert rewind.seq == 2
    seen = []
    while rewind.jump(1):
        seen.append(rewind.told().split(" ")[0])
    assert set(seen) == {"fill", "alert"}
    assert rewind.jump(1) is False
    first = len(seen)
    back = 0
    while rewind.jump(-1):
        back += 1
    assert back == first - 1
    rewind.close()


def test_the_future_of_a_moment_is_told_nowhere(rewind: Rewind) -> None:
    rewind.go(0)
    rewind.jump(1)
    view = rewind.view()
    assert len(view.positions) == 1
    assert view.closed == ()
    name = view.positions[0].id
    assert max(step.at for step in rewind.timeline(name).steps) <= rewind.at
    assert all(at <= rewind.at for at, _ in rewind.equity(100))
    assert all(price.at <= rewind.at for price in rewind.known())
    assert view.positions[0].mark is not None
    rewind.go(rewind.last_at)
    assert [held.protection.value for held in rewind.view().positions] == ["naked"]
    assert len(rewind.view().closed) == 1
    assert rewind.candles("BTC/USD", 60 * SECOND, 10)
    rewind.close()


def test_an_old_price_is_said(rewind: Rewind) -> None:
    rewind.go(0)
    rewind.jump(1)
    assert rewind.unpriced() == [], "a fill is a price"
    ages = set()
    for _ in range(20):
        rewind.by_time(SECOND)
        age = (rewind.at - max(price.at for price in rewind.known())) // SECOND
        ages.add(age)
        assert rewind.unpriced() == ([f"price of BTC/USD is {age} s older"] if age else [])
    assert max(ages) > 2
    rewind.close()


class Shown:
    """The running replay."""

    def __init__(self, app: RewindApp, pilot: Pilot[None], rewind: Rewind) -> None:
        self.app, self.pilot, self.rewind = app, pilot, rewind

    @property
    def text(self) -> str:
        return screen_text(self.app)

    async def press(self, *keys: str) -> str:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause(0.15)
        return self.text


def digests(home: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.iterdir()
        if path.suffix == ".sqlite"
    }


@pytest.fixture(params=[(120, 40), (80, 24)], ids=["large", "small"])
async def shown(home: Path, rewind: Rewind, request: pytest.FixtureRequest) -> AsyncIterator[Shown]:
    rewind.go(0)
    rewind.jump(1)

    async def session() -> Session:
        return ReplaySession(rewind)

    before = digests(home)
    command = ("touch", str(home / "sent"))
    app = RewindApp(session, ConsoleOptions(home=home, last_exit=command))
    assert isinstance(app.main, ReplayScreen)
    app.main.flattens = "flatout --account world flatten --yes"
    async with app.run_test(size=request.param) as pilot:
        await pilot.pause(0.4)
        yield Shown(app, pilot, rewind)
    assert digests(home) == before
    assert not (home / "sent").exists(), "the last exit was run out of a replay"


async def test_the_console_travels_and_asks_for_nothing(shown: Shown) -> None:
    text = shown.text
    assert "REPLAY 2026-01-01 00:00:" in text
    assert f"event {shown.rewind.seq} of {shown.rewind.last}" in text
    assert "fill  filled buy 0.5 BTC/USD" in text
    assert "BTC/USD" in text
    seq = shown.rewind.seq
    assert f"event {seq + 2} of" in await shown.press("right", "right")
    assert f"event {seq + 1} of" in await shown.press("left")
    before = shown.rewind.at
    await shown.press("pagedown")
    assert shown.rewind.at == before + 60 * SECOND
    await shown.press("pageup")
    assert shown.rewind.at == before
    assert "a replay" in await shown.press("x")
    assert shown.app.screen is shown.app.main, "a dialog that acts was opened"


async def test_f9_says_that_it_is_a_replay_and_what_flattens(shown: Shown) -> None:
    text = await shown.press("f9")
    assert isinstance(shown.app.screen, ReplaySheet)
    assert "THIS IS A REPLAY" in text
    assert "flatout --account world flatten --yes" in text
    await shown.pilot.pause(0.4)
    await shown.press(*"FLATTEN", "enter")
    assert "THIS IS A REPLAY" not in shown.text
    assert "THIS IS A REPLAY" in await shown.press("f9", "f9")


async def test_typed_commands_are_refused(shown: Shown) -> None:
    await shown.press("colon", *"buy", "space", *"btc", "space", "1", "enter", "enter")
    assert not any(o.order.created_at > shown.rewind.at for o in shown.rewind.view().orders)
    session = shown.app.link
    assert session is not None
    answer = await session.ask(i.Flatten(id="x"))
    assert [refusal.code for refusal in answer.refusals] == ["READ_ONLY"]
