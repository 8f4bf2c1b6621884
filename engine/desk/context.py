"""What a rule may look at: the state, the bounds, the venue's abilities, the latest prices and the time. Rules read it and yield events."""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk.board import Board
from engine.desk.events import AlertCured, AlertRaised, AnyEvent
from engine.desk.rules import Rules
from engine.desk.state import State
from engine.model.account import worth
from engine.model.alert import Alert
from engine.model.figures import FeeRates, Paid, fee_rates
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.position import Position
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.side import Side

SECOND = 1_000_000_000

Events = Iterator[AnyEvent]


NEVER = Paid()
LOOKING = "LOOKING"
"""The block of a live account that nobody has let entries through on in this session."""


def nanoseconds(seconds: float) -> int:
    """A duration from the settings."""
    return int(seconds * SECOND)


class Context:
    """One moment of the desk."""

    __slots__ = ("_borrowed", "_equity", "_rates", "board", "now", "profile", "rules", "state")

    def __init__(self, state: State, rules: Rules, profile: Profile, board: Board, now: int) -> None:
        self.state = state
        self.rules = rules
        self.profile = profile
        self.board = board
        self.now = now
        self._equity: tuple[int, tuple[Decimal, frozenset[str]]] | None = None
        self._borrowed: tuple[int, dict[str, Decimal]] = (-1, {})
        self._rates: dict[str, tuple[Paid, FeeRates]] = {}

    def instrument(self, position: Position) -> Instrument:
        """What a position trades."""
        return self.state.instruments[position.symbol]

    def rates(self, instrument: Instrument) -> FeeRates:
        """What fees cost this account in a symbol, and where that is known from."""
        paid = self.state.paid.get(instrument.symbol, NEVER)
        known = self._rates.get(instrument.symbol)
        if known is None or known[0] is not paid:
            known = self._rates[instrument.symbol] = (paid, fee_rates(instrument, paid, self.rules.volume_30d))
        return known[1]

    def quote(self, symbol: str) -> Quote | None:
        """The latest quote, however old."""
        return self.board.quote(symbol)

    def is_stale(self, symbol: str, seconds: float) -> bool:
        """Whether the latest price is older than `seconds`, or older than three of its source's own steps where those are longer."""
        return self.stale_at(symbol, seconds) <= self.now

    def stale_at(self, symbol: str, seconds: float) -> int:
        """When the latest price becomes that old; zero where there is none."""
        quote = self.board.quote(symbol)
        if quote is None:
            return 0
        return quote.at + max(nanoseconds(seconds), 3 * self.board.pace(symbol)) + 1

    def mark(self, position: Position) -> Decimal | None:
        """The price at which a position could be closed: the bid for a long, the ask for a short."""
        quote = self.quote(position.symbol)
        if quote is None:
            return None
        return quote.bid if position.side is Side.BUY else quote.ask

    def extremes(self, position: Position) -> tuple[Decimal | None, Decimal | None]:
        """Lowest and highest price since a position opened: what this process saw and what was journaled before."""
        low, high = self.board.extremes(position.id) or (position.lowest, position.highest)
        if low is None or high is None or position.lowest is None or position.highest is None:
            return low, high
        return min(low, position.lowest), max(high, position.highest)

    def to_account(self, amount: Decimal, currency: str) -> Decimal | None:
        """`amount` of `currency` in the account's currency; None without a rate."""
        if not amount:
            return ZERO
        rate = self.board.rate(currency, self.state.currency)
        return None if rate is None else amount * rate

    def unrealised(self) -> tuple[Decimal, frozenset[str]]:
        """Profit of all that is held, in the account's currency, and the symbols left out for want of a price or a rate."""
        total, left_out = ZERO, set()
        for position in self.state.positions.values():
            if not position.is_open:
                continue
            mark = self.mark(position)
            profit = None
            if mark is not None:
                profit = self.to_account(position.unrealised_profit(self.instrument(position), mark), position.settle)
            if profit is None:
                left_out.add(position.symbol)
            else:
                total += profit
        return total, frozenset(left_out)

    def equity(self) -> tuple[Decimal, frozenset[str]]:
        """All money in the account's currency, and what was left out because it has no price.

        Coins are cash of their currency, and those of our positions are worth their mark; what is held on margin adds its unrealised profit.
        Summed once per state.
        """
        if self._equity is None or self._equity[0] != self.state.seq:
            self._equity = (self.state.seq, self._sum_equity())
        return self._equity[1]

    def borrowed(self, symbol: str) -> Decimal:
        """Signed size of a symbol that is held on credit. Summed once per state."""
        if self._borrowed[0] != self.state.seq:
            self._borrowed = (self.state.seq, {})
        sums = self._borrowed[1]
        if symbol not in sums:
            sums[symbol] = sum((position.signed_size for position in self.state.positions_in(symbol) if on_credit(self, position)), ZERO)
        return sums[symbol]

    def _sum_equity(self) -> tuple[Decimal, frozenset[str]]:
        return self.equity_without(frozenset())

    def equity_without(self, names: frozenset[str]) -> tuple[Decimal, frozenset[str]]:
        """The equity less what currencies and symbols of these names hold, and what else was left out for want of a price.

        What our positions hold is worth what it could be closed at now; only what no position holds is worth the middle of the market.
        """
        cash = {name: amount for name, amount in self.state.cash.items() if name not in names}
        total, missing = ZERO, set()
        for position in self.state.positions.values():
            instrument = self.instrument(position)
            lent = on_margin(self, position)
            if not position.is_open or (position.symbol if lent else instrument.base) in names:
                continue
            worth_now = self._worth_now(position, instrument, lent=lent)
            if worth_now is not None:
                total += worth_now
                if not lent:
                    cash[instrument.base] = cash.get(instrument.base, ZERO) - position.signed_size
            elif lent:
                missing.add(position.symbol)
        rest, left_out = worth(cash, self.state.currency, self.board.rate)
        return total + rest, frozenset(missing | left_out)

    def _worth_now(self, position: Position, instrument: Instrument, *, lent: bool) -> Decimal | None:
        """What a position adds to the equity: its profit where it is on margin, else what its coins would bring (or cost)."""
        mark = self.mark(position)
        if mark is None:
            return None
        if lent:
            return self.to_account(position.unrealised_profit(instrument, mark), position.settle)
        return self.to_account(position.signed_size * mark, instrument.quote)


def on_credit(ctx: Context, position: Position) -> bool:
    """Whether something was borrowed for it: money, or the coins that were sold."""
    return position.side is Side.SELL or on_margin(ctx, position)


def on_margin(ctx: Context, position: Position) -> bool:
    """Whether the venue holds it as a contract, and not as coins among the balances."""
    return not ctx.instrument(position).moves_coins(position.leverage)


def name_of(position: Position) -> str:
    """How people call a position: its label and its symbol."""
    return f"{position.label} {position.symbol}" if position.label else position.symbol


def alert(ctx: Context, code: str, subject: str, detail: str = "", target: str = "") -> Events:
    """Raise an alert once; while it stands, say it again only with new words."""
    raised = Alert(code, subject, detail, ctx.now, last_at=ctx.now, target=target)
    standing = ctx.state.alerts.get(raised.key)
    if standing is None:
        yield AlertRaised(ctx.now, raised)
    elif standing.detail != detail:
        yield AlertRaised(
            ctx.now,
            Alert(
                code,
                subject,
                detail,
                standing.at,
                count=standing.count + 1,
                last_at=ctx.now,
                acknowledged_at=standing.acknowledged_at,
                target=target,
            ),
        )


def cure(ctx: Context, code: str, about: str) -> Events:
    """End an alert whose cause is gone; nothing where it does not stand."""
    key = f"{code}:{about}"
    if key in ctx.state.alerts:
        yield AlertCured(ctx.now, key)
