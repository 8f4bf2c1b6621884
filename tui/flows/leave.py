"""Quit: says what goes on at the venue without this process, and what stops working with it. What
protects and stops is confirmed by a word.
"""

from collections.abc import Iterable

from textual.widget import Widget

from engine.model.counts import counted
from engine.model.intent import CancelAll
from engine.model.order import Order, Role
from engine.model.position import Protection
from engine.model.view import OrderView, PositionView, View
from tui import figures
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.dialog import Dialog
from tui.lines import Line
from tui.link import new_id
from tui.panes.orders import price_of
from tui.panes.positions import side_of
from tui.plain import lines, plain

WORD = "quit"


def goes_on(view: View) -> list[str]:
    """What the venue goes on with: exits that rest, closes under way, and entries, which nobody
    protects once they fill.
    """
    found = [
        text
        for order in view.orders
        if order.order.is_exit and not order.order.foreign and (text := _resting(order))
    ]
    for order in view.orders:
        if _may_fill(order):
            text = f"{plain(order.order.symbol)} entry {_what(order)}"
            found.append(
                f"{text}: it may fill, and no stop will follow" if view.account.live else text
            )
    return found


def stops(view: View) -> list[str]:
    """What works only while this process runs, most pressing first."""
    found = [text for p in view.positions if not p.dust and (text := _unprotected(p))]
    idle = " (halted: nobody watches it now either)" if view.mode == "HALTED" else ""
    for p in view.positions:
        name = plain((p.label and f"{p.label} {p.symbol}") or p.symbol)
        if p.trail is not None:
            found.append(f"{name} trail: its stop follows no more{idle}")
        if p.target is not None and p.target_where in ("local", "off"):
            found.append(f"{name} target {figures.exact(p.target, p.tick)} LOCAL{idle}")
        found += [
            f"{name} limit exit {figures.exact(one.price, p.tick)} LOCAL{idle}"
            for one in p.limits
            if p.limits_where != "venue"
        ]
        if p.closing:
            found.append(f"{name} is being closed: what is not filled is not sent again")
    found += [
        f"{plain(order.order.symbol)} entry {_what(order)}: its expiry at"
        f" {figures.clock(order.order.expires_at)} LOCAL"
        for order in view.orders
        if order.order.expires_at is not None and _may_fill(order)
    ]
    found += [
        f"{plain(alert.symbol)} price alert {plain(alert.told)}" for alert in view.price_alerts
    ]
    if view.flatten is not None and view.flatten.ended_at is None:
        found.append("the flatten that is under way")
    return [*found, "alerts, the record, notifications"]


def dangerous(view: View) -> bool:
    """Whether something that protects ends here, or a real entry may fill with nobody to place its
    stop.
    """
    bare = any(_unprotected(p) or p.trail is not None for p in view.positions if not p.dust)
    return bare or (view.account.live and any(_may_fill(order) for order in view.orders))


def _unprotected(p: PositionView) -> str:
    """A position that has no full stop at the venue, in words; empty for one that has."""
    if p.protection is Protection.VENUE:
        return ""
    what = f"{plain(p.symbol)} {side_of(p)[0].lower()} {figures.size(p.size, p.lot)}"
    if p.stop_wanted is None:
        return f"{what} has no stop at all"
    level = figures.exact(p.stop_wanted, p.tick)
    return (
        f"{what} stop {level}"
        f" {'covers a part of it' if p.protection is Protection.PARTIAL else 'LOCAL'}"
    )


def _may_fill(order: OrderView) -> bool:
    return order.order.role is Role.ENTRY and not order.order.foreign


def _resting(order: OrderView) -> str:
    o = order.order
    if o.role is Role.CLOSE:
        return f"{plain(o.symbol)} close of {figures.size(o.remaining, order.lot)}"
    return (
        f"{plain(o.symbol)} {o.role.value} {_level(o, order)} for"
        f" {figures.size(o.remaining, order.lot)}"
        if o.is_working
        else ""
    )


def _level(o: Order, order: OrderView) -> str:
    return figures.exact(o.trigger if o.trigger is not None else o.price, order.tick)


def _what(order: OrderView) -> str:
    o = order.order
    return f"{o.side.value} {figures.size(o.remaining, order.lot)} at {price_of(order)[0].strip()}"


class Leave(Dialog):
    """`q`."""

    title_text = "Quit"
    wide = True
    # leaving trades nothing, and never waits for a terminal that has stopped reading
    must_be_seen = False

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.word = Field(console.palette, hint=WORD, most=8, id="word")
        self.word.told = self.edited
        self._entry = Entry(console.palette, f"type {WORD}", self.word)
        self._entry.add_class("long-label")
        self.card = Sheet(console.palette, id="card")
        self._elsewhere = console.link.elsewhere
        """The process of an engine that goes on without this console; 0 where it ends with it."""
        self._started = bool(self._elsewhere) and console.options.started_engine
        self._ends_engine = False
        self._danger = not self._elsewhere and dangerous(console.link.view)
        self.first = self.word if self._danger else None

    def body(self) -> Iterable[Widget]:
        """A word where one is needed, then both lists."""
        if self._danger:
            yield self._entry
        yield self.card

    def refresh_body(self) -> None:
        """As it is now; what became dangerous meanwhile needs its word."""
        view = self.console.link.view
        if not self._elsewhere and dangerous(view) and not self._danger:
            self._danger = True
            self.query_one(".dialog").mount(self._entry, before=self.card)
            self.first = self.word
            self.call_after_refresh(self.set_focus, self.word)
            self.arm()
        self.card.put(self._lists(view))

    def _lists(self, view: View) -> list[Line]:
        if self._elsewhere:
            return self._goes_on_without(view)
        ends, stays = stops(view), goes_on(view)
        if not view.positions and not stays:
            return [(("nothing is open", "dim"),)]
        tone = "danger" if self._danger else "strong"
        what = "the engine" if self._ends_engine else "this process"
        found = [((f"stops working now, with {what}", tone),), *self._said(ends)]
        found += [(), (("goes on at the venue", "strong"),), *self._said(stays or ["nothing"])]
        if not view.account.live:
            found.append((("paper: its orders rest until the next start", "dim"),))
        return found

    def _goes_on_without(self, view: View) -> list[Line]:
        """The engine is another process: nothing ends here but the looking."""
        if self._started and not view.open:
            return [
                (("nothing is open: the engine ends too", "strong"),),
                *self._said(["unless another console looks at it"]),
            ]
        held = sum(not p.dust for p in view.positions)
        watched = f"it goes on watching {counted(held, 'position')}" if held else "it goes on"
        return [
            (("the engine goes on", "strong"),),
            *self._said(
                [
                    f"process {self._elsewhere} holds the account: {watched}",
                    f"flatout attach {plain(view.account.name)} looks at it again",
                    f"flatout engines stop {plain(view.account.name)} ends it in order",
                    *(
                        ["s stops the engine instead, and says first what that ends"]
                        * self._started
                    ),
                ]
            ),
        ]

    def _said(self, texts: list[str]) -> list[Line]:
        found: list[Line] = []
        for text in texts:
            first, *rest = lines(text, max(self.room - 4, 20))
            found.append((("  · ", "dim"), (first, "plain")))
            found.extend((("    ", "dim"), (more, "plain")) for more in rest)
        return found

    def pressed(self, key: str) -> bool:
        """Where no word is typed: cancel the entries first, or stop the engine."""
        if key == "s" and self._started and self.phase == "open" and self.console.link.view.open:
            self._elsewhere = 0  # from here on as for an engine of this process
            self._ends_engine = True
            self.refresh_body()
            return True
        if self._danger or self._elsewhere or self.phase != "open":
            return False
        if key == "c" and any(_may_fill(order) for order in self.console.link.view.orders):
            self.console.ask(CancelAll(id=new_id()), "cancel all entries")
            self.report("cancelling all entries …", "busy")
        return key == "c"

    def is_typed(self) -> bool:
        """Whether the word stands in the field."""
        return self.word.value.strip().lower() == WORD

    def armed(self, at: float) -> bool:
        """As soon as the word is typed, however fast: nobody types it for anything else."""
        return (self._danger and self.is_typed()) or super().armed(at)

    def confirm(self) -> None:
        """Leave in order."""
        if self._danger and not self.is_typed():
            self.report(
                f"something that protects ends here: type {WORD}, then enter; esc stays", "bad"
            )
            return
        self.phase = "sent"
        self.report(
            "leaving …" if self._elsewhere else "leaving: what is on the way is waited for …",
            "busy",
        )
        if self._ends_engine or (self._started and not self.console.link.view.open):
            self.console.link.end_engine(self._engine_told, alone=not self._ends_engine)
        else:
            self.console.leave()

    def _engine_told(self, why: str) -> None:
        """The engine ends, or says why not; one that only was to end where nobody else looks goes
        on.
        """
        if why and self._ends_engine:
            self.phase = "open"
            self.report(f"the engine goes on: {plain(why)}", "bad")
        else:
            self.console.leave()

    def enter_words(self) -> str:
        """What enter does."""
        if self._ends_engine:
            return "stops the engine and leaves"
        cancels = not (self._danger or self._elsewhere) and any(
            _may_fill(order) for order in self.console.link.view.orders
        )
        return "leaves   c cancels the entries first" if cancels else "leaves"
