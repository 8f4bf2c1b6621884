"""What no view holds, answered by an engine of this process. Nothing here changes the account."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from engine.journal import Journal, JournalError
from engine.journal.export import flat
from engine.journal.latest import Row, caught_up, latest
from engine.model.position import Position
from engine.model.view import View
from engine.model.view.outlets import Tried
from engine.records import courses, timelines
from engine.records.steps import Departures
from engine.runtime import Engine
from engine.runtime.heard import Heard, HeardError
from engine.session import messages as m
from engine.session.deltas import Frames
from engine.session.depths import depth

LOOKED_THROUGH = 20_000
"""Events of one timeline that are read at most, the newest: more would hold up whoever reads prices
beside it.
"""

Q = TypeVar("Q")
T = TypeVar("T")


class Queries:
    """Answers for one session."""

    def __init__(
        self,
        engine: Engine,
        view: Callable[[], View],
        test: Callable[[], Awaitable[tuple[Tried, ...]]] | None = None,
        heard: Heard | None = None,
    ) -> None:
        """`view` is the session's: it may say more than the engine's. `test` tries the outlets,
        `heard` adds and drops symbols.
        """
        self._test, self._heard = test, heard
        self._engine = engine
        self._view = view
        self._frames = Frames()

    async def answer(self, query: m.Query) -> m.Told:
        """Answer a query. What the journal is asked is read in a thread, as far as it is durable.
        Raises QueryError.
        """
        if isinstance(query, m.Watch):
            return self._frames.tell(self._view(), query.after)
        if isinstance(query, m.TryOutlets):
            return m.OutletsTried(() if self._test is None else await self._test())
        if isinstance(query, m.Hear):
            return await self._hear(query)
        return await _answer(query, self._engine)

    async def _hear(self, query: m.Hear) -> m.HearTold:
        heard = self._heard
        if heard is None or self._view().holder:
            raise m.QueryError("somebody else holds the account")
        try:
            text = await (heard.add if query.do == "add" else heard.drop)(query.symbol)
        except HeardError as error:
            raise m.QueryError(str(error)) from error
        return m.HearTold(text, heard.symbols)


async def _answer(query: m.Query, engine: Engine) -> m.Told:
    match query:
        case m.Try(intent=intent):
            return engine.preview(intent)
        case m.Rows():
            state = engine.state
            held = [
                (one, state.instruments[one.symbol], state.money_of(one.id))
                for one in state.positions.values()
            ]
            newest = latest(query.table, state.orders.values(), held)
            return await _read(partial(_rows, engine.journal, newest), query)
        case m.Timeline(about=about):
            left = engine.gateway.departures.by_order()
            told, names = await _read(partial(_timeline, engine, left), about)
            standing = timelines.standing(engine.state, names, engine.clock.now())
            return replace(told, steps=timelines.spaced((*told.steps, *standing)))
        case m.Counters():
            return _counters(engine)
        case m.Candles(symbol=symbol, interval=interval, count=count):
            try:
                found = engine.history.candles(symbol, interval, _bounded(count))
                return m.CandlesTold(found, engine.history.traded(symbol))
            except ValueError as error:
                raise m.QueryError(str(error)) from error
        case m.Past():
            open_now = tuple(one for one in engine.state.positions.values() if one.is_open)
            return await _read(partial(_past, engine.journal, open_now), query)
        case m.Equity(count=count):
            return m.EquityTold(engine.history.equity(max(1, min(count, m.MOST_SAMPLES))))
        case m.Depth():
            return depth(engine, query)
        case m.Missed(after=after):
            return _missed(engine, after)
        case m.Events():
            return await _events(engine, query)
    raise AssertionError("unreachable")


async def _read(read: Callable[[Q], T], what: Q) -> T:
    """Read the journal in a thread. Raises QueryError."""
    try:
        return await asyncio.to_thread(read, what)
    except JournalError as error:
        raise m.QueryError(str(error)) from error


def _past(journal: Journal, held: Sequence[Position], query: m.Past) -> m.PastTold:
    return m.PastTold(
        courses.executions(journal, query.symbol, query.since),
        courses.stops(journal, held, query.symbol),
    )


def _bounded(count: int) -> int:
    return max(1, min(count, m.MOST))


def _rows(journal: Journal, newest: Mapping[str, Row], query: m.Rows) -> m.Told:
    """Rows of a read model; those of what is open as the engine knows it, not as it last wrote."""

    def wanted(row: Row) -> bool:
        at, place = row["created_at"], row.get("position", row.get("id"))
        return (
            isinstance(at, int)
            and (query.since is None or query.since <= at)
            and (query.until is None or at < query.until)
            and query.symbol in (None, row["symbol"])
            and query.position in (None, place)
        )

    found = journal.rows(
        query.table,
        since=query.since,
        until=query.until,
        symbol=query.symbol,
        position=query.position,
        newest=_bounded(query.newest),
    )
    told = list(flat(caught_up(query.table, found, newest, wanted)))
    return m.RowsTold(
        msgspec.convert(
            told[-_bounded(query.newest) :], tuple[dict[str, str | int | float | bool | None], ...]
        )
    )


def _timeline(
    engine: Engine, left: Departures, about: str
) -> tuple[m.TimelineTold, frozenset[str]]:
    journal, charges = engine.journal, engine.gateway.model.charges
    found = timelines.timeline(
        lambda names, after: journal.about(names, after, LOOKED_THROUGH), about, charges, left
    )
    moments = tuple(m.Moment(one.seq, one.at, one.kind, one.body.decode()) for one in found.stored)
    return m.TimelineTold(moments, not found.cut, found.steps), found.names


def _counters(engine: Engine) -> m.CountersTold:
    sent = engine.gateway.statistics
    return m.CountersTold(
        events=engine.state.seq,
        submit=sent.submit,
        amend=sent.amend,
        cancel=sent.cancel,
        query=sent.query,
        retried=sent.retried,
        unknown=sent.unknown,
        rate_limited=sent.rate_limited_by_venue,
        tokens_low_water=sent.tokens_low_water,
    )


async def _events(engine: Engine, query: m.Events) -> m.EventsTold:
    wait = max(0.0, min(query.wait, m.MOST_WAIT))
    try:
        found = await engine.stream.after(query.after, _bounded(query.count), wait)
    except JournalError as error:
        raise m.QueryError(str(error)) from error
    return m.EventsTold(found.events, found.last)


def _missed(engine: Engine, after: int) -> m.MissedTold:
    kept = engine.notices
    first = kept[0].seq if kept else after + 1
    return m.MissedTold(tuple(one for one in kept if one.seq > after), max(0, first - 1 - after))
