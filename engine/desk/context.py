"""What a rule may look at: the state, the bounds, the venue's abilities, the latest prices and the
time. Rules read it and yield events.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from msgspec.structs import replace

from engine.desk.board import Board
from engine.desk.events import AlertCured, AlertRaised, AnyEvent
from engine.desk.rules import Rules
from engine.desk.state import State
from engine.model.alert import Alert
from engine.model.codes import AlertCode
from engine.model.figures import FeeRates, Paid, fee_rates
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.position import Position
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.report import FeesTold
from engine.model.side import Side

SECOND = 1_000_000_000

Events = Iterator[AnyEvent]
NEVER = Paid()
TOGETHER = 60 * SECOND
"""How long after its last case an alert of the same cause still counts the next one."""
LOOKING = AlertCode.LOOKING
"""The block of a live account that nobody has let entries through on in this session."""


def nanoseconds(seconds: float) -> int:
    """A duration from the settings."""
    return int(seconds * SECOND)


class Context:
    """One moment of the desk."""

    __slots__ = ("_rates", "board", "now", "profile", "rules", "state")

    def __init__(
        self, state: State, rules: Rules, profile: Profile, board: Board, now: int
    ) -> None:
        self.state = state
        self.rules = rules
        self.profile = profile
        self.board = board
        self.now = now
        self._rates: dict[str, tuple[Paid, FeesTold | None, FeeRates]] = {}

    def instrument(self, position: Position) -> Instrument:
        """What a position trades."""
        return self.state.instruments[position.symbol]

    def rates(self, instrument: Instrument) -> FeeRates:
        """What fees cost this account in a symbol, and where that is known from."""
        paid = self.state.paid.get(instrument.symbol, NEVER)
        told, known = self.board.fees.get(instrument.symbol), self._rates.get(instrument.symbol)
        if known is None or known[0] is not paid or known[1] is not told:
            known = self._rates[instrument.symbol] = (
                paid,
                told,
                fee_rates(instrument, paid, self.rules.volume_30d, told),
            )
        return known[2]

    def quote(self, symbol: str) -> Quote | None:
        """The latest quote, however old."""
        return self.board.quote(symbol)

    def is_stale(self, symbol: str, seconds: float) -> bool:
        """Whether the latest price is older than `seconds`, or older than three of its source's own
        steps where those are longer.
        """
        return self.stale_at(symbol, seconds) <= self.now

    def stale_at(self, symbol: str, seconds: float) -> int:
        """When the latest price becomes that old; zero where there is none."""
        quote = self.board.quote(symbol)
        if quote is None:
            return 0
        return quote.at + max(nanoseconds(seconds), 3 * self.board.pace(symbol)) + 1

    def mark(self, position: Position) -> Decimal | None:
        """The price at which a position could be closed: the bid for a long, the ask for a
        short.
        """
        quote = self.quote(position.symbol)
        if quote is None:
            return None
        return quote.bid if position.side is Side.BUY else quote.ask

    def extremes(self, position: Position) -> tuple[Decimal | None, Decimal | None]:
        """Lowest and highest price at which a position could have been closed since it opened: what
        this process saw and what was journaled before.
        """
        low, high = self.board.extremes(position) or (position.lowest, position.highest)
        if low is None or high is None or position.lowest is None or position.highest is None:
            return low, high
        return min(low, position.lowest), max(high, position.highest)

    def to_account(self, amount: Decimal, currency: str) -> Decimal | None:
        """`amount` of `currency` in the account's currency; None without a rate."""
        if not amount:
            return ZERO
        rate = self.board.rate(currency, self.state.currency)
        return None if rate is None else amount * rate


def on_credit(ctx: Context, position: Position) -> bool:
    """True where something was borrowed for it: money, or the coins that were sold."""
    return position.side is Side.SELL or on_margin(ctx, position)


def on_margin(ctx: Context, position: Position) -> bool:
    """True where the venue holds it as a contract, and not as coins among the balances."""
    return not ctx.instrument(position).moves_coins(position.leverage)


def name_of(position: Position) -> str:
    """The name that people know a position by: its label and its symbol."""
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


def alert_once(ctx: Context, code: str, subject: str, detail: str, target: str) -> Events:
    """Raise an alert about an order, or count it where one of the same cause stands: what fails for
    one reason, however often, is one alert.
    """
    for standing in ctx.state.alerts.values():
        if (
            (standing.code, standing.detail) == (code, detail)
            and standing.target != target
            and ctx.now - standing.last_at < TOGETHER
        ):
            yield AlertRaised(ctx.now, replace(standing, count=standing.count + 1, last_at=ctx.now))
            return
    yield from alert(ctx, code, subject, detail, target)


def cure(ctx: Context, code: str, about: str) -> Iterable[AnyEvent]:
    """End an alert whose cause is gone; nothing where it does not stand."""
    # no generator: it is asked for each position of each message, and hardly ever has anything
    key = f"{code}:{about}"
    return (AlertCured(ctx.now, key),) if key in ctx.state.alerts else ()
