"""The session of a replay: views of the past, and no answer but a refusal."""

import os

import msgspec

from engine.inspection.rewinding import Rewind
from engine.journal import JournalError
from engine.model.codes import RefusalCode
from engine.model.intent import AnyIntent
from engine.model.refusal import Refusal
from engine.model.view import Answer, View
from engine.session import Query, QueryError, Told, Welcome
from engine.session import messages as m

HOLDER = "the past"
"""Who has the account of a replay, for a refusal."""
Row = dict[str, str | int | float | bool | None]


class ReplaySession:
    """A console's session with a journal."""

    def __init__(self, rewind: Rewind) -> None:
        self.rewind = rewind
        self._told = rewind.view().account

    @property
    def read_only(self) -> bool:
        """Always."""
        return True

    def view(self) -> View:
        """The moment that is looked at."""
        return msgspec.structs.replace(self.rewind.view(), holder=HOLDER)

    async def ask(self, intent: AnyIntent) -> Answer:
        """Refused: what happened has happened."""
        return Answer(intent.id, (Refusal(RefusalCode.READ_ONLY, HOLDER),))

    def hello(self) -> Welcome:
        """This process, which sends nothing."""
        told = self._told
        return Welcome(m.MAJOR, m.MINOR, told.name, told.venue, told.live, True, os.getpid())

    async def query(self, query: Query) -> Told:
        """What the journal knows of that moment. Raises QueryError for what it does not keep."""
        try:
            return self._answer(query)
        except (JournalError, ValueError) as error:
            raise QueryError(str(error)) from error

    def _answer(self, query: Query) -> Told:
        match query:
            case m.Timeline(about=about):
                found = self.rewind.timeline(about)
                moments = tuple(
                    m.Moment(one.seq, one.at, one.kind, one.body.decode()) for one in found.stored
                )
                return m.TimelineTold(moments, not found.cut, found.steps)
            case m.Candles(symbol=symbol, interval=interval, count=count):
                return m.CandlesTold(self.rewind.candles(symbol, interval, count))
            case m.Past():
                return m.PastTold(*self.rewind.course(query.symbol, query.since))
            case m.Equity(count=count):
                return m.EquityTold(self.rewind.equity(max(1, min(count, m.MOST_SAMPLES))))
            case m.Missed():
                return m.MissedTold((), 0)
            case _:
                raise QueryError("this is a replay: the journal keeps nothing of that")

    def silent_for(self) -> float:
        """Never: it is this process."""
        return 0.0

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Nothing: a replay's own trouble is no event of the account."""

    async def take(self) -> str:
        """Nobody trades in what has happened."""
        return HOLDER

    async def end(self, *, alone: bool = False) -> str:
        """There is no engine."""
        return HOLDER

    async def close(self) -> None:
        """Let go of the journal."""
        self.rewind.close()
