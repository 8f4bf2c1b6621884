"""What the keys would cost of the venue's counters, and how long a flatten would wait for them."""

from collections.abc import Iterator

from msgspec import Struct

from engine.model.intent import (
    AnyIntent,
    At,
    BreakEven,
    CancelOrder,
    ClosePosition,
    Flatten,
    MoveStop,
)
from engine.model.view import OrderView, PositionView, Preview
from engine.session.messages import Try
from tui.latest import Latest

_EVERY = 20
"""Frames between two questions about what keys would cost."""
NOW = "now"


class Told(Struct, frozen=True):
    """What the engine says that flatten would wait for, and keys would cost."""

    waits: dict[str, str] = {}
    """When a flatten would have left, by counter: `now`, or `in 4.0 s`."""
    costs: dict[str, str] = {}
    """Tokens by the id of a command, for what is selected."""

    @property
    def flatten(self) -> str:
        """When the last request of a flatten would leave; empty where nobody has said so."""
        waits = [wait for wait in self.waits.values() if wait == NOW or _seconds(wait)]
        return max(waits, key=_seconds, default="")


def _seconds(wait: str) -> float:
    """Of `in 4.0 s`; zero of any other text."""
    word, _, rest = wait.partition(" ")
    number = rest.removesuffix(" s")
    return float(number) if word == "in" and number.replace(".", "", 1).isdigit() else 0.0


def waits_of(preview: Preview | None) -> dict[str, str]:
    """When the last request of a card would leave, by counter."""
    found = {}
    for line in preview.lines if preview is not None else ():
        name, _, when = line.name.removeprefix("tokens "), *line.after.rpartition(": ")[1:]
        if line.section == "tokens" and when:
            found[name] = when
    return found


def cost_of(preview: Preview | None) -> str:
    """Tokens of a card, of the counter that it takes most of; empty where none are told."""
    needed = [
        int(line.before.split()[0])
        for line in (preview.lines if preview is not None else ())
        if line.section == "tokens" and line.before.endswith(" needed")
    ]
    return str(max(needed)) if needed else ""


def _asked(held: PositionView | None, order: OrderView | None) -> Iterator[tuple[str, AnyIntent]]:
    """What stands for each key: by the id of its command."""
    if held is not None:
        yield "close", ClosePosition(id="costs-x", position=held.id)
        yield "break-even", BreakEven(id="costs-b", position=held.id)
    if held is not None and held.stop is not None:
        moved = At(held.stop + held.tick * held.side.sign)
        yield "stop", MoveStop(id="costs-m", position=held.id, stop=moved)
    if order is not None:
        yield "cancel", CancelOrder(id="costs-c", order=order.order.client_order_id)


class Costs:
    """Asked every two seconds, and at once for another selection; never waited for."""

    def __init__(self) -> None:
        self._frame = 0

    def look(self, latest: Latest, position: PositionView | None, order: OrderView | None) -> Told:
        """What is known of it now."""
        ask = self._frame % _EVERY == 0
        self._frame += 1

        def card(intent: AnyIntent) -> Preview | None:
            return latest.of(Try(intent), Preview, ask=ask)

        costs = {name: cost_of(card(intent)) for name, intent in _asked(position, order)}
        waits = waits_of(card(Flatten(id="costs-F")))
        return Told(waits, {name: cost for name, cost in costs.items() if cost})
