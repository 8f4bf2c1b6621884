"""Foreign text made harmless: for a terminal, a log file and a spreadsheet. One table says what is
dangerous.

Venues, other programs, journals of unknown origin and people's notes hold text that a terminal
would obey (escape sequences such as OSC 52, which writes the clipboard), that hides or reorders
other text (bidi overrides, zero-width characters), or that a spreadsheet would run.
"""

import re
from functools import lru_cache

HIDDEN = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xD800, 0xE000),
    *range(0xFE00, 0xFE10),
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0200),
)
"""Code points that steer a terminal, or that nobody can see: C0 and C1 controls, bidi and
zero-width marks, invisible fillers, halves of surrogate pairs, variation selectors, interlinear
marks and tags.
"""


def _escape(code: int) -> str:
    """As JSON writes it, so that JSON stays the same JSON."""
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


_ESCAPES = {code: _escape(code) for code in HIDDEN}
_SIGNS = (
    dict.fromkeys(HIDDEN, "\N{REPLACEMENT CHARACTER}")
    | {code: chr(0x2400 + code) for code in range(0x20)}
    | {0x7F: "␡"}
    | dict.fromkeys(range(0xFE00, 0xFE10), None)
)
_NUMBER = re.compile(r"[+-]?(\d[\d,]*(\.\d*)?|\.\d+)([eE][+-]?\d+)?%?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet runs; the wide forms are run by some of them too."""


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return `text` for one line of cells on a screen: each hidden character is one sign, an escape
    becomes `␛`.
    """
    return text.translate(_SIGNS)


def escaped(text: str) -> str:
    r"""Return `text` for one line of a terminal or of a log: each hidden character becomes its
    `\uXXXX`.

    JSON is the same JSON afterwards: hidden characters stand only inside its strings, and that is
    how JSON escapes them.
    """
    return text.translate(_ESCAPES)


def cell(text: str) -> str:
    """Return `text` for a cell of a CSV file: escaped, and after a `'` where a spreadsheet would
    take it for a formula.

    Numbers (signed, with thousands separators, an exponent or a per cent sign) stay as they are.
    """
    shown = escaped(text)
    begins = text.lstrip(" ").startswith(_FORMULA) or shown.startswith(_FORMULA)
    return f"'{shown}" if begins and not _NUMBER.fullmatch(text) else shown
