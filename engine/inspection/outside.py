"""Whether what the settings ask to be told outside of the console can be: notifications and the
webhook, JetStream, the ports of metrics and scripts. Each raises BadError where it can't. Nothing
is sent.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from urllib.parse import urlsplit

import msgspec

from engine.inspection.findings import BadError
from engine.setup.sections import Settings

HOST = "127.0.0.1"
PATIENCE = 3.0
"""Seconds that the other side gets to say who it is."""
ENOUGH = 262_144
"""Bytes of an answer that are looked at."""


async def notifications(settings: Settings) -> str:
    """Addresses for notifications, and the webhook's secret."""
    variable, hook = settings.outlets.notify, settings.notify
    if variable is None and hook.webhook is None:
        return "none are sent: outlets.notify and notify.webhook are unset"
    if variable is not None and not os.environ.get(variable):
        raise BadError(
            f"the variable {variable} holds no address",
            f"export {variable}=..., or unset outlets.notify",
        )
    if variable is not None:
        _needs("apprise", "Apprise", "outlets.notify", "notify")
    if hook.webhook is not None and not hook.address:
        raise BadError(
            f"the variable {hook.webhook} holds no address",
            f"export {hook.webhook}=..., or unset notify.webhook",
        )
    try:
        signed = bool(hook.key)
    except ValueError as error:
        raise BadError(f"notify.signed_by: {error}", "or unset notify.signed_by") from error
    ways = [f"where {variable} says"] if variable is not None else []
    hooked = f"to notify.webhook, {'signed' if signed else 'unsigned'}"
    ways += [hooked] if hook.webhook is not None else []
    return (
        f"{'what notify.outside names' if hook.outside else 'what the trader must hear of'}"
        f" goes {' and '.join(ways)}"
    )


async def jetstream(settings: Settings) -> str:
    """The NATS server of `outlets.nats`: it must answer, and have JetStream."""
    named, address = settings.outlets.nats, settings.outlets.nats_address
    if named is None or address is None:
        return "no events are passed on: outlets.nats is unset"
    if not address:
        raise BadError(
            f"the variable {named} holds no address", f"export {named}=..., or unset outlets.nats"
        )
    _needs("nats", "nats-py", "outlets.nats", "nats")
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or 4222
    where, remedy = f"{host}:{port}", "start it, or mend outlets.nats; the journal keeps the events"
    try:
        # a server says what it is before anybody says who he is, and before TLS begins
        told = await _heard(host, port, b"", lambda reader: reader.readline())
    except (OSError, ValueError, TimeoutError) as error:
        raise BadError(f"no NATS server answers at {where}: {_why(error)}", remedy) from error
    try:
        facts = msgspec.json.decode(told.removeprefix(b"INFO "), type=dict[str, object])
    except msgspec.DecodeError as error:
        raise BadError(f"what answers at {where} is no NATS server", remedy) from error
    if facts.get("jetstream") is not True:
        raise BadError(f"the NATS server at {where} has no JetStream", "start it with -js")
    return (
        f"the NATS server at {where} has JetStream; `flatout notify test` tries the account's key"
    )


async def metrics(settings: Settings) -> str:
    """The port of `outlets.metrics`: free, or this account's own."""
    port, account = settings.outlets.metrics, settings.account.name
    if port is None:
        return "nothing is served: outlets.metrics is unset"
    _needs("prometheus_client", "prometheus_client", "outlets.metrics", "prometheus")
    ours = f'flatout_equity{{account="{account}"}}'
    return await _port("outlets.metrics", port, "/metrics", ours)


async def websocket(settings: Settings) -> str:
    """The port of `outlets.websocket`: free, or this account's own."""
    port, account = settings.outlets.websocket, settings.account.name
    if port is None:
        return "nothing listens: outlets.websocket is unset"
    return await _port("outlets.websocket", port, "/events", f"flatout {account}: ")


async def _port(setting: str, port: int, path: str, ours: str) -> str:
    """Who has a port; `ours` stands in the answer of this account's engine."""
    question = f"GET {path} HTTP/1.0\r\nHost: {HOST}:{port}\r\n\r\n".encode()
    remedy = f"name another port with {setting}: each account has its own"
    try:
        told = await _heard(HOST, port, question, _some)
    except ConnectionRefusedError:
        return f"port {port} is free: the engine listens there"
    except (OSError, ValueError, TimeoutError) as error:
        text = f"port {port} is taken, and nothing answers: {_why(error)}"
        raise BadError(text, remedy) from error
    if ours.encode() in told:
        return f"the engine that runs answers at port {port}"
    raise BadError(f"port {port} is taken by another program, or another account's engine", remedy)


def _needs(module: str, name: str, setting: str, extra: str) -> None:
    if find_spec(module) is None:
        raise BadError(f"{setting} needs {name}", f"pip install 'flatout[{extra}]'")


async def _heard(
    host: str,
    port: int,
    question: bytes,
    read: Callable[[asyncio.StreamReader], Awaitable[bytes]],
) -> bytes:
    """What is said there. Raises OSError, ValueError where a line has no end, TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(question)
            return await read(reader)
        finally:
            writer.close()


async def _some(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while len(found) < ENOUGH and (more := await reader.read(ENOUGH)):
        found += more
    return found


def _why(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else str(error)
