"""The runbook: an entry for each alert, each refusal and each reason that blocks entries, and
nothing to press that is not there.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from click import Context

from engine.desk.intents import BY_HAND
from engine.model.alert import ALERTS
from engine.model.refusal import REFUSALS
from tui.cli import main
from tui.cli.commands import COMMANDS as FILES
from tui.commands import COMMANDS
from tui.flows.truth import KEYS as IN_TRUTH

TEXT = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`]+)`")


def rows(title: str) -> Iterator[list[str]]:
    """The cells of a chapter's table, row by row, without the head."""
    chapter = TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    for line in [line for line in chapter.splitlines() if line.startswith("|")][2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_each_alert_has_one_entry_with_its_severity() -> None:
    told = [(code, severity) for code, severity, *_ in rows("Every alert, and what to press")]
    assert sorted(told) == sorted(
        (code, severity.name.lower()) for code, (severity, _) in ALERTS.items()
    )


def test_each_entry_says_what_happened_what_is_done_and_what_to_press() -> None:
    short = [
        code
        for code, _, *cells in rows("Every alert, and what to press")
        if len(cells) != 3 or not all(cells)
    ]
    assert short == []


def test_what_is_to_be_pressed_exists() -> None:
    keys = {key for command in COMMANDS for key in (*command.key.split(","), command.shown)} | {
        *IN_TRUTH
    }
    named = {f":{command.id}" for command in COMMANDS}
    wrong = []
    for code, *_, press in rows("Every alert, and what to press"):
        for word in CODE.findall(press):
            known = word in keys or word in named or is_command(word) or "." in word
            wrong += [] if known else [(code, word)]
    assert wrong == []


def is_command(words: str) -> bool:
    """Whether it is a command line whose command, and whose options, there are."""
    name, *rest = words.split()
    if name != "flatout":
        return False
    found = next((part for part in rest if part in FILES), None)
    options = {
        name
        for command in (main, main.get_command(Context(main), found or ""))
        if command
        for one in command.params
        for name in one.opts
    }
    return all(part in options for part in rest if part.startswith("--"))


def test_each_refusal_says_what_to_do() -> None:
    told = [
        code for codes, _ in rows("Every refusal, and what to do") for code in codes.split(", ")
    ]
    assert sorted(told) == sorted(REFUSALS)


def test_each_reason_that_a_hand_ends_says_so() -> None:
    told = {code: ends for codes, ends in rows("Why entries wait") for code in codes.split(", ")}
    by_hand = {code for code, ends in told.items() if "`:resume`" in ends}
    assert by_hand == {*BY_HAND} - {"HALTED"}
    assert "`:unhalt`" in told["HALTED"]


def test_every_word_in_capitals_is_a_code() -> None:
    """A code that was renamed is named no more."""
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    reasons = {code for codes, _ in rows("Why entries wait") for code in codes.split(", ")}
    words = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", re.sub(r"`[^`]*`", "", prose)))
    assert words - {*ALERTS, *REFUSALS, *reasons} == set()
