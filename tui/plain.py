"""Text from elsewhere made harmless: what a terminal would obey becomes a sign that a person can see."""

from functools import lru_cache

from rich.cells import cell_len, set_cell_size

_SIGNS = (
    {code: chr(0x2400 + code) for code in range(0x20)}
    | {0x7F: "␡"}
    | dict.fromkeys(range(0x80, 0xA0), "�")
    | dict.fromkeys((0xAD, 0x61C, 0xFEFF, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070)), "�")
    | dict.fromkeys(range(0xD800, 0xE000), "�")
    | dict.fromkeys(range(0xFE00, 0xFE10), None)
)
"""Controls, marks that reorder or hide text, halves of surrogate pairs (which no encoder takes) and variation selectors."""


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """`text` on one line with every control shown as a sign: an escape becomes `␛`."""
    return text.translate(_SIGNS)


def clip(text: str, width: int) -> str:
    """`text` in at most `width` cells, the cut shown by `…`. A number is left out whole, never cut: half a price is a wrong price."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    head = set_cell_size(text, width - 1)
    if text[len(head) : len(head) + 1].isdigit() or text[len(head) : len(head) + 2][:1] in (".", ","):
        head = head.rstrip("0123456789.,−-+▲▼")
    return head.rstrip(" ·") + "…"


def lines(text: str, width: int) -> list[str]:
    """`text` broken at spaces into lines of at most `width` cells; a longer word is broken inside."""
    found: list[str] = []
    line = ""
    for word in plain(text).split(" "):
        while cell_len(word) > width:
            if line:
                found.append(line)
                line = ""
            head = set_cell_size(word, width).rstrip()
            found.append(head)
            word = word[len(head) :]
        longer = f"{line} {word}" if line else word
        if cell_len(longer) > width:
            found.append(line)
            line = word
        else:
            line = longer
    return [*found, line] if line or not found else found
