"""The ways out that the settings name, and a test of each."""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from engine.model.view import Notice
from engine.model.view.outlets import Tried
from engine.outlets.addresses import Addresses
from engine.outlets.notsent import NotSentError, OutletError
from engine.outlets.spool import Line
from engine.outlets.webhook import Webhook
from engine.setup.sections import Settings

PATIENCE = 4.0
"""Seconds that a test waits for each: a console waits five for all."""


class Way(Protocol):
    """Where lines of the record go."""

    name: str

    async def send(self, account: str, line: Line) -> None:
        """Send one line of the record. Raises NotSentError."""
        ...


def ways_of(settings: Settings) -> list[Way]:
    """The ways that the settings ask for. Raises OutletError."""
    found: list[Way] = []
    if settings.outlets.notify is not None:
        found.append(Addresses(settings.outlets.notify))
    notify = settings.notify
    if notify.webhook is not None:
        if not notify.address:
            raise OutletError(
                f"notify.webhook names the environment variable {notify.webhook}, which"
                " holds no address"
            )
        try:
            found.append(Webhook(notify.address, notify.key))
        except ValueError as error:
            raise OutletError(f"notify.signed_by: {error}") from None
    return found


async def tried(ways: Sequence[Way], account: str) -> tuple[Tried, ...]:
    """Send a test each way, at the same time, and say what became of it."""
    now = time.time_ns()
    notice = Notice(0, now, "plain", f"A test: account {account} reaches you.", kind="notify_test")
    line = Line(f"test-{now}", now, notice)
    return tuple(await asyncio.gather(*(_try(way, account, line) for way in ways)))


async def _try(way: Way, account: str, line: Line) -> Tried:
    try:
        async with asyncio.timeout(PATIENCE):
            await way.send(account, line)
    except NotSentError as error:
        return Tried(way.name, str(error))
    except TimeoutError:
        return Tried(way.name, f"it has not answered within {PATIENCE:g} s")
    except Exception as error:  # a library's own words may hold the address
        return Tried(way.name, type(error).__name__)
    return Tried(way.name)
