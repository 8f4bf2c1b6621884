"""Requests through ccxt: one client per key, private requests in order, nothing retried, nothing
throttled, nothing interpreted.

ccxt signs and sends. No redirect is followed: it would carry key and signature to whatever host an
answer names. Numbers stay text (`parse_float=str`), and errors in an answer stay an answer: what
they mean is the profile's to say.
"""

import asyncio
import base64
import hashlib
import heapq
import hmac
import importlib
import inspect
import json
import threading
from collections.abc import Awaitable, Iterable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp

from engine.model.secrets import masked
from engine.venues.live.keys import Credentials
from engine.venues.live.nonces import Nonces
from engine.venues.live.pages import PageError, is_answer
from engine.venues.protocol import (
    MAY_LEAVE,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
)

TURN = 0.25
"""Seconds after which the next private request leaves though the one before is unanswered: one that
hangs may hold up nobody.
"""


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


class RedirectedError(OutcomeUnknownError):
    """The exchange's address answered with a redirect, which was not followed. What was asked may
    have happened all the same.
    """

    def __init__(self, status: int, location: str) -> None:
        host = urlsplit(location).netloc.rpartition("@")[2] or "no other host"
        super().__init__(
            f"HTTP {status} points to {host}: not followed, for the key would go there;"
            " account.rest must be the exchange itself"
        )


class Rest:
    """One exchange over HTTP."""

    def __init__(
        self,
        exchange: str,
        credentials: Credentials | None,
        urls: Mapping[str, Any],
        timeout: float,
        nonces: Nonces | None = None,
    ) -> None:
        self._exchange = exchange
        self._credentials = credentials
        self._urls = urls
        self._timeout = timeout
        self.nonces = nonces or Nonces(None)
        self._turns = Turns()
        self._client: Any = None
        self.sent = 0

    async def open(self, needed: Iterable[str] = ()) -> None:
        """Import ccxt, off the loop, and make the client. Raises RefusedError if ccxt has not all
        of the endpoints `needed`.
        """
        if self._client is not None:
            return  # the opening asks again after a lost reply: one client, one set of connections
        kind = await asyncio.get_running_loop().run_in_executor(None, _client_class, self._exchange)
        config: dict[str, Any] = {
            "enableRateLimit": False,
            "timeout": int(self._timeout * 1000),
            "options": {"maxRetriesOnFailure": 0},
        }
        if self._credentials is not None:
            config |= {"apiKey": self._credentials.key, "secret": self._credentials.secret}
        if self._urls:
            config["urls"] = {"api": dict(self._urls)}
        client = kind(config, self.nonces)
        missing = [name for name in needed if not callable(getattr(client, name, None))]
        if missing:
            await client.close()
            raise RefusedError(
                f"ccxt {version('ccxt')} lacks {', '.join(missing)}, which {self._exchange} is"
                " traded with; pip install --upgrade 'ccxt>=4.5.50'"
            )
        self._client = client

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self.nonces.save()
            client, self._client = self._client, None
            await client.close()

    async def public(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """A public question. Raises as `private` does."""
        return await self._call(method, params or {})

    async def private(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        """A signed request, in its turn; the answer as it is. Raises OutcomeUnknownError or
        NotSentError.
        """
        await self._turns.take(lane)
        passed = False

        def pass_on() -> None:
            nonlocal passed
            if not passed:
                passed = True
                self._turns.give()

        handle = asyncio.get_running_loop().call_later(TURN, pass_on)
        try:
            if not MAY_LEAVE.get()():
                raise NotSentError("this process stood still, or the account is another's")
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
            usual = inspect.signature(self._client.request).parameters["api"].default
            # older ones of ccxt 4.5 take the name itself
            section = [api] if isinstance(usual, list) else api
            return await self._carried(self._client.request(path, section, "GET", dict(params)))
        finally:
            self._turns.give()

    def sign_challenge(self, challenge: str) -> tuple[str, str]:
        """The key, and a challenge signed with the secret: SHA-256, then HMAC-SHA-512, base64."""
        if self._credentials is None:
            return "", ""
        digest = hashlib.sha256(challenge.encode()).digest()
        secret = base64.b64decode(self._credentials.secret)
        return (
            self._credentials.key,
            base64.b64encode(hmac.new(secret, digest, hashlib.sha512).digest()).decode(),
        )

    async def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        return await self._carried(getattr(self._client, method)(dict(params)))

    async def _carried(self, call: Awaitable[Any]) -> Any:
        try:
            answer = await call
        except asyncio.CancelledError:
            raise
        except RedirectedError:
            raise
        except PageError as error:
            # the exchange's edge has answered, and the exchange may have acted all the same
            if error.limited:
                raise RateLimitedError(str(error)) from error
            raise OutcomeUnknownError(str(error)) from error
        except Exception as error:
            # whatever ccxt raises: only a line that was never made proves that nothing happened
            if _never_left(error):
                raise NotSentError(f"no line to the exchange: {_short(error)}") from error
            if _is_limited(error):
                raise RateLimitedError(_short(error)) from error
            raise OutcomeUnknownError(_short(error)) from error
        if not isinstance(answer, dict | list):
            raise OutcomeUnknownError(f"an answer that makes no sense: {str(answer)[:80]!r}")
        return answer


class Straight:
    """aiohttp's session as ccxt uses it, with no redirect followed by any of its requests."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        return partial(found, allow_redirects=False) if name in METHODS else found


METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request"})
_IMPORTING = threading.Lock()
"""ccxt's package and its exchanges import each other: two threads that begin at different ends
would wait for one another.
"""


# over 40 lines: the class exists only once ccxt is loaded
def _client_class(exchange: str) -> type[Any]:
    """ccxt's class for an exchange, which leaves numbers text and errors in the answer."""
    with _IMPORTING:
        base: type[Any] = getattr(
            importlib.import_module(f"ccxt.async_support.{exchange}"), exchange
        )

    class Raw(base):  # type: ignore[misc]
        session: Any

        def __init__(self, config: dict[str, Any], nonces: Nonces) -> None:
            self.nonces = nonces
            super().__init__(config)

        def nonce(self) -> int:
            return self.nonces.next()

        def incrementing_nonce(self) -> int:
            return self.nonces.next()

        def open(self, *args: Any, **more: Any) -> None:
            super().open(*args, **more)
            if self.session is not None and not isinstance(self.session, Straight):
                self.session = Straight(self.session)

        def on_rest_response(
            self, code: int, reason: str, url: str, method: str, headers: Any, body: Any, *rest: Any
        ) -> Any:
            if 300 <= code < 400:
                raise RedirectedError(
                    code,
                    str({key.lower(): text for key, text in headers.items()}.get("location", "")),
                )
            if not is_answer(body):
                raise PageError(code, str(body))
            return super().on_rest_response(code, reason, url, method, headers, body, *rest)

        def private_post_orders_status(self, params: dict[str, Any]) -> Any:
            """Kraken Futures documents this question as POST (orders/status, read 2026-11); ccxt
            has it as GET only.
            """
            return self.request("orders/status", ["private"], "POST", params, config={})

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
    return f"{type(error).__name__}: {masked(str(error))[:160]}"
