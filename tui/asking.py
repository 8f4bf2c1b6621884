"""Words of the command line that need an engine and no screen: `export orders`, `notify test`."""

from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from pathlib import Path

from engine.grammar import tree as t
from engine.session import Query, QueryError, Told
from engine.session.messages import Depth, DepthTold, Hear, HearTold, OutletsTried, TryOutlets
from tui.exporting import Progress, export_table


async def try_outlets(query: Callable[[Query], Awaitable[Told]], words: tuple[str, ...]) -> str:
    """Send it and return that all arrived. Raises ValueError with what did not."""
    if words != ("test",):
        raise ValueError("notify is followed by test")
    try:
        told = await query(TryOutlets())
    except QueryError as error:
        raise ValueError(f"could not test the outlets: {error}") from error
    outlets = told.outlets if isinstance(told, OutletsTried) else ()
    if not outlets:
        raise ValueError("no outlet is set up: docs/outlets.md")
    text = "; ".join(one.text for one in outlets)
    if any(one.why for one in outlets):
        raise ValueError(text)
    return text


async def hear(
    query: Callable[[Query], Awaitable[Told]], said: t.Watch
) -> tuple[str, tuple[str, ...]]:
    """Have the engine hear a symbol, or no more, and return what was done, and all that are heard
    now. Raises ValueError.
    """
    try:
        told = await query(Hear(said.do, said.name))
    except QueryError as error:
        raise ValueError(str(error)) from error
    return (told.text, told.symbols) if isinstance(told, HearTold) else ("", ())


async def last_trades(
    query: Callable[[Query], Awaitable[Told]], symbols: Iterable[str]
) -> dict[str, Decimal]:
    """The price of the last trade of each symbol that the engine knows one of."""
    found = {}
    for symbol in symbols:
        told = await query(Depth(symbol, tape=1))
        if isinstance(told, DepthTold) and told.tape:
            found[symbol] = told.tape[-1].price
    return found


async def without_screen(
    query: Callable[[Query], Awaitable[Told]],
    home: Path,
    word: str,
    words: tuple[str, ...],
    progress: Progress = lambda _: None,
) -> str:
    """Do what `export` or `notify` ask for and return what was done. Raises ValueError."""
    if word == "export":
        return await export_table(query, home, words, progress)
    return await try_outlets(query, words)
