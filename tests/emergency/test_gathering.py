"""How the last exit asks: each part by itself, so many times, at its price, and what was answered
is kept.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.account.summary import HeldPosition, Summary
from engine.clock import SECOND, Clock, run_virtual
from engine.emergency.budget import Budget, OutOfTimeError
from engine.emergency.gathering import Gathering
from engine.emergency.ours import Ours
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.limits import KrakenSpotLimits
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.report import Absent, Found
from engine.model.side import Side
from engine.venues.parts import Holdings, Page, Pay, Row, Working
from engine.venues.protocol import OutcomeUnknownError, RateLimitedError
from tests.support.scene import START
from tests.support.world import BTC, ETH

D = Decimal
MINE = client_order_id("main", "i", "leg", 1)
pytestmark = [pytest.mark.hazard("H73")]


class Answers:
    """A venue that answers each part as a test has written it down."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.held: list[Any] = []
        self.open: list[Any] = []
        self.pages: list[Any] = []
        self.prices: list[Any] = []

    async def _next(self, answers: list[Any], *asked: Any) -> Any:
        self.asked.append(asked)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def holdings(self, pay: Pay, *, on_margin: bool) -> Holdings:
        await pay("rest", 1.0)
        found: Holdings = await self._next(self.held, "holdings", on_margin)
        return found

    async def working(self, pay: Pay) -> Working:
        await pay("rest", 1.0)
        found: Working = await self._next(self.open, "working")
        return found

    async def executions(self, since: int, cursor: str, pay: Pay) -> Page:
        await pay("rest", 2.0)
        found: Page = await self._next(self.pages, "executions", since, cursor)
        return found

    async def quotes(self, symbols: Iterable[str]) -> list[Quote]:
        found: list[Quote] = await self._next(self.prices, "quotes", tuple(symbols))
        return found

    async def look(self, order: Order, pay: Pay) -> Found | Absent:
        raise NotImplementedError

    async def widen(self, symbols: Iterable[str]) -> None:
        raise NotImplementedError


class Told:
    """A gathering, its venue and what it said."""

    def __init__(self, clock: Clock, summary: Summary | None, seconds: int) -> None:
        self.clock = clock
        self.answers = Answers()
        self.said: list[str] = []
        self.model = KrakenSpotLimits("pro")
        self.budget = Budget(self.model, clock, START + seconds * SECOND)
        parts: Any = self.answers
        self.gathering = Gathering(
            parts, Ours("main", summary, None), self.budget, clock, self.said.append
        )

    @property
    def seconds(self) -> float:
        return round((self.clock.now() - START) / SECOND, 3)


def asking(
    tale: Callable[[Told], Coroutine[Any, Any, None]],
    summary: Summary | None = None,
    seconds: int = 100,
) -> None:
    async def main() -> None:
        await tale(Told(Clock(asyncio.get_running_loop(), START), summary, seconds))

    run_virtual(main())


def held(at: int = START) -> Holdings:
    return Holdings(at, {"BTC": D(1)}, {BTC: D(2)})


def fill(name: str, order: str = MINE) -> Fill:
    return Fill(name, order, BTC, Side.BUY, D(1), D(1), D(0), "USD", Liquidity.TAKER, START)


def test_a_part_is_asked_for_three_times_with_longer_pauses_and_each_trouble_is_told_once() -> None:
    async def tale(told: Told) -> None:
        told.answers.open = [
            OutcomeUnknownError("no line"),
            OutcomeUnknownError("no line"),
            TimeoutError(),
        ]
        await told.gathering.orders()
        assert (len(told.answers.asked), told.seconds) == (3, 0.75)
        assert told.said == ["open orders: no line", "open orders: no answer in time"]
        assert told.gathering.complaints == {"open orders": "no answer in time"}
        assert told.gathering.working is None
        told.answers.open = [Working(START, ())]
        await told.gathering.orders()
        assert told.gathering.complaints == {}
        assert told.gathering.working == Working(START, ())

    asking(tale)


def test_an_answer_that_nobody_can_read_is_a_trouble_like_another() -> None:
    async def tale(told: Told) -> None:
        told.answers.open = [KeyError("price"), Working(START, ())]
        await told.gathering.orders()
        assert told.said == ["open orders: KeyError: 'price'"]
        assert told.gathering.working is not None
        assert told.seconds == 0.25

    asking(tale)


def test_a_refusal_for_the_limits_empties_the_counter_that_was_paid() -> None:
    async def tale(told: Told) -> None:
        told.answers.open = [RateLimitedError("slow down"), Working(START, ())]
        await told.gathering.orders()
        assert told.said == ["open orders: slow down"]
        assert told.seconds == 1.0, "the counter was full, and has drained by one"

    asking(tale)


def test_out_of_time_nothing_is_asked_again() -> None:
    async def tale(told: Told) -> None:
        told.answers.open = [OutcomeUnknownError("no line"), OutcomeUnknownError("no line")]
        told.budget.until = START - 1
        with pytest.raises(OutOfTimeError):
            await told.gathering.orders()
        assert len(told.answers.asked) == 1
        told.model.counter("rest").spend(20.0, START)
        with pytest.raises(OutOfTimeError):
            await told.gathering.orders()
        assert len(told.answers.asked) == 1, "nor is it paid for"

    asking(tale)


@pytest.mark.parametrize(
    ("summary", "loans"),
    [
        (None, True),
        (Summary(account="main", at=START), False),
        (
            Summary(
                account="main",
                positions=(
                    HeldPosition(id="P", symbol=BTC, side=Side.BUY, size=D(1), leverage=D(2)),
                ),
            ),
            True,
        ),
    ],
    ids=["lost", "coins", "a loan"],
)
def test_loans_are_asked_for_where_there_may_be_some(summary: Summary | None, loans: bool) -> None:
    async def tale(told: Told) -> None:
        told.answers.held, told.answers.open = [held(START - 5)], [Working(START - 7, ())]
        assert await told.gathering.decisive()
        assert told.answers.asked[0] == ("holdings", loans)
        gathering = told.gathering
        assert (
            gathering.balance("BTC"),
            gathering.balance("ETH"),
            gathering.net(BTC),
            gathering.net(ETH),
        ) == (D(1), D(0), D(2), D(0))
        gathering.fills_at = START
        assert gathering.asked_at() == START - 7

    asking(tale, summary)


def test_holdings_without_the_loans_that_turned_up_since_are_no_part() -> None:
    async def tale(told: Told) -> None:
        told.answers.held, told.answers.open = [held()], [Working(START, ())]
        told.answers.pages = [
            Page(
                START, (fill("T1", client_order_id("main", "i", "leg", 9)),), "", frozenset({"T1"})
            )
        ]
        assert await told.gathering.decisive()
        assert await told.gathering.executions()
        assert told.gathering.asked_at() == 0
        told.answers.held, told.answers.open = [held()], [Working(START, ())]
        assert await told.gathering.decisive()
        assert told.gathering.asked_at() == START

    asking(tale, Summary(account="main", at=START - SECOND))


def test_what_was_known_is_kept_where_a_part_is_not_answered() -> None:
    async def tale(told: Told) -> None:
        told.answers.held, told.answers.open = [held()], [Working(START, ())]
        assert await told.gathering.decisive()
        told.answers.held = [OutcomeUnknownError("x")] * 3
        told.answers.open = [OutcomeUnknownError("x")] * 3
        assert await told.gathering.decisive(), "both are known, from before"
        assert told.gathering.holdings == held()
        empty = Told(told.clock, None, 100)
        empty.answers.held = [OutcomeUnknownError("x")] * 3
        empty.answers.open = [Working(START, ())]
        assert not await empty.gathering.decisive()

    asking(tale)


def test_how_far_ours_have_filled_is_taken_from_the_open_orders_and_nobody_elses() -> None:
    async def tale(told: Told) -> None:
        order = Order(MINE, "", BTC, Side.SELL, OrderType.LIMIT, Role.STOP, D(1), filled=D("0.4"))
        foreign = replace(order, client_order_id="web")
        told.answers.open = [
            Working(
                START,
                (
                    Row("V1", MINE, BTC, order, ""),
                    Row("V2", "web", BTC, foreign, ""),
                    Row("V3", MINE, BTC, None, ""),
                ),
            )
        ]
        await told.gathering.orders()
        assert told.gathering.ours.filled(MINE) == D("0.4")
        assert told.gathering.ours.filled("web") == 0

    asking(tale)


def test_executions_are_read_to_their_end_and_again_from_a_while_before() -> None:
    async def tale(told: Told) -> None:
        since = START - 190 * SECOND
        told.answers.pages = [
            Page(START - 3, (fill("T1"),), "next"),
            Page(START + 9, (fill("T2"),), ""),
            Page(START, (), ""),
        ]
        assert await told.gathering.executions()
        assert told.gathering.fills_at == START - 3
        assert len(told.gathering.ours.fills_of(MINE)) == 2
        assert await told.gathering.executions()
        assert told.answers.asked == [
            ("executions", since, ""),
            ("executions", since, "next"),
            ("executions", START - 3 - 90 * SECOND, ""),
        ]

    asking(tale, Summary(account="main", at=START - 100 * SECOND))


def test_pages_that_were_answered_are_kept_and_the_next_attempt_goes_on_there() -> None:
    async def tale(told: Told) -> None:
        troubles = [OutcomeUnknownError("x")] * 3
        told.answers.pages = [
            Page(START - 3, (fill("T1"),), "next"),
            *troubles,
            Page(START + 5 * SECOND, (), ""),
            *troubles,
            Page(START, (), ""),
        ]
        assert not await told.gathering.executions()
        known = told.gathering.fills_at
        assert known is None
        assert await told.gathering.executions()
        assert told.gathering.fills_at == START - 3
        assert [asked[2] for asked in told.answers.asked] == ["", "next", "next", "next", "next"]
        assert not await told.gathering.executions()
        assert await told.gathering.executions()
        assert [asked[2] for asked in told.answers.asked[5:]] == ["", "", "", ""], (
            "a first page has nothing to go on from"
        )

    asking(tale)


def test_prices_are_asked_for_where_they_are_older_than_wanted() -> None:
    async def tale(told: Told) -> None:
        def quote(symbol: str) -> Quote:
            return Quote(symbol, told.clock.now(), D(1), D(1), D(2), D(1))

        told.answers.prices = [[quote(BTC)], [quote(ETH)]]
        await told.gathering.prices((BTC,))
        await told.gathering.prices((BTC, ETH))
        await told.clock.sleep(SECOND)
        await told.gathering.prices((BTC, ETH))
        assert [asked[1] for asked in told.answers.asked] == [(BTC,), (ETH,)]
        await told.clock.sleep(1)
        told.answers.prices = [
            [quote(BTC), quote(ETH)],
            OutcomeUnknownError("x"),
            OutcomeUnknownError("x"),
        ]
        await told.gathering.prices((BTC, ETH))
        assert told.answers.asked[-1] == ("quotes", (BTC, ETH))
        known = told.gathering.quote(BTC)
        await told.clock.sleep(2)
        await told.gathering.prices((BTC,), age=1)
        assert len(told.answers.asked) == 5, "twice, and no more"
        assert told.gathering.quote(BTC) == known, "what is known is kept"
        assert told.gathering.quote("XRP/USD") is None

    asking(tale)
