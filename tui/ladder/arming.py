"""When the ladder's keys may trade. It is locked at every start, and locks by itself."""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from engine.model.codes import AlertCode
from engine.model.rules import LadderRules
from engine.model.view import FeedView, View

BARE = (AlertCode.NAKED, AlertCode.PARTIAL_STOP)


class Situation(Struct, frozen=True):
    """Everything that arming depends on, at one moment."""

    view: View
    symbol: str
    listens: bool = True
    """Whether the ladder has the keyboard, and the terminal has the focus."""
    layout: str = ""
    """Name of the layout, with what is zoomed."""
    shown: bool = True
    """Whether the ladder is on the screen, with nothing over it but a card of its own."""
    book: str = ""
    """Why the book can't be traded from; empty where it can."""
    read_only: str = ""
    still: bool = False
    """Whether nothing moves by itself, for a screen reader: what is shown is no market."""
    gone: float = 0.0
    """Seconds that the engine has shown nothing."""


def _feed(now: Situation) -> FeedView | None:
    return next((feed for feed in now.view.feeds if feed.symbol == now.symbol), None)


def _stale(now: Situation) -> str:
    feed = _feed(now)
    if feed is None:
        return f"no price of {now.symbol or 'any symbol'} is known"
    return f"the price of {now.symbol} is old" if feed.stale else now.book


def _naked(now: Situation) -> str:
    alert = next((a for a in now.view.alerts if a.stands and a.code in BARE), None)
    if alert is None:
        return ""
    held = next((p for p in now.view.positions if p.id == alert.target), None)
    name = held.symbol if held is not None else alert.subject
    return f"{name} is {'NAKED' if alert.code == AlertCode.NAKED else 'PARTIAL'}"


def _entries(now: Situation) -> str:
    if now.view.mode == "HALTED":
        return "halted by you"
    reasons = now.view.reasons
    return f"entries are off: {reasons[0].code.lower()}" if reasons else ""


REASONS: tuple[Callable[[Situation], str], ...] = (
    lambda now: f"read-only: {now.read_only}" if now.read_only else "",
    lambda now: f"the engine has shown nothing for {now.gone:.0f} s" if now.gone else "",
    lambda now: "nothing moves here (console.screen_reader)" if now.still else "",
    lambda now: "" if now.shown else "another screen",
    lambda now: "" if now.listens else "the focus is elsewhere",
    lambda now: "" if now.view.connected else "DISCONNECTED",
    _stale,
    _naked,
    _entries,
)
"""Why keys must not trade now, the first that holds is said."""


def against(now: Situation) -> str:
    """Why the ladder is locked; empty where it may be armed."""
    return next(filter(None, (reason(now) for reason in REASONS)), "")


class Arming:
    """Locked, or armed for one symbol in one layout."""

    def __init__(self, rules: LadderRules) -> None:
        self.rules = rules
        self.armed = False
        self.why = ""
        """Why it locked last."""
        self._symbol = ""
        self._layout = ""
        self._touched_at = 0.0

    def refusal(self, now: Situation) -> str:
        """Why it can't be armed; empty where it can."""
        if now.view.account.live and self.rules.cap is None:
            return "a live account needs ladder.cap, the largest order that one key sends"
        return against(now)

    def arm(self, now: Situation, at: float) -> str:
        """Let keys trade; `at` in monotonic seconds. Returns why not."""
        why = self.refusal(now)
        if not why:
            self.armed, self._touched_at = True, at
            self._symbol, self._layout = now.symbol, now.layout
        return why

    def lock(self, why: str) -> None:
        """From now on keys trade nothing."""
        self.armed, self.why = False, why

    def touch(self, at: float) -> None:
        """A key of the ladder came."""
        self._touched_at = at

    def look(self, now: Situation, at: float) -> str:
        """Lock where something says so; returns why it has just locked."""
        if not self.armed:
            return ""
        why = f"another symbol: {now.symbol}" if now.symbol != self._symbol else ""
        if now.layout != self._layout:
            why = why or "another layout"
        why = why or against(now)
        if not why and at - self._touched_at >= self.rules.idle:
            why = f"no key for {self.rules.idle / 60:g} min"
        if why:
            self.lock(why)
        return why


REPEAT = 0.15
"""Seconds within which the same key is one press: held down, or bouncing."""


class Presses:
    """Which key presses are presses of their own."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def is_repeat(self, key: str, at: float) -> bool:
        """Whether a key is still the last press of it; a key that is held stays one press."""
        before = self._last.get(key)
        self._last[key] = at
        return before is not None and at - before < REPEAT


def too_large(
    notional: Decimal | None, size: Decimal | None, cap: Decimal | None, usual: Decimal | None
) -> str:
    """Why an order needs a second key: larger than the cap, or than three times the usual size. A
    notional or a size that nobody knows yet is too large.
    """
    if cap is not None and (notional is None or notional > cap):
        told = "its worth is not known yet" if notional is None else f"it is worth {notional:,.0f}"
        return f"{told}, ladder.cap is {cap:,.0f}"
    if usual is not None and (size is None or size > 3 * usual):
        return "its size is not known yet" if size is None else f"3 × your usual size of {usual:f}"
    return ""
