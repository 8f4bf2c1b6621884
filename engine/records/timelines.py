"""The timeline of an id: every step that the journal has of an order, a position or an intent, with
what belongs to it, in order.

A position's timeline has its orders, what was asked about them, its stop's history and its alerts.
An order's has why it was sent, and, of a stop, where it was to stand. An intent that opened
something is that position's; another is what followed from it until somebody asked again.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.desk import State, codec, state_word
from engine.desk import events as e
from engine.journal import JournalError
from engine.journal.batch import StoredEvent
from engine.model import intent as i
from engine.model.money import grouped
from engine.model.order import Order, Role
from engine.model.timeline import Step
from engine.records.steps import Charges, Departures, Teller, at_price, order_name

MOST = 1_000
"""Steps of one timeline: the newest are kept."""
SPANS = 50
"""Orders of a position that are looked for; the newest are kept."""

Fetch = Callable[[Sequence[str], int], list[StoredEvent]]
"""The stored events that name any of some ids, after a seq, oldest first."""
HISTORY = (e.StopMoved, e.TrailFollowed, e.TrailSet, e.StopCrossed, e.ProtectionChanged)
"""What becomes of a position's stop, whichever order it is."""


class Timeline(Struct, frozen=True):
    """What was found."""

    steps: tuple[Step, ...]
    stored: tuple[StoredEvent, ...]
    """The events that the steps are made of."""
    names: frozenset[str]
    """The id, and those of what belongs to it."""
    cut: bool
    """Whether there is more than is told."""


class Read(Struct, frozen=True):
    """A stored event that could be read."""

    stored: StoredEvent
    event: e.AnyEvent


def timeline(
    fetch: Fetch, about: str, charges: Charges | None = None, left: Departures | None = None
) -> Timeline:
    """Everything about an id; empty where the journal does not name it. Raises JournalError."""
    found = _read(fetch([about], 0))
    own = [
        one.event.order
        for one in found
        if isinstance(one.event, e.OrderAccepted) and one.event.venue_order_id == about
    ]
    if own and own[0] != about:  # the venue's name of an order: ours says more
        about = own[0]
        found = _read(fetch([about], 0))
    if not found:
        return Timeline((), (), frozenset(), cut=False)
    start = found[0].stored.seq
    names, cut = _family(fetch, found, about, max(start - 500, 0))
    everything = found if names == {about} else _read(fetch(sorted(names), max(start - 500, 0)))
    kept = _concerned(everything, about)
    cut = cut or len(kept) > MOST
    kept = kept[-MOST:]
    teller = Teller(charges, left or {})
    for one in everything:  # also those that are not told: they say what an order is
        if isinstance(one.event, e.OrderSubmitted):
            teller.orders[one.event.order.client_order_id] = one.event.order
    told = [(one, teller.step(one.stored.seq, one.event)) for one in kept]
    steps = [step for _, step in told if step is not None]
    stored = tuple(one.stored for one, step in told if step is not None)
    return Timeline(spaced(steps), stored, frozenset(names), cut)


def spaced(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, each with the time since the one before."""
    found: list[Step] = []
    for step in steps:
        before = found[-1].at if found else step.at
        found.append(replace(step, since=max(step.at - before, 0)))
    return tuple(found)


def _read(stored: Iterable[StoredEvent]) -> list[Read]:
    found = []
    for one in stored:
        try:
            found.append(Read(one, codec.decode(one.body)))
        except (codec.BodyError, msgspec.MsgspecError) as error:
            raise JournalError(f"event {one.seq}: {error}") from error
    return found


def _family(fetch: Fetch, found: Sequence[Read], about: str, after: int) -> tuple[set[str], bool]:
    """The id and what belongs to it: of an order its position, of a position its orders, of an
    intent what it opened or spoke of; and whether there are more orders than are looked for.
    """
    positions = {name for one in found for name in _positions(one.event, about)}
    names = {about, *positions}
    orders: list[str] = []
    for one in _read(fetch(sorted(positions), after)) if positions else found:
        event = one.event
        if isinstance(event, e.OrderSubmitted | e.OrderRecovered) and (
            event.order.position in positions or event.order.client_order_id == about
        ):
            orders.append(event.order.client_order_id)
        elif isinstance(event, e.PositionPlanned) and event.position.id in positions:
            names.add(event.plan.intent)
    orders = list(dict.fromkeys(orders))
    own = {about} & set(orders)
    return names | own | set(orders[-SPANS:]), len(orders) > SPANS


def _positions(event: e.AnyEvent, about: str) -> Iterable[str]:
    """The positions that an event which names the id ties it to."""
    match event:
        case e.PositionPlanned(position=position, plan=plan):
            if about in (position.id, plan.intent):
                yield position.id
        case e.OrderSubmitted(order=order) | e.OrderRecovered(order=order):
            if about in (order.client_order_id, order.position):
                yield order.position
        case e.IntentTaken(intent=intent):
            name = getattr(intent, "position", "")
            if name and about in (name, intent.id):
                yield name
        case _:
            name = getattr(event, "position", "")
            if isinstance(name, str) and name == about:
                yield name


def _concerned(everything: Sequence[Read], about: str) -> list[Read]:
    """Of all events of the family those that the id's timeline has."""
    order, opened, asked = None, False, None
    for one in everything:
        event = one.event
        if isinstance(event, e.OrderSubmitted | e.OrderRecovered):
            if about == event.order.client_order_id:
                order = event.order
        elif isinstance(event, e.IntentTaken) and event.intent.id == about:
            opened, asked = isinstance(event.intent, i.OpenBracket), one
    if order is not None:
        return _of_order(everything, order)
    if asked is not None and not opened:
        return _following(everything, asked)
    return list(everything)


def _of_order(everything: Sequence[Read], order: Order) -> list[Read]:
    """What names the order, what was decided together with it, and of a stop its history."""
    name = msgspec.json.encode(order.client_order_id)
    own = {one.stored.seq for one in everything if name in one.stored.body}
    together = {one.stored.batch for one in everything if one.stored.seq in own}
    others = {
        one.event.order.client_order_id
        for one in everything
        if isinstance(one.event, e.OrderSubmitted)
    } - {order.client_order_id}

    def belongs(one: Read) -> bool:
        if one.stored.seq in own:
            return True
        if order.role is Role.STOP and isinstance(one.event, HISTORY):
            return True
        return one.stored.batch in together and not any(
            msgspec.json.encode(other) in one.stored.body for other in others
        )

    return [one for one in everything if belongs(one)]


def _following(everything: Sequence[Read], asked: Read) -> list[Read]:
    """What came of an intent, until somebody asked again."""
    found: list[Read] = []
    for one in everything:
        if one.stored.batch < asked.stored.batch:
            continue
        if isinstance(one.event, e.IntentTaken) and one.stored.batch > asked.stored.batch:
            break
        found.append(one)
    return found


def standing(state: State, names: frozenset[str], now: int) -> list[Step]:
    """What is so now, of the orders and positions of a family that are open."""
    found = []
    for name in sorted(names):
        order, position = state.orders.get(name), state.positions.get(name)
        if order is not None:
            doubt = state.doubts.get(name)
            word = "UNKNOWN" if doubt is not None else state_word(order)
            filled = f", {grouped(order.filled)} filled" if order.filled else ""
            where = at_price(order.price, order.trigger)
            text = f"{order_name(order, name)}{where}: {word}{filled}"
            tone = "bad" if doubt is not None else "plain"
            found.append(Step(now, "now", text, about=name, tone=tone))
        if position is not None and position.size:
            word = position.protection.value
            word = "LOCAL" if word == "guarded" else word.upper()
            text = f"{position.side.value} {grouped(position.size)} {position.symbol}: {word}"
            found.append(Step(now, "now", text, about=name))
    return found
