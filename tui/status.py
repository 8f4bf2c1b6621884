"""The status strip: am I protected, how am I doing, what can I still do, in one line. Parts go
whole, the least pressing first.
"""

from decimal import Decimal

from rich.cells import cell_len

from engine.model.codes import BlockCode
from engine.model.view import AccountView, View
from tui import figures
from tui.keys import KeyMap
from tui.lines import Line, Lines, Part
from tui.palette import Palette
from tui.plain import clip, plain

TIGHT = Decimal("0.8")
"""From this part of the equity on, what is bound leaves little to lose."""

Piece = tuple[int, Line]
"""A part of the strip and when it goes: the highest number first."""


def _badge(account: AccountView) -> Line:
    return ((" LIVE ", "live"),) if account.live else ((" PAPER ", "paper"),)


def _at_stops(account: AccountView) -> Line:
    """What is lost if every stop is hit now; red where nothing bounds it, or where it is beyond the
    limit.
    """
    over = account.risk_limit is not None and account.open_risk > account.risk_limit
    tone = "danger" if account.unbounded or over else "plain"
    return (
        ("at stops ", "dim"),
        (figures.at_stop(account.at_stops, unbounded=account.unbounded), tone),
    )


def _margin(account: AccountView) -> Line:
    """How much of the equity is bound; nothing where nothing is."""
    if account.margin is None:
        return (("margin ", "dim"), (figures.NONE, "danger"))
    tone = "danger" if account.margin > TIGHT else "plain"
    return (("margin ", "dim"), (f"{account.margin:.0%}", tone)) if account.margin else ()


def feed_age(view: View) -> tuple[str, str]:
    """The age of the prices that positions hang on (the freshest of all where none is open)."""
    if not view.connected:
        return "DOWN", "alarm"
    held = {p.symbol for p in view.positions}
    ages = [(feed.age, feed.stale) for feed in view.feeds if feed.symbol in held]
    if not ages:
        ages = [min((feed.age, feed.stale) for feed in view.feeds)] if view.feeds else []
    if not ages:
        return figures.NONE, "dim"
    age, stale = max(ages)
    return (f"STALE {figures.short(age)}", "danger") if stale else (figures.short(age), "plain")


OFF: dict[str, str] = {
    BlockCode.STARTING: "starting",
    BlockCode.PAUSED: "paused, :resume turns them on",
    BlockCode.FLATTEN: "flattening",
    BlockCode.DRAWDOWN: "drawdown",
    BlockCode.LOSING_STREAK: "losing streak",
    BlockCode.DAILY_LOSS: "loss limit",
    BlockCode.NAKED: "naked",
    BlockCode.DISCONNECTED: "venue link down",
    BlockCode.SLEPT: "slept",
    BlockCode.LOOKING: "view only, :live turns them on",
    BlockCode.BREAKER: "venue link paused",
    BlockCode.JOURNAL_FAILING: "journal failing",
    BlockCode.TASK_DIED: "part of the engine died",
    BlockCode.UNEXPLAINED: "unexplained orders, «truth» lists them",
    BlockCode.SECOND_ENGINE: "another engine",
    BlockCode.EMERGENCY_EXIT: "a last exit was here",
    BlockCode.LEASE_LOST: "account taken over",
    BlockCode.LEASE_WANTED: "another console asks for the account",
}
"""Why nothing opens, short enough for the first line."""


def _mode(view: View) -> Line:
    if view.mode == "ACTIVE":
        return ()
    if view.mode == "HALTED":
        return ((" HALTED: :unhalt ", "alarm"),)
    why = ", ".join(OFF.get(reason.code, reason.code) for reason in view.reasons)
    return ((f" ENTRIES OFF{': ' + why if why else ''} ", "notice"),)


def pieces(view: View, read_only: str) -> list[Piece]:
    """All parts, left to right."""
    account = view.account
    naked = account.naked
    standing = sum(alert.stands for alert in view.alerts)
    lag_tone = "warn" if view.lag > 100_000_000 else "plain"
    feed, feed_tone = feed_age(view)
    found: list[Piece] = [
        (1, _badge(account)),
        (1, ((f" NAKED {naked} ", "alarm"),) if naked else (("naked ", "dim"), ("0", "plain"))),
        (2, _mode(view)),
        (2, ((f" READ-ONLY {plain(read_only)} ", "notice"),) if read_only else ()),
        (
            4,
            (
                ("eq ", "dim"),
                (figures.money(account.equity), "strong"),
                ("*" if account.unpriced else "", "warn"),
            ),
        ),
        (3, (("day ", "dim"), (figures.signed(account.day), figures.tone(account.day)))),
        (2, _at_stops(account)),
        (5, _margin(account)),
        (6, (("feed ", "dim"), (feed, feed_tone))),
        (5, ((f"⚠ {standing}", "warn" if standing else "dim"),)),
        (8, (("lag ", "dim"), (figures.short(view.lag), lag_tone))),
        (9, ((clip(plain(account.venue), 24), "dim"),)),
    ]
    if view.progress is not None:
        done = min(max(round(view.progress * 8), 0), 8)
        bar = ("▮" * done, "accent"), ("▯" * (8 - done), "faint")
        found.append((7, (*bar, (f" {view.progress:.0%}", "dim"))))
    if view.replay:
        moves = view.replay.startswith("×")
        found.append((4, ((plain(view.replay), "dim" if moves else "notice"),)))
    return [piece for piece in found if piece[1]]


def _width(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)


def strip(view: View, read_only: str, room: int) -> Line:
    """The strip with as many parts as fit; the clock stands at the right."""
    kept = pieces(view, read_only)
    clock: Part = (f"{figures.clock(view.at)} ", "dim")
    space = room - cell_len(clock[0]) - 1
    while len(kept) > 1 and sum(_width(line) + 2 for _, line in kept) > space:
        kept.remove(max(reversed(kept), key=lambda piece: piece[0]))
    parts: list[Part] = [(" ", "plain")]
    for _, line in kept:
        parts.extend((*line, ("  ", "plain")))
    gap = room - _width(tuple(parts)) - cell_len(clock[0])
    if gap < 0:
        return tuple(parts)
    return (*parts, (" " * gap, "plain"), clock)


class StatusStrip(Lines):
    """The first line of the screen."""

    def __init__(self, palette: Palette, keys: KeyMap) -> None:
        self._keys = keys
        super().__init__(palette, base="on-raised", id="status")
        self.say("starting …")

    def say(self, text: str) -> None:
        """Before there is anything to show."""
        self.put([((" FLATOUT ", "paper"), (f"  {text}", "dim"))])

    def show(self, view: View, read_only: str) -> None:
        """Show this moment."""
        told = strip(view, read_only, self.size.width)
        self.put([tuple((self._keys.spelled(text), tone) for text, tone in told)])
