"""H68: a whole session with known secrets in its settings, in which everything fails that can; and
then a search for them everywhere.
"""

import asyncio
import traceback
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from engine.model import intent as i
from engine.model.intent import AnyIntent
from engine.model.side import Side
from engine.session import Session
from engine.session.local import LocalSession
from engine.session.messages import Try
from engine.session.opening import open_session
from engine.setup.sections import Settings
from engine.setup.settings import with_values
from tests.support.world import BTC, D

PASSWORD, TOKEN, USER = "hunter2-password", "T0PSECRETtoken", "notify-user-secret"
SECRETS = (PASSWORD, TOKEN, USER)
NOTIFY = "FLATOUT_TEST_NOTIFY"
DEAD = (
    f"json://{USER}:{PASSWORD}@127.0.0.1:1/{TOKEN}/?token={TOKEN}"
    f" jsons://{USER}:{TOKEN}@127.0.0.1:1/"
)
"""Addresses at which nobody listens."""
SERVER = f"postgresql://postgres:{PASSWORD}@127.0.0.1:5432/test"

pytestmark = pytest.mark.hazard("H68")


class Place:
    """A journal behind a password, which can be taken away for a while."""

    def __init__(self, url: str, away: Callable[[], None], back: Callable[[], None]) -> None:
        self.url = url
        self.away = away
        self.back = back


@contextmanager
def _file(folder: Path) -> Iterator[Place]:
    path = folder / "elsewhere.sqlite"
    aside = folder / "elsewhere.aside"
    yield Place(
        f"sqlite://{USER}:{PASSWORD}@/{path}",
        lambda: void(path.rename(aside)),
        lambda: void(aside.rename(path)),
    )


@contextmanager
def _server(_: Path) -> Iterator[Place]:
    schema = f"secrets_{uuid.uuid4().hex}"
    engine = create_engine(
        SERVER.replace("postgresql:", "postgresql+psycopg:"),
        poolclass=NullPool,
        connect_args={"connect_timeout": 3},
    )

    def do(statement: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    try:
        do(f"CREATE SCHEMA {schema}")
    except (OperationalError, ImportError) as error:
        pytest.skip(f"no PostgreSQL: {str(error)[:80]}")
    rename = "ALTER SCHEMA {} RENAME TO {}"
    url = f"{SERVER}?options=-csearch_path%3D{schema}"
    yield Place(
        url,
        lambda: do(rename.format(schema, f"{schema}_x")),
        lambda: do(rename.format(f"{schema}_x", schema)),
    )
    do(f"DROP SCHEMA {schema} CASCADE")


def void(_: object) -> None:
    """Nothing of interest."""


PLACES = {"sqlite": _file, "postgres": _server}


def _settings(url: str | None) -> Settings:
    values: dict[str, object] = {
        "outlets.notify": NOTIFY,
        "market.symbols": [BTC],
        "risk.require_stop": False,
        "risk.naked_blocks": False,
    }
    return with_values(
        Settings(), values if url is None else {**values, "journal.url": url}, "test"
    )


class Shown:
    """A session, and all that it ever showed."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.texts: list[str] = []

    def look(self) -> None:
        """Take in everything that a console would."""
        self.texts.append(msgspec.json.encode(self.session.view()).decode())

    async def until(self, true: Callable[[], bool]) -> None:
        """Look until something is so."""
        async with asyncio.timeout(20):
            while not true():
                self.look()
                await asyncio.sleep(0.05)
        self.look()

    async def ask(self, intent: AnyIntent) -> str:
        """Ask, and keep the preview and the answer; returns what was created."""
        self.texts.append(repr(await self.session.query(Try(intent))))
        answer = await self.session.ask(intent)
        self.texts.append(repr(answer))
        return answer.created


@asynccontextmanager
async def _opened(settings: Settings, home: Path) -> AsyncIterator[Shown]:
    session = await open_session(settings, home)
    assert isinstance(session, LocalSession)
    shown = Shown(session)
    try:
        await shown.until(lambda: bool(session.view().feeds) and not session.view().reasons)
        yield shown
    finally:
        await session.close()


def _naked(name: str) -> i.OpenBracket:
    return i.OpenBracket(id=name, symbol=BTC, side=Side.BUY, size=i.Base(D("0.01")))


def _assert_none_in(text: str, where: object) -> None:
    for secret in SECRETS:
        assert secret not in text, f"{secret} in {where}"


def _assert_none_written(folder: Path) -> int:
    """Read every byte of every file below."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in content, f"{secret} in {path.name}"
            assert secret.encode("utf-16-le") not in content
    return len(files)


@pytest.mark.parametrize("place", PLACES)
async def test_a_session_in_which_everything_fails_tells_no_secret(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NOTIFY, DEAD)
    with PLACES[place](tmp_path) as journal:
        settings = _settings(journal.url)
        async with _opened(settings, tmp_path) as shown:
            view = shown.session.view
            position = await shown.ask(_naked("open"))
            await shown.until(
                lambda: any(
                    "notification could not be sent" in notice.text for notice in view().notices
                )
            )
            journal.away()
            await shown.ask(i.Annotate(id="note", position=position, note="the journal is away"))
            await shown.until(lambda: view().journal_failing != "")
            await shown.ask(_naked("refused"))
            await shown.ask(i.ClosePosition(id="close", position=position))
            second = await open_session(settings, tmp_path)
            assert second.read_only
            _assert_none_in(msgspec.json.encode(second.view()).decode(), "the second console")
            await second.close()
            journal.back()
            await shown.until(lambda: view().journal_failing == "")
            await shown.ask(i.Flatten(id="flatten"))
            await shown.until(lambda: not view().positions)
        told = "\n".join(shown.texts)
        assert "JOURNAL_FAILING" in told
        _assert_none_in(told, "what was shown")
    printed = capfd.readouterr()
    _assert_none_in(printed.out + printed.err, "what was printed")
    assert _assert_none_written(tmp_path) >= 3


async def test_a_secret_that_somebody_types_stays_out_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTIFY, f"json://127.0.0.1:1/{TOKEN}")
    with _file(tmp_path) as journal:
        async with _opened(_settings(journal.url), tmp_path) as shown:
            position = await shown.ask(_naked("open"))
            await shown.until(lambda: bool(shown.session.view().positions))
            await shown.ask(
                i.Annotate(
                    id="note",
                    position=position,
                    note=f"log in with {PASSWORD}, told at json://127.0.0.1:1/{TOKEN}",
                )
            )
        (log,) = tmp_path.rglob("flatout.log")  # noqa: ASYNC240 - a test may wait for its disk
        assert "log in with" in log.read_text()
        _assert_none_in(log.read_text(), "the log")


BAD = {
    "a server that is away": f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/none",
    "a database of another kind": f"mysql://{USER}:{PASSWORD}@127.0.0.1/none",
    "another driver": f"postgresql+asyncpg://{USER}:{PASSWORD}@127.0.0.1/none",
    "a port that is none": f"postgresql://{USER}:{PASSWORD}@127.0.0.1:x/none",
}


@pytest.mark.parametrize("url", BAD.values(), ids=BAD)
async def test_a_journal_that_cannot_be_opened_is_told_without_its_password(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NOTIFY, DEAD)
    with pytest.raises(Exception, match="journal") as caught:
        await open_session(_settings(url), tmp_path)
    # a user's name may be told
    told = "".join(traceback.format_exception(caught.value)).replace(USER, "")
    printed = capfd.readouterr()
    _assert_none_in(told + printed.out + printed.err, "the error")
    _assert_none_written(tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        f"nosuch://{USER}:{PASSWORD}@host/{TOKEN}",
        f"slack://{TOKEN}",
        f"json://ok/ {TOKEN}",
        f"{PASSWORD}",
    ],
)
async def test_an_address_that_cannot_be_notified_is_told_by_its_number(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NOTIFY, address)
    with pytest.raises(Exception, match=r"address [12] in FLATOUT_TEST_NOTIFY") as caught:
        await open_session(_settings(None), tmp_path)
    printed = capfd.readouterr()
    _assert_none_in("".join(traceback.format_exception(caught.value)), "the error")
    _assert_none_in(printed.out + printed.err, "what was printed")
    _assert_none_written(tmp_path)
