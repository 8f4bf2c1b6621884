"""What a line may name: symbols, orders, macros, templates. Made anew from each view."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches

from msgspec import Struct, field

_PERPETUAL = re.compile(r"(?:PF|PI|FF|FI)_([A-Z0-9]+?)(?:USDT?|EUR|USDC)(?:_\d+)?", re.ASCII)
"""Names of contracts such as PF_XBTUSD."""
_SYMBOL = re.compile(r"[a-z][a-z0-9/:_.]*", re.IGNORECASE | re.ASCII)
_OTHER = {"xbt": "btc", "btc": "xbt"}


class Macro(Struct, frozen=True):
    """A person's own command."""

    name: str
    text: str
    """What it stands for, with `{1:symbol}` where an argument goes."""
    kinds: tuple[str, ...] = ()
    """What each argument is: see `engine.grammar.macros`."""


def shorts(symbol: str) -> tuple[str, ...]:
    """How a symbol may be called for short: `btc` for BTC/USD, `xbt` and `btc` for PF_XBTUSD."""
    contract = _PERPETUAL.fullmatch(symbol)
    short = (contract[1] if contract else re.split(r"[/:]", symbol)[0]).lower()
    return (short, _OTHER[short]) if contract and short in _OTHER else (short,)


class Vocabulary(Struct, frozen=True):
    """See the module. What is empty is not known, and not offered."""

    symbols: tuple[str, ...] = ()
    focus: str = ""
    """The symbol that is meant where a line names none."""
    currency: str = ""
    """Of two symbols with one short name, the one quoted in it is meant."""
    orders: tuple[int, ...] = ()
    macros: Mapping[str, Macro] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    """The console's own, by id."""
    templates: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why entries are blocked now."""
    account: str = ""
    prices: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)
    """By symbol: numbers that may be wanted, such as bid and ask."""
    any_symbol: bool = False
    """Whether any word may be a symbol: for a line that is read before the symbols are known."""
    coming: tuple[str, ...] = ()
    """Names that an earlier part of the line adds: which symbols they are is known once it did."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What may stand behind `chart`, `theme` and the like."""

    def find(self, text: str) -> tuple[str, ...]:
        """The symbols that a word may mean: none, one, or several of the same short name."""
        typed = text.casefold()
        whole = [symbol for symbol in self.symbols if symbol.casefold() == typed]
        if whole:
            return (whole[0],)
        found = [symbol for symbol in self.symbols if typed in shorts(symbol)]
        if not found and self.any_symbol and _SYMBOL.fullmatch(text):
            return (text,)
        if not found and (coming := self.is_coming(text)):
            return (coming,)
        own = [symbol for symbol in found if symbol.endswith(f"/{self.currency}")]
        return (own[0],) if len(own) == 1 else tuple(found)

    def is_coming(self, text: str) -> str:
        """The name by which an earlier part of the line adds this symbol; empty where none does."""
        said = shorts(text.upper())[0]
        return next((one for one in self.coming if shorts(one.upper())[0] == said), "")

    def named(self) -> tuple[str, ...]:
        """What each symbol is called for short, or whole where that is shared."""
        return tuple(
            dict.fromkeys(
                short if len(self.find(short)) == 1 else symbol.lower()
                for symbol in self.symbols
                for short in shorts(symbol)[:1]
            )
        )


def near(word: str, words: Iterable[str]) -> str:
    """The one that was probably meant; empty where none is near."""
    found = get_close_matches(word.casefold(), list(words), n=1, cutoff=0.6)
    return found[0] if found else ""
