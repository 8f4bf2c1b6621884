"""Rate limits against slow models that remember everything."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import limits
from engine.model.limits import SECOND, Counter, KrakenFuturesLimits, KrakenSpotLimits, Level, TokenBucket, Window
from engine.model.order import Order, OrderType, Role
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Request, Submit
from engine.model.side import Side

START = 1_700_000_000 * SECOND
PAUSES = st.integers(0, 3 * SECOND)
COSTS = st.integers(1, 10).map(float)
SPENDING = st.lists(st.tuples(PAUSES, COSTS, st.integers(0, 8).map(float)), max_size=80)


def drained(spent: list[tuple[int, float]], drain: float, now: int) -> float:
    """What a leaking counter holds, replayed from the beginning."""
    used, last = 0.0, START
    for at, cost in spent:
        used, last = max(0.0, used - drain * (at - last) / SECOND) + cost, at
    return max(0.0, used - drain * (now - last) / SECOND)


@pytest.mark.hazard("H14")
@given(spending=SPENDING)
def test_a_counter_admits_as_one_that_is_replayed_from_the_beginning(spending: list[tuple[int, float, float]]) -> None:
    counter, spent, now = Counter(20.0, 1.5), list[tuple[int, float]](), START
    for pause, cost, keep in spending:
        now += pause
        free = 20.0 - drained(spent, 1.5, now)
        wait = counter.wait(cost, now, keep)
        assert (wait == 0) is (cost + keep <= free + 1e-6) or abs(cost + keep - free) < 1e-6
        if wait:
            assert counter.wait(cost, now + wait, keep) == 0 or cost + keep > 20.0
            assert drained(spent, 1.5, now + wait) + cost + keep <= 20.0 + 1e-6 or cost + keep > 20.0
            counter = Counter(20.0, 1.5)  # the question above moved its clock
            for at, amount in spent:
                counter.spend(amount, at)
        else:
            counter.spend(cost, now)
            spent.append((now, cost))
    assert counter.used <= 20.0 + 1e-6


@pytest.mark.hazard("H14")
@given(spending=SPENDING)
def test_no_window_ever_holds_more_than_it_may(spending: list[tuple[int, float, float]]) -> None:
    window, spent, now = Window(30.0, 10.0), list[tuple[int, float]](), START
    for pause, cost, keep in spending:
        now += pause
        wait = window.wait(cost, now, keep)
        recent = sum(amount for at, amount in spent if at > now - 10 * SECOND)
        assert (wait == 0) is (recent + cost + keep <= 30.0)
        if wait:  # exactly then, and not a nanosecond before
            left = sum(amount for at, amount in spent if at > now + wait - 10 * SECOND)
            before = sum(amount for at, amount in spent if at > now + wait - 1 - 10 * SECOND)
            assert left + cost + keep <= 30.0 < before + cost + keep
        else:
            window.spend(cost, now)
            spent.append((now, cost))
    for end, _ in spent:
        assert sum(amount for at, amount in spent if end - 10 * SECOND < at <= end) <= 30.0


def order(name: str = "C", symbol: str = "BTC/USD") -> Order:
    return Order(name, "P", symbol, Side.BUY, OrderType.MARKET, Role.ENTRY, Decimal(1))


SUBMIT = Submit(order(), Lane.ENTRY)


def spot_cost(request: Request, now: int) -> float:
    return sum(cost for _, cost in KrakenSpotLimits().charges(request, now))


@pytest.mark.parametrize(
    ("age", "cancel", "amend"),
    [(0, 8, 4), (4.9, 8, 4), (5, 6, 3), (9.9, 6, 3), (10, 5, 2), (15, 4, 1), (44, 4, 1), (45, 2, 1), (90, 1, 1), (299, 1, 1), (300, 0, 1)],
)
def test_kraken_spot_charges_a_change_by_the_age_of_the_order(age: float, cancel: float, amend: float) -> None:
    now = START + int(age * SECOND)
    assert spot_cost(Cancel("C", "BTC/USD", Lane.CANCEL, touched_at=START), now) == cancel
    assert spot_cost(Amend("C", "BTC/USD", Lane.CANCEL, touched_at=START), now) == amend


def test_kraken_spot_counts_pairs_apart_and_questions_elsewhere() -> None:
    model = KrakenSpotLimits()
    for _ in range(60):
        limits.spend(model, SUBMIT, START)
    assert limits.wait(model, SUBMIT, START, {}) == SECOND + 1
    assert limits.wait(model, Submit(order(symbol="ETH/USD"), Lane.ENTRY), START, {}) == 0
    assert limits.wait(model, Query("C", "BTC/USD"), START, {}) == 0
    assert limits.wait(model, SUBMIT, START + 10 * SECOND, {"BTC/USD": 20.0}) > 0


@pytest.mark.parametrize(("tier", "threshold", "drain", "rest"), [("starter", 60, 1, 15), ("intermediate", 125, 2.34, 20), ("pro", 180, 3.75, 20)])
def test_kraken_s_tiers_have_their_own_thresholds(tier: str, threshold: float, drain: float, rest: float) -> None:
    model = KrakenSpotLimits(tier)
    counter = model.counter("BTC/USD")
    assert isinstance(counter, Counter)
    assert (counter.capacity, counter.drain, model.counter("rest").capacity) == (threshold, drain, rest)


def test_an_unknown_tier_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="tier is 'free'; allowed: starter, intermediate, pro"):
        KrakenSpotLimits("free")


@given(pauses=st.lists(st.integers(0, SECOND), min_size=60, max_size=150))
def test_kraken_futures_sends_no_more_than_fifty_orders_in_any_ten_seconds(pauses: list[int]) -> None:
    model, sent, now = KrakenFuturesLimits(), list[int](), START
    for pause in pauses:
        now += pause
        now += limits.wait(model, SUBMIT, now, {})
        limits.spend(model, SUBMIT, now)
        sent.append(now)
    assert all(sum(at > end - 10 * SECOND for at in sent[: index + 1]) <= 50 for index, end in enumerate(sent))


def test_kraken_futures_counts_history_for_ten_minutes() -> None:
    model = KrakenFuturesLimits()
    for n in range(100):
        limits.spend(model, QueryAccount(0), START + n * SECOND)
    now = START + 100 * SECOND
    assert limits.wait(model, QueryAccount(0), now, {}) == 500 * SECOND
    assert limits.wait(model, SUBMIT, now, {}) == 0


@pytest.mark.parametrize("make", [KrakenSpotLimits, KrakenFuturesLimits, lambda: TokenBucket(50.0, 10.0)])
@given(away=st.integers(0, 30 * SECOND), requests=st.integers(1, 60))
def test_a_restart_admits_nothing_that_the_old_process_could_not(make: type[KrakenSpotLimits], away: int, requests: int) -> None:
    old, new = make(), make()
    for _ in range(requests):
        if limits.wait(old, SUBMIT, START, {}) == 0:
            limits.spend(old, SUBMIT, START)
    told = limits.levels(old, START)
    limits.restore(new, told, START + away)
    now = START + away
    assert limits.wait(new, SUBMIT, now, {}) + 2_000 >= limits.wait(old, SUBMIT, now, {})
    assert limits.levels(new, now) == limits.levels(old, now)


def test_a_clock_that_went_back_drains_nothing() -> None:
    counter = Counter(10.0, 1.0)
    counter.spend(10.0, START)
    assert counter.wait(1.0, START - 60 * SECOND, 0.0) == SECOND + 1
    fresh = TokenBucket(10.0, 1.0)
    limits.restore(fresh, (Level("requests", 10.0, 10.0, START),), START - 60 * SECOND)
    assert fresh.counter("requests").used == 10.0
