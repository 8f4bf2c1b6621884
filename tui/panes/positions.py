"""Pane 1: open positions. Whether each is protected stands before everything that may be left out
for room.
"""

from decimal import Decimal

from engine.model.position import Protection
from engine.model.side import Side
from engine.model.view import PositionView
from tui import figures
from tui.columns import Cell, Column
from tui.panes.lists import ListPane
from tui.panes.pane import Frame, Parts

NEAR, FAR = Decimal("0.1"), Decimal(1)
"""Nearer than this to its liquidation a position is coloured; further than that it is not told."""
WHERE: dict[Protection, Cell] = {
    Protection.VENUE: ("VENUE", "good"),
    Protection.GUARDED: ("LOCAL", "warn"),
    Protection.PARTIAL: ("PARTIAL ✗", "danger"),
    Protection.NAKED: ("NAKED ✗", "danger"),
}
"""How protection is said in one word."""


def side_of(p: PositionView) -> Cell:
    """A position's direction, and the leverage that was asked for."""
    times = "" if p.leverage is None else f" {p.leverage.normalize():f}×"
    return (f"LONG{times}", "up") if p.side is Side.BUY else (f"SHORT{times}", "down")


def liquidation_of(p: PositionView) -> Cell:
    """Where the venue would liquidate it, and how far that is; nothing where it is out of reach."""
    if p.liquidation is None or p.liquidation_away is None or p.liquidation_away >= FAR:
        return "", "dim"
    near = p.liquidation_away < NEAR
    return (
        f"{figures.price(p.liquidation, p.tick)} {p.liquidation_away:.0%}",
        "danger" if near else "dim",
    )


def stop_of(p: PositionView) -> Cell:
    """The stop that works; the one asked for beside it while the venue has not confirmed it."""
    if p.stop is None and p.stop_wanted is None:
        return "NO STOP", "danger"
    stands = figures.exact(p.stop, p.tick)
    if p.stop_wanted is not None and p.stop_wanted != p.stop:
        return f"{stands}→{figures.exact(p.stop_wanted, p.tick)}", "busy"
    return stands, "plain"


def mark_of(p: PositionView) -> Cell:
    """The mark; a stale one says so."""
    text = figures.price(p.mark, p.tick)
    return (f"{text} STALE", "warn") if p.stale and p.mark is not None else (text, "plain")


def net_of(p: PositionView) -> Cell:
    """What the whole trade ends with if it is closed now; not coloured as if it were true while its
    price is stale.
    """
    text = figures.signed(p.net, p.currency)
    return text, "warn" if p.stale else figures.tone(p.net)


def at_stop_of(p: PositionView) -> Cell:
    """What the whole trade ends with if its stop is hit."""
    return figures.at_stop(
        p.at_stop, unbounded=p.unbounded, currency=p.currency
    ), "danger" if p.unbounded else "plain"


AT = {"venue": ("V", "plain"), "local": ("L", "plain"), "off": ("off", "warn")}
"""Who closes at a target: the venue, this process, or nobody now."""


def target_of(p: PositionView) -> Cell:
    """The target, and who would close there now."""
    if p.target is None:
        return "", "plain"
    sign, tone = AT.get(p.target_where, ("", "plain"))
    return f"{figures.exact(p.target, p.tick)} {sign}".rstrip(), tone


def limits_of(p: PositionView) -> Cell:
    """What leaves at a limit, and who would see to that now."""
    if not p.limits:
        return "", "plain"
    sign, tone = AT.get(p.limits_where, ("", "plain"))
    first = p.limits[0]
    more = f" +{len(p.limits) - 1}" if len(p.limits) > 1 else ""
    price, size = figures.exact(first.price, p.tick), figures.size(first.left, p.lot)
    return f"#{first.number} {size} at {price}{more} {sign}".rstrip(), tone


def where_of(p: PositionView) -> Cell:
    """What protects it, and, where a target or a trail is watched by nobody now, that too: no other
    column stays at any width.
    """
    word, tone = WHERE[p.protection]
    if "off" in (p.target_where, p.trail_where, p.limits_where) and p.protection in (
        Protection.VENUE,
        Protection.GUARDED,
    ):
        return f"{word}, rest off", "warn"
    return word, tone


def notes_of(p: PositionView) -> Cell:
    """What else is to be known, the most pressing first."""
    said: list[str] = []
    if p.closing:
        said.append("closing")
    if p.dust:
        said.append("dust")
    if p.trail is not None:
        by = (
            figures.plain_percent(p.trail.fraction)
            if p.trail.fraction is not None
            else str(p.trail.amount)
        )
        said.append(
            f"trail {by} off"
            if p.trail_where == "off"
            else f"trail {by}"
            if p.trailing
            else f"trail {by} waits"
        )
    if p.even is not None:
        said.append(f"b/e rule at {figures.price(p.even.price, p.tick)}")
    if (
        p.protection is not Protection.VENUE or "off" in (p.target_where, p.trail_where)
    ) and p.protection_text:
        said.append(p.protection_text)
    said.extend(text for text in (p.label, *(f"#{tag}" for tag in p.tags), p.note) if text)
    return " · ".join(said), "busy" if p.closing else "dim"


POSITIONS: tuple[Column[PositionView], ...] = (
    Column(
        "symbol",
        lambda p, _: (p.symbol, "strong"),
        1,
        6,
        left=True,
        flexible=True,
        order=lambda p: p.symbol,
    ),
    Column("side", lambda p, _: side_of(p), 1, 5, left=True, order=lambda p: p.side.value),
    Column("size", lambda p, _: (figures.size(p.size, p.lot), "plain"), 1, 6),
    Column("entry", lambda p, _: (figures.price(p.entry, p.tick), "plain"), 5, 6),
    Column("mark", lambda p, _: mark_of(p), 4, 6),
    Column("net", lambda p, _: net_of(p), 1, 7, order=lambda p: p.net_in_account or p.net or 0),
    Column(
        "R", lambda p, _: (figures.multiple(p.r), figures.tone(p.r)), 3, 5, order=lambda p: p.r or 0
    ),
    Column("stop", lambda p, _: stop_of(p), 1, 7),
    Column(
        "where",
        lambda p, _: where_of(p),
        1,
        7,
        left=True,
        order=lambda p: list(WHERE).index(p.protection),
    ),
    Column("at stop", lambda p, _: at_stop_of(p), 2, 9, order=lambda p: p.at_stop or 0),
    Column(
        "liq",
        lambda p, _: liquidation_of(p),
        4,
        0,
        order=lambda p: FAR if p.liquidation_away is None else p.liquidation_away,
    ),
    Column(
        "Δ%",
        lambda p, _: (figures.percent(p.stop_away), "dim"),
        6,
        6,
        order=lambda p: abs(p.stop_away or 0),
    ),
    Column("b/e", lambda p, _: (figures.price(p.break_even, p.tick), "dim"), 8, 6),
    Column("1R", lambda p, _: (figures.money(p.one_r), "dim"), 8, 5, order=lambda p: p.one_r or 0),
    Column("fees", lambda p, _: (figures.cost(p.fees), "dim"), 9, 5, order=lambda p: p.fees),
    Column("target", lambda p, _: target_of(p), 7, 8),
    Column("limit", lambda p, _: limits_of(p), 9, 0),
    Column(
        "age",
        lambda p, now: (figures.lasted(now - p.opened_at), "dim"),
        8,
        4,
        order=lambda p: -p.opened_at,
    ),
    Column("notes", lambda p, _: notes_of(p), 9, 8, left=True, flexible=True, least=6),
)
"""What stands in the pane, most important first to last to go."""


def total(positions: tuple[PositionView, ...]) -> tuple[str, str]:
    """Sum of the nets in the account's currency; says when a part of it has no rate."""
    known = [p.net_in_account for p in positions if p.net_in_account is not None]
    value = sum(known, Decimal(0)) if known else None
    missing = len(positions) - len(known)
    return f"Σ net {figures.signed(value)}" + (
        f" without {missing}" if missing else ""
    ), figures.tone(value)


class PositionsPane(ListPane[PositionView]):
    """The list of them."""

    def __init__(self, parts: Parts) -> None:
        empty = parts.keys.spelled("No open positions. «new»: new order")
        super().__init__(POSITIONS, lambda p: p.id, parts.palette, empty=empty, id="positions")

    def broken(self, row: PositionView) -> bool:
        """Not protected, or not as it was asked."""
        return where_of(row)[1] != "good" and row.protection is not Protection.GUARDED

    def show_frame(self, frame: Frame) -> None:
        """Show the open positions, and what they come to together."""
        held = frame.view.positions
        self.show(held, frame.view.at)
        text, tone = total(held) if held else ("", "dim")
        self.head(len(held), text, tone)
