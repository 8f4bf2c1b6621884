"""Standing by: an engine on another machine watches the lease of a shared journal, asks for nothing
and sends nothing, until the account is free, its holder is proved dead, or its lease has run out
and passes on by itself.

How long a holder is silent is counted by this machine's own clock, from when its last renewal was
first seen: neither the database's clock nor the holder's is believed.
"""

import asyncio
from collections.abc import Callable

from engine.account.pen import boottime
from engine.clock import SECOND
from engine.journal import Journal, JournalError, Lease
from engine.session.taking import DEADLINE, LOOK, PASSES_ON, TTL, Wanted, is_dead
from engine.setup.sections import Settings


async def stand_by(settings: Settings, ends: asyncio.Event, told: Callable[[str], None]) -> Wanted:
    """Wait until the account can be taken; how, for `open_session`. `told` hears each change of
    what is waited for. Returns, too, when `ends` is set. Raises JournalError where there is no
    journal that machines share.
    """
    watch = _Watch(settings, told)
    while not ends.is_set():
        found = await asyncio.to_thread(watch.look)
        if found is not None:
            return found
        try:
            async with asyncio.timeout(LOOK):
                await ends.wait()
        except TimeoutError:
            continue
    return Wanted()


class _Watch:
    """What was seen of the lease."""

    def __init__(self, settings: Settings, told: Callable[[str], None]) -> None:
        if settings.journal.url is None:
            raise JournalError(
                "only a journal that machines share can be stood by: set journal.url"
            )
        self._url, self._account = settings.journal.url, settings.account.name
        self._automatic = settings.journal.failover == "automatic"
        self._told = told
        self._said = ""
        self._journal: Journal | None = None
        self._seen: Lease | None = None
        self._moved = 0
        """When the lease was first seen as it is, boot time."""

    def look(self) -> Wanted | None:
        """Once, in a thread."""
        try:
            if self._journal is None:
                self._journal = Journal.open(
                    self._url, self._account, "standby", now=1, read_only=True
                )
            found = self._journal.held_by()
        except JournalError as error:
            # whether the holder renews is not known: its silence is counted anew
            self._journal = self._seen = None
            self._say(f"the journal does not answer: {error}")
            return None
        now = boottime()
        if self._seen is None or (found.epoch, found.renewed_at) != (
            self._seen.epoch,
            self._seen.renewed_at,
        ):
            self._seen, self._moved = found, now
        return self._judge(found, now - self._moved)

    def _judge(self, found: Lease, silent: int) -> Wanted | None:
        if not found.holder:
            self._say("nobody holds the account: it is taken")
            return Wanted()
        if is_dead(found, None):
            self._say(f"{found.holder} has ended without letting go: it is taken")
            return Wanted()
        if silent < TTL:
            self._say(f"standing by: held by {found.holder}")
            return None
        if not (self._automatic and found.holder.endswith(PASSES_ON)):
            self._say(
                f"{found.holder} is silent for {TTL // SECOND} s: if its machine is off, say"
                " `--take-over --dead`; journal.failover of both decides otherwise"
            )
            return None
        if silent < TTL + DEADLINE:
            self._say(f"{found.holder} is silent for {TTL // SECOND} s: its last request runs out")
            return None
        self._say(
            f"{found.holder} is silent for {(TTL + DEADLINE) // SECOND} s: its lease passes on"
        )
        return Wanted(silent=(found.epoch, found.renewed_at))

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._told(text)
