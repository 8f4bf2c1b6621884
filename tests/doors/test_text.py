"""Foreign text on the command line, in the log, in exports and notifications: shown, never
obeyed.
"""

import ast
import csv
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import tui
from engine.account.home import Home
from engine.desk import events as e
from engine.desk.codec import encode
from engine.desk.desk import Decision
from engine.desk.evolve import evolve
from engine.desk.state import State
from engine.exchange import Store
from engine.journal import Journal
from engine.journal.export import write_csv, write_json
from engine.model.alert import Alert
from engine.model.text import HIDDEN, cell, escaped
from engine.records import batch
from engine.runtime.log import Log
from tests.support import processes
from tests.support.world import Story
from tui.cli.output import say

pytestmark = pytest.mark.hazard("H118")

NASTY = "\x1b]52;c;aGk=\x07 \x9b31m \u202egnol\u2066 \u200b\ufeff\x7f\r\n\U000e0041 \u2028"
"""Writes the clipboard, colours by C1, reorders, hides, and begins new lines."""


def assert_harmless(text: str, where: object) -> None:
    """Nothing but line breaks of our own is left that a terminal would obey or nobody can see."""
    left = {hex(ord(sign)) for sign in text.replace("\n", "") if ord(sign) in HIDDEN}
    assert not left, f"{left} reaches {where}"


@given(
    st.text()
    | st.text(st.sampled_from([chr(code) for code in HIDDEN if not 0xD800 <= code < 0xE000]))
)
def test_json_is_the_same_json_after_it(text: str) -> None:
    shown = escaped(json.dumps({"text": text}, ensure_ascii=False))
    assert_harmless(shown, "the line")
    assert json.loads(shown) == {"text": text}


@pytest.fixture
def poisoned(tmp_path: Path) -> Path:
    """The home of an account whose journal holds text of a hostile venue."""
    home = Home.of("paper", tmp_path / "home")
    journal = Journal.open(home.journal, "paper", "test", now=time.time_ns())
    raised = e.AlertRaised(1, Alert("ORDER_REJECTED", NASTY, f"=cmd()|{NASTY}", 1, last_at=1))
    state = State("paper", "USD")
    evolve(state, raised)
    journal.append(batch(Decision((raised,), ()), state, (), encode))
    journal.flush()
    journal.close()
    Store(home.paper).close()
    return tmp_path / "home"


def run(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "FLATOUT_HOME": str(home),
        "FLATOUT_SETTINGS": str(home / "none.toml"),
        **more,
    }
    return processes.run(
        [sys.executable, "-m", "tui.cli", *words],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )


COMMANDS = (
    ("journal", "tail"),
    ("journal", "replay"),
    ("status",),
    ("status", "--json"),
    ("export", "alerts"),
    ("export", "alerts", "--format", "json"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_lets_the_terminal_obey_a_venue(words: tuple[str, ...], poisoned: Path) -> None:
    told = run(poisoned, *words)
    assert told.returncode == 0, told.stderr
    assert "52;c;aGk=" in told.stdout, "the text is there to be read"
    assert_harmless(told.stdout + told.stderr, " ".join(words))


def test_what_is_said_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    say(NASTY, f"password={NASTY}", err=True)
    said = capsys.readouterr().err
    assert_harmless(said, "standard error")
    assert said.count("\n") == 2, "a line of ours is one line"


def test_an_error_is_shown_like_everything_else(tmp_path: Path) -> None:
    told = run(tmp_path, "--set", f"market.symbols={NASTY}", "status")
    assert told.returncode == 2
    assert_harmless(told.stderr, "standard error")
    assert len(told.stderr.splitlines()) == 1, "a line break in a value begins no line"


def test_what_nobody_catches_is_shown_so_too() -> None:
    code = (
        f"from tui.cli.output import guard; guard(); raise RuntimeError({NASTY!r} + '"
        " postgresql://u:hunter2@host/db')"
    )
    told = processes.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(tui.__file__).parents[1],
    )
    assert "RuntimeError" in told.stderr
    assert_harmless(told.stderr, "a traceback")
    assert "hunter2" not in told.stderr


def test_a_sign_that_the_terminal_lacks_stops_no_command(poisoned: Path) -> None:
    told = run(poisoned, "status", PYTHONIOENCODING="ascii")
    assert told.returncode == 0, told.stderr


def test_the_log_holds_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    story = Story()
    log = Log(tmp_path / "flatout.log", ())
    event = e.EntriesBlocked(1, "PAUSED", NASTY, None)
    log.decided(Decision((replace(event, at=2),), (), failure=NASTY), story.state)
    log.close()
    text = (tmp_path / "flatout.log").read_text(encoding="utf-8")
    assert_harmless(text, "the log")
    first, second = (json.loads(line) for line in text.splitlines())
    assert first["what"]["text"] == second["text"] == NASTY, "the log is the same JSON"


FORMULAS = (
    "=1+1",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1+1",
    "-cmd",
    "+",
    "-",
    "=",
    "+-1",
    "-1R",
)
NUMBERS = ("-0.03", "+2.05%", "1e-8", "-1,234.50", "0", "", "+.5", "x=1", "−3")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_is_given_no_formula(text: str) -> None:
    assert cell(text) == f"'{escaped(text)}"
    table = io.StringIO()
    write_csv([{"id": "a", "note": text}], table)
    assert next(csv.DictReader(io.StringIO(table.getvalue())))["note"] == f"'{escaped(text)}"


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_stays_a_number(text: str) -> None:
    assert cell(text) == text


def test_an_export_holds_nothing_that_a_terminal_obeys() -> None:
    table, lines = io.StringIO(), io.StringIO()
    rows: list[dict[str, object]] = [{"id": "a", "note": NASTY, "tags": (NASTY, "=1")}]
    write_csv(rows, table)
    write_json(rows, lines)
    assert_harmless(table.getvalue().replace("\r\n", "\n"), "CSV")
    assert_harmless(lines.getvalue(), "JSON")
    assert json.loads(lines.getvalue())[0]["note"] == NASTY


ALLOWED = {"output.py"}


def test_nothing_is_printed_past_the_one_sink() -> None:
    for path in Path(tui.__file__).parent.rglob("*.py"):
        if path.name in ALLOWED:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in (
                "print",
                "click.echo",
                "click.secho",
                "sys.stdout.write",
                "sys.stderr.write",
            ), f"{path.name}:{node.lineno}"  # type: ignore[attr-defined]
