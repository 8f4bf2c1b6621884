"""Plain English on every screen, in every message and on every page: words that meant something to
the house only are gone, and each word for a state stands in the glossary.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.position import Protection
from tui.panes.positions import WHERE
from tui.status import OFF

TOP = Path(__file__).parents[2]
CODE = sorted(
    path for folder in ("tui", "engine", "themes") for path in (TOP / folder).rglob("*.py")
)
PAGES = (TOP / "README.md", *sorted((TOP / "docs").glob("*.md")))
HOUSE = {"architecture.md", "adding-a-venue.md", "glossary.md"}
"""Pages for whoever changes the program: they may name its parts."""
GONE = {
    r"entries: LOOKING|REDUCING: LOOKING": "ENTRIES OFF: view only, :live turns them on",
    r"^ is over$|entries: .* is over|halt is over": "live trading is on for this session",
    r"\bGUARDED\b": "LOCAL",
    r"nothing has asked for": "no alerts",
    r"flat: no open position": "No open positions. n: new order",
    r"no stop works and nothing watches": "X has no stop. m: set one  x: close",
    r"the desk is halted": "halted by you: :unhalt ends it",
    r"no command is called": "unknown command “clos”; did you mean close?",
    r"in the order they came": "unsorted",
    r"shows that you mean it|\bPLACES it": "enter: review, enter: send",
    r"the outcome of .* is unknown": "UNKNOWN: cancel of #14: no answer for 9 s",
    r"worst price first|displayed there": "price limit of the first order, size at the best price",
    r"breaker (is )?(closed|open|probing)": "venue link ok, paused after errors, testing",
    r": (seen|cured)\b": "acknowledged, resolved",
    r"\b1 open positions": "1 open position",
    r"`a` adopts|`f` forgets": "take over, remove from our books",
}
"""What is not said any more, and what is."""
STATES = (
    "open", "partial", "sent", "amending", "cancelling", "triggered", "UNKNOWN", "foreign",
    "ENTRIES OFF", "HALTED", "READ-ONLY", "DOWN", "STALE", "flat", "waiting", "closing", "asking",
    "net", "R", "1R", "at stop", "UNBOUNDED",
)  # fmt: skip


def said(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that may be shown: no docstrings, and no text that is a value alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.lineno, node.value


@pytest.mark.parametrize("word", sorted(GONE))
def test_no_message_says_it_the_old_way(word: str) -> None:
    old = re.compile(word)
    found = [
        f"{path.relative_to(TOP)}:{line}: {text!r}: say {GONE[word]!r}"
        for path in CODE
        for line, text in TEXTS[path]
        if " " in text and old.search(text)
    ]
    assert found == []


@pytest.mark.parametrize("word", sorted(GONE))
def test_no_page_says_it_the_old_way(word: str) -> None:
    old = re.compile(word, re.MULTILINE)
    pages = [page for page in PAGES if page.name not in HOUSE]
    assert [page.name for page in pages if old.search(page.read_text(encoding="utf-8"))] == []


def test_each_word_for_a_state_stands_in_the_glossary() -> None:
    page = (TOP / "docs" / "glossary.md").read_text(encoding="utf-8")
    table = page.partition("## The words on the screen")[2].partition("\n## ")[0]
    listed = {
        word
        for row in table.splitlines()
        if row.startswith("| ")
        for word in row.split("|")[1].strip().split(", ")
    }
    shown = {text.split()[0] for text, _ in WHERE.values()}
    assert set(WHERE) == {one for one in Protection if one.value != "none"} or shown
    assert {*STATES, *shown} - listed == set()


def test_each_block_of_entries_says_why_in_words() -> None:
    assert [words for words in OFF.values() if words != words.strip() or words.isupper()] == []


TEXTS = {path: list(said(path)) for path in CODE}
