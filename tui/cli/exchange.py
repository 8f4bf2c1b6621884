"""`flatout exchange`: from the command line's words to a server that listens."""

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

import click

from engine.exchange import Faults, StoreError
from engine.market import MarketError
from engine.rehearsal.scenario.fault_tables import read_faults
from engine.rehearsal.scenario.words import ScenarioError
from engine.setup import factories
from engine.wire.conduct import Conduct
from engine.wire.futures.habits import Habits
from engine.wire.server import Server, open_world, serve
from engine.wire.tls import self_signed
from tui.cli.common import FILE, FOLDER
from tui.cli.exchange_parts import Wanted as Wanted
from tui.cli.exchange_parts import (
    another_key,
    cash_of,
    conduct_of,
    habits_of,
    key_of,
    rate_of,
    source_of,
)
from tui.cli.output import reveal, say

UNUSABLE = 2


def serve_exchange(wanted: Wanted) -> int:
    """Serve until told to stop; the exit code."""
    try:
        asyncio.run(_serve(wanted))
    except (ScenarioError, MarketError, StoreError, ValueError, OSError) as error:
        say(f"flatout exchange: {error}", err=True)
        return UNUSABLE
    return 0


async def _serve(wanted: Wanted) -> None:
    profile = factories.profile(
        wanted.profile, {} if wanted.tier is None else {"tier": wanted.tier}
    )
    faults = Faults() if wanted.faults is None else read_faults(wanted.faults)
    cash = cash_of(wanted.cash)
    source, market = source_of(wanted, profile)
    key, secret = key_of(wanted)
    conduct = Conduct() if wanted.faults is None else conduct_of(wanted.faults)
    money = next(iter(cash))
    world = open_world(
        profile,
        source.instruments,
        cash,
        money,
        seed=wanted.seed,
        faults=faults,
        state=wanted.state,
        conduct=conduct,
    )
    if rate := rate_of(wanted.funding):
        world.exchange.fund(rate, world.now())
    world.past = None if wanted.files else wanted.seed
    try:
        tls = None if wanted.tls is None else self_signed(wanted.tls)
    except ImportError as error:
        raise ValueError(f"--tls needs the package cryptography: {error}") from error
    habits = Habits() if wanted.faults is None else habits_of(wanted.faults)
    server = Server(
        world, key, secret, habits, [another_key(wanted) for _ in range(wanted.keys - 1)], tls
    )
    if wanted.attached:
        threading.Thread(target=_end_with_the_input, daemon=True).start()
    await serve(server, wanted.port, source.ticks, market, lambda ready: reveal(json.dumps(ready)))


def _end_with_the_input() -> None:
    """Whoever started us holds the other end of our input: it is gone when that process is, however
    it ended.
    """
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


# over 40 lines: one line for each option, twice
@click.command("exchange")
@click.option(
    "--profile",
    type=click.Choice(["kraken-spot", "kraken-futures"]),
    default="kraken-spot",
    show_default=True,
    help="Which exchange.",
)
@click.option(
    "--market",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Recorded prices to play; default: simulated ones.",
)
@click.option("--as", "reading", metavar="WORDS", default="", help="How the files are to be read.")
@click.option(
    "--simulated", is_flag=True, help="Simulated prices (the default where no file is named)."
)
@click.option(
    "--symbols",
    help=(
        "What a simulated market trades, such as BTC/USD,ETH/USD; default: what a console asks for."
    ),
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How much faster than it happened.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    show_default=True,
    help="Where to listen on 127.0.0.1; 0 picks one.",
)
@click.option(
    "--state",
    type=FILE,
    help="The file that keeps the account across restarts; default: none is kept.",
)
@click.option(
    "--faults",
    type=FILE,
    help=(
        "A TOML file of faults, as in a scenario's [faults]; [exchange] says how the exchange"
        " behaves."
    ),
)
@click.option(
    "--cash",
    multiple=True,
    metavar="USD=100000",
    help="What a new account holds; may be said several times.",
)
@click.option("--key", help="The API key; default: a new one.")
@click.option("--secret", help="Its secret, base64; default: a new one.")
@click.option(
    "--permission",
    multiple=True,
    help="A permission of the key beside those for trading, such as withdraw-funds.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Of the market and the faults."
)
@click.option(
    "--tier",
    type=click.Choice(["starter", "intermediate", "pro"]),
    help="The account's tier at Kraken spot: how much may be asked.",
)
@click.option(
    "--funding",
    default="0",
    show_default=True,
    help="What longs of perpetuals pay shorts each hour, as a fraction of the value.",
)
@click.option(
    "--keys",
    type=click.IntRange(1, 20),
    default=1,
    show_default=True,
    help="How many API keys the account has, at Kraken spot.",
)
@click.option(
    "--tls", type=FOLDER, help="Speak TLS, with a certificate that is made in this folder."
)
@click.option(
    "--attached",
    is_flag=True,
    help="End when standard input ends: together with the program that started it.",
)
def command(
    profile: str,
    files: tuple[Path, ...],
    reading: str,
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
    """Serve the matching engine over an exchange's real protocol, on loopback: something to
    rehearse live trading against.

    Prints one line of JSON once it listens: where, and with which key. GET /truth tells what really
    happened. Ends with SIGINT or SIGTERM.
    """
    if files and simulated:
        raise click.UsageError("--market and --simulated exclude each other")
    traded = tuple(symbols.split(",")) if symbols else ()
    wanted = Wanted(
        profile,
        files,
        traded,
        speed,
        port,
        state,
        faults,
        cash,
        key,
        secret,
        permission,
        seed,
        tier,
        funding,
        keys,
        tls,
        attached,
        reading,
    )
    sys.exit(serve_exchange(wanted))
