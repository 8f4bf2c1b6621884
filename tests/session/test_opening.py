"""One lost reply while opening is asked for again; what is waited for is said; a refusal is the
last word.
"""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from engine.account.home import Home
from engine.session.attached import AttachedSession
from engine.session.local import LocalSession
from engine.session.opening import open_session
from engine.setup.questions import Told
from engine.setup.settings import SettingsError, load
from engine.venues.protocol import RefusedError
from tests.support.losing import Exchange, exchange

if TYPE_CHECKING:
    from engine.setup.environments import Environment

pytestmark = [pytest.mark.hazard("H120"), pytest.mark.slow]


async def opened(
    server: Exchange, folder: Path, patch: pytest.MonkeyPatch, *more: str
) -> tuple[LocalSession | None, list[str], Exception | None]:
    """The session, what was said while it opened, and what ended the opening."""
    for name, value in server.environment.items():
        patch.setenv(name, value)
    told: list[str] = []

    def hear(question: str, why: str) -> None:
        if why:
            told.append(f"{question}: {why}")

    try:
        async with asyncio.timeout(25):
            session = await open_session(
                load(None, [*server.flags, *more]).settings, folder, told=hear
            )
    except Exception as error:
        return None, told, error
    assert isinstance(session, LocalSession)
    return session, told, None


LATER = (
    "/0/private/TradeVolume",
    "/derivatives/api/v3/feeschedules",
    "/derivatives/api/v3/feeschedules/volumes",
)
"""What no opening waits for: it is asked again minutes later."""


async def until_open(session: LocalSession, seconds: float = 30) -> list[str]:
    """Until entries are no longer held up by the recovery; the codes that stand then."""
    end = time.monotonic() + seconds
    while True:
        codes = [reason.code for reason in session.view().reasons]
        if "STARTING" not in codes or time.monotonic() > end:
            return codes
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("venue", ["kraken", "krakenfutures"])
async def test_the_first_reply_to_each_question_is_lost_and_the_account_opens(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exchange(venue, monkeypatch) as server:
        session, told, error = await opened(server, tmp_path, monkeypatch)
        assert session is not None, f"one lost reply, and the account never opens: {error}"
        try:
            assert "STARTING" not in await until_open(session)
            assert session.view().account.equity is not None
            words = "\n".join(told)
            assert f"{venue}: what is traded: " in words, told
            assert f"{venue}: what the key may do: " in words, told
            assert "asked again in" in words
            assert '"opening-waits"' in Home.of("main", tmp_path).log.read_text()
            notices = [notice.text for notice in session.view().notices]
            assert any("waiting for the account's state" in text for text in notices), notices
            waited_for = {
                path: count for path, count in server.losing.asked.items() if path not in LATER
            }
            assert all(count > 1 for count in waited_for.values()), server.losing.asked
        finally:
            await session.close()


async def test_a_paper_account_on_an_exchanges_prices_opens_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exchange("kraken", monkeypatch) as server:
        session, told, error = await opened(
            server, tmp_path, monkeypatch, "account.venue=paper", "market.source=kraken"
        )
        assert session is not None, f"one lost reply, and paper never opens: {error}"
        await session.close()
        assert any("what is traded" in text for text in told)


async def test_an_exchange_that_is_silent_for_long_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.venues.live.venue.PAUSES", (0.05,))
    monkeypatch.setattr("engine.setup.questions.PAUSES", (0.05, 0.1))
    async with exchange("kraken", monkeypatch) as server:
        server.losing.loses = lambda path, count: count < 12
        session, told, error = await opened(server, tmp_path, monkeypatch)
        assert session is not None, error
        await session.close()
        assert len(told) > 20


async def test_a_refusal_ends_the_opening_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exchange("kraken", monkeypatch, permissions=("query-funds",)) as server:
        server.losing.loses = lambda path, count: False
        session, told, error = await opened(server, tmp_path, monkeypatch)
        assert session is None
        assert isinstance(error, RefusedError)
        assert "may not trade" in str(error)
        assert told == []
        home = Home.of("main", tmp_path)
        assert home.hold(0) is None, "the lock is let go"
        home.let_go()


async def test_a_wrong_secret_ends_the_opening_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exchange("kraken", monkeypatch) as server:
        server.losing.loses = lambda path, count: False
        server.server.secret = "bm90IG91cnM="
        session, told, error = await opened(server, tmp_path, monkeypatch)
        assert session is None
        assert isinstance(error, RefusedError)
        assert told == []


async def test_leaving_while_it_opens_closes_what_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exchange("kraken", monkeypatch) as server:
        server.losing.loses = lambda path, count: True
        task = asyncio.get_running_loop().create_task(opened(server, tmp_path, monkeypatch))
        await asyncio.sleep(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        home = Home.of("main", tmp_path)
        assert home.hold(0) is None, "the lock is let go"
        home.let_go()


class NoKey:
    """A world that can't be opened, and says so once a console is attached."""

    secrets = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.console: asyncio.Task[AttachedSession] | None = None

    async def open(self, _: Told) -> None:
        self.console = asyncio.create_task(AttachedSession.open(self.path, "it", "trade"))
        await asyncio.wait({self.console}, timeout=20)
        raise SettingsError("there is no API key")

    async def close(self, *, read_only: bool) -> None:
        """Nothing was opened."""


async def test_why_it_did_not_open_is_said_also_where_a_console_waits_for_it(
    tmp_path: Path,
) -> None:
    home = Home.at("paper", tmp_path)
    home.folder.mkdir(mode=0o700)
    world = NoKey(home.session)
    session = LocalSession(load(None, []).settings, home, environment=cast("Environment", world))
    try:
        with pytest.raises(SettingsError, match="there is no API key"):
            await session.open()
        assert world.console is not None
        assert world.console.done()
        console = await world.console
        await console.close()
    finally:
        session.give_up()
        home.let_go()
