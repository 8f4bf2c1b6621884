"""What a console of another process says about itself, beside what it asks of the account."""

from msgspec import Struct


class Tell(Struct, frozen=True, gc=False, tag="tell"):
    """Raise an alert of a console's own, one of `guests.OF_CONSOLES`; an empty `text` cures it."""

    code: str
    text: str


class Take(Struct, frozen=True, gc=False, tag="take"):
    """Ask to trade from now on: a console that came to look. The others are told."""


class End(Struct, frozen=True, gc=False, tag="end"):
    """Ask the engine to end in order: what is on the line is finished, stops at the venue stay."""

    alone: bool = False
    """Only where no other console is attached, and nothing is open."""


class Done(Struct, frozen=True, gc=False):
    """Says if what was asked is done, or begun; the text says why not, or what follows."""

    ok: bool
    text: str = ""
