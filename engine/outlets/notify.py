"""Notifications: lines of the record that a person must hear of where no screen is, through Apprise (mail, push, chat) and a JSON webhook.

Which lines go out says the table of `engine.model.telling`, or `notify.outside`. Apprise's addresses never stand in the settings: a setting
names the environment variable that holds them. The webhook's may stand there, and is masked wherever it is shown. Nothing here waits for
the desk and the desk never waits for it; what can't be sent is told in the record, once until it works again.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from engine.model.address import refused
from engine.model.alert import Severity
from engine.model.secrets import masked, of_url, remember
from engine.model.telling import goes_outside, manner
from engine.model.text import escaped
from engine.model.view import Notice
from engine.settings import Settings

WAITING = 100
"""Messages that may wait; a line that is down must not fill the memory."""
PATIENCE = 10.0
"""Seconds that a webhook gets to answer."""


class NotifyError(Exception):
    """The notifications can't be set up; the text says what is missing."""


class Sender(Protocol):
    """One way out."""

    failure: str
    """What is told when it fails."""

    async def send(self, account: str, notice: Notice) -> bool:
        """Send one line; False, or any exception, where it did not arrive."""
        ...


class Addresses:
    """Everybody whom Apprise reaches."""

    failure = "a notification could not be sent"

    def __init__(self, variable: str) -> None:
        urls = os.environ.get(variable, "").split()
        remember(urls)
        if not urls:
            raise NotifyError(f"outlets.notify names the environment variable {variable}, which holds no address")
        try:
            import apprise
        except ImportError as error:
            raise NotifyError("outlets.notify needs Apprise: pip install 'flatout[notify]'") from error
        self._apprise = apprise.Apprise()
        for number, url in enumerate(urls, start=1):
            if not self._apprise.add(url):
                raise NotifyError(f"outlets.notify: address {number} in {variable} is not one that Apprise knows")

    async def send(self, account: str, notice: Notice) -> bool:
        """Send it to all of them."""
        return bool(await self._apprise.async_notify(title=f"Flatout {account}: {title(notice)}", body=clean(notice.text)))


class Webhook:
    """An address that takes a line of the record as JSON: account, seq, line, at, time, severity, event, text, subject, intent."""

    failure = "the webhook could not be told"

    def __init__(self, address: str) -> None:
        remember([address, *of_url(address)])
        why = refused("webhook", address)
        if why:
            raise NotifyError(f"notify.webhook: {why}")
        self._address = address

    async def send(self, account: str, notice: Notice) -> bool:
        """Post it; any answer below 300 means that it arrived. A redirect is not followed: it may lead anywhere."""
        import aiohttp  # heavy, and most sessions have no webhook

        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        headers = {"content-type": "application/json"}
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(self._address, data=body(account, notice), headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status < 300


def title(notice: Notice) -> str:
    """The word in front: ALERT for what is CRITICAL, over for its end, else what happened."""
    if notice.kind == "resolved_critical":
        return "over"
    return "ALERT" if manner(notice.kind).severity is Severity.CRITICAL else notice.kind.replace("_", " ")


def clean(text: str) -> str:
    """Text as it may leave: without secrets, and without what a terminal would obey."""
    return escaped(masked(text))


def body(account: str, notice: Notice) -> bytes:
    """A line of the record as JSON."""
    seconds = datetime.fromtimestamp(notice.at / 1_000_000_000, UTC)
    return msgspec.json.encode(
        {
            "account": account,
            "seq": notice.seq,
            "line": notice.line,
            "at": notice.at,
            "time": f"{seconds:%Y-%m-%dT%H:%M:%S.%f}Z",
            "severity": manner(notice.kind).severity.name.lower(),
            "event": notice.kind,
            "text": clean(notice.text),
            "subject": notice.subject,
            "intent": notice.intent,
        }
    )


class Notifier:
    """Hears every line of the record and sends those that are wanted, one after the other on each way out."""

    def __init__(self, senders: list[Sender], account: str, wanted: tuple[str, ...] | None, failed: Callable[[str], None]) -> None:
        self._senders = senders
        self._account = account
        self._wanted = wanted
        self._failed = failed
        self._failing: set[str] = set()
        self._queues: list[asyncio.Queue[Notice]] = [asyncio.Queue(WAITING) for _ in senders]

    def hear(self, notice: Notice) -> None:
        """Take one line; never waits."""
        if goes_outside(notice.kind, self._wanted):
            for queue in self._queues:
                try:
                    queue.put_nowait(notice)
                except asyncio.QueueFull:
                    self._fails("a notification was dropped: too many wait")

    def _fails(self, text: str) -> None:
        if text not in self._failing:
            self._failing.add(text)
            self._failed(text)

    async def rest(self, seconds: float) -> None:
        """Wait until everything that was told has been sent, for at most so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for queue in self._queues:
                    await queue.join()

    async def run(self) -> None:
        """Send for ever; a failure is told and the next one tried. A way out that hangs holds up no other."""
        async with asyncio.TaskGroup() as group:
            for sender, queue in zip(self._senders, self._queues, strict=True):
                group.create_task(self._run(sender, queue))

    async def _run(self, sender: Sender, queue: "asyncio.Queue[Notice]") -> None:
        while True:
            notice = await queue.get()
            try:
                if await _sent(sender.send(self._account, notice)):
                    self._failing.discard(sender.failure)
                else:
                    self._fails(sender.failure)
            finally:
                queue.task_done()


async def _sent(sending: Awaitable[bool]) -> bool:
    """Whether it arrived; whatever a library dies of means that it did not, and ends nothing."""
    try:
        return await sending
    except Exception:  # its text may hold the address
        return False


def notifier_of(settings: Settings, failed: Callable[[str], None]) -> Notifier | None:
    """The notifications that the settings ask for; None for none. Raises NotifyError."""
    senders: list[Sender] = []
    if settings.outlets.notify is not None:
        senders.append(Addresses(settings.outlets.notify))
    if settings.notify.webhook is not None:
        address = settings.notify.address
        if not address:
            raise NotifyError(f"notify.webhook names the environment variable {settings.notify.webhook}, which holds no address")
        senders.append(Webhook(address))
    return Notifier(senders, settings.account.name, settings.notify.outside, failed) if senders else None
