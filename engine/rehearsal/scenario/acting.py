"""From an action in a script to the intents that it stands for."""

from decimal import Decimal

from engine.desk import State
from engine.model import intent as i
from engine.model.codes import BlockCode
from engine.model.money import ONE
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from engine.model.templates import Templates
from engine.rehearsal.scenario.actions import Action
from engine.rehearsal.scenario.brackets import bracket, price_of
from engine.rehearsal.scenario.distances import ticks_of, trail_of, wanted
from engine.rehearsal.scenario.words import duration, flag, fraction, number, texts


def about(action: Action, labels: dict[str, str], state: State) -> list[str]:
    """The ids of the positions that an action is about: the labelled one, or all of a symbol."""
    if action.about:
        name = labels.get(action.about, "")
        return [name] if name in state.positions or name in state.closed else []
    return [position.id for position in state.positions_in(action.symbol)]


def intents(
    action: Action,
    labels: dict[str, str],
    state: State,
    name: str,
    *,
    templates: Templates,
    now: int,
) -> list[i.AnyIntent]:
    """What to ask; empty where what it is about is not there."""
    if action.what == "open":
        where = f"do[{action.index}].open"
        return [bracket(name, action.label, action.terms, where, templates=templates, now=now)]
    if action.what in _ALONE:
        return [_alone(action, name)]
    if action.what == "cancel":
        return _cancel(action, labels, state, name)
    return [
        _on(action, position, f"{name}.{index}")
        for index, position in enumerate(about(action, labels, state))
    ]


_ALONE = (
    "alert",
    "cancel_all",
    "pause",
    "resume",
    "halt",
    "flatten",
    "acknowledge",
    "reconcile",
)


def _alone(action: Action, name: str) -> i.AnyIntent:
    match action.what:
        case "cancel_all":
            if action.symbol:
                return i.CancelSymbol(id=name, symbol=action.symbol)
            return i.CancelAll(id=name, foreign=action.terms.get("foreign") is True)
        case "alert":
            terms, where = action.terms, f"do[{action.index}].alert"
            return i.SetPriceAlert(
                id=name,
                symbol=action.symbol,
                price=number(terms.get("price"), f"{where}.price"),
                rises=flag(terms["rises"], f"{where}.rises") if "rises" in terms else None,
                text=str(terms.get("text", "")),
            )
        case "pause":
            return i.Pause(id=name)
        case "resume":
            return i.Resume(id=name, reason=str(action.terms.get("reason", BlockCode.PAUSED)))
        case "halt":
            return i.Halt(id=name)
        case "acknowledge":
            return i.Acknowledge(id=name, alert=str(action.terms.get("alert", "")))
        case "reconcile":
            return i.Reconcile(id=name)
        case _:
            return i.Flatten(id=name)


def _cancel(action: Action, labels: dict[str, str], state: State, name: str) -> list[i.AnyIntent]:
    """Cancelling is about entries: those of a bracket, or of a symbol."""
    if action.about:
        entries = [
            order for order in state.orders_for(labels.get(action.about, "")) if not order.is_exit
        ]
        if entries:
            return [
                i.CancelOrder(id=f"{name}.{index}", order=order.client_order_id)
                for index, order in enumerate(entries)
            ]
        return [i.CancelOrder(id=name, order=action.about)]
    return [i.CancelSymbol(id=name, symbol=action.symbol)]


def _on(action: Action, position: str, name: str) -> i.AnyIntent:
    where = f"do[{action.index}].{action.what}"
    terms = action.terms
    match action.what:
        case "close":
            part = fraction(terms.get("part", ONE), f"{where}.part")
            limit = price_of(terms, where, OrderType.LIMIT)
            if limit is None:
                return i.ClosePosition(id=name, position=position, part=part)
            if isinstance(limit, Decimal):
                return i.LeaveAt(id=name, position=position, part=part, price=limit)
            return i.LeaveAt(id=name, position=position, part=part, anchored=limit)
        case "move_stop":
            reason = str(terms.get("reason", "scripted"))
            return i.MoveStop(id=name, position=position, stop=wanted(terms, where), reason=reason)
        case "move_target":
            return i.MoveTarget(id=name, position=position, target=wanted(terms, where))
        case "trail":
            return i.SetTrail(id=name, position=position, trail=trail_of(terms, where))
        case "break_even":
            return i.BreakEven(id=name, position=position, ticks=ticks_of(terms, where))
        case "reverse":
            return i.Reverse(id=name, position=position)
        case _:
            tags = texts(terms.get("tags", ()), f"{where}.tags")
            return i.Annotate(
                id=name, position=position, note=str(terms.get("note", "")), tags=tags
            )


def external(action: Action) -> Order:
    """An order that somebody else places on the account."""
    terms, where = action.terms, f"do[{action.index}].external"
    kind = {"market": OrderType.MARKET, "limit": OrderType.LIMIT, "stop": OrderType.STOP}[
        str(terms.get("type", "market"))
    ]
    return Order(
        client_order_id=f"external-{action.index}",
        position="",
        symbol=action.symbol,
        side=Side(str(terms["side"])),
        type=kind,
        role=Role.ENTRY,
        size=number(terms["size"], f"{where}.size"),
        price=number(terms["price"], f"{where}.price") if "price" in terms else None,
        trigger=number(terms["trigger"], f"{where}.trigger") if "trigger" in terms else None,
        foreign=True,
    )


def move(action: Action) -> tuple[Decimal, int]:
    """A scripted move of the market: fraction, and over how many nanoseconds."""
    where = f"do[{action.index}].market"
    return fraction(action.terms["move"], f"{where}.move"), duration(
        action.terms.get("over", 0), f"{where}.over"
    )
