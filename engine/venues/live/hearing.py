"""Symbols whose prices are heard while a live venue is open: one more, or one less.

A symbol that is dropped stays listed: orders and coins of it are told as before, and so is whatever
its prices are not needed for. Only its streams end.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec.structs import replace

from engine.model.instrument import Instrument
from engine.venues.live.account import Where
from engine.venues.protocol import RefusedError


class Hears(Protocol):
    """A stream of prices."""

    def hear(self, symbols: Sequence[str]) -> None:
        """Ask for the prices of more symbols."""
        ...

    def leave(self, symbol: str) -> None:
        """Ask for the prices of a symbol no more."""
        ...


class Listening(Protocol):
    """What is needed of a live venue."""

    exchange: str
    adds_symbols: bool
    where: Where
    listing: dict[str, Instrument]
    unheard: set[str]

    async def widen(self, symbols: Iterable[str]) -> None:
        """List these symbols, too."""
        ...

    def traded(self, symbol: str) -> Instrument | None:
        """What is traded under a symbol."""
        ...

    def forget_price(self, symbol: str) -> None:
        """The next price of a symbol is the first."""
        ...

    def public_stream(self) -> Hears | None:
        """The stream of prices; None before it was made."""
        ...


async def add(venue: Listening, symbol: str) -> tuple[Instrument, ...]:
    """Hear a symbol, too, and the pairs that turn its money into the account's; all that is heard
    from now on. Raises RefusedError for one that is not traded, else as `open` does; then all is as
    it was.
    """
    if not venue.adds_symbols:
        raise RefusedError(
            f"{venue.exchange} adds no symbol while it is open: name {symbol} in market.symbols"
        )
    before, known, unheard = venue.where, venue.listing, set(venue.unheard)
    try:
        await venue.widen((symbol,))
        if venue.traded(symbol) is None:
            raise RefusedError(f"{symbol} is not traded at {venue.exchange}")
    except BaseException:
        venue.where, venue.listing = before, known
        raise
    symbols = tuple(dict.fromkeys((*before.symbols, *venue.where.symbols)))
    venue.where = replace(before, symbols=symbols)
    venue.listing = {**known, **venue.listing}
    heard = {one for one in before.symbols if one not in unheard}
    found = [one for one in symbols if one not in heard and (one == symbol or one not in unheard)]
    venue.unheard.discard(symbol)
    stream = venue.public_stream()
    if stream is not None:
        stream.hear(found)
    return tuple(venue.listing[one] for one in found)


def drop(venue: Listening, symbol: str) -> None:
    """Hear a symbol no more."""
    venue.unheard.add(symbol)
    venue.forget_price(symbol)
    stream = venue.public_stream()
    if stream is not None:
        stream.leave(symbol)
