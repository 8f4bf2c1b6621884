"""`flatout import`: files of prices into files that open at once."""

import sys
import time
from pathlib import Path

import click

from engine.market import MarketError
from engine.market.importing import imported
from engine.market.reading import reading
from engine.market.survey import surveyed
from engine.market.times import DAY
from tui.cli.bars import bar
from tui.cli.data import tell
from tui.cli.output import say

DONE, UNUSABLE = 0, 2


def bring(files: tuple[Path, ...], folder: Path, words: str) -> int:
    """Import, and say what was made; the exit code."""
    try:
        with bar("importing") as progress:
            made = imported(files, folder, reading(words), time.time_ns() + DAY, progress)
    except MarketError as error:
        say(f"flatout import: {error}", err=True)
        return UNUSABLE
    for file in made:
        tell(surveyed(file))
    say(f"play them with: flatout --market {folder}")
    return DONE


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder for what is made, one file for each symbol and kind of price.",
)
@click.option("--as", "reading", metavar="WORDS", default="", help="How the files are to be read.")
def command(files: tuple[Path, ...], folder: Path, reading: str) -> None:
    """Convert files, folders or archives of prices once, so that they open at once and play from
    any time.

    Exit codes: 0 imported, 2 they can't be read or written; nothing is left half made.
    """
    sys.exit(bring(files, folder, reading))
