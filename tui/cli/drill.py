"""`flatout drill [NAME]`: a paper session with a scripted emergency, and a grade."""

import asyncio
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.journal import JournalError
from engine.session import Session
from engine.setup.sections import Settings
from tui.cli.chosen import settings_of
from tui.cli.common import Common
from tui.cli.console import options_of
from tui.cli.output import harmless, say
from tui.cli.report import write_page
from tui.terminal import tell, unfit

if TYPE_CHECKING:
    from engine.rehearsal.drills.drill import Drill
    from engine.rehearsal.drills.grade import Grade
    from engine.rehearsal.drills.world import DrillSession

MET, FAILED, UNUSABLE = 0, 1, 2


def listed(common: Common) -> int:
    """Print the drills with what came of them so far."""
    from engine.rehearsal.drills.drill import drills
    from engine.rehearsal.drills.results import results

    done = results(common.home)
    for drill in drills().values():
        say(f"{drill.number:>2}  {drill.name:<14} {drill.title:<40} {_so_far(done, drill.name)}")
    say("", "flatout drill NAME plays one: on paper, in a home of its own, five minutes each")
    return MET


def _so_far(done: "dict[str, list[Grade]]", name: str) -> str:
    from tui.drill.telling import verdict

    grades = done.get(name, [])
    if not grades:
        return "not tried yet"
    best = max(grades, key=lambda grade: (grade.met, grade.points))
    times = f"{len(grades)} time{'s' if len(grades) > 1 else ''}"
    return f"{times}, best {verdict(best)}, last {verdict(grades[-1])}"


def play(common: Common, name: str) -> int:
    """Play one; 0 where the goal was met."""
    from engine.rehearsal.drills.drill import drills

    known = drills()
    if name not in known:
        say(f"flatout drill: no drill is called {name!r}: {', '.join(known)}", err=True)
        return UNUSABLE
    if any(flag.startswith("account.") for flag in common.flags):
        say(
            "flatout drill: a drill has a paper account of its own, and is never played on another"
            " one: leave --account and account.* out",
            err=True,
        )
        return UNUSABLE
    if why := unfit():
        tell(f"flatout drill: the console needs a terminal, and {why}")
        return UNUSABLE
    folder = Path(tempfile.mkdtemp(prefix="flatout-drill-"))
    try:
        return _played(common, known[name], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _played(common: Common, drill: "Drill", folder: Path) -> int:
    """Open the console on a drill in a home of its own, and tell what came of it."""
    from engine.account.home import Home
    from engine.rehearsal.drills.results import results
    from engine.rehearsal.drills.world import ACCOUNT, DrillSession
    from engine.rehearsal.drills.world import settings_of as made
    from tui.drill.screen import DrillApp, DrillScreen

    loaded = settings_of(common)
    settings = made(drill, loaded.settings)
    home = Home.of(ACCOUNT, folder)
    home.hold(time.time_ns())
    kept: list[DrillSession] = []

    async def session() -> Session:
        found = DrillSession(drill, settings, home)
        await found.open()
        try:
            await found.prepare()
        except BaseException:
            await found.close()
            raise
        kept.append(found)
        return found

    own = Common(common.settings, common.flags, folder)
    app = DrillApp(session, options_of(own, loaded, settings, home.folder))
    assert isinstance(app.main, DrillScreen)
    app.main.drill, app.main.before = drill, results(common.home).get(drill.name, [])
    code = asyncio.run(app.attend())
    if app.last_words:
        tell(harmless(f"flatout drill: {'; '.join(app.last_words)}"))
    grade = kept[0].grade if kept else None
    if grade is None:
        return code or FAILED
    _tell(common, kept[0], settings, home.folder)
    return code or (MET if grade.met else FAILED)


def _tell(common: Common, session: "DrillSession", settings: Settings, folder: Path) -> None:
    """Print the grade, keep it, and write the report beside the results."""
    from engine.inspection.reports import report
    from engine.rehearsal.drills.results import folder as kept_in
    from engine.rehearsal.drills.results import keep, results
    from tui.drill.telling import better, figures_of, section, verdict, wrongs
    from tui.report.html import html_page
    from tui.report.telling import page_of

    drill, grade = session.drill, session.grade
    assert grade is not None
    before = results(common.home).get(drill.name, [])
    say(f"{drill.title}: {verdict(grade)}")
    say(*(f"  {name:<20} {value}" for name, value in figures_of(grade)))
    say(*(f"  helped nothing: {text}" for text in wrongs(grade)))
    say(f"  {better(grade, before)}")
    try:
        keep(common.home, grade)
        page = page_of(report(settings, folder), [section(drill, grade, session.judge)])
        when = datetime.fromtimestamp(grade.at / 1e9, UTC)
        path = kept_in(common.home) / f"{drill.name}-{when:%Y%m%d-%H%M%S}.html"
        write_page(html_page(page), path)
        say(f"  report               {path}")
    except (JournalError, OSError, ValueError) as error:
        say(f"flatout drill: the result can't be kept: {error}", err=True)


@click.command("drill")
@click.argument("name", required=False, default="")
@click.pass_obj
def command(common: Common, name: str) -> None:
    """Play a paper session with a scripted emergency, and grade what you did. Without NAME: list
    the drills, with what came of them so far.

    A drill has a home of its own, which goes with it; no other account is touched. The grade and a
    report are kept beside the accounts.

    Exit codes: 0 the goal was met, 1 it was not, 2 unusable.
    """
    sys.exit(play(common, name) if name else listed(common))
