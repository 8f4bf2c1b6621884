"""A scenario's report in a few lines for a person."""

from typing import Any

from engine.model.counts import counted
from tui.cli.output import say


def _say_positions(positions: list[dict[str, Any]]) -> None:
    for position in positions:
        ended = (
            position["close_reason"] if position["closed_at"] else f"open, {position['protection']}"
        )
        say(
            f"    {position['label'] or position['id']:<10} {position['side']:<4}"
            f" {position['size']} {position['symbol']}  {position['realised_pnl']}"
            f" {position['currency']} after fees  ({ended})"
        )


def summarise(report: dict[str, Any]) -> None:
    """A few lines for a person."""
    account, requests, wall = report["account"], report["requests"], report["wall"]
    say(
        f"{report['scenario']} (seed {report['seed']}, {report['venue']}), until"
        f" {report['ended_at']}"
    )
    market = report["market"]
    rows = {name: counted(market[f"{name}s"], name) for name in ("quote", "trade", "candle")}
    for told in market["files"][:5]:
        say(f"  file        {told}")
    say(f"  market      {', '.join(rows.values())}, {counted(market['skipped'], 'row')} skipped")
    say(
        f"  orders      {len(report['orders'])}, {counted(len(report['fills']), 'fill')},"
        f" {counted(len(report['positions']), 'position')}"
    )
    _say_positions(report["positions"])
    say(
        f"  account     equity {account['equity']} {account['currency']}, realised"
        f" {account['realised_pnl']}, fees {account['fees']}"
    )
    say(
        f"  requests    {requests['submit']} submits, {requests['amend']} amends,"
        f" {requests['cancel']} cancels, {requests['query']} questions,"
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
