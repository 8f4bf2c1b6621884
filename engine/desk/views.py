"""What a console sees: the state and the board as plain values, made when somebody looks."""

from decimal import Decimal

from msgspec import Struct

from engine.desk import margin, periods, totals
from engine.desk.context import Context
from engine.desk.desk import Desk
from engine.desk.intents import BY_HAND
from engine.desk.kept import kept
from engine.desk.order_rows import OrderRows
from engine.desk.ordering import flattens
from engine.desk.rows import closed_row, flatten_line, order_row, position_row
from engine.desk.rules import Rules
from engine.desk.state import Doubt
from engine.desk.truth import Beside, truth
from engine.model.alert import Alert
from engine.model.codes import BlockCode
from engine.model.figures import FeeRates, PositionMoney
from engine.model.instrument import Instrument
from engine.model.money import ONE, ZERO
from engine.model.order import Order
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.side import Side
from engine.model.view import (
    AccountView,
    ClosedView,
    FeedView,
    FlattenView,
    OrderView,
    PositionView,
    Reason,
    TruthView,
)

ALERT_TAIL = 50
"""Ended alerts that are shown."""
CLOSED_TAIL = 100
"""Ended positions that are shown."""


class Shared(Struct, frozen=True, gc=False):
    """What all positions of one side of a symbol are shown by: while it is the same, an unchanged
    position costs nothing.
    """

    quote: Quote | None
    stale: bool
    halted: bool
    rates: FeeRates
    rate: Decimal | None
    """Of the settle currency in the account's."""
    liquidation: Decimal | None
    """Where the venue would liquidate what is held on credit."""
    rules: Rules
    instrument: Instrument


Moment = tuple[Position, PositionMoney, int, int, Shared]


def _around(ctx: Context, p: Position) -> Shared:
    instrument, mark = ctx.instrument(p), ctx.mark(p)
    held = totals.borrowed(ctx, p.symbol) * p.side.sign
    return Shared(
        ctx.quote(p.symbol),
        ctx.is_stale(p.symbol, ctx.rules.risk.price_age),
        ctx.state.halted,
        ctx.rates(instrument),
        ctx.to_account(ONE, p.settle),
        None if mark is None else margin.liquidated_at(ctx, instrument, p.side, held, mark),
        ctx.rules,
        instrument,
    )


class Views:
    """Makes views of a desk; what changes only with events is made once per event."""

    def __init__(self, desk: Desk, venue: str, *, live: bool) -> None:
        self._desk = desk
        self._venue = venue
        self._live = live
        self._orders: tuple[int, tuple[OrderView, ...]] = (-1, ())
        self._alerts: tuple[int, tuple[Alert, ...]] = (-1, ())
        self._closed: tuple[int, tuple[ClosedView, ...]] = (-1, ())
        self._rows: dict[str, tuple[Moment, PositionView]] = {}
        self._shared: dict[tuple[str, Side], Shared] = {}
        self._beside = Beside()
        self._order_rows = OrderRows[Doubt | None, OrderView]()
        self._foreign_rows: dict[str, tuple[Order, OrderView]] = {}
        self._closed_rows: dict[str, tuple[Position, PositionMoney, ClosedView]] = {}
        self._truth: tuple[tuple[int, int], TruthView] = (
            (-1, 0),
            TruthView(None, in_motion=True, rows=()),
        )

    def context(self, now: int) -> Context:
        """The moment that is looked at."""
        desk = self._desk
        return Context(desk.state, desk.rules, desk.profile, desk.board, now)

    def positions(self, ctx: Context) -> tuple[PositionView, ...]:
        """Open positions in the order in which they were opened; dust last."""
        held = [position for position in ctx.state.positions.values() if position.is_open]
        held.sort(key=lambda position: position.dust)
        rows, shared = dict[str, tuple[Moment, PositionView]](), dict[tuple[str, Side], Shared]()
        for p in held:
            around = shared.get((p.symbol, p.side))
            if around is None:
                around = shared[p.symbol, p.side] = self._unchanged(p, _around(ctx, p))
            moment = (
                p,
                ctx.state.money_of(p.id),
                ctx.state.revisions.of(p.id),
                self._desk.revisions.get(p.id, 0),
                around,
            )
            known = self._rows.get(p.id)
            rows[p.id] = (
                known
                if known is not None and known[0] == moment
                else (moment, position_row(ctx, p, moment[3]))
            )
        self._rows, self._shared = rows, shared
        return tuple(row for _, row in rows.values())

    def _unchanged(self, p: Position, now: Shared) -> Shared:
        """The same as at the last look where it is: a quote that only says the same again may stand
        for others in between.
        """
        known = self._shared.get((p.symbol, p.side))
        return known if known is not None and known.quote is now.quote and known == now else now

    def orders(self, ctx: Context) -> tuple[OrderView, ...]:
        """Open orders, ours first."""
        state = ctx.state
        if self._orders[0] != state.seq:
            ours = self._order_rows.of(
                state, state.doubts.get, lambda order, _: order_row(ctx, order)
            )
            foreign = dict[str, tuple[Order, OrderView]]()
            for name, order in state.foreign.items():
                known = self._foreign_rows.get(name)
                foreign[name] = (
                    known
                    if known is not None and known[0] is order
                    else (order, order_row(ctx, order))
                )
            self._foreign_rows = foreign
            self._orders = (state.seq, (*ours, *(row for _, row in foreign.values())))
        return self._orders[1]

    def alerts(self, ctx: Context) -> tuple[Alert, ...]:
        """Those that stand, gravest first; then the ended, newest first."""
        if self._alerts[0] != ctx.state.seq:
            standing = sorted(ctx.state.alerts.values(), key=lambda a: (-a.severity, -a.last_at))
            self._alerts = (
                ctx.state.seq,
                (*standing, *reversed(ctx.state.ended_alerts[-ALERT_TAIL:])),
            )
        return self._alerts[1]

    def truth(self, ctx: Context) -> TruthView:
        """Ours beside the venue's."""
        now = (ctx.state.seq, 0 if ctx.board.picture is None else ctx.board.picture.at)
        if self._truth[0] != now:
            self._truth = (now, truth(ctx, self._beside))
        return self._truth[1]

    def closed(self, ctx: Context) -> tuple[ClosedView, ...]:
        """The last ended positions, newest first."""
        if self._closed[0] != ctx.state.seq:
            ended = sorted(ctx.state.closed.values(), key=lambda p: p.closed_at or 0, reverse=True)
            rows: dict[str, tuple[Position, PositionMoney, ClosedView]] = {}
            for position in ended[:CLOSED_TAIL]:
                money, known = ctx.state.money_of(position.id), self._closed_rows.get(position.id)
                if known is None or known[0] is not position or known[1] is not money:
                    known = (position, money, closed_row(ctx, position))
                rows[position.id] = known
            self._closed, self._closed_rows = (
                (ctx.state.seq, tuple(row for _, _, row in rows.values())),
                rows,
            )
        return self._closed[1]

    def account(self, ctx: Context) -> AccountView:
        """Money, in the account's currency."""
        state, day, rules = ctx.state, ctx.state.day, ctx.rules.risk
        equity, unpriced = totals.equity(ctx)
        measured, stops, total = totals.measured(ctx), totals.at_stops(ctx), totals.total(ctx)
        told = tuple(
            one for name in periods.PERIODS if (one := periods.period(ctx, name)) is not None
        )
        peak = max(day.peak or measured, measured)
        return AccountView(
            name=state.account,
            venue=self._venue,
            live=self._live,
            currency=state.currency,
            equity=None if unpriced else equity,
            unpriced=tuple(sorted(unpriced)),
            cash={name: amount + state.gap(name) for name, amount in state.cash.items()},
            day=next((one.result for one in told if one.name == periods.DAY), None),
            realised=total.realised,
            unrealised=total.unrealised,
            fees=total.fees,
            financing=totals.funding_of_all(ctx),
            drawdown=(peak - measured) / peak if peak > ZERO else ZERO,
            at_stops=stops.shown,
            unbounded=stops.shown is None,
            open_risk=stops.counted,
            risk_limit=rules.max_open_risk * equity,
            loss_limit=(
                None
                if rules.daily_loss is None or day.equity is None
                else day.equity * rules.daily_loss
            ),
            loss_limit_left=totals.loss_left(ctx, measured),
            margin=self._margin(ctx, equity),
            naked=len(kept(ctx).naked),
            periods=told,
        )

    def _margin(self, ctx: Context, equity: Decimal) -> Decimal | None:
        used = totals.margin_used(ctx)
        return used if not used else used / equity if equity > ZERO else None

    def feeds(self, ctx: Context) -> tuple[FeedView, ...]:
        """Latest prices."""
        told = []
        for quote in ctx.board.quotes():
            instrument = ctx.state.instruments.get(quote.symbol)
            if instrument is not None:
                told.append(
                    FeedView(
                        quote.symbol,
                        quote.bid,
                        quote.bid_size,
                        quote.ask,
                        quote.ask_size,
                        quote.at,
                        max(0, ctx.now - quote.at),
                        ctx.is_stale(quote.symbol, ctx.rules.risk.price_age),
                        instrument.tick,
                        *margin.funding(ctx, instrument),
                    )
                )
        return tuple(told)

    def mode(self, ctx: Context) -> tuple[str, tuple[Reason, ...]]:
        """ACTIVE, REDUCING or HALTED, and each reason with how it ends."""
        reasons = tuple(
            Reason(block.code, block.text, block.since, _clears(block.code, block.until))
            for block in ctx.state.blocks.values()
        )
        if ctx.state.halted:
            return BlockCode.HALTED, (
                Reason(
                    BlockCode.HALTED,
                    "halted by you: nothing opens, and nothing closes by itself",
                    0,
                    BY_HAND["HALTED"],
                ),
                *reasons,
            )
        return ("REDUCING" if reasons else "ACTIVE"), reasons

    def flatten(self, ctx: Context) -> FlattenView | None:
        """A flatten under way, or the last receipt."""
        state = ctx.state
        if state.flatten is None:
            return None
        lines = []
        if flattens(state):
            symbols = sorted(
                {p.symbol for p in state.positions.values()}
                | {o.symbol for o in state.orders.values()}
            )
            lines = [flatten_line(ctx, symbol) for symbol in symbols]
        return FlattenView(
            state.flatten.began_at,
            state.flatten.ended_at,
            tuple(lines),
            state.flatten.receipt,
            state.flatten.intent,
        )


def _clears(code: str, until: int | None) -> str:
    if code in BY_HAND:
        return BY_HAND[code]
    return "by itself at a set time" if until is not None else "by itself once its cause is gone"
