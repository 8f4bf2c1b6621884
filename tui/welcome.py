"""What the list of positions says while it is empty; on the first run it is a card."""

from tui.keys import KeyMap


def welcome(keys: KeyMap, *, first: bool) -> list[str]:
    """A line or, on the first run, a few. No window: keys go on to mean what they mean."""
    new, buy, sell = (keys.shown(name) for name in ("new", "buy", "sell"))
    line = f"No open positions. {new}: new order"
    if not first:
        return [line]
    close, stop, flatten, manual = (
        keys.shown(name) for name in ("close", "stop", "flatten", "help")
    )
    return [
        "This is paper: prices are simulated, and nothing here can reach an exchange.",
        f"{line}   {buy}: buy   {sell}: sell",
        f"{close}: close   {stop}: move the stop   {flatten}: flatten everything, from anywhere",
        f"{manual}: the manual, which begins with getting started",
    ]
