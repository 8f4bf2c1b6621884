"""The rules: state, decide, evolve; a file per theme. Synchronous and pure: nothing here awaits,
reads a clock or touches a disk.

Read `desk` first: how one message becomes events. `messages` and `events` are what goes in and what
is decided, `state` is what it adds up to (`evolve` is the only one that changes it; `codec` writes
both down), `requests` what leaves. `decide` has the table from a message to its rule. Then the
rules by what a message says: `entries` and `intents` (what a trader asks), `reports` and
`reconcile` (what the venue says), `custody` (what every open position is owed: `protection`,
`ordering`, `flatten`), `doubts` and `unexplained` (what is not known), `lockouts` (when entries
stop). `views`, `previews` and `telling` are what is shown.

Other rooms import what they need from here; `evolve` and `previews` have faces of their own, and
the auditor, who may know no rule, reads `events` and `state` past this one.
"""

from engine.desk import codec, doubts, events
from engine.desk.board import Board
from engine.desk.books import books_of
from engine.desk.context import LOOKING
from engine.desk.desk import Decision, Desk
from engine.desk.figures import net as net_at
from engine.desk.messages import (
    Crossed,
    Listed,
    Marked,
    Message,
    Overdue,
    Pulse,
    RateLimited,
    Reconcile,
    Restarted,
    SetBack,
    Slept,
    Trouble,
    Turn,
    Wake,
)
from engine.desk.notices import name_of_order
from engine.desk.previews import preview, requests_for
from engine.desk.reports import is_repeat
from engine.desk.rows import snapshot_of, state_word
from engine.desk.state import State, encode_state, keep_last
from engine.desk.telling import Telling, compared
from engine.desk.told import Told
from engine.desk.truth import asks_for_margin
from engine.desk.views import Views

__all__ = [
    "LOOKING",
    "Board",
    "Crossed",
    "Decision",
    "Desk",
    "Listed",
    "Marked",
    "Message",
    "Overdue",
    "Pulse",
    "RateLimited",
    "Reconcile",
    "Restarted",
    "SetBack",
    "Slept",
    "State",
    "Telling",
    "Told",
    "Trouble",
    "Turn",
    "Views",
    "Wake",
    "asks_for_margin",
    "books_of",
    "codec",
    "compared",
    "doubts",
    "encode_state",
    "events",
    "is_repeat",
    "keep_last",
    "name_of_order",
    "net_at",
    "preview",
    "requests_for",
    "snapshot_of",
    "state_word",
]
