"""The console of a replay: a line with the moment, keys that travel, and an F9 that says that
nothing here can flatten.
"""

from collections.abc import Callable, Iterable

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget

from engine.clock import SECOND
from engine.inspection.rewinding import Rewind
from engine.journal import JournalError
from engine.model.view import View
from tui import figures
from tui.app import FlatoutApp
from tui.buttons import Word
from tui.console import Console, Context
from tui.flows.card import Sheet
from tui.flows.dialog import Dialog
from tui.guide import KeyFooter
from tui.lines import Line, Lines
from tui.link import Link
from tui.plain import clip, plain
from tui.rewind.session import ReplaySession
from tui.screen import MainScreen
from tui.steps import clock

MINUTE = 60 * SECOND
TRAVEL: dict[str, Callable[[Rewind], object]] = {
    "left": lambda rewind: rewind.by_events(-1),
    "right": lambda rewind: rewind.by_events(1),
    "shift+left": lambda rewind: rewind.by_time(-MINUTE),
    "shift+right": lambda rewind: rewind.by_time(MINUTE),
    "pageup": lambda rewind: rewind.by_time(-MINUTE),
    "pagedown": lambda rewind: rewind.by_time(MINUTE),
    "left_square_bracket": lambda rewind: rewind.jump(-1),
    "right_square_bracket": lambda rewind: rewind.jump(1),
}
"""From a key of the main screen to where it travels."""
KEYS: tuple[Word, ...] = (
    (" ", "plain", ""), ("← →", "key", ""), (" an event  ", "plain", ""),
    ("pgup pgdn", "key", ""), (" a minute  ", "plain", ""),
    ("[ ]", "key", ""), (" fill or alert  ", "plain", ""),
    ("q", "key", "quit"), (" quit  ", "plain", "quit"),
    ("?", "key", "help"), (" keys", "plain", "help"),
)  # fmt: skip
WHY = "a replay: what happened has happened"


class ReplaySheet(Dialog):
    """F9 in a replay."""

    title_text = "THIS IS A REPLAY"
    wide = True

    def __init__(self, console: Console, command: str, moment: str) -> None:
        super().__init__(console)
        self._command = command
        self._moment = moment
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """What it is, and what flattens."""
        yield self.card

    def refresh_body(self) -> None:
        """Each line is short enough for 80 columns."""
        self.card.put(
            [
                ((f"It shows {self._moment}. Nothing here can send anything.", "plain"),),
                (),
                (("To flatten the account as it is now, in any shell:", "strong"),),
                ((f"  {self._command}", "key"),),
                (),
                (("or F9 in the account's own console.", "dim"),),
            ]
        )

    def confirm(self) -> None:
        """Nothing to do: it leaves."""
        self.dismiss()

    def enter_words(self) -> str:
        """What enter does."""
        return "back to the replay"


class ReplayFooter(KeyFooter):
    """The last line: the keys that travel."""

    def show(self, context: Context) -> None:
        """They go always."""
        self.put_words(KEYS)


class ReplayLink(Link):
    """The line to a replay."""

    @property
    def why(self) -> str:
        """Why nothing may be asked."""
        return WHY


class ReplayScreen(MainScreen):
    """The main screen with a line that says which moment it is."""

    EXTRA = 1
    rewind: Rewind | None = None
    flattens = "flatout flatten --yes"
    """The command that flattens the account as it is now."""

    def compose(self) -> ComposeResult:
        """What happened stands below the moment."""
        self.footer = ReplayFooter(self.palette, self.keys)
        self.footer.pressed = self.press
        self.where = Lines(self.palette, base="on-background", id="where")
        for part in super().compose():
            yield part
            if part is self.coach:
                yield self.where

    def begin(self, link: Link) -> None:
        """The journal is read."""
        session = link.session
        assert isinstance(session, ReplaySession)
        self.rewind = session.rewind
        super().begin(link)
        self.lead(self)

    def line(self, _: View) -> Line | None:
        """Which moment it is; the row beside it says what happened then."""
        rewind, room = self.rewind, self.app.size.width
        if rewind is None:
            return None
        told = clip(plain(rewind.told()), max(room - 2, 20))
        self.where.put([((f" {told}", "strong"),)])
        missing = "; ".join(rewind.unpriced())
        head = f" REPLAY {when(rewind)}  event {rewind.seq} of {rewind.last}"
        return ((clip(f"{head}{'  ' if missing else ''}{missing}", room), "notice"),)

    def travel(self, key: str) -> bool:
        """Do what a key says; whether it is a key of a replay."""
        go = TRAVEL.get(key)
        if go is None or self.rewind is None:
            return False
        try:
            if go(self.rewind) is False:
                self.say("no fill and no alert that way", "warn")
        except JournalError as error:
            self.alarm(str(error))
        self.show(self.link.look())
        return True

    def flatten(self) -> None:
        """Says what this is, and what flattens."""
        if self.rewind is not None and not isinstance(self.app.screen, ReplaySheet):
            self.app.push_screen(ReplaySheet(self, self.flattens, when(self.rewind)))

    def run(self, name: str) -> None:
        """Leaving a replay leaves nothing open."""
        if name == "quit":
            self.leave()
        else:
            super().run(name)


def when(rewind: Rewind) -> str:
    """The moment in words."""
    return f"{figures.stamp(rewind.at)[:10]} {clock(rewind.at)} UTC"


class RewindApp(FlatoutApp):
    """The console of a replay."""

    MAIN = ReplayScreen
    LINK = ReplayLink

    async def _key(self, event: events.Key) -> None:
        """The keys that travel, where no dialog listens."""
        if self.screen is self.main and isinstance(self.main, ReplayScreen):
            self.app_focus = True
            if self.main.travel(event.key):
                return
        await super()._key(event)
