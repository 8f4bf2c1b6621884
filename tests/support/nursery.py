"""The process that the children of `tests.support.processes` are forked from.

Loading the engine takes more work than most commands do afterwards. This one has loaded it, waits
at a socket, and forks: a child then goes on as a new interpreter would, with arguments,
environment, folder and files of its own. It has one thread, and only modules are loaded in it.
"""

import array
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time
from typing import Any, NamedTuple

LOADED = (
    "aiohttp",
    "alembic.command",
    "click",
    "engine.emergency",
    "engine.inspection",
    "engine.runtime",
    "engine.session.opening",
    "engine.setup.settings",
    "engine.wire",
    "sqlalchemy.dialects.sqlite",
    "sqlmodel",
    "tui.cli",
)
"""What almost every command loads. Nothing of the screen: it looks at the environment first."""
ALL = -1
"""In place of a process id: whoever has ended since."""


class Job(NamedTuple):
    """What a child is to be."""

    args: list[str]
    folder: str
    environment: dict[str, str]
    files: list[int]
    leads: bool
    """Whether it begins a session of its own."""


def _asked(line: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next request with its files; None when the one who asks is gone."""
    fds = array.array("i")
    data, ancillary, _, _ = line.recvmsg(1 << 20, socket.CMSG_LEN(3 * fds.itemsize))
    for _, _, told in ancillary:
        fds.frombytes(told)
    return (json.loads(data), list(fds)) if data else None


def _ended(pid: int) -> int | None:
    """How a child ended, as `waitpid` says; None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return status if found else None


def nurse(line: socket.socket) -> Job | None:
    """Fork whom is asked for. Returns in a child, with what it is to be; None at the end."""
    while (found := _asked(line)) is not None:
        request, files = found
        if (pid := request.get("of")) is not None:
            line.send(json.dumps(_ended(pid)).encode())
            continue
        child = os.fork()
        if child == 0:
            line.close()
            return Job(
                request["args"], request["folder"], request["environment"], files, request["leads"]
            )
        for file in files:
            os.close(file)
        line.send(json.dumps(child).encode())
    return None


def _become(job: Job) -> None:
    """Take what a new process would have been given."""
    if job.leads:
        os.setsid()
    for number, file in enumerate(job.files):
        os.dup2(file, number)
    os.closerange(3, 1024)
    os.chdir(job.folder)
    os.environ.clear()
    os.environ.update(job.environment)
    time.tzset()
    signal.set_wakeup_fd(-1)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", -1, "utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, "utf-8", "backslashreplace", closefd=False)


def _live(args: list[str]) -> None:
    """Go on as `python -m MODULE` or `python -c CODE` with these arguments."""
    how, what, *words = args
    if how == "-m":
        sys.argv = [what, *words]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    sys.argv = ["-c", *words]
    main = type(sys)("__main__")
    sys.modules["__main__"] = main
    exec(compile(what, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    job = nurse(socket.socket(fileno=int(sys.argv[1])))
    if job is not None:
        _become(job)
        _live(job.args)
