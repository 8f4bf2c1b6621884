"""The home's summary: what the account was like at the last commit, kept outside the journal.

The engine writes it after each commit, without a sync of its own. Two readers trust it less than
the venue and more than nothing: the last exit, which must act when journal and engine are gone, and
the next engine, which compares it with the journal that it opened. A summary that knows less than
the journal is normal (the process died between the two); one that knows more means that the journal
was set back.
"""

from decimal import Decimal
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.account.folder import put
from engine.model.limits import Level
from engine.model.order import Role
from engine.model.side import Side

FILE = "summary.json"
EXECUTIONS = 500
"""Booked executions that a summary names."""


class HeldPosition(Struct, frozen=True, kw_only=True):
    """One position that the engine had in custody."""

    id: str
    symbol: str
    side: Side
    size: Decimal
    leverage: Decimal | None = None
    adopted: bool = False
    """Taken into custody from what the account held, not bought by an order of ours."""
    stop: Decimal | None = None
    opened_at: int = 0


class OpenOrder(Struct, frozen=True, kw_only=True):
    """One order of ours that works at the venue, or may."""

    client_order_id: str
    venue_order_id: str | None = None
    symbol: str
    side: Side
    role: Role
    size: Decimal
    filled: Decimal
    trigger: Decimal | None = None
    deadline: int | None = None
    touched_at: int = 0
    in_doubt: bool = False
    """The venue has not told what became of the last request about it."""


class Summary(Struct, frozen=True, kw_only=True):
    """The account as of event `seq` of its journal."""

    version: int = 1
    account: str
    journal: str = ""
    """The journal's own id."""
    seq: int = 0
    hash: str = ""
    """Of the last event's batch in the journal's chain, hexadecimal."""
    newest_order: str = ""
    """Client order id of the order that was submitted last."""
    executions: tuple[str, ...] = ()
    """Ids of the executions that are booked, the newest `EXECUTIONS`; fewer than that, and they are
    all that there ever were.
    """
    strange: tuple[str, ...] = ()
    """Ids of executions under our name that this engine did not send, the newest `EXECUTIONS`: what
    of them is ours is `withheld`, or was settled.
    """
    withheld: dict[str, Decimal] = {}
    """By currency, signed: coins that executions prove to be ours, or owed by us, and neither a
    position nor the baseline contains.
    """
    at: int = 0
    """Wall clock, nanoseconds."""
    compared_at: int = 0
    """When the account was last compared with the venue: what happened later may be missing here.
    Zero: it says nothing about that.
    """
    positions: tuple[HeldPosition, ...] = ()
    orders: tuple[OpenOrder, ...] = ()
    baseline: dict[str, Decimal] = {}
    """What is not ours to close: by currency, what lay in a cash account before us; by symbol, what
    was left alone on purpose, signed.
    """
    counters: tuple[Level, ...] = ()
    """Rate-limit counters, as the gateway knew them."""


_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode = msgspec.json.Decoder(Summary).decode


def write(folder: Path, summary: Summary) -> bool:
    """Replace the summary in an account's folder; whether that worked. A full disk leaves the one
    before.
    """
    return put(folder / FILE, _encode(summary))


def read(folder: Path) -> Summary | None:
    """The summary of an account's folder; None where there is none that can be read."""
    try:
        return _decode((folder / FILE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None
