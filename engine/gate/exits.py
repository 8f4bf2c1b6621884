"""Exits of ours whose end is not known: what they may still take."""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.request import Amend
from engine.model.side import Side

WINDOW = 6_000_000_000
"""Nanoseconds after which an order without a deadline can't be on its way any more."""


class Exit(Struct, frozen=True, gc=False):
    """One exit of ours that may still fill, or may have filled without our hearing it."""

    asset: str
    side: Side
    size: Decimal
    filled: Decimal
    """As the stream told it, one by one."""
    reduce_only: bool
    ends_at: int
    """After this it can't arrive any more, if the venue does not know it."""
    absences: int = 0
    ended_at: int | None = None
    """When the venue said that it is over without saying how much of it had filled: the next
    picture knows.
    """
    strange: bool = False
    """Whether a picture told of it, and nobody here sent it: nobody asks about it by id, so
    pictures must say that it is gone.
    """
    unlisted: int = 0
    """Pictures in a row that count and do not list it."""
    changed_at: int = 0
    """When a change of its size last left: what is told of a time before that makes it no smaller.
    """
    asked: Decimal = ZERO
    """The size that this change asked for."""
    before: Decimal = ZERO
    """The size that it has if the venue refuses this change; zero once the venue has told its size,
    or where the outcome is unknown.
    """
    listed: Decimal = ZERO
    """What the venue's lists of executions come to: a list may name the same ones by other ids than
    the stream.
    """

    @property
    def done(self) -> Decimal:
        """What has surely filled. Of stream and list the larger, never both together: an execution
        under two ids is one.
        """
        return max(self.filled, self.listed)

    @property
    def open(self) -> Decimal:
        """What may still leave by it."""
        return max(self.size - self.done, ZERO)


class Exits:
    """Of one account."""

    def __init__(self) -> None:
        self.known: dict[str, Exit] = {}
        """By client order id."""

    def leaves(self, request: Amend, now: int) -> None:
        """A change of size is about to leave."""
        known = self.known.get(request.client_order_id)
        if known is not None and request.size is not None:
            size = max(known.size, request.size)
            self.known[request.client_order_id] = replace(
                known, size=size, changed_at=now, asked=request.size, before=known.size
            )

    def forget(self, name: str) -> None:
        """It takes nothing."""
        self.known.pop(name, None)

    def follow(self, order: Order, asset: str) -> None:
        """From now on count what an exit may take of an asset."""
        ends_at = order.deadline if order.deadline is not None else order.touched_at + WINDOW
        size = order.reserved + order.filled
        self.known[order.client_order_id] = Exit(
            asset, order.side, size, order.filled, order.reduce_only, ends_at, listed=order.filled
        )

    def strange(self, name: str) -> None:
        """A picture told of it, and nobody here sent it."""
        if name in self.known:
            self.known[name] = replace(self.known[name], strange=True)

    def amended(self, name: str, size: Decimal, at: int) -> None:
        """The venue told its size."""
        if name in self.known and size > ZERO:
            self.known[name] = _resized(self.known[name], size, at)

    def unanswered(self, name: str) -> None:
        """Whether a change of it arrived is not known."""
        if name in self.known:
            self.known[name] = replace(self.known[name], before=ZERO)

    def pictured(self, as_of: int) -> None:
        """A picture counts: whatever ended before it is in its balances."""
        self.known = {
            name: one
            for name, one in self.known.items()
            if one.ended_at is None or one.ended_at > as_of
        }

    def miss(self, listed: set[str]) -> None:
        """A stranger that two pictures do not list any more is over: what it did is in their
        balances.
        """
        for name, one in list(self.known.items()):
            if not one.strange:
                continue
            unlisted = 0 if name in listed else one.unlisted + 1
            if unlisted > 1:
                del self.known[name]
            else:
                self.known[name] = replace(one, unlisted=unlisted)

    def count(self, fill: Fill, heard: Decimal, listed: Decimal) -> None:
        """An execution of an exit: so much less of it may still leave."""
        known = self.known.get(fill.client_order_id)
        if known is None:
            return
        known = replace(known, filled=known.filled + heard, listed=known.listed + listed)
        if known.done >= known.size:
            del self.known[fill.client_order_id]
        else:
            self.known[fill.client_order_id] = known

    def told(self, order: Order, at: int) -> None:
        known = self.known.get(order.client_order_id)
        if known is None:
            return
        if order.is_open:
            self.known[order.client_order_id] = replace(_resized(known, order.size, at), absences=0)
        else:
            self.ended(order.client_order_id, order.filled, at)

    def ended(self, name: str, filled: Decimal | None, at: int) -> None:
        """An order is over. How much of it filled is never assumed: what is not told stays counted
        until it is.
        """
        known = self.known.get(name)
        if known is None:
            return
        if filled is None:
            self.known[name] = replace(known, ended_at=at)
        elif filled > known.done:
            self.known[name] = replace(known, size=filled)
        else:
            del self.known[name]

    def unchanged(self, name: str) -> None:
        """The venue refused a change of size. An exit that had filled all of the size before is
        over: the venue tells no other end of it.
        """
        known = self.known.get(name)
        if known is None or not known.before:
            return
        if known.done >= known.before:
            del self.known[name]
        else:
            self.known[name] = replace(known, size=known.before, before=ZERO)

    def absent(self, name: str, at: int) -> None:
        """The venue does not know the order: believed the second time, once it can't be on its way
        any more.
        """
        known = self.known.get(name)
        if known is not None and known.absences and at > known.ends_at:
            del self.known[name]
        elif known is not None:
            self.known[name] = replace(known, absences=known.absences + 1)

    def leaving(self, asset: str, side: Side, besides: str = "") -> Decimal:
        """What exits of ours on one side of an asset may still take, or may have taken without our
        hearing it.
        """
        return sum(
            (
                one.open
                for name, one in self.known.items()
                if one.asset == asset and one.side is side and name != besides
            ),
            ZERO,
        )


def _resized(known: Exit, size: Decimal, at: int) -> Exit:
    """An exit with the size that the venue told as of a time: reports overtake each other, and none
    of them proves less than it can know.
    """
    proved = size >= known.size or size == known.asked or at >= known.changed_at
    return replace(known, size=size, before=ZERO) if proved else known
