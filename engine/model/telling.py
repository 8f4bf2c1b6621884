"""How loudly an event is told: one table from a kind of event to its severity, its toast, its bell,
and whether somebody outside hears of it.

Every line of the record (`Notice`) carries a kind of this table. The console rings and toasts by
it, the outlets send by it, and a person names kinds or severities in `notify.outside`. Alerts are
kinds of their own: the code in lower case, in the manner of the alert's severity unless the table
names them. What rings or is sent outside must change money or protection, or need a hand.
"""

from msgspec import Struct

from engine.model.alert import ALERTS, Severity
from engine.model.codes import AlertCode


class Manner(Struct, frozen=True, gc=False):
    """How one kind is told."""

    severity: Severity
    toast: bool = False
    bell: int = 0
    """How often the terminal's bell rings. A CRITICAL alert rings again each minute until it is
    acknowledged.
    """
    outside: bool = False
    """Whether it goes to the notifications where `notify.outside` is unset."""


SINGLY = 3
"""Lines of one kind and one moment that are told one by one; of the others the number is told."""

I, W, C = Severity.INFO, Severity.WARNING, Severity.CRITICAL  # noqa: E741 - columns of the table

_BY_SEVERITY = {
    I: Manner(I),
    W: Manner(W, toast=True, bell=1),
    C: Manner(C, toast=True, bell=3, outside=True),
}
"""The manner of an alert that the table below does not name."""

KINDS: dict[str, Manner] = {
    # what ends a position, or begins one
    "stopped": Manner(W, toast=True, bell=2, outside=True),
    "liquidated": Manner(W, toast=True, bell=2, outside=True),
    "target": Manner(I, toast=True, bell=1),
    "entry": Manner(I, toast=True, bell=1),
    "fill": Manner(I),
    "closed": Manner(I),
    # orders
    "asked": Manner(I),
    "placed": Manner(I),
    "moved": Manner(I),
    "cancelled": Manner(I),
    "rejected": Manner(W, toast=True, bell=1),
    "ended_by_venue": Manner(W, toast=True, bell=1),
    "amend_refused": Manner(W, toast=True, bell=1),
    "cancel_refused": Manner(W, toast=True, bell=1),
    "expired": Manner(W, toast=True, bell=1),
    "unknown": Manner(W, toast=True, bell=1),
    "unknown_long": Manner(W, outside=True),
    "resolved": Manner(I),
    "resolved_critical": Manner(I, outside=True),
    "refused": Manner(W, toast=True),
    # the line to the venue
    "link_down": Manner(W, toast=True, bell=2, outside=True),
    "link_down_local": Manner(C, toast=True, bell=2, outside=True),
    "link_back": Manner(I, toast=True, bell=2, outside=True),
    # the desk
    "lockout": Manner(W, toast=True, bell=1, outside=True),
    "loss_used": Manner(W, toast=True, bell=1, outside=True),
    "price_alert": Manner(W, toast=True, bell=1, outside=True),
    "flatten_begun": Manner(I, toast=True, bell=1, outside=True),
    "flatten_ended": Manner(I, toast=True, bell=1, outside=True),
    "live": Manner(I, toast=True, bell=1),
    "halt": Manner(I, toast=True, bell=1),
    "pause": Manner(I, toast=True, bell=1),
    "entries_on": Manner(I),
    "entries_off": Manner(I),
    # quiet changes
    "trail": Manner(I),
    "rule": Manner(I),
    "funding": Manner(I),
    "compared": Manner(I, toast=True),
    # the program itself
    "trouble": Manner(W, toast=True),
    "notify_test": Manner(I, outside=True),
    # consoles of an engine of its own
    "taken": Manner(I, toast=True, bell=1),
    "alone": Manner(W, toast=True, outside=True),
    "said": Manner(I),
}
"""From a kind to its manner, but for alerts whose code is not among them."""

OF_ALERTS: dict[str, str] = {
    AlertCode.ORDER_REJECTED: "rejected",
    AlertCode.AMEND_REFUSED: "amend_refused",
    AlertCode.CANCEL_REFUSED: "cancel_refused",
    AlertCode.UNKNOWN_OUTCOME: "unknown",
    AlertCode.DISCONNECTED: "link_down",
}
"""Alerts that are told as another kind; of any other, the code in lower case is its kind."""

SEVERITIES = {severity.name.lower(): severity for severity in Severity}


def kind_of(code: str) -> str:
    """Return the kind that an alert's code is told as."""
    return OF_ALERTS.get(code, code.lower())


def manner(kind: str) -> Manner:
    """Return how a kind is told; a kind that an older engine does not know is told quietly."""
    known = KINDS.get(kind)
    if known is not None:
        return known
    found = ALERTS.get(kind.upper())
    return Manner(I) if found is None else _BY_SEVERITY[found[0]]


def names() -> list[str]:
    """Return what may stand in `notify.outside`: `default`, the severities, the kinds of this
    table, the codes of alerts in lower case.
    """
    return ["default", *SEVERITIES, *sorted({*KINDS, *(kind_of(code) for code in ALERTS)})]


def goes_outside(kind: str, wanted: tuple[str, ...] | None) -> bool:
    """Whether a record line of this kind is sent to the notifications; `wanted` is
    `notify.outside`.

    The end of what was CRITICAL goes where the beginning went.
    """
    told = manner(kind)
    if kind == "notify_test" or wanted is None:
        return told.outside
    severity = C if kind == "resolved_critical" else told.severity
    return (
        kind in wanted or severity.name.lower() in wanted or ("default" in wanted and told.outside)
    )
