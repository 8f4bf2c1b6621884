"""ASCII in place of whatever a terminal can't draw: each cell keeps its place and its meaning."""

import unicodedata

from rich.cells import cell_len

GLYPHS = {
    **dict.fromkeys("─┄┈╌━═−–—", "-"),
    **dict.fromkeys("│┊╵╷╎┃║▏▎", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼╱╲", "+"),
    **dict.fromkeys("█▉▊▋▌▍▐▀▄▅▆▇▓▮", "#"),
    **dict.fromkeys("▁▂▃", "_"),
    **dict.fromkeys("░▯", "."),
    **dict.fromkeys("“”", '"'),
    "▒": ":",
    "▔": "-",
    "▲": "^",
    "▼": "v",
    "▸": ">",
    "▾": "v",
    "◂": "<",
    "◆": "*",
    "◇": "o",
    "·": ".",
    "…": "~",
    "•": "*",
    "×": "x",
    "Δ": "D",
    "Σ": "S",
    "’": "'",
    "‘": "'",
    "←": "<",
    "→": ">",
    "↑": "^",
    "↓": "v",
    "✓": "+",
    "✗": "x",
    "‼": "!",
    "⚠": "!",
    "«": "<",
    "»": ">",
    "⌫": "<",
    "␛": "e",
    "␡": "d",
    "≥": ">",
    "≤": "<",
    "≈": "~",
}
"""By what the console draws itself: one character of one cell each."""


class _Table(dict[int, str]):
    """Finds out about any other character once."""

    def __missing__(self, code: int) -> str:
        found = self[code] = chr(code) if code < 0x80 else _alike(chr(code))
        return found


def _alike(character: str) -> str:
    """ASCII of the same width: the letter below an accent, else question marks."""
    width = cell_len(character)
    base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    base = "".join(one for one in base if one.isprintable())
    return base if base and len(base) == width else "?" * width


_TABLE = _Table({ord(glyph): text for glyph, text in GLYPHS.items()})


def ascii_of(text: str) -> str:
    """The text in ASCII, as wide as before; sequences for the terminal are ASCII already."""
    return text if text.isascii() else text.translate(_TABLE)
