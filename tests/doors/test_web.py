"""`flatout web`, asked by a real client over HTTP and WebSocket: what a page of somebody else, or
another name for this machine, gets.
"""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.model.intent import Pause
from tests.console.conftest import Staged, session, staged
from tests.console.sample import SampleSession
from tui.cli.web import Guard

__all__ = ["session", "staged"]
pytest.importorskip("textual_serve", reason="textual-serve is an extra")
pytestmark = pytest.mark.hazard("H116")


class Served:
    """A running `flatout web`, and where it printed that it is."""

    def __init__(self, process: "subprocess.Popen[str]", address: str) -> None:
        self.process = process
        self.address = address
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]+/", address), address
        self.base, _, self.token = address.rstrip("/").rpartition("/")

    @property
    def ws(self) -> str:
        return f"{self.address.replace('http', 'ws', 1)}ws"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("web")
    environment = {
        **os.environ,
        "FLATOUT_HOME": str(folder / "home"),
        "FLATOUT_SETTINGS": str(folder / "settings.toml"),
    }
    command = [sys.executable, "-m", "tui.cli", "web", "--port", str(_free_port())]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found is not None, line
        yield Served(process, found[0])
    finally:
        process.terminate()
        process.communicate(timeout=30)
        # the engine that a page began outlives it
        stop = [sys.executable, "-m", "tui.cli", "engines", "stop", "paper"]
        subprocess.run(stop, env=environment, capture_output=True, timeout=60, check=False)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def _status(client: aiohttp.ClientSession, url: str, **headers: str) -> int:
    async with client.get(url, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def test_the_page_and_its_files_need_the_token(
    served: Served, client: aiohttp.ClientSession
) -> None:
    assert len(served.token) >= 43, "32 bytes"
    async with client.get(served.address) as answer:
        text = await answer.text()
        assert (answer.status, "terminal" in text) == (200, True)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert await _status(client, f"{served.address}static/js/textual.js") == 200
    wrong = served.token[:-1] + ("A" if served.token[-1] != "A" else "B")
    paths = (
        "",
        "ws",
        "static/js/textual.js",
        "wrong/",
        f"{wrong}/",
        f"{wrong}/static/js/textual.js",
        f"?token={served.token}",
        "%00/",
    )
    for path in paths:
        assert await _status(client, f"{served.base}/{path}") == 403, path
    assert await _status(client, f"{served.address}static/..%2f..%2fserver.py") == 404


HOSTS = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.evil.example:{port}",
    "[::ffff:1.2.3.4]:{port}",
    "",
)


@pytest.mark.parametrize("host", HOSTS)
async def test_another_name_for_this_machine_is_not_served(
    host: str, served: Served, client: aiohttp.ClientSession
) -> None:
    told = host.format(port=served.base.rpartition(":")[2])
    assert await _status(client, served.address, Host=told) == 403, "DNS rebinding"
    assert (
        await _status(client, served.address, Host=f"localhost:{served.base.rpartition(':')[2]}")
        == 200
    )


ORIGINS = (
    "http://evil.example",
    "null",
    "http://127.0.0.1:1",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:{port}.evil.example",
)


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_page_of_somebody_else_is_not_served(
    origin: str, served: Served, client: aiohttp.ClientSession
) -> None:
    told = origin.format(port=served.base.rpartition(":")[2])
    assert await _status(client, served.address, Origin=told) == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect(served.ws, headers={"Origin": told})
    assert refused.value.status == 403
    assert await _status(client, served.address, Origin=served.base) == 200


@pytest.mark.parametrize("path", ["/ws", "/wrong/ws"])
async def test_the_line_needs_the_token(
    path: str, served: Served, client: aiohttp.ClientSession
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect(
            f"{served.base.replace('http', 'ws', 1)}{path}", headers={"Origin": served.base}
        )
    assert refused.value.status == 403


async def test_a_console_in_a_browser_reads_only_until_it_is_taken(
    served: Served, client: aiohttp.ClientSession
) -> None:
    url = f"{served.ws}?width=120&height=40"
    async with client.ws_connect(url, headers={"Origin": served.base}, max_msg_size=0) as line:
        heard = Heard(line)
        await heard.until("entries on: start-up checks passed")
        await heard.pressed("p", "read-only: :take lets keys act")
        await take(heard)
        await heard.press("p")
        await heard.until("ENTRIES OFF: paused")
        async with client.ws_connect(url, headers={"Origin": served.base}, max_msg_size=0) as other:
            second = Heard(other)
            await second.until("ENTRIES OFF: paused")
            await take(second)
            await heard.until("trades this account from now on")
    async with client.ws_connect(url, headers={"Origin": served.base}, max_msg_size=0) as line:
        heard = Heard(line)
        await heard.until("ENTRIES OFF: paused")  # both pages are closed: the engine goes on
        assert "READ-ONLY :take" in heard.text


async def take(heard: "Heard") -> None:
    """What a person types."""
    await heard.press(":")
    await heard.until("close, buy 0.5 stop")
    await heard.press("take")
    await heard.until("let this")
    await asyncio.sleep(0.7)  # a dialog that has just opened takes no enter
    await heard.press("\r")
    await heard.until("account from now on")  # its own word, or the line that all get


class Heard:
    """What the browser's terminal is told, without its colours."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self.line = line
        self.text = ""

    async def press(self, keys: str) -> None:
        self.text = ""
        for key in keys:
            await self.line.send_str(json.dumps(["stdin", key]))
            await asyncio.sleep(0.05)

    async def pressed(self, key: str, wanted: str) -> None:
        """A key until what it does is seen: while the console opens, keys are dropped."""
        for _ in range(9):
            await self.press(key)
            with suppress(AssertionError):
                return await self.until(wanted, 3)
        raise AssertionError(f"{key} never showed {wanted!r}; heard ...{self.text[-400:]!r}")

    async def until(self, wanted: str, seconds: float = 20) -> None:
        try:
            async with asyncio.timeout(seconds):
                while wanted not in self.text:
                    message: Any = await self.line.receive()
                    data = (
                        message.data
                        if isinstance(message.data, bytes)
                        else str(message.data).encode()
                    )
                    self.text += re.sub(
                        r"\x1b\[[0-9;?]*[a-zA-Z]", "", data.decode("utf-8", "replace")
                    )
        except TimeoutError:
            raise AssertionError(
                f"{wanted!r} was not shown; heard ...{self.text[-400:]!r}"
            ) from None


# The guard alone


GUARD = Guard("127.0.0.1", 8000)
OWN = "127.0.0.1:8000"


def test_the_guard_asks_for_the_whole_token() -> None:
    assert GUARD.refusal(OWN, None, f"/{GUARD.token}/") == ""
    for path in (
        "/",
        "/ws",
        f"/{GUARD.token[:-1]}/",
        f"/{GUARD.token}x/",
        f"//{GUARD.token}/",
        "/é/",
    ):
        assert GUARD.refusal(OWN, None, path), f"{path} is served"
    assert Guard("127.0.0.1", 8000).token != GUARD.token, "each start draws its own"


def test_the_guard_knows_its_own_pages() -> None:
    path = f"/{GUARD.token}/ws"
    assert GUARD.refusal(OWN, f"http://{OWN}", path) == ""
    for origin in (
        "http://evil.example",
        "null",
        "",
        f"https://{OWN}",
        "http://127.0.0.1:8001",
        f"http://{OWN}/",
    ):
        assert GUARD.refusal(OWN, origin, path), f"{origin!r} may ask"


def test_the_guard_knows_its_own_names() -> None:
    path = f"/{GUARD.token}/"
    named, everywhere = Guard("box.example", 8000), Guard("0.0.0.0", 8000)
    for guard, host in (
        (GUARD, "localhost:8000"),
        (GUARD, "[::1]:8000"),
        (named, "BOX.example:8000"),
        (everywhere, "10.0.0.7:8000"),
    ):
        assert guard.refusal(host, None, f"/{guard.token}/") == "", host
    for host in (
        "evil.example:8000",
        "10.0.0.7:8000",
        OWN.replace("8000", "80"),
        "127.0.0.1",
        "",
        ":8000",
        "127.0.0.1:٨٠٠٠",
    ):
        assert GUARD.refusal(host, None, path), f"{host!r} is served"
    assert everywhere.refusal("evil.example:8000", None, f"/{everywhere.token}/"), (
        "a name that points here is DNS rebinding"
    )


async def test_a_console_that_was_not_taken_asks_nothing(
    staged: Staged, session: SampleSession
) -> None:
    async with staged(read_only_until_taken=True) as stage:
        assert "READ-ONLY :take" in stage.text
        await stage.press("p")
        assert "read-only: :take lets keys act" in stage.text
        stage.app.main.ask(Pause(id="past-the-commands"), "pause")
        await stage.frames()
        assert "refused: this console reads only until it is taken" in stage.text
        assert not stage.asked, "it reached the engine"
        await stage.open("colon")
        await stage.type("take")
        await stage.press("enter")
        assert "taken: keys of this console act" in stage.text
        await stage.press("p")
        assert [type(intent).__name__ for intent in stage.asked] == ["Pause"]


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = subprocess.run(
            [sys.executable, "-m", "tui.cli", "web", "--port", port],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=Path(__file__).parents[2],
        )
    assert told.returncode == 2
    assert "name another --port" in told.stderr
    assert tmp_path
