"""While an account opens, the screen says which question it waits for, and a person may leave."""

import asyncio
from pathlib import Path

import pytest

from tests.support.losing import Exchange, exchange
from tests.support.terminal import CONSOLE, Terminal

pytestmark = [pytest.mark.hazard("H120"), pytest.mark.slow]


def opening(server: Exchange, folder: Path) -> Terminal:
    """A console that opens the account."""
    flags = [part for flag in server.flags for part in ("--set", flag)]
    return Terminal(folder, *CONSOLE, *flags, stderr=folder / "errors", env=server.environment)


async def shows(terminal: Terminal, text: str, seconds: float = 30) -> bool:
    """Whether a text comes on the screen; the exchange of this process answers meanwhile."""
    return await asyncio.to_thread(terminal.wait_for, text, seconds)


async def test_the_screen_says_what_it_waits_for_and_opens_when_it_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exchange("kraken", monkeypatch) as server:
        server.losing.loses = lambda path, count: "GetApiKeyInfo" in path
        terminal = opening(server, tmp_path)
        try:
            assert await shows(terminal, "waits for kraken: what the key may do: "), terminal.text
            server.losing.loses = lambda path, count: False
            assert await shows(terminal, "LIVE"), terminal.text
            terminal.signal(15)
            assert await asyncio.to_thread(terminal.wait, 15) == 143
        finally:
            terminal.close()


async def test_q_leaves_while_it_waits_and_the_reason_stands_on_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exchange("kraken", monkeypatch) as server:
        server.losing.loses = lambda path, count: True
        terminal = opening(server, tmp_path)
        try:
            assert await shows(terminal, "waits for kraken: what is traded: "), terminal.text
            terminal.send(b"q", 0)
            assert await asyncio.to_thread(terminal.wait, 15) == 0
            told = (tmp_path / "errors").read_text()
            assert told.startswith(
                "flatout: left while opening; it waited for kraken: what is traded: "
            ), told
        finally:
            terminal.close()


async def test_a_key_that_is_refused_ends_it_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exchange("kraken", monkeypatch, permissions=("query-funds",)) as server:
        server.losing.loses = lambda path, count: False
        terminal = opening(server, tmp_path)
        try:
            assert await asyncio.to_thread(terminal.wait_for, "try again", 30), terminal.text
            terminal.send(b"q")
            assert await asyncio.to_thread(terminal.wait, 30) == 2
            told = (tmp_path / "errors").read_text()
            assert "could not be opened: account main: the key may not trade" in told, told
            assert (
                server.server.secret
                not in told + (tmp_path / "f" / "main" / "flatout.log").read_text()
            )
        finally:
            terminal.close()
