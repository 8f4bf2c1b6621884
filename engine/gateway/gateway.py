"""The gateway: requests come in as data, leave in order of their lane when the venue's limits
allow, and come back as reports.

Requests about the same order leave one after the other. A request that provably never left is tried
again; one whose outcome is unknown is never repeated here: it is reported as such, and the desk
asks. Entries and questions never take the last tokens: the reserve is what flattening everything
that is open would cost now.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from random import Random
from typing import Any

from engine.clock import SECOND, Clock
from engine.gate import Admitted, Gate, Reason
from engine.gateway.breaker import Breaker
from engine.gateway.departures import Departures, outcome_of
from engine.gateway.held import PICTURES, Held
from engine.gateway.listener import Listener
from engine.gateway.queue import Queue, Waiting, patience
from engine.gateway.rules import GatewayRules
from engine.gateway.tokens import Tokens
from engine.model import limits
from engine.model.codes import AlertCode
from engine.model.report import AmendRejected, Cancelled, Rejected, Unanswered, Unknown
from engine.model.request import (
    SPENDS_RESERVE,
    Amend,
    Cancel,
    Lane,
    Query,
    QueryAccount,
    Request,
    Submit,
    subject,
)
from engine.venues.protocol import (
    MAY_LEAVE,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    Venue,
)

Spawn = Callable[[str, Coroutine[Any, Any, None]], object]
"""Start a task that the engine owns."""


class Gateway(Tokens):
    """The queue, the limits and the line."""

    def __init__(
        self,
        venue: Venue,
        rules: GatewayRules,
        clock: Clock,
        random: Random,
        spawn: Spawn,
        listener: Listener,
        reserve: Callable[[], Mapping[str, float]],
        at_most: Callable[[], float],
        gate: Gate,
    ) -> None:
        queue, model = Queue(), venue.profile.limit_model(rules.delay)
        super().__init__(model, queue, clock, reserve, at_most)
        self._venue = venue
        self._rules = rules
        self._random = random
        self._spawn = spawn
        self._listener = listener
        self._gate = gate
        self._held = Held(listener, clock)
        self._in_flight: dict[str, Request] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._silent = False
        """Whether the pen is lost: nothing leaves any more."""
        self.no_entries = ""
        """Why no entry leaves although the line is well; empty where they do."""
        self.breaker, self.departures = Breaker(rules.breaker), Departures()

    @property
    def lanes(self) -> dict[Lane, int]:
        """How many requests wait, per lane."""
        return self._queue.counts()

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is on the line."""
        return not self._queue and not self._in_flight

    def is_sent(self, name: str) -> bool:
        """Whether a request about this order is on the line now."""
        return name in self._in_flight

    def enqueue(self, requests: Iterable[Request]) -> None:
        """Take requests in, and send what may go."""
        if self._silent:
            return
        now = self._clock.now()
        for request in requests:
            self._take(request, now)
        self.pump()

    def _take(self, request: Request, now: int) -> None:
        if isinstance(request, Cancel):
            unsent = self._queue.unsent(request)
            if unsent is not None:  # it never left: nothing to cancel at the venue
                self._queue.remove(unsent)
                self._listener.report(
                    Cancelled(request.client_order_id, None, "cancelled before it left", now)
                )
                return
            for waiting in self._queue.superseded(request):
                self._queue.remove(waiting)
                self._listener.report(
                    AmendRejected(
                        request.client_order_id, "superseded by a cancel", now, withdrawn=True
                    )
                )
        if (
            isinstance(request, Query | QueryAccount)
            and (asked := self._queue.same(request)) is not None
        ):
            if asked.lane <= request.lane:
                return
            self._queue.remove(asked)  # it has become more urgent
        self._queue.add(request, now)

    def pump(self) -> None:
        """Send all that may go now; come back when the next one may."""
        if self._silent:
            return
        now = self._clock.now()
        for waiting in self._queue:
            self._drop(waiting, now)
        blocked: set[str] = set()
        again: int | None = None
        for waiting in self._queue:
            request = waiting.request
            if subject(request) in self._in_flight or (
                waiting.lane >= Lane.FOLLOW and len(self._in_flight) >= self._rules.in_flight
            ):
                continue  # the answer that frees it pumps again
            pause = waiting.not_before - now
            if pause <= 0:
                counters = {name for name, _ in self.model.charges(request, now)}
                pause = (
                    limits.wait(self.model, request, now, {})
                    if waiting.lane in SPENDS_RESERVE
                    else self._pause(request, now)
                )
                if pause <= 0 and blocked.isdisjoint(counters):
                    until = self._pass(waiting, now)
                    if until is not None:
                        again = until - now if again is None else min(again, until - now)
                    continue
                blocked |= counters  # nobody behind takes the tokens it waits for
                if pause <= 0:
                    continue  # whoever is in front comes back for both
            pause = max(pause, SECOND // 1000)
            again = pause if again is None else min(again, pause)
        # no later than a deadline passes: what has lost its point is told then, not with tokens
        times = (None if again is None else now + again, self._queue.first_end(now))
        self._come_back(min((at for at in times if at is not None), default=None))

    def _come_back(self, at: int | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            self._timer = self._clock.call_at(at, self.pump)

    def _drop(self, waiting: Waiting, now: int) -> None:
        """Take out a request that has lost its point while it waited: too late, or an entry while
        the line fails.

        The report may lead to other requests at once, and they come back here: nothing is walked
        meanwhile that they could change.
        """
        request = waiting.request
        if not isinstance(request, Submit) or waiting not in self._queue:
            return
        order, why = request.order, ""
        if order.deadline is not None and now > order.deadline:
            why = "its deadline passed before it could leave"
        elif self.breaker.is_open and waiting.lane is Lane.ENTRY:
            why = f"the breaker is open: {self.breaker.text}"
        elif self.no_entries and waiting.lane is Lane.ENTRY:
            why = f"not sent: {self.no_entries}"
        # that the gate held it is no refusal of the venue's
        if why and waiting.held_since is not None:
            self._queue.remove(waiting)
            self._held.tell(
                request, Reason.EVIDENCE.value, f"{why}: it waited for evidence", final=True
            )
        elif why:
            self._queue.remove(waiting)
            self._listener.report(Rejected(order.client_order_id, why, now))

    def _pass(self, waiting: Waiting, now: int) -> int | None:
        """Send what the gate admits; when to come back for what it holds back."""
        verdict = self._gate.admit(waiting.request, now, waiting.held_since)
        if isinstance(verdict, Admitted):
            self._let_through(waiting, now, on_our_books=verdict.on_our_books)
            return None
        if waiting.held_since is None and verdict.reason in (
            Reason.SIZE,
            Reason.EVIDENCE,
            Reason.PROTECTION,
        ):
            waiting.held_since = now
        if verdict.until is None:
            self._queue.remove(waiting)
            self._held.tell(
                waiting.request,
                verdict.reason.value,
                verdict.text,
                final=True,
                proved=verdict.proved,
            )
        else:
            waiting.not_before = verdict.until
            if (
                waiting.held_since is not None
                and now - waiting.held_since >= SECOND
                and not waiting.told
            ):
                waiting.told = True
                self._held.tell(waiting.request, verdict.reason.value, verdict.text, final=False)
        # the last: what listens comes back here, and then this request may be gone
        if verdict.picture:
            self._held.ask_picture(
                now, PICTURES if verdict.reason is Reason.EVIDENCE else 4 * PICTURES
            )
        return None if verdict.until is None else max(verdict.until, now + SECOND // 1000)

    def _let_through(self, waiting: Waiting, now: int, *, on_our_books: bool) -> None:
        if waiting.held_since is not None:
            self._held.let_through()
        self._send(waiting, now)  # before anything is told: what listens comes back here
        if on_our_books:
            self._held.tell(
                waiting.request,
                "books",
                "sent on our books: the venue told nothing",
                final=False,
            )
        elif waiting.told:
            self._held.tell(waiting.request, "", "", final=False)

    def _send(self, waiting: Waiting, now: int) -> None:
        request = waiting.request
        self._gate.leaves(request, now)
        self._queue.remove(waiting)
        self._in_flight[subject(request)] = request
        limits.spend(self.model, request, now)
        self._count(request, now)
        self.departures.add(request, now)
        self._spawn(f"{type(request).__name__} {subject(request)}", self._leave(waiting))

    async def _leave(self, waiting: Waiting) -> None:
        """What the gate admitted, in a later step of the loop: it leaves if it still may, else it
        waits again.
        """

        def may() -> bool:
            return self._gate.still_stands(waiting.request, self._clock.now())

        MAY_LEAVE.set(may)  # this task carries nothing else
        if may():
            await self._carry(waiting)
            return
        self._land(waiting.request, "unsent")
        self._try_again(waiting)
        self.pump()

    async def _carry(self, waiting: Waiting) -> None:
        """One request on the line, from leaving to its outcome."""
        request = waiting.request
        try:
            async with asyncio.timeout(self._clock.seconds(patience(self._rules, waiting))):
                reports = await self._venue.send(request)
        except (OutcomeUnknownError, TimeoutError) as error:
            self._land(request, "unknown")
            self._unknown(waiting, str(error) or "no answer in time")
        except NotSentError as error:
            self._land(request, "unsent")
            self._failed(str(error))
            self._try_again(waiting)
        except RateLimitedError as error:
            self._land(request, "limited")
            self._refused_for_limits(request)
            self._listener.rate_limited(str(error))
            self._try_again(waiting)
        except RefusedError as error:  # of a question: an order's refusal is a report
            self._land(request, "refused")
            self._failed(str(error))
            self._unanswered(waiting, str(error))
        except Exception as error:
            # the venue's own code failed: whether it acted must be asked, and the task's death is
            # told
            self._land(request, "failed")
            self._unknown(waiting, f"{type(error).__name__}: {error}")
            self.pump()
            raise
        else:
            self._land(request, outcome_of(reports))
            if self.breaker.succeeded():
                self._listener.trouble(AlertCode.BREAKER, "")
            for report in reports:
                self._listener.report(report)
            if self._limits_are_over(request):
                self._listener.rate_limited("")
        self.pump()

    def _land(self, request: Request, outcome: str) -> None:
        self._in_flight.pop(subject(request), None)
        self.departures.landed(request, outcome, self._clock.now())

    def _failed(self, text: str) -> None:
        if self.breaker.failed(text):
            self._listener.trouble(AlertCode.BREAKER, self.breaker.text)

    def _unknown(self, waiting: Waiting, text: str) -> None:
        """Never repeated: whether the venue acted must be asked. A question may be repeated, by
        whoever asked it.
        """
        request, now = waiting.request, self._clock.now()
        self._failed(text)
        match request:
            case Submit(order=order):
                self.statistics.unknown += 1
                self._listener.report(Unknown(order.client_order_id, "submit", text, now))
            case Amend() | Cancel():
                self.statistics.unknown += 1
                kind = "amend" if isinstance(request, Amend) else "cancel"
                self._listener.report(Unknown(request.client_order_id, kind, text, now))
            case Query() | QueryAccount():
                self._unanswered(waiting, text)

    def _unanswered(self, waiting: Waiting, text: str) -> None:
        """A question is asked again: about an order by whoever asked, about the account
        from here.
        """
        match waiting.request:
            case Query(client_order_id=name):
                self._listener.report(Unanswered(name, text, self._clock.now()))
            case QueryAccount():
                self._try_again(waiting)
                self._listener.unanswered(text)
            case request:
                self._listener.report(
                    Unknown(
                        subject(request), type(request).__name__.lower(), text, self._clock.now()
                    )
                )

    def _try_again(self, waiting: Waiting) -> None:
        """It did not arrive, or it was a question. Exponential backoff with jitter."""
        self._gate.returns(waiting.request)
        if self._silent:
            return
        rules = self._rules
        longest = (
            min(rules.backoff_exits, rules.backoff_max)
            if waiting.lane in SPENDS_RESERVE
            else rules.backoff_max
        )
        pause = min(rules.backoff * 2 ** min(waiting.attempts, 16), longest)
        pause *= 1 - rules.jitter * self._random.random()
        waiting.attempts += 1
        waiting.not_before = self._clock.now() + int(pause * SECOND)
        self.statistics.retried += 1
        self._queue.put_back(waiting)

    def fall_silent(self) -> tuple[Request, ...]:
        """Send nothing more, whatever comes; returns what has not left, and never will."""
        self._silent = True
        self._come_back(None)
        unsent = tuple(waiting.request for waiting in self._queue)
        for waiting in self._queue:
            self._queue.remove(waiting)
        return unsent

    def close(self) -> None:
        """Send nothing more."""
        self._silent = True
        self._come_back(None)
