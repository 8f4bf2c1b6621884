"""Start `flatout`, or a script that opens an engine, as a process of its own without loading the
engine once more: forked from one that has loaded it (`tests.support.nursery`).

Use `subprocess` itself where the loading is what is tested.
"""

import array
import atexit
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
GIVEN = (
    *("executable", "preexec_fn", "close_fds", "pass_fds", "cwd", "env", "startupinfo"),
    *("creationflags", "shell", *PIPES, "restore_signals", "gid", "gids", "uid", "umask"),
    *("start_new_session", "process_group"),
)
"""What `subprocess.Popen` gives to the part of it that starts a process."""
TICK = 0.01
"""Seconds between two looks at a child."""


class _Nursery:
    """The process that forks, and the line to it."""

    def __init__(self) -> None:
        self._turn = Lock()
        self.line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            theirs.set_inheritable(True)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def ask(self, request: Mapping[str, object], files: Sequence[int] = ()) -> Any:
        """Ask for one thing, and return the answer."""
        told = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
        with self._turn:
            self.line.sendmsg([json.dumps(request).encode()], told)
            answer = self.line.recv(1 << 16)
        if not answer:
            raise RuntimeError(f"the nursery ended with {self._process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """It ends when the line does."""
        self.line.close()
        self._process.wait(10)


@cache
def _the_nursery() -> _Nursery:
    """The one of this test process; begun when it is first needed."""
    nursery = _Nursery()
    atexit.register(nursery.close)
    return nursery


class Popen(subprocess.Popen[str]):
    """As `subprocess.Popen` for `[sys.executable, "-m" or "-c", ...]`, with text."""

    def _execute_child(  # type: ignore[no-untyped-def] # what `subprocess` calls
        self, args, *rest
    ) -> None:
        """In place of fork and exec: `subprocess` has made the pipes."""
        told = dict(zip(GIVEN, rest, strict=True))
        if args[0] != sys.executable or args[1] not in ("-m", "-c"):
            raise ValueError(f"only this interpreter's -m and -c can be forked, not {args[:2]}")
        if told["preexec_fn"] or told["pass_fds"] or told["shell"]:
            raise ValueError("what is forked takes no preexec_fn, pass_fds or shell")
        environment = dict(os.environ if told["env"] is None else told["env"])
        ends = [told["p2cread"], told["c2pwrite"], told["errwrite"]]
        files = [own if end == -1 else end for own, end in enumerate(ends)]
        request = {
            "args": list(args[1:]),
            "folder": os.fspath(told["cwd"] or Path.cwd()),
            "environment": environment,
            "leads": bool(told["start_new_session"]),
        }
        self.pid = _the_nursery().ask(request, files)
        self._child_created = True
        self._close_pipe_fds(*(told[name] for name in PIPES))  # type: ignore[attr-defined]

    def _look(self) -> int | None:
        if self.returncode is None:
            status = _the_nursery().ask({"of": self.pid})
            if status is not None:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def _internal_poll(self, *_: object, **__: object) -> int | None:
        return self._look()

    def _wait(self, timeout: float | None) -> int:
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self._look()) is None:
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
            time.sleep(TICK)
        return code


def run(
    command: Sequence[str],
    *,
    input: str | None = None,  # noqa: A002 - as `subprocess` has it
    timeout: float | None = None,
    check: bool = False,
    capture_output: bool = False,
    **more: Any,
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run`, with text."""
    if capture_output:
        more |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if input is not None:
        more["stdin"] = subprocess.PIPE
    with Popen(command, **{**more, "text": True}) as process:
        try:
            out, err = process.communicate(input, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(command, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done
