"""What an event changes of the account as a whole: cash, alerts, blocks, a flatten, the day, what
the venue was asked.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.state import (
    ENDED_ALERTS,
    LEFT,
    MARKS,
    STANDING_ALERTS,
    STRANGE,
    Block,
    FlattenState,
    State,
    Touched,
    keep_last,
)
from engine.model.account import add_cash
from engine.model.alert import Severity
from engine.model.codes import BlockCode, RefusalCode
from engine.model.intent import (
    BreakEven,
    CancelOrder,
    LeaveAt,
    MoveStop,
    MoveTarget,
    SetTrail,
)
from engine.model.money import ZERO
from engine.model.refusal import Refusal
from engine.model.view import Answer

ANSWERS = 1_000
"""Answered intents remembered against repeats."""


def _listed(state: State, event: e.InstrumentListed) -> Touched:
    state.instruments[event.instrument.symbol] = event.instrument
    state.revise(event.instrument.symbol)
    return None


def _cash(state: State, event: e.CashReported) -> Touched:
    state.cash = dict(event.cash)
    state.taken |= event.told
    return None


def _intent(state: State, event: e.IntentTaken) -> Touched:
    state.answers[event.intent.id] = event.answer
    keep_last(state.answers, ANSWERS)
    if state.halted and event.answer.ok:
        match event.intent:
            case MoveStop() | MoveTarget() | LeaveAt() | SetTrail() | BreakEven():
                state.by_hand[event.answer.created] = None
            case CancelOrder(order=name) if (
                order := state.order(name)
            ) is not None and order.is_exit:
                state.by_hand[order.position] = None
            case _:
                pass
    return None


def _withdrawn(state: State, event: e.IntentWithdrawn) -> Touched:
    state.answers[event.intent] = Answer(event.intent, (Refusal(RefusalCode.WITHDRAWN),))
    keep_last(state.answers, ANSWERS)
    return None


def _unexplained(state: State, event: e.Unexplained) -> Touched:
    state.unexplained[event.subject] = event.text
    keep_last(state.unexplained, LEFT)
    return None


def _explained(state: State, event: e.Explained) -> Touched:
    state.unexplained.pop(event.subject, None)
    return None


def _withheld(state: State, event: e.HoldingUnexplained) -> Touched:
    if event.amount:
        state.withheld[event.currency] = event.amount
    else:
        state.withheld.pop(event.currency, None)
    state.strange |= dict.fromkeys(event.executions)
    keep_last(state.strange, STRANGE)
    return None


def _left_alone(state: State, event: e.LeftAlone) -> Touched:
    state.left[event.subject] = None
    keep_last(state.left, LEFT)
    return None


def _mark_found(state: State, event: e.MarkFound) -> Touched:
    state.mark = event.name
    state.marked |= {order.client_order_id: order for order in event.orders}
    return None


def _mark_booked(state: State, _: e.MarkBooked) -> Touched:
    state.booked_marks[state.mark] = None
    keep_last(state.booked_marks, MARKS)
    state.mark = ""
    state.marked.clear()
    return None


def _price_alert(state: State, event: e.PriceAlertSet) -> Touched:
    state.price_alerts[event.alert.id] = event.alert
    state.numbered = max(state.numbered, event.alert.number)
    return None


def _price_alert_ended(state: State, event: e.PriceAlertEnded) -> Touched:
    state.price_alerts.pop(event.alert, None)
    return None


def _alert(state: State, event: e.AlertRaised) -> Touched:
    state.alerts[event.alert.key] = event.alert
    if len(state.alerts) > STANDING_ALERTS:
        oldest = next(
            (alert for alert in state.alerts.values() if alert.severity is not Severity.CRITICAL),
            None,
        )
        if oldest is not None:  # nobody reads that many
            _end_alert(state, oldest.key, cured_at=event.at)
    return None


def _end_alert(state: State, key: str, **changes: int) -> None:
    alert = replace(state.alerts[key], **changes)
    if alert.stands:
        state.alerts[key] = alert
    else:
        del state.alerts[key]
        state.ended_alerts.append(alert)
        del state.ended_alerts[:-ENDED_ALERTS]


def _cured(state: State, event: e.AlertCured) -> Touched:
    _end_alert(state, event.key, cured_at=event.at)
    return None


def _acknowledged(state: State, event: e.AlertAcknowledged) -> Touched:
    _end_alert(state, event.key, acknowledged_at=event.at)
    return None


def _blocked(state: State, event: e.EntriesBlocked) -> Touched:
    since = state.blocks[event.code].since if event.code in state.blocks else event.at
    state.blocks[event.code] = Block(event.code, event.text, since, event.until)
    return None


def _allowed(state: State, event: e.EntriesAllowed) -> Touched:
    del state.blocks[event.code]
    if event.code == BlockCode.DRAWDOWN:
        state.day = replace(state.day, peak=state.day.last)
    elif event.code == BlockCode.DAILY_LOSS:
        state.resumed_from = state.day.last
    elif event.code == BlockCode.LOSING_STREAK:
        state.day = replace(state.day, losses=0)
    return None


def _halt(state: State, event: e.HaltSet) -> Touched:
    state.halted = event.halted
    state.by_hand.clear()
    return None


def _flatten(state: State, event: e.FlattenBegan) -> Touched:
    state.flatten = FlattenState(event.intent, event.at)
    state.reverses.clear()
    return None


def _flatten_asked(state: State, event: e.FlattenAsked) -> Touched:
    if state.flatten is not None:
        state.flatten = replace(state.flatten, asked_at=event.at)
    return None


def _flatten_ended(state: State, event: e.FlattenEnded) -> Touched:
    if state.flatten is not None:
        state.flatten = replace(state.flatten, ended_at=event.at, receipt=event.receipt)
    return None


def _financed(state: State, event: e.Financed) -> Touched:
    state.cash = add_cash(state.cash, event.currency, event.amount)
    state.totals = replace(
        state.totals, financing=add_cash(state.totals.financing, event.currency, event.amount)
    )
    for name, share in event.shares.items():
        money = state.money_of(name)
        state.keep_money(
            name,
            replace(money, funding=money.funding + share, rest_funding=money.rest_funding + share),
        )
    return None


def _asked(state: State, event: e.AccountAsked) -> Touched:
    state.asked_at = event.at
    return None


def _reconciled(state: State, event: e.Reconciled) -> Touched:
    state.asked_at = None
    state.reconciled_at = event.at
    state.foreign = {
        order.venue_order_id or order.client_order_id: order for order in event.foreign
    }
    return None


def _sampled(state: State, event: e.Sampled) -> Touched:
    day = state.day
    peak = event.equity if day.peak is None else max(day.peak, event.equity)
    fall = (peak - event.equity) / peak if peak > ZERO else ZERO
    state.day = replace(
        day,
        peak=peak,
        trough=max(day.trough, fall),
        last=event.equity,
        equity=event.equity if day.equity is None else day.equity,
        began_at=day.began_at or event.at,
    )
    state.unpriced = dict.fromkeys(event.unpriced)
    state.periods = {name: period.sampled(event.equity) for name, period in state.periods.items()}
    for name, (lowest, highest) in event.extremes.items():
        if name in state.positions:
            state.positions[name] = replace(state.positions[name], lowest=lowest, highest=highest)
    return None


def _rebased(state: State, event: e.Rebased) -> Touched:
    day = state.day
    equity = None if day.equity is None else day.equity + event.amount
    peak = None if day.peak is None else day.peak + event.amount
    last = None if day.last is None else day.last + event.amount
    state.day = replace(day, equity=equity, peak=peak, last=last)
    state.resumed_from = None if state.resumed_from is None else state.resumed_from + event.amount
    state.periods = {name: period.rebased(event.amount) for name, period in state.periods.items()}
    return None


def _period(state: State, event: e.PeriodBegan) -> Touched:
    state.periods[event.name] = event.period
    return None


def _day(state: State, event: e.DayBegan) -> Touched:
    state.day = replace(state.day, began_at=event.at, equity=event.equity)
    state.resumed_from = None
    return None


TABLE: dict[type, Callable[[State, Any], Touched]] = {
    e.InstrumentListed: _listed,
    e.CashReported: _cash,
    e.Financed: _financed,
    e.IntentTaken: _intent,
    e.IntentWithdrawn: _withdrawn,
    e.Unexplained: _unexplained,
    e.Explained: _explained,
    e.HoldingUnexplained: _withheld,
    e.LeftAlone: _left_alone,
    e.MarkFound: _mark_found,
    e.MarkBooked: _mark_booked,
    e.AlertRaised: _alert,
    e.AlertCured: _cured,
    e.AlertAcknowledged: _acknowledged,
    e.PriceAlertSet: _price_alert,
    e.PriceAlertEnded: _price_alert_ended,
    e.EntriesBlocked: _blocked,
    e.EntriesAllowed: _allowed,
    e.HaltSet: _halt,
    e.FlattenBegan: _flatten,
    e.FlattenAsked: _flatten_asked,
    e.FlattenEnded: _flatten_ended,
    e.AccountAsked: _asked,
    e.Reconciled: _reconciled,
    e.Sampled: _sampled,
    e.Rebased: _rebased,
    e.DayBegan: _day,
    e.PeriodBegan: _period,
}
