"""Times as Kraken Futures tells them: ISO 8601 with milliseconds over REST, milliseconds since 1970
elsewhere.
"""

from datetime import UTC, datetime

MILLISECOND = 1_000_000


def iso(at: int) -> str:
    """`2019-09-05T16:33:50.734Z`."""
    whole, rest = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // MILLISECOND:03d}Z"


def milliseconds(at: int) -> int:
    """Since 1970."""
    return at // MILLISECOND


def nanoseconds(text: str) -> int | None:
    """ISO 8601 as nanoseconds since 1970; None where it is none. Without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)) - datetime(
        1970, 1, 1, tzinfo=UTC
    )
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
