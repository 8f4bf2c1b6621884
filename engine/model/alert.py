"""Alerts: severity and words in one table; each is raised once, stands, and is cured or acknowledged."""

from enum import IntEnum

from msgspec import Struct


class Severity(IntEnum):
    """How much it matters."""

    INFO = 1
    """Worth knowing; needs nothing."""
    WARNING = 2
    """Something is not as asked; the engine copes."""
    CRITICAL = 3
    """Money is at risk or the truth is unknown: stands until cured."""


ALERTS: dict[str, tuple[Severity, str]] = {
    "NAKED": (Severity.CRITICAL, "no stop works and nothing watches {subject}"),
    "PARTIAL_STOP": (Severity.CRITICAL, "the stop of {subject} covers less than the position"),
    "STOP_REFUSED": (Severity.CRITICAL, "the venue refused the stop of {subject}: {detail}"),
    "STOP_NOT_FIRING": (Severity.CRITICAL, "the price is through the stop of {subject} and the venue has not fired it"),
    "STOP_UNFILLED": (Severity.CRITICAL, "the stop of {subject} fired at the venue and does not fill: {detail}"),
    "COINS_HELD": (Severity.CRITICAL, "{subject} can't be closed whole: {detail}"),
    "STOP_LIMIT_JUMPED": (Severity.CRITICAL, "the price jumped the stop-limit of {subject}: {detail}"),
    "OVER_CLOSED": (Severity.CRITICAL, "{subject} was closed twice; the excess {detail} is being closed"),
    "UNKNOWN_OUTCOME": (Severity.WARNING, "the outcome of {subject} is unknown; asking the venue"),
    "DOUBT_OLD": (Severity.CRITICAL, "nobody can say yet what became of the {subject}: {detail}; look at the venue"),
    "EXCESS_FILL": (Severity.WARNING, "an execution of the {subject} may have been told twice: {detail}; asking the venue"),
    "ORDER_REJECTED": (Severity.WARNING, "order rejected: {subject}: {detail}"),
    "AMEND_REFUSED": (Severity.WARNING, "the venue refused to change {subject}: {detail}; the old order works on"),
    "CANCEL_REFUSED": (Severity.WARNING, "the venue refused to cancel {subject}: {detail}"),
    "ILLEGAL_REPORT": (Severity.WARNING, "a report about {subject} does not fit what is known: {detail}"),
    "UNKNOWN_ORDER": (Severity.CRITICAL, "the venue reported on an order of ours that is not known: {subject}"),
    "FOREIGN_ORDER": (Severity.INFO, "an order that is not ours rests on the account: {subject}"),
    "DIFFERENCE": (Severity.CRITICAL, "ours and the venue's differ: {subject}: {detail}"),
    "SUSPICIOUS_FILL": (Severity.WARNING, "{subject} filled far from the market: {detail}"),
    "DUST": (Severity.INFO, "what is left of {subject} is below what the venue trades: {detail}"),
    "STALE_PRICE": (Severity.WARNING, "no fresh price of {subject}: {detail}"),
    "LIQUIDATION_NEAR": (Severity.CRITICAL, "{subject} is near its liquidation at {detail}"),
    "LIQUIDATED": (Severity.WARNING, "the venue liquidated {subject}"),
    "LOCKOUT": (Severity.WARNING, "entries are locked out: {subject}: {detail}"),
    "UNPRICED": (Severity.WARNING, "the loss limits leave out {subject}: no price"),
    "LOSS_USED": (Severity.WARNING, "{subject} of the day's loss limit is used: {detail}"),
    "BREAKER": (Severity.CRITICAL, "the line to the venue fails: {detail}"),
    "DISCONNECTED": (Severity.WARNING, "no connection to the venue: {detail}"),
    "JOURNAL_FAILING": (Severity.CRITICAL, "the journal can't be written: {detail}"),
    "TASK_DIED": (Severity.CRITICAL, "a part of the engine died: {subject}: {detail}"),
    "TERMINAL_STALLED": (Severity.CRITICAL, "the terminal of {subject} stopped reading {detail}; nobody sees the screen, the engine goes on"),
    "SCREEN_FAILED": (Severity.CRITICAL, "{subject} failed and ended: {detail}; its engine was closed, nothing is watched here"),
    "CLOSE_STUCK": (Severity.CRITICAL, "{subject} is still not closed: {detail}"),
    "RATE_LIMITED": (Severity.WARNING, "the venue's rate limit was hit: {detail}"),
    "NONCE": (Severity.WARNING, "the key of {subject} is shared: {detail}"),
    "MARKET_CLOSED": (Severity.WARNING, "the venue takes no closes in {subject}: {detail}; stops that rest stay, closes wait"),
    "ROW_SKIPPED": (Severity.WARNING, "the venue told something about {subject} that can't be read: {detail}"),
    "FEED_REFUSED": (Severity.WARNING, "the venue refused to stream {subject}: {detail}"),
    "LINE_FLAPS": (Severity.WARNING, "the line for {subject} keeps breaking: {detail}"),
    "CLOCK": (Severity.WARNING, "this clock and that of {subject} differ: {detail}"),
    "FEE_UNKNOWN": (Severity.WARNING, "the fee of {subject} is not known: {detail}"),
    "CLOSE_UNFILLED": (Severity.CRITICAL, "the venue ended a close of {subject} unfilled: {detail}"),
    "UNEXPLAINED": (Severity.CRITICAL, "no journal here explains {subject}: {detail}; V: take over, leave or close"),
    "SECOND_ENGINE": (Severity.CRITICAL, "a second program sends for {subject} with our prefix: {detail}; entries wait"),
    "EMERGENCY_EXIT": (Severity.WARNING, "a last exit was at work here: {detail}"),
    "LEASE_LOST": (Severity.CRITICAL, "{subject} holds the account now, nothing leaves from here any more: {detail}"),
    "LEASE_WANTED": (Severity.WARNING, "{subject} asks for the account: {detail}"),
    "WITHDRAWN": (Severity.WARNING, "{detail} {subject} that were not ours have left the account"),
    "HELD_BACK": (Severity.CRITICAL, "held back before it left: {subject}: {detail}"),
    "SENT_ON_BOOKS": (Severity.CRITICAL, "{subject}: {detail}"),
    "FLATTENED": (Severity.INFO, "{detail}"),
    "SLEPT": (Severity.WARNING, "the machine slept or the clock jumped: {detail}"),
    "LOOKING": (Severity.INFO, "live account {subject}: {detail}"),
    "UNPRICED_FEE": (Severity.INFO, "a fee in {subject} has no rate and is left out of the total"),
}
"""From a code to its severity and its words."""


class Alert(Struct, frozen=True):
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
        """Whether it still asks for attention: a CRITICAL one until it is cured, any other until acknowledged or cured."""
        if self.cured_at is not None:
            return False
        return self.severity is Severity.CRITICAL or self.acknowledged_at is None
