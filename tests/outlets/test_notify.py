"""Notifications reach a real listener, signed and each under its name, and carry no secret into the
settings; what fails is tried again, told, and holds up nobody.
"""

import asyncio
import hashlib
import hmac
import inspect
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from engine.clock import SECOND
from engine.model.intent import Flatten
from engine.model.secrets import MASK, masked
from engine.model.telling import goes_outside
from engine.model.view import Notice
from engine.outlets import OutletError, ways_of
from engine.outlets.outlet import WAITING, Outlet
from engine.outlets.spool import LONG, Line, Spool
from engine.outlets.ways import Way
from engine.session.local import LocalSession
from engine.session.messages import OutletsTried, TryOutlets
from engine.session.opening import open_session
from engine.setup.describing import shown
from engine.setup.sections import Settings
from engine.setup.settings import SettingsError, with_values
from tests.support.outlet import Outlet as Server
from tui.cli import main

T = TypeVar("T")
AT = 1_790_000_000_000_000_000


def line(kind: str, text: str, seq: int = 1) -> Line:
    notice = Notice(seq, AT, "bad", text, "", "P1", kind, seq)
    return Line(f"s-{seq}", time.time_ns(), notice)


def settings(**values: object) -> Settings:
    return with_values(
        Settings(), {key.replace("__", "."): value for key, value in values.items()}, "test"
    )


def test_an_empty_variable_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOBODY", raising=False)
    with pytest.raises(OutletError, match="NOBODY, which holds no address"):
        ways_of(settings(outlets__notify="NOBODY"))
    with pytest.raises(OutletError, match=r"notify.webhook names the environment variable NOBODY"):
        ways_of(settings(notify__webhook="NOBODY"))
    with pytest.raises(OutletError, match=r"notify.signed_by: NOBODY holds no secret"):
        ways_of(settings(notify__webhook="https://example.org/", notify__signed_by="NOBODY"))


def test_without_an_address_nobody_is_told() -> None:
    assert ways_of(Settings()) == []


def test_a_secret_is_read_from_a_file_of_ones_own_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hunter2-of-the-file\n")
    path.chmod(0o644)
    made = settings(notify__webhook="https://example.org/", notify__signed_by=str(path))
    with pytest.raises(OutletError, match=f"{path} may be read by others .mode 0644.: chmod 600"):
        ways_of(made)
    path.chmod(0o600)
    assert made.notify.key == "hunter2-of-the-file"
    assert "hunter2" not in masked("it is hunter2-of-the-file")


async def until(true: Callable[[], T]) -> T:
    async with asyncio.timeout(30):
        while not (found := true()):  # noqa: ASYNC110 - a test may look again and again
            await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def sending(
    made: Settings, folder: Path | None = None
) -> AsyncIterator[tuple[list[Outlet], list[str]]]:
    """The ways of some settings, each with its queue, and what is told of failures."""
    troubles: list[str] = []

    def send(way: Way) -> Callable[[Line], Awaitable[None]]:
        return lambda line: way.send("paper", line)

    def trouble(name: str, why: str) -> None:
        troubles.append(f"{name}: {why}" if why else f"{name} works")

    with tempfile.TemporaryDirectory() as other:
        outlets = [
            Outlet(way.name, send(way), trouble, Spool((folder or Path(other)) / way.name))
            for way in ways_of(made)
        ]
        tasks = [asyncio.create_task(outlet.run()) for outlet in outlets]
        try:
            yield outlets, troubles
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.stop()


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test can wait for."""
    monkeypatch.setattr("engine.outlets.outlet.PAUSES", (0.05,))


async def test_apprise_and_the_webhook_are_told_in_words_and_in_json(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    pytest.importorskip("apprise", reason="apprise is an extra")
    monkeypatch.setenv("SOMEBODY", server.address)
    monkeypatch.setenv("HOOK", f"{server.hook}?token=hunter2-of-the-hook")
    made = settings(outlets__notify="SOMEBODY", notify__webhook="HOOK")
    async with sending(made) as (outlets, troubles):
        for outlet in outlets:
            outlet.put(line("naked", "no stop works, said token=hunter2-of-the-hook"))
        await until(lambda: len(server.told) == 2)
    told = {("title" in body): body for body in (json.loads(text) for text in server.told)}
    assert told[True]["title"] == "Flatout paper: ALERT"
    assert "no stop works" in told[True]["message"]
    assert told[False] == {
        "id": "s-1", "account": "paper", "seq": 1, "line": 1, "at": 1_790_000_000_000_000_000, "time": "2026-09-21T14:13:20.000000Z", "severity": "critical",
        "event": "naked", "text": "no stop works, said token=•••", "subject": "P1", "intent": "",
    }  # fmt: skip
    assert troubles == []


def genuine(secret: bytes, header: str, body: bytes, now: float) -> bool:
    """As docs/outlets.md shows it to whoever receives it."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    code = hmac.new(secret, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(code, parts["v1"]) and abs(now - int(parts["t"])) < 300


async def test_the_receiver_can_tell_that_it_is_ours_and_when_it_was_sent(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "hunter2-to-sign")
    made = settings(notify__webhook=server.hook, notify__signed_by="HOOK_SECRET")
    async with sending(made) as (outlets, _):
        outlets[0].put(line("naked", "no stop works"))
        [(headers, body, _status)] = await until(lambda: server.posts)
    header, now = headers["flatout-signature"], time.time()
    assert genuine(b"hunter2-to-sign", header, body, now)
    assert not genuine(b"hunter2-to-sign", header, body + b" ", now)
    assert not genuine(b"another secret", header, body, now)
    later = header.replace(header.split(",")[0], f"t={int(now) + 1}")
    assert not genuine(b"hunter2-to-sign", later, body, now)
    assert headers["flatout-id"] == json.loads(body)["id"]
    assert "hunter2" not in str(headers)
    page = (Path(__file__).parents[2] / "docs" / "outlets.md").read_text(encoding="utf-8")
    source = inspect.getsource(genuine).splitlines()
    assert "\n".join((source[0], *source[2:])) in page


@pytest.mark.usefixtures("_soon")
async def test_a_line_is_sent_again_under_its_name_until_it_has_arrived(server: Server) -> None:
    server.answers += [503, 500, 429]
    async with sending(settings(notify__webhook=server.hook)) as (outlets, troubles):
        outlets[0].put(line("naked", "one", 1))
        outlets[0].put(line("naked", "two", 2))
        await until(lambda: len(server.told) == 2)
        await outlets[0].rest(10)
    names = [(headers["flatout-id"], status) for headers, _, status in server.posts]
    assert names == [("s-1", 503), ("s-1", 500), ("s-1", 429), ("s-1", 200), ("s-2", 200)]
    assert troubles == ["webhook: it answered 500", "webhook works"]
    assert (outlets[0].sent, outlets[0].failures, outlets[0].dropped) == (2, 3, 0)


@pytest.mark.usefixtures("_soon")
async def test_one_failed_try_is_no_alert(server: Server) -> None:
    server.answers += [503]
    async with sending(settings(notify__webhook=server.hook)) as (outlets, troubles):
        outlets[0].put(line("naked", "one"))
        await until(lambda: server.told)
        await outlets[0].rest(10)
    assert troubles == []


@pytest.mark.usefixtures("_soon")
async def test_a_redirect_is_not_followed_and_what_is_refused_for_good_is_given_up(
    server: Server,
) -> None:
    server.answers += [307, 302, 307]
    async with sending(settings(notify__webhook=server.hook)) as (outlets, troubles):
        outlets[0].put(line("naked", "one", 1))
        outlets[0].put(line("naked", "two", 2))
        await until(lambda: server.told)
        await outlets[0].rest(10)
    assert [status for _, _, status in server.posts] == [307, 302, 307, 200]
    assert json.loads(server.told[0])["text"] == "two"
    assert troubles == ["webhook: it answered 302", "webhook works"]
    assert outlets[0].dropped == 1


@pytest.mark.usefixtures("_soon")
async def test_apprise_follows_no_redirect_either(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    pytest.importorskip("apprise", reason="apprise is an extra")
    monkeypatch.setenv("SOMEBODY", server.address)
    server.answers += [307, 307]
    async with sending(settings(outlets__notify="SOMEBODY")) as (outlets, troubles):
        outlets[0].put(line("naked", "one"))
        await until(lambda: server.told)
        await outlets[0].rest(10)
    assert [status for _, _, status in server.posts] == [307, 307, 200]
    assert troubles[0] == "notifications: a notification could not be sent"


@pytest.mark.usefixtures("_soon")
async def test_a_way_that_hangs_holds_up_nobody_and_of_too_much_the_oldest_goes(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setattr("engine.outlets.webhook.PATIENCE", 0.2)
    connections: list[asyncio.StreamWriter] = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.read()
        writer.close()

    hangs = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = hangs.sockets[0].getsockname()[1]
    async with (
        sending(settings(notify__webhook=f"http://127.0.0.1:{port}/")) as (hung, troubles),
        sending(settings(notify__webhook=server.hook)) as (others, _),
    ):
        for number in range(WAITING + 5):
            hung[0].put(line("naked", "x", number))
            others[0].put(line("naked", "x", number))
        await until(lambda: len(server.told) == WAITING)
        await until(lambda: troubles)
    assert troubles == ["webhook: it has not answered within 0.2 s"]
    assert (hung[0].waiting, hung[0].dropped) == (WAITING, 5)
    hangs.close()


async def test_an_engine_says_that_an_outlet_fails_and_sends_what_waits_once_it_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("engine.outlets.outlet.PAUSES", (0.05,))
    gone = Server()
    port = gone.server_port
    gone.stop()
    made = settings(
        account__name="mine",
        market__symbols=["BTC/USD"],
        notify__webhook=f"http://127.0.0.1:{port}/hook",
        notify__outside=["critical", "flatten_ended", "outlet_failing"],
    )
    session = await open_session(made, tmp_path)
    assert isinstance(session, LocalSession)
    try:
        await until(lambda: session.view().feeds and not session.view().reasons)
        await session.ask(Flatten(id="f"))
        alerts = await until(
            lambda: [one for one in session.view().alerts if one.code == "OUTLET_FAILING"]
        )
        assert alerts[0].stands
        assert "it can't be reached" in alerts[0].text
        [failed] = (await told_of(session)).outlets
        assert failed.text == "webhook: it can't be reached"
        server = Server(port)
        await until(lambda: len(server.told) >= 2)
        await until(
            lambda: (
                not any(
                    one.code == "OUTLET_FAILING" and one.stands for one in session.view().alerts
                )
            )
        )
        [arrived] = (await told_of(session)).outlets
        assert arrived.text == "webhook: arrived"
    finally:
        await session.close()
    bodies = [json.loads(text) for text in server.told]
    assert {"flatten_ended", "outlet_failing", "notify_test"} <= {one["event"] for one in bodies}
    assert len({one["id"] for one in bodies}) == len(bodies)
    server.stop()


@pytest.mark.usefixtures("_soon")
async def test_what_waits_when_a_process_ends_is_sent_by_the_next_under_its_name(
    tmp_path: Path, server: Server
) -> None:
    made = settings(notify__webhook=server.hook)
    server.answers += [200] + [503] * 1000
    async with sending(made, tmp_path) as (outlets, _):
        for number in range(1, 4):
            outlets[0].put(line("naked", "token=hunter2-of-the-line", number))
        await until(lambda: outlets[0].failures)
    await until(lambda: len(server.told) == 1)
    spool = tmp_path / "webhook"
    assert spool.stat().st_mode & 0o077 == 0
    assert b"hunter2" not in spool.read_bytes()
    spool.write_bytes(spool.read_bytes() + b'\n{"type":"came","name":"s-4"')  # a crash
    server.answers.clear()
    async with sending(made, tmp_path) as (outlets, _):
        assert outlets[0].waiting == 2
        outlets[0].put(line("naked", "x", 5))
        await outlets[0].rest(10)
    assert [json.loads(text)["id"] for text in server.told] == ["s-1", "s-2", "s-3", "s-5"]
    async with sending(made, tmp_path) as (outlets, _):
        assert outlets[0].waiting == 0
    assert spool.read_bytes() == b""


def test_the_file_of_what_waits_is_bounded_and_a_folder_that_is_gone_stops_nothing(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path / "webhook")
    waiting = spool.open()
    for number in range(3 * LONG):
        waiting.append(line("naked", "x", number))
        spool.came(waiting[-1])
        if len(waiting) > WAITING:
            spool.left(waiting.pop(0), waiting)
    spool.close()
    assert len((tmp_path / "webhook").read_bytes().splitlines()) <= LONG + 2
    again = Spool(tmp_path / "webhook")
    assert again.open() == waiting
    again.close()
    nowhere = Spool(tmp_path / "gone" / "webhook")
    assert nowhere.open() == []
    nowhere.came(waiting[0])
    nowhere.left(waiting[0], [])


async def test_what_comes_late_on_a_phone_says_how_late(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    pytest.importorskip("apprise", reason="apprise is an extra")
    monkeypatch.setenv("SOMEBODY", server.address)
    async with sending(settings(outlets__notify="SOMEBODY")) as (outlets, _):
        for ago in (0, 59, 61, 7_200, 200_000):
            outlets[0].put(
                replace(line("naked", "no stop works"), at=time.time_ns() - ago * SECOND)
            )
        await outlets[0].rest(10)
    assert [json.loads(text)["message"] for text in server.told] == [
        "no stop works",
        "no stop works",
        "1 min ago: no stop works",
        "2 h ago: no stop works",
        "2 d ago: no stop works",
    ]


async def test_an_engine_that_ends_leaves_its_lines_to_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("engine.session.local.LAST_NOTICE", 0.0)
    gone = Server()
    port = gone.server_port
    gone.stop()
    made = settings(
        account__name="mine",
        market__symbols=["BTC/USD"],
        notify__webhook=f"http://127.0.0.1:{port}/hook",
        notify__outside=["flatten_ended"],
    )
    session = await open_session(made, tmp_path)
    assert isinstance(session, LocalSession)
    await until(lambda: session.view().feeds and not session.view().reasons)
    await session.ask(Flatten(id="f"))
    engine = session.engine
    await until(lambda: any(one.kind == "flatten_ended" for one in engine.notices))
    await session.close()
    server = Server(port)
    session = await open_session(made, tmp_path)
    try:
        await until(lambda: server.told)
    finally:
        await session.close()
    [ended] = [one for one in engine.notices if one.kind == "flatten_ended"]
    [told] = [json.loads(text) for text in server.told]
    assert (told["event"], told["at"]) == ("flatten_ended", ended.at)
    server.stop()


async def told_of(session: LocalSession) -> OutletsTried:
    found = await session.query(TryOutlets())
    assert isinstance(found, OutletsTried)
    return found


def test_a_command_tries_each_outlet_and_says_what_became_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Server
) -> None:
    def run(*words: str) -> Result:
        common = ["--home", str(tmp_path / "home"), "--settings", str(tmp_path / "none.toml")]
        (tmp_path / "none.toml").touch()
        return CliRunner().invoke(main, [*common, "--set", "account.venue=paper", *words])

    hook = f'notify.webhook="{server.hook}"'
    none = run("notify", "test")
    assert (none.exit_code, none.output) == (
        2,
        "flatout notify test: no outlet is set up: docs/outlets.md\n",
    )
    good = run("--set", hook, "notify", "test")
    assert (good.exit_code, good.output) == (0, "webhook: arrived\n")
    server.answers.append(403)
    bad = run("--set", hook, "notify", "test")
    assert (bad.exit_code, bad.output) == (1, "webhook: it answered 403\n")
    line = run("--set", hook, "do", "notify test")
    assert (line.exit_code, line.output) == (0, "✓ notify test: webhook: arrived\n")
    assert [json.loads(text)["event"] for text in server.told] == ["notify_test"] * 2


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (None, {"naked", "stopped", "link_back", "resolved_critical"}),
        (("critical",), {"naked", "resolved_critical"}),
        (("stopped", "target"), {"stopped", "target"}),
        (("default", "target"), {"naked", "stopped", "link_back", "resolved_critical", "target"}),
        (("warning",), {"stopped", "rejected", "outlet_failing"}),
        ((), set()),
    ],
)
def test_what_goes_out_is_what_the_settings_name(
    wanted: tuple[str, ...] | None, kinds: set[str]
) -> None:
    every = (
        "naked",
        "stopped",
        "target",
        "rejected",
        "link_back",
        "resolved_critical",
        "outlet_failing",
    )
    assert {kind for kind in every if goes_outside(kind, wanted)} == kinds


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        (
            "notify.outside",
            ["stoped"],
            "notify.outside is ('stoped',); 'stoped' is no event; did you mean stopped?",
        ),
        ("notify.outside", ["xyzzy"], "allowed: default, info, warning, critical"),
        ("notify.outside", "critical", "notify.outside is 'critical'; expected `array | null`"),
        (
            "notify.webhook",
            "http://example.org/hunter2-of-the-path",
            "would carry what the account does unencrypted",
        ),
        (
            "notify.webhook",
            "ftp://example.org/hunter2-of-the-path",
            "it does not begin with https://",
        ),
        ("notify.webhook", "https://example.org/ hunter2-of-the-path", "may lead to another host"),
        ("notify.signed_by", "hunter2-itself", "must name an environment variable or a file"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_by_name_and_without_its_secret(
    key: str, value: object, says: str
) -> None:
    with pytest.raises(SettingsError, match="notify") as caught:
        with_values(Settings(), {key: value}, "test")
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_webhook_is_masked_wherever_it_is_shown() -> None:
    made = settings(
        notify__webhook="https://me:hunter2-of-mine@example.org/T000/hunter2-of-the-path"
    )
    assert "hunter2" not in repr(made)
    assert "hunter2" not in masked(f"could not reach {made.notify.webhook}")
    assert MASK in masked(shown(made.notify.webhook))
