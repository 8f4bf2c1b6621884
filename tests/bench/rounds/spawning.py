"""Starts processes from one that has imported the libraries already: a start costs a third of the
machine's time.

Only libraries are shared. All that is ours is imported anew in each process, as if it had been
started from the shell, so that nothing which is drawn at the start of a process (its instance, its
clock) is drawn once for all.
"""

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

LIBRARIES = (
    "aiohttp alembic click msgspec msgspec.json msgspec.structs platformdirs sqlalchemy sqlmodel"
    " sqlite3 ccxt.async_support.kraken"
)
LIBRARIES += " ccxt.async_support.krakenfutures difflib tomllib"
OURS = ("engine", "tui", "themes")


class Forked:
    """A process of the nursery, used like one of `subprocess`."""

    def __init__(
        self, nursery: "Nursery", number: int, pid: int, stdin: IO[str], stdout: IO[str]
    ) -> None:
        self._nursery = nursery
        self._number, self.pid = number, pid
        self.stdin, self.stdout = stdin, stdout

    @property
    def returncode(self) -> int | None:
        """Its exit code, below zero for a signal; None while it runs."""
        return self._nursery.codes.get(self._number)

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, seconds: float = 30.0) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        end = time.monotonic() + seconds
        while (code := self.returncode) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), seconds)
            time.sleep(0.005)
        return code


class Nursery:
    """The process that has imported the libraries, and forks."""

    def __init__(self) -> None:
        self.codes: dict[int, int] = {}
        self._lock = threading.Lock()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._codes, codes = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [
            sys.executable,
            "-m",
            "tests.bench.rounds.spawning",
            str(theirs.fileno()),
            str(codes.fileno()),
        ]
        self._process = subprocess.Popen(
            command, pass_fds=(theirs.fileno(), codes.fileno()), stdin=subprocess.DEVNULL
        )
        theirs.close()
        codes.close()
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        while told := self._codes.recv(4096):
            number, code = json.loads(told)
            self.codes[number] = code

    def spawn(
        self,
        module: str,
        words: list[str],
        environment: Mapping[str, str],
        errors: IO[str] | None = None,
    ) -> Forked:
        """Run a module as a process; its errors go to a file, or with what it says."""
        (their_in, our_in), (our_out, their_out) = os.pipe(), os.pipe()
        told = json.dumps([module, words, dict(environment)]).encode()
        with self._lock:
            failed = their_out if errors is None else errors.fileno()
            socket.send_fds(self._line, [told], [their_in, their_out, failed])
            number, pid = json.loads(self._line.recv(64))
        os.close(their_in)
        os.close(their_out)
        return Forked(self, number, pid, os.fdopen(our_in, "w"), os.fdopen(our_out))

    def close(self) -> None:
        """No more."""
        self._line.close()
        self._process.wait(10)


def run(line: socket.socket, codes: socket.socket) -> None:
    """Fork for whoever holds the other end, and say how each ended."""
    sockets, numbers = [line, codes], dict[int, int]()
    count = 0
    while True:
        while (ended := _ended())[0]:
            pid, status = ended
            codes.send(json.dumps([numbers.pop(pid), os.waitstatus_to_exitcode(status)]).encode())
        if not select.select([line], [], [], 0.02)[0]:
            continue
        told, descriptors, _, _ = socket.recv_fds(line, 1 << 16, 3)
        if not told:
            return
        pid = os.fork()
        if pid == 0:
            for one in sockets:
                one.close()
            module, words, environment = json.loads(told)
            _become(module, words, environment, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        count += 1
        numbers[pid] = count
        line.send(json.dumps([count, pid]).encode())


def _ended() -> tuple[int, int]:
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def _become(
    module: str, words: list[str], environment: dict[str, str], descriptors: list[int]
) -> None:
    """Be that module from now on."""
    code: Any = 1
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        for descriptor in descriptors:
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(environment)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.argv = [module, *words]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for library in LIBRARIES.split():
        importlib.import_module(library)
    assert not [name for name in sys.modules if name.split(".")[0] in OURS], (
        "what is ours is imported by each process itself"
    )
    run(socket.socket(fileno=int(sys.argv[1])), socket.socket(fileno=int(sys.argv[2])))
