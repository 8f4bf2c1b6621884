"""`flatout rehearse`: an exchange on loopback as a child, and the console at it."""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import click

from engine.account.home import Home, HomeError
from engine.account.identity import Identity, IdentityError, fingerprint, read, write
from engine.account.running import running
from engine.setup.sections import AccountSettings
from engine.venues.live.keys import PLAIN, variables
from tui.cli.common import Common
from tui.cli.console import console
from tui.cli.exchange_parts import SYMBOLS
from tui.cli.output import say

ACCOUNTS = {
    "kraken-spot": ("rehearsal", "kraken"),
    "kraken-futures": ("rehearsal-futures", "krakenfutures"),
}
"""By the exchange's profile: the account that rehearses at it, and the venue that it believes to
trade at.
"""
PATIENCE = 30.0
"""Seconds that the exchange gets to begin to listen."""
REFUSED, UNUSABLE = 1, 2


def rehearse(common: Common, profile: str) -> int:
    """Serve, open the console, and end the exchange after it; the console's exit code."""
    name, venue = ACCOUNTS[profile]
    try:
        home = Home.of(name, common.home)
        if (holder := running(home.folder)) is not None:
            say(f"flatout rehearse: {holder.text} rehearses already", err=True)
            return REFUSED
        with _exchange(home.folder, profile) as ready:
            identity = Identity(
                account=name,
                venue=venue,
                profile=profile,
                rest=ready["rest"],
                ws=ready["ws"],
                fingerprint=fingerprint(ready["key"]),
                currency=AccountSettings().currency,
            )
            # we made the exchange: what it is now is what the account is
            write(home.folder, identity)
            return _console(common, identity, ready)
    except (HomeError, IdentityError, OSError, ValueError) as error:
        say(f"flatout rehearse: {error}", err=True)
        return UNUSABLE


def _console(common: Common, identity: Identity, ready: dict[str, str]) -> int:
    key, secret = variables(identity.account)
    os.environ[key], os.environ[secret] = ready["key"], ready["secret"]
    symbols = json.dumps(SYMBOLS[identity.profile])
    told = {
        "name": identity.account,
        "venue": identity.venue,
        "profile": identity.profile,
        "rest": identity.rest,
        "ws": identity.ws,
    }
    flags = [
        *common.flags,
        *(f"account.{name}={value}" for name, value in told.items()),
        f"account.currency={identity.currency}",
    ]
    if not any(flag.startswith("market.symbols=") for flag in common.flags):
        flags.append(f"market.symbols={symbols}")
    return console(Common(common.settings, tuple(flags), common.home, new=True))


@contextmanager
def _exchange(folder: Path, profile: str) -> Iterator[dict[str, str]]:
    """The exchange while the block lasts: where it listens, and its key. Raises ValueError where it
    does not come up.
    """
    command = [
        sys.executable,
        "-m",
        "tui.cli",
        "exchange",
        "--attached",
        "--profile",
        profile,
        "--port",
        str(_port(folder)),
    ]
    command += ["--state", str(folder / "exchange.sqlite")]
    environment = {name: value for name, value in os.environ.items() if name not in PLAIN}
    log = folder / "exchange.log"
    descriptor = os.open(
        log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    pipe = subprocess.PIPE
    # a session of its own: a terminal that hangs up ends the console first, in order
    child = subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=pipe, stdout=pipe, stderr=descriptor, env=environment, start_new_session=True
    )
    os.close(descriptor)
    try:
        yield _ready(child, log)
    finally:
        _end(child)


def _ready(child: "subprocess.Popen[bytes]", log: Path) -> dict[str, str]:
    assert child.stdout is not None
    readable, _, _ = select.select([child.stdout], [], [], PATIENCE)
    line = child.stdout.readline() if readable else b""
    if not line:
        child.kill()
        child.wait()
        raise ValueError(
            "the exchange did not come up:"
            f" {log.read_text(encoding='utf-8', errors='replace').strip() or f'see {log}'}"
        )
    return {name: str(value) for name, value in json.loads(line).items()}


def _end(child: "subprocess.Popen[bytes]") -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()  # its input ends, and so does it
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    child.stdout.close()


def _port(folder: Path) -> int:
    """Where the last rehearsal listened, if that is free; else 0, which picks one."""
    try:
        known = read(folder)
    except IdentityError:
        return 0
    port = None if known is None or known.rest is None else urlsplit(known.rest).port
    if port is None:
        return 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


@click.command("rehearse")
@click.option(
    "--profile",
    type=click.Choice(["kraken-spot", "kraken-futures"]),
    default="kraken-spot",
    show_default=True,
    help="Which exchange.",
)
@click.pass_obj
def command(common: Common, profile: str) -> None:
    """Rehearse live trading with one command: an exchange on this machine, and the console at it,
    as if it were real.

    The account is called rehearsal (rehearsal-futures at the futures exchange); the exchange's
    state is kept in its home, and goes on with the next rehearsal. The exchange ends with the
    console.
    """
    sys.exit(rehearse(common, profile))
