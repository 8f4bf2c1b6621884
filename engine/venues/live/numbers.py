"""Numbers as exchanges write them."""

from decimal import Decimal


def positive(text: object) -> Decimal | None:
    """A number above zero; None for anything that says zero or nothing."""
    if text in (None, "", "0"):
        return None
    found = Decimal(str(text))
    return found if found > 0 else None
