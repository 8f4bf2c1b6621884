"""Alerts: severity and words in one table; each is raised once, stands, and is cured or
acknowledged.
"""

from enum import IntEnum

from msgspec import Struct

from engine.model.codes import AlertCode


class Severity(IntEnum):
    """How much it matters."""

    INFO = 1
    """Worth knowing; needs nothing."""
    WARNING = 2
    """Something is not as asked; the engine copes."""
    CRITICAL = 3
    """Money is at risk or the truth is unknown: stands until cured."""


ALERTS: dict[str, tuple[Severity, str]] = {
    AlertCode.NAKED: (
        Severity.CRITICAL,
        "{subject} has no stop, at the venue or here. m: set one  x: close",
    ),
    AlertCode.PARTIAL_STOP: (
        Severity.CRITICAL,
        "the stop of {subject} covers less than the position",
    ),
    AlertCode.STOP_REFUSED: (
        Severity.CRITICAL,
        "the venue refused the stop of {subject}: {detail}",
    ),
    AlertCode.STOP_NOT_FIRING: (
        Severity.CRITICAL,
        "the price is through the stop of {subject} and the venue has not fired it",
    ),
    AlertCode.STOP_UNFILLED: (
        Severity.CRITICAL,
        "the stop of {subject} fired at the venue and does not fill: {detail}",
    ),
    AlertCode.COINS_HELD: (Severity.CRITICAL, "{subject} can't be closed whole: {detail}"),
    AlertCode.STOP_LIMIT_JUMPED: (
        Severity.CRITICAL,
        "the price jumped the stop-limit of {subject}: {detail}",
    ),
    AlertCode.OVER_CLOSED: (
        Severity.CRITICAL,
        "{subject} was closed twice; the excess {detail} is being closed",
    ),
    AlertCode.UNKNOWN_OUTCOME: (
        Severity.WARNING,
        "UNKNOWN: {subject}; asking the venue",
    ),
    AlertCode.UNHEARD: (
        Severity.WARNING,
        "the {subject} has not said yet what happened while nobody listened: {detail}",
    ),
    AlertCode.UNWATCHED: (Severity.WARNING, "nobody watched this account for {detail}"),
    AlertCode.DOUBT_OLD: (
        Severity.CRITICAL,
        "nobody can say yet what became of the {subject}: {detail}; look at the venue",
    ),
    AlertCode.EXCESS_FILL: (
        Severity.WARNING,
        "an execution of the {subject} may have been told twice: {detail}; asking the venue",
    ),
    AlertCode.ORDER_REJECTED: (Severity.WARNING, "order rejected: {subject}: {detail}"),
    AlertCode.AMEND_REFUSED: (
        Severity.WARNING,
        "the venue refused to change {subject}: {detail}; the old order works on",
    ),
    AlertCode.CANCEL_REFUSED: (Severity.WARNING, "the venue refused to cancel {subject}: {detail}"),
    AlertCode.ILLEGAL_REPORT: (
        Severity.WARNING,
        "a report about {subject} does not fit what is known: {detail}",
    ),
    AlertCode.UNKNOWN_ORDER: (
        Severity.CRITICAL,
        "the venue reported on an order of ours that is not known: {subject}",
    ),
    AlertCode.FOREIGN_ORDER: (
        Severity.INFO,
        "an order that is not ours rests on the account: {subject}",
    ),
    AlertCode.FOREIGN_TRADES: (
        Severity.CRITICAL,
        (
            "another program trades here: {detail}; until {subject} is settled, nothing in it"
            " counts as funding"
        ),
    ),
    AlertCode.DIFFERENCE: (Severity.CRITICAL, "ours and the venue's differ: {subject}: {detail}"),
    AlertCode.SUSPICIOUS_FILL: (Severity.WARNING, "{subject} filled far from the market: {detail}"),
    AlertCode.DUST: (
        Severity.INFO,
        "what is left of {subject} is below what the venue trades: {detail}",
    ),
    AlertCode.STALE_PRICE: (Severity.WARNING, "no fresh price of {subject}: {detail}"),
    AlertCode.LIQUIDATION_NEAR: (
        Severity.CRITICAL,
        "{subject} is near its liquidation at {detail}",
    ),
    AlertCode.LIQUIDATED: (Severity.WARNING, "the venue liquidated {subject}"),
    AlertCode.LOCKOUT: (Severity.WARNING, "entries are locked out: {subject}: {detail}"),
    AlertCode.UNPRICED: (Severity.WARNING, "the loss limits leave out {subject}: no price"),
    AlertCode.LOSS_USED: (Severity.WARNING, "{subject} of the day's loss limit is used: {detail}"),
    AlertCode.PRICE_ALERT: (Severity.WARNING, "price alert {subject} {detail}"),
    AlertCode.BREAKER: (Severity.CRITICAL, "the line to the venue fails: {detail}"),
    AlertCode.DISCONNECTED: (Severity.WARNING, "no connection to the venue: {detail}"),
    AlertCode.JOURNAL_FAILING: (Severity.CRITICAL, "the journal can't be written: {detail}"),
    AlertCode.TASK_DIED: (Severity.CRITICAL, "a part of the engine died: {subject}: {detail}"),
    AlertCode.TERMINAL_STALLED: (
        Severity.CRITICAL,
        (
            "the terminal of {subject} stopped reading {detail}; nobody sees the screen, the engine"
            " goes on"
        ),
    ),
    AlertCode.SCREEN_FAILED: (
        Severity.CRITICAL,
        "{subject} failed and ended: {detail}",
    ),
    AlertCode.CLOSE_STUCK: (Severity.CRITICAL, "{subject} is still not closed: {detail}"),
    AlertCode.RATE_LIMITED: (Severity.WARNING, "the venue's rate limit was hit: {detail}"),
    AlertCode.NONCE: (Severity.WARNING, "the key of {subject} is shared: {detail}"),
    AlertCode.MARKET_CLOSED: (
        Severity.WARNING,
        "the venue takes no closes in {subject}: {detail}; stops that rest stay, closes wait",
    ),
    AlertCode.ROW_SKIPPED: (
        Severity.WARNING,
        "the venue told something about {subject} that can't be read: {detail}",
    ),
    AlertCode.FEED_REFUSED: (Severity.WARNING, "the venue refused to stream {subject}: {detail}"),
    AlertCode.LINE_FLAPS: (Severity.WARNING, "the line for {subject} keeps breaking: {detail}"),
    AlertCode.CLOCK: (Severity.WARNING, "this clock and that of {subject} differ: {detail}"),
    AlertCode.FEE_UNKNOWN: (Severity.WARNING, "the fee of {subject} is not known: {detail}"),
    AlertCode.CLOSE_UNFILLED: (
        Severity.CRITICAL,
        "the venue ended a close of {subject} unfilled: {detail}",
    ),
    AlertCode.UNEXPLAINED: (
        Severity.CRITICAL,
        "no journal here explains {subject}: {detail}; V: take over, leave or close",
    ),
    AlertCode.SECOND_ENGINE: (
        Severity.CRITICAL,
        "a second program sends for {subject} with our prefix: {detail}; entries wait",
    ),
    AlertCode.EMERGENCY_EXIT: (Severity.WARNING, "a last exit was at work here: {detail}"),
    AlertCode.LEASE_LOST: (
        Severity.CRITICAL,
        "{subject} holds the account now, nothing leaves from here any more: {detail}",
    ),
    AlertCode.LEASE_WANTED: (Severity.WARNING, "{subject} asks for the account: {detail}"),
    AlertCode.WITHDRAWN: (
        Severity.WARNING,
        "{detail} {subject} that were not ours have left the account",
    ),
    AlertCode.HELD_BACK: (Severity.CRITICAL, "held back before it left: {subject}: {detail}"),
    AlertCode.SENT_ON_BOOKS: (Severity.CRITICAL, "{subject}: {detail}"),
    AlertCode.FLATTENED: (Severity.INFO, "{detail}"),
    AlertCode.SLEPT: (Severity.WARNING, "the machine slept or the clock jumped: {detail}"),
    AlertCode.LOOKING: (Severity.INFO, "live account {subject}: {detail}"),
    AlertCode.UNPRICED_FEE: (
        Severity.INFO,
        "a fee in {subject} has no rate and is left out of the total",
    ),
    AlertCode.OUTLET_FAILING: (
        Severity.WARNING,
        "{subject} can't be told: {detail}; what waits goes once it works again",
    ),
}
"""From a code to its severity and its words."""


class Alert(Struct, frozen=True, gc=False):
    """One thing that somebody was told."""

    code: str
    subject: str
    """What it is about: a position's label or symbol, an order's id."""
    detail: str
    at: int
    count: int = 1
    """How often it was raised while it stood."""
    last_at: int = 0
    acknowledged_at: int | None = None
    cured_at: int | None = None
    target: str = ""
    """The id of the position or order that it is about, for a jump."""

    @property
    def key(self) -> str:
        """What makes two alerts the same one."""
        return f"{self.code}:{self.target or self.subject}"

    @property
    def severity(self) -> Severity:
        """From the table."""
        return ALERTS[self.code][0]

    @property
    def text(self) -> str:
        """From the table, with subject and detail put in."""
        return ALERTS[self.code][1].format(subject=self.subject, detail=self.detail)

    @property
    def stands(self) -> bool:
        """Whether it still asks for attention: a CRITICAL one until it is cured, any other until
        acknowledged or cured.
        """
        if self.cured_at is not None:
            return False
        return self.severity is Severity.CRITICAL or self.acknowledged_at is None
