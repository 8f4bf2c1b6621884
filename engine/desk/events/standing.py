"""Events of how the desk works: alerts, what blocks entries, a halt, a flatten."""

from engine.desk.events.base import Event
from engine.model.alert import Alert


class AlertRaised(Event, frozen=True, tag="alert-raised"):
    """Somebody was told; again with a higher count."""

    alert: Alert


class AlertCured(Event, frozen=True, tag="alert-cured"):
    """What it was about is over."""

    key: str


class AlertAcknowledged(Event, frozen=True, tag="alert-acknowledged"):
    """The operator has read it."""

    key: str


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
