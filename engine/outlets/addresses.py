"""Everybody whom Apprise reaches: mail, push, chat."""

import os
import time

from engine.model.secrets import remember
from engine.outlets.lines import clean, late, title
from engine.outlets.notsent import NotSentError, OutletError
from engine.outlets.spool import Line


class Addresses:
    """The addresses that an environment variable holds: they never stand in the settings."""

    name = "notifications"
    failure = "a notification could not be sent"
    """What is told when it fails: Apprise does not say to whom."""

    def __init__(self, variable: str) -> None:
        urls = os.environ.get(variable, "").split()
        remember(urls)
        if not urls:
            raise OutletError(
                f"outlets.notify names the environment variable {variable}, which holds no address"
            )
        try:
            import apprise
        except ImportError as error:
            raise OutletError(
                "outlets.notify needs Apprise: pip install 'flatout[notify]'"
            ) from error
        # a redirect may lead anywhere, and the address holds passwords
        asset = apprise.AppriseAsset(http_redirects=False)
        self._apprise = apprise.Apprise(asset=asset)
        for number, url in enumerate(urls, start=1):
            if not self._apprise.add(url):
                raise OutletError(
                    f"outlets.notify: address {number} in {variable} is not one that Apprise knows"
                )

    async def send(self, account: str, line: Line) -> None:
        """Send it to all of them. Raises NotSentError."""
        arrived = await self._apprise.async_notify(
            title=f"Flatout {account}: {title(line.notice)}",
            body=late(time.time_ns() - line.at) + clean(line.notice.text),
        )
        if not arrived:
            raise NotSentError(self.failure)
