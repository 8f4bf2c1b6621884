"""A line and its cursor: what each key does, for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.editing import EDITS, Editing, is_printable

pytestmark = pytest.mark.hazard("H106")
SIGNS = st.sampled_from([*"0123456789.,% abc", "é", "e\u0301"[1], "日", "🚀", "ß"])
KEYS = st.lists(st.one_of(SIGNS, st.sampled_from(sorted(EDITS))), max_size=40)


def press(line: Editing, *keys: str) -> Editing:
    for key in keys:
        line.take(key, key if len(key) == 1 else None)
    return line


@pytest.mark.parametrize(
    ("keys", "text", "at"),
    [
        (("5", "0", "0", "backspace", "backspace", "1"), "51", 2),
        (("1", "2", "home", "3"), "312", 1),
        (("1", "2", "left", "3", "end", "4"), "1324", 4),
        (("1", "2", "ctrl+u", "3"), "3", 1),
        (("1", "2", "left", "ctrl+u", "3"), "32", 1),
        (("1", "2", "home", "right", "ctrl+k"), "1", 1),
        (("a", "b", " ", "c", " ", "ctrl+w", "d"), "ab d", 4),
        (("a", " ", "b", "ctrl+left", "ctrl+left", "x"), "xa b", 1),
        (("a", " ", "b", "home", "ctrl+right", "x"), "ax b", 2),
        (("1", "2", "home", "delete", "delete", "delete"), "", 0),
        (("ctrl+a", "1", "ctrl+e", "2", "ctrl+h"), "1", 1),
        (("日", "本", "left", "backspace"), "本", 0),
        (("e", "\u0301", "x", "left", "backspace"), "x", 0),
    ],
)
def test_keys_edit_in_their_order(keys: tuple[str, ...], text: str, at: int) -> None:
    line = press(Editing(), *keys)
    assert (line.text, line.at) == (text, at)


@given(KEYS, st.integers(0, 20))
def test_whatever_is_typed_the_cursor_stands_between_two_characters(
    keys: list[str], most: int
) -> None:
    line = press(Editing(most=most), *keys)
    assert 0 <= line.at <= len(line.text) <= most
    if 0 < line.at < len(line.text):
        first = next((i for i, sign in enumerate(line.text) if cell_len(sign)), 0)
        assert cell_len(line.text[line.at]) or line.at <= first, (
            "an accent was torn from its letter"
        )


@given(KEYS, st.text(max_size=30))
def test_a_paste_goes_in_whole_or_not_at_all(keys: list[str], pasted: str) -> None:
    line = press(Editing(most=32), *keys)
    left, right = line.text[: line.at], line.text[line.at :]
    flat = " ".join(pasted.split())
    if line.paste(pasted):
        assert line.text == left + right
    else:
        assert line.text == left + flat + right
        assert is_printable(line.text)


@given(st.text(max_size=20))
def test_no_key_types_what_can_t_be_seen(text: str) -> None:
    line = Editing()
    for sign in text:
        line.take("whatever", sign)
    assert is_printable(line.text)


@pytest.mark.parametrize(
    "key", ["up", "down", "enter", "escape", "tab", "shift+tab", "f2", "pageup", "ctrl+p", "ctrl+q"]
)
def test_a_key_that_edits_nothing_is_left_to_the_dialog(key: str) -> None:
    assert not Editing("12").take(key, None)
