"""What all events share."""

from msgspec import Struct


class Event(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What all events share."""

    at: int
