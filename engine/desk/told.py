"""A line of the record, and what all that make lines share."""

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec import Struct

from engine.desk import events as e
from engine.desk.notices import words
from engine.desk.state import State
from engine.model.money import ZERO
from engine.model.position import Position


class Told(Struct, frozen=True, gc=False):
    """One line of the record, or its next words."""

    kind: str
    tone: str
    text: str
    intent: str = ""
    subject: str = ""
    line: str = ""
    """What the line is about; the next words of the same take the place of the last. Empty: a line
    of its own.
    """


def on_line(told: Told, line: str) -> Told:
    """The same as the next words of a line."""
    return Told(told.kind, told.tone, told.text, told.intent, told.subject, line)


def as_told(kind: str, event: e.AnyEvent, state: State) -> Told | None:
    """An event in its own words; None where it has none."""
    said = words(event, state)
    return None if said is None else Told(kind, *said)


E = TypeVar("E", bound=e.Event)


class Batch:
    """The events of one decision, and what of them is told elsewhere."""

    def __init__(self, events: Sequence[e.AnyEvent], state: State) -> None:
        kinds: dict[type, list[Any]] = {}
        for event in events:
            kinds.setdefault(type(event), []).append(event)

        def of(kind: type[E]) -> list[E]:
            return kinds.get(kind, [])

        self.state = state
        self.raised = [raised.alert for raised in of(e.AlertRaised) if raised.alert.count == 1]
        self.cured = {cured.key.partition(":")[0] for cured in of(e.AlertCured)}
        self.asked = any(taken.answer.ok for taken in of(e.IntentTaken))
        self.began_flatten = bool(of(e.FlattenBegan))
        self.filled = {filled.fill.client_order_id: filled for filled in of(e.OrderFilled)}
        """The last fill of each order."""
        self.sent = {submitted.order.position for submitted in of(e.OrderSubmitted)}
        self.liquidated = {part.fill.position: part for part in of(e.PositionLiquidated)}
        """The last part of each position that the venue, or a last exit, closed."""
        self.closed = {closed.position: closed.reason for closed in of(e.PositionClosed)}

    def gone(self, name: str) -> Position | None:
        """A position of which nothing is held any more."""
        position = self.state.positions.get(name) or self.state.closed.get(name)
        return position if position is not None and position.size == ZERO else None

    def raises(self, codes: frozenset[str], *targets: str) -> bool:
        """Whether an alert of these codes about one of these begins."""
        return any(alert.code in codes and alert.target in targets for alert in self.raised)
