"""What each probe shares. A probe runs in the client's own environment: it imports that client and
nothing of this repository but this file.

Its only argument is what the exchange said when it began to listen. It prints one line of JSON for
each thing that it tried.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

READY: dict[str, Any] = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
REST, WS = str(READY.get("rest", "")), str(READY.get("ws", ""))
KEY, SECRET = str(READY.get("key", "")), str(READY.get("secret", ""))
FUTURES = bool(READY.get("futures"))
PATIENCE = 40.0
"""Seconds for a message of a stream: a quiet market tells no trade for many."""


def tell(what: str, *, ok: bool, detail: object = "") -> None:
    """Say what became of one thing."""
    print(
        json.dumps({"what": what, "ok": ok, "detail": str(detail).replace("\n", " ")[:200]}),
        flush=True,
    )


def attempt(what: str, call: Callable[[], object]) -> Any:
    """Try one thing; its result, or None where it failed. A result that is empty is a failure: the
    exchange has something of everything.
    """
    try:
        found = call()
    except Exception as error:
        tell(what, ok=False, detail=f"{type(error).__name__}: {error}")
        return None
    tell(what, ok=bool(found), detail="" if found else f"nothing: {found!r}")
    return found


async def attempt_soon(what: str, work: Awaitable[object]) -> Any:
    """The same of something that a stream tells."""
    try:
        found = await asyncio.wait_for(work, PATIENCE)
    except Exception as error:
        tell(what, ok=False, detail=f"{type(error).__name__}: {error}")
        return None
    tell(what, ok=bool(found), detail="" if found else f"nothing: {found!r}")
    return found


def until(found: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What is found in time; else whatever there is."""
    ends = time.monotonic() + seconds
    while not found() and time.monotonic() < ends:
        time.sleep(0.1)
    return found()


async def heard(found: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The same, while streams are listened to."""
    ends = time.monotonic() + seconds
    while not found() and time.monotonic() < ends:  # noqa: ASYNC110 - what is looked for is the client's own, and sets no event
        await asyncio.sleep(0.1)
    return found()
