"""Rate limits against slow models that remember everything."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import limits
from engine.model.limits import (
    SECOND,
    Counter,
    KrakenFuturesLimits,
    KrakenSpotLimits,
    Level,
    TokenBucket,
    Window,
)
from engine.model.order import Order, OrderType, Role
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Request, Submit
from engine.model.side import Side
from engine.venues.profiles import load_profile

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
def test_a_counter_admits_as_one_that_is_replayed_from_the_beginning(
    spending: list[tuple[int, float, float]],
) -> None:
    counter, spent, now = Counter(20.0, 1.5), list[tuple[int, float]](), START
    for pause, cost, keep in spending:
        now += pause
        free = 20.0 - drained(spent, 1.5, now)
        wait = counter.wait(cost, now, keep)
        assert (wait == 0) is (cost + keep <= free + 1e-6) or abs(cost + keep - free) < 1e-6
        if wait:
            assert counter.wait(cost, now + wait, keep) == 0 or cost + keep > 20.0
            assert (
                drained(spent, 1.5, now + wait) + cost + keep <= 20.0 + 1e-6 or cost + keep > 20.0
            )
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
    [
        (0, 8, 4),
        (4.9, 8, 4),
        (5, 6, 3),
        (9.9, 6, 3),
        (10, 5, 2),
        (15, 4, 1),
        (44, 4, 1),
        (45, 2, 1),
        (90, 1, 1),
        (299, 1, 1),
        (300, 0, 1),
    ],
)
def test_kraken_spot_charges_a_change_by_the_age_of_the_order(
    age: float, cancel: float, amend: float
) -> None:
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


@pytest.mark.parametrize(
    ("tier", "threshold", "drain", "rest"),
    [("starter", 60, 1, 15), ("intermediate", 125, 2.34, 20), ("pro", 180, 3.75, 20)],
)
def test_kraken_s_tiers_have_their_own_thresholds(
    tier: str, threshold: float, drain: float, rest: float
) -> None:
    model = KrakenSpotLimits(tier)
    counter = model.counter("BTC/USD")
    assert isinstance(counter, Counter)
    assert (counter.capacity, counter.drain, model.counter("rest").capacity) == (
        threshold,
        drain,
        rest,
    )


def test_an_unknown_tier_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="tier is 'free'; allowed: starter, intermediate, pro"):
        KrakenSpotLimits("free")


@given(pauses=st.lists(st.integers(0, SECOND), min_size=60, max_size=150))
def test_kraken_futures_sends_no_more_than_fifty_orders_in_any_ten_seconds(
    pauses: list[int],
) -> None:
    model, sent, now = KrakenFuturesLimits(), list[int](), START
    for pause in pauses:
        now += pause
        now += limits.wait(model, SUBMIT, now, {})
        limits.spend(model, SUBMIT, now)
        sent.append(now)
    assert all(
        sum(at > end - 10 * SECOND for at in sent[: index + 1]) <= 50
        for index, end in enumerate(sent)
    )


def test_kraken_futures_counts_history_for_ten_minutes() -> None:
    model = KrakenFuturesLimits()
    for n in range(100):
        model.counter("history").spend(1.0, START + n * SECOND)
    now = START + 100 * SECOND
    assert model.counter("history").wait(1.0, now, 0.0) == 500 * SECOND
    assert limits.wait(model, QueryAccount(0), now, {}) == 0, (
        "a picture asks nothing of the history"
    )
    assert limits.wait(model, SUBMIT, now, {}) == 0


@pytest.mark.parametrize(
    "make", [KrakenSpotLimits, KrakenFuturesLimits, lambda: TokenBucket(50.0, 10.0)]
)
@given(away=st.integers(0, 30 * SECOND), requests=st.integers(1, 60))
def test_a_restart_admits_nothing_that_the_old_process_could_not(
    make: type[KrakenSpotLimits], away: int, requests: int
) -> None:
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


# Whole models against slow ones that keep every request


def slow_spot_cost(request: Request, now: int) -> tuple[str, float]:
    """The table of the guide, looked up the plain way."""
    age = (
        0.0
        if isinstance(request, Submit | Query | QueryAccount)
        else (now - request.touched_at) / SECOND
    )
    if isinstance(request, QueryAccount):
        return "rest", 4.0
    if isinstance(request, Query):
        return "rest", 2.0
    if isinstance(request, Submit):
        return request.order.symbol, 1.0
    if isinstance(request, Amend):
        return request.symbol, 4.0 if age < 5 else 3.0 if age < 10 else 2.0 if age < 15 else 1.0
    for bound, cost in ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1)):
        if age < bound:
            return request.symbol, float(cost)
    return request.symbol, 0.0


REQUESTS = st.one_of(
    st.just(SUBMIT),
    st.just(Submit(order(symbol="ETH/USD"), Lane.PROTECT)),
    st.integers(0, 400).map(
        lambda age: Amend("C", "BTC/USD", Lane.FOLLOW, touched_at=START - age * SECOND)
    ),
    st.integers(0, 400).map(
        lambda age: Cancel("C", "BTC/USD", Lane.CANCEL, touched_at=START - age * SECOND)
    ),
    st.just(Query("C", "BTC/USD")),
    st.just(QueryAccount(0)),
)
ASKED = st.lists(
    st.tuples(st.integers(0, 2 * SECOND), REQUESTS, st.integers(0, 10).map(float)), max_size=60
)


@pytest.mark.hazard("H14")
@given(asked=ASKED, tier=st.sampled_from(["starter", "intermediate", "pro"]))
def test_kraken_spot_admits_as_one_that_is_replayed_from_the_beginning(
    asked: list[tuple[int, Request, float]], tier: str
) -> None:
    model, spent, now = KrakenSpotLimits(tier), dict[str, list[tuple[int, float]]](), START
    rest, rest_drain, pair, pair_drain = KrakenSpotLimits.TIERS[tier]
    for pause, request, keep in asked:
        now += pause
        name, cost = slow_spot_cost(request, now)
        capacity, drain = (rest, rest_drain) if name == "rest" else (pair, pair_drain)
        over = drained(spent.get(name, []), drain, now) + cost + keep - capacity
        wait = limits.wait(model, request, now, {name: keep, "another": 1000.0})
        assert wait == pytest.approx(max(0.0, over / drain * SECOND), abs=10)
        if wait == 0:
            limits.spend(model, request, now)
            spent.setdefault(name, []).append((now, cost))
    for level in limits.levels(model, now):
        assert level.used == pytest.approx(
            drained(
                spent.get(level.name, []), rest_drain if level.name == "rest" else pair_drain, now
            ),
            abs=1e-5,
        )
        assert (level.free, level.at) == (level.capacity - level.used, now)


@pytest.mark.hazard("H14")
@given(asked=ASKED)
def test_kraken_futures_admits_as_one_that_remembers_every_request(
    asked: list[tuple[int, Request, float]],
) -> None:
    model, spent, now = KrakenFuturesLimits(), list[tuple[int, str, float]](), START
    for pause, request, keep in asked * 3:
        now += pause
        costs = [("derivatives", {Query: 2.0, QueryAccount: 8.0}.get(type(request), 10.0))]
        fits = True
        for name, cost in costs:
            capacity, seconds = 500.0, 10
            recent = sum(
                amount
                for at, counter, amount in spent
                if counter == name and at > now - seconds * SECOND
            )
            fits = fits and recent + cost + keep * 20 <= capacity
        wait = limits.wait(model, request, now, {"derivatives": keep * 20, "history": keep * 20})
        assert (wait == 0) is fits
        if fits:
            limits.spend(model, request, now)
            spent.extend((now, name, cost) for name, cost in costs)


@given(burst=st.integers(1, 50), per_second=st.integers(1, 20), count=st.integers(1, 80))
def test_a_bucket_lets_a_burst_through_and_then_so_many_a_second(
    burst: int, per_second: int, count: int
) -> None:
    model = limits.LIMIT_MODELS["token-bucket"](
        {"burst": str(burst), "per_second": str(per_second)}, 0.0
    )
    now = START
    for _ in range(count):
        now += limits.wait(model, SUBMIT, now, {})
        limits.spend(model, SUBMIT, now)
    assert (now - START) / SECOND == pytest.approx(max(0, count - burst) / per_second, abs=1e-6)


@pytest.mark.parametrize("name", limits.LIMIT_MODELS)
def test_a_request_is_counted_where_it_is_asked_about(name: str) -> None:
    model = limits.LIMIT_MODELS[name]({"burst": "10", "per_second": "1"}, 0.0)
    assert limits.levels(model, START) == ()
    limits.spend(model, SUBMIT, START)
    (level,) = limits.levels(model, START)
    assert level.used == sum(cost for _, cost in model.charges(SUBMIT, START)) > 0


def test_a_tier_is_chosen_by_the_profile_s_options() -> None:
    assert limits.LIMIT_MODELS["kraken-spot"]({"tier": "pro"}, 0.0).counter("X").capacity == 180.0
    assert limits.LIMIT_MODELS["kraken-spot"]({}, 0.0).counter("X").capacity == 60.0


def test_what_can_never_fit_a_window_waits_for_the_whole_of_it() -> None:
    window = Window(10.0, 5.0)
    assert window.wait(11.0, START, 0.0) == 5 * SECOND
    window.spend(10.0, START)
    assert window.wait(11.0, START + SECOND, 0.0) == 5 * SECOND
    assert window.wait(0.0, START + SECOND, 0.0) == 0


def test_a_window_forgets_at_the_end_of_its_seconds_and_not_before() -> None:
    window = Window(10.0, 5.0)
    window.spend(10.0, START)
    assert window.wait(1.0, START, 0.0) == 5 * SECOND
    assert window.wait(1.0, START + 5 * SECOND - 1, 0.0) == 1
    assert window.wait(1.0, START + 5 * SECOND, 0.0) == 0
    assert window.used == 0.0


def test_an_empty_window_is_taken_over_empty_and_a_full_one_for_its_whole_time() -> None:
    for used, wait in ((0.0, 0), (500.0, 4 * SECOND)):
        model = KrakenFuturesLimits()
        limits.restore(model, (Level("derivatives", used, 500.0, START),), START + 6 * SECOND)
        assert limits.wait(model, SUBMIT, START + 6 * SECOND, {}) == wait
        limits.restore(model, (Level("derivatives", 0.0, 500.0, START),), START + 6 * SECOND)
        assert limits.wait(model, SUBMIT, START + 6 * SECOND, {}) == wait


# Requests overtake each other on their way

WAYS = st.lists(st.tuples(PAUSES, st.integers(1, 5).map(float), st.floats(0, 1)), max_size=60)


def arrivals(
    counter: Counter | Window, ways: list[tuple[int, float, float]], delay: float
) -> list[tuple[int, float]]:
    """When what was sent as soon as it was admitted reaches the venue, each after its own part of
    the longest way.
    """
    now, reached = START, list[tuple[int, float]]()
    for pause, cost, part in ways:
        now += pause
        now += counter.wait(cost, now, 0.0)
        counter.spend(cost, now)
        reached.append((now + int(part * delay * SECOND), cost))
    return sorted(reached)


@pytest.mark.hazard("H14")
@given(ways=WAYS, delay=st.sampled_from([0.0, 0.5, 2.0, 6.0]))
def test_however_long_each_way_takes_the_venue_s_counter_never_overflows(
    ways: list[tuple[int, float, float]], delay: float
) -> None:
    venue = Counter(20.0, 1.5)
    for at, cost in arrivals(Counter(20.0, 1.5, delay), ways, delay):
        venue.spend(cost, at)
        assert venue.used <= 20.0 + 1e-6


@pytest.mark.hazard("H14")
@given(ways=WAYS, delay=st.sampled_from([0.0, 0.5, 2.0, 6.0]))
def test_however_long_each_way_takes_the_venue_s_window_never_overflows(
    ways: list[tuple[int, float, float]], delay: float
) -> None:
    venue = Window(20.0, 10.0)
    for at, cost in arrivals(Window(20.0, 10.0, delay), ways, delay):
        venue.spend(cost, at)
        assert venue.used <= 20.0


@pytest.mark.parametrize("name", limits.LIMIT_MODELS)
def test_the_longest_way_is_kept_free_on_every_counter(name: str) -> None:
    here, there = (
        limits.LIMIT_MODELS[name]({"burst": "60", "per_second": "1"}, delay) for delay in (4.0, 0.0)
    )
    for which in ("rest", "history", "BTC/USD"):
        ours, theirs = here.counter(which), there.counter(which)
        if isinstance(ours, Window) and isinstance(theirs, Window):
            assert ours.seconds == theirs.seconds + 4
        elif isinstance(ours, Counter) and isinstance(theirs, Counter):
            for counter, way in ((ours, 4.0), (theirs, 0.0)):
                counter.spend(counter.capacity - 2 - counter.drain * way, START)
                assert counter.wait(2.0, START, 0.0) == 0
                assert counter.wait(2.1, START, 0.0) > 0


def test_what_takes_the_whole_counter_needs_it_empty_and_no_more() -> None:
    counter = Counter(10.0, 1.0, 4.0)
    assert counter.wait(10.0, START, 0.0) == 0
    assert counter.wait(8.0, START, 0.0) == 0
    counter.spend(1.0, START)
    assert counter.wait(10.0, START, 0.0) == SECOND + 1
    assert counter.wait(5.0, START, 0.0) == 0
    assert counter.wait(5.5, START, 0.0) == SECOND // 2 + 1


@pytest.mark.parametrize(
    ("age", "cancel", "amend"),
    [(6, 8, 4), (8, 6, 3), (13, 5, 2), (18, 4, 1), (303, 0, 1), (302.9, 1, 1)],
)
def test_an_order_may_be_younger_where_its_age_counts(
    age: float, cancel: float, amend: float
) -> None:
    model, now = KrakenSpotLimits(delay=3.0), START + int(age * SECOND)
    assert model.charges(Cancel("C", "BTC/USD", Lane.CANCEL, touched_at=START), now) == (
        ("BTC/USD", cancel),
    )
    assert model.charges(Amend("C", "BTC/USD", Lane.CANCEL, touched_at=START), now) == (
        ("BTC/USD", amend),
    )


def test_a_level_is_told_to_the_millionth_and_the_counters_by_name() -> None:
    model = KrakenSpotLimits("intermediate")
    limits.spend(model, Query("C", "BTC/USD"), START)
    limits.spend(model, SUBMIT, START)
    told = limits.levels(model, START + 123_456_789)
    assert told == (
        Level("BTC/USD", 0.711111, 125.0, START + 123_456_789),
        Level("rest", 1.938272, 20.0, START + 123_456_789),
    )
    assert told[0].free == 125.0 - 0.711111


def test_a_counter_never_drains_below_nothing_and_starts_there() -> None:
    counter = Counter(10.0, 2.0)
    assert (counter.used, counter.wait(10.0, START, 0.0)) == (0.0, 0)
    counter.spend(3.0, START)
    counter.settle(START + SECOND)
    assert counter.used == 1.0
    counter.settle(START + 3600 * SECOND)
    assert counter.used == 0.0
    assert counter.wait(10.0, START + 3600 * SECOND, 0.5) == SECOND // 4 + 1


@pytest.mark.parametrize("name", ["kraken-spot", "kraken-futures"])
def test_a_profile_s_model_keeps_nothing_free_unless_it_is_told_how_long_a_way_takes(
    name: str,
) -> None:
    profile = load_profile(name)
    for which in ("BTC/USD", "history"):
        plain, known = (
            profile.limit_model().counter(which),
            limits.LIMIT_MODELS[profile.limits](profile.limit_options, 0.0).counter(which),
        )
        if isinstance(plain, Window) and isinstance(known, Window):
            assert plain.seconds == known.seconds
        elif isinstance(plain, Counter) and isinstance(known, Counter):
            assert plain.delay == known.delay == 0.0


def test_kraken_futures_charges_by_kind() -> None:
    model = KrakenFuturesLimits()
    for request in (
        SUBMIT,
        Amend("C", "BTC/USD", Lane.FOLLOW),
        Cancel("C", "BTC/USD", Lane.CANCEL),
    ):
        assert model.charges(request, START) == (("derivatives", 10.0),)
    assert model.charges(Query("C", "BTC/USD"), START) == (("derivatives", 2.0),)
    assert model.charges(QueryAccount(0), START) == (("derivatives", 8.0),)
    assert (model.counter("derivatives").capacity, model.counter("history").capacity) == (
        500.0,
        100.0,
    )


def test_kraken_spot_asks_for_an_account_in_three_questions_and_for_what_is_on_margin_in_one_more() -> (
    None
):
    model = KrakenSpotLimits()
    assert model.charges(Query("C", "BTC/USD"), START) == (("rest", 2.0),)
    assert model.charges(QueryAccount(0), START) == (("rest", 4.0),)
    assert model.charges(QueryAccount(0, on_margin=True), START) == (("rest", 5.0),)
    assert model.charges(SUBMIT, START) == (("BTC/USD", 1.0),)
