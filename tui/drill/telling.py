"""A grade in words."""

from engine.rehearsal.drills.drill import Drill
from engine.rehearsal.drills.grade import Grade
from engine.rehearsal.drills.judge import Judge
from tui import figures
from tui.report.page import Section, Table
from tui.steps import clock

GOALS = {"flat": "flat at the venue", "protected": "a stop at the venue, or flat"}


def seconds(value: float | None) -> str:
    """A time after the emergency began."""
    return "never" if value is None else f"{value:.1f} s"


def verdict(grade: Grade) -> str:
    """The grade in one line."""
    if not grade.met:
        return f"{grade.letter}: the goal was not met"
    return f"{grade.letter}, {grade.points} of 100"


def figures_of(grade: Grade) -> list[tuple[str, str]]:
    """What was measured, by name; all of it at the venue, but for the keys."""
    return [
        ("goal", GOALS[grade.goal] + ("" if grade.met else ": NOT MET")),
        ("protected after", seconds(grade.protected)),
        ("flat after", seconds(grade.flat)),
        ("best possible", seconds(grade.best)),
        ("naked at the venue", f"{grade.naked:.1f} s"),
        ("wrong keys", str(len(grade.wrong))),
    ]


def wrongs(grade: Grade) -> list[str]:
    """Each key that helped nothing."""
    return [f"{clock(one.at)} {one.text}" for one in grade.wrong]


def better(grade: Grade, before: list[Grade]) -> str:
    """How it compares with the times before."""
    done = [one for one in before if one.met]
    if not done:
        return "first time done" if grade.met and not before else f"tried {len(before) + 1} times"
    best = max(done, key=lambda one: one.points)
    told = f"best before: {verdict(best)}, {seconds(best.flat or best.protected)}"
    return f"{told}   last: {verdict(before[-1])}"


def section(drill: Drill, grade: Grade, judge: Judge) -> Section:
    """The grade as a part of the report."""
    parts: list[str | Table] = [
        f"{verdict(grade)}. {' '.join(drill.briefing.split())}",
        Table(("", ""), tuple(figures_of(grade))),
    ]
    if grade.wrong:
        rows = tuple((clock(one.at), one.text) for one in grade.wrong)
        parts.append(Table(("time", "helped nothing"), rows, ("bad",) * len(rows)))
    if judge.spells:
        spells = tuple(
            (clock(since), clock(until), figures.short(until - since))
            for since, until in judge.spells
        )
        parts.append(Table(("naked from", "to", "lasted"), spells, ("bad",) * len(spells)))
    began = clock(judge.began) if judge.began else "never"
    parts.append(
        f"The emergency began at {began}. These figures are the venue's own truth; what follows is"
        f" our journal. {' '.join(drill.lesson.split())}"
    )
    return Section(f"Drill: {drill.title}", parts)
