"""Events of how the desk works: alerts, what blocks entries, a halt, a flatten."""

from engine.desk.events.base import Event
from engine.model.alert import Alert
from engine.model.price_alert import PriceAlert


class AlertRaised(Event, frozen=True, tag="alert-raised"):
    """Somebody was told; again with a higher count."""

    alert: Alert


class AlertCured(Event, frozen=True, tag="alert-cured"):
    """What it was about is over."""

    key: str


class AlertAcknowledged(Event, frozen=True, tag="alert-acknowledged"):
    """The operator has read it."""

    key: str


class PriceAlertSet(Event, frozen=True, tag="price-alert-set"):
    """Somebody wants to be told of a price."""

    alert: PriceAlert


class PriceAlertEnded(Event, frozen=True, tag="price-alert-ended"):
    """It was reached, and is told by the alert beside this event; or it was cancelled."""

    alert: str


class EntriesBlocked(Event, frozen=True, tag="entries-blocked"):
    """Nothing that opens or enlarges, for this reason."""

    code: str
    text: str
    until: int | None
    """When it clears by itself; None: when its cause is gone, or by hand."""


class EntriesAllowed(Event, frozen=True, tag="entries-allowed"):
    """That reason is gone."""

    code: str


class HaltSet(Event, frozen=True, tag="halt-set"):
    """Whether exits, too, wait for the operator's hand."""

    halted: bool


class FlattenBegan(Event, frozen=True, tag="flatten-began"):
    """Everything is to be closed."""

    intent: str


class FlattenAsked(Event, frozen=True, tag="flatten-asked"):
    """Ours is flat; the venue is asked whether it says so, too."""


class FlattenEnded(Event, frozen=True, tag="flatten-ended"):
    """The venue says flat."""

    receipt: tuple[str, ...]
