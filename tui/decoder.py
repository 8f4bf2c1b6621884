"""Turn the bytes that a terminal sends into keys and mouse events; whatever is broken becomes
nothing.

Textual's own parser types what it does not understand as single keys, and dies of a byte that is no
UTF-8. On a trading console both are orders that nobody gave. So sequences are split here by the
grammar of ECMA-48, and only a whole one is looked up in Textual's tables. A sequence that is cut
off, too long or unknown is dropped; so is the tail of one whose head was given up.
"""

import codecs
import re
import time
from collections.abc import Callable, Iterator

from textual import constants, events, messages
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import (
    BRACKETED_PASTE_END,
    BRACKETED_PASTE_START,
    FOCUSIN,
    FOCUSOUT,
    IS_ITERM,
    XTermParser,
)
from textual.keys import Keys
from textual.message import Message

ESC = "\x1b"
ALONE = constants.ESCAPE_DELAY
"""Seconds after which an escape that nothing follows is the escape key."""
UNFINISHED = 0.5
"""Seconds after which a sequence that was begun is given up."""
PASTING = 2.0
"""Seconds after which a paste that does not end is given up: until then no key works."""
TAIL = 1.0
"""Seconds during which the rest of a sequence that was given up may still come."""
LONGEST = 4096
WIDEST = 2_000
"""Cells; a terminal that says to be larger is not believed."""
EIGHT_BIT = {0x8F: "O", 0x90: "P", 0x98: "X", 0x9B: "[", 0x9D: "]", 0x9E: "^", 0x9F: "_"}
"""C1 controls, as a terminal sends them that answers with single bytes."""
RESIZED = re.compile(r"\x1b\[48;(\d+)[:\d]*;(\d+)[:\d]*;(\d+)[:\d]*;(\d+)[:\d]*t")
MODE = re.compile(r"\x1b\[\?(\d+);(\d)\$y")
CURSOR = re.compile(r"\x1b\[(\d{1,6});(\d{1,6})R")
MOUSE = re.compile(r"\x1b\[<(\d{1,3});-?\d{1,6};-?\d{1,6}[Mm]")
KEY = re.compile(r"\x1b\[[\d:;]{0,64}[u~ABCDEFHPQRS]")
TAILS = (
    (re.compile(r"\x1b\[M"), re.compile(r"[\s\S]{1,3}")),
    (re.compile(r"\x1b\[<"), re.compile(r"-?[\d;]*[Mm]")),
    (re.compile(r"\x1b\["), re.compile(r"[<?>]?[\d;:]*[\x40-\x7e]")),
    (re.compile(r"\x1b"), re.compile(r"\[[<?>]?[\d;:]*[A-Za-z~]|O[A-DFHP-S]")),
)
"""From how a sequence began that was given up to how its rest looks."""


def is_whole(held: str) -> bool | None:
    """Say whether a sequence is complete: True, False while more must come, None where it can't
    become one.
    """
    if held == ESC:
        return False
    kind = held[1]
    if kind == "[":
        return _is_whole_csi(held, held[2:])
    if kind == "O":
        if len(held) == 2 or held[-1].isdigit():
            return False if len(held) < 6 else None
        return True if held[-1].isascii() and held[-1].isalpha() else None
    if kind in "]P_^X":
        return held.endswith(("\x07", ESC + "\\"))
    return True


def _is_whole_csi(held: str, body: str) -> bool | None:
    if not body:
        return False
    if body[0] == "[":  # the Linux console's function keys
        return len(body) == 2
    if body[0] == "M":  # an old mouse report: three bytes of any value
        return len(body[1:].encode("utf-8", "surrogateescape")) >= 3
    # rxvt ends keys with `$`, which elsewhere is followed by a letter
    if held in ANSI_SEQUENCES_KEYS:
        return True
    if "\x20" <= body[-1] <= "\x3f":
        return False
    return True if "\x40" <= body[-1] <= "\x7e" else None


class Lookup(XTermParser):
    """Textual's tables of keys and its reading of mouse reports, for one whole sequence at
    a time.
    """

    def meaning(self, sequence: str) -> Iterator[Message]:
        """What a whole sequence means. Raises ValueError or OverflowError for numbers that can't
        be.
        """
        if sequence in (FOCUSIN, FOCUSOUT):
            yield events.AppFocus() if sequence == FOCUSIN else events.AppBlur()
        elif (found := RESIZED.fullmatch(sequence)) is not None:
            yield from self._resized(*map(int, found.groups()))
        elif (found := CURSOR.fullmatch(sequence)) is not None:
            row, column = map(int, found.groups())
            yield events.CursorPosition(column - 1, row - 1)
        elif (found := MODE.fullmatch(sequence)) is not None:
            yield from self._mode(found[1], int(found[2]))
        elif (found := MOUSE.fullmatch(sequence)) is not None:
            told = self.parse_mouse_code(sequence) if int(found[1]) < 128 else None
            if told is not None:
                yield told
        elif len(sequence) == 1 or KEY.fullmatch(sequence) or sequence in ANSI_SEQUENCES_KEYS:
            yield from self.keys(sequence)
        elif len(sequence) == 2 and sequence[1].isprintable():
            for key in self.keys(sequence[1], alt=True):
                assert isinstance(key, events.Key)
                # without its character: nothing is typed into a field
                yield events.Key(key.key, None)

    def keys(self, sequence: str, *, alt: bool = False) -> Iterator[Message]:
        """The keys that Textual knows under a sequence."""
        for key in self._sequence_to_key_events(sequence, alt=alt):
            if key.key != Keys.Ignore:
                yield key

    def _resized(
        self, height: int, width: int, pixel_height: int, pixel_width: int
    ) -> Iterator[Message]:
        if not (0 < width <= WIDEST and 0 < height <= WIDEST):
            return
        told = events.Resize.from_dimensions((width, height), (pixel_width, pixel_height))
        self.terminal_size, self.terminal_pixel_size = told.size, told.pixel_size
        self.mouse_pixels = True
        yield told

    @staticmethod
    def _mode(mode: str, setting: int) -> Iterator[Message]:
        if mode == "2026" and setting > 0:
            yield messages.TerminalSupportsSynchronizedOutput()
        elif mode == "2048" and constants.SMOOTH_SCROLL and not IS_ITERM:
            yield messages.InBandWindowResize.from_setting_parameter(setting)


class Decoder:
    """From bytes to messages. `feed` what was read; `tick` when nothing was read for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._text = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._lookup = Lookup()
        self._held = ""
        self._since = 0.0
        self._fed = 0.0
        self._paste: list[str] | None = None
        self._cut: tuple[str, float] | None = None
        self.ignored = 0
        """How many bytes or sequences became nothing."""

    @property
    def waits(self) -> bool:
        """Whether something was begun that time alone may end."""
        return bool(self._held) or self._paste is not None or self._is_split

    @property
    def _is_split(self) -> bool:
        """Whether the first bytes of a character are there, and the others are not."""
        return bool(self._text.getstate()[0])

    def feed(self, data: bytes) -> Iterator[Message]:
        """What the bytes mean, in their order.

        Nothing expires here: where no `tick` came between two reads, this thread was late and not
        the terminal.
        """
        text, now = self._text.decode(data), self._clock()
        self._fed = now
        for character in self._without_tail(text, now):
            yield from self._take(character, now)

    def tick(self) -> Iterator[Message]:
        """What time alone decides: the escape key, and what is given up."""
        now = self._clock()
        if self._is_split and now - self._fed >= UNFINISHED:
            for character in self._text.decode(b"", final=True):
                yield from self._take(character, now)
        yield from self._expire(now)

    # Time

    def _expire(self, now: float) -> Iterator[Message]:
        age = now - self._since
        if self._paste is not None:
            if age >= PASTING:
                self._paste, self._held = None, ""
                self.ignored += 1
        elif self._held == ESC:
            if age >= ALONE:
                self._cut, self._held = (ESC, now), ""
                yield from self._lookup.keys(ESC)
        elif self._held and age >= UNFINISHED:
            self._cut, self._held = (self._held, now), ""
            self.ignored += 1

    def _without_tail(self, text: str, now: float) -> str:
        """The text without the rest of a sequence whose head was given up a moment ago."""
        if self._cut is None or not text:
            return text
        (head, at), self._cut = self._cut, None
        if now - at > TAIL:
            return text
        tail = next(tail for begins, tail in TAILS if begins.match(head))
        found = tail.match(text)
        if found is None:
            return text
        self.ignored += 1
        return text[found.end() :]

    # Characters

    def _take(self, character: str, now: float) -> Iterator[Message]:
        if "\udc80" <= character <= "\udcff":
            code = ord(character) - 0xDC00
            if code not in EIGHT_BIT or self._held:
                yield from self._broken(character)
                return
            yield from self._take(ESC, now)
            character = EIGHT_BIT[code]
        if self._paste is not None:
            yield from self._pasted(character, now)
        elif self._held:
            yield from self._continued(character, now)
        elif character == ESC:
            self._held, self._since = ESC, now
        elif "\x80" <= character <= "\x9f":
            self.ignored += 1
        else:
            yield from self._messages(character)

    def _broken(self, character: str) -> Iterator[Message]:
        """A byte that is no UTF-8. It belongs to an old mouse report, or breaks off whatever was
        begun.
        """
        self.ignored += 1
        if self._held.startswith(ESC + "[M"):
            yield from self._continued(character, self._since)
        elif self._held and self._paste is None:
            self._held = ""

    def _continued(self, character: str, now: float) -> Iterator[Message]:
        if character == ESC and not (len(self._held) > 1 and self._held[1] in "]P_^X"):
            if self._held == ESC:
                yield from self._lookup.keys(ESC)
            else:
                self.ignored += 1
            self._held, self._since = ESC, now
            return
        held = self._held = self._held + character
        whole = is_whole(held)
        if whole is False and len(held) < LONGEST:
            return
        self._held = ""
        if held == BRACKETED_PASTE_START:
            self._paste, self._since = [], now
        elif whole:
            yield from self._messages(held)
        else:
            self.ignored += 1
            # a control key was pressed after what was cut off
            if len(character) == 1 and character < " ":
                yield from self._messages(character)

    def _messages(self, sequence: str) -> Iterator[Message]:
        try:
            found = list(self._lookup.meaning(sequence))
        except (ValueError, OverflowError, IndexError, ZeroDivisionError):
            found = []
        if not found:
            self.ignored += 1
        yield from found

    def _pasted(self, character: str, now: float) -> Iterator[Message]:
        """Text between the marks of a paste: escapes in it are text, and only the end mark
        ends it.
        """
        assert self._paste is not None
        self._since = now
        self._paste.append(character)
        if (
            character == "~"
            and "".join(self._paste[-len(BRACKETED_PASTE_END) :]) == BRACKETED_PASTE_END
        ):
            text = "".join(self._paste[: -len(BRACKETED_PASTE_END)])
            self._paste = None
            yield events.Paste("".join(sign for sign in text if sign >= " " or sign in "\t\n\r"))
