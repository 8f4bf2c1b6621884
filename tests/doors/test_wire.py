"""What leaves with a key: never to where a redirect points, never unencrypted beyond this machine;
and only if ccxt can ask all of it.
"""

import importlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.address import is_loopback
from engine.model.request import Lane, QueryAccount
from engine.setup import factories
from engine.setup.sections import Settings
from engine.setup.settings import SettingsError, load, with_values
from engine.venues.live.venue import LiveVenue
from engine.venues.protocol import OutcomeUnknownError, RefusedError, VenueError
from tests.support.exchange import SYMBOLS, serving

KINDS = ("kraken", "krakenfutures")


class Elsewhere:
    """A host that a redirect points to: it writes down what it is sent."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.port = 0

    async def listen(self, request: web.Request) -> web.StreamResponse:
        self.heard.append((request.path_qs, dict(request.headers)))
        if request.headers.get("Upgrade", "").lower() == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            async for message in socket:
                self.heard.append((str(message.data), {}))
            return socket
        return web.json_response({"error": [], "result": {}})


@asynccontextmanager
async def listening(handler: Any) -> AsyncIterator[int]:
    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", handler)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def redirecting(status: int = 307) -> AsyncIterator[tuple[Elsewhere, int]]:
    """A host that only redirects, to another one that listens."""
    there = Elsewhere()

    async def away(request: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status, headers={"Location": f"http://127.0.0.1:{there.port}{request.path_qs}"}
        )

    async with listening(there.listen) as port, listening(away) as door:
        there.port = port
        yield there, door


@pytest.mark.hazard("H117")
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_request_with_a_key_follows_a_redirect(
    name: str, status: int, tmp_path: Path
) -> None:
    async with serving(name) as exchange, redirecting(status) as (there, door):
        venue = exchange.venue(tmp_path)
        await venue.open()
        _lead(venue, f"http://127.0.0.1:{door}")
        with pytest.raises(
            OutcomeUnknownError, match=rf"HTTP {status} points to 127\.0\.0\.1:{there.port}"
        ):
            await venue.send(QueryAccount(exchange.clock.now() - SECOND, Lane.EMERGENCY))
        with pytest.raises(OutcomeUnknownError, match="not followed"):
            await venue.key_facts()
        await venue.close()
        assert not there.heard, "what was sent on, with its headers"


def _lead(venue: LiveVenue, base: str) -> None:
    """From now on the exchange's address is another one, as after a change of its name server."""
    venue.where = replace(venue.where, rest=base)
    venue.rest._client.urls["api"] = dict(venue._urls())


@pytest.mark.hazard("H117")
@pytest.mark.parametrize("name", KINDS)
async def test_no_stream_follows_a_redirect(name: str, tmp_path: Path) -> None:
    async with serving(name) as exchange, redirecting(302) as (there, door):
        exchange.keep_key(tmp_path)
        account = exchange.account(ws=f"ws://127.0.0.1:{door}")
        venue = factories.live(account, SYMBOLS[name], 3.0, tmp_path, exchange.clock)
        told: list[r.VenueReport] = []
        await venue.connect(told.append, lambda _: None)
        await exchange.clock.sleep(SECOND)
        await venue.close()
        assert not there.heard, "what was sent on"
        assert any(
            isinstance(report, r.Disconnected)
            and f"points to 127.0.0.1:{there.port}" in report.text
            for report in told
        ), told


REMOTE = {
    "account.rest": (
        "http://api.kraken.com",
        "http://10.0.0.7:8080",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://[2001:db8::1]",
    ),
    "account.ws": ("ws://ws.kraken.com/v2", "ws://192.168.1.2", "ws://127.evil.example"),
}
ODD = {
    "account.rest": (
        "ftp://127.0.0.1",
        "127.0.0.1:8080",
        "https://user@api.kraken.com",
        "http://127.0.0.1\\@evil.example",
        "https://",
        "http://127.0.0.1:x",
    ),
    "account.ws": ("https://ws.kraken.com", "wss://ws.kraken.com/ x"),
}
GOOD = {
    "account.rest": (
        "http://127.0.0.1:8080",
        "http://localhost:1",
        "http://[::1]:1",
        "https://demo-futures.kraken.com",
        "http://127.3.2.1",
    ),
    "account.ws": ("ws://127.0.0.1:8080/ws", "wss://demo-futures.kraken.com/ws"),
}


def _pairs(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(key, address) for key, addresses in table.items() for address in addresses]


@pytest.mark.hazard("H117")
@pytest.mark.parametrize(("key", "address"), _pairs(REMOTE))
def test_an_address_without_encryption_is_refused_by_name(key: str, address: str) -> None:
    with pytest.raises(SettingsError, match=rf"{key} is .* would carry the key unencrypted"):
        load(flags=[f'{key}="{address}"'], environment={})


@pytest.mark.hazard("H117")
@pytest.mark.parametrize(("key", "address"), _pairs(ODD))
def test_what_is_no_address_is_refused_by_name(key: str, address: str) -> None:
    with pytest.raises(SettingsError, match=rf"{key} is .*allowed"):
        with_values(Settings(), {key: address}, "test")


@pytest.mark.parametrize(("key", "address"), _pairs(GOOD))
def test_an_address_on_this_machine_or_with_encryption_is_taken(key: str, address: str) -> None:
    assert with_values(Settings(), {key: address}, "test")


@pytest.mark.hazard("H117")
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("kind", ["rest", "ws"])
async def test_a_venue_opens_no_line_without_encryption(
    name: str, kind: str, tmp_path: Path
) -> None:
    async with serving(name) as exchange:
        exchange.keep_key(tmp_path)
        bare = {"rest": "http://10.255.255.1:8080", "ws": "ws://10.255.255.1:8080"}[kind]
        venue = factories.live(
            exchange.account(**{kind: bare}), SYMBOLS[name], 3.0, tmp_path, exchange.clock
        )
        with pytest.raises(
            RefusedError, match=rf"account\.{kind} is .* would carry the key unencrypted"
        ):
            await venue.connect(lambda _: None, lambda _: None)
        await venue.close()


def test_only_this_machine_is_loopback() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.255.0.1", "::1", "LOCALHOST.")))
    assert not any(
        map(
            is_loopback,
            ("0.0.0.0", "127.evil.example", "localhost.evil.example", "10.0.0.1", "", "::"),
        )
    )


# What ccxt has


LACKING = {
    "kraken": "private_post_getapikeyinfo",
    "krakenfutures": "private_put_leveragepreferences",
}


@pytest.mark.hazard("H129")
@pytest.mark.parametrize("name", KINDS)
async def test_a_ccxt_that_lacks_an_endpoint_is_said_when_the_venue_opens(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(f"ccxt.abstract.{name}")
    monkeypatch.delattr(module.ImplicitAPI, LACKING[name])
    async with serving(name) as exchange:
        venue = exchange.venue(tmp_path)
        told = await _opening(venue)
        await venue.close()
    assert isinstance(told, VenueError), f"it opened, and would fail later with {told!r}"
    assert LACKING[name] in str(told)
    assert importlib.import_module("ccxt").__version__ in str(told)
    assert "ccxt>=" in str(told), "what to do"


async def _opening(venue: LiveVenue) -> BaseException | None:
    try:
        await venue.open()
    except Exception as error:
        return error
    return None


@pytest.mark.hazard("H129")
@pytest.mark.parametrize("name", KINDS)
async def test_what_a_venue_asks_is_what_it_says_that_it_needs(name: str, tmp_path: Path) -> None:
    async with serving(name) as exchange:
        venue = exchange.venue(tmp_path)
        source = "".join(path.read_text() for path in _sources(venue))
        asked = {*re.findall(r'"((?:public|private)_(?:get|post|put)_[a-z_]+)"', source)}
        assert len(asked) > 8
        assert asked <= {*venue.needs}, f"it asks {asked - {*venue.needs}} without having said so"
        await venue.open()
        await venue.close()


def _sources(venue: LiveVenue) -> list[Path]:
    """The dialect's own folder."""
    return sorted(
        Path(str(importlib.import_module(type(venue).__module__).__file__)).parent.glob("*.py")
    )
