"""The command line `flatout`: the console by default, and everything that works without one. What a
command needs is imported by it.
"""

import gc
import json
import sys
from pathlib import Path

import click

from engine.venues.exchanges import EXCHANGES, PRICES
from tui.cli import completion
from tui.cli.commands import Commands
from tui.cli.common import FILE, FOLDER, Common


# over 40 lines: one line for each option, twice
@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--settings", type=FILE, help="The settings file to read instead of the user's own.")
@click.option(
    "--set",
    "flags",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=completion.keys,
    help="A setting for this time, such as risk.max_positions=5.",
)
@click.option(
    "--home",
    type=FOLDER,
    help="The folder that holds the accounts; default: the platform's place for data.",
)
@click.option(
    "--market",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help=(
        "Recorded prices from these files, folders or archives, or live ones of an exchange, such"
        " as kraken."
    ),
)
@click.option(
    "--as",
    "reading",
    metavar="WORDS",
    help=(
        "How the files are to be read where that can't be told: a format, a unit of times, a"
        " symbol, an interval, such as 'binance-klines ms BTC/JPY 1m'."
    ),
)
@click.option(
    "--from",
    "start",
    metavar="TIME",
    help="Where in the recording to begin: 14:02, or 2024-08-08T14:02 (UTC).",
)
@click.option(
    "--speed", type=float, help="How much faster than it happened a recorded market is played."
)
@click.option("--account", shell_complete=completion.accounts, help="The account's name.")
@click.option(
    "--new",
    is_flag=True,
    help="The account is a new one, though its name is near to that of another.",
)
@click.option(
    "--profile",
    shell_complete=completion.profiles,
    help="What the paper venue imitates: kraken-spot, kraken-futures, binance-spot.",
)
@click.option(
    "--theme", shell_complete=completion.looks, help="The theme's name, or a file of your own."
)
@click.option("--fps", type=int, help="Frames per second.")
@click.option("--ascii", "as_ascii", is_flag=True, help="Draw the console with ASCII only.")
@click.option(
    "--take-over",
    is_flag=True,
    help=(
        "Ask whoever holds the account for it; its console says who asked. Exit code 3: it"
        " keeps it."
    ),
)
@click.option(
    "--dead",
    is_flag=True,
    help=(
        "With --take-over: the machine that holds the account is off; take it once it has been"
        " silent for 14 s."
    ),
)
@click.option(
    "--engine",
    type=click.Choice(["embedded", "child"]),
    help=(
        "Where the console runs the engine: in its own process, or as a child that outlives it;"
        " default: engine.process."
    ),
)
@click.version_option(package_name="flatout")
@click.pass_context
def main(
    ctx: click.Context,
    settings: Path | None,
    flags: tuple[str, ...],
    home: Path | None,
    files: tuple[Path, ...],
    reading: str | None,
    start: str | None,
    speed: float | None,
    account: str | None,
    new: bool,
    profile: str | None,
    theme: str | None,
    fps: int | None,
    as_ascii: bool,
    take_over: bool,
    dead: bool,
    engine: str | None,
) -> None:
    """Flatout: a terminal trading console that keeps custody of a trader's risk.

    Without a command it opens the console, on a paper account with simulated prices unless the
    settings say otherwise.
    """
    from tui.cli.output import guard

    guard()
    if dead and not take_over:
        raise click.UsageError("--dead is said with --take-over")
    if take_over and ctx.invoked_subcommand not in (None, "serve"):
        raise click.UsageError("--take-over opens an engine; it goes with `serve` or no command")
    named = {
        "market.reading": None if reading is None else json.dumps(reading),
        "market.start": None if start is None else json.dumps(start),
        "market.speed": speed,
        "account.name": account,
        "account.profile": profile,
        "console.theme": theme,
        "console.fps": fps,
        "engine.process": engine,
    }
    given = (
        *flags,
        *(["console.ascii=true"] if as_ascii else []),
        *_prices(files),
        *(f"{key}={value}" for key, value in named.items() if value is not None),
    )
    ctx.obj = Common(settings, given, home, new=new, take_over=take_over, dead=dead)
    if ctx.invoked_subcommand is None:
        # what is loaded before the first frame stays; the collector would look through it all again
        # and again, for 4 % of that time. Opening the engine switches it on.
        gc.disable()
        try:
            from tui.cli.console import console

            sys.exit(console(ctx.obj))
        finally:
            gc.enable()


def _prices(files: tuple[Path, ...]) -> list[str]:
    """The settings that `--market` means: an exchange's name, or recordings."""
    if not files:
        return []
    if len(files) == 1 and str(files[0]) in (*EXCHANGES, *PRICES):
        return [f"market.source={files[0]}"]
    names = ", ".join(json.dumps(str(path.absolute())) for path in files)
    return ["market.source=recorded", f"market.files=[{names}]"]
