"""Pane 5: the price ladder of the focus symbol. It shows; what its keys do is in `tui.ladder`."""

import time
from decimal import Decimal
from typing import cast

from textual import events
from textual.content import Content
from textual.style import Style

from engine.model.intent import AnyIntent
from engine.model.view import Preview
from engine.session.messages import DepthTold, Try
from tui.console import Console
from tui.ladder import drawing, words
from tui.ladder.arming import Situation
from tui.ladder.rows import Row, levels_of, rows_of
from tui.ladder.state import Ladder
from tui.latest import Latest
from tui.lines import Line, Lines
from tui.options import ConsoleOptions
from tui.panes.pane import Frame, Pane, Parts, whole

CHROME, LEAST = 5, 3
"""Lines that are no prices, and prices that are shown in any case: a low pane has less around
them.
"""
OFFERED = 5
"""Frames between two questions what a limit at the cursor would do."""
WHEEL = 3
"""Rows that a turn of the wheel scrolls."""


class LadderPane(Pane, Lines, can_focus=True):
    """The ladder."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.palette, id="ladder")
        self._keys = parts.keys
        self.ladder = Ladder()
        self._latest: Latest | None = None
        self._frames = self._above = 0
        self._asked = False
        """Whether the book of the last frame is still to be told."""
        self._drawn: dict[Decimal, tuple[Row, drawing.Look, Line]] = {}
        self._titled: tuple[object, ...] = ()
        self._pressed: tuple[float, Decimal] | None = None
        """Where a button of the mouse went down: when, and at which price."""

    def _spelled(self, line: Line) -> Line:
        return tuple((self._keys.spelled(text), tone) for text, tone in line)

    @property
    def console(self) -> Console:
        """The screen that it is part of."""
        return cast("Console", self.screen)

    def begin(self) -> None:
        """The engine is open; the ladder is locked."""
        self.ladder = Ladder(self.console.options)
        self._latest = Latest(self.console.link.session.query, self._answered)

    def take(self, options: ConsoleOptions) -> None:
        """Its presets and templates."""
        self.ladder.options = options

    # frames

    def show_frame(self, frame: Frame) -> None:
        """Ask for the book of this moment, and draw once it is told. What is known is drawn at once
        where there is nothing to ask, or the question before has no answer yet.
        """
        self.ladder.show(frame)
        self.look()
        waits, self._asked = self._asked, False
        if self._latest is not None and frame.symbol:
            self._frames += 1
            query = self.ladder.query()
            self.ladder.take(query, self._latest.of(query, DepthTold))
            self._asked = True
            self._ask_offer()
        if waits or not self._asked:
            self.draw()

    def _answered(self) -> None:
        """The engine has told something: paint it now, and not with the next frame."""
        if self._latest is None or self.ladder.frame is None or not self.is_mounted:
            return
        query = self.ladder.query()
        told = self._latest.of(query, DepthTold, ask=False)
        if self.ladder.take(query, told) or self._asked:
            self._asked = False
            self.draw()

    def _ask_offer(self) -> None:
        """What a limit at the cursor, or the change of what is grabbed, would do."""
        from tui.ladder.acting import offered  # here, because the first paint needs no dialog

        intent: AnyIntent | None = offered(self)
        self.ladder.offer = None
        if intent is not None and self._latest is not None:
            ask = self._frames % OFFERED == 1
            self.ladder.offer = self._latest.of(Try(intent), Preview, ask=ask)

    # armed or locked

    def situation(self) -> Situation:
        """All that arming depends on."""
        frame = self.ladder.frame
        assert frame is not None
        from tui.ladder.grabbing import CARD  # here, because the first paint needs no dialog

        main, top = self.screen, self.app.screen
        link = self.console.link
        return Situation(
            frame.view,
            frame.symbol,
            listens=main.focused is self and self.app.app_focus,
            layout=self.console.arrangements.shown,
            shown=self.display and (top is main or top.has_class(CARD)),
            book=self.ladder.book_trouble(),
            read_only=link.why,
            still=self.console.options.screen_reader,
            gone=link.gone_for,
        )

    def look(self) -> None:
        """Lock where something says so."""
        why = self.ladder.arming.look(self.situation(), time.monotonic())
        if why:
            self.console.say(f"ladder locked: {why}", "warn")

    def lock_it(self, why: str) -> None:
        """Lock, and say why."""
        self.ladder.pending = None
        if self.ladder.arming.armed:
            self.ladder.arming.lock(why)
            self.console.say(f"ladder locked: {why}", "warn")
        self.draw()

    def on_blur(self) -> None:
        """The keyboard went to another pane."""
        if self.app.screen is self.screen:
            self.lock_it("the focus is elsewhere")

    def on_hide(self) -> None:
        """The layout shows it no more."""
        if self._latest is not None:
            self.lock_it("another layout or screen")

    # drawing

    def draw(self) -> None:
        """Paint what is known, and remember that it was painted."""
        ladder, now = self.ladder, time.monotonic()
        if ladder.frame is None or self.size.width < 20:
            return
        self._entitle()
        told = ladder.told
        around = max(min(self.size.height - LEAST, CHROME), 0)
        if not ladder.place(self.size.height - around, now) or told is None:
            self.put([((f" no price of {ladder.symbol} yet", "faint"),)])
            return
        width, window = self.size.width, ladder.window
        prices, currency = drawing.price_width(window), ladder.frame.view.account.currency
        rows = rows_of(ladder.shown(told))
        look = self._look_of(rows)
        lines = [self._line(row, look, width, prices) for row in rows]
        away = drawing.away_line(levels_of(ladder.position), window, words.age(ladder), width)
        head = drawing.head(width, prices, trades=told.trades)
        above = [
            *([whole(self._spelled(words.template_line(ladder)), width)] if around >= 5 else []),
            *(
                [whole(self._spelled(words.size_line(ladder, currency)), width)]
                if around >= 2
                else []
            ),
            *([head] if around >= 3 else []),
        ]
        below = [
            *([away] if around >= 4 else []),
            *([whole(words.cursor_line(ladder, currency, now), width)] if around else []),
        ]
        self._above = len(above)
        self.put([*above, *lines, *below])
        ladder.painted(now)

    def _look_of(self, rows: list[Row]) -> drawing.Look:
        ladder, terms = self.ladder, self.ladder.terms
        assert terms is not None
        grab = ladder.grab
        return drawing.Look(
            ladder.window.tick,
            terms.lot,
            ladder.window.cursor,
            None if grab is None else ladder.window.nearest(grab.price),
            max((row.volume for row in rows), default=Decimal(0)),
        )

    def _line(self, row: Row, look: drawing.Look, width: int, prices: int) -> Line:
        """The line of a row, which is made anew only where something in it differs."""
        kept = self._drawn.get(row.price)
        if kept is not None and kept[0] == row and kept[1] == look:
            return kept[2]
        if len(self._drawn) > 4 * self.ladder.window.rows:
            self._drawn.clear()
        line = drawing.line_of(row, look, width, prices)
        self._drawn[row.price] = (row, look, line)
        return line

    def on_resize(self) -> None:
        """Draw for the new room."""
        self._drawn.clear()
        self._titled = ()
        self.draw()

    def recolour(self) -> None:
        """The look has changed."""
        self._titled = ()
        super().recolour()

    def _entitle(self) -> None:
        """Word, reverse title, colour and keys say whether it is armed."""
        ladder = self.ladder
        armed, told = ladder.arming.armed, ladder.told
        why = "" if armed else ladder.arming.refusal(self.situation())
        only = told is not None and not told.deep
        said = (armed, ladder.symbol, only, why, self.size.width, self.palette.generation)
        if said == self._titled:
            return
        self._titled = said
        self.set_class(armed, "-armed")
        reverse = Style.from_rich_style(self.palette["alarm"])
        key = self.console.key("ladder-arm")
        self.border_title = Content.assemble(
            f"{self.title}  {ladder.symbol}  ",
            (" ARMED ", reverse) if armed else "locked",
            "  best only" if only else "",
            f"  {key}: {'lock' if armed else 'arm'}",
        )
        keys = self._keys.spelled(words.KEYS_ARMED)
        below = keys if armed else f"locked: {why}" if why else "order keys: ticket"
        self.border_subtitle = Content(words.fits(below, self.size.width - 4) or below[:0])

    def acted_on(self) -> list[int]:
        """The row of the cursor, and the line below that says what a key would do there."""
        window = self.ladder.window
        prices = window.prices() if window.group else []
        rows = [y for y, price in enumerate(prices, self._above) if price == window.cursor]
        return [*rows, len(self.shown) - 1]

    # keys and the mouse

    def do(self, what: str) -> str:
        """A key of the ladder."""
        from tui.ladder.acting import press  # here, because the first paint needs no dialog

        return press(self, what)

    def price_at(self, y: int) -> Decimal | None:
        """The price of a line; None for one that is no price."""
        row, window = y - self._above, self.ladder.window
        return window.prices()[row] if 0 <= row < window.rows and window.group else None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click, or the beginning of a drag."""
        price = self.price_at(event.y - self._border)
        self.ladder.window.touched_at = time.monotonic()
        self._pressed = None if price is None else (event.time, price)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """The end of a click or of a drag."""
        from tui.ladder.mousing import released  # here, because the first paint needs no dialog

        began, self._pressed = self._pressed, None
        price = self.price_at(event.y - self._border)
        if began is not None and price is not None:
            x = event.x - self._border
            self.typed_at = event.time
            side = drawing.side_at(self.size.width, drawing.price_width(self.ladder.window), x)
            released(self, began, price, side, event)

    @property
    def _border(self) -> int:
        """Cells of the frame before the content."""
        return 1

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll; the cursor stays."""
        self._scroll(WHEEL, event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll; the cursor stays."""
        self._scroll(-WHEEL, event)

    def _scroll(self, rows: int, event: events.MouseEvent) -> None:
        now = time.monotonic()
        self.ladder.window.scroll(rows, now)
        self.ladder.window.touched_at = now
        event.stop()
        self.draw()
