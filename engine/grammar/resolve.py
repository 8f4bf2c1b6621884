"""From a tree to what is to be asked, as the view stands: intents, what they need of the person
(`Confirm`), and words for the card.

A line is resolved twice: all of it for the card (`plan`), where a part that waits for what an
earlier one opens is told in words; and each part again when its turn comes (`step`).
"""

from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from engine.grammar import terms
from engine.grammar import tree as t
from engine.grammar.around import Around
from engine.grammar.coming import name_of, unnamed
from engine.grammar.entries import anchored, entry
from engine.grammar.parser import flat
from engine.grammar.prices import Told
from engine.grammar.printing import told as printed
from engine.grammar.wrong import Wrong, WrongError, wrong
from engine.model import intent as i
from engine.model.order import Role
from engine.model.side import Side
from engine.model.view import PositionView


class Confirm(IntEnum):
    """What a person gives before it is done."""

    NOTHING = 0
    ENTER = 1
    CARD = 2
    """The card, and a second enter; `--yes` in a script."""
    TYPED = 3
    """A word that is typed: FLATTEN, the account's name; `--yes` in a script."""


class Step(Struct, frozen=True):
    """One part of a line."""

    command: t.Command
    words: str
    """The command as it is understood, written out."""
    intents: tuple[i.AnyIntent, ...] = ()
    confirm: Confirm = Confirm.NOTHING
    waits: str = ""
    """The symbol whose position an earlier part opens; empty where all is there."""
    coming: str = ""
    """The symbol that an earlier part adds, as it is called there."""
    note: str = ""
    """Why there is nothing to ask: what it is for is so already."""


def step(command: t.Command, around: Around, key: str) -> Step | Wrong:
    """What one command asks for now; `key` is the idempotency key of its intents, with the name of
    the position, order or reason behind it where there may be several.
    """
    try:
        now = _step(command, around, key)
    except WrongError as error:
        return error.wrong
    if isinstance(command, t.Cancel) and not now.intents:
        # a view may be older than the entry: the desk knows
        asked = _all_entries(command, key)
        return replace(now, intents=asked, note="" if asked else now.note)
    return now


def _all_entries(command: t.Cancel, key: str) -> tuple[i.AnyIntent, ...]:
    """The cancel of all entries, or of all of a symbol; nothing for one that names others."""
    if isinstance(command.what, t.SymbolName):
        return (i.CancelSymbol(id=key, symbol=command.what.symbol),)
    return (i.CancelAll(id=key),) if command.what == "all" else ()


def _step(command: t.Command, around: Around, key: str) -> Step:
    intents, confirm = _RULES[type(command)](command, around, key)
    note = _NOTHING.get(type(command), "") if not intents and confirm else ""
    return Step(command, printed(command), intents, confirm, note=note)


def plan(line: t.Line, around: Around, key: str) -> tuple[Step, ...] | Wrong:
    """All parts of a line as they stand now, for the card."""
    found: list[Step] = []
    moved: set[str] = set()
    for number, command in enumerate(flat(line), 1):
        if coming := unnamed(command, around):
            found.append(Step(command, printed(command), (), Confirm.CARD, coming=coming))
            continue
        try:
            now = _step(command, around, f"{key}.{number}")
        except WrongError as error:
            symbol = _subject(command, around)
            if symbol not in moved:
                return error.wrong
            now = Step(command, printed(command), (), Confirm.CARD, symbol)
        moved |= _moved(now, around)
        around = after(command, around)
        found.append(now)
    return tuple(found)


def _subject(command: t.Command, around: Around) -> str:
    """The symbol whose open position a command is about; empty for one that is about none."""
    if not isinstance(command, t.Close | t.Reverse | t.Stop | t.Target | t.Trail | t.Even):
        return ""
    named = command.what if isinstance(command, t.Close) else command.symbol
    return named.symbol if isinstance(named, t.SymbolName) else around.focus


def _moved(now: Step, around: Around) -> set[str]:
    """The symbols in which a part opens, closes or reverses: what is open there then is not what
    is open now.
    """
    held = {position.id: position.symbol for position in around.held()}
    entered = {one.symbol for one in now.intents if isinstance(one, i.OpenBracket)}
    return entered | {
        held[one.position]
        for one in now.intents
        if isinstance(one, i.ClosePosition | i.Reverse) and one.position in held
    }


def confirmation(steps: tuple[Step, ...]) -> Confirm:
    """What the whole line needs: it is one decision."""
    return max((step.confirm for step in steps), default=Confirm.NOTHING)


def after(command: t.Command, around: Around) -> Around:
    """What the next command is said against: a variable that was set is known, and a symbol that
    was named is meant where it names none.
    """
    named = name_of(command)
    meant = _shown(command, around) if named is None else named.symbol
    if meant and meant != around.focus:
        around = replace(around, focus=meant, chosen="")
    if not isinstance(command, t.Let):
        return around
    value: t.Size | t.AnyPrice = command.value
    if isinstance(value, t.Anchored):
        symbol = around.symbol(None, command.span)
        position = _any_position(around, symbol)
        side = Side.BUY if position is None else position.side
        fixed = Told(around, symbol, side, position).price(value)
        value = t.Price(span=value.span, value=fixed)
    return replace(around, variables={**around.variables, command.name: value})


def _shown(command: t.Command, around: Around) -> str:
    """The symbol that `symbol NAME` makes the focus; empty for any other command."""
    if not isinstance(command, t.Show) or command.word != "symbol" or len(command.words) != 1:
        return ""
    found = around.vocabulary.find(command.words[0])
    return found[0] if len(found) == 1 else ""


def _any_position(around: Around, symbol: str) -> PositionView | None:
    held = around.held(symbol)
    return next((p for p in held if p.id == around.chosen), held[0] if len(held) == 1 else None)


Asked = tuple[tuple[i.AnyIntent, ...], Confirm]


def _enter(command: t.Enter, around: Around, key: str) -> Asked:
    made = entry(command, around, key)
    if not command.at_once:
        return (made,), Confirm.CARD
    if made.symbol != around.armed:
        end, whose = command.span.end, f" for {made.symbol}" if around.armed else ""
        text = f"“!” skips the card only while the ladder is armed{whose}: leave it out"
        raise wrong(end - 1, end, text)
    return (made,), Confirm.ENTER


def _close(command: t.Close, around: Around, key: str) -> Asked:
    if isinstance(command.what, str):
        sides = {"longs": (Side.BUY,), "shorts": (Side.SELL,)}.get(command.what, tuple(Side))
        positions = [p for p in around.held() if p.side in sides and not p.dust]
    else:
        positions = around.positions(command.what, command.span)
    part = command.part
    if part is not None and part.kind == "amount" and len(positions) > 1:
        text = f"{len(positions)} positions are meant: name the part in %"
        raise wrong(part.span.start, part.span.end, text)
    asked: list[i.AnyIntent] = []
    for p in positions:
        share, size = terms.to_close(part, p.size)
        name = f"{key}.{p.id}"
        if command.at is None:
            asked.append(i.ClosePosition(id=name, position=p.id, part=share, size=size))
        else:
            leave = i.LeaveAt(id=name, position=p.id, part=share, size=size)
            asked.append(_leave(p, command.at, around, leave))
    return tuple(asked), Confirm.ENTER


def _leave(position: PositionView, at: t.AnyPrice, around: Around, asked: i.LeaveAt) -> i.LeaveAt:
    """A close that waits at a limit: at a price, or at what the desk tells when it decides."""
    told = anchored(at)
    if told is not None:
        return replace(asked, anchored=told)
    side = position.side
    price = Told(around, position.symbol, side, position).limit(at, side.opposite)
    return replace(asked, price=price)


def _reverse(command: t.Reverse, around: Around, key: str) -> Asked:
    position = around.position(command.symbol, command.span)
    return (i.Reverse(id=key, position=position.id),), Confirm.CARD


def _stop(command: t.Stop, around: Around, key: str) -> Asked:
    position = around.position(command.symbol, command.span)
    if command.place is None:
        return (
            i.MoveStop(id=key, position=position.id, stop=None, reason=command.because),
        ), Confirm.CARD
    told = Told(around, position.symbol, position.side, position)
    place = terms.place(told, command.place)
    wider = _is_wider(position, place)
    if wider and not command.because:
        end = command.span.end
        raise wrong(end, end, 'a wider stop needs a reason: because "..."', 'because "')
    asked = i.MoveStop(id=key, position=position.id, stop=place, reason=command.because)
    return (asked,), Confirm.ENTER if wider is False else Confirm.CARD


def _is_wider(position: PositionView, place: i.Place) -> bool | None:
    """Whether a stop there would lose more than the one that stands; None where the view can't
    tell.
    """
    if position.stop is None:
        return False
    against = position.side.opposite
    match place:
        case i.At(price):
            there = price
        case i.Away(fraction):
            there = against.worse(position.entry, fraction)
        case i.Ticks(count):
            there = position.entry + against.sign * count * position.tick
        case _:
            return None
    return (there - position.stop) * position.side.sign < 0


def _target(command: t.Target, around: Around, key: str) -> Asked:
    position = around.position(command.symbol, command.span)
    told = Told(around, position.symbol, position.side, position)
    places = [terms.place(told, leg.place) for leg in command.legs]
    partials, target = terms.targets(command.legs, places, position.size)
    asked = i.MoveTarget(id=key, position=position.id, target=target, partials=partials)
    return (asked,), Confirm.ENTER


def _trail(command: t.Trail, around: Around, key: str) -> Asked:
    position = around.position(command.symbol, command.span)
    told = Told(around, position.symbol, position.side, position)
    trail = None if command.following is None else terms.trail(told, command.following)
    return (i.SetTrail(id=key, position=position.id, trail=trail),), Confirm.ENTER


def _even(command: t.Even, around: Around, key: str) -> Asked:
    position = around.position(command.symbol, command.span)
    ticks = int(command.ticks or 0)
    return (i.BreakEven(id=key, position=position.id, ticks=ticks),), Confirm.ENTER


def _cancel(command: t.Cancel, around: Around, key: str) -> Asked:
    what = command.what
    if what == "wait":
        return (), Confirm.NOTHING
    if isinstance(what, t.OrderNumber):
        waits = next((one for one in around.view.price_alerts if one.number == what.number), None)
        if waits is not None:
            return (i.CancelPriceAlert(id=key, alert=waits.id),), Confirm.ENTER
        limit = around.limit(what)
        if limit is not None:
            return (i.CancelOrder(id=key, order=limit[1].id),), Confirm.ENTER
        order = around.order(what).order
        confirm = Confirm.CARD if order.role is Role.STOP else Confirm.ENTER
        return (i.CancelOrder(id=key, order=order.client_order_id),), confirm
    entries = [
        row.order
        for row in around.view.orders
        if not row.order.foreign and row.order.role is Role.ENTRY
    ]
    if isinstance(what, t.SymbolName):
        there = any(order.symbol == what.symbol for order in entries)
        return _all_entries(command, key) if there else (), Confirm.ENTER
    if what == "all":
        return _all_entries(command, key) if entries else (), Confirm.ENTER
    side = Side.BUY if what == "buys" else Side.SELL
    mine = [order.client_order_id for order in entries if order.side is side]
    asked = tuple(i.CancelOrder(id=f"{key}.{name}", order=name) for name in mine)
    return asked, Confirm.ENTER


def _amend(command: t.Amend, around: Around, key: str) -> Asked:
    limit = around.limit(command.order)
    if limit is not None and command.at is not None:
        held, one = limit
        to = Told(around, held.symbol, held.side, held).limit(command.at, held.side.opposite)
        return (i.AmendOrder(id=key, order=one.id, price=to, size=command.size),), Confirm.ENTER
    row = around.order(command.order)
    order = row.order
    price: Decimal | None = None
    if command.at is not None:
        position = next((p for p in around.held() if p.id == order.position), None)
        side = position.side if position is not None else order.side
        told = Told(around, order.symbol, side, position)
        price = told.limit(command.at, order.side)
    asked = i.AmendOrder(id=key, order=order.client_order_id, price=price, size=command.size)
    return (asked,), Confirm.ENTER


def _desk(command: t.Desk, around: Around, key: str) -> Asked:
    match command.word:
        case "pause":
            return (i.Pause(id=key),), Confirm.ENTER
        case "halt":
            return (i.Halt(id=key),), Confirm.ENTER
        case "unhalt":
            return (i.Resume(id=key, reason="HALTED"),), Confirm.TYPED
        case "live":
            return (i.GoLive(id=key, account=command.name),), Confirm.TYPED
        case "flatten":
            return (i.Flatten(id=key),), Confirm.TYPED
        case "compare":
            return (i.Reconcile(id=key),), Confirm.ENTER
    return _resume(command, around, key), Confirm.ENTER


def _resume(command: t.Desk, around: Around, key: str) -> tuple[i.AnyIntent, ...]:
    if command.name:
        return (i.Resume(id=key, reason=command.name),)
    codes = [reason.code for reason in around.view.reasons if reason.code != "HALTED"]
    if not codes and around.view.mode == "HALTED":
        raise wrong(command.span.start, command.span.end, "halted by you: unhalt ends it")
    return tuple(i.Resume(id=f"{key}.{code}", reason=code) for code in codes)


def _nothing(command: t.Command, around: Around, key: str) -> Asked:
    del command, around, key
    return (), Confirm.NOTHING


def _let(command: t.Let, around: Around, key: str) -> Asked:
    del key
    after(command, around)  # a price that can't be told is wrong here, not where it is used
    return (), Confirm.NOTHING


def _alert(command: t.Alert, around: Around, key: str) -> Asked:
    symbol = command.symbol.symbol
    if command.price is None:
        waiting = [one.id for one in around.view.price_alerts if one.symbol == symbol]
        asked = (i.CancelPriceAlert(id=f"{key}.{name}", alert=name) for name in waiting)
        return tuple(asked), Confirm.ENTER
    position = _any_position(around, symbol)
    side = Side.BUY if position is None else position.side
    price = Told(around, symbol, side, position).price(command.price)
    waits = i.SetPriceAlert(
        id=key, symbol=symbol, price=price, rises=command.above, text=command.text
    )
    return (waits,), Confirm.ENTER


_NOTHING = {
    t.Close: "nothing to close",
    t.Cancel: "nothing to cancel",
    t.Desk: "nothing blocks entries",
    t.Alert: "no price alert to cancel",
}
"""What is said where nothing is there to be closed, cancelled or cleared: that is no refusal, and a
line goes on.
"""
_RULES: dict[type, Callable[[Any, Around, str], Asked]] = {
    t.Enter: _enter,
    t.Close: _close,
    t.Reverse: _reverse,
    t.Stop: _stop,
    t.Target: _target,
    t.Trail: _trail,
    t.Even: _even,
    t.Cancel: _cancel,
    t.Amend: _amend,
    t.Desk: _desk,
    t.Wait: _nothing,
    t.Alert: _alert,
    t.Let: _let,
    t.Show: _nothing,
    t.Watch: _nothing,
    t.Run: _nothing,
}
