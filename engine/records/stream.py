"""The event stream: what changes orders, positions, protection, money and alerts, as programs
beside the engine hear it. The journal is its only source, so that it has no gap, and nothing that
is not durable.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from engine.desk import codec
from engine.desk import events as e
from engine.journal import Journal, JournalError, StoredEvent
from engine.model.happening import Happening, Stretch, Topic
from engine.model.order import Order
from engine.model.secrets import masked
from engine.records.batches import kind_of
from engine.records.beside import words
from engine.records.steps import Teller

Known = Callable[[str], Order | None]
"""An order by its client order id; None where nobody knows it."""

_TOPICS: dict[Topic, tuple[type[e.AnyEvent], ...]] = {
    Topic.ORDER: (
        e.OrderSubmitted,
        e.OrderRecovered,
        e.OrderAccepted,
        e.OrderRejected,
        e.OrderFilled,
        e.FillDoubted,
        e.FillRepeated,
        e.FillSettled,
        e.OrderTriggered,
        e.AmendAsked,
        e.OrderAmended,
        e.AmendRefused,
        e.CancelAsked,
        e.CancelRefused,
        e.OrderCancelled,
        e.OrderExpired,
        e.OrphanCancelled,
        e.OutcomeUnknown,
        e.QuestionAsked,
        e.QuestionFailed,
        e.AbsenceTold,
        e.EndTold,
        e.DoubtEnded,
    ),
    Topic.POSITION: (
        e.PositionPlanned,
        e.PositionLiquidated,
        e.HoldingAdjusted,
        e.ClosingBegan,
        e.CloseEnded,
        e.DustLeft,
        e.PositionClosed,
        e.PositionDropped,
        e.PositionNoted,
        e.ReverseWanted,
    ),
    Topic.PROTECTION: (
        e.StopMoved,
        e.TargetMoved,
        e.GoalsSet,
        e.LimitsSet,
        e.BreakEvenSet,
        e.GoalReached,
        e.TrailSet,
        e.TrailFollowed,
        e.StopRetrySet,
        e.StopCrossed,
        e.ProtectionChanged,
    ),
    Topic.MONEY: (
        e.CashReported,
        e.Financed,
        e.Rebased,
        e.DayBegan,
        e.NetSettled,
        e.LeftElsewhere,
        e.StoodIn,
        e.StandInUsed,
    ),
    Topic.ALERT: (
        e.AlertRaised,
        e.AlertCured,
        e.AlertAcknowledged,
        e.PriceAlertSet,
        e.PriceAlertEnded,
    ),
    Topic.DESK: (
        e.IntentTaken,
        e.IntentWithdrawn,
        e.EntriesBlocked,
        e.EntriesAllowed,
        e.HaltSet,
        e.FlattenBegan,
        e.FlattenAsked,
        e.FlattenEnded,
        e.Unexplained,
        e.Explained,
        e.HoldingUnexplained,
        e.LeftAlone,
        e.MarkFound,
        e.MarkBooked,
    ),
}
TOPICS = {kind: topic for topic, kinds in _TOPICS.items() for kind in kinds}
"""From an event to its topic. What is not in it is not told: it changes no order, position,
protection, money or alert by itself.
"""
KINDS = tuple(str(kind.__struct_config__.tag) for kind in TOPICS)


def stretch(journal: Journal, after: int, most: int, known: Known) -> Stretch:
    """The events after a number, at most so many. Raises JournalError."""
    stored, last = journal.stretch(after, most, KINDS)
    return Stretch(tuple(_happenings(stored, known)), last)


def newest(journal: Journal, most: int) -> int:
    """The number after which the newest so many events begin. Raises JournalError."""
    return journal.before_newest(most, KINDS)


def _happenings(stored: Iterable[StoredEvent], known: Known) -> Iterable[Happening]:
    teller = Teller(None, {}, known)
    for one in stored:
        try:
            event = codec.decode(one.body)
        except (codec.BodyError, msgspec.MsgspecError) as error:
            raise JournalError(f"event {one.seq}: {error}") from error
        yield happening(one.seq, event, one.body, teller, known)


def happening(seq: int, event: e.AnyEvent, body: bytes, teller: Teller, known: Known) -> Happening:
    """One event as it is told; KeyError for one that is not."""
    step = teller.step(seq, event)
    text, tone = (words(event), "plain") if step is None else (step.text, step.tone)
    names = _names(event)
    order = names["order"] and (teller.orders.get(names["order"]) or known(names["order"]))
    if isinstance(event, e.AlertRaised) and not order:
        names["position"], names["order"] = names["order"], ""
    if order:
        names["position"] = names["position"] or order.position
        names["symbol"] = names["symbol"] or order.symbol
    return Happening(
        seq=seq,
        at=event.at,
        kind=kind_of(event),
        topic=TOPICS[type(event)],
        text=masked(text),
        tone=tone,
        body=_masked(body),
        **names,
    )


def _masked(body: bytes) -> str:
    """The body without secrets. Where a mask swallowed a part of its form, nothing of it."""
    text = body.decode()
    clean = masked(text)
    if clean != text:
        try:
            msgspec.json.decode(clean)
        except msgspec.MsgspecError:
            return '{"masked":true}'
    return clean


def _names(event: Any) -> dict[str, str]:
    """The ids in an event's own fields, and in those of what it holds."""
    order, position = getattr(event, "order", ""), getattr(event, "position", "")
    found = dict.fromkeys(("symbol", "order", "position", "intent"), "")
    for part in (order, position, getattr(event, "fill", None)):
        for name, field in (("order", "client_order_id"), ("position", "position")):
            found[name] = found[name] or getattr(part, field, "") or ""
        found["symbol"] = found["symbol"] or getattr(part, "symbol", "")
    found["symbol"] = found["symbol"] or getattr(event, "symbol", "")
    if isinstance(order, str):
        found["order"] = found["order"] or order
    found["position"] = found["position"] or (
        position if isinstance(position, str) else position.id
    )
    if isinstance(event, e.AlertRaised):  # an order's id, or a position's
        found["order"] = event.alert.target
    intent = getattr(event, "intent", "")
    if isinstance(event, e.IntentTaken):
        found["intent"] = event.intent.id
        asked = getattr(event.intent, "position", "")
        found["position"] = found["position"] or asked or event.answer.created
        found["symbol"] = found["symbol"] or getattr(event.intent, "symbol", "")
    else:
        found["intent"] = intent or getattr(getattr(event, "plan", None), "intent", "")
    return found
