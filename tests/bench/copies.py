"""A private copy of the working tree, in which the tests run against one mutant after the other."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_COPIED = (
    ".git",
    ".venv",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "*.egg-info",
)
NO_SHRINKING = """
from hypothesis import Phase
settings.register_profile("mutation", settings.get_profile("shared machine"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("mutation")
"""
"""Appended to the copy's conftest: a mutant's counterexample need not be small."""

WARM = """
import contextlib, importlib, json, os, sys, traceback
import pytest

def run(arguments, out, *, load):
    with open(out, "wb", 0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    code = int(pytest.main(["-W", "ignore::pytest.PytestAssertRewriteWarning", *arguments]))
    if load:
        own = ("__main__", "engine", "tui", "tests", "conftest")
        with open(out, "w") as file:
            print(*(name for name in sys.modules if name.split(".")[0] not in own), sep="\\n", file=file)
    return code

def fork(arguments, out, load):
    child = os.fork()
    if not child:
        code = 70
        try:
            os.setsid()
            code = run(arguments, out, load=load)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return child

sys.path.insert(0, os.getcwd())
told = os.fdopen(os.dup(1), "w", 1)
os.dup2(2, 1)
for line in sys.stdin:
    asked = json.loads(line)
    child = fork(**asked)
    print(child, file=told)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if asked["load"]:
        for name in open(asked["out"]).read().split():
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    print(code, file=told)
"""
"""A Python that has loaded everything but ours, and forks for each run of the tests: loading takes
longer than most of them.
"""

MEMORY = 4_000_000
"""Kilobytes that one run of the tests may take: some mutants never stop asking for more."""


class Copy:
    """A private copy of the working tree, in which tests can be run."""

    def __init__(self, tree: Path, home: Path) -> None:
        self.home = home
        shutil.copytree(tree, home, ignore=shutil.ignore_patterns(*NOT_COPIED))
        if tree == ROOT:
            with (home / "tests/conftest.py").open("a", encoding="utf-8") as file:
                file.write(NO_SHRINKING)
        self.environment = {**os.environ, "PYTHONPATH": str(self.home)}
        self.process: subprocess.Popen[str] | None = None
        self.child: int | None = None
        self.said = home.with_suffix(".txt")
        command = [sys.executable, "-c", "import engine; print(engine.__file__)"]
        said = subprocess.run(
            command, cwd=home, env=self.environment, capture_output=True, text=True, check=True
        ).stdout.strip()
        assert Path(said).is_relative_to(self.home), f"the engine that is tested would be {said}"

    def warm(self, files: Sequence[str]) -> None:
        """Load what these tests need, but nothing of ours."""
        self.stop()
        command = ["sh", "-c", f'ulimit -v {MEMORY}; exec "$@"', "sh", sys.executable, "-c", WARM]
        self.process = subprocess.Popen(
            command,
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self._ask(["--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider", *files], load=True)
        self._answer()
        assert self._answer() == 0

    def _ask(self, arguments: Sequence[str], *, load: bool) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(
            json.dumps({"arguments": list(arguments), "out": str(self.said), "load": load}) + "\n"
        )

    def _answer(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def stop(self) -> None:
        """End the tests that run, and all that they started."""
        self._kill()
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def _kill(self) -> None:
        if self.child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child, signal.SIGKILL)

    def test(
        self, files: Sequence[str], more: Sequence[str], timeout: float
    ) -> tuple[int | None, str]:
        """Exit code (None when it took too long) and output of the tests."""
        self._ask(
            ["-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not slow", *more, *files], load=False
        )
        self.child = self._answer()
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._kill()

        timer = threading.Timer(timeout, give_up)
        timer.start()
        code = self._answer()
        timer.cancel()
        self._kill()  # what the tests left behind
        self.child = None
        return None if late.is_set() else code, self.said.read_text(
            encoding="utf-8", errors="replace"
        )

    def write(self, file: str, source: str) -> None:
        """Put a module's text in place; a compiled one of the same second and size must not be
        taken for it.
        """
        path = self.home / file
        path.write_text(source, encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()
