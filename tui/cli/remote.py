"""An account on another machine, reached by ssh: no port of ours, no certificate, no token."""

import os
import re
import shlex
from urllib.parse import urlsplit

from msgspec import Struct

from engine.account.folder import FolderError, check_name

SCHEME = "ssh://"
SSH = (
    "ssh -T -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3"
)
"""The program and its options; `FLATOUT_SSH_COMMAND` is used instead where it is set. It asks for
no password: the screen is ours.
"""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
"""Hosts and users. None begins as an option does, and none means something to a shell."""


class Remote(Struct, frozen=True):
    """Where an account is."""

    host: str
    account: str
    user: str | None = None
    port: int | None = None
    program: str = "flatout"
    """How `flatout` is called there."""

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.account} on {self.host}"

    def command(self, *words: str) -> tuple[str, ...]:
        """The command line that runs `flatout WORDS` there."""
        ssh = shlex.split(os.environ.get("FLATOUT_SSH_COMMAND", "")) or shlex.split(SSH)
        port = ("-p", str(self.port)) if self.port is not None else ()
        target = self.host if self.user is None else f"{self.user}@{self.host}"
        return (*ssh, *port, target, shlex.join((self.program, *words)))


def remote_of(address: str, program: str) -> Remote:
    """Read `ssh://[USER@]HOST[:PORT]/ACCOUNT`. Raises ValueError, whose text says what is wrong."""
    parts = urlsplit(address)
    account = parts.path.strip("/")
    try:
        check_name(account)
        port = parts.port
    except (FolderError, ValueError) as error:
        raise ValueError(f"{address}: say ssh://[USER@]HOST[:PORT]/ACCOUNT: {error}") from error
    host, user = parts.hostname or "", parts.username
    if parts.password is not None or parts.query or parts.fragment:
        raise ValueError("say ssh://[USER@]HOST[:PORT]/ACCOUNT and nothing else, no password")
    for name in (host, *(() if user is None else (user,))):
        if not NAME.match(name):
            raise ValueError(f"{name!r} is no name of a host or a user")
    return Remote(host=host, account=account, user=user, port=port, program=program)
