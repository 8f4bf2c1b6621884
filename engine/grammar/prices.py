"""Prices that are told by the market or by a position: bid, be+3t, entry-1r."""

from decimal import Decimal

from engine.grammar import tree as t
from engine.grammar.around import Around
from engine.grammar.wrong import wrong
from engine.model.money import DOWN, NEAREST, UP, on_grid
from engine.model.side import Side
from engine.model.view import FeedView, PositionView

HUNDRED = Decimal(100)
OWN_SIDE = ("join", "improve")
"""Anchors of a limit alone: which price they mean is told by the side of its order."""


class Told:
    """Reads the prices of one command: of an entry on a side, or about an open position."""

    def __init__(
        self,
        around: Around,
        symbol: str,
        side: Side,
        position: PositionView | None = None,
        entry: Decimal | None = None,
    ) -> None:
        """`side` is the position's, or the one that is being entered. `entry` is where an entry is
        expected to fill.
        """
        self.around = around
        self.symbol = symbol
        self.side = side
        self.position = position
        self.entry = position.entry if position is not None else entry

    def price(self, node: t.AnyPrice, rounding: str = NEAREST) -> Decimal:
        """A price on the tick."""
        node = self._variable(node)
        if isinstance(node, t.Price):
            return node.value
        base = self._anchor(node)
        step = self._offset(node, base)
        return on_grid(base + step, self.tick, NEAREST if node.offset is None else rounding)

    def limit(self, node: t.AnyPrice, side: Side) -> Decimal:
        """A limit on the tick, never worse than it was said."""
        told = self._variable(node)
        if isinstance(told, t.Anchored) and told.anchor in OWN_SIDE:
            base = self._own_side(told, side)
            rounding = DOWN if side is Side.BUY else UP
            return on_grid(base + self._offset(told, base), self.tick, rounding)
        return self.price(node, DOWN if side is Side.BUY else UP)

    def _own_side(self, node: t.Anchored, side: Side) -> Decimal:
        """The best price of an order's own side, or one tick better where that does not cross."""
        feed = self._feed(node)
        best = feed.bid if side is Side.BUY else feed.ask
        room = feed.ask - feed.bid > feed.tick
        return best + feed.tick * side.sign if node.anchor == "improve" and room else best

    @property
    def tick(self) -> Decimal:
        """The smallest step of a price."""
        return self.position.tick if self.position is not None else self._feed(t.NOWHERE).tick

    def _feed(self, node: t.Node) -> FeedView:
        return self.around.feed(self.symbol, node.span)

    def _variable(self, node: t.AnyPrice) -> t.Price | t.Anchored:
        if not isinstance(node, t.Variable):
            return node
        value = variable(self.around, node)
        if isinstance(value, t.Price | t.Anchored):
            return value
        if isinstance(value, t.Amount):
            return t.Price(span=node.span, value=value.value)
        raise wrong(node.span.start, node.span.end, f"@{node.name} is a size, and no price")

    def _anchor(self, node: t.Anchored) -> Decimal:
        found = self._base(node)
        if found is None:
            raise wrong(node.span.start, node.span.end, _MISSING[node.anchor])
        return found

    def _base(self, node: t.Anchored) -> Decimal | None:
        """The anchor's price; None where it has none."""
        held = self.position
        match node.anchor:
            case "last":
                return self.around.last.get(self.symbol)
            case "cursor":
                return self.around.cursor.get(self.symbol)
            case "entry":
                return self.entry
            case "be":
                return None if held is None else held.break_even
            case "join" | "improve":
                return None
            case "mark" if held is not None:
                return held.mark
        feed = self._feed(node)
        closes = feed.bid if self.side is Side.BUY else feed.ask
        told = {"bid": feed.bid, "ask": feed.ask, "mid": (feed.bid + feed.ask) / 2}
        return told.get(node.anchor, closes)

    def _offset(self, node: t.Anchored, base: Decimal) -> Decimal:
        offset = node.offset
        if offset is None:
            return Decimal(0)
        if offset.unit == "%":
            return base * offset.value / HUNDRED
        if offset.unit == "t":
            # on a position's own anchors "+" is into the profit: be+3t of a short is 3 ticks below
            sign = self.side.sign if node.anchor == "be" else 1
            return offset.value * self.tick * sign
        return self._worth(offset)

    def _worth(self, offset: t.Distance) -> Decimal:
        """A step by what it changes in the open position, fees aside: + is into the profit."""
        held, span, missing = self.position, offset.span, ""
        if held is None:
            missing = "a step in r or $ is one of an open position: name it in t (ticks) or %"
        elif not held.point:
            missing = "an inverse contract has no step in r or $: name it in t (ticks) or %"
        elif offset.unit == "r" and held.one_r is None:
            missing = "it has no R: it had no stop yet"
        elif offset.unit == "$" and not held.point_in_account:
            missing = "no rate of its currency is known"
        if held is None or missing:
            raise wrong(span.start, span.end, missing)
        if offset.unit == "r":
            assert held.one_r is not None
            assert held.point
            return offset.value * held.one_r / held.point * self.side.sign
        assert held.point_in_account
        return offset.value / held.point_in_account * self.side.sign


_MISSING = {
    "join": "join is said of a limit: at join",
    "improve": "improve is said of a limit: at improve",
    "bid": "no bid is known",
    "ask": "no ask is known",
    "mid": "no price is known",
    "last": "no trade of it is known yet: bid, ask or mid are",
    "mark": "no price is known at which it could be closed",
    "entry": "nothing is entered yet",
    "cursor": "no cursor stands on a price of it: choose ladder or chart first (5, 4)",
    "be": "a break-even is that of an open position",
}
"""Why an anchor has no price."""


def variable(around: Around, node: t.Variable) -> t.Size | t.AnyPrice:
    """What was set under a name."""
    found = around.variables.get(node.name)
    if found is None:
        known = ", ".join(f"@{name}" for name in around.variables)
        hint = f"known: {known}" if known else f"set it: set @{node.name} = 0.25"
        raise wrong(node.span.start, node.span.end, f"@{node.name} is not set; {hint}")
    return found
