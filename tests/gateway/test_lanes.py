"""The gateway against a line that a test can break: lanes, reserve, retries, the breaker, and one
request at a time per order.
"""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from random import Random
from typing import Any

from msgspec.structs import replace

from engine.clock import SECOND, Clock, run_virtual
from engine.gateway import Gateway, GatewayRules
from engine.gateway.listener import Listener
from engine.model import report as r
from engine.model.instrument import Instrument
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Request, Submit, subject
from engine.model.side import Side
from engine.venues.profiles import load_profile
from engine.venues.protocol import NotSentError, OutcomeUnknownError, RateLimitedError, RefusedError
from tests.support.gates import open_gate

START = 1_700_000_000 * SECOND


class BrokenLine:
    """The other side of the protocol: it answers, or fails as it is told."""

    name = "line"
    live = False

    def __init__(self, burst: str = "1000", per_second: str = "1000") -> None:
        options = {"burst": burst, "per_second": per_second}
        self.profile = replace(
            load_profile("binance-spot"), limits="token-bucket", limit_options=options
        )
        self.failures: list[Exception] = []
        self.carried: list[Request] = []
        self.wait = 0.0

    async def instruments(self) -> tuple[Instrument, ...]:
        return ()

    async def connect(
        self, on_report: Callable[[r.VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        return None

    async def close(self) -> None:
        return None

    async def send(self, request: Request) -> tuple[r.VenueReport, ...]:
        await asyncio.sleep(self.wait)
        if self.failures:
            raise self.failures.pop(0)
        self.carried.append(request)
        match request:
            case Submit(order=order):
                return (r.Accepted(order.client_order_id, "V", 0),)
            case _:
                return ()


class Story:
    """A gateway, its line, and what it told."""

    def __init__(self, line: BrokenLine, rules: GatewayRules | None = None) -> None:
        self.line = line
        self.clock = Clock(asyncio.get_running_loop(), START)
        self.reports: list[r.VenueReport] = []
        self.troubles: list[tuple[str, str]] = []
        self.limited: list[str] = []
        self.reserve = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        listener = Listener(
            self.reports.append,
            lambda code, text: self.troubles.append((code, text)),
            self.limited.append,
            lambda: None,
        )
        self.gateway = Gateway(
            line,
            rules or GatewayRules(),
            self.clock,
            Random(1),
            self.spawn,
            listener,
            lambda: {"requests": self.reserve},
            lambda: self.reserve,
            open_gate(),
        )

    def spawn(self, _: str, work: Coroutine[Any, Any, None]) -> object:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def idle(self) -> None:
        for _ in range(60_000):  # ten minutes
            if self.gateway.idle:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.gateway.lanes)

    @property
    def carried(self) -> list[str]:
        return [subject(request) for request in self.line.carried]


def submit(name: str, lane: Lane = Lane.ENTRY, deadline: int | None = None) -> Submit:
    order = Order(
        name,
        "P",
        "BTC/USD",
        Side.BUY,
        OrderType.LIMIT,
        Role.ENTRY,
        Decimal(1),
        price=Decimal(1),
        deadline=deadline,
    )
    return Submit(order, lane)


def cancel(name: str, lane: Lane = Lane.CANCEL) -> Cancel:
    return Cancel(name, "BTC/USD", lane)


def told(make: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run_virtual(make())


def test_the_urgent_go_first() -> None:
    async def story() -> None:
        s = Story(BrokenLine(burst="1", per_second="1"))
        s.gateway.enqueue([submit("first")])
        s.gateway.enqueue(
            [
                Query("q", "BTC/USD"),
                submit("e"),
                Amend("f", "BTC/USD", Lane.FOLLOW),
                cancel("c"),
                submit("p", Lane.PROTECT),
                submit("x", Lane.EMERGENCY),
            ]
        )
        assert s.gateway.lanes[Lane.EMERGENCY] == 1
        await s.idle()
        assert s.carried == ["first", "x", "p", "c", "f", "e", "q"]
        assert s.gateway.statistics.submit == 4

    told(story)


def test_entries_and_questions_leave_the_reserve_alone() -> None:
    async def story() -> None:
        s = Story(BrokenLine(burst="10", per_second="0.001"))
        s.reserve = 8.0
        s.gateway.enqueue([submit(f"e{n}") for n in range(5)])
        await asyncio.sleep(1)
        assert s.carried == ["e0", "e1"]
        s.gateway.enqueue([submit(f"x{n}", Lane.EMERGENCY) for n in range(8)])
        await asyncio.sleep(1)
        assert len(s.carried) == 10, "the reserve is for these"
        assert s.gateway.levels()[0].free < 0.1
        s.gateway.close()

    told(story)


def test_requests_on_one_order_leave_one_after_the_other() -> None:
    async def story() -> None:
        s = Story(BrokenLine())
        s.line.wait = 1.0
        s.gateway.enqueue([submit("a"), Amend("a", "BTC/USD", Lane.PROTECT), submit("b")])
        await asyncio.sleep(1.5)
        assert s.carried == ["a", "b"]
        await s.idle()
        assert s.carried == ["a", "b", "a"]

    told(story)


def test_a_cancel_of_what_never_left_never_leaves() -> None:
    async def story() -> None:
        s = Story(BrokenLine(burst="1", per_second="0.001"))
        s.gateway.enqueue([submit("first"), submit("a")])
        s.gateway.enqueue([cancel("a")])
        assert [type(report).__name__ for report in s.reports] == ["Cancelled"]
        s.gateway.enqueue([Amend("b", "BTC/USD", Lane.FOLLOW)])
        s.gateway.enqueue([cancel("b")])
        refused = s.reports[-1]
        assert isinstance(refused, r.AmendRejected)
        assert refused.withdrawn
        s.gateway.close()

    told(story)


def test_what_never_left_is_tried_again_and_what_may_have_is_not() -> None:
    async def story() -> None:
        s = Story(BrokenLine())
        s.line.failures = [NotSentError("refused"), NotSentError("refused")]
        s.gateway.enqueue([submit("a", Lane.PROTECT)])
        await s.idle()
        assert s.carried == ["a"]
        assert s.gateway.statistics.retried == 2
        s.line.failures = [
            OutcomeUnknownError("lost"),
            OutcomeUnknownError("lost"),
            OutcomeUnknownError("lost"),
            OutcomeUnknownError("lost"),
        ]
        s.gateway.enqueue([submit("b")])
        await s.idle()
        s.gateway.enqueue([Amend("c", "BTC/USD", Lane.PROTECT)])
        await s.idle()
        s.gateway.enqueue([Query("d", "BTC/USD")])
        await s.idle()
        s.gateway.enqueue([QueryAccount(0)])
        await s.idle()
        kinds = [type(report).__name__ for report in s.reports]
        assert kinds == ["Accepted", "Unknown", "Unknown", "Unanswered"]
        assert s.carried == ["a", "account"], (
            "only the question about the account is asked again by itself"
        )

    told(story)


def test_an_answer_that_takes_too_long_is_unknown() -> None:
    async def story() -> None:
        s = Story(BrokenLine(), GatewayRules(timeout=1.0))
        s.line.wait = 5.0
        s.gateway.enqueue([cancel("a")])
        await s.idle()
        unknown = s.reports[0]
        assert isinstance(unknown, r.Unknown)
        assert unknown.request == "cancel"

    told(story)


def test_a_rate_limit_is_told_and_waited_for() -> None:
    async def story() -> None:
        s = Story(BrokenLine())
        s.line.failures = [RateLimitedError("EOrder:Rate limit exceeded")]
        s.gateway.enqueue([submit("a")])
        await s.idle()
        assert s.carried == ["a"]
        assert s.limited == ["EOrder:Rate limit exceeded"]
        assert s.gateway.statistics.rate_limited_by_venue == 1

    told(story)


def test_a_rate_limit_is_over_once_what_it_counts_has_drained_and_answers_come() -> None:
    async def story() -> None:
        full = "EAPI:Rate limit exceeded"
        s = Story(BrokenLine("10", "0.25"))  # forty seconds

        async def asks(seconds: int) -> list[str]:
            await s.clock.sleep(seconds * SECOND)
            s.gateway.enqueue([Query("d", "BTC/USD")])
            await s.idle()
            return s.limited

        for second in (0, 60):
            assert await asks(second) == [""] * bool(second), "of the last process"
        s.limited.clear()
        s.line.failures = [RateLimitedError(full)]
        assert await asks(1) == [full]
        assert await asks(25) == [full]
        s.line.failures = [RateLimitedError(full)]
        assert await asks(20) == [full, full], "and again"
        s.line.failures = [NotSentError("the line is down")]
        assert await asks(30) == [full, full], "not yet"
        await s.clock.sleep(30 * SECOND)
        assert s.limited == [full, full], "time alone proves nothing"
        for _ in range(3):
            assert await asks(0) == [full, full, ""], "told once"

    told(story)


def test_a_new_process_tells_once_that_the_limits_of_the_last_one_have_drained() -> None:
    async def story() -> None:
        s = Story(BrokenLine())
        for _ in range(4):
            s.gateway.enqueue([Query("d", "BTC/USD")])
            await s.idle()
            await s.clock.sleep(30 * SECOND)
        assert s.limited == [""]

    told(story)


def test_a_question_that_is_refused_is_asked_again_and_kills_nothing() -> None:
    async def story() -> None:
        s = Story(BrokenLine())
        s.line.failures = [
            RefusedError("EGeneral:Permission denied"),
            RefusedError("EGeneral:Permission denied"),
        ]
        s.gateway.enqueue([Query("d", "BTC/USD")])
        await s.idle()
        assert [type(report) for report in s.reports] == [r.Unanswered]
        s.gateway.enqueue([QueryAccount(0)])
        await s.idle()
        assert s.carried == ["account"]
        assert s.gateway.statistics.retried == 1

    told(story)


def test_the_breaker_stops_entries_and_lets_exits_probe() -> None:
    async def story() -> None:
        s = Story(BrokenLine(), GatewayRules(breaker=2))
        s.line.failures = [OutcomeUnknownError("down"), OutcomeUnknownError("down")]
        s.gateway.enqueue([submit("a"), submit("b")])
        await s.idle()
        assert s.gateway.breaker.state == "open"
        assert s.troubles[0][0] == "BREAKER"
        s.gateway.enqueue([submit("c")])
        refused = s.reports[-1]
        assert isinstance(refused, r.Rejected)
        assert "paused after errors" in refused.text
        s.gateway.enqueue([submit("x", Lane.PROTECT)])
        await s.idle()
        assert s.gateway.breaker.state == "closed"
        assert s.troubles[-1] == ("BREAKER", "")

    told(story)


def test_a_deadline_that_passed_in_the_queue_ends_there() -> None:
    async def story() -> None:
        s = Story(BrokenLine(burst="1", per_second="0.1"))
        s.gateway.enqueue([submit("first")])
        s.gateway.enqueue([submit("late", Lane.PROTECT, deadline=START + SECOND)])
        await s.idle()
        refused = [report for report in s.reports if isinstance(report, r.Rejected)]
        assert "deadline" in refused[0].text
        assert s.carried == ["first"]

    told(story)


def test_a_question_that_waits_is_not_asked_twice() -> None:
    async def story() -> None:
        s = Story(BrokenLine(burst="1", per_second="10"))
        s.gateway.enqueue([submit("first")])
        for _ in range(3):
            s.gateway.enqueue([QueryAccount(0), Query("a", "BTC/USD")])
        await s.idle()
        assert s.carried == ["first", "account", "a"]

    told(story)


def test_a_question_that_waits_and_becomes_more_urgent_does_not_keep_its_old_place() -> None:
    """A flatten asks at once about what was asked for idly before: else it would wait behind
    everything, for its own answer.
    """

    async def story() -> None:
        s = Story(BrokenLine(burst="1", per_second="10"))
        s.gateway.enqueue([submit("first")])
        s.gateway.enqueue([QueryAccount(0), Query("a", "BTC/USD"), submit("exit", Lane.PROTECT)])
        s.gateway.enqueue(
            [
                QueryAccount(0, Lane.EMERGENCY),
                Query("a", "BTC/USD", Lane.PROTECT),
                QueryAccount(0),
                Query("a", "BTC/USD"),
            ]
        )
        assert s.gateway.lanes[Lane.QUERY] == 0
        await s.idle()
        assert s.carried == ["first", "account", "exit", "a"]

    told(story)


def test_counters_are_taken_over_from_an_earlier_run() -> None:
    async def story() -> None:
        one = Story(BrokenLine(burst="10", per_second="1"))
        one.gateway.enqueue([submit(f"e{n}", Lane.PROTECT) for n in range(6)])
        await one.idle()
        levels = one.gateway.levels_after([submit("about to leave")])
        two = Story(BrokenLine(burst="10", per_second="1"))
        two.gateway.restore(levels)
        assert two.gateway.levels()[0].used > 6.5

    told(story)
