"""`flatout journal`: what is written down, checked, told and added up."""

import sys
import time
from itertools import takewhile

import click
from rich.console import Console
from rich.progress import Progress

from engine.account import summary as summaries
from engine.account.summary import Summary
from engine.account.witness import set_back
from engine.desk import State, encode_state
from engine.inspection import looking
from engine.journal import Journal, JournalError
from engine.model.counts import counted
from engine.records import replay as replayed
from engine.setup.sections import Settings
from tui.cli.bars import busy, counting
from tui.cli.chosen import account_of
from tui.cli.common import Common
from tui.cli.output import say


def verify(common: Common) -> int:
    """0: all is well; 1: something is not as it was written, or the home knows more than the
    journal.
    """
    known, gone = _known(common)  # first: an engine that runs writes it after the journal
    if known is not None and gone:
        say(set_back(known, 0, lambda _: None, lambda _: False, "") + "; there is no journal now")
        return 1
    journal, _ = open_journal(common)
    try:
        with Progress(
            console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
        ) as bar:
            task = bar.add_task("verifying", total=None)
            faults = journal.verify(
                lambda done, total: bar.update(task, completed=done, total=total)
            )
        events = journal.last_seq
        behind = set_back(known, events, journal.hash_at, journal.knows_order, journal.id)
    except JournalError as error:
        say(f"flatout journal verify: {error}", err=True)
        return 1
    finally:
        journal.close()
    texts = [fault.text for fault in faults] + ([behind] if behind else [])
    for text in texts:
        say(text)
    found = counted(len(texts), "fault") if texts else "all as they were written"
    say(f"{counted(events, 'event')}: {found}")
    return 1 if texts else 0


def _known(common: Common) -> tuple[Summary | None, bool]:
    """What the home remembers of its journal, and whether the journal's file is gone."""
    resolved = account_of(common)
    gone = (
        resolved.settings.journal.url is None and not (resolved.folder / "journal.sqlite").exists()
    )
    return summaries.read(resolved.folder), gone


def tail(common: Common, count: int) -> int:
    """One line per event."""
    journal, _ = open_journal(common)
    try:
        for stored in journal.tail(count):
            say(
                f"{stored.seq:>8}  {_time(stored.at)}  {stored.kind:<22}"
                f" {stored.body.decode(errors='replace')}"
            )
    except JournalError as error:
        say(f"flatout journal tail: {error}", err=True)
        return 1
    finally:
        journal.close()
    return 0


def replay(common: Common, upto: int | None) -> int:
    """The state that the events give, as JSON."""
    journal, settings = open_journal(common)
    state = State(settings.account.name, settings.account.currency)
    try:
        wanted = takewhile(lambda stored: upto is None or stored.seq <= upto, journal.events())
        with busy("replaying") as hear:
            replayed(state, counting(wanted, "events replayed", hear))
    except JournalError as error:
        say(f"flatout journal replay: after event {state.seq}: {error}", err=True)
        return 1
    finally:
        journal.close()
    say(encode_state(state).decode())
    return 0


def _time(at: int) -> str:
    return (
        time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at // 1_000_000_000))
        + f".{at // 1_000_000 % 1000:03d}"
    )


@click.group("journal")
def command() -> None:
    """Look at the journal."""


@command.command("verify")
@click.pass_obj
def verify_command(common: Common) -> None:
    """Check every event against the hash chain; say what is changed, missing or out of order, and
    where.
    """
    sys.exit(verify(common))


@command.command("tail")
@click.option(
    "-n",
    "count",
    default=20,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many events.",
)
@click.pass_obj
def tail_command(common: Common, count: int) -> None:
    """Print the last events."""
    sys.exit(tail(common, count))


@command.command("replay")
@click.option("--to", "upto", type=click.IntRange(0), help="The last event to apply; default: all.")
@click.pass_obj
def replay_command(common: Common, upto: int | None) -> None:
    """Apply the events from zero and print the state that they give."""
    sys.exit(replay(common, upto))


def open_journal(common: Common) -> tuple[Journal, Settings]:
    """The account's journal, to read beside whoever writes it."""
    resolved = account_of(common)
    settings, path = resolved.settings, resolved.folder / "journal.sqlite"
    try:
        if settings.journal.url is None and not path.exists():
            raise JournalError(
                f"journal {path}: there is none; open the console once, or name another --home or"
                " --account"
            )
        return looking.journal_of(settings, resolved.folder), settings
    except JournalError as error:
        say(f"flatout: {error}", err=True)
        raise SystemExit(2) from error
