"""What is written to an account's log beside the engine's own lines, without any secret of the
account.
"""

import contextlib
import os

from engine.account.home import Home
from engine.model.secrets import of_url, remember
from engine.runtime import log, redaction
from engine.setup.sections import Settings
from engine.venues.live.keys import find
from engine.venues.protocol import VenueError


def secrets_of(settings: Settings) -> list[str]:
    """Whatever the settings lead to that must never be written."""
    with contextlib.suppress(ValueError):
        remember([settings.notify.key])
    found = [os.environ.get(settings.outlets.notify or "", ""), settings.notify.address or ""]
    found += [settings.outlets.nats_address or "", *of_url(settings.outlets.nats_address)]
    return found + of_url(settings.journal.url)


def redacted(settings: Settings, home: Home, text: str) -> str:
    """The text without the account's secrets: those of the settings, and its key."""
    secrets = secrets_of(settings)
    if settings.account.venue != "paper":
        with contextlib.suppress(VenueError, OSError):
            found = find(settings.account.name, home.folder)
            secrets += [found.key, found.secret]
    return redaction.redacted(text, secrets)


def note(settings: Settings, home: Home, event: str, text: str, level: str = "ERROR") -> None:
    """Write one line to the account's log beside the session's own: before it opens, or when the
    screen fails.
    """
    log.note(home.log, event, redacted(settings, home, text), level)
