"""The command line `flatout`: the console by default, and everything that works without one."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import click


@click.group(invoke_without_command=True)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Flatout: a terminal trading console that keeps custody of a trader's risk."""


@main.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--report", "report_to", metavar="FILE|-", help="Write the JSON report there; - prints only the report.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Where journal and paper account live; default: a fresh temporary one.")
@click.option("--resume", is_flag=True, help="Go on with what is in --home.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
def run(scenario: Path, report_to: str | None, home: Path | None, resume: bool, quiet: bool) -> None:
    """Run a scripted session without a screen."""
    from tui.headless import run_scenario

    sys.exit(run_scenario(scenario, report_to, home, resume=resume, quiet=quiet))


_ = json, shutil, tempfile
