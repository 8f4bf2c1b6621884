"""Notifications through Apprise (mail, push, chat, webhooks): CRITICAL alerts when they are raised and when they are cured.

The addresses carry secrets, so they never stand in the settings: a setting names the environment variable that holds them.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Sequence

from engine.desk.events import AlertCured, AlertRaised, AnyEvent
from engine.model.alert import Alert, Severity
from engine.model.secrets import masked, remember
from engine.model.text import escaped

WAITING = 100
"""Messages that may wait; a line that is down must not fill the memory."""


class NotifyError(Exception):
    """The notifications can't be set up; the text says what is missing."""


class Notifier:
    """Sends what a person must hear of, one message after the other."""

    def __init__(self, variable: str, account: str, failed: Callable[[str], None]) -> None:
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
        self._account = account
        self._failed = failed
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(WAITING)

    def decided(self, events: Iterable[AnyEvent], ended: Sequence[Alert]) -> None:
        """Whatever of it a person must hear; `ended` are the alerts that are over, newest last."""
        for event in events:
            if isinstance(event, AlertRaised):
                self.raised(event.alert)
            elif isinstance(event, AlertCured):
                self.cured(next(alert for alert in reversed(ended) if alert.key == event.key))

    def raised(self, alert: Alert) -> None:
        """An alert was raised."""
        if alert.severity is Severity.CRITICAL and alert.count == 1:
            self._put("ALERT", escaped(masked(alert.text)))

    def cured(self, alert: Alert) -> None:
        """An alert's cause is gone."""
        if alert.severity is Severity.CRITICAL:
            self._put("over", escaped(masked(alert.text)))

    def _put(self, word: str, text: str) -> None:
        try:
            self._waiting.put_nowait((f"Flatout {self._account}: {word}", text))
        except asyncio.QueueFull:
            self._failed("a notification was dropped: too many wait")

    async def rest(self, seconds: float) -> None:
        """Wait until everything that was told has been sent, for at most so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._waiting.join()

    async def run(self) -> None:
        """Send for ever; a failure is told and the next one tried."""
        while True:
            title, body = await self._waiting.get()
            try:
                if not await self._apprise.async_notify(title=title, body=body):
                    self._failed("a notification could not be sent")
            finally:
                self._waiting.task_done()
