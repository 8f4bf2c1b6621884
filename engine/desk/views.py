"""What a console sees: the state and the board as plain values, made when somebody looks."""

from decimal import Decimal

from engine.desk import figures, margin
from engine.desk.context import Context, on_margin
from engine.desk.desk import Desk
from engine.desk.intents import BY_HAND
from engine.desk.ordering import flattens
from engine.desk.protection import working_stop
from engine.desk.truth import truth
from engine.model.alert import Alert
from engine.model.figures import ended, multiple
from engine.model.money import ZERO
from engine.model.order import Order, Role, Status
from engine.model.position import Position, Protection
from engine.model.view import (
    AccountView,
    ClosedView,
    FeedView,
    FlattenLine,
    FlattenView,
    OrderView,
    PositionView,
    Reason,
    TruthView,
)

ALERT_TAIL = 50
"""Ended alerts that are shown."""


class Views:
    """Makes views of a desk; what changes only with events is made once per event."""

    def __init__(self, desk: Desk, venue: str, *, live: bool) -> None:
        self._desk = desk
        self._venue = venue
        self._live = live
        self._orders: tuple[int, tuple[OrderView, ...]] = (-1, ())
        self._alerts: tuple[int, tuple[Alert, ...]] = (-1, ())
        self._closed: tuple[int, tuple[ClosedView, ...]] = (-1, ())
        self._truth: tuple[tuple[int, int], TruthView] = ((-1, 0), TruthView(None, in_motion=True, rows=()))

    def context(self, now: int) -> Context:
        """The moment that is looked at."""
        desk = self._desk
        return Context(desk.state, desk.rules, desk.profile, desk.board, now)

    def positions(self, ctx: Context) -> tuple[PositionView, ...]:
        """Open positions in the order in which they were opened; dust last."""
        held = [position for position in ctx.state.positions.values() if position.is_open]
        held.sort(key=lambda position: position.dust)
        return tuple(self._position(ctx, position) for position in held)

    def _position(self, ctx: Context, p: Position) -> PositionView:
        instrument = ctx.instrument(p)
        mark, resting = ctx.mark(p), working_stop(ctx, p)
        unrealised = None if mark is None else p.unrealised_profit(instrument, mark)
        stop, quote = figures.stop_of(ctx, p), ctx.quote(p.symbol)
        now, unit, money = figures.net_now(ctx, p), figures.one_r(ctx, p), ctx.state.money_of(p.id)
        seen, rates = figures.nets_seen(ctx, p) or (None, None), ctx.rates(instrument)
        return PositionView(
            id=p.id,
            version=self._desk.revisions.get(p.id, 0),
            symbol=p.symbol,
            label=p.label,
            side=p.side,
            size=p.size,
            currency=p.settle,
            entry=p.entry_price(instrument).quantize(instrument.tick),
            mark=mark,
            mark_age=None if quote is None else max(0, ctx.now - quote.at),
            stale=ctx.is_stale(p.symbol, ctx.rules.risk.price_age),
            unrealised=unrealised,
            realised=p.gross_profit(instrument),
            exit_fee=figures.exit_fee(ctx, p),
            in_account=None if unrealised is None else ctx.to_account(unrealised, p.settle),
            r=multiple(now, unit),
            stop=stop,
            stop_wanted=p.stop,
            protection=p.protection,
            protection_text=_protection_text(p, resting, _asleep(ctx, p)),
            stop_away=None if stop is None or not mark else (stop - mark) / mark,
            target=p.target,
            goals=tuple(p.goals_left(instrument)),
            trail=p.trail,
            trailing=p.trailing,
            opened_at=p.opened_at or p.created_at,
            closing=p.closing > ZERO,
            dust=p.dust,
            leverage=p.leverage if on_margin(ctx, p) else None,
            liquidation=margin.liquidation(ctx, p),
            liquidation_away=margin.away(ctx, p),
            note=p.note,
            tags=p.tags,
            tick=instrument.tick,
            lot=instrument.lot,
            target_where=_target_where(ctx, p),
            trail_where="" if p.trail is None else "off" if _idle(ctx, p) else "local",
            net=now,
            net_in_account=None if now is None else ctx.to_account(now, p.settle),
            one_r=unit,
            at_stop=figures.at_stop(ctx, p),
            unbounded=p.size > ZERO and not p.dust and (stop is None or figures.uncovered(ctx, p) > ZERO),
            break_even=figures.break_even(ctx, p),
            fees=p.fee_value,
            funding=money.funding,
            taker=rates.taker,
            taker_source=rates.source,
            mae=multiple(seen[0], unit),
            mfe=multiple(seen[1], unit),
        )

    def orders(self, ctx: Context) -> tuple[OrderView, ...]:
        """Open orders, ours first."""
        if self._orders[0] != ctx.state.seq:
            every = [*ctx.state.orders.values(), *ctx.state.foreign.values()]
            self._orders = (ctx.state.seq, tuple(_order(ctx, order) for order in every))
        return self._orders[1]

    def alerts(self, ctx: Context) -> tuple[Alert, ...]:
        """Those that stand, gravest first; then the ended, newest first."""
        if self._alerts[0] != ctx.state.seq:
            standing = sorted(ctx.state.alerts.values(), key=lambda a: (-a.severity, -a.last_at))
            self._alerts = (ctx.state.seq, (*standing, *reversed(ctx.state.ended_alerts[-ALERT_TAIL:])))
        return self._alerts[1]

    def truth(self, ctx: Context) -> TruthView:
        """Ours beside the venue's."""
        now = (ctx.state.seq, 0 if ctx.board.picture is None else ctx.board.picture.at)
        if self._truth[0] != now:
            self._truth = (now, truth(ctx))
        return self._truth[1]

    def closed(self, ctx: Context) -> tuple[ClosedView, ...]:
        """The last ended positions, newest first."""
        if self._closed[0] != ctx.state.seq:
            ended = sorted(ctx.state.closed.values(), key=lambda p: p.closed_at or 0, reverse=True)
            self._closed = (ctx.state.seq, tuple(_closed(ctx, position) for position in ended[:100]))
        return self._closed[1]

    def account(self, ctx: Context) -> AccountView:
        """Money, in the account's currency."""
        state, day, rules = ctx.state, ctx.state.day, ctx.rules.risk
        equity, unpriced = ctx.equity()
        measured, stops, total = figures.measured(ctx), figures.at_stops(ctx), figures.total(ctx)
        periods = tuple(one for name in figures.PERIODS if (one := figures.period(ctx, name)) is not None)
        peak = max(day.peak or measured, measured)
        return AccountView(
            name=state.account,
            venue=self._venue,
            live=self._live,
            currency=state.currency,
            equity=None if unpriced else equity,
            unpriced=tuple(sorted(unpriced)),
            cash=dict(state.cash),
            day=next((one.result for one in periods if one.name == figures.DAY), None),
            realised=total.realised,
            unrealised=total.unrealised,
            fees=total.fees,
            financing=figures.funding_of_all(ctx),
            drawdown=(peak - measured) / peak if peak > ZERO else ZERO,
            at_stops=stops.shown,
            unbounded=stops.shown is None,
            open_risk=stops.counted,
            risk_limit=rules.max_open_risk * equity,
            loss_limit=None if rules.daily_loss is None or day.equity is None else day.equity * rules.daily_loss,
            loss_limit_left=figures.loss_left(ctx, measured),
            margin=self._margin(ctx, equity),
            naked=sum(1 for p in state.positions.values() if p.is_open and not p.dust and p.protection in (Protection.NAKED, Protection.PARTIAL)),
            periods=periods,
        )

    def _margin(self, ctx: Context, equity: Decimal) -> Decimal | None:
        used = margin.used(ctx)
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
        reasons = tuple(Reason(block.code, block.text, block.since, _clears(block.code, block.until)) for block in ctx.state.blocks.values())
        if ctx.state.halted:
            return "HALTED", (Reason("HALTED", "halted by you: nothing opens, and nothing closes by itself", 0, BY_HAND["HALTED"]), *reasons)
        return ("REDUCING" if reasons else "ACTIVE"), reasons

    def flatten(self, ctx: Context) -> FlattenView | None:
        """A flatten under way, or the last receipt."""
        state = ctx.state
        if state.flatten is None:
            return None
        lines = []
        if flattens(state):
            symbols = sorted({p.symbol for p in state.positions.values()} | {o.symbol for o in state.orders.values()})
            lines = [_flatten_line(ctx, symbol) for symbol in symbols]
        return FlattenView(state.flatten.began_at, state.flatten.ended_at, tuple(lines), state.flatten.receipt, state.flatten.intent)


def _clears(code: str, until: int | None) -> str:
    if code in BY_HAND:
        return BY_HAND[code]
    return "by itself at a set time" if until is not None else "by itself once its cause is gone"


def _idle(ctx: Context, position: Position) -> bool:
    """Whether nothing here acts on the price of a position now: the desk is halted, or the price is too old to act on."""
    return ctx.state.halted or ctx.is_stale(position.symbol, ctx.rules.risk.price_age)


def _target_where(ctx: Context, position: Position) -> str:
    """Who would close a position at its target now."""
    if position.target is None:
        return ""
    if any(order.role is Role.TARGET and order.is_working for order in ctx.state.orders_for(position.id)):
        return "venue"
    return "off" if _idle(ctx, position) else "local"


def _asleep(ctx: Context, position: Position) -> str:
    """What of a position nobody watches now, in words; empty where all that it has would act."""
    parts = ["target"] if _target_where(ctx, position) == "off" else []
    parts += ["trail"] if position.trail is not None and _idle(ctx, position) else []
    parts += ["stop"] if ctx.state.halted and position.stop is not None and working_stop(ctx, position) is None else []
    if not parts:
        return ""
    return f"{'halted' if ctx.state.halted else 'price too old'}: {' and '.join(parts)} not watched"


def _protection_text(position: Position, resting: Order | None, asleep: str) -> str:
    if position.dust:
        return "below what the venue trades"
    if asleep and not position.closing:
        return asleep
    match position.protection:
        case Protection.VENUE:
            return "a stop rests at the venue"
        case Protection.GUARDED:
            if position.closing:
                return "being closed"
            return "watched here; the venue's stop is on its way" if resting is None else "watched here"
        case Protection.PARTIAL:
            return "the venue's stop covers a part"
        case _:
            return "no stop" if position.stop is None else "the price is too old to watch"


def state_word(order: Order) -> str:
    """One word for where an order is."""
    if order.foreign:
        return "foreign"
    if order.in_doubt:
        return "UNKNOWN"
    if order.cancel_pending:
        return "cancelling"
    if order.amend_pending:
        return "amending"
    if order.triggered:
        return "triggered"
    words = {Status.PENDING: "sent", Status.OPEN: "open", Status.PARTIALLY_FILLED: "partial"}
    return words.get(order.status, order.status.value)


def _order(ctx: Context, order: Order) -> OrderView:
    instrument = ctx.state.instruments.get(order.symbol)
    doubt = ctx.state.doubts.get(order.client_order_id)
    evidence = ""
    if doubt is not None:
        evidence = f"{doubt.request}: {doubt.text}; asked {doubt.asked} times, {doubt.absences} times not found"
    tick, lot = (instrument.tick, instrument.lot) if instrument is not None else (Decimal("0.01"), Decimal("0.00000001"))
    return OrderView(order, state_word(order), evidence, tick, lot)


def _closed(ctx: Context, p: Position) -> ClosedView:
    instrument, money = ctx.instrument(p), ctx.state.money_of(p.id)
    profit, unit = ended(p, money, instrument), figures.one_r(ctx, p)
    return ClosedView(
        id=p.id,
        symbol=p.symbol,
        label=p.label,
        side=p.side,
        size=p.entry_size,
        currency=p.settle,
        entry=p.entry_price(instrument).quantize(instrument.tick),
        exit=(p.exit_price(instrument) or ZERO).quantize(instrument.tick),
        profit=profit,
        fees=p.fee_value,
        r=multiple(profit, unit),
        opened_at=p.opened_at or p.created_at,
        closed_at=p.closed_at or 0,
        reason=p.close_reason,
        note=p.note,
        tags=p.tags,
        one_r=unit,
        funding=money.funding,
        mae=multiple(money.lowest, unit),
        mfe=multiple(money.highest, unit),
    )


def _flatten_line(ctx: Context, symbol: str) -> FlattenLine:
    held = sum((p.signed_size for p in ctx.state.positions.values() if p.symbol == symbol), ZERO)
    orders = [order for order in ctx.state.orders.values() if order.symbol == symbol]
    if any(order.in_doubt for order in orders):
        word = "asking the venue what became of an order"
    elif any(order.role is Role.CLOSE for order in orders):
        word = "closing"
    elif orders:
        word = "cancelling"
    elif held:
        word = "waiting"
    else:
        word = "asking the venue"
    return FlattenLine(symbol, held, len(orders), word)
