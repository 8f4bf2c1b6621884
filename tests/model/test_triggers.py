"""Thresholds against the slow, obvious way of keeping them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.order import Trail
from engine.model.triggers import Direction, Thresholds, TrailingThresholds

PRICES = st.integers(90, 110).map(Decimal)
DIRECTIONS = st.sampled_from(Direction)
STEPS = st.lists(
    st.tuples(st.sampled_from(["set", "discard", "price"]), st.integers(0, 8), PRICES), max_size=60
)
TRAILS = st.one_of(
    st.integers(1, 12).map(lambda n: Trail(amount=Decimal(n))),
    st.integers(1, 12).map(lambda n: Trail(fraction=Decimal(n) / 100)),
)
TRAILING_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "price", "price", "discard"]), st.integers(0, 8), PRICES, TRAILS
    ),
    max_size=80,
)


@given(direction=DIRECTIONS, steps=STEPS)
def test_thresholds_fire_like_a_list_that_is_searched_whole(
    direction: Direction,
    steps: list[tuple[str, int, Decimal]],
) -> None:
    sign = direction.value
    waiting: Thresholds[int] = Thresholds(direction)
    plain: list[tuple[Decimal, int]] = []
    for what, key, price in steps:
        if what == "price":
            hit = [entry for entry in plain if (price - entry[0]) * sign >= 0]
            # stable: equal ones in order of setting
            in_order = sorted(hit, key=lambda entry: entry[0] * sign)
            assert waiting.crossed(price) == [key for _, key in in_order]
            plain = [entry for entry in plain if entry not in hit]
        else:
            plain = [entry for entry in plain if entry[1] != key]
            waiting.discard(key)
            if what == "set":
                waiting.set(key, price)
                plain.append((price, key))
        assert len(waiting) == len(plain)
        assert waiting.nearest == (
            min(entry[0] * sign for entry in plain) * sign if plain else None
        )


class Naive:
    """Every trailing threshold looked at on every price."""

    def __init__(self, direction: Direction) -> None:
        self.sign = direction.value
        self.waiting: dict[int, tuple[Trail, Decimal]] = {}

    def level(self, key: int) -> Decimal:
        trail, best = self.waiting[key]
        return best + trail.distance(best) * self.sign

    def follow(self, price: Decimal) -> list[int]:
        for key, (trail, best) in self.waiting.items():
            if (price - best) * self.sign < 0:
                self.waiting[key] = (trail, price)
        hit = [key for key in self.waiting if (price - self.level(key)) * self.sign >= 0]
        fired = sorted(hit, key=lambda key: self.level(key) * self.sign)
        for key in fired:
            del self.waiting[key]
        return fired


@given(direction=DIRECTIONS, steps=TRAILING_STEPS)
def test_trailing_thresholds_follow_like_a_list_that_is_searched_whole(
    direction: Direction,
    steps: list[tuple[str, int, Decimal, Trail]],
) -> None:
    trails: TrailingThresholds[int] = TrailingThresholds(direction)
    naive = Naive(direction)
    for what, key, price, trail in steps:
        if what == "price":
            assert trails.follow(price) == naive.follow(price)
        else:
            naive.waiting.pop(key, None)
            trails.discard(key)
            if what == "add":
                trails.add(key, trail, price)
                naive.waiting[key] = (trail, price)
        assert len(trails) == len(naive.waiting)
        for waiting, (_, best) in naive.waiting.items():
            assert trails.best(waiting) == best
            assert trails.level(waiting) == naive.level(waiting)
        levels = [naive.level(waiting) * naive.sign for waiting in naive.waiting]
        assert trails.nearest == (min(levels) * naive.sign if levels else None)


def test_a_key_waits_for_one_price_at_a_time() -> None:
    waiting: Thresholds[str] = Thresholds(Direction.FALLING)
    waiting.set("stop", Decimal(100))
    waiting.set("stop", Decimal(95))
    assert waiting.crossed(Decimal(96)) == []
    assert waiting.crossed(Decimal(95)) == ["stop"]
    assert waiting.nearest is None


def test_a_new_high_lifts_those_that_trail_below_it_and_leaves_a_higher_best_alone() -> None:
    trails: TrailingThresholds[str] = TrailingThresholds(Direction.FALLING)
    trails.add("high", Trail(amount=Decimal(20)), Decimal(120))
    trails.add("low", Trail(fraction=Decimal("0.01")), Decimal(100))
    assert trails.follow(Decimal(110)) == []
    assert (trails.best("high"), trails.best("low")) == (Decimal(120), Decimal(110))
    assert trails.level("low") == Decimal("108.90")


def test_what_does_not_wait_has_neither_best_nor_level() -> None:
    trails: TrailingThresholds[str] = TrailingThresholds(Direction.RISING)
    trails.discard("nobody")
    assert trails.best("nobody") is None
    assert trails.level("nobody") is None


@pytest.mark.parametrize("direction", Direction)
def test_ten_thousand_trails_become_one_group_at_a_new_extreme(direction: Direction) -> None:
    trails: TrailingThresholds[int] = TrailingThresholds(direction)
    for key in range(10_000):
        trails.add(key, Trail(amount=Decimal(500)), Decimal(1000) - key % 100 * direction.value)
    extreme = Decimal(1000) - 200 * direction.value
    assert trails.follow(extreme) == []
    assert {trails.best(key) for key in range(10_000)} == {extreme}
    assert trails.nearest == extreme + 500 * direction.value


GATHERED = st.lists(TRAILS, min_size=2, max_size=10)


@given(direction=DIRECTIONS, trails=GATHERED, data=st.data())
def test_one_of_many_that_follow_the_same_best_can_leave(
    direction: Direction, trails: list[Trail], data: st.DataObject
) -> None:
    waiting: TrailingThresholds[int] = TrailingThresholds(direction)
    naive = Naive(direction)
    for key, trail in enumerate(trails):
        waiting.add(key, trail, Decimal(100))
        naive.waiting[key] = (trail, Decimal(100))
    for key in data.draw(
        st.lists(st.sampled_from(range(len(trails))), max_size=len(trails), unique=True)
    ):
        waiting.discard(key)
        del naive.waiting[key]
        levels = [naive.level(left) * naive.sign for left in naive.waiting]
        assert waiting.nearest == (min(levels) * naive.sign if levels else None)
    far = Decimal(100) + 50 * direction.value
    assert waiting.follow(far) == naive.follow(far)
    assert len(waiting) == 0
    assert waiting.nearest is None
