"""What is wrong with a request, in Kraken's words."""


class OrderError(Exception):
    """What is wrong, in Kraken's words."""


def invalid(name: str) -> OrderError:
    """The error about a field."""
    return OrderError(f"EGeneral:Invalid arguments:{name}")
