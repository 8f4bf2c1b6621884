"""Text from elsewhere made harmless: what a terminal would obey becomes a sign that a person can
see.
"""

from rich.cells import cell_len, set_cell_size

from engine.model.text import plain

__all__ = ["clip", "lines", "plain"]


def clip(text: str, width: int) -> str:
    """`text` in at most `width` cells, the cut shown by `…`. A number is left out whole, never cut:
    half a price is a wrong price.
    """
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    head = set_cell_size(text, width - 1)
    if text[len(head) : len(head) + 1].isdigit() or text[len(head) : len(head) + 2][:1] in (
        ".",
        ",",
    ):
        head = head.rstrip("0123456789.,−-+▲▼")
    return head.rstrip(" ·") + "…"


def lines(text: str, width: int) -> list[str]:
    """`text` broken at spaces into lines of at most `width` cells; a longer word is broken
    inside.
    """
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
