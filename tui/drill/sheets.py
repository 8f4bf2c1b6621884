"""What stands before and after a drill: the briefing, and the grade."""

from collections.abc import Callable, Iterable

from textual.widget import Widget

from engine.rehearsal.drills.drill import Drill
from engine.rehearsal.drills.grade import Grade
from tui.console import Console
from tui.drill.telling import GOALS, better, figures_of, verdict, wrongs
from tui.flows.card import Sheet
from tui.flows.dialog import Dialog
from tui.lines import Line
from tui.plain import lines

MOST = 5
"""Wrong keys that are shown; the report has all."""


class Briefing(Dialog):
    """What the person knows before it begins."""

    wide = True

    def __init__(self, console: Console, drill: Drill, begin: Callable[[], None]) -> None:
        super().__init__(console)
        self.title_text = f"DRILL {drill.number}: {drill.title}"
        self._drill = drill
        self._begin = begin
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The briefing, the goal, the keys."""
        yield self.card

    def refresh_body(self) -> None:
        """Nothing happens until enter."""
        drill = self._drill
        told: list[Line] = [
            ((row, "plain"),) for row in lines(" ".join(drill.briefing.split()), self.room)
        ]
        goal = f"{GOALS[drill.goal]}, {drill.par:g} s after the best possible or sooner"
        told += [
            (),
            (("goal  ", "dim"), (goal, "strong")),
            (("keys  ", "dim"), (self.console.keys.spelled(drill.keys), "key")),
        ]
        told += [(), (("paper, in a home of its own: nothing real can happen", "dim"),)]
        self.card.put(told)

    def confirm(self) -> None:
        """It begins."""
        self.dismiss()
        self._begin()

    def back(self) -> None:
        """Esc: not now."""
        self.console.leave()

    def keys_line(self) -> Line:
        """Esc leaves the drill, and not this sheet alone."""
        enter = " begins: the emergency comes within seconds   "
        return (("enter", "key"), (enter, "plain"), ("esc", "key"), (" leaves", "dim"))


class GradeSheet(Dialog):
    """What came of it."""

    wide = True

    def __init__(self, console: Console, drill: Drill, grade: Grade, before: list[Grade]) -> None:
        super().__init__(console)
        self.title_text = f"{drill.title}: {verdict(grade)}"
        self._drill, self._grade, self._before = drill, grade, before
        self.card = Sheet(console.palette, id="card")

    def body(self) -> Iterable[Widget]:
        """The figures, what helped nothing, the lesson."""
        yield self.card

    def refresh_body(self) -> None:
        """As the venue knows it."""
        grade = self._grade
        told: list[Line] = [
            ((f"{name:<20}", "dim"), (value, "plain")) for name, value in figures_of(grade)
        ]
        told += [((f"  {text}", "warn"),) for text in wrongs(grade)[:MOST]]
        told += [(), ((better(grade, self._before), "strong"),), ()]
        lesson = " ".join(self._drill.lesson.split())
        told += [((row, "plain"),) for row in lines(lesson, self.room)]
        self.card.put(told)

    def confirm(self) -> None:
        """Out; the report is written then."""
        self.console.leave()

    def enter_words(self) -> str:
        """What enter does."""
        return "leaves, and writes the report"
