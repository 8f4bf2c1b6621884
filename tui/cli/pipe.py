"""`flatout pipe`: carries bytes between standard input and output and the socket of an account's
consoles. It is the far end of `flatout attach ssh://HOST/ACCOUNT`; it reads no settings, no key and
no journal, and names no path.
"""

import contextlib
import os
import socket
import sys
import threading

import click

from engine.account.folder import FolderError, check, check_name
from engine.account.home import Home
from engine.account.running import running
from tui.cli import completion
from tui.cli.common import Common
from tui.cli.output import say

ENDED, NOBODY, UNUSABLE = 0, 1, 2
ONCE = 1 << 16
"""Bytes that are carried at once."""


def pipe(common: Common, account: str) -> int:
    """Carry bytes until either side hangs up; the exit code."""
    try:
        check_name(account)
        home = Home.at(account, common.home)
        if home.folder.exists():
            check(home.folder)
    except FolderError:
        say(f"flatout pipe: account {account}: its folder is not only yours", err=True)
        return UNUSABLE
    if running(home.folder) is None:
        say(
            f"flatout pipe: no engine runs for account {account}: `flatout --account {account}"
            " serve` starts one there",
            err=True,
        )
        return NOBODY
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(home.session))
        except OSError as error:
            why = error.strerror or "no answer"
            say(f"flatout pipe: account {account}: its engine does not answer: {why}", err=True)
            return NOBODY
        threading.Thread(target=_carry_in, args=(line,), daemon=True).start()
        _carry_out(line)
    return ENDED


def _carry_in(line: socket.socket) -> None:
    """What is asked; its end is the end of the line."""
    with contextlib.suppress(OSError):
        while data := os.read(sys.stdin.fileno(), ONCE):
            line.sendall(data)
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _carry_out(line: socket.socket) -> None:
    """What is answered. In a thread of its own: whoever takes no answers can still ask."""
    with contextlib.suppress(OSError):
        while data := line.recv(ONCE):
            view = memoryview(data)
            while view:
                view = view[os.write(sys.stdout.fileno(), view) :]


@click.command("pipe")
@click.argument("account", shell_complete=completion.accounts)
@click.pass_obj
def command(common: Common, account: str) -> None:
    """Carry a console's bytes between standard input and output and the engine of an account: what
    `flatout attach ssh://HOST/ACCOUNT` runs on HOST.

    Exit codes: 0 the line ended, 1 no engine runs there or answers, 2 the account is unusable.
    """
    code = pipe(common, account)
    sys.stderr.flush()
    os._exit(code)  # the thread that reads waits for whoever called us
