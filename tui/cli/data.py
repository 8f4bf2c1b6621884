"""`flatout data`: what files of prices hold, in a few lines each, or as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from engine.market import MarketError
from engine.market.files import open_files
from engine.market.reading import reading
from engine.market.stretches import Stretch
from engine.market.survey import Survey, surveyed
from engine.market.times import FOREVER, date_of
from engine.model.counts import counted
from tui.cli.bars import bar
from tui.cli.output import say

USABLE, SOME_NOT, UNUSABLE = 0, 1, 2


def survey(files: tuple[Path, ...], words: str, *, as_json: bool) -> int:
    """Say what is in the files; 0 where all can be played, 1 where one can't, 2 where they can't be
    read at all.
    """
    try:
        opened = open_files(files, reading(words), FOREVER)
        found = []
        for file in opened:
            with bar(f"reading {file.path.name}") as progress:
                found.append(surveyed(file, lambda one: progress(one.consumed / max(one.size, 1))))
            if not as_json:
                tell(found[-1])
    except MarketError as error:
        say(f"flatout data: {error}", err=True)
        return UNUSABLE
    if as_json:
        told = [_plain(one) for one in found]
        say(*json.dumps(told, indent=1, ensure_ascii=False).split("\n"))
    return SOME_NOT if any(one.trouble for one in found) else USABLE


def tell(one: Survey) -> None:
    """Say what is in a file."""
    say(one.sentence)
    for stretch in one.stretches:
        say(f"    {stretch.symbol:<14} {_range(stretch)}, {_gaps(stretch)}")
    if one.bad is not None:
        say(
            f"    {counted(one.skipped, 'row')} can't be used; the first is line {one.bad.line}:"
            f" {one.bad.reason}"
        )
    if one.trouble:
        say(f"    CAN'T BE PLAYED: {one.trouble}")


def _range(stretch: Stretch) -> str:
    rows = f"{stretch.rows:,} row{'s' * (stretch.rows != 1)}"
    return f"{date_of(stretch.first)} to {date_of(stretch.last)} UTC, {rows}"


def _gaps(stretch: Stretch) -> str:
    twice = f", {counted(stretch.twice, 'candle')} twice" if stretch.twice else ""
    if not stretch.gaps:
        return f"no gaps{twice}"
    share = stretch.missing / max(stretch.last - stretch.first, 1) * 100
    longest = f"the longest {stretch.longest / 60e9:,.0f} min"
    return f"{counted(stretch.gaps, 'gap')}, {longest}, {share:.1f} % of the time missing{twice}"


def _plain(one: Survey) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one)
    return told


@click.command("data")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "reading", metavar="WORDS", default="", help="How the files are to be read.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(files: tuple[Path, ...], reading: str, *, as_json: bool) -> None:
    """Say what files, folders or archives of prices hold: what they were taken for, ranges, gaps,
    and rows that can't be used.

    Exit codes: 0 all can be played, 1 one can't, 2 they can't be read.
    """
    sys.exit(survey(files, reading, as_json=as_json))
