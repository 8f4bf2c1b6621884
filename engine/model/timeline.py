"""The timeline of an id: what happened to an order, a position or a wish, step by step."""

from msgspec import Struct


class Step(Struct, frozen=True, gc=False):
    """One step. Times are nanoseconds since 1970 UTC, durations nanoseconds."""

    at: int
    kind: str
    """asked, refused, decided, request, answer, fill, stop, target, trail, closing, protection,
    doubt, alert, money, end or now.
    """
    text: str
    seq: int = 0
    """The number of its event; 0 for what is so now."""
    about: str = ""
    """The id of the order, else of the position, that it concerns."""
    who: str = ""
    """Who asked; empty where the desk, the venue or the market did it."""
    lane: str = ""
    """Of a request: its lane in the queue."""
    tokens: str = ""
    """Of a request: what the venue counts for it."""
    waited: int | None = None
    """Of a request: how long it waited before it left; None where this process did not send it."""
    took: int | None = None
    """Of an answer: the time since its request was decided."""
    since: int = 0
    """The time since the step before."""
    tone: str = "plain"
    """good, bad, busy or plain."""
