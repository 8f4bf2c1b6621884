"""`flatout run`: a scenario without a screen, its summary and its exit code."""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from engine.exchange import StoreError
from engine.journal import JournalError
from engine.market import MarketError
from engine.model.secrets import masked
from engine.rehearsal.scenario.run import execute
from engine.rehearsal.scenario.script import read
from engine.rehearsal.scenario.words import ScenarioError
from tui.cli.common import FOLDER
from tui.cli.output import harmless, say
from tui.cli.run_summary import summarise

UNUSABLE, VIOLATED, UNEXPECTED = 2, 3, 4


def _check_folders(home: Path | None, report_to: str | None, *, resume: bool) -> None:
    """Raises ScenarioError where a folder is not as the options say."""
    if home is None:
        if resume:
            raise ScenarioError("--resume needs --home: the folder of the session to go on with")
    elif (home / "journal.sqlite").exists() is not resume:
        there = (
            "there is no session in it to go on with"
            if resume
            else "there is a session in it already; add --resume to go on with it"
        )
        raise ScenarioError(f"--home {home}: {there}, or name another folder")
    if report_to not in (None, "-") and not Path(report_to).absolute().parent.is_dir():
        raise ScenarioError(
            f"--report {report_to}: there is no folder {Path(report_to).absolute().parent}"
        )
    if report_to not in (None, "-") and Path(report_to).is_dir():
        raise ScenarioError(f"--report {report_to}: is a folder; name a file, or - to print it")


def run_scenario(
    scenario: Path, report_to: str | None, home: Path | None, *, resume: bool, quiet: bool
) -> int:
    """Run it, say how it went, and return the exit code: 0 held, 2 unusable, 3 an invariant
    violated, 4 an expectation not met.
    """
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    temporary: Path | None = None
    try:
        _check_folders(home, report_to, resume=resume)
        if home is None:
            temporary = home = Path(tempfile.mkdtemp(prefix="flatout-"))
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        report = _execute(scenario, home, errors, silent=quiet or report_to == "-")
    except OSError as error:
        say(f"flatout run: {error.filename or home}: {error.strerror or error}", err=True)
        return UNUSABLE
    except (ScenarioError, MarketError, JournalError, StoreError, ValueError) as error:
        say(f"flatout run: {error}", err=True)
        return UNUSABLE
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return _told(report, report_to, quiet=quiet)


def _told(report: dict[str, Any], to: str | None, *, quiet: bool) -> int:
    """Write the report where it is to go, say how it went, and return the exit code."""
    if to is not None:
        text = json.dumps(report, indent=1, ensure_ascii=False)
        try:
            if to == "-":
                say(*text.split("\n"))
            else:
                Path(to).write_text(masked(text) + "\n", encoding="utf-8")
        except BrokenPipeError:
            raise  # nobody reads any more
        except OSError as error:
            say(f"flatout run: --report {to}: {error.strerror or error}", err=True)
            return UNUSABLE
    if not quiet and to != "-":
        summarise(report)
    if report["invariants"]["violations"]:
        return VIOLATED
    return UNEXPECTED if any(not told["ok"] for told in report["expectations"]) else 0


def _execute(scenario: Path, home: Path, errors: Console, *, silent: bool) -> dict[str, Any]:
    script = read(scenario)
    if silent or not errors.is_terminal:
        return execute(script, home)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(escape(harmless(script.name)), total=1.0)
        return execute(script, home, lambda done: bar.update(task, completed=done))


@click.command("run")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--report",
    "report_to",
    metavar="FILE|-",
    help="Write the JSON report there; - prints only the report.",
)
@click.option(
    "--home",
    type=FOLDER,
    help="Where journal and paper account live; default: a fresh temporary one.",
)
@click.option("--resume", is_flag=True, help="Go on with what is in --home.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
def command(
    scenario: Path, report_to: str | None, home: Path | None, resume: bool, quiet: bool
) -> None:
    """Run a scripted session without a screen."""
    sys.exit(run_scenario(scenario, report_to, home, resume=resume, quiet=quiet))
