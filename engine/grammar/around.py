"""What a line is said against: the view, what is chosen on the screen, and what was set before."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec import Struct, field

from engine.grammar import tree as t
from engine.grammar.vocabulary import Macro, Vocabulary
from engine.grammar.wrong import Span, wrong
from engine.model.intent import OpenBracket
from engine.model.position import LimitExit
from engine.model.view import FeedView, OrderView, PositionView, View

Filled = Callable[[OpenBracket, str], OpenBracket]
"""Fills an entry in from the template of that name, or from the symbol's own where the name is
empty. Raises ValueError with what is wrong.
"""


class Around(Struct, frozen=True):
    """See the module."""

    view: View
    focus: str = ""
    """The symbol that is meant where a command names none."""
    chosen: str = ""
    """The id of the position that is selected; it goes before others of its symbol."""
    last: Mapping[str, Decimal] = field(default_factory=dict)
    """By symbol, the price of the last trade where one is known."""
    cursor: Mapping[str, Decimal] = field(default_factory=dict)
    """By symbol, the price under the cursor of a ladder or a chart."""
    armed: str = ""
    """The symbol that a ladder is armed for: `!` skips the card of its entries."""
    variables: Mapping[str, t.Size | t.AnyPrice] = field(default_factory=dict)
    presets: tuple[str, ...] = ()
    """`console.presets`: sizes by digit, the first one is 1."""
    filled: Filled | None = None
    templates: tuple[str, ...] = ()
    macros: Mapping[str, Macro] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    """The console's own commands; none outside of it."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What may stand behind `theme` and the like."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What a line may name."""
        view = self.view
        symbols = dict.fromkeys(
            [
                *(feed.symbol for feed in view.feeds),
                *(position.symbol for position in view.positions),
                *(row.order.symbol for row in view.orders if not row.order.foreign),
            ]
        )
        return Vocabulary(
            symbols=tuple(symbols),
            focus=self.focus,
            currency=view.account.currency,
            orders=(
                *(row.number for row in view.orders if row.number),
                *(alert.number for alert in view.price_alerts),
                *(one.number for position in view.positions for one in position.limits),
            ),
            macros=self.macros,
            commands=self.commands,
            templates=self.templates,
            variables=tuple(self.variables),
            reasons=tuple(reason.code for reason in view.reasons),
            account=view.account.name,
            prices={feed.symbol: (feed.bid, feed.ask) for feed in view.feeds},
            words=self.words,
        )

    def symbol(self, named: t.SymbolName | None, at: Span) -> str:
        """The symbol that a command means."""
        if named is not None:
            return named.symbol
        if not self.focus:
            raise wrong(at.start, at.end, "name a symbol: none is selected")
        return self.focus

    def feed(self, symbol: str, at: Span) -> FeedView:
        """The market of a symbol."""
        for feed in self.view.feeds:
            if feed.symbol == symbol:
                return feed
        raise wrong(at.start, at.end, f"no price of {symbol} is known yet")

    def held(self, symbol: str = "") -> list[PositionView]:
        """The open positions, of a symbol where one is named."""
        return [p for p in self.view.positions if symbol in ("", p.symbol) and p.size]

    def positions(self, named: t.SymbolName | None, at: Span) -> list[PositionView]:
        """The positions that a command is about: the selected one where no symbol is named, or it
        is the selected one's; else all of the symbol.
        """
        chosen = next((p for p in self.held() if p.id == self.chosen), None)
        if chosen is not None and named is None:
            return [chosen]
        symbol = self.symbol(named, at)
        if chosen is not None and chosen.symbol == symbol:
            return [chosen]
        found = self.held(symbol)
        if not found:
            place = named.span if named is not None else at
            raise wrong(place.start, place.end, f"no position of {symbol} is open")
        return found

    def position(self, named: t.SymbolName | None, at: Span) -> PositionView:
        """The one position that a command is about."""
        found = self.positions(named, at)
        if len(found) > 1:
            place = named.span if named is not None else at
            count = f"{len(found)} positions of {found[0].symbol} are open"
            raise wrong(place.start, place.end, f"{count}: select the one that is meant")
        return found[0]

    def limit(self, node: t.OrderNumber) -> tuple[PositionView, LimitExit] | None:
        """The limit exit of a number, with its position; None where no limit exit is called so."""
        for position in self.view.positions:
            for one in position.limits:
                if one.number == node.number:
                    return position, one
        return None

    def order(self, node: t.OrderNumber) -> OrderView:
        """The open order of a number."""
        for row in self.view.orders:
            if row.number == node.number:
                return row
        known = ", ".join(f"#{row.number}" for row in self.view.orders if row.number)
        span, open_ = node.span, f"open: {known}" if known else "none is open"
        raise wrong(span.start, span.end, f"no open order is called #{node.number}; {open_}")
