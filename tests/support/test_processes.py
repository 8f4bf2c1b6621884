"""A forked child is what a new process would be: its words, its ends, its environment."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import processes

SAYS = """
import os, sys
print(sys.argv, os.getcwd(), os.environ.get("FLATOUT_HOME"), sorted(os.environ) == ["FLATOUT_HOME"])
print(repr(sys.stdin.read()), file=sys.stderr)
sys.exit(7)
"""
CODE = [sys.executable, "-c"]


def test_it_has_arguments_folder_environment_and_files_of_its_own(tmp_path: Path) -> None:
    environment = {"FLATOUT_HOME": "here"}
    told = [
        run(
            [*CODE, SAYS, "a", "b c"],
            input="typed",
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
        )
        for run in (processes.run, subprocess.run)
    ]
    forked, begun = ((one.returncode, one.stdout, one.stderr) for one in told)
    assert begun[0] == 7
    # an interpreter that begins adds the language that it took to the environment
    assert forked == (begun[0], begun[1].replace("False", "True"), begun[2])


def test_a_module_runs_as_the_command_does() -> None:
    told = processes.run([sys.executable, "-m", "tui.cli", "flat"], capture_output=True)
    assert told.returncode == 2
    assert "No such command 'flat'" in told.stderr


def test_an_error_is_told_and_a_signal_ends_it() -> None:
    told = processes.run([*CODE, "1 / 0"], capture_output=True)
    assert told.returncode == 1
    assert "ZeroDivisionError" in told.stderr
    child = processes.Popen([*CODE, "import time; time.sleep(60)"])
    assert child.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.05)
    child.kill()
    assert child.wait(20) == -signal.SIGKILL


def test_nothing_else_is_forked() -> None:
    with pytest.raises(ValueError, match=r"only this interpreter's -m and -c"):
        processes.run(["true", "-m"])
    with pytest.raises(ValueError, match="no preexec_fn"):
        processes.run([*CODE, ""], preexec_fn=print)
