"""The pause after exits that the venue failed: the desk keeps it, and the gate makes sure."""

FIRST = 250_000_000
"""Nanoseconds of pause after the first failure; doubles up to `MOST`."""
MOST = 5_000_000_000


def pause(failures: int) -> int:
    """Nanoseconds to wait after so many failures in a row."""
    return min(FIRST * 2 ** min(failures - 1, 16), MOST) if failures else 0
