"""One WebSocket that is kept alive: connected again and again, watched for silence, and never
killed by what it is told.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

Json = dict[str, Any]
PAUSE, LONGEST = 0.25, 10.0
"""Seconds before the first and before the latest attempts to connect again. Kraken's edge admits
150 in ten minutes, for both lines together.
"""
STEADY = 3.0
"""After so many seconds a line has been a good one: the next attempt comes soon."""
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def _straight() -> aiohttp.TraceConfig:
    """No redirect is followed: tokens and signatures would be said to whatever host an answer
    names.
    """

    async def refuse(
        _session: object, _context: object, told: aiohttp.TraceRequestRedirectParams
    ) -> None:
        host = (
            urlsplit(told.response.headers.get("Location", "")).netloc.rpartition("@")[2]
            or "no other host"
        )
        raise StreamError(
            f"the stream's address points to {host}: not followed, for the key would go there;"
            " account.ws must be the exchange itself"
        )

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


class StreamError(Exception):
    """What the stream says makes no sense: it must begin anew."""


class Socket:
    """A line that some handler reads."""

    def __init__(
        self,
        url: str,
        *,
        opened: Callable[["Socket"], Awaitable[None]],
        heard: Callable[[Any], None],
        lost: Callable[[str], None],
        silence: float,
        ping: Callable[[], Json] | None = None,
        begun: Callable[[], bool] = lambda: True,
        broke: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`silence` is how many seconds may go by without a word, and without what the line is
        there for: `begun` says whether that has come.

        `broke` hears why a line ended that had been opened; `lost` hears of those that could not be
        opened, too.
        """
        self._url = url
        self._opened = opened
        self._heard = heard
        self._lost = lost
        self._silence = silence
        self._ping = ping
        self._begun = begun
        self._broke = broke
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._saying: set[asyncio.Task[None]] = set()
        self.connects = 0

    async def run(self) -> None:
        """Connect and read, for ever. Cancel to stop."""
        pause, loop = PAUSE, asyncio.get_running_loop()
        async with aiohttp.ClientSession(trace_configs=[_straight()]) as session:
            while True:
                text, began, opened = "the stream ended", loop.time(), False
                try:
                    socket = await session.ws_connect(self._url, heartbeat=30.0, max_msg_size=0)
                    self._socket, self.connects = socket, self.connects + 1
                    # wait_for of Python 3.11 may swallow a cancellation
                    async with asyncio.timeout(self._silence):
                        await self._opened(self)
                    opened = True
                    text = await self._read(socket)
                except aiohttp.WSServerHandshakeError as error:
                    text = f"the stream could not be opened: HTTP {error.status}"
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    text = f"the stream broke: {type(error).__name__}"
                except StreamError as error:
                    text = str(error)
                except asyncio.CancelledError:
                    raise
                except Exception as error:
                    text = f"the stream broke: {type(error).__name__}: {str(error)[:120]}"
                finally:
                    await self.drop()
                    self._socket = None
                self._lost(text)
                if opened:
                    self._broke(text)
                if loop.time() - began > STEADY:
                    pause = PAUSE
                await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - jitter
                pause = min(pause * 2, LONGEST)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Until it ends or is silent for too long; why it ended."""
        asked, began = False, asyncio.get_running_loop().time()
        while True:
            if not self._begun() and asyncio.get_running_loop().time() - began > self._silence:
                return f"it was opened, and did not begin within {self._silence:g} s"
            try:
                message = await socket.receive(timeout=self._silence / 2)
            except TimeoutError:
                if asked or self._ping is None:
                    return f"nothing was heard for {self._silence:g} s"
                asked = True
                await self.send(self._ping())
                continue
            if message.type is aiohttp.WSMsgType.TEXT:
                asked = False
                self._take(message.data)
            elif message.type in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.CLOSING,
                aiohttp.WSMsgType.ERROR,
            ):
                return "the stream was closed"

    def _take(self, text: str) -> None:
        try:
            frame = _decode(text)
        except msgspec.DecodeError as error:
            raise StreamError("a frame that is no JSON") from error
        try:
            self._heard(frame)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise StreamError(
                f"a frame that makes no sense: {type(error).__name__}: {str(error)[:80]}"
            ) from error

    async def send(self, message: Json) -> None:
        """Say something; nothing where there is no line."""
        if self._socket is not None and not self._socket.closed:
            await self._socket.send_str(_encode(message).decode())

    async def _say(self, message: Json) -> None:
        """Say something; a line that broke meanwhile is told by whoever reads it."""
        with suppress(ConnectionError, aiohttp.ClientError):
            await self.send(message)

    def later(self, message: Json) -> None:
        """Say something from where nobody waits; in the order in which it was said."""
        task = asyncio.get_running_loop().create_task(self._say(message))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def drop(self) -> None:
        """Hang up, to begin anew; the other side has a second to answer, and whatever else it says
        then is not waited for.
        """
        if self._socket is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._socket.close()
