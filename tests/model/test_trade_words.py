"""Numbers as people write them: what may mean two things is refused."""

from decimal import Decimal

import pytest

from engine.grammar.parser import parse
from engine.grammar.vocabulary import Vocabulary
from engine.model import trade_words
from engine.model.trade_words import WordsError
from tui.flows import numbers

BTC = Vocabulary(symbols=("BTC/USD",), focus="BTC/USD")


@pytest.mark.parametrize(
    "text", ["0,500", "62,5", "1,5", "062,500", "1,000,5", "1.000,5", "1,0000", "1e3", ",5", "5,"]
)
def test_no_reader_guesses_what_a_comma_means(text: str) -> None:
    with pytest.raises(WordsError):
        trade_words.number(text)
    with pytest.raises(numbers.UnreadableError):
        numbers.number(text, "size")
    assert parse(f"buy {text}", BTC).line is None


@pytest.mark.parametrize("text", ["1,000.5", "62,250", "0.5", ".5", "1,234,567"])
def test_all_readers_read_the_same(text: str) -> None:
    value = Decimal(text.replace(",", ""))
    assert trade_words.number(text) == numbers.number(text, "size") == value
    line = parse(f"buy {text}", BTC).line
    assert line is not None
    assert getattr(line.commands[0], "size").value == value  # noqa: B009
