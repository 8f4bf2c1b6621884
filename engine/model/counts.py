"""Numbers of things in words: "1 order", "2 orders"."""


def counted(number: int, noun: str) -> str:
    """So many of what `noun` names; it makes its plural with an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
