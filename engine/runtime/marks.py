"""What the account's folder knows beside the journal: whether the journal was set back, and what a
last exit did here.
"""

from contextlib import suppress

from msgspec.structs import replace

from engine.account.records import Records
from engine.account.witness import set_back
from engine.clock import Clock
from engine.desk import Marked, Reconcile, SetBack, State
from engine.gate import Gate
from engine.journal import Journal
from engine.model.report import Picture
from engine.runtime.inbox import Inbox


class Marks:
    """Looks for the mark of a last exit, and sees that its orders are booked before anything is
    sent.
    """

    def __init__(
        self,
        records: Records | None,
        journal: Journal,
        state: State,
        gate: Gate,
        clock: Clock,
        inbox: Inbox,
    ) -> None:
        """`records` is None where the account has no folder: then there is nothing to know."""
        self._records = records
        self._journal = journal
        self._state = state
        self._gate = gate
        self._clock = clock
        self._inbox = inbox

    def witness(self) -> None:
        """At the start: tell the desk what the folder knows and the journal does not, before
        anything is sent.
        """
        if self._records is None:
            return
        journal = self._journal
        behind = set_back(
            self._records.summary,
            journal.last_seq,
            journal.hash_at,
            journal.knows_order,
            journal.id,
        )
        if behind:
            self._inbox.post(SetBack(behind))
        self.look()

    def look(self) -> None:
        """A last exit may have been at work: while we were gone, or while we hung."""
        mark = None if self._records is None else self._records.changed_mark()
        if mark is None or not mark.orders:
            return
        if mark.name in self._state.booked_marks:
            self.forget(mark.name)
            return
        now, evidence = self._clock.now(), self._gate.evidence
        # the machine's time; a recorded market has another one
        orders = tuple(replace(order, at=min(order.at, now)) for order in mark.orders)
        for order in orders:
            evidence.act(order.client_order_id, order.at)
        evidence.void("a last exit was at work here", now)
        self._gate.blind = True
        self._inbox.first(Marked(mark.name, orders))
        self._inbox.post(Reconcile())

    def forget(self, name: str) -> None:
        """Remove a mark that is booked."""
        if self._records is not None:
            with suppress(OSError):  # it is booked: the next look finds it so
                self._records.clear_mark(name)

    def as_old_as_the_mark(self, picture: Picture) -> Picture:
        """A picture that may lack what a last exit did is taken for as old as that: the mark is not
        done with it.
        """
        if not self._state.marked or self._gate.evidence.good:
            return picture
        newest = max(order.at for order in self._state.marked.values())
        return replace(picture, as_of=min(picture.as_of, newest))
