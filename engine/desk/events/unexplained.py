"""Events of what bears our name and no journal of ours explains."""

from decimal import Decimal

from engine.desk.events.base import Event
from engine.model.mark import MarkedOrder


class Unexplained(Event, frozen=True, tag="unexplained"):
    """The venue shows what bears our name and no journal of ours explains."""

    subject: str
    """A client order id; `journal` where the journal itself is not the newest."""
    text: str


class Explained(Event, frozen=True, tag="explained"):
    """It is known now, or gone, or left on purpose."""

    subject: str


class HoldingUnexplained(Event, frozen=True, tag="holding-unexplained"):
    """Coins that unknown orders or executions of ours prove to be ours, or (below zero) that our
    closing sales made the account owe; zero once that is settled.
    """

    currency: str
    amount: Decimal
    executions: tuple[str, ...] = ()
    """Those that are counted in it by now."""


class LeftAlone(Event, frozen=True, tag="left-alone"):
    """The operator said that an order which bears our name is to be left alone."""

    subject: str


class MarkFound(Event, frozen=True, tag="mark-found"):
    """A last exit was at work and left its mark: these are the orders that it sent."""

    name: str
    orders: tuple[MarkedOrder, ...]


class MarkBooked(Event, frozen=True, tag="mark-booked"):
    """What the last exit did is booked."""
