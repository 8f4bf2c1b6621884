"""What a decision changes in the journal's read models."""

from decimal import Decimal

from engine.desk import Decision, State
from engine.desk import events as e
from engine.model.alert import Alert
from engine.model.fill import Fill
from engine.model.money import ZERO


class Rows:
    """What the events of a decision touched; positions are True where they are new, or
    where a hand wrote something down.
    """

    def __init__(self, state: State) -> None:
        self.orders: dict[str, bool] = {}
        self.positions: dict[str, bool] = {}
        self.fills: list[tuple[Fill, Decimal | None]] = []
        self.alerts: list[Alert] = []
        self.equity: list[tuple[int, Decimal]] = []
        self._state = state

    def changed(self, order: str | None, position: str | None) -> None:
        if order is not None:
            self.orders.setdefault(order, False)
        if position is not None:
            self.positions.setdefault(position, False)

    def submitted(self, event: e.OrderSubmitted | e.OrderRecovered) -> None:
        self.changed(event.order.client_order_id, event.order.position)

    def filled(self, event: e.OrderFilled | e.PositionLiquidated | e.FillSettled) -> None:
        self.fills.append((event.fill, event.fee_value))
        self.changed(event.fill.client_order_id, event.fill.position)

    def adjusted(self, event: e.HoldingAdjusted) -> None:
        self.fills.append((event.fill, ZERO))
        self.positions.setdefault(event.fill.position, False)

    def planned(self, event: e.PositionPlanned) -> None:
        self.positions[event.position.id] = True

    def noted(self, event: e.PositionNoted) -> None:
        self.positions[event.position] = True

    def raised(self, event: e.AlertRaised) -> None:
        self.alerts.append(event.alert)

    def quieted(self, event: e.AlertCured | e.AlertAcknowledged) -> None:
        key, state = event.key, self._state
        ended = [alert for alert in reversed(state.ended_alerts) if alert.key == key][:1]
        standing = state.alerts.get(key)
        self.alerts.extend(ended or ([] if standing is None else [standing]))

    def sampled(self, event: e.Sampled) -> None:
        self.equity.append((event.at, event.equity))
        for name in event.extremes:
            self.positions.setdefault(name, False)

    def nothing(self, _: e.OrphanCancelled) -> None:
        """An order that is not ours has no row."""


def _stand_ins(
    decision: Decision, state: State
) -> tuple[tuple[str, ...], list[tuple[Fill, Decimal | None]]]:
    """Stand-ins that executions have replaced, and what is left of those that they replaced in
    part.
    """
    names = [
        event.stand_in.execution_id for event in decision.events if type(event) is e.FillSettled
    ]
    left = [state.stand_ins[name].fill for name in names if name in state.stand_ins]
    return tuple(name for name in names if name not in state.stand_ins), [
        (fill, ZERO) for fill in left
    ]
