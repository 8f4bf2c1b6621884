"""Requests through ccxt: one client per key, private requests in order, nothing retried, nothing throttled, nothing interpreted.

ccxt signs and sends. Numbers stay text (`parse_float=str`), and errors in an answer stay an answer: what they mean is the profile's to say.
"""

import asyncio
import base64
import hashlib
import heapq
import hmac
import importlib
import json
import threading
from collections.abc import Awaitable, Mapping
from typing import Any, cast

import aiohttp

from engine.venues.live.keys import Credentials
from engine.venues.protocol import NotSentError, OutcomeUnknownError, RateLimitedError

TURN = 0.25
"""Seconds after which the next private request leaves though the one before is unanswered: one that hangs may hold up nobody."""


class Turns:
    """Private requests leave one after the other, the more urgent first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0
        self._taken = False

    async def take(self, lane: int) -> None:
        """Wait until it is ours."""
        if not self._taken:
            self._taken = True
            return
        self._count += 1
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (lane, self._count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """Pass it on."""
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False


class Rest:
    """One exchange over HTTP."""

    def __init__(self, exchange: str, credentials: Credentials | None, urls: Mapping[str, Any], timeout: float) -> None:
        self._exchange = exchange
        self._credentials = credentials
        self._urls = urls
        self._timeout = timeout
        self._turns = Turns()
        self._client: Any = None
        self.sent = 0

    async def open(self) -> None:
        """Import ccxt, off the loop, and make the client."""
        if self._client is not None:
            return  # the opening asks again after a lost reply: one client, one set of connections
        kind = await asyncio.get_running_loop().run_in_executor(None, _client_class, self._exchange)
        config: dict[str, Any] = {"enableRateLimit": False, "timeout": int(self._timeout * 1000), "options": {"maxRetriesOnFailure": 0}}
        if self._credentials is not None:
            config |= {"apiKey": self._credentials.key, "secret": self._credentials.secret}
        if self._urls:
            config["urls"] = {"api": dict(self._urls)}
        self._client = kind(config)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def public(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """A public question. Raises as `private` does."""
        return await self._call(method, params or {})

    async def private(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        """A signed request, in its turn; the answer as it is. Raises OutcomeUnknownError or NotSentError."""
        await self._turns.take(lane)
        passed = False

        def pass_on() -> None:
            nonlocal passed
            if not passed:
                passed = True
                self._turns.give()

        handle = asyncio.get_running_loop().call_later(TURN, pass_on)
        try:
            self.sent += 1
            return await self._call(method, params)
        finally:
            handle.cancel()
            pass_on()

    async def request(self, path: str, api: str, params: Mapping[str, Any], lane: int) -> Any:
        """A signed GET that ccxt has no method for. Raises as `private` does."""
        await self._turns.take(lane)
        try:
            self._client.options["access"][api] = {"GET": {path: "private"}}
            return await self._carried(self._client.request(path, [api], "GET", dict(params)))
        finally:
            self._turns.give()

    def sign_challenge(self, challenge: str) -> tuple[str, str]:
        """The key, and a challenge signed with the secret: SHA-256, then HMAC-SHA-512, base64."""
        if self._credentials is None:
            return "", ""
        digest = hashlib.sha256(challenge.encode()).digest()
        secret = base64.b64decode(self._credentials.secret)
        return self._credentials.key, base64.b64encode(hmac.new(secret, digest, hashlib.sha512).digest()).decode()

    async def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        return await self._carried(getattr(self._client, method)(dict(params)))

    async def _carried(self, call: Awaitable[Any]) -> Any:
        try:
            answer = await call
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever ccxt raises: only a line that was never made proves that nothing happened
            if _never_left(error):
                raise NotSentError(f"no line to the exchange: {_short(error)}") from error
            if _is_limited(error):
                raise RateLimitedError(_short(error)) from error
            raise OutcomeUnknownError(_short(error)) from error
        if not isinstance(answer, dict | list):
            raise OutcomeUnknownError(f"an answer that makes no sense: {str(answer)[:80]!r}")
        return answer


_IMPORTING = threading.Lock()
"""ccxt's package and its exchanges import each other: two threads that begin at different ends would wait for one another."""


def _client_class(exchange: str) -> type[Any]:
    """ccxt's class for an exchange, which leaves numbers text and errors in the answer."""
    with _IMPORTING:
        base: type[Any] = getattr(importlib.import_module(f"ccxt.async_support.{exchange}"), exchange)

    class Raw(base):  # type: ignore[misc]
        def parse_json(self, text: str) -> Any:
            return json.loads(text, parse_float=str)

        def handle_errors(self, *_: Any) -> None:
            return None

    return cast("type[Any]", Raw)


def _never_left(error: BaseException) -> bool:
    """Whether the connection itself could not be made."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, aiohttp.ClientConnectorError | aiohttp.ClientConnectorDNSError):
            return True
        found = found.__cause__ or found.__context__
    return False


def _is_limited(error: BaseException) -> bool:
    return type(error).__name__ == "RateLimitExceeded" and " 429 " in f" {error} "


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:160]}"
