"""What the doctor says of one thing that it looked at."""

from msgspec import Struct


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""
    """What to do; empty where nothing is wrong."""


class BadError(Exception):
    """Something is wrong; what, and what to do about it."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.remedy = remedy
