"""Where no console can be shown: one sentence on standard error and exit code 2; the reason of a
failed opening, too.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.exchange import Store
from tests.support.terminal import CONSOLE, RESTORED, Terminal, console, environment

pytestmark = [pytest.mark.hazard("H130"), pytest.mark.slow]
KEY = {"FLATOUT_KEY_MAIN": "a-key-of-ours", "FLATOUT_SECRET_MAIN": "c2VjcmV0LW9mLW91cnM="}
LIVE = (
    "--set",
    "account.name=main",
    "--set",
    "account.venue=kraken",
    "--set",
    "account.profile=kraken-spot",
)


def run(folder: Path, **streams: int) -> subprocess.CompletedProcess[bytes]:
    """The console with streams that are pipes or nothing."""
    try:
        return _run(folder, **streams)
    except subprocess.TimeoutExpired as late:
        pytest.fail(f"it goes on without a terminal: {(late.stdout or b'')[:80]!r}")


def _run(folder: Path, **streams: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        CONSOLE, cwd=folder, env=environment(folder), timeout=20, stderr=subprocess.PIPE, **streams
    )


def is_one_sentence(told: bytes) -> bool:
    """One line that begins with our name, and no escape code."""
    return told.startswith(b"flatout: ") and told.count(b"\n") == 1 and b"\x1b" not in told


@pytest.mark.parametrize(
    ("streams", "word"),
    [
        ({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}, b"standard input"),
        ({"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}, b"standard input"),
    ],
)
def test_pipes_are_one_sentence_and_exit_code_2(
    tmp_path: Path, streams: dict[str, int], word: bytes
) -> None:
    done = run(tmp_path, **streams)
    assert done.returncode == 2, done.stderr
    assert done.stdout == b""
    assert is_one_sentence(done.stderr), done.stderr
    assert word in done.stderr
    assert not (tmp_path / "f").exists(), "an account was made for nobody"


def test_an_output_that_is_a_file_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    code = (
        "import os,sys; fd=os.open('out',os.O_WRONLY|os.O_CREAT); os.dup2(fd,1);"
        " os.execv(sys.executable,[sys.executable,'-m','tui.cli'])"
    )
    errors = tmp_path / "errors"
    terminal = Terminal(tmp_path, sys.executable, "-c", code, stderr=errors)
    try:
        assert terminal.wait(20) == 2, terminal.text
        assert (tmp_path / "out").read_bytes() == b""
        assert is_one_sentence(errors.read_bytes()), errors.read_bytes()
        assert b"standard output" in errors.read_bytes()
        assert terminal.raw == b""
    finally:
        terminal.close()


def test_a_dumb_terminal_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with console(tmp_path, ready=False, env={"TERM": "dumb"}) as terminal:
        assert terminal.wait(20) == 2
        assert is_one_sentence(bytes(terminal.raw).replace(b"\r", b"")), terminal.raw
        assert b"TERM=dumb" in terminal.raw


def damage(folder: Path) -> None:
    """An account whose journal is none."""
    (folder / "f" / "paper").mkdir(parents=True, mode=0o700)
    (folder / "f" / "paper" / "journal.sqlite").write_bytes(b"this is no journal" * 1000)
    Store(folder / "f" / "paper" / "paper.sqlite").close()


def test_a_journal_that_is_none_is_told_after_the_terminal_is_restored(tmp_path: Path) -> None:
    damage(tmp_path)
    with console(tmp_path, ready=False) as terminal:
        assert terminal.wait_for("try again", 30), terminal.text
        assert terminal.alive, "it was gone before anybody could read why"
        terminal.send(b"q")
        assert terminal.wait(30) == 2, terminal.text
        told = b"flatout: the engine could not be opened: "
        terminal.until(lambda: told in terminal.raw, 10)
        before, _, after = bytes(terminal.raw).partition(RESTORED)
        assert told not in before
        assert told in after, after
        assert b"journal" in after
        assert terminal.restored
        assert '"opening-failed"' in terminal.log()
        assert "journal" in terminal.log()


def test_a_missing_key_is_told_and_a_secret_is_not(tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with console(tmp_path, *LIVE, ready=False, stderr=errors) as terminal:
        assert terminal.wait_for("try again", 30), terminal.text
        terminal.send(b"q")
        assert terminal.wait(30) == 2, terminal.text
        assert is_one_sentence(errors.read_bytes()), errors.read_bytes()
        assert b"there is no API key" in errors.read_bytes()
        assert "there is no API key" in (tmp_path / "f" / "main" / "flatout.log").read_text()


def test_standard_error_may_be_a_file_and_gets_no_escape_codes(tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with console(tmp_path, stderr=errors) as terminal:
        terminal.signal(15)
        assert terminal.wait(15) == 143
        assert errors.read_bytes() == b""
