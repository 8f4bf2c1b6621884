"""`[symbols."BTC/USD"]` of the settings file, `--set symbols.BTC/USD.KEY=VALUE` and
`[accounts.NAME.symbols."BTC/USD"]`.

A key of a symbol is `symbols.SYMBOL.FIELD`; the field is what stands behind the last dot, because a
symbol may hold dots. Each field is a setting of its own: a layer that says one of them leaves the
others as the layers below said them.
"""

import difflib
from collections.abc import Iterable, Mapping

from engine.model.rules import SymbolRules

SECTION = "symbols"
FIELDS = SymbolRules.__struct_fields__


class SymbolError(Exception):
    """A symbol's setting that can't be used; the text says the key and what is allowed, without the
    place.
    """


def parted(name: str) -> tuple[str, str]:
    """Symbol and field of a key without its section, with or without quotation marks around the
    symbol. Raises SymbolError.
    """
    symbol, _, field = name.rpartition(".")
    symbol = symbol.strip().strip("\"'")
    if not symbol:
        raise SymbolError(
            f'{SECTION}.{name} names no symbol and key; write {SECTION}."BTC/USD".max_size'
        )
    if field not in FIELDS:
        near = difflib.get_close_matches(field, FIELDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(FIELDS)}"
        raise SymbolError(f"unknown key {key_of(symbol, field)}; {hint}")
    return symbol, field


def key_of(symbol: str, field: str) -> str:
    """The key under which origins know a symbol's setting, as the file writes it."""
    return f'{SECTION}."{symbol}".{field}'


def told(table: object, where: str = SECTION) -> list[tuple[str, object]]:
    """The fields of a file's tables, as keys and values. Raises SymbolError."""
    if not isinstance(table, dict) or not all(isinstance(inner, dict) for inner in table.values()):
        raise SymbolError(f'{where}: write a table for each symbol, such as [{where}."BTC/USD"]')
    return [
        (f"{SECTION}.{symbol}.{field}", value)
        for symbol, inner in table.items()
        for field, value in inner.items()
    ]


def agree(symbol: str, rules: SymbolRules) -> None:
    """See that a symbol's settings do not contradict each other. Raises SymbolError, which names
    the key.
    """
    low, high = rules.min_size, rules.max_size
    if low is not None and high is not None and low > high:
        raise SymbolError(
            f"{key_of(symbol, 'min_size')} is {low:f}; expected at most max_size, which is {high:f}"
        )
    if rules.trail_after is not None and rules.trail is None:
        raise SymbolError(
            f"{key_of(symbol, 'trail_after')} is {rules.trail_after:f}; there is no trail that"
            " could follow: set trail, too"
        )


def alike(symbol: str, traded: Iterable[str]) -> str:
    """The traded symbol that `symbol` spells otherwise (`btc-usd` for `BTC/USD`); empty for none,
    and for one that is traded.
    """
    known = list(traded)
    if symbol in known:
        return ""
    return next((other for other in known if _bare(other) == _bare(symbol)), "")


def _bare(symbol: str) -> str:
    return "".join(letter for letter in symbol.casefold() if letter.isalnum())


def unread(
    rules: Mapping[str, SymbolRules], traded: Iterable[str], *, paper: bool
) -> dict[str, str]:
    """Why this account does not read a symbol's setting, by key: nobody trades the symbol here, or
    the venue is no paper.
    """
    known = set(traded)
    found: dict[str, str] = {}
    for symbol, own in rules.items():
        for field in FIELDS:
            value = getattr(own, field)
            if value is not None and symbol not in known:
                found[key_of(symbol, field)] = f"not read: this account does not trade {symbol}"
            elif value is not None and field in ("maker_fee", "taker_fee") and not paper:
                found[key_of(symbol, field)] = "not read: a live venue says its own fees"
    return found
