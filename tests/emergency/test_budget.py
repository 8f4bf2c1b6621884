"""What the last exit may ask: counters that were left, counters that are assumed, and what is kept
for orders.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from engine.clock import SECOND, Clock, run_virtual
from engine.emergency.budget import Budget, OutOfTimeError
from engine.model.limits import (
    KrakenFuturesLimits,
    KrakenSpotLimits,
    Level,
    LimitModel,
    TokenBucket,
)
from engine.model.order import Order, OrderType, Role
from engine.model.request import Cancel, Lane, Query, Submit
from engine.model.side import Side
from tests.support.scene import START, D
from tests.support.world import BTC, ETH

pytestmark = [pytest.mark.hazard("H112")]


def spending(
    model: LimitModel,
    tale: Callable[[Budget, Clock], Coroutine[Any, Any, None]],
    seconds: int = 100,
) -> None:
    """Tell a story of a budget under virtual time."""

    async def main() -> None:
        clock = Clock(asyncio.get_running_loop(), START)
        await tale(Budget(model, clock, START + seconds * SECOND), clock)

    run_virtual(main())


def used(model: LimitModel) -> dict[str, float]:
    return {
        name: round(counter.used, 6) for name, counter in model.counters().items() if counter.used
    }


def close(symbol: str = BTC) -> Submit:
    return Submit(
        Order("X", "", symbol, Side.SELL, OrderType.MARKET, Role.CLOSE, D(1)), Lane.EMERGENCY
    )


def test_without_counters_most_of_what_orders_use_counts_as_used_and_less_of_what_questions_use() -> (
    None
):
    model = KrakenSpotLimits("pro")

    async def tale(budget: Budget, clock: Clock) -> None:
        budget.start((), (BTC, ETH, BTC))
        assert used(model) == {BTC: 144.0, ETH: 144.0, "rest": 8.0}

    spending(model, tale)


def test_where_orders_and_questions_share_a_counter_it_counts_once_and_as_used_by_orders() -> None:
    model = KrakenFuturesLimits()

    async def tale(budget: Budget, clock: Clock) -> None:
        budget.start((), (BTC, ETH))
        assert used(model) == {"derivatives": 400.0}

    spending(model, tale)


def test_counters_that_were_left_are_taken_over_drained_and_nothing_is_assumed_beside_them() -> (
    None
):
    model = KrakenSpotLimits("pro")

    async def tale(budget: Budget, clock: Clock) -> None:
        budget.start((Level("rest", 10.0, 20.0, clock.now() - 4 * SECOND),), (BTC,))
        assert used(model) == {"rest": 6.0}

    spending(model, tale)


def test_a_question_waits_until_its_counter_admits_it_and_is_counted() -> None:
    model = KrakenSpotLimits("pro")

    async def tale(budget: Budget, clock: Clock) -> None:
        await budget.pay("rest", 20.0)
        assert clock.now() == START
        await budget.pay("rest", 3.0)
        assert round((clock.now() - START) / SECOND, 3) == 3.0
        assert used(model) == {"rest": 20.0}

    spending(model, tale)


def test_the_reserve_is_kept_from_questions_only_where_orders_share_the_counter_and_at_most_a_share() -> (
    None
):
    spot = KrakenSpotLimits("pro")

    async def tale(budget: Budget, clock: Clock) -> None:
        budget.start((Level("rest", 0.0, 20.0, START),), (BTC,))
        budget.reserve = 1_000.0
        await budget.pay("rest", 20.0)
        assert clock.now() == START

    spending(spot, tale)
    bucket = TokenBucket(10.0, 1.0)

    async def shared(budget: Budget, clock: Clock) -> None:
        budget.start((Level("requests", 0.0, 10.0, START),), (BTC,))
        budget.reserve = 1_000.0
        await budget.pay("requests", 4.0)
        assert clock.now() == START
        await budget.pay("requests", 1.0)
        assert round((clock.now() - START) / SECOND, 3) == 1.0
        budget.reserve = 2.0
        await budget.pay("requests", 4.0)
        assert round((clock.now() - START) / SECOND, 3) == 1.0

    spending(bucket, shared)


@pytest.mark.parametrize(("seconds", "late"), [(3, True), (4, False)])
def test_a_question_that_would_come_too_late_is_not_waited_for(seconds: int, late: bool) -> None:
    model = KrakenSpotLimits("pro")

    async def tale(budget: Budget, clock: Clock) -> None:
        await budget.pay("rest", 20.0)
        if late:
            with pytest.raises(OutOfTimeError):
                await budget.pay("rest", 3.0)
            assert clock.now() == START
        else:
            await budget.pay("rest", 3.0)

    spending(model, tale, seconds)


@pytest.mark.parametrize(("seconds", "late"), [(1, True), (2, False)])
def test_an_order_waits_for_its_counter_and_not_beyond_the_time(seconds: int, late: bool) -> None:
    model = TokenBucket(1.0, 1.0)

    async def tale(budget: Budget, clock: Clock) -> None:
        await budget.leave(close())
        assert clock.now() == START
        if late:
            with pytest.raises(OutOfTimeError):
                await budget.leave(close())
            assert clock.now() == START
        else:
            await budget.leave(close())
            assert round((clock.now() - START) / SECOND, 3) == 1.0
            assert used(model) == {"requests": 1.0}

    spending(model, tale, seconds)


def test_requests_that_must_leave_together_are_summed_by_counter() -> None:
    model = TokenBucket(2.0, 1.0)

    async def tale(budget: Budget, clock: Clock) -> None:
        both = (Cancel("X", BTC, Lane.EMERGENCY), close())
        assert budget.pause(()) == 0
        assert budget.pause(both) == 0
        await budget.leave(close())
        assert round(budget.pause(both) / SECOND, 3) == 1.0
        assert budget.pause(both[1:]) == 0
        many = tuple(close() for _ in range(9))
        assert round(budget.pause(many) / SECOND, 3) == 1.0, (
            "no more than the counter can ever hold"
        )

    spending(model, tale)


def test_a_refusal_for_the_limits_fills_what_drains_and_takes_a_fifth_of_a_window() -> None:
    spot, futures = KrakenSpotLimits("pro"), KrakenFuturesLimits()

    async def tale(budget: Budget, clock: Clock) -> None:
        budget.refused(("rest",))
        assert used(spot) == {"rest": 20.0}
        budget.refused_request(close(ETH))
        assert used(spot) == {"rest": 20.0, ETH: 180.0}

    async def window(budget: Budget, clock: Clock) -> None:
        budget.refused_request(Query("X", BTC, Lane.EMERGENCY))
        assert used(futures) == {"derivatives": 100.0}

    spending(spot, tale)
    spending(futures, window)


def test_what_is_kept_is_a_cancel_for_each_order_and_two_tries_of_each_close() -> None:
    for model, reserve in (
        (KrakenSpotLimits("pro"), 3 * 8.0 + 2 * 2 * 1.0),
        (KrakenFuturesLimits(), 3 * 10.0 + 2 * 2 * 10.0),
    ):

        async def tale(budget: Budget, clock: Clock) -> None:
            assert budget.reserve == 0.0
            budget.keep_for(3, 2)
            assert budget.reserve == reserve  # noqa: B023

        spending(model, tale)
