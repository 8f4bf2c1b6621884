"""`flatout run`: a scenario without a screen, its summary and its exit code."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from engine.exchange import StoreError
from engine.journal import JournalError
from engine.market import MarketError
from engine.model.secrets import masked
from engine.scenario.run import execute
from engine.scenario.script import read
from engine.scenario.words import ScenarioError
from tui.saying import harmless, say

UNUSABLE, VIOLATED, UNEXPECTED = 2, 3, 4


def run_scenario(scenario: Path, report_to: str | None, home: Path | None, *, resume: bool, quiet: bool) -> int:
    """Run it, say how it went, and return the exit code: 0 held, 2 unusable, 3 an invariant violated, 4 an expectation not met."""
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    temporary: Path | None = None
    try:
        if home is None:
            if resume:
                raise ScenarioError("--resume needs --home: the folder of the session to go on with")
            temporary = home = Path(tempfile.mkdtemp(prefix="flatout-"))
        elif (home / "journal.sqlite").exists() is not resume:
            there = "there is no session in it to go on with" if resume else "there is a session in it already; add --resume to go on with it"
            raise ScenarioError(f"--home {home}: {there}, or name another folder")
        if report_to not in (None, "-") and not Path(report_to).absolute().parent.is_dir():
            raise ScenarioError(f"--report {report_to}: there is no folder {Path(report_to).absolute().parent}")
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
    if report_to is not None:
        text = json.dumps(report, indent=1, ensure_ascii=False)
        if report_to == "-":
            say(*text.split("\n"))
        else:
            Path(report_to).write_text(masked(text) + "\n", encoding="utf-8")
    if not quiet and report_to != "-":
        summarise(report)
    if report["invariants"]["violations"]:
        return VIOLATED
    return UNEXPECTED if any(not told["ok"] for told in report["expectations"]) else 0


def _execute(scenario: Path, home: Path, errors: Console, *, silent: bool) -> dict[str, Any]:
    script = read(scenario)
    if silent or not errors.is_terminal:
        return execute(script, home)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(escape(harmless(script.name)), total=1.0)
        return execute(script, home, lambda done: bar.update(task, completed=done))


def summarise(report: dict[str, Any]) -> None:
    """A few lines for a person."""
    account, market, requests, wall = report["account"], report["market"], report["requests"], report["wall"]
    say(f"{report['scenario']} (seed {report['seed']}, {report['venue']}), until {report['ended_at']}")
    say(f"  market      {market['quotes']} quotes, {market['trades']} trades, {market['candles']} candles, {market['skipped']} rows skipped")
    say(f"  orders      {len(report['orders'])}, {len(report['fills'])} fills, {len(report['positions'])} positions")
    for position in report["positions"]:
        ended = position["close_reason"] if position["closed_at"] else f"open, {position['protection']}"
        say(
            f"    {position['label'] or position['id']:<10} {position['side']:<4} {position['size']} {position['symbol']}"
            f"  {position['realised_pnl']} {position['currency']} after fees  ({ended})"
        )
    say(f"  account     equity {account['equity']} {account['currency']}, realised {account['realised_pnl']}, fees {account['fees']}")
    say(
        f"  requests    {requests['submit']} submits, {requests['amend']} amends, {requests['cancel']} cancels, {requests['query']} questions,"
        f" {requests['in_doubt_resolved']} doubts resolved"
    )
    for refusal in report["refusals"]:
        say(f"  refused     {refusal['label']} {refusal['code']}: {refusal['text']}")
    for told in report["expectations"]:
        if not told["ok"]:
            say(f"  EXPECTED    {told['at']}: {told['wanted']}, got {told['got']}")
    if report["unreached"]:
        say(f"  not reached do{report['unreached']}: the market ended before")
    violations = report["invariants"]["violations"]
    for violation in violations[:10]:
        say(f"  VIOLATED    {violation['at']} {violation['invariant']}: {violation['detail']}")
    say(
        f"  invariants  {report['invariants']['checked']} checks, {len(violations)} violated"
        f"; {wall['messages_per_second']} messages/s, {wall['seconds']} s, {wall['peak_rss_mb']} MB"
    )
