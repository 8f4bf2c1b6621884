"""The language: the brief's examples, errors that point, and no text that raises."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from engine.grammar import tree as t
from engine.grammar.commands import COMMANDS, OPTIONS
from engine.grammar.parser import flat, parse, read_macros
from engine.grammar.printing import printed
from engine.grammar.vocabulary import Vocabulary
from tests.grammar.examples import KNOWN, NEEDS_A_MARKET, POINTED, SCALP, UNDERSTOOD, pointer


def read(text: str) -> t.Line:
    parsed = parse(text, KNOWN)
    assert parsed.line is not None, parsed.wrong
    return parsed.line


def one(text: str) -> t.Command:
    [command] = read(text).commands
    return command


def wrong(text: str, known: Vocabulary = KNOWN) -> tuple[str, str]:
    parsed = parse(text, known)
    assert parsed.wrong is not None, parsed.line
    span = parsed.wrong.span
    assert 0 <= span.start <= span.end <= len(text)
    return pointer(span.start, span.end), parsed.wrong.text


def bare(node: object) -> object:
    """A tree without the places that it was read from."""
    if isinstance(node, dict):
        return {key: bare(value) for key, value in node.items() if key != "span"}
    return [bare(value) for value in node] if isinstance(node, list | tuple) else node


def test_there_are_26_examples_and_10_errors() -> None:
    assert (len(UNDERSTOOD), len(POINTED)) == (26, 10)


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_each_example_is_understood_and_prints_as_itself(text: str) -> None:
    line = read(text)
    again = printed(line)
    assert printed(read(again)) == again
    assert bare(to_builtins(read(again))) == bare(to_builtins(line))


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_case_and_blanks_do_not_matter(text: str) -> None:
    quoted = '"' in text
    shouted = text if quoted else text.upper()
    spaced = text if quoted else f"  {shouted.replace(' ', '   ')} "
    assert printed(read(spaced)).lower() == printed(read(text)).lower()


@pytest.mark.parametrize(
    ("text", "points", "says", "mends"),
    [row for index, row in enumerate(POINTED) if index not in NEEDS_A_MARKET],
)
def test_each_error_points_at_its_place(text: str, points: str, says: str, mends: str) -> None:
    parsed = parse(text, KNOWN)
    assert parsed.line is None
    assert parsed.wrong is not None
    assert wrong(text) == (points, says)
    assert parsed.wrong.remedy == mends
    assert parsed.understood == len(points) - len(points.lstrip())


@pytest.mark.parametrize("index", NEEDS_A_MARKET)
def test_what_only_a_price_can_tell_is_understood(index: int) -> None:
    assert parse(POINTED[index][0], KNOWN).line is not None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("62,250.5", "62250.5"),
        ("62_250.5", "62250.5"),
        ("5k", "5000"),
        ("1.5k", "1500"),
        (".5", "0.5"),
        ("1,234,567", "1234567"),
        ("007", "7"),
    ],
)
def test_numbers(text: str, value: str) -> None:
    command = one(f"buy {text}")
    assert isinstance(command, t.Enter)
    assert isinstance(command.size, t.Amount)
    assert str(command.size.value) in (value, f"{value}.0", "1500.0")


@pytest.mark.parametrize(
    "text", ["62,5", "0,500", "1,00", "12,3456", "1_0", "5.", "1.2.3", "1..2", "5x", "0.5btc"]
)
def test_what_could_be_two_numbers_is_none(text: str) -> None:
    points, _ = wrong(f"buy {text}")
    assert points == "    " + "^" * len(text)


@pytest.mark.parametrize("text", ["buy 0", "buy risk 0% stop 1%", "close eth 0%", "buy 0.5 lev 0"])
def test_zero_is_no_amount(text: str) -> None:
    assert "is not above zero" in wrong(text)[1]


def test_the_parts_of_an_entry() -> None:
    command = one(
        "sell eth risk 300$ at ask-2t stop 3,492 target 1r half, 3r rest trail 0.6% after 1r"
        ' lev 3 tag a tag b note "so it is" expire 20m post !'
    )
    assert isinstance(command, t.Enter)
    assert command.symbol is not None
    assert command.symbol.symbol == "ETH/USD"
    assert isinstance(command.at, t.Anchored)
    assert command.at.offset is not None
    assert printed(t.Line((command,))).startswith("sell ETH/USD risk 300$ at ask-2t stop 3492 ")
    assert [leg.part.kind for leg in command.legs if leg.part] == ["half", "rest"]
    assert command.trail is not None
    assert command.trail.after is not None
    assert command.tags == ("a", "b")
    assert (command.note, command.post, command.at_once) == ("so it is", True, True)
    assert command.expire is not None
    assert command.expire.nanoseconds == 20 * 60 * 10**9


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a command is missing"),
        ("pause;", "a command is missing behind “;”"),
        ("; pause", "a command is missing"),
        ("buy", "size missing"),
        ("buy btc", "size missing"),
        ("buy 0.5 stop 1% stop 2%", "“stop” is said twice"),
        ("buy 0.5 post ioc", "exclude each other"),
        ("buy 0.5 be 1r", "such as be after 1r"),
        ("buy 0.5 trail 400", "a unit is missing"),
        ("buy 0.5 at bid+3", "a unit is missing"),
        ("buy 0.5 expire 20", "a unit is missing behind the time"),
        ("buy 0.5 expire 400d", "is too long"),
        ("buy 0.5 lev 5000", "is more than 1000"),
        ("close eth 150%", "more than all of it"),
        ("stop btc", "place missing"),
        ("stop btc none because", "text missing"),
        ('stop btc none because "', "the quote is not closed"),
        ('stop btc none because ""', "is empty"),
        ("cancel", "what is missing"),
        ("cancel btx", "unknown symbol"),
        ("amend", "order missing"),
        ("amend #14", "change missing"),
        ("amend #14 at bid at ask", "one word too many"),
        ("be btc +1.5t", "no whole number of ticks"),
        ("wait", "what is missing"),
        ("wait flat within", "time missing"),
        ("alert > 5", "symbol missing"),
        ("set lot = 1", "name missing"),
        ("set @lot 1", "= is missing"),
        ("live", "name missing"),
        ("pause now", "one word too many"),
        ("clos", "did you mean close?"),
        ("zzz", "unknown command “zzz”: help lists them"),
        ("scalp", "argument 1 of scalp is missing: a symbol"),
        ("scalp btx", "unknown symbol"),
        ("scalp eth now", "one word too many"),
        ("buy 0.5 stop 5 %%", "is no number with a unit"),
        ("buy 0.5 % stop 5", "fits nowhere here"),
        ("x" * 3_000, "at most 2000 characters"),
        ("pause;" * 60 + "pause", "at most 50 commands"),
    ],
)
def test_what_else_is_wrong(text: str, says: str) -> None:
    assert says in wrong(text)[1]


def test_symbols_by_their_short_names() -> None:
    known = Vocabulary(
        symbols=("BTC/USD", "BTC/EUR", "ETH/EUR", "ETH/BTC", "PF_XBTUSD", "PF_SOLUSD", "ASK/USD"),
        currency="USD",
    )

    def named(text: str) -> str:
        line = parse(f"reverse {text}", known).line
        assert line is not None
        [command] = line.commands
        assert isinstance(command, t.Reverse)
        assert command.symbol is not None
        return command.symbol.symbol

    assert named("BTC/EUR") == named("btc/eur") == "BTC/EUR"
    assert named("xbt") == "PF_XBTUSD"
    assert named("sol") == "PF_SOLUSD"
    assert "may be ETH/EUR or ETH/BTC" in wrong("reverse eth", known)[1]
    assert named("ask") == "ASK/USD"
    assert "size missing" in wrong("buy ask", known)[1]


def test_a_symbol_called_like_a_word_is_written_out() -> None:
    known = Vocabulary(symbols=("BE/USD",), focus="BE/USD")
    line = parse("stop be", known).line
    assert line is not None
    [command] = line.commands
    assert isinstance(command, t.Stop)
    assert command.symbol is None
    assert isinstance(command.place, t.Anchored)
    line = parse("stop be/usd be", known).line
    assert line is not None
    [command] = line.commands
    assert isinstance(command, t.Stop)
    assert command.symbol is not None


def test_a_macro_is_read_with_its_arguments() -> None:
    [command] = read("scalp eth").commands
    assert isinstance(command, t.Expanded)
    assert command.text == SCALP.replace("{1:symbol}", "eth")
    [entry] = flat(read("scalp eth"))
    assert isinstance(entry, t.Enter)
    assert entry.symbol is not None
    assert entry.symbol.symbol == "ETH/USD"


def test_an_argument_adds_no_command() -> None:
    known = Vocabulary(
        symbols=("BTC/USD",), focus="BTC/USD", macros=read_macros({"go": "buy {1:size}"})[0]
    )
    line = parse("go 1; pause", known).line
    assert line is not None
    assert [type(command) for command in line.commands] == [t.Expanded, t.Desk]
    assert "one word too many" in wrong("go 1 stop", known)[1]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("buy", "pause", "is a command already"),
        ("Go", "pause", "is no name"),
        ("go", "by 1", "unknown command “by”"),
        ("go", "buy {1:coin} 1", "the kinds are"),
        ("go", "buy {2:symbol} 1", "numbered from 1"),
        ("go", "buy {1:symbol} {1:size}", "of two kinds"),
        ("go", "buy {1} 1", "is written as {1:symbol}"),
        ("go", "other eth", "a macro calls no macro"),
        ("go", "buy btc 1", "unknown symbol “btc”"),
        ("truth", "pause", "is a command already"),
    ],
)
def test_a_macro_that_can_not_be_used_says_why(name: str, text: str, says: str) -> None:
    usable, faults = read_macros({name: text, "other": "pause"}, ("truth",))
    assert says in faults[name]
    assert list(usable) == ["other"]


def test_the_console_s_own_commands_are_words_of_the_language() -> None:
    known = Vocabulary(symbols=KNOWN.symbols, commands=("truth", "stop", "live", "close"))

    def command(text: str) -> t.Command:
        line = parse(text, known).line
        assert line is not None, text
        return line.commands[0]

    assert isinstance(command("truth"), t.Run)
    assert isinstance(command("stop"), t.Run)
    assert isinstance(command("stop btc 1%"), t.Stop)
    assert isinstance(command("live"), t.Run)
    assert isinstance(command("live main"), t.Desk)
    assert isinstance(command("close"), t.Close)
    assert "did you mean truth?" in wrong("trut", known)[1]
    assert "place missing" in wrong("stop btc", known)[1]
    assert "one word too many" in wrong("truth btc", known)[1]


WORDS = [
    *COMMANDS, *OPTIONS, "btc", "eth", "btx", "half", "rest", "none", "off", "after", "within", "flat", "filled", "all", "longs",
    "bid", "be+3t", "ask-2t", "@lot", "#14", "=", ">", ";", ",", "0.5", "62,500", "1%", "-1%", "2r", "40t", "300$", "0.5u", "20m",
    '"', '"a b"', "“c”", "\\", "risk", "notional", "preset", "because", "size", "scalp", "−", "\u00a0", "²", "٣", "ß", "İ", "\x00",
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), max_size=14), st.data())
def test_no_text_raises_and_what_is_understood_prints_as_itself(
    words: list[str], data: st.DataObject
) -> None:
    text = data.draw(st.sampled_from([" ", "", "  "])).join(words)
    parsed = parse(text, KNOWN)
    assert (parsed.line is None) is not (parsed.wrong is None)
    if parsed.wrong is not None:
        assert 0 <= parsed.wrong.span.start <= parsed.wrong.span.end <= len(text)
        assert parsed.wrong.text
    if parsed.line is not None:
        again = printed(parsed.line)
        second = parse(again, KNOWN)
        assert second.line is not None, (again, second.wrong)
        assert bare(to_builtins(second.line)) == bare(to_builtins(parsed.line))
        assert printed(second.line) == again


@given(st.text())
def test_no_text_at_all_raises(text: str) -> None:
    parse(text, KNOWN)


@given(st.sampled_from(UNDERSTOOD), st.data())
def test_a_line_that_is_being_typed_never_raises(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    typed = text[:cut] + data.draw(st.text(max_size=3)) + text[cut + data.draw(st.integers(0, 3)) :]
    parsed = parse(typed, KNOWN)
    assert (parsed.line is None) is not (parsed.wrong is None)


def test_each_command_of_the_grammar_has_an_example() -> None:
    first = {re.split(r"[ ;]", part.strip())[0] for text in UNDERSTOOD for part in text.split(";")}
    others = {"resume", "halt", "unhalt", "live", "flatten", "compare", "chart", "layout", "theme"}
    assert set(COMMANDS) - first == others | {"symbol", "notify", "help", "watch"}


@pytest.mark.parametrize(
    ("text", "do", "name"),
    [
        ("watch add sol", "add", "sol"),
        ("WATCH ADD BTC/USDT:USDT", "add", "BTC/USDT:USDT"),
        ("watch add PF_XBTUSD", "add", "PF_XBTUSD"),
        ("watch add 1inch", "add", "1inch"),
        ("watch drop eth", "drop", "ETH/USD"),
    ],
)
def test_symbols_are_added_by_any_name_and_dropped_by_a_known_one(
    text: str, do: str, name: str
) -> None:
    command = one(text)
    assert isinstance(command, t.Watch)
    assert (command.do, command.name) == (do, name)
    assert bare(to_builtins(one(printed(read(text))))) == bare(to_builtins(command))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("watch", "add or drop is missing, such as watch add sol"),
        ("watch add", "symbol missing, such as watch add sol"),
        ("watch add so,l", "“,” is one word too many"),
        ("watch add sol now", "“now” is one word too many"),
        ("watch drop", "symbol missing, such as watch drop sol"),
        ("watch drop doge", "unknown symbol “doge”"),
    ],
)
def test_what_is_no_symbol_is_pointed_at(text: str, says: str) -> None:
    assert says in wrong(text)[1]
