"""What tab adds, and what may come next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.grammar.commands import COMMANDS
from engine.grammar.complete import completed, offers
from engine.grammar.forms import FORMS
from tests.grammar.examples import KNOWN, UNDERSTOOD

VOCABULARY = replace(
    KNOWN, orders=(7, 14), templates=("scalp",), variables=("lot",), reasons=("DRAWDOWN",)
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("reve", "reverse "),
        ("sc", "scalp "),
        ("scalp e", "scalp eth "),
        ("cancel #1", "cancel #14 "),
        ("buy eth 1 sto", "buy eth 1 stop "),
        ("buy @", "buy @lot "),
        ("buy btc 1 template ", "buy btc 1 template scalp "),
        ("resume ", "resume DRAWDOWN "),
        ("wait fi", "wait filled "),
        ("pause; canc", "pause; cancel "),
        ("by btc 1", "buy btc 1"),
        ("buy btx 1", "buy btc 1"),
        ("buy btc 0,5", "buy btc 0.5"),
        ("buy btc risk 1%", "buy btc risk 1% stop -0.8%"),
        ("sell eth 1 targt", "sell eth 1 target"),
        ("zzz", "zzz"),
        ("close eth ", "close eth "),
    ],
)
def test_tab(text: str, wanted: str) -> None:
    assert completed(text, VOCABULARY) == wanted


def test_what_may_come_next_is_what_the_parser_takes() -> None:
    assert {"at", "when", "stop", "target", "!"} <= set(offers("buy btc 1 ", VOCABULARY))
    assert "stop" not in offers("buy btc 1 stop 1% ", VOCABULARY)
    assert set(offers("cancel ", VOCABULARY)) >= {"#7", "#14", "btc", "buys", "sells", "wait"}
    assert set(offers("", VOCABULARY)) >= set(COMMANDS)


def test_each_command_says_what_it_looks_like() -> None:
    assert set(FORMS) == set(COMMANDS)


@given(st.sampled_from(UNDERSTOOD), st.integers(0, 80), st.text(max_size=3))
def test_tab_never_raises_and_comes_to_an_end(text: str, cut: int, more: str) -> None:
    typed = text[:cut] + more
    for _ in range(40):
        after = completed(typed, VOCABULARY)
        if after == typed or len(after) > 200:
            break
        typed = after
