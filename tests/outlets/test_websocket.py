"""Scripts follow the events over a WebSocket: a client that is not ours reads what the journal has,
from where it wants to; without the token nobody reads anything.
"""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.inspection import outside
from engine.model import intent as i
from engine.outlets import OutletError
from engine.outlets.scripts import FILE, token_of
from tests.outlets.test_jetstream import journaled, running, traded
from tests.outlets.test_notify import settings

websockets = pytest.importorskip("websockets", reason="websockets is a foreign client")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def read(line: Any, seq: int) -> list[dict[str, Any]]:
    """Everything up to an event."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while not found or found[-1]["seq"] < seq:
            found.append(json.loads(await line.recv()))
    return found


async def status(port: int, **headers: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/events?after=x", headers=headers) as answer,
    ):
        return answer.status


async def test_a_foreign_client_reads_what_the_journal_has(tmp_path: Path) -> None:
    port = free_port()
    made = settings(
        account__name="mine", market__symbols=["BTC/USD"], outlets__websocket=port,
    )  # fmt: skip
    assert await outside.websocket(made) == f"port {port} is free: the engine listens there"
    async with running(made, tmp_path) as session:
        token = (tmp_path / "mine" / FILE).read_text()
        headers = {"Authorization": f"Bearer {token}"}
        address = f"ws://127.0.0.1:{port}/events"
        begins = session.engine.journal.durable.seq
        async with (
            websockets.connect(address, additional_headers=headers) as now,
            websockets.connect(f"{address}?after=0", additional_headers=headers) as first,
            websockets.connect(f"{address}?after=0", additional_headers=headers) as slow,
        ):
            await first.send('{"type":"ask","intent":{"intent":"flatten","id":"never"}}')
            await traded(session, "a")
            await session.ask(i.Flatten(id="f"))
            last = journaled(made, tmp_path)[-1]["seq"]
            everything = await read(first, last)
            assert [one for one in journaled(made, tmp_path) if one["seq"] <= last] == everything
            assert "never" not in json.dumps(everything)
            newer = await read(now, last)
            asked = next(one["seq"] for one in everything if one["intent"] == "a")
            since = [one for one in everything if one["seq"] >= newer[0]["seq"]]
            assert newer == since
            assert begins < newer[0]["seq"] <= asked, "nothing of before, all from then on"
            await slow.recv()  # and no more: nobody waits for it
        middle = everything[len(everything) // 2]["seq"]
        again = f"{address}?after={middle}"
        async with websockets.connect(again, additional_headers=headers) as later:
            assert await read(later, last) == [one for one in everything if one["seq"] > middle]
        assert await status(port) == 401
        assert await status(port, Authorization="Bearer guess") == 401
        assert await status(port, Origin="https://example.org", **headers) == 403
        assert await status(port, Host="example.org", **headers) == 403
        assert await status(port, **headers) == 400
        with pytest.raises(OSError):  # noqa: PT012 - both are one attempt
            _, writer = await asyncio.open_connection("127.0.0.2", port)
            writer.close()
        said = await outside.websocket(made)
        assert said == f"the engine that runs answers at port {port}"


def test_the_token_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    token = token_of(tmp_path)
    assert len(token) == 64
    assert token_of(tmp_path) == token
    path = tmp_path / FILE
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o644)
    with pytest.raises(OutletError, match="may be read by others: chmod 600"):
        token_of(tmp_path)
    path.chmod(0o600)
    path.write_text("")
    with pytest.raises(OutletError, match="holds no token"):
        token_of(tmp_path)
