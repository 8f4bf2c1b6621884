"""What comes from outside: reports and prices of the venue, and what the gateway has to tell."""

from collections.abc import Callable

from engine.clock import Clock
from engine.desk import (
    Board,
    Crossed,
    Message,
    RateLimited,
    State,
    Trouble,
    Views,
    asks_for_margin,
    doubts,
    is_repeat,
)
from engine.gate import Gate
from engine.gateway import Gateway
from engine.model.codes import AlertCode, BlockCode
from engine.model.quote import Quote
from engine.model.report import Charged, KeyShared, Noticed, OrderReport, Picture, VenueReport
from engine.model.request import Lane, QueryAccount
from engine.runtime.history import History
from engine.runtime.markets import Markets
from engine.runtime.marks import Marks
from engine.runtime.teller import Teller


class Hearing:
    """Turns what is heard into messages of the desk. The gate hears every report first."""

    def __init__(
        self,
        venue: str,
        state: State,
        views: Views,
        gate: Gate,
        board: Board,
        history: History,
        markets: Markets,
        marks: Marks,
        teller: Teller,
        clock: Clock,
        post: Callable[[Message], None],
        hear: Callable[[OrderReport], None],
    ) -> None:
        """`venue` is its name, for people; `hear` takes what is decided with all else that is heard
        in the same turn of the loop.
        """
        self.gateway: Gateway
        """Set right after this: each of the two tells the other."""
        self._venue = venue
        self.bad_quotes: dict[str, int] = {}
        """How many prices of a symbol made no sense."""
        self._state = state
        self._views = views
        self._gate = gate
        self._board = board
        self._history = history
        self._markets = markets
        self._marks = marks
        self._teller = teller
        self._clock = clock
        self._post = post
        self._hear = hear
        self._closed = False

    def close(self) -> None:
        """Tell the desk of no report any more; the gate goes on hearing."""
        self._closed = True

    def report(self, report: VenueReport) -> None:
        """What the venue said."""
        if isinstance(report, Charged):
            self.gateway.charge(report.counter, report.cost)
            return
        if isinstance(report, KeyShared | Noticed):
            if not self._closed:
                self._post(
                    Trouble(
                        report.code,
                        report.subject or self._state.account,
                        report.text,
                        blocks=False,
                    )
                )
            return
        self._gate.hear(report, self._clock.now())
        if isinstance(report, Picture):
            report = self._marks.as_old_as_the_mark(report)
        if self._closed or is_repeat(self._state, report):
            return
        if isinstance(report, OrderReport):
            self._markets.hear(report)
            self._hear(report)
        else:
            self._post(report)

    def quote(self, quote: Quote) -> None:
        """A price: the board keeps it; only what it crosses becomes a message. One that can't be a
        price moves nothing.
        """
        if not quote.is_sane:
            self.bad_quotes[quote.symbol] = self.bad_quotes.get(quote.symbol, 0) + 1
            if self.bad_quotes[quote.symbol] == 1:
                self._teller.complain(
                    f"a price of {quote.symbol} makes no sense and is ignored: {quote.bid} /"
                    f" {quote.ask}"
                )
            return
        crossed = self._board.on_quote(quote)
        if crossed:
            self._post(Crossed(quote.symbol, tuple(crossed)))
        self._history.quote(quote)

    def task_died(self, name: str, error: BaseException) -> None:
        """A task of the engine ended by an exception."""
        text = f"{type(error).__name__}: {error}"
        if self._closed:
            self._teller.complain(f"a task died: {name}: {text}")
        else:
            self._post(Trouble(AlertCode.TASK_DIED, name, text, blocks=True))

    # The gateway

    def trouble(self, code: str, text: str) -> None:
        """The line is in trouble, or out of it where there is no text."""
        self._post(Trouble(code, "venue", text, blocks=True))

    def rate_limited(self, text: str) -> None:
        """The venue's limits are used up, or (no text) no longer."""
        self._post(RateLimited(text))

    def unanswered(self, text: str) -> None:
        """While the account recovers, its state is what everything waits for."""
        if BlockCode.STARTING in self._state.blocks:
            told = (
                f"recovering: waiting for the account's state at {self._venue}: {text}; asked again"
            )
            self._teller.say("said", "busy", told, line="recovering")

    def ask_picture(self) -> None:
        """The gate waits for the venue's word: it is asked as urgently as what waits."""
        since = doubts.since(self._views.context(self._clock.now()))
        self.gateway.enqueue((QueryAccount(since, Lane.EMERGENCY, asks_for_margin(self._state)),))
