"""What is said of a recording that is played: see `engine.session.messages`."""

from msgspec import Struct


class Replay(Struct, frozen=True, gc=False, tag="replay"):
    """Ask for a recorded market to be played otherwise. It is no intent: nothing of the account
    changes by it.
    """

    do: str
    """play, freeze, faster, slower, speed 10, seek 14:02, next fill, next move 0.5%, mark TEXT."""


class ReplayTold(Struct, frozen=True, gc=False):
    """How it is played now."""

    text: str
