"""An engine that is still opening: which step it is at, for whoever asks its socket before it can
answer anything else.

The socket is bound right after the lock is taken. Without it the last exit would find a lock and
nobody who answers, and end an engine that needs two seconds more.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from engine.model.codes import BlockCode
from engine.model.view import AccountView, Reason, View

STEPS = ("market and venue", "journal", "desk", "recovery", "prices")
"""What an opening does, in order."""
ZERO = Decimal(0)
Stepped = Callable[[int, int, str], None]
"""Is told the number of a step, how many there are, and what it is."""


class Starting(Struct, frozen=True):
    """The answer to a question that only an open engine can answer. Nothing was taken: ask
    again.
    """

    starting: int
    """The step, from 1."""
    of: int
    text: str
    """What the step is, and what it waits for."""
    error: str
    """The same as a sentence, for a client that does not know of steps."""


class Opening:
    """How far one opening is."""

    def __init__(self, account: str, venue: str, currency: str, now: int, *, live: bool) -> None:
        self.account = account
        self.venue = venue
        self._currency = currency
        self.live = live
        self._since = now
        self._step = 1
        self._waits = ""
        self.stepped: Stepped = lambda step, of, name: None
        """Hears of each step that begins."""

    def reaches(self, name: str) -> None:
        """The next step begins; one of `STEPS`."""
        self._step, self._waits = STEPS.index(name) + 1, ""
        self.stepped(self._step, len(STEPS), name)

    def waits(self, question: str, why: str) -> None:
        """The step waits for an answer; no `why` where it was just asked."""
        self._waits = f"{question}: {why}" if why else ""

    @property
    def told(self) -> Starting:
        """For a question that nobody can answer yet."""
        name = STEPS[self._step - 1]
        text = f"{name} ({self._waits})" if self._waits else name
        return Starting(
            self._step,
            len(STEPS),
            text,
            f"the engine is starting, step {self._step} of {len(STEPS)}: {text}",
        )

    def view(self, now: int) -> View:
        """The view of an account of which this process knows nothing yet; the reason says so. `now`
        is nanoseconds.
        """
        return View(
            at=now,
            account=self._nothing_known(),
            mode="REDUCING",
            reasons=(
                Reason(
                    BlockCode.STARTING,
                    f"{self.told.error}; positions and orders are not known yet",
                    self._since,
                    "by itself",
                ),
            ),
            positions=(),
            orders=(),
            alerts=(),
            closed=(),
            limits=(),
            lanes=(),
            breaker="closed",
            feeds=(),
            lag=0,
            connected=False,
            journal_failing="",
            flatten=None,
            notices=(),
            progress=None,
        )

    def _nothing_known(self) -> AccountView:
        return AccountView(
            name=self.account,
            venue=self.venue,
            live=self.live,
            currency=self._currency,
            equity=None,
            unpriced=(),
            cash={},
            day=None,
            realised=ZERO,
            unrealised=ZERO,
            fees=ZERO,
            financing=ZERO,
            drawdown=ZERO,
            at_stops=None,
            unbounded=False,
            open_risk=ZERO,
            risk_limit=None,
            loss_limit=None,
            loss_limit_left=None,
            margin=None,
            naked=0,
        )
