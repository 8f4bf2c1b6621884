"""docs/command-line.md: its lines are understood, its errors point where it says, its table of
commands is whole.
"""

import re
from pathlib import Path

from engine.grammar.commands import COMMANDS, OPTIONS
from engine.grammar.macros import KINDS
from engine.grammar.parser import parse, read_macros
from engine.grammar.resolve import plan
from engine.grammar.wrong import Wrong
from tests.grammar.examples import KNOWN, POINTED, UNDERSTOOD, pointer
from tests.grammar.test_resolving import AROUND

TEXT = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```text\n(.*?)```", TEXT, flags=re.DOTALL)


def test_the_examples_are_those_of_the_tests() -> None:
    assert tuple(BLOCKS[0].splitlines()) == UNDERSTOOD


def test_each_line_that_a_shell_is_given_is_understood() -> None:
    lines = [line for text in re.findall(r"'([^']+)'", BLOCKS[1]) for line in [text]]
    assert len(lines) >= 4
    for line in lines:
        assert parse(line, KNOWN).line is not None, line


def test_each_error_is_told_as_the_page_says() -> None:
    rows = BLOCKS[2].splitlines()
    assert len(rows) == 2 * len(POINTED)
    for text, told in zip(rows[::2], rows[1::2], strict=True):
        parsed = parse(text, AROUND.vocabulary)
        wrong = parsed.wrong if parsed.line is None else plan(parsed.line, AROUND, "k")
        assert isinstance(wrong, Wrong), text
        assert f"{pointer(wrong.span.start, wrong.span.end)} {wrong.text}" == told


def test_every_word_of_the_grammar_is_on_the_page() -> None:
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    words = set(re.findall(r"`([^`]+)`", prose))
    single = {word for text in words for word in re.split(r"[\s,]+", text)}
    assert set(COMMANDS) <= single
    assert set(OPTIONS) <= single
    assert set(KINDS) <= single


def test_the_macros_of_the_page_can_be_used() -> None:
    block = re.search(r"\[commands\]\n(.*?)```", TEXT, flags=re.DOTALL)
    assert block is not None
    texts = dict(re.findall(r'(\w+) = "(.*)"', block[1]))
    assert read_macros(texts)[1] == {}
