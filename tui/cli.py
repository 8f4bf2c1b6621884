"""The command line `flatout`: the console by default, and everything that works without one. What a command needs is imported by it."""

import os
import sys
from pathlib import Path

import click

from tui.common import Common

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--settings", type=FILE, help="The settings file to read instead of the user's own.")
@click.option("--set", "flags", multiple=True, metavar="KEY=VALUE", help="A setting for this time, such as risk.max_positions=5.")
@click.option("--home", type=FOLDER, help="The folder that holds the accounts; default: the platform's place for data.")
@click.option("--market", "files", multiple=True, type=FILE, help="Recorded prices from these files, or the live ones of kraken or krakenfutures.")
@click.option("--speed", type=float, help="How much faster than it happened a recorded market is played.")
@click.option("--account", help="The account's name.")
@click.option("--new", is_flag=True, help="The account is a new one, though its name is near to that of another.")
@click.option("--profile", help="What the paper venue imitates: kraken-spot, kraken-futures, binance-spot.")
@click.option("--theme", help="The theme's name, or a file of your own.")
@click.option("--fps", type=int, help="Frames per second.")
@click.option("--take-over", is_flag=True, help="Ask whoever holds the account for it; its console says who asked. Exit code 3: it keeps it.")
@click.option("--dead", is_flag=True, help="With --take-over: the machine that holds the account is off; take it once it has been silent for 14 s.")
@click.version_option(package_name="flatout")
@click.pass_context
def main(
    ctx: click.Context,
    settings: Path | None,
    flags: tuple[str, ...],
    home: Path | None,
    files: tuple[Path, ...],
    speed: float | None,
    account: str | None,
    new: bool,
    profile: str | None,
    theme: str | None,
    fps: int | None,
    take_over: bool,
    dead: bool,
) -> None:
    """Flatout: a terminal trading console that keeps custody of a trader's risk.

    Without a command it opens the console, on a paper account with simulated prices unless the settings say otherwise.
    """
    from tui.saying import guard

    guard()
    if dead and not take_over:
        raise click.UsageError("--dead is said with --take-over")
    if take_over and ctx.invoked_subcommand is not None:
        raise click.UsageError("--take-over opens the console; it goes with no command")
    given: list[str] = list(flags)
    if [str(path) for path in files] in (["kraken"], ["krakenfutures"]):
        given.append(f"market.source={files[0]}")
    elif files:
        names = ", ".join(f"'{path.resolve()}'" for path in files)
        given += ["market.source=recorded", f"market.files=[{names}]"]
    for key, value in (
        ("market.speed", speed),
        ("account.name", account),
        ("account.profile", profile),
        ("console.theme", theme),
        ("console.fps", fps),
    ):
        if value is not None:
            given.append(f"{key}={value}")
    ctx.obj = Common(settings, tuple(given), home, new=new, take_over=take_over, dead=dead)
    if ctx.invoked_subcommand is None:
        from tui.opening import console

        sys.exit(console(ctx.obj))


@main.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--report", "report_to", metavar="FILE|-", help="Write the JSON report there; - prints only the report.")
@click.option("--home", type=FOLDER, help="Where journal and paper account live; default: a fresh temporary one.")
@click.option("--resume", is_flag=True, help="Go on with what is in --home.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
def run(scenario: Path, report_to: str | None, home: Path | None, resume: bool, quiet: bool) -> None:
    """Run a scripted session without a screen."""
    from tui.headless import run_scenario

    sys.exit(run_scenario(scenario, report_to, home, resume=resume, quiet=quiet))


@main.command()
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="How long to search.")
@click.option("--stories", type=click.IntRange(min=1), help="How many stories to play; 200 if neither is given.")
@click.option("--seed", "first", type=int, default=0, show_default=True, help="The first story's seed; the next ones count up.")
@click.option("--steps", type=click.IntRange(1, 10_000), default=24, show_default=True, help="About how long a story is.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes; default: one per core.")
@click.option("--keep", type=FOLDER, default=Path(), help="Where stories that fail are written; default: here.")
@click.option("--replay", type=FILE, help="Play one story from a file instead.")
def soak(hours: float | None, stories: int | None, first: int, steps: int, jobs: int | None, keep: Path, replay: Path | None) -> None:
    """Search for what breaks the promise: random stories of faults, crashes and keys, checked after every step.

    Exit codes: 0 every invariant held, 2 the story can't be read, 3 an invariant was violated.
    """
    from tui import soaking

    if replay is not None:
        sys.exit(soaking.replay(replay))
    if hours is None and stories is None:
        stories = 200
    sys.exit(soaking.search(hours, stories, first, steps, jobs or os.cpu_count() or 1, keep))


@main.command()
@click.option("--profile", type=click.Choice(["kraken-spot", "kraken-futures"]), default="kraken-spot", show_default=True, help="Which exchange.")
@click.option("--market", "files", multiple=True, type=FILE, help="Recorded prices to play; default: simulated ones.")
@click.option("--simulated", is_flag=True, help="Simulated prices (the default where no file is named).")
@click.option("--symbols", help="What a simulated market trades, such as BTC/USD,ETH/USD; default: what a console asks for.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, help="How much faster than it happened.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default=True, help="Where to listen on 127.0.0.1; 0 picks one.")
@click.option("--state", type=FILE, help="The file that keeps the account across restarts; default: none is kept.")
@click.option("--faults", type=FILE, help="A TOML file of faults, as in a scenario's [faults]; [exchange] says how the exchange behaves.")
@click.option("--cash", multiple=True, metavar="USD=100000", help="What a new account holds; may be said several times.")
@click.option("--key", help="The API key; default: a new one.")
@click.option("--secret", help="Its secret, base64; default: a new one.")
@click.option("--permission", multiple=True, help="A permission of the key beside those for trading, such as withdraw-funds.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the market and the faults.")
@click.option("--tier", type=click.Choice(["starter", "intermediate", "pro"]), help="The account's tier at Kraken spot: how much may be asked.")
@click.option("--funding", default="0", show_default=True, help="What longs of perpetuals pay shorts each hour, as a fraction of the value.")
@click.option("--keys", type=click.IntRange(1, 20), default=1, show_default=True, help="How many API keys the account has, at Kraken spot.")
@click.option("--tls", type=FILE, help="Speak TLS, with a certificate that is made in this folder.")
@click.option("--attached", is_flag=True, help="End when standard input ends: together with the program that started it.")
def exchange(
    profile: str,
    files: tuple[Path, ...],
    simulated: bool,
    symbols: str | None,
    speed: float,
    port: int,
    state: Path | None,
    faults: Path | None,
    cash: tuple[str, ...],
    key: str | None,
    secret: str | None,
    permission: tuple[str, ...],
    seed: int,
    tier: str | None,
    funding: str,
    keys: int,
    tls: Path | None,
    attached: bool,
) -> None:
    """Serve the matching engine over an exchange's real protocol, on loopback: something to rehearse live trading against.

    Prints one line of JSON once it listens: where, and with which key. GET /truth tells what really happened. Ends with SIGINT or SIGTERM.
    """
    from tui.exchanging import Wanted, serve_exchange

    if files and simulated:
        raise click.UsageError("--market and --simulated exclude each other")
    traded = tuple(symbols.split(",")) if symbols else ()
    wanted = Wanted(profile, files, traded, speed, port, state, faults, cash, key, secret, permission, seed, tier, funding, keys, tls, attached)
    sys.exit(serve_exchange(wanted))


@main.command()
@click.option("--profile", type=click.Choice(["kraken-spot", "kraken-futures"]), default="kraken-spot", show_default=True, help="Which exchange.")
@click.pass_obj
def rehearse(common: Common, profile: str) -> None:
    """Rehearse live trading with one command: an exchange on this machine, and the console at it, as if it were real.

    The account is called rehearsal (rehearsal-futures at the futures exchange); the exchange's state is kept in its home, and goes on
    with the next rehearsal. The exchange ends with the console.
    """
    from tui.rehearsing import rehearse as begin

    sys.exit(begin(common, profile))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="The whole view as JSON.")
@click.option("--venue", is_flag=True, help="Ask the venue itself: what it holds of ours, and what else is there.")
@click.pass_obj
def status(common: Common, as_json: bool, venue: bool) -> None:
    """Say how the account stands: by its engine, or, where none runs, by its journal. Sends nothing.

    Exit codes: 0 an engine runs, nothing is open, or a last exit ended flat; 2 unusable; 5 no engine runs and something is
    open; 6 not known.
    """
    from tui.looking import status as tell

    sys.exit(tell(common, as_json=as_json, venue=venue))


@main.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def accounts(ctx: click.Context, as_json: bool) -> None:
    """List the accounts that the settings file and this machine's homes know, with their state.

    Exit codes: 0 all is as it is said to be, 1 the settings say of one something else than it is, 2 unusable.
    """
    if ctx.invoked_subcommand is None:
        from tui.accounts import show

        sys.exit(show(ctx.obj, as_json=as_json))


@accounts.command("confirm")
@click.argument("name")
@click.pass_obj
def accounts_confirm(common: Common, name: str) -> None:
    """Take over a changed endpoint from the settings file, and a rotated API key, for the account NAME.

    Exit codes: 0 done, 1 refused (what changed never changes, or an engine runs), 2 unusable.
    """
    from tui.accounts import confirm

    sys.exit(confirm(common, name))


@main.command()
@click.option("--yes", is_flag=True, help="Do it; without this it only says what it would do.")
@click.option("--all-of", "all_of", multiple=True, metavar="SYMBOL", help="Close all of this symbol, whoever bought it; asks for it to be typed.")
@click.option("--any-price", is_flag=True, help="Let the last attempts go without a price bound.")
@click.pass_obj
def flatten(common: Common, yes: bool, all_of: tuple[str, ...], any_price: bool) -> None:
    """Cancel everything of ours, close everything, until the venue says flat, with or without a console that answers.

    Exit codes: 0 the venue says flat, 1 it does not and each line says what is left, 2 it can't be tried.
    """
    from tui.flattening import flatten as close_all

    sys.exit(close_all(common, yes=yes, all_of=all_of, any_price=any_price))


@main.command()
@click.argument("name", type=click.Choice(["kraken", "krakenfutures"]))
@click.option("--symbols", default="BTC/USD,ETH/USD", show_default=True, help="What to record; PF_XBTUSD and the like on futures.")
@click.option("--output", "-o", type=FOLDER, default=Path(), help="The folder for quotes.csv.gz and trades.csv.gz; default: here.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="How long; default: until ctrl-c.")
@click.pass_obj
def record(common: Common, name: str, symbols: str, output: Path, minutes: float | None) -> None:
    """Write an exchange's live quotes and trades to files that `--market` and a scenario can play. Needs no key."""
    from tui.recording import record as write

    sys.exit(write(common, name, tuple(symbols.split(",")), output, minutes))


@main.command()
@click.pass_obj
def doctor(common: Common) -> None:
    """Look at everything that a session needs, and say what to mend: home, disk, journal, key, permissions, clock, streams.

    Places no order. Exit codes: 0 nothing is wrong, 1 something is, 2 the settings can't be used.
    """
    from tui.examining import doctor as look

    sys.exit(look(common))


@main.group()
def venue() -> None:
    """Look at a venue."""


@venue.command("check")
@click.argument("name", type=click.Choice(["paper", "kraken", "krakenfutures"]))
@click.option("--testnet", is_flag=True, help="The exchange's own testnet.")
@click.option("--symbol", help="What to trade; the smallest size there is.")
@click.pass_obj
def venue_check(common: Common, name: str, testnet: bool, symbol: str | None) -> None:
    """Trade the smallest size step by step, and report whether the venue does what this engine relies on.

    Against a testnet, or an exchange on this machine (`flatout exchange`) named with --set account.rest=... and account.ws=...; never for real.
    """
    from tui.checking import check

    sys.exit(check(common, name, symbol, testnet=testnet))


@main.group()
def journal() -> None:
    """Look at the journal."""


@journal.command("verify")
@click.pass_obj
def journal_verify(common: Common) -> None:
    """Check every event against the hash chain; say what is changed, missing or out of order, and where."""
    from tui.records import verify

    sys.exit(verify(common))


@journal.command("tail")
@click.option("-n", "count", default=20, show_default=True, type=click.IntRange(1, 100_000), help="How many events.")
@click.pass_obj
def journal_tail(common: Common, count: int) -> None:
    """Print the last events."""
    from tui.records import tail

    sys.exit(tail(common, count))


@journal.command("replay")
@click.option("--to", "upto", type=click.IntRange(0), help="The last event to apply; default: all.")
@click.pass_obj
def journal_replay(common: Common, upto: int | None) -> None:
    """Apply the events from zero and print the state that they give."""
    from tui.records import replay

    sys.exit(replay(common, upto))


@main.command()
@click.argument("what", type=click.Choice(["orders", "fills", "positions", "alerts", "equity"]))
@click.option("--format", "form", type=click.Choice(["csv", "json", "parquet"]), default="csv", show_default=True)
@click.option("--output", "-o", type=FILE, help="The file to write; default: standard output (not for parquet).")
@click.pass_obj
def export(common: Common, what: str, form: str, output: Path | None) -> None:
    """Write orders, fills, positions, alerts or the equity to a file."""
    from tui.records import export_rows

    sys.exit(export_rows(common, what, form, output))


@main.command()
@click.option("--all", "everything", is_flag=True, help="Also the keys that stand at their default; with what they mean.")
@click.pass_obj
def settings(common: Common, everything: bool) -> None:
    """Print the effective settings and where each one came from."""
    from tui.records import show_settings

    sys.exit(show_settings(common, everything=everything))


@main.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65_535))
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address is served only when it is named here.")
@click.pass_context
def web(ctx: click.Context, port: int, host: str) -> None:
    """Serve the console to a browser on this machine (needs flatout[web])."""
    from tui.serving import serve

    sys.exit(serve(host, port))


if __name__ == "__main__":
    main()
