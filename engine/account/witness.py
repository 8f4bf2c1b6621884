"""Whether a journal is the newest: what the home remembers of it, held against it (H115).

The home's summary is written after each commit. A process that dies between the two leaves a
summary that knows less than the journal: that is normal. A summary that knows more means that the
journal was set back: an older copy was put in its place, its write-ahead log was lost, or an empty
or another database stands where it was. Its ids would be used again, and orders of ours at the
venue would be nobody's.
"""

from collections.abc import Callable

from engine.account.summary import Summary
from engine.model.counts import counted


def set_back(
    summary: Summary | None,
    journal_seq: int,
    hash_at: Callable[[int], str | None],
    knows_order: Callable[[str], bool],
    journal_id: str,
) -> str:
    """One sentence about what the home knows and the journal does not; empty where the journal
    knows all of it.

    `journal_seq` is the journal's last event, `hash_at` its hash at an event in hexadecimal (None
    where it has no such event), `knows_order` whether it has an order by its client order id, and
    `journal_id` its own id (empty where there is no journal at all). A home without a summary knows
    nothing.
    """
    if summary is None:
        return ""
    if summary.journal and journal_id and summary.journal != journal_id:
        return (
            f"the home knows {_known(summary)} of another journal ({summary.journal[:8]}, this one"
            f" is {journal_id[:8]})"
        )
    if summary.seq > journal_seq:
        return (
            f"the home knows {_known(summary)}, the journal ends at event {journal_seq}: an older"
            " copy was put back, or its end was lost"
        )
    if summary.hash and hash_at(summary.seq) != summary.hash:
        return (
            f"event {summary.seq} of the journal is not the one that the home knows: an older copy"
            " was put back and written on"
        )
    if summary.newest_order and not knows_order(summary.newest_order):
        return f"the home knows order {summary.newest_order}, which the journal never wrote"
    return ""


def _known(summary: Summary) -> str:
    return counted(summary.seq, "event") + (
        f" and order {summary.newest_order}" if summary.newest_order else ""
    )
