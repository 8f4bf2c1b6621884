"""What a terminal sends that is broken becomes nothing: never keys, never an exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from tui.decoder import ALONE, PASTING, TAIL, UNFINISHED, Decoder

pytestmark = pytest.mark.hazard("H105")


class Keyboard:
    """A decoder with a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.decoder = Decoder(lambda: self.now)

    def type(self, data: bytes, wait: float = 0.0) -> list[str]:
        """The keys that come of bytes, and of waiting after them."""
        found = list(self.decoder.feed(data))
        self.now += wait
        return names([*found, *self.decoder.tick()])


def names(found: list[Message]) -> list[str]:
    """What each message is: a key's name, or the kind of the others."""
    return [
        message.key if isinstance(message, events.Key) else type(message).__name__
        for message in found
    ]


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"F", ["F"]),
        ("é".encode(), ["é"]),
        (b"\x1b[A", ["up"]),
        (b"\x1bOP", ["f1"]),
        (b"\x1b[[A", ["f1"]),
        (b"\x1b[21~", ["f10"]),
        (b"\x1b[3$", ["shift+delete"]),
        (b"\x1b[1;5C", ["ctrl+right"]),
        (b"\x1b[102;2;70u", ["F"]),
        (b"\r\x7f\t", ["enter", "backspace", "tab"]),
        (b"\x1bx", ["alt+x"]),
        (b"\x1b\x1b[A", ["escape", "up"]),
        (b"\x1b[<0;10;5M\x1b[<0;10;5m", ["MouseDown", "MouseUp"]),
        (b"\x9b<0;10;5M", ["MouseDown"]),
        (b"\x1b[I\x1b[O", ["AppFocus", "AppBlur"]),
        (b"\x1b[?2026;2$y", ["TerminalSupportsSynchronizedOutput"]),
        (b"\x1b[200~0.5\x1b[201~j", ["Paste", "j"]),
    ],
)
def test_what_is_whole_is_typed(typed: bytes, keys: list[str]) -> None:
    assert Keyboard().type(typed) == keys
    split = Keyboard()
    assert [key for byte in typed for key in split.type(bytes([byte]))] == keys, (
        "the same, byte by byte"
    )


@pytest.mark.parametrize(
    "broken",
    [
        b"\xe9",
        b"\xff\xfe",
        b"\xc3\x28"[:1],
        b"\x1b[M \xf0!",
        b"\x1b[M\xe9\xf0\xf1",
        b"\x1b[<0;10M",
        b"\x1b[<;;M",
        b"\x1b[<0;10;5;7M",
        b"\x1b[<0;" + b"9" * 40 + b";5M",
        b"\x1b[<128;10;5M",
        b"\x1b[<0;0;0M",
        b"\x1b[?1;2c",
        b"\x1b[>0;276;0c",
        b"\x1b[97:65;2u",
        b"\x1b[99999999999;2u",
        b"\x1b[48;0;0;0;0t",
        b"\x1b]11;rgb:0000/0000/0000\x07",
        b"\x1b]11;rgb:FFFF/FFFF/FFFF\x1b\\",
        b"\x1bP1+r544e\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
        b"\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19z",
        b"\xc2\x9b0;5M"[:2],
    ],
    ids=repr,
)
def test_what_is_broken_is_nothing(broken: bytes) -> None:
    keyboard = Keyboard()
    assert keyboard.type(broken, 1.0) == []
    assert keyboard.type(b"F") == ["F"], "the next key works"


@pytest.mark.parametrize(
    "cut", [b"\x1b[", b"\x1b[<0;1", b"\x1b[<", b"\x1b[1;5", b"\x1b[M !", b"\x1b[48;24"], ids=repr
)
@pytest.mark.parametrize("last", [b"x", b"F"])
def test_a_sequence_that_is_cut_off_is_given_up_and_the_keys_work(cut: bytes, last: bytes) -> None:
    keyboard = Keyboard()
    assert keyboard.type(cut, UNFINISHED) == []
    keyboard.now += TAIL * 2
    assert keyboard.type(last) == [last.decode()]


@pytest.mark.parametrize(
    ("head", "tail"),
    [(b"\x1b[<0;1", b"0;5M"), (b"\x1b[1;", b"5A"), (b"\x1b[M ", b"!F"), (b"\x1b", b"[<0;10;5M"), (b"\x1b", b"OP"), (b"\x1b[<35;1", b"M")],
)  # fmt: skip
def test_the_rest_of_what_was_given_up_types_nothing(head: bytes, tail: bytes) -> None:
    keyboard = Keyboard()
    assert keyboard.type(head, UNFINISHED) == (["escape"] if head == b"\x1b" else [])
    assert keyboard.type(tail) == []
    assert keyboard.type(b"F") == ["F"]


def test_a_lone_escape_is_the_escape_key() -> None:
    keyboard = Keyboard()
    assert keyboard.type(b"\x1b") == []
    assert keyboard.type(b"", ALONE * 1.1) == ["escape"]


def test_an_escape_and_a_key_in_one_read_type_no_character() -> None:
    (key,) = Keyboard().decoder.feed(b"\x1bj")
    assert isinstance(key, events.Key)
    assert (key.key, key.character) == ("alt+j", None)


def test_a_late_thread_is_no_late_terminal() -> None:
    """Two reads with a long time between them and no tick: this thread did not run, the sequence is
    whole all the same.
    """
    keyboard = Keyboard()
    assert list(keyboard.decoder.feed(b"\x1b")) == []
    keyboard.now += 5
    assert keyboard.type(b"[A") == ["up"]


def test_a_paste_without_an_end_gives_the_keys_back() -> None:
    keyboard = Keyboard()
    assert keyboard.type(b"\x1b[200~12\x1b[A\xe9", PASTING) == []
    assert keyboard.type(b"F") == ["F"]


def test_escapes_in_a_paste_are_no_keys() -> None:
    (told,) = Keyboard().decoder.feed(b"\x1b[200~0\x1b[A.5\xe9\n\x1b[201~")
    assert isinstance(told, events.Paste)
    assert told.text == "0[A.5\n"


@given(st.lists(st.binary(max_size=12), max_size=8))
def test_no_bytes_at_all_are_an_exception(pieces: list[bytes]) -> None:
    keyboard = Keyboard()
    for piece in pieces:
        keyboard.type(piece, 0.05)
    keyboard.now += 10
    list(keyboard.decoder.tick())
    keyboard.now += 10
    assert keyboard.type(b"F")[-1:] == ["F"]


SEQUENCE = st.from_regex(
    rb"\A(\x1b|\x9b)\[?[<?>=]?[0-9;:]{0,12}[ -/]{0,2}[cghijklmnpqrstvwxyz{|}]\Z"
)


@given(st.lists(SEQUENCE.filter(lambda s: not s.startswith(b"\x9b[")), max_size=5))
def test_whole_sequences_that_nobody_knows_type_no_plain_key(sequences: list[bytes]) -> None:
    keyboard = Keyboard()
    for sequence in sequences:
        assert all(
            "+" in key or len(key) > 1
            for key in keyboard.type(sequence, 1.0)
            if sequence[1:2] == b"["
        ), sequence
