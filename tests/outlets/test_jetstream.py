"""Events reach a real JetStream once each, in order, past the death of either side, and a real
consumer reads back what the journal has.
"""

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.inspection import looking, outside
from engine.inspection.findings import BadError
from engine.model import intent as i
from engine.model.happening import as_json
from engine.model.side import Side
from engine.outlets import OutletError, relay_of
from engine.session.local import LocalSession
from engine.session.messages import OutletsTried, TryOutlets
from engine.session.opening import open_session
from engine.setup.sections import Settings
from tests.outlets.test_notify import settings, until
from tests.support.outlet import Outlet as Web
from tests.support.world import BTC, D

nats = pytest.importorskip("nats", reason="nats-py is an extra")
SERVER = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")


class Server:
    """A nats-server of the test's own."""

    def __init__(self, folder: Path | None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._flags = ["-js", "-sd", str(folder)] if folder is not None else []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert SERVER is not None
        command = [SERVER, "-a", "127.0.0.1", "-p", str(self.port), *self._flags]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if SERVER is None:
        pytest.skip("no nats-server on this machine")
    found = Server(tmp_path / "jetstream")
    found.start()
    yield found
    found.kill()


def asking(server: Server) -> Settings:
    return settings(
        account__name="mine",
        market__symbols=["BTC/USD"],
        outlets__nats=server.address,
        outlets__desk="sofa",
    )


@asynccontextmanager
async def running(made: Settings, home: Path) -> AsyncIterator[LocalSession]:
    session = await open_session(made, home)
    assert isinstance(session, LocalSession)
    try:
        await until(lambda: session.view().feeds and not session.view().reasons)
        yield session
    finally:
        await session.close()


async def traded(session: LocalSession, name: str) -> None:
    """Buy, and close it again."""
    size, stop = i.Base(D("0.05")), i.Away(D("0.05"))
    answer = await session.ask(
        i.OpenBracket(id=name, symbol=BTC, side=Side.BUY, size=size, stop=stop)
    )
    await until(lambda: [one for one in session.view().positions if one.size])
    await session.ask(i.ClosePosition(id=f"{name}-c", position=answer.created))
    await until(lambda: not session.view().positions)


async def stored(server: Server, stream: str) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    """All that a consumer of its own reads: subject, headers, body."""
    from nats.js.errors import NotFoundError

    client = await nats.connect(server.address)
    try:
        jet = client.jetstream()
        try:
            count = (await jet.stream_info(stream)).state.messages
        except NotFoundError:
            return []  # nothing was stored so far
        consumer = await jet.pull_subscribe("", stream=stream)
        found: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        while len(found) < count:
            for message in await consumer.fetch(count - len(found), timeout=5):
                body = json.loads(message.data)
                found.append((message.subject, dict(message.headers or {}), body))
                await message.ack()
        return found
    finally:
        await client.close()


def journaled(made: Settings, home: Path) -> list[dict[str, Any]]:
    told = looking.happenings(made, home / "mine", 0, 10_000)
    return [json.loads(as_json(one)) for one in told.events]


async def seen(server: Server, true: Callable[[list[dict[str, Any]]], bool]) -> None:
    async with asyncio.timeout(30):
        while not true(  # noqa: ASYNC110 - a test may look again and again
            [body for _, _, body in await stored(server, "FLATOUT_EVT")]
        ):
            await asyncio.sleep(0.1)


def closed(bodies: list[dict[str, Any]]) -> int:
    return sum(body["kind"] == "position-closed" for body in bodies)


async def test_a_consumer_reads_back_what_the_journal_has(server: Server, tmp_path: Path) -> None:
    made = asking(server)
    async with running(made, tmp_path) as session:
        await traded(session, "a")
        journal = session.engine.journal.id
        tried = await session.query(TryOutlets())
        assert isinstance(tried, OutletsTried)
        assert [one.text for one in tried.outlets] == ["nats: arrived"]
        await seen(server, lambda bodies: closed(bodies) == 1)
    read = await stored(server, "FLATOUT_EVT")
    assert [body for _, _, body in read] == journaled(made, tmp_path)
    for subject, headers, body in read:
        assert subject == f"flatout.v1.sofa.mine.evt.{body['kind']}"
        assert headers["Nats-Msg-Id"] == f"{journal}:{body['seq']}"
    client = await nats.connect(server.address)
    config = (await client.jetstream().stream_info("FLATOUT_EVT")).config
    await client.close()
    assert (config.max_age, config.duplicate_window) == (30 * 86_400, 120)


async def test_the_doctor_says_what_answers_at_the_address(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await outside.jetstream(asking(server))
    assert f"127.0.0.1:{server.port} has JetStream" in said
    assert "outlets.nats is unset" in await outside.jetstream(Settings())
    monkeypatch.delenv("NOBODY", raising=False)
    web = Web()
    plain = Server(None)
    plain.start()
    for address, why in (
        ("NOBODY", "the variable NOBODY holds no address"),
        (plain.address, f"127.0.0.1:{plain.port} has no JetStream"),
        (f"nats://me:hunter2-of-mine@127.0.0.1:{web.server_port}", "no answer in time"),
    ):
        monkeypatch.setattr(outside, "PATIENCE", 0.2)
        with pytest.raises(BadError) as caught:
            await outside.jetstream(settings(outlets__nats=address))
        assert why in str(caught.value)
        assert caught.value.remedy
        assert "hunter2" not in str(caught.value)
    web.stop()
    plain.kill()
    with pytest.raises(BadError, match="no NATS server answers at"):
        await outside.jetstream(settings(outlets__nats=plain.address))


async def test_what_happens_before_the_server_was_ever_there_is_passed_on_by_the_next_session(
    server: Server, tmp_path: Path
) -> None:
    made = asking(server)
    server.kill()
    async with running(made, tmp_path) as session:
        await session.ask(i.Flatten(id="f"))
        await until(lambda: any(one.kind == "flatten_ended" for one in session.engine.notices))
    server.start()
    async with running(made, tmp_path):
        await seen(server, lambda bodies: any(one["intent"] == "f" for one in bodies))


async def test_nothing_is_lost_or_doubled_when_either_side_dies(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.outlets.relay.PAUSES", (0.1,))
    made = asking(server)
    async with running(made, tmp_path) as session:
        await traded(session, "a")
        await seen(server, lambda bodies: closed(bodies) == 1)
        server.kill()
        await traded(session, "b")
        await until(
            lambda: any(
                one.code == "OUTLET_FAILING" and one.stands for one in session.view().alerts
            )
        )
        server.start()
        await until(
            lambda: (
                not any(
                    one.code == "OUTLET_FAILING" and one.stands for one in session.view().alerts
                )
            )
        )
        await seen(server, lambda bodies: closed(bodies) == 2)
    place = tmp_path / "mine" / "nats.json"
    kept = json.loads(place.read_text())
    place.write_text(json.dumps(kept | {"seq": kept["seq"] - 8}))  # as if it was not kept in time
    async with running(made, tmp_path) as session:
        await traded(session, "c")
        await seen(server, lambda bodies: closed(bodies) == 3)
    bodies = [body for _, _, body in await stored(server, "FLATOUT_EVT")]
    every = journaled(made, tmp_path)
    assert bodies == every[: len(bodies)]
    assert len(every) - len(bodies) <= 1, "the last word of a session may wait for the next one"


async def test_of_each_alert_the_last_word_is_kept(server: Server, tmp_path: Path) -> None:
    made = asking(server)
    async with running(made, tmp_path) as session:
        for text in ("first", "again", ""):
            session.trouble("SCREEN_FAILED", "tty 1.x", text)
        await seen(server, lambda bodies: any(one["kind"] == "alert-cured" for one in bodies))
        read = await stored(server, "FLATOUT_ALERT")
    own = [(subject, body) for subject, _, body in read if ".SCREEN_FAILED." in subject]
    assert [(subject, body["kind"]) for subject, body in own] == [
        ("flatout.v1.sofa.mine.alert.SCREEN_FAILED.tty_1_x", "alert-cured")
    ]


def test_an_address_beyond_this_machine_must_be_encrypted() -> None:
    from engine.setup.settings import SettingsError

    with pytest.raises(SettingsError, match=r"would carry what the account does unencrypted"):
        settings(outlets__nats="nats://me:hunter2-of-nats@example.org:4222")
    assert "hunter2" not in repr(settings(outlets__nats="tls://me:hunter2-of-nats@example.org"))
    with pytest.raises(OutletError, match="NOBODY, which holds no address"):
        relay_of(settings(outlets__nats="NOBODY"))
