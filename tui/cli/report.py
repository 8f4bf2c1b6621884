"""`flatout report [DAY|POSITION]`: what happened, as one page, from the journal alone. Never sends
anything.
"""

import os
import sys
from pathlib import Path

import click

from engine.inspection.reports import NothingThereError, report
from engine.journal import JournalError
from tui.cli.bars import busy
from tui.cli.chosen import account_of
from tui.cli.common import FILE, Common
from tui.cli.output import say
from tui.cli.whole import whole
from tui.plain import plain
from tui.report.html import html_page
from tui.report.markdown import markdown_page
from tui.report.page import Page
from tui.report.telling import page_of

DONE, NOTHING, UNUSABLE = 0, 1, 2
HTML = {".html", ".htm"}
WRITERS = {"md": markdown_page, "html": html_page}


def written(page: Page, form: str | None, output: Path | None) -> None:
    """Write a page to a file that only its owner reads, or to standard output. Raises OSError."""
    if form is None:
        form = "html" if output is not None and output.suffix.lower() in HTML else "md"
    text = WRITERS[form](page)
    if output is None:
        say(*text.rstrip("\n").split("\n"))
        return
    write_page(text, output)


def write_page(text: str, path: Path) -> None:
    """Write a file that only its owner reads. Raises OSError."""
    with whole(path) as beside:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


def write_report(common: Common, what: str, form: str | None, output: Path | None) -> int:
    """Write the report; the exit code."""
    resolved = account_of(common, command="report")
    path = resolved.folder / "journal.sqlite"
    try:
        if resolved.settings.journal.url is None and not path.exists():
            raise JournalError(f"{resolved.label()}: no journal is here; name another --home")
        with busy("reading the journal"):
            incident = report(resolved.settings, resolved.folder, what)
            page = page_of(incident)
        written(page, form, output)
    except NothingThereError as error:
        say(f"flatout report: {plain(str(error))}", err=True)
        return NOTHING
    except JournalError as error:
        say(f"flatout report: {plain(str(error))}", err=True)
        return UNUSABLE
    except OSError as error:
        where = error.filename or output or "standard output"
        say(f"flatout report: {where}: {error.strerror or error}", err=True)
        return UNUSABLE
    if output is not None:
        say(f"{output}: {plain(incident.about)}, {len(incident.steps)} steps")
    return DONE


@click.command("report")
@click.argument("what", metavar="[DAY|POSITION]", default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(WRITERS)),
    help="Default: by the name of the file, md for standard output.",
)
@click.option("--output", "-o", type=FILE, help="The file to write; default: standard output.")
@click.pass_obj
def command(common: Common, what: str, form: str | None, output: Path | None) -> None:
    """Write what happened as one page, from the journal alone: asked, sent, answered, filled,
    naked, alerted, with times. Sends nothing.

    DAY is 2026-12-01, today or yesterday; without one it is the last day that the journal has.
    POSITION is the id of a position, of an order or of an intent, or `last`. HTML has pictures and
    asks no other host for anything.

    Exit codes: 0 it is written, 1 the journal has nothing of it, 2 unusable.
    """
    sys.exit(write_report(common, what, form, output))
