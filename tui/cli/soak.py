"""`flatout soak`: random stories of a whole engine, for as long as one likes; what fails is shrunk
and kept.
"""

import os
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from engine.rehearsal.simulation.draw import draw
from engine.rehearsal.simulation.shrink import shrink
from engine.rehearsal.simulation.soak import run, soak
from engine.rehearsal.simulation.story import Story, StoryError, encode, read
from engine.rehearsal.simulation.summary import Finding, Summary
from tui.cli.common import FILE, FOLDER
from tui.cli.output import say

UNUSABLE, VIOLATED = 2, 3


def play_again(path: Path) -> int:
    """Play one story again and say how it went."""
    try:
        story = read(path)
    except StoryError as error:
        say(f"flatout soak: {error}", err=True)
        return UNUSABLE
    outcome = run(story)
    for violation in outcome.violations:
        say(f"VIOLATED {violation.invariant}: {violation.detail}")
    say(
        f"{len(story.steps)} steps, {outcome.intents} intents, {outcome.crashes} crashes,"
        f" {outcome.checked} checks"
    )
    return VIOLATED if outcome.violations else 0


def search(
    hours: float | None, stories: int | None, first: int, steps: int, jobs: int, keep: Path
) -> int:
    """Play stories until the time or their number is up; 0 if every invariant held, 3 if not."""
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    began = time.monotonic()
    seconds = None if hours is None else hours * 3600

    def done(summary: Summary) -> float:
        by_time = 0.0 if seconds is None else (time.monotonic() - began) / seconds
        return max(by_time, 0.0 if stories is None else summary.stories / stories)

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    summary = Summary()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("soaking", total=1.0)
        try:
            for summary in soak(first, steps, jobs, lambda so_far: done(so_far) < 1):
                bar.update(
                    task,
                    completed=min(done(summary), 1.0),
                    description=f"{summary.stories} stories, {summary.failed} failed",
                )
        except KeyboardInterrupt:
            say("stopped; what was played so far:", err=True)
    summarise(summary, time.monotonic() - began)
    for finding in summary.findings[:5]:
        _keep(finding, steps, keep)
    return VIOLATED if summary.failed else 0


def summarise(summary: Summary, seconds: float) -> None:
    """A table for a person."""
    table = Table("", "", box=None, show_header=False, pad_edge=False)
    table.add_row("stories", f"{summary.stories:,} in {seconds:.0f} s")
    table.add_row("intents", f"{summary.intents:,}")
    table.add_row("decisions, checks", f"{summary.decisions:,}, {summary.checked:,}")
    table.add_row("crashes survived", f"{summary.crashes:,}")
    for name in sorted(summary.counts):
        table.add_row(f"  {name}", f"{summary.counts[name]:,}")
    p50, p99 = summary.flat_at(0.5), summary.flat_at(0.99)
    if p50 is not None and p99 is not None:
        table.add_row("seconds to flat", f"p50 {p50:.1f}, p99 {p99:.1f} (simulated)")
    table.add_row("failed", f"{summary.failed:,}")
    Console(highlight=False, markup=False).print(table)


def _keep(finding: Finding, steps: int, folder: Path) -> None:
    """Shrink a story that failed, and write it where it can be replayed."""
    wanted = {violation.invariant for violation in finding.violations}
    story = draw(finding.seed, steps)

    def fails(candidate: Story) -> bool:
        return any(violation.invariant in wanted for violation in run(candidate).violations)

    try:
        story = shrink(story, fails)
    except ValueError as error:
        say(f"seed {finding.seed}: {error}")
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"story-{finding.seed}.json"
    path.write_bytes(encode(story))
    say(f"seed {finding.seed}: {finding.violations[0].invariant}: {finding.violations[0].detail}")
    say(f"  {len(story.steps)} steps are left of it; again with: flatout soak --replay {path}")
    say(*str(story).split("\n"))


@click.command("soak")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="How long to search.")
@click.option(
    "--stories",
    type=click.IntRange(min=1),
    help="How many stories to play; 200 if neither is given.",
)
@click.option(
    "--seed",
    "first",
    type=int,
    default=0,
    show_default=True,
    help="The first story's seed; the next ones count up.",
)
@click.option(
    "--steps",
    type=click.IntRange(1, 10_000),
    default=24,
    show_default=True,
    help="About how long a story is.",
)
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes; default: one per core.")
@click.option(
    "--keep",
    type=FOLDER,
    default=Path(),
    help="Where stories that fail are written; default: here.",
)
@click.option("--replay", type=FILE, help="Play one story from a file instead.")
def command(
    hours: float | None,
    stories: int | None,
    first: int,
    steps: int,
    jobs: int | None,
    keep: Path,
    replay: Path | None,
) -> None:
    """Search for what breaks the promise: random stories of faults, crashes and keys, checked after
    every step.

    Exit codes: 0 every invariant held, 2 the story can't be read, 3 an invariant was violated.
    """
    if replay is not None:
        sys.exit(play_again(replay))
    if hours is None and stories is None:
        stories = 200
    sys.exit(search(hours, stories, first, steps, jobs or os.cpu_count() or 1, keep))
