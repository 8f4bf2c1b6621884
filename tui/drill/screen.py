"""The console of a drill: a line above the strip, the briefing, the grade, and an ear for keys that
help nothing.
"""

from engine.model.view import View
from engine.rehearsal.drills.drill import Drill
from engine.rehearsal.drills.grade import Grade
from engine.rehearsal.drills.world import DrillSession
from tui.app import FlatoutApp
from tui.commands import DESK, ORDERS, TRADE
from tui.drill.sheets import Briefing, GradeSheet
from tui.drill.telling import GOALS
from tui.lines import Line
from tui.link import Link
from tui.plain import plain
from tui.screen import MainScreen

HANDS = (TRADE, ORDERS, DESK)
"""Groups of commands that act: one that can't be done helps nothing."""


class DrillScreen(MainScreen):
    """The main screen with the drill's line."""

    drill: Drill
    before: list[Grade]
    session: DrillSession | None = None

    def begin(self, link: Link) -> None:
        """The position is open: the briefing comes before anything happens."""
        session = link.session
        assert isinstance(session, DrillSession)
        self.session = session
        session.over = self._over
        super().begin(link)
        self.lead(self)
        self.app.push_screen(Briefing(self, self.drill, session.begin))

    def line(self, _: View) -> Line | None:
        """The drill's line."""
        return None if self.session is None else _line(self.drill, self.session)

    def run(self, name: str) -> None:
        """A command; leaving needs no question, and what can't be done counts."""
        if name == "quit":
            self.leave()
            return
        command = self.command(name)
        why = command.availability(self.context()) if command.group in HANDS else None
        if why is not None and self.session is not None:
            self.session.helped_nothing(f"{self.keys.shown(name)} {command.words}: {plain(why)}")
        super().run(name)

    def _over(self, grade: Grade) -> None:
        if self.app.is_running:
            self.app.push_screen(GradeSheet(self, self.drill, grade, self.before))


def _line(drill: Drill, session: DrillSession) -> Line:
    """Where the drill is; the tone says how it stands."""
    told = session.told()
    head = f" DRILL {drill.name}  goal: {GOALS[drill.goal]}  "
    match told.phase:
        case "ready":
            return ((f"{head}read the briefing", "notice"),)
        case "quiet":
            return ((f"{head}quiet", "notice"),)
        case "emergency":
            state = "met, hold it" if told.met else "NOT MET"
            return (
                (head, "notice"),
                (f" {state} ", "notice" if told.met else "alarm"),
                (f"  {told.since:.1f} s, {told.left:.0f} s left", "notice"),
            )
        case _:
            return ((f"{head}over: «quit» leaves", "notice"),)


class DrillApp(FlatoutApp):
    """The console of a drill."""

    MAIN = DrillScreen
