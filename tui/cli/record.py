"""`flatout record`: live prices into files, with a line that says how it goes."""

import asyncio
import contextlib
import signal
import sys
import time
from pathlib import Path

import click
from msgspec.structs import replace
from rich.console import Console

from engine.clock import Clock
from engine.inspection.venue import seen
from engine.market.recording import Recording
from engine.setup.sections import Settings
from engine.venues.exchanges import EXCHANGES
from engine.venues.protocol import VenueError
from tui.cli.chosen import settings_of
from tui.cli.common import FOLDER, Common
from tui.cli.output import say

FIRST = 30.0
"""Seconds for the first price to come."""


def record(
    common: Common, name: str, symbols: tuple[str, ...], output: Path, minutes: float | None
) -> int:
    """Until told to stop, or for some minutes; the exit code."""
    settings = settings_of(common).settings
    account, market = (
        replace(settings.account, venue=name, profile=EXCHANGES[name].profile),
        replace(settings.market, symbols=symbols),
    )
    settings = replace(settings, account=account, market=market)
    try:
        recording = Recording(output)
        try:
            asyncio.run(_record(settings, recording, minutes))
        finally:
            recording.close()
    except (VenueError, ValueError, OSError, TimeoutError) as error:
        say(f"flatout record: {error or 'no price came'}", err=True)
        return 2
    say(
        f"{recording.quotes} quotes in {recording.paths[0]}, {recording.trades} trades in"
        f" {recording.paths[1]}"
    )
    return 0


async def _record(settings: Settings, recording: Recording, minutes: float | None) -> None:
    loop, symbols = asyncio.get_running_loop(), settings.market.symbols
    venue = seen(settings).prices(Clock(loop))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    console = Console(stderr=True)
    began = time.monotonic()
    try:
        await venue.hear_prices(recording.quote, recording.trade)
        with console.status("waiting for the first price") as status:
            while not stop.is_set():
                spent = time.monotonic() - began
                if minutes is not None and spent >= minutes * 60:
                    break
                if not recording.quotes and spent > FIRST:
                    raise TimeoutError(
                        f"{settings.account.venue} told no price of {', '.join(symbols)} in"
                        f" {FIRST:g} s"
                    )
                if recording.quotes:
                    status.update(
                        f"{recording.quotes} quotes, {recording.trades} trades in {spent:.0f} s;"
                        " ctrl-c ends it"
                    )
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.25)
    finally:
        await venue.close()


@click.command("record")
@click.argument("name", type=click.Choice([*EXCHANGES]))
@click.option(
    "--symbols",
    default="BTC/USD,ETH/USD",
    show_default=True,
    help="What to record; PF_XBTUSD and the like on futures.",
)
@click.option(
    "--output",
    "-o",
    type=FOLDER,
    default=Path(),
    help="The folder for quotes.csv.gz and trades.csv.gz; default: here.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="How long; default: until ctrl-c.",
)
@click.pass_obj
def command(common: Common, name: str, symbols: str, output: Path, minutes: float | None) -> None:
    """Write an exchange's live quotes and trades to files that `--market` and a scenario can play.
    Needs no key.
    """
    sys.exit(record(common, name, tuple(symbols.split(",")), output, minutes))
