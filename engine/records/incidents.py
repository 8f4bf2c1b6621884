"""What a journal tells of a stretch of time, gathered in one pass over its events: the steps of its
timeline, each position's prices, stop and fills, what was without protection, the equity.

The journal keeps no stream of prices: `prices` says what it knows of them.
"""

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal

from msgspec.structs import replace

from engine.desk import State
from engine.desk import events as e
from engine.desk.evolve import evolve
from engine.journal import StoredEvent
from engine.model.codes import BlockCode
from engine.model.figures import ended, multiple, one_r
from engine.model.fill import Fill
from engine.model.incident import BARE, UNWATCHED, Cover, Incident, Track
from engine.model.money import ZERO
from engine.model.position import Position, Protection
from engine.model.timeline import Step
from engine.records.prices import prices_of
from engine.records.replays import event_of
from engine.records.steps import Charges, Teller
from engine.records.thinning import Points
from engine.records.timelines import spaced

GRAVE = frozenset({"refused", "alert", "doubt", "fill", "protection", "closing", "end"})
"""Kinds of steps that a report keeps longest."""
MOST_GRAVE, MOST_STEPS = 1_200, 800
"""Steps of one report: so many grave ones, and so many others; the newest are kept."""
MOST_POINTS = 400
MOST_COVERS = 500
MOST_STOPS = 400
MOST_FILLS = 200
"""Of each position's, the newest are kept."""
MOST_TRACKS = 12
"""Positions of one report: those that were without protection first, then the newest."""


class _Tracked:
    """One position while the events go by."""

    def __init__(self, since: int) -> None:
        self.since = since
        self.prices = Points(MOST_POINTS)
        self.stops: deque[tuple[int, Decimal | None]] = deque(maxlen=MOST_STOPS)
        self.fills: deque[Fill] = deque(maxlen=MOST_FILLS)


class Gathering:
    """Takes events one by one; `told` is what they came to."""

    def __init__(
        self, state: State, since: int, wanted: Callable[[str], bool], charges: Charges | None
    ) -> None:
        """`state` is what stood before the first event, and is changed. `wanted` says of which
        positions (all of them for a day).
        """
        self.state = state
        self._since = since
        self._wanted = wanted
        self._teller = Teller(charges, {})
        self._teller.orders.update(state.ended)
        self._teller.orders.update(state.orders)
        self._steps: tuple[deque[Step], deque[Step]] = (
            deque(maxlen=MOST_GRAVE),
            deque(maxlen=MOST_STEPS),
        )
        self._counts: dict[str, int] = {}
        self._tracks: dict[str, _Tracked] = {}
        self._covers: deque[Cover] = deque(maxlen=MOST_COVERS)
        self._bare: dict[str, int] = {}
        self._covered: dict[str, tuple[str, int]] = {}
        self._equity = Points(MOST_POINTS)
        self._gaps: deque[tuple[int, int]] = deque(maxlen=MOST_COVERS)
        self._at = self._before = since
        self._first = 0
        self._results: dict[str, Decimal] = {}
        self._profits = {
            p.id: self._profit(p)
            for p in (*state.positions.values(), *state.closed.values())
            if wanted(p.id)
        }
        """What each position had realised when it was last looked at."""
        for p in state.positions.values():
            self._look(p, since)

    def take(self, stored: StoredEvent, *, told: bool) -> None:
        """One event; `told` says whether it is a step of what is reported."""
        event = event_of(stored)
        self._first = self._first or stored.seq
        if event.at > self._at:
            self._before, self._at = self._at, event.at
        if isinstance(event, e.NumbersSkipped) or (
            isinstance(event, e.EntriesBlocked) and event.code == BlockCode.STARTING
        ):
            self._began_again(self._before, event.at)
        if told and (step := self._teller.step(stored.seq, event)) is not None:
            self._counts[step.kind] = self._counts.get(step.kind, 0) + 1
            self._steps[step.kind not in GRAVE].append(step)
        elif not told and isinstance(event, e.OrderSubmitted):
            self._teller.orders[event.order.client_order_id] = event.order
        self._note(event)
        touched = evolve(self.state, event)
        if touched:
            p = self.state.positions.get(touched) or self.state.closed.get(touched)
            if p is not None:
                self._look(p, event.at)

    def _began_again(self, before: int, at: int) -> None:
        """An engine begins: what the last one watched was watched by nobody since its last event.
        What the new one said first of it stands before this, at the same time.
        """
        if at != self._at or at <= before or (self._gaps and self._gaps[-1][1] == at):
            return
        self._gaps.append((before, at))
        for name, (word, since) in list(self._covered.items()):
            if word == Protection.GUARDED.value and since < at:
                self._end_cover(name, at)
                self._covered[name] = (word, at)
        for cover in list(self._covers):
            if cover.until == at and cover.word == Protection.GUARDED.value:
                self._covers.remove(cover)
                if before > cover.since:
                    self._keep(replace(cover, until=before))
                self._keep(replace(cover, word=UNWATCHED, since=max(before, cover.since)))

    def _note(self, event: e.AnyEvent) -> None:
        """What charts are made of; the state is that before the event."""
        for name, _, price in prices_of(self.state, event):
            if self._wanted(name):
                self._track(name, event.at).prices.add((event.at, price))
        match event:
            case e.OrderFilled(fill=fill) | e.PositionLiquidated(fill=fill):
                if self._wanted(fill.position):
                    self._track(fill.position, fill.at).fills.append(fill)
            case e.Sampled(equity=equity):
                self._equity.add((event.at, equity))

    def _track(self, name: str, at: int) -> _Tracked:
        found = self._tracks.get(name)
        if found is None:
            found = self._tracks[name] = _Tracked(at)
        return found

    def _look(self, p: Position, at: int) -> None:
        """A position after an event that touched it."""
        if not self._wanted(p.id):
            return
        self._realise(p)
        track = self._track(p.id, at)
        if not track.stops or track.stops[-1][1] != p.stop:
            track.stops.append((at, p.stop))
        bound = p.is_open and not p.dust
        word = p.protection.value if bound else ""
        known = self._covered.get(p.id)
        if known is not None and known[0] == word:
            return
        self._end_cover(p.id, at)
        if word:
            self._covered[p.id] = (word, at)

    def _profit(self, p: Position) -> Decimal:
        return p.realised_profit(self.state.instruments[p.symbol])

    def _realise(self, p: Position) -> None:
        """Count what an event made it win or lose."""
        profit, known = self._profit(p), self._profits.get(p.id, ZERO)
        if profit != known:
            self._results[p.settle] = self._results.get(p.settle, ZERO) + profit - known
        self._profits[p.id] = profit

    def _end_cover(self, name: str, at: int) -> None:
        known = self._covered.pop(name, None)
        if known is not None and at > known[1]:
            self._keep(Cover(name, known[0], known[1], at))

    def _keep(self, cover: Cover) -> None:
        self._covers.append(cover)
        if cover.word in BARE:
            lasted = cover.until - cover.since
            self._bare[cover.position] = self._bare.get(cover.position, 0) + lasted

    def told(self, about: str, until: int) -> Incident:
        """What the events came to."""
        for name in list(self._covered):
            self._end_cover(name, until)
        steps = sorted((*self._steps[0], *self._steps[1]), key=lambda step: step.seq)
        names = sorted(self._tracks, key=lambda name: (name not in self._bare, -self._began(name)))
        kept = sorted(names[:MOST_TRACKS], key=self._began)
        tracks = [self._told_track(name, until) for name in kept]
        total = sum(self._counts.values())
        return Incident(
            self.state.account,
            self.state.currency,
            about,
            self._since,
            until,
            self._first,
            self.state.seq,
            spaced(steps),
            self._counts,
            total - len(steps),
            tuple(track for track in tracks if track is not None),
            max(len(names) - MOST_TRACKS, 0),
            self._results,
            tuple(self._covers),
            self._bare,
            self._equity.all(),
            tuple(self._gaps),
        )

    def _began(self, name: str) -> int:
        return self._tracks[name].since

    def _told_track(self, name: str, until: int) -> Track | None:
        p, track = self.state.positions.get(name) or self.state.closed.get(name), self._tracks[name]
        if p is None:
            return None
        instrument, money = self.state.instruments[p.symbol], self.state.money_of(name)
        return Track(
            p.id,
            p.symbol,
            p.side,
            p.label,
            p.settle,
            track.since,
            p.closed_at or until,
            instrument.round_price(p.entry_price(instrument)) if p.entry_size else None,
            p.entry_size,
            p.size,
            p.realised_profit(instrument),
            multiple(ended(p, money, instrument), one_r(p, money, instrument)),
            p.close_reason if p.closed_at else "",
            track.prices.all(),
            tuple(track.stops),
            tuple(track.fills),
        )


def gather(
    state: State,
    events: Iterable[StoredEvent],
    *,
    about: str,
    since: int,
    until: int,
    told: Callable[[StoredEvent], bool],
    wanted: Callable[[str], bool],
    charges: Charges | None = None,
) -> Incident:
    """The incident of stored events: `state` is what stood before them, and is changed. Raises
    JournalError for an event that can't be read.
    """
    gathering = Gathering(state, since, wanted, charges)
    for stored in events:
        gathering.take(stored, told=told(stored))
    return gathering.told(about, until)
