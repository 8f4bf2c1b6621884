"""A NATS server whose JetStream keeps events. Nothing is ever read from it: a stored command that
is delivered later would be a sale done twice.
"""

import re
import ssl
from typing import TYPE_CHECKING, Any

from engine.model.address import refused
from engine.model.secrets import of_url, remember
from engine.outlets.notsent import NotSentError, OutletError
from engine.outlets.spool import Line

if TYPE_CHECKING:
    from nats.js import JetStreamContext

PATIENCE = 3.0
"""Seconds for a connection, and for each acknowledgement."""
DAY = 86_400.0
STREAMS: dict[str, dict[str, Any]] = {
    "FLATOUT_EVT": {"subjects": ["flatout.v1.*.*.evt.>"], "max_age": 30 * DAY},
    "FLATOUT_ALERT": {
        "subjects": ["flatout.v1.*.*.alert.>"],
        "max_age": 7 * DAY,
        "max_msgs_per_subject": 1,
    },
}
"""The streams that are made where they are missing; one that is there stays as it is. Times in
seconds.
"""
WINDOW = 120.0
"""Seconds within which the server drops what has an id that it knows."""


class JetStream:
    """One connection, made when it is needed."""

    name = "nats"

    def __init__(self, address: str, desk: str) -> None:
        remember([address, *of_url(address)])
        why = refused("nats", address)
        if why:
            raise OutletError(f"outlets.nats: {why}")
        try:
            import nats
        except ImportError as error:
            raise OutletError("outlets.nats needs nats-py: pip install 'flatout[nats]'") from error
        self._nats = nats
        self._address = address
        self._desk = desk
        self._client: Any = None
        self._stream: JetStreamContext | None = None

    def subject(self, account: str, *tokens: str) -> str:
        """A subject of ours: no token has a dot, a space or a wildcard."""
        return ".".join(("flatout", "v1", *map(_token, (self._desk, account, *tokens))))

    async def publish(self, subject: str, content: bytes, name: str) -> None:
        """Store one message, once within two minutes for each `name`. Raises NotSentError."""
        stream = await self._connected()
        try:
            await stream.publish(subject, content, timeout=PATIENCE, headers={"Nats-Msg-Id": name})
        except Exception as error:  # its words may hold the address
            await self.close()
            raise NotSentError(f"not stored: {type(error).__name__}") from None

    async def send(self, account: str, line: Line) -> None:
        """Test it: connect, and see that the streams are there. Raises NotSentError."""
        await self._connected()

    async def _connected(self) -> "JetStreamContext":
        if self._stream is not None and self._client.is_connected:
            return self._stream
        await self.close()
        try:
            self._client = await self._nats.connect(
                self._address,
                allow_reconnect=False,
                connect_timeout=PATIENCE,
                max_reconnect_attempts=1,  # with 0 it tries for ever
                reconnect_time_wait=0.1,
                error_cb=_silent,
                **({"tls": ssl.create_default_context()} if self._secure else {}),
            )
            stream = self._client.jetstream(timeout=PATIENCE)
            for title, terms in STREAMS.items():
                await self._see_to(stream, title, terms)
        except Exception as error:
            await self.close()
            raise NotSentError(f"no JetStream answers: {type(error).__name__}") from None
        self._stream = stream
        return self._stream

    @property
    def _secure(self) -> bool:
        return self._address.startswith("tls:")

    async def _see_to(self, stream: Any, title: str, terms: dict[str, Any]) -> None:
        from nats.js.api import StorageType, StreamConfig
        from nats.js.errors import NotFoundError

        try:
            await stream.stream_info(title)
        except NotFoundError:
            config = StreamConfig(
                name=title, storage=StorageType.FILE, duplicate_window=WINDOW, **terms
            )
            await stream.add_stream(config)

    async def close(self) -> None:
        """Hang up."""
        client, self._client, self._stream = self._client, None, None
        if client is not None and not client.is_closed:
            await client.close()


async def _silent(_: Exception) -> None:
    """The client would log what holds the address."""


def _token(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text) or "_"
