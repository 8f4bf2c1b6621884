"""The gate: the last line before the wire, for the engine and for the last exit alike. It knows no
rule of the desk.

No exit leaves that is larger than what the venue's own newest picture, plus the fills heard since,
proves to be held and ours. No order leaves without the pen. A repair of an over-close needs the
venue's word as second witness, and on a cash account there is none to repair. A working stop is
taken away only when what follows can be paid for. Nothing is sent more often than its pace allows.

In a correct house SIZE, PERMIT and PACE never fire: each time is a bug of the desk, and is told
with the evidence.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from engine.gate.evidence import Evidence
from engine.gate.pace import Pace
from engine.model.books import Books, asset_of
from engine.model.counts import counted
from engine.model.instrument import Instrument
from engine.model.money import plain
from engine.model.order import Order, Role
from engine.model.report import Relisted, VenueReport
from engine.model.request import Amend, Cancel, Query, QueryAccount, Request, Submit

PATIENCE = 5_000_000_000
"""Nanoseconds without a picture after which an exit may go on our own books."""
AGAIN = 100_000_000
"""Nanoseconds until what waits for evidence is looked at again."""


class Standing(StrEnum):
    """Whether this process may send for the account."""

    HELD = "held"
    ORPHANED = "orphaned"
    """The shared database is silent: nobody else can have been let in without a person's word."""
    VOID = "void"
    """After a gap, until the pen is looked at again."""
    EXPIRED = "expired"
    """The shared database is silent, and somebody may have been let in by now."""
    LOST = "lost"


class Permit(Protocol):
    """The pen, as the gate sees it."""

    def check(self, now: int) -> Standing:
        """Look, in memory: integers are compared and nothing is asked."""
        ...


class Reason(StrEnum):
    """Why something is held back."""

    PERMIT = "permit"
    SIZE = "size"
    EVIDENCE = "evidence"
    PROTECTION = "protection"
    REPAIR = "repair"
    PACE = "pace"


class Held(Struct, frozen=True, gc=False):
    """Not now, or not at all."""

    reason: Reason
    text: str
    """The evidence in words."""
    until: int | None
    """When it is looked at again (nanoseconds); None: never, the desk decides anew."""
    picture: bool = False
    """Whether a picture of the account would help."""
    proved: Decimal | None = None
    """How much may leave of what is too large."""


class Admitted(Struct, frozen=True, gc=False):
    """It may leave."""

    on_our_books: bool = False
    """Without a picture: told as "sent on our books"."""


Verdict = Admitted | Held


class Gate:
    """Judges each request directly before it leaves."""

    def __init__(
        self,
        evidence: Evidence,
        permit: Permit,
        instrument: Callable[[str], Instrument | None],
        books: Callable[[str], Books],
        affordable: Callable[[Cancel], bool],
    ) -> None:
        self.evidence = evidence
        self.permit = permit
        self._instrument = instrument
        self._books = books
        self._affordable = affordable
        """Whether the tokens for a cancel, a question and a close are there together."""
        self.pace = Pace()
        self.blind = False
        """Whether a last exit was at work: then nothing leaves before a picture counts, whatever it
        is.
        """
        self._on_books: dict[str, None] = {}
        self._unproved: dict[str, int] = {}
        """By position: since when its exits wait for a picture. An order's deadline ends sooner
        than the patience: the next goes on waiting.
        """

    def admit(self, request: Request, now: int, waited_since: int | None = None) -> Verdict:
        """Judge a request; `waited_since` is when it was first held back for evidence
        (nanoseconds).
        """
        if isinstance(request, Query | QueryAccount):
            return Admitted()
        standing = self.permit.check(now)
        if standing not in (Standing.HELD, Standing.ORPHANED):
            return self._without_the_pen(standing, now)
        self.blind = self.blind and not self.evidence.good
        if self.blind:
            return Held(
                Reason.EVIDENCE,
                "a last exit was at work here: the account is looked at first",
                now + AGAIN,
                picture=True,
            )
        match request:
            case Submit(order=order) if order.role is Role.ENTRY:
                return self._entry(standing)
            case Submit(order=order):
                return self._paced(order, now) or self._exit(order, order.size, now, waited_since)
            case Amend():
                return self._amend(request, now, waited_since)
            case Cancel():
                return self._cancel(request, now)

    def _without_the_pen(self, standing: Standing, now: int) -> Verdict:
        if standing is Standing.LOST:
            # the next beat ends all that waits
            return Held(Reason.PERMIT, "another process holds the pen of this account", now + AGAIN)
        if standing is Standing.EXPIRED:
            return Held(
                Reason.PERMIT,
                "the shared lease has run out: nothing leaves until it is renewed; what rests at"
                " the venue works on",
                now + AGAIN,
            )
        if self.evidence.good:
            self.evidence.void("this process stood still", now)
        return Held(
            Reason.EVIDENCE,
            "this process stood still; the pen and the account are looked at first",
            now + AGAIN,
            picture=True,
        )

    def _entry(self, standing: Standing) -> Verdict:
        if standing is Standing.ORPHANED:
            return Held(
                Reason.PERMIT, "the shared database is silent: nothing opens until it answers", None
            )
        return Admitted()

    def _exit(self, order: Order, size: Decimal, now: int, waited_since: int | None) -> Verdict:
        """The exit bound. What is reduce-only the venue bounds itself; everything else needs a
        picture.
        """
        instrument = self._instrument(order.symbol)
        if instrument is None:
            return Held(
                Reason.EVIDENCE, f"{order.symbol} is not listed by the venue yet", now + AGAIN
            )
        if order.reduce_only and not instrument.moves_coins(order.leverage):
            return Admitted()
        asset = asset_of(instrument, order.leverage)
        books, name = self._books(asset), order.client_order_id
        if not self.evidence.good:
            text = self.evidence.words(asset, order.side, books, name)
            return self._without(order, asset, books, text, now, waited_since)
        self._on_books.pop(order.position, None)
        bound = self.evidence.bound(asset, order.side, books, name)
        if size <= bound:
            return Admitted()
        words = (
            f"{order.side.value} {plain(size)} {order.symbol}:"
            f" {self.evidence.words(asset, order.side, books, name)}"
        )
        picture = self.evidence.picture
        assert picture is not None
        # a fill may be on its way to us: ask once more before it is a verdict
        if waited_since is None or picture.as_of < waited_since:
            late = waited_since is not None and now - waited_since >= PATIENCE
            return Held(
                Reason.SIZE, words, None if late else now + AGAIN, picture=True, proved=bound
            )
        owed = books.short if order.side.sign > 0 else books.long
        return Held(
            Reason.SIZE if owed else Reason.REPAIR, words, None, proved=bound if owed else None
        )

    def _without(
        self, order: Order, asset: str, books: Books, text: str, now: int, since: int | None
    ) -> Verdict:
        """No picture counts. After `PATIENCE` an exit goes on our books, once, if nothing of ours
        that rested can have taken it already.

        Books that are known to be old say nothing about that: what they hold may have been closed
        long ago.
        """
        first = min(self._unproved.get(order.position, now), now if since is None else since)
        self._unproved[order.position] = first
        behind = books.behind and self.evidence.picture is None
        may = now - first >= PATIENCE and (
            not (books.baseline or behind) or order.position in books.confirmed
        )
        unresolved = self.evidence.leaving(asset, order.side, order.client_order_id)
        if may and not unresolved and order.position not in self._on_books:
            self._on_books[order.position] = None
            return Admitted(on_our_books=True)
        return Held(Reason.EVIDENCE, text, now + AGAIN, picture=True)

    def _amend(self, request: Amend, now: int, waited_since: int | None) -> Verdict:
        """Only a change that makes an exit larger needs a proof."""
        known = self.evidence.exits().get(request.client_order_id)
        instrument = self._instrument(request.symbol)
        if (
            request.size is None
            or known is None
            or instrument is None
            or request.size <= known.size
            or known.reduce_only
        ):
            return Admitted()
        if not self.evidence.good:
            return Held(
                Reason.EVIDENCE,
                self.evidence.words(known.asset, known.side, self._books(known.asset)),
                now + AGAIN,
                picture=True,
            )
        bound = self.evidence.bound(
            known.asset, known.side, self._books(known.asset), request.client_order_id
        )
        if request.size - known.done <= bound:
            return Admitted()
        words = self.evidence.words(
            known.asset, known.side, self._books(known.asset), request.client_order_id
        )
        fresh = (
            waited_since is not None
            and self.evidence.picture is not None
            and self.evidence.picture.as_of >= waited_since
        )
        return Held(
            Reason.SIZE,
            f"amend to {plain(request.size)} {request.symbol}: {words}",
            None if fresh else now + AGAIN,
            True,
            bound,
        )

    def _cancel(self, request: Cancel, now: int) -> Verdict:
        """A working exit on cash holds the coins: it is taken away only when cancel, question and
        close can be paid for together.
        """
        known = self.evidence.exits().get(request.client_order_id)
        if known is None or known.reduce_only or self._affordable(request):
            return Admitted()
        return Held(
            Reason.PROTECTION,
            f"{request.symbol}: too few tokens to cancel the stop and close what it protects",
            now + AGAIN,
        )

    def _paced(self, order: Order, now: int) -> Held | None:
        count, until = self.pace.until(order)
        if until <= now:
            return None
        return Held(
            Reason.PACE,
            f"{order.role.value} {order.symbol}: {counted(count, 'failure')} in a row",
            until,
        )

    def still_stands(self, request: Request, now: int) -> bool:
        """Whether what was admitted may leave now: the process may have stood still since, and the
        pen be another's.
        """
        return isinstance(request, Query | QueryAccount) or self.permit.check(now) in (
            Standing.HELD,
            Standing.ORPHANED,
        )

    def leaves(self, request: Request, now: int) -> None:
        """A request that was admitted is about to leave."""
        self.evidence.leaves(request, now)
        self.pace.leaves(request)

    def returns(self, request: Request) -> None:
        """A request is known not to have arrived: it is here again."""
        self.evidence.returns(request)

    def hear(self, report: VenueReport, now: int) -> None:
        """Take in what the venue said."""
        if isinstance(report, Relisted):
            self.evidence.list((report.instrument,))
        self.evidence.hear(report, now)
        if self.evidence.good:
            self._unproved.clear()
        self.pace.hear(report, now)
